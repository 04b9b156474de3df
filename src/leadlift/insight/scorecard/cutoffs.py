"""The points from which a card decides most like the scorer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leadlift.learning.cutoff import passes, thresholds
from leadlift.learning.encoding import as_inputs
from leadlift.terms import Stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.learning.scorer import LeadScorer


def stage_decisions(
    scorer: LeadScorer, X: Any, score: NDArray[np.float64], log_odds: NDArray[np.float64]
) -> dict[str, NDArray[np.bool_]]:
    """Return which leads the scorer qualifies, by stage.

    Parameters
    ----------
    scorer : LeadScorer
    X : table or array of shape (n_rows, n_columns)
    score, log_odds : ndarray of float64, shape (n_rows,)
        Of the leads.

    Returns
    -------
    dict of str to ndarray of bool, shape (n_rows,)
    """
    cutoffs = {Stage.MQL.value: scorer.cutoff_, Stage.SQL.value: scorer.sql_cutoff_}
    inputs = as_inputs(X)
    return {
        stage: passes(score, thresholds(cutoff, inputs), log_odds=log_odds, tie_break=cutoff.tie_break)
        for stage, cutoff in cutoffs.items()
        if cutoff is not None
    }


def best_cutoff(points: NDArray[np.int64], qualified: NDArray[np.bool_], highest: int) -> int:
    """Return the points from which the card decides most like the scorer, by Cohen's kappa.

    Plain agreement would let nobody pass where few qualify. Source: Cohen 1960,
    doi:10.1177/001316446002000104. Among equals the cut-off with the higher agreement is taken, then the
    lower one.

    Parameters
    ----------
    points : ndarray of int64, shape (n_rows,)
    qualified : ndarray of bool, shape (n_rows,)
        What the scorer decides.
    highest : int
        Most points there are.

    Returns
    -------
    int
        0 to ``highest + 1``, which nobody reaches.

    Examples
    --------
    >>> best_cutoff(np.array([10, 30, 40, 80]), np.array([False, False, True, True]), 100)
    31
    """
    n, n_qualified = len(points), int(qualified.sum())
    n_passed = _at_least(points, highest)
    n_both = _at_least(points[qualified], highest)
    agreed = (n - n_passed - n_qualified + 2 * n_both) / n
    by_chance = (n_passed * n_qualified + (n - n_passed) * (n - n_qualified)) / n**2
    kappa = np.divide(agreed - by_chance, 1 - by_chance, out=np.zeros(len(agreed)), where=by_chance < 1)
    return max(range(len(kappa)), key=lambda cut: (round(kappa[cut], 12), agreed[cut]))


def _at_least(points: NDArray[np.int64], highest: int) -> NDArray[np.int64]:
    """Leads with at least 0, 1, … ``highest + 1`` points."""
    return np.cumsum(np.bincount(points, minlength=highest + 2)[::-1])[::-1]
