"""What became of leads: read from the same kind of file as the model was trained on, one row a lead."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.dates import parse_dates
from leadlift.data.labels import describe_undeclared
from leadlift.data.labels import read_outcomes as read_labels
from leadlift.data.sources import Source, TableSource, open_source
from leadlift.data.tables import CLOSED_AT, OUTCOME, QUALIFIED_AT, lead_ids, require_columns
from leadlift.data.values import Column, plain
from leadlift.exceptions import ConfigError, InputError, SchemaError, shorten
from leadlift.terms import LEAD_ID, Outcome

if TYPE_CHECKING:
    from leadlift.config import LeadSchema
    from leadlift.serving.bundle import ModelBundle

MOMENT = pa.timestamp("us", tz="UTC")
OUTCOME_SCHEMA = pa.schema(
    [(LEAD_ID, pa.string()), (OUTCOME, pa.string()), (CLOSED_AT, MOMENT), (QUALIFIED_AT, MOMENT)]
)
# Of several rows of a lead the one that says most comes first: closed, then open, then nothing.
_RANKED = (Outcome.WON.value, Outcome.LOST.value, Outcome.OPEN.value)


def read_outcomes(place: object, bundle: ModelBundle, *, query: str | None = None) -> pa.Table:
    """Read what became of leads, as the model's training data were read.

    Roles, outcome values, date format and time zone are those of the bundle. A column that the training data
    had for the moment of closing, or of acceptance by sales, may be absent.

    Parameters
    ----------
    place : path, address or table
        A file, folder, glob or database of :func:`leadlift.data.sources.open_source`, or a pyarrow, pandas or
        polars table, in the user's own column names.
    bundle : ModelBundle
    query : str, optional
        For a DuckDB file or a database: the name of a table, or a SELECT.

    Returns
    -------
    pyarrow.Table
        Columns :data:`OUTCOME_SCHEMA`, each lead once, in the order of its first row: ``lead_id`` (string),
        ``outcome`` (string ``"won"``, ``"lost"``, ``"open"``; null where none is recorded or its rows
        contradict each other), ``closed_at`` (timestamp us UTC; null where open or not recorded) and
        ``qualified_at`` (the same; null where not accepted by sales or not recorded). Of a lead with several
        rows the closed one counts, with its earliest closing.

    Raises
    ------
    ConfigError
        The model was trained on leads without ids, so that outcomes belong to nobody.
    InputError
        The source cannot be read.
    SchemaError
        The id or the outcome is not there, a date cannot be read, or an outcome is not declared.
    """
    schema = bundle.schema
    source = _open(place, query, schema)
    tables = [
        _house_rows(pa.table(batch), schema, source.name) for batch in source.batches(_named(source, schema))
    ]
    rows = pa.concat_tables(tables) if tables else OUTCOME_SCHEMA.empty_table()
    return _one_a_lead(rows)


def _open(place: object, query: str | None, schema: LeadSchema) -> Source:
    if not isinstance(place, str | Path):
        return TableSource(place, "outcomes")
    data = schema.data.model_copy(update={"leads": str(place)})
    return open_source(str(place), query, data, query_key="outcomes_query")


def _named(source: Source, schema: LeadSchema) -> list[str]:
    """Columns of the roles that are there; id and outcome must be."""
    roles = schema.roles
    if roles.lead_id is None:
        msg = (
            "the model was trained on leads without ids ([schema] lead_id), so outcomes cannot be told to "
            "belong to scores; train with an id"
        )
        raise ConfigError(msg)
    require_columns((roles.lead_id, roles.outcome), source.columns, source.name)
    optional = [name for name in (roles.closed_at, roles.qualified_at) if name in source.columns]
    return [roles.lead_id, roles.outcome, *optional]


def _house_rows(rows: pa.Table, schema: LeadSchema, name: str) -> pa.Table:
    roles, data = schema.roles, schema.data
    outcome, undeclared = read_labels(plain(rows[roles.outcome]), roles, data)
    if undeclared.null_count < len(undeclared):
        msg = f"{name}: {describe_undeclared(undeclared, roles)}"
        raise SchemaError(msg)
    columns = {
        LEAD_ID: lead_ids(rows[roles.lead_id], np.arange(1, len(rows) + 1), data),
        OUTCOME: outcome,
        CLOSED_AT: _moments(rows, roles.closed_at, schema, name),
        QUALIFIED_AT: _moments(rows, roles.qualified_at, schema, name),
    }
    table = pa.table(columns).cast(OUTCOME_SCHEMA)
    return table.filter(pc.is_valid(table[LEAD_ID]))


def _moments(rows: pa.Table, column: str | None, schema: LeadSchema, name: str) -> Column:
    if column not in rows.column_names:
        return pa.nulls(len(rows), MOMENT)
    roles = schema.roles
    moments, is_bad = parse_dates(
        plain(rows[column]), roles.date_format, schema.data.missing_values, roles.time_zone
    )
    bad = plain(rows[column]).filter(is_bad)
    if len(bad):
        msg = (
            f"{name}: column {column!r} should hold dates as the training data do; {len(bad)} cell(s) do "
            f"not: {shorten(bad.to_pylist())}"
        )
        raise SchemaError(msg)
    return moments


def _one_a_lead(rows: pa.Table) -> pa.Table:
    """The row of each lead that says most, without an outcome where a lead was both won and lost."""
    rank = pc.fill_null(pc.index_in(rows[OUTCOME], pa.array(_RANKED)), len(_RANKED)).to_numpy()
    is_closed = rank < _RANKED.index(Outcome.OPEN.value)
    closed = pc.if_else(pa.array(is_closed), rows[CLOSED_AT], pa.scalar(None, MOMENT))
    rows = rows.set_column(2, CLOSED_AT, closed)
    ids = rows[LEAD_ID].combine_chunks().dictionary_encode()
    lead, leads = ids.indices.to_numpy(), len(ids.dictionary)
    order = np.lexsort((_microseconds(closed), rank, lead))
    first = order[np.diff(lead[order], prepend=-1) != 0]
    kept = rows.take(pa.array(first))
    won, lost = (np.bincount(lead, weights=rank == place, minlength=leads) > 0 for place in (0, 1))
    outcome = pc.if_else(pa.array(won & lost), pa.scalar(None, pa.string()), kept[OUTCOME])
    return kept.set_column(1, OUTCOME, outcome)


def _microseconds(moments: Column) -> np.ndarray:
    """Moments as numbers that sort; what is missing comes last."""
    return pc.fill_null(pc.cast(moments, pa.int64()), np.iinfo(np.int64).max).to_numpy()


def require_outcomes(outcomes: object, bundle: ModelBundle) -> pa.Table:
    """Return outcomes as :func:`read_outcomes` gives them, read where they are not yet.

    Raises
    ------
    InputError, SchemaError, ConfigError
        As for :func:`read_outcomes`.
    """
    if isinstance(outcomes, pa.Table) and outcomes.schema.equals(OUTCOME_SCHEMA):
        if pc.count_distinct(outcomes[LEAD_ID]).as_py() == len(outcomes):
            return outcomes
        msg = "outcomes hold a lead twice; give them as read_outcomes returns them, each lead once"
        raise InputError(msg)
    return read_outcomes(outcomes, bundle)
