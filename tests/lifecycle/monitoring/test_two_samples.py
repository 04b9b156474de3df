"""Tests of two samples agree with SciPy's and with tables by eye, and keep their level."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency, fisher_exact

from leadlift.lifecycle.monitoring.two_samples import holm, homogeneity_p_value, larger_share_p_value


def test_the_chi_square_test_is_that_of_scipy_where_no_bin_is_small():
    rng = np.random.default_rng(0)
    for _ in range(20):
        one, other = rng.integers(20, 200, 6), rng.integers(200, 2_000, 6)
        expected = chi2_contingency(np.stack([one, other]), correction=False).pvalue
        assert homogeneity_p_value(one.astype(float), other.astype(float)) == pytest.approx(expected)


def test_small_bins_are_pooled_by_eye():
    one, other = np.array([30.0, 30.0, 1.0, 2.0, 0.0]), np.array([300.0, 300.0, 40.0, 20.0, 0.0])
    pooled = homogeneity_p_value(np.array([30.0, 30.0, 3.0]), np.array([300.0, 300.0, 60.0]))
    assert homogeneity_p_value(one, other) == pytest.approx(pooled)


def test_nothing_is_told_of_empty_samples_or_a_single_bin():
    some, none = np.array([10.0, 20.0]), np.zeros(2)
    assert homogeneity_p_value(some, none) == 1
    assert homogeneity_p_value(np.array([10.0, 0.0]), np.array([50.0, 0.0])) == 1
    assert larger_share_p_value(0, 0, 1, 10) == larger_share_p_value(1, 10, 0, 0) == 1


def test_fishers_test_is_that_of_scipy():
    for table in ([[3, 7], [1, 19]], [[0, 10], [5, 5]], [[50, 950], [20, 1_980]]):
        (k, rest), (k_then, rest_then) = table
        expected = fisher_exact(table, alternative="greater").pvalue
        assert larger_share_p_value(k, k + rest, k_then, k_then + rest_then) == pytest.approx(expected)


def test_the_level_is_kept_though_the_reference_is_drawn_too():
    rng = np.random.default_rng(1)
    shares = np.array([0.4, 0.3, 0.2, 0.07, 0.03])
    p_values = [
        homogeneity_p_value(*(rng.multinomial(n, shares).astype(float) for n in (300, 400)))
        for _ in range(2_000)
    ]
    # Four standard errors of a share of 2,000.
    assert np.mean(np.array(p_values) <= 0.05) == pytest.approx(0.05, abs=0.02)


def test_holm_adjusts_each_step_by_eye_and_in_any_order():
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []
