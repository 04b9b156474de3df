"""What was known of some observations, as columns of numbers, and how it is counted.

Counts, sums and "the last one" come from integers only, so they are the same whatever order an engine
returns its rows in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadlift.features.statements import NONE

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAY_US = 86_400_000_000
"""Microseconds of a day."""


@dataclass(frozen=True)
class KnownActs:
    """The acts that were known at the moment of some observations: one row an observation and act.

    Parameters
    ----------
    n_rows : int
        Observations.
    row : ndarray of int64, shape (n_known,)
        Observation of each row, from 0.
    age_us : ndarray of int64, shape (n_known,)
        Microseconds from the act to as_of, > 0.
    columns : dict of str to ndarray
        Columns of the acts; see :func:`leadlift.features.statements.acts`.
    type_names, channel_names : tuple of str
        What the numbers in the columns ``type`` and ``channel`` mean.
    """

    n_rows: int
    row: NDArray[np.int64]
    age_us: NDArray[np.int64]
    columns: dict[str, NDArray]
    type_names: tuple[str, ...]
    channel_names: tuple[str, ...]

    def __getitem__(self, column: str) -> NDArray:
        """Return a column of the acts."""
        return self.columns[column]

    def select(self, mask: NDArray[np.bool_], columns: Sequence[str] | None = None) -> KnownActs:
        """Return the rows where `mask` holds, for the same observations.

        Parameters
        ----------
        mask : ndarray of bool, shape (n_known,)
        columns : sequence of str, optional
            Columns to take along; all, if not given.

        Returns
        -------
        KnownActs
        """
        names = self.columns if columns is None else columns
        columns = {name: self.columns[name][mask] for name in names}
        return KnownActs(
            self.n_rows, self.row[mask], self.age_us[mask], columns, self.type_names, self.channel_names
        )

    def count(
        self,
        keys: NDArray[np.int64],
        n_keys: int,
        windows_days: Sequence[float],
        weights: NDArray | None = None,
    ) -> NDArray[np.int64]:
        """Count acts by key in look-back windows.

        Parameters
        ----------
        keys : ndarray of int64, shape (n_known,)
            Key of each act, from 0 to `n_keys` - 1.
        n_keys : int
        windows_days : sequence of float
            Ascending; an act lies in a window when it is at most so many days old.
        weights : ndarray of int64, shape (n_known,), optional
            What to add up instead of ones.

        Returns
        -------
        ndarray of int64, shape (len(windows_days) + 1, n_keys, n_rows)
            One block a window; the last one is for all time.
        """
        n_bands = len(windows_days) + 1
        ends = np.array([round(days * DAY_US) for days in windows_days], dtype=np.int64)
        band = np.searchsorted(ends, self.age_us)
        cell = (band * n_keys + keys) * self.n_rows + self.row
        # bincount adds in float64, which is exact for integers below 2**53.
        counts = np.bincount(cell, weights, minlength=n_bands * n_keys * self.n_rows)
        counts = counts.astype(np.int64, copy=False).reshape(n_bands, n_keys, self.n_rows)
        return np.cumsum(counts, axis=0, out=counts)

    def total(self, weights: NDArray | None = None) -> NDArray[np.int64]:
        """Return the number of acts of each observation, or the sum of integer `weights`; shape (n_rows,)."""
        return np.bincount(self.row, weights, minlength=self.n_rows).astype(np.int64, copy=False)

    def youngest_us(self, keys: NDArray[np.int64], n_keys: int) -> NDArray[np.int64]:
        """Return the age of the last act by key, shape (n_keys, n_rows); -1 where there is none."""
        never = np.iinfo(np.int64).max
        age = np.full(n_keys * self.n_rows, never)
        np.minimum.at(age, keys * self.n_rows + self.row, self.age_us)
        age[age == never] = NONE
        return age.reshape(n_keys, self.n_rows)

    def least(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the least value of each observation, shape (n_rows,); -1 where it has no act."""
        never = np.iinfo(np.int64).max
        least = np.full(self.n_rows, never)
        np.minimum.at(least, self.row, values)
        least[least == never] = NONE
        return least

    def greatest(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the greatest value, all >= 0, of each observation, shape (n_rows,); -1 without an act."""
        greatest = np.full(self.n_rows, NONE, dtype=np.int64)
        np.maximum.at(greatest, self.row, values)
        return greatest

    def at_first(self, column: str) -> NDArray[np.int64]:
        """Return the value of a column in the first act, shape (n_rows,); -1 where there is none."""
        return self._at(column, self["seq"] == 1)

    def at_last(self, column: str, *, back: int = 0) -> NDArray[np.int64]:
        """Return the value of a column in the last act, or `back` acts before it; -1 where there is none."""
        # Acts of a lead are numbered from 1 in the order of time, so the last one known bears their number.
        return self._at(column, self["seq"] == self.total()[self.row] - back)

    def _at(self, column: str, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        values = np.full(self.n_rows, NONE, dtype=np.int64)
        values[self.row[mask]] = self[column][mask]
        return values


def numbered(names: Sequence[str], vocabulary: Sequence[str]) -> NDArray[np.int64]:
    """Return the place of each name in a vocabulary, and one past its end where it is not there.

    Examples
    --------
    >>> numbered(["visit", "fax", "form"], ["form", "visit"]).tolist()
    [1, 2, 0]
    """
    places = {name: place for place, name in enumerate(vocabulary)}
    return np.array([places.get(name, len(places)) for name in names], dtype=np.int64)
