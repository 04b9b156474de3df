"""A logistic regression on bins that scores and explains: for each column a table of log-odds."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from leadlift.learning.column_codes import ColumnCodes
from leadlift.learning.fitted.engines import AUTO, checked_engine, uses_tables
from leadlift.learning.fitted.explained import Explained
from leadlift.learning.pattern_kernels import add_bins, kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class LogisticTables:
    """The sum of an intercept and one entry of the table of each column.

    Parameters
    ----------
    edges : sequence of ndarray of float64
        For each column the ascending edges between bins; a value on an edge belongs to the bin below.
    tables : sequence of ndarray of float64
        For each column the log-odds of each bin, centred to mean 0 over the training rows; the last entry
        is that of missing.
    intercept : float
        Mean log-odds of the training rows.
    fold_tables : sequence of ndarray of float64, shape (n_bins, n_folds)
        For each column the tables learnt without each fold; none in bundles from before they were kept.
    fold_intercepts : ndarray of float64, shape (n_folds,)
    engine : {"auto", "fast", "plain"}
        ``"fast"`` finds bins by codes, ``"plain"`` by searching, ``"auto"`` by codes where there are rows
        enough. All give the same bits.

    Examples
    --------
    >>> logistic = LogisticTables(
    ...     edges=[np.array([0.5])], tables=[np.array([-1.0, 1.0, 0.0])], intercept=0.25,
    ...     fold_tables=[np.empty((3, 0))], fold_intercepts=np.empty(0),
    ... )
    >>> logistic.log_odds(np.array([[0.0], [1.0], [np.nan]]))
    array([-0.75,  1.25,  0.25])
    """

    edges: Sequence[NDArray[np.float64]] = field(repr=False)
    tables: Sequence[NDArray[np.float64]] = field(repr=False)
    intercept: float
    fold_tables: Sequence[NDArray[np.float64]] = field(repr=False)
    fold_intercepts: NDArray[np.float64] = field(repr=False)
    engine: str = AUTO

    def using(self, engine: str) -> LogisticTables:
        """Return the same tables with another engine."""
        return replace(self, engine=checked_engine(engine))

    def log_odds(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log-odds of each row.

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_columns)
            NaN for missing.

        Returns
        -------
        ndarray of float64, shape (n_rows,)
        """
        if uses_tables(self.engine, len(X)):
            return self._by_codes(X, np.empty((self._joined_tables.size, 0)), np.empty(0)).log_odds
        total = np.full(len(X), self.intercept)
        for x, edges, table in zip(X.T, self.edges, self.tables, strict=True):
            total += table[bin_column(x, edges)]
        return total

    def with_members(self, X: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the log-odds, and those learnt without each fold, shape (n_folds, n_rows)."""
        found = self.explain(X)
        return found.log_odds, found.members

    def explain(self, X: NDArray[np.float64]) -> Explained:
        """Return the log-odds and, for contributions, the entries of the tables.

        A table is centred over the training rows, so that its entry is the linear SHAP value
        ``beta (x - mean x)`` summed over the column's bins.

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_columns)

        Returns
        -------
        Explained
        """
        if uses_tables(self.engine, len(X)):
            return self._by_codes(X, self._joined_fold_tables, self.fold_intercepts)
        total = np.full(len(X), self.intercept)
        members = np.tile(self.fold_intercepts, (len(X), 1))
        contributions = np.empty(X.shape)
        parts = zip(X.T, self.edges, self.tables, self.fold_tables, strict=True)
        for j, (x, edges, table, fold_table) in enumerate(parts):
            bins = bin_column(x, edges)
            contributions[:, j] = table[bins]
            total += contributions[:, j]
            members += fold_table[bins]
        return Explained(total, np.ascontiguousarray(members.T), contributions, self.intercept)

    def _by_codes(
        self, X: NDArray[np.float64], fold_tables: NDArray[np.float64], intercepts: NDArray[np.float64]
    ) -> Explained:
        total, contributions = np.full(len(X), self.intercept), np.empty(X.shape)
        members = np.tile(intercepts, (len(X), 1))
        codes = self._codes.code(X)
        kernel(add_bins)(codes, self._starts, self._joined_tables, fold_tables, total, members, contributions)
        return Explained(total, np.ascontiguousarray(members.T), contributions, self.intercept)

    @functools.cached_property
    def _codes(self) -> ColumnCodes:
        return ColumnCodes.of(range(len(self.edges)), self.edges)

    @functools.cached_property
    def _starts(self) -> NDArray[np.int64]:
        """Place of each column's first bin among all, and the end."""
        return np.cumsum([0, *map(len, self.tables)], dtype=np.int64)

    @functools.cached_property
    def _joined_tables(self) -> NDArray[np.float64]:
        return np.concatenate(self.tables)

    @functools.cached_property
    def _joined_fold_tables(self) -> NDArray[np.float64]:
        return np.ascontiguousarray(np.concatenate(self.fold_tables))


def bin_column(x: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the bin of each value; missing is the bin after the last.

    Examples
    --------
    >>> bin_column(np.array([0.0, 1.0, 5.0, np.nan]), np.array([1.0, 3.0])).tolist()
    [0, 0, 2, 3]
    """
    bins = np.searchsorted(edges, x, side="left")
    bins[np.isnan(x)] = len(edges) + 1
    return bins
