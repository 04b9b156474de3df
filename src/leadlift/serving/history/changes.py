"""The latest scoring of each lead against an earlier one: trends, standstill, and lines crossed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.serving.history.movement import CROSSED, UP, movements
from leadlift.serving.history.panel import follows, microseconds, points, read_panel
from leadlift.serving.history.reasons import with_reasons
from leadlift.serving.previous import RANKED_STAGES, moment_of
from leadlift.serving.trend import STEADY_BELOW_POINTS
from leadlift.terms import AS_OF, LEAD_ID, SCORE, STAGE

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from leadlift.serving.score_store import ScoreStore

STEADY_SINCE, STEADY_DAYS = "steady_since", "steady_days"
_DAY = 86_400 * 1_000_000


def latest_changes(
    store: ScoreStore, *, since: datetime | None = None, model_version: str | None = None
) -> pa.Table:
    """Compare the leads of the latest batch with their scoring before, or with that at an earlier moment.

    Parameters
    ----------
    store : ScoreStore
    since : datetime with time zone, optional
        Compare with the last scoring of the lead at or before this moment.
    model_version : str, optional

    Returns
    -------
    pyarrow.Table
        Columns of :func:`leadlift.serving.history.movement.movements`, and `steady_since` (timestamp us UTC):
        the first of the scorings up to now in which the score was within fewer than
        :data:`leadlift.serving.trend.STEADY_BELOW_POINTS` points of where it is; `steady_days` (float64): the
        days since then; and those of :func:`leadlift.serving.history.reasons.with_reasons`. By lead.

    Raises
    ------
    InputError
        There is no store, or no score in it.
    """
    return with_reasons(_compared(store, since, model_version), store)


def _compared(store: ScoreStore, since: datetime | None, model_version: str | None) -> pa.Table:
    """What :func:`latest_changes` returns, without words."""
    panel = read_panel(store, model_version=model_version)
    moments = microseconds(panel[AS_OF])
    last = np.flatnonzero(moments == moments.max())
    before = _rows_before(panel, last, since)
    moved = movements(panel.take(pa.array(last)), panel.take(before))
    first = _steady_rows(panel)[last]
    moved = moved.append_column(STEADY_SINCE, panel[AS_OF].take(pa.array(first)))
    return moved.append_column(STEADY_DAYS, pa.array((moments[last] - moments[first]) / _DAY))


def crossings(
    store: ScoreStore, *, since: datetime | None = None, model_version: str | None = None
) -> pa.Table:
    """Return the leads of the latest batch whose stage is another one than before.

    Parameters
    ----------
    store, since, model_version
        As for :func:`latest_changes`.

    Returns
    -------
    pyarrow.Table
        As from :func:`latest_changes`: those that went up first, the highest stage first, then by score.
    """
    changes = _compared(store, since, model_version)
    crossed = changes.filter(pc.is_valid(changes[CROSSED]))
    rank = pc.index_in(crossed[STAGE], value_set=pa.array(RANKED_STAGES)).to_numpy()
    went_down = pc.not_equal(crossed[CROSSED], UP).to_numpy()
    ids = crossed[LEAD_ID].to_numpy()
    order = np.lexsort((ids, -crossed[SCORE].to_numpy(), -rank, went_down))
    return with_reasons(crossed.take(pa.array(order)), store)


def _rows_before(panel: pa.Table, last: NDArray[np.intp], since: datetime | None) -> pa.Array:
    """Row of the scoring that each of the last ones is compared with; null where there is none."""
    if since is None:
        return pa.array(last - 1, mask=~follows(panel)[last])
    lead = np.cumsum(~follows(panel))
    early = np.flatnonzero(microseconds(panel[AS_OF]) <= moment_of(since).astype(np.int64))
    # Rows are by lead and moment: the last early one of a lead stands before the first of the next lead.
    place = np.searchsorted(lead[early], lead[last], side="right") - 1
    row = early[place] if len(early) else np.zeros(len(last), dtype=np.intp)
    is_none = (place < 0) | (lead[row] != lead[last]) | (row == last)
    return pa.array(row, mask=is_none)


def _steady_rows(panel: pa.Table) -> NDArray[np.intp]:
    """For each lead, on all of its rows: the first of the scorings at its end that are near the last one."""
    starts = np.flatnonzero(~follows(panel))
    n_scorings = np.diff(np.append(starts, len(panel)))
    score = points(panel[SCORE])
    at_last = np.repeat(score[starts + n_scorings - 1], n_scorings)
    is_far = np.abs(score - at_last) >= STEADY_BELOW_POINTS
    last_far = np.maximum.reduceat(np.where(is_far, np.arange(len(panel)), -1), starts)
    return np.repeat(np.maximum(last_far + 1, starts), n_scorings)
