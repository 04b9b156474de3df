"""Windows of time by the moment of scoring, and one row a lead in each of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from leadlift.data.observation_plan import in_days
from leadlift.learning.cutoff.base import check_range

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A Monday, so that windows of whole weeks begin on one.
FIRST_MONDAY = np.datetime64("1970-01-05", "us")
UNDATED = np.iinfo(np.int64).min
"""Number of the window of rows that were scored without a moment."""


@dataclass(frozen=True)
class Windows:
    """Windows of equal length whose edges do not depend on the data, so that a later run tests the same ones.

    Parameters
    ----------
    days : float, default=28
        Length, above 0.

    Raises
    ------
    ConfigError
        The length is not above 0.

    Examples
    --------
    >>> windows = Windows(28)
    >>> number = windows.number(np.array(["2026-01-12T08:00"], dtype="datetime64[us]"))[0]
    >>> windows.start(number).date().isoformat(), windows.end(number).date().isoformat()
    ('2025-12-22', '2026-01-19')
    """

    days: float = 28.0

    def __post_init__(self) -> None:
        check_range("window_days", self.days, 0, float("inf"), open_ends=True)

    def number(self, as_of: NDArray[np.datetime64]) -> NDArray[np.int64]:
        """Return the number of the window of each moment; :data:`UNDATED` where there is none."""
        # NaT gives whatever number; it is replaced.
        number = (as_of - FIRST_MONDAY).astype(np.int64) // in_days(self.days).astype(np.int64)
        return np.where(np.isnat(as_of), UNDATED, number)

    def start(self, number: int) -> datetime | None:
        """Return the first moment of a window, UTC; None of the undated one."""
        return None if number == UNDATED else _utc(self._edge(number))

    def end(self, number: int) -> datetime | None:
        """Return the first moment after a window, UTC; None of the undated one."""
        return None if number == UNDATED else _utc(self._edge(number + 1))

    def is_over(self, number: int, moment: np.datetime64) -> bool:
        """Say whether a window has ended at a moment; the undated one has."""
        return number == UNDATED or bool(self._edge(number + 1) <= moment)

    def _edge(self, number: int) -> np.datetime64:
        return FIRST_MONDAY + number * in_days(self.days)


def _utc(moment: np.datetime64) -> datetime:
    return moment.astype("datetime64[us]").item().replace(tzinfo=UTC)


def in_lead_order(
    lead: NDArray[np.int64], as_of: NDArray[np.datetime64], score: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the places of rows by lead, then moment, then score, whatever order they came in."""
    return np.lexsort((score, as_of, lead))


def is_first(lead: NDArray[np.int64], window: NDArray[np.int64] | None = None) -> NDArray[np.bool_]:
    """Say which rows are the first of their lead, in each window where windows are given.

    Rows of one lead are not independent; the first one is chosen without looking at what became of it.

    Parameters
    ----------
    lead, window : ndarray of int64, shape (n_rows,)
        In the order of :func:`in_lead_order`.

    Returns
    -------
    ndarray of bool, shape (n_rows,)

    Examples
    --------
    >>> is_first(np.array([7, 7, 8])).tolist(), is_first(np.array([7, 7, 8]), np.array([0, 1, 1])).tolist()
    ([True, False, True], [True, True, True])
    """
    first = np.ones(len(lead), dtype=bool)
    first[1:] = lead[1:] != lead[:-1]
    if window is not None:
        first[1:] |= window[1:] != window[:-1]
    return first
