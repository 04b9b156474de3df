"""LightGBM's library gives without its Python package what it gives with it."""

import importlib.util
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import lightgbm
import numpy as np
import pytest

from leadlift.exceptions import InputError, MissingDependencyError
from leadlift.learning import lightgbm_library
from leadlift.learning.lightgbm_library import NativeBooster


@pytest.fixture(scope="module")
def X():
    X = np.random.default_rng(0).normal(size=(2000, 6))
    X[::7, 2] = np.nan
    return X


@pytest.fixture(scope="module")
def booster(X):
    y = np.nan_to_num(X[:, 2]) + X[:, 0] > 0
    options = {"objective": "binary", "num_leaves": 12, "verbose": -1, "num_threads": 1}
    return lightgbm.train(options, lightgbm.Dataset(X, y), num_boost_round=30)


@pytest.fixture(scope="module")
def native(booster):
    return NativeBooster(booster.model_to_string())


def test_raw_scores_and_contributions_are_those_of_the_package_bit_for_bit(X, booster, native):
    np.testing.assert_array_equal(native.raw(X), booster.predict(X, raw_score=True))
    np.testing.assert_array_equal(native.contributions(X[:50]), booster.predict(X[:50], pred_contrib=True))
    assert (native.n_features, native.n_trees) == (6, 30)


def test_trees_can_be_added_up_in_parts(X, booster, native):
    part = booster.predict(X, raw_score=True, start_iteration=10, num_iteration=5)
    np.testing.assert_array_equal(native.raw(X, first_tree=10, n_trees=5), part)


def test_the_layout_of_the_matrix_does_not_matter_and_no_rows_give_no_scores(X, native):
    np.testing.assert_array_equal(native.raw(np.asfortranarray(X)), native.raw(X))
    assert native.raw(X[:0]).shape == (0,)
    assert native.contributions(X[:0]).shape == (0, 7)


def test_threads_may_ask_at_the_same_time(X, native):
    with ThreadPoolExecutor(2) as threads:
        parts = list(threads.map(native.raw, np.array_split(X, 8)))
    np.testing.assert_array_equal(np.concatenate(parts), native.raw(X))


def test_a_text_that_is_no_model_is_refused():
    with pytest.raises(InputError, match="expected a LightGBM model text, but LightGBM says: "):
        NativeBooster("no model")


def test_a_matrix_of_other_columns_is_refused(X, native):
    with pytest.raises(InputError, match=r"expected a matrix of 6 columns, but got shape \(2000, 5\)"):
        native.raw(X[:, :5])


def test_where_lightgbm_is_missing_it_says_what_to_install(monkeypatch):
    lightgbm_library._library.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingDependencyError, match="run: pip install lightgbm"):
        NativeBooster("tree")
    lightgbm_library._library.cache_clear()


def test_the_package_is_not_imported(booster, tmp_path):
    (tmp_path / "model.txt").write_text(booster.model_to_string())
    code = (
        "import sys, numpy; from leadlift.learning.lightgbm_library import NativeBooster;"
        "NativeBooster(open(sys.argv[1]).read()).raw(numpy.zeros((1, 6)));"
        "print({'lightgbm', 'sklearn', 'scipy', 'pandas'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "model.txt")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "set()"
