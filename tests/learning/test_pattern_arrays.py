"""Where numba is missing, NumPy gives the same bits: tables, raw scores, contributions and bins."""

import subprocess
import sys

import lightgbm
import numpy as np
import pytest

from leadlift.learning import column_codes, pattern_kernels, pattern_tables, patterns
from leadlift.learning.fitted import logistic
from leadlift.learning.fitted.logistic import LogisticTables
from leadlift.learning.patterns import PatternForest

MODULES = (column_codes, pattern_tables, patterns, logistic)


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=3000), rng.integers(-2, 3, 3000), rng.exponential(size=3000)])
    X[rng.random(X.shape) < 0.15] = np.nan
    return X


@pytest.fixture(scope="module", params=[{}, {"use_missing": False}, {"zero_as_missing": True}], ids=str)
def text(X, request):
    rng = np.random.default_rng(1)
    y = np.nan_to_num(X).sum(axis=1) + np.isnan(X[:, 0]) + rng.normal(size=len(X)) > 0.5
    options = {"objective": "binary", "num_leaves": 12, "verbose": -1, "num_threads": 1} | request.param
    return lightgbm.train(options, lightgbm.Dataset(X, y), num_boost_round=15).model_to_string()


@pytest.fixture
def without_numba(monkeypatch):
    def by_numpy(loop):
        return getattr(pattern_kernels.pattern_arrays, loop.__name__)

    for module in MODULES:
        if hasattr(module, "kernel"):
            monkeypatch.setattr(module, "kernel", by_numpy)


@pytest.fixture
def compiled_results(X, text):
    """Asked for before numba is taken away."""
    forest = PatternForest.from_model_texts([text], [0.5])
    return forest._answers.entries, *forest.explain(X), forest.raw_by_booster(X)


def test_tables_scores_and_contributions_have_the_same_bits(X, text, compiled_results, without_numba):
    forest = PatternForest.from_model_texts([text], [0.5])
    found = forest._answers.entries, *forest.explain(X), forest.raw_by_booster(X)
    for one, other in zip(found, compiled_results, strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(2)
    edges = [np.sort(rng.normal(size=9)), np.arange(-1.5, 2), np.empty(0)]
    return LogisticTables(
        edges=edges,
        tables=[rng.normal(size=len(own) + 2) for own in edges],
        intercept=-0.3,
        fold_tables=[rng.normal(size=(len(own) + 2, 4)) for own in edges],
        fold_intercepts=rng.normal(size=4),
    )


def results(tables, X):
    return *tables.explain(X)[:3], tables.log_odds(X), *tables.with_members(X)


def test_bins_have_the_same_bits_by_search_by_codes_and_without_numba(X, tables, request):
    by_search, by_codes = results(tables, X), results(tables.using("fast"), X)
    request.getfixturevalue("without_numba")
    by_numpy = results(tables.using("fast"), X)
    for one, *others in zip(by_search, by_codes, by_numpy, strict=True):
        assert {one.tobytes()} == {other.tobytes() for other in others}


def test_all_runs_where_numba_cannot_be_imported(X, text, compiled_results, tmp_path):
    (tmp_path / "model.txt").write_text(text)
    np.save(tmp_path / "X.npy", X)
    code = (
        "import sys; sys.modules['numba'] = None; import numpy as np;"
        "from leadlift.learning.pattern_kernels import is_compiled; assert not is_compiled();"
        "from leadlift.learning.patterns import PatternForest;"
        "forest = PatternForest.from_model_texts([open('model.txt').read()], [0.5]);"
        "np.save('found.npy', forest.contributions(np.load('X.npy')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    assert np.load(tmp_path / "found.npy").tobytes() == compiled_results[2].tobytes()


def test_where_numba_is_there_the_loops_are_compiled():
    assert pattern_kernels.is_compiled()
