"""Keyed tables in SQLite files."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import pyarrow as pa

from leadlift.data.addresses import expand_variables
from leadlift.data.keyed_tables import KeyedTable
from leadlift.data.table_stores import TableStore
from leadlift.exceptions import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOCK_TIMEOUT_SECONDS = 30.0
"""How long to wait for another program that writes into the file."""

_MOMENT = pa.timestamp("us", tz="UTC")


class SQLiteStore(TableStore):
    """An SQLite file. Moments are text such as ``2026-11-22 06:00:00.000000Z``, in UTC, which sorts in time.

    Parameters
    ----------
    address : str
        ``sqlite:///path``; of a path from the root, ``sqlite:////path``.

    Raises
    ------
    ConfigError
        The address has no path, or a variable of it is not set.
    """

    types: ClassVar[Mapping[pa.DataType, str]] = {
        pa.string(): "TEXT",
        pa.float64(): "REAL",
        pa.int32(): "INTEGER",
        pa.int64(): "INTEGER",
        _MOMENT: "TEXT",
    }

    def __init__(self, address: str) -> None:
        super().__init__(expand_variables(address))
        self._path = self.address.removeprefix("sqlite:///")
        if not self._path or self._path == self.address:
            msg = f"{self.name}: expected the path of a file, sqlite:///PATH"
            raise ConfigError(msg)

    def __enter__(self) -> Self:
        """Connect; the file is made where it is absent."""
        import sqlite3

        with self.errors():
            # Batches may come from another thread than the one that connects, never from two at once.
            self._connection = sqlite3.connect(
                self._path, timeout=LOCK_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
            )
        return self

    def __exit__(self, *error: object) -> None:
        """Disconnect."""
        self._connection.close()

    def upsert(self, table: KeyedTable, rows: pa.Table) -> None:
        """Insert rows, each in the place of one with the same key; see :meth:`TableStore.upsert`."""
        marks = ", ".join("?" * len(table.schema))
        columns = [_storable(column).to_pylist() for column in rows.columns]
        self._connection.executemany(table.upsert_statement(f"VALUES ({marks})"), zip(*columns, strict=True))

    def delete(self, table: KeyedTable, equal: Mapping[str, object]) -> None:
        """Delete the rows that have these values; see :meth:`TableStore.delete`."""
        stored = {
            name: _storable(pa.array([value], table.schema.field(name).type))[0].as_py()
            for name, value in equal.items()
        }
        super().delete(table, stored)

    def _driver_errors(self) -> tuple[type[Exception], ...]:
        import sqlite3

        return (sqlite3.Error,)

    def _begin(self) -> None:
        # Taken now, the lock of writers cannot be lost to another program between two statements.
        self._execute("BEGIN IMMEDIATE")

    def _columns(self, table: KeyedTable) -> dict[str, str] | None:
        schema, _, name = table.name.rpartition(".")
        statement = "SELECT name, type FROM pragma_table_info(?, ?)"
        return dict(self._connection.execute(statement, (name, schema or "main"))) or None

    def _execute(self, statement: str, parameters: Sequence[object] = ()) -> None:
        self._connection.execute(statement, parameters)


def _storable(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return column.cast(pa.string()) if column.type == _MOMENT else column
