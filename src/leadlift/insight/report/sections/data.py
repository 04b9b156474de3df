"""The section on the leads: how many, when, how many won, and what the checks found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from leadlift.insight.figure_style import share_text
from leadlift.insight.report.blocks import Column, FactsBlock, Format, Section, TableBlock
from leadlift.terms import Severity

if TYPE_CHECKING:
    from leadlift.terms import Finding

_ORDER = tuple(Severity)
_MEANINGS = {
    Severity.FATAL: "that would stop training",
    Severity.WARNING: "that cost quality or hide a fault",
    Severity.INFO: "that say what was done",
}
_FINDINGS = pa.schema(
    [
        ("code", pa.string()),
        ("severity", pa.string()),
        ("column", pa.string()),
        ("count", pa.int64()),
        ("text", pa.string()),
    ]
)


def data_section(
    *,
    n_leads: int,
    n_rows: int,
    base_rate: float,
    findings: Sequence[Finding],
    as_of_range: Sequence[str] | None = None,
    horizon_days: float | None = None,
) -> Section:
    """Word what the leads are and what was found in them.

    Parameters
    ----------
    n_leads, n_rows : int
        Leads in the file, and rows of the learning problem.
    base_rate : float
        Share of the rows that converted, in [0, 1].
    findings : sequence of Finding
        Of ``leadlift check`` and of the training.
    as_of_range : (str, str), optional
        First and last moment of the rows; not given where leads have no dates.
    horizon_days : float, optional
        Days within which a lead has to be won to count; not given, the outcome counts as it stands.

    Returns
    -------
    Section
    """
    won = share_text(base_rate)
    facts = (
        ("Leads in the file", f"{n_leads:,}"),
        ("Rows with a known outcome", f"{n_rows:,}"),
        ("Won", won),
        ("First and last moment", _moments(as_of_range)),
        ("Won means", _horizon(horizon_days)),
    )
    return Section(
        key="data",
        label="Data and checks",
        title=f"{n_leads:,} leads were read; {won} of those with a known outcome were won",
        summary=_summary(findings),
        blocks=(
            FactsBlock("What was learnt from", facts, made_by="ll.prepare(ll.read_config(path))"),
            _findings_block(findings),
        ),
    )


def _moments(as_of_range: Sequence[str] | None) -> str:
    if as_of_range is None:
        return "not known: the leads have no dates"
    first, last = (moment[:10] for moment in as_of_range)
    return f"{first} to {last}"


def _horizon(horizon_days: float | None) -> str:
    if horizon_days is None:
        return "the outcome as it stood in the file"
    return f"won within {horizon_days:g} days of the moment the lead was looked at"


def _summary(findings: Sequence[Finding]) -> str:
    if not findings:
        return "The checks found nothing to remark."
    counts = Counter(finding.severity for finding in findings)
    told = [f"{counts[severity]} {_MEANINGS[severity]}" for severity in _ORDER if counts[severity]]
    return f"The checks made {len(findings)} remark{'s' if len(findings) > 1 else ''}: {', '.join(told)}."


def _findings_block(findings: Sequence[Finding]) -> TableBlock:
    ordered = sorted(findings, key=lambda f: (_ORDER.index(f.severity), f.code, f.column or ""))
    rows = [
        {
            "code": finding.code,
            "severity": finding.severity.value,
            "column": finding.column,
            "count": finding.count or None,
            "text": finding.text,
        }
        for finding in ordered
    ]
    return TableBlock(
        caption="What the checks found",
        table=pa.Table.from_pylist(rows, schema=_FINDINGS),
        columns=(
            Column("code", "Code"),
            Column("severity", "Severity"),
            Column("column", "Column"),
            Column("count", "Rows", Format.COUNT),
            Column("text", "What, and what to do"),
        ),
        note="Remarks on events and on the change log are those of `leadlift check`.",
        made_by="ll.prepare(ll.read_config(path)).findings",
    )
