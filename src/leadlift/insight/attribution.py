"""Exact additive reasons on the scale of the calibrated probability.

The learner's log-odds are a sum ``b + phi_1 + … + phi_k``: SHAP values of the trees (path-dependent,
exact) plus the logistic member's table entries. The published score is ``p = g(b + S)`` with `g` the
calibrator and ``S = sum phi``. The contribution of column `i` on that scale is::

    c_i = phi_i * (g(b + S) - g(b)) / S

which is the Aumann-Shapley split of a function of a sum (Aumann and Shapley 1974, "Values of Non-Atomic
Games"), so that ``g(b) + sum c_i = p``. Where the contributions cancel each other, so that S vanishes, the
slope of `g` around b takes the place of the ratio. A calibrator that jumps there may leave a residual
``p - g(b) - sum c_i``, which no column accounts for; it is reported beside the contributions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadlift.learning.uncertainty import jackknife_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.learning.fitted.curves import Curve
    from leadlift.learning.fitted.explained import Explained
    from leadlift.learning.fitted.model import FittedModel

# Below this sum of contributions the ratio of the formula would lose its digits, or grow beyond all bounds
# where a calibrator jumps; a smooth one differs from its slope by less than 1e-9 there.
SMALL_SUM = 1e-6
# Half the width, in log-odds, over which the slope around the base is taken.
SLOPE_STEP = 1e-4


@dataclass(frozen=True)
class Attribution:
    """Contributions to published scores: ``base + contributions.sum(axis=1) + residual`` is `score`.

    Parameters
    ----------
    base : float
        Probability before anything is known of a lead.
    contributions : ndarray of float64, shape (n_rows, n_explained)
        By input column and then by pair of columns (:func:`leadlift.insight.explained.explained_specs`), on
        the scale of the probability.
    residual : ndarray of float64, shape (n_rows,)
        What no column accounts for, on the scale of the probability: rounding (below 1e-9), unless the
        calibrator jumps right at the base and the contributions cancel each other.
    score : ndarray of float64, shape (n_rows,)
        Published scores.
    log_odds : ndarray of float64, shape (n_rows,)
        Uncalibrated scores.
    uncertainty : ndarray of float64, shape (n_rows,)
        :func:`leadlift.learning.uncertainty.jackknife_error` of each score.
    """

    base: float
    contributions: NDArray[np.float64]
    residual: NDArray[np.float64]
    score: NDArray[np.float64]
    log_odds: NDArray[np.float64]
    uncertainty: NDArray[np.float64]


class Attributor:
    """Explains the scores of one model.

    Parameters
    ----------
    model : FittedModel
        ``bundle.model``, or ``scorer.fitted`` of a fitted :class:`LeadScorer`.
    """

    def __init__(self, model: FittedModel) -> None:
        self._model = model

    def explain(self, matrix: NDArray[np.float64]) -> Attribution:
        """Explain encoded rows.

        Parameters
        ----------
        matrix : ndarray of float64, shape (n_rows, n_columns)
            From ``model.encode``.

        Returns
        -------
        Attribution
        """
        return attribute(self._model.explain(matrix), self._model.curve)

    def log_odds_contributions(self, matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        """Return contributions on the log-odds scale, shape (n_rows, n_explained), and their base."""
        found = self._model.explain(matrix)
        return found.contributions, found.base


def attribute(found: Explained, curve: Curve) -> Attribution:
    """Map contributions to log-odds onto the scale of the calibrated probability.

    Parameters
    ----------
    found : Explained
        Log-odds and their contributions.
    curve : Curve
        From log-odds to calibrated probabilities, such as a fitted calibrator's.

    Returns
    -------
    Attribution

    Examples
    --------
    Of log-odds of 1, three quarters come from the first column:

    >>> from leadlift.learning.fitted.curves import LogisticCurve
    >>> from leadlift.learning.fitted.explained import Explained
    >>> found = Explained(np.array([1.0]), np.empty((0, 1)), np.array([[0.75, 0.25]]), base=0.0)
    >>> attribution = attribute(found, LogisticCurve())
    >>> attribution.base, attribution.contributions.round(3), attribution.score.round(3)
    (0.5, array([[0.173, 0.058]]), array([0.731]))
    """
    calibrate = curve.transform
    score = calibrate(found.log_odds)
    base = float(calibrate(np.array([found.base]))[0])
    total = found.contributions.sum(axis=1)
    small = np.abs(total) < SMALL_SUM
    slope = np.where(small, _slope(curve, found.base), (score - base) / np.where(small, 1.0, total))
    contributions = found.contributions * slope[:, None]
    return Attribution(
        base=base,
        contributions=contributions,
        residual=score - base - contributions.sum(axis=1),
        score=score,
        log_odds=found.log_odds,
        uncertainty=jackknife_error(calibrate(found.members)),
    )


def _slope(curve: Curve, log_odds: float) -> float:
    """Return the mean slope of a curve around a point."""
    below, above = curve.transform(np.array([log_odds - SLOPE_STEP, log_odds + SLOPE_STEP]))
    return float(above - below) / (2 * SLOPE_STEP)
