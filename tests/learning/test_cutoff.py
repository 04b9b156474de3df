"""Cut-offs are what counting says, and those that cannot be honest are refused with the best that can."""

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from contracts.policy_contract import PolicyContract, leads, reordered, simulate
from leadlift.exceptions import ConfigError, NoCutoffError
from leadlift.learning import cutoff
from leadlift.learning.cutoff import (
    Capacity,
    FixedThreshold,
    PrecisionGuarantee,
    both_stages,
    get_policy,
)
from leadlift.learning.cutoff.evidence_needed import leads_needed
from leadlift.learning.cutoff.precision import _fallback
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
    confidence = 0.9
    impossible = (
        ({"target": 0.0}, r"target must lie in \(0, 1\), got 0"),
        ({"target": 0.3, "confidence": 0.5}, r"confidence must lie in \(0.5, 1\), got 0.5"),
        ({"target": 0.3, "n_rungs": 0}, "n_rungs must lie in"),
    )

    @pytest.fixture
    def policy(self):
        return PrecisionGuarantee(0.35)


def test_an_unknown_policy_is_refused():
    with pytest.raises(ConfigError, match="no cut-off policy is called 'luck'; there are fixed_threshold"):
        get_policy("luck")


def test_a_missing_parameter_is_refused():
    with pytest.raises(
        ConfigError, match="policy 'precision_guarantee' takes confidence, n_rungs, target; got nothing"
    ):
        get_policy("precision_guarantee")


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


def test_the_error_says_how_much_evidence_would_do():
    won = np.arange(100) % 5 < 2  # 40 of 100 are won, whatever their score
    with pytest.raises(NoCutoffError, match="would certify 38%") as caught:
        PrecisionGuarantee(0.38, n_rungs=1).choose(leads(np.linspace(0.1, 0.9, 100), won=won))
    needed = leads_needed(0.4, 0.38, 0.9)
    assert f"At best 40% of the 100 leads from a score of 0.1 on were won; {needed:,} such" in str(
        caught.value
    )
    assert f"about {needed:,} leads in all" in str(caught.value)


def refusal(evidence, target):
    """What the error says, or nothing where there is a cut-off."""
    try:
        PrecisionGuarantee(target).choose(evidence)
    except NoCutoffError as error:
        return str(error)
    return ""


def test_what_would_do_is_more_than_there_is():
    said = [refusal(simulate(600, seed=seed), target=0.6) for seed in range(30)]
    asked = [re.search(r"about ([\d,]+) leads in all", text) for text in said]
    n_asked = [int(found[1].replace(",", "")) for found in asked if found]
    assert len(n_asked) >= 5
    assert min(n_asked) > 600


def test_no_evidence_would_do_where_the_best_leads_are_won_too_rarely():
    with pytest.raises(NoCutoffError, match="no number of such leads certifies 90%") as caught:
        PrecisionGuarantee(0.9).choose(simulate(5000))
    assert 0.3 < caught.value.best.promised_precision < 0.9


@pytest.mark.parametrize(("precision", "target"), [(0.5, 0.3), (0.4, 0.3), (0.95, 0.8), (0.11, 0.1)])
def test_the_leads_needed_are_the_fewest_that_certify(precision, target):
    n = leads_needed(precision, target, 0.9)
    assert binom.sf(np.floor(precision * n + 1e-9) - 1, n, target) <= 0.1
    fewer = np.arange(1, n)
    assert (binom.sf(np.floor(precision * fewer + 1e-9) - 1, fewer, target) > 0.1).all()


def test_a_target_at_the_truth_is_out_of_reach():
    assert leads_needed(0.3, 0.3, 0.9) is leads_needed(0.2, 0.3, 0.9) is None
    assert leads_needed(0.3001, 0.3, 0.9) is None  # some 35 million leads


def test_a_certified_rung_hands_its_error_to_the_next_one_by_eye():
    p_values, allowed = [0.01, 0.05, 0.2, 0.04, 0.08], [0.02, 0.04, 0.0, 0.05, 0.0]
    assert _fallback(p_values, allowed).tolist() == [True, True, False, True, False]


def test_where_nothing_is_allowed_nothing_is_certified():
    assert _fallback([0.0, 0.0], [0.0, 0.1]).tolist() == [False, True]


def test_scores_far_too_high_still_find_a_cutoff():
    # The clearest rung of such scores lies where hardly anybody is won.
    evidence = simulate(5000)
    inflated = replace(evidence, score=1 / (1 + np.exp(-(evidence.log_odds + 2.5))))
    honest = PrecisionGuarantee(0.4).choose(evidence)
    assert PrecisionGuarantee(0.4).choose(inflated).share > 0.8 * honest.share


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


def test_every_name_of_the_package_is_found_and_no_other():
    for name in cutoff.__all__:
        assert getattr(cutoff, name) is not None, name
    with pytest.raises(AttributeError, match=r"'leadlift.learning.cutoff' has no attribute 'Guess'"):
        _ = cutoff.Guess
