"""Cut-offs are what counting says, and those that cannot be honest are refused with the best that can."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.policy_contract import PolicyContract, reordered, simulate
from laws import law
from leadlift.exceptions import ConfigError, NoCutoffError
from leadlift.learning.cutoff import (
    Capacity,
    Evidence,
    FixedThreshold,
    PrecisionGuarantee,
    Value,
    both_stages,
    get_policy,
    passes,
)
from leadlift.learning.intervals import least_share
from oracles import binomial_tail, count_passing


class TestFixedThreshold(PolicyContract):
    name = "fixed_threshold"
    impossible = (({"threshold": 1.2}, r"threshold must lie in \[0, 1\], got 1.2"),)

    @pytest.fixture
    def policy(self):
        return FixedThreshold(0.3)


class TestPrecisionGuarantee(PolicyContract):
    name = "precision_guarantee"
    impossible = (
        ({"target": 0.0}, r"target must lie in \(0, 1\), got 0"),
        ({"target": 0.3, "confidence": 0.5}, r"confidence must lie in \(0.5, 1\), got 0.5"),
        ({"target": 0.3, "n_rungs": 0}, "n_rungs must lie in"),
    )

    @pytest.fixture
    def policy(self):
        return PrecisionGuarantee(0.35)


class TestCapacity(PolicyContract):
    name = "capacity"
    impossible = (({"per_week": 0}, "per_week > 0, got 0"), ({"per_week": np.inf}, "per_week > 0, got inf"))

    @pytest.fixture
    def policy(self):
        return Capacity(20)


class TestValue(PolicyContract):
    name = "value"
    impossible = (({"win_value": 10, "contact_cost": 20}, "0 <= contact_cost < win_value"),)

    @pytest.fixture
    def policy(self):
        return Value(win_value=100, contact_cost=25)


def leads(score, won=None, log_odds=None, days=None):
    """Evidence typed by hand."""
    score = np.array(score, dtype=float)
    won = np.zeros(len(score), bool) if won is None else np.array(won, dtype=bool)
    log_odds = score if log_odds is None else np.array(log_odds, dtype=float)
    as_of = None if days is None else np.datetime64("2026-01-01") + np.array(days).astype("timedelta64[D]")
    return Evidence(score, log_odds, won, as_of)


def test_an_unknown_policy_is_refused():
    with pytest.raises(ConfigError, match="no cut-off policy is called 'luck'; there are fixed_threshold"):
        get_policy("luck")


def test_a_missing_parameter_is_refused():
    with pytest.raises(ConfigError, match="policy 'value' takes contact_cost, win_value; got nothing"):
        get_policy("value")


def test_the_evidence_counts_its_weeks_first_and_last_day_included():
    assert leads([0.1, 0.2], days=[0, 13]).n_weeks == 2.0
    assert leads([0.1, 0.2]).n_weeks is None
    assert FixedThreshold(0.15).choose(leads([0.1, 0.2])).per_week is None


def test_evidence_that_holds_half_of_the_arrivals_speaks_of_twice_as_many_leads_a_week():
    evidence = leads([0.5, 0.4, 0.2, 0.1], days=[0, 2, 4, 6])
    half = replace(evidence, share_of_arrivals=0.5)
    assert FixedThreshold(0.3).choose(evidence).per_week.estimate == 2.0
    assert FixedThreshold(0.3).choose(half).per_week.estimate == 4.0
    assert Capacity(2).choose(half).share == Capacity(1).choose(evidence).share == 0.25


# Value


def test_value_contacts_whom_it_pays_to_contact():
    cutoff = Value(win_value=100, contact_cost=30).choose(leads([0.2, 0.3, 0.6], won=[0, 1, 0]))
    assert cutoff.threshold == 0.3
    assert "brought 40 in the evidence of 3 leads" in cutoff.promise  # one win of 100, two contacts of 30


# Capacity


def test_capacity_takes_the_best_by_eye():
    cutoff = Capacity(2).choose(leads([0.1, 0.5, 0.4, 0.2], days=[0, 2, 4, 6]))
    assert (cutoff.threshold, cutoff.tie_break, cutoff.per_week.estimate) == (0.4, None, 2.0)


def test_ties_at_the_edge_are_broken_by_the_log_odds_and_reported():
    evidence = leads([0.5, 0.4, 0.4, 0.4], log_odds=[2.0, 0.1, 0.3, 0.2], days=[0, 2, 4, 6])
    cutoff = Capacity(2).choose(evidence)
    assert (cutoff.threshold, cutoff.tie_break, cutoff.n_tied, cutoff.share) == (0.4, 0.3, 3, 0.5)
    passed = passes(evidence.score, 0.4, log_odds=evidence.log_odds, tie_break=0.3)
    assert passed.tolist() == [True, False, True, False]


def test_a_tie_that_fits_whole_is_not_broken():
    cutoff = Capacity(3).choose(leads([0.5, 0.4, 0.4, 0.1], log_odds=[3, 2, 1, 0], days=[0, 2, 4, 6]))
    assert (cutoff.tie_break, cutoff.share) == (None, 0.75)


@law
@given(st.lists(st.integers(1, 5), min_size=2, max_size=40), st.integers(1, 60))
def test_capacity_is_met_exactly_where_the_log_odds_differ(tenths, per_week):
    order = np.random.default_rng(0).permutation(len(tenths))
    evidence = leads(np.array(tenths) / 10, log_odds=order, days=np.linspace(0, 6, len(tenths)).astype(int))
    cutoff = Capacity(per_week).choose(evidence)
    n_passed, *_ = count_passing(evidence.score, evidence.won, cutoff.threshold, order, cutoff.tie_break)
    assert n_passed == min(per_week, len(tenths))


@pytest.mark.parametrize("n_days", [61, 115, 122])
def test_a_lead_a_day_is_not_lost_to_rounding(n_days):
    evidence = leads(np.linspace(0, 1, 200), days=np.minimum(np.arange(200), n_days - 1))
    assert Capacity(7).choose(evidence).share == n_days / 200


def test_no_room_for_a_single_lead_lets_nobody_pass():
    cutoff = Capacity(0.5).choose(leads([0.1, 1.0], days=[0, 6]))
    assert (cutoff.share, cutoff.precision.low, cutoff.precision.high) == (0.0, 0.0, 1.0)


def test_capacity_without_dates_is_refused_with_the_remedy():
    with pytest.raises(ConfigError, match=r"the leads have no dates\. Name a created_at column"):
        Capacity(10).choose(leads([0.1, 0.2]))


# Precision guarantee


def test_the_cutoff_certified_passes_the_exact_binomial_test():
    evidence = simulate()
    cutoff = PrecisionGuarantee(0.35, confidence=0.9).choose(evidence)
    n_passed, n_won, _ = count_passing(evidence.score, evidence.won, cutoff.threshold)
    assert binomial_tail(n_won, n_passed, 0.35) <= 0.1


def test_with_one_rung_everybody_passes_or_nobody_does():
    won = np.arange(100) < 40
    evidence = leads(np.linspace(0.1, 0.9, 100), won=won)
    assert binomial_tail(40, 100, 0.3) < 0.1 < binomial_tail(40, 100, 0.38)
    assert PrecisionGuarantee(0.3, n_rungs=1).choose(evidence).share == 1.0
    with pytest.raises(NoCutoffError, match="no cut-off can promise 38% won with 90% confidence on 100"):
        PrecisionGuarantee(0.38, n_rungs=1).choose(evidence)


def test_asking_more_never_lets_more_leads_pass():
    evidence = simulate(5000)
    by_target = [PrecisionGuarantee(t).choose(evidence).share for t in (0.2, 0.25, 0.3, 0.35, 0.4)]
    by_confidence = [PrecisionGuarantee(0.3, c).choose(evidence).share for c in (0.6, 0.8, 0.9, 0.99)]
    assert by_target == sorted(by_target, reverse=True)
    assert by_confidence == sorted(by_confidence, reverse=True)


def test_everybody_passes_where_all_are_won_and_nothing_is_promised_where_none_is():
    evidence = simulate()
    policy = PrecisionGuarantee(0.35)
    everybody = replace(evidence, won=np.ones(len(evidence.score), bool))
    assert policy.choose(everybody).share == 1.0
    with pytest.raises(NoCutoffError, match=r"\(0 won\): nothing can be promised") as caught:
        policy.choose(replace(evidence, won=np.zeros(len(evidence.score), bool)))
    assert caught.value.best is None


@pytest.mark.parametrize("seed", range(5))
def test_the_best_that_can_be_promised_is_itself_certified(seed):
    evidence = simulate(300, seed=seed)
    with pytest.raises(NoCutoffError, match="what can be promised: at least") as caught:
        PrecisionGuarantee(0.9).choose(evidence)
    best = caught.value.best
    n_passed, n_won, _ = count_passing(evidence.score, evidence.won, best.threshold)
    bound = least_share(n_won, n_passed, 0.9)
    assert f"at least {100 * np.floor(1000 * bound) / 1000:.6g}% of the qualified" in best.promise
    assert best.promise in str(caught.value)


def test_the_best_promise_never_exceeds_what_was_asked():
    # The few best leads are all won, but too few to certify; far more leads below them are won than the
    # scores say.
    score = np.r_[np.full(3, 0.9), np.full(300, 0.2)]
    evidence = leads(score, won=np.arange(303) < 160)
    with pytest.raises(NoCutoffError, match="what can be promised") as caught:
        PrecisionGuarantee(0.6).choose(reordered(evidence, np.arange(303)))
    promised = float(caught.value.best.promise.split("%")[0].split()[-1])
    assert promised <= 60


# Two stages


def test_the_sales_cutoff_stays_where_it_is_when_it_is_higher():
    mql, sql = FixedThreshold(0.2).choose(simulate()), FixedThreshold(0.5).choose(simulate())
    assert both_stages(mql, sql) == (mql, sql)


def test_a_lower_sales_cutoff_is_raised_and_says_so():
    mql, sql = FixedThreshold(0.5).choose(simulate()), FixedThreshold(0.2).choose(simulate())
    kept, raised = both_stages(mql, sql)
    assert kept == mql
    assert (raised.threshold, raised.precision) == (mql.threshold, mql.precision)
    assert raised.policy == "fixed threshold 0.2; raised from 0.2 to the MQL cut-off"


def test_whoever_qualifies_for_sales_qualifies_for_marketing_among_ties_too():
    evidence = leads([0.5, 0.4, 0.4, 0.4], log_odds=[2.0, 0.1, 0.3, 0.2], days=[0, 2, 4, 6])
    mql, sql = both_stages(Capacity(2).choose(evidence), FixedThreshold(0.4).choose(evidence))
    assert (sql.threshold, sql.tie_break) == (mql.threshold, mql.tie_break) == (0.4, 0.3)
