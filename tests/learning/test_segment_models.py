"""A segment has a model of its own where that beats the pooled one on leads unseen, and only there."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from leadlift.exceptions import ConfigError
from leadlift.insight.attribution import Attributor
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.calibration import SigmoidCalibrator
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.log_odds import log_loss_each
from leadlift.learning.scorer import LeadScorer
from leadlift.learning.segment_models import SegmentedLearner, shrunk_weight
from leadlift.learning.splitting import forward_folds
from leadlift.serving.learner_files import blend_files, read_blend
from leadlift.serving.restoring import restored_learner

EFFECTS = np.array([1.0, -0.8, 0.6])


def simulate(n=1800, seed=0, opposite=lambda segment, moment: segment == 1):
    """Three segments; where `opposite` says so, what speaks for a lead elsewhere speaks against it."""
    rng = np.random.default_rng(seed)
    segment, moment = rng.integers(0, 3, n), np.arange(n) / n
    X = np.column_stack([segment, rng.normal(size=(n, 3))])
    sign = np.where(opposite(segment, moment), -1, 1)
    return X, (rng.random(n) < expit(-0.7 + sign * (X[:, 1:] @ EFFECTS))).astype(int)


def alike(segment, moment):
    return np.zeros(len(segment), dtype=bool)


def opposite_in_the_past(segment, moment):
    return (segment == 1) & (moment < 0.5)


def quick_trees():
    return BaggedTrees(n_folds=3, learning_rate=0.1, max_statistics=0, n_jobs=1)


def learner(kind=SegmentedLearner):
    return kind(quick_trees(), n_folds=3)


def loss(fitted, X, y):
    return log_loss_each(y, fitted.decision_function(X)).mean()


@pytest.fixture(scope="module")
def fitted():
    X, y = simulate()
    return learner().fit(X, y, forward=forward_folds(y, np.arange(len(y))))


def test_a_segment_of_opposite_signs_has_its_own_model_and_new_leads_are_scored_better(fitted):
    new, won = simulate(6000, seed=1)
    assert 1.0 in [model.code for model in fitted.segments_]
    assert loss(fitted, new, won) < loss(learner(BlendedLearner).fit(*simulate()), new, won) - 0.01


@pytest.mark.parametrize("seed", range(3))
def test_segments_that_are_alike_share_one_model(seed):
    X, y = simulate(seed=seed, opposite=alike)
    segmented = learner().fit(X, y)
    assert segmented.segments_ == ()
    assert (segmented.decision_function(X) == learner(BlendedLearner).fit(X, y).decision_function(X)).all()


def test_what_held_in_the_past_alone_is_accepted_out_of_fold_and_refused_forward_in_time():
    X, y = simulate(3000, opposite=opposite_in_the_past)
    assert 1.0 in [model.code for model in learner().fit(X, y).segments_]
    forward = learner().fit(X, y, forward=forward_folds(y, np.arange(len(y))))
    assert 1.0 not in [model.code for model in forward.segments_]


def test_a_small_segment_has_no_model_of_its_own():
    X, y = simulate(600)
    X[X[:, 0] == 1, 0] = np.where(np.arange((X[:, 0] == 1).sum()) < 150, 1, 0)
    assert 1.0 not in [model.code for model in learner().fit(X, y).segments_]


def test_the_log_odds_are_the_mean_of_both_models_by_the_weight_of_the_segment(fitted):
    X = simulate(400, seed=2)[0]
    pooled = replace(fitted.fitted, segments=()).log_odds(X)
    expected = pooled.copy()
    for model in fitted.segments_:
        rows = X[:, 0] == model.code
        own = model.learner.decision_function(X[rows])
        expected[rows] = (1 - model.weight) * pooled[rows] + model.weight * own
    np.testing.assert_allclose(fitted.decision_function(X), expected, atol=1e-12)
    log_odds, members = fitted.decision_with_members(X)
    assert log_odds.tobytes() == fitted.decision_function(X).tobytes()
    assert members.shape == (3, 400)


def test_a_row_without_a_segment_or_of_a_new_one_has_the_pooled_model(fitted):
    X = simulate(50, seed=2)[0]
    for code in (np.nan, 17.0):
        X[:, 0] = code
        assert (fitted.decision_function(X) == replace(fitted.fitted, segments=()).log_odds(X)).all()


def test_it_is_read_back_from_its_files_bit_by_bit(fitted):
    X = simulate(200, seed=2)[0]
    again = restored_learner(read_blend(blend_files(fitted.fitted)), n_columns=4)
    assert [(m.code, m.weight) for m in again.segments_] == [(m.code, m.weight) for m in fitted.segments_]
    for one, other in zip(fitted.decision_with_members(X), again.decision_with_members(X), strict=True):
        assert one.tobytes() == other.tobytes()


def table(X):
    frame = pd.DataFrame(X[:, 1:], columns=["visits", "age", "size"])
    return frame.assign(region=pd.Series(X[:, 0]).map({0: "north", 1: "south", 2: "west"}))


def test_a_scorer_knows_the_segment_by_name_and_explains_each_score_exactly():
    X, y = simulate()
    scorer = LeadScorer(learner=learner(), calibrator=SigmoidCalibrator(), segment="region")
    scorer.fit(table(X), y, as_of=np.arange(len(y)))
    south = scorer.encoder_.columns_[3].levels.index("south")
    assert south in [model.code for model in scorer.learner_.segments_]
    found = Attributor(scorer.fitted).explain(scorer.encoder_.transform(table(X)))
    np.testing.assert_allclose(found.base + found.contributions.sum(axis=1), found.score, atol=1e-12)


def test_the_order_of_the_rows_does_not_matter():
    X, y = simulate(1500)
    rows = np.random.default_rng(0).permutation(len(y))
    scorers = [
        LeadScorer(learner=learner(), calibrator=SigmoidCalibrator(), segment="region").fit(
            table(X[order]), y[order], as_of=order
        )
        for order in (np.arange(len(y)), rows)
    ]
    one, other = (scorer.predict_proba(table(X)).tobytes() for scorer in scorers)
    assert one == other


@pytest.mark.parametrize("name", ["visits", "city"])
def test_a_segment_that_is_no_categorical_input_is_refused(name):
    X, y = simulate(300)
    with pytest.raises(ConfigError, match=f"segment names '{name}', which is no categorical input.*'region'"):
        LeadScorer(learner=learner(), segment=name).fit(table(X), y)


def test_the_weight_of_noise_is_zero_and_its_error_is_that_of_leads_not_rows():
    rng = np.random.default_rng(0)
    n = 400
    pooled, noise = np.zeros(n), rng.normal(size=n)
    y = rng.random(n) < expit(0.25 * noise)
    once = shrunk_weight(pooled, noise, y, np.ones(n), np.arange(n))
    rows = np.repeat(np.arange(n), 6)
    again = shrunk_weight(pooled[rows], noise[rows], y[rows], np.ones(6 * n), rows)
    torn = shrunk_weight(pooled[rows], noise[rows], y[rows], np.ones(6 * n), np.arange(6 * n))
    assert again == pytest.approx(once, abs=1e-4)
    assert torn > again
    assert shrunk_weight(pooled, noise, y, np.full(n, 6.0), np.arange(n)) == pytest.approx(once, abs=1e-4)
