"""Cut-offs by value: one lead is worth as much as another, or each has a worth of its own."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from contracts.policy_contract import PolicyContract, leads, simulate
from laws import law
from leadlift.exceptions import ConfigError
from leadlift.learning.cutoff import Value, passes, thresholds, value_frontier
from leadlift.terms import Cutoff


class TestValue(PolicyContract):
    name = "value"
    impossible = (
        ({"win_value": 10, "contact_cost": 20}, "0 <= contact_cost < win_value"),
        ({"win_value": 10, "contact_cost": -1}, "0 <= contact_cost < win_value, got contact_cost=-1"),
        ({"win_value": -10, "contact_cost": -20}, "0 <= contact_cost < win_value"),
        ({"win_value": 10, "contact_cost": 1, "win_values": {"a": 5}}, "name it as win_value_column"),
        (
            {"win_value": 10, "contact_cost": 1, "win_value_column": "size", "win_values": {"a": 5, "b": -2}},
            "finite amounts > 0, which those of 'b' are not",
        ),
    )

    @pytest.fixture
    def policy(self):
        return Value(win_value=100, contact_cost=25)


SIZES = pa.table({"size": ["large", "small", "tiny", None], "amount": [300.0, 60.0, 0.0, None]})


def test_value_contacts_whom_it_pays_to_contact():
    cutoff = Value(win_value=100, contact_cost=30).choose(leads([0.2, 0.3, 0.6], won=[0, 1, 0]))
    assert cutoff.threshold == 0.3
    # One win of 100, two contacts of 30.
    assert "the 2 that did brought 40, on the evidence of 3 leads (1 won)" in cutoff.promise


def test_each_segment_has_a_threshold_of_its_own_by_eye():
    evidence = leads([0.2, 0.6, 0.9, 0.4], won=[1, 0, 0, 1], inputs=SIZES)
    values = {"large": 300, "small": 60, "tiny": 20}
    cutoff = Value(100, 30, win_value_column="size", win_values=values).choose(evidence)
    assert thresholds(cutoff, SIZES).tolist() == [0.1, 0.5, 1.5, 0.3]
    assert (cutoff.threshold, cutoff.share, cutoff.recall.estimate) == (0.3, 0.75, 1.0)
    # Wins of 300 and, where the size is not known, 100; three contacts of 30.
    assert "the 3 that did brought 310" in cutoff.promise
    assert cutoff.policy == "value (win 100 by size, contact 30)"


def test_the_column_may_hold_the_value_itself():
    cutoff = Value(100, 30, win_value_column="amount").choose(leads([0.2, 0.6, 0.9, 0.4], inputs=SIZES))
    assert thresholds(cutoff, SIZES).tolist() == [0.1, 0.5, np.inf, 0.3]


def test_categories_of_a_dictionary_and_large_strings_are_read_alike():
    worth = Value(100, 30, win_value_column="size", win_values={"large": 300})
    cutoff = worth.choose(leads([0.2, 0.6, 0.9, 0.4], inputs=SIZES))
    for kind in (pa.dictionary(pa.int32(), pa.string()), pa.large_string()):
        table = pa.table({"size": SIZES["size"].cast(kind)})
        assert thresholds(cutoff, table).tolist() == [0.1, 0.3, 0.3, 0.3]


def test_a_missing_column_is_named_with_those_there_are():
    with pytest.raises(ConfigError, match="column 'segment', but the model's inputs are 'size', 'amount'"):
        Value(100, 30, win_value_column="segment").choose(leads([0.2] * 4, inputs=SIZES))
    with pytest.raises(ConfigError, match="column 'segment', but the leads came without named columns"):
        Value(100, 30, win_value_column="segment").choose(leads([0.2] * 4))


def test_text_without_values_by_level_is_refused():
    with pytest.raises(ConfigError, match="'size' holds string, not numbers; give win_values"):
        Value(100, 30, win_value_column="size").choose(leads([0.2] * 4, inputs=SIZES))


def test_the_worth_of_a_lead_survives_the_bundle():
    worth = Value(100, 30, win_value_column="size", win_values={"large": 300})
    cutoff = worth.choose(leads([0.2, 0.6, 0.9, 0.4], won=[1, 0, 1, 0], days=[0, 1, 2, 3], inputs=SIZES))
    kept = TypeAdapter(Cutoff)
    assert kept.validate_json(kept.dump_json(cutoff)) == cutoff


def test_a_cutoff_of_an_older_bundle_still_loads():
    kept = TypeAdapter(Cutoff).dump_python(Value(100, 30).choose(simulate()))
    for new in ("promised_precision", "promised_recall", "wins_per_week", "binding", "per_lead"):
        del kept[new]
    assert TypeAdapter(Cutoff).validate_python(kept).per_lead is None


def test_no_other_threshold_earns_more_in_expectation():
    rng = np.random.default_rng(0)
    value = rng.lognormal(5, 1, 20_000)
    score = rng.beta(1, 6, 20_000)
    table = pa.table({"amount": value})
    cutoff = Value(100, 30, win_value_column="amount").choose(leads(score, inputs=table))
    expected = score * value - 30
    best = expected[passes(score, thresholds(cutoff, table))].sum()
    assert best == pytest.approx(expected[expected > 0].sum())
    assert all(best > expected[score >= one].sum() for one in np.linspace(0, 1, 101))


# Frontier


def test_the_frontier_is_what_counting_finds():
    evidence = simulate(500)
    for row in value_frontier(evidence, 100, 30, n_rungs=20).to_pylist():
        passed = evidence.score >= row["threshold"]
        assert (row["leads"], row["wins"]) == (passed.sum(), evidence.won[passed].sum())
        assert row["profit"] == pytest.approx(100 * row["wins"] - 30 * row["leads"])
        assert row["profit_low"] <= row["profit"] <= row["profit_high"]


def test_the_best_row_of_the_frontier_keeps_its_interval():
    # Whoever looks for the largest profit finds an optimistic one; its interval has to bear that.
    misses = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        score = np.sort(rng.random(300))
        frontier = value_frontier(leads(score, won=rng.random(300) < 0.3), 100, 30).to_pydict()
        best = int(np.argmax(frontier["profit"]))
        truth = (100 * 0.3 - 30) * frontier["leads"][best]
        misses += not frontier["profit_low"][best] <= truth <= frontier["profit_high"][best]
    assert misses / 200 <= 0.05


@law
@given(st.floats(0.1, 0.9), st.floats(1, 1000))
def test_doubling_both_amounts_doubles_the_profit(share, win_value):
    evidence = simulate(200)
    once = value_frontier(evidence, win_value, share * win_value, n_rungs=5)
    twice = value_frontier(evidence, 2 * win_value, 2 * share * win_value, n_rungs=5)
    assert np.allclose(2 * once["profit"].to_numpy(), twice["profit"].to_numpy())


def test_impossible_amounts_of_a_frontier_are_refused():
    with pytest.raises(ConfigError, match="0 <= contact_cost < win_value"):
        value_frontier(simulate(), 10, -1)
