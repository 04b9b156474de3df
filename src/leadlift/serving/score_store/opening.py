"""Which store a place is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from leadlift.data.addresses import is_address
from leadlift.data.table_stores import require_table_name, store_kind
from leadlift.exceptions import InputError
from leadlift.serving.score_store.database import DatabaseScoreStore
from leadlift.serving.score_store.folder import FolderScoreStore

if TYPE_CHECKING:
    from leadlift.serving.score_store.base import ScoreStore


def open_score_store(place: str | Path, table: str = "scores") -> ScoreStore:
    """Return the store of scored batches at a place; nothing is made before the first batch is added.

    Parameters
    ----------
    place : path or address
        A folder of Parquet files; or a database as for :func:`leadlift.data.table_stores.open_store`.
    table : str, default="scores"
        Of a database: name of the table of scored leads. What the jobs counted stands beside it, in
        ``<table>_counts``.

    Returns
    -------
    ScoreStore

    Raises
    ------
    InputError
        The place is a file that is no database.
    ConfigError
        The database is of a kind that tables are not written into, or `table` is no name.

    Examples
    --------
    >>> import tempfile
    >>> from datetime import UTC, datetime
    >>> import pyarrow as pa
    >>> from leadlift.serving.scored_columns import SCORED_SCHEMA
    >>> lead = {"lead_id": "a", "as_of": datetime(2026, 11, 22, tzinfo=UTC), "model_version": "m1"}
    >>> scored = pa.Table.from_pylist([lead | {"score": 0.4, "status": "scored"}], SCORED_SCHEMA)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = open_score_store(folder)
    ...     store.add(scored)
    ...     store.add(scored)
    ...     store.batches().to_pylist()[0]["n_rows"], store.scored(columns=["lead_id", "score"]).to_pylist()
    (1, [{'lead_id': 'a', 'score': 0.4}])
    """
    address = str(place)
    if is_address(address) or store_kind(address) is not None:
        return DatabaseScoreStore(address, require_table_name(table, address, "table"))
    path = Path(place)
    if path.is_file():
        msg = f"{path}: expected a folder, a DuckDB file or the address of a database, got another file"
        raise InputError(msg)
    return FolderScoreStore(path)
