"""Two models on the same leads: counts by eye, by brute force, and what chance does to their difference."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import spearmanr

from leadlift.exceptions import ConfigError, InputError
from leadlift.learning.metrics import log_loss
from leadlift.lifecycle.retraining.comparison import ModelScores, compare, compare_models, grades_of


def market(n=1500, seed=0, noise=0.5):
    """Leads with a known chance, and two noisy opinions of it."""
    rng = np.random.default_rng(seed)
    z = rng.normal(-2, 1.2, n)
    one, other = (expit(z + rng.normal(0, noise, n)) for _ in range(2))
    return one, other, rng.random(n) < expit(z)


def quick(*arguments, **keywords):
    return compare(*arguments, **({"n_resamples": 50} | keywords))


def test_what_is_counted_of_eight_leads_by_eye():
    won = np.array([1, 1, 1, 0, 0, 0, 0, 0], bool)
    champion = [0.9, 0.8, 0.2, 0.7, 0.1, 0.1, 0.1, 0.1]
    challenger = [0.9, 0.4, 0.8, 0.7, 0.6, 0.1, 0.1, 0.1]
    found = quick(champion, challenger, won, (0.5, 0.65), grade_thresholds=((0.5,), (0.5, 0.15)))
    # The champion passes leads 1, 2 and 4, the challenger 1, 3 and 4.
    assert (found.volume_champion, found.volume_challenger) == (3, 3)
    assert (found.wins_champion, found.wins_challenger, found.wins_at_equal_volume) == (2, 2, 2)
    assert found.rank_churn == pytest.approx(1 / 3)
    assert found.observed_to_expected.estimate == pytest.approx(3 / sum(challenger))
    # Grades of the champion: A A B A B B B B; of the challenger: A B A A A C C C.
    assert found.moved_grade == 6 / 8
    assert found.moved_two_grades == 0


def test_figures_are_those_of_the_house():
    one, other, won = market()
    found = quick(one, other, won, (0.3, 0.3))
    before, now = (log_loss(won, score).estimate for score in (one, other))
    assert found.log_loss_champion == pytest.approx(before)
    assert found.log_loss_change.estimate == pytest.approx((now - before) / before)
    assert found.rank_correlation == pytest.approx(spearmanr(one, other).statistic)


def test_at_equal_volume_leads_of_equal_score_count_as_the_mean_of_all_ways_to_draw_them():
    won = np.array([0, 1, 1, 0, 1, 0], bool)
    champion = ModelScores.of([0.9, 0.8, 0.7, 0.1, 0.1, 0.1], 0.5)
    challenger = ModelScores.of([0.9, 0.5, 0.5, 0.5, 0.5, 0.1], 0.5)
    found = compare_models(champion, challenger, won, n_resamples=10)
    draws = [won[[0, *tied]].sum() for tied in combinations(range(1, 5), 2)]
    assert found.wins_at_equal_volume == pytest.approx(np.mean(draws))
    kept = [champion.passed[[0, *tied]].sum() for tied in combinations(range(1, 5), 2)]
    assert found.rank_churn == pytest.approx(1 - np.mean(kept) / 3)


def test_a_model_compared_with_itself_changes_nothing():
    one, _, won = market()
    found = quick(one, one, won, (0.3, 0.3), grade_thresholds=((0.4, 0.2), (0.4, 0.2)))
    for change in (found.log_loss_change, found.wins_change, found.wins_change_at_equal_volume):
        assert (change.low, change.estimate, change.high) == (0, 0, 0)
    assert (found.rank_churn, found.moved_grade, found.moved_two_grades) == (0, 0, 0)
    assert found.rank_correlation == pytest.approx(1)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_order_of_the_rows_does_not_matter(seed):
    one, other, won = (values[:200] for values in market(seed=seed))
    order = np.random.default_rng(seed).permutation(200)
    first = quick(one, other, won, (0.3, 0.3))
    again = quick(one[order], other[order], won[order], (0.3, 0.3))
    for name in ("log_loss_change", "wins_change", "wins_change_at_equal_volume", "observed_to_expected"):
        ends = [(i.estimate, i.low, i.high) for i in (getattr(first, name), getattr(again, name))]
        assert ends[0] == pytest.approx(ends[1], abs=1e-9)
    assert first.rank_churn == pytest.approx(again.rank_churn, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_a_weight_of_two_is_the_row_twice(seed):
    one, other, won = (values[:150] for values in market(seed=seed))
    times = np.random.default_rng(seed).integers(1, 4, 150)
    weighted = quick(one, other, won, (0.3, 0.3), weight=times)
    repeated = quick(*(np.repeat(values, times) for values in (one, other, won)), (0.3, 0.3))
    for name in ("log_loss_champion", "wins_challenger", "wins_at_equal_volume", "rank_churn"):
        assert getattr(weighted, name) == pytest.approx(getattr(repeated, name))
    assert weighted.observed_to_expected.estimate == pytest.approx(repeated.observed_to_expected.estimate)


def test_the_interval_is_as_wide_as_chance_makes_the_difference():
    """The spread of the estimate over many windows of the same market, against one window's bootstrap."""
    estimates = []
    for seed in range(200):
        one, other, won = market(800, seed)
        found = quick(one, other, won, (0.3, 0.3), n_resamples=2)
        estimates.append((found.log_loss_change.estimate, found.wins_change_at_equal_volume.estimate))
    widths = []
    for seed in range(10):
        found = compare(*market(800, 1000 + seed), (0.3, 0.3), n_resamples=400)
        widths.append([i.high - i.low for i in (found.log_loss_change, found.wins_change_at_equal_volume)])
    # Between the one-sided bounds at 0.95 lie 2 * 1.645 standard errors; both sides are estimates themselves.
    assert np.mean(widths, axis=0) / 3.29 == pytest.approx(np.std(estimates, axis=0), rel=0.25)


