"""Databases that tables are written into by key: a row whose key is there takes the place of that row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import pyarrow as pa

from leadlift.data.addresses import is_address, source_name, without_secrets
from leadlift.data.files import is_duckdb
from leadlift.data.queries import double_quoted, parse_query
from leadlift.exceptions import ConfigError, InputError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from leadlift.data.keyed_tables import KeyedTable

# Kind -> "module:class"; a new kind is one line here, one in `store_kind` and one file anywhere.
STORES = {
    "duckdb": "leadlift.engines.duckdb_store:DuckDBStore",
    "postgresql": "leadlift.data.postgresql_store:PostgreSQLStore",
    "sqlite": "leadlift.data.sqlite_store:SQLiteStore",
}
_SCHEMES = {"postgresql": "postgresql", "postgres": "postgresql", "sqlite": "sqlite"}


class TableStore(ABC):
    """A database that keyed tables are written into; a context manager, used by one thread at a time.

    Parameters
    ----------
    address : str
        As for :func:`open_store`, expanded.
    """

    types: ClassVar[Mapping[pa.DataType, str]]
    """What the database calls the types of columns."""
    mark: ClassVar[str] = "?"
    """Stands for a parameter of a statement; ``{}`` in it for its number, from 1."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.name = source_name(address)

    @abstractmethod
    def __enter__(self) -> Self:
        """Connect."""

    @abstractmethod
    def __exit__(self, *error: object) -> None:
        """Disconnect; what was not committed is gone."""

    def open_table(self, table: KeyedTable) -> None:
        """Make a table where it is absent, check it where it is there.

        Parameters
        ----------
        table : KeyedTable

        Raises
        ------
        SchemaError
            The table lacks a column or has one of another type; the message is a diff. Columns beyond those
            needed may be there.
        InputError
            The table has another key, or the user may not write it.
        """
        with self.transaction():
            found = self._columns(table)
            if found is None:
                self._create(table)
            else:
                self._check_columns(table, found)
            self._rehearse(table)
            self._prepare(table)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all changes made within, or none.

        Raises
        ------
        InputError
            In place of an error of the driver.
        """
        with self.errors(), ExitStack() as on_failure:
            self._begin()
            on_failure.callback(self._roll_back)
            yield
            self._commit()
            on_failure.pop_all()

    @abstractmethod
    def upsert(self, table: KeyedTable, rows: pa.Table) -> None:
        """Insert rows, each in the place of one with the same key; within a transaction.

        Parameters
        ----------
        table : KeyedTable
            Opened before.
        rows : pyarrow.Table
            Of its schema; no key stands in it twice.
        """

    def delete(self, table: KeyedTable, equal: Mapping[str, object]) -> None:
        """Delete the rows that have these values; within a transaction.

        Parameters
        ----------
        table : KeyedTable
        equal : mapping of str to object
            Value by column.
        """
        tests = [f"{double_quoted(name)} = {self.mark.format(i)}" for i, name in enumerate(equal, start=1)]
        statement = f"DELETE FROM {table.quoted} WHERE {' AND '.join(tests)}"  # noqa: S608 -- quoted
        self._execute(statement, list(equal.values()))

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Make errors of the driver InputErrors that name the database and never its password."""
        try:
            yield
        except self._driver_errors() as error:
            reason = without_secrets(" ".join(str(error).split()), self.address).rstrip(".")
            msg = (
                f"{self.name}: the database cannot be written: {reason}. Check the address, the user's "
                f"rights, the table and its primary key, and that no other program locks it; then run the "
                f"job again: rows written before are replaced by themselves"
            )
            raise InputError(msg) from None  # the driver's own error may quote the address

    def _check_columns(self, table: KeyedTable, found: Mapping[str, str]) -> None:
        wrong = [
            f"  - {field.name!r} (expected {self.types[field.type]}, found {found.get(field.name, 'none')})"
            for field in table.schema
            if found.get(field.name) != self.types[field.type]
        ]
        if wrong:
            lines = "\n".join(wrong)
            msg = (
                f"{self.name}: {len(wrong)} column(s) of the table {table.name!r} are not as needed:\n"
                f"{lines}\nAlter the table, or name another one, which is made"
            )
            raise SchemaError(msg)

    def _roll_back(self) -> None:
        with suppress(*self._driver_errors()):  # of a lost connection the server rolls back by itself
            self._execute("ROLLBACK")

    def _begin(self) -> None:
        self._execute("BEGIN")

    def _commit(self) -> None:
        self._execute("COMMIT")

    def _create(self, table: KeyedTable) -> None:
        self._execute(table.create_statement(self.types))

    def _rehearse(self, table: KeyedTable) -> None:
        """Insert nothing, so that a wrong key or a missing right shows before any work is done."""
        self._execute(table.upsert_statement(table.select_statement(table.quoted, "1 = 0")))

    def _prepare(self, table: KeyedTable) -> None:  # noqa: B027 -- most stores need nothing
        """Make what writing a table needs beside it."""

    @abstractmethod
    def _driver_errors(self) -> tuple[type[Exception], ...]:
        """What the driver raises."""

    @abstractmethod
    def _columns(self, table: KeyedTable) -> dict[str, str] | None:
        """Type of each column as the database calls it; None where there is no such table."""

    @abstractmethod
    def _execute(self, statement: str, parameters: Sequence[object] = ()) -> None:
        """Run a statement."""


