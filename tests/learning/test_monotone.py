"""A direction that the user knows holds in every published score."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from laws import law
from leadlift.exceptions import ConfigError
from leadlift.learning.binned_logistic import BinnedLogistic
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.calibration import IsotonicCalibrator, SigmoidCalibrator
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.cold_start import ColdStartLearner
from leadlift.learning.scorer import LeadScorer

DIRECTIONS = {"demos": "up", "days": "down"}
value = st.floats(-4, 4)


def simulate(n=900, seed=0):
    """Leads whose odds rise and fall again with both columns, so that a free model breaks the direction."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {"demos": rng.normal(size=n), "days": rng.normal(size=n), "visits": rng.normal(size=n)}
    )
    table["source"] = rng.choice(["ads", "fair"], n)
    table.loc[rng.random(n) < 0.1, "demos"] = np.nan
    bump = np.sin(2 * table["demos"].fillna(2)) + np.sin(2 * table["days"])
    return table, rng.random(n) < expit(2 * bump + table["visits"])


def learners():
    trees = BaggedTrees(n_folds=2, max_rounds=60, n_jobs=1)
    return [
        BlendedLearner(trees=trees, n_folds=2),
        BlendedLearner(trees=BaggedTrees(max_rounds=3, n_jobs=1), n_folds=2),
        ColdStartLearner(n_folds=2),
    ]


def fit(learner, calibrator, monotone):
    return LeadScorer(learner=learner, calibrator=calibrator, monotone=monotone).fit(*simulate())


@pytest.fixture(scope="module")
def scorers():
    calibrators = [SigmoidCalibrator(), IsotonicCalibrator(), SigmoidCalibrator()]
    return [fit(*pair, DIRECTIONS) for pair in zip(learners(), calibrators, strict=True)]


def score(scorer, rows):
    return scorer.predict_proba(pd.DataFrame(rows))[:, 1]


@law
@given(demos=value, days=value, visits=value | st.none(), more=st.floats(0, 5), source=st.sampled_from("ab"))
def test_a_step_in_the_known_direction_never_lowers_the_published_score(
    scorers, demos, days, visits, more, source
):
    visits = np.nan if visits is None else visits
    here = {"demos": demos, "days": days, "visits": visits, "source": source}
    steps = [here, here | {"demos": demos + more}, here | {"days": days - more}]
    for scorer in scorers:
        before, more_demos, fewer_days = score(scorer, steps)
        assert more_demos >= before
        assert fewer_days >= before


def test_the_blends_of_the_law_have_a_say_of_trees_and_of_the_logistic_member(scorers):
    weights = [scorer.learner_.weight_ for scorer in scorers]
    assert weights[0] < 1
    assert weights[1] > 0


def test_without_directions_the_score_falls_where_the_odds_fall():
    scorer = fit(learners()[0], SigmoidCalibrator(), None)
    grid = pd.DataFrame({"demos": np.linspace(-2, 2, 40), "days": 0.0, "visits": 0.0, "source": "ads"})
    assert (np.diff(scorer.predict_proba(grid)[:, 1]) < 0).any()


def test_a_monotone_table_is_the_ridge_table_levelled_and_keeps_its_mean():
    X, y = simulate()
    X = X[["demos", "days"]].to_numpy()
    free = BinnedLogistic(strengths=(0.3,), n_folds=2).fit(X, y)
    bound = BinnedLogistic(strengths=(0.3,), n_folds=2, monotone={0: 1}).fit(X, y)
    assert (np.diff(free.tables_[0][:-1]) < 0).any()
    assert (np.diff(bound.tables_[0][:-1]) >= 0).all()
    np.testing.assert_allclose(bound.tables_[1], free.tables_[1])
    assert bound.intercept_ == pytest.approx(free.intercept_)
    assert bound.tables_[0][-1] == pytest.approx(free.tables_[0][-1])  # that of missing


@pytest.mark.parametrize(
    ("monotone", "said"),
    [
        ({"demo": "up"}, r"names 1 columns that are no inputs: 'demo'; inputs are 'demos', 'days'"),
        ({"source": "up"}, r"are categories, which have no order: 'source'; numeric inputs are 'demos'"),
        ({"demos": "rising"}, r"directions 'up' and 'down', got 'rising'"),
    ],
)
def test_a_direction_that_means_nothing_is_refused(monotone, said):
    with pytest.raises(ConfigError, match=said):
        fit(learners()[2], SigmoidCalibrator(), monotone)
