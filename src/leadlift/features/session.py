"""Observations, events and changes in an engine, asked for facts in slices of bounded size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.values import looks_numeric
from leadlift.features import statements
from leadlift.features.coding import NO_AMOUNT, NUMBERED_EVENTS, EventCoder
from leadlift.features.facts import Facts, KnownStates, Survey
from leadlift.features.known import KnownActs
from leadlift.features.meanings import BITS, MEANINGS, Meanings
from leadlift.features.replay import CHANGES, ChangeCoder, Replay
from leadlift.features.statements import NONE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.data.events import Events
    from leadlift.data.history import History
    from leadlift.engines import Engine
    from leadlift.features.event_checks import EventWatch

SLICE_ACTS = 1_000_000
"""Acts, times the observations that know them, of the leads that are worked on at once."""

SLICE_ROWS = 100_000
"""Observations worked on at once."""

MOST_JOINED_ROWS = 2_000_000
"""Events numbered at once, at most."""

_MOMENTS = pa.schema(
    [("row", pa.int64()), ("lead", pa.int32()), ("as_of", pa.int64()), ("is_fitted", pa.int32())]
)


@dataclass(frozen=True)
class Moments:
    """The moments at which leads are observed, with leads numbered in the order in which they come.

    Parameters
    ----------
    as_of : ndarray of datetime64[us], shape (n_rows,)
        In UTC.
    lead : ndarray of int64, shape (n_rows,)
        Number of the lead; a row without an id is a lead of its own.
    ids : pyarrow.Array of string, length n_leads
        Id of each number; null for a row without one.
    is_fitted : ndarray of bool, shape (n_rows,)
        Rows that may be learnt from.
    """

    as_of: NDArray[np.datetime64]
    lead: NDArray[np.int64]
    ids: pa.Array
    is_fitted: NDArray[np.bool_]

    @classmethod
    def of(
        cls, lead_id: pa.Array, as_of: NDArray[np.datetime64], is_fitted: NDArray[np.bool_] | None = None
    ) -> Moments:
        """Number the leads of some observations.

        Parameters
        ----------
        lead_id : pyarrow.Array of string, length n_rows
        as_of : ndarray of datetime64, shape (n_rows,)
        is_fitted : ndarray of bool, shape (n_rows,), optional
            All rows, if not given.

        Returns
        -------
        Moments
        """
        codes = lead_id.dictionary_encode().indices
        missing = pc.is_null(codes).to_numpy(zero_copy_only=False)
        rows = np.arange(len(codes))
        key = np.where(missing, -1 - rows, codes.fill_null(0).to_numpy(zero_copy_only=False))
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        by_appearance = np.argsort(first)
        number = np.empty_like(by_appearance)
        number[by_appearance] = np.arange(len(first))
        fitted = np.ones(len(rows), dtype=bool) if is_fitted is None else is_fitted
        ids = lead_id.take(pa.array(first[by_appearance]))
        return cls(as_of.astype("datetime64[us]"), number[inverse], ids, fitted)

    @property
    def n_leads(self) -> int:
        """Leads, those without an id included."""
        return len(self.ids)

    def sorted_by_lead(self) -> tuple[Moments, NDArray[np.int64]]:
        """Return the same with the rows of a lead side by side, and the place each row came from."""
        order = np.argsort(self.lead, kind="stable")
        rows = replace(self, as_of=self.as_of[order], lead=self.lead[order], is_fitted=self.is_fitted[order])
        return rows, order


class BehaviourSession:
    """What is known of some observations; use it in a ``with`` block.

    Parameters
    ----------
    engine : Engine
        Where the table work runs; opened and closed with the session.
    moments : Moments
        Sorted by lead.
    events : Events or None
    history : History or None
    meanings : Meanings
    watch : EventWatch, optional
        Is shown every event and the change log, for findings.
    """

    def __init__(
        self,
        engine: Engine,
        moments: Moments,
        *,
        events: Events | None,
        history: History | None,
        meanings: Meanings,
        watch: EventWatch | None = None,
    ) -> None:
        self.moments = moments
        self._engine = engine
        self._events = events
        self._history = history
        self._watch = watch
        self._coder = EventCoder(moments.ids, meanings, watch)
        self._changes = ChangeCoder(moments.ids, None if watch is None else watch.lead_ids)

    def __enter__(self) -> Self:
        """Load everything once; acts are put in order slice by slice."""
        with ExitStack() as opened:
            opened.enter_context(self._engine)
            self._load_moments()
            if self._events is not None:
                self._load_acts(self._events)
            if self._history is not None:
                self._load_changes(self._history)
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        """Close the engine."""
        self._opened.__exit__(*error)

    @property
    def has_events(self) -> bool:
        """Whether there are events, be it none."""
        return self._events is not None

    @property
    def has_history(self) -> bool:
        """Whether there is a change log."""
        return self._history is not None

    @property
    def n_events(self) -> int:
        """Events read, those of other leads and copies included."""
        return self._coder.n_events

    @property
    def n_events_elsewhere(self) -> int:
        """Events of leads that are not observed here."""
        return self._coder.n_unknown

    def copies(self) -> tuple[int, list[str]]:
        """Return how many events are copies of others, and the ids of their leads."""
        leads = self.moments.ids.filter(pa.array(self._copies > 0))
        return int(self._copies.sum()), leads.to_pylist()

    def survey(self, leads: pa.Table) -> Survey:
        """Return what groups learn from: what was known at the fitted rows.

        Parameters
        ----------
        leads : pyarrow.Table
            Columns known at creation, one row an observation, as sorted.

        Returns
        -------
        Survey
            Without labels.
        """
        fitted = self.moments.is_fitted
        survey = Survey(
            leads=leads.filter(pa.array(fitted)),
            as_of=self.moments.as_of[fitted],
            lead=self.moments.lead[fitted],
        )
        if self._events is not None:
            survey = replace(survey, **self._survey_of_acts())
        if self._history is not None:
            survey = replace(survey, **self._survey_of_changes(self._history, leads))
        return survey

    def slices(self) -> Iterator[tuple[int, int]]:
        """Yield ranges of rows, whole leads each, that fit in memory together with what is known of them."""
        rows_per_lead = np.bincount(self.moments.lead, minlength=self.moments.n_leads)
        weight = rows_per_lead / SLICE_ROWS + rows_per_lead * self._coder.per_lead / SLICE_ACTS
        ends = np.cumsum(rows_per_lead)
        for first, end in _cut(weight):
            yield (int(ends[first - 1]) if first else 0), int(ends[end - 1])

    def facts(self, start: int, stop: int, leads: pa.Table, act_columns: Sequence[str]) -> Facts:
        """Return the facts of the rows in [start, stop).

        Parameters
        ----------
        start, stop : int
            Range of the sorted rows, not empty.
        leads : pyarrow.Table
            Columns known at creation of the leads of these rows.
        act_columns : sequence of str
            Columns of the acts that are wanted.

        Returns
        -------
        Facts
        """
        first, end = self._leads_between(start, stop)
        facts = Facts(as_of=self.moments.as_of[start:stop], leads=leads)
        if self._events is not None:
            facts = replace(facts, acts=self._known(first, end, start, stop, act_columns))
        if self._history is not None:
            facts = replace(facts, states=self._states(start, stop))
        return facts

    def _load_moments(self) -> None:
        columns = [
            np.arange(len(self.moments.lead)),
            self.moments.lead.astype(np.int32),
            self.moments.as_of.astype(np.int64),
            self.moments.is_fitted.astype(np.int32),
        ]
        self._engine.load("observations", _MOMENTS, [pa.record_batch(columns, schema=_MOMENTS)])

    def _load_acts(self, events: Events) -> None:
        # A look-up table of all lead ids is made for each batch, so batches grow with the leads.
        batches = regrouped(events.batches(), min(self.moments.n_leads, MOST_JOINED_ROWS))
        self._engine.load("events", NUMBERED_EVENTS, map(self._coder.code, batches))
        for table, names in (("type_places", self._coder.types), ("channel_places", self._coder.channels)):
            places = names.places(table.partition("_")[0])
            self._engine.load(table, places.schema, places.to_batches())
        per_lead = self._coder.per_lead
        # Where there is no lead, there is a table without rows.
        for first, end in list(_cut(per_lead / SLICE_ACTS)) or [(0, 0)]:
            self._engine.keep(
                "acts", statements.acts(first, end, has_event_id=events.roles.event_id is not None)
            )
        self._engine.drop("events")
        counted = self._engine.query("SELECT lead, count(*) AS n FROM acts GROUP BY lead")
        self._copies = per_lead.copy()
        self._copies[counted["lead"].to_numpy()] -= counted["n"].to_numpy()
        if self._watch is not None:
            self._watch.see_copies(*self.copies())

    def _load_changes(self, history: History) -> None:
        self._engine.load("changes", CHANGES, self._changes.code(history.batches()))
        if self._watch is not None:
            self._watch.see_changes(self._changes)

    def _survey_of_acts(self) -> dict[str, Any]:
        types, channels = self._coder.types.in_order, self._coder.channels.in_order
        kinds = self._engine.query(statements.tally("acts", ["type", "channel", "meanings"]))
        orders = self._engine.query(statements.tally("acts", ["type_2", "type_1", "type"]))
        greatest = self._engine.query(statements.extremes("acts", ("amount", "words"))).to_pylist()[0]
        return {
            "types": {types[i]: n for i, n in _counts(kinds, ["type"])},
            "channels": {channels[i]: n for i, n in _counts(kinds, ["channel"]) if i != NONE},
            "meanings": _by_meaning(_counts(kinds, ["meanings"])),
            "pairs": _sequences(orders, ["type_1", "type"], types),
            "triples": _sequences(orders, ["type_2", "type_1", "type"], types),
            "has_amounts": (greatest["amount"] or NO_AMOUNT) > NO_AMOUNT,
            "has_texts": (greatest["words"] or NONE) > NONE,
        }

    def _survey_of_changes(self, history: History, leads: pa.Table) -> dict:
        found: dict[str, dict[str, int]] = {name: {} for name in self._changes.field_names}
        table = self._engine.query(statements.tally("changes", ["field", "value", "is_change"]))
        for row in table.to_pylist():
            if row["value"] != NONE and row["is_change"]:
                value = self._changes.value_names[row["value"]]
                found[self._changes.field_names[row["field"]]][value] = row["n"]
        fields = {name: values for name, values in found.items() if values}
        replay = Replay(self._changes.field_names, self._changes.has_old_values)
        return {
            "fields": fields,
            "numeric_fields": tuple(
                name for name, values in fields.items() if looks_numeric(pa.array(values), history.data)
            ),
            "replay": replay,
            "leads": self._leads_as_of(leads, replay).filter(pa.array(self.moments.is_fitted)),
        }

    def _leads_as_of(self, leads: pa.Table, replay: Replay) -> pa.Table:
        """All leads as they were at as_of, made slice by slice."""
        if not replay.columns_of(leads):
            return leads
        parts = [
            replay.leads_as_of(leads.slice(start, stop - start), self._states(start, stop))
            for start, stop in self.slices()
        ]
        return pa.concat_tables(parts) if parts else leads

    def _known(self, first: int, end: int, start: int, stop: int, act_columns: Sequence[str]) -> KnownActs:
        table = self._engine.query(statements.known(first, end, act_columns))
        columns = _within(table, start, stop)
        return KnownActs(
            n_rows=stop - start,
            row=columns.pop("row"),
            age_us=columns.pop("age_us"),
            columns=columns,
            type_names=self._coder.types.in_order,
            channel_names=self._coder.channels.in_order,
        )

    def _states(self, start: int, stop: int) -> KnownStates:
        first, end = self._leads_between(start, stop)
        table = self._engine.query(statements.states(first, end, self._engine.dialect))
        return KnownStates(
            n_rows=stop - start,
            **_within(table, start, stop),
            field_names=self._changes.field_names,
            value_names=self._changes.value_names,
            data=self._history.data,
        )

    def _leads_between(self, start: int, stop: int) -> tuple[int, int]:
        """The range of the leads of some rows."""
        lead = self.moments.lead[start:stop]
        return int(lead.min()), int(lead.max()) + 1


def _counts(tally: pa.Table, columns: Sequence[str]) -> list[tuple[int, ...]]:
    """Values of some columns of a tally, and last how often they occur together."""
    table = tally.group_by(columns).aggregate([("n", "sum")]).select([*columns, "n_sum"])
    return list(zip(*[column.to_pylist() for column in table.columns], strict=True))


def _by_meaning(counts: Iterable[tuple[int, int]]) -> dict[str, int]:
    """How many acts have each meaning, from how many have each combination of them."""
    total = dict.fromkeys(MEANINGS, 0)
    for bits, n in counts:
        for meaning in MEANINGS:
            total[meaning] += n if bits & BITS[meaning] else 0
    return {meaning: n for meaning, n in total.items() if n}


def _sequences(tally: pa.Table, columns: Sequence[str], types: Sequence[str]) -> dict[tuple[str, ...], int]:
    """How often types follow each other; at the beginning there is nothing to follow."""
    return {tuple(types[i] for i in key): n for *key, n in _counts(tally, columns) if NONE not in key}


def _within(table: pa.Table, start: int, stop: int) -> dict[str, NDArray[np.int64]]:
    """Columns of the rows in [start, stop), rows counted from `start`; NULL is -1."""
    columns = {
        name: table[name].fill_null(NONE).to_numpy().astype(np.int64, copy=False)
        for name in table.column_names
    }
    columns["row"] = columns["row"] - start
    inside = (columns["row"] >= 0) & (columns["row"] < stop - start)
    return columns if inside.all() else {name: values[inside] for name, values in columns.items()}


def _cut(weight: NDArray[np.float64]) -> Iterator[tuple[int, int]]:
    """Cut a sequence into ranges of about weight 1, at least one element each; an empty one into none."""
    place = np.floor(np.cumsum(weight) - weight).astype(np.int64)
    firsts = np.flatnonzero(np.diff(place, prepend=-1))
    yield from pairwise([*firsts.tolist(), len(weight)])


def regrouped(batches: Iterable[pa.RecordBatch], least_rows: int) -> Iterator[pa.RecordBatch]:
    """Join batches until they have at least so many rows; the last one may have fewer."""
    pending: list[pa.RecordBatch] = []
    for batch in batches:
        pending.append(batch)
        if sum(map(len, pending)) >= least_rows:
            yield pa.concat_batches(pending)
            pending = []
    if pending:
        yield pa.concat_batches(pending)
