"""The label rule: mature, won within the horizon, nothing from the future, at any moment of life."""

from collections import Counter
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
from leadlift.exceptions import ConfigError, ImmatureLabelsError, SchemaError

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


def observe(rows, **keywords):
    """Observations of leads told as tuples; None where there are none."""
    try:
        return make_observations(leads_table(rows), **keywords)
    except ImmatureLabelsError:
        return None


def labels(observations):
    """(id, day of observation) -> label."""
    days = (observations.as_of - np.datetime64("2026-01-01")) / np.timedelta64(1, "D")
    return dict(zip(zip(observations.lead_id, days, strict=True), observations.y.tolist(), strict=True))


def left_out(observations):
    """Every count of rows left out that is not 0."""
    told = ("n_reopened", "n_truncated")
    counts = {name: value for name, value in vars(observations).items() if name.startswith("n_")}
    return {name: count for name, count in counts.items() if count and name not in told}


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
    observations = observe(TWELVE, horizon_days=10, known_until=day(30))
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
    assert observations.time == "dates"
    assert observations.known_until == day(30)
    assert observations.horizon_days == 10
    assert observations.too_early["lead_id"].to_pylist() == ["won, but too young"]
    assert observations.too_early["as_of"].to_pylist() == [day(20.001)]
    assert left_out(observations) == {
        "n_immature": 1,
        "n_closed_at_creation": 1,
        "n_undated_wins": 1,
        "n_unlabelled": 1,
        "n_undated": 1,
    }


def test_without_a_horizon_the_outcome_is_taken_as_it_stands():
    observations = observe(TWELVE)
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
    assert left_out(observations) == {"n_open": 1, "n_unlabelled": 1, "n_undated": 1}
    assert observations.horizons_days == ()
    assert len(observations.too_early) == 0
    known = dict(zip(observations.lead_id, observations.rows["label_known_at"].to_pylist(), strict=True))
    assert known["won on day 5"] == day(5)
    assert known["lost, date unknown"] == day(4)


LATER = [
    # id, created, closed, outcome: labels at days 0, 7 and 14 of life, horizon 10 days, known until day 30
    ("won on day 9", 0, 9, "won"),  # 1, 1, closed
    ("won on day 20", 0, 20, "won"),  # 0, 0, 1
    ("lost on day 7", 0, 7, "lost"),  # 0, closed, closed
    ("lost, date unknown", 0, None, "lost"),  # 0, unknown, unknown
    ("won, date unknown", 0, None, "won"),  # never
    ("open", 14, None, "open"),  # 0, too early (21 + 10), too early
    ("open and new", 20, None, "open"),  # 0, too early, later than the extract
    ("re-opened", 0, 5, "open"),  # 0, 0, 0
    ("closed before created", 3, 1, "lost"),  # never
]


def test_nine_leads_at_three_moments_by_eye():
    observations = observe(LATER, horizon_days=10, at_days=[0, 7, 14], known_until=day(30))
    assert labels(observations) == {
        ("won on day 9", 0): 1,
        ("won on day 9", 7): 1,
        ("won on day 20", 0): 0,
        ("won on day 20", 7): 0,
        ("won on day 20", 14): 1,
        ("lost on day 7", 0): 0,
        ("lost, date unknown", 0): 0,
        ("open", 14): 0,
        ("open and new", 20): 0,
        ("re-opened", 0): 0,
        ("re-opened", 7): 0,
        ("re-opened", 14): 0,
    }
    assert observations.too_early.to_pylist() == [
        {"lead_id": "open", "as_of": day(21)},
        {"lead_id": "open", "as_of": day(28)},
        {"lead_id": "open and new", "as_of": day(27)},
    ]
    assert left_out(observations) == {
        "n_closed": 3,
        "n_undated_losses": 2,
        "n_undated_wins": 3,
        "n_immature": 3,
        "n_future": 1,
        "n_closed_at_creation": 3,
    }
    assert observations.n_reopened == 1
    assert (observations.label_known_at - observations.as_of == np.timedelta64(10, "D")).all()


