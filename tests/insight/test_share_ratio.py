"""Bounds of a ratio of shares: they cover the truth as often as they say, also where few are counted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws import law
from leadlift.insight.share_ratio import ratio_bounds, share_of


@pytest.mark.parametrize(
    ("n", "n_other", "share", "other"), [(30, 30, 0.1, 0.2), (50, 500, 0.05, 0.3), (30, 1000, 0.02, 0.02)]
)
def test_bounds_cover_the_true_ratio(n, n_other, share, other):
    rng = np.random.default_rng(0)
    k, k_other = rng.binomial(n, share, 4000), rng.binomial(n_other, other, 4000)
    low, high = ratio_bounds(k, n, k_other, n_other, confidence=0.95)
    said = ~np.isnan(low)
    covered = (low <= share / other) & (share / other <= high)
    # Three standard errors of 4,000 draws below the nominal 95 %.
    assert covered[said].mean() > 0.94


@law
@given(st.integers(1, 200), st.integers(1, 200), st.data())
def test_bounds_hold_the_ratio_and_turn_with_it(n, n_other, data):
    k, k_other = data.draw(st.integers(1, n)), data.draw(st.integers(1, n_other))
    low, high = ratio_bounds(k, n, k_other, n_other)
    ratio = (k / n) / (k_other / n_other)
    assert 0 <= low <= ratio * (1 + 1e-9)
    assert ratio * (1 - 1e-9) <= high
    turned_low, _ = ratio_bounds(k_other, n_other, k, n)
    assert turned_low == pytest.approx(1 / high, rel=1e-6)


def test_what_cannot_be_said_is_nan():
    low, high = ratio_bounds([0, 3], [10, 0], [0, 3], [10, 10])
    assert np.isnan([*low, *high]).all()
    assert np.isnan(share_of(0, 0))


def test_none_in_the_group_compared_with_leaves_the_ratio_unbounded():
    low, high = ratio_bounds(5, 50, 0, 50)
    assert low > 1
    assert np.isinf(high)
