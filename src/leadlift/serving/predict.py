"""predict(): a bundle and a file of new leads -> a scored table, one row out for every row in."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from leadlift.data.addresses import is_address
from leadlift.data.new_leads import prepare_batch
from leadlift.data.table_stores import store_kind
from leadlift.exceptions import ConfigError
from leadlift.serving.batch import BatchScorer
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.engine_choice import require_engine
from leadlift.serving.id_hashes import IdsSeen
from leadlift.serving.inputs import open_inputs
from leadlift.serving.override_table import read_overrides
from leadlift.serving.overrides import overrides_at
from leadlift.serving.pieces import make_piece
from leadlift.serving.previous import NO_PREVIOUS, read_previous
from leadlift.serving.running import Request, run_into_database, run_into_file
from leadlift.serving.score_store import open_score_store
from leadlift.serving.scored_columns import decoded
from leadlift.serving.scoring import Queries, Sources
from leadlift.serving.writing import refuse_to_replace
from leadlift.terms import LEAD_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from leadlift.data.events import Events
    from leadlift.data.history import History
    from leadlift.serving.summary import PredictSummary

__all__ = ["Queries", "predict", "score_table"]


def score_table(
    bundle: ModelBundle,
    table: object,
    *,
    as_of: datetime | None = None,
    events: Events | None = None,
    history: History | None = None,
    previous: object | None = None,
    overrides: object | None = None,
    reasons: bool = True,
) -> pa.Table:
    """Score new leads in memory.

    Parameters
    ----------
    bundle : ModelBundle
    table : pandas, polars or Arrow table
        The user's own column names, in any order, extra ones ignored.
    as_of : datetime with time zone, optional
        Moment of scoring, written into each row; what was known before it counts.
    events : Events, optional
        Needed by a bundle that was trained with events; see :func:`leadlift.data.events.events_from`.
    history : History, optional
        Needed by a bundle that was trained with a change log.
    previous : table or path, optional
        Scored table of the scoring before; see :func:`leadlift.serving.previous.read_previous`.
    overrides : table or path, optional
        Stages that people set; see :func:`leadlift.serving.override_table.read_overrides`.
    reasons : bool, default=True
        Whether to say why; without, base, sub-scores and reasons are null.

    Returns
    -------
    pyarrow.Table
        Columns :data:`leadlift.serving.scored_columns.SCORED_SCHEMA`, one row for each row of `table`.

    Raises
    ------
    SchemaError
        An input column is missing; the message is a diff.
    ConfigError
        The bundle needs events, a change log or `as_of`, and none is given.
    """
    batch = prepare_batch(table, bundle.schema, encode_levels=bundle.builder is None)
    before = NO_PREVIOUS if previous is None else read_previous(previous, as_of=as_of)
    said = None if overrides is None else read_overrides(overrides)
    with open_inputs(bundle, batch[LEAD_ID], as_of=as_of, events=events, history=history) as inputs:
        known = inputs.every_lead_is_known
        scorer = BatchScorer(
            bundle,
            as_of,
            previous=before,
            overrides=overrides_at(said, as_of),
            every_lead_is_known=known,
            reasons=reasons,
        )
        return decoded(scorer.score(make_piece(pa.table(batch), inputs, IdsSeen())).table)


def predict(
    bundle: ModelBundle | str | Path,
    leads: str | Path,
    *,
    out: str | Path,
    out_table: str | None = None,
    events: str | Path | None = None,
    history: str | Path | None = None,
    previous: str | Path | None = None,
    overrides: object | None = None,
    store: str | Path | None = None,
    as_of: datetime | None = None,
    queries: Queries | None = None,
    engine: str = "auto",
    feature_engine: str = "duckdb",
    threads: int | None = None,
    reasons: bool = True,
    profile: str | None = None,
    changed_only: str | None = None,
    allow_past: bool = False,
    resume_moment: bool = False,
    on_rows: Callable[[int], None] | None = None,
) -> PredictSummary:
    """Score new leads into a file or a table of a database; memory does not grow with the rows.

    A file appears only when it is complete, and a manifest beside it (``<out>.manifest.json``). While the job
    runs it works in a hidden folder beside the output. A job of more than 131,072 rows that was cut off
    leaves what it finished there: the same job, run again, goes on from there and ends with the same bytes.

    Parameters
    ----------
    bundle : ModelBundle or path of one
    leads : path or address
        A CSV or Parquet file, a folder or glob of them, a DuckDB file or a database, with the columns of
        training in any order. Read twice where features are built: once for the ids.
    out : path or address
        ``.parquet`` or ``.csv``, which replaces a file of that name; or a database, see
        :func:`leadlift.serving.database_sink.open_database_sink`.
    out_table : str, optional
        Table of the database.
    events, history : path or address, optional
        Needed by a bundle that was trained with events or a change log. Events of other leads are skipped.
    previous : path or address, optional
        Scored table of the scoring before: for rules by which a lead keeps its stage, for `stage_since` and
        `previous_score`. See :func:`leadlift.serving.previous.read_previous`.
    overrides : path, address or table, optional
        Stages that people set, honoured while they are in force; see
        :func:`leadlift.serving.override_table.read_overrides`.
    store : path or address, optional
        Where the scored leads are kept, all rows in full, once the output is complete; see
        :func:`leadlift.serving.score_store.open_score_store`.
    as_of : datetime with time zone, optional
        Moment of scoring, written into each row; what was known before it counts.
    queries : Queries, optional
        For DuckDB files and databases.
    engine : {"auto", "fast", "plain"}, default="auto"
        What walks the trees: decision-pattern tables, LightGBM, or the first that passes its checks on the
        first rows. The output does not depend on it.
    feature_engine : str, default="duckdb"
        Where features are built.
    threads : int, optional
        That score; as many as there are cores, if not given. The output does not depend on it.
    reasons : bool, default=True
        Whether to say why; without, base, sub-scores and reasons are null, and the job takes about half as
        long.
    profile : str, optional
        Write the columns of a CRM: a key of :data:`leadlift.serving.profiles.PROFILES`.
    changed_only : {"stage", "grade"}, optional
        Write only leads that are new or differ in it from `previous`.
    allow_past : bool, default=False
        Whether `as_of` may be earlier than what the model has learnt from.
    resume_moment : bool, default=False
        Whether an unfinished job that differs in `as_of` alone is finished as of its own moment.
    on_rows : callable, optional
        Called with the number of rows done so far.

    Returns
    -------
    PredictSummary

    Raises
    ------
    InputError
        A file cannot be read to its end, the output cannot be written, would replace a file read, or is being
        written by another job; what stood in the output's place still does.
    SchemaError
        A column is missing.
    ConfigError
        The bundle needs events, a change log or `as_of`, and none is given; or `as_of` is too early.
    BundleError
        The bundle is damaged.
    """
    require_engine(engine)
    if not isinstance(bundle, ModelBundle):
        bundle = ModelBundle.load(bundle)
    queries = queries or Queries()
    sources = Sources(leads, events, history, previous, queries)
    said = None if overrides is None else read_overrides(overrides, query=queries.overrides)
    request = Request(
        bundle=bundle,
        sources=sources,
        out=str(out),
        as_of=as_of,
        engine=engine,
        feature_engine=feature_engine,
        threads=threads or _n_cores(),
        reasons=reasons,
        profile=profile,
        changed_only=changed_only,
        on_rows=on_rows or (lambda _: None),
        overrides=said,
        store=None if store is None else open_score_store(store),
    )
    check_moment(bundle, as_of, allow_past=allow_past)
    if is_address(str(out)) or store_kind(str(out)) is not None:
        return run_into_database(request, out_table)
    for source in (*sources.all(), overrides if isinstance(overrides, str | Path) else None):
        refuse_to_replace(out, source)
    return run_into_file(request, resume_moment=resume_moment)


def _n_cores() -> int:
    """Cores that this process may use, where the system says so."""
    own = getattr(os, "sched_getaffinity", None)
    return len(own(0)) if own else os.cpu_count() or 1


def check_moment(bundle: ModelBundle, as_of: datetime | None, *, allow_past: bool = False) -> None:
    """Refuse a clock that is wrong: new leads come after those the model has learnt from.

    Parameters
    ----------
    bundle : ModelBundle
    as_of : datetime or None
    allow_past : bool, default=False

    Raises
    ------
    ConfigError
        `as_of` is earlier than what the model has learnt from, and the past is not allowed.
    """
    learnt = bundle.provenance.get("as_of_range")
    if as_of is None or as_of.tzinfo is None or not learnt or allow_past:
        return
    latest = datetime.fromisoformat(learnt[1])
    latest = latest if latest.tzinfo else latest.replace(tzinfo=UTC)
    if as_of < latest:
        msg = (
            f"as_of is {as_of.isoformat()}, but the model has learnt from leads up to {latest.isoformat()}: "
            f"is the clock wrong? Allow the past (allow_past) to score as of then"
        )
        raise ConfigError(msg)
