"""The gap between a random split and a forward one: right by hand, and a warning only where it matters."""

import numpy as np
import pytest
from scipy.special import expit, logit

from leadlift.exceptions import InputError
from leadlift.learning import metrics
from leadlift.lifecycle.forward_gap import compare_forward
from leadlift.terms import Severity


def scored(n=2000, seed=0, noise=0.0):
    """Labels drawn from true log-odds, which are told with some noise."""
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(-1.5, 1.2, n)
    y = (rng.random(n) < expit(log_odds)).astype(int)
    return y, log_odds + noise * rng.normal(size=n)


def test_skill_is_the_share_of_the_base_rates_loss_that_is_saved():
    y, log_odds = scored()
    gap = compare_forward(y, log_odds, y, expit(log_odds), is_paired=True)
    base = metrics.log_loss(y, np.full(len(y), y.mean())).estimate
    assert gap.random_skill == pytest.approx(1 - metrics.log_loss(y, expit(log_odds)).estimate / base)
    assert gap.forward_skill == pytest.approx(gap.random_skill)
    assert (gap.skill_lost, gap.standard_error) == pytest.approx((0, 0), abs=1e-9)
    assert gap.finding().severity is Severity.INFO


def test_a_score_that_knows_the_base_rate_only_has_no_skill():
    y, log_odds = scored()
    gap = compare_forward(y, log_odds, y, np.full(len(y), y.mean()), is_paired=True)
    assert gap.forward_skill == pytest.approx(0, abs=1e-12)
    assert gap.is_clear
    finding = gap.finding()
    assert (finding.code, finding.severity) == ("LL161", Severity.WARNING)
    assert "on the same 2,000 leads" in finding.message


def test_the_standard_error_of_a_paired_gap_is_that_of_many_repeats():
    lost, told = [], []
    for seed in range(300):
        y, log_odds = scored(400, seed)
        noisy = log_odds + np.random.default_rng(seed + 1000).normal(size=400)
        gap = compare_forward(y, log_odds, y, expit(noisy), is_paired=True)
        lost.append(gap.skill_lost)
        told.append(gap.standard_error)
    # The standard deviation of 300 repeats is itself known to 4 %; three of its errors are allowed.
    assert np.mean(told) == pytest.approx(np.std(lost), rel=0.15)


def test_the_standard_error_of_two_samples_is_that_of_many_repeats():
    lost, told = [], []
    for seed in range(300):
        gap = compare_forward(
            *scored(400, seed),
            *[v if i == 0 else expit(v) for i, v in enumerate(scored(300, seed + 1000))],
            is_paired=False,
        )
        lost.append(gap.skill_lost)
        told.append(gap.standard_error)
    assert np.mean(told) == pytest.approx(np.std(lost), rel=0.15)


def test_leads_of_another_base_rate_are_not_taken_for_a_worse_model():
    """The loss per lead rises with the base rate; the skill of the true probabilities hardly does."""
    y, log_odds = scored(20_000)
    rng = np.random.default_rng(5)
    later = rng.normal(-0.5, 1.2, 20_000)
    y_later = (rng.random(20_000) < expit(later)).astype(int)
    gap = compare_forward(y, log_odds, y_later, expit(later), is_paired=False)
    assert gap.forward_log_loss > 1.2 * gap.random_log_loss
    assert not gap.is_clear


def test_a_gap_that_is_clear_but_small_is_no_warning():
    y, log_odds = scored(50_000)
    gap = compare_forward(y, log_odds, y, expit(0.85 * log_odds), is_paired=True)
    assert gap.skill_lost > 3 * gap.standard_error
    assert gap.finding().severity is Severity.INFO


def test_one_outcome_only_is_refused():
    y, log_odds = scored(50)
    with pytest.raises(InputError, match="needs won and lost leads"):
        compare_forward(y, log_odds, np.zeros(50), expit(logit(0.2) + log_odds), is_paired=False)
