"""A table to one float64 matrix by a frozen vocabulary: look-ups, and nothing that learns.

Numbers pass through; a level becomes its place in the vocabulary. Missing is NaN, and a level that is not in
the vocabulary gets the code after the last one, so that missing and unseen are told apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.exceptions import SchemaError, column_diff, shorten
from leadlift.terms import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class EncodedColumn:
    """How one column becomes numbers.

    Parameters
    ----------
    name : str
        Column name; ``x0``, ``x1`` … where the input had none.
    kind : Kind
        Numeric or categorical.
    levels : tuple of str
        Levels of a categorical column; the code of a level is its place.
    """

    name: str
    kind: Kind
    levels: tuple[str, ...] = ()

    @property
    def unseen_code(self) -> float:
        """Code of a level that is not in the vocabulary."""
        return float(len(self.levels))

    @cached_property
    def vocabulary(self) -> pa.Array:
        """The levels as Arrow looks them up."""
        return pa.array(self.levels, pa.large_string())


def encode(columns: Sequence[EncodedColumn], table: pa.Table) -> NDArray[np.float64]:
    """Encode a table.

    Parameters
    ----------
    columns : sequence of EncodedColumn
    table : pyarrow.Table
        The same columns in the same order: numbers, and text as strings or as a dictionary of them.

    Returns
    -------
    ndarray of float64, shape (n_rows, n_columns)
        C-contiguous; NaN is missing.

    Raises
    ------
    SchemaError
        Columns are missing, added or in another order, one cannot be read as the kind it had at fit, or one
        holds infinite numbers.

    Examples
    --------
    >>> source = EncodedColumn("source", Kind.CATEGORICAL, ("ads", "fair"))
    >>> visits = EncodedColumn("visits", Kind.NUMERIC)
    >>> encode([source, visits], pa.table({"source": ["fair", None, "radio"], "visits": [3, 4, None]}))
    array([[ 1.,  3.],
           [nan,  4.],
           [ 2., nan]])
    """
    names = [column.name for column in columns]
    if table.column_names != names:
        diff = column_diff(names, table.column_names)
        order = f"  {shorten(names)}, got {shorten(table.column_names)}"
        msg = f"expected the columns that the model was fitted on, in their order:\n{diff or order}"
        raise SchemaError(msg)
    if not columns:
        return np.empty((table.num_rows, 0))
    return np.stack([encode_column(column, table[column.name]) for column in columns], axis=1)


def encode_column(column: EncodedColumn, values: pa.ChunkedArray) -> NDArray[np.float64]:
    """Encode one column, shape (n_rows,); see :func:`encode`."""
    if column.kind is Kind.CATEGORICAL:
        return _codes(column, values)
    if not (is_number(values.type) or pa.types.is_null(values.type)):
        msg = f"column {column.name!r} was numeric at fit and now has type {values.type}"
        raise SchemaError(msg)
    # Unsafe only in that integers beyond 2**53 are rounded to the next float64.
    numbers = values.cast(pa.float64(), safe=False).to_numpy()
    is_infinite = np.isinf(numbers)
    if is_infinite.any():
        infinite = np.flatnonzero(is_infinite)
        rows = shorten(infinite + 1)
        msg = (
            f"column {column.name!r} holds {infinite.size} infinite numbers (rows {rows}); "
            "set them to missing or to a finite number"
        )
        raise SchemaError(msg)
    return numbers


def unseen_in(columns: Sequence[EncodedColumn], matrix: NDArray[np.float64]) -> dict[str, int]:
    """Count the cells whose level is not in the vocabulary, by column; columns without any are left out.

    Parameters
    ----------
    columns : sequence of EncodedColumn
    matrix : ndarray of float64, shape (n_rows, n_columns)
        From :func:`encode`.

    Returns
    -------
    dict of str to int

    Examples
    --------
    >>> unseen_in([EncodedColumn("source", Kind.CATEGORICAL, ("ads", "fair"))], np.array([[0.0], [2.0]]))
    {'source': 1}
    """
    unseen = [c.unseen_code if c.kind is Kind.CATEGORICAL else np.nan for c in columns]
    counts = np.count_nonzero(matrix == np.array(unseen), axis=0)
    return {c.name: int(n) for c, n in zip(columns, counts, strict=True) if n}


def is_number(kind: pa.DataType) -> bool:
    """Say whether a column of this type passes through as a number; truth values are 0 and 1."""
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)


def is_text(kind: pa.DataType) -> bool:
    """Say whether a column of this type holds levels; nothing but missing ones are levels too."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_null(kind)
    )


def _codes(column: EncodedColumn, values: pa.ChunkedArray) -> NDArray[np.float64]:
    if not is_text(values.type):
        msg = f"column {column.name!r} was categorical at fit and now has type {values.type}; give it as text"
        raise SchemaError(msg)
    parts = [_codes_of_chunk(column, chunk) for chunk in values.chunks]
    return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0), *parts])


def _codes_of_chunk(column: EncodedColumn, chunk: pa.Array) -> NDArray[np.float64]:
    """Look each level up once, then spread the codes over the rows."""
    if not pa.types.is_dictionary(chunk.type):
        chunk = chunk.dictionary_encode()
    levels = chunk.dictionary.cast(pa.large_string())
    # One code more than levels: that of a missing cell.
    codes = np.full(len(levels) + 1, np.nan)
    places = pc.index_in(levels, value_set=column.vocabulary)
    codes[:-1] = pc.fill_null(places, len(column.levels)).to_numpy(zero_copy_only=False)
    codes[:-1][pc.is_null(levels).to_numpy(zero_copy_only=False)] = np.nan
    rows = pc.fill_null(chunk.indices.cast(pa.int32()), len(levels))
    return codes.take(rows.to_numpy(zero_copy_only=False))
