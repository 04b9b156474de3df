"""The page of monitoring shows what was found, first what must be done, and lets nothing of a name run."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from leadlift.exceptions import InputError
from leadlift.insight.report.monitor_page import monitor_report, write_monitor_page
from leadlift.insight.report.page import report_html
from leadlift.lifecycle.monitoring.table import monitor_row, monitor_table
from leadlift.terms import Finding, Severity
from report_pages import HOSTILE, PageReader

START = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Result:
    table: pa.Table
    findings: tuple[Finding, ...] = ()
    model_version: str = "0123456789ab"


def drift(subject, psi, verdict):
    return monitor_row("input_drift", subject, verdict, n=500, expected=0.0, observed=psi, limit=0.1)


def of_window(check, subject, window, share, verdict, **values):
    begin = START + window * timedelta(days=28)
    dates = {"window_start": begin, "window_end": begin + timedelta(days=28)}
    ends = {"low": share - 0.05, "high": share + 0.05}
    return monitor_row(
        check, subject, verdict, n=400, expected=0.3, observed=share, **ends, **dates, **values
    )


ROWS = [
    drift("income", 0.02, "ok"),
    drift("source", 0.31, "alarm"),
    monitor_row("input_drift", "n_visits_7d", "too_early"),
    monitor_row("missing", "source", "alarm", n=500, observed=0.4, expected=0.1, limit=0.15),
    monitor_row("missing", "income", "ok", n=500, observed=0.1, expected=0.1, limit=0.15),
    monitor_row("volume", "leads", "ok", n=210, observed=210.0, expected=200.0, limit=300.0),
    of_window("base_rate", "won", 0, 0.31, "ok"),
    of_window("base_rate", "won", 1, 0.18, "alarm"),
    of_window("base_rate", "won", 0, 0.30, "ok", segment="grade=A"),
    of_window("promise", "MQL", 0, 0.35, "kept"),
    of_window("promise", "MQL", 1, 0.20, "broken"),
]
FINDINGS = (
    Finding("LL210", Severity.WARNING, "input drifted", "'source' drifted", "look into it"),
    Finding("LL200", Severity.FATAL, "column came empty", "'source' is empty", "mend it"),
)


def reader(result):
    return PageReader(report_html(monitor_report(result)))


def test_fatal_findings_stand_first_and_the_summary_says_not_to_use_the_scores():
    texts = [text for _, text in reader(Result(monitor_table(ROWS), FINDINGS)).texts]
    assert "2 findings need somebody" in texts
    assert "The scores must not be used: 1 of the findings is fatal." in texts
    assert texts.index("LL200") < texts.index("LL210")


def test_every_check_has_its_section_and_figures_are_of_drift_base_rate_and_promise():
    report = monitor_report(Result(monitor_table(ROWS), FINDINGS))
    assert [section.key for section in report.sections] == ["findings", "inputs", "scores", "outcomes"]
    captions = [
        block.caption for part in report.sections for block in part.blocks if hasattr(block, "figure")
    ]
    assert captions == [
        "Drift by column",
        "Share won, and what the scores said: won",
        "Precision, and what was promised: MQL",
    ]


def test_of_columns_that_do_not_alarm_the_drift_alone_is_shown_and_all_alarms_are():
    _, inputs, *_ = monitor_report(Result(monitor_table(ROWS))).sections
    rows = inputs.blocks[-1].table.select(["check", "subject"]).to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        ("input_drift", "source"),
        ("missing", "source"),
        ("input_drift", "income"),
        ("input_drift", "n_visits_7d"),
    ]
    assert "1 column can only be compared with earlier batches" in inputs.summary


def test_without_findings_nothing_needs_to_be_done():
    texts = [text for _, text in reader(Result(monitor_table(ROWS[:1]))).texts]
    assert "Nothing needs to be done" in texts


def test_a_result_without_rows_is_a_page():
    assert [section.key for section in monitor_report(Result(monitor_table([]))).sections] == ["findings"]


def test_hostile_names_are_text_and_nothing_else():
    rows = [drift(name[:5_000], 0.2 + i / 100, "alarm") for i, name in enumerate(HOSTILE)]
    rows += [of_window("promise", name[:5_000], 0, 0.3, "kept") for name in HOSTILE[:4]]
    findings = tuple(Finding("LL210", Severity.WARNING, "input drifted", name[:5_000]) for name in HOSTILE)
    page = reader(Result(monitor_table(rows), findings, HOSTILE[0]))
    assert page.misplaced == []
    assert not {"script", "iframe", "object", "form"} & {name for name, _, _ in page.elements}
    assert not [name for _, attributes, _ in page.elements for name in attributes if name.startswith("on")]


def test_the_page_is_one_file_and_the_same_each_time(tmp_path):
    result = Result(monitor_table(ROWS), FINDINGS)
    pages = [write_monitor_page(result, tmp_path / name).read_bytes() for name in ("a.html", "b.html")]
    assert pages[0] == pages[1]
    assert b"<script" not in pages[0]


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"written as \.html"):
        write_monitor_page(Result(monitor_table(ROWS)), tmp_path / "page.pdf")
