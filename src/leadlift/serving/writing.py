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

from leadlift.data.addresses import is_address
from leadlift.exceptions import InputError
from leadlift.insight.escaping import escape_formulas
from leadlift.terms import AS_OF, SCORE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Columns by which readers leave row groups out.
WITH_STATISTICS = (AS_OF, SCORE)
# Most bytes of the distinct texts of a column and row group, which are stored once each: 131,072 sentences
# are below it.
DICTIONARY_BYTES = 1 << 25


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
    require_ending(path)
    temporary = _temporary(path)
    try:
        with told(path):
            with open_file(temporary, schema) as write:
                yield write
            publish(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def require_ending(path: Path) -> None:
    """Raise InputError where a path is not that of a CSV or Parquet file."""
    if path.suffix.lower() not in {".csv", ".parquet"}:
        msg = f"{path}: the output must end in .csv or .parquet"
        raise InputError(msg)


def refuse_to_replace(out: str | Path, source: str | Path | None) -> None:
    """Raise InputError where an output would replace a file that is read.

    Parameters
    ----------
    out : path
    source : path or address, optional
    """
    is_file = source is not None and not is_address(str(source)) and Path(source).exists()
    if is_file and Path(out).exists() and Path(out).samefile(source):
        msg = f"{out}: the output would replace a file that is read; name another file"
        raise InputError(msg)


@contextmanager
def open_file(path: Path, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    """Open a file that nobody looks at yet; yields a function that appends a table.

    Each table is a row group of a Parquet file. Dictionary columns are plain text to whoever reads the file;
    in CSV, cells that a spreadsheet would run as formulas are escaped.

    Parameters
    ----------
    path : Path
        Ends in ``.csv`` or ``.parquet``.
    schema : pyarrow.Schema

    Yields
    ------
    callable
        Takes a table of that schema.

    Raises
    ------
    OSError
        It cannot be written.
    """
    if path.suffix.lower() == ".csv":
        plain = pa.schema([(field.name, _plain_type(field.type)) for field in schema])
        with pyarrow.csv.CSVWriter(path, plain) as writer:
            yield lambda table: writer.write_table(escape_formulas(table).cast(plain))
    else:
        with parquet_writer(path, schema) as writer:
            yield lambda table: writer.write_table(table, row_group_size=max(table.num_rows, 1))


def _plain_type(dtype: pa.DataType) -> pa.DataType:
    return dtype.value_type if pa.types.is_dictionary(dtype) else dtype


def parquet_writer(path: Path, schema: pa.Schema) -> pyarrow.parquet.ParquetWriter:
    """Return a writer of a Parquet file.

    Dictionaries are stored as such; the type of Arrow is not, so that they are read as plain text.

    Parameters
    ----------
    path : Path
    schema : pyarrow.Schema

    Returns
    -------
    pyarrow.parquet.ParquetWriter
    """
    coded = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    if not coded:
        return pyarrow.parquet.ParquetWriter(path, schema)
    return pyarrow.parquet.ParquetWriter(
        path,
        schema,
        store_schema=False,
        use_dictionary=coded,
        dictionary_pagesize_limit=DICTIONARY_BYTES,
        # Scores hold too many digits to be worth the effort; ids and codes halve.
        compression={
            field.name: "NONE" if pa.types.is_floating(field.type) else "SNAPPY" for field in schema
        },
        write_statistics=[name for name in WITH_STATISTICS if name in schema.names],
    )


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn a refusal of the operating system to write into an InputError."""
    try:
        yield
    except OSError as error:
        msg = f"{path} could not be written and was left as it was: {error.strerror or error}"
        raise InputError(msg) from error


def _temporary(path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror or error}"
        raise InputError(msg) from error
    os.close(handle)
    return Path(name)


def publish(temporary: Path, path: Path) -> None:
    """Sync a file and rename it into its place; it gets the permissions a new file would have.

    Parameters
    ----------
    temporary : Path
        On the same file system as `path`.
    path : Path

    Raises
    ------
    OSError
    """
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    mask = os.umask(0)
    os.umask(mask)
    temporary.chmod(0o666 & ~mask)
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
