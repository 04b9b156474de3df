"""Ways to make the features of a log, each of them a function of the folder that `event_log` has written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import by_hand
from event_log import events_file, observations_file
from leadlift.config import DataConfig, EventsConfig
from leadlift.data.events import Events, open_events
from leadlift.features.builder import FeatureBuilder

BANDED, PLAIN, PACKED = "DuckDB, bands", "DuckDB, plain", "DuckDB, packed"
LEADLIFT, PANDAS, SPARK, STREAMED = "leadlift", "pandas", "leadlift on Spark", "leadlift, streamed"
ALL_GROUPS = "leadlift, all groups"

Contender = Callable[[Path, int], pa.Table]
"""From a folder and a number of moments a lead to the features, one row an observation."""


def with_leadlift(folder: Path, n_moments: int, engine: object = "duckdb") -> pa.Table:
    """The group `activity`: vocabularies learnt from the log, and features of all observations."""
    builder, given = _activity(folder, n_moments, engine)
    return builder.fit_transform(**given)


def streamed(folder: Path, n_moments: int) -> pa.Table:
    """The same, batch by batch into a Parquet file; returns a table of no columns and as many rows."""
    builder, given = _activity(folder, n_moments, "duckdb")
    batches = builder.fit_transform_batches(**given)
    path = folder / "features.parquet"
    _, first = next(batches)
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_table(first)
        for _, features in batches:
            writer.write_table(features)
    written = pq.read_metadata(path)
    path.unlink()
    names = [f"c{i}" for i in range(written.num_columns)]
    return pa.table({name: pa.nulls(written.num_rows) for name in names})


def on_spark(folder: Path, n_moments: int) -> pa.Table:
    """The group `activity` on a Spark of this machine."""
    from leadlift.engines.spark import SparkEngine

    return with_leadlift(folder, n_moments, SparkEngine(n_cores=2))


def all_groups(folder: Path, n_moments: int) -> pa.Table:
    """Every group, on simulated leads with events, texts and a change log; `n_moments` has no part in it."""
    from simulated_log import read_simulated

    simulated = read_simulated(folder)
    return FeatureBuilder().fit_transform(
        simulated.observations, leads=simulated.leads, events=simulated.events, history=simulated.history
    )


def _activity(folder: Path, n_moments: int, engine: object) -> tuple[FeatureBuilder, dict]:
    observations = pq.read_table(observations_file(folder, n_moments), columns=["lead_id", "as_of"])
    given = {
        "observations": observations,
        "leads": observations.select(["lead_id"]),
        "events": _events(folder),
    }
    return FeatureBuilder(groups=["activity"], engine=engine), given


def _events(folder: Path) -> Events:
    roles = EventsConfig(channel="channel", asset="asset")
    return open_events(str(events_file(folder)), roles=roles, data=DataConfig(leads="not read"))


def _duckdb(query: Callable[[], str]) -> Contender:
    return lambda folder, n_moments: by_hand.with_duckdb(
        query(), events_file(folder), observations_file(folder, n_moments)
    )


CONTENDERS: dict[str, Contender] = {
    LEADLIFT: with_leadlift,
    PLAIN: _duckdb(by_hand.plain_query),
    BANDED: _duckdb(by_hand.banded_query),
    PACKED: _duckdb(by_hand.packed_query),
    PANDAS: lambda folder, n: by_hand.with_pandas(events_file(folder), observations_file(folder, n)),
    SPARK: on_spark,
    STREAMED: streamed,
    ALL_GROUPS: all_groups,
}
