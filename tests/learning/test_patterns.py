"""Look-ups in pattern tables give what LightGBM gives: its raw scores, and its exact SHAP values."""

import pickle
import subprocess
import sys
import time
import types

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlift.exceptions import InputError
from leadlift.learning.pattern_kernels import compiled
from leadlift.learning.patterns import PatternForest, UnsupportedForestError

N_FEATURES = 5
SHAP_TOLERANCE = 1e-9  # LightGBM divides products back out, which costs it digits
SUM_TOLERANCE = 1e-12  # a few hundred additions of numbers about 1


def train(X, y, n_trees=20, weight=None, **options):
    # `feature_pre_filter` off lets Hypothesis choose small leaves; one thread keeps sums in one order.
    defaults = {"objective": "binary", "num_leaves": 12, "verbose": -1, "num_threads": 1, "seed": 0}
    defaults |= {"feature_pre_filter": False}
    return lightgbm.train(defaults | options, lightgbm.Dataset(X, y, weight=weight), num_boost_round=n_trees)


def compile_one(booster, weight=1.0):
    return PatternForest.from_model_texts([booster.model_to_string()], [weight])


def awkward_matrix(seed, n_rows):
    """Columns with NaN, exact and almost-zero values, few levels, a constant, and one never missing."""
    rng = np.random.default_rng(seed)
    X = np.column_stack(
        [
            rng.normal(size=n_rows),
            rng.integers(-2, 3, size=n_rows).astype(float),
            rng.choice([0.0, 1e-36, -1e-36, float(np.float32(1e-35)), 1e-34, -1.0], size=n_rows),
            np.full(n_rows, 7.0),
            rng.normal(size=n_rows),
        ]
    )
    X[:, :3][rng.random((n_rows, 3)) < 0.15] = np.nan
    return X


def outcome(X, seed):
    """Won or lost, depending on values, on what is missing and on what is zero."""
    rng = np.random.default_rng(seed)
    log_odds = np.nan_to_num(X) @ [1.0, 0.7, 0.5, 0.0, -1.0] + 1.5 * np.isnan(X[:, 0]) - 2.0 * (X[:, 1] == 0)
    return (rng.random(len(X)) < 1 / (1 + np.exp(-log_odds))).astype(int)


def rows_on_the_edge(booster, seed, n_rows):
    """Rows made of the model's own thresholds, their neighbours, NaN, zeros and infinities."""
    table = [t for t in booster.dump_model()["tree_info"] if t["num_leaves"] > 1]
    thresholds = []

    def walk(node):
        if "threshold" in node:
            thresholds.append(float(node["threshold"]))
            walk(node["left_child"])
            walk(node["right_child"])

    for tree in table:
        walk(tree["tree_structure"])
    exact = np.array([0.0, *thresholds])
    tiny = float(np.float32(1e-35))
    special = [np.nan, 0.0, -0.0, np.inf, -np.inf, tiny, -tiny, 2e-35, -2e-35, 1e-300]
    pool = np.concatenate([exact, np.nextafter(exact, np.inf), np.nextafter(exact, -np.inf), special])
    return np.random.default_rng(seed).choice(pool, size=(n_rows, N_FEATURES))


@pytest.fixture(scope="module")
def X():
    return awkward_matrix(seed=1, n_rows=3000)


@pytest.fixture(scope="module")
def booster(X):
    return train(X, outcome(X, seed=1), n_trees=40)


@pytest.fixture(scope="module")
def forest(booster):
    return compile_one(booster)


model_options = st.fixed_dictionaries(
    {
        "num_leaves": st.integers(2, 13),
        "max_depth": st.sampled_from([-1, 1, 3, 6]),
        "min_data_in_leaf": st.sampled_from([1, 5, 40]),
        "use_missing": st.booleans(),
        "zero_as_missing": st.booleans(),
        "bagging_fraction": st.sampled_from([0.5, 1.0]),
        "bagging_freq": st.just(1),
        "feature_fraction": st.sampled_from([0.4, 1.0]),
        "learning_rate": st.sampled_from([0.05, 1.0]),
        "max_bin": st.sampled_from([3, 255]),
        "boosting": st.sampled_from(["gbdt", "dart"]),
    }
)


