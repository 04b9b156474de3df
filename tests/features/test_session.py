"""How observations and acts are cut into slices, numbered and counted, none of which changes a feature."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acts_by_eye import acts_of, day, observed
from behaviour import COLUMNS, make_behaviour
from laws import law
from leadlift.engines.duckdb import DuckDBEngine
from leadlift.exceptions import InputError
from leadlift.features import session
from leadlift.features.builder import FeatureBuilder
from leadlift.features.meanings import Meanings
from leadlift.features.session import BehaviourSession, Moments, regrouped


def opened(moments, acts):
    return BehaviourSession(DuckDBEngine(), moments, events=acts, history=None, meanings=Meanings())


def moments_of(*rows):
    table = observed(*rows)
    return Moments.of(table["lead_id"].combine_chunks(), table["as_of"].to_numpy()).sorted_by_lead()[0]


def test_leads_are_numbered_as_they_come_and_rows_without_an_id_are_leads_of_their_own():
    moments = Moments.of(pa.array(["B", None, "A", "B", None]), np.zeros(5, dtype="datetime64[us]"))
    assert moments.lead.tolist() == [0, 1, 2, 0, 3]
    assert moments.ids.to_pylist() == ["B", None, "A", None]


def test_sorting_puts_the_rows_of_a_lead_side_by_side_and_keeps_their_order():
    as_of = np.array([3, 1, 2], dtype="datetime64[us]")
    moments, order = Moments.of(pa.array(["A", "B", "A"]), as_of).sorted_by_lead()
    assert (moments.lead.tolist(), order.tolist()) == ([0, 0, 1], [0, 2, 1])
    assert moments.as_of.astype(int).tolist() == [3, 2, 1]


def test_events_are_counted_with_copies_and_those_of_other_leads():
    acts = acts_of([("A", 1, "visit")] * 3 + [("B", 1, "visit"), ("X", 1, "visit")])
    with opened(moments_of(("A", 5), ("B", 5)), acts) as work:
        assert (work.n_events, work.n_events_elsewhere, work.copies()) == (5, 1, (2, ["A"]))


def test_of_events_with_one_id_the_earliest_counts_and_events_without_an_id_are_all_acts():
    rows = [
        ("A", 2, "form", {"event_id": "e1"}),
        ("A", 1, "visit", {"event_id": "e1"}),
        ("A", 1, "visit"),
        ("A", 1, "visit"),
        ("A", 3, "call"),
    ]
    builder = FeatureBuilder(groups=["activity"])
    table = builder.fit_transform(observed(("A", 5)), leads=observed(("A", 5)), events=acts_of(rows))
    assert [table[f"n_{name}all"].to_pylist() for name in ("", "visit_", "call_")] == [[3], [2], [1]]
    assert "n_form_all" not in table.column_names


@pytest.mark.parametrize(("acts_at_once", "rows_at_once"), [(1e9, 1e9), (7, 1e9), (1e9, 2), (7, 2)])
def test_every_slice_holds_whole_leads_and_all_rows_stand_in_one(monkeypatch, acts_at_once, rows_at_once):
    monkeypatch.setattr(session, "SLICE_ACTS", acts_at_once)
    monkeypatch.setattr(session, "SLICE_ROWS", rows_at_once)
    rows = [(f"L{i}", 9 + j) for i in range(9) for j in range(i % 3 + 1)]
    acts = acts_of([(f"L{i}", k / 10, "visit") for i in range(9) for k in range(i)])
    moments = moments_of(*rows)
    with opened(moments, acts) as work:
        slices = list(work.slices())
    assert [start for start, _ in slices] == [0, *[stop for _, stop in slices[:-1]]]
    assert slices[-1][1] == len(rows)
    for (_, stop), (start, _) in pairwise(slices):
        assert moments.lead[stop - 1] != moments.lead[start]
    assert (len(slices) > 1) == (min(acts_at_once, rows_at_once) < 100)


@given(st.lists(st.integers(0, 5), max_size=12), st.integers(0, 9))
@law
def test_batches_are_joined_until_they_are_long_enough(lengths, least_rows):
    numbers = iter(range(100))
    batches = [
        pa.record_batch({"n": pa.array([next(numbers) for _ in range(k)], pa.int64())}) for k in lengths
    ]
    joined = list(regrouped(batches, least_rows))
    assert [n for batch in joined for n in batch["n"].to_pylist()] == list(range(sum(lengths)))
    assert all(len(batch) >= least_rows for batch in joined[:-1])


def test_only_fitted_observations_teach_a_vocabulary():
    acts = acts_of([("A", 1, "visit"), ("A", 3, "form"), ("B", 1, "demo")])
    rows = observed(("A", 2), ("A", 4), ("B", 2))
    builder = FeatureBuilder(groups=["activity"])
    builder.fit(rows, leads=rows, events=acts, fitted=np.array([True, False, False]))
    assert builder.groups_[0].types_ == ("visit",)
    builder.fit(rows, leads=rows, events=acts, fitted=np.array([True, True, False]))
    assert builder.groups_[0].types_ == ("form", "visit")


def test_no_observation_makes_an_empty_table_with_all_columns():
    acts = acts_of([("A", 1, "visit")])
    builder = FeatureBuilder().fit(observed(("A", 2)), leads=observed(("A", 2)), events=acts)
    none = observed(("A", 2)).slice(0, 0)
    table = builder.transform(none, leads=none, events=acts)
    assert (len(table), table.column_names) == (0, [spec.name for spec in builder.specs_])


def test_a_damaged_file_of_events_is_told_as_such_and_the_engine_is_closed(monkeypatch):
    def cut_off():
        yield from acts_of([("A", 1, "visit")]).batches()
        msg = "events.csv: line 7 is cut off"
        raise InputError(msg)

    damaged = acts_of([])
    monkeypatch.setattr(damaged, "batches", cut_off)
    engine = DuckDBEngine()
    rows = observed(("A", 2))
    with pytest.raises(InputError, match="line 7 is cut off"):
        FeatureBuilder(engine=engine).fit(rows, leads=rows, events=damaged)
    table = FeatureBuilder(engine=engine).fit_transform(rows, leads=rows, events=acts_of([("A", 1, "visit")]))
    assert table["n_all"].to_pylist() == [1]


def test_a_lead_with_more_acts_than_a_slice_may_hold_is_not_cut(monkeypatch):
    monkeypatch.setattr(session, "SLICE_ACTS", 10)
    acts = acts_of([("A", k / 100, "visit") for k in range(50)] + [("B", 1, "visit")])
    with opened(moments_of(("B", 9), ("A", 9), ("C", 9)), acts) as work:
        assert list(work.slices()) == [(0, 2), (2, 3)]


def test_the_names_of_types_and_channels_may_be_those_of_the_remaining_levels():
    acts = acts_of(
        [
            ("A", 0, "other", {"channel": "other"}),
            ("A", 1, "visit", {"channel": "unknown"}),
            ("A", 2, "visit"),
            ("A", 3, "visit", {"channel": "web"}),
        ]
    )
    rows = observed(("A", 5))
    table = FeatureBuilder().fit_transform(rows, leads=rows, events=acts)
    assert [table[f"n_{key}_all"].to_pylist() for key in ("other", "visit")] == [[1], [3]]
    channels = [table[f"n_by_{key}_all"].to_pylist() for key in ("other", "unknown", "web")]
    assert channels == [[1], [2], [1]]
    assert (table["first_touch"].to_pylist(), table["last_channel"].to_pylist()) == (["other"], ["web"])


def test_features_of_all_groups_are_the_same_however_they_are_sliced(monkeypatch):
    behaviour = make_behaviour(60, seed=5)
    arguments = {"leads": behaviour.leads, "columns": COLUMNS, **behaviour.sources()}
    whole = FeatureBuilder(text=("note",)).fit_transform(behaviour.observations, **arguments)
    monkeypatch.setattr(session, "SLICE_ACTS", 600)
    monkeypatch.setattr(session, "SLICE_ROWS", 30)
    builder = FeatureBuilder(text=("note",))
    assert builder.fit_transform(behaviour.observations, **arguments).equals(whole)
    assert len(list(builder.fit_transform_batches(behaviour.observations, **arguments))) > 5


def test_a_moment_may_be_before_1970():
    rows = pa.table({"lead_id": ["A"], "as_of": pa.array([day(-30_000)], pa.timestamp("us", "UTC"))})
    acts = acts_of([("A", -30_000.25, "visit"), ("A", -29_999, "visit")])
    table = FeatureBuilder().fit_transform(rows, leads=rows, events=acts)
    assert (table["n_1d"].to_pylist(), table["days_since_last"].to_pylist()) == ([1], [0.25])
