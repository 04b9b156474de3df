"""Columns -> segments: the levels of a category, intervals of a number, and the missing as one of their own.

What is learnt on one table codes another one the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from leadlift.data.values import is_number, is_text, plain
from leadlift.exceptions import SchemaError
from leadlift.insight.segments.wording import counted, cut, listed, number_text

MISSING = "(missing)"
N_GROUPS = 4
"""Groups of about equal size into which a number is cut."""

MOST_SINGLE_NUMBERS = 6
"""Numbers with at most so many different values, such as counts of children, are segments value by value."""

MOST_DIGITS = 4
MOST_MOVED = 0.02


@dataclass(frozen=True)
class CategoryLevels:
    """The segments of a column by value: those kept, all others together, the missing.

    Parameters
    ----------
    values : tuple
        Values that are segments of their own, in the order of their codes.
    n_others : int
        Other values where the levels were learnt.
    """

    values: tuple[str | float, ...]
    n_others: int

    @property
    def names(self) -> tuple[str, ...]:
        """Texts of the segments, in the order of their codes; the last one is the missing."""
        others = f"all others ({counted(self.n_others, 'level')})"
        return (*self._texts, others, MISSING)

    @property
    def n_named(self) -> int:
        """Segments that are values: neither all others nor the missing."""
        return len(self.values)

    def codes(self, column: pa.ChunkedArray) -> NDArray[np.int64]:
        """Return the segment of each row of a column."""
        column = _comparable(column)
        places = pc.index_in(column, value_set=pa.array(self.values, column.type))
        codes = places.fill_null(len(self.values)).to_numpy().astype(np.int64)
        codes[column.is_null().to_numpy()] = len(self.values) + 1
        return codes

    def text(self, codes: Sequence[int]) -> str:
        """Say what the rows of some segments are: ``"software or fintech"``."""
        return listed([self.names[code] for code in codes], "or")

    @property
    def _texts(self) -> list[str]:
        return [cut(value) if isinstance(value, str) else number_text(value) for value in self.values]


@dataclass(frozen=True)
class NumberLevels:
    """The segments of a number: intervals, open below and closed above, and the missing.

    Parameters
    ----------
    edges : tuple of float
        Upper ends of all intervals but the last, ascending.
    smallest : float
        Smallest value where the levels were learnt.
    is_whole : bool
        Whether all values there were whole numbers.
    """

    edges: tuple[float, ...]
    smallest: float
    is_whole: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Texts of the segments, in the order of their codes; the last one is the missing."""
        return (*(self.text([code]) for code in range(self.n_named)), MISSING)

    @property
    def n_named(self) -> int:
        """Segments that are intervals."""
        return len(self.edges) + 1

    def codes(self, column: pa.ChunkedArray) -> NDArray[np.int64]:
        """Return the segment of each row of a column."""
        values = _comparable(column).to_numpy()
        codes = np.searchsorted(self.edges, values, side="left")
        return np.where(np.isnan(values), self.n_named, codes)

    def text(self, codes: Sequence[int]) -> str:
        """Say what the rows of neighbouring segments are: ``"51 to 200"``."""
        first, last = min(codes), max(codes)
        if first == 0 and last == self.n_named - 1:
            return "any number"
        if first == 0:
            is_one_value = self.edges[last] == self.smallest
            return ("" if is_one_value else "up to ") + number_text(self.edges[last])
        if last == self.n_named - 1:
            return f"over {number_text(self.edges[first - 1])}"
        return self._between(self.edges[first - 1], self.edges[last])

    def _between(self, low: float, high: float) -> str:
        if not self.is_whole:
            return f"over {number_text(low)}, up to {number_text(high)}"
        least = np.floor(low) + 1
        return number_text(high) if least == high else f"{number_text(least)} to {number_text(high)}"


Levels = CategoryLevels | NumberLevels


def can_be_cut(dtype: pa.DataType) -> bool:
    """Return whether a column of a type has segments: text, numbers and yes or no have, dates have none.

    Examples
    --------
    >>> can_be_cut(pa.string()), can_be_cut(pa.timestamp("us"))
    (True, False)
    """
    if pa.types.is_dictionary(dtype):
        dtype = dtype.value_type
    return is_text(dtype) or is_number(dtype) or pa.types.is_boolean(dtype) or pa.types.is_null(dtype)


