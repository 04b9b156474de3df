"""The embedded engine: DuckDB in this process, out of core where memory does not suffice."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from leadlift.engines import Engine
from leadlift.engines.dialect import Dialect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa


class DuckDBEngine(Engine):
    """Table work in an embedded database of its own, gone when the session ends.

    Parameters
    ----------
    memory_mb : int, default=512
        Memory the database may hold before it writes to disk.
    threads : int, default=2
        Threads of a statement. The results do not depend on them.

    Examples
    --------
    >>> import pyarrow as pa
    >>> visits = pa.record_batch({"lead": [1, 1, 2]})
    >>> with DuckDBEngine() as engine:
    ...     engine.load("visits", visits.schema, [visits])
    ...     engine.query("SELECT count(*) AS n FROM visits WHERE lead = 1").to_pylist()
    [{'n': 2}]
    """

    name: ClassVar[str] = "duckdb"
    dialect: ClassVar[Dialect] = Dialect(value_at_greatest="arg_max_null({value}, {order})")

    def __init__(self, memory_mb: int = 512, threads: int = 2) -> None:
        self.memory_mb = memory_mb
        self.threads = threads

    def __enter__(self) -> Self:
        """Open the database."""
        import duckdb

        self._folder = tempfile.TemporaryDirectory(prefix="leadlift-")
        self._tables: set[str] = set()
        self._connection = duckdb.connect(
            str(Path(self._folder.name) / "session.duckdb"),
            config={
                "memory_limit": f"{self.memory_mb}MB",
                "threads": self.threads,
                "temp_directory": self._folder.name,
                # Without an order to keep, results stream instead of being gathered first.
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        return self

    def __exit__(self, *error: object) -> None:
        """Close the database and remove what it wrote."""
        self._connection.close()
        self._folder.cleanup()

    def load(self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """Keep the rows of some batches as a table; see :meth:`Engine.load`."""
        import duckdb
        import pyarrow as pa

        source = _Watched(batches)
        self._connection.register("incoming", pa.RecordBatchReader.from_batches(schema, iter(source)))
        try:
            self._connection.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")
        except duckdb.Error:
            if source.error is None:
                raise
            raise source.error from None
        self._connection.unregister("incoming")
        self._tables.add(name)

    def keep(self, name: str, select: str) -> None:
        """Keep the rows of a SELECT; see :meth:`Engine.keep`."""
        into = f"INSERT INTO {name}" if name in self._tables else f"CREATE TABLE {name} AS"
        self._connection.execute(f"{into} {select}")
        self._tables.add(name)

    def query(self, select: str) -> pa.Table:
        """Return the rows of a SELECT; see :meth:`Engine.query`."""
        return self._connection.sql(select).to_arrow_table()

    def drop(self, name: str) -> None:
        """Forget a table; see :meth:`Engine.drop`."""
        self._connection.execute(f"DROP TABLE {name}")
        self._tables.remove(name)


class _Watched:
    """Batches as they come, and the error that broke them off: DuckDB raises one of its own instead."""

    def __init__(self, batches: Iterable[pa.RecordBatch]) -> None:
        self.batches = batches
        self.error: BaseException | None = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        with self:
            yield from self.batches

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        # GeneratorExit is DuckDB's own doing, when it stops reading for an error of its own.
        self.error = None if kind is GeneratorExit else error
