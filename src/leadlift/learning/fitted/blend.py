"""The default model: trees and a logistic regression, averaged on the log-odds scale, and segments of it."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from leadlift.learning.fitted.engines import FAST, uses_tables
from leadlift.learning.fitted.explained import Explained
from leadlift.learning.target_statistics import NO_STATISTICS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from leadlift.learning.fitted.forest import Forest
    from leadlift.learning.fitted.logistic import LogisticTables
    from leadlift.learning.target_statistics import TargetStatistics

# Intermediate results of so many rows stay in the processor's cache.
BLOCK_ROWS = 4096

LogOddsWithMembers = tuple["NDArray[np.float64]", "NDArray[np.float64]"]


@dataclass(frozen=True, eq=False)
class Segment:
    """The blend of one segment and how far it is believed.

    Parameters
    ----------
    code : float
        Value of the segment's column.
    weight : float
        In (0, 1]; the pooled blend has the rest.
    blend : Blend
    """

    code: float
    weight: float
    blend: Blend


@dataclass(frozen=True, eq=False)
class Blend:
    """``log_odds = (1 - weight) * forest + weight * logistic``, mixed with blends of segments.

    On the rows of segment s, ``log_odds = (1 - w_s) * pooled + w_s * of the segment``.

    Parameters
    ----------
    forest : Forest
    logistic : LogisticTables
    weight : float
        Of the logistic member, in [0, 1]; a member without weight is not asked.
    segment_column : int
        Column whose values are the segments.
    segments : tuple of Segment
        None of them where empty.
    """

    forest: Forest
    logistic: LogisticTables
    weight: float
    segment_column: int = 0
    segments: tuple[Segment, ...] = field(default=(), repr=False)

    @property
    def statistics(self) -> TargetStatistics:
        """What the trees split beside the columns; nothing where trees have no say."""
        return NO_STATISTICS if self.weight == 1 else self.forest.statistics

    def using(self, engine: str) -> Blend:
        """Return the same blend with another engine of its forests."""
        segments = tuple(replace(each, blend=each.blend.using(engine)) for each in self.segments)
        return replace(
            self, forest=self.forest.using(engine), logistic=self.logistic.using(engine), segments=segments
        )

    def forests(self) -> list[Forest]:
        """Return the forests that have a say, that of the pooled blend first."""
        own = [self.forest] if self.weight < 1 else []
        return own + [forest for segment in self.segments for forest in segment.blend.forests()]

    def table_fault(self, X: NDArray[np.float64]) -> str:
        """Say what speaks against scoring by tables; empty where all is well.

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_columns)
            Rows on which tables and LightGBM are compared.

        Returns
        -------
        str
            See :meth:`leadlift.learning.fitted.forest.Forest.table_fault`.
        """
        return next(filter(None, (forest.table_fault(X) for forest in self.forests())), "")

    def log_odds(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log-odds of each row.

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_columns)
            C-contiguous, NaN for missing.

        Returns
        -------
        ndarray of float64, shape (n_rows,)
        """
        blend, log_odds = self._for(len(X)), np.empty(len(X))
        for rows in _blocks(len(X)):
            log_odds[rows] = blend._log_odds(X[rows])
        return log_odds

    def with_members(self, X: NDArray[np.float64]) -> LogOddsWithMembers:
        """Return the log-odds, and those that each member would give alone.

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_columns)

        Returns
        -------
        log_odds : ndarray of float64, shape (n_rows,)
            As :meth:`log_odds` gives them, bit for bit.
        members : ndarray of float64, shape (n_members, n_rows)
            Each member was learnt without one of the folds; no row where there are no members.
        """
        blend, log_odds, members = self._for(len(X)), np.empty(len(X)), np.empty((self.n_members, len(X)))
        for rows in _blocks(len(X)):
            log_odds[rows], members[:, rows] = blend._with_members(X[rows])
        return log_odds, members

    def explain(self, X: NDArray[np.float64]) -> Explained:
        """Return the log-odds and the exact contributions they are the sum of.

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_columns)

        Returns
        -------
        Explained
            Its first two fields are those of :meth:`with_members`, bit for bit.
        """
        blend, log_odds, members = self._for(len(X)), np.empty(len(X)), np.empty((self.n_members, len(X)))
        contributions, base = np.empty((len(X), X.shape[1] + len(self.statistics.pairs))), 0.0
        for rows in _blocks(len(X)):
            log_odds[rows], members[:, rows], contributions[rows], base = blend._explain(X[rows])
        return Explained(log_odds, members, contributions, base)

    @property
    def n_members(self) -> int:
        """Members whose log-odds :meth:`with_members` gives."""
        return len(self.logistic.fold_intercepts) if self.weight == 1 else len(self.forest.model_texts)

    @functools.cached_property
    def _fast(self) -> Blend:
        return self.using(FAST)

    def _for(self, n_rows: int) -> Blend:
        """Return the blend with the engine that suits so many rows."""
        engine = self.forest.engine
        return self._fast if engine != FAST and uses_tables(engine, n_rows) else self

    def _log_odds(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        log_odds = self._pooled(X)
        for segment in self.segments:
            rows, w = self._rows_of(segment, X), segment.weight
            log_odds[rows] = (1 - w) * log_odds[rows] + w * segment.blend._log_odds(X[rows])
        return log_odds

    def _with_members(self, X: NDArray[np.float64]) -> LogOddsWithMembers:
        log_odds, members = self._pooled_with_members(X)
        for segment in self.segments:
            rows, w = self._rows_of(segment, X), segment.weight
            own, own_members = segment.blend._with_members(X[rows])
            log_odds[rows] = (1 - w) * log_odds[rows] + w * own
            members[:, rows] = (1 - w) * members[:, rows] + w * own_members
        return log_odds, members

    def _explain(self, X: NDArray[np.float64]) -> Explained:
        log_odds, members, contributions, base = self._pooled_explained(X)
        for segment in self.segments:
            rows, w = self._rows_of(segment, X), segment.weight
            own = segment.blend._explain(X[rows])
            log_odds[rows] = (1 - w) * log_odds[rows] + w * own.log_odds
            members[:, rows] = (1 - w) * members[:, rows] + w * own.members
            contributions[rows] *= 1 - w
            contributions[rows, : X.shape[1]] += w * own.contributions
            # Another base is what it says of a lead to be of the segment.
            contributions[rows, self.segment_column] += w * (own.base - base)
        return Explained(log_odds, members, contributions, base)

    def _rows_of(self, segment: Segment, X: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.flatnonzero(X[:, self.segment_column] == segment.code)

    def _pooled(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.weight == 1:
            return self.logistic.log_odds(X)
        trees = self.forest.log_odds(X)
        if self.weight == 0:
            return trees
        return (1 - self.weight) * trees + self.weight * self.logistic.log_odds(X)

    def _pooled_with_members(self, X: NDArray[np.float64]) -> LogOddsWithMembers:
        if self.weight == 1:
            return self.logistic.with_members(X)
        trees = self.forest.with_members(X)
        if self.weight == 0:
            return trees
        return _mixed(trees, self.logistic.with_members(X), self.weight)

    def _pooled_explained(self, X: NDArray[np.float64]) -> Explained:
        w, n_columns = self.weight, X.shape[1]
        if w == 1:
            return self.logistic.explain(X)
        trees = self.forest.explain(X)
        if w == 0:
            return trees
        logistic = self.logistic.explain(X)
        contributions = trees.contributions
        contributions *= 1 - w
        # Pairs of columns, which stand behind the columns, are known to trees only.
        contributions[:, :n_columns] += w * logistic.contributions
        log_odds, members = _mixed(trees[:2], logistic[:2], w)
        return Explained(log_odds, members, contributions, (1 - w) * trees.base + w * logistic.base)


def _blocks(n_rows: int) -> Iterator[slice]:
    """Cut rows into blocks, at least one."""
    for start in range(0, max(n_rows, 1), BLOCK_ROWS):
        yield slice(start, min(start + BLOCK_ROWS, n_rows))


def _mixed(trees: LogOddsWithMembers, logistic: LogOddsWithMembers, w: float) -> LogOddsWithMembers:
    """Average the log-odds of both members of the blend, and those of their own members."""
    # A bundle written before fold tables were kept has the logistic member as a whole only.
    spread = logistic[1] if len(logistic[1]) else logistic[0]
    return (1 - w) * trees[0] + w * logistic[0], (1 - w) * trees[1] + w * spread
