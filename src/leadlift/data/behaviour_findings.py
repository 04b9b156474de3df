"""What reading events and changes of fields notices: findings LL170 to LL179."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from leadlift.config import EventsConfig, HistoryConfig
from leadlift.data.tallies import Noticed, Tally
from leadlift.data.zones import UTC_ZONE
from leadlift.terms import Finding, Severity

MAX_LEVELS = 1_000
"""Most distinct event types, or fields; a column with more of them is no such column."""

MAX_UNDATED_SHARE = 0.1
"""From this share of rows without a readable moment on, the column or its format is the wrong one."""


@dataclass(frozen=True)
class Words:
    """How messages speak of a table, and which roles they are about.

    Parameters
    ----------
    noun : str
        ``"events"`` or ``"changes"``.
    section : str
        Of leadlift.toml, where the roles are.
    source_key : str
        Key of ``[data]`` that names the source.
    moment, level : str
        The role that says when, and the role that says what happened.
    emptied : dict of str to str
        By role: what becomes of rows in which it is empty.
    """

    noun: str
    section: str
    source_key: str
    moment: str
    level: str
    emptied: dict[str, str]


@dataclass(frozen=True)
class Subject:
    """One pass over a table of behaviour.

    Parameters
    ----------
    words : Words
        How to speak of it.
    source : str
        What messages call the source.
    roles : EventsConfig or HistoryConfig
        The user's names of the columns.
    tally : Tally
        What was noticed.
    """

    words: Words
    source: str
    roles: EventsConfig | HistoryConfig
    tally: Tally

    def column(self, role: str) -> str | None:
        """The user's name of the column with a role; None where there is none."""
        return getattr(self.roles, role, None)

    @property
    def moment(self) -> str:
        """The user's name of the column that says when."""
        return getattr(self.roles, self.words.moment)

    @property
    def moments(self) -> list[str]:
        """The user's names of all columns of moments."""
        names = (self.moment, self.column("recorded_at"))
        return [name for name in names if name is not None]


def behaviour_findings(subject: Subject) -> list[Finding]:
    """Return what was noticed in a pass.

    Parameters
    ----------
    subject : Subject

    Returns
    -------
    list of Finding
        In the order of the codes.
    """
    return [finding for rule in _RULES for finding in rule(subject)]


def _missing_ids(subject: Subject) -> list[Finding]:
    column = subject.roles.lead_id
    return _noticed(
        subject,
        Noticed.NO_LEAD_ID,
        column,
        code="LL170",
        title="rows of behaviour without a lead id",
        message=f"have no {column!r} and are left out",
        remedy="fill the id, or leave such rows (visits of people nobody knows) out of the export",
    )


def _undated(subject: Subject) -> list[Finding]:
    tally, column = subject.tally, subject.moment
    both = (Noticed.NO_MOMENT, Noticed.BAD_MOMENT)
    n_missing, n_bad = (tally.count(what, column) for what in both)
    count = n_missing + n_bad
    if not count:
        return []
    is_fatal = count > MAX_UNDATED_SHARE * tally.n_rows
    form = subject.roles.date_format
    expected = f"of the form {form!r}" if form else "in ISO 8601 (2026-11-30 14:05)"
    names = " or ".join(repr(name) for name in subject.moments)
    message = (
        f"{_of_rows(count, subject)} are left out: {n_missing:,} have no {column!r}, and in {n_bad:,} "
        f"{names} is no moment {expected}"
    )
    return [
        Finding(
            code="LL171",
            severity=Severity.FATAL if is_fatal else Severity.WARNING,
            title="rows of behaviour without a readable moment",
            message=message,
            remedy=f"set date_format in [{subject.words.section}], or mend the export",
            column=column,
            count=count,
            examples=tally.examples(*both, column=column),
        )
    ]


def _empty_roles(subject: Subject) -> list[Finding]:
    """One a role."""
    return [
        finding
        for role, consequence in subject.words.emptied.items()
        for finding in _noticed(
            subject,
            Noticed.EMPTY_ROLE,
            subject.column(role),
            code="LL172",
            title="role of behaviour without a value",
            message=f"have no {subject.column(role)!r}; {consequence}",
            remedy="find out which program writes such rows",
        )
    ]


def _too_many_levels(subject: Subject) -> list[Finding]:
    """No examples: such a column may hold free text."""
    if len(subject.tally.levels.values) <= MAX_LEVELS:
        return []
    column = subject.column(subject.words.level)
    return [
        Finding(
            code="LL173",
            severity=Severity.WARNING,
            title="too many levels of behaviour",
            message=f"{column!r} has more than {MAX_LEVELS:,} distinct values: an id or free text, not a set",
            remedy=f"name another column as {subject.words.level} in [{subject.words.section}]",
            column=column,
            count=len(subject.tally.levels.values),
        )
    ]