def test_leads_of_one_account_that_end_alike_are_less_evidence():
    one, other, won = market(300)
    copies = [np.repeat(values, 5) for values in (one, other, won)]
    account = np.repeat(np.arange(300), 5)
    alone = quick(*copies, (0.3, 0.3), n_resamples=300).log_loss_change
    together = quick(*copies, (0.3, 0.3), n_resamples=300, groups=account).log_loss_change
    assert together.estimate == pytest.approx(alone.estimate)
    # Five copies of a lead are one: the interval is wider by the root of 5.
    assert (together.high - together.low) / (alone.high - alone.low) == pytest.approx(5**0.5, rel=0.15)


def test_where_the_champion_catches_no_win_no_change_of_wins_is_told():
    one, other, won = market()
    found = quick(one, other, won, (2.0, 0.3))
    assert np.isnan(found.wins_change.estimate)
    assert np.isnan(found.rank_churn)
    assert found.to_dict()["wins_change"]["estimate"] is None


def test_the_best_grade_is_0_and_a_threshold_belongs_to_its_grade():
    assert grades_of(np.array([0.1, 0.2, 0.39, 0.4, 0.9]), (0.4, 0.2)).tolist() == [2, 1, 1, 0, 0]


def test_arrays_that_cannot_be_compared_are_refused():
    one, other, won = market(50)
    with pytest.raises(InputError, match="one length, got"):
        quick(one, other[:-1], won, (0.3, 0.3))
    with pytest.raises(InputError, match="needs won and lost leads, got 0 won of 50"):
        quick(one, other, np.zeros(50, bool), (0.3, 0.3))
    with pytest.raises(InputError, match="weights must be finite and >= 0"):
        quick(one, other, won, (0.3, 0.3), weight=-np.ones(50))
    with pytest.raises(ConfigError, match="confidence"):
        quick(one, other, won, (0.3, 0.3), confidence=0.5)
