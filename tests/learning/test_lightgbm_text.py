"""The reader of LightGBM model texts takes numeric trees whole and refuses the rest by name."""

import lightgbm
import numpy as np
import pytest

from leadlift.exceptions import InputError
from leadlift.learning.lightgbm_text import MissingType, UnsupportedForestError, parse_model

TEXT = """tree
version=v4
num_tree_per_iteration=1
max_feature_idx=2
tree_sizes=300 300

Tree=0
num_leaves=3
num_cat=0
split_feature=2 0
threshold=0.5 inf
decision_type=0 10
left_child=1 -1
right_child=-2 -3
leaf_value=-1 2.5 0.25
leaf_count=6 3 1
internal_count=10 7
is_linear=0


Tree=1
num_leaves=1
leaf_value=0.125


end of trees
"""


def trained(X, y, n_trees=3, **options):
    options = {"objective": "binary", "num_leaves": 4, "verbose": -1, "num_threads": 1, **options}
    data_options = {"categorical_feature": options.pop("categorical_feature", "auto")}
    return lightgbm.train(options, lightgbm.Dataset(X, y, **data_options), num_boost_round=n_trees)


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(200, 3))


def test_a_text_read_by_eye():
    model = parse_model(TEXT)
    tree, constant = model.trees
    assert model.n_features == 3
    assert tree.split_feature.tolist() == [2, 0]
    assert tree.threshold.tolist() == [0.5, np.inf]
    assert tree.missing_type.tolist() == [MissingType.NONE, MissingType.NAN]
    assert tree.default_left.tolist() == [False, True]
    assert tree.cover(1) == 7
    assert tree.cover(-2) == 3
    assert constant.leaf_value.tolist() == [0.125]
    assert constant.split_feature.size == 0


def test_the_text_ends_where_it_was_cut_off(X):
    booster = trained(X, X[:, 0] > 0, n_trees=5)
    assert len(parse_model(booster.model_to_string(num_iteration=2)).trees) == 2
    assert len(parse_model(booster.model_to_string()).trees) == 5


def test_leaf_values_survive_the_text_to_the_last_bit(X):
    booster = trained(X, X[:, 0] > 0)
    (tree, *_) = parse_model(booster.model_to_string()).trees
    assert tree.leaf_value.tolist() == [booster.get_leaf_output(0, k) for k in range(tree.leaf_value.size)]


def test_covers_are_counts_of_rows_not_sums_of_weights(X):
    data = lightgbm.Dataset(X, X[:, 0], weight=np.linspace(0.1, 9, len(X)))
    booster = lightgbm.train({"num_leaves": 4, "verbose": -1, "num_threads": 1}, data, num_boost_round=1)
    (tree,) = parse_model(booster.model_to_string()).trees
    assert tree.leaf_cover.sum() == len(X) == tree.split_cover[0]


def test_categorical_splits_are_refused(X):
    X[:, 1] = np.random.default_rng(1).integers(0, 6, len(X))
    booster = trained(X, X[:, 1] % 2 == 0, categorical_feature=[1], min_data_per_group=5)
    with pytest.raises(UnsupportedForestError, match=r"tree 0 has \d categorical ones \(on feature '1'\)"):
        parse_model(booster.model_to_string())


def test_linear_leaves_are_refused(X):
    booster = trained(X, X[:, 0], objective="regression", linear_tree=True)
    with pytest.raises(UnsupportedForestError, match="tree 0 has linear leaves"):
        parse_model(booster.model_to_string())


def test_multi_class_models_are_refused(X):
    booster = trained(X, np.arange(len(X)) % 3, objective="multiclass", num_class=3)
    with pytest.raises(UnsupportedForestError, match=r"has 3 \(multi-class\)"):
        parse_model(booster.model_to_string())


def test_averaged_forests_are_refused(X):
    booster = trained(X, X[:, 0] > 0, boosting="rf", bagging_fraction=0.5, bagging_freq=1)
    with pytest.raises(UnsupportedForestError, match="averages them"):
        parse_model(booster.model_to_string())


def test_a_refusal_is_a_value_error():
    assert issubclass(UnsupportedForestError, ValueError)


@pytest.mark.parametrize("text", ["", "{}", TEXT[:200], TEXT.removeprefix("tree\n")])
def test_what_is_no_whole_model_text_is_refused(text):
    with pytest.raises(InputError, match="expected a LightGBM model text"):
        parse_model(text)


@pytest.mark.parametrize(
    ("line", "instead", "message"),
    [
        ("tree_sizes=300 300", "tree_sizes=300 300 300", "expected 3 trees, as the model text announces"),
        ("max_feature_idx=2", "", "expected 1 numbers in line 'max_feature_idx' of the header, but got"),
        ("threshold=0.5 inf", "threshold=0.5", "expected 2 numbers in line 'threshold' of tree 0"),
        ("threshold=0.5 inf", "threshold=0.5 nan", "expected 2 numbers in line 'threshold' of tree 0"),
        ("threshold=0.5 inf", "threshold=0.5 x", "expected numbers in line 'threshold' of tree 0"),
        ("left_child=1 -1", "left_child=1 -2", "every split and leaf of tree 0 to have one earlier parent"),
        ("left_child=1 -1", "left_child=-1 1", "every split and leaf of tree 0 to have one earlier parent"),
        ("split_feature=2 0", "split_feature=3 0", "expected features 0 to 2 in tree 0, but got '3', '0'"),
        ("split_feature=2 0", "split_feature=-1 0", "expected features 0 to 2 in tree 0"),
    ],
)
def test_a_damaged_line_is_named(line, instead, message):
    assert line in TEXT
    with pytest.raises(InputError, match=message):
        parse_model(TEXT.replace(line, instead))


def test_leaves_without_rows_are_refused():
    with pytest.raises(UnsupportedForestError, match="positive row counts in line 'leaf_count' of tree 0"):
        parse_model(TEXT.replace("leaf_count=6 3 1", "leaf_count=6 3 0"))
