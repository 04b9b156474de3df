"""From leads and a configuration to the rows of the learning problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadlift.data.contacts import read_contacts
from leadlift.data.observations import Observations, make_observations
from leadlift.lifecycle.contact_decisions import DECISION_COLUMNS
from leadlift.lifecycle.worked_leads import WorkedLeads, keep_worked

if TYPE_CHECKING:
    import pyarrow as pa

    from leadlift.config import LeadliftConfig
    from leadlift.data.reading import Leads


def observe(leads: Leads, config: LeadliftConfig) -> Observations:
    """Make the observations that a configuration asks for.

    Parameters
    ----------
    leads : Leads
    config : LeadliftConfig
        With ``[data] contacts`` the rows are those of leads that were worked, weighted; see
        :func:`leadlift.lifecycle.worked_leads.keep_worked`.

    Returns
    -------
    Observations

    Raises
    ------
    ImmatureLabelsError
        No lead has a known outcome within the horizon.
    InputError, SchemaError, ConfigError
        The contact log or the scores cannot be read, or no lead of the log is among the leads.
    """
    return observe_worked(leads, config).observations


def observe_worked(leads: Leads, config: LeadliftConfig) -> WorkedLeads:
    """Make the observations that a configuration asks for, and say what was noticed about the contact log.

    Parameters
    ----------
    leads, config
        As for :func:`observe`.

    Returns
    -------
    WorkedLeads
        Without findings where there is no contact log.

    Raises
    ------
    ImmatureLabelsError, InputError, SchemaError, ConfigError
        As for :func:`observe`.
    """
    observations = make_observations(
        leads,
        horizon_days=config.roles.horizon_days,
        known_until=config.roles.known_until,
        rows_in_time_order=config.roles.rows_in_time_order,
        at_days=config.observations.at_days,
        every_days=config.observations.every_days,
        until_days=config.observations.until_days,
    )
    if config.data.contacts is None:
        return WorkedLeads(observations, ())
    return keep_worked(observations, read_contacts(config), _read_scores(config))


def _read_scores(config: LeadliftConfig) -> pa.Table | None:
    from leadlift.serving.score_store import open_score_store

    if config.data.scores is None:
        return None
    return open_score_store(config.data.scores).scored(columns=DECISION_COLUMNS)
