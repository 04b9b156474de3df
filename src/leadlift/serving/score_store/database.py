"""A store as tables of a database: one of scored leads, one of what the jobs counted."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet

from leadlift.config import DataConfig
from leadlift.data.addresses import expand_variables, source_name
from leadlift.data.dates import parse_dates
from leadlift.data.keyed_tables import KeyedTable, quoted_list
from leadlift.data.queries import moment_literal, text_literal
from leadlift.data.sources import open_source
from leadlift.data.table_stores import database_file, open_store
from leadlift.exceptions import InputError
from leadlift.serving.database_sink import KEY
from leadlift.serving.drift import DriftCounts
from leadlift.serving.score_store.base import BATCHES_SCHEMA, NO_STORE, ScoreStore
from leadlift.serving.scored_columns import SCORED_SCHEMA
from leadlift.terms import AS_OF, LEAD_ID, MODEL_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from leadlift.serving.score_store.base import StoredBatch

SOURCE, COUNTS = "source", "counts"
COUNTS_KEY = (AS_OF, MODEL_VERSION, SOURCE)
COUNTS_SCHEMA = pa.schema(
    [
        (AS_OF, pa.timestamp("us", tz="UTC")),
        *[(name, pa.string()) for name in (MODEL_VERSION, SOURCE, COUNTS)],
    ]
)
_ROWS_AT_ONCE = 131_072


class DatabaseScoreStore(ScoreStore):
    """Tables of a database, made with the first batch.

    Parameters
    ----------
    address : str
        As for :func:`leadlift.data.table_stores.open_store`.
    table : str
        Of the scored leads: the same as a scoring job writes, see
        :func:`leadlift.serving.database_sink.open_database_sink`.
    """

    def __init__(self, address: str, table: str) -> None:
        super().__init__(source_name(address))
        self._address = address
        self._scores = KeyedTable(table, SCORED_SCHEMA, KEY)
        self._counted = KeyedTable(f"{table}_counts", COUNTS_SCHEMA, COUNTS_KEY)

    def scored(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        model_version: str | None = None,
        *,
        columns: Sequence[str] | None = None,
        lead_id: str | None = None,
    ) -> pa.Table:
        """Return scored leads; see :meth:`ScoreStore.scored`."""
        schema = pa.schema([SCORED_SCHEMA.field(name) for name in columns or SCORED_SCHEMA.names])
        condition = _condition(since, until, {MODEL_VERSION: model_version, LEAD_ID: lead_id})
        order = quoted_list((AS_OF, MODEL_VERSION, LEAD_ID))
        selected = f"SELECT {quoted_list(schema.names)} FROM {self._scores.quoted} WHERE {condition}"  # noqa: S608 -- quoted
        return self._read(f"{selected} ORDER BY {order}", schema)

    def batches(self) -> pa.Table:
        """Return the batches; see :meth:`ScoreStore.batches`."""
        key = quoted_list((AS_OF, MODEL_VERSION))
        query = f"SELECT {key}, COUNT(*) AS n_rows FROM {self._scores.quoted} GROUP BY {key} ORDER BY {key}"  # noqa: S608 -- quoted
        return self._read(query, BATCHES_SCHEMA)

    def _counts(
        self, since: datetime | None, until: datetime | None, model_version: str | None
    ) -> Iterator[tuple[str, DriftCounts]]:
        condition = _condition(since, until, {MODEL_VERSION: model_version})
        query = self._counted.select_statement(self._counted.quoted, condition)
        for row in self._read(query, COUNTS_SCHEMA).to_pylist():
            yield row[MODEL_VERSION], DriftCounts.from_dict(json.loads(row[COUNTS]))

    def _read(self, query: str, schema: pa.Schema) -> pa.Table:
        """Rows of a SELECT in a schema; moments may come as text."""
        file = database_file(expand_variables(self._address))
        if file is not None and not file.exists():
            raise InputError(NO_STORE.format(self.name))
        source = open_source(self._address, query, DataConfig(leads=self.name))
        found = pa.Table.from_batches(source.batches(), source.selected_schema(source.columns))
        columns = [
            parse_dates(column)[0] if pa.types.is_timestamp(field.type) else column
            for field, column in zip(schema, found.columns, strict=True)
        ]
        return pa.Table.from_arrays(columns, names=schema.names).cast(schema)

    @contextmanager
    def _workplace(self, as_of: datetime, model_version: str) -> Iterator[Path]:
        """A file of the system's; the database is asked first whether it can be written."""
        with open_store(self._address) as store:
            for table in (self._scores, self._counted):
                store.open_table(table)
        with tempfile.TemporaryDirectory(prefix="leadlift-") as folder:
            yield Path(folder) / f"{model_version}.parquet"

    def _commit(self, batch: StoredBatch, source: str) -> None:
        """Write the batch in one transaction."""
        batch.complete({})
        key = {AS_OF: batch.as_of, MODEL_VERSION: batch.model_version, SOURCE: source}
        with open_store(self._address) as store:
            for table in (self._scores, self._counted):
                store.open_table(table)
            with store.transaction(), pyarrow.parquet.ParquetFile(batch.path) as file:
                for rows in file.iter_batches(_ROWS_AT_ONCE):
                    store.upsert(self._scores, pa.table(rows).cast(SCORED_SCHEMA))
                store.delete(self._counted, key)
                if batch.counts is not None:
                    told = key | {COUNTS: json.dumps(batch.counts.to_dict())}
                    store.upsert(self._counted, pa.Table.from_pylist([told], COUNTS_SCHEMA))


def _condition(since: datetime | None, until: datetime | None, equal: dict[str, str | None]) -> str:
    """The WHERE of moments from the first on and before the second, and of these values."""
    moments = [(">=", since), ("<", until)]
    return " AND ".join(
        [
            "1 = 1",
            *[f"{AS_OF} {sign} {moment_literal(at)}" for sign, at in moments if at is not None],
            *[f"{name} = {text_literal(value)}" for name, value in equal.items() if value is not None],
        ]
    )
