"""Target statistics: what share of the leads with this level, or this pair of levels, was won.

Trees that read categories as ordered numbers cannot take thousands of levels apart, nor pairs of them. Two
numbers say what is known of a cell, which is a level of a column or a pair of levels of two: with `n` of all
`N` weighted rows, `k` of them won, and the share `p` of won leads among all rows::

    rate = (k + strength * p) / (n + strength)        support = n / N

The trees split both like any number, and so judge by themselves how far to trust a rate. `strength` is learnt
by the log loss of out-of-fold rates.

Nothing leaks, because counts add up over folds: for the member of the bag that holds out fold `k`, the counts
of a training row in fold `j` are those without the folds `j` and `k`, and those of a row in fold `k` without
`k`. New leads get the counts of all training rows; a cell never seen has the rate `p` and no support.

References
----------
Micci-Barreca, D. (2001). A preprocessing scheme for high-cardinality categorical attributes in
classification and prediction problems. SIGKDD Explorations 3(1), 27-32. doi:10.1145/507533.507538
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leadlift.learning.column_codes import MISSING, MOST_THRESHOLDS, ColumnCodes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

# Up to so many possible cells, what is known of each stands in a table by its number.
MOST_TABULATED = 2**20
# Rows that the share of all leads is worth against those of a cell.
STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)


def column_levels(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distinct values that are not missing, ascending."""
    return np.unique(x[~np.isnan(x)])


