"""The public logs as house tables: by eye on small files, and the real ones where they are at hand."""

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from leadlift.data import datasets
from leadlift.data.events import EVENT_COLUMNS, events_from
from leadlift.data.observations import make_observations
from leadlift.data.public_logs import BPI2012_OUTCOME_EVENTS, bpi2012, olist
from leadlift.exceptions import InputError, SchemaError
from leadlift.terms import LEAD_ID

CASES = """case_id,reg_date,amount_req,n_events,outcome,outcome_at,converted
1,2011-10-01 08:00:00.500+00:00,5000,3,approved,2011-10-09 12:00:00+00:00,1.0
2,2011-10-02 08:00:00+00:00,700,2,declined,2011-10-02 08:01:00+00:00,0.0
3,2011-10-03 08:00:00+00:00,900,1,cancelled,2011-10-20 08:00:00+00:00,0.0
4,2011-10-04 08:00:00+00:00,0,1,open,,
"""
STEPS = [
    (1, "A_SUBMITTED", "COMPLETE", "112", datetime(2011, 10, 1, 8, 0, 0, 500_000, UTC)),
    (1, "W_Nabellen offertes", "START", "10", datetime(2011, 10, 1, 9, tzinfo=UTC)),
    (1, "O_ACCEPTED", "COMPLETE", "10", datetime(2011, 10, 9, 12, tzinfo=UTC)),
    (1, "A_APPROVED", "COMPLETE", "10", datetime(2011, 10, 9, 12, tzinfo=UTC)),
    (2, "A_DECLINED", "COMPLETE", "112", datetime(2011, 10, 2, 8, 1, tzinfo=UTC)),
    (2, "W_Nabellen offertes", "COMPLETE", None, datetime(2011, 10, 21, 9, tzinfo=UTC)),
]
CONTACTS = """mql_id,first_contact_date,landing_page_id,origin
a,2018-02-01,p1,social
b,2018-02-02,p2,
c,2018-02-03,p1,unknown
"""
DEALS = """mql_id,seller_id,won_date,lead_type
c,s1,2018-02-03 10:30:00,industry
x,s2,2018-03-05 11:00:00,online
"""


@pytest.fixture
def loans(tmp_path):
    """A folder with four applications and six steps."""
    (tmp_path / "cases.csv").write_text(CASES)
    columns = ("case_id", "activity", "lifecycle", "resource", "timestamp")
    pq.write_table(
        pa.table(dict(zip(columns, zip(*STEPS, strict=True), strict=True))), tmp_path / "events.parquet"
    )
    return tmp_path


@pytest.fixture
def funnel(tmp_path):
    """A folder with three contacts and two deals, one of them of no contact in the file."""
    (tmp_path / "olist_marketing_qualified_leads_dataset.csv").write_text(CONTACTS)
    (tmp_path / "olist_closed_deals_dataset.csv").write_text(DEALS)
    return tmp_path


# Loans


def test_an_application_is_won_when_approved_and_lost_when_declined_or_cancelled(loans):
    log = bpi2012(loans)
    assert log.leads[LEAD_ID].to_pylist() == ["1", "2", "3", "4"]
    assert log.leads["outcome"].to_pylist() == ["won", "lost", "lost", "open"]
    assert log.leads["created_at"][0].as_py() == datetime(2011, 10, 1, 8, 0, 0, 500_000, UTC)
    assert log.leads["closed_at"].to_pylist()[0] == datetime(2011, 10, 9, 12, tzinfo=UTC)
    assert log.leads["closed_at"].null_count == 1
    assert log.leads["amount_req"].to_pylist() == [5000.0, 700.0, 900.0, 0.0]


def test_nothing_of_the_outcome_or_the_export_is_among_the_columns_of_the_leads(loans, funnel):
    house = [LEAD_ID, "created_at", "closed_at", "outcome"]
    assert bpi2012(loans).leads.column_names == [*house, "amount_req"]
    assert olist(funnel).leads.column_names == [*house, "landing_page", "source"]


def test_steps_of_work_carry_the_life_of_the_work_item_in_their_type(loans):
    events = bpi2012(loans).events
    assert events.schema.equals(EVENT_COLUMNS)
    assert events.select([LEAD_ID, "event_type", "asset"]).to_pylist() == [
        {LEAD_ID: "1", "event_type": "A_SUBMITTED", "asset": "112"},
        {LEAD_ID: "1", "event_type": "W_Nabellen offertes/START", "asset": "10"},
        {LEAD_ID: "2", "event_type": "W_Nabellen offertes/COMPLETE", "asset": None},
    ]


