"""What the change log of the simulated CRM promises about time, values and meaning."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from leadlift.data.datasets import make_leads
from leadlift.data.history import HISTORY_COLUMNS, history_from
from leadlift.terms import LEAD_ID

AT_CREATION = {"sales_stage": "new", "lead_owner": "queue", "rating": "unrated"}


@pytest.fixture(scope="module")
def simulated():
    return make_leads(6_000, seed=2)


@pytest.fixture(scope="module")
def log(simulated):
    """The changes in order, each with what is known of its lead."""
    leads = simulated.leads.to_pandas()[[LEAD_ID, "created_at", "closed_at", "outcome", "sales_stage"]]
    leads = leads.merge(simulated.hidden.to_pandas()[[LEAD_ID, "intent"]], on=LEAD_ID)
    changes = simulated.history.to_pandas().merge(leads, on=LEAD_ID, validate="m:1")
    return changes.sort_values([LEAD_ID, "field", "changed_at"], ignore_index=True)


def test_columns_are_those_of_the_house(simulated):
    assert simulated.history.schema.equals(HISTORY_COLUMNS)
    assert all(simulated.history[name].null_count == 0 for name in HISTORY_COLUMNS.names[:-1])


def test_the_log_is_read_as_it_stands(simulated):
    assert history_from(simulated.history).table().equals(simulated.history)


def test_each_field_of_each_lead_begins_at_creation(simulated, log):
    first = log.groupby([LEAD_ID, "field"], as_index=False).first()
    assert len(first) == 3 * simulated.leads.num_rows
    assert (first["value"] == first["field"].map(AT_CREATION)).all()
    opening = log[log["old_value"].isna()]
    assert len(opening) == len(first)
    assert (opening["changed_at"] == opening["created_at"]).all()


def test_every_old_value_is_the_value_before_and_every_row_is_a_change(log):
    before = log.groupby([LEAD_ID, "field"])["value"].shift()
    assert log["old_value"].equals(before.where(before.notna(), None).astype(log["old_value"].dtype))
    assert (log["value"] != log["old_value"]).all()
    assert not log.duplicated([LEAD_ID, "field", "changed_at"]).any()


@pytest.mark.parametrize("seed", [0, 1])
def test_the_last_stage_in_the_log_is_that_of_the_table_at_the_extract(seed):
    simulated = make_leads(3_000, seed=seed)
    changes = simulated.history.to_pandas().query("field == 'sales_stage'").sort_values("changed_at")
    last = changes.groupby(LEAD_ID)["value"].last()
    leads = simulated.leads.to_pandas().set_index(LEAD_ID)
    assert (last.loc[leads.index] == leads["sales_stage"]).all()


def test_nothing_changes_after_the_extract_and_only_the_stage_at_the_close(simulated, log):
    assert (log["changed_at"] <= simulated.known_until).all()
    closed = log[log["closed_at"].notna()]
    assert (closed["changed_at"] <= closed["closed_at"]).all()
    ends = closed[closed["changed_at"] == closed["closed_at"]]
    assert set(ends["field"]) == {"sales_stage"}
    assert set(ends["value"]) == {"disqualified", "recycled", "customer"}


def test_while_a_lead_is_alive_its_stage_says_only_whether_sales_has_made_contact(simulated, log):
    stages = log[(log["field"] == "sales_stage") & log["old_value"].notna()]
    before_the_end = stages[stages["closed_at"].isna() | (stages["changed_at"] < stages["closed_at"])]
    assert set(before_the_end["value"]) == {"contacted"}
    calls = simulated.events.to_pandas().query("event_type == 'sales_call'")
    first_call = calls.groupby(LEAD_ID)["occurred_at"].min()
    contacted = before_the_end.set_index(LEAD_ID)["changed_at"]
    assert (contacted.loc[first_call.index] == first_call).all()


def test_sales_rates_intent_with_an_error_and_better_the_second_time(log):
    ratings = log[(log["field"] == "rating") & log["old_value"].notna()]
    level = ratings["value"].map({"cold": 0, "warm": 1, "hot": 2})
    is_first = ratings["old_value"] == "unrated"
    assert 0.4 < np.corrcoef(level[is_first], ratings["intent"][is_first])[0, 1] < 0.7
    by_last = ratings.assign(level=level).groupby(LEAD_ID).last()
    again = by_last[by_last["old_value"] != "unrated"]
    assert again.groupby("level")["intent"].mean().is_monotonic_increasing


def test_the_keen_are_handed_over_sooner(log):
    handed_over = log[log["value"] == "account executive"].set_index(LEAD_ID)
    assigned = log[log["value"] == "sales development"].set_index(LEAD_ID)["changed_at"]
    waited = handed_over["changed_at"] - assigned.loc[handed_over.index]
    assert waited[handed_over["intent"] > 0].median() < 0.8 * waited[handed_over["intent"] < 0].median()


def test_rows_stand_in_no_order(simulated):
    moments = simulated.history["changed_at"].to_numpy().astype(np.int64)
    assert abs(np.corrcoef(moments, np.arange(len(moments)))[0, 1]) < 0.02


def test_leads_and_events_are_those_from_before_there_was_a_log():
    """The digests were taken before the log was added; it has a stream of random numbers of its own."""
    simulated = make_leads(2_000, seed=3)
    digests = [_digest(simulated.leads), _digest(simulated.events)]
    assert digests == ["8c6eead2e435ccb7", "379ae0916b24fb80"]


def _digest(table):
    hashed = pd.util.hash_pandas_object(table.to_pandas().astype(str), index=False)
    return hashlib.sha256(hashed.to_numpy().tobytes()).hexdigest()[:16]
