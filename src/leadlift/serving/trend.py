"""Which way a score went since the scoring before."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

STEADY_BELOW_POINTS = 5
"""A score that moved by fewer points, of 100, is steady."""


class Trend(StrEnum):
    """Which way a score went."""

    UP = "up"
    DOWN = "down"
    STEADY = "steady"
    NEW = "new"


def trends(score: pa.ChunkedArray, previous_score: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the trend of each score.

    Scores are compared as people see them, in whole points: ``rint(100 * score)``. From
    :data:`STEADY_BELOW_POINTS` points on a score went up or down; a lead without a previous score is new.

    Parameters
    ----------
    score, previous_score : pyarrow.ChunkedArray of float64
        In [0, 1]; null where there is none.

    Returns
    -------
    pyarrow.ChunkedArray of string
        A :class:`Trend` each; null where `score` is null.

    Examples
    --------
    >>> now, before = [0.45, 0.44, 0.40, 0.3, None], [0.40, 0.40, 0.45, None, 0.2]
    >>> trends(pa.chunked_array([now]), pa.chunked_array([before])).to_pylist()
    ['up', 'steady', 'down', 'new', None]
    """
    now, before = (
        np.rint(100 * pc.fill_null(column, np.nan).to_numpy()) for column in (score, previous_score)
    )
    moved = now - before  # NaN, of which no comparison is true, where one of them is missing
    trend = np.full(len(moved), Trend.STEADY.value, dtype=object)
    trend[moved >= STEADY_BELOW_POINTS] = Trend.UP.value
    trend[moved <= -STEADY_BELOW_POINTS] = Trend.DOWN.value
    trend[np.isnan(before)] = Trend.NEW.value
    return pa.chunked_array([pa.array(trend, pa.string(), mask=np.isnan(now))])
