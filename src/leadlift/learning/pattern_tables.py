"""Tabulate small numeric trees: their values and exact SHAP vectors, for every answer a row can get.

A tree asks few questions, and asks them of few features. Its thresholds cut each feature it uses (an
*axis*) into intervals; a row's **pattern** says in which interval it lies on every axis. The tree's value
and its whole path-dependent SHAP vector are functions of the pattern alone, so both can be tabulated once.

**Formula.** A leaf with value v is reached along a path. For each feature k let o_k be 1 where the row
agrees with all of the path's splits on k, else 0, and z_k the product of those splits' cover ratios (rows
of the child / rows of the split): the share that would agree if k were unknown. A feature that is not on
the path has o_k = z_k = 1. What the leaf adds to the path-dependent expectation (Lundberg et al. 2020,
algorithm 1) where only the features S are known is v times the product of o_k over S and of z_k over the
rest. So the Shapley value of feature j among the d features of the path is, with s = |S|,

    phi_j = v (o_j - z_j)  sum over S without j of  s! (d - 1 - s)! / d!
                          prod_{k in S} o_k  prod_{k not in S, k != j} z_k

where s! (d - 1 - s)! / d! is the integral of t^s (1 - t)^(d - 1 - s) over [0, 1]. Under the integral the
sum over subsets folds into one product:

    phi_j = v (o_j - z_j)  integral_0^1  prod_{k != j} (z_k (1 - t) + o_k t)  dt

The integrand is a polynomial of degree d - 1, so Gauss-Legendre quadrature with ceil(d / 2) points gives
the integral exactly (to rounding). A leaf's phi depends on o alone, so it is worked out once for each of
the 2^d answers to the d conditions of the path, and looked up for each pattern. Derivation, proof and
measurements: ``docs/method_fast_exact_shap.md``.

References
----------
Lundberg, S. M., Erion, G., Chen, H. et al. (2020). From local explanations to global understanding with
explainable AI for trees. Nature Machine Intelligence 2, 56-67. doi:10.1038/s42256-019-0138-9
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from leadlift.learning.lightgbm_text import MissingType, Tree, UnsupportedForestError
from leadlift.learning.pattern_kernels import fill_tables, kernel

MAX_LEAVES = 13


class Axes(NamedTuple):
    """The features each tree uses, cut into intervals by its thresholds; ascending by tree and feature.

    A value's code is the number of thresholds it exceeds. A missing value has the code of the interval
    that is answered like it, or one of its own behind the last interval's where there is none.

    Parameters
    ----------
    tree : ndarray of int64, shape (n_axes,)
    feature : ndarray of int64, shape (n_axes,)
        Column of the feature matrix.
    missing_type : ndarray of int64, shape (n_axes,)
        What the tree takes for missing in this column, a :class:`MissingType`.
    threshold_start : ndarray of int64, shape (n_axes + 1,)
        Place of each axis' first threshold.
    thresholds : ndarray of float64
        Ascending within an axis, without repeats.
    n_intervals : ndarray of int64, shape (n_axes,)
    missing_code : ndarray of int64, shape (n_axes,)
        Code of a missing value.
    n_codes : ndarray of int64, shape (n_axes,)
        Codes there are: at most 2 to the number of splits on the feature.
    stride : ndarray of int64, shape (n_axes,)
        Step in the pattern number for one step in the code; the first axis of a tree runs fastest.
    """

    tree: np.ndarray
    feature: np.ndarray
    missing_type: np.ndarray
    threshold_start: np.ndarray
    thresholds: np.ndarray
    n_intervals: np.ndarray
    missing_code: np.ndarray
    n_codes: np.ndarray
    stride: np.ndarray


class PatternTables(NamedTuple):
    """What each tree says to each pattern, ``sum(code * stride)`` over its axes.

    Parameters
    ----------
    axes : Axes
    axis_start : ndarray of int64, shape (n_trees + 1,)
        Place of each tree's first axis.
    n_patterns : ndarray of int64, shape (n_trees,)
    entry_start : ndarray of int64, shape (n_trees + 1,)
        Place of each tree's first entry.
    entries : ndarray of float64
        Of each tree, one table after the other: the leaf value that each pattern reaches, then the SHAP
        value of each axis, times the tree's factor.
    expected_value : ndarray of float64, shape (n_trees,)
        Mean of the leaf values, weighted by cover.
    """

    axes: Axes
    axis_start: np.ndarray
    n_patterns: np.ndarray
    entry_start: np.ndarray
    entries: np.ndarray
    expected_value: np.ndarray

    def of_tree(self, tree: int) -> tuple[np.ndarray, np.ndarray]:
        """Return one tree's values, shape (n_patterns,), and contributions, shape (n_axes, n_patterns)."""
        entries = self.entries[self.entry_start[tree] : self.entry_start[tree + 1]]
        tables = entries.reshape(-1, self.n_patterns[tree])
        return tables[0], tables[1:]


