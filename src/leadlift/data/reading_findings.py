"""What reading notices and goes on: findings LL150 to LL153."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow.compute as pc

from leadlift.config import DataConfig
from leadlift.data.csv_files import RaggedRows
from leadlift.data.values import Column, clean_text, is_text, parse_numbers
from leadlift.terms import Finding, Severity

NEARLY_ALL = 0.9
"""From this share of numbers on, a column that is read as text is worth a word."""


def ragged_rows_left_out(ragged: RaggedRows) -> Finding:
    """LL150: rows with too many or too few cells were left out, as the configuration says.

    Parameters
    ----------
    ragged : RaggedRows
        The rows.

    Returns
    -------
    Finding
    """
    return Finding(
        code="LL150",
        severity=Severity.WARNING,
        title="ragged rows left out",
        message=f"left out {ragged.describe()}",
        remedy="mend the rows, or find out which program writes them",
        count=len(ragged.rows),
        examples=tuple(str(row) for row in ragged.rows[:5]),
    )


def ragged_rows_of_files(ragged: Mapping[str, RaggedRows]) -> Finding:
    """LL150 for a folder: rows with too many or too few cells were left out of some of its files.

    Parameters
    ----------
    ragged : mapping of str to RaggedRows
        The rows, by the path of their file; none without any.

    Returns
    -------
    Finding
    """
    rows = [f"{path}: row {row}" for path, of_file in ragged.items() for row in of_file.rows]
    return Finding(
        code="LL150",
        severity=Severity.WARNING,
        title="ragged rows left out",
        message=f"left out {len(rows)} row(s) of {len(ragged)} file(s) that have too few or too many cells",
        remedy="mend the rows, or find out which program writes them",
        count=len(rows),
        examples=tuple(rows[:5]),
    )


def date_column(name: str) -> Finding:
    """LL151: a column without a role holds dates and is no input.

    Parameters
    ----------
    name : str
        The column.

    Returns
    -------
    Finding
    """
    return Finding(
        code="LL151",
        severity=Severity.INFO,
        title="date column is no input",
        message=f"{name!r} holds dates and has no role; a date itself says nothing about a new lead",
        remedy="give it a role in [schema], or add the days between two dates as a column of its own",
        column=name,
        count=1,
    )


def row_names() -> Finding:
    """LL152: the first column has no name and is left out, as row names of pandas and R are.

    Returns
    -------
    Finding
    """
    return Finding(
        code="LL152",
        severity=Severity.INFO,
        title="unnamed first column left out",
        message="the first column has no name; pandas and R write row names so",
        remedy="name it in the header if it holds something about the lead",
        count=1,
    )


def nearly_numeric(name: str, column: Column, data: DataConfig) -> Finding | None:
    """LL153: nearly every value of a column that is read as text is a number.

    Parameters
    ----------
    name : str
        The column.
    column : pyarrow.Array or pyarrow.ChunkedArray
        As read.
    data : DataConfig
        Marks and missing values.

    Returns
    -------
    Finding or None
        None where fewer than `NEARLY_ALL` of the values are numbers, or all are.
    """
    if not is_text(column.type):
        return None
    distinct = pc.value_counts(clean_text(column, data.missing_values).drop_null())
    values, counts = distinct.field("values"), distinct.field("counts")
    is_unreadable = parse_numbers(values, data.decimal, data.thousands)[1]
    n_bad, n_values = (pc.sum(part).as_py() or 0 for part in (counts.filter(is_unreadable), counts))
    if not 0 < n_bad <= (1 - NEARLY_ALL) * n_values:
        return None
    examples = tuple(sorted(value[:40] for value in values.filter(is_unreadable).to_pylist())[:5])
    return Finding(
        code="LL153",
        severity=Severity.WARNING,
        title="nearly numeric column read as text",
        message=f"{n_bad} of {n_values} values of {name!r} are no numbers, so all are read as text",
        remedy="put words for 'not recorded' in [data] missing_values, or name it under categorical",
        column=name,
        count=n_bad,
        examples=examples,
    )
