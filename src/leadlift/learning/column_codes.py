"""Code the columns of a matrix by ascending thresholds: a value's code is the number of thresholds below it.

A question ``x > threshold`` about a value is the question ``code > rank`` about its code, and small whole
numbers are compared eight times as many at a time as float64. A value finds its code without a search: the
range of a column's thresholds is cut into cells of equal width, and only the few thresholds of the value's
own cell are compared with it. Values and thresholds go to their cells by the same monotone arithmetic, so
that all thresholds in lower cells are below the value, and none in higher cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from leadlift.learning.pattern_kernels import code_columns, kernel

# LightGBM's kZeroThreshold, a float32: what is no further from zero is zero.
ZERO_THRESHOLD = float(np.float32(1e-35))
MISSING = -1
MOST_THRESHOLDS = 2**15 - 1
N_CELLS = 256
# Up to so many thresholds a cell are all compared; where there are more, they are searched.
FEW = 4


class Thresholds(NamedTuple):
    """The thresholds of all coded columns, end to end, as the loops read them.

    Parameters
    ----------
    feature : ndarray of int64, shape (n_coded,)
        Column of the matrix.
    zero_is_missing : ndarray of bool, shape (n_coded,)
    start : ndarray of int64, shape (n_coded + 1,)
        Place of each column's first threshold; infinite ones stand between the columns.
    thresholds : ndarray of float64
    lowest, cells_per_unit : ndarray of float64, shape (n_coded,)
        ``(x - lowest) * cells_per_unit``, held within the cells, is the cell of x.
    below_cell : ndarray of uint32, shape (n_coded, N_CELLS + 1)
        Number of thresholds in lower cells.
    most_in_cell : ndarray of int64, shape (n_coded,)
    """

    feature: np.ndarray
    zero_is_missing: np.ndarray
    start: np.ndarray
    thresholds: np.ndarray
    lowest: np.ndarray
    cells_per_unit: np.ndarray
    below_cell: np.ndarray
    most_in_cell: np.ndarray


@dataclass(frozen=True, eq=False)
class ColumnCodes:
    """Codes columns of a matrix. Made by :meth:`of`.

    Examples
    --------
    >>> codes = ColumnCodes.of([1], [np.array([0.5, 2.0])])
    >>> codes.code(np.array([[9.0, 0.5], [9.0, 0.6], [9.0, 7.0], [9.0, np.nan]]))
    array([[ 0,  1,  2, -1]], dtype=int16)
    """

    _thresholds: Thresholds = field(repr=False)

    @classmethod
    def of(
        cls,
        features: Sequence[int],
        thresholds: Sequence[np.ndarray],
        zero_is_missing: Sequence[bool] | None = None,
    ) -> ColumnCodes:
        """Prepare the coding.

        Parameters
        ----------
        features : sequence of int
            Columns of the matrix, which may repeat.
        thresholds : sequence of ndarray of float64
            Of each, ascending and without NaN; at most 32,767.
        zero_is_missing : sequence of bool, optional
            Of each, whether values within 1e-35 of zero are missing; None takes none.

        Returns
        -------
        ColumnCodes

        Raises
        ------
        ValueError
            A column has more thresholds.
        """
        most = max(map(len, thresholds), default=0)
        if most > MOST_THRESHOLDS:
            msg = f"expected at most {MOST_THRESHOLDS} thresholds a column, but got {most}"
            raise ValueError(msg)
        # The gaps let every row compare as many thresholds, without a look at where its column ends.
        gap = np.full(FEW, np.inf)
        parts = [part for own in thresholds for part in (own, gap)]
        lowest, cells_per_unit = _scales(thresholds)
        below_cell = _below_cells(thresholds, lowest, cells_per_unit)
        zero = np.zeros(len(features), bool) if zero_is_missing is None else np.asarray(zero_is_missing, bool)
        return cls(
            Thresholds(
                feature=np.asarray(features, dtype=np.int64),
                zero_is_missing=zero,
                start=np.cumsum([0, *(len(own) + FEW for own in thresholds)], dtype=np.int64),
                thresholds=np.concatenate([np.empty(0), *parts]),
                lowest=lowest,
                cells_per_unit=cells_per_unit,
                below_cell=below_cell,
                most_in_cell=np.diff(below_cell.astype(np.int64), axis=1).max(axis=1, initial=0),
            )
        )

    @property
    def n_coded(self) -> int:
        """Number of coded columns."""
        return self._thresholds.feature.size

    def code(self, X: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Return the codes of the coded columns.

        Parameters
        ----------
        X : ndarray of float64, shape (n, n_columns)
        out : ndarray of int16, shape (n_coded, n), optional
            Where to write them.

        Returns
        -------
        ndarray of int16, shape (n_coded, n)
            Number of the column's thresholds that the value exceeds; -1 for missing.
        """
        out = np.empty((self.n_coded, len(X)), np.int16) if out is None else out
        kernel(code_columns)(np.ascontiguousarray(X), self._thresholds, ZERO_THRESHOLD, FEW, out)
        return out


def _scales(thresholds: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return each column's lowest finite threshold, and the cells a unit; 0 where one cell does for all."""
    lowest, cells_per_unit = np.zeros(len(thresholds)), np.zeros(len(thresholds))
    for k, own in enumerate(thresholds):
        finite = own[np.isfinite(own)]
        if finite.size > 1:
            # Halves, because the difference of two numbers may be too large for a number.
            half = finite[-1] / 2 - finite[0] / 2
            lowest[k], cells_per_unit[k] = finite[0], (N_CELLS - 1) / 2 / max(half, 1e-300)
    return lowest, cells_per_unit


def _below_cells(
    thresholds: Sequence[np.ndarray], lowest: np.ndarray, cells_per_unit: np.ndarray
) -> np.ndarray:
    """Return the number of thresholds in lower cells, for each column and cell, and the end."""
    below = np.zeros((len(thresholds), N_CELLS + 1), np.uint32)
    for k, own in enumerate(thresholds):
        with np.errstate(over="ignore", invalid="ignore"):
            cell = (own - lowest[k]) * cells_per_unit[k]
        # The order of the comparisons sends NaN, which is infinity times 0, to the first cell.
        cell = np.where(cell > 0, cell, 0.0)
        cell = np.where(cell < N_CELLS - 1, cell, N_CELLS - 1.0)
        below[k] = np.searchsorted(cell.astype(np.int64), np.arange(N_CELLS + 1))
    return below
