"""Output that appears whole or not at all: written beside its place, synced, then renamed into it."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from leadlift.exceptions import InputError
from leadlift.insight.escaping import escape_formulas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def open_output(path: str | Path, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    """Open a CSV or Parquet file for writing; yields a function that appends a table.

    Parameters
    ----------
    path : path
        Ends in ``.csv`` or ``.parquet``.
    schema : pyarrow.Schema

    Yields
    ------
    callable
        Takes a table of that schema.

    Raises
    ------
    InputError
        The ending is another one, or the file cannot be written; nothing is left behind.
    """
    path = Path(path)
    writers = {".csv": _csv_writer, ".parquet": pyarrow.parquet.ParquetWriter}
    if path.suffix.lower() not in writers:
        msg = f"{path}: the output must end in .csv or .parquet"
        raise InputError(msg)
    temporary = _temporary(path)
    try:
        with writers[path.suffix.lower()](temporary, schema) as writer:
            if path.suffix.lower() == ".csv":
                yield lambda table: writer.write_table(escape_formulas(table))
            else:
                yield writer.write_table
        _publish(temporary, path)
    except OSError as error:
        msg = f"{path} could not be written and was left as it was: {error.strerror or error}"
        raise InputError(msg) from error
    finally:
        temporary.unlink(missing_ok=True)


def _csv_writer(path: Path, schema: pa.Schema) -> pyarrow.csv.CSVWriter:
    return pyarrow.csv.CSVWriter(path, schema)


def _temporary(path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror or error}"
        raise InputError(msg) from error
    os.close(handle)
    return Path(name)


def _publish(temporary: Path, path: Path) -> None:
    """Sync and rename; the file gets the permissions a new file would have."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    mask = os.umask(0)
    os.umask(mask)
    temporary.chmod(0o666 & ~mask)
    temporary.replace(path)