class _Nodes(NamedTuple):
    """The splits of all trees end to end, and after them all leaves; links are places among these."""

    n_splits: int
    leaf_start: np.ndarray
    tree: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    missing_type: np.ndarray
    default_left: np.ndarray
    parent: np.ndarray
    is_left: np.ndarray
    cover: np.ndarray
    leaf_value: np.ndarray


class _Conditions(NamedTuple):
    """What the path to a leaf asks of one axis: a code from `low` to `high`; ascending by leaf and axis."""

    leaf: np.ndarray
    axis: np.ndarray
    low: np.ndarray
    high: np.ndarray
    missing_agrees: np.ndarray
    share: np.ndarray


class _Forest(NamedTuple):
    """Where the parts of each tree and leaf stand, for the compiled loop."""

    axis_start: np.ndarray
    leaf_start: np.ndarray
    condition_start: np.ndarray
    entry_start: np.ndarray
    n_patterns: np.ndarray
    most_patterns: int
    most_conditions: int
    leaf_value: np.ndarray
    factor: np.ndarray


class _Quadrature(NamedTuple):
    """Gauss-Legendre points and weights on [0, 1]; row n holds those of n points."""

    points: np.ndarray
    weights: np.ndarray


def tabulate(trees: Sequence[Tree], factors: Sequence[float]) -> PatternTables:
    """Tabulate the value and the exact SHAP vector of each tree over its patterns.

    Parameters
    ----------
    trees : sequence of Tree
        At most 13 leaves each: m splits make up to 2**m patterns.
    factors : sequence of float
        What each tree's SHAP values are multiplied by; its values are left as they are.

    Returns
    -------
    PatternTables
        At most 4,096 patterns a tree; with a factor of 1, ``values - expected_value`` equals the sum of the
        contributions over axes.

    Raises
    ------
    UnsupportedForestError
        A tree has more than 13 leaves, or splits on one feature that disagree about what is missing.

    Notes
    -----
    Formula and source: see the module. Assumes positive covers.

    Examples
    --------
    One split at 1.5 on feature 0; three of four training rows went left:

    >>> stump = Tree(
    ...     split_feature=np.array([0]), threshold=np.array([1.5]), missing_type=np.array([0]),
    ...     default_left=np.array([True]), left_child=np.array([~0]), right_child=np.array([~1]),
    ...     split_cover=np.array([4.0]), leaf_value=np.array([-1.0, 1.0]), leaf_cover=np.array([3.0, 1.0]),
    ... )
    >>> tables = tabulate([stump], [1.0])
    >>> tables.expected_value, *tables.of_tree(0)
    (array([-0.5]), array([-1.,  1.]), array([[-0.5,  1.5]]))
    """
    _refuse_large(trees)
    nodes = _nodes(trees)
    axes, axis, rank = _axes(nodes)
    n_patterns = np.ones(len(trees), np.int64)
    np.multiply.at(n_patterns, axes.tree, axes.n_codes)
    axis_start = _starts(axes.tree, len(trees))
    entry_start = _ends((1 + np.diff(axis_start)) * n_patterns)
    conditions = _conditions(nodes, axes, axis, rank)
    condition_start = _starts(conditions.leaf, nodes.leaf_value.size)
    entries = np.empty(entry_start[-1])
    forest = _Forest(
        axis_start=axis_start,
        leaf_start=nodes.leaf_start,
        condition_start=condition_start,
        entry_start=entry_start,
        n_patterns=n_patterns,
        most_patterns=int(n_patterns.max(initial=1)),
        most_conditions=int(np.diff(condition_start).max(initial=0)),
        leaf_value=nodes.leaf_value,
        factor=np.asarray(factors, dtype=np.float64),
    )
    kernel(fill_tables)(forest, axes, conditions, _quadrature(), entries)
    return PatternTables(axes, axis_start, n_patterns, entry_start, entries, _expected_values(nodes))


