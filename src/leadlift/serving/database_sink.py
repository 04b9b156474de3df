"""Scored leads into a table of a database; a job that runs again ends with the same rows."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.keyed_tables import KeyedTable
from leadlift.data.table_stores import TableStore, open_store, refuse_same_file, require_table_name
from leadlift.exceptions import ConfigError
from leadlift.serving.scored_columns import SCORED_SCHEMA
from leadlift.terms import AS_OF, LEAD_ID, MODEL_VERSION, STATUS, STATUS_DETAIL, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from numpy.typing import NDArray

KEY = (LEAD_ID, AS_OF, MODEL_VERSION)

# Rows that have no id, or that of an earlier row, cannot have this key; they go into a table of their own.
WITHOUT_KEY = (Status.MISSING_ID.value, Status.DUPLICATE_ID.value)
SOURCE = "source"
ROW_NUMBER = "row_number"
REJECTED_KEY = (AS_OF, MODEL_VERSION, SOURCE, ROW_NUMBER)
REJECTED_SCHEMA = pa.schema(
    [
        (AS_OF, pa.timestamp("us", tz="UTC")),
        (MODEL_VERSION, pa.string()),
        (SOURCE, pa.string()),
        (ROW_NUMBER, pa.int64()),
        (LEAD_ID, pa.string()),
        (STATUS, pa.string()),
        (STATUS_DETAIL, pa.string()),
    ]
)


@contextmanager
def open_database_sink(
    address: str,
    table: str | None,
    *,
    as_of: datetime | None,
    model_version: str,
    source: str,
) -> Iterator[Callable[[pa.Table], None]]:
    """Open a table of a database for the scored rows of one job; yields a function that writes a batch.

    Rows are keyed by ``lead_id``, ``as_of`` and ``model_version``: one that is there is replaced. Each batch
    is a transaction: a job killed at any moment leaves whole batches, and runs again to the same rows. Rows
    without an id, or with that of an earlier row, go into ``<table>_rejected``, keyed by ``as_of``,
    ``model_version``, ``source`` and their number in the input, from 1.

    Parameters
    ----------
    address : str
        As for :func:`leadlift.data.table_stores.open_store`.
    table : str
        Name of the table, with or without its schema; made where it is absent.
    as_of : datetime with time zone
        Moment of scoring.
    model_version : str
    source : str
        What the leads were read from, without secrets.

    Yields
    ------
    callable
        Takes the next rows, a table with the columns of
        :data:`leadlift.serving.scored_columns.SCORED_SCHEMA`, texts plain or dictionary-encoded.

    Raises
    ------
    ConfigError
        `as_of` is None, `table` is no name, no table can be written there, or `source` is the same file.
    SchemaError
        The table is there with other columns.
    InputError
        The database cannot be reached or written.
    """
    if as_of is None:
        msg = "writing into a database needs as_of: rows are keyed by the moment of scoring"
        raise ConfigError(msg)
    name = require_table_name(table, address, "out_table")
    refuse_same_file(address, source)
    scored = KeyedTable(name, SCORED_SCHEMA, KEY)
    rejected = KeyedTable(f"{name}_rejected", REJECTED_SCHEMA, REJECTED_KEY)
    with open_store(address) as store:
        store.open_table(scored)
        store.open_table(rejected)
        with store.transaction():
            # An input without a fixed order may number its rejected rows in another way each time.
            store.delete(rejected, {AS_OF: as_of, MODEL_VERSION: model_version, SOURCE: source})
        yield _Writer(store, scored, rejected, source).write


class _Writer:
    """Writes batches in the order of the input, and counts their rows."""

    def __init__(self, store: TableStore, scored: KeyedTable, rejected: KeyedTable, source: str) -> None:
        self._store, self._scored, self._rejected = store, scored, rejected
        self._source = source
        self._n_rows = 0

    def write(self, batch: pa.Table) -> None:
        """Write one batch in one transaction."""
        rows = batch.select(self._scored.schema.names).cast(self._scored.schema)
        has_no_key = pc.is_in(rows[STATUS], value_set=pa.array(WITHOUT_KEY))
        with self._store.transaction():
            self._store.upsert(self._scored, rows.filter(pc.invert(has_no_key)))
            if pc.any(has_no_key).as_py():
                self._store.upsert(self._rejected, self._numbered(rows, np.flatnonzero(has_no_key)))
        self._n_rows += len(rows)

    def _numbered(self, rows: pa.Table, places: NDArray[np.intp]) -> pa.Table:
        """The columns of rejected rows, which stand at these places of the batch."""
        columns = {name: rows[name].take(pa.array(places)) for name in rows.column_names}
        columns |= {ROW_NUMBER: self._n_rows + places + 1, SOURCE: pa.repeat(self._source, len(places))}
        return pa.table({name: columns[name] for name in REJECTED_SCHEMA.names}).cast(REJECTED_SCHEMA)
