"""Who was chosen for contact, how likely that had been, and what each outcome therefore counts for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.contacts import CONTACTED_AT
from leadlift.data.observation_plan import in_days
from leadlift.data.tables import require_columns
from leadlift.learning.propensity import InverseWeights, inverse_propensity
from leadlift.serving.stages import EXPLORED
from leadlift.terms import AS_OF, CONTACT_PROBABILITY, LEAD_ID, MODEL_STAGE, STAGE, STAGE_REASON, Stage

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

DECISION_COLUMNS = (LEAD_ID, AS_OF, STAGE, STAGE_REASON, MODEL_STAGE, CONTACT_PROBABILITY)
"""Columns of a scored table that say who was chosen, and how likely that had been."""

_LEAD, _PROBABILITY, _CHOSEN, _SCORED_AT = "lead", "probability", "is_chosen", "scored_at"


@dataclass(frozen=True)
class Decisions:
    """Whether leads were chosen for contact by some moment.

    Parameters
    ----------
    probability : ndarray of float64, shape (n_rows,)
        Chance in [0, 1] to be chosen by then; NaN where the lead was never scored.
    is_chosen : ndarray of bool, shape (n_rows,)
    scored_at : ndarray of datetime64[us], shape (n_rows,)
        Last scoring that is looked at, UTC; NaT where there is none.
    """

    probability: NDArray[np.float64]
    is_chosen: NDArray[np.bool_]
    scored_at: NDArray[np.datetime64]


def decisions_by(scored: pa.Table, lead_id: pa.ChunkedArray, as_of: NDArray[np.datetime64]) -> Decisions:
    """Return what the scorings up to a moment decided about a lead; where there is none yet, the first one.

    Since a lead is drawn for exploration once and for all (:mod:`leadlift.serving.exploring`), its chance to
    have been chosen by a moment is the largest ``contact_probability`` up to it. A lead that reaches a line
    later was not chosen at the earlier moment: who is contacted for that reason says nothing about the leads
    that looked like it then, and counting it beside the random slice would count such leads twice.

    Parameters
    ----------
    scored : pyarrow.Table
        Of one or many batches, with :data:`DECISION_COLUMNS`. Where ``contact_probability`` is null nothing
        was explored: 1 for an MQL or SQL, else 0. A lead that only a person lifted over a line is not chosen:
        nobody knows the chance of that. Rows without a stage are left out.
    lead_id : pyarrow.ChunkedArray of string, length n_rows
    as_of : ndarray of datetime64[us], shape (n_rows,)
        UTC.

    Returns
    -------
    Decisions

    Raises
    ------
    SchemaError
        A column of `scored` is missing.
    """
    import pandas as pd

    require_columns(DECISION_COLUMNS, scored.column_names, "the scored leads")
    scored = scored.select(DECISION_COLUMNS).filter(scored[STAGE].is_valid())
    known = pc.unique(scored[LEAD_ID])
    made = _running(scored, known)
    codes = pc.fill_null(pc.index_in(lead_id, value_set=known), -1).to_numpy()
    asked = pd.DataFrame({_LEAD: codes, AS_OF: as_of.astype("datetime64[us]")})
    asked = asked.sort_values(AS_OF, kind="stable")
    before, after = (
        pd.merge_asof(asked, made, on=AS_OF, by=_LEAD, direction=way).set_index(asked.index).sort_index()
        for way in ("backward", "forward")
    )
    found = before.where(before[_SCORED_AT].notna(), after)
    return Decisions(
        found[_PROBABILITY].to_numpy(np.float64),
        found[_CHOSEN].to_numpy(np.float64, na_value=0.0) > 0,
        found[_SCORED_AT].to_numpy("datetime64[us]"),
    )


def _running(scored: pa.Table, known: pa.Array) -> DataFrame:
    """By lead and scoring: the largest chance so far, and whether it was ever chosen."""
    import pandas as pd

    is_qualified, is_by_model = (
        pc.is_in(scored[name], value_set=pa.array([Stage.MQL.value, Stage.SQL.value]))
        for name in (STAGE, MODEL_STAGE)
    )
    is_reached = pc.and_(is_qualified, is_by_model)
    is_explored = pc.fill_null(pc.equal(scored[STAGE_REASON], EXPLORED), fill_value=False)
    chance = pc.coalesce(scored[CONTACT_PROBABILITY], pc.cast(is_qualified, pa.float64()))
    decided = pd.DataFrame(
        {
            _LEAD: pc.index_in(scored[LEAD_ID], value_set=known).to_numpy(),
            AS_OF: pc.cast(scored[AS_OF], pa.timestamp("us")).to_numpy().astype("datetime64[us]"),
            _PROBABILITY: pc.if_else(pc.and_not(is_qualified, is_by_model), 0.0, chance).to_numpy(),
            _CHOSEN: pc.cast(pc.or_(is_reached, is_explored), pa.float64()).to_numpy(),
        }
    )
    by_scoring = decided.groupby([_LEAD, AS_OF], as_index=False).max()
    largest = by_scoring.groupby(_LEAD)[[_PROBABILITY, _CHOSEN]].cummax()
    running = by_scoring.assign(**largest, **{_SCORED_AT: by_scoring[AS_OF]})
    return running.sort_values(AS_OF, kind="stable")


def contact_moments(contacts: pa.Table, lead_id: pa.ChunkedArray) -> tuple[NDArray, NDArray[np.float64]]:
    """Return when each lead was contacted and the chance that the log gives.

    Parameters
    ----------
    contacts : pyarrow.Table
        From :func:`leadlift.data.contacts.contacts_from`.
    lead_id : pyarrow.ChunkedArray of string, length n_rows

    Returns
    -------
    contacted_at : ndarray of datetime64[us], shape (n_rows,)
        UTC; NaT where it was not.
    probability : ndarray of float64, shape (n_rows,)
        NaN where the log does not say.
    """
    place = pc.index_in(lead_id, value_set=contacts[LEAD_ID].combine_chunks())
    at = pc.cast(contacts[CONTACTED_AT].take(place), pa.timestamp("us"))
    probability = pc.cast(contacts[CONTACT_PROBABILITY].take(place), pa.float64())
    return at.to_numpy().astype("datetime64[us]"), probability.to_numpy().astype(np.float64)


def outcome_weights(
    scored: pa.Table, contacts: pa.Table, *, horizon_days: float | None = None
) -> InverseWeights:
    """Return what the outcome of each scored row counts for, so that rows that were worked speak for all.

    Parameters
    ----------
    scored : pyarrow.Table
        As for :func:`decisions_by`.
    contacts : pyarrow.Table
        From :func:`leadlift.data.contacts.read_contacts` or `contacts_from`.
    horizon_days : float, optional
        A lead first contacted more than so many days after its scoring was not worked in time; None: when
        does not matter.

    Returns
    -------
    InverseWeights
        One weight a row of `scored`: ``1 / P(chosen)`` where the lead was chosen and contacted, else 0.

    Raises
    ------
    SchemaError
        A column of `scored` is missing.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from leadlift.data.contacts import contacts_from
    >>> day = datetime(2026, 3, 1, tzinfo=UTC)
    >>> scored = pa.table({
    ...     "lead_id": ["a", "b", "c"], "as_of": pa.array([day] * 3, pa.timestamp("us", tz="UTC")),
    ...     "stage": ["MQL", "none", "none"], "stage_reason": ["score", EXPLORED, "score"],
    ...     "model_stage": ["MQL", "none", "none"],
    ...     "contact_probability": [1.0, 0.05, 0.05]})
    >>> log = contacts_from(pa.table({"lead_id": ["a", "b"], "contacted_at": [day, day]}))
    >>> outcome_weights(scored, log).weight.tolist()
    [1.0, 20.0, 0.0]
    """
    as_of = pc.cast(scored[AS_OF], pa.timestamp("us")).to_numpy().astype("datetime64[us]")
    decided = decisions_by(scored, scored[LEAD_ID], as_of)
    at, _ = contact_moments(contacts, scored[LEAD_ID])
    in_time = ~np.isnat(at) if horizon_days is None else at <= as_of + in_days(horizon_days)
    return inverse_propensity(decided.probability, decided.is_chosen & in_time)
