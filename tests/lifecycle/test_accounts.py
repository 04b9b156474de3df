"""Leads of one account are never on both sides of a random split, and one cannot be told by another."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pytest

from configs import make_config
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.calibration import NoCalibrator
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.log_odds import log_loss_each
from leadlift.learning.scorer import LeadScorer
from leadlift.lifecycle.fitting import learn
from leadlift.lifecycle.holdout import hold_back
from leadlift.lifecycle.preparing import prepare, whole_accounts


@pytest.fixture
def maven(real_data, tmp_path):
    """Closed deals of 85 accounts, without dates."""
    deals = pd.read_csv(real_data / "maven_crm" / "sales_pipeline.csv")
    deals = deals[deals["deal_stage"].isin(["Won", "Lost"])].head(3000).drop(columns=["close_value"])
    deals.drop(columns=["engage_date", "close_date"]).to_csv(tmp_path / "deals.csv", index=False)
    config = make_config(tmp_path / "deals.csv", lead_id="opportunity_id", account="account")
    return config.model_copy(update={"roles": config.roles.model_copy(update={"outcome": "deal_stage"})})


@pytest.mark.real_data
def test_the_test_leads_are_of_other_accounts_than_those_learnt_from(maven):
    problem = prepare(maven)
    split = hold_back(problem, test_share=0.2, random_state=0)
    assert "account" not in problem.inputs.column_names
    assert len(np.unique(problem.accounts)) > 70
    assert not set(problem.accounts[split.train]) & set(problem.accounts[split.test])
    assert 0.1 < len(split.test) / len(problem.y) < 0.3


def test_a_lead_without_an_account_is_an_account_of_its_own_and_no_lead_stands_in_two():
    lead = np.array(["=1", "=1", "=2", "row 3", "=4"])
    account = np.array(["b", "a", None, None, "a"], dtype=object)
    expected = ["account a", "account a", "=2", "row 3", "account a"]
    assert whole_accounts(lead, account).tolist() == expected
    order = [4, 1, 0, 3, 2]
    assert whole_accounts(lead[order], account[order]).tolist() == [expected[i] for i in order]


def leads_of_accounts(n_accounts=120, n_leads=10, seed=0):
    """Accounts that convert or do not, with a number that gives the account away and says nothing else."""
    rng = np.random.default_rng(seed)
    account = np.repeat(np.arange(n_accounts), n_leads)
    chance = np.where(rng.random(n_accounts) < 0.5, 0.9, 0.1)[account]
    X = rng.permutation(n_accounts)[account][:, None].astype(float)
    return X, (rng.random(len(account)) < chance).astype(int), account


def test_what_is_known_of_an_account_does_not_flatter_the_scores_of_its_other_leads():
    X, y, account = leads_of_accounts()
    learner = BlendedLearner(
        BaggedTrees(max_rounds=60, learning_rate=0.2, min_child_samples=5, max_statistics=0, n_jobs=1),
        n_folds=3,
    )
    torn, whole = (
        LeadScorer(learner=learner, calibrator=NoCalibrator()).fit(X, y, accounts=accounts)
        for accounts in (None, account)
    )
    assert log_loss_each(y, torn.held_out_log_odds_).mean() < 0.6
    assert log_loss_each(y, whole.held_out_log_odds_).mean() > 0.68


def test_late_accounts_are_dealt_out_whole_and_a_lead_still_speaks_once():
    rng = np.random.default_rng(0)
    n = 4000
    X, y = rng.normal(size=(n, 2)), rng.integers(0, 2, n)
    lead, account = np.arange(n) // 2, np.arange(n) // 8
    trees = BaggedTrees(max_rounds=5, max_statistics=0, n_jobs=1)
    scorer = LeadScorer(learner=BlendedLearner(trees, n_folds=2), calibrator=NoCalibrator())
    scorer.fit(X, y, as_of=np.arange(n), groups=lead, accounts=account)
    plan = scorer.plan_
    assert plan.evidence == "decide slice"
    assert not set(account[plan.calibrate]) & set(account[plan.decide])
    assert len(scorer.evidence_.won) == len(set(lead[plan.decide]))


def test_weights_and_directions_of_the_configuration_reach_the_model(tmp_path):
    rng = np.random.default_rng(0)
    n = 900
    visits, won = rng.integers(0, 9, n), rng.random(n) < 0.3
    table = {
        "id": np.arange(n),
        "visits": visits,
        "size": rng.normal(size=n),
        "counts_for": np.where(won, 4.0, 1.0),
        "stage": np.where(won, "Won", "Lost"),
    }
    pyarrow.csv.write_csv(pa.table(table), tmp_path / "leads.csv")
    config = make_config(tmp_path / "leads.csv", lead_id="id", weight="counts_for")
    model = config.model.model_copy(update={"monotone": {"visits": "down"}, "folds": 2})
    config = config.model_copy(update={"model": model})
    problem = prepare(config)
    split = hold_back(problem, test_share=0.2, random_state=0)
    scorer, _ = learn(problem, split, config, lambda _: None, None)
    score = scorer.predict_proba(problem.inputs)[:, 1]
    assert score.mean() == pytest.approx(np.average(won, weights=table["counts_for"]), abs=0.06)
    grid = pa.table({"visits": np.arange(9.0), "size": np.zeros(9)})
    assert (np.diff(scorer.predict_proba(grid)[:, 1]) <= 0).all()
