"""The blend is weighed out of fold, and anew on later rows where these clearly say so."""

import numpy as np
import pytest
from scipy.special import expit

from leadlift.learning.blending import BlendedLearner, Block, forward_weight, thinned
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.log_odds import log_loss_each
from leadlift.learning.scorer import LeadScorer
from leadlift.learning.splitting import forward_folds


def leads(n, seed, *, lasts):
    """An additive effect that stays, and an interaction that ends half way through unless it lasts."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 6, size=(n, 4)).astype(float)
    time = np.arange(n)
    pair = 1.6 * np.where((X[:, 0] > 2) == (X[:, 1] > 2), 1, -1) * (lasts | (time < n / 2))
    z = -1.2 + 0.5 * (X[:, 2] - 2.5) + pair
    return X, (rng.random(n) < expit(z)).astype(int), time


def learner():
    return BlendedLearner(BaggedTrees(learning_rate=0.15, n_jobs=1), n_folds=3)


def test_members_that_only_the_past_liked_lose_their_weight():
    X, y, time = leads(3000, seed=0, lasts=False)
    new, outcome, _ = leads(3000, seed=1, lasts=False)
    later = slice(1500, None)
    told = learner().fit(X, y, forward=forward_folds(y, time))
    untold = learner().fit(X, y)
    assert told.weight_ > untold.weight_
    losses = [log_loss_each(outcome[later], m.decision_function(new[later])).mean() for m in (told, untold)]
    assert losses[0] < losses[1]


def test_the_weight_stays_where_time_changes_nothing():
    X, y, time = leads(3000, seed=2, lasts=True)
    told = learner().fit(X, y, forward=forward_folds(y, time))
    assert told.weight_ == learner().fit(X, y).weight_


def test_a_scorer_with_moments_weighs_its_members_forward_in_time():
    X, y, time = leads(3000, seed=0, lasts=False)
    told = LeadScorer(learner=learner()).fit(X, y, as_of=time).learner_.weight_
    assert told > LeadScorer(learner=learner()).fit(X[:2000], y[:2000]).learner_.weight_


def test_blocks_with_few_of_either_outcome_say_nothing():
    X, y, time = leads(3000, seed=0, lasts=False)
    rare = y * (np.cumsum(y) % 12 == 0)
    told = learner().fit(X, rare, forward=forward_folds(rare, time))
    assert told.weight_ == learner().fit(X, rare).weight_


def test_rows_that_the_past_has_forgotten_teach_nothing_forward_in_time():
    X, y, time = leads(3000, seed=0, lasts=False)
    weight = np.where(time < 2400, 0.0, 1.0)
    folds = forward_folds(y, time)
    told = learner().fit(X, y, weight, forward=folds)
    recent = slice(2400, None)
    assert told.weight_ == learner().fit(X[recent], y[recent]).weight_


def test_moments_of_one_lead_count_as_one_when_members_are_weighed():
    rng = np.random.default_rng(3)
    z, other = rng.normal(size=60), rng.normal(size=60)
    y = (rng.random(60) < expit(z)).astype(int)
    once = Block(y, np.ones(60), np.arange(60), trees=other, logistic=z)
    often = Block(*[np.tile(part, 50) for part in once])
    assert often.loss(0.5).shape == once.loss(0.5).shape


@pytest.mark.parametrize(("present", "expected"), [(0.0, 1.0), (1.0, 1.0)])
def test_the_member_that_tells_won_from_lost_gets_the_weight(present, expected):
    rng = np.random.default_rng(0)
    z = rng.normal(size=2000)
    y = (rng.random(2000) < expit(2 * z)).astype(int)
    block = Block(y, np.ones(2000), np.arange(2000), trees=rng.normal(size=2000), logistic=z)
    assert forward_weight([block], present) == expected


def test_level_and_slope_are_left_to_the_calibrator():
    rng = np.random.default_rng(0)
    z = rng.normal(size=2000)
    y = (rng.random(2000) < expit(z)).astype(int)
    block = Block(y, np.ones(2000), np.arange(2000), trees=3 * z + 5, logistic=rng.normal(size=2000))
    assert forward_weight([block], 0.0) == 0.0


def test_thinning_spreads_the_rows_evenly():
    assert len(thinned(np.arange(20_000))) == 20_000
    assert np.unique(np.diff(thinned(np.arange(100_000)))).tolist() == [5]
