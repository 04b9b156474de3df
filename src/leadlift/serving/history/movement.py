"""From one scoring of a lead to another: how far the score moved, and by which kind of knowledge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.serving.history.panel import FAMILIES
from leadlift.serving.previous import RANKED_STAGES
from leadlift.serving.trend import trends
from leadlift.terms import AS_OF, BASE, LEAD_ID, MODEL_VERSION, PREVIOUS_SCORE, SCORE, STAGE, STAGE_REASON

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHANGE, CHANGE_MODEL = "change", "change_model"
CHANGES = (*[f"change_{family}" for family in FAMILIES], CHANGE_MODEL)
TREND, CROSSED = "trend", "crossed"
PREVIOUS_AS_OF, PREVIOUS_STAGE, PREVIOUS_MODEL = "previous_as_of", "previous_stage", "previous_model_version"
UP, DOWN = "up", "down"
MOVEMENT_SCHEMA = pa.schema(
    [
        (LEAD_ID, pa.string()),
        (AS_OF, pa.timestamp("us", tz="UTC")),
        (PREVIOUS_AS_OF, pa.timestamp("us", tz="UTC")),
        (SCORE, pa.float64()),
        (PREVIOUS_SCORE, pa.float64()),
        (TREND, pa.string()),
        (CHANGE, pa.float64()),
        *[(name, pa.float64()) for name in CHANGES],
        (STAGE, pa.string()),
        (PREVIOUS_STAGE, pa.string()),
        (CROSSED, pa.string()),
        (STAGE_REASON, pa.string()),
        (MODEL_VERSION, pa.string()),
        (PREVIOUS_MODEL, pa.string()),
    ]
)


def movements(now: pa.Table, before: pa.Table) -> pa.Table:
    """Compare scorings of the same leads, row by row.

    The score is ``base`` plus the sub-scores of five families. Where both scorings are of one model, ``base``
    is the same, and the differences of the sub-scores add up to that of the score. Where the models differ,
    what the inputs and what the model moved cannot be told apart: all of it is ``change_model``. A bundle
    that got another cut-off has another version and the same ``base``: that is one model.

    Parameters
    ----------
    now, before : pyarrow.Table
        Columns of :data:`leadlift.serving.history.panel.READ`; `before` null where a lead was not scored.

    Returns
    -------
    pyarrow.Table
        Columns :data:`MOVEMENT_SCHEMA`. `change` (float64): of the probability, -1 to 1; `change_fit` … and
        `change_model` (float64) add up to it. They are null where there is no earlier scoring, and those of
        the families where it has no sub-scores. `trend` (string): ``"up"``, ``"down"``, ``"steady"`` or
        ``"new"``, see :func:`leadlift.serving.trend.trends`. `crossed` (string): ``"up"`` or ``"down"`` where
        the stage is a higher or lower one, else null.
    """
    is_new = pc.is_null(before[SCORE]).to_numpy()
    change = pc.subtract(now[SCORE], before[SCORE])
    same = _same_model(now, before)
    columns = {
        **{name: now[name] for name in (LEAD_ID, AS_OF, SCORE, STAGE, STAGE_REASON, MODEL_VERSION)},
        PREVIOUS_AS_OF: before[AS_OF],
        PREVIOUS_SCORE: before[SCORE],
        PREVIOUS_STAGE: before[STAGE],
        PREVIOUS_MODEL: before[MODEL_VERSION],
        TREND: trends(now[SCORE], before[SCORE]),
        CHANGE: change,
        **{f"change_{name}": _difference(now[name], before[name], same, is_new) for name in FAMILIES},
        CHANGE_MODEL: pc.if_else(
            pa.array(same), pa.array(np.where(is_new, np.nan, 0.0), from_pandas=True), change
        ),
        CROSSED: _crossed(_ranks(now[STAGE]), _ranks(before[STAGE])),
    }
    return pa.table({name: columns[name] for name in MOVEMENT_SCHEMA.names}).cast(MOVEMENT_SCHEMA)


def _same_model(now: pa.Table, before: pa.Table) -> NDArray[np.bool_]:
    same_version = pc.equal(now[MODEL_VERSION], before[MODEL_VERSION])
    same_base = pc.fill_null(pc.equal(now[BASE], before[BASE]), fill_value=False)
    return pc.fill_null(pc.or_(same_version, same_base), fill_value=False).to_numpy()


def _difference(
    now: pa.ChunkedArray, before: pa.ChunkedArray, same: NDArray[np.bool_], is_new: NDArray[np.bool_]
) -> pa.ChunkedArray:
    """What a family moved: nothing where a change of model takes it all, unknown where a lead is new."""
    of_other_models = pa.array(np.where(is_new, np.nan, 0.0), from_pandas=True)
    return pc.if_else(pa.array(same), pc.subtract(now, before), of_other_models)


def _ranks(stages: pa.ChunkedArray) -> NDArray[np.int64]:
    """Places of stages in their order; -1 where there is none."""
    place = pc.index_in(stages, value_set=pa.array(RANKED_STAGES))
    return pc.fill_null(place, -1).to_numpy().astype(np.int64)


def _crossed(now: NDArray[np.int64], before: NDArray[np.int64]) -> pa.Array:
    """Which way a lead went over a line; a lead that was not scored before has crossed none."""
    way = np.select([now > before, now < before], [UP, DOWN], "")
    return pa.array(way, pa.string(), mask=(now < 0) | (before < 0) | (now == before))
