"""The label rule: mature, won within the horizon, nothing from the future."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from configs import make_config
from leadlift.data.dates import MOMENT
from leadlift.data.observations import make_observations
from leadlift.data.reading import leads_from, read_leads
from leadlift.exceptions import ImmatureLabelsError

START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number):
    return None if number is None else START + timedelta(days=number)


def leads_table(rows):
    """A table of leads from (id, created day, closed day, outcome)."""
    ids, created, closed, outcome = zip(*rows, strict=True)
    return pa.table(
        {
            "lead_id": pa.array(ids, pa.string()),
            "created_at": pa.array([day(number) for number in created], MOMENT),
            "closed_at": pa.array([day(number) for number in closed], MOMENT),
            "outcome": pa.array(outcome, pa.string()),
        }
    )


def roles(**keywords):
    return make_config(created_at="signup", closed_at="end", **keywords).roles


TWELVE = [
    # id, created, closed, outcome: label with a horizon of 10 days, outcomes known until day 30
    ("won on day 5", 0, 5, "won"),  # 1
    ("won on the last day", 1, 11, "won"),  # 1
    ("won a moment late", 2, 12.001, "won"),  # 0
    ("lost", 3, 4, "lost"),  # 0
    ("lost, date unknown", 4, None, "lost"),  # 0
    ("open, with a planned date", 5, 90, "open"),  # 0
    ("mature to the minute", 20, 21, "won"),  # 1
    ("won, but too young", 20.001, 21, "won"),  # immature
    ("won at creation", 6, 6, "won"),  # closed at creation
    ("won, nobody knows when", 7, None, "won"),  # undated win
    ("no outcome", 8, None, None),  # unlabelled
    ("no creation date", None, 9, "lost"),  # undated
]


def test_twelve_leads_by_eye():
    known_until = day(30)
    observations = make_observations(
        leads_table(TWELVE), roles=roles(horizon_days=10, known_until=known_until)
    )
    assert dict(zip(observations.lead_id, observations.y.tolist(), strict=True)) == {
        "won on day 5": 1,
        "won on the last day": 1,
        "won a moment late": 0,
        "lost": 0,
        "lost, date unknown": 0,
        "open, with a planned date": 0,
        "mature to the minute": 1,
    }
    assert observations.index.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert observations.rows["label_known_at"].to_pylist()[0] == day(10)
    assert observations.rows["as_of"].to_pylist()[1] == day(1)
    assert observations.as_of[0] == np.datetime64("2026-01-01T00:00:00", "us")
    assert observations.label_known_at[0] == np.datetime64("2026-01-11T00:00:00", "us")
    assert (observations.time, observations.known_until, observations.horizon_days) == (
        "dates",
        known_until,
        10,
    )
    assert (observations.n_immature, observations.n_closed_at_creation, observations.n_undated_wins) == (
        1,
        1,
        1,
    )
    assert (observations.n_unlabelled, observations.n_undated, observations.n_open) == (1, 1, 0)


def test_without_a_horizon_the_outcome_is_taken_as_it_stands():
    observations = make_observations(leads_table(TWELVE), roles=roles())
    assert dict(zip(observations.lead_id, observations.y.tolist(), strict=True)) == {
        "won on day 5": 1,
        "won on the last day": 1,
        "won a moment late": 1,
        "lost": 0,
        "lost, date unknown": 0,
        "mature to the minute": 1,
        "won, but too young": 1,
        "won at creation": 1,
        "won, nobody knows when": 1,
    }
    assert (observations.n_open, observations.n_unlabelled, observations.n_undated) == (1, 1, 1)
    known = dict(zip(observations.lead_id, observations.rows["label_known_at"].to_pylist(), strict=True))
    assert known["won on day 5"] == day(5)
    assert known["lost, date unknown"] == day(4)


def test_outcomes_are_known_until_the_latest_date_but_a_planned_one():
    observations = make_observations(leads_table(TWELVE), roles=roles(horizon_days=1))
    assert observations.known_until == day(21)


def test_a_moment_without_a_zone_is_utc():
    naive = day(30).replace(tzinfo=None)
    assert make_observations(
        leads_table(TWELVE), roles=roles(horizon_days=1, known_until=naive)
    ).known_until == day(30)


@pytest.mark.parametrize(
    ("in_order", "time", "as_of"), [(True, "row order", [1, 3]), (False, "unknown", None)]
)
def test_leads_without_dates_have_the_order_of_rows_or_no_time(in_order, time, as_of):
    table = pa.table({"stage": ["Won", "Open", "Lost"]})
    config = make_config(open=("Open",), rows_in_time_order=in_order)
    observations = make_observations(leads_from(table, config), roles=config.roles)
    assert observations.time == time
    assert (None if observations.as_of is None else observations.as_of.tolist()) == as_of
    assert observations.lead_id.tolist() == ["1", "3"]
    assert np.isnat(observations.label_known_at).all()
    assert observations.rows.schema.field("converted").type == pa.int8()
    assert observations.rows["weight"].to_pylist() == [1.0, 1.0]
    assert observations.known_until is None


def test_leads_that_are_all_too_young_say_when_the_first_is_mature():
    table = leads_table([("a", 0, 1, "won"), ("b", 5, 6, "lost")])
    match = (
        r"none of 2 leads can be learnt from \(immature: 2\): the horizon is 90 days and outcomes are known "
        r"until 2026-01-07 00:00; the first one is mature on 2026-04-01 00:00. Use a later extract"
    )
    with pytest.raises(ImmatureLabelsError, match=match):
        make_observations(table, roles=roles(horizon_days=90))


def test_leads_that_are_all_open_cannot_be_learnt_from():
    with pytest.raises(ImmatureLabelsError, match=r"\(open: 1\). Leads that were won or lost are needed"):
        make_observations(leads_table([("a", 0, None, "open")]), roles=roles())


def test_leads_without_any_date_cannot_be_judged_within_a_horizon():
    with pytest.raises(ImmatureLabelsError, match=r"\(undated: 1\).*known until an unknown moment"):
        make_observations(leads_table([("a", None, None, "won")]), roles=roles(horizon_days=1))


DAYS = st.integers(0, 40)
LEADS = st.lists(
    st.tuples(DAYS | st.none(), DAYS | st.none(), st.sampled_from(["won", "lost", "open", None])),
    min_size=1,
    max_size=15,
).map(lambda rows: [(str(number), *row) for number, row in enumerate(rows)])


def label_by_hand(created, closed, outcome, horizon, known_until):
    """The rule, once more, for one lead: its label, or None where it is no observation."""
    if outcome is None or created is None:
        return None
    if outcome != "open" and closed is not None and closed <= created:
        return None
    if created + horizon > known_until:
        return None
    if outcome != "won":
        return 0
    return None if closed is None else int(created < closed <= created + horizon)


@given(rows=LEADS, horizon=st.integers(1, 20), known_until=DAYS)
def test_the_label_is_that_of_the_rule_told_lead_by_lead(rows, horizon, known_until):
    expected = {key: label_by_hand(*facts, horizon, known_until) for key, *facts in rows}
    expected = {key: label for key, label in expected.items() if label is not None}
    asked = roles(horizon_days=horizon, known_until=day(known_until))
    if not expected:
        with pytest.raises(ImmatureLabelsError, match="none of"):
            make_observations(leads_table(rows), roles=asked)
        return
    observations = make_observations(leads_table(rows), roles=asked)
    assert dict(zip(observations.lead_id, observations.y.tolist(), strict=True)) == expected
    counted = [getattr(observations, name) for name in vars(observations) if name.startswith("n_")]
    assert len(expected) + sum(counted) == len(rows)


def observe(rows, **keywords):
    try:
        return make_observations(leads_table(rows), roles=roles(**keywords))
    except ImmatureLabelsError:
        return None


@given(rows=LEADS, horizon=st.none() | st.integers(1, 20), shift=st.integers(-1000, 1000))
def test_moving_all_dates_changes_no_label(rows, horizon, shift):
    moved = [
        (key, *[None if d is None else d + shift for d in days], outcome) for key, *days, outcome in rows
    ]
    before, after = observe(rows, horizon_days=horizon), observe(moved, horizon_days=horizon)
    assume(before is not None)
    assert before.lead_id.tolist() == after.lead_id.tolist()
    assert before.y.tolist() == after.y.tolist()
    assert (after.as_of - before.as_of == np.timedelta64(shift, "D")).all()


@given(rows=LEADS, horizon=st.none() | st.integers(1, 20), seed=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rows, horizon, seed):
    shuffled = rows.copy()
    seed.shuffle(shuffled)
    before, after = observe(rows, horizon_days=horizon), observe(shuffled, horizon_days=horizon)
    assume(before is not None)
    assert before.rows.sort_by("lead_id") == after.rows.sort_by("lead_id")


@pytest.mark.real_data
def test_a_real_crm_has_mature_leads(real_data):
    config = make_config(
        real_data / "maven_crm" / "sales_pipeline.csv",
        lead_id="opportunity_id",
        outcome="deal_stage",
        open=("Engaging", "Prospecting"),
        created_at="engage_date",
        closed_at="close_date",
        horizon_days=90,
    )
    observations = make_observations(read_leads(config), roles=config.roles)
    assert observations.n_undated == 500  # prospects nobody has engaged yet
    assert observations.known_until == datetime(2017, 12, 31, tzinfo=UTC)
    assert 0.3 < observations.y.mean() < 0.6
