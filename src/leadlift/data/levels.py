"""Categorical columns as dictionaries: each level is cleaned and spelled once, however many rows have it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config import DataConfig
from leadlift.data.values import Column, level_text, plain

LEVELS = pa.dictionary(pa.int32(), pa.string())
"""Type of a categorical column of new leads."""


def encoded_levels(array: Column, data: DataConfig) -> pa.DictionaryArray:
    """Return a categorical column as a dictionary of the levels that a model sees.

    Parameters
    ----------
    array : pyarrow.Array or pyarrow.ChunkedArray
        A column as read: text, a dictionary of text, or any flat type of Parquet.
    data : DataConfig
        Decimal mark and missing values of text.

    Returns
    -------
    pyarrow.DictionaryArray
        Of type `LEVELS`, with the values of :func:`leadlift.data.values.level_text`. The dictionary holds
        each level once and no null; it may hold levels that no row has.

    Examples
    --------
    >>> from leadlift.config import DataConfig
    >>> levels = encoded_levels(pa.array(["web", " web", "", "1.0", "fair"]), DataConfig(leads="leads.csv"))
    >>> levels.dictionary.to_pylist(), levels.indices.to_pylist()
    (['web', '1', 'fair'], [0, 0, None, 1, 2])
    """
    encoded = _encoded(array)
    levels = level_text(plain(encoded.dictionary), data).dictionary_encode()
    indices = encoded.indices
    if levels.null_count or len(levels.dictionary) < len(levels):
        indices = levels.indices.take(indices)
    return pa.DictionaryArray.from_arrays(pc.cast(indices, pa.int32()), levels.dictionary)


def _encoded(array: Column) -> pa.DictionaryArray:
    """The column in one piece, with a dictionary that is no longer than it."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if not pa.types.is_dictionary(array.type):
        return array.dictionary_encode()
    return plain(array).dictionary_encode() if len(array.dictionary) > len(array) else array
