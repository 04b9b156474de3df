"""What scorings decided by a moment, against a search by hand; and what outcomes then count for."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlift.data.contacts import contacts_from
from leadlift.exceptions import SchemaError
from leadlift.lifecycle.contact_decisions import decisions_by, outcome_weights
from leadlift.serving.exploring import is_drawn
from leadlift.serving.stages import EXPLORED, SCORE_DECIDED

START = datetime(2026, 1, 1, tzinfo=UTC)
MOMENT = pa.timestamp("us", tz="UTC")


def day(number):
    return START + timedelta(days=number)


def scored(*rows):
    """Rows (lead, day, "MQL" | "none" | "drawn"), at an explored share of 5 %."""
    stage = ["none" if kind == "drawn" else kind for _, _, kind in rows]
    return pa.table(
        {
            "lead_id": pa.array([lead for lead, _, _ in rows], pa.string()),
            "as_of": pa.array([day(number) for _, number, _ in rows], MOMENT),
            "stage": pa.array(stage, pa.string()),
            "stage_reason": [EXPLORED if kind == "drawn" else SCORE_DECIDED for *_, kind in rows],
            "model_stage": pa.array(stage, pa.string()),
            "contact_probability": [1.0 if kind == "MQL" else 0.05 for *_, kind in rows],
        }
    )


def contacts(**days):
    return contacts_from(pa.table({"lead_id": list(days), "contacted_at": [day(d) for d in days.values()]}))


def decided(table, lead, number):
    moment = np.array([day(number).replace(tzinfo=None)], dtype="datetime64[us]")
    found = decisions_by(table, pa.chunked_array([[lead]]), moment)
    return float(found.probability[0]), bool(found.is_chosen[0])


def by_hand(rows, lead, number):
    of_lead = [row for row in rows if row[0] == lead]
    before = [row for row in of_lead if row[1] <= number]
    if not before and of_lead:
        first = min(row[1] for row in of_lead)
        before = [row for row in of_lead if row[1] == first]
    chances = [1.0 if kind == "MQL" else 0.05 for *_, kind in before]
    return max(chances, default=np.nan), any(kind != "none" for *_, kind in before)


rows_of_leads = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 9), st.sampled_from(["MQL", "none", "drawn"])),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=60)
@given(rows_of_leads, st.sampled_from("abcd"), st.integers(0, 9), st.randoms())
def test_decisions_are_those_of_a_search_by_hand_in_any_order_of_rows(rows, lead, number, random):
    shuffled = random.sample(rows, len(rows))
    np.testing.assert_equal(decided(scored(*shuffled), lead, number), by_hand(rows, lead, number))


def test_a_lead_that_rises_later_was_not_chosen_when_it_was_below():
    table = scored(("a", 0, "none"), ("a", 10, "MQL"))
    assert decided(table, "a", 5) == (0.05, False)
    assert decided(table, "a", 10) == (1.0, True)


def test_a_lead_that_a_person_lifted_was_not_chosen():
    table = scored(("a", 0, "MQL"))
    table = table.set_column(4, "model_stage", pa.array(["none"]))
    assert decided(table, "a", 0) == (0.0, False)


def test_where_nothing_was_explored_leads_below_had_no_chance():
    table = scored(("a", 0, "MQL"), ("b", 0, "none"))
    table = table.set_column(5, "contact_probability", pa.nulls(2, pa.float64()))
    assert decided(table, "a", 0) == (1.0, True)
    assert decided(table, "b", 0) == (0.0, False)


def test_outcomes_count_where_the_chosen_were_contacted_in_time():
    table = scored(("a", 0, "MQL"), ("b", 0, "drawn"), ("c", 0, "none"), ("d", 0, "MQL"), ("e", 0, "MQL"))
    log = contacts(a=1, b=2, c=3, d=40)
    assert outcome_weights(table, log).weight.tolist() == [1, 20, 0, 1, 0]
    assert outcome_weights(table, log, horizon_days=30).weight.tolist() == [1, 20, 0, 0, 0]


def test_rows_that_were_not_scored_count_for_nothing():
    table = scored(("a", 0, "MQL")).set_column(2, "stage", pa.nulls(1, pa.string()))
    assert outcome_weights(table, contacts(a=1)).weight.tolist() == [0]


def test_weighted_outcomes_of_a_scored_batch_give_the_rate_of_all_leads():
    rng = np.random.default_rng(0)
    n, names = 60_000, [f"L{i}" for i in range(60_000)]
    above = rng.random(n) < 0.1
    won = rng.random(n) < np.where(above, 0.4, 0.03)
    drawn = is_drawn(pa.array(names), 0.05)
    kind = np.where(above, "MQL", np.where(drawn, "drawn", "none"))
    table = scored(*zip(names, [0] * n, kind, strict=True))
    log = contacts(**{name: 1 for name, worked in zip(names, above | drawn, strict=True) if worked})
    weight = outcome_weights(table, log).weight
    assert won[weight > 0].mean() > 0.25
    assert np.average(won, weights=weight) == pytest.approx(won.mean(), abs=0.008)


def test_a_scored_table_without_the_columns_is_refused_with_a_diff():
    with pytest.raises(SchemaError, match="contact_probability"):
        outcome_weights(scored(("a", 0, "MQL")).drop_columns(["contact_probability"]), contacts(a=1))
