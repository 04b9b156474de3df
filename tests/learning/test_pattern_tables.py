"""A tree's tables hold the Shapley values of the path-dependent expectation, counted out subset by subset."""

from itertools import combinations, product
from math import factorial

import numpy as np
import pytest

from leadlift.learning.lightgbm_text import MissingType, Tree, UnsupportedForestError
from leadlift.learning.pattern_tables import Axes, tabulate


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


def tabulate_one(tree):
    """Axes, values and contributions of a tree on its own."""
    tables = tabulate([tree], [1.0])
    return tables.axes, *tables.of_tree(0)


def thresholds_of(axes: Axes, k):
    return axes.thresholds[axes.threshold_start[k] : axes.threshold_start[k + 1]]


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
    axes, values, contributions = tabulate_one(tree)
    features = axes.feature.tolist()
    middles = [np.r_[thresholds_of(axes, k), 9.0] - 0.25 for k in range(len(features))]
    for codes in product(*(range(n) for n in axes.n_codes)):
        row = dict(zip(features, (m[c] for m, c in zip(middles, codes, strict=True)), strict=True))
        pattern = int(np.dot(codes, axes.stride))
        assert values[pattern] == expectation(tree, row, set(features))
        assert contributions[:, pattern] == pytest.approx(shapley(tree, row, features), abs=1e-13)


@pytest.mark.parametrize("seed", range(5))
def test_contributions_add_up_to_the_value(seed):
    tables = tabulate([random_tree(seed, 13, n_features=12)], [1.0])
    values, contributions = tables.of_tree(0)
    assert tables.expected_value[0] + contributions.sum(axis=0) == pytest.approx(values, abs=1e-13)


def test_a_tree_among_others_has_the_tables_it_has_alone():
    constant = tree_of([], [], [], [], [0.75], [10])
    trees = [random_tree(1, 13, 5), constant, random_tree(2, 4, 3), constant, random_tree(3, 9, 12)]
    together = tabulate(trees, [1.0] * 5)
    for number, tree in enumerate(trees):
        axes, values, contributions = tabulate_one(tree)
        mine = together.axes.tree == number
        assert together.axes.feature[mine].tolist() == axes.feature.tolist()
        assert together.axes.stride[mine].tolist() == axes.stride.tolist()
        for one, other in zip(together.of_tree(number), (values, contributions), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_factor_multiplies_contributions_and_leaves_values():
    tree = random_tree(1, 8, n_features=4)
    tables = tabulate([tree, tree], [1.0, -0.25])
    (values, contributions), (same, scaled) = tables.of_tree(0), tables.of_tree(1)
    np.testing.assert_array_equal(same, values)
    np.testing.assert_allclose(scaled, -0.25 * contributions, rtol=0, atol=1e-15)


def test_no_trees_have_no_tables():
    tables = tabulate([], [])
    assert tables.entries.size == tables.axes.feature.size == tables.expected_value.size == 0


def test_one_feature_split_five_times_makes_six_patterns():
    tree = tree_of([0] * 5, [3, 1, 2, 5, 4], [1, -1, -3, 4, -4], [3, 2, -2, -6, -5], range(6), [1] * 6)
    axes, values, _ = tabulate_one(tree)
    assert axes.thresholds.tolist() == [1, 2, 3, 4, 5]
    assert values.tolist() == [0, 2, 1, 3, 4, 5]


@pytest.mark.parametrize(
    ("default_left", "missing_code", "n_codes"),
    [([True, True], 0, 3), ([False, True], 1, 3), ([False, False], 2, 3), ([True, False], 3, 4)],
)
def test_a_missing_value_shares_the_code_of_an_interval_answered_like_it(default_left, missing_code, n_codes):
    tree = tree_of([0, 0], [1, 2], [-1, -2], [1, -3], [0, 1, 2], [1, 1, 1], MissingType.NAN, default_left)
    axes, _, _ = tabulate_one(tree)
    assert (axes.missing_code.tolist(), axes.n_codes.tolist()) == ([missing_code], [n_codes])


@pytest.mark.parametrize(("default_left", "leaf_value"), [([1, 0, 0], 20), ([0, 1, 1], 30)])
def test_a_missing_value_answered_like_no_interval_reaches_its_own_leaf(default_left, leaf_value):
    links = {"left": [1, -1, -3], "right": [2, -2, -4]}
    missing = {"missing_type": MissingType.NAN, "default_left": np.array(default_left, dtype=bool)}
    leaves = {"leaf_values": [10, 20, 30, 40], "leaf_covers": [1, 1, 1, 1]}
    axes, values, _ = tabulate_one(tree_of([0, 0, 0], [2, 1, 3], **links, **leaves, **missing))
    assert axes.missing_code.tolist() == [4]
    assert values.tolist() == [10, 20, 30, 40, leaf_value]


def test_a_constant_tree_has_one_pattern_and_no_axes():
    tables = tabulate([tree_of([], [], [], [], [0.75], [10])], [1.0])
    values, contributions = tables.of_tree(0)
    assert (values.tolist(), tables.expected_value.tolist()) == ([0.75], [0.75])
    assert contributions.shape == (0, 1)
    assert tables.axes.stride.size == 0


def test_the_largest_tree_fits_and_the_next_is_refused():
    chain = {"left": [~k for k in range(12)], "right": [*range(1, 12), ~12]}
    largest = tree_of(range(12), [0] * 12, **chain, leaf_values=range(13), leaf_covers=[1] * 13)
    _, values, contributions = tabulate_one(largest)
    assert values.size == 4096
    assert 6 + contributions.sum(axis=0) == pytest.approx(values, abs=1e-12)
    with pytest.raises(UnsupportedForestError, match=r"at most 13 leaves .*4,096 patterns.* but got 14"):
        tabulate([largest, random_tree(0, 14, n_features=5)], [1.0, 1.0])


def test_splits_that_disagree_about_missing_are_refused():
    tree = tree_of([0, 0], [1, 2], [-1, -2], [1, -3], [0, 1, 2], [1, 1, 1], np.array([0, 2]))
    with pytest.raises(UnsupportedForestError, match=r"on feature 0 .* missing types \[0, 2\]"):
        tabulate([tree], [1.0])