def test_events_of_the_outcome_are_left_out_and_counted(loans):
    log = bpi2012(loans)
    assert log.notes[0].startswith("3 events that are or go with the outcome are left out: A_APPROVED,")
    assert not set(log.events["event_type"].to_pylist()) & set(BPI2012_OUTCOME_EVENTS)


def test_outcomes_are_known_until_the_last_event_of_any_kind(loans):
    assert bpi2012(loans).known_until == datetime(2011, 10, 21, 9, tzinfo=UTC)


def test_another_word_for_the_outcome_is_refused(loans):
    (loans / "cases.csv").write_text(CASES.replace("cancelled", "parked"))
    with pytest.raises(SchemaError, match="approved, declined, cancelled, open; got 'parked'"):
        bpi2012(loans)


def test_an_unreadable_date_is_refused(loans):
    (loans / "cases.csv").write_text(CASES.replace("2011-10-03 08:00:00+00:00", "early"))
    with pytest.raises(SchemaError, match="reg_date must hold ISO 8601 moments; got 'early'"):
        bpi2012(loans)


@pytest.mark.parametrize("load", [bpi2012, olist])
def test_a_missing_file_is_named(load, tmp_path):
    with pytest.raises(InputError, match=r"cases\.csv|olist_marketing_qualified_leads_dataset\.csv"):
        load(tmp_path)


# Funnel


def test_a_lead_with_a_deal_is_won_and_all_others_are_open(funnel):
    log = olist(funnel)
    assert log.leads["outcome"].to_pylist() == ["open", "open", "won"]
    assert log.leads["closed_at"].to_pylist() == [None, None, datetime(2018, 2, 3, 10, 30, tzinfo=UTC)]
    assert log.leads["source"].to_pylist() == ["social", None, "unknown"]
    assert log.events.num_rows == 0
    assert log.events.schema.equals(EVENT_COLUMNS)


def test_outcomes_of_the_funnel_are_known_until_its_last_deal(funnel):
    assert olist(funnel).known_until == datetime(2018, 3, 5, 11, tzinfo=UTC)


def test_a_lead_with_two_deals_is_refused(funnel):
    (funnel / "olist_closed_deals_dataset.csv").write_text(DEALS + "c,s3,2018-04-01 09:00:00,online\n")
    with pytest.raises(SchemaError, match="1 stand more often: 'c'"):
        olist(funnel)


def test_the_loaders_stand_beside_the_simulator():
    assert datasets.bpi2012 is bpi2012
    assert datasets.olist is olist


# The real files


@pytest.mark.real_data
def test_the_real_applications_are_all_there(real_data):
    log = bpi2012(real_data / "bpi2012_loans")
    counts = {row["values"]: row["counts"] for row in pc.value_counts(log.leads["outcome"]).to_pylist()}
    assert counts == {"won": 2_246, "lost": 7_635 + 2_807, "open": 399}
    assert log.events.num_rows == 262_200 - 20_225
    assert log.known_until == datetime(2012, 3, 14, 15, 4, 54, 681_000, UTC)
    assert pc.all(pc.is_in(log.events[LEAD_ID], log.leads[LEAD_ID])).as_py()
    read = events_from(log.events)
    assert read.table().equals(log.events)


@pytest.mark.real_data
def test_most_real_applications_are_decided_within_a_day(real_data):
    log = bpi2012(real_data / "bpi2012_loans")
    observations = make_observations(log.leads, horizon_days=30, at_days=[1], known_until=log.known_until)
    assert (len(observations.y), observations.n_closed, observations.n_immature) == (5_388, 6_787, 912)
    assert observations.y.mean() == pytest.approx(0.3335, abs=1e-4)


@pytest.mark.real_data
def test_the_real_funnel_is_mature_for_ninety_days_but_for_one_deal_before_its_contact(real_data):
    log = olist(real_data / "olist_funnel")
    observations = make_observations(log.leads, horizon_days=[30, 90], known_until=log.known_until)
    assert (len(observations.y), observations.n_immature, observations.n_closed_at_creation) == (7_999, 0, 1)
    assert log.notes[1:] == (
        "Leads that came before the first recorded deal of 2017-12-05: 1,832.",
        "Deals dated at or before their lead's first contact: 1.",
    )
