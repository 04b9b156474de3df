"""A card of at most 15 attributes comes within .010 AUC of its model, on public leads neither has seen."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

import leadlift as ll
import leadlift.insight.scorecard_reference as reference
from leadlift.insight.scorecard.exports import scorecard_rules

X_EDUCATION_LATE = [
    "Tags", "Lead Quality", "Lead Profile", "Last Notable Activity", "Asymmetrique Activity Index",
    "Asymmetrique Profile Index", "Asymmetrique Activity Score", "Asymmetrique Profile Score",
]  # fmt: skip


def x_education(folder):
    frame = pd.read_csv(folder / "xeducation" / "Leads.csv", na_values=["Select"])
    won = frame.pop("Converted").to_numpy()
    return frame.drop(columns=["Prospect ID", "Lead Number", *X_EDUCATION_LATE]), won


def bank(folder):
    frame = pd.read_csv(folder / "bank_marketing" / "bank-additional-full.csv", sep=";")
    won = (frame.pop("y") == "yes").to_numpy().astype(int)
    return frame.drop(columns="duration"), won


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.parametrize("leads", [x_education, bank], ids=["X Education", "bank"])
def test_little_is_lost_on_the_card(real_data, leads):
    frame, won = leads(real_data)
    seen, held = train_test_split(np.arange(len(won)), test_size=0.3, random_state=0)
    scorer = ll.LeadScorer(cutoff=ll.TopShare(0.2)).fit(frame.iloc[seen], won[seen])
    card = ll.PointsScorecard().fit(frame.iloc[seen], scorer)
    loss = {row["measure"]: row for row in card.measure(frame.iloc[held], won[held], scorer).to_pylist()}
    assert len(card.attributes_) <= 15
    assert loss["AUC"]["lost"] <= 0.010
    assert loss["same decision, MQL"]["scorecard"] >= 0.9
    rules, later = scorecard_rules(card), frame.iloc[held[:200]]
    by_reference = [reference.points(rules, lead) for lead in later.to_dict("records")]
    assert by_reference == card.predict_points(later).tolist()
