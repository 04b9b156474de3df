"""Scored leads whose label is known, window by window: what the checks against outcomes are made on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from leadlift.lifecycle.monitoring.maturity import MATURE, ROW_STATES, TOO_EARLY
from leadlift.lifecycle.monitoring.windows import is_first

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from numpy.typing import NDArray

    from leadlift.lifecycle.monitoring.maturity import Matured
    from leadlift.lifecycle.monitoring.windows import Windows

# Without a horizon leads mature as they close, fast ones first; a window speaks when few are left.
LEAST_CLOSED = 0.95


@dataclass(frozen=True)
class JudgedLeads:
    """Rows with a known label, by lead and then by moment; arrays of shape (n_rows,).

    Parameters
    ----------
    label : str
        ``"won"`` or ``"became_sql"``.
    rows : ndarray of int64
        Places in the scored table.
    lead : ndarray of int64
        Number of each row's lead.
    as_of : ndarray of datetime64[us]
    window : ndarray of int64
        Number of the window of `as_of`.
    score : ndarray of float64
        Published probability of the label.
    won : ndarray of bool
        The label.
    weight : ndarray of float64
        Above 0.
    passed : mapping of str to ndarray of bool
        By stage whose line is drawn on `score`: who reached it.
    """

    label: str
    rows: NDArray[np.int64]
    lead: NDArray[np.int64]
    as_of: NDArray[np.datetime64]
    window: NDArray[np.int64]
    score: NDArray[np.float64]
    won: NDArray[np.bool_]
    weight: NDArray[np.float64]
    passed: Mapping[str, NDArray[np.bool_]]

    def take(self, places: NDArray) -> JudgedLeads:
        """Return the rows at some places, or where a mask is true."""
        arrays = (self.rows, self.lead, self.as_of, self.window, self.score, self.won, self.weight)
        passed = {stage: values[places] for stage, values in self.passed.items()}
        return JudgedLeads(self.label, *[values[places] for values in arrays], passed)

    @cached_property
    def by_window(self) -> dict[int, JudgedLeads]:
        """The first score of each lead in each window, by number of the window, ascending."""
        first = self.take(is_first(self.lead, self.window))
        return {int(number): first.take(first.window == number) for number in np.unique(first.window)}

    def first_within(self, numbers: tuple[int, ...]) -> JudgedLeads:
        """Return the first score of each lead within some windows."""
        within = self.take(np.isin(self.window, numbers))
        return within.take(is_first(within.lead))


@dataclass(frozen=True)
class Setting:
    """What all checks against outcomes go by.

    Parameters
    ----------
    windows : Windows
    complete : tuple of int
        Windows that speak, ascending: all their rows have matured, or nearly all where there is no horizon.
    level : float
        Of each test of a window but those of the base rate.
    base_rate_level : float
        Of the test of a window's base rate.
    n_evidence : int
        Leads by which the scores and cut-offs are known.
    """

    windows: Windows
    complete: tuple[int, ...]
    level: float
    base_rate_level: float
    n_evidence: int

    def dates(self, number: int) -> dict[str, datetime | None]:
        """Return the columns of the table that say which window it is."""
        return {"window_start": self.windows.start(number), "window_end": self.windows.end(number)}

    def all_dates(self) -> dict[str, datetime | None]:
        """Return the same of all complete windows together."""
        first, last = self.complete[0], self.complete[-1]
        return {"window_start": self.windows.start(first), "window_end": self.windows.end(last)}


def complete_windows(
    known: Matured, window: NDArray[np.int64], windows: Windows, horizon: np.timedelta64 | None
) -> tuple[int, ...]:
    """Return the numbers of the windows that speak, ascending.

    A window speaks when it is over, every moment in it is a horizon ago, and of its leads at least
    :data:`LEAST_CLOSED` are mature. A later run gives the same rows of it, so that looking every day is no
    other test than looking once.

    Parameters
    ----------
    known : Matured
    window : ndarray of int64, shape (n_scored,)
        Number of the window of each scored row.
    windows : Windows
    horizon : timedelta64 or None
        As the model was trained with.

    Returns
    -------
    tuple of int
    """
    is_mature, is_early = (known.state == ROW_STATES.index(name) for name in (MATURE, TOO_EARLY))
    numbers, place = np.unique(window, return_inverse=True)
    n_mature = np.bincount(place, weights=is_mature, minlength=len(numbers))
    n_early = np.bincount(place, weights=is_early, minlength=len(numbers))
    until = known.known_until if horizon is None else known.known_until - horizon
    enough = (n_mature > 0) & (n_mature >= LEAST_CLOSED * (n_mature + n_early))
    return tuple(
        int(n) for n, speaks in zip(numbers, enough, strict=True) if speaks and windows.is_over(n, until)
    )