def test_without_a_horizon_what_has_closed_is_no_observation_later():
    observations = observe(LATER, at_days=[0, 7], known_until=day(30))
    assert labels(observations) == {
        ("won on day 9", 0): 1,
        ("won on day 9", 7): 1,
        ("won on day 20", 0): 1,
        ("won on day 20", 7): 1,
        ("lost on day 7", 0): 0,
        ("lost, date unknown", 0): 0,
        ("won, date unknown", 0): 1,
        ("closed before created", 3): 0,
    }
    assert left_out(observations) == {
        "n_open": 6,
        "n_closed": 1,
        "n_undated_losses": 1,
        "n_undated_wins": 1,
        "n_closed_at_creation": 1,
    }


def test_a_lead_that_closed_after_the_extract_was_open_then():
    rows = [("won later", 0, 20, "won"), ("lost", 0, 5, "lost")]
    assert observe(rows, known_until=day(10)).lead_id.tolist() == ["lost"]
    assert observe(rows, known_until=day(10)).n_open == 1
    weighted = observe(rows, horizon_days=15, known_until=day(10), young="weight")
    assert weighted.lead_id.tolist() == ["lost"]
    assert weighted.n_immature == 1


def test_several_horizons_give_one_label_each_and_null_where_it_is_too_early():
    rows = [("fast", 0, 3, "won"), ("slow", 0, 12, "won"), ("young", 15, 16, "won"), ("new", 26, 27, "won")]
    observations = observe(rows, horizon_days=[20, 5, 10], known_until=day(30))
    assert observations.horizons_days == (5, 10, 20)
    assert observations.horizon_days == 5
    assert observations.lead_id.tolist() == ["fast", "slow", "young"]
    assert observations.rows["converted"].to_pylist() == [1, 0, 1]
    assert observations.rows["converted_5d"].to_pylist() == [1, 0, 1]
    assert observations.rows["converted_10d"].to_pylist() == [1, 0, 1]
    assert observations.rows["converted_20d"].to_pylist() == [1, 1, None]
    assert observations.rows.schema.field("converted_20d").type == pa.int8()
    late = observations.at_horizon(20)
    assert late.lead_id.tolist() == ["fast", "slow"]
    assert late.y.tolist() == [1, 1]
    assert late.rows["label_known_at"].to_pylist() == [day(20), day(20)]
    assert late.too_early["lead_id"].to_pylist() == ["young", "new"]
    assert (late.horizon_days, late.horizons_days, late.n_immature) == (20, (20,), 2)
    assert late.rows.column_names == ["lead_id", "as_of", "converted", "label_known_at", "weight"]


def test_a_horizon_that_was_not_asked_for_is_refused():
    observations = observe(TWELVE, horizon_days=[5, 10], known_until=day(30))
    with pytest.raises(ConfigError, match=r"horizon_days is 7; these observations were made for '5', '10'"):
        observations.at_horizon(7)
    with pytest.raises(ConfigError, match="no horizon"):
        observe(TWELVE).at_horizon(7)


def test_moments_are_those_named_and_those_made_once_each():
    row = [("open", 0, None, "open")]
    observations = observe(
        row, horizon_days=1, at_days=[3, 0, 2], every_days=1.5, until_days=4.5, known_until=day(60)
    )
    assert [as_of for _, as_of in labels(observations)] == [0, 1.5, 2, 3, 4.5]
    tenths = observe(row, horizon_days=1, every_days=0.1, until_days=0.3, known_until=day(60))
    assert len(tenths.rows) == 4


def test_outcomes_are_known_until_the_latest_date_but_a_planned_one():
    assert observe(TWELVE, horizon_days=1).known_until == day(21)


def test_a_moment_without_a_zone_is_utc():
    naive = day(30).replace(tzinfo=None)
    assert observe(TWELVE, horizon_days=1, known_until=naive).known_until == day(30)


