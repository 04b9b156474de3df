"""PostgreSQL as a source: Arrow batches by ADBC."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.addresses import driver_errors, expand_variables, source_name
from leadlift.data.flat_types import UNREADABLE, flat_batch, flat_schema
from leadlift.data.queries import Query, double_quoted
from leadlift.data.sources import Source
from leadlift.data.sqlalchemy_source import open_sqlalchemy
from leadlift.exceptions import SchemaError

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Cursor

_YEAR_1 = datetime(1, 1, 1, tzinfo=UTC)
_END_OF_9999 = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


class PostgreSQLSource(Source):
    """A table or a query of a PostgreSQL database, streamed by ADBC.

    Each pass is one read-only transaction. The order of the rows is the server's. JSON, arrays, bytes,
    intervals, times of day, network addresses and money cannot be read; CAST them in a SELECT.

    Parameters
    ----------
    address : str
        Expanded, ``postgresql://...``.
    query : Query
        What to read.
    """

    def __init__(self, address: str, query: Query) -> None:
        super().__init__(source_name(address))
        self._address, self._query = address, query

    def _read_schema(self) -> pa.Schema:
        with self._cursor() as cursor:
            return _readable(cursor.adbc_execute_schema(self._query.select(None, double_quoted)))

    def _read(self, columns: tuple[str, ...], batch_rows: int) -> Iterator[pa.RecordBatch]:
        wanted = self.selected_schema(columns)
        with self._cursor() as cursor:
            cursor.execute(self._query.select(columns, double_quoted))
            for batch in cursor.fetch_record_batch():
                flat = flat_batch(batch, wanted)
                _refuse_endless_dates(flat, self.name)
                yield flat

    @contextmanager
    def _cursor(self) -> Iterator[Cursor]:
        from adbc_driver_manager import Error
        from adbc_driver_postgresql import dbapi

        with (
            driver_errors(self.name, self._address, (Error, pa.ArrowException, OSError)),
            dbapi.connect(self._address) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("SET TRANSACTION READ ONLY")
            yield cursor


def open_postgresql(source: str, query: Query) -> Source:
    """Open a PostgreSQL database by ADBC, or by SQLAlchemy where ADBC's driver is not installed.

    Parameters
    ----------
    source : str
        ``postgresql://user@host:port/database``; ``${NAME}`` stands for an environment variable.
    query : Query
        What to read.

    Returns
    -------
    PostgreSQLSource or SQLAlchemySource

    Raises
    ------
    ConfigError
        A variable is not set, or the address can be read in two ways.
    MissingDependencyError
        Neither driver is installed.
    """
    if find_spec("adbc_driver_postgresql") is None:
        return open_sqlalchemy(f"postgresql://{source.partition('://')[2]}", query)
    return PostgreSQLSource(expand_variables(source), query)


def _readable(schema: pa.Schema) -> pa.Schema:
    """The driver hands out money as a number of cents without saying so; nobody could read it right."""
    flat = flat_schema(schema)
    for position, field in enumerate(schema):
        if (field.metadata or {}).get(b"POSTGRESQL:type") == b"money":
            flat = flat.set(position, pa.field(field.name, UNREADABLE))
    return flat


def _refuse_endless_dates(batch: pa.RecordBatch, name: str) -> None:
    """'infinity' comes over the wire as the largest number and would read as some odd year."""
    for field, column in zip(batch.schema, batch.columns, strict=True):
        if not pa.types.is_temporal(field.type):
            continue
        first, last = pa.array([_YEAR_1, _END_OF_9999]).cast(field.type, safe=False)
        is_odd = pc.or_(pc.less(column, first), pc.greater(column, last))
        if pc.any(is_odd).as_py():
            msg = (
                f"{name}: column {field.name!r} holds {pc.sum(is_odd).as_py()} date(s) that are infinite or "
                f"outside the years 1 to 9999. Read it with a SELECT that makes them NULL: "
                f"NULLIF({field.name}, 'infinity')"
            )
            raise SchemaError(msg)
