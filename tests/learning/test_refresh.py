"""A scorer refreshed on the latest leads keeps its learner, follows the outcomes and keeps its promises."""

from copy import copy

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from leadlift.exceptions import InputError, NoCutoffError
from leadlift.learning.binned_logistic import BinnedLogistic
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.calibration import Calibrator
from leadlift.learning.calibration_drift import drift_finding, training_drift
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.cutoff import FixedThreshold, PrecisionGuarantee
from leadlift.learning.metrics import log_loss
from leadlift.learning.scorer import LeadScorer

N_TRAINING = 3000


def cheap_scorer(**parameters):
    trees = BaggedTrees(max_rounds=40, n_jobs=1)
    learner = BlendedLearner(trees=trees, logistic=BinnedLogistic(), n_folds=3)
    return LeadScorer(**{"learner": learner} | parameters)


def simulate(n, seed=0, shift=0.0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"visits": rng.normal(size=n), "source": rng.choice(["ads", "fair"], n)})
    log_odds = -1.8 + 1.5 * X["visits"] + 0.5 * (X["source"] == "fair") + shift
    return X, (rng.random(n) < expit(log_odds)).astype(int), expit(log_odds.to_numpy())


@pytest.fixture(scope="module")
def fitted():
    X, y, _ = simulate(N_TRAINING)
    scorer = cheap_scorer(cutoff=PrecisionGuarantee(0.4), sql_cutoff=FixedThreshold(0.7))
    return scorer.fit(X, y, as_of=np.arange(N_TRAINING))


@pytest.fixture
def scorer(fitted):
    return copy(fitted)


@pytest.mark.parametrize("n", [300, 3000])
def test_scores_follow_a_shift_of_the_base_rate(scorer, n):
    X, y, _ = simulate(n, seed=1, shift=-1.2)
    new, _, truth = simulate(2000, seed=2, shift=-1.2)
    before = np.abs(scorer.predict_proba(new)[:, 1] - truth).mean()
    scorer.refresh(X, y, as_of=np.arange(n), policy=FixedThreshold(0.4))
    assert np.abs(scorer.predict_proba(new)[:, 1] - truth).mean() < before / 2


def test_the_learner_stays_and_the_order_of_the_leads_with_it(scorer, fitted):
    X, y, _ = simulate(2000, seed=1, shift=-1.2)
    scorer.refresh(X, y, as_of=np.arange(2000))
    assert scorer.learner_ is fitted.learner_
    ranks = [np.argsort(s.predict_proba(X)[:, 1], kind="stable") for s in (scorer, fitted)]
    np.testing.assert_array_equal(*ranks)


def test_the_new_cutoff_promises_on_the_new_leads_and_keeps_it(scorer):
    X, y, _ = simulate(2500, seed=1, shift=-1.2)
    former = scorer.cutoff_.threshold
    new, _, truth = simulate(4000, seed=2, shift=-1.2)
    assert truth[scorer.predict(new) == 1].mean() < 0.4
    scorer.refresh(X, y, as_of=np.arange(2500))
    assert scorer.cutoff_.evidence == "refresh window"
    assert scorer.cutoff_.threshold != former
    assert truth[scorer.predict(new) == 1].mean() >= 0.4


def test_scores_given_on_the_day_serve_like_the_leads_themselves(scorer, fitted):
    X, y, _ = simulate(1000, seed=1, shift=-1.2)
    on_the_day = fitted.learner_.decision_function(fitted.encoder_.transform(X))
    other = copy(fitted).refresh_scored(on_the_day, y, as_of=np.arange(1000), groups=np.arange(1000))
    scorer.refresh(X, y, as_of=np.arange(1000), groups=np.arange(1000))
    assert other.cutoff_ == scorer.cutoff_
    assert other.calibrator_.to_dict() == scorer.calibrator_.to_dict()


def test_another_policy_may_come_along(scorer):
    X, y, _ = simulate(600, seed=1)
    scorer.refresh(X, y, policy=FixedThreshold(0.2), sql_policy=FixedThreshold(0.3))
    assert (scorer.cutoff_.threshold, scorer.sql_cutoff_.threshold) == (0.2, 0.3)


def test_a_refusal_leaves_everything_as_it_was(scorer, fitted):
    X, y, _ = simulate(400, seed=1, shift=-1.5)
    with pytest.raises(NoCutoffError, match="no cut-off can promise 99%"):
        scorer.refresh(X, y, policy=PrecisionGuarantee(0.99))
    for part in ("calibrator_", "cutoff_", "sql_cutoff_", "evidence_"):
        assert getattr(scorer, part) is getattr(fitted, part)


def test_unknown_labels_are_refused(scorer):
    X, y, _ = simulate(50)
    with pytest.raises(InputError, match=r"y holds 50 labels other than \[0, 1\]"):
        scorer.refresh(X, y + 5)


def test_the_refreshed_calibrator_travels_as_json(scorer):
    X, y, _ = simulate(400, seed=1, shift=-1.2)
    scorer.refresh(X, y, policy=FixedThreshold(0.4))
    rebuilt = Calibrator.from_dict(scorer.calibrator_.to_dict())
    z = np.linspace(-3, 3, 20)
    assert rebuilt.transform(z).tobytes() == scorer.calibrator_.transform(z).tobytes()


# On a telephone campaign whose base rate goes from 6 % to 50 % while the file lasts


@pytest.mark.real_data
def test_the_bank_campaign_is_reported_and_a_refresh_helps(real_data):
    frame = pd.read_csv(real_data / "bank_marketing" / "bank-additional-full.csv", sep=";")
    y = (frame.pop("y") == "yes").to_numpy().astype(int)
    X, as_of = frame.drop(columns="duration"), np.arange(len(y))
    first, blocks = int(0.7 * len(y)), np.array_split(np.arange(int(0.7 * len(y)), len(y)), 10)
    scorer = cheap_scorer().fit(X[:first], y[:first], as_of=as_of[:first])
    assert [found.code for found in training_drift(scorer.evidence_)] == ["LL162"]
    mature = scorer.predict_proba(X.iloc[blocks[0]])[:, 1]
    assert drift_finding(mature, y[blocks[0]], where="the first block").code == "LL162"

    still, refreshed = [], []
    follower = copy(scorer)
    for block in blocks:
        still.append(scorer.predict_proba(X.iloc[block])[:, 1])
        refreshed.append(follower.predict_proba(X.iloc[block])[:, 1])
        follower.refresh(X.iloc[block], y[block], as_of=block)
    losses = [log_loss(y[first:], np.concatenate(scores)).estimate for scores in (still, refreshed)]
    assert losses[1] < losses[0] - 0.05
