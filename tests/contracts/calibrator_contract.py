"""What every calibrator must keep. A test class subclasses the contract and gives one fixture."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit
from sklearn.base import clone

from laws import law
from leadlift.exceptions import InputError
from leadlift.learning.calibration import CALIBRATORS, Calibrator, get_calibrator
from leadlift.learning.fitted.curves import read_curve

# The optimiser stops when the mean log loss changes by less than 2e-9, which leaves about 1e-4.
FIT_TOLERANCE = 1e-3
GRID = np.linspace(-40, 40, 2001)

log_odds = arrays(np.float64, 30, elements=st.floats(-30, 30))


def simulate(n, shift=0.0, seed=0):
    """Log-odds that are right but for a shift of the base rate."""
    rng = np.random.default_rng(seed)
    z = -1.5 + 1.5 * rng.normal(size=n)
    return z, (rng.random(n) < expit(z + shift)).astype(int)


class CalibratorContract:
    identity_tolerance = 0.02
    """How far the map learnt from 20,000 calibrated leads may be from the identity, on average."""

    @pytest.fixture
    def calibrator(self):
        """A new, unfitted calibrator; the subclass gives it."""
        raise NotImplementedError

    def test_it_is_registered_under_its_name(self, calibrator):
        assert type(get_calibrator(calibrator.name)) is type(calibrator)
        assert calibrator.name in CALIBRATORS

    def test_a_higher_log_odds_never_means_a_lower_probability(self, calibrator):
        @law
        @given(log_odds, st.integers(1, 29))
        def check(z, n_won):
            y = np.arange(30) < n_won
            p = clone(calibrator).fit(z, y).transform(GRID)
            assert (np.diff(p) >= 0).all()
            assert ((p >= 0) & (p <= 1)).all()

        check()

    def test_json_keeps_every_bit(self, calibrator):
        calibrator.fit(*simulate(500))
        text = json.dumps(calibrator.to_dict())
        rebuilt = Calibrator.from_dict(json.loads(text))
        assert type(rebuilt) is type(calibrator)
        assert rebuilt.transform(GRID).tobytes() == calibrator.transform(GRID).tobytes()
        assert read_curve(json.loads(text)).transform(GRID).tobytes() == rebuilt.transform(GRID).tobytes()

    def test_a_clone_is_unfitted_and_learns_the_same(self, calibrator):
        z, y = simulate(500)
        twin = clone(calibrator.fit(z, y))
        assert not hasattr(twin, "is_fitted_")
        assert twin.fit(z, y).transform(GRID).tobytes() == calibrator.transform(GRID).tobytes()

    def test_weight_two_is_the_row_twice(self, calibrator):
        z, y = simulate(400)
        weight = np.where(np.arange(400) % 3 == 0, 2.0, 1.0)
        twice = np.repeat(np.arange(400), weight.astype(int))
        weighted = clone(calibrator).fit(z, y, weight).transform(GRID)
        repeated = clone(calibrator).fit(z[twice], y[twice]).transform(GRID)
        np.testing.assert_allclose(weighted, repeated, atol=FIT_TOLERANCE)

    def test_the_order_of_the_rows_does_not_matter(self, calibrator):
        z, y = simulate(400)
        shuffle = np.random.default_rng(1).permutation(400)
        shuffled = clone(calibrator).fit(z[shuffle], y[shuffle]).transform(GRID)
        np.testing.assert_allclose(calibrator.fit(z, y).transform(GRID), shuffled, atol=FIT_TOLERANCE)

    def test_calibrated_scores_are_left_about_as_they_are(self, calibrator):
        z, y = simulate(20_000)
        error = np.abs(calibrator.fit(z, y).transform(z) - expit(z)).mean()
        assert error < self.identity_tolerance

    def test_separable_leads_give_finite_probabilities_in_order(self, calibrator):
        z, y = np.linspace(-3, 3, 40), np.arange(40) >= 20
        p = calibrator.fit(z, y).transform(z)
        assert np.isfinite(p).all()
        assert p[0] < 0.5 < p[-1]

    def test_one_outcome_only_is_refused(self, calibrator):
        with pytest.raises(InputError, match="needs won and lost leads, got one class only in 3 rows"):
            calibrator.fit([0.1, 0.2, 0.3], [1, 1, 1])

    def test_log_odds_that_are_not_finite_are_refused(self, calibrator):
        with pytest.raises(InputError, match="2 log-odds are not finite"):
            calibrator.fit([0.1, np.nan, np.inf], [0, 1, 1])
