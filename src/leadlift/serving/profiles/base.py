"""What a profile is: the columns of a file, and how each is made of a scored table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.serving.trend import trends
from leadlift.terms import AS_OF, PREVIOUS_SCORE, SCORE, SCORE_0_100, STATUS, Status


class Content(ABC):
    """What a column of a file holds."""

    @property
    def type(self) -> pa.DataType:
        """Type of the column."""
        return pa.string()

    @abstractmethod
    def of(self, scored: pa.Table) -> pa.ChunkedArray:
        """Return the column for the rows of a scored table, in the type above."""


@dataclass(frozen=True)
class Text(Content):
    """A text column, cut at the limit of the field; the last character of what is cut is an ellipsis.

    Parameters
    ----------
    column : str
        Of the scored table.
    max_length : int or None
        Most characters, at least 1; None where there is no limit.
    """

    column: str
    max_length: int | None = None

    def of(self, scored: pa.Table) -> pa.ChunkedArray:
        """Return the texts."""
        return _each_distinct(scored[self.column], self._cut)

    def _cut(self, text: pa.Array) -> pa.Array:
        if self.max_length is None:
            return text
        cut = pc.binary_join_element_wise(pc.utf8_slice_codeunits(text, 0, self.max_length - 1), "…", "")
        return pc.if_else(pc.greater(pc.utf8_length(text), self.max_length), cut, text)


@dataclass(frozen=True)
class Key(Content):
    """The id by which the CRM finds its record, never cut.

    Parameters
    ----------
    column : str
        Of the scored table.
    """

    column: str

    def of(self, scored: pa.Table) -> pa.ChunkedArray:
        """Return the ids."""
        return pc.cast(scored[self.column], pa.string())


@dataclass(frozen=True)
class Points(Content):
    """The score in whole points, 0 to 100."""

    @property
    def type(self) -> pa.DataType:
        """Type of the column."""
        return pa.int32()

    def of(self, scored: pa.Table) -> pa.ChunkedArray:
        """Return the points."""
        return scored[SCORE_0_100]


@dataclass(frozen=True)
class TrendWord(Content):
    """Which way the score went: up, down, steady or new; see :mod:`leadlift.serving.trend`."""

    def of(self, scored: pa.Table) -> pa.ChunkedArray:
        """Return the trends."""
        return trends(scored[SCORE], scored[PREVIOUS_SCORE])


@dataclass(frozen=True)
class Code(Content):
    """A text as the number by which the CRM knows it.

    Parameters
    ----------
    text : Content
        Whose values are translated.
    codes : mapping of str to int
        Number by text.
    """

    text: Content
    codes: Mapping[str, int]

    @property
    def type(self) -> pa.DataType:
        """Type of the column."""
        return pa.int32()

    def of(self, scored: pa.Table) -> pa.ChunkedArray:
        """Return the numbers."""
        return _each_distinct(self.text.of(scored), self._number)

    def _number(self, text: pa.Array) -> pa.Array:
        place = pc.index_in(text, value_set=pa.array(list(self.codes)))
        return pa.array(list(self.codes.values()), self.type).take(place)


@dataclass(frozen=True)
class Constant(Content):
    """The same text in every row.

    Parameters
    ----------
    text : str
    """

    text: str

    def of(self, scored: pa.Table) -> pa.ChunkedArray:
        """Return the text, once a row."""
        return pa.chunked_array([pa.repeat(self.text, len(scored))])


@dataclass(frozen=True)
class Moment(Content):
    """The moment of scoring, in UTC.

    Parameters
    ----------
    written : str
        As ``strftime`` takes it; seconds are whole.
    """

    written: str

    def of(self, scored: pa.Table) -> pa.ChunkedArray:
        """Return the moments as text."""
        seconds = pc.cast(scored[AS_OF], pa.timestamp("s", tz="UTC"), safe=False)
        return _each_distinct(seconds, lambda moments: pc.strftime(moments, self.written))


@dataclass(frozen=True)
class EpochMilliseconds(Content):
    """The moment of scoring in milliseconds since 1970-01-01 UTC."""

    @property
    def type(self) -> pa.DataType:
        """Type of the column."""
        return pa.int64()

    def of(self, scored: pa.Table) -> pa.ChunkedArray:
        """Return the milliseconds."""
        return pc.cast(pc.cast(scored[AS_OF], pa.timestamp("ms", tz="UTC"), safe=False), pa.int64())


@dataclass(frozen=True)
class Profile:
    """Columns of a file that a CRM imports.

    Parameters
    ----------
    name : str
    columns : mapping of str to Content
        What each column holds, by its name in the file, in their order.
    keeps_unscored : bool, default=False
        Whether rows that were not scored are written, too. A CRM would make a record of a row without an id,
        and may empty the fields of one without a score.
    """

    name: str
    columns: Mapping[str, Content]
    keeps_unscored: bool = False

    @cached_property
    def schema(self) -> pa.Schema:
        """Columns of the file and their types."""
        return pa.schema([(name, content.type) for name, content in self.columns.items()])

    def table(self, scored: pa.Table) -> pa.Table:
        """Return the rows of a scored table as the file holds them.

        Parameters
        ----------
        scored : pyarrow.Table
            Columns :data:`leadlift.serving.scored_columns.SCORED_SCHEMA`, texts plain or dictionary-encoded.

        Returns
        -------
        pyarrow.Table
            Of :attr:`schema`; the rows that were scored, in their order, or all where `keeps_unscored`.
        """
        if not self.keeps_unscored:
            is_scored = pc.equal(pc.cast(scored[STATUS], pa.string()), Status.SCORED.value)
            scored = scored.filter(is_scored)
        columns = [content.of(scored) for content in self.columns.values()]
        return pa.table(columns, schema=self.schema)


def _each_distinct(column: pa.ChunkedArray, function: Callable[[pa.Array], pa.Array]) -> pa.ChunkedArray:
    """Apply a function to the distinct values of a column; what is missing stays so."""
    whole = column.combine_chunks()
    coded = whole if pa.types.is_dictionary(whole.type) else whole.dictionary_encode()
    return pa.chunked_array([function(coded.dictionary).take(coded.indices)])
