"""Checks of leads before anything is learnt from them, and their findings as table and JSON.

A check is an object: a new one is a class derived from `Check` and one line in `CHECKS`. The codes and what
to do about each are in ``docs/findings.md``.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib import import_module
from types import MappingProxyType
from typing import ClassVar

import pyarrow as pa

from leadlift.config import SchemaConfig
from leadlift.data.column_facts import ColumnFacts, column_facts
from leadlift.data.inputs import input_columns
from leadlift.data.reading import Leads
from leadlift.terms import LEAD_ID, Finding, Severity

__all__ = [
    "CHECKS",
    "Check",
    "Subject",
    "check_leads",
    "findings_json",
    "findings_table",
    "get_check",
    "input_columns",
]

MAX_EXAMPLES = 5
_ORDER = {Severity.FATAL: 0, Severity.WARNING: 1, Severity.INFO: 2}

_ROWS, _COLUMNS = "leadlift.data.row_checks", "leadlift.data.column_checks"
_LABELS, _DATES = "leadlift.data.label_checks", "leadlift.data.date_checks"

CHECKS = MappingProxyType(
    {
        "LL101": f"{_ROWS}:MissingIds",
        "LL102": f"{_ROWS}:RepeatedIds",
        "LL103": f"{_ROWS}:OnlyRepeatedIds",
        "LL104": f"{_ROWS}:CopiedRows",
        "LL105": f"{_ROWS}:ContradictingOutcomes",
        "LL110": f"{_COLUMNS}:ConstantColumns",
        "LL111": f"{_COLUMNS}:NearUniqueColumns",
        "LL112": f"{_COLUMNS}:EmptyColumns",
        "LL113": f"{_COLUMNS}:MostlyEmptyColumns",
        "LL114": f"{_COLUMNS}:InfiniteNumbers",
        "LL115": f"{_COLUMNS}:LongCells",
        "LL116": f"{_COLUMNS}:ProtectedLeftOut",
        "LL117": f"{_COLUMNS}:ProtectedAllowed",
        "LL118": f"{_COLUMNS}:NoInputs",
        "LL119": f"{_COLUMNS}:DeclaredEmptyColumns",
        "LL130": f"{_LABELS}:MissingLabels",
        "LL131": f"{_LABELS}:OneClass",
        "LL132": f"{_LABELS}:TooFewLeads",
        "LL133": f"{_LABELS}:FewLeads",
        "LL134": f"{_LABELS}:OpenLeads",
        "LL140": f"{_DATES}:MissingCreation",
        "LL141": f"{_DATES}:FutureDates",
        "LL142": f"{_DATES}:ClosedBeforeCreated",
        "LL143": f"{_DATES}:WonWithoutDate",
    }
)
"""Code -> "module:Class"."""


@dataclass(frozen=True)
class Subject:
    """What checks look at.

    Parameters
    ----------
    leads : Leads
        The leads as read.
    roles : SchemaConfig
        Which column is what.
    now : datetime or None
        The present moment, with its zone; None where nobody says.
    """

    leads: Leads
    roles: SchemaConfig
    now: datetime | None = None

    @cached_property
    def columns(self) -> tuple[ColumnFacts, ...]:
        """Facts of every column that may become an input."""
        return column_facts(self.leads, self.roles)

    def lead_names(self, mask: pa.ChunkedArray | pa.Array) -> tuple[str, ...]:
        """Return the first five leads where a mask is true: their ids, or rows where those are missing."""
        ids = self.leads.table[LEAD_ID].filter(mask).slice(0, MAX_EXAMPLES).to_pylist()
        rows = pa.array(self.leads.row_numbers).filter(_flat(mask)).slice(0, MAX_EXAMPLES).to_pylist()
        return tuple(f"row {row}" if name is None else name for name, row in zip(ids, rows, strict=True))


class Check(ABC):
    """One question put to the leads.

    Subclasses set `code`, `title` and `severity`, and answer in `run`.
    """

    code: ClassVar[str]
    title: ClassVar[str]
    severity: ClassVar[Severity]

    @abstractmethod
    def run(self, subject: Subject) -> list[Finding]:
        """Return what was found; empty where all is well.

        Parameters
        ----------
        subject : Subject
            The leads.

        Returns
        -------
        list of Finding
        """

    def finding(
        self,
        message: str,
        remedy: str,
        *,
        column: str | None = None,
        count: int = 0,
        examples: Iterable[object] = (),
    ) -> Finding:
        """Return a finding with this check's code, title and severity."""
        return Finding(
            code=self.code,
            severity=self.severity,
            title=self.title,
            message=message,
            remedy=remedy,
            column=column,
            count=count,
            examples=tuple(str(example) for example in examples)[:MAX_EXAMPLES],
        )


def get_check(code: str) -> Check:
    """Return the check with a code.

    Parameters
    ----------
    code : str
        A key of `CHECKS`.

    Returns
    -------
    Check
    """
    module, name = CHECKS[code].split(":")
    return getattr(import_module(module), name)()


def check_leads(leads: Leads, roles: SchemaConfig, *, now: datetime | None = None) -> list[Finding]:
    """Put all checks to the leads.

    Parameters
    ----------
    leads : Leads
        The leads as read.
    roles : SchemaConfig
        Which column is what.
    now : datetime or None
        The present moment, to tell dates in the future; taken as UTC where it has no zone. None compares
        with ``known_until`` alone.

    Returns
    -------
    list of Finding
        What reading noticed included; fatal ones first, then by code and column.
    """
    if now is not None and now.tzinfo is None:
        now = now.replace(tzinfo=UTC)
    subject = Subject(leads, roles, now)
    found = [*leads.findings, *(finding for code in CHECKS for finding in get_check(code).run(subject))]
    return sorted(found, key=lambda finding: (_ORDER[finding.severity], finding.code, finding.column or ""))


def findings_table(findings: Sequence[Finding]) -> pa.Table:
    """Return findings as a table.

    Parameters
    ----------
    findings : sequence of Finding

    Returns
    -------
    pyarrow.Table
        ``code``, ``severity``, ``title``, ``column`` (null where none is concerned), ``message``, ``remedy``
        (string), ``count`` (int64), ``examples`` (list of string); one row a finding.

    Examples
    --------
    >>> findings_table([Finding("LL101", Severity.WARNING, "ids missing", "3 rows", count=3)]).num_rows
    1
    """
    schema = pa.schema(
        [
            *((name, pa.string()) for name in ("code", "severity", "title", "column")),
            ("count", pa.int64()),
            ("message", pa.string()),
            ("remedy", pa.string()),
            ("examples", pa.list_(pa.string())),
        ]
    )
    return pa.Table.from_pylist([_record(finding) for finding in findings], schema=schema)


def findings_json(findings: Sequence[Finding]) -> str:
    """Return findings as JSON: a list of objects with the keys of :func:`findings_table`.

    Parameters
    ----------
    findings : sequence of Finding

    Returns
    -------
    str
        Two spaces of indent; letters with accents as they are.
    """
    return json.dumps([_record(finding) for finding in findings], indent=2, ensure_ascii=False)


def _record(finding: Finding) -> dict[str, str | int | list[str] | None]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "title": finding.title,
        "column": finding.column,
        "count": finding.count,
        "message": finding.message,
        "remedy": finding.remedy,
        "examples": list(finding.examples),
    }


def _flat(mask: pa.ChunkedArray | pa.Array) -> pa.Array:
    return mask.combine_chunks() if isinstance(mask, pa.ChunkedArray) else mask
