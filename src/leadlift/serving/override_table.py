"""The table in which people say what they decided about leads, read and checked."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config import DataConfig
from leadlift.data.dates import parse_dates
from leadlift.data.sources import Source, TableSource, open_source
from leadlift.data.tables import lead_ids, require_columns
from leadlift.data.values import clean_text, plain
from leadlift.exceptions import InputError, SchemaError, shorten
from leadlift.insight.escaping import plain_text, unescape_formulas
from leadlift.serving.previous import RANKED_STAGES
from leadlift.terms import LEAD_ID, STAGE

REASON, AUTHOR, MADE_AT, EXPIRES_AT = "reason", "author", "made_at", "expires_at"
OVERRIDE_SCHEMA = pa.schema(
    [
        (LEAD_ID, pa.string()),
        (STAGE, pa.string()),
        (REASON, pa.string()),
        (AUTHOR, pa.string()),
        (MADE_AT, pa.timestamp("us", tz="UTC")),
        (EXPIRES_AT, pa.timestamp("us", tz="UTC")),
    ]
)
MAX_LENGTH = 200
"""Characters of a reason or an author; what is longer is cut."""

_NEEDED = tuple(name for name in OVERRIDE_SCHEMA.names if name != EXPIRES_AT)


def read_overrides(overrides: object, *, query: str | None = None) -> pa.Table:
    """Read and check what people decided.

    Parameters
    ----------
    overrides : path, address or table
        With the columns ``lead_id``, ``stage`` (``none``, ``MQL`` or ``SQL``), ``reason``, ``author`` and
        ``made_at``, and ``expires_at``, which may be missing and empty: then the override never ends. Moments
        without a zone are in UTC; the end is excluded.
    query : str, optional
        For a DuckDB file or a database: the name of a table, or a SELECT.

    Returns
    -------
    pyarrow.Table
        Columns :data:`OVERRIDE_SCHEMA`, by lead and ``made_at``.

    Raises
    ------
    SchemaError
        A column is missing; a lead, a stage, a reason, an author or a moment is missing or none; an override
        ends before it begins.
    InputError
        The file cannot be read, or a lead has two overrides of one moment.
    ConfigError
        `query` is missing, superfluous or no SELECT.

    Examples
    --------
    >>> import pyarrow as pa
    >>> said = {"lead_id": ["a"], "stage": ["SQL"], "reason": ["met at the fair"], "author": ["kim"]}
    >>> table = read_overrides(pa.table(said | {"made_at": ["2026-11-20"]}))
    >>> table["made_at"][0].as_py().isoformat(), table["expires_at"][0].as_py()
    ('2026-11-20T00:00:00+00:00', None)
    """
    source = _open(overrides, query)
    require_columns(_NEEDED, source.columns, source.name)
    names = [name for name in OVERRIDE_SCHEMA.names if name in source.columns]
    read = pa.Table.from_batches(source.batches(names), source.selected_schema(names))
    table = _typed(read, source.name)
    _refuse_incomplete(table, source.name)
    _refuse_repeated(table, source.name)
    return table.sort_by([(LEAD_ID, "ascending"), (MADE_AT, "ascending")])


def _open(overrides: object, query: str | None) -> Source:
    if not isinstance(overrides, str | Path):
        return TableSource(overrides, "overrides")
    place = str(overrides)
    return open_source(place, query, DataConfig(leads=place), query_key="overrides_query")


def _typed(read: pa.Table, name: str) -> pa.Table:
    data = DataConfig(leads=name)
    columns = {
        LEAD_ID: lead_ids(unescape_formulas(plain(read[LEAD_ID])), np.arange(1, len(read) + 1), data),
        STAGE: _stages(_text(read[STAGE]), name),
        **{column: _words(read[column]) for column in (REASON, AUTHOR)},
        MADE_AT: _moments(read[MADE_AT], MADE_AT, name),
        EXPIRES_AT: _moments(read[EXPIRES_AT], EXPIRES_AT, name)
        if EXPIRES_AT in read.column_names
        else pa.nulls(len(read)),
    }
    return pa.table(columns).cast(OVERRIDE_SCHEMA)


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text without spaces around it; null where nothing is left."""
    text = clean_text(unescape_formulas(pc.cast(plain(column), pa.string())))
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def _words(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """What people wrote, in one line that shows what it holds."""
    texts = [None if text is None else plain_text(text, MAX_LENGTH) for text in _text(column).to_pylist()]
    return pa.chunked_array([pa.array(texts, pa.string())])


def _stages(text: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """Names of stages as they are spelt here, however they are cased there."""
    place = pc.index_in(pc.utf8_lower(text), value_set=pa.array([stage.lower() for stage in RANKED_STAGES]))
    odd = text.filter(pc.and_(pc.is_null(place), pc.is_valid(text)))
    if len(odd):
        msg = (
            f"{name}: {STAGE} of {len(odd)} override(s) holds {shorten(pc.unique(odd).to_pylist())}; "
            f"expected {', '.join(RANKED_STAGES)}"
        )
        raise SchemaError(msg)
    return pa.chunked_array([pa.array(RANKED_STAGES).take(place.combine_chunks())])


def _moments(column: pa.ChunkedArray, column_name: str, name: str) -> pa.ChunkedArray:
    moments, is_bad = parse_dates(plain(column))
    bad = column.filter(is_bad)
    if len(bad):
        msg = f"{name}: {column_name} holds {shorten(bad.to_pylist())}; expected moments in ISO 8601"
        raise SchemaError(msg)
    return moments


def _refuse_incomplete(table: pa.Table, name: str) -> None:
    for column in _NEEDED:
        missing = table.filter(pc.is_null(table[column]))
        if len(missing):
            msg = (
                f"{name}: {len(missing)} override(s) have no {column}, of lead(s) "
                f"{shorten(missing[LEAD_ID].to_pylist())}. Each needs {', '.join(_NEEDED)}"
            )
            raise SchemaError(msg)
    backwards = table.filter(pc.less_equal(table[EXPIRES_AT], table[MADE_AT]))
    if len(backwards):
        msg = (
            f"{name}: {len(backwards)} override(s) end before they begin, of lead(s) "
            f"{shorten(backwards[LEAD_ID].to_pylist())}; expected {EXPIRES_AT} after {MADE_AT}"
        )
        raise SchemaError(msg)


def _refuse_repeated(table: pa.Table, name: str) -> None:
    counted = table.group_by([LEAD_ID, MADE_AT]).aggregate([([], "count_all")])
    twice = counted.filter(pc.greater(counted["count_all"], 1))
    if len(twice):
        msg = (
            f"{name}: {len(twice)} lead(s) have two overrides of one moment, of which none is the later: "
            f"{shorten(sorted(twice[LEAD_ID].to_pylist()))}. Correct {MADE_AT}"
        )
        raise InputError(msg)


def overrides_digest(table: pa.Table) -> str:
    """Return a sha256 of overrides, the same for the same content in whatever file and order.

    Parameters
    ----------
    table : pyarrow.Table
        From :func:`read_overrides`.

    Returns
    -------
    str
    """
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, OVERRIDE_SCHEMA) as writer:
        writer.write_table(table.combine_chunks())
    return hashlib.sha256(sink.getvalue()).hexdigest()
