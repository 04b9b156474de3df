"""The tidy table of monitoring: one row a check, a subject, a segment and a window of time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import pyarrow as pa

from leadlift.terms import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

MonitorRow = Mapping[str, str | int | float | bool | datetime | None]

MONITOR_SCHEMA = pa.schema(
    [
        ("check", pa.string()),
        ("subject", pa.string()),
        ("segment", pa.string()),
        ("window_start", pa.timestamp("us", tz="UTC")),
        ("window_end", pa.timestamp("us", tz="UTC")),
        ("n", pa.int64()),
        ("expected", pa.float64()),
        ("observed", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("p_value", pa.float64()),
        ("limit", pa.float64()),
        ("verdict", pa.string()),
        ("is_estimate", pa.bool_()),
    ]
)
_BLANK: MonitorRow = dict.fromkeys(MONITOR_SCHEMA.names) | {
    "segment": "",
    "n": 0,
    "is_estimate": False,
}


class MonitorVerdict(StrEnum):
    """What a check says."""

    OK = "ok"
    ALARM = "alarm"
    KEPT = "kept"
    BROKEN = "broken"
    VOID = "void"
    TOO_EARLY = "too_early"


@dataclass(frozen=True)
class Checked:
    """What a check gives: rows of the table, and what somebody should know or do.

    Parameters
    ----------
    rows : sequence of mapping
        From :func:`monitor_row`.
    findings : tuple of Finding
    """

    rows: Sequence[MonitorRow] = ()
    findings: tuple[Finding, ...] = ()

    def __add__(self, other: Checked) -> Checked:
        """Return the rows and findings of both, in order."""
        return Checked([*self.rows, *other.rows], (*self.findings, *other.findings))


def monitor_row(check: str, subject: str, verdict: str, **values: object) -> MonitorRow:
    """Return a row of the table; a value that is not given is null, no segment, 0 rows and no estimate.

    Parameters
    ----------
    check : str
        What is checked: ``"input_drift"``, ``"calibration"``, ``"promise"`` …
    subject : str
        Of what: a column, a stage, or ``"score"``.
    verdict : str
        One of :class:`MonitorVerdict`.
    **values
        Of the other columns of :data:`MONITOR_SCHEMA`.

    Returns
    -------
    mapping

    Raises
    ------
    KeyError
        There is no such column.

    Examples
    --------
    >>> row = monitor_row("missing", "source", "ok", n=120, observed=0.02, limit=0.1)
    >>> row["n"], row["segment"], row["p_value"]
    (120, '', None)
    """
    unknown = set(values) - set(_BLANK)
    if unknown:
        msg = f"the table of monitoring has no column {', '.join(sorted(unknown))}"
        raise KeyError(msg)
    named = {"check": check, "subject": subject, "verdict": str(MonitorVerdict(verdict))}
    return {**_BLANK, **named, **values}


def monitor_table(rows: Iterable[MonitorRow]) -> pa.Table:
    """Return rows as a table.

    Parameters
    ----------
    rows : iterable of mapping
        From :func:`monitor_row`.

    Returns
    -------
    pyarrow.Table
        Columns :data:`MONITOR_SCHEMA`. `check` (string): what is checked. `subject` (string): a column, a
        stage or ``"score"``. `segment` (string): ``"column=level"``, empty for all leads. `window_start`,
        `window_end` (timestamp us UTC; null where not dated): moments of scoring, the end excluded. `n`
        (int64): leads. `expected`, `observed`, `low`, `high` (float64): what should be, what is, and the
        interval of what is. `p_value` (float64): of the test. `limit` (float64): what is observed must reach
        it before it matters. `verdict` (string): one of :class:`MonitorVerdict`. `is_estimate` (bool): not
        from matured outcomes.

    Examples
    --------
    >>> monitor_table([monitor_row("base_rate", "won", "ok", n=400, expected=0.1, observed=0.11)]).num_rows
    1
    """
    return pa.Table.from_pylist(list(rows), schema=MONITOR_SCHEMA)
