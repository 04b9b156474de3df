"""Events beside their leads: what does not fit together, as findings LL180 to LL186.

The watch over the events takes along what :mod:`leadlift.features.change_checks` finds in the change log.

Nothing here leaves an event out; the rules of :mod:`leadlift.features.session` do, and they are said in the
messages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.tables import CLOSED_AT, CREATED_AT
from leadlift.data.tallies import Smallest
from leadlift.features.change_checks import change_findings
from leadlift.features.later_counts import LaterCounts
from leadlift.terms import LEAD_ID, Finding, Severity

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from leadlift.features.replay import ChangeCoder

MAX_EXAMPLES = 5
_NEVER = np.iinfo(np.int64).max

# A wrong zone moves every event by the same half hours; people rarely act at such distances to the second.
_HALF_HOUR_US = 1_800_000_000
_TOLERANCE_US = 5_000_000
_MAX_HALF_HOURS = 28
_LEAST_SHIFTED_SHARE = 0.2
_TIMES_MORE_THAN_AT_CREATION = 5


@dataclass(frozen=True)
class _Code:
    severity: Severity
    title: str


CODES = {
    "LL180": _Code(Severity.WARNING, "events of unknown leads"),
    "LL181": _Code(Severity.WARNING, "events after the outcome"),
    "LL182": _Code(Severity.INFO, "events before the lead's creation"),
    "LL183": _Code(Severity.WARNING, "events after the extract"),
    "LL184": _Code(Severity.WARNING, "two clocks"),
    "LL185": _Code(Severity.WARNING, "copied events"),
    "LL186": _Code(Severity.FATAL, "no event belongs to a lead"),
}


class EventWatch:
    """Looks at every event beside its lead, batch by batch; the findings do not depend on batches or order.

    Parameters
    ----------
    leads : pyarrow.Table
        All leads in house columns, closed and too young ones included.
    known_until : datetime or None
        Moment of the extract, UTC.
    columns : sequence of str
        Columns of the leads that are to be inputs and that nobody has confirmed as known at creation.
    """

    def __init__(self, leads: pa.Table, known_until: datetime | None, columns: Sequence[str] = ()) -> None:
        first = leads.append_column("row", pa.array(np.arange(len(leads)))).group_by(LEAD_ID)
        rows = first.aggregate([("row", "min")]).filter(pc.is_valid(pc.field(LEAD_ID)))
        self._ids = rows[LEAD_ID].combine_chunks()
        place = rows["row_min"]
        self._created = _microseconds(leads, CREATED_AT, place, missing=-_NEVER)
        self._closed = _microseconds(leads, CLOSED_AT, place, missing=_NEVER)
        self._known_until = _NEVER if known_until is None else round(known_until.timestamp() * 1e6)
        self._counts = dict.fromkeys(CODES, 0)
        self._examples = {code: Smallest(MAX_EXAMPLES) for code in CODES}
        self._shifted = np.zeros(2 * _MAX_HALF_HOURS + 1, dtype=np.int64)
        self._shift_examples = defaultdict(lambda: Smallest(MAX_EXAMPLES))
        self._n_events = 0
        self._change_findings: list[Finding] = []
        self._later_counts = LaterCounts(leads.take(place), columns)

    @property
    def lead_ids(self) -> pa.Array:
        """Ids of all leads, each once."""
        return self._ids

    def see(self, batch: pa.RecordBatch) -> None:
        """Look at some events.

        Parameters
        ----------
        batch : pyarrow.RecordBatch
            Columns :data:`leadlift.data.events.EVENT_COLUMNS`.
        """
        self._n_events += len(batch)
        lead = pc.index_in(batch[LEAD_ID], self._ids)
        known = pc.is_valid(lead)
        self._note("LL180", batch[LEAD_ID], pc.invert(known))
        ids, place = batch[LEAD_ID].filter(known), lead.filter(known).to_numpy()
        moment = batch["occurred_at"].filter(known).cast(pa.int64()).to_numpy()
        self._note("LL181", ids, moment >= self._closed[place])
        self._note("LL182", ids, moment < self._created[place])
        self._note("LL183", ids, moment > self._known_until)
        self._see_shifts(ids, moment, self._created[place])
        self._later_counts.see(place, moment >= self._created[place])

    def see_copies(self, n_copies: int, lead_ids: Sequence[str]) -> None:
        """Take note of events that are copies of others.

        Parameters
        ----------
        n_copies : int
        lead_ids : sequence of str
            Leads that have some.
        """
        self._counts["LL185"] = n_copies
        self._examples["LL185"].add(pa.array(lead_ids, pa.string()))

    def see_changes(self, coder: ChangeCoder) -> None:
        """Take note of the change log.

        Parameters
        ----------
        coder : ChangeCoder
            Has coded the whole log.
        """
        self._change_findings = change_findings(coder)

    def findings(self) -> list[Finding]:
        """Return what was found, by code.

        Returns
        -------
        list of Finding
            Examples are ids of leads, the first five in order.
        """
        counts = dict(self._counts)
        if counts["LL180"] == self._n_events > 0:
            counts["LL186"] = counts.pop("LL180")
            self._examples["LL186"] = self._examples["LL180"]
        counts["LL184"] = self._n_shifted()
        self._examples["LL184"] = self._shift_examples[self._shift()]
        of_events = [self._finding(code, counts[code]) for code in CODES if counts.get(code)]
        return of_events + self._change_findings + self._later_counts.findings()

    def _note(self, code: str, ids: pa.Array, mask: pa.Array | NDArray[np.bool_]) -> None:
        concerned = ids.filter(pa.array(mask))
        if len(concerned):
            self._counts[code] += len(concerned)
            self._examples[code].add(concerned)

    def _see_shifts(self, ids: pa.Array, moment: NDArray[np.int64], created: NDArray[np.int64]) -> None:
        """Count events whose distance from creation is a whole number of half hours."""
        dated = created > -_NEVER
        distance = moment[dated] - created[dated]
        half_hours = np.rint(distance / _HALF_HOUR_US).astype(np.int64)
        near = np.abs(distance - half_hours * _HALF_HOUR_US) <= _TOLERANCE_US
        near &= np.abs(half_hours) <= _MAX_HALF_HOURS
        self._shifted += np.bincount(half_hours[near] + _MAX_HALF_HOURS, minlength=len(self._shifted))
        near_ids, shifts = ids.filter(pa.array(dated)).filter(pa.array(near)), half_hours[near]
        for shift in np.unique(shifts).tolist():
            self._shift_examples[shift].add(near_ids.filter(pa.array(shifts == shift)))

    def _shift(self) -> int:
        """Half hours at which most events stand, creation itself left out."""
        elsewhere = self._shifted.copy()
        elsewhere[_MAX_HALF_HOURS] = 0
        return int(np.argmax(elsewhere)) - _MAX_HALF_HOURS

    def _n_shifted(self) -> int:
        """Events at that distance, if they are so many that only a wrong zone explains them; else 0."""
        n = int(self._shifted[self._shift() + _MAX_HALF_HOURS])
        at_creation = int(self._shifted[_MAX_HALF_HOURS])
        enough = n >= _LEAST_SHIFTED_SHARE * len(self._ids)
        return n if enough and n >= _TIMES_MORE_THAN_AT_CREATION * (at_creation + 1) else 0

    def _finding(self, code: str, count: int) -> Finding:
        message, remedy = _texts(code, count, self._n_events, self._shift() / 2)
        return Finding(
            code=code,
            severity=CODES[code].severity,
            title=CODES[code].title,
            message=message,
            remedy=remedy,
            count=count,
            examples=tuple(self._examples[code].values),
        )


def _texts(code: str, count: int, n_events: int, hours: float) -> tuple[str, str]:
    """What was found, and what to do."""
    of_all = f"{count:,} of {n_events:,} events"
    return {
        "LL180": (
            f"{of_all} are of leads that are not in the table of leads; they count for nobody",
            "Export the leads of the same period, or compare the spelling of the ids",
        ),
        "LL181": (
            f"{of_all} stand at or after the win or loss of their lead; no observation knows them",
            "Nothing, if sales writes such events; else compare the clocks of both files",
        ),
        "LL182": (
            f"{of_all} stand before the creation of their lead and count like others",
            "Nothing, if visits are recorded before a lead is known; else compare the clocks of both files",
        ),
        "LL183": (
            f"{of_all} are later than the extract; no observation knows them",
            "Set [schema] known_until to the moment of the extract, or look for a wrong clock",
        ),
        "LL184": (
            f"{count:,} events stand exactly {hours:+g} hours from the creation of their lead: two zones",
            "Set [schema.events] time_zone, or [schema] time_zone for the leads",
        ),
        "LL185": (
            f"{of_all} are copies of others and count once",
            "Nothing, if deliveries are repeated; an event_id tells copies from acts in the same microsecond",
        ),
        "LL186": (
            f"none of {n_events:,} events belongs to a lead: the ids of both files do not meet",
            "Compare the spelling of the ids in [schema] lead_id and [schema.events] lead_id",
        ),
    }[code]


def _microseconds(leads: pa.Table, column: str, rows: pa.ChunkedArray, *, missing: int) -> NDArray[np.int64]:
    """Moments of some leads since 1970 in UTC."""
    if column not in leads.column_names:
        return np.full(len(rows), missing, dtype=np.int64)
    moments = leads[column].take(rows).cast(pa.timestamp("us")).cast(pa.int64())
    return moments.fill_null(missing).to_numpy()
