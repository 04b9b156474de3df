"""Claims on the public sets beside the repository; skipped with a reason where they are absent."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

import leadlift as ll
from leadlift.config import parse_config
from leadlift.learning import metrics

pytestmark = pytest.mark.real_data

WRITTEN_LATER = (
    "Tags", "Lead Quality", "Lead Profile", "Last Notable Activity", "Asymmetrique Activity Index",
    "Asymmetrique Profile Index", "Asymmetrique Activity Score", "Asymmetrique Profile Score",
)  # fmt: skip

FILES = {
    "xeducation/Leads.csv": {"Tags", "Lead Quality", "Lead Profile", "Last Notable Activity"},
    "bank_marketing/bank-additional-full.csv": {"duration"},
    "bank_marketing/bank-full.csv": {"duration"},
    "online_shoppers/online_shoppers_intention.csv": {"PageValues"},
    "caravan/Caravan.csv": set(),
    "maven_crm/sales_pipeline.csv": {"close_value"},  # close_date gets the role closed_at
}


@pytest.mark.parametrize(("file", "leaks"), FILES.items(), ids=list(FILES))
def test_a_file_as_it_comes_is_read_checked_and_its_leaks_are_found(file, leaks, real_data):
    found = ll.discover(real_data / file)
    config = parse_config(found.to_toml(folder="."), folder=real_data)
    config = config.model_copy(update={"data": replace_path(config.data, real_data / file)})
    problem = ll.prepare(config)
    suspects = {suspect.column for suspect in problem.leakage.suspects}
    assert leaks <= suspects
    assert len(suspects - leaks) <= 1
    assert not [
        finding for finding in problem.findings if finding.code != "LL120" and finding.severity == "fatal"
    ]


def replace_path(data, path):
    return data.model_copy(update={"leads": str(path)})


@pytest.mark.slow
def test_x_education_without_what_sales_wrote_is_learnt_as_well_as_promised(real_data):
    frame = pd.read_csv(real_data / "xeducation" / "Leads.csv", na_values=["Select"])
    won = frame.pop("Converted").to_numpy()
    frame = frame.drop(columns=["Prospect ID", "Lead Number", *WRITTEN_LATER])
    aucs, losses = [], []
    for seed in range(5):
        seen, held = train_test_split(np.arange(len(won)), test_size=0.3, random_state=seed)
        score = ll.LeadScorer().fit(frame.iloc[seen], won[seen]).predict_proba(frame.iloc[held])[:, 1]
        aucs.append(metrics.auc(won[held], score).estimate)
        losses.append(metrics.log_loss(won[held], score).estimate)
    assert np.mean(aucs) >= 0.903
    assert np.mean(losses) <= 0.380


def test_where_there_is_no_signal_none_is_found(real_data):
    """Nothing known at engagement tells the won deals of the synthetic CRM from the lost ones."""
    deals = pd.read_csv(real_data / "maven_crm" / "sales_pipeline.csv")
    deals = deals[deals["deal_stage"].isin(["Won", "Lost"])]
    won = (deals["deal_stage"] == "Won").to_numpy()
    known = deals[["sales_agent", "product", "account"]]
    scorer = ll.LeadScorer().fit(known, won, as_of=pd.to_datetime(deals["engage_date"]))
    evidence = scorer.evidence_
    area = metrics.auc(evidence.won, evidence.log_odds, confidence=0.99)
    assert area.low <= 0.5
    assert area.estimate < 0.55
    with pytest.raises(ll.NoCutoffError, match="no cut-off can promise 80% won"):
        scorer.choose_cutoff(ll.PrecisionGuarantee(0.8))


def test_a_model_of_bank_calls_keeps_its_promise_on_leads_drawn_at_random(real_data):
    frame = pd.read_csv(real_data / "bank_marketing" / "bank-additional-full.csv", sep=";").drop(
        columns="duration"
    )
    won = (frame.pop("y") == "yes").to_numpy()
    seen, held = train_test_split(np.arange(len(won)), train_size=8_000, random_state=0)
    scorer = ll.LeadScorer(cutoff=ll.PrecisionGuarantee(0.3)).fit(frame.iloc[seen], won[seen])
    passed = scorer.predict(frame.iloc[held])
    assert won[held][passed].mean() >= 0.3
    assert scorer.cutoff_.recall.estimate > 0.3
