"""Field history replayed: the change log as rows of numbers, and leads as they were at as_of.

A field of the log has the value of the day; the column of that name in the leads' table is its state at the
export, which nobody knew at as_of. The rules:

* The value is that of the last change with ``changed_at < as_of``; of changes of one field at one moment the
  greatest value in the order of text counts as the last.
* A log without old values says nothing before the first change, so the value is missing there, and for
  leads without a change too. The table's value would be right for leads that never change, but to use it for
  them alone would tell that they never will.
* A log with old values says what a field was before its first change, even if that comes after as_of: the
  same as the table would have shown. Where no change is logged the table's value has always held. In a log
  that agrees with the table, a change at or after as_of changes nothing.
* A field that is no column of the leads is missing before its first change, old values or not: there is no
  table to ask for the leads that never change.

Whether a log has old values, and which fields it has, is learnt at fit. Changes that are the same in all
columns are one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.tallies import Smallest
from leadlift.data.values import is_number
from leadlift.features.lead_columns import as_feature
from leadlift.features.statements import NONE
from leadlift.terms import LEAD_ID, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.features.facts import Facts, KnownStates

BEFORE_ALL = -(2**62)
"""The moment, in microseconds, from which a field had the value that it had before its first change."""

MAX_EXAMPLES = 5

CHANGES = pa.schema(
    [
        ("lead", pa.int32()),
        ("moment", pa.int64()),
        ("field", pa.int32()),
        ("value", pa.int32()),
        ("place", pa.int64()),
        ("is_change", pa.int32()),
    ]
)

_TEXTS = ("field", "value", "old_value")
_ENCODED = pa.schema(
    [
        ("lead", pa.int32()),
        ("changed_at", pa.timestamp("us", "UTC")),
        *((name, pa.dictionary(pa.int32(), pa.string())) for name in _TEXTS),
    ]
)


@dataclass(frozen=True)
class Replay:
    """Which columns of the leads are replayed from the change log.

    Parameters
    ----------
    fields : tuple of str
        Fields of the log.
    has_old_values : bool
        Whether the log says what a field was before a change.
    """

    fields: tuple[str, ...] = ()
    has_old_values: bool = False

    def applied(self, facts: Facts) -> Facts:
        """Return facts whose leads are as they were at as_of.

        Parameters
        ----------
        facts : Facts
            With the leads as in their table.

        Returns
        -------
        Facts
            Columns of text and of numbers that are fields of the log have the values of the day.
        """
        if facts.states is None:
            return facts
        return replace(facts, leads=self.leads_as_of(facts.leads, facts.states))

    def leads_as_of(self, leads: pa.Table, states: KnownStates) -> pa.Table:
        """Return leads as they were at as_of.

        Parameters
        ----------
        leads : pyarrow.Table
            As in their table, one row an observation.
        states : KnownStates
            Of the same observations.

        Returns
        -------
        pyarrow.Table
        """
        for name in self.columns_of(leads):
            column = self._as_of(leads[name], name, states)
            leads = leads.set_column(leads.schema.get_field_index(name), name, column)
        return leads

    def columns_of(self, leads: pa.Table) -> list[str]:
        """Return the columns of leads that are replayed: fields of the log that are no moments."""
        return [
            field.name
            for field in leads.schema
            if field.name in self.fields and not pa.types.is_temporal(field.type)
        ]

    def _as_of(self, column: pa.ChunkedArray, name: str, states: KnownStates) -> pa.Array:
        kind = Kind.NUMERIC if is_number(column.type) else Kind.CATEGORICAL
        logged = states.values(name, kind, before_first=self.has_old_values)
        if not self.has_old_values:
            return logged
        never_changed = pa.array(states.spread(name, "n_changes") == NONE)
        return pc.if_else(never_changed, as_feature(column, kind), logged)

    def to_dict(self) -> dict[str, Any]:
        """Return all as JSON values."""
        return {"fields": list(self.fields), "has_old_values": self.has_old_values}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Make it anew from :meth:`to_dict`."""
        return cls(tuple(state["fields"]), bool(state["has_old_values"]))


