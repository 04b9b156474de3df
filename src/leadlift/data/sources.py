"""Where tables are read from: files, folders, DuckDB files, databases, memory; all give batches.

A source knows its columns and hands out batches in bounded memory, any number of times. It changes nothing:
values are as stored, and their conversion is the caller's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path

import pyarrow as pa

from leadlift.config import DataConfig
from leadlift.data.addresses import is_address, source_name
from leadlift.data.files import is_duckdb
from leadlift.data.parquet_files import refuse_unreadable_types
from leadlift.data.queries import parse_query
from leadlift.data.tables import refuse_repeated_names, require_columns, table_from
from leadlift.exceptions import ConfigError
from leadlift.terms import Finding, Kind

BATCH_ROWS = 65_536
"""Most rows of a batch, where the caller does not say."""

# Kind -> "module:function"; a new kind is one line here, one in `source_kind` and one file anywhere.
FILE_READERS = {
    "file": "leadlift.data.file_sources:open_file",
    "files": "leadlift.data.file_sources:open_files",
}
DATABASE_READERS = {
    "duckdb": "leadlift.engines.duckdb_files:DuckDBSource",
    "postgresql": "leadlift.data.postgresql_source:open_postgresql",
    "sqlalchemy": "leadlift.data.sqlalchemy_source:open_sqlalchemy",
}


class Source(ABC):
    """A table somewhere.

    A subclass sets `name`, reads the schema in ``_read_schema`` and the rows in ``_read``.

    Parameters
    ----------
    name : str
        What messages call it; never with a password.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @cached_property
    def schema(self) -> pa.Schema:
        """Columns and their types, in the order of the source; read once."""
        schema = self._read_schema()
        refuse_repeated_names(schema.names, self.name)
        return schema

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in the order of the source."""
        return tuple(self.schema.names)

    def batches(
        self,
        columns: Sequence[str] | None = None,
        batch_rows: int = BATCH_ROWS,
        *,
        kinds: Mapping[str, Kind] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Read the rows, anew at each call.

        Parameters
        ----------
        columns : sequence of str or None
            Columns to read, in the order wanted; None takes all.
        batch_rows : int
            Most rows of a batch, at least 1.
        kinds : mapping of str to Kind, optional
            By column, as what its cells will be read. Files may then give it in a type that is cheaper to
            convert to the same values: numbers as float64, levels as dictionaries.

        Returns
        -------
        iterator of pyarrow.RecordBatch
            None of them empty, all of one schema where no kinds are given; a source without rows gives none.
            Names are checked now, rows are read as they are asked for.

        Raises
        ------
        InputError
            A column wanted is nested or binary; while reading: the source is damaged or gone.
        SchemaError
            A column wanted is not there; the message is a diff.
        """
        names = self.columns if columns is None else tuple(columns)
        require_columns(names, self.columns, self.name)
        refuse_unreadable_types(self.schema, names, self.name)
        read = self._read_as(names, batch_rows, kinds) if kinds else self._read(names, batch_rows)
        return _pieces(read, batch_rows)

    def findings(self) -> tuple[Finding, ...]:
        """Return what the last whole pass over the batches noticed (LL150, LL153)."""
        return ()

    def selected_schema(self, columns: Sequence[str]) -> pa.Schema:
        """Return the schema of the batches of some columns.

        Parameters
        ----------
        columns : sequence of str
            Names of columns of the source.

        Returns
        -------
        pyarrow.Schema
        """
        return pa.schema([self.schema.field(name) for name in columns])

    @abstractmethod
    def _read_schema(self) -> pa.Schema:
        """Columns and types as they are there."""

    @abstractmethod
    def _read(self, columns: tuple[str, ...], batch_rows: int) -> Iterator[pa.RecordBatch]:
        """Batches of about so many rows, in `selected_schema`."""

    def _read_as(
        self, columns: tuple[str, ...], batch_rows: int, kinds: Mapping[str, Kind]
    ) -> Iterator[pa.RecordBatch]:
        """The same rows, in types that suit the kinds of the columns where that is cheaper."""
        return self._read(columns, batch_rows)


