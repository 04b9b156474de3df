"""The change log of fields of any source -> batches in house columns: whose field became what, and when."""

from __future__ import annotations

from typing import ClassVar

import pyarrow as pa

from leadlift.config import DataConfig, HistoryConfig, LeadliftConfig
from leadlift.data.behaviour import BehaviourTable, Rows, in_memory
from leadlift.data.behaviour_findings import Words
from leadlift.data.sources import TableSource, open_source
from leadlift.data.tallies import Noticed
from leadlift.data.zones import MOMENT
from leadlift.exceptions import ConfigError
from leadlift.terms import LEAD_ID

CHANGED_AT = "changed_at"

HISTORY_COLUMNS = pa.schema(
    [
        (LEAD_ID, pa.string()),
        (CHANGED_AT, MOMENT),
        ("field", pa.string()),
        ("value", pa.string()),
        ("old_value", pa.string()),
    ]
)
"""House columns of the change log; all of them are always there. The first three are never null."""


class History(BehaviourTable):
    """Changes of fields in house columns, read from a source as often as asked for.

    Made by `read_history`, `open_history` and `history_from`. Its `batches` have `HISTORY_COLUMNS`:

    ``lead_id`` (string), as the ids of leads are made; ``changed_at`` (timestamp us UTC); ``field`` (string);
    ``value`` and ``old_value`` (string), spelled as the levels of a categorical column of the leads are; null
    where the field was emptied, or was empty before.

    Left out and counted are rows without a lead id, without a moment or with one that cannot be read, and
    without a field.
    """

    schema: ClassVar[pa.Schema] = HISTORY_COLUMNS
    optional_roles: ClassVar[tuple[str, ...]] = ("old_value",)
    words: ClassVar[Words] = Words(
        noun="changes",
        section="schema.history",
        source_key="history",
        moment="changed_at",
        level="field",
        emptied={"field": "they are left out, since nobody knows what changed"},
    )

    def _house_batch(self, rows: Rows) -> pa.RecordBatch:
        fields, changed_at = _fields_and_moments(rows)
        values, old_values = rows.levels(self.roles.value), rows.levels(self.roles.old_value)
        arrays = [rows.ids, changed_at, fields, values, old_values]
        return pa.RecordBatch.from_arrays(arrays, schema=HISTORY_COLUMNS)


def read_history(config: LeadliftConfig) -> History:
    """Open the change log of fields that a configuration names.

    Parameters
    ----------
    config : LeadliftConfig
        ``[data] history`` says where it is, ``[schema.history]`` which column is what.

    Returns
    -------
    History

    Raises
    ------
    ConfigError
        No change log is named, or `time_zone` is no zone.
    InputError
        There is no such source, or it is damaged.
    SchemaError
        A column with a role is not there; the message is a diff.
    """
    if config.data.history is None:
        msg = "no change log of fields is named; set [data] history to a file, a folder or a database"
        raise ConfigError(msg)
    roles = config.roles.history or HistoryConfig()
    return open_history(config.data.history, config.data.history_query, roles=roles, data=config.data)


def open_history(source: str, query: str | None = None, *, roles: HistoryConfig, data: DataConfig) -> History:
    """Open the change log of a source.

    Parameters
    ----------
    source : str
        A file, a folder, a glob, a DuckDB file or the address of a database
        (see :func:`leadlift.data.sources.open_source`).
    query : str or None
        For DuckDB files and databases: the name of a table, or a SELECT.
    roles : HistoryConfig
        Which column plays which role.
    data : DataConfig
        How files are written.

    Returns
    -------
    History

    Raises
    ------
    InputError, SchemaError, ConfigError
        As for `read_history`.
    """
    return History(open_source(source, query, data, query_key="history_query"), roles, data)


def history_from(
    data: object, roles: HistoryConfig | None = None, data_config: DataConfig | None = None
) -> History:
    """Take a change log of fields from a table in memory.

    Parameters
    ----------
    data : pyarrow.Table, pandas.DataFrame or polars.DataFrame
        In the column names of `roles`.
    roles : HistoryConfig or None
        Which column plays which role; None takes the house's names.
    data_config : DataConfig or None
        Words and marks of text; None takes the defaults.

    Returns
    -------
    History

    Raises
    ------
    InputError, SchemaError, ConfigError
        As for `read_history`.

    Examples
    --------
    >>> history = history_from(
    ...     pa.table(
    ...         {"lead_id": [7], "changed_at": ["2026-03-01"], "field": ["stage"], "value": ["demo"]},
    ...     )
    ... )
    >>> history.table().select(["lead_id", "field", "value", "old_value"]).to_pylist()
    [{'lead_id': '7', 'field': 'stage', 'value': 'demo', 'old_value': None}]
    """
    return History(TableSource(data), roles or HistoryConfig(), in_memory(data_config))


def _fields_and_moments(rows: Rows) -> tuple[pa.Array, pa.Array]:
    """Of the rows that have both; one that lacks both is counted as without a moment."""
    name = rows.roles.field
    (changed_at,) = rows.dated(rows.roles.changed_at)
    fields = rows.levels(name)
    rows.tally.levels.add(fields)
    rows.note(Noticed.EMPTY_ROLE, name, fields.is_null())
    has_field = fields.is_valid()
    rows.keep(has_field)
    return fields.filter(has_field), changed_at.filter(has_field)
