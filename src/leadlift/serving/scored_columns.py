"""The columns of a scored table, and its text columns of few values as small codes.

Within a job text of few values is a dictionary column: a code of four bytes a row and each text once. Files
and tables that leave the package hold plain strings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.terms import (
    AS_OF,
    BASE,
    CONTACT_PROBABILITY,
    GRADE,
    LEAD_ID,
    MODEL_STAGE,
    MODEL_VERSION,
    PREVIOUS_SCORE,
    REASONS,
    SCORE,
    SCORE_0_100,
    SCORE_SQL,
    STAGE,
    STAGE_REASON,
    STAGE_SINCE,
    STATUS,
    STATUS_DETAIL,
    UNCERTAINTY,
    Family,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCORED_SCHEMA = pa.schema(
    [
        (LEAD_ID, pa.string()),
        (AS_OF, pa.timestamp("us", tz="UTC")),
        (SCORE, pa.float64()),
        (SCORE_0_100, pa.int32()),
        (UNCERTAINTY, pa.float64()),
        (SCORE_SQL, pa.float64()),
        (PREVIOUS_SCORE, pa.float64()),
        (GRADE, pa.string()),
        (STAGE, pa.string()),
        (STAGE_SINCE, pa.timestamp("us", tz="UTC")),
        (STAGE_REASON, pa.string()),
        (MODEL_STAGE, pa.string()),
        (CONTACT_PROBABILITY, pa.float64()),
        (BASE, pa.float64()),
        *[(family.value, pa.float64()) for family in Family],
        *[(reason, pa.string()) for reason in REASONS],
        (STATUS, pa.string()),
        (STATUS_DETAIL, pa.string()),
        (MODEL_VERSION, pa.string()),
    ]
)
# Their texts are the same in every batch of a job.
FIXED_COLUMNS = (GRADE, STAGE, MODEL_STAGE, STATUS, MODEL_VERSION)
CODED = pa.dictionary(pa.int32(), pa.string())
CODED_COLUMNS = (*FIXED_COLUMNS, STAGE_REASON, *REASONS, STATUS_DETAIL)
CODED_SCHEMA = pa.schema(
    [(field.name, CODED if field.name in CODED_COLUMNS else field.type) for field in SCORED_SCHEMA]
)


def coded(codes: NDArray[np.integer], texts: Sequence[str]) -> pa.DictionaryArray:
    """Return a text column of a known set of texts.

    Parameters
    ----------
    codes : ndarray of int, shape (n_rows,)
        Place of each row's text; negative where there is none.
    texts : sequence of str

    Returns
    -------
    pyarrow.DictionaryArray

    Examples
    --------
    >>> coded(np.array([1, -1, 0]), ("web", "fair")).to_pylist()
    ['fair', None, 'web']
    """
    places = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(places, pa.array(texts, pa.string()))


def in_one_piece(tables: Sequence[pa.Table]) -> pa.Table:
    """Join tables of :data:`CODED_SCHEMA` of one job.

    Dictionaries that differ from batch to batch become one, of the texts in order of appearance: the result
    depends on the rows alone, not on how they were parted nor on the dictionaries they came with.

    Parameters
    ----------
    tables : sequence of pyarrow.Table

    Returns
    -------
    pyarrow.Table
        Every column in one chunk.
    """
    whole = pa.concat_tables(tables)
    to_unify = {*CODED_COLUMNS} - {*FIXED_COLUMNS}
    columns = [
        _in_order_of_appearance(whole[name]) if name in to_unify else whole[name].combine_chunks()
        for name in whole.column_names
    ]
    return pa.Table.from_arrays(columns, schema=CODED_SCHEMA)


def _in_order_of_appearance(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """One dictionary for all chunks, of the texts that occur, each once."""
    chunks = column.chunks
    texts = pa.chunked_array([chunk.dictionary for chunk in chunks], pa.string())
    starts = np.cumsum([0, *[len(chunk.dictionary) for chunk in chunks]])
    distinct = texts.combine_chunks().dictionary_encode()
    place_of = np.append(distinct.indices.to_numpy(), -1)
    codes = np.concatenate(
        [np.empty(0, np.int64), *map(_shifted_codes, chunks, starts[:-1], [len(place_of) - 1] * len(chunks))]
    )
    return _renumbered(place_of[codes], distinct.dictionary)


def _shifted_codes(chunk: pa.DictionaryArray, start: int, of_null: int) -> NDArray[np.int64]:
    """Codes among the dictionaries of all chunks, one after the other."""
    codes = chunk.indices.fill_null(-1).to_numpy().astype(np.int64)
    return np.where(codes < 0, of_null, codes + start)


def _renumbered(codes: NDArray[np.integer], texts: pa.Array) -> pa.DictionaryArray:
    rows = np.flatnonzero(codes >= 0)
    first = np.full(len(texts), len(codes))
    # Of several rows with one code the last assignment stays: that of the first row.
    first[codes[rows[::-1]]] = rows[::-1]
    order = np.argsort(first, kind="stable")[: np.count_nonzero(first < len(codes))]
    place = np.full(len(texts) + 1, -1)
    place[order] = np.arange(len(order))
    renumbered = place[codes]
    places = pa.array(renumbered.astype(np.int32), mask=renumbered < 0)
    return pa.DictionaryArray.from_arrays(places, texts.take(pa.array(order)))


def decoded(table: pa.Table) -> pa.Table:
    """Return a table of :data:`CODED_SCHEMA` as one of :data:`SCORED_SCHEMA`: plain strings."""
    columns = [
        pc.cast(column, pa.string()) if pa.types.is_dictionary(column.type) else column
        for column in table.columns
    ]
    return pa.Table.from_arrays(columns, schema=SCORED_SCHEMA)


def scored_table(columns: Mapping[str, Any], n_rows: int) -> pa.Table:
    """Return columns as a table of :data:`CODED_SCHEMA`.

    Parameters
    ----------
    columns : mapping of str to array
        Some of its columns; the others are null.
    n_rows : int

    Returns
    -------
    pyarrow.Table
    """
    arrays = [_typed(columns.get(field.name), field.type, n_rows) for field in CODED_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=CODED_SCHEMA)


def as_array(values: Any) -> pa.Array | pa.ChunkedArray:
    """Return an array of NumPy, or one of Arrow, as one of Arrow."""
    return values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)


def _typed(values: Any, dtype: pa.DataType, n_rows: int) -> pa.Array | pa.ChunkedArray:
    if values is None:
        return coded(np.full(n_rows, -1), []) if dtype == CODED else pa.nulls(n_rows, dtype)
    array = as_array(values)
    if dtype == CODED and not pa.types.is_dictionary(array.type):
        return array.dictionary_encode()
    return array.cast(dtype)