@settings(max_examples=60, deadline=None)
@given(options=model_options, weighted=st.booleans(), seed=st.integers(0, 10_000))
def test_any_small_numeric_forest_is_scored_and_explained_as_lightgbm_does(options, weighted, seed):
    X = awkward_matrix(seed, n_rows=300)
    weight = np.random.default_rng(seed).uniform(0.1, 5.0, size=300) if weighted else None
    booster = train(X, outcome(X, seed), n_trees=8, weight=weight, **options)
    forest = compile_one(booster)
    rows = np.vstack([X, rows_on_the_edge(booster, seed, n_rows=300)])
    expected = booster.predict(rows, pred_contrib=True)
    np.testing.assert_array_equal(forest.raw(rows), booster.predict(rows, raw_score=True))
    np.testing.assert_allclose(forest.contributions(rows), expected[:, :-1], rtol=0, atol=SHAP_TOLERANCE)
    np.testing.assert_allclose(forest.base_value, expected[0, -1], rtol=0, atol=SUM_TOLERANCE)


def test_base_value_and_contributions_add_up_to_the_raw_score(X, forest):
    sums = forest.base_value + forest.contributions(X).sum(axis=1)
    np.testing.assert_allclose(sums, forest.raw(X), rtol=0, atol=SUM_TOLERANCE)


@pytest.mark.parametrize("block_rows", [1, 7, 1000, 2999, 3000, 10**6])
def test_the_size_of_a_block_changes_no_bit(X, forest, block_rows):
    np.testing.assert_array_equal(forest.raw(X, block_rows=block_rows), forest.raw(X))
    np.testing.assert_array_equal(forest.contributions(X, block_rows=block_rows), forest.contributions(X))


def test_the_order_and_layout_of_rows_change_no_bit(X, forest):
    expected = forest.contributions(X)
    np.testing.assert_array_equal(forest.contributions(X[::-1]), expected[::-1])
    np.testing.assert_array_equal(forest.contributions(np.asfortranarray(X)), expected)
    read_only = X.copy()
    read_only.flags.writeable = False
    np.testing.assert_array_equal(forest.contributions(read_only), expected)


def test_no_rows_give_no_scores(X, forest):
    assert forest.raw(X[:0]).shape == (0,)
    assert forest.contributions(X[:0]).shape == (0, N_FEATURES)


def test_a_weighted_sum_of_boosters_has_the_weighted_sums(X, booster):
    other = train(X, outcome(X, seed=2), n_trees=15, num_leaves=5)
    forest = PatternForest.from_model_texts([b.model_to_string() for b in (booster, other)], [0.75, -2.0])
    first, second = (b.predict(X, pred_contrib=True) for b in (booster, other))
    expected = 0.75 * first - 2.0 * second
    np.testing.assert_allclose(forest.contributions(X), expected[:, :-1], rtol=0, atol=SHAP_TOLERANCE)
    np.testing.assert_allclose(forest.base_value, expected[0, -1], rtol=0, atol=SUM_TOLERANCE)
    np.testing.assert_allclose(forest.raw(X), expected.sum(axis=1), rtol=0, atol=SHAP_TOLERANCE)


def test_scores_and_explanations_of_one_pass_are_those_of_two(X, booster):
    other = train(X, outcome(X, seed=2), n_trees=15, num_leaves=5)
    boosters = (booster, other)
    forest = PatternForest.from_model_texts([b.model_to_string() for b in boosters], [0.75, -2.0])
    raw, contributions = forest.explain(X)
    np.testing.assert_array_equal(raw, [b.predict(X, raw_score=True) for b in boosters])
    np.testing.assert_array_equal(raw, forest.raw_by_booster(X))
    np.testing.assert_array_equal(contributions, forest.contributions(X))


