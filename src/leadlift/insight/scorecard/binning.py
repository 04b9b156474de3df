"""The values of a column in a few bins that a person can tell apart.

Cuts are those of a regression tree of one column (Breiman et al. 1984): each takes most of the target's
variance. Numbers are cut at round figures near the best cut; levels are put in the order of their
mean target and cut like numbers, rare ones together. Missing is a bin of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from leadlift.terms import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.learning.encoding import EncodedColumn

# A level that fewer leads have is counted among the others.
FEWEST_OF_A_LEVEL = 10
# More digits than a float64 has would not come closer.
MOST_DIGITS = 17
# An edge may move one row in so many for the sake of a round number.
ROWS_PER_MOVED = 100


@dataclass(frozen=True)
class BinLimits:
    """How fine a column may be cut.

    Parameters
    ----------
    max_bins : int
        Bins of values, missing and other levels not counted.
    min_leads : int
        Leads in each of them, before edges are rounded.
    max_levels : int
        Levels that are named, the most common ones.
    """

    max_bins: int
    min_leads: int
    max_levels: int


@dataclass(frozen=True)
class ColumnBins:
    """The bins of a column: its values, then other levels where it has levels, then missing.

    Parameters
    ----------
    column : EncodedColumn
    edges : ndarray of float64
        Of a number, ascending; a value on an edge belongs to the bin above.
    groups : tuple of tuple of str
        Levels of each bin of values.
    whole : bool
        Whether all numbers are whole.
    """

    column: EncodedColumn
    edges: NDArray[np.float64]
    groups: tuple[tuple[str, ...], ...] = ()
    whole: bool = False

    @property
    def n_values(self) -> int:
        """Bins of values."""
        return len(self.groups) if self.column.kind is Kind.CATEGORICAL else len(self.edges) + 1

    @property
    def n_bins(self) -> int:
        """All bins; the last one is that of missing."""
        return self.n_values + (2 if self.column.kind is Kind.CATEGORICAL else 1)

    def place(self, x: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the bin of each value of the encoded column.

        Parameters
        ----------
        x : ndarray of float64, shape (n_rows,)
            NaN is missing.

        Returns
        -------
        ndarray of int64, shape (n_rows,)
        """
        missing = np.isnan(x)
        if self.column.kind is Kind.CATEGORICAL:
            bins = self._bin_of_code()[np.where(missing, 0, x).astype(np.int64)]
        else:
            bins = np.searchsorted(self.edges, x, side="right")
        return np.where(missing, self.n_bins - 1, bins)

    def _bin_of_code(self) -> NDArray[np.int64]:
        bin_of = {level: k for k, group in enumerate(self.groups) for level in group}
        other = len(self.groups)
        return np.array([*(bin_of.get(level, other) for level in self.column.levels), other])


def learn_bins(
    column: EncodedColumn,
    x: NDArray[np.float64],
    target: NDArray[np.float64],
    weight: NDArray[np.float64],
    limits: BinLimits,
    direction: int = 0,
) -> ColumnBins:
    """Cut a column where the target changes most.

    Parameters
    ----------
    column : EncodedColumn
    x : ndarray of float64, shape (n_rows,)
        The encoded column; NaN is missing.
    target : ndarray of float64, shape (n_rows,)
    weight : ndarray of float64, shape (n_rows,)
        Positive.
    limits : BinLimits
    direction : {-1, 0, 1}
        1 where the bins' means may only rise with a number, -1 where they may only fall.

    Returns
    -------
    ColumnBins

    Examples
    --------
    >>> from leadlift.learning.encoding import EncodedColumn
    >>> visits = np.repeat([0.0, 1.0, 2.0, 5.0, 9.0], 20)
    >>> limits = BinLimits(max_bins=2, min_leads=20, max_levels=30)
    >>> column = EncodedColumn("visits", Kind.NUMERIC)
    >>> learn_bins(column, visits, (visits > 2).astype(float), np.ones(100), limits).edges
    array([4.])
    """
    known = ~np.isnan(x)
    x, target, weight = x[known], target[known], weight[known]
    if column.kind is Kind.CATEGORICAL:
        return ColumnBins(column, np.array([]), _level_groups(column, x, target, weight, limits))
    _, rank, n = np.unique(x, return_inverse=True, return_counts=True)
    cuts = np.cumsum(n)[_cuts(rank, target, weight, limits, direction)]
    whole = bool((x == np.floor(x)).all())
    return ColumnBins(column, _round_edges(np.sort(x), cuts, whole=whole), whole=whole)


