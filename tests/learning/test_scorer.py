"""LeadScorer: what it learns does not depend on how the leads came, and it says what it learnt from."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.special import expit
from sklearn.base import clone

from leadlift.exceptions import ConfigError, InputError, NoCutoffError, SchemaError
from leadlift.learning.binned_logistic import BinnedLogistic
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.calibration import NoCalibrator, SigmoidCalibrator
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.cutoff import Capacity, FixedThreshold, PrecisionGuarantee
from leadlift.learning.encoding import TableEncoder
from leadlift.learning.scorer import LeadScorer

N_LEADS = 3000
SOURCES = np.array(["ads", "fair", "web", "partner"])
SOURCE_EFFECT = np.array([-1.0, 0.5, 0.0, 1.5])


def cheap_learner(n_jobs=1):
    return BlendedLearner(
        trees=BaggedTrees(max_rounds=40, n_jobs=n_jobs), logistic=BinnedLogistic(), n_folds=3
    )


def cheap_scorer(**parameters):
    return LeadScorer(**{"learner": cheap_learner(), "calibrator": SigmoidCalibrator()} | parameters)


def simulate(n=N_LEADS, seed=0, late_shift=0.0):
    """Leads as a frame, their outcome, and when each came; the odds of the last 30 % may be shifted."""
    rng = np.random.default_rng(seed)
    source, visits = rng.integers(0, 4, n), rng.poisson(4, n).astype(float)
    log_odds = -1.5 + SOURCE_EFFECT[source] + 0.3 * (visits - 4) + late_shift * (np.arange(n) >= 0.7 * n)
    visits[rng.random(n) < 0.1] = np.nan
    X = pd.DataFrame({"source": SOURCES[source], "visits": visits, "noise": rng.normal(size=n)})
    as_of = np.datetime64("2026-01-01") + np.arange(n).astype("timedelta64[h]")
    return X, (rng.random(n) < expit(log_odds)).astype(int), as_of


@pytest.fixture(scope="module")
def leads():
    return simulate()


@pytest.fixture(scope="module")
def fitted(leads):
    X, y, as_of = leads
    return cheap_scorer(cutoff=FixedThreshold(0.4), sql_cutoff=FixedThreshold(0.6)).fit(X, y, as_of=as_of)


def shuffled(n, seed=1):
    return np.random.default_rng(seed).permutation(n)


# What it does not depend on


@pytest.mark.parametrize("with_dates", [True, False], ids=["forward in time", "out of fold"])
@pytest.mark.parametrize("rows_a_lead", [1, 3])
def test_the_order_of_the_rows_does_not_change_a_bit(leads, with_dates, rows_a_lead):
    X, y, as_of = leads
    lead = np.arange(N_LEADS) // rows_a_lead
    groups = None if rows_a_lead == 1 else lead
    order = shuffled(N_LEADS)

    def learn(rows):
        return cheap_scorer().fit(
            X.iloc[rows],
            y[rows],
            as_of=as_of[rows] if with_dates else None,
            groups=None if groups is None else groups[rows],
        )

    one, other = learn(np.arange(N_LEADS)), learn(order)
    assert one.predict_proba(X).tobytes() == other.predict_proba(X).tobytes()
    assert one.cutoff_ == other.cutoff_


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(leads):
    X, y, _ = leads
    scorer = LeadScorer(learner=BaggedTrees(n_folds=2, max_rounds=10, n_jobs=1))
    first = scorer.fit(X, y).predict_proba(X).tobytes()
    assert clone(scorer).fit(X, y).predict_proba(X).tobytes() == first
    reseeded = clone(scorer).set_params(learner__random_state=7)
    assert reseeded.fit(X, y).predict_proba(X).tobytes() != first


def test_the_number_of_jobs_does_not_change_a_bit(leads, fitted):
    X, y, as_of = leads
    two = cheap_scorer(learner=cheap_learner(n_jobs=2)).fit(X, y, as_of=as_of)
    assert two.predict_proba(X).tobytes() == fitted.predict_proba(X).tobytes()


def test_pandas_polars_and_arrow_give_the_same_scores(leads, fitted):
    X, y, as_of = leads
    expected = fitted.predict_proba(X)
    arrow = pa.Table.from_pandas(X, preserve_index=False)
    for table in (arrow, pl.from_arrow(arrow)):
        assert fitted.predict_proba(table).tobytes() == expected.tobytes()
        learnt = cheap_scorer().fit(table, y, as_of=as_of)
        assert learnt.predict_proba(table).tobytes() == expected.tobytes()


def test_an_array_of_numbers_gives_the_scores_of_a_table_of_numbers(leads):
    X, y, _ = leads
    table = X[["visits", "noise"]]
    by_table = cheap_scorer().fit(table, y).predict_proba(table)
    by_array = cheap_scorer().fit(table.to_numpy(), y).predict_proba(table.to_numpy())
    assert by_array.tobytes() == by_table.tobytes()


def test_one_lead_at_a_time_scores_as_in_bulk(leads, fitted):
    X, _, _ = leads
    bulk = fitted.predict_proba(X.head(20))
    assert all((fitted.predict_proba(X.iloc[[i]]) == bulk[i]).all() for i in range(20))


# What it learns from


def test_the_early_leads_teach_as_far_as_their_labels_were_known_when_the_late_ones_began(leads):
    X, y, as_of = leads
    known = as_of + np.timedelta64(3, "D")
    plan = cheap_scorer().fit(X, y, as_of=as_of, label_known_at=known).plan_
    late = np.r_[plan.calibrate, plan.decide]
    assert (plan.evidence, plan.is_out_of_fold) == ("decide slice", False)
    assert sorted(late) == list(range(2250, 3000))
    assert known[plan.fit].max() <= as_of[late].min()
    assert len(plan.embargoed) == 71  # a lead an hour, and the label of the 72nd hour before is just known
    assert sorted(np.r_[plan.fit, plan.embargoed, late]) == list(range(N_LEADS))


def test_a_third_of_the_late_leads_calibrates_and_the_others_decide(leads, fitted):
    _, y, _ = leads
    calibrate, decide = fitted.plan_.calibrate, fitted.plan_.decide
    assert (len(calibrate), len(decide)) == pytest.approx((250, 500), abs=2)
    assert y[calibrate].mean() == pytest.approx(y[decide].mean(), abs=0.01)
    assert calibrate.max() > np.median(decide) > calibrate.min()  # rows are in the order of time


def test_too_few_leads_for_four_slices_are_scored_out_of_fold_and_it_says_so():
    X, y, as_of = simulate(200)
    scorer = cheap_scorer().fit(X, y, as_of=as_of)
    assert scorer.cutoff_.evidence == scorer.evidence_.source == scorer.plan_.evidence == "out-of-fold"
    assert scorer.cutoff_.n_evidence == 200
    assert scorer.cutoff_.per_week is not None


def test_out_of_fold_evidence_is_not_the_score_of_rows_seen(leads):
    X, y, _ = leads
    scorer = cheap_scorer(calibrator=NoCalibrator()).fit(X, y)
    seen = np.sort(scorer.predict_proba(X)[:, 1])
    assert not np.isin(scorer.evidence_.score, seen).all()
    oof = np.sort(scorer.learner_.oof_log_odds_)
    np.testing.assert_array_equal(np.sort(scorer.evidence_.log_odds), oof)


def test_the_vocabulary_is_that_of_the_rows_fitted(leads):
    X, y, as_of = leads
    late = X.assign(source=np.where(np.arange(N_LEADS) >= 2800, "podcast", X["source"]))
    scorer = cheap_scorer().fit(late, y, as_of=as_of)
    assert "podcast" not in scorer.encoder_.columns_[0].levels
    assert scorer.encoder_.count_unseen(late) == {"source": 200}


def test_the_calibrator_follows_a_late_shift_of_the_base_rate():
    X, y, as_of = simulate(4000, late_shift=1.5)
    scorer = cheap_scorer().fit(X, y, as_of=as_of)
    decide = scorer.plan_.decide
    # 333 leads calibrate and have their share of the won, so the mean is known to about 0.025.
    assert scorer.evidence_.score.mean() == pytest.approx(y[decide].mean(), abs=0.075)
    assert expit(scorer.evidence_.log_odds).mean() < y[decide].mean() - 0.15


def test_the_evidence_holds_one_row_a_lead_drawn_at_random(leads):
    X, y, as_of = leads
    lead = np.arange(N_LEADS) // 3
    order = shuffled(N_LEADS)
    scorer = cheap_scorer().fit(X.iloc[order], y[order], as_of=as_of[order], groups=lead[order])
    decided = np.sort(order[scorer.plan_.decide])
    drawn = np.flatnonzero(np.isin(as_of, scorer.evidence_.as_of) & np.isin(np.arange(N_LEADS), decided))
    assert sorted(lead[drawn]) == sorted(set(lead[decided]))
    # Each of a lead's three moments is as likely as the others: 95 % of the time within this.
    shares = np.bincount(drawn % 3, minlength=3) / len(drawn)
    assert np.abs(shares - 1 / 3).max() < 2.2 * np.sqrt(2 / 9 / len(drawn))


def test_no_lead_stands_in_two_slices(leads):
    X, y, as_of = leads
    lead = np.arange(N_LEADS) % 1000  # each lead comes early, later and late
    plan = cheap_scorer().fit(X, y, as_of=as_of, groups=lead).plan_
    assert plan.is_out_of_fold  # no late row is of a new lead
    lead = np.maximum(np.arange(N_LEADS) // 2, 5)
    plan = cheap_scorer().fit(X, y, as_of=as_of, groups=lead).plan_
    fit, calibrate, decide = (set(lead[rows]) for rows in (plan.fit, plan.calibrate, plan.decide))
    assert not plan.is_out_of_fold
    assert len(fit | calibrate | decide) == len(fit) + len(calibrate) + len(decide)


def test_won_leads_of_threefold_weight_have_threefold_odds(leads):
    X, y, as_of = leads
    plain = cheap_scorer().fit(X, y, as_of=as_of).predict_proba(X)
    weighted = cheap_scorer().fit(X, y, np.where(y == 1, 3.0, 1.0), as_of=as_of).predict_proba(X)
    gain = np.median(weighted[:, 1] / weighted[:, 0]) / np.median(plain[:, 1] / plain[:, 0])
    assert 2 < gain < 4.5  # other members, other rows that calibrate


# What it decides


def test_the_decision_is_the_score_against_the_cutoff(leads, fitted):
    X, _, _ = leads
    score = fitted.predict_proba(X)[:, 1]
    assert (fitted.predict(X) == (score >= 0.4)).all()
    assert (fitted.cutoff_.threshold, fitted.sql_cutoff_.threshold) == (0.4, 0.6)


def test_as_many_pass_as_a_week_has_room_for(leads):
    X, y, as_of = leads
    scorer = cheap_scorer(cutoff=Capacity(50)).fit(X, y, as_of=as_of)
    decided = scorer.predict(X.iloc[scorer.plan_.decide])
    assert decided.sum() == pytest.approx(50 * scorer.evidence_.n_weeks, abs=2)  # ties of both scores


def test_a_new_cutoff_from_the_same_evidence_or_from_given_leads(leads, fitted):
    X, y, as_of = simulate(800, seed=5)
    scorer = clone(fitted).fit(*leads[:2], as_of=leads[2])
    scorer.choose_cutoff(PrecisionGuarantee(0.4))
    assert (scorer.cutoff_.evidence, scorer.cutoff_.n_evidence) == ("decide slice", len(scorer.plan_.decide))
    scorer.choose_cutoff(FixedThreshold(0.3), X, y, as_of=as_of, groups=np.arange(800) // 2)
    assert (scorer.cutoff_.evidence, scorer.cutoff_.n_evidence) == ("given", 400)


def test_a_promise_that_cannot_be_kept_leaves_the_former_cutoff(leads):
    X, y, as_of = leads
    scorer = cheap_scorer().fit(X, y, as_of=as_of)
    former = scorer.cutoff_
    with pytest.raises(NoCutoffError, match="what can be promised"):
        scorer.choose_cutoff(PrecisionGuarantee(0.99))
    assert scorer.cutoff_ is former


def test_the_sales_cutoff_never_lies_below_the_marketing_one(leads):
    X, y, as_of = leads
    scorer = cheap_scorer(cutoff=FixedThreshold(0.4), sql_cutoff=FixedThreshold(0.3)).fit(X, y, as_of=as_of)
    assert scorer.sql_cutoff_.threshold == 0.4
    scorer.choose_cutoff(FixedThreshold(0.7))
    assert (scorer.cutoff_.threshold, scorer.sql_cutoff_.threshold) == (0.7, 0.7)


def test_classes_may_be_words(leads):
    X, y, as_of = leads
    scorer = cheap_scorer().fit(X, np.where(y == 1, "won", "lost"), as_of=as_of)
    assert scorer.classes_.tolist() == ["lost", "won"]
    assert set(scorer.predict(X)) <= {"lost", "won"}
    assert scorer.evidence_.won.sum() == y[scorer.plan_.decide].sum()


# What it refuses


def test_infinite_numbers_are_refused_with_their_rows(leads, fitted):
    X, y, _ = leads
    broken = X.assign(visits=X["visits"].where(np.arange(N_LEADS) != 6, np.inf))
    with pytest.raises(SchemaError, match=r"'visits' holds 1 infinite numbers \(rows '7'\)"):
        cheap_scorer().fit(broken, y)
    with pytest.raises(SchemaError, match=r"'visits' holds 1 infinite numbers \(rows '7'\)"):
        fitted.predict(broken)


def test_a_label_the_model_does_not_know_is_refused(leads, fitted):
    X, y, _ = leads
    with pytest.raises(InputError, match=r"y holds \d+ labels other than \[0, 1\]"):
        fitted.choose_cutoff(FixedThreshold(0.5), X, y * 2)
    with pytest.raises(ConfigError, match="needs y together with X"):
        fitted.choose_cutoff(FixedThreshold(0.5), X)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        fitted.choose_cutoff(FixedThreshold(0.5), X, y[:-1])


def test_a_moment_that_is_missing_is_refused(leads):
    X, y, as_of = leads
    with pytest.raises(InputError, match="1 rows have no moment"):
        cheap_scorer().fit(X, y, as_of=np.where(np.arange(N_LEADS) == 3, np.datetime64("NaT"), as_of))


def test_one_outcome_only_is_refused(leads):
    X, y, _ = leads
    with pytest.raises(InputError, match="won and lost leads are both needed"):
        cheap_scorer().fit(X, np.zeros_like(y))


# Parameters


def test_parts_are_set_through_nested_parameters_and_left_as_they_were(leads):
    X, y, as_of = leads
    scorer = LeadScorer(
        encoder=TableEncoder(), learner=cheap_learner(), calibrator=NoCalibrator(), cutoff=FixedThreshold()
    )
    scorer.set_params(learner__trees__num_leaves=4, cutoff__threshold=0.2, encoder__min_support=3)
    assert clone(scorer).get_params()["learner__trees__num_leaves"] == 4
    scorer.fit(X, y, as_of=as_of)
    assert (scorer.learner_.trees_.num_leaves, scorer.cutoff_.threshold) == (4, 0.2)
    assert scorer.encoder_.min_support == 3
    assert not hasattr(scorer.learner, "trees_")
    assert not hasattr(scorer.calibrator, "is_fitted_")
