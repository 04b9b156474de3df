"""A weight of two is the row twice, a weight of nothing is no row."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from laws import law
from leadlift.learning.binned_logistic import BinnedLogistic
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.calibration import BetaCalibrator, IsotonicCalibrator, NoCalibrator, SigmoidCalibrator
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.plan import early_and_late
from leadlift.learning.scorer import LeadScorer
from leadlift.learning.threads import one_blas_thread

seeds = st.integers(0, 10_000)


def simulate(n, seed):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.normal(size=n), rng.integers(0, 4, n)])
    X[rng.random((n, 2)) < 0.1] = np.nan
    y = rng.random(n) < expit(np.nan_to_num(X[:, 0]))
    y[:4] = [0, 1, 0, 1]
    return X, y.astype(int), rng.integers(0, 3, n).astype(float)


@law
@given(seeds)
@pytest.mark.parametrize("kind", [SigmoidCalibrator, BetaCalibrator])
def test_a_calibrator_takes_a_weight_for_so_many_rows(kind, seed):
    X, y, weight = simulate(60, seed)
    weight[:4] = 1
    z = np.nan_to_num(X[:, 0])
    weighted = kind().fit(z, y, weight)
    repeated = kind().fit(*(np.repeat(a, weight.astype(int)) for a in (z, y)))
    grid = np.linspace(-3, 3, 9)
    np.testing.assert_allclose(weighted.transform(grid), repeated.transform(grid), atol=1e-4)


def test_isotonic_calibration_takes_a_weight_for_so_many_rows():
    X, y, weight = simulate(200, 0)
    weight = weight + 1
    z = np.nan_to_num(X[:, 0])
    weighted = IsotonicCalibrator().fit(z, y, weight)
    repeated = IsotonicCalibrator().fit(*(np.repeat(a, weight.astype(int)) for a in (z, y)))
    grid = np.linspace(-3, 3, 50)
    np.testing.assert_allclose(weighted.transform(grid), repeated.transform(grid), atol=1e-12)


def without_folds(n):
    return np.zeros(n, dtype=np.int64)


@law
@given(seeds)
def test_the_tables_of_the_logistic_member_take_a_weight_for_so_many_rows(seed):
    X, y, weight = simulate(120, seed)
    weight[:4] = 1
    rows = np.repeat(np.arange(120), weight.astype(int))
    weighted, repeated = (BinnedLogistic(max_levels=6, strengths=(0.3,), monotone={0: 1}) for _ in range(2))
    with one_blas_thread():
        weighted._fit(X, y, weight, without_folds(120))
        repeated._fit(X[rows], y[rows], np.ones(len(rows)), without_folds(len(rows)))
    for one, other in zip(weighted.edges_, repeated.edges_, strict=True):
        assert one.tolist() == other.tolist()
    for one, other in zip(weighted.tables_, repeated.tables_, strict=True):
        np.testing.assert_allclose(one, other, atol=5e-3)  # the solver stops at a gradient of 1e-4


def quick_scorer():
    trees = BaggedTrees(n_folds=2, max_rounds=15, n_jobs=1)
    return LeadScorer(learner=BlendedLearner(trees, n_folds=2), calibrator=NoCalibrator())


def test_rows_of_weight_zero_teach_nothing_and_are_no_evidence():
    X, y, _ = simulate(600, 0)
    absent = np.random.default_rng(1).random(600) < 0.3
    wrong = np.where(absent, 1 - y, y)
    weighted = quick_scorer().fit(X, wrong, np.where(absent, 0.0, 1.0))
    alone = quick_scorer().fit(X[~absent], y[~absent])
    assert weighted.predict_proba(X).tobytes() == alone.predict_proba(X).tobytes()
    assert len(weighted.evidence_.won) == (~absent).sum()


def test_rows_of_weight_zero_are_neither_early_nor_late():
    n = 2000
    y, as_of = np.arange(n) % 2, np.arange(n)
    weight = (np.arange(n) % 3 > 0).astype(float)
    early, late = early_and_late(y, as_of, weight=weight)
    kept = np.flatnonzero(weight)
    expected = early_and_late(y[kept], as_of[kept])
    assert early.tolist() == kept[expected[0]].tolist()
    assert late.tolist() == kept[expected[1]].tolist()


def test_weights_reach_trees_logistic_member_and_calibrator():
    X, y, _ = simulate(600, 0)
    heavy = np.where(y > 0, 5.0, 1.0)
    plain, weighted = quick_scorer().fit(X, y), quick_scorer().fit(X, y, heavy)
    odds = [expit(s.learner_.decision_function(X)).mean() for s in (plain, weighted)]
    assert odds[1] > odds[0] + 0.2
    scorers = [
        LeadScorer(learner=quick_scorer().learner, calibrator=SigmoidCalibrator()).fit(X, y, w)
        for w in (None, heavy)
    ]
    assert scorers[1].predict_proba(X)[:, 1].mean() == pytest.approx(np.average(y, weights=heavy), abs=0.05)
    assert scorers[0].predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), abs=0.05)