class ChangeCoder:
    """Numbers the changes of known leads.

    Fields and values are numbered in the order of their names, and changes placed by moment and then by
    value: of two changes of one field at one moment the same one counts last, whatever the order of the rows.

    Parameters
    ----------
    leads : pyarrow.Array of string
        Ids of the leads; the place of an id is the lead's number. Changes of others are left out.
    other_leads : pyarrow.Array of string, optional
        Ids of leads that are known too, though their changes are left out.

    Attributes
    ----------
    field_names, value_names : tuple of str
    n_changes, n_unknown : int
        Changes seen, and those of them whose lead is not among `leads` and `other_leads`.
    n_copies : int
        Changes of known leads that were copies of others.
    n_contradictions : int
        Changes whose old value is not the value that was logged at the moment of a change before; the logged
        values win. 0 in a log without old values.
    unknown_leads, contradicting_leads : Smallest
        Ids of the leads of such changes, the first five in order.
    has_old_values : bool
        Whether any change of any lead has an old value.
    """

    def __init__(self, leads: pa.Array, other_leads: pa.Array | None = None) -> None:
        self._leads = leads
        self._other_leads = pa.array([], pa.string()) if other_leads is None else other_leads
        self.field_names: tuple[str, ...] = ()
        self.value_names: tuple[str, ...] = ()
        self.n_changes = 0
        self.n_unknown = 0
        self.n_copies = 0
        self.n_contradictions = 0
        self.unknown_leads = Smallest(MAX_EXAMPLES)
        self.contradicting_leads = Smallest(MAX_EXAMPLES)
        self.has_old_values = False

    def code(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the changes of known leads as rows of :data:`CHANGES`.

        For each lead and field that changed there is one more row, at :data:`BEFORE_ALL` and with
        ``is_change`` 0: the old value of the first change. The log is held in memory as numbers.

        Parameters
        ----------
        batches : iterable of pyarrow.RecordBatch
            Columns :data:`leadlift.data.history.HISTORY_COLUMNS`.
        """
        table = pa.Table.from_batches(list(map(self._of_known_leads, batches)), _ENCODED)
        log = self._numbered(table).in_order()
        self.n_copies = len(table) - len(log.lead)
        if self.has_old_values:
            self._note_contradictions(log.contradicted_leads())
        yield log.as_changes()
        yield log.as_beginnings()

    def _of_known_leads(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        lead = pc.index_in(batch[LEAD_ID], self._leads)
        self.n_changes += len(lead)
        if lead.null_count:
            self._note_unknown(batch[LEAD_ID].filter(pc.is_null(lead)))
        self.has_old_values |= batch["old_value"].null_count < len(batch)
        kept = batch.select(["changed_at", *_TEXTS]).append_column("lead", lead)
        kept = kept.filter(pc.is_valid(lead)) if lead.null_count else kept
        texts = [kept[name].dictionary_encode() for name in _TEXTS]
        return pa.record_batch([kept["lead"], kept["changed_at"], *texts], schema=_ENCODED)

    def _note_unknown(self, ids: pa.Array) -> None:
        unknown = ids.filter(pc.invert(pc.is_in(ids, self._other_leads)))
        self.n_unknown += len(unknown)
        self.unknown_leads.add(unknown)

    def _note_contradictions(self, lead: NDArray[np.int32]) -> None:
        self.n_contradictions = len(lead)
        self.contradicting_leads.add(self._leads.take(pa.array(np.unique(lead))))

    def _numbered(self, table: pa.Table) -> _Log:
        field, self.field_names = _numbers(table["field"])
        # Values and old values share their numbers, so that they can be compared.
        both = pa.chunked_array([*table["value"].chunks, *table["old_value"].chunks], _ENCODED[3].type)
        values, self.value_names = _numbers(both)
        return _Log(
            lead=table["lead"].to_numpy(),
            field=field,
            moment=table["changed_at"].cast(pa.int64()).to_numpy(),
            value=values[: len(table)],
            old=values[len(table) :],
        )


@dataclass(frozen=True)
class _Log:
    """Changes as columns of numbers, -1 for an empty value; shape (n_changes,) each."""

    lead: NDArray[np.int32]
    field: NDArray[np.int32]
    moment: NDArray[np.int64]
    value: NDArray[np.int32]
    old: NDArray[np.int32]

    def in_order(self) -> _Log:
        """Each change once, those of a field of a lead side by side in their order."""
        order = np.lexsort((self.old, self.value, self.moment, self.field, self.lead))
        log = self._rows(order)
        columns = (log.moment, log.value, log.old)
        is_same = np.all([np.diff(column, prepend=0) == 0 for column in columns], axis=0)
        return log._rows(np.flatnonzero(~(log._goes_on() & is_same)))

    def contradicted_leads(self) -> NDArray[np.int32]:
        """Leads of changes, in order, whose old value is not the value before, at an earlier moment."""
        is_later = self._goes_on() & (np.diff(self.moment, prepend=0) > 0)
        return self.lead[is_later & (self.old != np.roll(self.value, 1))]

    def as_changes(self) -> pa.RecordBatch:
        """Rows of :data:`CHANGES`, one a change of a log in order."""
        # Within a field of a lead the changes stand in their order already.
        place = np.arange(len(self.lead))
        return _batch(self.lead, self.moment, self.field, self.value, place, is_change=1)

    def as_beginnings(self) -> pa.RecordBatch:
        """Rows of :data:`CHANGES`, one for the old value of the first change of a field of a lead."""
        first = self._rows(np.flatnonzero(~self._goes_on()))
        moment = np.full(len(first.lead), BEFORE_ALL)
        place = np.full(len(first.lead), NONE)
        return _batch(first.lead, moment, first.field, first.old, place, is_change=0)

    def _rows(self, rows: NDArray[np.int64]) -> _Log:
        return _Log(*(column[rows] for column in (self.lead, self.field, self.moment, self.value, self.old)))

    def _goes_on(self) -> NDArray[np.bool_]:
        """Rows that are of the same lead and field as the row before; never the first row."""
        same = (np.diff(self.lead, prepend=0) == 0) & (np.diff(self.field, prepend=0) == 0)
        same[:1] = False
        return same


def _batch(*columns: NDArray, is_change: int) -> pa.RecordBatch:
    flags = np.full(len(columns[0]), is_change, dtype=np.int32)
    return pa.record_batch([pa.array(column) for column in (*columns, flags)], schema=CHANGES)


def _numbers(column: pa.ChunkedArray) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """The place of each text among all texts in order, -1 where missing, and the texts."""
    encoded = column.unify_dictionaries().combine_chunks()
    names = encoded.dictionary.to_pylist()
    order = sorted(range(len(names)), key=names.__getitem__)
    places = np.full(len(names) + 1, NONE, dtype=np.int32)
    places[order] = np.arange(len(names))
    numbers = encoded.indices.fill_null(len(names)).to_numpy(zero_copy_only=False)
    return places[numbers], tuple(names[i] for i in order)