@pytest.mark.parametrize("frame", ["pandas", "polars", "naive", "text"])
def test_frames_in_house_columns_give_the_same_rows(frame):
    table = leads_table(LATER)
    expected = make_observations(table, horizon_days=10, known_until=day(30))
    made = {
        "pandas": lambda: table.to_pandas(),
        "polars": lambda: pytest.importorskip("polars").from_arrow(table),
        "naive": lambda: table.set_column(1, "created_at", table["created_at"].cast(pa.timestamp("ns"))),
        "text": lambda: table.set_column(1, "created_at", table["created_at"].cast(pa.string())),
    }[frame]()
    assert make_observations(made, horizon_days=10, known_until=day(30)).rows == expected.rows


def test_numbers_are_ids_and_repeated_or_missing_ids_stand_for_themselves():
    table = leads_table([("a", 0, 3, "won"), ("a", 0, None, "open"), (None, 0, 4, "lost")])
    observations = make_observations(table, horizon_days=5, at_days=[0, 1], known_until=day(9))
    assert observations.lead_id.tolist() == ["a", "a", "a", "a", None, None]
    assert observations.index.tolist() == [0, 0, 1, 1, 2, 2]
    numbered = table.set_column(0, "lead_id", pa.array([7, 8, None]))
    assert make_observations(numbered, horizon_days=3).lead_id.tolist() == ["7", "8", None]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (("outcome", ["Won", "lost"]), r"outcome holds 1 value\(s\) that are no outcome: 'Won'"),
        (("created_at", ["2026-01-01", "soon"]), r"created_at holds 1 value\(s\) that are no date: 'soon'"),
        (("lead_id", [1.5, 2.5]), "lead_id is double; expected text or whole numbers"),
    ],
)
def test_a_column_that_is_not_what_it_should_be_is_refused(change, match):
    table = leads_table([("a", 0, 3, "won"), ("b", 0, 3, "lost")]).drop_columns([change[0]])
    with pytest.raises(SchemaError, match=match):
        make_observations(table.append_column(change[0], pa.array(change[1])))


def test_a_table_without_outcomes_is_refused():
    with pytest.raises(SchemaError, match=r"1 column\(s\) needed are not there"):
        make_observations(pa.table({"lead_id": ["a"]}))


@pytest.mark.parametrize(
    ("keywords", "match"),
    [
        ({"horizon_days": 0}, "horizon_days holds 0; expected days, more than 0"),
        ({"horizon_days": [30, float("nan")]}, "horizon_days holds nan"),
        ({"horizon_days": []}, "horizon_days is empty"),
        ({"at_days": [-1]}, "at_days holds -1; expected days, at least 0"),
        ({"at_days": []}, "at_days is empty"),
        ({"every_days": 0}, "every_days holds 0"),
        ({"every_days": 1e-4, "until_days": 90}, "every_days makes more than 10,000 moments"),
        ({"young": "keep"}, "young is 'keep'; expected 'leave out' or 'weight'"),
        ({"young": "weight"}, "young='weight' needs horizon_days"),
    ],
)
def test_arguments_out_of_range_are_refused(keywords, match):
    with pytest.raises(ConfigError, match=match):
        observe(TWELVE, **keywords)


@pytest.mark.parametrize(
    ("in_order", "time", "as_of"), [(True, "row order", [1, 3]), (False, "unknown", None)]
)
def test_leads_without_dates_have_the_order_of_rows_or_no_time(in_order, time, as_of):
    table = pa.table({"stage": ["Won", "Open", "Lost"]})
    leads = leads_from(table, make_config(open=("Open",), rows_in_time_order=in_order))
    observations = make_observations(leads, rows_in_time_order=in_order)
    assert observations.time == time
    assert (None if observations.as_of is None else observations.as_of.tolist()) == as_of
    assert observations.lead_id.tolist() == ["1", "3"]
    assert np.isnat(observations.label_known_at).all()
    assert observations.rows.schema.field("converted").type == pa.int8()
    assert observations.rows["weight"].to_pylist() == [1.0, 1.0]
    assert observations.known_until is None


