"""Which features say nothing that others do not say: they cost time and split the credit in reasons."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa

from leadlift.data.values import is_number


def redundant(features: pa.Table) -> tuple[str, ...]:
    """Return the columns with one value in every row, and those equal to an earlier column.

    Parameters
    ----------
    features : pyarrow.Table
        Numbers and strings; null is missing, and a value of its own.

    Returns
    -------
    tuple of str
        Names, in the order of the columns.

    Examples
    --------
    >>> redundant(pa.table({"n_7d": [1, 2], "n_30d": [1, 2], "n_other": [0, 0], "n_all": [1, 3]}))
    ('n_30d', 'n_other')
    """
    seen: set[bytes] = set()
    found = []
    for name in features.column_names:
        codes = _codes(features[name])
        digest = hashlib.sha256(codes.tobytes()).digest()
        if digest in seen or (codes == codes[:1]).all():
            found.append(name)
        seen.add(digest)
    return tuple(found)


def _codes(column: pa.ChunkedArray) -> np.ndarray:
    """Numbers that are equal where the cells are."""
    if is_number(column.type):
        return column.cast(pa.float64()).to_numpy().view(np.int64)
    encoded = column.combine_chunks().dictionary_encode()
    names = np.array([*encoded.dictionary.to_pylist(), ""], dtype=object)
    digests = [hashlib.sha256(name.encode()).digest()[:8] for name in names]
    hashes = np.array([int.from_bytes(digest, "big", signed=True) for digest in digests])
    hashes[-1] = -1
    return hashes[encoded.indices.fill_null(len(names) - 1).to_numpy(zero_copy_only=False)]
