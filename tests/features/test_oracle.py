"""The features are those of a second implementation that loops over leads and events, in every cell."""

import math
from datetime import UTC

import numpy as np
import pyarrow as pa
import pytest

from behaviour import COLUMNS, WINDOWS_DAYS, make_behaviour
from feature_oracle import N_CHANNELS, N_TYPES, ActOracle, acts_by_lead
from lead_oracle import SourceOracle, StateOracle, text_features
from leadlift.data.events import events_from
from leadlift.data.history import history_from
from leadlift.features import activity
from leadlift.features.builder import FeatureBuilder

N_LEADS = 2_300
LEAST_OBSERVATIONS = 6_000
TEXT = "note"

# The specs say "a ratio of rates" and "a mean": several divisions, done in another order.
ROUNDED = {"velocity": 1e-12, "mean_gap_days": 1e-12, "_topic_": 1e-9}

# Each act's weight is rounded to a millionth, so that sums do not depend on the order of the terms.
DECAY_TOLERANCE_PER_ACT = 0.51e-6


@pytest.fixture(scope="module")
def behaviour():
    return make_behaviour(N_LEADS, seed=11)


@pytest.fixture(scope="module", params=["with ids and old values", "without"])
def compared(request, behaviour):
    """The built features and those of the oracle, with few enough names that some share ``other``."""
    events, history = behaviour.events, behaviour.history
    if request.param == "without":
        events, history = events.drop_columns("event_id"), history.drop_columns("old_value")
    events, history = events_from(events), history_from(history)
    as_of = behaviour.observations.as_of
    fitted = as_of <= np.quantile(as_of.astype(np.int64), 0.8).astype("datetime64[us]")
    builder = FeatureBuilder(text=(TEXT,), windows_days=WINDOWS_DAYS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(activity, "MAX_TYPES", N_TYPES)
        patch.setattr(activity, "MAX_CHANNELS", N_CHANNELS)
        built = builder.fit_transform(
            behaviour.observations,
            leads=behaviour.leads,
            columns=COLUMNS,
            events=events,
            history=history,
            fitted=fitted,
        )
    topics = next(group for group in builder.groups_ if group.name == "voice").to_dict()["topics"][TEXT]
    expected = oracle_rows(behaviour, events.table(), history.table(), fitted.tolist(), topics)
    return built, expected


def oracle_rows(behaviour, events, history, fitted, topics):
    """One dict of features an observation."""
    rows = behaviour.observations.rows.to_pylist()
    moments = [(row["lead_id"], row["as_of"].astimezone(UTC)) for row in rows]
    leads = {lead["lead_id"]: lead for lead in behaviour.leads.to_pylist()}
    columns = [spec for spec in COLUMNS if spec.name != TEXT]
    acts = acts_by_lead(events.to_pylist(), has_event_id=events["event_id"].null_count < len(events))
    of_acts = ActOracle(acts, moments, fitted, WINDOWS_DAYS)
    states = StateOracle(leads, history.to_pylist(), columns, moments, fitted)
    labelled = [row | leads[row["lead_id"]] for row, is_fitted in zip(rows, fitted, strict=True) if is_fitted]
    sources = {name: SourceOracle(labelled, name) for name in ("lead_source", "campaign")}
    return [
        {
            **of_acts.features(lead, as_of),
            **states.features(lead, as_of),
            **{f"{name}_lift": s.lift(leads[lead][name], as_of) for name, s in sources.items()},
            **text_features(leads[lead][TEXT], TEXT, topics),
        }
        for lead, as_of in moments
    ]


def test_there_are_enough_observations_and_every_feature_is_checked(compared):
    built, expected = compared
    assert len(built) == len(expected) >= LEAST_OBSERVATIONS
    assert sorted(built.column_names) == sorted(expected[0])


def test_every_cell_is_that_of_the_oracle(compared):
    built, expected = compared
    n_acts = built["n_all"].to_pylist()
    wrong = {}
    for name in built.column_names:
        cells, wanted = built[name].to_pylist(), [row[name] for row in expected]
        if cells != wanted:
            rows = enumerate(zip(cells, wanted, n_acts, strict=True))
            wrong[name] = [
                (i, cell, value) for i, (cell, value, n) in rows if not close(name, cell, value, n)
            ]
    assert {name: (len(rows), rows[:3]) for name, rows in wrong.items() if rows} == {}


def close(name, cell, expected, n_acts):
    """Equal, but for what is documented to be rounded."""
    if cell == expected or isinstance(cell, str | None) or expected is None:
        return cell == expected
    if name == "decayed_acts":
        return abs(cell - expected) <= n_acts * DECAY_TOLERANCE_PER_ACT
    tolerance = next((rel for part, rel in ROUNDED.items() if part in name), 0.0)
    return math.isclose(cell, expected, rel_tol=tolerance, abs_tol=tolerance)


def test_types_are_those_of_the_specs(compared):
    built, _ = compared
    assert {pa.int32(), pa.float64(), pa.string()} == set(built.schema.types)
