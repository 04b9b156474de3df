"""Tabulate one small numeric tree: its value and its exact SHAP vector, for every answer it can get.

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
the integral exactly (to rounding). Every factor is positive and depends on one axis only, so the products
of all patterns are an outer product, and phi is a sum over leaves and points.

References
----------
Lundberg, S. M., Erion, G., Chen, H. et al. (2020). From local explanations to global understanding with
explainable AI for trees. Nature Machine Intelligence 2, 56-67. doi:10.1038/s42256-019-0138-9
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from leadlift.learning.lightgbm_text import MissingType, Tree, UnsupportedForestError

MAX_LEAVES = 13


@dataclass(frozen=True, eq=False)
class Axis:
    """One feature of a tree, cut into intervals by the tree's thresholds.

    A value's code is the number of thresholds it exceeds. A missing value has the code of the interval
    that is answered like it, or one of its own behind the last interval's where there is none.

    Parameters
    ----------
    feature : int
        Column of the feature matrix.
    missing_type : MissingType
        What the tree takes for missing in this column.
    thresholds : ndarray of float64
        Ascending, without repeats.
    missing_code : int
        Code of a missing value.
    n_codes : int
        Codes there are: at most 2 to the number of splits on the feature.
    """

    feature: int
    missing_type: MissingType
    thresholds: np.ndarray
    missing_code: int
    n_codes: int


@dataclass(frozen=True, eq=False)
class TreeTables:
    """What one tree says to each pattern.

    Pattern number ``sum(code * stride)``: the last axis runs fastest.

    Parameters
    ----------
    axes : tuple of Axis
        The features the tree uses, ascending.
    values : ndarray of float64, shape (n_patterns,)
        The leaf value each pattern reaches.
    contributions : ndarray of float64, shape (n_axes, n_patterns)
        The SHAP value of each axis.
    expected_value : float
        Mean of the leaf values, weighted by cover.
    """

    axes: tuple[Axis, ...]
    values: np.ndarray
    contributions: np.ndarray
    expected_value: float

    @property
    def strides(self) -> np.ndarray:
        """Step in the pattern number for one step in the code of each axis, int64."""
        n_codes = [axis.n_codes for axis in self.axes]
        return np.cumprod([1, *n_codes[:0:-1]], dtype=np.int64)[::-1][: len(n_codes)]


def tabulate(tree: Tree) -> TreeTables:
    """Tabulate a tree's value and exact SHAP vector over its patterns.

    Parameters
    ----------
    tree : Tree
        At most 13 leaves: m splits make up to 2**m patterns.

    Returns
    -------
    TreeTables
        At most 4,096 patterns; ``values - expected_value`` equals the sum of ``contributions`` over axes.

    Raises
    ------
    UnsupportedForestError
        More than 13 leaves, or splits on one feature that disagree about what is missing.

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
    >>> tables = tabulate(stump)
    >>> tables.expected_value, tables.values, tables.contributions
    (-0.5, array([-1.,  1.]), array([[-0.5,  1.5]]))
    """
    n_leaves = tree.leaf_value.size
    if n_leaves > MAX_LEAVES:
        msg = (
            f"expected at most {MAX_LEAVES} leaves a tree ({2 ** (MAX_LEAVES - 1):,} patterns of answers to "
            f"tabulate), but got {n_leaves}; train with num_leaves <= {MAX_LEAVES}, or use "
            "Booster.predict(pred_contrib=True)"
        )
        raise UnsupportedForestError(msg)
    axes = tuple(_axis(tree, feature) for feature in np.unique(tree.split_feature))
    agrees, shares = _paths(tree, axes)
    reached = _outer_product([agrees[:, k, : axis.n_codes] for k, axis in enumerate(axes)], n_leaves)
    return TreeTables(
        axes=axes,
        values=tree.leaf_value[reached.argmax(axis=0)],
        contributions=_contributions(tree.leaf_value, agrees, shares, axes),
        expected_value=float(tree.leaf_value @ tree.leaf_cover / tree.leaf_cover.sum()),
    )


def _axis(tree: Tree, feature: int) -> Axis:
    """Cut one feature into the intervals between its thresholds."""
    mine = tree.split_feature == feature
    missing_types = sorted(set(tree.missing_type[mine].tolist()))
    if len(missing_types) > 1:
        msg = (
            f"expected the splits of a tree on feature {feature} to agree on what is missing, but they have "
            f"the missing types {missing_types}; train the booster in one run on one data set"
        )
        raise UnsupportedForestError(msg)
    thresholds = np.array(sorted(set(tree.threshold[mine].tolist())))
    n_intervals = thresholds.size + 1
    missing_code = 0
    if missing_types[0] != MissingType.NONE:
        rank = np.searchsorted(thresholds, tree.threshold[mine])
        right_by_interval = np.arange(n_intervals)[:, None] > rank
        like_missing = (right_by_interval != tree.default_left[mine]).all(axis=1)
        missing_code = int(like_missing.argmax()) if like_missing.any() else n_intervals
    return Axis(
        feature=int(feature),
        missing_type=MissingType(missing_types[0]),
        thresholds=thresholds,
        missing_code=missing_code,
        n_codes=max(n_intervals, missing_code + 1),
    )


def _goes_right(tree: Tree, split: int, axis: Axis) -> np.ndarray:
    """Return, for each code of the axis, whether the split sends it right."""
    right = np.arange(axis.n_codes) > np.searchsorted(axis.thresholds, tree.threshold[split])
    if axis.missing_code > axis.thresholds.size:
        right[axis.missing_code] = not tree.default_left[split]
    return right


def _paths(tree: Tree, axes: tuple[Axis, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return o (leaves, axes, codes), as 0 or 1, and z (leaves, axes) of the module's formula."""
    position = {axis.feature: k for k, axis in enumerate(axes)}
    most_codes = max((axis.n_codes for axis in axes), default=1)
    n_leaves = tree.leaf_value.size
    agrees = np.ones((n_leaves, len(axes), most_codes))
    shares = np.ones((n_leaves, len(axes)))
    ahead = [(0 if axes else ~0, np.ones((len(axes), most_codes)), np.ones(len(axes)))]
    while ahead:
        node, agree, share = ahead.pop()
        if node < 0:
            agrees[~node], shares[~node] = agree, share
            continue
        k = position[int(tree.split_feature[node])]
        right = _goes_right(tree, node, axes[k])
        for child, answer in ((tree.left_child[node], ~right), (tree.right_child[node], right)):
            child_agree, child_share = agree.copy(), share.copy()
            child_agree[k, : answer.size] *= answer
            child_share[k] *= tree.cover(child) / tree.split_cover[node]
            ahead.append((child, child_agree, child_share))
    return agrees, shares


