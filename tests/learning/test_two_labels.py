"""Two labels of the same leads: both calibrated, learnt on the same slices, published in order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlift.exceptions import InputError
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.cutoff import FixedThreshold, PrecisionGuarantee
from leadlift.learning.plan import TrainingPlan
from leadlift.learning.scorer import LeadScorer
from leadlift.learning.two_labels import choose_both_cutoffs, learn_second_label, published_score_sql
from two_stage_leads import two_stage_leads

INPUTS = ["company_size", "visits", "budget"]
PROBABILITIES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1)


def learner():
    return BlendedLearner(BaggedTrees(max_rounds=80, n_jobs=1), n_folds=2)


@pytest.fixture(scope="module")
def leads():
    return two_stage_leads(6_000, seed=3)


@pytest.fixture(scope="module", params=["in time", "out of fold"])
def models(request, leads):
    """Both models, learnt with dates and without."""
    as_of = leads.table["created_at"].to_numpy() if request.param == "in time" else None
    X, teaches = leads.table[INPUTS], np.arange(6_000) % 10 > 0
    first = LeadScorer(learner=learner()).fit(X, leads.won, as_of=as_of)
    second = learn_second_label(first, X, leads.became_sql, teaches=teaches, as_of=as_of)
    return first, second, teaches


# By eye


def test_a_plan_for_some_rows_is_numbered_among_them():
    plan = TrainingPlan(*map(np.array, ([0, 2], [3], [4, 5], [1])), "decide slice")
    part = plan.among(np.array([True, True, False, True, False, True]))
    assert [part.fit.tolist(), part.calibrate.tolist(), part.decide.tolist(), part.embargoed.tolist()] == [
        [0],
        [2],
        [3],
        [1],
    ]


# Laws


@given(PROBABILITIES)
def test_nobody_is_likelier_won_than_accepted(pairs):
    score_sql, score_won = np.array(pairs).T
    published = published_score_sql(score_sql, score_won)
    assert (published >= score_won).all()
    assert np.isin(published, np.r_[score_sql, score_won]).all()
    kept = score_sql >= score_won
    assert (published[kept] == score_sql[kept]).all()


# Slices and evidence


def test_each_row_does_for_the_second_label_what_it_did_for_the_first(models):
    first, second, teaches = models
    rows = np.flatnonzero(teaches)
    for part in ("fit", "calibrate", "decide"):
        theirs = getattr(first.plan_, part)
        assert set(rows[getattr(second.plan_, part)]) == set(theirs[teaches[theirs]])
    assert second.plan_.evidence == first.plan_.evidence


def test_the_evidence_of_the_mql_cutoff_holds_published_scores(models, leads):
    first, second, teaches = models
    rows = np.flatnonzero(teaches)[second.plan_.decide]
    won = first.calibrator_.transform(first.held_out_log_odds_[rows])
    own = second.calibrator_.transform(second.held_out_log_odds_[second.plan_.decide])
    published = published_score_sql(own, won)
    assert (published > own).any()
    np.testing.assert_array_equal(np.sort(second.evidence_.score), np.sort(published))
    assert second.evidence_.won.sum() == leads.became_sql[rows].sum()


def test_each_cutoff_is_decided_on_its_own_label(models):
    first, second, _ = models
    choose_both_cutoffs(first, second, PrecisionGuarantee(0.5), FixedThreshold(0.3))
    assert second.cutoff_.n_evidence_won == second.evidence_.won.sum()
    assert second.cutoff_.promise.endswith('; "won" means "became SQL" here')
    assert first.sql_cutoff_.threshold == first.cutoff_.threshold == 0.3
    assert first.sql_cutoff_.n_evidence_won == first.evidence_.won.sum()


# Simulation with known truth


def test_both_are_calibrated_and_near_the_truth_on_new_leads(models):
    first, second, _ = models
    new = two_stage_leads(20_000, seed=4)
    won = first.predict_proba(new.table[INPUTS])[:, 1]
    sql = published_score_sql(second.predict_proba(new.table[INPUTS])[:, 1], won)
    for score, truth in ((won, new.p_won), (sql, new.p_sql)):
        # 6,000 leads of which two thirds or more are fitted: the mean is known to about 0.006.
        assert abs(score.mean() - truth.mean()) < 0.02
        assert np.corrcoef(score, truth)[0, 1] > 0.9
        edges = np.quantile(score, np.linspace(0, 1, 6))
        bins = np.digitize(score, edges[1:-1])
        gaps = [abs((score - truth)[bins == b].mean()) for b in range(5)]
        assert max(gaps) < 0.05
        # The base rate, which nobody could call calibrated lead by lead, is far worse.
        assert np.abs(score - truth).mean() < 0.4 * np.abs(truth.mean() - truth).mean()


# Bad input


def test_a_label_that_nobody_reached_is_refused(leads, models):
    first, _, teaches = models
    with pytest.raises(InputError, match="one class only"):
        learn_second_label(first, leads.table[INPUTS], np.zeros(6_000, bool), teaches=teaches)