@pytest.mark.parametrize("keywords", [{"at_days": (0, 7)}, {"every_days": 7}, {"horizon_days": 30}])
def test_leads_without_dates_have_no_moments_but_one(keywords):
    table = pa.table({"lead_id": ["a", "b"], "outcome": ["won", "lost"]})
    with pytest.raises(ConfigError, match="need a created_at column, and the leads have none"):
        make_observations(table, **keywords)


def test_leads_that_are_all_too_young_say_when_the_first_is_mature():
    rows = [("a", 0, 1, "won"), ("b", 5, 6, "lost")]
    match = (
        r"none of 2 leads can be learnt from \(immature: 2\): the horizon is 90 days and outcomes are known "
        r"until 2026-01-07 00:00; the first one is mature on 2026-04-01 00:00. Use a later extract"
    )
    with pytest.raises(ImmatureLabelsError, match=match):
        make_observations(leads_table(rows), horizon_days=90)
    match = r"none of 2 leads at 2 moments each can be learnt from \(closed: 1, future: 1, immature: 2\)"
    with pytest.raises(ImmatureLabelsError, match=match):
        make_observations(
            leads_table([("a", 0, 2, "won"), ("b", 5, None, "open")]),
            horizon_days=90,
            at_days=[1, 2],
            known_until=day(6),
        )


def test_leads_that_are_all_open_cannot_be_learnt_from():
    with pytest.raises(ImmatureLabelsError, match=r"\(open: 1\). Leads that were won or lost are needed"):
        make_observations(leads_table([("a", 0, None, "open")]))


def test_leads_without_any_date_cannot_be_judged_within_a_horizon():
    with pytest.raises(ImmatureLabelsError, match=r"\(undated: 1\).*known until an unknown moment"):
        make_observations(leads_table([("a", None, None, "won")]), horizon_days=1)


DAYS = st.integers(0, 40)
SOME_DAYS = st.one_of(DAYS, DAYS, DAYS, st.none())
LEADS = st.lists(
    st.tuples(SOME_DAYS, SOME_DAYS, st.sampled_from(["won", "lost", "open", "won", "lost", None])),
    min_size=1,
    max_size=15,
).map(lambda rows: [(str(number), *row) for number, row in enumerate(rows)])
OFFSETS = st.sets(st.integers(0, 15), min_size=1, max_size=4).map(sorted)
YOUNG = st.sampled_from(["leave out", "weight"])
ASKED = st.fixed_dictionaries(
    {"at_days": OFFSETS},
) | st.fixed_dictionaries({"at_days": OFFSETS, "horizon_days": st.integers(1, 20), "young": YOUNG})


def verdict_by_hand(created, closed, outcome, offset, horizon, known_until, young):
    """The rule, once more, for one lead at one moment: its label, or the name of the reason against it."""
    if outcome is None:
        return "n_unlabelled"
    if created is None:
        return "n_undated"
    if outcome == "open":
        closed = None
    elif closed is not None and closed > known_until:
        closed, outcome = None, "open"
    as_of = created + offset
    asks_closing = horizon is not None or offset > 0
    if asks_closing and closed is not None and closed <= as_of:
        return "n_closed_at_creation" if closed <= created else "n_closed"
    if as_of > known_until:
        return "n_future"
    if asks_closing and outcome == "won" and closed is None:
        return "n_undated_wins"
    if offset > 0 and outcome == "lost" and closed is None:
        return "n_undated_losses"
    if horizon is None:
        return "n_open" if outcome == "open" else int(outcome == "won")
    is_mature = as_of + horizon <= known_until
    if not is_mature and not (young == "weight" and closed is not None):
        return "n_immature"
    return int(outcome == "won" and closed <= as_of + horizon)


