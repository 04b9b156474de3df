"""Events of any source -> batches in house columns: who did what, when it became known, by which channel.

An event counts from the moment at which it was known: from `occurred_at`, or from `recorded_at` where that is
later. Whether an event is before a moment of observation is asked of that moment only.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config import DataConfig, EventsConfig, LeadliftConfig
from leadlift.data.behaviour import BehaviourTable, Rows, in_memory
from leadlift.data.behaviour_findings import Words
from leadlift.data.sources import TableSource, open_source
from leadlift.data.tallies import Noticed
from leadlift.data.values import convert_column
from leadlift.data.zones import MOMENT
from leadlift.exceptions import ConfigError
from leadlift.terms import LEAD_ID, Kind

OCCURRED_AT = "occurred_at"
EVENT_TYPE = "event_type"

EVENT_COLUMNS = pa.schema(
    [
        (LEAD_ID, pa.string()),
        (OCCURRED_AT, MOMENT),
        (EVENT_TYPE, pa.string()),
        ("channel", pa.string()),
        ("asset", pa.string()),
        ("value", pa.float64()),
        ("text", pa.string()),
        ("event_id", pa.string()),
    ]
)
"""House columns of events; all of them are always there. The first three are never null."""

UNKNOWN_TYPE = "unknown"
"""Type of an event that has none."""

MAX_VALUE = 1e9
"""Size from which on a value is no minutes and no amount, but a damaged number."""

_ONE_DAY = pa.scalar(timedelta(days=1), pa.duration("us"))


class Events(BehaviourTable):
    """Behaviour events in house columns, read from a source as often as asked for.

    Made by `read_events`, `open_events` and `events_from`. Its `batches` have `EVENT_COLUMNS`:

    ``lead_id`` (string), as the ids of leads are made; ``occurred_at`` (timestamp us UTC), the later of the
    moments at which it occurred and was recorded; ``event_type`` (string), ``"unknown"`` where missing;
    ``channel`` and ``asset`` (string); ``value`` (float64), null where it is unreadable, infinite, or
    `MAX_VALUE` or more in size; ``text`` and ``event_id`` (string). Null is missing.

    Left out and counted are rows without a lead id, without a moment, or with one that cannot be read.
    """

    schema: ClassVar[pa.Schema] = EVENT_COLUMNS
    optional_roles: ClassVar[tuple[str, ...]] = (
        "channel",
        "asset",
        "value",
        "text",
        "event_id",
        "recorded_at",
    )
    words: ClassVar[Words] = Words(
        noun="events",
        section="schema.events",
        source_key="events",
        moment="occurred_at",
        level="event_type",
        emptied={
            "event_type": f"their type is {UNKNOWN_TYPE!r}",
            "channel": "they count in no channel",
            "recorded_at": "they are taken to be known when they occurred",
        },
    )

    def _house_batch(self, rows: Rows) -> pa.RecordBatch:
        roles = self.roles
        known_at = _known_at(rows)
        arrays = [
            rows.ids,
            known_at,
            _event_types(rows),
            _channels(rows),
            rows.levels(roles.asset),
            _values(rows),
            rows.text(roles.text),
            rows.text(roles.event_id),
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=EVENT_COLUMNS)


def read_events(config: LeadliftConfig) -> Events:
    """Open the events that a configuration names.

    Parameters
    ----------
    config : LeadliftConfig
        ``[data] events`` says where they are, ``[schema.events]`` which column is what.

    Returns
    -------
    Events

    Raises
    ------
    ConfigError
        No events are named, or `time_zone` is no zone.
    InputError
        There is no such source, or it is damaged.
    SchemaError
        A column with a role is not there; the message is a diff.
    """
    if config.data.events is None:
        msg = "no events are named; set [data] events to a file, a folder or a database"
        raise ConfigError(msg)
    roles = config.roles.events or EventsConfig()
    return open_events(config.data.events, config.data.events_query, roles=roles, data=config.data)


def open_events(source: str, query: str | None = None, *, roles: EventsConfig, data: DataConfig) -> Events:
    """Open the events of a source.

    Parameters
    ----------
    source : str
        A file, a folder, a glob, a DuckDB file or the address of a database
        (see :func:`leadlift.data.sources.open_source`).
    query : str or None
        For DuckDB files and databases: the name of a table, or a SELECT.
    roles : EventsConfig
        Which column plays which role.
    data : DataConfig
        How files are written.

    Returns
    -------
    Events

    Raises
    ------
    InputError, SchemaError, ConfigError
        As for `read_events`.
    """
    return Events(open_source(source, query, data, query_key="events_query"), roles, data)


def events_from(
    data: object, roles: EventsConfig | None = None, data_config: DataConfig | None = None
) -> Events:
    """Take events from a table in memory.

    Parameters
    ----------
    data : pyarrow.Table, pandas.DataFrame or polars.DataFrame
        In the column names of `roles`.
    roles : EventsConfig or None
        Which column plays which role; None takes the house's names, optional ones where
        there are such columns.
    data_config : DataConfig or None
        Words and marks of text; None takes the defaults.

    Returns
    -------
    Events

    Raises
    ------
    InputError, SchemaError, ConfigError
        As for `read_events`.

    Examples
    --------
    >>> events = events_from(
    ...     pa.table(
    ...         {
    ...             "lead_id": ["A", "A", ""],
    ...             "occurred_at": ["2026-03-01 10:00", "2026-03-02T09:30:00+02:00", "2026-03-03"],
    ...             "event_type": ["visit", None, "visit"],
    ...         }
    ...     )
    ... )
    >>> table = events.table()
    >>> table["event_type"].to_pylist(), [moment.hour for moment in table["occurred_at"].to_pylist()]
    (['visit', 'unknown'], [10, 7])
    >>> [(finding.code, finding.count) for finding in events.findings()]
    [('LL170', 1), ('LL172', 1), ('LL176', 1)]
    """
    return Events(TableSource(data), roles or EventsConfig(), in_memory(data_config))


def _known_at(rows: Rows) -> pa.Array:
    """The later of both moments."""
    roles = rows.roles
    if roles.recorded_at is None:
        return rows.dated(roles.occurred_at)[0]
    occurred, recorded = rows.dated(roles.occurred_at, roles.recorded_at)
    rows.note(Noticed.EMPTY_ROLE, roles.recorded_at, recorded.is_null())
    is_late = pc.fill_null(pc.greater(recorded, occurred), fill_value=False)
    rows.note(Noticed.LATE, roles.recorded_at, is_late)
    rows.note(Noticed.EARLY, roles.recorded_at, pc.greater(pc.subtract(occurred, recorded), _ONE_DAY))
    return pc.if_else(is_late, recorded, occurred)


def _event_types(rows: Rows) -> pa.Array:
    types = rows.levels(rows.roles.event_type)
    rows.tally.levels.add(types)
    rows.note(Noticed.EMPTY_ROLE, rows.roles.event_type, types.is_null())
    return types.fill_null(UNKNOWN_TYPE)


def _channels(rows: Rows) -> pa.Array:
    name = rows.roles.channel
    channels = rows.levels(name)
    if name is not None:
        rows.note(Noticed.EMPTY_ROLE, name, channels.is_null())
    return channels


def _values(rows: Rows) -> pa.Array:
    name = rows.roles.value
    if name is None:
        return pa.nulls(len(rows.ids), pa.float64())
    values, is_bad = convert_column(rows.raw.column(name), Kind.NUMERIC, rows.data, name)
    is_huge = pc.fill_null(pc.greater_equal(pc.abs(values), MAX_VALUE), fill_value=False)
    rows.note(Noticed.BAD_VALUE, name, pc.or_(is_bad, is_huge))
    return pc.if_else(is_huge, pa.scalar(None, pa.float64()), values)
