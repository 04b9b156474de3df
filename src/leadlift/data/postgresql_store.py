"""Keyed tables in PostgreSQL, by ADBC."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar, Self

import pyarrow as pa

from leadlift.data.addresses import expand_variables
from leadlift.data.keyed_tables import KeyedTable
from leadlift.data.queries import double_quoted
from leadlift.data.table_stores import TableStore
from leadlift.exceptions import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class PostgreSQLStore(TableStore):
    """A PostgreSQL database. Rows come by COPY into a temporary table and from there, by key, into their own.

    Parameters
    ----------
    address : str
        ``postgresql://user@host:port/database``.

    Raises
    ------
    ConfigError
        A variable of the address is not set, or it can be read in two ways.
    MissingDependencyError
        The driver is not installed.
    """

    types: ClassVar[Mapping[pa.DataType, str]] = {
        pa.string(): "text",
        pa.float64(): "double precision",
        pa.int32(): "integer",
        pa.int64(): "bigint",
        pa.timestamp("us", tz="UTC"): "timestamp with time zone",
    }
    mark: ClassVar[str] = "${}"

    def __init__(self, address: str) -> None:
        super().__init__(expand_variables(address))
        if find_spec("adbc_driver_postgresql") is None:
            msg = (
                f"{self.name}: writing PostgreSQL is an extra; install it with "
                f"pip install 'leadlift[database]'"
            )
            raise MissingDependencyError(msg)
        self._incoming: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Connect."""
        from adbc_driver_postgresql import dbapi

        with self.errors(), ExitStack() as opened:
            self._connection = opened.enter_context(dbapi.connect(self.address))
            self._cursor = opened.enter_context(self._connection.cursor())
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        """Disconnect."""
        with suppress(*self._driver_errors()):
            self._opened.close()

    def upsert(self, table: KeyedTable, rows: pa.Table) -> None:
        """Insert rows, each in the place of one with the same key; see :meth:`TableStore.upsert`."""
        incoming = self._incoming[table.name]
        self._cursor.adbc_ingest(incoming, rows, mode="append", temporary=True)
        self._execute(table.upsert_statement(table.select_statement(double_quoted(incoming))))

    def _prepare(self, table: KeyedTable) -> None:
        """Make the temporary table; each commit empties it."""
        name = f"leadlift_incoming_{len(self._incoming)}"
        columns = ", ".join(table.column_definition(field, self.types) for field in table.schema)
        self._execute(f"CREATE TEMPORARY TABLE {double_quoted(name)} ({columns}) ON COMMIT DELETE ROWS")
        self._incoming[table.name] = name

    def _driver_errors(self) -> tuple[type[Exception], ...]:
        from adbc_driver_manager import Error

        return (Error, pa.ArrowException, OSError)

    def _begin(self) -> None:
        """Nothing to do: the driver begins a transaction with the first statement."""

    def _commit(self) -> None:
        self._connection.commit()

    def _roll_back(self) -> None:
        with suppress(*self._driver_errors()):  # of a lost connection the server rolls back by itself
            self._connection.rollback()

    def _columns(self, table: KeyedTable) -> dict[str, str] | None:
        self._cursor.execute(
            "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute "
            "WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped",
            [table.quoted],
        )
        return dict(self._cursor.fetchall()) or None

    def _execute(self, statement: str, parameters: Sequence[object] = ()) -> None:
        self._cursor.execute(statement, parameters or None)
