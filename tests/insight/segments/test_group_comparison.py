"""Two groups of leads are compared exactly, and many looks are paid for."""

import numpy as np
import pytest
from scipy.stats import fisher_exact

from leadlift.insight.segments.comparison import (
    difference_bounds,
    fisher_p_values,
    more_often_p_values,
    q_values,
)

COUNTS = np.array([[3, 10, 9, 20], [0, 5, 4, 9], [40, 400, 90, 600], [7, 7, 0, 8], [50, 50_000, 90, 50_000]])


@pytest.mark.parametrize("counts", COUNTS, ids=str)
def test_p_values_are_those_of_fishers_test(counts):
    won, n, other_won, other_n = counts
    table = [[won, n - won], [other_won, other_n - other_won]]
    tails = [fisher_exact(table, alternative).pvalue for alternative in ("less", "greater")]
    columns = [[count] for count in counts]
    # scipy sums the same probabilities in another order.
    assert fisher_p_values(*columns)[0] == pytest.approx(min(1, 2 * min(tails)), rel=1e-8)
    assert more_often_p_values(*columns)[0] == pytest.approx(tails[1], rel=1e-8)


def test_the_p_value_is_the_same_seen_from_either_group():
    won, n, other_won, other_n = COUNTS.T
    np.testing.assert_allclose(
        fisher_p_values(won, n, other_won, other_n), fisher_p_values(other_won, other_n, won, n), rtol=1e-8
    )


def test_an_empty_group_shows_nothing():
    assert fisher_p_values([0], [0], [5], [10]).tolist() == [1.0]


def test_the_interval_of_a_difference_covers_it_as_often_as_said():
    rng = np.random.default_rng(0)
    n = np.full(20_000, 60)
    low, high = difference_bounds(rng.binomial(n, 0.2), n, rng.binomial(n, 0.1), n, 0.9)
    # Newcombe's method 10 covers slightly more than it says; 0.01 is five standard errors of the simulation.
    assert 0.89 <= np.mean((low <= 0.1) & (high >= 0.1)) <= 0.93


def test_a_look_that_was_not_taken_costs_nothing():
    p = np.array([0.01, 0.02, 0.9])
    assert (
        q_values(p, np.array([True, True, False]))[:2].tolist()
        == q_values(p[:2], np.array([True, True])).tolist()
    )
    assert np.isnan(q_values(p, np.zeros(3, bool))).all()