def level_codes(x: NDArray[np.float64], levels: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the place of each value among its column's levels; one more is missing, two more unseen.

    Examples
    --------
    >>> level_codes(np.array([7.0, np.nan, 8.0]), levels=np.array([3.0, 7.0])).tolist()
    [1, 2, 3]
    """
    codes = np.searchsorted(levels, x)
    if len(levels):
        codes[levels[np.minimum(codes, len(levels) - 1)] != x] = len(levels) + 1
    codes[np.isnan(x)] = len(levels)
    return codes


def cell_numbers(
    columns: tuple[int, ...],
    codes: Mapping[int, NDArray[np.int64]],
    levels: Mapping[int, NDArray[np.float64]],
) -> NDArray[np.int64]:
    """Number the cell of each row: the codes of its columns, read as the digits of one number."""
    numbers = codes[columns[0]]
    for column in columns[1:]:
        numbers = numbers * (len(levels[column]) + 2) + codes[column]
    return numbers


@dataclass(frozen=True)
class CellStatistics:
    """What is known of each cell of a column or of a pair of columns.

    Parameters
    ----------
    columns : tuple of int
        One or two columns of the matrix.
    strength : float
        Rows that the share of all leads is worth.
    cells : ndarray of int64, shape (n_cells,)
        Numbers of the cells (:func:`cell_numbers`), ascending.
    rates : ndarray of float64, shape (n_cells,)
        Smoothed share of won rows.
    support : ndarray of float64, shape (n_cells,)
        Share of the weighted rows.
    """

    columns: tuple[int, ...]
    strength: float
    cells: NDArray[np.int64]
    rates: NDArray[np.float64]
    support: NDArray[np.float64]

    def places(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the place of each cell among `cells`, or one behind the last for a cell never seen."""
        places = np.searchsorted(self.cells, numbers)
        found = self.cells[np.minimum(places, len(self.cells) - 1)] == numbers
        return np.where(found, places, len(self.cells))


@dataclass(frozen=True)
class TargetStatistics:
    """Smoothed shares of won leads, and their support, by columns and pairs of columns.

    Parameters
    ----------
    base : float
        Share of won rows, the rate of a cell never seen.
    levels : mapping of int to ndarray of float64
        Of each column used, its levels in ascending order; missing is no level of the list.
    statistics : tuple of CellStatistics

    Examples
    --------
    >>> X = np.array([[0.0], [0.0], [1.0], [1.0]])
    >>> y, folds = np.array([1, 1, 0, 0]), np.array([0, 1, 0, 1])
    >>> learnt = FoldedStatistics(X, y, np.ones(4), folds, [(0,)], strengths=(2.0,)).learnt
    >>> learnt.transform(np.array([[0.0], [1.0], [7.0]]))
    array([[0.75, 0.5 ],
           [0.25, 0.5 ],
           [0.5 , 0.  ]])
    """

    base: float
    levels: Mapping[int, NDArray[np.float64]]
    statistics: tuple[CellStatistics, ...]

    @property
    def pairs(self) -> tuple[tuple[int, ...], ...]:
        """The pairs of columns among the statistics."""
        return tuple(learnt.columns for learnt in self.statistics if len(learnt.columns) == 2)

    def transform(self, X: NDArray[np.float64], *, by_codes: bool = False) -> NDArray[np.float64]:
        """Look up what is known of new rows.

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_columns)
            NaN is missing, which is a level of its own.
        by_codes : bool, default=False
            Use tables, which take a moment to make and pay for many rows; the result is the same.

        Returns
        -------
        ndarray of float64, shape (n_rows, 2 * n_statistics)
            Rate in [0, 1] and support of one statistic after the other.
        """
        codes = self._codes_by_table(X) if by_codes else self._codes_by_search(X)
        tables = self._tables if by_codes else (None,) * len(self.statistics)
        known = np.empty((len(X), 2 * len(self.statistics)))
        for k, (learnt, table) in enumerate(zip(self.statistics, tables, strict=True)):
            numbers = cell_numbers(learnt.columns, codes, self.levels)
            if table is None:
                numbers, table = learnt.places(numbers), self._known(learnt)
            rates, support = table
            known[:, 2 * k], known[:, 2 * k + 1] = rates[numbers], support[numbers]
        return known

    def _known(self, learnt: CellStatistics) -> NDArray[np.float64]:
        """Rates and support of the cells, and those of a cell never seen."""
        return np.array([np.append(learnt.rates, self.base), np.append(learnt.support, 0.0)])

    def _codes_by_search(self, X: NDArray[np.float64]) -> dict[int, NDArray[np.int64]]:
        return {j: level_codes(X[:, j], levels) for j, levels in self.levels.items()}

    def _codes_by_table(self, X: NDArray[np.float64]) -> dict[int, NDArray[np.int64]]:
        """As :func:`level_codes` gives them; columns of very many levels are searched."""
        codes = {j: level_codes(X[:, j], self.levels[j]) for j in self.levels if j not in self._coded}
        below = self._level_codes.code(X).astype(np.int64)
        for j, code in zip(self._coded, below, strict=True):
            levels = self.levels[j]
            # A code is the number of lower levels, which is the place of the level that the value may be.
            is_level = np.append(levels, np.nan)[code] == X[:, j]
            codes[j] = np.where(is_level, code, len(levels) + 1)
            codes[j][code == MISSING] = len(levels)
        return codes

    @functools.cached_property
    def _coded(self) -> tuple[int, ...]:
        return tuple(j for j, levels in self.levels.items() if len(levels) <= MOST_THRESHOLDS)

    @functools.cached_property
    def _level_codes(self) -> ColumnCodes:
        return ColumnCodes.of(self._coded, [self.levels[j] for j in self._coded])

    @functools.cached_property
    def _tables(self) -> tuple[NDArray[np.float64] | None, ...]:
        """For each statistic, rates and support by the number of the cell; None where there are too many."""
        return tuple(map(self._table, self.statistics))

    def _table(self, learnt: CellStatistics) -> NDArray[np.float64] | None:
        n_cells = int(np.prod([len(self.levels[j]) + 2 for j in learnt.columns]))
        if n_cells > MOST_TABULATED:
            return None
        return self._known(learnt)[:, learnt.places(np.arange(n_cells))]


NO_STATISTICS = TargetStatistics(0.5, {}, ())


def merge_statistics(
    contributions: NDArray[np.float64], n_columns: int, statistics: TargetStatistics
) -> NDArray[np.float64]:
    """Add the contributions of rate and support to those of their column, or make them one of their pair.

    Parameters
    ----------
    contributions : ndarray of float64, shape (n_rows, n_columns + 2 * n_statistics)
        Of the columns and, after them, of rate and support of each statistic.
    n_columns : int
    statistics : TargetStatistics

    Returns
    -------
    ndarray of float64, shape (n_rows, n_columns + n_pairs)
        The sum of each row stays what it was.
    """
    if not statistics.statistics:
        return contributions
    place_of = {(j,): j for j in range(n_columns)}
    place_of |= {pair: n_columns + k for k, pair in enumerate(statistics.pairs)}
    merged = np.zeros((len(contributions), len(place_of)))
    merged[:, :n_columns] = contributions[:, :n_columns]
    for k, learnt in enumerate(statistics.statistics):
        first = n_columns + 2 * k
        merged[:, place_of[learnt.columns]] += contributions[:, first] + contributions[:, first + 1]
    return merged


@dataclass(frozen=True)
class FoldedCounts:
    """Weighted rows and won rows by cell and fold.

    Parameters
    ----------
    cells : ndarray of int64, shape (n_cells,)
        Numbers of the cells, ascending.
    cell : ndarray of int64, shape (n_rows,)
        Place of each training row's cell among `cells`.
    folds : ndarray of int64, shape (n_rows,)
    rows, won : ndarray of float64, shape (n_cells, n_folds)
    """

    cells: NDArray[np.int64]
    cell: NDArray[np.int64]
    folds: NDArray[np.int64]
    rows: NDArray[np.float64]
    won: NDArray[np.float64]

    @classmethod
    def count(
        cls,
        numbers: NDArray[np.int64],
        folds: NDArray[np.int64],
        rows: NDArray[np.float64],
        won: NDArray[np.float64],
    ) -> FoldedCounts:
        """Add up the training rows' weights `rows`, and `won` of them, by cell and fold."""
        cells, cell = np.unique(numbers, return_inverse=True)
        shape = (len(cells), int(folds.max()) + 1)
        place = cell * shape[1] + folds

        def added(weights: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.bincount(place, weights, shape[0] * shape[1]).reshape(shape)

        return cls(cells, cell, folds, added(rows), added(won))

    def held_out(self, member: int | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return for each training row its cell's rows and won rows without its own fold and `member`'s."""
        return self._without(self.rows, member), self._without(self.won, member)

    def whole(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return each cell's rows and won rows of all folds."""
        return self.rows.sum(axis=1), self.won.sum(axis=1)

    def _without(self, counts: NDArray[np.float64], member: int | None) -> NDArray[np.float64]:
        # What stays is added up anew: differences of sums of weights could fall below zero by rounding.
        n_cells, n_folds = counts.shape
        left = np.empty((n_folds, n_cells))
        for fold in range(n_folds):
            left[fold] = counts[:, [k for k in range(n_folds) if k not in {fold, member}]].sum(axis=1)
        return left[self.folds, self.cell]


def can_leave_two_out(y: NDArray, weight: NDArray[np.float64], folds: NDArray[np.int64]) -> bool:
    """Say whether won and lost rows are left whichever two folds are left out."""
    return all((np.bincount(folds, weight * (y == outcome)) > 0).sum() > 2 for outcome in (0, 1))


class FoldedStatistics:
    """Target statistics while a bag is learnt: out of fold for its members, whole for new rows.

    Parameters
    ----------
    X : ndarray of float64, shape (n_rows, n_columns)
        NaN is missing, which is a level of its own.
    y : ndarray of shape (n_rows,)
        Labels 0 and 1.
    weight : ndarray of float64, shape (n_rows,)
    folds : ndarray of int64, shape (n_rows,)
        Fold of each row, whole leads in each; whichever two are left out, won and lost rows stay
        (:func:`can_leave_two_out`).
    columns : sequence of tuple of int
        The column, or the pair of columns, of each statistic.
    strengths : tuple of float
        To choose from, in rows.

    Attributes
    ----------
    learnt : TargetStatistics
        Of all training rows.
    """

    def __init__(
        self,
        X: NDArray[np.float64],
        y: NDArray,
        weight: NDArray[np.float64],
        folds: NDArray[np.int64],
        columns: Sequence[tuple[int, ...]],
        strengths: tuple[float, ...] = STRENGTHS,
    ) -> None:
        won = weight * (y > 0)
        levels = {j: column_levels(X[:, j]) for j in sorted({j for pair in columns for j in pair})}
        codes = {j: level_codes(X[:, j], levels[j]) for j in levels}
        numbers = [cell_numbers(pair, codes, levels) for pair in columns]
        self._all = FoldedCounts.count(np.zeros(len(y), dtype=np.int64), folds, weight, won)
        self._counts = [FoldedCounts.count(each, folds, weight, won) for each in numbers]
        self._strengths = [self._best_strength(counts, y, weight, strengths) for counts in self._counts]
        self.learnt = self._whole(columns, levels)

    def member_columns(self, member: int) -> NDArray[np.float64]:
        """Return the statistics of the training rows for the member of the bag that holds out a fold.

        Parameters
        ----------
        member : int
            Fold held out.

        Returns
        -------
        ndarray of float64, shape (n_rows, 2 * n_statistics)
            Rate and support of one statistic after the other.
        """
        known = np.empty((len(self._all.cell), 2 * len(self._counts)))
        for place, (counts, strength) in enumerate(zip(self._counts, self._strengths, strict=True)):
            known[:, 2 * place], known[:, 2 * place + 1] = self._held_out(counts, strength, member)
        return known

    def _held_out(
        self, counts: FoldedCounts, strength: float, member: int | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return _rate_and_support(counts.held_out(member), self._all.held_out(member), strength)

    def _best_strength(
        self, counts: FoldedCounts, y: NDArray, weight: NDArray[np.float64], strengths: tuple[float, ...]
    ) -> float:
        """Return the strength whose out-of-fold rates have the least log loss."""

        def loss(strength: float) -> float:
            rate, _ = self._held_out(counts, strength)
            each = -np.log(np.where(y > 0, rate, 1 - rate))
            # Ties would else be broken by the order in which the rows are added up.
            return round(float(np.average(each, weights=weight)), 9)

        return min(strengths, key=loss)

    def _whole(
        self, columns: Sequence[tuple[int, ...]], levels: Mapping[int, NDArray[np.float64]]
    ) -> TargetStatistics:
        (all_rows,), (all_won,) = self._all.whole()
        statistics = []
        for pair, counts, strength in zip(columns, self._counts, self._strengths, strict=True):
            rate, support = _rate_and_support(counts.whole(), (all_rows, all_won), strength)
            statistics.append(CellStatistics(pair, strength, counts.cells, rate, support))
        return TargetStatistics(float(all_won / all_rows), levels, tuple(statistics))


Counts = tuple["NDArray[np.float64] | float", "NDArray[np.float64] | float"]


def _rate_and_support(cell: Counts, everything: Counts, strength: float) -> tuple[Any, Any]:
    """Return the smoothed rate and the support, from the rows and won rows of a cell and of all."""
    rows, won = cell
    all_rows, all_won = everything
    return (won + strength * all_won / all_rows) / (rows + strength), rows / all_rows
