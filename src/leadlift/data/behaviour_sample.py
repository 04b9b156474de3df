"""The rows of events or of a change log that `leadlift init` looks at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config import DataConfig
from leadlift.data.naming import matching_phrase
from leadlift.data.number_marks import detect_marks
from leadlift.data.parquet_files import unreadable_columns
from leadlift.data.profiling import ColumnProfile, numeric_names, profile_columns
from leadlift.data.sources import Source
from leadlift.data.tables import lead_ids
from leadlift.data.vocabulary.behaviour import LEAD_OF_ROW_PHRASES
from leadlift.exceptions import InputError, shorten

SAMPLE_ROWS = 50_000
"""Rows that are looked at."""

MIN_SHARE_OF_OTHER_IDS = 0.5
"""Where at least this share of the ids stands in another column of the leads, that column is proposed."""

_BATCH_ROWS = 10_000
_MIN_LETTERS_INSIDE = 5
_MIN_ROWS_A_LEAD = 1.5


@dataclass(frozen=True)
class KnownLeads:
    """What the events and the change log are compared with.

    Parameters
    ----------
    source : str
        What messages call the leads.
    column : str
        The column with their ids.
    ids : pyarrow.Array of string
        Distinct, as :func:`leadlift.data.tables.lead_ids` makes them.
    table : pyarrow.Table
        All their columns as read.
    """

    source: str
    column: str
    ids: pa.Array
    table: pa.Table

    @classmethod
    def of(cls, table: pa.Table, column: str, data: DataConfig) -> KnownLeads:
        """Take the ids of the leads from a table of them.

        Parameters
        ----------
        table : pyarrow.Table
            As read.
        column : str
            The column with their ids.
        data : DataConfig
            Where the leads are.

        Returns
        -------
        KnownLeads
        """
        return cls(data.leads, column, distinct_ids(table[column], data), table)


@dataclass(frozen=True)
class Sample:
    """Some rows of a source, and which of its columns have no role yet.

    Parameters
    ----------
    name : str
        What messages call the source.
    table : pyarrow.Table
        The columns that are one value a cell, as read.
    profiles : tuple of ColumnProfile
        Of all these columns, in the order of the source.
    numeric : frozenset of str
        Columns whose every value is a number.
    met : mapping of str to float
        By column, the share of the rows that bear the id of a lead, in [0, 1].
    taken : frozenset of str
        Columns that have a role already.
    """

    name: str
    table: pa.Table
    profiles: tuple[ColumnProfile, ...]
    numeric: frozenset[str]
    met: Mapping[str, float]
    taken: frozenset[str] = frozenset()

    @classmethod
    def of(cls, name: str, table: pa.Table, met: Mapping[str, float]) -> Sample:
        """Look at the columns of some rows.

        Parameters
        ----------
        name, table, met
            As above.

        Returns
        -------
        Sample
        """
        profiles = profile_columns(table)
        marks = detect_marks([profile.values for profile in profiles])
        return cls(name, table, profiles, frozenset(numeric_names(profiles, marks)), met)

    @property
    def free(self) -> tuple[ColumnProfile, ...]:
        """The columns that hold something and have no role yet."""
        return tuple(p for p in self.profiles if p.n_distinct and p.name not in self.taken)

    @property
    def dates(self) -> tuple[ColumnProfile, ...]:
        """The free columns whose every value is a date, in one form."""
        return tuple(profile for profile in self.free if profile.is_date)

    @property
    def levels(self) -> tuple[ColumnProfile, ...]:
        """The free columns that are no dates."""
        return tuple(profile for profile in self.free if not profile.is_date)

    def profile(self, name: str) -> ColumnProfile:
        """Return the profile of a column, free or not."""
        return next(profile for profile in self.profiles if profile.name == name)

    def without(self, names: Iterable[str | None]) -> Sample:
        """Return the sample with these columns taken, and no others.

        Parameters
        ----------
        names : iterable of str or None

        Returns
        -------
        Sample
        """
        return replace(self, taken=frozenset(name for name in names if name is not None))

    def is_fact_of_lead(self, lead_id: str, name: str) -> bool:
        """Return whether a column says the same in all rows of a lead, though leads have several.

        Parameters
        ----------
        lead_id : str
            The column with the lead's id.
        name : str
            Another column.

        Returns
        -------
        bool
        """
        rows = self.table.select([lead_id, name]).group_by(lead_id)
        values = rows.aggregate([(name, "count_distinct")])[f"{name}_count_distinct"]
        has_several = self.table.num_rows >= _MIN_ROWS_A_LEAD * len(values)
        return has_several and pc.max(values).as_py() <= 1


def read_sample(source: Source, leads: KnownLeads, data: DataConfig) -> Sample:
    """Read the first rows of a source, or the first later ones among which the id of a lead stands.

    Parameters
    ----------
    source : Source
        Events or a change log.
    leads : KnownLeads
        Whose ids are looked for.
    data : DataConfig
        Words that mean "not recorded".

    Returns
    -------
    Sample
        Of about `SAMPLE_ROWS` rows at most.

    Raises
    ------
    InputError
        There are no rows, or none bears the id of a lead.
    """
    unreadable = unreadable_columns(source.schema)
    columns = [name for name in source.columns if name not in unreadable]
    first = None
    for table in _portions(source, columns):
        met = {name: _share_met(table[name], leads.ids, data) for name in columns}
        if any(met.values()):
            return Sample.of(source.name, table, met)
        first = table if first is None else first
    if first is None:
        msg = f"{source.name}: there are no rows, so nothing can be said of its columns"
        raise InputError(msg)
    raise InputError(_strangers(source.name, first, leads, data))


def name_rank(name: str, phrases: Sequence[str]) -> int | None:
    """Return how much a name looks like one of some phrases; 0 is most.

    A whole name goes before one that holds a phrase, which must be of five letters or more.

    Parameters
    ----------
    name : str
        Of a column.
    phrases : sequence of str
        The surest first.

    Returns
    -------
    int or None
        None where it holds no phrase.

    Examples
    --------
    >>> [name_rank(name, ("event date", "date")) for name in ("Date", "event_date_utc", "birth date")]
    [1, 2, None]
    """
    phrase = matching_phrase(name, phrases, whole_name=True)
    if phrase is not None:
        return phrases.index(phrase)
    phrase = matching_phrase(name, [phrase for phrase in phrases if len(phrase) >= _MIN_LETTERS_INSIDE])
    return None if phrase is None else len(phrases) + phrases.index(phrase)


def distinct_ids(column: pa.ChunkedArray, data: DataConfig) -> pa.Array:
    """Return the distinct values of a column, spelled as ids of leads are.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
        As read.
    data : DataConfig
        Words that mean "not recorded".

    Returns
    -------
    pyarrow.Array of string
        Without nulls.
    """
    return lead_ids(column, np.arange(0), data).unique().drop_null()


def _portions(source: Source, columns: Sequence[str]) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    for batch in source.batches(columns, batch_rows=_BATCH_ROWS):
        waiting.append(batch)
        if sum(piece.num_rows for piece in waiting) >= SAMPLE_ROWS:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting)


def _share_met(column: pa.ChunkedArray, ids: pa.Array, data: DataConfig) -> float:
    if pa.types.is_temporal(column.type):
        return 0.0
    found = pc.is_in(lead_ids(column, np.arange(0), data), value_set=ids)
    return pc.mean(found).as_py() or 0.0


def _strangers(name: str, table: pa.Table, leads: KnownLeads, data: DataConfig) -> str:
    """What to say where no row bears the id of a lead."""
    column = _likeliest_ids(table)
    found = distinct_ids(table[column], data)
    other = _other_ids(leads, found, data)
    remedy = (
        f"Column {other!r} of the leads holds these: --lead-id {other}" if other else "Name the right file"
    )
    return (
        f"{name}: no row bears the id of a lead in {leads.source}. Ids of leads ({leads.column!r}) are such "
        f"as {shorten(leads.ids[:5].to_pylist())}; {column!r} here holds {shorten(found[:5].to_pylist())}. "
        f"{remedy}, or --lead-id COLUMN if the leads' ids are in another column"
    )


def _likeliest_ids(table: pa.Table) -> str:
    """The column that is named most like an id of leads; else the first one."""
    ranks = {name: name_rank(name, (*LEAD_OF_ROW_PHRASES, "id")) for name in table.column_names}
    named = {name: rank for name, rank in ranks.items() if rank is not None}
    return min(named, key=named.__getitem__) if named else table.column_names[0]


def _other_ids(leads: KnownLeads, found: pa.Array, data: DataConfig) -> str | None:
    """The column of the leads that holds most of these ids, if one holds half of them."""
    shares = {
        name: pc.mean(pc.is_in(found, value_set=distinct_ids(leads.table[name], data))).as_py() or 0.0
        for name in leads.table.column_names
        if not pa.types.is_temporal(leads.table[name].type)
    }
    best = max(shares, key=shares.__getitem__)
    return best if shares[best] >= MIN_SHARE_OF_OTHER_IDS else None
