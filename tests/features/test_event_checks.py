"""What does not fit between events and leads is told with its code, its count and five leads."""

import random
import re
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acts_by_eye import START, acts_of, day, observed
from behaviour import make_behaviour
from laws import law
from leadlift.data.events import events_from
from leadlift.data.public_logs import bpi2012
from leadlift.features.builder import FeatureBuilder
from leadlift.features.event_checks import CODES, EventWatch
from leadlift.terms import Severity

FINDINGS_PAGE = Path(__file__).parents[2] / "docs" / "findings.md"
MOMENT = pa.timestamp("us", "UTC")
HOUR = 1 / 24


def leads_of(*rows):
    """Leads from ``(lead, day of creation, day of closing or None)``."""
    return pa.table(
        {
            "lead_id": pa.array([lead for lead, *_ in rows], pa.string()),
            "created_at": pa.array([day(created) for _, created, *_ in rows], MOMENT),
            "closed_at": pa.array([day(rest[0]) if rest else None for _, _, *rest in rows], MOMENT),
        }
    )


def found(leads, events, known_until=None, batch_rows=100_000):
    """Findings by code."""
    watch = EventWatch(leads, known_until)
    for batch in events.batches(batch_rows):
        watch.see(batch)
    return {finding.code: finding for finding in watch.findings()}


def seen(finding):
    return finding.count, finding.examples


AB = leads_of(("A", 0, 10), ("B", 0))


def test_events_of_sound_leads_give_no_findings():
    events = acts_of([("A", 1, "visit"), ("B", 1.2, "visit"), ("A", 0, "form")])
    assert found(AB, events, day(30)) == {}


def test_events_of_unknown_leads_are_counted_with_five_of_their_ids():
    strangers = [(f"X{i}", 1, "visit") for i in range(7)]
    finding = found(AB, acts_of([("A", 1, "visit"), *strangers]))["LL180"]
    assert seen(finding) == (7, ("X0", "X1", "X2", "X3", "X4"))
    assert "7 of 8 events" in finding.message


def test_an_event_at_the_moment_of_the_outcome_counts_as_after_it():
    events = acts_of([("A", 10, "won"), ("A", 10.5, "call"), ("A", 9.999, "visit"), ("B", 90, "visit")])
    assert seen(found(AB, events)["LL181"]) == (2, ("A",))


def test_events_before_creation_are_said_to_count():
    finding = found(AB, acts_of([("B", -0.001, "visit"), ("A", 0, "visit")]))["LL182"]
    assert seen(finding) == (1, ("B",))
    assert finding.severity is Severity.INFO
    assert "count like others" in finding.message


def test_events_later_than_the_extract_are_told():
    events = acts_of([("B", 30.1, "visit"), ("B", 30, "visit")])
    assert seen(found(AB, events, day(30))["LL183"]) == (1, ("B",))
    assert "LL183" not in found(AB, events, None)


def test_events_at_whole_hours_from_creation_betray_two_clocks():
    rng = random.Random(0)  # noqa: S311
    ids = [f"L{i}" for i in range(50)]
    leads = leads_of(*[(lead, rng.random()) for lead in ids])
    created = dict(zip(ids, leads["created_at"].to_pylist(), strict=True))
    rows = [(lead, (created[lead] - START) / timedelta(days=1) - 2 * HOUR, "form") for lead in ids]
    rows += [(lead, rng.uniform(1, 9), "visit") for lead in ids]
    finding = found(leads, acts_of(rows))["LL184"]
    assert finding.count == len(ids)
    assert finding.examples == tuple(sorted(ids)[:5])
    assert "exactly -2 hours" in finding.message
    assert "time_zone" in finding.remedy


def test_forms_sent_at_creation_and_mails_an_hour_later_are_no_two_clocks():
    rows = [("A", 0, "form"), ("B", 0, "form"), ("A", HOUR, "mail"), ("B", HOUR, "mail")]
    assert "LL184" not in found(AB, acts_of(rows))


def test_copies_are_counted_where_features_are_built():
    acts = acts_of([("A", 1, "visit")] * 3 + [("B", 1, "visit"), ("B", 1, "form")])
    watch = EventWatch(AB, None)
    FeatureBuilder().fit_transform(observed(("A", 5), ("B", 5)), leads=AB, events=acts, watch=watch)
    assert {f.code: seen(f) for f in watch.findings()} == {"LL185": (2, ("A",))}


def test_ids_that_do_not_meet_at_all_are_fatal_and_said_once():
    findings = found(AB, acts_of([("a", 1, "visit"), ("b", 2, "visit")]))
    assert {code: seen(finding) for code, finding in findings.items()} == {"LL186": (2, ("a", "b"))}
    assert findings["LL186"].severity is Severity.FATAL


def test_no_event_at_all_is_no_disagreement_of_ids():
    assert found(AB, acts_of([])) == {}


def test_leads_without_dates_and_without_ids_are_no_trouble():
    leads = pa.table({"lead_id": pa.array(["A", None], pa.string())})
    assert found(leads, acts_of([("A", 1, "visit")]), day(30)) == {}


def test_a_repeated_lead_is_seen_by_its_first_row():
    leads = leads_of(("A", 0, 10), ("A", 5, 6))
    assert found(leads, acts_of([("A", 3, "visit"), ("A", 8, "visit")])) == {}


@given(st.sampled_from([20, 64, 1_000]), st.randoms(use_true_random=False))
@law
def test_neither_batches_nor_the_order_of_rows_change_a_finding(batch_rows, rng):
    behaviour = SMALL
    order = list(range(len(behaviour.events)))
    rng.shuffle(order)
    shuffled = events_from(behaviour.events.take(pa.array(order)))
    until = behaviour.leads["created_at"][0].as_py() + timedelta(days=10)
    expected = found(behaviour.leads, events_from(behaviour.events), until)
    assert {"LL180", "LL181", "LL182", "LL183"} <= set(expected)
    assert found(behaviour.leads, shuffled, until, batch_rows) == expected


SMALL = make_behaviour(40, seed=3)


def test_every_code_is_explained_in_the_documentation():
    documented = set(re.findall(r"^\| (LL18[0-6]) \|", FINDINGS_PAGE.read_text(), re.MULTILINE))
    assert documented == set(CODES)


@pytest.mark.real_data
def test_the_applications_go_on_after_the_decision_and_have_one_clock(real_data):
    log = bpi2012(real_data / "bpi2012_loans")
    events = events_from(log.events)
    assert {code: f.count for code, f in found(log.leads, events, log.known_until).items()} == {
        "LL181": 10_158
    }
    two_hours_early = pc.subtract(log.leads["created_at"], pa.scalar(timedelta(hours=2), pa.duration("us")))
    place = log.leads.schema.get_field_index("created_at")
    moved = log.leads.set_column(place, "created_at", two_hours_early)
    finding = found(moved, events, log.known_until)["LL184"]
    assert "exactly +2 hours" in finding.message
    assert finding.count >= len(log.leads)
