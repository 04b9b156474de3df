"""A scored table that is there -> a file for a CRM, without scoring again."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config import DataConfig
from leadlift.data.addresses import source_name
from leadlift.data.dates import parse_dates
from leadlift.data.keyed_tables import quoted_table
from leadlift.data.queries import parse_query
from leadlift.data.sources import DATABASE_READERS, Source, open_source, source_kind
from leadlift.data.tables import require_columns
from leadlift.data.values import clean_text, is_text, parse_numbers, plain
from leadlift.exceptions import SchemaError, shorten
from leadlift.insight.escaping import unescape_formulas
from leadlift.serving.export import Export
from leadlift.serving.previous import PreviousStages, read_previous
from leadlift.serving.scored_columns import SCORED_SCHEMA
from leadlift.serving.writing import open_output, refuse_to_replace
from leadlift.terms import (
    AS_OF,
    GRADE,
    LEAD_ID,
    PREVIOUS_SCORE,
    REASONS,
    SCORE,
    SCORE_0_100,
    STAGE,
    STATUS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_READ = (LEAD_ID, AS_OF, SCORE, SCORE_0_100, PREVIOUS_SCORE, GRADE, STAGE, *REASONS, STATUS)
_SCHEMA = pa.schema([SCORED_SCHEMA.field(name) for name in _READ])


@dataclass(frozen=True)
class ExportSummary:
    """What an export did.

    Parameters
    ----------
    rows_in : int
        Rows of the scored table.
    rows_out : int
        Rows of the file.
    """

    rows_in: int
    rows_out: int


def export(
    scored: str | Path,
    *,
    out: str | Path,
    profile: str = "generic",
    previous: object | None = None,
    changed_only: str | None = None,
    scored_query: str | None = None,
    previous_query: str | None = None,
) -> ExportSummary:
    """Write a scored table as a CRM imports it.

    Parameters
    ----------
    scored : path or address
        A scored table as :func:`leadlift.serving.predict.predict` writes it: a file or a database.
    out : path
        ``.csv`` or ``.parquet``; appears only when complete.
    profile : str, default="generic"
        A key of :data:`leadlift.serving.profiles.PROFILES`.
    previous : path, address or table, optional
        The scoring before, in full: what trends and changes are told against. Not given, trends are those of
        the column ``previous_score``, where there is one.
    changed_only : {"stage", "grade"}, optional
        Write only leads that are new or differ in it from `previous`.
    scored_query : str, optional
        For a database: the name of a table, of which the rows of the latest ``as_of`` are taken; or a SELECT.
    previous_query : str, optional
        For a database: as for :func:`leadlift.serving.previous.read_previous`.

    Returns
    -------
    ExportSummary

    Raises
    ------
    ConfigError
        There is no such profile, nothing to compare with, or a query is missing or superfluous.
    InputError
        A table cannot be read, or the output cannot be written or would replace what is read.
    SchemaError
        A column of the scored table is missing or holds other values.
    """
    refuse_to_replace(out, scored)
    source = _open(scored, scored_query)
    require_columns(set(_READ) - {PREVIOUS_SCORE}, source.columns, source.name)
    tables = _scored_rows(source)
    first = next(tables, _SCHEMA.empty_table())
    before = _before(previous, first, previous_query)
    exported = Export(before, profile, changed_only)
    rows_in = rows_out = 0
    with open_output(out, exported.schema) as write:
        for table in itertools.chain([first], tables):
            rows = exported.rows(_with_previous_score(table, before))
            write(rows)
            rows_in, rows_out = rows_in + len(table), rows_out + len(rows)
    return ExportSummary(rows_in, rows_out)


def _open(scored: str | Path, query: str | None) -> Source:
    path = str(scored)
    if source_kind(path) in DATABASE_READERS:
        asked = parse_query(query, source_name(path), "scored_query")
        query = _last_scoring(asked.text) if asked.is_table else asked.text
    return open_source(path, query, DataConfig(leads=path), query_key="scored_query")


def _last_scoring(table: str) -> str:
    name, columns = quoted_table(table), ", ".join(_READ)
    return f"SELECT {columns} FROM {name} WHERE {AS_OF} = (SELECT max({AS_OF}) FROM {name})"  # noqa: S608 -- quoted


def _scored_rows(source: Source) -> Iterator[pa.Table]:
    """Batches in the types of scored tables; of CSV and SQLite, whose moments and numbers are text, too."""
    names = [name for name in _READ if name in source.columns]
    for batch in source.batches(names):
        table = pa.table(batch)
        columns = {name: _typed(table[name], name, source.name) for name in names}
        columns.setdefault(PREVIOUS_SCORE, pa.nulls(len(table), pa.float64()))
        yield pa.table([columns[name] for name in _READ], schema=_SCHEMA)


def _typed(column: pa.ChunkedArray, name: str, source: str) -> pa.ChunkedArray:
    column = plain(column)
    if name == AS_OF:
        moments, is_bad = parse_dates(column)
        _refuse(column.filter(is_bad).to_pylist(), name, source)
        return moments
    if is_text(column.type):
        column = clean_text(unescape_formulas(column)) if name == LEAD_ID else clean_text(column)
    dtype = _SCHEMA.field(name).type
    if is_text(column.type) and not is_text(dtype):
        numbers, is_bad = parse_numbers(column)
        _refuse(column.filter(is_bad).to_pylist(), name, source)
        column = numbers
    return pc.cast(column, dtype)


def _refuse(bad: list[str], name: str, source: str) -> None:
    if bad:
        msg = f"{source}: {name} holds {shorten(bad)}; expected a table that leadlift has scored"
        raise SchemaError(msg)


def _before(previous: object | None, first: pa.Table, query: str | None) -> PreviousStages | None:
    if previous is None:
        return None
    return read_previous(previous, as_of=pc.max(first[AS_OF]).as_py(), query=query)


def _with_previous_score(table: pa.Table, before: PreviousStages | None) -> pa.Table:
    if before is None:
        return table
    score = before.of(table[LEAD_ID]).score
    place = table.schema.get_field_index(PREVIOUS_SCORE)
    return table.set_column(place, PREVIOUS_SCORE, pa.array(score, mask=np.isnan(score)))
