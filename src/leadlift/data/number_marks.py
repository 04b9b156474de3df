"""How numbers are written in a file: decimal mark and thousands mark."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from leadlift.config import DataConfig
from leadlift.data.values import looks_numeric, parse_numbers


@dataclass(frozen=True)
class NumberMarks:
    """Marks inside numbers.

    Parameters
    ----------
    decimal : str
        ``"."`` or ``","``.
    thousands : str
        ``""``, or a mark between groups of three digits.
    """

    decimal: str = "."
    thousands: str = ""


# The likeliest first: it is kept where another explains no more columns.
MARKS = (
    NumberMarks(".", ""),
    NumberMarks(".", ","),
    NumberMarks(",", ""),
    NumberMarks(",", "."),
    NumberMarks(".", " "),
    NumberMarks(",", " "),
    NumberMarks(".", "'"),
)


_MARK = re.compile(r"\d[.,' ]\d|^[.,]\d")


def detect_marks(columns: Iterable[Sequence[str]]) -> NumberMarks:
    """Find the marks under which most columns consist of numbers.

    Parameters
    ----------
    columns : iterable of sequence of str
        Distinct values of each column, stripped, without missing words.

    Returns
    -------
    NumberMarks
        ``1.5`` where nothing speaks for others.

    Examples
    --------
    >>> detect_marks([["1.234,50", "12,00"], ["7", "8"], ["red", "blue"]])
    NumberMarks(decimal=',', thousands='.')
    """
    columns = [values for values in columns if any(_MARK.search(value) for value in values)]
    votes = [sum(all_numbers(values, marks) for values in columns) for marks in MARKS]
    return MARKS[votes.index(max(votes))]


def all_numbers(values: Sequence[str], marks: NumberMarks) -> bool:
    """Return whether reading takes a column of these values for numbers, written with the marks given."""
    data = DataConfig(leads="-", decimal=marks.decimal, thousands=marks.thousands)
    return all(looks_numeric(pa.array(part, pa.string()), data) for part in (values[:20], values))


def to_numbers(values: Sequence[str], marks: NumberMarks) -> np.ndarray | None:
    """Return values as float64, or None where one is no number.

    Parameters
    ----------
    values : sequence of str
        Cells, stripped.
    marks : NumberMarks
        How they are written.

    Returns
    -------
    ndarray of float64, or None

    Examples
    --------
    >>> to_numbers(["1 000,5", "3"], NumberMarks(",", " ")).tolist()
    [1000.5, 3.0]
    """
    if not all_numbers(values, marks):
        return None
    numbers, _ = parse_numbers(pa.array(values, pa.string()), marks.decimal, marks.thousands)
    return numbers.to_numpy(zero_copy_only=False)
