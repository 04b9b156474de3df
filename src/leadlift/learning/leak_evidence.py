"""What speaks for a column having been written after the outcome, piece by piece.

Each piece of evidence is worth points; from one point on a column is a suspect. A leak is rarely proved by
one piece: the table of points says which combinations are enough.

=============================================================== ======
piece of evidence                                               points
=============================================================== ======
strong name (of a date column)                                  0.7 (1)
weak name                                                       0.35
alone: AUC at least 0.55 / 0.70 / 0.80 / 0.90 / 0.95            0.3 / 0.4 / 0.5 / 0.8 / 1
written for won (or for lost) leads only                        1
written or not: AUC at least 0.75                               0.3
near-pure levels hold some / a tenth / half of a class          0.2 / 0.4 / 0.8
dates after the lead's creation: in a twentieth / half          0.5 / 0.7
worth much / most of what the table knows (see `dominance`)     0.3 / 0.7
=============================================================== ======

So a strong name needs some association, a weak name a strong one, and a clean strong column (AUC 0.8 alone)
passes unless the table knows little without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadlift.data.naming import LeakName, leak_words
from leadlift.learning.leak_levels import MISSING, LevelColumn
from leadlift.learning.leak_price import separation

BLOCKING_POINTS = 1.0

_SMOOTHING_ROWS = 10.0
_Z = 2.0  # standard errors by which an estimate is made cautious
_PURE_RATE = 0.02  # share of the other class in a near-pure level
_PURE_LOG_ODDS_RATIO = 3.0  # and its odds are at least 20 times those elsewhere
_PURE_ROWS = 20


@dataclass(frozen=True)
class Evidence:
    """One piece of evidence.

    Parameters
    ----------
    points : float
        Its worth; see the table of the module.
    sentence : str
        What was found, with numbers.
    """

    points: float
    sentence: str


@dataclass(frozen=True)
class ColumnFacts:
    """What is measured of one column before any learner runs.

    Parameters
    ----------
    name : str
        Column name.
    leak_name : LeakName or None
        What the name gives away.
    is_date : bool
        It holds dates.
    auc, auc_low : float
        Out-of-fold AUC of the column alone, and the same less two standard errors.
    won, lost : ndarray of shape (n_levels,), float64
        Won and lost leads of each level; the first level is missing.
    level_names : tuple of str
        What the levels are called.
    won_noted, lost_noted : int
        Won and lost leads for which something is written.
    later_share : float
        Share of the leads whose date here is more than a day after their creation; 0 for no date.
    """

    name: str
    leak_name: LeakName | None
    is_date: bool
    auc: float
    auc_low: float
    won: NDArray[np.float64]
    lost: NDArray[np.float64]
    level_names: tuple[str, ...]
    won_noted: int
    lost_noted: int
    later_share: float

    @property
    def n_won(self) -> float:
        """Won leads."""
        return float(self.won.sum())

    @property
    def n_lost(self) -> float:
        """Lost leads."""
        return float(self.lost.sum())


def column_facts(
    column: LevelColumn,
    y: NDArray[np.int64],
    folds: NDArray[np.int64],
    *,
    n_independent: tuple[int, int],
    is_date: bool = False,
    later_share: float = 0.0,
    is_built: bool = False,
) -> ColumnFacts:
    """Measure one column.

    Parameters
    ----------
    column : LevelColumn
        The column.
    y : ndarray of shape (n_rows,), int64
        Label, 0 or 1; both occur.
    folds : ndarray of shape (n_rows,), int64
        Fold of each row, from 0 upwards.
    n_independent : tuple of int
        Groups with a win, and without one: what the standard error rests on.
    is_date : bool
        The column holds dates.
    later_share : float
        Share of rows dated after the creation, in [0, 1].
    is_built : bool
        The name is not the user's, so it is no evidence.

    Returns
    -------
    ColumnFacts
    """
    won, lost = _counts(column, y, folds)
    auc = single_auc(won, lost)
    return ColumnFacts(
        name=column.name,
        leak_name=None if is_built else leak_words(column.name),
        is_date=is_date,
        auc=auc,
        auc_low=auc - _Z * auc_standard_error(auc, *n_independent),
        won=won.sum(axis=0),
        lost=lost.sum(axis=0),
        level_names=column.names,
        won_noted=int(np.sum(column.noted & (y == 1))),
        lost_noted=int(np.sum(column.noted & (y == 0))),
        later_share=later_share,
    )


def single_auc(won: NDArray[np.float64], lost: NDArray[np.float64]) -> float:
    """Return the AUC of one column alone, each fold ranked by the smoothed rates of the other folds.

    The rate of a level is (won + 10 r) / (won + lost + 10) with r the rate of all (Micci-Barreca 2001,
    doi:10.1145/507533.507538). A level that the other folds do not have gets r, so that ids are worth
    nothing.

    Parameters
    ----------
    won, lost : ndarray of shape (n_folds, n_levels), float64
        Leads by fold and level; every fold has both.

    Returns
    -------
    float
        Mean of the folds, in [0, 1].

    Examples
    --------
    >>> single_auc(np.array([[9.0, 1.0], [9.0, 1.0]]), np.array([[0.0, 10.0], [0.0, 10.0]]))
    0.95
    """
    other_won, other_lost = won.sum(axis=0) - won, lost.sum(axis=0) - lost
    other_rows = other_won + other_lost
    base = other_won.sum(axis=1, keepdims=True) / other_rows.sum(axis=1, keepdims=True)
    rate = (other_won + _SMOOTHING_ROWS * base) / (other_rows + _SMOOTHING_ROWS)
    aucs = [_auc_of_levels(rate[fold], won[fold], lost[fold]) for fold in range(len(won))]
    return float(np.mean(aucs))


def auc_standard_error(auc: float, n_won: int, n_lost: int) -> float:
    """Return the standard error of an AUC by Hanley and McNeil (1982, doi:10.1148/radiology.143.1.7063747).

    Parameters
    ----------
    auc : float
        In [0, 1].
    n_won, n_lost : int
        Leads of each class, at least 1.

    Returns
    -------
    float

    Examples
    --------
    >>> round(auc_standard_error(0.8, 50, 450), 3)
    0.039
    """
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (n_won - 1) * (q1 - auc**2) + (n_lost - 1) * (q2 - auc**2)
    return float(np.sqrt(max(spread, 0.0) / (n_won * n_lost)))


def gather(facts: ColumnFacts) -> list[Evidence]:
    """Return all evidence against a column that needs no learner.

    Parameters
    ----------
    facts : ColumnFacts
        What was measured.

    Returns
    -------
    list of Evidence
        Empty for an unsuspicious column.
    """
    found = (look(facts) for look in _LOOKS)
    return [evidence for evidence in found if evidence is not None]


def dominance(auc_with: float, auc_without: float) -> Evidence | None:
    """Return the evidence in how much weaker the table is without a column.

    With d^2 as in :func:`~.leak_price.separation`, the gain d^2(with) - d^2(without) is what the column adds.
    A gain of 2.0 is what an independent column with an AUC of 0.84 alone adds. Columns known when a lead
    is created rarely add so much while making up most of what the table knows.

    Parameters
    ----------
    auc_with, auc_without : float
        AUC of a quick learner with the column and without it.

    Returns
    -------
    Evidence or None
        0.7 points for a gain of 2.0 that is half of d^2(with); 0.3 for 1.2 and four tenths.

    Examples
    --------
    >>> dominance(0.94, 0.78).points, dominance(0.86, 0.77).points, dominance(0.80, 0.79)
    (0.7, 0.3, None)
    """
    total, gain = separation(auc_with), separation(auc_with) - separation(auc_without)
    for points, least_gain, least_share in ((0.7, 2.0, 0.5), (0.3, 1.2, 0.4)):
        if gain >= least_gain and gain >= least_share * total:
            return Evidence(points, f"it holds {gain / total:.0%} of what the table knows about the outcome")
    return None


def total_points(evidence: Sequence[Evidence]) -> float:
    """Return the sum of the points, to two decimals.

    Parameters
    ----------
    evidence : sequence of Evidence

    Returns
    -------
    float
    """
    return round(sum(piece.points for piece in evidence), 2)


def _name(facts: ColumnFacts) -> Evidence | None:
    if facts.leak_name is None:
        return None
    if facts.leak_name.strength == "weak":
        return Evidence(0.35, str(facts.leak_name))
    return Evidence(1.0 if facts.is_date else 0.7, str(facts.leak_name))


def _alone(facts: ColumnFacts) -> Evidence | None:
    for least, points in ((0.95, 1.0), (0.90, 0.8), (0.80, 0.5), (0.70, 0.4), (0.55, 0.3)):
        if facts.auc_low >= least:
            return Evidence(points, f"alone it tells won from lost leads with an AUC of {facts.auc:.3f}")
    return None


def _written_for_one_class(facts: ColumnFacts) -> Evidence | None:
    pure = _near_pure(np.array([facts.won_noted]), np.array([facts.lost_noted]), facts)
    if not pure[0]:
        return None
    which = "won" if facts.won_noted > facts.lost_noted else "lost"
    shares = f"{_percent(facts.won_noted, facts.n_won)} of the won and "
    shares += f"{_percent(facts.lost_noted, facts.n_lost)} of the lost leads"
    return Evidence(1.0, f"it is written for {which} leads only: {shares}")


def _written_or_not(facts: ColumnFacts) -> Evidence | None:
    won_share, lost_share = facts.won_noted / facts.n_won, facts.lost_noted / facts.n_lost
    if _written_for_one_class(facts) or 0.5 + abs(won_share - lost_share) / 2 < 0.75:
        return None
    shares = f"{won_share:.0%} of the won and {lost_share:.0%} of the lost leads"
    return Evidence(0.3, f"it is written for {shares}")


def _near_pure_levels(facts: ColumnFacts) -> Evidence | None:
    pure = _near_pure(facts.won, facts.lost, facts)
    pure[MISSING] &= _written_for_one_class(facts) is None
    of_won = facts.won * (pure & (facts.won > facts.lost)) / facts.n_won
    of_lost = facts.lost * (pure & (facts.lost > facts.won)) / facts.n_lost
    held = of_won if of_won.sum() >= of_lost.sum() else of_lost
    if not held.any():
        return None
    points = 0.8 if held.sum() >= 0.5 else 0.4 if held.sum() >= 0.1 else 0.2
    which, largest = ("won" if held is of_won else "lost"), int(np.argmax(held))
    rows = facts.won[largest] + facts.lost[largest]
    rate = facts.won[largest] / rows
    sentence = f"levels that are nearly all {which} hold {held.sum():.0%} of the {which} leads; "
    sentence += f"of the {rows:.0f} with {facts.level_names[largest]}, {rate:.1%} are won"
    return Evidence(points, sentence)


def _dated_after_creation(facts: ColumnFacts) -> Evidence | None:
    if facts.later_share < 0.05:
        return None
    points = 0.7 if facts.later_share >= 0.5 else 0.5
    return Evidence(points, f"{facts.later_share:.0%} of the leads are dated after their creation")


_LOOKS: tuple[Callable[[ColumnFacts], Evidence | None], ...] = (
    _name,
    _alone,
    _written_for_one_class,
    _written_or_not,
    _near_pure_levels,
    _dated_after_creation,
)


def _near_pure(won: NDArray[np.float64], lost: NDArray[np.float64], facts: ColumnFacts) -> NDArray[np.bool_]:
    """Say which levels hold nearly one class only, and far more so than the other rows do.

    The log odds ratio has half a lead added to each cell (Haldane 1956,
    doi:10.1111/j.1469-1809.1956.tb01285.x).
    """
    cells = [won + 0.5, lost + 0.5, facts.n_won - won + 0.5, facts.n_lost - lost + 0.5]
    log_odds_ratio = np.log(cells[0] * cells[3] / (cells[1] * cells[2]))
    standard_error = np.sqrt(sum(1 / cell for cell in cells))
    rows = won + lost
    is_pure = np.minimum(won, lost) <= _PURE_RATE * rows
    is_far = np.abs(log_odds_ratio) - _Z * standard_error >= _PURE_LOG_ODDS_RATIO
    return is_pure & is_far & (rows >= _PURE_ROWS)


def _counts(
    column: LevelColumn, y: NDArray[np.int64], folds: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    n_folds, n_levels = int(folds.max()) + 1, column.n_levels
    cell = folds * n_levels + column.codes
    rows = np.bincount(cell, minlength=n_folds * n_levels).reshape(n_folds, n_levels)
    won = np.bincount(cell, y, minlength=n_folds * n_levels).reshape(n_folds, n_levels)
    return won, rows - won


def _auc_of_levels(rate: NDArray[np.float64], won: NDArray[np.float64], lost: NDArray[np.float64]) -> float:
    """Area under the ROC curve where all rows of a level have its rate as score; ties count half."""
    _, place = np.unique(rate, return_inverse=True)
    won_at, lost_at = np.bincount(place, won), np.bincount(place, lost)
    lost_below = np.cumsum(lost_at) - lost_at
    return float(won_at @ (lost_below + lost_at / 2) / (won.sum() * lost.sum()))


def _percent(part: float, whole: float) -> str:
    return f"{part / whole:.1%}"