def _bad_values(subject: Subject) -> list[Finding]:
    column = subject.column("value")
    return _noticed(
        subject,
        Noticed.BAD_VALUE,
        column,
        code="LL174",
        title="values of events left out",
        message=f"have a {column!r} that is no number, or 1e9 or more in size; they count, but without it",
        remedy="set decimal, thousands or missing_values in [data], or mend the export",
    )


def _nothing_happened(subject: Subject) -> list[Finding]:
    tally, words = subject.tally, subject.words
    if tally.n_kept:
        return []
    what = "the source has 0 rows" if not tally.n_rows else f"none of {tally.n_rows:,} rows can be used"
    return [
        Finding(
            code="LL175",
            severity=Severity.WARNING,
            title="no behaviour",
            message=f"{subject.source}: {what}; no {words.noun} are known of any lead",
            remedy=f"check {words.source_key} in [data], or take the line out",
        )
    ]


def _naive(subject: Subject) -> list[Finding]:
    """One a column of moments; no examples, since it is the column that is so written."""
    if subject.roles.time_zone != UTC_ZONE:
        return []
    return [
        finding
        for name in subject.moments
        for finding in _noticed(
            subject,
            Noticed.NAIVE,
            name,
            code="LL176",
            severity=Severity.INFO,
            title="moments without a zone taken as UTC",
            message=f"have a {name!r} without a zone, which is taken as UTC",
            remedy=f"set time_zone in [{subject.words.section}] if these are clock times of a place",
        )
    ]


def _clock_changes(subject: Subject) -> list[Finding]:
    """One a column of moments."""
    return [finding for name in subject.moments for finding in _clock_change(subject, name)]


def _clock_change(subject: Subject, column: str) -> list[Finding]:
    tally = subject.tally
    both = (Noticed.REPEATED_TIME, Noticed.SKIPPED_TIME)
    n_repeated, n_skipped = (tally.count(what, column) for what in both)
    if not n_repeated + n_skipped:
        return []
    return [
        Finding(
            code="LL177",
            severity=Severity.WARNING,
            title="clock times on a change of clocks",
            message=(
                f"in {subject.roles.time_zone} {n_repeated:,} times of {column!r} exist twice (taken as the "
                f"earlier) and {n_skipped:,} do not exist (moved forward by the gap)"
            ),
            remedy="export moments with their zone; times that do not exist speak for another one",
            column=column,
            count=n_repeated + n_skipped,
            examples=tally.examples(*both, column=column),
        )
    ]


def _late(subject: Subject) -> list[Finding]:
    column = subject.column("recorded_at")
    return _noticed(
        subject,
        Noticed.LATE,
        column,
        code="LL178",
        severity=Severity.INFO,
        title="late events",
        message=f"were recorded after they occurred; they count from {column!r} on, when they became known",
    )


def _two_clocks(subject: Subject) -> list[Finding]:
    column = subject.column("recorded_at")
    return _noticed(
        subject,
        Noticed.EARLY,
        column,
        code="LL179",
        title="events recorded before they occurred",
        message=(
            f"have a {column!r} more than a day before their {subject.moment!r}: two clocks, or plans; they "
            "count from the later of the two"
        ),
        remedy="check that both are in one zone and one format, and leave plans (meetings to come) out",
    )


def _noticed(
    subject: Subject,
    what: Noticed,
    column: str | None,
    *,
    code: str,
    title: str,
    message: str,
    remedy: str = "",
    severity: Severity = Severity.WARNING,
) -> list[Finding]:
    """One finding where something was noticed in a column; the message goes on from "3 of 120 events"."""
    count = 0 if column is None else subject.tally.count(what, column)
    if not count:
        return []
    return [
        Finding(
            code=code,
            severity=severity,
            title=title,
            message=f"{_of_rows(count, subject)} {message}",
            remedy=remedy,
            column=column,
            count=count,
            examples=subject.tally.examples(what, column=column),
        )
    ]


def _of_rows(count: int, subject: Subject) -> str:
    return f"{count:,} of {subject.tally.n_rows:,} {subject.words.noun}"


_RULES: tuple[Callable[[Subject], list[Finding]], ...] = (
    _missing_ids,
    _undated,
    _empty_roles,
    _too_many_levels,
    _bad_values,
    _nothing_happened,
    _naive,
    _clock_changes,
    _late,
    _two_clocks,
)
