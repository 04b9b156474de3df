"""The uncertainty of a score follows its true error, and is free of charge and of effect."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import spearmanr

from leadlift.learning.binned_logistic import BinnedLogistic
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.calibration import NoCalibrator
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.fitted.forest import Forest
from leadlift.learning.log_odds import LogOddsClassifier
from leadlift.learning.scorer import LeadScorer
from leadlift.learning.uncertainty import jackknife_error


def simulate(n, seed):
    """Leads with known probabilities; a rare level makes some of them hard to learn."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 5))
    X[:, 1] = rng.random(n) < 0.04
    p = expit(-1.5 + X[:, 0] + 1.5 * X[:, 1] - 0.5 * X[:, 2])
    return X, rng.random(n) < p, p


def scorer(n_jobs=1, **of_trees):
    trees = BaggedTrees(n_jobs=n_jobs, max_statistics=0, **of_trees)
    return LeadScorer(learner=BlendedLearner(trees), calibrator=NoCalibrator())


def measured(n, seed=0):
    """Uncertainty and true error of new leads, learnt from n."""
    X, y, _ = simulate(n, seed)
    new, _, p = simulate(4000, 1000 + seed)
    score, _, uncertainty = scorer(learning_rate=0.1).fit(X, y).score_with_uncertainty(new)
    return uncertainty, np.abs(score - p)


def test_it_is_the_delete_a_group_jackknife_by_eye():
    members = np.array([[0.1, 0.3], [0.2, 0.3], [0.3, 0.3]])
    # Squared distances from the mean add up to 0.02; K - 1 of K is 2/3.
    np.testing.assert_allclose(jackknife_error(members), [np.sqrt(2 / 3 * 0.02), 0.0], atol=1e-15)


def test_of_fewer_than_two_members_nothing_is_said():
    assert np.isnan(jackknife_error(np.array([[0.1, 0.3]]))).all()
    assert np.isnan(jackknife_error(np.empty((0, 2)))).all()


def test_for_means_of_samples_it_is_the_textbook_standard_error():
    # The mean without each of K equal groups: the jackknife of a mean is its standard error.
    rng = np.random.default_rng(0)
    groups = rng.normal(size=(8, 50))
    without = np.array([np.delete(groups, k, axis=0).mean() for k in range(8)])[:, None]
    expected = groups.mean(axis=1).std(ddof=1) / np.sqrt(8)
    assert jackknife_error(without)[0] == pytest.approx(expected)


def test_it_goes_with_the_true_error_is_of_its_size_and_shrinks_with_the_leads():
    (few, few_error), (many, many_error) = measured(800), measured(4800)
    assert spearmanr(many, many_error).statistic > 0.25
    for uncertainty, error in ((few, few_error), (many, many_error)):
        ratio = np.sqrt(np.mean(error**2) / np.mean(uncertainty**2))
        assert 0.5 < ratio < 2
    assert np.mean(many) < 0.75 * np.mean(few)


def test_it_changes_no_bit_of_the_score_and_asks_each_member_once(monkeypatch):
    X, y, _ = simulate(500, 0)
    fitted = scorer(max_rounds=20).fit(X, y)
    asked = []
    members = Forest.with_members
    monkeypatch.setattr(Forest, "with_members", lambda *a: asked.append(1) or members(*a))
    for rows in (X, X[:1]):
        expected = fitted.score_matrix(rows)
        asked.clear()
        score, log_odds, uncertainty = fitted.score_with_uncertainty(rows)
        assert len(asked) == 1
        assert score.tobytes() == expected[0].tobytes()
        assert log_odds.tobytes() == expected[1].tobytes()
        assert (uncertainty >= 0).all()


def test_the_members_of_a_blend_are_blends_of_what_each_fold_taught():
    X, y, _ = simulate(600, 0)
    blend = BlendedLearner(BaggedTrees(max_rounds=3, n_jobs=1), n_folds=3).fit(X, y)
    w = blend.weight_
    assert 0 < w < 1
    trees, logistic = (part._log_odds_with_members(X)[1] for part in (blend.trees_, blend.logistic_))
    np.testing.assert_allclose(blend.decision_with_members(X)[1], (1 - w) * trees + w * logistic)


def test_the_logistic_members_are_what_was_learnt_without_each_fold():
    X, y, _ = simulate(400, 0)
    fitted = BinnedLogistic(n_folds=4).fit(X, y)
    members = fitted.decision_with_members(X)[1]
    # Out of fold, each row has the log-odds of the member that did not see it.
    assert (np.abs(members - fitted.oof_log_odds_).min(axis=0) < 1e-12).all()


class BaseRate(LogOddsClassifier):
    """A learner without members."""

    n_folds, random_state = 2, 0

    def _fit(self, X, y, weight, folds):
        self.oof_log_odds_ = np.zeros(len(y))

    def _log_odds(self, X):
        return np.zeros(len(X))


def test_a_learner_without_members_says_nothing_of_uncertainty():
    X, y, _ = simulate(100, 0)
    fitted = LeadScorer(learner=BaseRate(), calibrator=NoCalibrator()).fit(X, y)
    assert np.isnan(fitted.score_with_uncertainty(X)[2]).all()
