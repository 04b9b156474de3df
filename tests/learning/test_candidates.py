"""The learners are what their tables and trees say, hold leads together, and repeat for a seed."""

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from laws import law
from leadlift.exceptions import InputError
from leadlift.learning.binned_logistic import BinnedLogistic, bin_column
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.candidates import BaggedTrees, default_lightgbm
from leadlift.learning.fitted.engines import ROWS_WORTH_TABLES
from leadlift.learning.log_odds import log_loss_each
from leadlift.learning.splitting import grouped_folds

SUM_TOLERANCE = 1e-12  # a few dozen additions of numbers about 1


def simulate(n=600, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    X[:, 2] = rng.integers(0, 5, n)
    X[rng.random((n, 4)) < 0.1] = np.nan
    log_odds = -1 + np.nan_to_num(X[:, 0]) + 2 * (X[:, 2] == 3) - np.isnan(X[:, 1])
    return X, (rng.random(n) < expit(log_odds)).astype(int)


def trees(**parameters):
    return BaggedTrees(**{"n_folds": 3, "max_rounds": 40, "n_jobs": 1} | parameters)


def blend(**parameters):
    return BlendedLearner(**{"trees": trees(), "logistic": BinnedLogistic(), "n_folds": 3} | parameters)


def boosters_of(bag):
    return [lgb.Booster(model_str=text) for text in bag.model_texts_]


CHEAP = [trees(), BinnedLogistic(n_folds=3), blend()]


@law
@given(st.lists(st.tuples(st.integers(0, 1), st.floats(-700, 700)), min_size=1, max_size=20))
def test_log_loss_of_log_odds_is_finite_and_right(rows):
    y, z = np.array(rows).T
    loss = log_loss_each(y, z)
    assert np.isfinite(loss).all()
    moderate = np.abs(z) < 30
    expected = -np.log(np.where(y > 0, expit(z), expit(-z))[moderate])
    np.testing.assert_allclose(loss[moderate], expected, rtol=1e-9, atol=1e-12)


# All learners


@pytest.mark.parametrize("learner", CHEAP, ids=lambda learner: type(learner).__name__)
class TestEveryLearner:
    def test_the_same_seed_gives_the_same_bits(self, learner):
        X, y = simulate()
        first = learner.set_params(random_state=1).fit(X, y).decision_function(X)
        assert first.tobytes() == learner.fit(X, y).decision_function(X).tobytes()

    def test_out_of_fold_scores_are_worse_than_scores_of_rows_seen(self, learner):
        X, y = simulate()
        learner.fit(X, y)
        seen = log_loss_each(y, learner.decision_function(X)).mean()
        assert seen < log_loss_each(y, learner.oof_log_odds_).mean() < np.log(2)

    def test_classes_may_be_words(self, learner):
        X, y = simulate()
        learner.fit(X, np.where(y == 1, "won", "lost"))
        assert learner.classes_.tolist() == ["lost", "won"]
        decided = learner.predict(X) == "won"
        assert (decided == (learner.predict_proba(X)[:, 1] > 0.5)).all()

    def test_rows_that_repeat_a_lead_teach_nothing_about_it_out_of_fold(self, learner):
        # Neighbours differ in outcome, so only another row of the same lead tells how it ended.
        lead = np.repeat(np.arange(30), 30)
        X, y = lead[:, None].astype(float), lead % 2
        whole = log_loss_each(y, learner.fit(X, y, groups=lead).oof_log_odds_).mean()
        torn = log_loss_each(y, learner.fit(X, y).oof_log_odds_).mean()
        assert torn < 0.6 < np.log(2) - 0.01 < whole

    def test_a_single_won_lead_with_many_rows_is_learnt_without_folds(self, learner):
        X, _ = simulate(80)
        lead = np.maximum(np.arange(80), 9)
        learner.fit(X, (lead == 9).astype(int), groups=lead)
        assert np.isfinite(learner.oof_log_odds_).all()

    def test_a_column_without_values_does_no_harm(self, learner):
        X, y = simulate(200)
        X = np.column_stack([X, np.full(200, np.nan)])
        assert np.isfinite(learner.fit(X, y).decision_function(X)).all()

    def test_one_outcome_only_is_refused(self, learner):
        X, _ = simulate(20)
        with pytest.raises(InputError, match=r"the label holds one class only \(.*1.*\)"):
            learner.fit(X, np.ones(20, int))

    def test_three_outcomes_are_refused(self, learner):
        X, _ = simulate(30)
        with pytest.raises(InputError, match="Only binary classification is supported"):
            learner.fit(X, np.arange(30) % 3)


# Bagged trees


def test_the_bag_is_the_mean_of_its_members():
    X, y = simulate()
    bag = trees().fit(X, y)
    members = [booster.predict(X, raw_score=True) for booster in boosters_of(bag)]
    assert len(members) == 3
    np.testing.assert_allclose(bag.decision_function(X), np.mean(members, axis=0), atol=SUM_TOLERANCE)
    assert bag.fitted.log_odds(X).tobytes() == bag.decision_function(X).tobytes()


def test_each_row_is_scored_out_of_fold_by_the_member_that_did_not_see_it():
    X, y = simulate()
    lead = np.arange(600) // 3
    bag = trees().fit(X, y, groups=lead)
    folds = grouped_folds(y, 3, groups=lead)
    for fold, booster in enumerate(boosters_of(bag)):
        held = folds == fold
        expected = booster.predict(X[held], raw_score=True)
        np.testing.assert_allclose(bag.oof_log_odds_[held], expected, atol=SUM_TOLERANCE)


def test_the_number_of_jobs_does_not_change_a_bit():
    X, y = simulate()
    one, two = (trees(n_jobs=n).fit(X, y) for n in (1, 2))
    assert one.model_texts_ == two.model_texts_
    assert one.oof_log_odds_.tobytes() == two.oof_log_odds_.tobytes()


def test_lightgbm_is_never_called_with_another_number_of_threads(monkeypatch):
    # It is one number for the whole process: a call that leaves it open changes it under a member that is
    # being learnt in another thread, which then writes beyond its buffers.
    threads, train, predict = [], lgb.train, lgb.Booster.predict

    def watched_train(parameters, *args, **kwargs):
        threads.append(parameters["num_threads"])
        return train(parameters, *args, **kwargs)

    def watched_predict(*args, **kwargs):
        threads.append(kwargs.get("num_threads"))
        return predict(*args, **kwargs)

    monkeypatch.setattr(lgb, "train", watched_train)
    monkeypatch.setattr(lgb.Booster, "predict", watched_predict)
    X, y = simulate()
    trees(n_jobs=2).fit(X, y)
    default_lightgbm(X, y, [2])(X)
    assert threads == [1] * (2 * 3 + 2)


def test_another_seed_gives_another_bag():
    X, y = simulate()
    assert trees().fit(X, y).model_texts_ != trees(random_state=1).fit(X, y).model_texts_


def test_no_tree_outgrows_the_pattern_tables():
    X, y = simulate()
    for booster in boosters_of(trees().fit(X, y)):
        assert max(tree["num_leaves"] for tree in booster.dump_model()["tree_info"]) <= 12


def test_members_stop_early_where_there_is_nothing_to_learn():
    rng = np.random.default_rng(0)
    bag = trees(max_rounds=500, patience_rounds=5)
    bag.fit(rng.normal(size=(400, 3)), np.arange(400) % 2)
    assert max(booster.num_trees() for booster in boosters_of(bag)) < 100


def test_the_held_out_loss_is_that_of_a_member_learnt_on_the_seen_rows():
    X, y = simulate()
    seen, held = np.arange(400), np.arange(400, 600)
    loss = trees().held_out_loss(X, y, seen, held)
    assert loss == trees().held_out_loss(X, y, seen, held)
    assert 0.3 < loss < log_loss_each(y[held], np.full(200, np.log(y.mean() / (1 - y.mean())))).mean()


# Binned logistic regression


def test_a_value_on_an_edge_belongs_to_the_bin_below_and_missing_has_its_own():
    bins = bin_column(np.array([-5.0, 1.0, 1.1, 3.0, 99.0, np.nan]), np.array([1.0, 3.0]))
    assert bins.tolist() == [0, 0, 1, 1, 2, 3]


def test_few_values_have_a_bin_each_and_many_are_cut_at_deciles():
    X = np.column_stack([np.arange(500) % 4, np.arange(500)]).astype(float)
    fitted = BinnedLogistic(n_folds=3).fit(X, np.arange(500) % 3 == 0)
    assert fitted.edges_[0].tolist() == [0.5, 1.5, 2.5]
    assert fitted.edges_[1].tolist() == [49, 99, 149, 199, 249, 299, 349, 399, 449]


def test_log_odds_are_the_intercept_plus_an_entry_of_each_table():
    X, y = simulate()
    fitted = BinnedLogistic(n_folds=3).fit(X, y)
    for row, log_odds in zip(X[:50], fitted.decision_function(X[:50]), strict=True):
        total = fitted.intercept_
        for value, edges, table in zip(row, fitted.edges_, fitted.tables_, strict=True):
            place = len(table) - 1 if np.isnan(value) else sum(value > edge for edge in edges)
            total += table[place]
        assert log_odds == pytest.approx(total, abs=SUM_TOLERANCE)


def test_each_table_is_centred_over_the_training_rows():
    X, y = simulate()
    fitted = BinnedLogistic(n_folds=3).fit(X, y)
    for column, edges, table in zip(X.T, fitted.edges_, fitted.tables_, strict=True):
        assert table[bin_column(column, edges)].mean() == pytest.approx(0, abs=SUM_TOLERANCE)
    assert fitted.intercept_ == pytest.approx(fitted.decision_function(X).mean())


def test_it_is_the_ridge_regression_of_scikit_learn_on_one_column_a_bin():
    X, y = simulate()
    fitted = BinnedLogistic(strengths=(0.3,), n_folds=3).fit(X, y)
    bins = [bin_column(column, edges) for column, edges in zip(X.T, fitted.edges_, strict=True)]
    one_hot = np.column_stack([np.eye(len(t))[b] for b, t in zip(bins, fitted.tables_, strict=True)])
    expected = LogisticRegression(C=0.3, max_iter=1000).fit(one_hot, y).decision_function(one_hot)
    np.testing.assert_allclose(fitted.decision_function(X), expected, atol=1e-3)  # lbfgs stops at 1e-4


def test_the_strength_with_the_least_out_of_fold_loss_is_kept():
    X, y = simulate()
    losses = {}
    for strength in (1e-6, 0.3):
        single = BinnedLogistic(strengths=(strength,), n_folds=3).fit(X, y)
        losses[strength] = log_loss_each(y, single.oof_log_odds_).mean()
    assert BinnedLogistic(strengths=(1e-6, 0.3), n_folds=3).fit(X, y).strength_ == min(losses, key=losses.get)


# Blend


@pytest.mark.parametrize("seed", range(4))
def test_the_blend_is_a_mean_on_the_log_odds_scale_and_never_loses_out_of_fold(seed):
    X, y = simulate(400, seed)
    fitted = blend(random_state=seed).fit(X, y)
    w = fitted.weight_
    assert 0 <= w <= 1
    parts = fitted.trees_.decision_function(X), fitted.logistic_.decision_function(X)
    expected = (1 - w) * parts[0] + w * parts[1]
    np.testing.assert_allclose(fitted.decision_function(X), expected, atol=SUM_TOLERANCE)
    loss = log_loss_each(y, fitted.oof_log_odds_).mean()
    assert loss <= log_loss_each(y, fitted.trees_.oof_log_odds_).mean()


def test_the_logistic_member_has_no_say_where_only_pairs_of_columns_tell():
    rng = np.random.default_rng(0)
    X = rng.choice([0.0, 1.0], size=(600, 2))
    y = rng.random(600) < np.where(X[:, 0] == X[:, 1], 0.9, 0.1)
    fitted = blend(trees=trees(feature_fraction=1.0, max_rounds=150)).fit(X, y)
    assert fitted.weight_ == 0
    assert fitted.decision_function(X).tobytes() == fitted.trees_.decision_function(X).tobytes()


def test_the_logistic_member_has_most_say_where_columns_simply_add_up():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, (500, 30)).astype(float)
    y = rng.random(500) < expit((X - 0.5).sum(axis=1))
    assert blend(trees=trees(max_rounds=5)).fit(X, y).weight_ > 0.5


def test_both_members_are_given_by_the_user_and_left_as_they_were():
    given_trees, given_logistic = trees(), BinnedLogistic()
    blend(trees=given_trees, logistic=given_logistic).fit(*simulate(200))
    assert not hasattr(given_trees, "model_texts_")
    assert not hasattr(given_logistic, "tables_")


def test_many_rows_through_tables_and_few_through_lightgbm_give_the_same_bits():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(ROWS_WORTH_TABLES, 5))
    X[rng.random(X.shape) < 0.1] = np.nan
    y = (np.nan_to_num(X[:, 0]) + rng.normal(size=len(X)) > 0.5).astype(int)
    trees = BaggedTrees(n_folds=3, max_rounds=40).fit(X[:3000], y[:3000])
    by_tables = trees.decision_function(X)
    by_lightgbm = np.concatenate([trees.decision_function(part) for part in np.array_split(X, 7)])
    assert (by_tables == by_lightgbm).all()
