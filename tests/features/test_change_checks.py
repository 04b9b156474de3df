"""What does not fit between the change log and the leads is told with its code, its count and five leads."""

import random
import re
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acts_by_eye import acts_of, day, observed
from behaviour import make_behaviour
from laws import law
from leadlift.config import LeadliftConfig
from leadlift.data.history import HISTORY_COLUMNS, history_from
from leadlift.features.builder import FeatureBuilder
from leadlift.features.change_checks import change_findings
from leadlift.features.event_checks import EventWatch
from leadlift.features.replay import ChangeCoder
from leadlift.lifecycle.feature_table import build_feature_table
from leadlift.terms import Severity

FINDINGS_PAGE = Path(__file__).parents[2] / "docs" / "findings.md"


def log_of(*rows):
    """A change log from ``(lead, day, value, old value)``, all of one field."""
    lead, number, value, old = zip(*rows, strict=True) if rows else ([], [], [], [])
    columns = [lead, [day(n) for n in number], ["stage"] * len(rows), value, old]
    return history_from(pa.table([list(column) for column in columns], schema=HISTORY_COLUMNS))


def found(history, leads=("A", "B"), others=(), batch_rows=100_000):
    """Findings by code."""
    coder = ChangeCoder(pa.array(leads, pa.string()), pa.array(others, pa.string()))
    for _ in coder.code(history.batches(batch_rows)):
        pass
    return {finding.code: finding for finding in change_findings(coder)}


def seen(finding):
    return finding.severity, finding.count, finding.examples


SOUND = [("A", 1, "mail", "new"), ("A", 2, "demo", "mail"), ("B", 1, "demo", "new")]


@pytest.mark.parametrize("rows", [[], SOUND, [(*row[:3], None) for row in SOUND]])
def test_a_sound_log_gives_no_findings(rows):
    assert found(log_of(*rows)) == {}


def test_changes_of_unknown_leads_are_counted_with_five_of_their_ids():
    finding = found(log_of(*SOUND, *[(f"X{i}", 1, "demo", "new") for i in reversed(range(7))]))["LL187"]
    assert seen(finding) == (Severity.WARNING, 7, ("X0", "X1", "X2", "X3", "X4"))
    assert "7 of 10 changes" in finding.message


def test_ids_that_do_not_meet_at_all_are_fatal():
    finding = found(log_of(("a", 1, "demo", "new"), ("b", 1, "demo", "new")))["LL187"]
    assert seen(finding) == (Severity.FATAL, 2, ("a", "b"))
    assert "do not meet" in finding.message


def test_changes_of_leads_that_are_only_not_observed_are_none_of_unknown_leads():
    history = log_of(("young", 1, "demo", "new"), ("closed", 1, "demo", "new"))
    assert found(history, others=("A", "B", "young", "closed")) == {}


def test_contradicting_old_values_are_counted_with_five_leads():
    rows = [row for i in range(7) for row in ((f"L{i}", 1, "mail", "new"), (f"L{i}", 2, "demo", "call"))]
    finding = found(log_of(*rows, ("L0", 3, "won", "new")), [f"L{i}" for i in range(7)])["LL188"]
    assert seen(finding) == (Severity.WARNING, 8, ("L0", "L1", "L2", "L3", "L4"))
    assert "8 of 15 changes" in finding.message


def test_copied_changes_are_told():
    finding = found(log_of(*SOUND, SOUND[0], SOUND[0], SOUND[2]))["LL189"]
    assert seen(finding) == (Severity.INFO, 3, ())
    assert "3 of 6 changes" in finding.message


@given(st.sampled_from([1, 7, 1_000]), st.randoms(use_true_random=False))
@law
def test_neither_batches_nor_the_order_of_rows_change_a_finding(batch_rows, rng):
    order = rng.sample(range(len(MUDDLED)), len(MUDDLED))
    leads = SMALL.leads["lead_id"].unique().to_pylist()
    expected = found(history_from(MUDDLED), leads)
    assert set(expected) == {"LL187", "LL188", "LL189"}
    assert found(history_from(MUDDLED.take(pa.array(order))), leads, batch_rows=batch_rows) == expected


SMALL = make_behaviour(40, seed=3)
MUDDLED = SMALL.history.set_column(
    HISTORY_COLUMNS.get_field_index("old_value"),
    "old_value",
    pa.array([old if i % 5 else "wrong" for i, old in enumerate(SMALL.history["old_value"].to_pylist())]),
)


@pytest.mark.parametrize("has_events", [True, False])
def test_a_watch_tells_of_changes_with_events_and_without(has_events):
    leads = pa.table({"lead_id": ["A", "B", "not observed"]})
    history = log_of(*SOUND, ("not observed", 1, "demo", "new"), ("X", 1, "demo", "new"), SOUND[0])
    watch = EventWatch(leads, None)
    FeatureBuilder().fit_transform(
        observed(("A", 5), ("B", 5)),
        leads=observed(("A", 5), ("B", 5)).select(["lead_id"]),
        events=acts_of([("A", 1, "visit"), ("X", 1, "visit")]) if has_events else None,
        history=history,
        watch=watch,
    )
    counts = {finding.code: finding.count for finding in watch.findings()}
    assert counts == ({"LL180": 1} if has_events else {}) | {"LL187": 1, "LL189": 1}


def test_a_configuration_with_a_change_log_and_no_events_tells_of_changes(tmp_path):
    rng = random.Random(0)  # noqa: S311
    leads = [f"L{i},2026-03-{1 + i % 20:02d},{rng.choice(['Won', 'Lost'])},2026-04-20,web" for i in range(40)]
    (tmp_path / "leads.csv").write_text("\n".join(["id,created,stage,closed,source", *leads]))
    changes = ["L1,2026-03-21,heat,2", "X,2026-03-21,heat,3", "L1,2026-03-21,heat,2"]
    (tmp_path / "log.csv").write_text("\n".join(["id,at,what,to", *changes]))
    config = LeadliftConfig.model_validate(
        {
            "data": {"leads": str(tmp_path / "leads.csv"), "history": str(tmp_path / "log.csv")},
            "schema": {
                "lead_id": "id",
                "created_at": "created",
                "closed_at": "closed",
                "outcome": "stage",
                "won": ["Won"],
                "lost": ["Lost"],
                "horizon_days": 30,
                "known_until": "2026-06-01",
                "history": {"lead_id": "id", "changed_at": "at", "field": "what", "value": "to"},
            },
            "cutoff": {"mql": {"policy": "fixed_threshold"}},
        }
    )
    findings = {f.code: f.count for f in build_feature_table(config).findings}
    assert {code: n for code, n in findings.items() if code >= "LL180"} == {"LL187": 1, "LL189": 1}


def test_every_code_is_explained_in_the_documentation():
    row = re.compile(r"^\| (LL18[7-9]) \| ([^|]+) \| ([^|]+) \|", re.MULTILINE)
    documented = row.findall(FINDINGS_PAGE.read_text())
    unknown = found(log_of(("X", 1, "demo", "new")))
    others = found(log_of(*SOUND, SOUND[0], ("A", 3, "won", "new")))
    told = {code: finding for findings in (unknown, others) for code, finding in findings.items()}
    assert [code for code, *_ in documented] == sorted(told)
    for code, severities, title in documented:
        assert told[code].severity.value in severities
        assert told[code].title == title
