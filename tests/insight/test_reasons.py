"""Contributions become sentences that a sales person reads."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from laws import law
from leadlift.insight.reasons import number_texts, points_text, strongest_reasons
from leadlift.terms import FeatureSpec, Kind

VISITS = FeatureSpec("visits", Kind.NUMERIC, missing_means="never on the site")
SOURCE = FeatureSpec("source", Kind.CATEGORICAL)
SPECS = (VISITS, SOURCE)


def reasons(values, contributions, specs=SPECS, **keywords):
    """Reasons of each lead, the strongest first."""
    told = strongest_reasons(specs, pa.table(values), np.array(contributions, dtype=float), **keywords)
    return list(zip(*[rank.to_pylist() for rank in told], strict=True))


def test_three_leads_by_eye():
    told = reasons(
        {"visits": [9.0, None, 2.5], "source": ["fair", "web", None]},
        [[0.042, -0.013], [-0.2, 0.3], [0.01, -0.02]],
        typical_won={"visits": "5", "source": "web"},
    )
    assert told == [
        (
            "visits: 9 (typical won lead: 5), +4.2 points",
            "source: fair (typical won lead: web), -1.3 points",
            None,
        ),
        ("source: web, +30.0 points", "visits: never on the site, -20.0 points", None),
        ("source: not recorded, -2.0 points", "visits: 2.5 (typical won lead: 5), +1.0 points", None),
    ]


def test_short_times_are_told_as_people_would_and_one_act_is_no_plural():
    gap = FeatureSpec("last_gap_days", Kind.NUMERIC, unit="days", missing_means="fewer than two acts yet")
    acts = FeatureSpec("n_demo_7d", Kind.NUMERIC, unit="acts")
    told = reasons(
        {"last_gap_days": [0.000011, 12.0, None], "n_demo_7d": pa.array([1, 3, 2], pa.int32())},
        [[0.02, 0.01], [0.02, 0.01], [0.02, 0.01]],
        specs=(gap, acts),
        typical_won={"last_gap_days": "0.5", "n_demo_7d": "1"},
    )
    assert [reason[:2] for reason in told] == [
        (
            "last_gap_days: 1 second (typical won lead: 12 hours), +2.0 points",
            "n_demo_7d: 1 act, +1.0 points",
        ),
        (
            "last_gap_days: 12 days (typical won lead: 12 hours), +2.0 points",
            "n_demo_7d: 3 acts (typical won lead: 1 act), +1.0 points",
        ),
        (
            "last_gap_days: fewer than two acts yet, +2.0 points",
            "n_demo_7d: 2 acts (typical won lead: 1 act), +1.0 points",
        ),
    ]


def test_a_unit_stands_behind_the_number():
    spec = FeatureSpec("time on site", Kind.NUMERIC, unit="minutes")
    assert reasons({"time on site": [3.0]}, [[0.1]], [spec])[0][0] == "time on site: 3 minutes, +10.0 points"


def test_a_contribution_that_rounds_to_no_points_is_no_reason():
    told = reasons({"visits": [1.0, 1.0], "source": ["a", "a"]}, [[0.0004, -0.0006], [0.0, 0.0]])
    assert told == [("source: a, -0.1 points", None, None), (None, None, None)]


def test_ties_go_to_the_column_that_stands_first():
    told = reasons({"visits": [1.0] * 2, "source": ["a"] * 2}, [[0.1, -0.1], [-0.1, 0.1]])
    assert [row[0].split(":")[0] for row in told] == ["visits", "visits"]


def test_there_may_be_fewer_columns_than_reasons_or_no_leads():
    assert reasons({"visits": [1.0]}, [[0.1]], [VISITS]) == [("visits: 1, +10.0 points", None, None)]
    empty = {"visits": pa.array([], pa.float64()), "source": pa.array([], pa.string())}
    assert reasons(empty, np.zeros((0, 2))) == []


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (9.0, "9"),
        (1_250_000.0, "1250000"),
        (0.1 + 0.2, "0.3"),
        (7.63412, "7.634"),
        (0.00041, "0.00041"),
        (-0.0, "0"),
        (-0.0004, "-0.0004"),
        (123_456_789.123, "123456789.123"),
        (1e-300, "0"),
        (1e300, "1e+300"),
        (None, None),
    ],
)
def test_numbers_are_readable(number, text):
    assert number_texts(pa.array([number], pa.float64())).to_pylist() == [text]


def test_a_long_text_is_cut():
    told = reasons({"source": ["x" * 500]}, [[0.1]], [SOURCE])
    assert told[0][0] == f"source: {'x' * 60}, +10.0 points"


def test_points_carry_their_sign():
    assert points_text(np.array([4.24, -0.26, 0.0])).to_pylist() == [
        "+4.2 points",
        "-0.3 points",
        "+0.0 points",
    ]


@law
@given(
    contributions=arrays(float, (6, 3), elements=st.floats(-0.5, 0.5, width=32)),
    order=st.permutations(range(6)),
)
def test_reasons_stand_by_strength_and_do_not_depend_on_the_other_rows(contributions, order):
    specs = [FeatureSpec(name, Kind.NUMERIC) for name in "abc"]
    values = {name: np.arange(6.0) for name in "abc"}
    told = reasons(values, contributions, specs)
    moved = reasons({k: v[list(order)] for k, v in values.items()}, contributions[list(order)], specs)
    assert moved == [told[i] for i in order]
    for row in told:
        strengths = [abs(float(reason.split()[-2])) for reason in row if reason is not None]
        assert strengths == sorted(strengths, reverse=True)
        assert all(reason is not None for reason in row[: len(strengths)])


def test_each_reason_is_of_the_column_that_numpy_ranks_there():
    rng = np.random.default_rng(0)
    contributions = rng.normal(size=(40, 5)) / 10
    names = list("abcde")
    told = reasons(
        dict.fromkeys(names, np.ones(40)), contributions, [FeatureSpec(name, Kind.NUMERIC) for name in names]
    )
    for row, phi in zip(told, contributions, strict=True):
        expected = [names[j] for j in sorted(range(5), key=lambda j: -abs(phi[j]))[:3]]
        assert [reason.split(":")[0] for reason in row] == expected
