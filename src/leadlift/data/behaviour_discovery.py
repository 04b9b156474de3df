"""What events and a change log of fields seem to hold: the part of `leadlift init` about behaviour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config import DataConfig, EventsConfig, HistoryConfig
from leadlift.data import behaviour_dates as dates
from leadlift.data import behaviour_roles as guesses
from leadlift.data.behaviour_roles import Found
from leadlift.data.behaviour_sample import KnownLeads, Sample, read_sample
from leadlift.data.naming import LeakName, leak_words
from leadlift.data.profiling import ColumnProfile
from leadlift.data.role_guess import RoleGuess
from leadlift.data.sources import open_source
from leadlift.data.vocabulary import behaviour as names
from leadlift.data.zones import UTC_ZONE
from leadlift.exceptions import InputError
from leadlift.terms import LEAD_ID

_CHECK_THIS = "; check this"
_NO_TYPE = (
    *names.CHANNEL_PHRASES,
    *names.ASSET_PHRASES,
    *names.EVENT_TEXT_PHRASES,
    *names.NUMBER_PHRASES,
    *names.EVENT_ID_PHRASES,
)

Guess = Callable[[Sample, Found], RoleGuess]


@dataclass(frozen=True)
class BehaviourDiscovery:
    """What a file of events, or a change log, seems to hold.

    Parameters
    ----------
    roles : EventsConfig or HistoryConfig
        Which column plays which role.
    notes : mapping of str to str
        By role, the evidence; also of ``"date_format"`` and ``"time_zone"``.
    profiles : tuple of ColumnProfile
        Of the columns with a role, in the rows that were looked at.
    levels : tuple of str
        Types of events, or fields, the most frequent first.
    suspects : mapping of str to LeakName
        Types of events whose name says that they are the outcome, or come after it.
    """

    roles: EventsConfig | HistoryConfig
    notes: Mapping[str, str]
    profiles: tuple[ColumnProfile, ...]
    levels: tuple[str, ...]
    suspects: Mapping[str, LeakName]


def discover_behaviour(
    data: DataConfig, lead_id: str | None, table: pa.Table
) -> dict[str, BehaviourDiscovery]:
    """Look at events and change log, as far as there are any.

    Parameters
    ----------
    data : DataConfig
        Where they are, and how files are written.
    lead_id : str or None
        The column of the leads with their ids.
    table : pyarrow.Table
        The leads as read.

    Returns
    -------
    dict of str to BehaviourDiscovery
        By ``"events"`` and ``"history"``.

    Raises
    ------
    InputError
        The leads have no ids; else as for `discover_events` and `discover_history`.
    SchemaError, ConfigError, MissingDependencyError
        As for :func:`leadlift.data.sources.open_source`.
    """
    look = {"events": discover_events, "history": discover_history}
    given = {key: source for key in look if (source := getattr(data, key)) is not None}
    if not given:
        return {}
    if lead_id is None:
        msg = (
            f"{data.leads}: no column looks like the id of a lead, and without one nobody can tell whose the "
            f"{' and '.join(given)} are; name it: --lead-id COLUMN"
        )
        raise InputError(msg)
    leads = KnownLeads.of(table, lead_id, data)
    return {
        key: look[key](source, getattr(data, f"{key}_query"), data, leads) for key, source in given.items()
    }


def discover_events(
    source: str, query: str | None, data: DataConfig, leads: KnownLeads
) -> BehaviourDiscovery:
    """Look at the first rows of events and guess which column plays which role.

    Parameters
    ----------
    source : str
        As :func:`leadlift.data.sources.open_source` takes it.
    query : str or None
        For DuckDB files and databases: the name of a table, or a SELECT.
    data : DataConfig
        How files are written.
    leads : KnownLeads
        The leads, whose ids the events bear.

    Returns
    -------
    BehaviourDiscovery

    Raises
    ------
    InputError
        The source cannot be read, no row bears the id of a lead, or no column says when an event occurred or
        of what type it is.
    SchemaError, ConfigError, MissingDependencyError
        As for :func:`leadlift.data.sources.open_source`.
    """
    sample = _sample_of(source, query, data, leads, "events_query")
    found = _guess_roles(_event_guesses(leads), sample)
    roles, notes = _with_dates(EventsConfig, found, sample, ("occurred_at", "recorded_at"))
    types = sample.profile(roles.event_type).values
    suspects = {value: leak for value in types if (leak := leak_words(value)) is not None}
    return BehaviourDiscovery(roles, notes, _role_profiles(sample, roles, "events"), types, suspects)


def discover_history(
    source: str, query: str | None, data: DataConfig, leads: KnownLeads
) -> BehaviourDiscovery:
    """Look at the first rows of a change log of fields and guess which column plays which role.

    Parameters
    ----------
    source, query, data, leads
        As for `discover_events`.

    Returns
    -------
    BehaviourDiscovery

    Raises
    ------
    InputError
        The source cannot be read, no row bears the id of a lead, or no column says when a field changed,
        which one, or to what.
    SchemaError, ConfigError, MissingDependencyError
        As for :func:`leadlift.data.sources.open_source`.
    """
    sample = _sample_of(source, query, data, leads, "history_query")
    found = _guess_roles(_history_guesses(leads), sample)
    roles, notes = _with_dates(HistoryConfig, found, sample, ("changed_at",))
    fields = sample.profile(roles.field).values
    return BehaviourDiscovery(roles, notes, _role_profiles(sample, roles, "change log"), fields, {})


def _sample_of(source: str, query: str | None, data: DataConfig, leads: KnownLeads, key: str) -> Sample:
    """Ragged rows are left out here; reading points them out."""
    lenient = data.model_copy(update={"ragged_rows": "skip"})
    return read_sample(open_source(source, query, lenient, query_key=key), leads, lenient)


def _event_guesses(leads: KnownLeads) -> dict[str, Guess]:
    """By role, in the order in which columns are given away."""
    return {
        LEAD_ID: lambda sample, _: guesses.guess_lead(sample, leads.column),
        "occurred_at": partial(
            dates.guess_moment, phrases=names.OCCURRED_PHRASES, what="when an event occurred"
        ),
        "recorded_at": partial(dates.guess_recorded, moment="occurred_at", phrases=names.RECORDED_PHRASES),
        "event_id": guesses.guess_event_id,
        "event_type": partial(guesses.guess_type, phrases=names.EVENT_TYPE_PHRASES, others=_NO_TYPE),
        "channel": partial(guesses.guess_levels, phrases=names.CHANNEL_PHRASES),
        "asset": partial(guesses.guess_words, phrases=names.ASSET_PHRASES),
        "value": partial(guesses.guess_number, phrases=names.NUMBER_PHRASES),
        "text": partial(guesses.guess_text, phrases=names.EVENT_TEXT_PHRASES),
    }


def _history_guesses(leads: KnownLeads) -> dict[str, Guess]:
    """By role, in the order in which columns are given away."""
    return {
        LEAD_ID: lambda sample, _: guesses.guess_lead(sample, leads.column),
        "changed_at": partial(dates.guess_moment, phrases=names.CHANGED_PHRASES, what="when a field changed"),
        "field": partial(guesses.guess_field, phrases=names.FIELD_PHRASES, columns=leads.table.column_names),
        "old_value": partial(guesses.guess_words, phrases=names.OLD_VALUE_PHRASES),
        "value": partial(guesses.guess_new_value, phrases=names.NEW_VALUE_PHRASES),
    }


def _guess_roles(by_role: Mapping[str, Guess], sample: Sample) -> dict[str, RoleGuess]:
    found: dict[str, RoleGuess] = {}
    for role, guess in by_role.items():
        found[role] = guess(sample.without(other.column for other in found.values()), found)
    return found


def _with_dates(
    roles: type[EventsConfig] | type[HistoryConfig], found: Found, sample: Sample, moments: tuple[str, ...]
) -> tuple[EventsConfig | HistoryConfig, dict[str, str]]:
    """The roles with the form and the zone of their dates, and the evidence."""
    columns = [found[role].column for role in moments if found[role].column is not None]
    form, rivals = dates.date_form(sample, columns)
    n_naive = sum(_count_naive(sample, name, form) for name in columns)
    notes = {role: guess.evidence + ("" if guess.is_sure else _CHECK_THIS) for role, guess in found.items()}
    notes["date_format"] = "dates are ISO 8601" if form is None else "reads the dates"
    if rivals:
        notes["date_format"] += f"; {', '.join(map(repr, rivals))} would read them too{_CHECK_THIS}"
    notes["time_zone"] = (
        f"of moments written without a zone{_CHECK_THIS}" if n_naive else "every moment bears its own zone"
    )
    named = {role: guess.column for role, guess in found.items()}
    return roles(**named, date_format=form, time_zone=UTC_ZONE), notes


def _count_naive(sample: Sample, name: str, form: str | None) -> int:
    return pc.sum(dates.moments_of(sample, name, form).is_naive).as_py() or 0


def _role_profiles(
    sample: Sample, roles: EventsConfig | HistoryConfig, noun: str
) -> tuple[ColumnProfile, ...]:
    """Without free text, in which a word such as "unknown" is part of a sentence."""
    columns = [name for name in roles.role_columns if name != getattr(roles, "text", None)]
    profiles = [sample.profile(name) for name in columns]
    return tuple(replace(profile, name=f"{profile.name} of the {noun}") for profile in profiles)
