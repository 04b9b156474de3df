"""Why leads were lost, as recorded: how often, what has changed, and in which segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.values import clean_text
from leadlift.insight.groups import MOST_GROUPS, Groups, groups_of
from leadlift.insight.segments.comparison import difference_bounds, fisher_p_values, q_values
from leadlift.insight.segments.inputs import known, moments, outcomes
from leadlift.insight.share_ratio import share_of
from leadlift.insight.voice_of_lost.crossed import (
    compare_segments,
    crossed_counts,
    segment_groups,
    share_columns,
)
from leadlift.insight.voice_of_lost.masking import mask_personal_data
from leadlift.insight.voice_of_lost.periods import NO_PERIOD, PERIOD_DAYS, period_begins, periods_back
from leadlift.insight.voice_of_lost.text_column import as_text

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from leadlift.insight.voice_of_lost.text_column import Texts

REASON = "reason"
LEAST_SHOWN = 5
"""A reason noted for fewer leads is counted with the others: such a text may speak of one person."""


def loss_reasons(
    reason: Texts,
    lost: ArrayLike,
    *,
    closed_at: ArrayLike | None = None,
    period_days: float = PERIOD_DAYS,
    confidence: float = 0.95,
    false_discovery_rate: float = 0.05,
    least_leads: int = 30,
) -> pa.Table:
    """Count why leads were lost, and compare the latest period with the one before.

    The latest period ends with the last lead that was lost. A lead without a reason counts as "not recorded";
    reasons of fewer than five leads, and those beyond the twenty most common ones, are counted together.
    Personal data in them are masked.

    Parameters
    ----------
    reason : pyarrow array or iterable of str, length n_rows
        What sales noted; read for lost leads only.
    lost : array of bool, length n_rows
    closed_at : array or column of dates, length n_rows, optional
        When each lead was lost. Leads without a moment take no part in the comparison.
    period_days : float, default=90
        Length of the periods compared, > 0.
    confidence : float, default=0.95
        Of each interval.
    false_discovery_rate : float, default=0.05
        Share of the changes claimed that may be chance (Benjamini and Hochberg 1995).
    least_leads : int, default=30
        Lost leads below which a share says too little.

    Returns
    -------
    pyarrow.Table
        ``reason`` (string), ``n`` (int64), ``share``, ``low``, ``high`` (float64; of the lost leads, exact
        interval) and ``too_few`` (bool). With `closed_at` also ``latest_n``, ``previous_n`` (int64),
        ``latest_share``, ``previous_share``, ``change``, ``change_low``, ``change_high`` (float64; difference
        of the shares, Newcombe's interval), ``q_value`` (float64), ``changed`` and ``change_too_few`` (bool).
        Most common first, "not recorded" last.

    Raises
    ------
    InputError
        The columns differ in length, `period_days` is not above 0, or `closed_at` holds no dates.

    Examples
    --------
    >>> table = loss_reasons(["price"] * 6 + ["no budget", None, "price"], [True] * 8 + [False])
    >>> table.select(["reason", "n", "share"]).to_pylist()[0]
    {'reason': 'price', 'n': 6, 'share': 0.75}
    """
    groups, lost = _reasons_of_lost(reason, lost)
    n_lost = np.full(len(groups.names), len(groups.codes))
    columns: dict[str, Any] = {REASON: pa.array(groups.names, pa.string())}
    columns |= share_columns(groups.sizes, n_lost, least_leads=least_leads, confidence=confidence)
    if closed_at is not None:
        back = periods_back(moments(closed_at, len(lost))[lost], period_days)
        columns |= _change(groups, back, confidence, false_discovery_rate, least_leads)
    return pa.table(columns)


def loss_reasons_by_period(
    reason: Texts,
    lost: ArrayLike,
    closed_at: ArrayLike,
    *,
    period_days: float = PERIOD_DAYS,
    confidence: float = 0.95,
    least_leads: int = 30,
) -> pa.Table:
    """Count why leads were lost, period by period.

    Periods are counted back from the last lead that was lost, so the first one is cut short by the data.

    Parameters
    ----------
    reason, lost, closed_at, period_days, confidence, least_leads
        As in :func:`loss_reasons`.

    Returns
    -------
    pyarrow.Table
        ``begin`` (timestamp, UTC), ``reason`` (string), ``n_lost`` (int64; in the period), ``n`` (int64),
        ``share``, ``low``, ``high`` (float64) and ``too_few`` (bool); one row a period with a lost lead and
        reason, periods in order.

    Raises
    ------
    InputError
        As in :func:`loss_reasons`.

    Examples
    --------
    >>> from datetime import date
    >>> closed_at = pa.array([date(2024, 1, 1)] * 2 + [date(2024, 2, 20)] * 3)
    >>> table = loss_reasons_by_period(["price"] * 5, [True] * 5, closed_at, period_days=30)
    >>> table["n"].to_pylist()
    [2, 3]
    """
    groups, lost = _reasons_of_lost(reason, lost)
    ends = moments(closed_at, len(lost))[lost]
    back = periods_back(ends, period_days)
    dated = back != NO_PERIOD
    numbers, places = np.unique(-back[dated], return_inverse=True)
    periods = Groups("period", tuple(str(number) for number in numbers), places)
    n_kinds = len(groups.names)
    counts = crossed_counts(periods, groups.of(dated))
    n_lost = np.repeat(periods.sizes, n_kinds)
    return pa.table(
        {
            "begin": period_begins(ends, period_days, np.repeat(-numbers, n_kinds)),
            REASON: pa.array(groups.names * len(numbers), pa.string()),
            "n_lost": n_lost,
            **share_columns(counts.ravel(), n_lost, least_leads=least_leads, confidence=confidence),
        }
    )


def loss_reasons_by_segment(
    reason: Texts,
    lost: ArrayLike,
    segments: object,
    *,
    confidence: float = 0.95,
    false_discovery_rate: float = 0.05,
    least_leads: int = 30,
) -> pa.Table:
    """Compare why leads of a segment were lost with why the others were.

    Parameters
    ----------
    reason, lost, confidence, least_leads
        As in :func:`loss_reasons`. A segment with fewer lost leads is not compared.
    segments : pyarrow, pandas or polars table with n_rows rows
        Columns that split the leads: text by level, numbers by band.
    false_discovery_rate : float, default=0.05
        Share of the differences claimed, over all segments and reasons, that may be chance.

    Returns
    -------
    pyarrow.Table
        ``column``, ``segment``, ``reason`` (string), ``n_segment`` (int64; lost in the segment), ``n``
        (int64), ``share``, ``low``, ``high`` (float64), ``too_few`` (bool), ``share_elsewhere``, ``ratio``,
        ``ratio_low``, ``ratio_high`` (float64; of the shares, MOVER-R), ``q_value`` (float64; Fisher's exact
        test, corrected) and ``differs`` (bool). Surest differences first.

    Raises
    ------
    InputError
        The columns differ in length.
    SchemaError
        A column of `segments` is neither numbers nor text nor truth values.

    Examples
    --------
    >>> reason, region = ["price"] * 40 + ["no fit"] * 40, ["north"] * 40 + ["south"] * 40
    >>> table = loss_reasons_by_segment(reason, [True] * 80, pa.table({"region": region}))
    >>> table.select(["segment", "reason", "share", "share_elsewhere", "differs"]).to_pylist()[0]
    {'segment': 'north', 'reason': 'no fit', 'share': 0.0, 'share_elsewhere': 1.0, 'differs': True}
    """
    kinds, lost = _reasons_of_lost(reason, lost)
    of_lost = [of.of(lost) for of in segment_groups(segments, len(lost))]
    table = compare_segments(
        kinds,
        of_lost,
        confidence=confidence,
        false_discovery_rate=false_discovery_rate,
        least_leads=least_leads,
    )
    return table.rename_columns({"kind": REASON})


def _reasons_of_lost(reason: Texts, lost: ArrayLike) -> tuple[Groups, NDArray[np.bool_]]:
    """The reasons of the lost leads, masked, and which leads those are."""
    text = as_text(reason)
    lost = outcomes(lost, len(text))
    levels = text.filter(pa.array(lost)).dictionary_encode()
    masked = mask_personal_data(levels.dictionary).take(levels.indices)
    sizes = pc.value_counts(clean_text(masked).drop_null()).field("counts").to_numpy()
    return groups_of(REASON, masked, most_groups=min(MOST_GROUPS, int(np.sum(sizes >= LEAST_SHOWN)))), lost


def _change(
    groups: Groups,
    back: NDArray[np.int64],
    confidence: float,
    false_discovery_rate: float,
    least_leads: int,
) -> dict[str, Any]:
    """Columns that compare period 0 with period 1."""
    k, k_before = (np.bincount(groups.codes[back == i], minlength=len(groups.names)) for i in (0, 1))
    n, n_before = (np.full(len(k), np.sum(back == i)) for i in (0, 1))
    is_look = np.minimum(n, n_before) >= max(least_leads, 1)
    share, share_before = share_of(k, n), share_of(k_before, n_before)
    low, high = difference_bounds(k, np.maximum(n, 1), k_before, np.maximum(n_before, 1), confidence)
    q = q_values(fisher_p_values(k, n, k_before, n_before), is_look)
    return {
        "latest_n": k,
        "latest_share": known(share),
        "previous_n": k_before,
        "previous_share": known(share_before),
        "change": known(share - share_before),
        "change_low": known(low, is_look),
        "change_high": known(high, is_look),
        "q_value": known(q),
        "changed": np.nan_to_num(q, nan=1.0) <= false_discovery_rate,
        "change_too_few": ~is_look,
    }
