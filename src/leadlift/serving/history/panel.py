"""The scorings of leads in a store, lead by lead and in the order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.exceptions import InputError
from leadlift.terms import AS_OF, BASE, LEAD_ID, MODEL_VERSION, SCORE, STAGE, STAGE_REASON, Family

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from leadlift.serving.score_store import ScoreStore

FAMILIES = tuple(family.value for family in Family)
READ = (LEAD_ID, AS_OF, MODEL_VERSION, SCORE, BASE, *FAMILIES, STAGE, STAGE_REASON)


def read_panel(
    store: ScoreStore,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    model_version: str | None = None,
    lead_id: str | None = None,
) -> pa.Table:
    """Read the scorings of leads that got a score.

    Parameters
    ----------
    store : ScoreStore
    since, until, model_version, lead_id
        As for :meth:`leadlift.serving.score_store.ScoreStore.scored`.

    Returns
    -------
    pyarrow.Table
        Columns :data:`READ`, by lead and moment, every lead once a moment: of two models that one counts
        whose version sorts last.

    Raises
    ------
    InputError
        There is no store, or no scored lead in what is asked for.
    """
    found = store.scored(since, until, model_version, columns=READ, lead_id=lead_id)
    scored = found.filter(pc.is_valid(found[SCORE]))
    if not len(scored):
        whom = "" if lead_id is None else f" of lead {lead_id!r}"
        msg = f"{store.name}: no score{whom} among {store.batches().num_rows} batch(es); look at another time"
        raise InputError(msg)
    order = pc.sort_indices(
        scored, [(LEAD_ID, "ascending"), (AS_OF, "ascending"), (MODEL_VERSION, "ascending")]
    )
    ordered = scored.take(order).combine_chunks()
    return ordered.filter(pa.array(_is_last_of_moment(ordered)))


def _is_last_of_moment(ordered: pa.Table) -> NDArray[np.bool_]:
    same_moment = np.diff(microseconds(ordered[AS_OF])) == 0
    return np.append(~(same_moment & follows(ordered)[1:]), True)


def follows(panel: pa.Table) -> NDArray[np.bool_]:
    """Say which rows are of the lead of the row before.

    Parameters
    ----------
    panel : pyarrow.Table
        By lead.

    Returns
    -------
    ndarray of bool, shape (n_rows,)
    """
    ids = panel[LEAD_ID]
    if not len(ids):
        return np.empty(0, dtype=bool)
    same = pc.equal(ids.slice(1), ids.slice(0, len(ids) - 1)).to_numpy()
    return np.append(False, same)


def microseconds(moments: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return moments as numbers."""
    return pc.cast(moments, pa.int64()).to_numpy()


def points(score: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return scores as people see them, in whole points."""
    return np.rint(100 * score.to_numpy())
