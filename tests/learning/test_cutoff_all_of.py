"""Several policies agree on one cut-off, say which one draws the line, and are refused where they cannot."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from contracts.policy_contract import PolicyContract, leads, simulate
from leadlift.config import parse_config
from leadlift.exceptions import ConfigError, NoCutoffError
from leadlift.learning.cutoff import (
    AllOf,
    Capacity,
    PrecisionGuarantee,
    RecallGuarantee,
    TopShare,
    Value,
    get_policy,
)
from oracles import binomial_tail, count_passing


class TestAllOf(PolicyContract):
    name = "all_of"
    confidence = 0.9
    impossible = (
        ({"policies": []}, "at least two policies, each of another kind; got none"),
        ({"policies": [TopShare(0.2)]}, "at least two policies, each of another kind; got 'TopShare'"),
        ({"policies": [TopShare(0.2), TopShare(0.1)]}, "each of another kind; got 'TopShare', 'TopShare'"),
        ({"policies": [TopShare(0.2), AllOf([])]}, "simple policies, got AllOf; list its own"),
        ({"policies": [TopShare(0.2), 0.3]}, "simple policies, got float"),
        ({"policies": [TopShare(0.2), Capacity(0)]}, "per_week > 0, got 0"),
        ({"policies": [{"per_week": 3}]}, r"policies\[0\] names no policy"),
        ({"policies": [{"policy": "luck"}]}, r"policies\[0\]: no cut-off policy is called 'luck'"),
        ({"policies": [{"policy": "capacity", "per_day": 3}]}, r"policies\[0\]: policy 'capacity' takes"),
    )

    @pytest.fixture
    def policy(self):
        return AllOf([PrecisionGuarantee(0.35), Capacity(20)])


class TestAllOfBothGuarantees(PolicyContract):
    name = "all_of"
    confidence = 0.9

    @pytest.fixture
    def policy(self):
        return AllOf([PrecisionGuarantee(0.25), RecallGuarantee(0.5), TopShare(0.6)])


def test_the_highest_threshold_draws_the_line():
    evidence = simulate()
    share, capacity = TopShare(0.2), Capacity(20)  # 10 % of 200 leads a week
    both = AllOf([share, capacity]).choose(evidence)
    assert both.threshold == max(share.choose(evidence).threshold, capacity.choose(evidence).threshold)
    assert (both.binding, both.share) == ("capacity 20 a week", 0.1)
    assert both.promise.endswith("; nothing is guaranteed")


def test_a_capacity_with_room_for_everybody_changes_nothing():
    evidence = simulate()
    alone = PrecisionGuarantee(0.35).choose(evidence)
    both = AllOf([PrecisionGuarantee(0.35), Capacity(10_000)]).choose(evidence)
    assert (both.threshold, both.promised_precision) == (alone.threshold, 0.35)
    assert both.binding == "precision guarantee 0.35 at 0.9"


def test_precision_is_certified_at_the_capacity_that_binds():
    evidence = simulate()
    cutoff = AllOf([PrecisionGuarantee(0.35), Capacity(20)]).choose(evidence)
    n_passed, n_won, _ = count_passing(
        evidence.score, evidence.won, cutoff.threshold, evidence.log_odds, cutoff.tie_break
    )
    assert (cutoff.binding, n_passed) == ("capacity 20 a week", 200)
    assert binomial_tail(n_won, n_passed, 0.35) <= 0.1


def test_precision_certified_lower_down_is_not_taken_for_precision_at_the_capacity():
    # The best scores are bots: hardly any is won, though half of the leads below them are.
    score = np.r_[np.linspace(0.9, 0.99, 50), np.linspace(0.5, 0.8, 950)]
    evidence = leads(score, won=np.r_[np.zeros(50), np.arange(950) % 2], days=np.arange(1000) % 70)
    assert PrecisionGuarantee(0.4).choose(evidence).share == 1.0
    with pytest.raises(
        NoCutoffError, match=r"capacity 5 a week admits scores from 0.9 on; precision .* fails"
    ):
        AllOf([PrecisionGuarantee(0.4), Capacity(5)]).choose(evidence)


def test_one_edge_of_tied_scores_is_one_cutoff():
    evidence = simulate(decimals=1)
    capacity = Capacity(20).choose(evidence)
    both = AllOf([PrecisionGuarantee(0.3), Capacity(20)]).choose(evidence)
    assert capacity.tie_break is not None
    assert (both.threshold, both.tie_break) == (capacity.threshold, capacity.tie_break)


def test_both_guarantees_hold_together_with_what_their_confidences_leave():
    cutoff = AllOf([PrecisionGuarantee(0.25, 0.95), RecallGuarantee(0.5, 0.9)]).choose(simulate())
    assert (cutoff.promised_precision, cutoff.promised_recall) == (0.25, 0.5)
    assert cutoff.confidence == pytest.approx(0.85)
    assert "all of this together with at least 85% confidence" in cutoff.promise


def test_a_recall_that_the_capacity_cannot_bear_is_a_contradiction():
    with pytest.raises(
        NoCutoffError, match=r"capacity 10 a week admits scores from .*; recall .* fails"
    ) as caught:
        AllOf([RecallGuarantee(0.9), Capacity(10)]).choose(simulate())
    best = caught.value.best
    assert 0 < best.promised_recall < 0.3
    assert best.promise in str(caught.value)
    assert best.share == 0.05  # 10 of 200 leads a week
    assert "Let more leads qualify, or lower the target" in str(caught.value)


def test_guarantees_that_exclude_each_other_are_told_apart():
    with pytest.raises(NoCutoffError, match="the policies contradict each other") as caught:
        AllOf([PrecisionGuarantee(0.4), RecallGuarantee(0.95)]).choose(simulate())
    message, best = str(caught.value), caught.value.best
    assert "precision guarantee 0.4 at 0.9 from 0." in message
    assert "Without recall guarantee 0.95 at 0.9: at least 40% of the qualified are won" in message
    assert best.threshold == PrecisionGuarantee(0.4).choose(simulate()).threshold
    assert (best.promised_precision, best.promised_recall) == (0.4, None)


def test_a_capacity_that_lets_nobody_pass_certifies_nothing():
    with pytest.raises(NoCutoffError, match="nothing can be promised") as caught:
        AllOf([PrecisionGuarantee(0.3), Capacity(0.001)]).choose(simulate())
    assert caught.value.best is None


def test_a_value_that_differs_by_lead_is_refused():
    evidence = leads([0.2, 0.8], inputs=pa.table({"amount": [100.0, 200.0]}))
    with pytest.raises(ConfigError, match="AllOf sets one threshold for all leads"):
        AllOf([Value(100, 30, win_value_column="amount"), TopShare(0.5)]).choose(evidence)


CONFIG = """
[data]
leads = "leads.csv"
[schema]
outcome = "won"
won = ["yes"]
[cutoff.mql]
policy = "all_of"
[[cutoff.mql.policies]]
policy = "precision_guarantee"
target = 0.3
[[cutoff.mql.policies]]
policy = "capacity"
per_seller = 5
n_sellers = 4
[cutoff.sql]
policy = "value"
win_value = 900
contact_cost = 90
win_value_column = "size"
win_values = {large = 5000}
"""


def test_the_toml_of_nested_policies_is_read():
    cutoff = parse_config(CONFIG, folder=Path("crm")).cutoff
    mql = get_policy(cutoff.mql.policy, **cutoff.mql.parameters)
    sql = get_policy(cutoff.sql.policy, **cutoff.sql.parameters)
    assert repr(mql.policies) == "[PrecisionGuarantee(target=0.3), Capacity(n_sellers=4, per_seller=5)]"
    assert repr(sql) == repr(Value(900, 90, "size", {"large": 5000}))
