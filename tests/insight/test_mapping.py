"""Whatever the calibrator, base, contributions and residual add up to the published score."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from laws import law
from leadlift.insight.attribution import SMALL_SUM, attribute
from leadlift.learning.calibration import (
    BetaCalibrator,
    IsotonicCalibrator,
    NoCalibrator,
    SigmoidCalibrator,
)
from leadlift.learning.log_odds import Explained
from leadlift.learning.shifted_calibration import ShiftedCalibrator

TOLERANCE = 1e-9


def calibrated(kind, **learnt):
    calibrator = kind()
    for name, value in learnt.items():
        setattr(calibrator, name, value)
    calibrator.is_fitted_ = True
    return calibrator


def steps(seed):
    """Corners as isotonic regression leaves them: flat stretches, and jumps between neighbouring log-odds."""
    rng = np.random.default_rng(seed)
    at = np.sort(rng.normal(scale=2, size=6))
    corners = np.sort(np.concatenate([at, at + rng.choice([1e-12, 1e-7, 0.1], size=6)]))
    heights = np.repeat(np.sort(rng.uniform(0.001, 0.999, size=7)), 2)[1:-1]
    return calibrated(IsotonicCalibrator, log_odds_=corners, probabilities_=heights)


slopes = st.floats(1e-3, 10)
smooth = st.one_of(
    st.builds(lambda: calibrated(NoCalibrator)),
    st.builds(lambda a, c: calibrated(SigmoidCalibrator, slope_=a, intercept_=c), slopes, st.floats(-3, 3)),
    st.builds(lambda a, b, c: calibrated(BetaCalibrator, a_=a, b_=b, c_=c), slopes, slopes, st.floats(-3, 3)),
)
jumping = st.builds(steps, st.integers(0, 1000))


def shifted(inner, shift):
    calibrator = ShiftedCalibrator(inner)
    calibrator.shift_, calibrator.is_fitted_ = shift, True
    return calibrator


def shifted_or_not(inner):
    return st.one_of(inner, st.builds(shifted, inner, st.floats(-2, 2)))


@st.composite
def sums(draw):
    """Contributions to log-odds: ordinary ones, saturated ones, and ones that cancel to almost nothing."""
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    scale = draw(st.sampled_from([0.0, 1e-3, 1.0, 50.0]))
    contributions = rng.normal(scale=scale, size=(6, 4))
    tiny = draw(st.sampled_from([0.0, 1e-12, -1e-8, 3e-7, -2e-6, 1e-3]))
    contributions[:3, 3] = tiny - contributions[:3, :3].sum(axis=1)
    base = draw(st.floats(-8, 8))
    log_odds = base + contributions.sum(axis=1)
    return Explained(log_odds, log_odds[None], contributions, base)


def added_up(attribution):
    return attribution.base + attribution.contributions.sum(axis=1)


@law
@given(found=sums(), calibrator=shifted_or_not(smooth))
def test_contributions_add_up_to_the_score_of_every_smooth_calibrator(found, calibrator):
    attribution = attribute(found, calibrator)
    np.testing.assert_array_equal(attribution.score, calibrator.transform(found.log_odds))
    np.testing.assert_allclose(added_up(attribution), attribution.score, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(attribution.residual, 0, rtol=0, atol=TOLERANCE)


@law
@given(found=sums(), calibrator=shifted_or_not(jumping))
def test_what_a_jump_leaves_is_in_the_residual_and_only_where_contributions_cancel(found, calibrator):
    attribution = attribute(found, calibrator)
    whole = added_up(attribution) + attribution.residual
    np.testing.assert_allclose(whole, attribution.score, rtol=0, atol=TOLERANCE)
    cancels = np.abs(found.contributions.sum(axis=1)) < SMALL_SUM
    np.testing.assert_allclose(attribution.residual[~cancels], 0, rtol=0, atol=TOLERANCE)


@law
@given(found=sums(), calibrator=st.one_of(smooth, jumping))
def test_a_contribution_points_where_it_moves_the_log_odds(found, calibrator):
    contributions = attribute(found, calibrator).contributions
    assert (contributions * np.sign(found.contributions) >= 0).all()


@law
@given(found=sums(), calibrator=smooth, data=st.data())
def test_the_order_of_columns_does_not_matter(found, calibrator, data):
    order = data.draw(st.permutations(range(4)))
    assume(np.abs(found.contributions.sum(axis=1)).min() > SMALL_SUM)
    other = attribute(found._replace(contributions=found.contributions[:, order]), calibrator)
    expected = attribute(found, calibrator).contributions[:, order]
    np.testing.assert_allclose(other.contributions, expected, rtol=1e-6, atol=TOLERANCE)


def test_a_jump_at_the_base_under_contributions_that_cancel_is_a_residual_by_eye():
    calibrator = calibrated(
        IsotonicCalibrator, log_odds_=np.array([0.0, 1e-9]), probabilities_=np.array([0.2, 0.7])
    )
    contributions = np.array([[1.0, -1.0 + 1e-8]])
    attribution = attribute(
        Explained(contributions.sum(axis=1), np.empty((0, 1)), contributions, 0.0), calibrator
    )
    assert (attribution.base, attribution.score[0]) == (0.2, 0.7)
    slope = 0.5 / 2e-4  # the jump over the width on which the slope is taken
    assert attribution.contributions[0] == pytest.approx(contributions[0] * slope)
    assert attribution.residual[0] == pytest.approx(0.5, abs=1e-4)
