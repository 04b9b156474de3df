"""Scored leads from wherever they are, as monitoring reads them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config import DataConfig
from leadlift.data.dates import parse_dates
from leadlift.data.sources import Source, TableSource, open_source
from leadlift.data.tables import lead_ids, require_columns
from leadlift.data.values import Column, clean_text, is_text, parse_numbers, plain
from leadlift.exceptions import SchemaError, shorten
from leadlift.insight.escaping import unescape_formulas
from leadlift.serving.scored_columns import SCORED_SCHEMA
from leadlift.terms import (
    AS_OF,
    CONTACT_PROBABILITY,
    GRADE,
    LEAD_ID,
    MODEL_STAGE,
    MODEL_VERSION,
    SCORE,
    SCORE_SQL,
    STAGE,
    STAGE_REASON,
    STATUS,
    Status,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

NEEDED = (LEAD_ID, AS_OF, SCORE)
READ = (
    *NEEDED,
    SCORE_SQL,
    GRADE,
    STAGE,
    MODEL_STAGE,
    STAGE_REASON,
    CONTACT_PROBABILITY,
    STATUS,
    MODEL_VERSION,
)


def read_scored(place: object, *, query: str | None = None, also: Sequence[str] = ()) -> pa.Table:
    """Read scored leads of one or many batches.

    Parameters
    ----------
    place : path, address or table
        What `leadlift predict` wrote: a file, folder, glob or database of
        :func:`leadlift.data.sources.open_source`; or such a table in memory.
    query : str, optional
        For a DuckDB file or a database: the name of a table, or a SELECT.
    also : sequence of str
        Further columns to keep, as text, where they are there.

    Returns
    -------
    pyarrow.Table
        ``lead_id``, ``as_of``, ``score`` and the other columns of :data:`READ` with their types of
        :data:`leadlift.serving.scored_columns.SCORED_SCHEMA`, null where they are absent; a row with a score
        and no status is ``scored``, a stage of the model that is absent is the stage.

    Raises
    ------
    InputError
        It cannot be read.
    SchemaError
        A column of :data:`NEEDED` is not there, or holds something that is no number or no moment.
    """
    source = _open(place, query)
    require_columns(NEEDED, source.columns, source.name)
    present = [name for name in (*READ, *also) if name in source.columns]
    rows = [pa.table(batch) for batch in source.batches(list(dict.fromkeys(present)))]
    names = [*READ, *[name for name in also if name in present and name not in READ]]
    tables = [_typed(table, names, source.name) for table in rows] or [_typed(None, names, source.name)]
    table = pa.concat_tables(tables)
    return _completed(table)


def scored_between(
    scored: pa.Table, since: datetime | None = None, until: datetime | None = None
) -> pa.Table:
    """Return the rows that were scored from one moment on and before another.

    Parameters
    ----------
    scored : pyarrow.Table
        With ``as_of`` (timestamp us UTC).
    since, until : datetime with time zone, optional

    Returns
    -------
    pyarrow.Table

    Examples
    --------
    >>> from datetime import UTC
    >>> day = [datetime(2026, 1, d, tzinfo=UTC) for d in (1, 2, 3)]
    >>> scored_between(pa.table({"as_of": day}), since=day[1], until=day[2]).num_rows
    1
    """
    dtype = scored[AS_OF].type
    if since is not None:
        scored = scored.filter(pc.greater_equal(scored[AS_OF], pa.scalar(since, dtype)))
    if until is not None:
        scored = scored.filter(pc.less(scored[AS_OF], pa.scalar(until, dtype)))
    return scored


def _open(place: object, query: str | None) -> Source:
    if not isinstance(place, str | Path):
        return TableSource(place, "the scored leads")
    path = str(place)
    # It was written by leadlift, not as the user's own files are.
    return open_source(path, query, DataConfig(leads=path), query_key="scored_query")


def _typed(rows: pa.Table | None, names: Sequence[str], source: str) -> pa.Table:
    return pa.table({name: _column(rows, name, source) for name in names})


def _column(rows: pa.Table | None, name: str, source: str) -> Column:
    dtype = SCORED_SCHEMA.field(name).type if name in SCORED_SCHEMA.names else pa.string()
    if rows is None or name not in rows.column_names:
        return pa.nulls(0 if rows is None else len(rows), dtype)
    column = plain(rows[name])
    if name == LEAD_ID:
        ids = unescape_formulas(column) if is_text(column.type) else column
        return lead_ids(ids, np.arange(1, len(ids) + 1), DataConfig(leads=source))
    if pa.types.is_timestamp(dtype):
        return _readable(column, *parse_dates(column), name, source)
    if pa.types.is_floating(dtype) and is_text(column.type):
        text = clean_text(column)
        return _readable(column, *parse_numbers(text), name, source)
    if not is_text(column.type):
        return pc.cast(column, dtype)
    return pc.cast(clean_text(column), dtype)


def _readable(column: Column, values: Column, is_bad: Column, name: str, source: str) -> Column:
    bad = column.filter(is_bad)
    if len(bad):
        msg = f"{source}: {name} holds {shorten(bad.to_pylist())}, as `leadlift predict` never writes it"
        raise SchemaError(msg)
    return values


def _completed(table: pa.Table) -> pa.Table:
    """The table with what older or smaller ones leave out."""
    has_score = pc.is_valid(table[SCORE])
    status = pc.if_else(has_score, pc.coalesce(table[STATUS], pa.scalar(Status.SCORED.value)), table[STATUS])
    model_stage = pc.coalesce(table[MODEL_STAGE], table[STAGE])
    for name, column in ((STATUS, status), (MODEL_STAGE, model_stage)):
        table = table.set_column(table.column_names.index(name), name, column)
    return table
