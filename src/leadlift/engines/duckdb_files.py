"""DuckDB files as sources."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa

from leadlift.data.flat_types import flat_batch, flat_schema
from leadlift.data.queries import Query, double_quoted
from leadlift.data.sources import Source
from leadlift.exceptions import InputError

if TYPE_CHECKING:
    import duckdb


class DuckDBSource(Source):
    """A table or a query of a DuckDB file, opened read-only and streamed.

    Parameters
    ----------
    path : str
        The file.
    query : Query
        What to read.

    Examples
    --------
    >>> import duckdb, tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = str(Path(folder) / "crm.duckdb")
    ...     with duckdb.connect(path) as connection:
    ...         _ = connection.sql("CREATE TABLE leads AS SELECT 'a' AS id, 3 AS visits")
    ...     source = DuckDBSource(path, Query("leads", is_table=True))
    ...     [row for batch in source.batches() for row in batch.to_pylist()]
    [{'id': 'a', 'visits': 3}]
    """

    def __init__(self, path: str, query: Query) -> None:
        super().__init__(path)
        self._query = query

    def _read_schema(self) -> pa.Schema:
        with self._connection() as connection:
            rows = connection.sql(self._query.select(None, double_quoted))
            return flat_schema(rows.limit(0).to_arrow_table().schema)

    def _read(self, columns: tuple[str, ...], batch_rows: int) -> Iterator[pa.RecordBatch]:
        wanted = self.selected_schema(columns)
        with self._connection() as connection:
            rows = connection.sql(self._query.select(columns, double_quoted))
            for batch in rows.to_arrow_reader(batch_rows):
                yield flat_batch(batch, wanted)

    @contextmanager
    def _connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        import duckdb

        try:
            with duckdb.connect(self.name, read_only=True) as connection:
                yield connection
        except (duckdb.Error, pa.ArrowException) as error:
            msg = (
                f"{self.name}: the DuckDB file cannot be read: {error}. Check the query, and that no other "
                f"program holds the file open for writing"
            )
            raise InputError(msg) from error