def _round_edges(x: NDArray[np.float64], cuts: NDArray[np.int64], *, whole: bool) -> NDArray[np.float64]:
    """Edges of few digits that move no more than a hundredth of the sorted rows across a cut."""
    slack = len(x) // ROWS_PER_MOVED
    halfway = (cuts[:-1] + cuts[1:]) // 2
    lowest = np.maximum(cuts - slack, np.r_[1, halfway + 1]) if len(cuts) else cuts
    highest = np.minimum(cuts + slack, np.r_[halfway, len(x) - 1]) if len(cuts) else cuts
    return np.array(
        [
            round_edge(
                float(x[low - 1]), float(x[high]), near=float(x[cut - 1] / 2 + x[cut] / 2), whole=whole
            )
            for low, cut, high in zip(lowest, cuts, highest, strict=True)
        ]
    )


def merge_equal(bins: ColumnBins, points: NDArray[np.int64]) -> tuple[ColumnBins, NDArray[np.int64]]:
    """Join bins of values that have the same points: neighbours of a number, any of a category.

    Parameters
    ----------
    bins : ColumnBins
    points : ndarray of int64, shape (n_bins,)

    Returns
    -------
    bins : ColumnBins
        Of a category the groups with the fewest points first.
    points : ndarray of int64, shape (n_bins,)

    Examples
    --------
    >>> from leadlift.learning.encoding import EncodedColumn
    >>> bins = ColumnBins(EncodedColumn("visits", Kind.NUMERIC), np.array([2.0, 5.0]))
    >>> merge_equal(bins, np.array([3, 3, 8, 0]))[0].edges
    array([5.])
    """
    of_values, rest = points[: bins.n_values], points[bins.n_values :]
    if bins.column.kind is Kind.NUMERIC:
        first = np.flatnonzero(np.diff(of_values, prepend=-1))
        return replace(bins, edges=bins.edges[first[1:] - 1]), np.r_[of_values[first], rest]
    distinct = np.unique(of_values)
    groups = tuple(
        tuple(level for k in np.flatnonzero(of_values == given) for level in bins.groups[k])
        for given in distinct
    )
    return replace(bins, groups=groups), np.r_[distinct, rest]


def round_edge(below: float, at_least: float, *, near: float, whole: bool) -> float:
    """Return the number of fewest digits that parts two values, ``below < edge <= at_least``.

    Parameters
    ----------
    below, at_least : float
        Ascending.
    near : float
        Between them; of the numbers of so many digits the nearest one is tried.
    whole : bool
        Whether the edge must be a whole number, as both values are.

    Returns
    -------
    float

    Examples
    --------
    >>> round_edge(2.0, 3.0, near=2.5, whole=True), round_edge(0.261, 0.309, near=0.2787, whole=False)
    (3.0, 0.3)
    """
    near = float(np.ceil(near)) if whole else near
    rounded = (float(f"{near:.{digits}g}") for digits in range(1, MOST_DIGITS + 1))
    return next((edge for edge in rounded if below < edge <= at_least), float(at_least))


def _level_groups(
    column: EncodedColumn,
    x: NDArray[np.float64],
    target: NDArray[np.float64],
    weight: NDArray[np.float64],
    limits: BinLimits,
) -> tuple[tuple[str, ...], ...]:
    """Levels of each bin, those of the lowest mean target first."""
    code = x.astype(np.int64)
    n_levels = len(column.levels)
    n = np.bincount(code, minlength=n_levels + 1)[:n_levels]
    common = np.argsort(-n, kind="stable")[: limits.max_levels]
    named = np.sort(common[n[common] >= FEWEST_OF_A_LEVEL])
    if not named.size:
        return ()
    total = np.bincount(code, weight, minlength=n_levels + 1)[named]
    mean = np.bincount(code, weight * target, minlength=n_levels + 1)[named] / total
    order = np.argsort(mean, kind="stable")
    rank_of = np.full(n_levels + 1, -1)
    rank_of[named[order]] = np.arange(len(named))
    rank = rank_of[code]
    ranked = rank >= 0
    cuts = _cuts(rank[ranked], target[ranked], weight[ranked], limits)
    ordered = [column.levels[k] for k in named[order]]
    ends = [0, *(int(k) + 1 for k in cuts), len(ordered)]
    return tuple(tuple(ordered[start:end]) for start, end in pairwise(ends))


def _cuts(
    rank: NDArray[np.int64],
    target: NDArray[np.float64],
    weight: NDArray[np.float64],
    limits: BinLimits,
    direction: int = 0,
) -> NDArray[np.int64]:
    """Ranks after which a regression tree cuts; ranks, because a tree's own numbers are float32."""
    from sklearn.tree import DecisionTreeRegressor

    if limits.max_bins < 2 or len(rank) < 2 * limits.min_leads:
        return np.array([], dtype=np.int64)
    tree = DecisionTreeRegressor(
        max_leaf_nodes=limits.max_bins,
        min_samples_leaf=limits.min_leads,
        monotonic_cst=[direction] if direction else None,
        random_state=0,
    )
    splits = tree.fit(rank[:, None], target, sample_weight=weight).tree_
    return np.sort(np.floor(splits.threshold[splits.feature >= 0]).astype(np.int64))
