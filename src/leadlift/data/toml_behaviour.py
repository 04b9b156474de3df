"""Events, change log, observations and features as sections of a leadlift.toml."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from leadlift.config import DataConfig, FeaturesConfig, ObservationsConfig
from leadlift.data.addresses import is_address
from leadlift.data.toml_text import one_line, quote, setting

if TYPE_CHECKING:
    from leadlift.data.behaviour_discovery import BehaviourDiscovery
    from leadlift.data.discovery import Discovery

AT_DAYS = (0.0, 7.0, 14.0, 30.0)
"""Moments of observation that are suggested, in days after creation."""
MAX_FIELDS_SHOWN = 20
"""Most fields of a change log that are listed."""

_ADVICE = "; a password is better taken from an environment variable: ${NAME}"
_EXAMPLE_EVERY_DAYS = 7
_EXAMPLE_FORMAT = "%Y-%m-%d %H:%M"
_EVENT_ROLES = (
    "lead_id",
    "occurred_at",
    "event_type",
    "channel",
    "asset",
    "value",
    "text",
    "event_id",
    "recorded_at",
)
_MEANINGS = ("content", "pricing", "demo", "quote", "hand_raise")
_HISTORY_ROLES = ("lead_id", "changed_at", "field", "value", "old_value")


def source_lines(data: DataConfig, folder: Path) -> list[str]:
    """Return the lines of ``[data]`` about events and change log, as far as there are any.

    Parameters
    ----------
    data : DataConfig
        Where they are.
    folder : Path
        Where leadlift.toml will stand; the address of a database stays as it is.

    Returns
    -------
    list of str
    """
    meanings = {"events": "what leads did, and when", "history": "change log of fields"}
    return [line for key, meaning in meanings.items() for line in _source_lines(data, key, meaning, folder)]


def behaviour_sections(discovery: Discovery) -> list[list[str]]:
    """Return the sections about behaviour; none where neither events nor a change log were given.

    Parameters
    ----------
    discovery : Discovery
        What was found.

    Returns
    -------
    list of list of str
        Lines by section. Observations and features need a date of creation.
    """
    if not discovery.has_behaviour:
        return []
    sections = [_events_section(discovery.events), _history_section(discovery.history)]
    if discovery.roles.created_at is None:
        return [
            *sections,
            ["# Behaviour needs created_at in [schema]: without dates nobody knows what came first."],
        ]
    return [*sections, _observations_section(), _features_section(discovery.texts)]


def _source_lines(data: DataConfig, key: str, meaning: str, folder: Path) -> list[str]:
    source, query = getattr(data, key), getattr(data, f"{key}_query")
    if source is None:
        return []
    shown = source if is_address(source) else Path(os.path.relpath(source, folder)).as_posix()
    has_password = is_address(source) and "@" in source and "${" not in source
    lines = [setting(key, shown, meaning + (_ADVICE if has_password else ""))]
    return lines if query is None else [*lines, setting(f"{key}_query", query, "a table, or a SELECT")]


def _events_section(found: BehaviourDiscovery | None) -> list[str]:
    if found is None:
        return []
    head = "[schema.events]  # which column of the events plays which role, by its first rows"
    return [head, *_role_lines(found, _EVENT_ROLES), *_time_lines(found), *_suspect_lines(found)]


def _history_section(found: BehaviourDiscovery | None) -> list[str]:
    if found is None:
        return []
    meaning = "fields that are replayed; all but outcome, ignored and protected ones if not given"
    return [
        "[schema.history]  # which column of the change log plays which role, by its first rows",
        *_role_lines(found, _HISTORY_ROLES),
        *_time_lines(found),
        setting("fields", found.levels[:MAX_FIELDS_SHOWN], meaning, is_off=True),
    ]


def _role_lines(found: BehaviourDiscovery, roles: Sequence[str]) -> list[str]:
    columns = {role: getattr(found.roles, role) for role in roles}
    return [
        setting(role, column or "", found.notes[role], is_off=column is None)
        for role, column in columns.items()
    ]


def _time_lines(found: BehaviourDiscovery) -> list[str]:
    form = found.roles.date_format
    return [
        setting("time_zone", found.roles.time_zone, found.notes["time_zone"]),
        setting("date_format", form or _EXAMPLE_FORMAT, found.notes["date_format"], is_off=form is None),
    ]


def _suspect_lines(found: BehaviourDiscovery) -> list[str]:
    if not found.suspects:
        return []
    surest_first = sorted(found.suspects.items(), key=lambda suspect: suspect[1].strength != "strong")
    return [
        "# Types that may repeat the outcome. Such an event stands at the outcome or after it, and no",
        "# observation knows it if its clock is right; if that is in doubt, take it out of the source.",
        *(f"#   {quote(value)}: {one_line(str(leak))}" for value, leak in surest_first),
    ]


def _observations_section() -> list[str]:
    last = round(ObservationsConfig().until_days)
    return [
        "[observations]  # at which moments of its life a lead is looked at, to learn from it",
        setting("at_days", AT_DAYS, "days after creation"),
        setting("every_days", _EXAMPLE_EVERY_DAYS, "and again every so many days", is_off=True),
        setting("until_days", last, "up to this day", is_off=True),
    ]


def _features_section(texts: Sequence[str]) -> list[str]:
    defaults = FeaturesConfig()
    text = "free text known at creation, to be counted; not what is written later"
    return [
        "[features]  # what is made of all that was known at such a moment",
        setting(
            "groups",
            ("profile", "activity"),
            "these alone; all for which there are data if not given",
            is_off=True,
        ),
        setting("windows_days", defaults.windows_days, "look-back windows of counts"),
        setting("engine", defaults.engine, 'where the table work runs; or "spark"'),
        setting("text", texts, text, is_off=True),
        "# Event types or assets by meaning, guessed from their names if not given:",
        *(setting(meaning, (), is_off=True) for meaning in _MEANINGS),
    ]
