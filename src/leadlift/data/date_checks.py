"""Checks of dates: LL140 to LL143."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.checks import Check, Subject
from leadlift.data.reading import CLOSED_AT, CREATED_AT, OUTCOME, QUALIFIED_AT
from leadlift.terms import Finding, Outcome, Severity

_MOMENT = pa.timestamp("us", tz="UTC")


class MissingCreation(Check):
    """Leads without a date of creation."""

    code, title, severity = "LL140", "dates of creation missing", Severity.WARNING

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding where a lead has no date of creation."""
        if subject.roles.created_at is None:
            return []
        is_missing = subject.leads.table[CREATED_AT].is_null()
        count = pc.sum(is_missing).as_py()
        if not count:
            return []
        message = (
            f"{count:,} of {len(is_missing):,} leads have no {subject.roles.created_at!r} and take no part"
        )
        remedy = "fill it; a lead without it has no place in time"
        names = subject.lead_names(is_missing)
        return [self.finding(message, remedy, column=subject.roles.created_at, count=count, examples=names)]


class FutureDates(Check):
    """Dates after the present, or after the moment of the extract."""

    code, title, severity = "LL141", "dates in the future", Severity.WARNING

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding a date column."""
        limits = [_utc(limit) for limit in (subject.now, subject.roles.known_until) if limit is not None]
        if not limits:
            return []
        roles = subject.roles
        columns = (
            (CREATED_AT, roles.created_at),
            (CLOSED_AT, roles.closed_at),
            (QUALIFIED_AT, roles.qualified_at),
        )
        return [
            finding
            for house_name, name in columns
            if name is not None
            for finding in self._later(subject, house_name, name, min(limits))
        ]

    def _later(self, subject: Subject, house_name: str, name: str, limit: datetime) -> list[Finding]:
        is_later = pc.greater(_actual_moments(subject, house_name), pa.scalar(limit, _MOMENT))
        is_later = pc.fill_null(is_later, fill_value=False)
        count = pc.sum(is_later).as_py()
        if not count:
            return []
        message = f"{count:,} values of {name!r} are later than {limit.isoformat(timespec='seconds')}"
        remedy = "check known_until, and date_format: are day and month swapped?"
        return [
            self.finding(message, remedy, column=name, count=count, examples=subject.lead_names(is_later))
        ]


class ClosedBeforeCreated(Check):
    """Leads that ended before they began."""

    code, title, severity = "LL142", "closed before created", Severity.WARNING

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding where dates are out of order."""
        if subject.roles.created_at is None or subject.roles.closed_at is None:
            return []
        closed, created = _actual_moments(subject, CLOSED_AT), _actual_moments(subject, CREATED_AT)
        is_reversed = pc.fill_null(pc.less(closed, created), fill_value=False)
        count = pc.sum(is_reversed).as_py()
        if not count:
            return []
        message = (
            f"{count:,} leads have {subject.roles.closed_at!r} before {subject.roles.created_at!r}; "
            "they cannot be observed at their creation"
        )
        remedy = "check that the two columns are not swapped, date_format, and time zones"
        names = subject.lead_names(is_reversed)
        return [self.finding(message, remedy, column=subject.roles.closed_at, count=count, examples=names)]


class WonWithoutDate(Check):
    """Won leads of which nobody knows when, although a horizon asks for it."""

    code, title, severity = "LL143", "won leads without a date", Severity.WARNING

    def run(self, subject: Subject) -> list[Finding]:
        """Return one finding where a won lead has no date of winning."""
        if subject.roles.horizon_days is None:
            return []
        is_undated = _undated_wins(subject)
        count = pc.sum(is_undated).as_py()
        if not count:
            return []
        message = (
            f"{count:,} won leads have no date of winning and take no part: within the horizon or after it?"
        )
        remedy = "fill closed_at, or take horizon_days out"
        names = subject.lead_names(is_undated)
        return [self.finding(message, remedy, column=subject.roles.closed_at, count=count, examples=names)]


def _actual_moments(subject: Subject, house_name: str) -> pa.ChunkedArray:
    """Return a date column; the closing date of an open lead is a plan and left out."""
    table = subject.leads.table
    if house_name != CLOSED_AT:
        return table[house_name]
    is_open = pc.fill_null(pc.equal(table[OUTCOME], Outcome.OPEN.value), fill_value=False)
    return pc.if_else(is_open, pa.scalar(None, _MOMENT), table[house_name])


def _undated_wins(subject: Subject) -> pa.ChunkedArray:
    table = subject.leads.table
    is_won = pc.fill_null(pc.equal(table[OUTCOME], Outcome.WON.value), fill_value=False)
    return is_won if subject.roles.closed_at is None else pc.and_(is_won, table[CLOSED_AT].is_null())


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