def _refuse_large(trees: Sequence[Tree]) -> None:
    """Refuse trees whose patterns would be too many."""
    n_leaves = max((tree.leaf_value.size for tree in trees), default=0)
    if n_leaves > MAX_LEAVES:
        msg = (
            f"expected at most {MAX_LEAVES} leaves a tree ({2 ** (MAX_LEAVES - 1):,} patterns of answers to "
            f"tabulate), but got {n_leaves}; train with num_leaves <= {MAX_LEAVES}, or use "
            "Booster.predict(pred_contrib=True)"
        )
        raise UnsupportedForestError(msg)


def _nodes(trees: Sequence[Tree]) -> _Nodes:
    """Lay all splits and leaves end to end."""
    split_start = _ends([tree.split_feature.size for tree in trees])
    leaf_start = _ends([tree.leaf_value.size for tree in trees])
    n_splits, n_nodes = int(split_start[-1]), int(split_start[-1] + leaf_start[-1])
    tree = np.repeat(np.arange(len(trees)), np.diff(split_start))
    parent, is_left = np.full(n_nodes, -1), np.zeros(n_nodes, bool)
    for side in ("left_child", "right_child"):
        child = _joined([getattr(each, side) for each in trees], np.int64)
        place = np.where(child >= 0, split_start[tree] + child, n_splits + leaf_start[tree] + ~child)
        parent[place], is_left[place] = np.arange(n_splits), side == "left_child"
    covers = [each.split_cover for each in trees] + [each.leaf_cover for each in trees]
    return _Nodes(
        n_splits=n_splits,
        leaf_start=leaf_start,
        tree=tree,
        feature=_joined([each.split_feature for each in trees], np.int64),
        threshold=_joined([each.threshold for each in trees], np.float64),
        missing_type=_joined([each.missing_type for each in trees], np.int64),
        default_left=_joined([each.default_left for each in trees], bool),
        parent=parent,
        is_left=is_left,
        cover=_joined(covers, np.float64),
        leaf_value=_joined([each.leaf_value for each in trees], np.float64),
    )


def _axes(nodes: _Nodes) -> tuple[Axes, np.ndarray, np.ndarray]:
    """Cut features into intervals; return too the axis of each split, and its threshold's rank there."""
    n_features = int(nodes.feature.max(initial=0)) + 1
    keys, first, axis = np.unique(
        nodes.tree * n_features + nodes.feature, return_index=True, return_inverse=True
    )
    tree, feature = np.divmod(keys, n_features)
    missing_type = nodes.missing_type[first]
    _refuse_disagreement(nodes, axis, missing_type)
    thresholds, threshold_start, rank = _thresholds(nodes.threshold, axis, keys.size)
    n_intervals = np.diff(threshold_start) + 1
    missing_code = _missing_codes(nodes.default_left, axis, rank, n_intervals)
    missing_code[missing_type == MissingType.NONE] = 0
    n_codes = np.maximum(n_intervals, missing_code + 1)
    stride = _strides(tree, n_codes)
    axes = Axes(
        tree, feature, missing_type, threshold_start, thresholds, n_intervals, missing_code, n_codes, stride
    )
    return axes, axis, rank


def _refuse_disagreement(nodes: _Nodes, axis: np.ndarray, missing_type: np.ndarray) -> None:
    """Refuse trees whose splits on one feature read missing values differently."""
    wrong = np.flatnonzero(nodes.missing_type != missing_type[axis])
    if wrong.size:
        found = np.unique(nodes.missing_type[axis == axis[wrong[0]]])
        msg = (
            f"expected the splits of a tree on feature {nodes.feature[wrong[0]]} to agree on what is "
            f"missing, but they have the missing types {found.tolist()}; train the booster in one run on "
            "one data set"
        )
        raise UnsupportedForestError(msg)


