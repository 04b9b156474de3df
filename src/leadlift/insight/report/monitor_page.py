"""The page of monitoring: what to do first, then what was checked, with and without outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.insight.monitor_plots import plot_drift, plot_windows
from leadlift.insight.report.blocks import (
    Block,
    Column,
    FigureBlock,
    Format,
    Report,
    Section,
    TableBlock,
    TextBlock,
)
from leadlift.insight.report.page import write_report
from leadlift.terms import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadlift.terms import Finding

MADE_BY = "ll.monitor(bundle, scored, outcomes=outcomes)"

INPUT_CHECKS = ("input_drift", "missing", "new_levels", "unit", "constant", "event_type")
"""Checks of input columns; of each column that does not alarm the page shows the first alone."""

SCORE_CHECKS = ("score_drift", "unscored", "volume")

_ALARMS = ("alarm", "broken", "void")
_CHECKED = (
    Column("verdict", "Verdict"),
    Column("check", "Check"),
    Column("subject", "Of"),
    Column("segment", "Segment"),
    Column("window_start", "Scored from", Format.DATE),
    Column("n", "Leads", Format.COUNT),
    Column("expected", "Should be", Format.NUMBER),
    Column("observed", "Is", Format.NUMBER, low="low", high="high"),
    Column("limit", "Matters from", Format.NUMBER),
    Column("is_estimate", "Estimate", Format.YES),
)
# Left out of a table in which none of its rows says anything.
_OFTEN_BLANK = {"segment": "", "window_start": None, "is_estimate": False}
_RANK = {Severity.FATAL: 0, Severity.WARNING: 1, Severity.INFO: 2}


class Monitored(Protocol):
    """What monitoring found: as much of its result as the page needs."""

    table: pa.Table
    findings: Sequence[Finding]
    model_version: str


def write_monitor_page(result: Monitored, path: str | Path) -> Path:
    """Write what monitoring found as one HTML file, which appears whole or not at all.

    The page holds columns, levels named by segments, counts and shares; no lead and no id.

    Parameters
    ----------
    result : MonitorResult
        Its ``table`` has the columns of
        :data:`leadlift.lifecycle.monitoring.table.MONITOR_SCHEMA`.
    path : path
        Ends in ``.html``. Its folder is made if need be.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        The ending is another one, or the file cannot be written.
    """
    return write_report(monitor_report(result), path)


def monitor_report(result: Monitored) -> Report:
    """Return the sections of the page: findings, inputs, scores and volume, outcomes.

    Parameters
    ----------
    result : MonitorResult

    Returns
    -------
    Report
        Without the sections of which nothing was checked.
    """
    table = result.table
    inputs = _of_checks(table, INPUT_CHECKS)
    scores = _of_checks(table, SCORE_CHECKS)
    others = table.filter(pc.invert(pc.is_in(table["check"], pa.array([*INPUT_CHECKS, *SCORE_CHECKS]))))
    sections = [_findings(result.findings, table.num_rows)]
    sections += [_inputs(inputs)] if inputs.num_rows else []
    sections += [_scores(scores)] if scores.num_rows else []
    sections += [_outcomes(others)] if others.num_rows else []
    return Report("Monitoring", f"Model {result.model_version or 'without a version'}", tuple(sections))


def _findings(findings: Sequence[Finding], n_checks: int) -> Section:
    n_to_do = sum(finding.severity is not Severity.INFO for finding in findings)
    ordered = sorted(findings, key=lambda finding: (_RANK[finding.severity], finding.code))
    block: Block = TextBlock(("No check found anything.",))
    if ordered:
        block = TableBlock("Findings", _finding_table(ordered), _FINDING_COLUMNS, MADE_BY)
    return Section(
        key="findings",
        title=f"{_count(n_to_do, 'finding needs', 'findings need')} somebody"
        if n_to_do
        else "Nothing needs to be done",
        summary=_summary(ordered, n_checks),
        blocks=(block,),
    )


_FINDING_COLUMNS = (
    Column("severity", "Severity"),
    Column("code", "Code"),
    Column("title", "What"),
    Column("text", "What was found, and what to do"),
)


def _finding_table(findings: Sequence[Finding]) -> pa.Table:
    rows = [
        {"severity": f.severity.value, "code": f.code, "title": f.title, "text": f.text} for f in findings
    ]
    return pa.Table.from_pylist(rows)


def _summary(findings: Sequence[Finding], n_checks: int) -> str:
    n_fatal = sum(finding.severity is Severity.FATAL for finding in findings)
    if n_fatal:
        fatal = _count(n_fatal, "of the findings is", "of the findings are")
        return f"The scores must not be used: {fatal} fatal."
    return f"{n_checks:,} checks were made, and the scores may be used."


def _count(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


def _inputs(rows: pa.Table) -> Section:
    drift = rows.filter(pc.equal(rows["check"], "input_drift"))
    measured = drift.filter(pc.is_valid(drift["observed"]))
    n_later = drift.num_rows - measured.num_rows
    n_alarms = _alarms(rows).num_rows
    shown = pa.concat_tables([_alarms(rows), _quiet(drift)])
    figures = _drift_figure(measured) if measured.num_rows else ()
    later = _count(n_later, "column", "columns")
    note = f"{later} can only be compared with earlier batches, of which there are none yet."
    return Section(
        key="inputs",
        title=_alarm_title(n_alarms, "of inputs") or "Inputs are like those before",
        summary=f"{_count(drift.num_rows, 'column was', 'columns were')} looked at."
        + (f" {note}" if n_later else ""),
        blocks=(*figures, _checked("Inputs: alarms, then the drift of each column", shown)),
    )


def _alarm_title(n_alarms: int, of: str) -> str:
    """Empty where nothing alarms."""
    return (
        f"{n_alarms:,} {f'check {of} alarms' if n_alarms == 1 else f'checks {of} alarm'}" if n_alarms else ""
    )


def _drift_figure(measured: pa.Table) -> tuple[Block, ...]:
    figure = plot_drift(measured)
    alt = "Bars of the population stability index of the columns that moved most; orange ones alarm."
    return (FigureBlock("Drift by column", figure, alt, MADE_BY),)


def _scores(rows: pa.Table) -> Section:
    n_alarms = _alarms(rows).num_rows
    return Section(
        key="scores",
        label="Scores and volume",
        title=_alarm_title(n_alarms, "of scores and volume") or "Scores come as before",
        summary="Scores and grades beside those before, rows that could not be scored, and leads a week.",
        blocks=(_checked("Scores and volume", rows),),
    )


def _outcomes(rows: pa.Table) -> Section:
    n_alarms = _alarms(rows).num_rows
    ordered = pa.concat_tables([_alarms(rows), _quiet(rows)])
    return Section(
        key="outcomes",
        title=_alarm_title(n_alarms, "against outcomes") or "Outcomes are as the scores said",
        summary="Leads whose outcome has matured, by the window in which they were scored.",
        blocks=(*_window_figures(rows), _checked("Against outcomes: alarms first", ordered)),
    )


_BY_WINDOW = {
    "base_rate": ("Share won, and what the scores said", "mean score", "share won"),
    "promise": ("Precision, and what was promised", "promised", "precision"),
}


def _window_figures(rows: pa.Table) -> tuple[Block, ...]:
    """A figure for each subject with a dated window, of all leads."""
    dated = rows.filter(
        pc.and_(
            pc.and_(pc.equal(rows["segment"], ""), pc.is_valid(rows["window_start"])),
            pc.is_valid(rows["observed"]),
        )
    )
    figures = []
    for check, (title, expected, observed) in _BY_WINDOW.items():
        of_check = dated.filter(pc.equal(dated["check"], check))
        for subject in sorted(pc.unique(of_check["subject"]).to_pylist()):
            chosen = of_check.filter(pc.equal(of_check["subject"], subject))
            figure = plot_windows(chosen, title, expected=expected, observed=observed)
            alt = f"{title}, window by window, with intervals; orange ones alarm."
            figures.append(FigureBlock(f"{title}: {subject}", figure, alt, MADE_BY))
    return tuple(figures)


def _checked(caption: str, rows: pa.Table) -> TableBlock:
    blank = {name for name, value in _OFTEN_BLANK.items() if set(rows[name].to_pylist()) <= {value}}
    columns = tuple(column for column in _CHECKED if column.name not in blank)
    return TableBlock(caption, rows, columns, MADE_BY, most_rows=200)


def _of_checks(table: pa.Table, checks: Sequence[str]) -> pa.Table:
    return table.filter(pc.is_in(table["check"], pa.array(checks)))


def _alarms(rows: pa.Table) -> pa.Table:
    return rows.filter(pc.is_in(rows["verdict"], pa.array(_ALARMS)))


def _quiet(rows: pa.Table) -> pa.Table:
    return rows.filter(pc.invert(pc.is_in(rows["verdict"], pa.array(_ALARMS))))
