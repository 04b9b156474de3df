"""predict(): a bundle and a file of new leads -> a scored table, one row out for every row in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from leadlift.data.new_leads import iter_batches, prepare_batch
from leadlift.exceptions import InputError
from leadlift.serving.batch import SCORED_SCHEMA, BatchScorer, PredictSummary
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.inputs import (
    bundle_events,
    bundle_history,
    ids_of,
    open_inputs,
)
from leadlift.serving.previous import NO_PREVIOUS, read_previous
from leadlift.serving.writing import open_output
from leadlift.terms import (
    LEAD_ID,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from leadlift.data.events import Events
    from leadlift.data.history import History


def score_table(
    bundle: ModelBundle,
    table: object,
    *,
    as_of: datetime | None = None,
    events: Events | None = None,
    history: History | None = None,
    previous: object | None = None,
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

    Returns
    -------
    pyarrow.Table
        Columns :data:`SCORED_SCHEMA`, one row for each row of `table`.

    Raises
    ------
    SchemaError
        An input column is missing; the message is a diff.
    ConfigError
        The bundle needs events, a change log or `as_of`, and none is given.
    """
    batch = prepare_batch(table, bundle.schema)
    before = NO_PREVIOUS if previous is None else read_previous(previous, as_of=as_of)
    with open_inputs(bundle, batch[LEAD_ID], as_of=as_of, events=events, history=history) as inputs:
        return BatchScorer(bundle, as_of, inputs, before).score(batch)


def predict(
    bundle: ModelBundle | str | Path,
    leads: str | Path,
    *,
    out: str | Path,
    events: str | Path | None = None,
    history: str | Path | None = None,
    previous: str | Path | None = None,
    as_of: datetime | None = None,
    queries: Queries | None = None,
    engine: str = "duckdb",
    batch_rows: int = 32_768,
    on_rows: Callable[[int], None] | None = None,
) -> PredictSummary:
    """Score new leads into a file; memory does not grow with the rows.

    Parameters
    ----------
    bundle : ModelBundle or path of one
    leads : path or address
        A CSV or Parquet file, a folder or glob of them, a DuckDB file or a database, with the columns of
        training in any order. Read twice where features are built: once for the ids.
    out : path
        ``.parquet`` or ``.csv``; appears only when complete, and replaces a file of that name.
    events, history : path or address, optional
        Needed by a bundle that was trained with events or a change log. Events of other leads are skipped.
    previous : path or address, optional
        Scored table of the scoring before: for rules by which a lead keeps its stage, and for `stage_since`.
        See :func:`leadlift.serving.previous.read_previous`.
    as_of : datetime with time zone, optional
        Moment of scoring, written into each row; what was known before it counts.
    queries : Queries, optional
        For DuckDB files and databases.
    engine : str, default="duckdb"
        Where features are built.
    batch_rows : int, default=32768
        Rows held in memory at a time; the output does not depend on it.
    on_rows : callable, optional
        Called with the number of rows done so far.

    Returns
    -------
    PredictSummary

    Raises
    ------
    InputError
        A file cannot be read to its end, or the output cannot be written or would replace a file read;
        nothing is left behind.
    SchemaError
        A column is missing.
    ConfigError
        The bundle needs events, a change log or `as_of`, and none is given.
    BundleError
        The bundle is damaged.
    """
    if not isinstance(bundle, ModelBundle):
        bundle = ModelBundle.load(bundle)
    for source in (leads, events, history, previous):
        _refuse_to_replace(out, source)
    before = NO_PREVIOUS if previous is None else read_previous(previous, as_of=as_of)
    asked = queries or Queries()
    read = partial(iter_batches, str(leads), query=asked.leads, batch_rows=batch_rows)
    lead_ids = pa.array([], pa.string())
    if bundle.builder is not None:
        lead_ids = ids_of(read(bundle.schema.model_copy(update={"features": ()})))
    opened = open_inputs(
        bundle,
        lead_ids,
        as_of=as_of,
        events=bundle_events(bundle, events, asked.events),
        history=bundle_history(bundle, history, asked.history),
        engine=engine,
    )
    batches = read(bundle.schema)
    with opened as inputs, open_output(out, SCORED_SCHEMA) as write:
        scorer = BatchScorer(bundle, as_of, inputs, before)
        for batch in batches:
            write(scorer.score(batch))
            if on_rows is not None:
                on_rows(scorer.summary.rows_in)
    return scorer.summary


@dataclass(frozen=True)
class Queries:
    """What is read of DuckDB files and databases: names of tables, or a SELECT each.

    Parameters
    ----------
    leads, events, history : str or None
    """

    leads: str | None = None
    events: str | None = None
    history: str | None = None


def _refuse_to_replace(out: str | Path, source: str | Path | None) -> None:
    is_file = source is not None and "://" not in str(source) and Path(source).exists()
    if is_file and Path(out).exists() and Path(out).samefile(source):
        msg = f"{out}: the output would replace a file that is read; name another file"
        raise InputError(msg)