def _thresholds(
    threshold: np.ndarray, axis: np.ndarray, n_axes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the distinct thresholds by axis, where each axis starts, and each split's rank in its axis."""
    order = np.lexsort((threshold, axis))
    sorted_axis, sorted_threshold = axis[order], threshold[order]
    is_new = _changes(sorted_axis) | _changes(sorted_threshold)
    start = _starts(sorted_axis[is_new], n_axes)
    rank = np.empty(axis.size, np.int64)
    rank[order] = np.cumsum(is_new) - 1 - start[sorted_axis]
    return sorted_threshold[is_new], start, rank


def _missing_codes(
    default_left: np.ndarray, axis: np.ndarray, rank: np.ndarray, n_intervals: np.ndarray
) -> np.ndarray:
    """Return the first interval that every split of the axis answers like a missing value, or one more.

    A split of rank r sends the intervals 0 to r left.
    """
    lowest, highest = np.zeros(n_intervals.size, np.int64), n_intervals - 1
    np.maximum.at(lowest, axis[~default_left], rank[~default_left] + 1)
    np.minimum.at(highest, axis[default_left], rank[default_left])
    return np.where(lowest <= highest, lowest, n_intervals)


def _strides(tree: np.ndarray, n_codes: np.ndarray) -> np.ndarray:
    """Return the product of the codes of the tree's axes before each axis."""
    strides, stride = [], 1
    for is_new, n in zip(_changes(tree).tolist(), n_codes.tolist(), strict=True):
        stride = 1 if is_new else stride
        strides.append(stride)
        stride *= n
    return np.array(strides, dtype=np.int64)


def _conditions(nodes: _Nodes, axes: Axes, axis: np.ndarray, rank: np.ndarray) -> _Conditions:
    """Put the answers on the path to each leaf together by axis."""
    leaf, split, left, share = _paths(nodes)
    order = np.lexsort((axis[split], leaf))
    leaf, split, left, share = leaf[order], split[order], left[order], share[order]
    start = np.flatnonzero(_changes(leaf) | _changes(axis[split]))
    last = axes.n_intervals[axis[split]] - 1
    return _Conditions(
        leaf=leaf[start],
        axis=axis[split][start],
        low=np.maximum.reduceat(np.where(left, 0, rank[split] + 1), start),
        high=np.minimum.reduceat(np.where(left, rank[split], last), start),
        missing_agrees=np.logical_and.reduceat(left == nodes.default_left[split], start),
        share=np.multiply.reduceat(share, start),
    )


def _paths(nodes: _Nodes) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return every (leaf, split above it, whether the path goes left there, cover ratio of that answer)."""
    leaf = np.arange(nodes.leaf_value.size)
    node, steps = nodes.n_splits + leaf, []
    for _ in range(MAX_LEAVES - 1):  # no path is longer
        below = nodes.parent[node] >= 0
        leaf, node = leaf[below], node[below]
        split = nodes.parent[node]
        steps.append((leaf, split, nodes.is_left[node], nodes.cover[node] / nodes.cover[split]))
        node = split
    leaf, split, left, share = (np.concatenate(parts) for parts in zip(*steps, strict=True))
    return leaf, split, left, share


def _expected_values(nodes: _Nodes) -> np.ndarray:
    """Return each tree's mean leaf value, weighted by cover."""
    start, cover = nodes.leaf_start[:-1], nodes.cover[nodes.n_splits :]
    return np.add.reduceat(nodes.leaf_value * cover, start) / np.add.reduceat(cover, start)


def _starts(owner: np.ndarray, n_owners: int) -> np.ndarray:
    """Return the place of each owner's first item among ascending owners of items, and the end."""
    return np.searchsorted(owner, np.arange(n_owners + 1))


def _ends(sizes: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return the offset of each item laid end to end, and the end of the last."""
    return np.cumsum([0, *sizes], dtype=np.int64)


def _changes(values: np.ndarray) -> np.ndarray:
    """Say of each value whether it differs from the one before; the first does."""
    return np.append(True, values[1:] != values[:-1])[: values.size]


def _joined(arrays: Sequence[np.ndarray], dtype: type) -> np.ndarray:
    """Concatenate arrays, of which there may be none."""
    return np.concatenate([np.empty(0, dtype), *arrays]).astype(dtype, copy=False)


@functools.cache
def _quadrature() -> _Quadrature:
    """Return the points and weights for paths of up to 12 features; n points are exact for 2 n features."""
    n_most = MAX_LEAVES // 2
    points, weights = np.zeros((n_most + 1, n_most)), np.zeros((n_most + 1, n_most))
    for n in range(1, n_most + 1):
        points[n, :n], weights[n, :n] = np.polynomial.legendre.leggauss(n)
    return _Quadrature((points + 1) / 2, weights / 2)