def condition_text(column: str, levels: Levels, codes: Sequence[int]) -> str:
    """Say of leads in what segments of a column they are.

    Parameters
    ----------
    column : str
    levels : CategoryLevels or NumberLevels
    codes : sequence of int
        Named segments; or, alone, all others or the missing.

    Returns
    -------
    str

    Examples
    --------
    >>> levels = CategoryLevels(("ads", "fair"), 3)
    >>> [condition_text("source", levels, codes) for codes in ([0, 1], [2], [3])]
    ['source is ads or fair', 'source is one of 3 other levels', 'source is not recorded']
    """
    column = cut(column)
    if codes[0] == len(levels.names) - 1:
        return f"{column} is not recorded"
    if codes[0] >= levels.n_named:
        return f"{column} is one of {counted(levels.n_others, 'other level')}"
    return f"{column} is {levels.text(codes)}"


def learn_levels(name: str, column: pa.ChunkedArray, most_levels: int) -> Levels:
    """Cut a column into segments, without a look at the outcome.

    Parameters
    ----------
    name : str
        What errors call the column.
    column : pyarrow.ChunkedArray
        Text, numbers or booleans; null and NaN are missing.
    most_levels : int
        Most levels of a category that are segments of their own: the largest, of equal ones the first in
        the alphabet.

    Returns
    -------
    CategoryLevels or NumberLevels

    Raises
    ------
    SchemaError
        The column is of another type.

    Examples
    --------
    >>> learn_levels("source", pa.chunked_array([["ads", "fair", "ads", None]]), 1).names
    ('ads', 'all others (1 level)', '(missing)')
    >>> learn_levels("employees", pa.chunked_array([list(range(1, 101))]), 20).names
    ('up to 25', '26 to 50', '51 to 75', 'over 75', '(missing)')
    """
    if not can_be_cut(column.type):
        msg = f"column {name!r} is {column.type}; segments are cut from text, numbers or booleans"
        raise SchemaError(msg)
    column = _comparable(column)
    if pa.types.is_floating(column.type):
        return _number_levels(column.drop_null().to_numpy())
    counted = pc.value_counts(column.drop_null())
    sizes = dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True))
    largest = sorted(sizes, key=lambda value: (-sizes[value], value))
    return CategoryLevels(tuple(largest[:most_levels]), max(len(largest) - most_levels, 0))


def _comparable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as text or as float64 in which null, not NaN, is missing; booleans as yes and no."""
    column = plain(column)
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, "yes", "no")
    if not is_number(column.type):
        return column
    numbers = pc.cast(column, pa.float64(), safe=False)
    return pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)


def _number_levels(values: NDArray[np.float64]) -> Levels:
    distinct = np.unique(values)
    if len(distinct) <= MOST_SINGLE_NUMBERS:
        return CategoryLevels(tuple(distinct.tolist()), 0)
    finite = np.sort(values[np.isfinite(values)])
    edges = readable_edges(finite, N_GROUPS) if len(finite) else ()
    return NumberLevels(edges, float(distinct[0]), bool((finite == np.floor(finite)).all()))


def readable_edges(values: NDArray[np.float64], n_groups: int) -> tuple[float, ...]:
    """Return edges near the quantiles, with the fewest digits that move at most 2 % of the rows.

    Parameters
    ----------
    values : ndarray of float64
        Sorted and finite, at least one.
    n_groups : int
        Groups of about equal size that are wanted; ties make fewer.

    Returns
    -------
    tuple of float
        Ascending upper ends of all groups but the last; none is empty.

    Examples
    --------
    >>> readable_edges(np.arange(3.0, 1003.0), 4)
    (250.0, 500.0, 750.0)
    """
    quantiles = np.quantile(values, np.arange(1, n_groups) / n_groups, method="lower")
    quantiles = np.unique(quantiles[quantiles < values[-1]])
    wanted = np.searchsorted(values, quantiles, side="right")
    for digits in range(1, MOST_DIGITS + 1):
        edges = np.array([float(f"{edge:.{digits}g}") for edge in quantiles])
        below = np.searchsorted(values, edges, side="right")
        groups = np.diff(np.r_[0, below, len(values)])
        if np.abs(below - wanted).max(initial=0) <= MOST_MOVED * len(values) and (groups > 0).all():
            return tuple(edges.tolist())
    return tuple(quantiles.tolist())
