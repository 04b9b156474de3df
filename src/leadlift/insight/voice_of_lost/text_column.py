"""A column of texts, whatever it comes as."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from leadlift.data.values import is_text, plain
from leadlift.exceptions import InputError

Texts = pa.Array | pa.ChunkedArray | Iterable[str | None]
"""One text a lead, null or blank where there is none."""


def as_text(texts: Texts) -> pa.Array:
    """Return a column of text in one piece as plain strings.

    Parameters
    ----------
    texts : pyarrow array, pandas column or iterable of str
        None and NaN are missing; numbers, such as codes of reasons, become their digits.

    Returns
    -------
    pyarrow.Array of string

    Raises
    ------
    InputError
        The column mixes texts with something else.

    Examples
    --------
    >>> as_text(["too dear", None]).to_pylist()
    ['too dear', None]
    """
    try:
        arrow = texts if isinstance(texts, pa.Array | pa.ChunkedArray) else pa.array(texts, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        msg = f"expected a column of texts, got one that mixes types; give each row text or nothing ({error})"
        raise InputError(msg) from error
    column = plain(arrow)
    column = column if is_text(column.type) else column.cast(pa.string())
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
