"""Which columns and pairs of columns hold something the learner missed, told cheaply from its residuals.

With the learner's out-of-fold probability `p`, a row has the residual ``r = y - p`` of variance
``v = p (1 - p)``. Where the learner missed an effect that the rows of a cell (a level, or a pair of levels)
have in common, their residuals agree. With `R` and `V` the sums of `r` and `v` of a cell in a fold, added up
over the cells, each with the weight ``w = 1 / (1 + VARIANCE * sum of V)^2``, and over the ordered pairs of
different folds `f` and `g`, the missed effects have the variance::

    variance = sum of w R_f R_g / sum of w V_f V_g

and to know them would gain ``variance * mean of v / 2`` in log loss. Without any, the numerator has mean 0
and the standard error ``sqrt(2 * sum of w^2 V_f V_g)``; where rows of a lead are not independent it is
``sqrt(2 * sum of w^2 R_f^2 R_g^2)``, since folds hold whole leads. Those count whose numerator exceeds the
larger error by a bound that is corrected for the number of candidates (Bonferroni). The weights are the best
ones for effects of about that variance; without them a few large cells drown many small ones.

For a pair, the residuals are those that the better of its columns leaves, if that one was missed: each row's
effect is then predicted from the other folds as ``R / (V + 1 / variance)``.

References
----------
Lin, X. (1997). Variance component testing in generalised linear models with random effects. Biometrika 84(2),
309-326. doi:10.1093/biomet/84.2.309 (the test, here across folds so that no row is compared with itself)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, ndtri, stdtrit

from leadlift.learning.log_odds import log_loss_each
from leadlift.learning.target_statistics import cell_numbers, column_levels, level_codes

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

# A value is taken for a level where this many rows share it.
ROWS_A_LEVEL = 2
# Trees take columns of fewer levels apart by themselves.
LEAST_LEVELS = 10
# Variance of effects on the log-odds that the weights of cells are made for: odds times or over 1.6.
VARIANCE = 0.25
# Chance that anything at all passes where nothing was missed.
FALSE_ALARM = 0.05
# Chance that a gain which is none is taken for one.
CHANCE_GAIN = 0.025
# Bounds of the work: columns with the most levels, and rows times candidates.
MAX_COLUMNS = 40
MAX_WORK = 40_000_000


def level_columns(X: NDArray[np.float64]) -> list[int]:
    """Return the columns whose values can be taken for levels of a category.

    These are codes: whole numbers that most rows share with another row.

    Parameters
    ----------
    X : ndarray of float64, shape (n_rows, n_columns)
        NaN is missing.

    Returns
    -------
    list of int

    Examples
    --------
    >>> level_columns(np.column_stack([np.arange(20), np.arange(20) % 2, np.linspace(0, 1, 20)]))
    [1]
    """
    return [j for j in range(X.shape[1]) if _holds_levels(X[:, j])]


def _holds_levels(x: NDArray[np.float64]) -> bool:
    known = x[~np.isnan(x)]
    if not (known == np.rint(known)).all():
        return False
    levels, counts = np.unique(known, return_counts=True)
    return len(levels) > 1 and counts[counts >= ROWS_A_LEVEL].sum() > len(known) / 2


def screen_statistics(
    X: NDArray[np.float64],
    y: NDArray,
    weight: NDArray[np.float64],
    folds: NDArray[np.int64],
    log_odds: NDArray[np.float64],
    *,
    excluded: Collection[int] = (),
    most: int = 5,
) -> list[tuple[int, ...]]:
    """Name the columns and pairs whose target statistics promise to teach a learner something new.

    Parameters
    ----------
    X : ndarray of float64, shape (n_rows, n_columns)
        NaN is missing, which is a level of its own.
    y : ndarray of shape (n_rows,)
        Labels 0 and 1.
    weight : ndarray of float64, shape (n_rows,)
    folds : ndarray of int64, shape (n_rows,)
        Fold of each row, at least two.
    log_odds : ndarray of float64, shape (n_rows,)
        Out-of-fold log-odds of the learner.
    excluded : collection of int, optional
        Columns that take no part.
    most : int, default=5
        Return at most so many, those with the largest gains.

    Returns
    -------
    list of tuple of int
        Columns ``(j,)`` and pairs ``(i, j)`` with ``i < j``, by falling gain; then those columns of the pairs
        alone that have more than ten levels.

    Notes
    -----
    Of more than 40 columns those with the most levels take part; where rows times candidates exceed 40
    million, every so many-th row.
    """
    columns = [j for j in level_columns(X) if j not in excluded]
    n_levels = {j: len(column_levels(X[:, j])) for j in columns}
    columns = sorted(sorted(columns, key=lambda j: -n_levels[j])[:MAX_COLUMNS])
    candidates = [(j,) for j in columns if n_levels[j] > LEAST_LEVELS] + list(combinations(columns, 2))
    rows = slice(None, None, 1 + len(X) * len(candidates) // MAX_WORK)
    bound = float(ndtri(1 - FALSE_ALARM / max(len(candidates), 1)))
    residuals = _Residuals(X[rows], y[rows], weight[rows], folds[rows], log_odds[rows], columns, bound)
    gains = {candidate: residuals.missed(candidate).gain for candidate in candidates}
    clear = {candidate: gain for candidate, gain in gains.items() if gain > 0}
    found = sorted(clear, key=lambda candidate: (-clear[candidate], candidate))[:most]
    alone = {(j,) for candidate in found for j in candidate if n_levels[j] > LEAST_LEVELS}
    return found + sorted(alone.difference(found))


def is_clear_gain(
    y: NDArray,
    weight: NDArray[np.float64],
    folds: NDArray[np.int64],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
) -> bool:
    """Say whether out-of-fold log-odds `after` lose clearly less than `before`.

    The mean gains in log loss of the folds are put to a one-sided t test; folds hold whole leads, so that
    rows of one lead are not taken for independent ones.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Labels 0 and 1.
    weight : ndarray of float64, shape (n_rows,)
    folds : ndarray of int64, shape (n_rows,)
        Fold of each row, at least two.
    before, after : ndarray of float64, shape (n_rows,)

    Returns
    -------
    bool
        True where the hypothesis of no gain is refused at 2.5 %.

    Examples
    --------
    >>> y, folds = np.tile([0, 1], 12), np.repeat([0, 1, 2], 8)
    >>> is_clear_gain(y, np.ones(24), folds, np.zeros(24), np.where(y > 0, 0.5, -0.5) + 0.1 * folds)
    True
    """
    gain = log_loss_each(y, before) - log_loss_each(y, after)
    rows = np.bincount(folds, weight)
    by_fold = np.bincount(folds, weight * gain)[rows > 0] / rows[rows > 0]
    n_folds = len(by_fold)
    error = by_fold.std(ddof=1) / np.sqrt(n_folds)
    return bool(by_fold.mean() > stdtrit(n_folds - 1, 1 - CHANCE_GAIN) * error)


@dataclass(frozen=True)
class _Missed:
    """Gain in log loss and variance of the effects a learner missed; both 0 where they are not clear."""

    gain: float = 0.0
    variance: float = 0.0


class _Residuals:
    """What cells say about the residuals of out-of-fold log-odds."""

    def __init__(
        self,
        X: NDArray[np.float64],
        y: NDArray,
        weight: NDArray[np.float64],
        folds: NDArray[np.int64],
        log_odds: NDArray[np.float64],
        columns: list[int],
        bound: float,
    ) -> None:
        self._y, self._weight, self._folds, self._log_odds = y, weight, folds, log_odds
        self._bound = bound
        self._n_folds = int(folds.max()) + 1
        self._levels = {j: column_levels(X[:, j]) for j in columns}
        self._codes = {j: level_codes(X[:, j], levels) for j, levels in self._levels.items()}
        self._left = self._residuals(log_odds)
        self._alone = {j: self._test((j,), *self._left) for j in columns}
        self._left_by = {j: self._without_effects(j, found) for j, found in self._alone.items() if found.gain}

    def missed(self, columns: tuple[int, ...]) -> _Missed:
        """Return what the learner missed of a column, or of a pair beyond the better of its columns."""
        if len(columns) == 1:
            return self._alone[columns[0]]
        better = max(columns, key=lambda j: self._alone[j].gain)
        return self._test(columns, *self._left_by.get(better, self._left))

    def _residuals(self, log_odds: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        p = expit(log_odds)
        return self._weight * (self._y - p), self._weight * p * (1 - p)

    def _test(self, columns: tuple[int, ...], residual: NDArray, variance: NDArray) -> _Missed:
        place, shape = self._places(columns)
        R, V = (np.bincount(place, each, shape[0] * shape[1]).reshape(shape) for each in (residual, variance))
        cell_weight = 1 / (1 + VARIANCE * V.sum(axis=0)) ** 2
        agreement, possible = cell_weight @ _between_folds(R), cell_weight @ _between_folds(V)
        error = np.sqrt(2 * max(cell_weight**2 @ _between_folds(V), cell_weight**2 @ _between_folds(R**2)))
        if agreement <= self._bound * error:
            return _Missed()
        of_effects = agreement / possible
        return _Missed(float(of_effects * variance.mean() / 2), float(of_effects))

    def _without_effects(self, column: int, found: _Missed) -> tuple[NDArray, NDArray]:
        """Return the residuals and their variances once the effects of a column's levels are known."""
        place, shape = self._places((column,))
        R, V = (np.bincount(place, each, shape[0] * shape[1]).reshape(shape) for each in self._left)
        effects = (R.sum(axis=0) - R) / (V.sum(axis=0) - V + 1 / found.variance)
        return self._residuals(self._log_odds + effects.ravel()[place])

    def _places(self, columns: tuple[int, ...]) -> tuple[NDArray[np.int64], tuple[int, int]]:
        """Number the fold and cell of each row; return the numbers of folds and cells too."""
        numbers = cell_numbers(columns, self._codes, self._levels)
        if numbers.max(initial=0) > len(numbers):
            numbers = np.unique(numbers, return_inverse=True)[1]
        n_cells = int(numbers.max(initial=0)) + 1
        return self._folds * n_cells + numbers, (self._n_folds, n_cells)


def _between_folds(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add up the products of different folds' sums, shape (n_folds, n_cells), for each cell."""
    return sums.sum(axis=0) ** 2 - (sums**2).sum(axis=0)
