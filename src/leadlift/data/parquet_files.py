"""Parquet files -> typed batches of flat columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from leadlift.data.tables import refuse_repeated_names
from leadlift.exceptions import InputError, shorten

# pandas writes a nameless index so; it is the order of the rows, not a fact about a lead.
_PANDAS_INDEX = re.compile(r"__index_level_\d+__")


def parquet_schema(path: Path, *, rows_required: bool = True) -> pa.Schema:
    """Return the columns of a Parquet file and their types, the index that pandas writes left out.

    Parameters
    ----------
    path : Path
        The file.
    rows_required : bool
        Whether a file without rows is an error.

    Returns
    -------
    pyarrow.Schema

    Raises
    ------
    InputError
        The file is truncated or damaged, or has no rows though it should.
    SchemaError
        A name stands twice.
    """
    with _open(path) as file:
        schema = file.schema_arrow
        rows = file.metadata.num_rows
    if rows_required and rows == 0:
        msg = f"{path}: the file has columns but no rows; expected one row a lead"
        raise InputError(msg)
    refuse_repeated_names(schema.names, str(path))
    return pa.schema([field for field in schema if not _PANDAS_INDEX.fullmatch(field.name)])


def parquet_batches(
    path: Path,
    columns: Sequence[str],
    batch_rows: int,
    *,
    encoded: Sequence[str] = (),
    row_groups: Sequence[int] | None = None,
) -> Iterator[pa.RecordBatch]:
    """Yield the columns wanted of a Parquet file, at most `batch_rows` rows at once.

    Parameters
    ----------
    path : Path
        The file.
    columns : sequence of str
        Columns to read, in the order wanted.
    batch_rows : int
        Rows a batch, at least 1.
    encoded : sequence of str
        Columns whose text comes as dictionaries, as it is stored.
    row_groups : sequence of int, optional
        Places of the row groups to read; all, if not given.

    Yields
    ------
    pyarrow.RecordBatch

    Raises
    ------
    InputError
        A column wanted is nested or binary, or the file is damaged.
    """
    names = list(columns)
    with _open(path, encoded) as file:
        refuse_unreadable_types(file.schema_arrow, names, str(path))
        try:
            for batch in file.iter_batches(
                batch_size=batch_rows, row_groups=row_groups, columns=names, use_threads=False
            ):
                yield batch.select(names)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(path, error) from error


def parquet_rows(path: Path) -> int:
    """Return how many rows a Parquet file has, from its footer."""
    with _open(path) as file:
        return file.metadata.num_rows


def unreadable_columns(schema: pa.Schema) -> tuple[str, ...]:
    """Return the columns that hold lists, structs, maps or bytes, which are no cells of a flat table."""
    return tuple(field.name for field in schema if _is_unreadable(field.type))


def refuse_unreadable_types(schema: pa.Schema, columns: Sequence[str], source: str) -> None:
    """Raise InputError, naming the columns, where one of those given is among `unreadable_columns`."""
    bad = [f"{name} ({schema.field(name).type})" for name in unreadable_columns(schema) if name in columns]
    if bad:
        msg = (
            f"{source}: {len(bad)} column(s) are nested or binary, not one value a cell: {shorten(bad)}. "
            f"Flatten them, or put them under [schema] ignore"
        )
        raise InputError(msg)


def _is_unreadable(dtype: pa.DataType) -> bool:
    inner = dtype.value_type if pa.types.is_dictionary(dtype) else dtype
    is_bytes = pa.types.is_binary(inner) or pa.types.is_large_binary(inner) or pa.types.is_binary_view(inner)
    return pa.types.is_nested(inner) or is_bytes or pa.types.is_fixed_size_binary(inner)


def _open(path: Path, encoded: Sequence[str] = ()) -> pq.ParquetFile:
    try:
        # Buffered ahead, every row group read would stay in memory until the file is closed.
        return pq.ParquetFile(path, read_dictionary=list(encoded), pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(
        f"{path}: cannot be read as Parquet; it is truncated or damaged, write it again ({error})"
    )
