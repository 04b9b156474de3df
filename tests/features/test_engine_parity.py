"""DuckDB and Spark make the same table: every cell, type and order, of leads as awkward as they come."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from leadlift.config import EventsConfig
from leadlift.data.events import events_from
from leadlift.data.history import history_from
from leadlift.data.observations import Observations
from leadlift.engines.duckdb import DuckDBEngine
from leadlift.engines.spark import SparkEngine
from leadlift.features import GROUPS, session
from leadlift.features.builder import FeatureBuilder
from leadlift.terms import Family, FeatureSpec, Kind

pytestmark = pytest.mark.slow

N_LEADS = 3_000
N_MOMENTS = 2
UTC = pa.timestamp("us", tz="UTC")
DAY = np.timedelta64(1, "D").astype("timedelta64[us]")

# Around the two changes of the clocks of 2026 in Europe, and around the beginning of Unix time.
EPOCHS = np.array(["2026-03-28T22:00", "2026-10-24T22:00", "1969-12-25T00:00"], dtype="datetime64[us]")

COLUMNS = (
    FeatureSpec("channel", Kind.CATEGORICAL, Family.SOURCE),
    FeatureSpec("employees", Kind.NUMERIC, Family.FIT),
    FeatureSpec("budget", Kind.CATEGORICAL, Family.FIT),
    FeatureSpec("message", Kind.CATEGORICAL, Family.OTHER),
)


def some(rng, values, n, share_missing=0.2):
    """Values drawn at random, some of them missing."""
    drawn = np.array(values, dtype=object)[rng.integers(0, len(values), n)]
    drawn[rng.random(n) < share_missing] = None
    return drawn.tolist()


def moments(rng, lead, epoch):
    """Moments of leads: whole hours of two days, so that acts tie, or microseconds of ten days."""
    n = len(lead)
    hours = rng.integers(0, 48, n) * 3_600_000_000
    finely = rng.integers(0, 10 * 86_400_000_000, n)
    return epoch[lead] + np.where(rng.random(n) < 0.5, hours, finely).astype("timedelta64[us]")


def make_events(rng, epoch):
    """Acts of two leads in three, and of strangers; one in ten is copied, half of the copies later."""
    n = N_LEADS * 8
    lead = rng.integers(0, N_LEADS * 2 // 3, n)
    table = pa.table(
        {
            "lead_id": [f"L{i}" for i in lead],
            "occurred_at": pa.array(moments(rng, lead, epoch), UTC),
            "event_type": some(
                rng, ["visit", "demo", "email open", "pricing page", "Größe", "call"], n, 0.05
            ),
            "channel": some(rng, ["web", "email", "phone", "社群"], n),
            "asset": some(rng, ["home", "price list", "white paper", "case 7"], n, 0.4),
            "value": pa.array(some(rng, [0.1, 0.2, -3.75, 0.0, 1e8, 19.99], n, 0.5), pa.float64()),
            "text": some(rng, ["What does it cost? When?", "", "thanks", "call me ?"], n, 0.7),
            "event_id": [f"e{i}" for i in range(n)],
        }
    )
    copied = rng.integers(0, n, n // 10)
    copies = table.take(pa.array(copied))
    delay = (rng.integers(0, 2, len(copied)) * DAY).astype("timedelta64[us]")
    later = pc.add(copies["occurred_at"], pa.array(delay))
    copies = copies.set_column(1, "occurred_at", later.cast(UTC))
    strangers = table.slice(0, 50).set_column(0, "lead_id", pa.array(["nobody"] * 50))
    table = pa.concat_tables([table, copies, strangers])
    return table.take(pa.array(rng.permutation(len(table))))


def make_history(rng, epoch):
    n = N_LEADS * 2
    lead = rng.integers(0, N_LEADS, n)
    return pa.table(
        {
            "lead_id": [f"L{i}" for i in lead],
            "changed_at": pa.array(moments(rng, lead, epoch), UTC),
            "field": some(rng, ["stage", "title", "timeline"], n, 0.0),
            "value": some(rng, ["new", "warm", "2 months", "unknown"], n),
        }
    )


def make_observations(rng, events, epoch):
    """Two moments a lead, in no order; every third is the very moment of an act of the lead."""
    lead = np.repeat(np.arange(N_LEADS), N_MOMENTS)
    as_of = moments(rng, lead, epoch)
    numbers = np.array([-1 if i == "nobody" else int(i[1:]) for i in events["lead_id"].to_pylist()])
    acted = np.zeros(N_LEADS, dtype=np.int64)
    acted[numbers[numbers >= 0]] = np.flatnonzero(numbers >= 0)
    at_act = (np.arange(len(lead)) % 3 == 0) & np.isin(lead, numbers)
    act_moments = events["occurred_at"].cast(pa.timestamp("us")).to_numpy()
    as_of[at_act] = act_moments[acted[lead[at_act]]]
    order = rng.permutation(len(lead))
    lead, as_of = lead[order], as_of[order]
    rows = pa.table(
        {
            "lead_id": [f"L{i}" for i in lead],
            "as_of": pa.array(as_of, UTC),
            "converted": pa.array(rng.random(len(lead)) < 0.3).cast(pa.int8()),
            "label_known_at": pa.array(as_of + 3 * DAY, UTC),
            "weight": np.ones(len(lead)),
        }
    )
    return Observations(rows, lead, horizon_days=3.0, known_until=None, time="dates")


def make_leads(rng):
    return pa.table(
        {
            "lead_id": [f"L{i}" for i in range(N_LEADS)],
            "channel": some(rng, ["web", "fair", "partner"], N_LEADS),
            "employees": pa.array(some(rng, [1, 10, 2_000_000], N_LEADS), pa.int64()),
            "budget": some(rng, ["yes", "no", "unknown"], N_LEADS),
            "message": some(rng, ["we need a quote", "price of ten seats?", "hello there"], N_LEADS, 0.5),
        }
    )


@pytest.fixture(scope="module")
def data():
    """What a builder is given, but the events."""
    rng = np.random.default_rng(17)
    epoch = EPOCHS[rng.integers(0, len(EPOCHS), N_LEADS)]
    events = make_events(rng, epoch)
    given = {"leads": make_leads(rng), "history": history_from(make_history(rng, epoch))}
    return make_observations(rng, events, epoch), given, events


def events_with(events, *, ids):
    return events_from(events, EventsConfig(event_id="event_id" if ids else None))


def built(engine, observations, given, events):
    builder = FeatureBuilder(text=("message",), engine=engine)
    return builder, builder.fit_transform(observations, columns=COLUMNS, events=events, **given)


@pytest.mark.parametrize("ids", [True, False], ids=["with event ids", "without event ids"])
def test_spark_in_slices_makes_the_table_that_duckdb_makes_at_once(spark, data, monkeypatch, ids):
    observations, given, table = data
    events = events_with(table, ids=ids)
    reference, expected = built(DuckDBEngine(), observations, given, events)

    monkeypatch.setattr(session, "SLICE_ACTS", 12_000)
    builder, found = built(SparkEngine(spark, n_partitions=3), observations, given, events)

    assert expected.num_rows == N_LEADS * N_MOMENTS
    assert {spec.group for spec in reference.specs_} == set(GROUPS)
    assert builder.specs_ == reference.specs_
    assert json.dumps(builder.to_dict()) == json.dumps(reference.to_dict())
    differing = [name for name in expected.column_names if not found[name].equals(expected[name])]
    assert differing == []
    assert found.equals(expected)


def test_a_builder_fitted_on_duckdb_transforms_on_spark(spark, data):
    observations, given, table = data
    events = events_with(table, ids=True)
    fitted, _ = built(DuckDBEngine(), observations, given, events)
    state = json.loads(json.dumps(fitted.to_dict()))
    later = observations.rows.slice(0, 500)
    leads = given["leads"].take(pa.array(observations.index[:500]))
    tables = [
        FeatureBuilder.from_dict(state, engine).transform(
            later, leads=leads, events=events, history=given["history"]
        )
        for engine in (DuckDBEngine(), SparkEngine(spark))
    ]
    assert tables[0].equals(tables[1])


def test_the_data_are_as_awkward_as_they_should_be(data):
    observations, given, table = data
    keyed = table.select(["lead_id", "occurred_at"])
    assert len(keyed.group_by(keyed.column_names).aggregate([])) < len(table) - len(table) // 20
    at_act = observations.rows.join(keyed, ["lead_id", "as_of"], ["lead_id", "occurred_at"], "left semi")
    assert at_act.num_rows > 1_000
    assert pc.sum(pc.less(table["occurred_at"].cast(pa.int64()), 0)).as_py() > 1_000
    assert table["channel"].null_count > 1_000
    silent = pc.invert(pc.is_in(given["leads"]["lead_id"], table["lead_id"].unique()))
    assert pc.sum(silent).as_py() >= N_LEADS // 3
