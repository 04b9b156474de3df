"""Rows of the learning problem whose lead was worked: the others have no outcome, however they are marked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.contacts import CONTACTED_AT
from leadlift.data.observation_plan import in_days
from leadlift.exceptions import ConfigError, InputError
from leadlift.learning.propensity import inverse_propensity
from leadlift.lifecycle.contact_decisions import contact_moments, decisions_by
from leadlift.lifecycle.contact_findings import ContactCounts
from leadlift.terms import LEAD_ID

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.data.observations import Observations
    from leadlift.terms import Finding


@dataclass(frozen=True)
class WorkedLeads:
    """The rows that can be learnt from, and what was noticed about the others.

    Parameters
    ----------
    observations : Observations
        With `contact_weight`.
    findings : tuple of Finding
        LL280 to LL287.
    """

    observations: Observations
    findings: tuple[Finding, ...]


def keep_worked(
    observations: Observations, contacts: pa.Table, scored: pa.Table | None = None
) -> WorkedLeads:
    """Keep the rows whose lead was worked, with the number of leads each stands for.

    A row is kept where its lead was chosen for contact by its moment (:func:`decisions_by`) and first
    contacted before its outcome was due. Rows from before the first contact in the log, of leads that stand
    in neither log nor scores, are kept as they are: of that time nothing is told, and every lead counts as
    worked. Where nothing but the log tells how likely a contact was, that is what it says; where not even
    that, a contact counts as certain.

    Parameters
    ----------
    observations : Observations
    contacts : pyarrow.Table
        From :func:`leadlift.data.contacts.read_contacts` or `contacts_from`.
    scored : pyarrow.Table, optional
        Scorings of the past, as for :func:`decisions_by`.

    Returns
    -------
    WorkedLeads

    Raises
    ------
    ConfigError
        `scored` is given, but the leads have no dates.
    InputError
        No row was worked.
    """
    if scored is not None and observations.time != "dates":
        msg = "[data] scores needs [schema] created_at: without dates nobody knows which score came first"
        raise ConfigError(msg)
    worked = _look_up(observations, contacts, scored)
    kept = worked.is_seen
    if not kept.any():
        msg = (
            f"none of {len(kept):,} rows of leads with an outcome is in the contact log of {len(contacts):,} "
            f"leads; compare the spelling of the ids, or take [data] contacts out"
        )
        raise InputError(msg)
    weights = inverse_propensity(worked.probability[kept])
    counts = worked.counts(observations.y > 0, weights.n_clipped, weights.n_effective)
    learnt = replace(
        observations,
        rows=observations.rows.filter(pa.array(kept)),
        index=observations.index[kept],
        contact_weight=weights.weight,
        n_not_worked=int((~kept).sum()),
        _made_from=None,
    )
    return WorkedLeads(learnt, counts.findings())


@dataclass(frozen=True)
class _Contact:
    """What is known of the contact of each row."""

    probability: NDArray[np.float64]
    is_told: NDArray[np.bool_]
    is_chosen: NDArray[np.bool_]
    is_contacted: NDArray[np.bool_]
    is_before_log: NDArray[np.bool_]

    @property
    def is_seen(self) -> NDArray[np.bool_]:
        return (self.is_chosen & self.is_contacted) | self.is_before_log

    def counts(self, won: NDArray[np.bool_], n_clipped: int, n_effective: float) -> ContactCounts:
        worked, left_out = self.is_chosen & self.is_contacted, ~self.is_seen
        explores = bool((self.probability[worked] < 1).any())
        has_no_chance = np.where(self.is_told, self.probability == 0, not explores)
        missed = self.is_told & self.is_chosen & ~self.is_contacted & ~self.is_before_log
        return ContactCounts(
            n_rows=len(won),
            n_worked=int(worked.sum()),
            n_effective=n_effective,
            n_left_out=int(left_out.sum()),
            n_without_support=int((left_out & ~self.is_contacted & has_no_chance).sum()),
            n_clipped=n_clipped,
            n_untold=int((worked & ~self.is_told).sum()),
            n_on_other_grounds=int((left_out & self.is_contacted).sum()),
            n_chosen=int((self.is_told & self.is_chosen & ~self.is_before_log).sum()),
            n_chosen_not_contacted=int(missed.sum()),
            n_before_log=int(self.is_before_log.sum()),
            n_won_without_contact=int((left_out & ~self.is_contacted & won).sum()),
        )


def _look_up(observations: Observations, contacts: pa.Table, scored: pa.Table | None) -> _Contact:
    lead_id = observations.rows[LEAD_ID]
    contacted_at, probability = contact_moments(contacts, lead_id)
    is_contacted = ~np.isnat(contacted_at) & ~(contacted_at > _due(observations))
    is_chosen = ~np.isnat(contacted_at)
    if scored is not None:
        decided = decisions_by(scored, lead_id, observations.as_of)
        # A score that came after the contact decided nothing.
        knows = ~np.isnan(decided.probability) & ~(decided.scored_at > contacted_at)
        probability = np.where(knows, decided.probability, probability)
        is_chosen = np.where(knows, decided.is_chosen, is_chosen)
    is_told = ~np.isnan(probability)
    return _Contact(
        np.where(is_told, probability, 1.0),
        is_told,
        is_chosen,
        is_contacted,
        _is_before(observations, contacts) & np.isnat(contacted_at) & ~is_told,
    )


def _due(observations: Observations) -> NDArray[np.datetime64]:
    """When each outcome is due: the end of the horizon, or the closing; NaT where that is unknown."""
    if observations.horizon_days is None:
        return observations.label_known_at
    return observations.as_of + in_days(observations.horizon_days)


def _is_before(observations: Observations, contacts: pa.Table) -> NDArray[np.bool_]:
    """Which rows are of before the first contact in the log."""
    if observations.time != "dates":
        return np.zeros(len(observations.y), dtype=bool)
    first = pc.cast(pc.min(contacts[CONTACTED_AT]), pa.timestamp("us")).as_py()
    return observations.as_of < np.datetime64(first, "us")
