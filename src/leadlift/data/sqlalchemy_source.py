"""Any database that SQLAlchemy knows as a source: rows of Python values -> Arrow batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pyarrow as pa

from leadlift.data.addresses import driver_errors, expand_variables, source_name
from leadlift.data.flat_types import UNREADABLE
from leadlift.data.queries import Query
from leadlift.data.sources import Source
from leadlift.exceptions import ConfigError, InputError, MissingDependencyError, SchemaError, shorten

if TYPE_CHECKING:
    import sqlalchemy

_CHUNK_ROWS = 16_384

# Class -> type of its column; the first that fits counts, since a bool is an int.
_ARROW_TYPES: tuple[tuple[tuple[type, ...], pa.DataType], ...] = (
    ((bool,), pa.bool_()),
    ((int,), pa.int64()),
    ((float, Decimal), pa.float64()),
    ((date,), pa.date32()),
    ((str, UUID, Enum), pa.string()),
)


class SQLAlchemySource(Source):
    """A table or a query of any database that SQLAlchemy knows, streamed in chunks of rows.

    Drivers do not say the types of columns in one way, so the rows are read twice: once for the types of
    their values, once for the values. Nothing is committed. A column without any value is text.

    Parameters
    ----------
    address : str
        Expanded.
    query : Query
        What to read.

    Raises
    ------
    ConfigError
        SQLAlchemy does not know the scheme of the address.
    InputError
        An SQLite file is not there.
    MissingDependencyError
        The driver is not installed.
    """

    def __init__(self, address: str, query: Query) -> None:
        super().__init__(source_name(address))
        self._address, self._query = address, query
        self._engine = _engine(address, self.name)

    def _read_schema(self) -> pa.Schema:
        with self._result(None) as result:
            names = tuple(result.keys())
            seen: list[set[pa.DataType]] = [set() for _ in names]
            for rows in result.partitions(_CHUNK_ROWS):
                for types, values in zip(seen, zip(*rows, strict=True), strict=True):
                    types |= _types_in(values)
        types = [_common(types, name, self.name) for types, name in zip(seen, names, strict=True)]
        return pa.schema(list(zip(names, types, strict=True)))

    def _read(self, columns: tuple[str, ...], batch_rows: int) -> Iterator[pa.RecordBatch]:
        wanted = self.selected_schema(columns)
        with self._result(columns) as result:
            positions = [tuple(result.keys()).index(name) for name in columns]
            for rows in result.partitions(min(batch_rows, _CHUNK_ROWS)):
                cells = list(zip(*rows, strict=True))
                arrays = [
                    _array(cells[position], field, self.name)
                    for position, field in zip(positions, wanted, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(arrays, schema=wanted)

    @contextmanager
    def _result(self, columns: Sequence[str] | None) -> Iterator[sqlalchemy.CursorResult]:
        from sqlalchemy.exc import SQLAlchemyError

        dialect = self._engine.dialect
        options = {"stream_results": True, "max_row_buffer": _CHUNK_ROWS, "no_parameters": True}
        if dialect.name == "postgresql":
            options["postgresql_readonly"] = True
        statement = self._query.select(columns, dialect.identifier_preparer.quote_identifier)
        with (
            driver_errors(self.name, self._address, (SQLAlchemyError, OSError)),
            self._engine.connect() as connection,
        ):
            yield connection.execution_options(**options).exec_driver_sql(statement)


def open_sqlalchemy(source: str, query: Query) -> SQLAlchemySource:
    """Open a database by SQLAlchemy.

    Parameters
    ----------
    source : str
        Such as ``mysql+pymysql://user@host/database`` or ``sqlite:///crm.db``; ``${NAME}`` stands for an
        environment variable.
    query : Query
        What to read.

    Returns
    -------
    SQLAlchemySource

    Raises
    ------
    ConfigError
        A variable is not set, the address can be read in two ways, or SQLAlchemy does not know its scheme.
    InputError
        An SQLite file is not there.
    MissingDependencyError
        SQLAlchemy or the driver is not installed.
    """
    if find_spec("sqlalchemy") is None:
        msg = (
            f"{source_name(source)}: reading databases is an extra; install it with "
            f"pip install 'leadlift[database]'"
        )
        raise MissingDependencyError(msg)
    return SQLAlchemySource(expand_variables(source), query)


def _engine(address: str, name: str) -> sqlalchemy.Engine:
    import sqlalchemy
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError
    from sqlalchemy.pool import NullPool

    try:
        url = sqlalchemy.make_url(address)
        _require_sqlite_file(url)
        return sqlalchemy.create_engine(url, poolclass=NullPool)
    except NoSuchModuleError:
        msg = (
            f"{name}: no reader is known for {address.partition('://')[0]!r}. A source is a file, a folder, "
            f"a glob, a DuckDB file by its path, postgresql://..., or another address that SQLAlchemy knows"
        )
        raise ConfigError(msg) from None
    except ArgumentError:
        msg = f"{name}: this is no address of a database; expected scheme://user@host:port/database"
        raise ConfigError(msg) from None
    except ModuleNotFoundError as error:
        msg = (
            f"{name}: the driver {error.name!r} of this address is not installed; install it with pip. "
            f"For PostgreSQL, pip install 'leadlift[database]' brings the one that is tested"
        )
        raise MissingDependencyError(msg) from None


def _require_sqlite_file(url: sqlalchemy.URL) -> None:
    """SQLite makes the file that it does not find; a reader must not."""
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        msg = f"sqlite:///{url.database or ''}: no such file"
        raise InputError(msg)


def _types_in(values: Sequence[Any]) -> set[pa.DataType]:
    """Types of the values that are not None."""
    moments = {_moment_type(value) for value in values if isinstance(value, datetime)}
    one_of_each = {type(value): value for value in values}.values()
    others = [value for value in one_of_each if not (value is None or isinstance(value, datetime))]
    return moments | {_type_of(value) for value in others}


def _moment_type(value: datetime) -> pa.DataType:
    return pa.timestamp("us", tz=None if value.tzinfo is None else "UTC")


def _type_of(value: object) -> pa.DataType:
    return next((dtype for classes, dtype in _ARROW_TYPES if isinstance(value, classes)), UNREADABLE)


def _common(types: set[pa.DataType], column: str, name: str) -> pa.DataType:
    """The one type of a column: whole and other numbers are numbers; nothing else goes together."""
    if not types:
        return pa.string()
    if types == {pa.int64(), pa.float64()}:
        return pa.float64()
    if len(types) > 1:
        kinds = shorten(sorted(map(str, types)))
        msg = f"{name}: column {column!r} mixes {kinds}. CAST it to one type in a SELECT"
        raise SchemaError(msg)
    return next(iter(types))


def _array(values: Sequence[Any], field: pa.Field, name: str) -> pa.Array:
    convert = _CONVERSIONS.get(field.type)
    if convert is not None:
        values = [None if value is None else convert(value) for value in values]
    try:
        return pa.array(values, field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        msg = f"{name}: column {field.name!r} held {field.type} a moment ago and now other values: {error}"
        raise SchemaError(msg) from error


def _text(value: object) -> str:
    return str(value.value if isinstance(value, Enum) else value)


_CONVERSIONS: dict[pa.DataType, Callable[[Any], Any]] = {pa.float64(): float, pa.string(): _text}
