"""Files and tables of won and lost leads -> one table in house columns.

Here the user's column names of roles and the spellings of cells end: what leaves is typed, stripped and
named as the house names it. New leads are read by :mod:`leadlift.data.new_leads`, with the same conversion;
its functions are at this door too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config import DataConfig, LeadliftConfig
from leadlift.data import reading_findings
from leadlift.data.csv_files import open_csv, read_csv
from leadlift.data.dates import looks_like_dates, parse_dates, parse_role_free_dates
from leadlift.data.files import is_parquet, require_file
from leadlift.data.labels import describe_undeclared, read_outcomes
from leadlift.data.new_leads import iter_batches, prepare_batch
from leadlift.data.parquet_files import (
    parquet_batches,
    parquet_schema,
    refuse_unreadable_types,
    unreadable_columns,
)
from leadlift.data.sources import Source, open_source, refuse_query, source_kind
from leadlift.data.tables import (
    CLOSED_AT,
    CREATED_AT,
    HOUSE_COLUMNS,
    INVALID,
    INVALID_DETAIL,
    MAX_CELL_BYTES,
    OUTCOME,
    QUALIFIED_AT,
    lead_ids,
    refuse_long_cells,
    table_from,
)
from leadlift.data.values import Column, convert_column, looks_numeric, plain
from leadlift.exceptions import InputError, SchemaError, column_diff, shorten
from leadlift.terms import LEAD_ID, Finding, Kind

__all__ = [
    "CLOSED_AT",
    "CREATED_AT",
    "HOUSE_COLUMNS",
    "INVALID",
    "INVALID_DETAIL",
    "MAX_CELL_BYTES",
    "OUTCOME",
    "QUALIFIED_AT",
    "Leads",
    "iter_batches",
    "leads_from",
    "prepare_batch",
    "read_leads",
    "read_text_table",
    "table_from",
]

_PARQUET_BATCH_ROWS = 131_072


@dataclass(frozen=True)
class Leads:
    """Leads to learn from, in house columns.

    Parameters
    ----------
    table : pyarrow.Table
        ``lead_id`` (string; null where missing; the row number from ``"1"`` where the file has no id),
        ``created_at``, ``closed_at`` and ``qualified_at`` (timestamp us UTC; absent without that role),
        ``outcome`` (string ``"won"``, ``"lost"``, ``"open"``; null where missing), then every other column
        of the file under its own name and in its order: float64, string, or timestamp us UTC for a date.
        Missing is null. Ignored columns are there too, unless they are nested or bear the name of a house
        column.
    row_numbers : numpy.ndarray of int64, shape (n,)
        For messages: the row of the file, 1 being the first under the header; ragged rows that were left
        out are counted, empty lines are not.
    kinds : dict of str to Kind
        Of every column without a role but those in `date_columns`.
    date_columns : tuple of str
        Columns without a role that hold dates; they are no inputs.
    findings : tuple of Finding
        What was noticed while reading (LL150 to LL153).
    account : pyarrow.ChunkedArray of string or None
        Account of each lead, null where missing; None without that role.
    weight : numpy.ndarray of float64 or None
        What each lead counts for, > 0; None without that role.
    """

    table: pa.Table
    row_numbers: np.ndarray
    kinds: dict[str, Kind]
    date_columns: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    account: Column | None = None
    weight: np.ndarray | None = None


@dataclass(frozen=True)
class _Raw:
    """A table as read, with what messages need: its name, its row numbers, all its columns."""

    source: str
    table: pa.Table
    row_numbers: np.ndarray
    names: tuple[str, ...]
    findings: tuple[Finding, ...] = ()

    def column(self, name: str) -> Column:
        return plain(self.table.column(name))

    def rows(self, mask: Column) -> str:
        """The first rows where a mask without nulls is true, for a message."""
        return shorten(self.row_numbers[np.flatnonzero(mask)])


def read_leads(config: LeadliftConfig) -> Leads:
    """Read the won and lost leads that a configuration names.

    Moments of roles without a zone are clock times of ``[schema] time_zone``. A column is numeric when
    every value in it is a number (see :func:`leadlift.data.values.looks_numeric`) or when the configuration
    says so.

    Parameters
    ----------
    config : LeadliftConfig
        ``[data]`` says where the leads are (any source of :func:`leadlift.data.sources.open_source`) and how
        files are written, ``[schema]`` which column is what.

    Returns
    -------
    Leads

    Raises
    ------
    InputError
        There is no such file, it is empty, damaged or no table, or it has ragged rows and
        ``ragged_rows`` is ``"error"``; a database cannot be read.
    ConfigError, MissingDependencyError
        As for :func:`leadlift.data.sources.open_source`.
    SchemaError
        A column named in the configuration is not in the file, a number or date cannot be read, or the
        label has a value that is not declared. Rows and values are named.
    """
    data = config.data
    if source_kind(data.leads) != "file":
        source = open_source(data.leads, data.leads_query, data)
        return _to_leads(_read_source(source, config.roles.ignore), config)
    refuse_query(data.leads, data.leads_query, "leads_query")
    path = require_file(data.leads)
    raw = _read_parquet(path, config.roles.ignore) if is_parquet(path) else _read_csv(path, data)
    return _to_leads(raw, config)


def leads_from(data: object, config: LeadliftConfig) -> Leads:
    """Take won and lost leads from a table in memory instead of the file that a configuration names.

    Parameters
    ----------
    data : pyarrow.Table, pandas.DataFrame or polars.DataFrame
        In the user's own column names.
    config : LeadliftConfig
        As for `read_leads`.

    Returns
    -------
    Leads

    Raises
    ------
    InputError, SchemaError
        As for `read_leads`.

    Examples
    --------
    >>> from leadlift.config import parse_config
    >>> config = parse_config('''
    ... [data]
    ... leads = "leads.csv"
    ... [schema]
    ... outcome = "stage"
    ... won = ["Won"]
    ... lost = ["Lost"]
    ... [cutoff.mql]
    ... policy = "fixed_threshold"
    ... ''', folder=Path())
    >>> leads = leads_from(pa.table({"stage": ["Won", "Lost"], "visits": [3, 1]}), config)
    >>> leads.table.to_pylist()[0], leads.kinds["visits"].value
    ({'lead_id': '1', 'outcome': 'won', 'visits': 3.0}, 'numeric')
    """
    table = table_from(data)
    if not table.num_rows:
        msg = "the table has no rows; expected one row a lead"
        raise InputError(msg)
    flat = table.select(_flat_columns(table.schema, config.roles.ignore, "the table"))
    raw = _Raw("the table", flat, np.arange(1, len(table) + 1), tuple(table.column_names))
    return _to_leads(_without_long_cells(raw), config)


def read_text_table(path: str | Path, data: DataConfig) -> pa.Table:
    """Read a file as it is written, for looking at it.

    Parameters
    ----------
    path : str or Path
        A CSV or Parquet file.
    data : DataConfig
        Delimiter and encoding of a CSV, and what to do with its ragged rows.

    Returns
    -------
    pyarrow.Table
        Of a CSV, string columns with an empty string for an empty cell; of a Parquet file, its own types.

    Raises
    ------
    InputError, SchemaError
        As for `read_leads`, as far as it is about the file.
    """
    path = require_file(path)
    raw = _read_parquet(path, ignore=()) if is_parquet(path) else _read_csv(path, data)
    return raw.table


def _read_parquet(path: Path, ignore: tuple[str, ...]) -> _Raw:
    schema = parquet_schema(path)
    flat = _flat_columns(schema, ignore, str(path))
    table = pa.Table.from_batches(parquet_batches(path, flat, _PARQUET_BATCH_ROWS))
    row_numbers = np.arange(1, len(table) + 1)
    return _without_long_cells(_Raw(str(path), table, row_numbers, tuple(schema.names)))


def _read_csv(path: Path, data: DataConfig) -> _Raw:
    file = open_csv(path, data)
    table, ragged = read_csv(file)
    findings = [reading_findings.ragged_rows_left_out(ragged)] if ragged.rows else []
    if not file.header.names[0]:
        findings.append(reading_findings.row_names())
    every_row = np.arange(1, len(table) + len(ragged.rows) + 1)
    row_numbers = np.delete(every_row, np.array(ragged.rows, dtype=np.int64) - 1)
    return _without_long_cells(_Raw(str(path), table, row_numbers, file.header.columns, tuple(findings)))


def _read_source(source: Source, ignore: tuple[str, ...]) -> _Raw:
    """Rows are numbered as they come: of a folder through its files, of a query through its result."""
    flat = _flat_columns(source.schema, ignore, source.name)
    table = pa.Table.from_batches(source.batches(flat), source.selected_schema(flat))
    if not table.num_rows:
        msg = f"{source.name}: there are columns but no rows; expected one row a lead"
        raise InputError(msg)
    row_numbers = np.arange(1, len(table) + 1)
    return _without_long_cells(_Raw(source.name, table, row_numbers, source.columns, source.findings()))


def _without_long_cells(raw: _Raw) -> _Raw:
    refuse_long_cells(raw.table, raw.row_numbers, raw.source)
    return raw


def _flat_columns(schema: pa.Schema, ignore: tuple[str, ...], source: str) -> list[str]:
    """Names of all columns but the nested ones that the user ignores."""
    ignored = set(unreadable_columns(schema)).intersection(ignore)
    names = [name for name in schema.names if name not in ignored]
    refuse_unreadable_types(schema, names, source)
    return names


def _to_leads(raw: _Raw, config: LeadliftConfig) -> Leads:
    _check_names(raw, config)
    columns = _role_columns(raw, config)
    taken = {*config.roles.role_columns, *HOUSE_COLUMNS}
    kinds, dates, findings = {}, [], list(raw.findings)
    for name in (name for name in raw.table.column_names if name not in taken):
        kind = _kind_of(raw.column(name), name, config)
        if kind is None:
            dates.append(name)
            findings.append(reading_findings.date_column(name))
            columns[name] = parse_role_free_dates(
                raw.column(name), config.roles.date_format, config.data.missing_values
            )
            continue
        kinds[name] = kind
        columns[name] = _convert(raw, name, kind, config)
        findings += _text_findings(raw.column(name), name, kind, config)
    _check_missing_numbers(kinds, config)
    return Leads(
        pa.table(columns),
        raw.row_numbers,
        kinds,
        tuple(dates),
        tuple(findings),
        _accounts(raw, config),
        _weights(raw, config),
    )


def _accounts(raw: _Raw, config: LeadliftConfig) -> Column | None:
    account = config.roles.account
    return None if account is None else lead_ids(raw.column(account), raw.row_numbers, config.data)


def _weights(raw: _Raw, config: LeadliftConfig) -> np.ndarray | None:
    """The weights, which must all be there and say something."""
    name = config.roles.weight
    if name is None:
        return None
    weight = _convert(raw, name, Kind.NUMERIC, config).to_numpy(zero_copy_only=False)
    is_bad = ~(np.isfinite(weight) & (weight > 0))
    if is_bad.any():
        msg = (
            f"{raw.source}: column {name!r} is the weight and should hold numbers above 0; {is_bad.sum()} "
            f"cell(s) are missing, infinite, 0 or negative, in rows {raw.rows(is_bad)}. Fill them, or leave "
            "out the leads that are not to count"
        )
        raise SchemaError(msg)
    return weight


def _role_columns(raw: _Raw, config: LeadliftConfig) -> dict[str, Column]:
    roles, data = config.roles, config.data
    ids = raw.column(roles.lead_id) if roles.lead_id else None
    columns = {LEAD_ID: lead_ids(ids, raw.row_numbers, data)}
    dates = {CREATED_AT: roles.created_at, CLOSED_AT: roles.closed_at, QUALIFIED_AT: roles.qualified_at}
    for house_name, name in dates.items():
        if name:
            columns[house_name] = _dates(raw, name, config)
    columns[OUTCOME], undeclared = read_outcomes(raw.column(roles.outcome), roles, data)
    if undeclared.null_count < len(undeclared):
        rows = raw.rows(pc.is_valid(undeclared))
        msg = f"{raw.source}: {describe_undeclared(undeclared, roles)}. Rows {rows}"
        raise SchemaError(msg)
    return columns


def _dates(raw: _Raw, name: str, config: LeadliftConfig) -> Column:
    date_format = config.roles.date_format
    column = raw.column(name)
    moments, is_bad = parse_dates(column, date_format, config.data.missing_values, config.roles.time_zone)
    if pc.any(is_bad).as_py():
        expected = (
            f"dates of the form {date_format!r}" if date_format else "ISO 8601 dates (2026-11-30 14:05)"
        )
        remedy = "Set [schema] date_format to their form, or put words for 'no date' in [data] missing_values"
        raise _unreadable(raw, name, is_bad, expected, remedy)
    return moments


def _convert(raw: _Raw, name: str, kind: Kind, config: LeadliftConfig) -> Column:
    values, is_bad = convert_column(raw.column(name), kind, config.data, name)
    is_unreadable = pc.and_(is_bad, pc.is_null(values))  # an infinite number is for the checks to report
    if pc.any(is_unreadable).as_py():
        marks = f"decimal {config.data.decimal!r}, thousands {config.data.thousands!r}"
        remedy = "Put words for 'not recorded' in [data] missing_values, or take it out of [schema] numeric"
        raise _unreadable(raw, name, is_unreadable, f"numbers ({marks})", remedy)
    return values


def _unreadable(raw: _Raw, name: str, is_bad: Column, expected: str, remedy: str) -> SchemaError:
    column = raw.column(name)
    cells = pc.cast(column.filter(is_bad), pa.string()).unique()
    return SchemaError(
        f"{raw.source}: column {name!r} should hold {expected}; {pc.sum(is_bad).as_py()} cell(s) do not: "
        f"{shorten(cells.to_pylist())} in rows {raw.rows(is_bad)}. {remedy}"
    )


def _kind_of(column: Column, name: str, config: LeadliftConfig) -> Kind | None:
    """The kind declared or found; None for dates."""
    roles, data = config.roles, config.data
    if name in roles.numeric or name in roles.categorical:
        return Kind.NUMERIC if name in roles.numeric else Kind.CATEGORICAL
    if looks_numeric(column, data):
        return Kind.NUMERIC
    return None if looks_like_dates(column, roles.date_format, data.missing_values) else Kind.CATEGORICAL


def _text_findings(column: Column, name: str, kind: Kind, config: LeadliftConfig) -> list[Finding]:
    if kind is Kind.NUMERIC or name in (*config.roles.categorical, *config.roles.ignore):
        return []
    finding = reading_findings.nearly_numeric(name, column, config.data)
    return [] if finding is None else [finding]


def _check_names(raw: _Raw, config: LeadliftConfig) -> None:
    """Every column that the configuration names is there, and no other bears a house name."""
    lines = [
        f"  [{section}]{line[1:]}"
        for section, named in _named_columns(config).items()
        for line in column_diff(named, raw.names).splitlines()
        if line.startswith("  -")
    ]
    if lines:
        msg = f"{raw.source}: {len(lines)} column(s) that leadlift.toml names are not there:\n" + "\n".join(
            lines
        )
        raise SchemaError(msg)
    free = {*config.roles.ignore, *config.roles.role_columns}
    clashes = [name for name in HOUSE_COLUMNS if name in raw.names and name not in free]
    if clashes:
        msg = (
            f"{raw.source}: leadlift itself needs {len(clashes)} column name(s): {shorten(clashes)}. "
            f"Give the column that role in [schema], put it under ignore, or rename it"
        )
        raise SchemaError(msg)


def _named_columns(config: LeadliftConfig) -> dict[str, list[str]]:
    """Columns that the configuration names, by its section and key."""
    roles, families = config.roles, config.families
    lists = ("ignore", "known_at_creation", "allow_protected", "numeric", "categorical")
    named = {"schema": list(roles.role_columns)}
    named |= {f"schema.{key}": list(getattr(roles, key)) for key in lists}
    named |= {f"families.{key}": list(names) for key, names in families}
    return named | {"data.missing_numbers": list(config.data.missing_numbers)}


def _check_missing_numbers(kinds: dict[str, Kind], config: LeadliftConfig) -> None:
    text = [name for name in config.data.missing_numbers if kinds.get(name) is not Kind.NUMERIC]
    if text:
        msg = (
            f"[data.missing_numbers] names {len(text)} column(s) that are not numeric: {shorten(text)}. "
            f"Use missing_values for words, or name the column under [schema] numeric"
        )
        raise SchemaError(msg)
