"""Columns of any kind as integer levels, the one form in which the leakage gate looks at them.

A category is its own level, a number falls into a bin, missing is a level of its own. No label takes part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from leadlift.data.values import is_number

MISSING = 0


@dataclass(frozen=True)
class LevelColumn:
    """One column as integer levels.

    Parameters
    ----------
    name : str
        Column name.
    codes : ndarray of shape (n_rows,), int64
        Level of each row; 0 is missing.
    names : tuple of str
        What each level is called in a message; the first is missing.
    noted : ndarray of shape (n_rows,), bool
        Rows in which something is written: not missing and, for a number most of whose values are the
        same (such as 0), not that value.
    """

    name: str
    codes: NDArray[np.int64]
    names: tuple[str, ...]
    noted: NDArray[np.bool_]

    @property
    def n_levels(self) -> int:
        """Number of levels, missing included."""
        return len(self.names)


def level_column(name: str, values: pa.ChunkedArray | pa.Array, *, n_bins: int) -> LevelColumn:
    """Turn a column into levels.

    Parameters
    ----------
    name : str
        Column name.
    values : Array
        float64, or string; null and NaN are missing.
    n_bins : int
        Most bins of a number that has more distinct values than that, at least 2. Edges are quantiles.

    Returns
    -------
    LevelColumn

    Examples
    --------
    >>> column = level_column("source", pa.array(["web", None, "fair"]), n_bins=4)
    >>> column.names, column.codes.tolist()
    (('missing', "'fair'", "'web'"), [2, 0, 1])
    """
    if is_number(values.type):
        return _numeric(name, np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64), n_bins)
    return _categorical(name, values)


def number_of_bins(y: NDArray[np.int_]) -> int:
    """Return how many bins of a number the rarer class can fill with about ten rows each, 3 to 20."""
    rarer = int(min(np.sum(y == 1), np.sum(y == 0)))
    return int(np.clip(rarer // 10, 3, 20))


def _categorical(name: str, values: pa.ChunkedArray | pa.Array) -> LevelColumn:
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    encoded = whole.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order) + 1, dtype=np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    rank[-1] = MISSING
    codes = rank[encoded.indices.fill_null(len(order)).to_numpy()]
    names = tuple(repr(level[:40]) for level in encoded.dictionary.take(pa.array(order)).to_pylist())
    return LevelColumn(name, codes, ("missing", *names), codes != MISSING)


def _numeric(name: str, numbers: NDArray[np.float64], n_bins: int) -> LevelColumn:
    present = ~np.isnan(numbers)
    values, counts = np.unique(numbers[present], return_counts=True)
    codes = np.zeros(len(numbers), dtype=np.int64)
    if len(values) == 0:
        return LevelColumn(name, codes, ("missing",), present)
    common = values[np.argmax(counts)]
    mostly_common = counts.max() >= 0.5 * present.sum()
    lower = _lower_edges(values, counts, n_bins)
    codes[present] = np.searchsorted(lower, numbers[present], side="right")
    noted = present & (numbers != common) if mostly_common else present
    return LevelColumn(name, codes, ("missing", *_bin_names(lower, values)), noted)


def _lower_edges(values: NDArray[np.float64], counts: NDArray[np.int64], n_bins: int) -> NDArray[np.float64]:
    """Smallest value of each bin: each value where they are few, else quantiles; a common value alone."""
    if len(values) <= n_bins:
        return values
    position = np.cumsum(counts) - counts
    starts = np.unique(np.searchsorted(position, np.linspace(0, counts.sum(), n_bins, endpoint=False)))
    starts = starts[starts < len(values)]
    alone = np.flatnonzero(counts >= counts.sum() / n_bins)
    after = alone[alone + 1 < len(values)] + 1
    return values[np.unique(np.concatenate(([0], starts, alone, after)))]


def _bin_names(lower: NDArray[np.float64], values: NDArray[np.float64]) -> list[str]:
    upper = values[np.append(np.searchsorted(values, lower[1:]) - 1, len(values) - 1)]
    return [
        f"{low:g}" if low == high else f"{low:g} to {high:g}" for low, high in zip(lower, upper, strict=True)
    ]
