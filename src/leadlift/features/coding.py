"""Events and changes in house columns -> rows of numbers, which engines sort and join fast and alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.features.statements import NONE
from leadlift.terms import LEAD_ID

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.features.event_checks import EventWatch
    from leadlift.features.meanings import Meanings

AMOUNT_UNITS = 10_000
"""Amounts are kept in ten-thousandths, so that sums do not depend on the order of the terms."""

NO_AMOUNT = np.iinfo(np.int64).min
"""The amount of an act without one."""

NUMBERED_EVENTS = pa.schema(
    [
        ("lead", pa.int32()),
        ("moment", pa.int64()),
        ("day", pa.int32()),
        ("type", pa.int32()),
        ("channel", pa.int32()),
        ("asset", pa.int64()),
        ("amount", pa.int64()),
        ("words", pa.int32()),
        ("questions", pa.int32()),
        ("meanings", pa.int32()),
        ("identity", pa.int64()),
    ]
)

_DAY_US = 86_400_000_000
_WORD = r"\S+"


class Names:
    """Numbers for the names in a column, given out as they come."""

    def __init__(self) -> None:
        self._numbers: dict[str | None, int] = {}

    def number(self, column: pa.Array) -> NDArray[np.int32]:
        """Return the number of each cell; a missing one is -1."""
        encoded = column.dictionary_encode()
        numbers = [
            self._numbers.setdefault(name, len(self._numbers)) for name in encoded.dictionary.to_pylist()
        ]
        table = np.array([*numbers, NONE], dtype=np.int32)
        # A missing cell takes the last entry.
        return table[encoded.indices.fill_null(len(numbers)).to_numpy(zero_copy_only=False)]

    @property
    def in_order(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted(self._numbers))

    def places(self, key: str) -> pa.Table:
        """Return the place of each number among the sorted names; -1 stays -1.

        Returns
        -------
        pyarrow.Table
            `key` and ``place``, int32.
        """
        place = {name: i for i, name in enumerate(self.in_order)}
        numbers = [*self._numbers.values(), NONE]
        places = [*(place[name] for name in self._numbers), NONE]
        return pa.table({key: pa.array(numbers, pa.int32()), "place": pa.array(places, pa.int32())})


class EventCoder:
    """Numbers the events of known leads, batch by batch.

    Parameters
    ----------
    leads : pyarrow.Array of string
        Ids of the leads; the place of an id is the lead's number. Events of others are left out.
    meanings : Meanings
        Which types and assets are about content, prices and so on.
    watch : EventWatch, optional
        Is shown every batch.

    Attributes
    ----------
    types, channels : Names
    per_lead : ndarray of int64, shape (n_leads,)
        Events of each lead.
    n_events, n_unknown : int
        Events seen, and those of them whose lead is not among `leads`.
    """

    def __init__(self, leads: pa.Array, meanings: Meanings, watch: EventWatch | None = None) -> None:
        self._leads = leads
        self._meanings = meanings
        self._watch = watch
        self.types = Names()
        self.channels = Names()
        self.per_lead = np.zeros(len(leads), dtype=np.int64)
        self.n_events = 0
        self.n_unknown = 0

    def code(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the events of known leads as rows of :data:`NUMBERED_EVENTS`.

        Parameters
        ----------
        batch : pyarrow.RecordBatch
            Columns :data:`leadlift.data.events.EVENT_COLUMNS`.
        """
        lead = pc.index_in(batch[LEAD_ID], self._leads)
        self.n_events += len(lead)
        self.n_unknown += lead.null_count
        if self._watch is not None:
            self._watch.see(batch)
        if lead.null_count:
            is_known = pc.is_valid(lead)
            batch, lead = batch.filter(is_known), lead.filter(is_known)
        self.per_lead += np.bincount(lead.to_numpy(), minlength=len(self.per_lead))
        moment = batch["occurred_at"].cast(pa.int64()).to_numpy()
        return pa.record_batch(
            [
                lead,
                moment,
                (moment // _DAY_US).astype(np.int32),
                self.types.number(batch["event_type"]),
                self.channels.number(batch["channel"]),
                stable_hashes(batch["asset"]),
                amounts(batch["value"]),
                _count(batch["text"], _WORD),
                _count(batch["text"], r"\?"),
                self._meanings.of(batch["event_type"]) | self._meanings.of(batch["asset"]),
                stable_hashes(batch["event_id"]),
            ],
            schema=NUMBERED_EVENTS,
        )


def stable_hashes(column: pa.Array) -> NDArray[np.int64]:
    """Return a 64-bit number for each text, the same on every machine; -1 where missing.

    Two different texts of one lead share a number with a chance of about 1 in 10**19.
    """
    from pandas.util import hash_array

    if column.null_count == len(column):
        return np.full(len(column), NONE, dtype=np.int64)
    encoded = column.dictionary_encode()
    hashes = hash_array(encoded.dictionary.to_numpy(zero_copy_only=False), categorize=False).view(np.int64)
    table = np.append(hashes, NONE)
    return table[encoded.indices.fill_null(len(hashes)).to_numpy(zero_copy_only=False)]


def amounts(column: pa.Array) -> NDArray[np.int64]:
    """Return amounts in ten-thousandths, rounded half to even; :data:`NO_AMOUNT` where missing."""
    values = column.to_numpy(zero_copy_only=False)
    missing = np.isnan(values)
    units = np.rint(np.where(missing, 0.0, values) * AMOUNT_UNITS).astype(np.int64)
    units[missing] = NO_AMOUNT
    return units


def _count(text: pa.Array, pattern: str) -> NDArray[np.int32]:
    """Matches of a pattern in each text; -1 where there is none."""
    if text.null_count == len(text):
        return np.full(len(text), NONE, dtype=np.int32)
    return (
        pc.count_substring_regex(text, pattern)
        .fill_null(NONE)
        .to_numpy(zero_copy_only=False)
        .astype(np.int32)
    )
