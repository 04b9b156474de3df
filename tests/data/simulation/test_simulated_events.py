"""What the event table promises about time, counts and meaning."""

import numpy as np
import pandas as pd
import pytest

from leadlift.data.datasets import make_leads
from leadlift.terms import LEAD_ID


@pytest.fixture(scope="module")
def simulated():
    return make_leads(6_000, seed=2)


@pytest.fixture(scope="module")
def events(simulated):
    """The events, each with the columns of its lead."""
    leads = simulated.leads.to_pandas()
    intent = simulated.hidden.to_pandas()[[LEAD_ID, "mode", "intent"]]
    return simulated.events.to_pandas().merge(leads.merge(intent, on=LEAD_ID), on=LEAD_ID, validate="m:1")


def counted(events, leads, mask):
    return events[mask].groupby(LEAD_ID).size().reindex(leads[LEAD_ID], fill_value=0).to_numpy()


def test_columns_and_types(simulated):
    assert simulated.events.schema.names == [LEAD_ID, "occurred_at", "event_type", "channel", "asset"]
    assert str(simulated.events.schema.field("occurred_at").type) == "timestamp[us, tz=UTC]"


def test_every_event_belongs_to_a_lead_and_every_lead_alive_for_a_while_has_one(simulated, events):
    assert len(events) == simulated.events.num_rows
    on_web = simulated.leads.to_pandas().query("first_touch.notna()")
    assert on_web[LEAD_ID].isin(events[LEAD_ID]).all()


def test_nothing_happens_at_or_after_the_close_or_the_extract(simulated, events):
    closed = events["closed_at"].notna()
    assert (events["occurred_at"] < events["closed_at"])[closed].all()
    assert (events["occurred_at"] < simulated.known_until).all()


@pytest.mark.parametrize(
    ("column", "event_type", "asset"),
    [
        ("visits_before_form", "visit", None),
        ("pages_before_form", "page_view", None),
        ("case_study_views_before_form", "page_view", "case_study"),
        ("pricing_views_before_form", "page_view", "pricing"),
        ("downloads_before_form", "download", None),
    ],
)
def test_counts_before_the_form_are_those_of_the_lead_columns(simulated, events, column, event_type, asset):
    leads = simulated.leads.to_pandas()
    mask = (events["occurred_at"] < events["created_at"]) & (events["event_type"] == event_type)
    if asset is not None:
        mask &= events["asset"] == asset
    assert np.array_equal(counted(events, leads, mask), leads[column].fillna(0))


def test_the_first_page_seen_is_the_first_touch(events):
    pages = events[events["event_type"] == "page_view"].sort_values("occurred_at")
    first = pages[pages["first_touch"].notna()].groupby(LEAD_ID).first()
    assert (first["asset"] == first["first_touch"]).all()


def test_days_since_first_touch_is_the_age_of_the_first_event(events):
    first = (
        events[events["first_touch"].notna()]
        .groupby(LEAD_ID)
        .agg(
            moment=("occurred_at", "min"),
            created_at=("created_at", "first"),
            days=("days_since_first_touch", "first"),
        )
    )
    age_days = (first["created_at"] - first["moment"]).dt.total_seconds() / 86_400
    # The column is rounded to four decimals; a tie may land a float's last bit beyond the half.
    assert np.allclose(age_days, first["days"], atol=5.001e-5, rtol=0)


def test_the_form_stands_at_creation_once_a_lead(simulated, events):
    forms = events[events["event_type"] == "form"]
    assert (forms["occurred_at"] == forms["created_at"]).all()
    assert (forms["asset"] == forms["landing_page"]).all()
    assert forms[LEAD_ID].is_unique
    assert len(forms) == simulated.leads["first_touch"].drop_null().length()


def test_leads_without_web_history_have_no_event_before_creation(events):
    off_web = events[events["first_touch"].isna()]
    assert set(off_web["source"]) == {"trade fair", "list import"}
    assert (off_web["occurred_at"] >= off_web["created_at"]).all()


def test_newsletters_are_opened_only_by_those_who_opted_in(events):
    assert set(events.loc[events["asset"] == "newsletter", "email_opt_in"]) == {"yes"}


def test_a_sales_call_marks_the_contact(simulated, events):
    calls = events[events["event_type"] == "sales_call"].groupby(LEAD_ID)["occurred_at"].min()
    leads = simulated.leads.to_pandas().set_index(LEAD_ID)
    waited = (calls - leads.loc[calls.index, "created_at"]).dt.total_seconds()
    contacted = pd.Series(simulated.process.contacted_after_seconds, index=leads.index)
    assert (waited == contacted.loc[calls.index]).all()


def test_events_of_late_intent_are_more_frequent_with_intent(events):
    keen = events["intent"] > 0
    late = events["event_type"].isin(["demo", "quote_request", "email_reply"])
    assert late[keen].mean() > 3 * late[~keen].mean()


def test_buyers_look_at_prices_last_and_price_shoppers_first(events):
    pages = events[
        (events["event_type"] == "page_view") & (events["occurred_at"] < events["created_at"])
    ].copy()
    pages["place"] = pages.groupby(LEAD_ID)["occurred_at"].rank(pct=True)
    place = pages[pages["asset"] == "pricing"].groupby("mode")["place"].mean()
    assert place["buyer"] > place["reader"] > place["price shopper"]


def test_the_same_pages_mean_more_when_the_prices_come_after_the_case_study():
    simulated = make_leads(20_000, seed=1)
    leads = simulated.leads.to_pandas().assign(truth=simulated.true_probability()).set_index(LEAD_ID)
    pages = simulated.events.to_pandas().query("event_type == 'page_view'")
    pages = pages[pages["occurred_at"] < leads.loc[pages[LEAD_ID], "created_at"].to_numpy()]
    last = pages.pivot_table(index=LEAD_ID, columns="asset", values="occurred_at", aggfunc="max")
    once = leads[(leads["pricing_views_before_form"] == 1) & (leads["case_study_views_before_form"] == 1)]
    once = once.assign(prices_last=last["pricing"] > last["case_study"])
    by_order = once.pivot_table(
        index="pages_before_form", columns="prices_last", values="truth", aggfunc=["mean", "size"]
    )
    common = by_order[(by_order["size"] >= 50).all(axis=1)]["mean"]
    assert len(common) >= 4
    assert (common[True] > 1.1 * common[False]).all()


def test_rows_stand_in_no_order(simulated):
    moments = simulated.events["occurred_at"].to_numpy().astype(np.int64)
    assert abs(np.corrcoef(moments, np.arange(len(moments)))[0, 1]) < 0.02
