"""What events and changes of fields share: rows of a source -> batches of rows of leads at moments.

Nothing is lost in silence: a row that cannot be used is left out and counted, and everything else that was
noticed is told by `BehaviourTable.findings`. Copies of a row stay, and rows come in any order: both are for
the engine to settle, lead by lead.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import reduce
from typing import ClassVar, Self, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config import DataConfig, EventsConfig, HistoryConfig
from leadlift.data.behaviour_findings import MAX_LEVELS, Subject, Words, behaviour_findings
from leadlift.data.dates import Moments, read_moments
from leadlift.data.sources import Source
from leadlift.data.tables import lead_ids, refuse_long_cells, require_columns
from leadlift.data.tallies import Noticed, Smallest, Tally
from leadlift.data.values import clean_text, is_text, level_text, plain
from leadlift.data.zones import require_zone
from leadlift.terms import Finding

BATCH_ROWS = 131_072
"""Rows that are read at once."""

Roles = TypeVar("Roles", EventsConfig, HistoryConfig)


class BehaviourTable(ABC):
    """Rows of leads at moments, read from a source as often as asked for.

    Parameters
    ----------
    source : Source
        Where the rows are, in the user's column names.
    roles : EventsConfig or HistoryConfig
        Which column plays which role. Where every role bears the house's name, an optional role is taken too
        if there is a column of its name.
    data : DataConfig
        Marks of numbers and words that mean "not recorded".

    Raises
    ------
    SchemaError
        A column with a role is not there; the message is a diff.
    ConfigError
        `time_zone` is no zone.
    """

    schema: ClassVar[pa.Schema]
    words: ClassVar[Words]
    optional_roles: ClassVar[tuple[str, ...]]

    def __init__(self, source: Source, roles: EventsConfig | HistoryConfig, data: DataConfig) -> None:
        self.source = source
        self.roles = with_house_names(roles, source.columns, self.optional_roles)
        self.data = data
        self._tally: Tally | None = None
        self._source_findings: tuple[Finding, ...] = ()
        require_columns(self.roles.role_columns, source.columns, source.name)
        require_zone(self.roles.time_zone)

    def batches(self, batch_rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """Read the rows, batch by batch; each call reads them anew.

        Parameters
        ----------
        batch_rows : int
            Most rows that are held at once, at least 1.

        Yields
        ------
        pyarrow.RecordBatch
            With `schema`, in the order of the source; none is empty.

        Raises
        ------
        InputError
            The source is damaged, a column with a role is nested, or a cell is longer than a megabyte.
        """
        tally = Tally(Smallest(MAX_LEVELS + 1))
        columns = list(self.roles.role_columns)
        for raw in self.source.batches(columns, batch_rows=batch_rows):
            row_numbers = np.arange(tally.n_rows + 1, tally.n_rows + 1 + raw.num_rows)
            refuse_long_cells(raw, row_numbers, self.source.name)
            batch = self._house_batch(Rows.of(raw, row_numbers, self, tally))
            tally.n_rows += raw.num_rows
            tally.n_kept += batch.num_rows
            if batch.num_rows:
                yield batch
        self._tally, self._source_findings = tally, self.source.findings()

    def table(self) -> pa.Table:
        """Read all rows into memory.

        Returns
        -------
        pyarrow.Table
            With `schema`.
        """
        return pa.Table.from_batches(self.batches(), self.schema)

    @property
    def tally(self) -> Tally:
        """What was noticed in the last whole pass; where there was none yet, the rows are read now."""
        if self._tally is None:
            for _ in self.batches():
                pass
        return self._tally

    def findings(self) -> list[Finding]:
        """Return what was noticed in the last whole pass; where there was none yet, the rows are read now.

        Returns
        -------
        list of Finding
            Those of the source (LL150, LL152), then LL170 to LL179 in the order of the codes. Neither counts
            nor examples depend on batches or on the order of rows, but for examples that are row numbers;
            these count through all files of the source, without ragged rows that were left out.
        """
        own = behaviour_findings(Subject(self.words, self.source.name, self.roles, self.tally))
        return [*self._source_findings, *own]

    @abstractmethod
    def _house_batch(self, rows: Rows) -> pa.RecordBatch:
        """Convert one batch, telling its tally what is noticed."""


class Rows:
    """One batch on its way to house columns: rows that cannot be used are left out as they are found."""

    def __init__(self, raw: pa.RecordBatch, ids: pa.Array, table: BehaviourTable, tally: Tally) -> None:
        self.raw, self.ids, self.tally = raw, ids, tally
        self.roles, self.data = table.roles, table.data

    @classmethod
    def of(cls, raw: pa.RecordBatch, row_numbers: np.ndarray, table: BehaviourTable, tally: Tally) -> Self:
        """The rows that have a lead id.

        Parameters
        ----------
        raw : pyarrow.RecordBatch
            The columns with roles, as read.
        row_numbers : numpy.ndarray of int64
            Of its rows.
        table : BehaviourTable
            Whose rows they are.
        tally : Tally
            Of this pass.

        Returns
        -------
        Rows
        """
        name = table.roles.lead_id
        ids = lead_ids(raw.column(name), row_numbers, table.data)
        rows = cls(raw, ids, table, tally)
        tally.add(Noticed.NO_LEAD_ID, name, ids.is_null(), pa.array(row_numbers))
        rows.keep(ids.is_valid())
        return rows

    def keep(self, mask: pa.Array) -> None:
        """Leave out the rows where a mask is false.

        Parameters
        ----------
        mask : pyarrow.Array of bool
            Without nulls.
        """
        # Mostly it is true throughout, and nothing need be copied.
        if not pc.all(mask).as_py():
            self.raw, self.ids = self.raw.filter(mask), self.ids.filter(mask)

    def note(self, what: Noticed, column: str, mask: pa.Array) -> None:
        """Tell the tally of rows, by the ids of their leads.

        Parameters
        ----------
        what : Noticed
        column : str
            The user's name of the column.
        mask : pyarrow.Array of bool
        """
        self.tally.add(what, column, mask, self.ids)

    def dated(self, *names: str) -> list[pa.Array]:
        """Read columns as moments and leave out the rows that they cannot date.

        Left out are rows in which the first column is empty or any is unreadable: nobody may guess when
        something became known.

        Parameters
        ----------
        *names : str
            The user's names of the columns.

        Returns
        -------
        list of pyarrow.Array of timestamp us UTC
            Of the rows that are left, one a name.
        """
        read = [self._moments(name) for name in names]
        is_bad = reduce(pc.or_, (moments.is_bad for moments in read))
        is_missing = pc.and_(read[0].moments.is_null(), pc.invert(is_bad))
        self.note(Noticed.BAD_MOMENT, names[0], is_bad)
        self.note(Noticed.NO_MOMENT, names[0], is_missing)
        is_kept = pc.invert(pc.or_(is_bad, is_missing))
        for name, moments in zip(names, read, strict=True):
            self._note_zones(name, moments, is_kept)
        self.keep(is_kept)
        return [moments.moments.filter(is_kept) for moments in read]

    def _moments(self, name: str) -> Moments:
        roles, words = self.roles, self.data.missing_values
        return read_moments(plain(self.raw.column(name)), roles.date_format, words, roles.time_zone)

    def _note_zones(self, name: str, moments: Moments, is_kept: pa.Array) -> None:
        self.tally.add(Noticed.NAIVE, name, pc.and_(moments.is_naive, is_kept))
        self.note(Noticed.REPEATED_TIME, name, pc.and_(moments.is_repeated, is_kept))
        self.note(Noticed.SKIPPED_TIME, name, pc.and_(moments.is_skipped, is_kept))

    def levels(self, name: str | None) -> pa.Array:
        """Read a column as one of a set of levels, in one spelling whatever the type of the file.

        Parameters
        ----------
        name : str or None
            The user's name of the column; None gives nulls.

        Returns
        -------
        pyarrow.Array of string
            Null where missing.
        """
        if name is None:
            return pa.nulls(len(self.ids), pa.string())
        # Few distinct levels stand in many rows: each is cleaned once.
        encoded = plain(self.raw.column(name)).dictionary_encode()
        return level_text(encoded.dictionary, self.data).take(encoded.indices)

    def text(self, name: str | None) -> pa.Array:
        """Read a column as text as it is written, stripped.

        Parameters
        ----------
        name : str or None
            The user's name of the column; None gives nulls.

        Returns
        -------
        pyarrow.Array of string
            Null where missing.
        """
        if name is None:
            return pa.nulls(len(self.ids), pa.string())
        array = plain(self.raw.column(name))
        return (
            clean_text(array, self.data.missing_values)
            if is_text(array.type)
            else level_text(array, self.data)
        )


def with_house_names(roles: Roles, columns: tuple[str, ...], optional: tuple[str, ...]) -> Roles:
    """Return roles with the optional ones that have a column of their name, where no role was given a name.

    Parameters
    ----------
    roles : EventsConfig or HistoryConfig
        As configured.
    columns : tuple of str
        Columns there are.
    optional : tuple of str
        Roles that a table need not have.

    Returns
    -------
    of the same class

    Examples
    --------
    >>> with_house_names(EventsConfig(), ("lead_id", "channel"), ("channel", "asset")).channel
    'channel'
    """
    if roles.role_columns != type(roles)().role_columns:
        return roles
    return roles.model_copy(update={name: name for name in optional if name in columns})


def in_memory(data_config: DataConfig | None) -> DataConfig:
    """Return how values are written in a table in memory; None stands for the defaults.

    Parameters
    ----------
    data_config : DataConfig or None

    Returns
    -------
    DataConfig
    """
    return DataConfig(leads="in memory") if data_config is None else data_config
