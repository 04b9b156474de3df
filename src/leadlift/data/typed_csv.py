"""CSV files -> batches in the types of their columns, where every cell has that type; else as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config import DataConfig
from leadlift.data.csv_files import (
    AS_TEXT,
    CsvCells,
    CsvFile,
    RaggedRows,
    UnfitCellsError,
    csv_batches,
)
from leadlift.data.levels import LEVELS
from leadlift.data.values import all_finite
from leadlift.terms import Kind

BLOCK_BYTES = 1 << 19
"""Bytes read at once: what is made of them fits into a core's cache."""

_BATCH_BLOCKS = 8


def typed_csv_batches(
    file: CsvFile, columns: Sequence[str], kinds: Mapping[str, Kind], ragged: RaggedRows
) -> Iterator[pa.RecordBatch]:
    """Yield a CSV file block by block: numbers as float64, levels as dictionaries, the rest as text.

    Where a cell is no number after all, a number is written as NaN, or a record is longer than `BLOCK_BYTES`,
    the file is read from its start a second time, and the rows that follow are text. Converted
    (:func:`leadlift.data.values.convert_column`), the values are the same either way.

    Parameters
    ----------
    file : CsvFile
        From :func:`leadlift.data.csv_files.open_csv`.
    columns : sequence of str
        Columns to read, in the order wanted.
    kinds : mapping of str to Kind
        By column, as what it is read.
    ragged : RaggedRows
        Filled on the way.

    Yields
    ------
    pyarrow.RecordBatch
        Null where a cell of a typed batch is missing.

    Raises
    ------
    InputError
        As for :func:`leadlift.data.csv_files.csv_batches`.
    """
    n_rows, fits = 0, True
    try:
        typed = csv_batches(file, columns, ragged, _typed_cells(file.data, columns, kinds))
        for batch in _joined(typed):
            _refuse_nan(batch)
            n_rows += batch.num_rows
            yield batch
    except UnfitCellsError:
        fits = False
    if not fits:
        ragged.clear()
        yield from _after(csv_batches(file, columns, ragged, AS_TEXT), n_rows)


def _typed_cells(data: DataConfig, columns: Sequence[str], kinds: Mapping[str, Kind]) -> CsvCells:
    types = {name: LEVELS for name in columns if kinds.get(name) is Kind.CATEGORICAL}
    if not data.thousands:
        types |= {name: pa.float64() for name in columns if kinds.get(name) is Kind.NUMERIC}
    return CsvCells(types, ("", *(word.strip() for word in data.missing_values)), BLOCK_BYTES)


def _joined(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in fewer batches, each with one dictionary a column."""
    while group := list(islice(batches, _BATCH_BLOCKS)):
        yield from pa.Table.from_batches(group).combine_chunks().to_batches()


def _refuse_nan(batch: pa.RecordBatch) -> None:
    """Only as text can "nan", which is missing, be told from "nan(7)", which is no number."""
    for column in batch.columns:
        if pa.types.is_floating(column.type) and not all_finite(column) and pc.any(pc.is_nan(column)).as_py():
            msg = "a number is written as NaN"
            raise UnfitCellsError(msg)


def _after(batches: Iterator[pa.RecordBatch], n_rows: int) -> Iterator[pa.RecordBatch]:
    """Batches without their first rows."""
    for batch in batches:
        if n_rows < batch.num_rows:
            yield batch.slice(n_rows)
        n_rows = max(n_rows - batch.num_rows, 0)