def _outer_product(factors: list[np.ndarray], n_rows: int) -> np.ndarray:
    """Multiply factors of shape (rows, codes), one an axis, out to (rows, patterns)."""
    product = np.ones((n_rows, 1))
    for factor in factors:
        product = (product[:, :, None] * factor[:, None, :]).reshape(n_rows, -1)
    return product


def _contributions(
    leaf_value: np.ndarray, agrees: np.ndarray, shares: np.ndarray, axes: tuple[Axis, ...]
) -> np.ndarray:
    """Return the SHAP values (axes, patterns): the module's formula, summed over leaves and points."""
    n_codes = [axis.n_codes for axis in axes]
    points, point_weights = _quadrature(max_path_features=int((shares < 1).sum(axis=1).max()))
    t = points[:, None, None, None]
    share = shares[:, :, None]
    factors = share * (1 - t) + agrees * t
    scale = (point_weights[:, None] * leaf_value)[:, :, None, None]
    slopes = scale * (agrees - share) / factors
    n_terms = points.size * leaf_value.size
    factors, slopes = (a.reshape(n_terms, *agrees.shape[1:]) for a in (factors, slopes))
    products = _outer_product([factors[:, k, :n] for k, n in enumerate(n_codes)], n_terms)
    contributions = np.empty((len(axes), products.shape[1]))
    for k, n in enumerate(n_codes):
        grid = products.reshape(n_terms, int(np.prod(n_codes[:k])), n, -1)
        contributions[k] = np.einsum("rbca,rc->bca", grid, slopes[:, k, :n]).ravel()
    return contributions


@functools.cache
def _quadrature(max_path_features: int) -> tuple[np.ndarray, np.ndarray]:
    """Return Gauss-Legendre points and weights on [0, 1] that are exact for paths of so many features."""
    points, weights = np.polynomial.legendre.leggauss(max(1, (max_path_features + 1) // 2))
    return (points + 1) / 2, weights / 2
