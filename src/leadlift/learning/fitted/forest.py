"""A bag of boosters that scores and explains: the mean of its members on the log-odds scale."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from leadlift.learning.fitted.engines import AUTO, FAST, LIGHTGBM, checked_engine, uses_tables
from leadlift.learning.fitted.explained import Explained
from leadlift.learning.lightgbm_library import NativeBooster
from leadlift.learning.lightgbm_text import Tree, UnsupportedForestError, parse_model
from leadlift.learning.patterns import PatternForest
from leadlift.learning.target_statistics import NO_STATISTICS, TargetStatistics, merge_statistics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# LightGBM divides products back out for SHAP values, which costs it digits; a wrong path costs far more.
TOLERANCE = 1e-8
# LightGBM takes a millisecond or two to explain a row.
ROWS_EXPLAINED = 16
# Tables of the bags used last; they follow from the texts alone, so that nobody sees the difference.
BAGS_KEPT = 24


@dataclass(frozen=True, eq=False)
class Forest:
    """The mean of a bag of boosters.

    Parameters
    ----------
    model_texts : tuple of str
        Members in LightGBM's text format.
    statistics : TargetStatistics
        Columns the trees split after those of the matrix.
    engine : {"auto", "fast", "plain", "lightgbm"}
        See :mod:`leadlift.learning.fitted.engines`. All give the same bits of log-odds. Trees that do not fit
        tables are scored by LightGBM whatever the engine.
    """

    model_texts: tuple[str, ...] = field(repr=False)
    statistics: TargetStatistics = field(default=NO_STATISTICS, repr=False)
    engine: str = AUTO

    def using(self, engine: str) -> Forest:
        """Return the same forest with another engine."""
        return replace(self, engine=checked_engine(engine))

    def matrix(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the trees split: the columns of `X` and, after them, the target statistics."""
        if not self.statistics.statistics:
            return X
        by_codes = uses_tables(self.engine, len(X))
        return np.column_stack([X, self.statistics.transform(X, by_codes=by_codes)])

    def log_odds(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean log-odds of the members.

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_columns)
            NaN for missing.

        Returns
        -------
        ndarray of float64, shape (n_rows,)
        """
        return self.with_members(X)[0]

    def with_members(self, X: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the mean log-odds, and those that each member gives alone.

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_columns)

        Returns
        -------
        log_odds : ndarray of float64, shape (n_rows,)
        members : ndarray of float64, shape (n_members, n_rows)
            The raw scores of LightGBM, bit for bit, whatever the engine.
        """
        matrix = self.matrix(X)
        tables = pattern_tables(self.model_texts) if uses_tables(self.engine, len(X)) else None
        members = self._by_lightgbm(matrix) if tables is None else tables.raw_by_booster(matrix)
        return _mean(members), members

    def explain(self, X: NDArray[np.float64]) -> Explained:
        """Return the log-odds and the exact path-dependent SHAP values they are the sum of.

        Trees too large for decision-pattern tables are explained by LightGBM itself: as exact, only slower.

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_columns)

        Returns
        -------
        Explained
            Its contributions are those of the columns of `X` and, after them, of pairs of columns.
        """
        matrix = self.matrix(X)
        tables = None if self.engine == LIGHTGBM else pattern_tables(self.model_texts)
        if tables is None:
            members = self._by_lightgbm(matrix)
            contributions, base = self._contributions_by_lightgbm(matrix)
        else:
            members, contributions = tables.explain(matrix)
            base = tables.base_value
        merged = merge_statistics(contributions, X.shape[1], self.statistics)
        return Explained(_mean(members), members, merged, base)

    def thresholds(self, n_columns: int) -> list[NDArray[np.float64]]:
        """Return the distinct thresholds of each column of the matrix, for numeric trees."""
        splits: list[list[NDArray[np.float64]]] = [[np.empty(0)] for _ in range(n_columns)]
        for tree in _trees(self.model_texts):
            for feature, threshold in zip(tree.split_feature.tolist(), tree.threshold, strict=True):
                if feature < n_columns:
                    splits[feature].append(threshold[None])
        return [np.unique(np.concatenate(found)) for found in splits]

    def table_fault(self, X: NDArray[np.float64]) -> str:
        """Say what speaks against scoring by tables.

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_columns)
            Rows on which tables and LightGBM are compared; 1,000 cost some 25 ms for 400 trees.

        Returns
        -------
        str
            That the trees do not fit tables, or that these differ from LightGBM; empty where all is well.
        """
        if pattern_tables(self.model_texts) is None:
            return _refusal(self.model_texts)
        fast, slow = self.using(FAST), self.using(LIGHTGBM)
        found, few = fast.explain(X), X[:ROWS_EXPLAINED]
        differences = [
            np.abs(found.members - slow.with_members(X)[1]),
            np.abs(found.base + found.contributions.sum(axis=1) - found.log_odds),
            np.abs(found.contributions[:ROWS_EXPLAINED] - slow.explain(few).contributions),
        ]
        worst = float(np.max([np.max(each, initial=0.0) for each in differences]))
        if worst <= TOLERANCE:
            return ""
        return f"decision-pattern tables differ from LightGBM by up to {worst:.3g} on {len(X)} rows"

    @functools.cached_property
    def _boosters(self) -> tuple[NativeBooster, ...]:
        return tuple(NativeBooster(text) for text in self.model_texts)

    def _by_lightgbm(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array([booster.raw(matrix) for booster in self._boosters])

    def _contributions_by_lightgbm(self, matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        # One row more than asked for, because the base is read from a row.
        rows = np.vstack([matrix, np.zeros((1, matrix.shape[1]))])
        mean = sum(booster.contributions(rows) for booster in self._boosters) / len(self._boosters)
        return mean[:-1, :-1], float(mean[-1, -1])


@functools.lru_cache(maxsize=BAGS_KEPT)
def pattern_tables(model_texts: tuple[str, ...]) -> PatternForest | None:
    """Return the mean of a bag as decision-pattern tables; None where its trees are too large."""
    try:
        return _tabulated(model_texts)
    except UnsupportedForestError:
        return None


def _trees(model_texts: tuple[str, ...]) -> Iterator[Tree]:
    for text in model_texts:
        try:
            yield from parse_model(text).trees
        except UnsupportedForestError:
            return


def _tabulated(model_texts: tuple[str, ...]) -> PatternForest:
    return PatternForest.from_model_texts(model_texts, np.full(len(model_texts), 1 / len(model_texts)))


def _refusal(model_texts: tuple[str, ...]) -> str:
    """Say why trees do not fit tables."""
    try:
        _tabulated(model_texts)
    except UnsupportedForestError as error:
        return str(error)
    return ""


def _mean(members: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average members one by one: NumPy's sum over an axis may add in another order."""
    return sum(members, np.zeros(members.shape[1])) / len(members)
