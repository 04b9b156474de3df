"""A shifted calibrator keeps the contract, moves by what labels say, and travels with what lies beneath."""

import json

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.base import clone

from contracts.calibrator_contract import GRID, CalibratorContract, simulate
from leadlift.learning.calibration import BetaCalibrator, Calibrator
from leadlift.learning.shifted_calibration import ShiftedCalibrator


class TestShifted(CalibratorContract):
    @pytest.fixture
    def calibrator(self):
        return ShiftedCalibrator()


def test_a_change_of_the_base_rate_is_found_by_many_labels_and_half_believed_on_few():
    many = ShiftedCalibrator().fit(*simulate(50_000, shift=1.2)).shift_
    assert many == pytest.approx(1.2, abs=0.05)  # standard error 0.012
    few = [ShiftedCalibrator().fit(*simulate(12, shift=1.2, seed=s)).shift_ for s in range(60)]
    assert 0.2 < np.mean(few) < 1.0


def test_what_is_expected_of_shifts_decides_how_far_they_go():
    z, y = simulate(60, shift=2.0)
    shifts = [ShiftedCalibrator(prior_sd=sd).fit(z, y).shift_ for sd in (0.1, 0.5, 1.0, 5.0)]
    assert shifts == sorted(shifts)
    assert shifts[0] < 0.3 < shifts[-1]


def test_the_calibrator_beneath_stays_and_travels_along():
    beta = BetaCalibrator().fit(*simulate(3000))
    before = beta.transform(GRID)
    shifted = ShiftedCalibrator(beta).fit(*simulate(3000, shift=1.0))
    assert beta.transform(GRID).tobytes() == before.tobytes()
    rebuilt = Calibrator.from_dict(json.loads(json.dumps(shifted.to_dict())))
    assert rebuilt.transform(GRID).tobytes() == shifted.transform(GRID).tobytes()
    np.testing.assert_allclose(
        logit(shifted.transform(GRID[900:1100])), logit(before[900:1100]) + shifted.shift_, atol=1e-6
    )


def test_a_clone_forgets_the_shift_and_keeps_the_calibrator_beneath():
    beta = BetaCalibrator().fit(*simulate(1000))
    twin = clone(ShiftedCalibrator(beta, prior_sd=0.5).fit(*simulate(1000)))
    assert twin.inner is beta
    assert (twin.prior_sd, hasattr(twin, "shift_")) == (0.5, False)


def test_a_shift_upon_a_shift_is_one_shift():
    first = ShiftedCalibrator().fit(*simulate(2000, shift=0.5))
    second = ShiftedCalibrator(first).fit(*simulate(2000, shift=1.5))
    flat = second.flattened()
    assert flat.inner is None
    np.testing.assert_allclose(flat.transform(GRID), second.transform(GRID), rtol=1e-9)
    assert first.flattened() is first


def test_certainty_stays_certain():
    sure = ShiftedCalibrator().fit([-2.0, 2.0], [0, 1])
    assert sure.transform([-np.inf, np.inf]).tolist() == [0.0, 1.0]
    assert sure.transform([0.0])[0] == pytest.approx(expit(sure.shift_))
