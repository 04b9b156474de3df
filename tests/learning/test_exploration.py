"""What a random slice costs is what as many of the next best leads would win beyond it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlift.exceptions import ConfigError
from leadlift.learning.cutoff import Evidence, FixedThreshold
from leadlift.learning.cutoff.exploration import explore_cost


def evidence(score, weeks=None):
    score = np.asarray(score, dtype=float)
    as_of = None
    if weeks is not None:
        hours = np.linspace(0, (weeks * 7 - 1) * 24, len(score)).astype(int)
        as_of = np.datetime64("2026-01-01T00") + hours.astype("timedelta64[h]")
    return Evidence(score, score, score > 0.5, as_of)


def test_by_hand():
    found = evidence([0.9, 0.4, 0.3, 0.2, 0.1], weeks=2)
    cost = explore_cost(found, FixedThreshold(0.5).choose(found), 0.5)
    assert cost.per == "a week"
    assert cost.contacts == pytest.approx(2 / 2)
    assert cost.wins == pytest.approx(0.5 * 1.0 / 2)
    assert cost.wins_of_next_best == pytest.approx((0.4 + 0.3) / 2)
    assert cost.wins_forgone == pytest.approx(0.1)
    assert "1.0 contacts a week with 0.25 wins expected" in cost.sentence


def test_without_dates_it_is_told_among_a_thousand_leads():
    found = evidence(np.linspace(0, 0.6, 400))
    cost = explore_cost(found, FixedThreshold(0.5).choose(found), 0.1)
    assert cost.per == "among 1,000 leads"
    assert cost.contacts == pytest.approx(0.1 * (found.score < 0.5).mean() * 1000)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_a_random_slice_never_wins_more_than_the_next_best(score, threshold, share):
    found = evidence(score)
    cost = explore_cost(found, FixedThreshold(threshold).choose(found), share)
    assert cost.wins_forgone >= -1e-9
    assert 0 <= cost.wins <= cost.contacts + 1e-9


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5])
def test_a_share_that_is_none_is_refused(share):
    found = evidence([0.9, 0.1])
    with pytest.raises(ConfigError, match="expected a number between 0 and 1"):
        explore_cost(found, FixedThreshold(0.5).choose(found), share)
