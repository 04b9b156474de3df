"""A calibrator moved by one number: what few labels can tell of a change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from leadlift.learning.calibration import Calibrator, NoCalibrator
from leadlift.learning.fitted.curves import ShiftedCurve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.learning.fitted.curves import Curve

# Calibrated probabilities are kept this far from 0 and 1, where no shift could move them.
SMALLEST_PROBABILITY = 1e-9


class ShiftedCalibrator(Calibrator):
    """A fitted calibrator whose log-odds are all moved by the same amount.

    ``logit p' = logit inner(z) + shift``, which is what a change of the base rate alone does. The shift
    maximises the likelihood with a normal prior around 0, ``N(0, prior_sd ** 2)``: a few labels move it
    little, many as far as they say.

    Parameters
    ----------
    inner : Calibrator, optional
        A fitted calibrator, which stays as it is and is shared by clones; None takes :class:`NoCalibrator`.
    prior_sd : float, default=1.0
        How large shifts are expected to be, in log-odds, > 0. At 1 the odds change by a factor of 2.7.

    Attributes
    ----------
    shift_ : float

    Examples
    --------
    >>> y = np.repeat([1, 0], [2000, 2000])
    >>> calibrator = ShiftedCalibrator().fit(np.zeros(4000) - np.log(3), y)
    >>> calibrator.transform([-np.log(3)]).round(2)
    array([0.5])
    """

    name = "shifted"
    learnt = ("shift_",)

    def __init__(self, inner: Calibrator | None = None, prior_sd: float = 1.0) -> None:
        self.inner = inner
        self.prior_sd = prior_sd

    def _fit(self, z: NDArray[np.float64], y: NDArray, weight: NDArray[np.float64]) -> None:
        p = np.clip(self._inner_curve.transform(z), SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
        log_odds, n_won = logit(p), float(weight @ (y > 0))

        def slope(shift: float) -> float:
            return n_won - float(weight @ expit(log_odds + shift)) - shift / self.prior_sd**2

        # Beyond this reach the pull of the prior exceeds any likelihood's.
        reach = float(weight.sum()) * self.prior_sd**2 + 1
        self.shift_ = float(brentq(slope, -reach, reach))

    @property
    def curve(self) -> ShiftedCurve:
        """``expit(logit(inner(z)) + shift)``; 0 and 1 stay."""
        return ShiftedCurve(self._inner_curve, self.shift_)

    def flattened(self) -> ShiftedCalibrator:
        """Return an equal calibrator with one shift where this one is a shift upon a shift."""
        if not isinstance(self.inner, ShiftedCalibrator):
            return self
        flat = ShiftedCalibrator(self.inner.inner, self.prior_sd)
        flat.shift_ = self.inner.shift_ + self.shift_
        flat.is_fitted_ = True
        return flat

    def to_dict(self) -> dict[str, Any]:
        """Return the shift and the calibrator beneath as JSON-ready values."""
        inner = {"name": NoCalibrator.name} if self.inner is None else self.inner.to_dict()
        return super().to_dict() | {"inner": inner}

    def _restore(self, data: dict[str, Any]) -> None:
        super()._restore(data)
        self.inner = Calibrator.from_dict(data["inner"])

    @property
    def _inner_curve(self) -> Curve:
        return (self.inner or NoCalibrator()).curve

    def __sklearn_clone__(self) -> ShiftedCalibrator:
        """Make an unfitted copy over the same fitted calibrator."""
        return ShiftedCalibrator(self.inner, self.prior_sd)
