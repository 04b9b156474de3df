"""A tree's tables hold the Shapley values of the path-dependent expectation, counted out subset by subset."""

from itertools import combinations, product
from math import factorial

import numpy as np
import pytest

from leadlift.learning.lightgbm_text import MissingType, Tree, UnsupportedForestError
from leadlift.learning.pattern_tables import tabulate


def tree_of(features, thresholds, left, right, leaf_values, leaf_covers, missing_type=0, default_left=True):
    """Build a tree; the covers of its splits are those of the leaves below."""
    n = len(features)
    covers = np.zeros(n)
    for split in reversed(range(n)):
        for child in (left[split], right[split]):
            covers[split] += covers[child] if child >= 0 else leaf_covers[~child]
    return Tree(
        split_feature=np.array(features, dtype=np.int64),
        threshold=np.array(thresholds, dtype=float),
        missing_type=np.full(n, missing_type, dtype=np.int64),
        default_left=np.full(n, default_left),
        left_child=np.array(left, dtype=np.int64),
        right_child=np.array(right, dtype=np.int64),
        split_cover=covers,
        leaf_value=np.array(leaf_values, dtype=float),
        leaf_cover=np.array(leaf_covers, dtype=float),
    )


def expectation(tree, row, known, node=0):
    """Lundberg et al. (2020), algorithm 1: follow known features, average over unknown ones by cover."""
    if node < 0:
        return tree.leaf_value[~node]
    feature = tree.split_feature[node]
    children = (tree.left_child[node], tree.right_child[node])
    if feature in known:
        return expectation(tree, row, known, children[int(row[feature] > tree.threshold[node])])
    shares = [tree.cover(child) / tree.split_cover[node] for child in children]
    return sum(s * expectation(tree, row, known, c) for s, c in zip(shares, children, strict=True))


def shapley(tree, row, features):
    """Shapley values by their definition, over all subsets of the features."""
    d = len(features)
    values = []
    for j in features:
        rest = [f for f in features if f != j]
        values.append(
            sum(
                factorial(s) * factorial(d - 1 - s) / factorial(d)
                * (expectation(tree, row, {*known, j}) - expectation(tree, row, {*known}))
                for s in range(d)
                for known in combinations(rest, s)
            )
        )  # fmt: skip
    return values


def random_tree(seed, n_leaves, n_features):
    """Grow a tree by splitting random leaves on random features at random thresholds."""
    rng = np.random.default_rng(seed)
    left, right = [~0], [~1]
    for split in range(1, n_leaves - 1):
        leaf = rng.integers(split + 1)
        side = left if ~leaf in left else right
        side[side.index(~leaf)] = split
        left.append(~leaf)
        right.append(~(split + 1))
    n_splits = n_leaves - 1
    return tree_of(
        rng.integers(n_features, size=n_splits),
        rng.integers(4, size=n_splits) + 0.5,
        left,
        right,
        rng.normal(size=n_leaves),
        rng.integers(1, 50, size=n_leaves),
    )


@pytest.mark.parametrize("n_leaves", [2, 3, 5, 8, 13])
@pytest.mark.parametrize("seed", range(4))
def test_tables_equal_shapley_values_by_definition(seed, n_leaves):
    tree = random_tree(seed, n_leaves, n_features=5)
    tables = tabulate(tree)
    features = [axis.feature for axis in tables.axes]
    middles = [np.r_[axis.thresholds, 9.0] - 0.25 for axis in tables.axes]
    for codes in product(*(range(axis.n_codes) for axis in tables.axes)):
        row = dict(zip(features, (m[c] for m, c in zip(middles, codes, strict=True)), strict=True))
        pattern = int(np.dot(codes, tables.strides))
        assert tables.values[pattern] == expectation(tree, row, set(features))
        assert tables.contributions[:, pattern] == pytest.approx(shapley(tree, row, features), abs=1e-13)


@pytest.mark.parametrize("seed", range(5))
def test_contributions_add_up_to_the_value(seed):
    tables = tabulate(random_tree(seed, 13, n_features=12))
    sums = tables.expected_value + tables.contributions.sum(axis=0)
    assert sums == pytest.approx(tables.values, abs=1e-13)


def test_one_feature_split_five_times_makes_six_patterns():
    tree = tree_of([0] * 5, [3, 1, 2, 5, 4], [1, -1, -3, 4, -4], [3, 2, -2, -6, -5], range(6), [1] * 6)
    tables = tabulate(tree)
    assert tables.axes[0].thresholds.tolist() == [1, 2, 3, 4, 5]
    assert tables.values.tolist() == [0, 2, 1, 3, 4, 5]


@pytest.mark.parametrize(
    ("default_left", "missing_code", "n_codes"),
    [([True, True], 0, 3), ([False, True], 1, 3), ([False, False], 2, 3), ([True, False], 3, 4)],
)
def test_a_missing_value_shares_the_code_of_an_interval_answered_like_it(default_left, missing_code, n_codes):
    tree = tree_of([0, 0], [1, 2], [-1, -2], [1, -3], [0, 1, 2], [1, 1, 1], MissingType.NAN, default_left)
    (axis,) = tabulate(tree).axes
    assert (axis.missing_code, axis.n_codes) == (missing_code, n_codes)


@pytest.mark.parametrize(("default_left", "leaf_value"), [([1, 0, 0], 20), ([0, 1, 1], 30)])
def test_a_missing_value_answered_like_no_interval_reaches_its_own_leaf(default_left, leaf_value):
    links = {"left": [1, -1, -3], "right": [2, -2, -4]}
    missing = {"missing_type": MissingType.NAN, "default_left": np.array(default_left, dtype=bool)}
    leaves = {"leaf_values": [10, 20, 30, 40], "leaf_covers": [1, 1, 1, 1]}
    tables = tabulate(tree_of([0, 0, 0], [2, 1, 3], **links, **leaves, **missing))
    assert tables.axes[0].missing_code == 4
    assert tables.values.tolist() == [10, 20, 30, 40, leaf_value]


def test_a_constant_tree_has_one_pattern_and_no_axes():
    tables = tabulate(tree_of([], [], [], [], [0.75], [10]))
    assert (tables.values.tolist(), tables.expected_value) == ([0.75], 0.75)
    assert tables.contributions.shape == (0, 1)
    assert tables.strides.size == 0


def test_the_largest_tree_fits_and_the_next_is_refused():
    chain = {"left": [~k for k in range(12)], "right": [*range(1, 12), ~12]}
    assert (
        tabulate(
            tree_of(range(12), [0] * 12, **chain, leaf_values=range(13), leaf_covers=[1] * 13)
        ).values.size
        == 4096
    )
    with pytest.raises(UnsupportedForestError, match=r"at most 13 leaves .*4,096 patterns.* but got 14"):
        tabulate(random_tree(0, 14, n_features=5))


def test_splits_that_disagree_about_missing_are_refused():
    tree = tree_of([0, 0], [1, 2], [-1, -2], [1, -3], [0, 1, 2], [1, 1, 1], np.array([0, 2]))
    with pytest.raises(UnsupportedForestError, match=r"on feature 0 .* missing types \[0, 2\]"):
        tabulate(tree)
