"""All scorings of leads, each with what moved since the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.serving.history.movement import movements
from leadlift.serving.history.panel import follows, read_panel

if TYPE_CHECKING:
    from datetime import datetime

    from leadlift.serving.score_store import ScoreStore


def score_history(
    store: ScoreStore,
    lead_id: str | None = None,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    model_version: str | None = None,
) -> pa.Table:
    """Return the scorings of one lead or of all, each compared with the one before.

    Parameters
    ----------
    store : ScoreStore
        From :func:`leadlift.serving.score_store.open_score_store`.
    lead_id : str, optional
    since, until : datetime with time zone, optional
        Moments of scoring from the first on and before the second; the first scoring in them has none before.
    model_version : str, optional

    Returns
    -------
    pyarrow.Table
        Columns :data:`leadlift.serving.history.movement.MOVEMENT_SCHEMA`, by lead and moment; see
        :func:`leadlift.serving.history.movement.movements`.

    Raises
    ------
    InputError
        There is no store, or no score in what is asked for.
    """
    panel = read_panel(store, since=since, until=until, model_version=model_version, lead_id=lead_id)
    rows = np.arange(len(panel))
    before = pa.array(rows - 1, mask=~follows(panel))
    return movements(panel, panel.take(before))
