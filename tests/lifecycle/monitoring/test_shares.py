"""Shares with weights: exact where weights are 1, and right on average where they are not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import binom

from leadlift.learning.intervals import clopper_pearson
from leadlift.learning.prior_shift import shift_from_labels
from leadlift.learning.propensity import effective_size
from leadlift.lifecycle.monitoring.recalibrating import cox_fit
from leadlift.lifecycle.monitoring.shares import (
    Share,
    enough_leads,
    moved,
    odds_ratio,
    size_by_variance,
)

COUNTS = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(COUNTS, st.floats(0.01, 0.99))
def test_with_weights_of_one_tails_and_interval_are_exact(counts, expected):
    k, n = counts
    share = Share.of(np.arange(n) < k, np.ones(n))
    assert share.p_fewer(expected) == pytest.approx(binom.cdf(k, n, expected), abs=1e-9)
    assert share.p_more(expected) == pytest.approx(binom.sf(k - 1, n, expected), abs=1e-9)
    exact, interval = clopper_pearson(k, n), share.interval()
    assert (interval.low, interval.high) == pytest.approx((exact.low, exact.high))


@given(st.lists(st.tuples(st.booleans(), st.floats(0.1, 10)), min_size=1, max_size=50), st.floats(0.1, 10))
def test_only_the_ratios_of_weights_matter(leads, factor):
    won, weight = map(np.array, zip(*leads, strict=True))
    share, scaled = Share.of(won, weight), Share.of(won, factor * weight)
    assert (share.won, share.n) == pytest.approx((scaled.won, scaled.n))
    assert share.estimate == pytest.approx(np.average(won, weights=weight))


def test_a_million_leads_say_no_more_than_the_evidence_of_the_scores_allows():
    share = Share(103_000, 1_000_000, 1_000_000)
    assert share.p_other(0.1) < 1e-6
    assert share.beside(4000).p_other(0.1) > 0.05
    assert share.beside(4000).n < 4000


def test_leads_of_one_chance_vary_as_they_are_many_and_of_differing_chances_less():
    assert size_by_variance(np.full(50, 0.2), np.ones(50)) == pytest.approx(50)
    rng = np.random.default_rng(0)
    p = rng.beta(1, 9, 400)
    drawn = (rng.random((20_000, 400)) < p).mean(axis=1)
    n = size_by_variance(p, np.ones(400))
    assert n > 400
    assert drawn.var() == pytest.approx(p.mean() * (1 - p.mean()) / n, rel=0.05)


def test_inverse_probability_weights_give_back_the_whole():
    """Of leads below a line one in ten is worked; the interval covers the share of all."""
    covered = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        score = rng.beta(1, 6, 3000)
        chance = np.where(score > 0.2, 1.0, 0.1)
        worked = rng.random(3000) < chance
        won = rng.random(3000) < score
        share = Share.of(won[worked], 1 / chance[worked])
        covered.append(share.interval().low <= 1 / 7 <= share.interval().high)
        assert share.n < worked.sum()
    assert np.mean(covered) >= 0.92


def test_enough_leads_refute_half_of_what_was_promised_four_times_of_five():
    for promised, level in ((0.3, 0.002), (0.1, 0.002), (0.5, 0.01)):
        n = enough_leads(promised, level)
        critical = binom.ppf(level, n, promised) - 1
        assert 0.7 < binom.cdf(critical, n, promised / 2) < 0.92


def test_odds_are_moved_back_and_forth():
    assert odds_ratio(moved(0.1, 1.25), 0.1) == pytest.approx(1.25)
    assert odds_ratio(0.0, 0.1) == 0
    assert odds_ratio(1.0, 0.5) == np.inf


def drawn(n, seed, intercept=0.0, slope=1.0):
    rng = np.random.default_rng(seed)
    z = rng.normal(-2, 1, n)
    return expit(z), rng.random(n) < expit(intercept + slope * z)


def test_the_intercept_is_the_shift_of_the_base_rate():
    score, won = drawn(3000, 1, intercept=0.4)
    shift = shift_from_labels(score, won).log_odds
    found = cox_fit(score, won).intercept
    assert found.estimate == pytest.approx(shift.estimate, abs=1e-6)
    assert (found.low, found.high) == pytest.approx((shift.low, shift.high), abs=0.02)


def test_the_slope_is_found_and_its_test_holds_its_level():
    assert cox_fit(*drawn(20_000, 2, slope=0.6)).slope.estimate == pytest.approx(0.6, abs=0.05)
    rejected = [cox_fit(*drawn(600, seed)).slope_p_value <= 0.1 for seed in range(400)]
    assert 0.06 < np.mean(rejected) < 0.145


def test_the_interval_of_the_slope_covers():
    fits = [cox_fit(*drawn(600, seed, slope=0.8)).slope for seed in range(300)]
    assert 0.91 < np.mean([fit.low <= 0.8 <= fit.high for fit in fits]) <= 0.99


def test_weights_that_are_alike_change_nothing_and_the_order_neither():
    score, won = drawn(500, 3)
    plain = cox_fit(score, won)
    assert cox_fit(score, won, np.full(500, 7.0)).slope == pytest.approx(plain.slope)
    assert cox_fit(score[::-1], won[::-1]).slope.estimate == pytest.approx(plain.slope.estimate)
    assert effective_size(np.full(500, 7.0)) == pytest.approx(500)


def test_nothing_is_fitted_where_no_finite_fit_exists():
    score = np.array([0.1, 0.2, 0.3, 0.4])
    assert cox_fit(score, score > 0.25) is None
    assert cox_fit(score, np.zeros(4, bool)) is None
    assert cox_fit(np.full(4, 0.2), logit(score) > -1) is None
