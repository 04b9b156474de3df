"""The contact log: which leads were worked, since when, and how likely that had been."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config import DataConfig, LeadliftConfig
from leadlift.data.dates import MOMENT, parse_dates
from leadlift.data.sources import Source, TableSource, open_source
from leadlift.data.tables import lead_ids, require_columns
from leadlift.data.values import Column, convert_column
from leadlift.exceptions import ConfigError, InputError, SchemaError, shorten
from leadlift.terms import CONTACT_PROBABILITY, LEAD_ID, Kind

CONTACTED_AT = "contacted_at"

CONTACT_COLUMNS = pa.schema(
    [(LEAD_ID, pa.string()), (CONTACTED_AT, MOMENT), (CONTACT_PROBABILITY, pa.float64())]
)
"""Columns of the contact log: one row a lead, its first contact. The first two are never null."""


def read_contacts(config: LeadliftConfig) -> pa.Table:
    """Read the contact log that a configuration names.

    Parameters
    ----------
    config : LeadliftConfig
        ``[data] contacts`` says where it is.

    Returns
    -------
    pyarrow.Table
        :data:`CONTACT_COLUMNS`, as :func:`contacts_from` makes it.

    Raises
    ------
    ConfigError
        No log is named, or the leads have no ids by which to find them in it.
    InputError, SchemaError
        As for :func:`contacts_from`.
    """
    data, roles = config.data, config.roles
    if data.contacts is None:
        msg = "no contact log is named; set [data] contacts to a file, a folder or a database"
        raise ConfigError(msg)
    if roles.lead_id is None:
        msg = "[data] contacts needs [schema] lead_id: without ids nobody knows whose contacts these are"
        raise ConfigError(msg)
    source = open_source(data.contacts, data.contacts_query, data, query_key="contacts_query")
    return _first_contacts(source, data, roles.date_format, roles.time_zone)


def contacts_from(table: object) -> pa.Table:
    """Take a contact log from a table in memory.

    Parameters
    ----------
    table : pyarrow.Table, pandas.DataFrame or polars.DataFrame
        ``lead_id``; ``contacted_at``, the moment at which sales began to work the lead, empty where it did
        not; and, where it is known, ``contact_probability``: the chance in (0, 1] that it would, as the
        scored table said when that was decided. Other columns may be there. Of several contacts of a lead
        the first counts.

    Returns
    -------
    pyarrow.Table
        :data:`CONTACT_COLUMNS`, by lead_id; a probability that is not known is null.

    Raises
    ------
    SchemaError
        A column is missing, or holds what is no moment or no probability.
    InputError
        Contacts without an id, or no contact at all.

    Examples
    --------
    >>> contacts_from(pa.table({"lead_id": ["b", "a", "a"],
    ...                         "contacted_at": ["2026-03-01", "2026-03-09", "2026-03-02"]})).to_pydict()[
    ...     "lead_id"]
    ['a', 'b']
    """
    return _first_contacts(TableSource(table, "the contact log"), DataConfig(leads="-"), None, "UTC")


def _first_contacts(source: Source, data: DataConfig, date_format: str | None, zone: str) -> pa.Table:
    require_columns([LEAD_ID, CONTACTED_AT], source.columns, source.name)
    names = [name for name in CONTACT_COLUMNS.names if name in source.columns]
    raw = pa.Table.from_batches(source.batches(names), source.selected_schema(names))
    ids = lead_ids(raw[LEAD_ID], np.arange(1, len(raw) + 1), data)
    moments = _moments(raw[CONTACTED_AT], date_format, data.missing_values, zone, source.name)
    log = pa.table([ids, moments, _probabilities(raw, data, source.name)], schema=CONTACT_COLUMNS)
    log = log.filter(log[CONTACTED_AT].is_valid())
    _refuse_unusable(log, source.name)
    log = log.sort_by([(name, "ascending") for name in CONTACT_COLUMNS.names])
    lead = log[LEAD_ID].to_numpy()
    return log.filter(pa.array(np.r_[True, lead[1:] != lead[:-1]]))


def _moments(
    column: Column, date_format: str | None, missing_values: tuple[str, ...], zone: str, name: str
) -> Column:
    moments, is_bad = parse_dates(column, date_format, missing_values, zone)
    _refuse_bad(column, is_bad, CONTACTED_AT, date_format or "moments in ISO 8601", name)
    return moments


def _probabilities(raw: pa.Table, data: DataConfig, name: str) -> Column:
    """Null where they are not known."""
    if CONTACT_PROBABILITY not in raw.column_names:
        return pa.nulls(len(raw), pa.float64())
    column = raw[CONTACT_PROBABILITY]
    values, is_bad = convert_column(column, Kind.NUMERIC, data, CONTACT_PROBABILITY)
    inside = pc.and_(pc.greater(values, 0.0), pc.less_equal(values, 1.0))
    is_bad = pc.or_(is_bad, pc.invert(pc.fill_null(inside, fill_value=True)))
    _refuse_bad(column, is_bad, CONTACT_PROBABILITY, "numbers above 0, up to 1", name)
    return values


def _refuse_bad(column: Column, is_bad: Column, name: str, expected: str, source: str) -> None:
    bad = column.filter(is_bad)
    if len(bad):
        msg = f"{source}: {name} holds {shorten(bad.to_pylist())}; expected {expected}. Mend those rows"
        raise SchemaError(msg)


def _refuse_unusable(log: pa.Table, name: str) -> None:
    n_nameless = log[LEAD_ID].null_count
    if n_nameless:
        msg = f"{name}: {n_nameless:,} contact(s) have no lead_id; say whose they are, or take them out"
        raise InputError(msg)
    if not len(log):
        msg = f"{name}: the contact log holds no contact; take [data] contacts out until there are some"
        raise InputError(msg)
