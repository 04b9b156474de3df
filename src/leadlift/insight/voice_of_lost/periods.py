"""Moments cut into periods that are counted back from the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.exceptions import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

PERIOD_DAYS = 90.0
NO_PERIOD = -1


def periods_back(moments: NDArray[np.datetime64], period_days: float) -> NDArray[np.int64]:
    """Return how many periods before the latest each moment lies.

    The latest period ends with the last moment; a period is open at its begin.

    Parameters
    ----------
    moments : ndarray of datetime64[us]
    period_days : float
        Above 0.

    Returns
    -------
    ndarray of int64
        0 in the latest period, 1 in the one before, and so on; -1 where there is no moment.

    Raises
    ------
    InputError
        `period_days` is not above 0.

    Examples
    --------
    >>> days = np.array(["2024-03-31", "2024-03-30", "2024-03-01", "NaT"], dtype="datetime64[us]")
    >>> periods_back(days, 30).tolist()
    [0, 0, 1, -1]
    """
    known = ~np.isnat(moments)
    back = np.full(len(moments), NO_PERIOD)
    length = _period(period_days)
    if known.any():
        back[known] = (moments[known].max() - moments[known]) // length
    return back


def period_begins(moments: NDArray[np.datetime64], period_days: float, back: NDArray[np.int64]) -> pa.Array:
    """Return when periods begin, as timestamps in UTC; the first moment of a period comes after that.

    Parameters
    ----------
    moments, period_days
        As in :func:`periods_back`.
    back : ndarray of int64
        Periods before the latest.

    Returns
    -------
    pyarrow.Array of timestamp, UTC
    """
    if not len(back):
        return pa.array([], pa.timestamp("us", "UTC"))
    last = moments[~np.isnat(moments)].max()
    return pa.array(last - (back + 1) * _period(period_days)).cast(pa.timestamp("us", "UTC"))


def _period(period_days: float) -> np.timedelta64:
    if not period_days > 0:
        msg = f"period_days must be above 0, got {period_days}"
        raise InputError(msg)
    return np.timedelta64(max(1, round(period_days * 86_400_000_000)), "us")
