"""What to tell of input columns that changed: a broken feed once for what broke, drift by column."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING

from leadlift.exceptions import shorten
from leadlift.terms import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadlift.lifecycle.monitoring.column_tests import ColumnTest
    from leadlift.terms import FeatureSpec

MEND = "do not use these scores; mend the feed and score the leads again"

_EVENT_TYPE = "event_type"

# Factors within a quarter of a decade of a power of ten are told as that power.
_NEAR_POWER = 0.25


@dataclass(frozen=True)
class Alarm:
    """A test of a column that alarms.

    Parameters
    ----------
    spec : FeatureSpec
    test : ColumnTest
    """

    spec: FeatureSpec
    test: ColumnTest

    @property
    def event_type(self) -> str | None:
        """The event type that the column counts or dates; None where it is about none."""
        return self.spec.about[0] if self.spec.wording.startswith("type.") else None


def input_findings(alarms: Sequence[Alarm], n_rows: int, words: str) -> tuple[Finding, ...]:
    """Put alarms into findings, those of broken feeds first; a broken column has one finding.

    Parameters
    ----------
    alarms : sequence of Alarm
    n_rows : int
        New leads.
    words : str
        What they are compared with: ``"at training"``.

    Returns
    -------
    tuple of Finding
    """
    broken = [alarm for alarm in alarms if alarm.test.is_broken]
    stopped = {alarm.spec.name for alarm in broken if alarm.event_type is not None}
    types = sorted({alarm.event_type for alarm in broken if alarm.event_type is not None})
    first: dict[str, Alarm] = {}
    for alarm in sorted(broken, key=lambda alarm: _ORDER.index(alarm.test.check)):
        first.setdefault(alarm.spec.name, alarm)
    return (
        *[_stopped(name, broken, n_rows, words) for name in types],
        *[_broken(alarm, n_rows, words) for name, alarm in first.items() if name not in stopped],
        *_not_met(
            [alarm for alarm in alarms if alarm.test.check == _EVENT_TYPE and alarm not in broken], n_rows
        ),
        *[
            _drifted(alarm, n_rows, words)
            for alarm in alarms
            if alarm.spec.name not in first and alarm.test.check in _DRIFTED
        ],
    )


# The most telling of several tests of one column stands for it.
_ORDER = ("unit", "missing", "new_levels", "constant", _EVENT_TYPE, "input_drift")


def _stopped(event_type: str, broken: Sequence[Alarm], n_rows: int, words: str) -> Finding:
    columns = sorted({alarm.spec.name for alarm in broken if alarm.event_type == event_type})
    return Finding(
        code="LL203",
        severity=Severity.FATAL,
        title="event type stopped",
        message=(
            f"none of {n_rows:,} leads has an event of type {event_type!r} where {words} many had; it was "
            "renamed, or its export stopped"
        ),
        remedy=MEND,
        column=columns[0],
        count=len(columns),
        examples=tuple(columns[:5]),
    )


def _not_met(alarms: Sequence[Alarm], n_rows: int) -> tuple[Finding, ...]:
    if not alarms:
        return ()
    types = sorted({str(alarm.event_type) for alarm in alarms})
    finding = Finding(
        code="LL216",
        severity=Severity.WARNING,
        title="event types of training do not come",
        message=f"none of {n_rows:,} leads has an event of type {shorten(types)} where at training many had",
        remedy="look whether the events are exported under these names, or the leads are too young for them",
        column=alarms[0].spec.name,
        count=len(types),
        examples=tuple(types[:5]),
    )
    return (finding,)


def _broken(alarm: Alarm, n_rows: int, words: str) -> Finding:
    code, title, said = _BROKEN[alarm.test.check]
    return Finding(
        code=code,
        severity=Severity.FATAL,
        title=title,
        message=f"{shorten([alarm.spec.name])}: {said(alarm.test, words)}",
        remedy=MEND,
        column=alarm.spec.name,
        count=n_rows,
    )


def _drifted(alarm: Alarm, n_rows: int, words: str) -> Finding:
    code, title, said, remedy = _DRIFTED[alarm.test.check]
    return Finding(
        code=code,
        severity=Severity.WARNING,
        title=title,
        message=f"{shorten([alarm.spec.name])}: {said(alarm.test, words)}",
        remedy=remedy,
        column=alarm.spec.name,
        count=n_rows,
    )


def _empty(test: ColumnTest, words: str) -> str:
    return f"{test.observed:.1%} of the leads have no value, {test.expected:.1%} {words}"


def _renamed(test: ColumnTest, words: str) -> str:
    return (
        f"{test.observed:.1%} of the leads have a level that is none of the common ones of training, "
        f"{test.expected:.1%} {words}"
    )


def _alike(test: ColumnTest, words: str) -> str:
    return f"all leads have the same value; {words} they had not"


def _in_another_unit(test: ColumnTest, words: str) -> str:
    power = round(log10(test.observed))
    factor = 10.0**power if abs(log10(test.observed) - power) <= _NEAR_POWER else test.observed
    times = f"{factor:,.2g} times" if factor < 1 else f"{factor:,.0f} times"
    return f"values are about {times} what they were {words}, spread alike: the unit changed"


def _moved(test: ColumnTest, words: str) -> str:
    return f"the values are spread otherwise than {words} (PSI {test.observed:.2f})"


_BROKEN = {
    "missing": ("LL200", "column came empty", _empty),
    "unit": ("LL201", "unit of a column changed", _in_another_unit),
    "constant": ("LL202", "column came constant", _alike),
    "new_levels": ("LL204", "levels of a column renamed", _renamed),
}
_DRIFTED = {
    "input_drift": (
        "LL210",
        "input drifted",
        _moved,
        "look whether the leads or the column changed; if the leads did, watch the promise and train again",
    ),
    "missing": ("LL211", "more values missing", _empty, "ask who fills the column"),
    "new_levels": (
        "LL212",
        "more new levels",
        _renamed,
        "map renamed levels to those of training, or train again",
    ),
}
