"""Wins are credited to the touches before them, whole and once; what came after takes no part."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import leadlift as ll
from laws import law
from leadlift.exceptions import InputError, SchemaError

WAYS = ("first_touch", "last_touch", "linear", "position_based")
END = 100


def moments(days):
    return pa.array(
        [None if day is None else day * 86_400_000_000 for day in days], pa.timestamp("us", "UTC")
    )


def touches_of(*rows):
    ids, days, names = zip(*rows, strict=True) if rows else ((), (), ())
    names = pa.array(names, pa.string())
    return pa.table({"lead_id": pa.array(ids, pa.string()), "occurred_at": moments(days), "touch": names})


def leads_of(won, until=END):
    ends = moments([until] * len(won))
    return pa.table({"lead_id": list(won), "won": list(won.values()), "until": ends})


def credited(touches, leads, **settings):
    return {row["touch"]: row for row in ll.attribute_wins(touches, leads, **settings).to_pylist()}


def test_four_touches_share_one_win_by_eye():
    found = credited(
        touches_of(("A", 1, "ad"), ("A", 2, "blog"), ("A", 3, "blog"), ("A", 4, "call")),
        leads_of({"A": True}),
    )
    by_way = {way: {touch: row[way] for touch, row in found.items()} for way in WAYS}
    assert by_way["first_touch"] == {"ad": 1, "blog": 0, "call": 0}
    assert by_way["last_touch"] == {"ad": 0, "blog": 0, "call": 1}
    assert by_way["linear"] == {"ad": 0.25, "blog": 0.5, "call": 0.25}
    assert by_way["position_based"] == pytest.approx({"ad": 0.4, "blog": 0.2, "call": 0.4})


def test_two_touches_share_alike_and_one_takes_all_by_position():
    found = credited(
        touches_of(("A", 1, "ad"), ("A", 2, "blog"), ("B", 1, "blog")), leads_of({"A": True, "B": True})
    )
    assert (found["ad"]["position_based"], found["blog"]["position_based"]) == (0.5, 1.5)


def test_a_touch_at_the_end_of_a_lead_or_after_it_takes_no_part():
    found = credited(
        touches_of(("A", 1, "ad"), ("A", END, "contract"), ("A", END + 1, "invoice")), leads_of({"A": True})
    )
    assert set(found) == {"ad"}


def test_wins_without_a_touch_are_in_a_row_of_their_own():
    found = credited(touches_of(("A", 1, "ad")), leads_of({"A": True, "B": True, "C": False}))
    none = found["(no touch)"]
    assert (none["n"], none["won"], none["n_touches"], none["linear"]) == (2, 1, 0, 1.0)


def test_a_lead_counts_once_for_a_touch_however_often_it_was_touched():
    found = credited(touches_of(*[("A", day, "ad") for day in range(9)]), leads_of({"A": False, "B": True}))
    assert (found["ad"]["n_touches"], found["ad"]["n"], found["ad"]["won"]) == (9, 1, 0)


def test_rare_touches_are_taken_together():
    found = credited(
        touches_of(("A", 1, "ad"), ("A", 2, "ad"), ("A", 3, "x"), ("A", 4, "y")),
        leads_of({"A": True}),
        most_touches=1,
    )
    assert found["all others (2 levels)"]["linear"] == 0.5
    assert found["all others (2 levels)"]["n"] == 1


def test_a_touch_that_wins_is_told_from_one_that_does_not():
    ids = [f"L{i}" for i in range(400)]
    won = {lead: i % 4 == 0 for i, lead in enumerate(ids)}
    rows = [(lead, 1, "demo") for lead in ids if won[lead]] + [(lead, 2, "mail") for lead in ids[::3]]
    found = credited(touches_of(*rows), leads_of(won))
    assert (found["demo"]["differs"], found["mail"]["differs"]) == (True, False)
    assert found["demo"]["lift"] == 4.0


@law
@given(
    st.lists(st.tuples(st.sampled_from("ABCDX"), st.integers(0, 5), st.sampled_from(["ad", "call", None]))),
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.integers(0, 6),
    st.randoms(use_true_random=False),
)
def test_every_kind_of_credit_adds_up_to_the_wins_in_any_order_of_the_rows(rows, won, until, random):
    leads = leads_of(dict(zip("ABCD", won, strict=True)), until)
    found = ll.attribute_wins(touches_of(*rows), leads)
    for way in WAYS:
        assert sum(found[way].to_pylist()) == pytest.approx(sum(won))
    random.shuffle(rows)
    again = ll.attribute_wins(touches_of(*rows), leads)
    assert again.drop_columns(WAYS).equals(found.drop_columns(WAYS))
    for way in WAYS:
        np.testing.assert_allclose(again[way].to_numpy(), found[way].to_numpy(), atol=1e-12)


def test_touches_are_taken_from_events_by_channel_asset_or_type():
    crm = ll.make_leads(300, seed=0)
    events = ll.events_from(crm.events)
    by_type = ll.touches_from(events, "event_type")
    assert by_type.num_rows == events.table().num_rows
    assert by_type.column_names == ["lead_id", "occurred_at", "touch"]
    views = ll.touches_from(events, "asset", event_types=["page_view"])
    assert 0 < views.num_rows < by_type.num_rows
    with pytest.raises(InputError, match="'channel', 'asset' or 'event_type', got 'page'"):
        ll.touches_from(events, "page")


def test_bad_leads_are_refused():
    touches = touches_of(("A", 1, "ad"))
    leads = leads_of({"A": True, "B": False})
    with pytest.raises(InputError, match="each lead once, got 2 repeated: 'A', 'B'"):
        ll.attribute_wins(touches, pa.concat_tables([leads, leads]))
    with pytest.raises(InputError, match=r"2 leads have no end \(until\)"):
        ll.attribute_wins(touches, leads_of({"A": True, "B": False}, until=None))
    with pytest.raises(InputError, match="got 0 leads"):
        ll.attribute_wins(touches, leads.slice(0, 0))
    with pytest.raises(SchemaError, match="'until'"):
        ll.attribute_wins(touches, leads.drop_columns("until"))
    with pytest.raises(InputError, match="occurred_at must hold dates, got string"):
        ll.attribute_wins(touches.set_column(1, "occurred_at", pa.array(["yesterday"])), leads)


@pytest.mark.real_data
def test_the_loan_events_before_the_decision_share_out_every_approval(real_data):
    folder = real_data / "bpi2012_loans"
    events = pq.read_table(folder / "events.parquet", columns=["case_id", "timestamp", "activity"])
    touches = events.rename_columns(["lead_id", "occurred_at", "touch"])
    cases = pd.read_csv(folder / "cases.csv", dtype={"case_id": str}, parse_dates=["outcome_at"])
    cases = cases[cases["outcome_at"].notna()]
    won = cases["outcome"] == "approved"
    leads = pd.DataFrame({"lead_id": cases["case_id"], "won": won, "until": cases["outcome_at"]})
    found = ll.attribute_wins(touches, leads)
    for way in WAYS:
        assert sum(found[way].to_pylist()) == pytest.approx(won.sum())
    # Every application is submitted first.
    assert found["touch"][int(np.argmax(found["first_touch"].to_numpy()))].as_py() == "A_SUBMITTED"
