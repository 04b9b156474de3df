"""How the scores of leads fall while nothing happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.serving.history.panel import FAMILIES, follows, microseconds, read_panel
from leadlift.terms import AS_OF, MODEL_VERSION, SCORE

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from leadlift.serving.score_store import ScoreStore

DECAY_SCHEMA = pa.schema(
    [
        ("week", pa.int64()),
        ("n_leads", pa.int64()),
        ("change_median", pa.float64()),
        ("change_low", pa.float64()),
        ("change_high", pa.float64()),
    ]
)
_WEEK = 7 * 86_400 * 1_000_000
# Of sums of floats: what differs by less has not moved.
_ROUNDING = 1e-9


def score_decay(
    store: ScoreStore,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    model_version: str | None = None,
) -> pa.Table:
    """Return how far the scores of leads that nothing happened to have moved, week after week.

    A store holds scores and no inputs. Taken as untouched is a lead while, from scoring to scoring of one
    model, none of its sub-scores rises: who acts, gains in some family. So a lead that did what lowers its
    score counts as untouched too, and the fall is at most as steep as it looks.

    Parameters
    ----------
    store : ScoreStore
    since, until, model_version
        As for :meth:`leadlift.serving.score_store.ScoreStore.scored`.

    Returns
    -------
    pyarrow.Table
        `week` (int64): full weeks since the stretch began in which nothing happened, from 1. `n_leads`
        (int64): stretches that last so long. `change_median`, `change_low`, `change_high` (float64): median
        and quartiles of the change of the probability since the stretch began. Empty where no stretch lasts
        for a week or scores have no sub-scores.

    Raises
    ------
    InputError
        There is no store, or no score in what is asked for.
    """
    panel = read_panel(store, since=since, until=until, model_version=model_version)
    start = _starts(_is_untouched(panel))
    moments, score = microseconds(panel[AS_OF]), panel[SCORE].to_numpy()
    week = (moments - moments[start]) // _WEEK
    # Of several scorings in one week of a stretch the first counts.
    is_first = (week > 0) & ((start != np.roll(start, 1)) | (week != np.roll(week, 1)))
    change = score - score[start]
    rows = [_row(int(number), change[is_first & (week == number)]) for number in np.unique(week[is_first])]
    return pa.Table.from_pylist(rows, DECAY_SCHEMA)


def _is_untouched(panel: pa.Table) -> NDArray[np.bool_]:
    """Rows of the lead and the model of the row before in which no sub-score is higher than there."""
    untouched = follows(panel)
    untouched[1:] &= pc.equal(
        panel[MODEL_VERSION].slice(1), panel[MODEL_VERSION].slice(0, len(panel) - 1)
    ).to_numpy()
    for family in FAMILIES:
        sub_score = pc.fill_null(panel[family], np.nan).to_numpy()
        # Of NaN, which is not known, no comparison is true.
        untouched[1:] &= np.diff(sub_score) <= _ROUNDING
    return untouched


def _starts(untouched: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Row at which the stretch of each row began."""
    return np.maximum.accumulate(np.where(untouched, 0, np.arange(len(untouched))))


def _row(week: int, change: NDArray[np.float64]) -> dict[str, float]:
    low, median, high = np.quantile(change, [0.25, 0.5, 0.75])
    return {
        "week": week,
        "n_leads": len(change),
        "change_median": median,
        "change_low": low,
        "change_high": high,
    }
