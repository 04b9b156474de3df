"""Scoring on Spark: the driver plans, each executor reads, scores and writes whole parts with Arrow.

The rows of the leads never pass through the Java side, whose rows cost more than the model: a task is told
which row groups of which Parquet file to score, and tells back what it counted. What it reads and writes lies
in folders that all machines see by one path.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from leadlift.data.addresses import source_name
from leadlift.data.new_leads import iter_batches
from leadlift.data.parquet_files import parquet_rows
from leadlift.engines.spark import SparkEngine, open_session, without_pandas_hint
from leadlift.exceptions import ConfigError, InputError, LeadliftError
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.bundle_place import followed
from leadlift.serving.inputs import bundle_events, bundle_history, ids_of, open_inputs
from leadlift.serving.lead_parts import LeadPart, parquet_parts, stage
from leadlift.serving.override_table import read_overrides
from leadlift.serving.overrides import overrides_at
from leadlift.serving.part_scoring import PartsJob, ScoredPart, part_name, read_bundle_files
from leadlift.serving.part_tasks import bucket_parts, find_repeated, score_parts
from leadlift.serving.predict import check_moment
from leadlift.serving.previous import NO_PREVIOUS, read_previous
from leadlift.serving.repeated_ids import RepeatedIds
from leadlift.serving.run_folder import open_run, run_name
from leadlift.serving.score_store import open_score_store
from leadlift.serving.scored_columns import CODED_SCHEMA
from leadlift.serving.scoring import Queries, watch_of
from leadlift.serving.summary import Counts, PredictSummary
from leadlift.serving.writing import open_output

if TYPE_CHECKING:
    from datetime import datetime

    from pyspark.sql import DataFrame, SparkSession

    from leadlift.config import LeadSchema
    from leadlift.serving.inputs import Inputs
    from leadlift.serving.score_store import StoredBatch

SUMMARY_FILE = "_summary.json"
"""In the folder of a job; a name that readers of Parquet folders skip."""

_STAGED = "staged.parquet"
# Of ids: a task has those of one or a few of them in memory.
_MOST_BUCKETS = 1_000


def spark_predict(
    bundle_folder: str | Path,
    leads: str | Path,
    out: str | Path,
    *,
    as_of: datetime,
    events: str | Path | None = None,
    history: str | Path | None = None,
    previous: str | Path | None = None,
    overrides: object | None = None,
    store: str | Path | None = None,
    queries: Queries | None = None,
    reasons: bool = True,
    allow_past: bool = False,
    session: SparkSession | None = None,
    n_cores: int | None = None,
) -> PredictSummary:
    """Score new leads on Spark into a folder of Parquet files, with the values of ``predict``.

    Parameters
    ----------
    bundle_folder : path
        Of a model bundle; only the driver needs to see it.
    leads : path or address
        As for :func:`leadlift.serving.predict.predict`. Parquet files are read by the executors, a whole
        number of row groups a task; what is no Parquet, and leads whose features are built of events or a
        change log, is read by the driver and kept beside the output until the job ends.
    out : path
        Folder, made if need be. The job writes ``<out>/<as_of>-<model version>/``, which appears whole and
        replaces the folder of an earlier run: ``part-000000.parquet``, … in the order of the leads, and
        ``_summary.json``. Driver and executors see `out` and Parquet files of leads by the same paths.
    as_of : datetime with time zone
        Moment of scoring; what was known before it counts.
    events, history, previous : path or address, optional
        As for :func:`leadlift.serving.predict.predict`; read by the driver.
    overrides, store : path or address, optional
        As for :func:`leadlift.serving.predict.predict`; the driver reads the overrides, and copies the scored
        leads into the store.
    queries : Queries, optional
        For DuckDB files and databases.
    reasons : bool, default=True
        Whether to say why; without, sub-scores and reasons are null.
    allow_past : bool, default=False
        Whether `as_of` may be earlier than what the model has learnt from.
    session : pyspark.sql.SparkSession, optional
        The Spark to score on; see :func:`leadlift.engines.spark.open_session`.
    n_cores : int, optional
        Cores of a Spark that is started here.

    Returns
    -------
    PredictSummary

    Raises
    ------
    InputError
        Leads cannot be read to their end, or the output cannot be written; an earlier output is left as it
        was.
    SchemaError
        A column is missing.
    ConfigError
        The bundle needs events or a change log and none is given, `as_of` has no time zone or is too early,
        or the executors have another leadlift.
    BundleError
        The bundle is damaged.
    MissingDependencyError
        PySpark or Java is missing.
    LeadliftError
        A task failed on Spark.

    Notes
    -----
    Of rows with one id the first is scored: the one with the smallest row number, files in the order of their
    paths.
    """
    bundle_folder = followed(Path(bundle_folder))
    bundle = ModelBundle.load(bundle_folder)
    check_moment(bundle, as_of, allow_past=allow_past)
    asked = queries or Queries()
    folder = Path(out).absolute() / run_name(_with_zone(as_of), bundle.version)
    before = NO_PREVIOUS if previous is None else read_previous(previous, as_of=as_of, query=asked.previous)
    said = None if overrides is None else read_overrides(overrides, query=asked.overrides)
    kept = None if store is None else open_score_store(store)
    spark = open_session(session, n_cores=n_cores)
    with open_run(folder) as place:
        opened = open_inputs(
            bundle,
            _all_ids(bundle, str(leads), asked.leads),
            as_of=as_of,
            events=bundle_events(bundle, events, asked.events),
            history=bundle_history(bundle, history, asked.history),
            engine=SparkEngine(spark, folder=place),
        )
        with opened as inputs:
            plan = _plan_columns if bundle.builder is None else _plan_features
            planned = plan(bundle, str(leads), asked.leads, inputs, place)
        job = PartsJob(
            bundle_files=read_bundle_files(bundle_folder),
            parts=planned.parts,
            out=str(place),
            as_of=as_of,
            previous=before,
            overrides=overrides_at(said, as_of),
            repeated=_repeated_ids(spark, planned.parts, bundle.schema),
            every_lead_is_known=planned.every_lead_is_known,
            reasons=reasons,
        )
        scored = _score(spark, job)
        summary = _summary(bundle, job, scored, planned.events)
        _finish(place, job, summary)
    if kept is not None:
        with kept.open_batch(as_of, bundle.version, source=source_name(str(leads))) as batch:
            _copy(folder, batch)
            batch.counts = scored.counts.drift
    return summary


@dataclass(frozen=True)
class _Plan:
    """Where the leads are, and what is known of them all.

    Parameters
    ----------
    parts : tuple of LeadPart
    every_lead_is_known : bool
        Whether a lead of which no input is recorded is scored too.
    events : dict of str to int
        How many events were read, were of other leads, and were copies.
    """

    parts: tuple[LeadPart, ...]
    every_lead_is_known: bool
    events: dict[str, int]


def _plan_columns(bundle: ModelBundle, leads: str, query: str | None, inputs: Inputs, place: Path) -> _Plan:
    """Find the parts of leads whose columns are the inputs, or make them where they are no Parquet files."""
    # Opened in any case: columns are checked with the errors of a job in one process.
    batches = iter_batches(leads, bundle.schema, query=query, encode_levels=True)
    parts = parquet_parts(leads, bundle.schema)
    if parts is None:
        parts = stage(((pa.table(batch), None) for batch in batches), place / _STAGED)
    return _Plan(parts, inputs.every_lead_is_known, {})


def _plan_features(bundle: ModelBundle, leads: str, query: str | None, inputs: Inputs, place: Path) -> _Plan:
    """Build the features, and make parts of them."""
    tables = map(pa.table, iter_batches(leads, bundle.schema, query=query))
    parts = stage(((table, inputs.of(table)) for table in tables), place / _STAGED)
    return _Plan(parts, inputs.every_lead_is_known, dict(inputs.events))


def _all_ids(bundle: ModelBundle, leads: str, query: str | None) -> pa.Array:
    """The ids that features are built for; none where they are not built."""
    if bundle.builder is None:
        return pa.array([], pa.string())
    return ids_of(iter_batches(leads, bundle.schema.model_copy(update={"features": ()}), query=query))


def _repeated_ids(spark: SparkSession, parts: tuple[LeadPart, ...], schema: LeadSchema) -> RepeatedIds:
    """Find the ids that stand in several rows, and the first row of each."""
    if schema.roles.lead_id is None or not parts:
        return RepeatedIds.joined([])
    n_buckets = min(len(parts), _MOST_BUCKETS)
    known = spark.sparkContext.broadcast((parts, schema, n_buckets))
    pairs = _mapped(
        spark, len(parts), lambda numbers: bucket_parts(known, numbers), "bucket int, pairs binary"
    )
    with without_pandas_hint():
        repeated = pairs.repartition(n_buckets, "bucket").mapInArrow(find_repeated, "hash long, row long")
    found = _collected(repeated)
    return RepeatedIds.joined(
        [RepeatedIds(found["hash"].to_numpy().view(np.uint64), found["row"].to_numpy())]
    )


def _score(spark: SparkSession, job: PartsJob) -> ScoredPart:
    """Score all parts, and add up what was counted."""
    sent = spark.sparkContext.broadcast(job)
    columns = "counts string, engine string, engine_note string, error string"
    scored = _mapped(spark, len(job.parts), lambda numbers: score_parts(sent, numbers), columns)
    told = _collected(scored).to_pydict()
    errors = [error for error in told["error"] if error is not None]
    if errors:
        raise InputError(errors[0])
    counts = Counts()
    for text in told["counts"]:
        counts.add(Counts.from_dict(json.loads(text)))
    engines, notes = (", ".join(sorted(set(told[name]) - {""})) for name in ("engine", "engine_note"))
    return ScoredPart(counts, engines, notes)


def _mapped(
    spark: SparkSession,
    n_parts: int,
    task: Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]],
    columns: str,
) -> DataFrame:
    """What a task makes of the numbers of the parts, of one part at a time."""
    with without_pandas_hint():
        return spark.range(0, n_parts, 1, n_parts).mapInArrow(task, columns)


def _collected(rows: DataFrame) -> pa.Table:
    """The rows; what Spark cannot do is told in one message."""
    from pyspark.errors import PySparkException

    try:
        return rows.toArrow()
    except PySparkException as error:
        reason = str(error).strip().rpartition("\n")[2]
        msg = (
            f"the job failed on Spark: {reason}. Executors need the same environment as the driver and the "
            f"same paths; see docs/spark.md"
        )
        raise LeadliftError(msg) from error


def _summary(
    bundle: ModelBundle, job: PartsJob, scored: ScoredPart, events: dict[str, int]
) -> PredictSummary:
    return PredictSummary.of(
        scored.counts,
        n_previous=len(job.previous),
        overrides=job.overrides,
        model_version=bundle.version,
        as_of=job.as_of.isoformat(),
        events=events,
        drift=tuple(flag.to_dict() for flag in watch_of(bundle).flags(scored.counts.drift)),
        engine=scored.engine,
        engine_note=scored.engine_note,
        rows_out=scored.counts.rows_in,
    )


def _finish(place: Path, job: PartsJob, summary: PredictSummary) -> None:
    """Make sure that every row is there, and leave only what is part of the result."""
    files = [place / part_name(number) for number in range(len(job.parts))]
    if not files:
        with open_output(place / part_name(0), CODED_SCHEMA):
            pass
    n_rows = sum(map(parquet_rows, files))
    expected = sum(part.n_rows for part in job.parts)
    if n_rows != expected:
        msg = (
            f"{expected:,} leads were to be scored and {n_rows:,} rows came out; leads must not be written "
            f"while they are scored"
        )
        raise InputError(msg)
    (place / _STAGED).unlink(missing_ok=True)
    (place / SUMMARY_FILE).write_text(json.dumps(summary.to_dict(), indent=1) + "\n", encoding="utf-8")


def _copy(folder: Path, batch: StoredBatch) -> None:
    """Write the scored parts into a batch of a store, a row group at a time."""
    for path in sorted(folder.glob("*.parquet")):
        with pyarrow.parquet.ParquetFile(path) as file:
            for number in range(file.num_row_groups):
                batch.write(file.read_row_group(number))


def _with_zone(as_of: datetime) -> datetime:
    if as_of.tzinfo is None:
        msg = f"as_of needs a time zone, got {as_of.isoformat()}; add one, e.g. +00:00"
        raise ConfigError(msg)
    return as_of
