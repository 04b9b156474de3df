"""Every learner explains what it scores: the same bits of log-odds, told apart by column."""

import numpy as np
import pytest

from leadlift.exceptions import InputError
from leadlift.learning.binned_logistic import BinnedLogistic
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.cold_start import ColdStartLearner
from leadlift.learning.log_odds import LogOddsClassifier
from leadlift.learning.segment_models import SegmentedLearner, SegmentModel
from pair_leads import pair_leads

SUM_TOLERANCE = 1e-12


@pytest.fixture(scope="module")
def leads():
    X, won = pair_leads(1200, n_regions=8)
    X[::7, 2] = np.nan
    return X, np.asarray(won)


def small_trees():
    return BaggedTrees(max_rounds=15, learning_rate=0.2, n_jobs=1)


def blend(weight, X, won, **of_trees):
    learner = BlendedLearner(small_trees().set_params(**of_trees), n_folds=3).fit(X, won)
    learner.weight_ = weight
    return learner


def segmented(X, won):
    """A pooled blend with statistics of pairs, and models of two segments, believed more and less."""
    learner = SegmentedLearner(small_trees(), segment=1, n_folds=3).fit(X, won)
    models = []
    for code, believed, weight in ((0.0, 0.3, 0.0), (1.0, 1.0, 0.4)):
        rows = X[:, 1] == code
        models.append(SegmentModel(code, believed, blend(weight, X[rows], won[rows], max_statistics=0)))
    learner.segments_ = tuple(models)
    return learner


LEARNERS = {
    "trees": lambda X, won: small_trees().set_params(n_folds=3).fit(X, won),
    "logistic": lambda X, won: BinnedLogistic(n_folds=3).fit(X, won),
    "few leads": lambda X, won: ColdStartLearner(n_folds=3).fit(X, won),
    "trees alone in a blend": lambda X, won: blend(0.0, X, won),
    "blend": lambda X, won: blend(0.4, X, won),
    "logistic alone in a blend": lambda X, won: blend(1.0, X, won),
    "models of segments": segmented,
}


@pytest.mark.parametrize("name", LEARNERS)
def test_what_is_explained_is_what_is_scored(name, leads):
    X, won = leads
    learner = LEARNERS[name](X, won)
    found = learner.explain(X)
    assert found.log_odds.tobytes() == learner.decision_function(X).tobytes()
    for one, other in zip(found[:2], learner.decision_with_members(X), strict=True):
        assert one.tobytes() == other.tobytes()
    sums = found.base + found.contributions.sum(axis=1)
    np.testing.assert_allclose(sums, found.log_odds, rtol=0, atol=SUM_TOLERANCE)
    few = learner.explain(X[:3])
    np.testing.assert_array_equal(few.contributions, found.contributions[:3])


class Level(LogOddsClassifier):
    """The same score for everybody, and no word why."""

    def _fit(self, X, y, sample_weight, groups=None):
        return self

    def _log_odds(self, X):
        return np.zeros(len(X))


def test_a_learner_that_cannot_be_told_apart_by_column_says_so():
    X, learner = np.zeros((10, 2)), Level()
    learner.n_features_in_, learner.classes_ = 2, np.array([0, 1])
    with pytest.raises(InputError, match="told apart by column, such as BlendedLearner, got Level"):
        learner.explain(X)
    assert not learner.decision_function(X).any()
