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

    from leadlift.learning.calibration import Calibrator
    from leadlift.learning.log_odds import Explained
    from leadlift.learning.scorer import LeadScorer

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
    """Explains the scores of one fitted scorer.

    Parameters
    ----------
    scorer : LeadScorer
        Fitted, with a :class:`BlendedLearner`.
    """

    def __init__(self, scorer: LeadScorer) -> None:
        self._scorer = scorer

    def explain(self, matrix: NDArray[np.float64]) -> Attribution:
        """Explain encoded rows.

        Parameters
        ----------
        matrix : ndarray of float64, shape (n_rows, n_columns)
            From ``scorer.encoder_.transform``.

        Returns
        -------
        Attribution
        """
        return attribute(self._scorer.learner_.explain(matrix), self._scorer.calibrator_)

    def log_odds_contributions(self, matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        """Return contributions on the log-odds scale, shape (n_rows, n_explained), and their base."""
        found = self._scorer.learner_.explain(matrix)
        return found.contributions, found.base


def attribute(found: Explained, calibrator: Calibrator) -> Attribution:
    """Map contributions to log-odds onto the scale of the calibrated probability.

    Parameters
    ----------
    found : Explained
        Log-odds and their contributions, from ``learner.explain``.
    calibrator : Calibrator
        Fitted.

    Returns
    -------
    Attribution

    Examples
    --------
    Of log-odds of 1, three quarters come from the first column:

    >>> from leadlift.learning.calibration import NoCalibrator
    >>> from leadlift.learning.log_odds import Explained
    >>> found = Explained(np.array([1.0]), np.empty((0, 1)), np.array([[0.75, 0.25]]), base=0.0)
    >>> attribution = attribute(found, NoCalibrator())
    >>> attribution.base, attribution.contributions.round(3), attribution.score.round(3)
    (0.5, array([[0.173, 0.058]]), array([0.731]))
    """
    calibrate = calibrator.transform
    score = calibrate(found.log_odds)
    base = float(calibrate(np.array([found.base]))[0])
    total = found.contributions.sum(axis=1)
    small = np.abs(total) < SMALL_SUM
    slope = np.where(small, _slope(calibrator, found.base), (score - base) / np.where(small, 1.0, total))
    contributions = found.contributions * slope[:, None]
    return Attribution(
        base=base,
        contributions=contributions,
        residual=score - base - contributions.sum(axis=1),
        score=score,
        log_odds=found.log_odds,
        uncertainty=jackknife_error(calibrate(found.members)),
    )


def _slope(calibrator: Calibrator, log_odds: float) -> float:
    """Return the mean slope of the calibrated curve around a point."""
    below, above = calibrator.transform(np.array([log_odds - SLOPE_STEP, log_odds + SLOPE_STEP]))
    return float(above - below) / (2 * SLOPE_STEP)
