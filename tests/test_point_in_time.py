"""No future: what comes at or after a moment changes nothing that is learnt or made."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviour import COLUMNS, MICROSECOND, make_behaviour
from leadlift.data.events import EVENT_COLUMNS, events_from
from leadlift.data.history import HISTORY_COLUMNS, history_from
from leadlift.features import GROUPS, session
from leadlift.features.builder import FeatureBuilder

# Each example builds all features some times over.
law = settings(max_examples=8, derandomize=True, deadline=None)

N_LEADS = 30
BEHAVIOUR = make_behaviour(N_LEADS, seed=21)
AFTER_US = st.integers(0, 400 * 86_400 * 10**6)
TEXT = ("note",)

# Days are counted in UTC here: by a shift that is no whole number of days they begin elsewhere.
COUNTS_DAYS_OF_UTC = {"n_active_days_all", "lead_source_lift", "campaign_lift"}


def in_batches(table, rows_at_once):
    """Events or changes that come in batches of some size."""
    table.batches = partial(table.batches, rows_at_once)
    return table


def fitted(behaviour=BEHAVIOUR, **sources):
    """A fitted builder and the features of all observations."""
    builder = FeatureBuilder(text=TEXT)
    arguments = {"leads": behaviour.leads, **behaviour.sources(), **sources}
    return builder, builder.fit_transform(behaviour.observations, columns=COLUMNS, **arguments)


@pytest.fixture(scope="module")
def known():
    """What was learnt and made without any future."""
    builder, table = fitted()
    assert {spec.group for spec in builder.specs_} == set(GROUPS)
    return builder, table


def last_moments(behaviour=BEHAVIOUR):
    """By lead, the last moment at which it is observed."""
    rows = behaviour.observations.rows.group_by("lead_id").aggregate([("as_of", "max")])
    return dict(zip(rows["lead_id"].to_pylist(), rows["as_of_max"].to_pylist(), strict=True))


LAST = last_moments()
LEADS = st.sampled_from(sorted(LAST))


@st.composite
def later_events(draw):
    """Events at or after the last moment of their lead: of new kinds, or copies of what is there."""
    lead, copied = draw(LEADS), draw(st.booleans())
    old = [event for event in BEHAVIOUR.events.to_pylist() if event["lead_id"] == lead]
    event = draw(st.sampled_from(old)) if copied and old else {"event_id": draw(st.none() | st.just("new"))}
    new = {
        "event_type": draw(st.sampled_from(["visit", "deal won", "aaa", "zzz", "request quote"])),
        "channel": draw(st.sampled_from([None, "web", "carrier pigeon", "zz"])),
        "asset": draw(st.sampled_from([None, "/pricing", "brand new page"])),
        "value": draw(st.sampled_from([None, 1e8, -0.5])),
        "text": draw(st.sampled_from([None, "why?"])),
    }
    return new | event | {"lead_id": lead, "occurred_at": LAST[lead] + timedelta(microseconds=draw(AFTER_US))}


@given(st.lists(later_events(), min_size=1, max_size=12))
@law
def test_events_at_or_after_the_moment_change_nothing_that_is_learnt_or_made(known, later):
    events = pa.concat_tables([BEHAVIOUR.events, pa.Table.from_pylist(later, EVENT_COLUMNS)])
    builder, table = fitted(events=events_from(events))
    assert table.equals(known[1])
    assert builder.to_dict() == known[0].to_dict()


def test_events_at_the_very_moment_are_not_known_at_it(known):
    flood = [
        {"lead_id": lead, "occurred_at": as_of, "event_type": "visit", "event_id": f"flood {lead}"}
        for lead, as_of in LAST.items()
    ]
    events = pa.concat_tables([BEHAVIOUR.events, pa.Table.from_pylist(flood, EVENT_COLUMNS)])
    assert fitted(events=events_from(events))[1].equals(known[1])


def values_at_export(behaviour):
    """By lead and field, the value after the last change, or of the table of leads."""
    leads = behaviour.leads.to_pylist()
    values = {(lead["lead_id"], name): lead.get(name) for lead in leads for name in lead}
    for change in sorted(behaviour.history.to_pylist(), key=lambda change: change["changed_at"]):
        values[change["lead_id"], change["field"]] = change["value"]
    return values


@st.composite
def later_changes(draw):
    fields = st.sampled_from(["job_title", "budget", "stage", "decision_maker"])
    return [
        {
            "lead_id": lead,
            "changed_at": LAST[lead] + timedelta(microseconds=draw(AFTER_US)),
            "field": draw(fields),
            "value": draw(st.sampled_from([None, "CEO", "aaa", "unknown", "a value of tomorrow"])),
        }
        for lead in draw(st.lists(LEADS, min_size=1, max_size=8, unique=True))
    ]


@given(later_changes())
@law
def test_changes_at_or_after_the_moment_change_nothing_if_log_and_table_agree(known, later):
    now, leads = values_at_export(BEHAVIOUR), BEHAVIOUR.leads.to_pylist()
    last_change = last_changes()
    for change in later:
        key = change["lead_id"], change["field"]
        change["changed_at"] = max(
            change["changed_at"], last_change.get(key, change["changed_at"]) + MICROSECOND
        )
        change["old_value"] = now.get(key)
        for lead in leads:
            if lead["lead_id"] == change["lead_id"] and change["field"] in lead:
                lead[change["field"]] = change["value"]
    history = pa.concat_tables([BEHAVIOUR.history, pa.Table.from_pylist(later, HISTORY_COLUMNS)])
    behaviour = replace(BEHAVIOUR, history=history, leads=pa.Table.from_pylist(leads, BEHAVIOUR.leads.schema))
    builder, table = fitted(behaviour)
    assert table.equals(known[1])
    assert builder.to_dict() == known[0].to_dict()


def last_changes():
    """By lead and field, the moment of the last change."""
    rows = BEHAVIOUR.history.group_by(["lead_id", "field"]).aggregate([("changed_at", "max")]).to_pylist()
    return {(row["lead_id"], row["field"]): row["changed_at_max"] for row in rows}


@given(later_changes())
@law
def test_a_log_without_old_values_knows_no_later_change_either(later):
    history = BEHAVIOUR.history.drop_columns("old_value")
    more = pa.concat_tables([history, pa.Table.from_pylist(later, history.schema)])
    builder, table = fitted(history=history_from(history))
    with_more, with_more_table = fitted(history=history_from(more))
    assert with_more_table.equals(table)
    assert with_more.to_dict() == builder.to_dict()


def shifted(table, by):
    """A table with all its moments moved."""
    for i, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            table = table.set_column(i, field, pc.add(table[field.name], pa.scalar(by, pa.duration("us"))))
    return table


def moved(by):
    """Everything that happened, earlier or later."""
    return replace(
        BEHAVIOUR,
        observations=replace(BEHAVIOUR.observations, rows=shifted(BEHAVIOUR.observations.rows, by)),
        leads=shifted(BEHAVIOUR.leads, by),
        events=shifted(BEHAVIOUR.events, by),
        history=shifted(BEHAVIOUR.history, by),
    )


@given(st.timedeltas(timedelta(days=-30_000), timedelta(days=30_000)))
@law
def test_only_distances_in_time_matter(known, by):
    table = fitted(moved(by))[1]
    free = [name for name in table.column_names if name not in COUNTS_DAYS_OF_UTC]
    assert table.select(free).equals(known[1].select(free))


@pytest.mark.parametrize("days", [-20_000, 1, 365])
def test_days_are_those_of_utc_wherever_they_lie(known, days):
    assert fitted(moved(timedelta(days=days)))[1].equals(known[1])


def rows_of(places):
    """Observations and their leads, one row each."""
    index = pa.array(places, pa.int64())
    observations = BEHAVIOUR.observations.rows.select(["lead_id", "as_of"]).take(index)
    leads = BEHAVIOUR.leads.take(pa.array(BEHAVIOUR.observations.index).take(index))
    return {"observations": observations, "leads": leads}


def in_parts(builder, parts, n_rows):
    """The features of parts of the observations, put together in their order."""
    tables = [builder.transform(**rows_of(part), **BEHAVIOUR.sources()) for part in parts]
    order = [place for part in parts for place in part]
    assert sorted(order) == list(range(n_rows))
    return pa.concat_tables(tables).take(pa.array([order.index(i) for i in range(n_rows)]))


def parts_by(values):
    parts = {}
    for place, value in enumerate(values):
        parts.setdefault(value, []).append(place)
    return list(parts.values())


def test_one_lead_at_a_time_and_one_day_at_a_time_equal_all_at_once(known):
    builder, table = known
    rows = BEHAVIOUR.observations.rows.to_pylist()
    by_lead = parts_by(row["lead_id"] for row in rows)
    by_day = parts_by(row["as_of"].date() for row in rows)
    assert min(len(by_lead), len(by_day)) > 15
    assert in_parts(builder, by_lead, len(rows)).equals(table)
    assert in_parts(builder, by_day, len(rows)).equals(table)


@given(
    st.randoms(use_true_random=False),
    st.sampled_from([64, 700, 10**6]),
    st.sampled_from([300, 10**6]),
    st.sampled_from([9, 10**6]),
)
@law
def test_neither_order_nor_batches_nor_slices_matter(known, rng, batch_rows, slice_acts, slice_rows):
    builder, table = known

    def shuffle(n):
        return rng.sample(range(n), n)

    rows = shuffle(len(table))
    leads = shuffle(len(BEHAVIOUR.leads))
    place = {lead: i for i, lead in enumerate(leads)}
    index = [place[i] for i in BEHAVIOUR.observations.index.tolist()]
    observations = replace(
        BEHAVIOUR.observations,
        rows=BEHAVIOUR.observations.rows.take(pa.array(rows)),
        index=pa.array(index).take(pa.array(rows)).to_numpy(),
    )
    events, history = (t.take(pa.array(shuffle(len(t)))) for t in (BEHAVIOUR.events, BEHAVIOUR.history))
    arguments = {
        "leads": BEHAVIOUR.leads.take(pa.array(leads)),
        "events": in_batches(events_from(events), batch_rows),
        "history": in_batches(history_from(history), batch_rows),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "SLICE_ACTS", slice_acts)
        patch.setattr(session, "SLICE_ROWS", slice_rows)
        made = builder.transform(observations, **arguments)
        again = FeatureBuilder(text=TEXT)
        learnt = again.fit_transform(observations, columns=COLUMNS, **arguments)
    expected = table.take(pa.array(rows))
    assert made.equals(expected)
    assert learnt.equals(expected)
    assert again.to_dict() == builder.to_dict()
