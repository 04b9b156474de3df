"""What training and scoring ask of any table of leads, before its columns are converted."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config import DataConfig
from leadlift.data.values import Column, clean_text, is_text, level_text, plain
from leadlift.exceptions import InputError, SchemaError, column_diff, shorten
from leadlift.terms import LEAD_ID

CREATED_AT = "created_at"
CLOSED_AT = "closed_at"
QUALIFIED_AT = "qualified_at"
OUTCOME = "outcome"
INVALID = "invalid"
INVALID_DETAIL = "invalid_detail"
HOUSE_COLUMNS = (LEAD_ID, CREATED_AT, CLOSED_AT, QUALIFIED_AT, OUTCOME, INVALID, INVALID_DETAIL)
"""Names that only the column with that role, or an ignored one, may bear."""

MAX_CELL_BYTES = 1_000_000
"""Longest text of one cell; a longer one is a damaged file, not a fact about a lead."""


def table_from(data: object) -> pa.Table:
    """Return a table in memory as a pyarrow table.

    Parameters
    ----------
    data : pyarrow.Table, pandas.DataFrame or polars.DataFrame
        Or anything else with the Arrow PyCapsule interface. The index of a pandas frame is left out.

    Returns
    -------
    pyarrow.Table
        With its own types, without metadata.

    Raises
    ------
    InputError
        It is no table, or a column mixes types.
    SchemaError
        A column name stands twice.

    Examples
    --------
    >>> table_from(pa.table({"visits": [3, 1]})).column_names
    ['visits']
    """
    if not (hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__")):
        msg = f"expected a pyarrow, pandas or polars table, got {type(data).__name__}"
        raise InputError(msg)
    try:
        table = data if isinstance(data, pa.Table) else pa.table(data)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        msg = f"the table has a column that mixes types; give each column one type ({error})"
        raise InputError(msg) from error
    refuse_repeated_names(table.column_names, "the table")
    return table.drop_columns(_pandas_index(table)).replace_schema_metadata(None)


def refuse_repeated_names(names: Iterable[str], source: str) -> None:
    """Raise SchemaError where a column name stands twice.

    Parameters
    ----------
    names : iterable of str
        Column names.
    source : str
        What the message calls the table.
    """
    names = list(names)
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        msg = f"{source}: {len(repeated)} column name(s) stand twice: {shorten(repeated)}. Rename one"
        raise SchemaError(msg)


def require_columns(needed: Iterable[str], names: Iterable[str], source: str) -> None:
    """Raise SchemaError, with a diff, where a column needed is not among the names found.

    Parameters
    ----------
    needed, names : iterable of str
        Column names expected and found.
    source : str
        What the message calls the table.
    """
    needed, names = list(needed), list(names)
    missing = [name for name in needed if name not in names]
    if missing:
        msg = f"{source}: {len(missing)} column(s) needed are not there:\n{column_diff(needed, names)}"
        raise SchemaError(msg)


def refuse_long_cells(table: pa.Table | pa.RecordBatch, row_numbers: np.ndarray, source: str) -> None:
    """Raise InputError where a text cell is longer than `MAX_CELL_BYTES`, naming its row and column.

    Parameters
    ----------
    table : pyarrow.Table or pyarrow.RecordBatch
        Raw columns.
    row_numbers : numpy.ndarray of int64
        Of its rows.
    source : str
        What the message calls the table.
    """
    for name, column in zip(table.schema.names, table.columns, strict=True):
        if not _may_hold_a_long_cell(column):
            continue
        lengths = pc.binary_length(plain(column))
        longest = pc.max(lengths).as_py() or 0
        if longest > MAX_CELL_BYTES:
            row = row_numbers[pc.index(lengths, longest).as_py()]
            msg = (
                f"{source}: row {row}, column {name!r} holds a cell of {longest:,} bytes; at most "
                f"{MAX_CELL_BYTES:,} are allowed. Mend that row; an unclosed quote may be the cause"
            )
            raise InputError(msg)


def _may_hold_a_long_cell(column: Column) -> bool:
    """Whether all text of a column, or of its dictionaries, is longer than one cell may be."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    texts = [chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk for chunk in chunks]
    return any(is_text(text.type) and text.nbytes > MAX_CELL_BYTES for text in texts)


def lead_ids(array: Column | None, row_numbers: np.ndarray, data: DataConfig) -> Column:
    """Return lead ids as text: as written where they are text, in plain digits where they are numbers.

    Parameters
    ----------
    array : pyarrow.Array or pyarrow.ChunkedArray or None
        The id column as read; None takes the row numbers.
    row_numbers : numpy.ndarray of int64
        Of the rows.
    data : DataConfig
        Words that mean "not recorded".

    Returns
    -------
    pyarrow.Array or pyarrow.ChunkedArray of string
        Null where missing.
    """
    if array is None:
        return pc.cast(pa.array(row_numbers), pa.string())
    array = plain(array)
    return clean_text(array, data.missing_values) if is_text(array.type) else level_text(array, data)


def _pandas_index(table: pa.Table) -> list[str]:
    """Columns that pandas made of the index of a frame."""
    metadata = (table.schema.metadata or {}).get(b"pandas")
    index = json.loads(metadata)["index_columns"] if metadata else []
    return [name for name in index if isinstance(name, str) and name in table.column_names]