@given(rows=LEADS, asked=ASKED, known_until=DAYS)
def test_rows_labels_and_counts_are_those_of_the_rule_told_lead_by_lead(rows, asked, known_until):
    rule = {"horizon": asked.get("horizon_days"), "known_until": known_until, "young": asked.get("young")}
    told = {
        (key, created, offset): verdict_by_hand(created, closed, outcome, offset, **rule)
        for key, created, closed, outcome in rows
        for offset in asked["at_days"]
    }
    expected = [
        ((key, created + offset), label)
        for (key, created, offset), label in told.items()
        if isinstance(label, int)
    ]
    observations = observe(rows, known_until=day(known_until), **asked)
    if observations is None:
        assert not expected
        return
    assert list(labels(observations).items()) == expected
    assert left_out(observations) == Counter(reason for reason in told.values() if isinstance(reason, str))
    early = [(key, c + offset) for (key, c, offset), reason in told.items() if reason == "n_immature"]
    assert observations.too_early["lead_id"].to_pylist() == [key for key, _ in early]
    assert observations.too_early["as_of"].to_pylist() == [day(number) for _, number in early]


@given(rows=LEADS, asked=ASKED, shift=st.integers(-1000, 1000))
def test_moving_all_dates_changes_no_label(rows, asked, shift):
    moved = [
        (key, *[None if d is None else d + shift for d in days], outcome) for key, *days, outcome in rows
    ]
    before, after = observe(rows, **asked), observe(moved, **asked)
    assume(before is not None)
    kept = ["lead_id", "converted", "weight"]
    assert before.rows.select(kept) == after.rows.select(kept)
    assert (after.as_of - before.as_of == np.timedelta64(shift, "D")).all()
    assert left_out(before) == left_out(after)


IN_ORDER = [("lead_id", "ascending"), ("as_of", "ascending")]


@given(rows=LEADS, asked=ASKED, seed=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rows, asked, seed):
    shuffled = rows.copy()
    seed.shuffle(shuffled)
    before, after = observe(rows, **asked), observe(shuffled, **asked)
    assume(before is not None)
    assert before.rows.sort_by(IN_ORDER) == after.rows.sort_by(IN_ORDER)
    assert before.too_early.sort_by(IN_ORDER) == after.too_early.sort_by(IN_ORDER)


@given(rows=LEADS, asked=ASKED)
def test_rows_at_several_moments_are_those_at_each(rows, asked):
    together = observe(rows, **asked)
    assume(together is not None)
    each = [observe(rows, **(asked | {"at_days": [offset]})) for offset in asked["at_days"]]
    each = pa.concat_tables([one.rows for one in each if one is not None])
    assert together.rows.sort_by(IN_ORDER) == each.sort_by(IN_ORDER)


@given(rows=LEADS, horizons=st.sets(st.integers(1, 20), min_size=1), offsets=OFFSETS, young=YOUNG)
def test_each_of_several_horizons_is_as_if_asked_alone(rows, horizons, offsets, young):
    together = observe(rows, horizon_days=sorted(horizons), at_days=offsets, young=young)
    assume(together is not None)
    for horizon in horizons:
        alone = observe(rows, horizon_days=horizon, at_days=offsets, young=young)
        known = together.rows.filter(together.rows[f"converted_{horizon}d"].is_valid())
        assert len(known) == (0 if alone is None else len(alone.rows))
        if alone is not None:
            one = together.at_horizon(horizon)
            assert one.rows == alone.rows
            assert one.too_early == alone.too_early
            assert known["as_of"] == alone.rows["as_of"]
            assert known[f"converted_{horizon}d"] == alone.rows["converted"]


@pytest.mark.real_data
def test_a_real_crm_has_mature_leads(real_data):
    config = make_config(
        real_data / "maven_crm" / "sales_pipeline.csv",
        lead_id="opportunity_id",
        outcome="deal_stage",
        open=("Engaging", "Prospecting"),
        created_at="engage_date",
        closed_at="close_date",
    )
    leads = read_leads(config)
    observations = make_observations(leads, horizon_days=[90, 30], at_days=[0, 14])
    assert observations.n_undated == 2 * 500  # prospects nobody has engaged yet, at both moments
    assert observations.known_until == datetime(2017, 12, 31, tzinfo=UTC)
    late = observations.at_horizon(90)
    assert late.n_immature > observations.n_immature
    assert 0.3 < late.y.mean() < 0.6
