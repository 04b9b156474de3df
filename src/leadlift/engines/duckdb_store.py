"""Keyed tables in DuckDB files."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import pyarrow as pa

from leadlift.data.keyed_tables import KeyedTable
from leadlift.data.queries import double_quoted
from leadlift.data.table_stores import TableStore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_INCOMING = "leadlift_incoming"
_SETTINGS = {"memory_limit": "256MB", "preserve_insertion_order": False}


class DuckDBStore(TableStore):
    """A DuckDB file.

    Its tables have no primary key: DuckDB keeps the index of one in memory, where that of a million rows
    takes more than 256 MB, and it grows night by night. Rows are deleted by key and inserted instead; nobody
    else can write the file at the same time.

    Parameters
    ----------
    address : str
        Path of the file.
    """

    types: ClassVar[Mapping[pa.DataType, str]] = {
        pa.string(): "VARCHAR",
        pa.float64(): "DOUBLE",
        pa.int32(): "INTEGER",
        pa.int64(): "BIGINT",
        pa.timestamp("us", tz="UTC"): "TIMESTAMP WITH TIME ZONE",
    }

    def __enter__(self) -> Self:
        """Connect; the file is made where it is absent."""
        import duckdb

        with self.errors():
            self._connection = duckdb.connect(self.address, config=_SETTINGS)
        return self

    def __exit__(self, *error: object) -> None:
        """Disconnect."""
        self._connection.close()

    def upsert(self, table: KeyedTable, rows: pa.Table) -> None:
        """Insert rows, each in the place of one with the same key; see :meth:`TableStore.upsert`."""
        same_key = " AND ".join(
            f"{table.quoted}.{name} = {_INCOMING}.{name}" for name in map(double_quoted, table.key)
        )
        self._connection.register(_INCOMING, rows)
        self._execute(f"DELETE FROM {table.quoted} USING {_INCOMING} WHERE {same_key}")
        self._execute(table.insert_statement(table.select_statement(_INCOMING)))
        self._connection.unregister(_INCOMING)

    def _create(self, table: KeyedTable) -> None:
        self._execute(table.create_statement(self.types, has_primary_key=False))

    def _rehearse(self, table: KeyedTable) -> None:
        """Nothing to do: who may open the file may write it."""

    def _driver_errors(self) -> tuple[type[Exception], ...]:
        import duckdb

        return (duckdb.Error, OSError)

    def _columns(self, table: KeyedTable) -> dict[str, str] | None:
        schema, _, name = table.name.rpartition(".")
        found = self._connection.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = current_database() "
            "AND table_name = ? AND schema_name = coalesce(?, current_schema())",
            [name, schema or None],
        )
        return dict(found.fetchall()) or None

    def _execute(self, statement: str, parameters: Sequence[object] = ()) -> None:
        self._connection.execute(statement, list(parameters))
