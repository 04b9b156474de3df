"""The change log replayed: the value of the day, whatever comes later and however the rows stand."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlift.config import DataConfig, HistoryConfig
from leadlift.data.history import history_from
from leadlift.engines import get_engine
from leadlift.features import session as session_module
from leadlift.features.builder import FeatureBuilder
from leadlift.features.meanings import Meanings
from leadlift.features.replay import ChangeCoder
from leadlift.features.session import BehaviourSession, Moments
from leadlift.terms import FeatureSpec, Kind

START = datetime(2026, 3, 1, tzinfo=UTC)
COLUMNS = pa.schema(
    [
        ("lead_id", pa.string()),
        ("changed_at", pa.timestamp("us", "UTC")),
        ("field", pa.string()),
        ("value", pa.string()),
        ("old_value", pa.string()),
    ]
)


def day(number):
    return START + timedelta(days=number)


def log_of(*rows, old_values=True):
    """A change log; each row is lead, day, field, value and, if the log has it, the value before."""
    width = 5 if old_values else 4
    names = COLUMNS.names[:width]
    padded = [(lead, day(number), *rest, *[None] * 2)[:width] for lead, number, *rest in rows]
    columns = zip(*padded, strict=True) if padded else [[] for _ in names]
    arrays = [pa.array(list(c), COLUMNS.field(n).type) for n, c in zip(names, columns, strict=True)]
    return history_from(pa.table(arrays, names=names))


def moments_of(*rows):
    """Observations; each row is lead and day."""
    leads, numbers = zip(*rows, strict=True)
    as_of = pa.array([day(number) for number in numbers], pa.timestamp("us", "UTC"))
    return pa.table({"lead_id": list(leads), "as_of": as_of})


def profile(observations, history, **columns):
    builder = FeatureBuilder(groups=["profile"])
    leads = observations.select(["lead_id"])
    for name, by_lead in columns.items():
        leads = leads.append_column(
            name, pa.array([by_lead.get(lead) for lead in leads["lead_id"].to_pylist()], type_of(by_lead))
        )
    return builder.fit_transform(observations, leads=leads, history=history)


def type_of(by_lead):
    """Text, where all values are missing."""
    inferred = pa.array(list(by_lead.values())).type
    return pa.string() if pa.types.is_null(inferred) else inferred


def coded(history, leads=("a", "b")):
    coder = ChangeCoder(pa.array(leads))
    rows = pa.Table.from_batches(coder.code(history.batches()))
    return coder, rows


def test_a_field_has_the_value_of_the_last_change_strictly_before_as_of():
    log = log_of(("a", 1, "stage", "mail", "new"), ("a", 3, "stage", "demo", "mail"))
    at = moments_of(("a", 1), ("a", 1.5), ("a", 3), ("a", 3.5))
    table = profile(at, log, stage={"a": "demo"})
    assert table["stage"].to_pylist() == ["new", "mail", "mail", "demo"]
    assert table["days_in_stage"].to_pylist() == [None, 0.5, 2.0, 0.5]
    assert table["n_changes_stage"].to_pylist() == [0, 1, 1, 2]


def test_without_old_values_nothing_is_known_before_the_first_change():
    log = log_of(("a", 1, "stage", "demo"), old_values=False)
    at = moments_of(("a", 0.5), ("a", 2), ("never changed", 2))
    table = profile(at, log, stage={"a": "demo", "never changed": "new"})
    assert table["stage"].to_pylist() == [None, "demo", None]


def test_an_empty_column_of_old_values_is_none():
    log = log_of(("a", 1, "stage", "demo", None))
    table = profile(moments_of(("a", 2), ("never changed", 2)), log, stage={"never changed": "new"})
    assert table["stage"].to_pylist() == ["demo", None]


def test_with_old_values_a_lead_without_a_change_has_the_value_of_the_table():
    log = log_of(("a", 1, "stage", "demo", "new"))
    at = moments_of(("a", 0.5), ("a", 2), ("never changed", 2))
    table = profile(at, log, stage={"a": "demo", "never changed": "new"})
    assert table["stage"].to_pylist() == ["new", "demo", "new"]


def test_a_field_of_the_log_alone_does_not_tell_that_a_change_will_come():
    log = log_of(
        ("a", 1, "owner", "Kim", "queue"), ("a", 5, "owner", "Lee", "Kim"), ("b", 9, "owner", "Lee", "queue")
    )
    at = moments_of(("a", 0.5), ("a", 2), ("b", 2), ("never changed", 2))
    table = profile(at, log)
    assert table["owner"].to_pylist() == [None, "Kim", None, None]
    assert table["n_changes_owner"].to_pylist() == [0, 1, 0, 0]
    assert table["days_in_owner"].to_pylist() == [None, 1.0, None, None]


def test_an_emptied_field_is_missing_and_not_what_it_was():
    log = log_of(("a", 1, "title", None, "cto"), ("b", 1, "title", "dev", "cto"))
    at = moments_of(("a", 0.5), ("a", 2), ("b", 0.5))
    table = profile(at, log, title={"a": None, "b": "dev"})
    assert table["title"].to_pylist() == ["cto", None, "cto"]


def test_of_changes_at_one_moment_the_greatest_value_counts_last():
    rows = [("a", 1, "stage", "mail"), ("a", 1, "stage", "demo"), ("a", 1, "stage", None)]
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        table = profile(moments_of(("a", 2)), log_of(*(rows[i] for i in order), old_values=False))
        assert table["stage"].to_pylist() == ["mail"]
        assert table["n_changes_stage"].to_pylist() == [3]


def test_copies_of_a_change_are_one_change():
    rows = [
        ("a", 1, "stage", "mail", "new"),
        ("a", 1, "stage", "mail", "new"),
        ("a", 2, "stage", "demo", "mail"),
    ]
    coder, changes = coded(log_of(*rows))
    assert coder.n_copies == 1
    assert changes["is_change"].to_pylist() == [1, 1, 0]


def test_changes_of_other_leads_are_counted_and_left_out():
    coder, changes = coded(log_of(("a", 1, "stage", "mail", "new"), ("z", 1, "owner", "Kim", None)))
    assert (coder.n_changes, coder.n_unknown, coder.field_names) == (2, 1, ("stage",))
    assert changes["lead"].to_pylist() == [0, 0]


def test_a_contradicting_old_value_is_counted_and_the_logged_values_win():
    rows = [
        ("a", 1, "stage", "mail", "new"),
        ("a", 2, "stage", "demo", "call"),
        ("b", 1, "stage", "mail", "call"),
    ]
    coder, _ = coded(log_of(*rows))
    assert coder.n_contradictions == 1
    table = profile(moments_of(("a", 1.5), ("a", 3)), log_of(*rows), stage={"a": "demo"})
    assert table["stage"].to_pylist() == ["mail", "demo"]


def test_a_log_without_old_values_contradicts_nothing():
    coder, _ = coded(log_of(("a", 1, "stage", "mail"), ("a", 2, "stage", "demo"), old_values=False))
    assert (coder.n_contradictions, coder.has_old_values) == (0, False)


def test_an_empty_log_changes_nothing():
    at = moments_of(("a", 1), ("b", 1))
    table = profile(at, log_of(), stage={"a": "demo", "b": "new"})
    assert table.to_pydict() == {"stage": ["demo", "new"]}


def test_a_column_of_numbers_is_read_with_the_marks_of_the_log():
    rows = pa.table(
        {
            "lead_id": ["a"],
            "changed_at": [day(1)],
            "field": ["seats"],
            "value": ["1.250,5"],
            "old_value": ["80"],
        }
    )
    data = DataConfig(leads="leads.csv", decimal=",", thousands=".")
    log = history_from(rows, HistoryConfig(old_value="old_value"), data)
    table = profile(moments_of(("a", 0.5), ("a", 2), ("b", 2)), log, seats={"a": 1250.5, "b": 7.0})
    assert table["seats"].to_pylist() == [80.0, 1250.5, 7.0]


def test_truth_values_are_replayed_as_the_table_spells_them():
    log = log_of(("a", 1, "opted_in", "false", "true"))
    observed = moments_of(("a", 0.5), ("a", 2), ("b", 2))
    leads = observed.append_column("opted_in", pa.array([False, False, True]))
    columns = [FeatureSpec("opted_in", Kind.CATEGORICAL)]
    builder = FeatureBuilder(groups=["profile"])
    table = builder.fit_transform(observed, leads=leads, columns=columns, history=log)
    assert table["opted_in"].to_pylist() == ["true", "false", "true"]


def test_what_a_group_learns_from_is_the_value_of_the_day_too():
    log = log_of(("a", 1, "title", "cto", "dev"), ("b", 1, "title", "cto", "dev"))
    at = moments_of(("a", 0.5), ("b", 2))
    moments, _ = Moments.of(at["lead_id"].combine_chunks(), at["as_of"].to_numpy()).sorted_by_lead()
    leads = pa.table({"title": ["cto", "cto"]})
    with BehaviourSession(
        get_engine("duckdb"), moments, events=None, history=log, meanings=Meanings()
    ) as session:
        survey = session.survey(leads)
    assert survey.leads["title"].to_pylist() == ["dev", "cto"]
    assert survey.fields == {"title": {"cto": 1}}


def test_slices_of_the_leads_are_put_together_in_order(monkeypatch):
    ids = [f"lead {i}" for i in range(23)]
    rows = [(lead, i % 7, "stage", f"s{i % 3}", "new") for i, lead in enumerate(ids) if i % 4]
    at = moments_of(*[(lead, number) for number in (2, 5) for lead in ids])
    table_values = {lead: f"s{i % 3}" if i % 4 else "new" for i, lead in enumerate(ids)}
    whole = profile(at, log_of(*rows), stage=table_values)
    monkeypatch.setattr(session_module, "SLICE_ROWS", 5)
    assert profile(at, log_of(*rows), stage=table_values).equals(whole)


# Laws, on logs that agree with the table: each lead's field goes through some values.

VALUES = st.sampled_from([None, "new", "mail", "demo", "Ω"])
MOMENTS = st.integers(0, 8)


@st.composite
def lives(draw):
    """By lead, the value at creation and (day, value) of its changes, at most one a day."""
    life = st.tuples(VALUES, st.dictionaries(MOMENTS, VALUES, max_size=4))
    return draw(st.fixed_dictionaries(dict.fromkeys("abc", life)))


def changes_of(lives, until=99):
    rows = []
    for lead, (value, changes) in lives.items():
        for number in sorted(n for n in changes if n < until):
            rows.append((lead, number, "stage", changes[number], value))
            value = changes[number]
    return rows


def final_values(lives, until=99):
    finals = {lead: value for lead, (value, _) in lives.items()}
    return finals | {lead: value for lead, _, _, value, _ in changes_of(lives, until)}


def at_each_day(days):
    return moments_of(*[(lead, number) for lead in "abc" for number in days])


@settings(max_examples=25, deadline=None)
@given(lives(), st.permutations(range(12)))
def test_the_replay_is_that_of_a_loop(lives, order):
    rows = changes_of(lives)
    shuffled = [rows[i] for i in order if i < len(rows)]
    stamped = [("z", 0, "stage", "new", "old"), *shuffled]
    at = at_each_day([0, 3, 3.5, 9])
    table = profile(at, log_of(*stamped), stage=final_values(lives))
    for i, (lead, moment) in enumerate(zip(at["lead_id"].to_pylist(), at["as_of"].to_pylist(), strict=True)):
        before = [(n, v) for n, v in sorted(lives[lead][1].items()) if day(n) < moment]
        assert table["stage"][i].as_py() == (before[-1][1] if before else lives[lead][0])
        if "n_changes_stage" in table.column_names:
            assert table["n_changes_stage"][i].as_py() == len(before)
            days_in = (moment - day(before[-1][0])) / timedelta(days=1) if before else None
            assert table["days_in_stage"][i].as_py() == days_in


@settings(max_examples=25, deadline=None)
@given(lives(), MOMENTS)
def test_changes_at_or_after_as_of_change_nothing(lives, until):
    # The extract of an earlier day: a shorter log, and the table as it was then.
    at = at_each_day([until / 2, until])
    first = ("z", -1, "stage", "new", "old")
    later = profile(at, log_of(first, *changes_of(lives)), stage=final_values(lives))
    then = profile(at, log_of(first, *changes_of(lives, until)), stage=final_values(lives, until))
    assert later.equals(then)


@settings(max_examples=20, deadline=None)
@given(lives(), MOMENTS)
def test_without_old_values_later_changes_change_nothing_whatever_they_are(lives, until):
    at = at_each_day([until])
    known = ("a", -1, "stage", "new")
    full = [row[:4] for row in changes_of(lives)]
    short = [row for row in full if row[1] < until]
    builder = FeatureBuilder(groups=["profile"])
    leads = at.append_column("stage", pa.array(["export"] * len(at)))
    history = log_of(known, *short, old_values=False)
    then = builder.fit_transform(at, leads=leads, history=history)
    assert builder.transform(at, leads=leads, history=log_of(known, *full, old_values=False)).equals(then)


@pytest.mark.parametrize("old_values", [True, False])
def test_scoring_replays_the_fields_that_were_replayed_at_fit(old_values):
    log = log_of(("a", 1, "stage", "demo", "new"), old_values=old_values)
    leads = moments_of(("a", 2), ("b", 2)).append_column("stage", pa.array(["demo", "new"]))
    builder = FeatureBuilder(groups=["profile"])
    builder.fit(leads, leads=leads, history=log)
    # No lead of the day has a change.
    new = moments_of(("c", 9)).append_column("stage", pa.array(["new"]))
    scored = builder.transform(new, leads=new, history=log_of())
    assert scored["stage"].to_pylist() == (["new"] if old_values else [None])
    assert scored["n_changes_stage"].to_pylist() == [0]
