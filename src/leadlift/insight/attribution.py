"""Exact additive reasons on the scale of the calibrated probability.

The learner's log-odds are a sum ``b + phi_1 + … + phi_k``: SHAP values of the trees (path-dependent,
exact) plus the logistic member's table entries. The published score is ``p = g(b + S)`` with `g` the
calibrator and ``S = sum phi``. The contribution of column `i` on that scale is::

    c_i = phi_i * (g(b + S) - g(b)) / S

which is the Aumann-Shapley split of a function of a sum (Aumann and Shapley 1974, "Values of Non-Atomic
Games"), so that ``g(b) + sum c_i = p``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leadlift.insight.explained import merge_statistics
from leadlift.learning.binned_logistic import bin_column
from leadlift.learning.candidates import compiled_member, load_boosters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.learning.binned_logistic import BinnedLogistic
    from leadlift.learning.blending import BlendedLearner
    from leadlift.learning.scorer import LeadScorer

# Below this sum of contributions the ratio in the formula loses its digits and its limit serves instead.
SMALL_SUM = 1e-9


@dataclass(frozen=True)
class Attribution:
    """Contributions to published scores; ``base + contributions.sum(axis=1)`` equals `score`.

    Parameters
    ----------
    base : float
        Probability before anything is known of a lead.
    contributions : ndarray of float64, shape (n_rows, n_explained)
        By input column and then by pair of columns (:func:`leadlift.insight.explained.explained_specs`), on
        the scale of the probability.
    score : ndarray of float64, shape (n_rows,)
        Published scores.
    log_odds : ndarray of float64, shape (n_rows,)
        Uncalibrated scores.
    uncertainty : ndarray of float64, shape (n_rows,)
        :func:`leadlift.learning.uncertainty.jackknife_error` of each score.
    """

    base: float
    contributions: NDArray[np.float64]
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
        self._learner: BlendedLearner = scorer.learner_

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
        score, log_odds, uncertainty = self._scorer.score_with_uncertainty(matrix)
        phi, bias = self.log_odds_contributions(matrix)
        calibrate = self._scorer.calibrator_.transform
        base = float(calibrate(np.array([bias]))[0])
        contributions = phi * _slope(calibrate, phi.sum(axis=1), bias, base, score)
        return Attribution(base, contributions, score, log_odds, uncertainty)

    def log_odds_contributions(self, matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        """Return contributions on the log-odds scale, shape (n_rows, n_explained), and their base."""
        phi, bias = _of_blend(self._learner, matrix)
        for model in self._learner.segments:
            rows = np.flatnonzero(matrix[:, self._learner.segment] == model.code)
            own, own_bias = _of_blend(model.learner, matrix[rows])
            phi[rows] *= 1 - model.weight
            phi[rows, : matrix.shape[1]] += model.weight * own
            # Another base is what it says of a lead to be of the segment.
            phi[rows, self._learner.segment] += model.weight * (own_bias - bias)
        return phi, bias


def _of_blend(learner: BlendedLearner, matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Contributions to a blend's log-odds, and their base."""
    w, n_columns = learner.weight_, matrix.shape[1]
    if w == 1:
        return logistic_contributions(learner.logistic_, matrix), learner.logistic_.intercept_
    phi, bias = _of_forest(learner.trees_.model_texts_, learner.trees_.matrix(matrix))
    phi = merge_statistics(phi, n_columns, learner.trees_.statistics_)
    if w == 0:
        return phi, bias
    phi *= 1 - w
    phi[:, :n_columns] += w * logistic_contributions(learner.logistic_, matrix)
    return phi, (1 - w) * bias + w * learner.logistic_.intercept_


def _of_forest(texts: tuple[str, ...], matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    members = [compiled_member(text) for text in texts]
    if None in members:
        # Trees too large for tables are explained by LightGBM itself: as exact, only slower.
        return _by_lightgbm(load_boosters(texts), matrix)
    phi = np.zeros(matrix.shape)
    for member in members:
        phi += member.contributions(matrix)
    return phi / len(members), sum(member.base_value for member in members) / len(members)


def _by_lightgbm(boosters: list[Any], matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    total = sum(booster.predict(matrix, pred_contrib=True) for booster in boosters) / len(boosters)
    return total[:, :-1], float(total[0, -1]) if len(total) else 0.0


def logistic_contributions(logistic: BinnedLogistic, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the binned logistic regression's contributions by column, shape (n_rows, n_columns).

    The table of each column is centred over the training rows, so its entry is the linear SHAP value
    ``beta (x - mean x)`` summed over the column's bins.
    """
    parts = zip(matrix.T, logistic.edges_, logistic.tables_, strict=True)
    return np.column_stack([table[bin_column(x, edges)] for x, edges, table in parts])


def _slope(
    calibrate: object, total: NDArray[np.float64], bias: float, base: float, score: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return ``(g(b + S) - g(b)) / S`` a row, as a column; its limit where `S` vanishes."""
    small = np.abs(total) < SMALL_SUM
    step = 1e-4
    ends = calibrate(np.array([bias - step, bias + step]))
    limit = float(ends[1] - ends[0]) / (2 * step)
    safe = np.where(small, 1.0, total)
    return np.where(small, limit, (score - base) / safe)[:, None]
