"""The random slice of leads below the lines that is contacted all the same, so that something is learnt.

Whether a lead is drawn is a function of its id and a seed. So it depends on neither order, pieces, engine,
model nor day. A lead drawn anew at each scoring would be contacted sooner or later: of leads scored daily for
two months at a share of 5 %, 95 of 100, and nobody could say how likely a contact had been. Drawn once, the
chance of a lead that stays below the lines is the share, however often it is scored.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from leadlift.serving.id_hashes import hash_ids
from leadlift.serving.previous import RANKED_STAGES
from leadlift.serving.stages import EXPLORED, STAGE_REASONS, StageDecision
from leadlift.terms import Stage

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from leadlift.config import StagesConfig

_BELOW = RANKED_STAGES.index(Stage.NONE.value)
_HASHES = 2.0**64


def is_drawn(lead_ids: pa.Array | pa.ChunkedArray, share: float, seed: int = 0) -> NDArray[np.bool_]:
    """Say which leads belong to the random slice: ``hash(seed, lead_id) / 2**64 < share``.

    Parameters
    ----------
    lead_ids : pyarrow.Array or pyarrow.ChunkedArray of string
    share : float
        Of all ids, in [0, 1].
    seed : int, default=0

    Returns
    -------
    ndarray of bool, shape (n_leads,)
        A lead that is in at one share is in at every larger one.

    Examples
    --------
    >>> import pyarrow as pa
    >>> ids = pa.array([f"L{i}" for i in range(100_000)])
    >>> round(float(is_drawn(ids, 0.05).mean()), 3)
    0.05
    """
    seeded = pc.binary_join_element_wise(str(seed), pc.fill_null(lead_ids, ""), ":")
    return hash_ids(seeded) / _HASHES < share


def mark_explored(
    rules: StagesConfig, decision: StageDecision, lead_ids: pa.Array | pa.ChunkedArray
) -> StageDecision:
    """Name the random slice as what decided, where a lead is neither MQL nor SQL; no stage changes.

    Parameters
    ----------
    rules : StagesConfig
        Its ``explore_share`` is the slice; None marks nobody.
    decision : StageDecision
    lead_ids : pyarrow.Array or pyarrow.ChunkedArray of string, length n_leads

    Returns
    -------
    StageDecision
    """
    if rules.explore_share is None:
        return decision
    drawn = (decision.rank == _BELOW) & is_drawn(lead_ids, rules.explore_share, rules.explore_seed)
    explored = np.where(drawn, STAGE_REASONS.index(EXPLORED), decision.reason_code)
    return replace(decision, reason_code=explored.astype(decision.reason_code.dtype))


def contact_probability(rules: StagesConfig, decision: StageDecision) -> NDArray[np.float64] | None:
    """Return the chance that each lead is worked, before the draw is looked at.

    Parameters
    ----------
    rules : StagesConfig
    decision : StageDecision
        Overrides by people included.

    Returns
    -------
    ndarray of float64, shape (n_leads,), or None
        1 where the lead is MQL or SQL, 0 where a person took it out of them, else ``explore_share``; None
        where that is not configured.
    """
    if rules.explore_share is None:
        return None
    is_by_person = decision.reason_code >= len(STAGE_REASONS)
    return np.where(decision.rank > _BELOW, 1.0, np.where(is_by_person, 0.0, rules.explore_share))
