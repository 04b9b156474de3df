"""segments(): how often the leads of each segment are won, and whether that has changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from leadlift.exceptions import InputError
from leadlift.insight.segments.comparison import difference_bounds, fisher_p_values, q_values
from leadlift.insight.segments.inputs import known, leads_and_wins, moments
from leadlift.insight.segments.levels import condition_text, learn_levels
from leadlift.learning.intervals import share_bounds

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MOST_LEVELS = 20


def segments(
    values: Any,
    won: ArrayLike,
    *,
    columns: Sequence[str] | None = None,
    as_of: ArrayLike | None = None,
    period_days: float = 90,
    confidence: float = 0.95,
    false_discovery_rate: float = 0.05,
    least_leads: int = 30,
    most_levels: int = MOST_LEVELS,
) -> pa.Table:
    """Count how often leads are won by level of each column, and test what differs and what has changed.

    A category has a segment for each of its largest levels and one for all others; a number has about four
    of equal size, with readable edges; the missing are a segment of their own. Rates have exact intervals
    (Clopper and Pearson 1934), each at `confidence` by itself. Whether a segment *differs* from the rest of
    the leads is tested exactly (Fisher) and corrected for all segments looked at (Benjamini and Hochberg);
    so is, as a family of its own, whether its rate has *changed* between the latest period and the one
    before. A difference is an association: a campaign may win more because it reaches better leads.

    Parameters
    ----------
    values : table
        pyarrow, pandas or polars, one row a lead.
    won : array of bool, shape (n_leads,)
        Only leads whose outcome is known.
    columns : sequence of str, optional
        Columns by which to split; all that hold text, numbers or booleans by default.
    as_of : array of dates, shape (n_leads,), optional
        When each lead was observed. The latest period ends with the last of them. Give only leads whose
        outcome had time to show, or the latest ones seem to win less.
    period_days : float, default=90
        Length of a period.
    confidence : float, default=0.95
        Of all intervals.
    false_discovery_rate : float, default=0.05
        Expected share of false ones among the segments said to differ, and among those said to have changed.
    least_leads : int, default=30
        Segments of fewer leads are too few to say anything of, and are not tested.
    most_levels : int, default=20
        Levels of a category with segments of their own.

    Returns
    -------
    pyarrow.Table
        One row a segment that has leads, columns in the order given, largest levels first, intervals
        ascending: ``column``, ``segment`` (string, at most 60 characters of a level), ``text``, the segment
        in words (string); ``n``, ``won`` (int64); ``rate``, ``low``, ``high``; ``lift``, rate over that of
        all leads; ``share_of_leads``,
        ``share_of_wins``; ``p_value``, against all other leads, and ``q_value`` (float64, null where not
        tested); ``differs`` and ``too_few`` (bool). With `as_of` also ``latest_n``, ``previous_n`` (int64),
        ``latest_rate``, ``previous_rate``, ``change`` with ``change_low`` and ``change_high`` (Newcombe
        1998), ``change_q_value`` (float64; null where a period has too few leads), ``changed`` (bool).

    Raises
    ------
    InputError
        There is no lead, an outcome is not known, lengths differ, or `as_of` holds no dates.
    SchemaError
        A column is not there, or holds neither text nor numbers nor booleans.

    Examples
    --------
    >>> table = segments(
    ...     pa.table({"source": ["ads"] * 60 + ["referral"] * 40}), [False] * 57 + [True] * 43
    ... )
    >>> table["segment"].to_pylist(), table["rate"].to_pylist(), table["differs"].to_pylist()
    (['ads', 'referral'], [0.05, 1.0], [True, True])
    """
    values, won = leads_and_wins(values, won, columns)
    in_periods = _periods(as_of, values.num_rows, period_days)
    parts = [_counts(name, values[name], won, in_periods, most_levels) for name in values.column_names]
    counts = pa.concat_tables(parts)
    n, n_won = counts["n"].to_numpy(), counts["won"].to_numpy()
    n_leads, n_wins = len(won), int(won.sum())
    found = {name: counts[name] for name in ("column", "segment", "text", "n", "won")}
    found |= rate_columns(n, n_won, n_leads, n_wins, confidence=confidence, least_leads=least_leads)
    found |= tested_columns(n, n_won, n_leads, n_wins, false_discovery_rate, least_leads)
    if as_of is not None:
        found |= _changes(counts, confidence, false_discovery_rate, least_leads)
    return pa.table(found)


def rate_columns(
    n: NDArray[np.int64],
    won: NDArray[np.int64],
    n_leads: int,
    n_wins: int,
    *,
    confidence: float,
    least_leads: int,
) -> dict[str, pa.Array]:
    """Return what every table of groups of leads says of them.

    Parameters
    ----------
    n, won : ndarray of int64, shape (n_groups,)
        Leads and won leads of each group.
    n_leads, n_wins : int
        Of all leads.
    confidence : float
    least_leads : int

    Returns
    -------
    dict of str to pyarrow.Array
        ``rate`` with ``low`` and ``high``, ``lift``, ``share_of_leads``, ``share_of_wins`` (float64; null
        where there is nothing to divide by) and ``too_few`` (bool).
    """
    low, high = share_bounds(won, n, confidence)
    rate = won / np.maximum(n, 1)
    return {
        "rate": known(rate, n > 0),
        "low": known(low, n > 0),
        "high": known(high, n > 0),
        "lift": known(rate * n_leads / max(n_wins, 1), (n > 0) & (n_wins > 0)),
        "share_of_leads": known(n / n_leads),
        "share_of_wins": known(won / max(n_wins, 1), np.full(len(n), n_wins > 0)),
        "too_few": pa.array(n < least_leads),
    }


def tested_columns(
    n: NDArray[np.int64],
    won: NDArray[np.int64],
    n_leads: int,
    n_wins: int,
    false_discovery_rate: float,
    least_leads: int,
) -> dict[str, pa.Array]:
    """Compare each group of leads with all others.

    Parameters
    ----------
    n, won : ndarray of int64, shape (n_groups,)
    n_leads, n_wins : int
        Of all leads.
    false_discovery_rate : float
    least_leads : int

    Returns
    -------
    dict of str to pyarrow.Array
        ``p_value`` and ``q_value`` (float64, null where the group is too small or is all leads) and
        ``differs`` (bool).
    """
    is_look = (n >= least_leads) & (n < n_leads)
    p_values = fisher_p_values(won, n, n_wins - won, n_leads - n)
    q = q_values(p_values, is_look)
    return {
        "p_value": known(p_values, is_look),
        "q_value": known(q),
        "differs": pa.array(is_look & (np.nan_to_num(q, nan=1.0) <= false_discovery_rate)),
    }


def _periods(as_of: ArrayLike | None, n_leads: int, period_days: float) -> dict[str, NDArray[np.bool_]]:
    """Return which leads fall in the latest period and in the one before, both open at their start."""
    if as_of is None:
        return {}
    if not period_days > 0:
        msg = f"period_days must be positive, got {period_days}"
        raise InputError(msg)
    as_of = moments(as_of, n_leads)
    ago = (as_of[~np.isnat(as_of)].max() - as_of) / np.timedelta64(1, "D")
    return {"latest": ago < period_days, "previous": (ago >= period_days) & (ago < 2 * period_days)}


def _counts(
    name: str,
    column: pa.ChunkedArray,
    won: NDArray[np.bool_],
    in_periods: dict[str, NDArray[np.bool_]],
    most_levels: int,
) -> pa.Table:
    """Count leads and won leads by segment of one column."""
    levels = learn_levels(name, column, most_levels)
    codes = levels.codes(column)
    size = len(levels.names)
    n = np.bincount(codes, minlength=size)
    counted = {"n": n, "won": np.bincount(codes[won], minlength=size)}
    for period, inside in in_periods.items():
        counted[f"{period}_n"] = np.bincount(codes[inside], minlength=size)
        counted[f"{period}_won"] = np.bincount(codes[inside & won], minlength=size)
    texts = [condition_text(name, levels, [code]) for code in range(size)]
    names = {"column": [name] * size, "segment": levels.names, "text": texts}
    return pa.table(names | counted).filter(pa.array(n > 0))


def _changes(counts: pa.Table, confidence: float, rate: float, least_leads: int) -> dict[str, pa.Array]:
    """Compare the latest period of each segment with the one before."""
    latest = counts["latest_won"].to_numpy(), counts["latest_n"].to_numpy()
    previous = counts["previous_won"].to_numpy(), counts["previous_n"].to_numpy()
    is_look = np.minimum(latest[1], previous[1]) >= max(least_leads, 1)
    latest_rate, previous_rate = (won / np.maximum(n, 1) for won, n in (latest, previous))
    safe = [np.where(is_look, count, 1) for count in (*latest, *previous)]
    low, high = difference_bounds(*safe, confidence)
    q = q_values(fisher_p_values(*latest, *previous), is_look)
    return {
        "latest_n": counts["latest_n"],
        "latest_rate": known(latest_rate, latest[1] > 0),
        "previous_n": counts["previous_n"],
        "previous_rate": known(previous_rate, previous[1] > 0),
        "change": known(latest_rate - previous_rate, is_look),
        "change_low": known(low, is_look),
        "change_high": known(high, is_look),
        "change_q_value": known(q),
        "changed": pa.array(is_look & (np.nan_to_num(q, nan=1.0) <= rate)),
    }
