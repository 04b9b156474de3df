"""Columns of the leads, whatever their Arrow type, as features hold them: float64 or string."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config import DataConfig
from leadlift.data.values import Column, convert_column, plain
from leadlift.terms import Kind

_PLAIN = DataConfig(leads="in memory")
"""A table in memory is read without a configuration: what it holds was cleaned when it was read."""


def as_feature(column: Column, kind: Kind) -> pa.Array:
    """Return a column of the leads as a feature column.

    Parameters
    ----------
    column : pyarrow.Array or pyarrow.ChunkedArray
        Of any flat type.
    kind : Kind

    Returns
    -------
    pyarrow.Array of float64 or string
        Null where missing, and where a numeric column holds no finite number.

    Examples
    --------
    >>> as_feature(pa.array([1, None, 3], pa.int16()), Kind.NUMERIC).to_pylist()
    [1.0, None, 3.0]
    >>> as_feature(pa.array([1.0, None, 2.5]), Kind.CATEGORICAL).to_pylist()
    ['1', None, '2.5']
    """
    values = plain(column)
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if kind is Kind.CATEGORICAL and values.type == pa.string():
        return values
    values, is_bad = convert_column(values, kind, _PLAIN, name="")
    return pc.if_else(is_bad, None, values)