class TableSource(Source):
    """A table in memory as a source.

    Parameters
    ----------
    data : pyarrow.Table, pyarrow.RecordBatchReader, pandas.DataFrame or polars.DataFrame
        Or anything else with the Arrow PyCapsule interface.
    name : str
        What messages call it.

    Raises
    ------
    InputError
        It is no table, or a column mixes types.

    Examples
    --------
    >>> source = TableSource(pa.table({"lead_id": ["a", "b", "c"], "visits": [3, 1, 2]}))
    >>> source.columns, [batch.num_rows for batch in source.batches(["visits"], batch_rows=2)]
    (('lead_id', 'visits'), [2, 1])
    """

    def __init__(self, data: object, name: str = "the table") -> None:
        super().__init__(name)
        self._table = table_from(data)

    def _read_schema(self) -> pa.Schema:
        return self._table.schema

    def _read(self, columns: tuple[str, ...], batch_rows: int) -> Iterator[pa.RecordBatch]:
        yield from self._table.select(list(columns)).to_batches(max_chunksize=batch_rows)


def open_source(
    source: str, query: str | None, data: DataConfig, *, query_key: str = "leads_query"
) -> Source:
    """Open a source of a configuration.

    Parameters
    ----------
    source : str
        One of

        - a CSV or Parquet file;
        - a folder or a glob of such files, all of one kind and with the same columns, read in the order of
          their paths. Files and folders whose name begins with a dot or an underscore are skipped. Folders
          such as ``day=2026-11-30`` are ordinary folders: the column in their name is not read;
        - a DuckDB file;
        - the address of a database: ``postgresql://...``, or any other that SQLAlchemy knows. ``${NAME}`` in
          it stands for an environment variable.
    query : str or None
        For a DuckDB file or a database: the name of a table (quoted, so case matters), or a single SELECT.
    data : DataConfig
        How CSV files are written; of one, every column is text.
    query_key : str
        What messages call the query.

    Returns
    -------
    Source

    Raises
    ------
    InputError
        There is no such file, it is empty, damaged or no table; the database cannot be reached.
    SchemaError
        The files of a folder do not have the same columns.
    ConfigError
        The query is missing, superfluous or no SELECT; a variable of the address is not set.
    MissingDependencyError
        The driver of the database is not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "monday.csv").write_text("lead_id,visits\\na,3\\n")
    ...     _ = (Path(folder) / "tuesday.csv").write_text("visits,lead_id\\n1,b\\n")
    ...     source = open_source(folder, None, DataConfig(leads="leads.csv"))
    ...     [row for batch in source.batches() for row in batch.to_pylist()]
    [{'lead_id': 'a', 'visits': '3'}, {'lead_id': 'b', 'visits': '1'}]
    """
    kind = source_kind(source)
    if kind in FILE_READERS:
        refuse_query(source, query, query_key)
        return _resolved(FILE_READERS[kind])(source, data)
    return _resolved(DATABASE_READERS[kind])(source, parse_query(query, source_name(source), query_key))


def source_kind(source: str) -> str:
    """Return of which kind a source is: a key of `FILE_READERS` or `DATABASE_READERS`.

    Parameters
    ----------
    source : str
        As for `open_source`. What is nothing else is a file, whether it exists or not.

    Returns
    -------
    str

    Examples
    --------
    >>> [source_kind(source) for source in ("leads.csv", "events/*.parquet", "postgres://crm/sales")]
    ['file', 'files', 'postgresql']
    """
    if is_address(source):
        return "postgresql" if source.partition("://")[0] in {"postgresql", "postgres"} else "sqlalchemy"
    path = Path(source)
    if path.is_file():
        return "duckdb" if is_duckdb(path) else "file"
    return "files" if path.is_dir() or any(mark in source for mark in "*?[") else "file"


def refuse_query(source: str, query: str | None, query_key: str) -> None:
    """Raise ConfigError where a file is given a query, which nobody would answer.

    Parameters
    ----------
    source, query, query_key
        As for `open_source`.
    """
    if query is not None:
        msg = f"{source}: {query_key} is for DuckDB files and databases; take it out"
        raise ConfigError(msg)


def _resolved(name: str):
    module, attribute = name.split(":")
    return getattr(import_module(module), attribute)


def _pieces(batches: Iterator[pa.RecordBatch], batch_rows: int) -> Iterator[pa.RecordBatch]:
    """The same rows, at most so many at once."""
    for batch in batches:
        for start in range(0, batch.num_rows, batch_rows):
            yield batch.slice(start, batch_rows)
