"""With few known outcomes a regularised logistic regression serves, and it is said."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from leadlift.data.datasets import make_leads
from leadlift.insight.attribution import Attributor
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.cold_start import ColdStartLearner, cold_start_finding, is_cold
from leadlift.learning.encoding import TableEncoder
from leadlift.learning.log_odds import log_loss_each
from leadlift.learning.scorer import LeadScorer
from leadlift.serving.learner_files import blend_files, read_blend
from leadlift.serving.restoring import restored_learner

SEEDS = 4
INPUTS = [
    "source",
    "industry",
    "employees",
    "seniority",
    "contact_me",
    "pages_before_form",
    "visits_before_form",
]


def crm():
    leads = make_leads(6000, seed=4, with_events=False).leads.to_pandas()
    leads = leads[leads["outcome"].isin(["won", "lost"])]
    return leads[INPUTS], (leads["outcome"] == "won").to_numpy()


def x_education(real_data):
    leads = pd.read_csv(real_data / "xeducation" / "Leads.csv", na_values=["Select"])
    inputs = ["Lead Origin", "Lead Source", "TotalVisits", "Total Time Spent on Website", "Specialization"]
    return leads[inputs], leads["Converted"].to_numpy() > 0


def bank(real_data):
    leads = pd.read_csv(real_data / "bank_marketing" / "bank-additional-full.csv", sep=";")
    return leads.drop(columns=["duration", "y"]), (leads["y"] == "yes").to_numpy()


def losses(leads, won, n_of_rarer):
    """Log loss on new leads by learner and seed: base rate, cold start, bag of trees."""
    n = int(n_of_rarer / min(won.mean(), 1 - won.mean()))
    found = []
    for seed in range(SEEDS):
        rows = np.random.default_rng(seed).permutation(len(won))
        few, new = rows[:n], rows[-2000:]
        encoder = TableEncoder().fit(leads.iloc[few])
        X, T = encoder.transform(leads.iloc[few]), encoder.transform(leads.iloc[new])
        base = np.full(len(new), np.log(won[few].mean() / (1 - won[few].mean())))
        learners = ColdStartLearner(), BaggedTrees(max_statistics=0, n_jobs=1)
        log_odds = [base, *(learner.fit(X, won[few]).decision_function(T) for learner in learners)]
        found.append([log_loss_each(won[new], z).mean() for z in log_odds])
    return np.mean(found, axis=0)


def shoppers(real_data):
    visits = pd.read_csv(real_data / "online_shoppers" / "online_shoppers_intention.csv")
    return visits.drop(columns="Revenue"), visits["Revenue"].to_numpy() > 0


def test_on_a_simulated_crm_with_twenty_wins_it_is_level_with_the_bag_and_beats_the_base_rate():
    base, cold, bag = losses(*crm(), n_of_rarer=20)
    assert cold < bag + 0.003  # less than a hundredth of the log loss, which is .37
    assert cold < base


@pytest.mark.real_data
def test_with_twenty_of_the_rarer_outcome_it_beats_the_bag_on_average_over_public_sets(real_data):
    found = np.array([losses(*load(real_data), n_of_rarer=20) for load in (x_education, bank, shoppers)])
    base, cold, bag = found.T
    assert cold.mean() < bag.mean() - 0.01
    assert (cold < base).all()


def test_where_the_columns_say_nothing_it_is_hardly_worse_than_the_base_rate():
    rng = np.random.default_rng(0)
    leads, won = pd.DataFrame(rng.normal(size=(4000, 8))), rng.random(4000) < 0.2
    base, cold, _ = losses(leads, won, n_of_rarer=20)
    assert cold < base + 0.01


@pytest.mark.parametrize(
    ("n_lost", "n_won", "cold"), [(160, 39, True), (161, 39, True), (160, 40, False), (150, 49, True)]
)
def test_it_is_cold_below_two_hundred_leads_or_forty_of_either_outcome(n_lost, n_won, cold):
    y = np.repeat([0, 1], [n_lost, n_won])
    assert is_cold(y) == cold
    assert is_cold(1 - y) == cold


def test_leads_are_counted_not_their_rows():
    y = np.repeat([0, 1], [400, 100])
    assert not is_cold(y)
    assert is_cold(y, groups=np.arange(500) // 3)


def simulate(n, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, rng.random(n) < expit(X[:, 0])


def test_a_scorer_takes_it_by_itself_says_so_and_explains_exactly():
    X, y = simulate(150)
    scorer = LeadScorer().fit(X, y)
    assert isinstance(scorer.learner_, ColdStartLearner)
    assert (scorer.learner_.weight_, scorer.learner_.trees_.model_texts_) == (1.0, ())
    found = Attributor(scorer.fitted).explain(X)
    np.testing.assert_allclose(found.base + found.contributions.sum(axis=1), found.score, atol=1e-12)
    assert (found.uncertainty > 0).any()
    (finding,) = cold_start_finding(scorer.learner_, y)
    assert finding.code == "LL165"
    assert f"learnt from {y.sum()} won and {150 - y.sum()} other rows" in finding.text


def test_with_enough_leads_there_are_trees_and_nothing_to_say():
    X, y = simulate(400)
    learner = LeadScorer().fit(X, y).learner_
    assert type(learner) is BlendedLearner
    assert cold_start_finding(learner, y) == ()


def test_it_is_read_back_from_its_files_bit_by_bit():
    X, y = simulate(150)
    learner = ColdStartLearner().fit(X, y)
    again = restored_learner(read_blend(blend_files(learner.fitted)), n_columns=3)
    for one, other in zip(learner.decision_with_members(X), again.decision_with_members(X), strict=True):
        assert one.tobytes() == other.tobytes()