def open_store(address: str) -> TableStore:
    """Return a database to write into; it connects when it is entered.

    Parameters
    ----------
    address : str
        ``postgresql://user@host:port/database``, ``sqlite:///path`` or the path of a DuckDB file. Files that
        are not there are made. ``${NAME}`` stands for an environment variable.

    Returns
    -------
    TableStore

    Raises
    ------
    ConfigError
        It is another kind of database, or a variable of the address is not set.
    MissingDependencyError
        The driver of the database is not installed.
    """
    kind = store_kind(address)
    if kind is None:
        msg = (
            f"{source_name(address)}: tables are written into PostgreSQL (postgresql://...), SQLite "
            f"(sqlite:///PATH) and DuckDB (PATH.duckdb). For another database, write a file and load it"
        )
        raise ConfigError(msg)
    module, name = STORES[kind].split(":")
    return getattr(import_module(module), name)(address)


def store_kind(address: str) -> str | None:
    """Return of which kind a database to write into is.

    Parameters
    ----------
    address : str
        As for :func:`open_store`.

    Returns
    -------
    str or None
        A key of `STORES`; None of what is no database or of another kind.

    Examples
    --------
    >>> [store_kind(text) for text in ("postgres://crm/sales", "scores.duckdb", "mysql://crm", "s.csv")]
    ['postgresql', 'duckdb', None, None]
    """
    if is_address(address):
        return _SCHEMES.get(address.partition("://")[0])
    path = Path(address)
    return "duckdb" if path.suffix == ".duckdb" or (path.is_file() and is_duckdb(path)) else None


def refuse_same_file(address: str, source: str) -> None:
    """Refuse to write into a database file from which rows are read at the same time.

    SQLite would wait for the reader to end, and DuckDB opens a file either for reading or for writing.

    Parameters
    ----------
    address : str
        As for :func:`open_store`.
    source : str
        What is read.

    Raises
    ------
    ConfigError
        Both are the same file.
    """
    written, read = database_file(address), database_file(source)
    if written and read and written.is_file() and read.is_file() and written.samefile(read):
        msg = f"{address}: it cannot be read and written at the same time; write into another file"
        raise ConfigError(msg)


def database_file(address: str) -> Path | None:
    """Return the file that a database is; None of one that is a server.

    Examples
    --------
    >>> database_file("sqlite:///crm.db").name, database_file("postgresql://crm/sales")
    ('crm.db', None)
    """
    path = address.removeprefix("sqlite:///")
    return None if is_address(path) else Path(path)


def require_table_name(name: str | None, address: str, key: str) -> str:
    """Return the name of a table to write.

    Parameters
    ----------
    name : str or None
        With or without its schema.
    address : str
        Of the database.
    key : str
        What messages call the name.

    Returns
    -------
    str

    Raises
    ------
    ConfigError
        There is none, or it has other characters than letters, digits and _.
    """
    query = parse_query(name, source_name(address), key)
    if not query.is_table:
        msg = f"{source_name(address)}: {key} should be the name of a table, got {query.text[:80]!r}"
        raise ConfigError(msg)
    return query.text