def test_boosters_that_read_missing_values_differently_go_together(X):
    options = [{"use_missing": False}, {"zero_as_missing": True}, {}]
    boosters = [train(X, outcome(X, seed=3), **each) for each in options]
    forest = PatternForest.from_model_texts([b.model_to_string() for b in boosters], [1.0] * 3)
    expected = sum(b.predict(X, pred_contrib=True)[:, :-1] for b in boosters)
    np.testing.assert_allclose(forest.contributions(X), expected, rtol=0, atol=SHAP_TOLERANCE)


def test_early_stopping_is_kept(X):
    y = outcome(X, seed=4)
    data = lightgbm.Dataset(X[:2000], y[:2000])
    booster = lightgbm.train(
        {"objective": "binary", "num_leaves": 12, "learning_rate": 0.5, "verbose": -1, "num_threads": 1},
        data,
        num_boost_round=200,
        valid_sets=[data.create_valid(X[2000:], y[2000:])],
        callbacks=[lightgbm.early_stopping(5, verbose=False)],
        keep_training_booster=True,
    )
    assert booster.best_iteration < booster.current_iteration()
    np.testing.assert_array_equal(compile_one(booster).raw(X), booster.predict(X, raw_score=True))


def test_a_constant_model_has_its_value_and_explains_nothing(X):
    booster = train(X, outcome(X, seed=5), n_trees=3, min_data_in_leaf=len(X))
    forest = compile_one(booster)
    np.testing.assert_array_equal(forest.raw(X), booster.predict(X, raw_score=True))
    np.testing.assert_array_equal(forest.contributions(X), 0.0)
    assert forest.base_value == forest.raw(X)[0] != 0


def test_a_model_without_trees_says_zero(X):
    text = (
        f"tree\nnum_tree_per_iteration=1\nmax_feature_idx={N_FEATURES - 1}\ntree_sizes=\n\n\nend of trees\n"
    )
    forest = PatternForest.from_model_texts([text], [1.0])
    np.testing.assert_array_equal(forest.raw(X), 0.0)
    np.testing.assert_array_equal(forest.contributions(X), 0.0)


def test_a_feature_that_is_never_used_contributes_exactly_nothing(X, forest):
    np.testing.assert_array_equal(forest.contributions(X)[:, 3], 0.0)


def test_out_is_filled_whatever_it_held(X, forest):
    out = np.full((len(X), N_FEATURES), np.nan)
    assert forest.contributions(X, out=out) is out
    np.testing.assert_array_equal(out, forest.contributions(X))


def test_a_forest_is_frozen_and_can_be_sent_to_another_process(X, forest):
    with pytest.raises(AttributeError, match="cannot assign"):
        forest.base_value = 0.0
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(forest)).raw(X), forest.raw(X))  # noqa: S301


def test_trees_of_more_than_13_leaves_are_refused(X):
    booster = train(X, outcome(X, seed=6), n_trees=1, num_leaves=14)
    with pytest.raises(UnsupportedForestError, match=r"at most 13 leaves a tree .* but got 14; train with"):
        compile_one(booster)


@pytest.mark.parametrize("weights", [[], [1.0, 1.0], [np.nan]])
def test_weights_that_do_not_fit_the_texts_are_refused(booster, weights):
    with pytest.raises(ValueError, match="expected one finite weight for each of one or more texts, got 1"):
        PatternForest.from_model_texts([booster.model_to_string()], weights)


def test_boosters_on_different_columns_are_refused(X, booster):
    other = train(X[:, :3], outcome(X, seed=7))
    with pytest.raises(ValueError, match=r"the same columns, but they have \[3, 5\] columns"):
        PatternForest.from_model_texts([booster.model_to_string(), other.model_to_string()], [1.0, 1.0])


