"""New leads -> batches with the inputs of a model, in bounded memory.

The values come from the same conversion as in training. A value that cannot be read never stops the job: the
row is marked and told apart later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config import LeadSchema
from leadlift.data.dates import parse_dates
from leadlift.data.file_sources import find_files
from leadlift.data.files import is_parquet, require_file
from leadlift.data.levels import encoded_levels
from leadlift.data.parquet_files import parquet_rows, refuse_unreadable_types
from leadlift.data.sources import FILE_READERS, open_source, source_kind
from leadlift.data.tables import (
    CREATED_AT,
    INVALID,
    INVALID_DETAIL,
    lead_ids,
    refuse_long_cells,
    require_columns,
    table_from,
)
from leadlift.data.values import convert_column, plain
from leadlift.terms import LEAD_ID, Kind


def iter_batches(
    source: str | Path,
    schema: LeadSchema,
    *,
    query: str | None = None,
    batch_rows: int = 32_768,
    encode_levels: bool = False,
) -> Iterator[pa.RecordBatch]:
    """Read new leads in batches.

    Columns may stand in any order and others beside them; a source without rows gives no batch. The source is
    opened and its columns are checked before this returns; the batches are read as they are asked for.

    Parameters
    ----------
    source : str or Path
        A file, a folder or a glob of files, a DuckDB file or the address of a database, as for
        :func:`leadlift.data.sources.open_source`; which does not depend on the source of training.
    schema : LeadSchema
        How files are written, which columns have roles, and which are inputs.
    query : str or None
        For a DuckDB file or a database: the name of a table, or a single SELECT.
    batch_rows : int
        Most rows of a batch, at least 1.
    encode_levels : bool
        As for `prepare_batch`.

    Returns
    -------
    iterator of pyarrow.RecordBatch
        As from `prepare_batch`, in the order of the source; ids by row number count through it.

    Raises
    ------
    InputError
        The source is missing, empty, damaged or no table; while reading: rows are ragged. Every ragged row is
        an error here, since one row must come out for every row that goes in.
    SchemaError
        An input column or the id is not there; the message is a diff.
    ConfigError, MissingDependencyError
        As for :func:`leadlift.data.sources.open_source`.

    Examples
    --------
    >>> import tempfile
    >>> from leadlift.config import DataConfig, SchemaConfig
    >>> from leadlift.terms import FeatureSpec, Kind
    >>> schema = LeadSchema(
    ...     data=DataConfig(leads="leads.csv"),
    ...     roles=SchemaConfig(outcome="stage", won=("Won",)),
    ...     features=(FeatureSpec("visits", Kind.NUMERIC),),
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "new.csv"
    ...     _ = file.write_text("source,visits\\nweb,3\\nfair,many\\n")
    ...     rows = [row for batch in iter_batches(file, schema) for row in batch.to_pylist()]
    >>> rows[0]
    {'lead_id': '1', 'visits': 3.0, 'invalid': False, 'invalid_detail': None}
    >>> rows[1]
    {'lead_id': '2', 'visits': None, 'invalid': True, 'invalid_detail': 'visits'}
    """
    whole = schema.data.model_copy(update={"ragged_rows": "error"})
    opened = open_source(str(source), query, whole, query_key="query")
    columns = _columns_to_read(schema, opened.columns, opened.name)
    batches = opened.batches(columns, batch_rows, kinds=_kinds(schema))
    return _prepared(batches, schema, batch_rows, opened.name, encode_levels)


def prepare_batch(
    data: object,
    schema: LeadSchema,
    *,
    first_row: int = 1,
    source: str = "the table",
    encode_levels: bool = False,
) -> pa.RecordBatch:
    """Convert new leads in memory to the inputs of a model.

    Parameters
    ----------
    data : pyarrow.RecordBatch, pyarrow.Table, pandas.DataFrame or polars.DataFrame
        In the user's own column names; columns in any order, others beside them.
    schema : LeadSchema
        Which columns have roles, and which are inputs.
    first_row : int
        Number of the first row, where rows are numbered.
    source : str
        What messages call the table.
    encode_levels : bool
        Give categorical inputs as dictionaries (:data:`leadlift.data.levels.LEVELS`) instead of strings.

    Returns
    -------
    pyarrow.RecordBatch
        ``lead_id`` (string; null where missing; the row number where the schema has no id), ``created_at``
        (timestamp us UTC; only where the table has it), the inputs in the schema's order (float64 or string,
        missing is null), ``invalid`` (bool) and ``invalid_detail`` (string: the user's names of the columns
        that hold something unreadable or infinite, parted by commas; null where none does). Invalid cells are
        null or infinite.

    Raises
    ------
    InputError
        A column needed is nested, or a cell is longer than a megabyte.
    SchemaError
        An input column or the id is not there; the message is a diff.
    """
    table = table_from(data)
    columns = _columns_to_read(schema, table.column_names, source)
    refuse_unreadable_types(table.schema, columns, source)
    table = table.select(columns)
    row_numbers = np.arange(first_row, first_row + len(table))
    refuse_long_cells(table, row_numbers, source)
    return _convert(table, row_numbers, schema, encode_levels)


def count_rows(source: str | Path) -> int | None:
    """Return how many leads there are where that is known without reading them: in Parquet; else None.

    Parameters
    ----------
    source : str or Path
        As for `iter_batches`.

    Returns
    -------
    int or None

    Raises
    ------
    InputError
        A file is missing, empty or damaged.
    """
    kind = source_kind(str(source))
    if kind not in FILE_READERS:
        return None
    paths = find_files(str(source)) if kind == "files" else [Path(source)]
    files = [require_file(path) for path in paths]
    return sum(map(parquet_rows, files)) if all(map(is_parquet, files)) else None


def _columns_to_read(schema: LeadSchema, names: Sequence[str], source: str) -> list[str]:
    """The id and the inputs, which must be there, and the creation date and logged columns, which may."""
    roles = schema.roles
    wanted = [name for name in schema.feature_names if name in names or name not in schema.logged]
    needed = [*([roles.lead_id] if roles.lead_id else []), *wanted]
    require_columns(needed, names, source)
    has_date = roles.created_at is not None and roles.created_at in names
    return [*needed, roles.created_at] if has_date else needed


def _kinds(schema: LeadSchema) -> dict[str, Kind]:
    """As what the inputs are read; ids and dates are read as they are written."""
    roles = {schema.roles.lead_id, schema.roles.created_at}
    return {spec.name: spec.kind for spec in schema.features if spec.name not in roles}


def _prepared(
    batches: Iterator[pa.RecordBatch], schema: LeadSchema, batch_rows: int, source: str, encode_levels: bool
) -> Iterator[pa.RecordBatch]:
    first_row = 1
    for pieces in _regrouped(batches, batch_rows):
        parts = []
        for table in _tables_of_one_schema(pieces):
            parts.append(
                prepare_batch(table, schema, first_row=first_row, source=source, encode_levels=encode_levels)
            )
            first_row += len(table)
        yield parts[0] if len(parts) == 1 else _one_batch(pa.Table.from_batches(parts))


def _regrouped(batches: Iterator[pa.RecordBatch], batch_rows: int) -> Iterator[list[pa.RecordBatch]]:
    """Pieces of exactly `batch_rows` rows but for the last, whatever the pieces a reader hands out."""
    pending, n_missing = [], batch_rows
    for batch in batches:
        rest = batch
        while rest.num_rows >= n_missing:
            yield [*pending, rest.slice(0, n_missing)]
            rest, pending, n_missing = rest.slice(n_missing), [], batch_rows
        if rest.num_rows:
            pending.append(rest)
            n_missing -= rest.num_rows
    if pending:
        yield pending


def _tables_of_one_schema(pieces: list[pa.RecordBatch]) -> list[pa.Table]:
    """The pieces in order; a reader may change the type of a column where cells do not fit into it."""
    return [pa.Table.from_batches(list(same)) for _, same in groupby(pieces, key=lambda piece: piece.schema)]


def _convert(
    table: pa.Table, row_numbers: np.ndarray, schema: LeadSchema, encode_levels: bool
) -> pa.RecordBatch:
    roles, data = schema.roles, schema.data
    ids = table.column(roles.lead_id) if roles.lead_id else None
    columns = {LEAD_ID: lead_ids(ids, row_numbers, data)}
    bad = {}
    if roles.created_at in table.column_names:
        array = plain(table.column(roles.created_at))
        columns[CREATED_AT], bad[roles.created_at] = parse_dates(
            array, roles.date_format, data.missing_values, roles.time_zone
        )
    for spec in schema.features:
        cells = table.column(spec.name) if spec.name in table.column_names else pa.nulls(len(table))
        if spec.kind is Kind.CATEGORICAL:
            levels = encoded_levels(cells, data)
            columns[spec.name] = levels if encode_levels else levels.dictionary_decode()
        else:
            columns[spec.name], bad[spec.name] = convert_column(cells, spec.kind, data, spec.name)
    details = _names_of_bad_cells(bad, len(table))
    columns |= {INVALID: pc.is_valid(details), INVALID_DETAIL: details}
    return _one_batch(pa.table(columns))


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    whole = table.combine_chunks()
    return whole.to_batches()[0] if whole.num_rows else pa.RecordBatch.from_pylist([], whole.schema)


def _names_of_bad_cells(bad: dict[str, pa.ChunkedArray], n_rows: int) -> pa.Array:
    """Comma-parted names of the columns that are bad in each row; null where none is."""
    bad = {name: is_bad for name, is_bad in bad.items() if pc.any(is_bad).as_py()}
    if not bad:
        return pa.nulls(n_rows, pa.string())
    names: list[str | None] = [None] * n_rows
    for name, is_bad in bad.items():
        for row in np.flatnonzero(is_bad):
            names[row] = name if names[row] is None else f"{names[row]}, {name}"
    return pa.array(names, pa.string())
