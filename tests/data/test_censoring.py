"""Weights of young leads: those of Kaplan and Meier, and right on average where leads are stable."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from leadlift.data.censoring import MAX_WEIGHT, estimate_follow_up, leave_out_young, weight_young
from leadlift.data.dates import MOMENT
from leadlift.data.observations import make_observations

START = datetime(2026, 1, 1, tzinfo=UTC)


def days(numbers):
    values = ["NaT" if number is None else number for number in numbers]
    return np.array(values, dtype="timedelta64[D]").astype("timedelta64[us]")


def weigh(rows, horizon):
    wait, follow_up = zip(*rows, strict=True)
    return weight_young(days(wait), days(follow_up), np.timedelta64(horizon, "D"))


SIX = [
    # wait, follow-up: weight with a horizon of 4 days
    (1, 1),  # closed as follow-up ended: seen, 1
    (None, 2),  # open, too young: 0; ends the follow-up of 1 of 5 -> G(2) = 4/5
    (3, 3),  # 1 / G(3-) = 5/4
    (2, 9),  # closed just when the second one's follow-up ends: before it, 1 / G(2-) = 1
    (None, 4),  # mature to the minute: 1 / G(4-)
    (7, 9),  # closed after the horizon: 1 / G(4-)
]


def test_six_rows_by_eye():
    known = weigh(SIX, horizon=4)
    # At day 2 the closed one has left: 4 rows are at risk, 1 ends. No follow-up ends at day 3.
    expected = [1, 0, Fraction(4, 3), 1, Fraction(4, 3), Fraction(4, 3)]
    assert known.is_known.tolist() == [True, False, True, True, True, True]
    assert known.weight == pytest.approx([float(weight) for weight in expected], abs=1e-12)
    assert known.n_truncated == 0


def test_the_probability_of_being_followed_falls_where_follow_up_ends():
    curve = estimate_follow_up(days([None, 1, None]), days([1, 5, 3]))
    # At day 1 a closing leaves first: 2 rows at risk, 1 ends; at day 3 the last one ends.
    assert curve.reaches(days([0, 1, 2, 3, 4])).tolist() == [1.0, 1.0, 0.5, 0.5, 0.0]


def test_left_out_rows_are_those_whose_horizon_is_not_over():
    known = leave_out_young(days([1, None, 2]), days([3, 4, 9]), np.timedelta64(4, "D"))
    assert known.is_known.tolist() == [False, True, True]
    assert known.weight.tolist() == [0.0, 1.0, 1.0]


def test_no_row_counts_for_more_than_the_limit():
    rows = [(None, number) for number in range(1, 101)]
    known = weigh(rows, horizon=99)
    assert known.weight.max() == MAX_WEIGHT
    assert known.n_truncated == 2
    assert np.isfinite(known.weight).all()


ROWS = st.lists(st.tuples(st.integers(1, 12) | st.none(), st.integers(0, 12)), min_size=1, max_size=20)


def weight_by_hand(rows, row, horizon):
    """1 / P(C >= min(T, h)), the product over ends of follow-up before it, in exact fractions."""
    wait, follow_up = row
    if follow_up < horizon and (wait is None or wait > follow_up):
        return Fraction(0)
    needed = horizon if wait is None else min(wait, horizon)
    share = Fraction(1)
    for length in sorted({c for t, c in rows if t is None or t > c}):
        if length < needed:
            at_risk = sum(c >= length and (t is None or t > length) for t, c in rows)
            ending = sum(c == length and (t is None or t > c) for t, c in rows)
            share *= 1 - Fraction(ending, at_risk)
    return 1 / share


@given(rows=ROWS, horizon=st.integers(1, 12))
def test_weights_are_those_of_the_formula_told_row_by_row(rows, horizon):
    expected = [float(weight_by_hand(rows, row, horizon)) for row in rows]
    # Sums and products of some twenty floats.
    assert weigh(rows, horizon).weight == pytest.approx(expected, rel=1e-12)


@given(rows=ROWS, horizon=st.integers(1, 12))
def test_weights_add_up_to_all_rows_where_one_is_open_and_mature(rows, horizon):
    assume(any(c >= horizon and (t is None or t > horizon) for t, c in rows))
    assert weigh(rows, horizon).weight.sum() == pytest.approx(len(rows), rel=1e-12)


def test_a_young_row_is_known_when_it_closed_and_a_lead_lost_without_date_when_it_is_mature():
    rows = [(0, 3, "won"), (0, None, "lost"), (15, 16, "lost"), (15, None, "lost"), (15, 22, "won")]
    created, closed, outcome = zip(*rows, strict=True)
    moments = [
        [None if d is None else START + timedelta(days=d) for d in dates] for dates in (created, closed)
    ]
    leads = pa.table(
        {
            "lead_id": ["won", "undated", "young lost", "young undated", "young won"],
            "created_at": pa.array(moments[0], MOMENT),
            "closed_at": pa.array(moments[1], MOMENT),
            "outcome": outcome,
        }
    )
    observations = make_observations(
        leads, horizon_days=10, known_until=START + timedelta(days=22), young="weight"
    )
    assert observations.lead_id.tolist() == ["won", "undated", "young lost", "young won"]
    assert observations.y.tolist() == [1, 0, 0, 1]
    known_days = (observations.label_known_at - np.datetime64("2026-01-01")) / np.timedelta64(1, "D")
    assert known_days.tolist() == [10, 10, 16, 22]
    assert observations.too_early["lead_id"].to_pylist() == ["young undated"]
    # One of the two rows that are open after 7 days ends its follow-up then.
    assert observations.weight == pytest.approx([1.0, 2.0, 1.0, 1.0])


def stable_leads(seed, n=4000, history_days=120):
    """Leads that come evenly and wait exponentially for the end; P(won within 60 days) is 0.4 (1 - e^-2)."""
    rng = np.random.default_rng(seed)
    created = np.datetime64(START.replace(tzinfo=None), "us") + (
        rng.random(n) * history_days * 86_400e6
    ).astype("timedelta64[us]")
    closed = created + (rng.exponential(30, n) * 86_400e6).astype("timedelta64[us]")
    outcome = np.where(rng.random(n) < 0.4, "won", "lost")
    known_until = START + timedelta(days=history_days)
    is_open = closed > np.datetime64(known_until.replace(tzinfo=None))
    leads = pa.table(
        {
            "lead_id": [str(number) for number in range(n)],
            "created_at": created,
            "closed_at": pa.array(closed, mask=is_open),
            "outcome": np.where(is_open, "open", outcome),
        }
    )
    return leads, known_until


@pytest.mark.parametrize("young", ["leave out", "weight"])
def test_the_base_rate_is_right_on_average_while_open_taken_for_lost_is_too_low(young):
    rates, naive = [], []
    for seed in range(20):
        leads, known_until = stable_leads(seed)
        observations = make_observations(leads, horizon_days=60, known_until=known_until, young=young)
        rates.append(np.average(observations.y, weights=observations.weight))
        naive.append(np.mean(np.array(leads["outcome"]) == "won"))
    truth = 0.4 * (1 - np.exp(-2))
    # Standard error of the mean of 20 rates from 2,000 rows or more: 0.0024.
    assert np.mean(rates) == pytest.approx(truth, abs=0.0075)
    assert np.mean(naive) < truth - 0.02
