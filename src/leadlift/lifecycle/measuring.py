"""What became of a promise on leads that took no part in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from leadlift.learning.cutoff.evidence import passes
from leadlift.learning.cutoff.lead_value import thresholds
from leadlift.learning.intervals import clopper_pearson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.lifecycle.holdout import Holdout
    from leadlift.lifecycle.preparing import Problem
    from leadlift.terms import Cutoff, Interval


def passed_on_test(
    problem: Problem,
    split: Holdout,
    score: NDArray,
    log_odds: NDArray,
    cutoff: Cutoff,
) -> NDArray:
    """Return which test rows reach a cut-off.

    Parameters
    ----------
    problem : Problem
    split : Holdout
    score, log_odds : ndarray of float64, shape (n_test,)
        Published and uncalibrated scores of the test rows.
    cutoff : Cutoff

    Returns
    -------
    ndarray of bool, shape (n_test,)
    """
    edge = thresholds(cutoff, problem.inputs.take(pa.array(split.test)))
    return passes(score, edge, log_odds=log_odds, tie_break=cutoff.tie_break)


def kept_on_test(
    problem: Problem,
    split: Holdout,
    score: NDArray,
    log_odds: NDArray,
    cutoff: Cutoff,
) -> Interval | None:
    """Return the precision of a cut-off on the test rows, None where none of them reaches it.

    Parameters
    ----------
    problem, split, score, log_odds, cutoff
        As for :func:`passed_on_test`.

    Returns
    -------
    Interval or None
    """
    passed = passed_on_test(problem, split, score, log_odds, cutoff)
    won = problem.y[split.test] > 0
    return clopper_pearson(int((passed & won).sum()), int(passed.sum())) if passed.any() else None
