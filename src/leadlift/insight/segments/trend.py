"""conversion_trend(): how often leads are won, period by period."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.exceptions import InputError
from leadlift.insight.segments.inputs import moments, outcomes
from leadlift.insight.segments.rates import rate_columns

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

MOST_PERIODS = 12


def conversion_trend(
    won: ArrayLike,
    as_of: ArrayLike,
    *,
    period_days: float = 90,
    confidence: float = 0.95,
    least_leads: int = 30,
    most_periods: int = MOST_PERIODS,
) -> pa.Table:
    """Count how often leads are won, period by period back from the last lead.

    Parameters
    ----------
    won : array of bool, shape (n_leads,)
        Only leads whose outcome is known.
    as_of : array of dates, shape (n_leads,)
        When each lead was observed; leads without a date are left out.
    period_days : float, default=90
        Length of a period. The earliest leads, if they do not fill one, are left out.
    confidence : float, default=0.95
    least_leads : int, default=30
        Periods of fewer leads are too few to say anything of.
    most_periods : int, default=12
        The latest so many periods.

    Returns
    -------
    pyarrow.Table
        One row a period, earliest first: ``period_start``, ``period_end`` (timestamp us; a period holds
        leads after its start, up to its end); ``n``, ``won`` (int64); ``rate`` with its exact interval
        ``low``, ``high``; ``lift``, ``share_of_leads``, ``share_of_wins``, all against the periods shown
        (float64); ``too_few`` (bool).

    Raises
    ------
    InputError
        There is no lead, an outcome is not known, lengths differ, or `as_of` holds no dates.

    Examples
    --------
    >>> days = np.datetime64("2026-01-01") + np.arange(100)
    >>> trend = conversion_trend(np.arange(100) >= 70, days, period_days=50)
    >>> trend["n"].to_pylist(), trend["rate"].to_pylist()
    ([50, 50], [0.0, 0.6])
    """
    if not (period_days > 0 and most_periods > 0):
        msg = f"period_days and most_periods must be positive, got {period_days} and {most_periods}"
        raise InputError(msg)
    won = outcomes(won, np.shape(as_of)[0])
    as_of = moments(as_of, len(won))
    won, as_of = won[~np.isnat(as_of)], as_of[~np.isnat(as_of)]
    period = np.timedelta64(round(period_days * 86_400_000_000), "us")
    ago = (as_of.max() - as_of) // period
    n_whole = int((as_of.max() - as_of.min() + np.timedelta64(1, "D")) // period)
    n_periods = min(max(n_whole, 1), most_periods)
    inside = ago < n_periods
    n = np.bincount(ago[inside], minlength=n_periods)[::-1]
    n_won = np.bincount(ago[inside & won], minlength=n_periods)[::-1]
    ends = as_of.max() - period * np.arange(n_periods)[::-1]
    whole = {"period_start": ends - period, "period_end": ends, "n": n, "won": n_won}
    rates = rate_columns(
        n, n_won, int(n.sum()), int(n_won.sum()), confidence=confidence, least_leads=least_leads
    )
    return pa.table(whole | rates)
