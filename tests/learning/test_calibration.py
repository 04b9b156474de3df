"""Calibrators keep their contract, repair what they are for, and are chosen only where they help."""

import json

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from contracts.calibrator_contract import GRID, CalibratorContract, simulate
from leadlift.exceptions import ConfigError
from leadlift.learning.calibration import (
    BetaCalibrator,
    Calibrator,
    CalibratorChoice,
    IsotonicCalibrator,
    NoCalibrator,
    SigmoidCalibrator,
    get_calibrator,
)


class TestNone(CalibratorContract):
    identity_tolerance = 1e-15

    @pytest.fixture
    def calibrator(self):
        return NoCalibrator()


class TestSigmoid(CalibratorContract):
    @pytest.fixture
    def calibrator(self):
        return SigmoidCalibrator()


class TestBeta(CalibratorContract):
    @pytest.fixture
    def calibrator(self):
        return BetaCalibrator()


class TestIsotonic(CalibratorContract):
    @pytest.fixture
    def calibrator(self):
        return IsotonicCalibrator()


def test_a_change_of_the_base_rate_moves_the_intercept_of_the_sigmoid_only():
    sigmoid = SigmoidCalibrator().fit(*simulate(50_000, shift=1.2))
    assert sigmoid.slope_ == pytest.approx(1.0, abs=0.05)  # standard error 0.009
    assert sigmoid.intercept_ == pytest.approx(1.2, abs=0.07)  # standard error 0.016


@pytest.mark.parametrize("name", ["sigmoid", "beta"])
def test_scores_twice_too_bold_are_repaired(name):
    z, y = simulate(50_000)
    p = get_calibrator(name).fit(2 * z, y).transform(2 * z)
    assert np.abs(p - expit(z)).mean() < 0.01


def test_beta_repairs_what_is_wrong_on_one_side_only():
    z, y = simulate(50_000)
    bent = np.where(z > -1.5, z, 3 * (z + 1.5) - 1.5)
    beta = np.abs(BetaCalibrator().fit(bent, y).transform(bent) - expit(z)).mean()
    sigmoid = np.abs(SigmoidCalibrator().fit(bent, y).transform(bent) - expit(z)).mean()
    assert beta < sigmoid


def test_isotonic_means_by_eye():
    fitted = IsotonicCalibrator().fit([1, 2, 3, 4], [0, 1, 0, 1])
    assert fitted.transform([0.0, 1.0, 2.5, 9.0]).tolist() == [0.125, 0.125, 0.5, 0.875]


@pytest.mark.parametrize("seed", range(5))
def test_calibrated_scores_are_left_alone(seed):
    choice = CalibratorChoice().fit(*simulate(3000, seed=seed))
    z, _ = simulate(1000, seed=99)
    assert np.abs(choice.transform(z) - expit(z)).mean() < 0.02
    assert choice.log_loss_["none"] < min(choice.log_loss_.values()) + 0.001


def test_none_is_chosen_for_calibrated_scores_and_sigmoid_after_a_shift_of_the_base_rate():
    calibrated = [CalibratorChoice().fit(*simulate(3000, seed=s)).chosen_.name for s in range(6)]
    shifted = [CalibratorChoice().fit(*simulate(3000, 1.5, seed=s)).chosen_.name for s in range(6)]
    assert calibrated.count("none") >= 4
    assert set(shifted) <= {"sigmoid", "beta"}
    assert shifted.count("sigmoid") >= 3


def test_the_choice_travels_as_the_calibrator_chosen():
    choice = CalibratorChoice().fit(*simulate(1000, shift=1.5))
    rebuilt = Calibrator.from_dict(json.loads(json.dumps(choice.to_dict())))
    assert type(rebuilt) is type(choice.chosen_)
    assert rebuilt.transform(GRID).tobytes() == choice.transform(GRID).tobytes()


def test_the_choice_repeats_for_a_seed_and_takes_given_candidates():
    z, y = simulate(1000, shift=1.5)
    choice = CalibratorChoice(candidates=(NoCalibrator(), IsotonicCalibrator()), n_folds=3, random_state=4)
    twin = clone(choice)
    assert choice.fit(z, y).log_loss_ == twin.fit(z, y).log_loss_
    assert (set(choice.log_loss_), choice.chosen_.name) == ({"none", "isotonic"}, "isotonic")


def test_the_choice_takes_the_first_where_there_is_nothing_to_hold_out():
    z, y = np.linspace(-2, 2, 9), np.arange(9) == 8
    assert CalibratorChoice().fit(z, y).chosen_.name == "none"


def test_an_unknown_calibrator_is_refused():
    with pytest.raises(ConfigError, match="no calibrator is called 'magic'; there are none, sigmoid"):
        get_calibrator("magic")


@pytest.mark.parametrize("unfitted", [SigmoidCalibrator(), CalibratorChoice()])
def test_what_is_not_fitted_cannot_be_written(unfitted):
    with pytest.raises(NotFittedError, match="not fitted"):
        unfitted.to_dict()