@pytest.mark.parametrize(
    "wrong", [np.zeros((2, 4)), np.zeros(5), np.zeros((2, 5), np.float32), np.float64(1.0), [[0.0] * 5]]
)
def test_a_matrix_that_the_loops_would_misread_is_refused(forest, wrong):
    for method in (forest.raw, forest.contributions):
        with pytest.raises(InputError, match="expected a float64 ndarray of 5 columns, but got"):
            method(wrong)


def test_blocks_without_rows_and_results_that_do_not_fit_are_refused(X, forest):
    with pytest.raises(ValueError, match="block_rows of at least 1, but got 0"):
        forest.raw(X, block_rows=0)
    with pytest.raises(ValueError, match=r"expected out of shape \(3000, 5\) and dtype float64, but got"):
        forest.contributions(X, out=np.empty((3000, 4)))


def test_importing_loads_no_compiler():
    code = (
        "import sys, leadlift.learning.patterns; sys.exit(not {'numba', 'lightgbm'}.isdisjoint(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_loops_compile_where_no_machine_code_can_be_kept():
    nowhere = compile("def add_one(x): return x + 1", "<no file>", "exec").co_consts[0]
    assert compiled(types.FunctionType(nowhere, {}))(1) == 2


@pytest.mark.real_data
def test_the_caravan_set_is_scored_and_explained_as_lightgbm_does(real_data):
    table = np.genfromtxt(real_data / "caravan" / "Caravan.csv", delimiter=",", skip_header=1, dtype=str)
    X = np.ascontiguousarray(np.char.strip(table[:, :-1], '"').astype(float))
    booster = train(X, np.char.strip(table[:, -1], '"') == "Yes", n_trees=50, max_depth=6)
    forest = compile_one(booster)
    expected = booster.predict(X[:500], pred_contrib=True)[:, :-1]
    np.testing.assert_array_equal(forest.raw(X), booster.predict(X, raw_score=True))
    np.testing.assert_allclose(forest.contributions(X[:500]), expected, rtol=0, atol=SHAP_TOLERANCE)


def cpu_seconds(work):
    start = time.process_time()
    work()
    return time.process_time() - start


def least_cpu_seconds(*works, n_rounds=3):
    """Let each have its turn in every round, so that a busy machine slows all alike."""
    return np.min([[cpu_seconds(work) for work in works] for _ in range(n_rounds)], axis=0)


@pytest.fixture(scope="module")
def wide():
    """Forty columns, and a booster of 400 trees as a bag's member has them."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 40))
    y = X[:, :10].sum(axis=1) + X[:, 0] * X[:, 1] + rng.normal(size=len(X)) > 0
    options = {"max_depth": 6, "learning_rate": 0.05, "feature_fraction": 0.5}
    return X, train(X[:4000], y[:4000], n_trees=400, **options)


@pytest.mark.slow
def test_scores_cost_an_eighth_and_exact_explanations_a_third_of_the_scores_in_lightgbm(wide):
    X, booster = wide
    forest = compile_one(booster)
    out = np.empty_like(X)
    forest.contributions(X[:10], out=out[:10])
    raw, explained, lightgbms = least_cpu_seconds(
        lambda: forest.raw(X),
        lambda: forest.contributions(X, out=out),
        lambda: booster.predict(X, num_threads=1),
    )
    assert raw <= 0.12 * lightgbms  # measured at 0.03 to 0.05
    assert explained <= 0.35 * lightgbms  # measured at 0.10 to 0.15


@pytest.mark.slow
def test_a_few_rows_with_the_making_of_the_tables_cost_less_than_in_lightgbm(wide):
    X, booster = wide
    compile_one(booster).contributions(X[:10])
    ours, lightgbms = least_cpu_seconds(
        lambda: compile_one(booster).contributions(X[:500]),
        lambda: booster.predict(X[:500], pred_contrib=True, num_threads=1),
    )
    assert ours <= lightgbms  # measured at 0.3 to 0.4
