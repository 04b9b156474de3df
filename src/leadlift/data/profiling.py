"""What stands in each column of a table as written: distinct values, missing words, numbers, dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.date_formats import date_formats_of
from leadlift.data.number_marks import NumberMarks, to_numbers
from leadlift.data.vocabulary.roles import MISSING_WORDS, SENTINEL_NUMBERS

MIN_SENTINEL_SHARE = 0.01
"""A number that means "not recorded" fills at least this share of the rows."""
NEAR_UNIQUE_SHARE = 0.5
"""A text column with at least this share of distinct values says nothing about other leads."""
NEAR_UNIQUE_MIN_VALUES = 50
"""With no more distinct values than this a text column is kept, whatever their share."""


@dataclass(frozen=True)
class ColumnProfile:
    """The values of one column, as text.

    Parameters
    ----------
    name : str
        Column name.
    values : tuple of str
        Distinct values that are not missing, stripped, the most frequent first, then in alphabetical order.
    counts : ndarray of int64
        Rows of each of `values`.
    missing_words : dict of str to int
        Words that mean "not recorded", as written, with their rows.
    n_rows : int
        Rows of the table.
    is_typed_date : bool
        The column has a date type already (Parquet).
    """

    name: str
    values: tuple[str, ...]
    counts: np.ndarray
    missing_words: dict[str, int]
    n_rows: int
    is_typed_date: bool = False

    @property
    def n_distinct(self) -> int:
        """How many different values there are."""
        return len(self.values)

    @property
    def n_filled(self) -> int:
        """Rows that hold a value."""
        return int(self.counts.sum())

    @cached_property
    def date_formats(self) -> tuple[str | None, ...]:
        """`strptime` formats that read every value, the likeliest first; None stands for ISO 8601."""
        return (None,) if self.is_typed_date else date_formats_of(self.values)

    @property
    def is_date(self) -> bool:
        """Whether every value is a date."""
        return bool(self.date_formats)

    def count_of(self, value: str) -> int:
        """Rows that hold a value."""
        return int(self.counts[self.values.index(value)])


def profile_columns(table: pa.Table) -> tuple[ColumnProfile, ...]:
    """Count the distinct values of every column.

    Parameters
    ----------
    table : pyarrow.Table
        Cells as text, or typed.

    Returns
    -------
    tuple of ColumnProfile
        In the order of the table.

    Examples
    --------
    >>> [profile] = profile_columns(pa.table({"city": ["Rome", " Oslo", "Select", "", "Oslo"]}))
    >>> profile.values, profile.counts.tolist(), profile.missing_words
    (('Oslo', 'Rome'), [2, 1], {'Select': 1})
    """
    return tuple(_profile(name, table[name]) for name in table.column_names)


def number_sentinels(profile: ColumnProfile, marks: NumberMarks) -> tuple[float, ...]:
    """Return the numbers of a column that seem to mean "not recorded", such as 999 or -1.

    A row of nines counts when it is the largest value and further from the next than all other values
    are from each other; a negative one when it is the only negative value. At least 1 % of the rows hold it,
    and at least three other values occur.

    Parameters
    ----------
    profile : ColumnProfile
        A column.
    marks : NumberMarks
        How its numbers are written.

    Returns
    -------
    tuple of float
        Empty where the column is no number or has no such value.

    Examples
    --------
    >>> [profile] = profile_columns(pa.table({"days": ["3", "6", "999", "999", "12"]}))
    >>> number_sentinels(profile, NumberMarks())
    (999.0,)
    """
    numbers = to_numbers(profile.values, marks)
    if numbers is None or not np.isfinite(numbers).all():
        return ()
    found = [
        number
        for number, count in zip(numbers.tolist(), profile.counts.tolist(), strict=True)
        if number in SENTINEL_NUMBERS and count >= MIN_SENTINEL_SHARE * profile.n_rows
    ]
    return tuple(sorted(number for number in found if _is_isolated(number, numbers[numbers != number])))


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as text, stripped of white space; whole floats without a point.

    Examples
    --------
    >>> as_text(pa.chunked_array([[1.0, 2.5, None]])).to_pylist()
    ['1', '2.5', None]
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return pc.utf8_trim_whitespace(column.cast(pa.string()))


def is_near_unique(n_distinct: int, n_filled: int) -> bool:
    """Return whether a text column holds ids, names or free text instead of levels.

    Parameters
    ----------
    n_distinct, n_filled : int
        Distinct values, and rows that hold a value.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_near_unique(900, 1_000), is_near_unique(12, 1_000), is_near_unique(20, 20)
    (True, False, False)
    """
    return n_distinct > NEAR_UNIQUE_MIN_VALUES and n_distinct >= NEAR_UNIQUE_SHARE * n_filled


def numeric_names(profiles: Sequence[ColumnProfile], marks: NumberMarks) -> tuple[str, ...]:
    """Return the names of the columns whose every value is a number."""
    return tuple(p.name for p in profiles if p.n_distinct and to_numbers(p.values, marks) is not None)


def _profile(name: str, column: pa.ChunkedArray) -> ColumnProfile:
    counted = pc.value_counts(as_text(column))
    pairs = zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)
    filled = sorted(((v, n) for v, n in pairs if v), key=lambda pair: (-pair[1], pair[0]))
    kept = [(value, count) for value, count in filled if value.casefold() not in MISSING_WORDS]
    return ColumnProfile(
        name=name,
        values=tuple(value for value, _ in kept),
        counts=np.array([count for _, count in kept], dtype=np.int64),
        missing_words={value: count for value, count in filled if value.casefold() in MISSING_WORDS},
        n_rows=len(column),
        is_typed_date=pa.types.is_temporal(column.type),
    )


def _is_isolated(number: float, others: np.ndarray) -> bool:
    if others.size < 3:
        return False
    if number < 0:
        return bool((others >= 0).all())
    return bool(number - others.max() > np.ptp(others))
