"""Columns of the leads that count events of the whole log: they know what a lead did after it was scored.

Exports like to write "number of activities" beside each lead, as it stands today. By its name such a column
looks harmless, and what it tells of the outcome is that won leads were worked on for longer; only the events
themselves give it away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.data.values import is_number
from leadlift.terms import LEAD_ID, Finding, Severity

if TYPE_CHECKING:
    from numpy.typing import NDArray

LATER_COUNTS = "LL190"
"""Code of the finding."""

LEAST_SHARE = 0.95
"""Share of the leads with later events whose cell has to equal the number of all their events."""

LEAST_LEADS = 20
LEAST_COUNTS = 3
_MAX_EXAMPLES = 5


class LaterCounts:
    """Compares numeric columns of the leads with the number of their events, those after creation included.

    Parameters
    ----------
    leads : pyarrow.Table
        One row a lead.
    columns : sequence of str
        Columns that are to be inputs.
    """

    def __init__(self, leads: pa.Table, columns: Sequence[str]) -> None:
        numeric = [name for name in columns if is_number(leads[name].type)]
        self._values = {name: leads[name].cast(pa.float64()).to_numpy() for name in numeric}
        self._ids = leads[LEAD_ID]
        self._n_events = np.zeros(len(leads), dtype=np.int64)
        self._n_later = np.zeros(len(leads), dtype=np.int64)

    def see(self, lead: NDArray[np.int64], is_later: NDArray[np.bool_]) -> None:
        """Count some events.

        Parameters
        ----------
        lead : ndarray of int64, shape (n_events,)
            Row of the lead of each.
        is_later : ndarray of bool, shape (n_events,)
            Whether it stands at or after the creation of its lead.
        """
        self._n_events += np.bincount(lead, minlength=len(self._n_events))
        self._n_later += np.bincount(lead[is_later], minlength=len(self._n_later))

    def findings(self) -> list[Finding]:
        """Return LL190 for each column that counts later events too.

        Returns
        -------
        list of Finding
        """
        return [finding for name in self._values for finding in self._judged(name)]

    def _judged(self, name: str) -> list[Finding]:
        values = self._values[name]
        telling = ~np.isnan(values) & (self._n_later > 0)
        same = telling & (values == self._n_events)
        n_counts = len(np.unique(self._n_events[telling]))
        if telling.sum() < LEAST_LEADS or n_counts < LEAST_COUNTS:
            return []
        return [self._finding(name, same, telling)] if same.sum() >= LEAST_SHARE * telling.sum() else []

    def _finding(self, name: str, same: NDArray[np.bool_], telling: NDArray[np.bool_]) -> Finding:
        return Finding(
            code=LATER_COUNTS,
            severity=Severity.FATAL,
            title="column counts the events of the whole log",
            message=(
                f"{name!r} is the number of all events of a lead, those after its creation included, for "
                f"{same.sum():,} of {telling.sum():,} leads that have some"
            ),
            remedy="put it under ignore: the same count as of the day is built; or under known_at_creation",
            column=name,
            count=int(same.sum()),
            examples=tuple(sorted(self._ids.filter(pa.array(same)).to_pylist())[:_MAX_EXAMPLES]),
        )
