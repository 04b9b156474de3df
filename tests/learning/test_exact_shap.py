"""Pattern tables give exact path-dependent SHAP for forests of any shape, by three independent oracles."""

import warnings

import lightgbm
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws import law
from leadlift.learning.lightgbm_text import parse_model
from leadlift.learning.patterns import PatternForest
from lightgbm_trees import MISSING_TYPES, Shape, model_text, rows_around

SHAP_TOLERANCE = 1e-9  # LightGBM divides products back out, which costs it digits
WOODELF_TOLERANCE = 1e-5  # it computes in single precision
SUM_TOLERANCE = 1e-12


def compiled(text):
    return PatternForest.from_model_texts([text], [1.0])


def rows_for(text, n_features, seed, n_rows=120):
    thresholds = np.concatenate([tree.threshold for tree in parse_model(text).trees])
    return rows_around(thresholds, n_features, n_rows, seed)


shapes = st.builds(
    Shape,
    n_leaves=st.integers(1, 13),
    n_features=st.integers(1, 14),
    spread=st.sampled_from(["bushy", "chain"]),
    largest_threshold=st.sampled_from([3.0, 1e30, 1e300]),
    largest_cover=st.sampled_from([1, 50, 5000]),
)


@law
@given(shape=shapes, n_trees=st.integers(1, 6), seed=st.integers(0, 10_000), data=st.data())
def test_forests_of_any_shape_are_scored_and_explained_as_lightgbm_does(shape, n_trees, seed, data):
    kinds = st.lists(
        st.sampled_from(sorted(MISSING_TYPES)), min_size=shape.n_features, max_size=shape.n_features
    )
    text = model_text(shape, n_trees, missing=data.draw(kinds), seed=seed)
    rows = rows_for(text, shape.n_features, seed)
    booster, forest = lightgbm.Booster(model_str=text), compiled(text)
    expected = booster.predict(rows, pred_contrib=True)
    np.testing.assert_array_equal(forest.raw(rows), booster.predict(rows, raw_score=True))
    np.testing.assert_allclose(forest.contributions(rows), expected[:, :-1], rtol=0, atol=SHAP_TOLERANCE)
    np.testing.assert_allclose(forest.base_value, expected[0, -1], rtol=0, atol=SUM_TOLERANCE)
    sums = forest.base_value + forest.contributions(rows).sum(axis=1)
    np.testing.assert_allclose(sums, forest.raw(rows), rtol=0, atol=SUM_TOLERANCE)


@law
@given(shape=shapes, seed=st.integers(0, 10_000), weight=st.floats(-3, 3))
def test_the_explanation_of_a_sum_of_forests_is_the_sum_of_explanations(shape, seed, weight):
    texts = [model_text(shape, 2, ["nan"] * shape.n_features, seed=seed + k) for k in range(2)]
    rows = rows_for(texts[0], shape.n_features, seed)
    together = PatternForest.from_model_texts(texts, [1.0, weight]).contributions(rows)
    apart = [compiled(text).contributions(rows) for text in texts]
    np.testing.assert_allclose(together, apart[0] + weight * apart[1], rtol=0, atol=SUM_TOLERANCE)


@law
@given(shape=shapes, seed=st.integers(0, 10_000))
def test_a_copy_of_a_feature_that_no_split_asks_for_changes_nothing(shape, seed):
    text = model_text(shape, 3, ["nan"] * shape.n_features, seed=seed)
    wider = text.replace(f"max_feature_idx={shape.n_features - 1}", f"max_feature_idx={shape.n_features}")
    rows = rows_for(text, shape.n_features, seed)
    contributions = compiled(wider).contributions(np.column_stack([rows, rows[:, 0]]))
    np.testing.assert_array_equal(contributions[:, :-1], compiled(text).contributions(rows))
    np.testing.assert_array_equal(contributions[:, -1], 0.0)


@pytest.fixture(scope="module")
def numeric():
    """A trained forest of bounded depth, and rows without gaps, which every oracle can read."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 6))
    y = X[:, 0] + X[:, 1] * X[:, 2] + rng.normal(size=600) > 0
    options = {"objective": "binary", "num_leaves": 12, "max_depth": 5, "verbose": -1, "num_threads": 1}
    return lightgbm.train(options, lightgbm.Dataset(X, y), num_boost_round=30), X[:200]


def test_woodelf_explains_the_same(numeric):
    from woodelf import WoodelfExplainer

    booster, X = numeric
    table = pd.DataFrame(X, columns=booster.feature_name())
    theirs = WoodelfExplainer(booster).shap_values(table, verbose=False)
    ours = compiled(booster.model_to_string()).contributions(X)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=WOODELF_TOLERANCE)


def test_shap_with_its_own_algorithm_explains_the_same(numeric):
    with warnings.catch_warnings():
        # shap 0.51 sets a colour map's outer colours the way matplotlib 3.11 announces to retire.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        from shap import TreeExplainer

    booster, X = numeric
    explainer = TreeExplainer(booster)
    explainer.model.model_type = "internal"  # else shap asks LightGBM, the first oracle
    ours = compiled(booster.model_to_string()).contributions(X)
    np.testing.assert_allclose(ours, explainer.shap_values(X), rtol=0, atol=SHAP_TOLERANCE)
