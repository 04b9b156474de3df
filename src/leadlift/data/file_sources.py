"""CSV and Parquet files, one or a folder of them, as sources."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import pyarrow as pa

from leadlift.config import DataConfig
from leadlift.data import reading_findings
from leadlift.data.csv_files import CsvFile, NoRowsError, RaggedRows, csv_batches, open_csv
from leadlift.data.files import is_parquet, require_file
from leadlift.data.parquet_files import parquet_batches, parquet_schema
from leadlift.data.sources import Source
from leadlift.data.typed_csv import typed_csv_batches
from leadlift.exceptions import InputError, SchemaError, column_diff, shorten
from leadlift.terms import Finding, Kind

_SUFFIXES = {".csv", ".tsv", ".txt", ".parquet", ".pq"}
_DELTA_LOG = "_delta_log"


class CsvFiles(Source):
    """CSV files with the same columns; every cell is text, an empty one the empty string.

    Parameters
    ----------
    name : str
        What messages call them all.
    paths : sequence of Path
        At least one file, in the order to read.
    data : DataConfig
        How they are written, and what to do with ragged rows.
    """

    def __init__(self, name: str, paths: Sequence[Path], data: DataConfig) -> None:
        super().__init__(name)
        self._data = data
        self._files = [open_csv(require_file(path), data) for path in paths]
        self._ragged: dict[str, RaggedRows] = {}
        for file in self._files[1:]:
            _require_same_columns(self._files[0].header.columns, file.header.columns, file.path, paths[0])

    def findings(self) -> tuple[Finding, ...]:
        """Return LL150 where rows were left out and LL153 where a first column without a name was."""
        findings = [reading_findings.ragged_rows_of_files(self._ragged)] if self._ragged else []
        if any(not file.header.names[0] for file in self._files):
            findings.append(reading_findings.row_names())
        return tuple(findings)

    def _read_schema(self) -> pa.Schema:
        return pa.schema([(name, pa.string()) for name in self._files[0].header.columns])

    def _read(self, columns: tuple[str, ...], batch_rows: int) -> Iterator[pa.RecordBatch]:
        return self._read_files(partial(csv_batches, columns=columns))

    def _read_as(
        self, columns: tuple[str, ...], batch_rows: int, kinds: Mapping[str, Kind]
    ) -> Iterator[pa.RecordBatch]:
        return self._read_files(partial(typed_csv_batches, columns=columns, kinds=kinds))

    def _read_files(self, read: Callable[..., Iterator[pa.RecordBatch]]) -> Iterator[pa.RecordBatch]:
        self._ragged = {}
        for file in self._files:
            yield from self._read_file(file, read)

    def _read_file(
        self, file: CsvFile, read: Callable[..., Iterator[pa.RecordBatch]]
    ) -> Iterator[pa.RecordBatch]:
        """Where ragged rows are errors, the rest is still read to say how many there are."""
        ragged, stops = RaggedRows(), self._data.ragged_rows == "error"
        with suppress(NoRowsError):
            for batch in read(file, ragged=ragged):
                if not (stops and ragged.rows):
                    yield batch
        if not ragged.rows:
            return
        if stops:
            remedy = 'Mend them; [data] ragged_rows = "skip" leaves them out, but never out of new leads'
            msg = f"{file.path}: {ragged.describe()}. {remedy}"
            raise InputError(msg)
        self._ragged[str(file.path)] = ragged


class ParquetFiles(Source):
    """Parquet files with the same columns, whose types may differ where they have a common one.

    Parameters
    ----------
    name : str
        What messages call them all.
    paths : sequence of Path
        At least one file, in the order to read.
    """

    def __init__(self, name: str, paths: Sequence[Path]) -> None:
        super().__init__(name)
        self._paths = [require_file(path) for path in paths]

    def _read_schema(self) -> pa.Schema:
        first, schema = self._paths[0], None
        for path in self._paths:
            found = parquet_schema(path, rows_required=False).remove_metadata()
            if schema is None:
                schema = found
                continue
            _require_same_columns(schema.names, found.names, path, first)
            schema = _unified(schema, found, path, first)
        return schema

    def _read(self, columns: tuple[str, ...], batch_rows: int) -> Iterator[pa.RecordBatch]:
        return self._read_as(columns, batch_rows, {})

    def _read_as(
        self, columns: tuple[str, ...], batch_rows: int, kinds: Mapping[str, Kind]
    ) -> Iterator[pa.RecordBatch]:
        encoded = [name for name in columns if kinds.get(name) is Kind.CATEGORICAL]
        wanted = self.selected_schema(columns)
        for path in self._paths:
            for batch in parquet_batches(path, columns, batch_rows, encoded=encoded):
                yield _cast(batch, _with_dictionaries_of(batch, wanted, encoded), path)


def open_file(source: str, data: DataConfig) -> Source:
    """Open one CSV or Parquet file.

    Parameters
    ----------
    source : str
        Its path.
    data : DataConfig
        How a CSV is written.

    Returns
    -------
    CsvFiles or ParquetFiles

    Raises
    ------
    InputError, SchemaError
        As for :func:`leadlift.data.sources.open_source`.
    """
    return _opened(source, [require_file(source)], data)


def open_files(source: str, data: DataConfig) -> Source:
    """Open all CSV or all Parquet files of a folder or a glob.

    Parameters
    ----------
    source : str
        A folder, searched with its subfolders, or a glob such as ``events/**/*.csv``.
    data : DataConfig
        How CSV files are written.

    Returns
    -------
    CsvFiles or ParquetFiles

    Raises
    ------
    InputError, SchemaError
        As for :func:`leadlift.data.sources.open_source`.
    """
    return _opened(source, find_files(source), data)


def find_files(source: str) -> list[Path]:
    """Return the files of a folder or a glob in the order of their paths.

    Parameters
    ----------
    source : str
        A folder, searched with its subfolders, or a glob; ``**`` stands for any subfolders.

    Returns
    -------
    list of Path
        At least one. Without those below which, or whose own name, begins with a dot or an underscore.

    Raises
    ------
    InputError
        There is none; a folder holds other files too, or is a Delta Lake table.
    """
    folder = Path(source)
    if folder.is_dir():
        return _files_of_folder(folder)
    found = [Path(name) for name in glob.glob(source, recursive=True)]  # noqa: PTH207 -- the pattern may be absolute
    files = sorted(path for path in found if path.is_file() and not path.name.startswith(("_", ".")))
    if not files:
        msg = f"{source}: no file matches; a glob is relative to the folder of leadlift.toml"
        raise InputError(msg)
    return files


def _files_of_folder(folder: Path) -> list[Path]:
    if (folder / _DELTA_LOG).is_dir():
        msg = f"{folder}: is a Delta Lake table, whose files hold deleted rows too; export it as Parquet"
        raise InputError(msg)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not _is_hidden(path, folder))
    if not files:
        msg = f"{folder}: is a folder without a CSV or Parquet file in it"
        raise InputError(msg)
    others = [path for path in files if path.suffix.lower() not in _SUFFIXES and not is_parquet(path)]
    if others:
        names = shorten(path.relative_to(folder) for path in others)
        msg = (
            f"{folder}: {len(others)} file(s) are neither CSV nor Parquet: {names}. "
            f"Choose the files with a glob, such as {folder / '*.csv'}"
        )
        raise InputError(msg)
    return files


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)


def _opened(name: str, paths: list[Path], data: DataConfig) -> Source:
    of_parquet = [path for path in paths if is_parquet(path)]
    if not of_parquet:
        return CsvFiles(name, paths, data)
    if len(of_parquet) < len(paths):
        of_csv = next(path for path in paths if path not in of_parquet)
        msg = (
            f"{name}: both Parquet files ({of_parquet[0]}) and CSV files ({of_csv}); expected one kind. "
            f"Choose with a glob"
        )
        raise InputError(msg)
    return ParquetFiles(name, paths)


def _require_same_columns(expected: Sequence[str], got: Sequence[str], path: Path, first: Path) -> None:
    diff = column_diff(expected, got)
    if diff:
        msg = (
            f"{path}: the columns are not those of {first}:\n{diff}\n"
            f"Mend the file, or leave it out with a glob"
        )
        raise SchemaError(msg)


def _unified(schema: pa.Schema, found: pa.Schema, path: Path, first: Path) -> pa.Schema:
    found = pa.schema([found.field(name) for name in schema.names])
    if schema.equals(found):
        return schema
    schema, found = _without_dictionaries(schema), _without_dictionaries(found)
    fields = [_unified_field(*pair, path, first) for pair in zip(schema, found, strict=True)]
    return pa.schema(fields)


def _unified_field(expected: pa.Field, got: pa.Field, path: Path, first: Path) -> pa.Field:
    try:
        both = pa.unify_schemas([pa.schema([expected]), pa.schema([got])], promote_options="permissive")
    except pa.ArrowTypeError as error:
        msg = (
            f"{path}: column {got.name!r} holds {got.type}, in the files from {first} on {expected.type}; "
            f"there is no type for both. Write the files anew with one"
        )
        raise SchemaError(msg) from error
    return both.field(0)


def _without_dictionaries(schema: pa.Schema) -> pa.Schema:
    types = [field.type.value_type if pa.types.is_dictionary(field.type) else field.type for field in schema]
    return pa.schema(list(zip(schema.names, types, strict=True)))


def _with_dictionaries_of(batch: pa.RecordBatch, schema: pa.Schema, encoded: Sequence[str]) -> pa.Schema:
    """A schema in which text that was asked for as dictionaries, and came so, stays so."""
    for name in encoded:
        dtype = batch.schema.field(name).type
        if pa.types.is_dictionary(dtype):
            schema = schema.set(schema.get_field_index(name), pa.field(name, dtype))
    return schema


def _cast(batch: pa.RecordBatch, schema: pa.Schema, path: Path) -> pa.RecordBatch:
    if batch.schema.equals(schema):
        return batch
    try:
        return batch.cast(schema)
    except pa.ArrowInvalid as error:
        msg = f"{path}: a value does not fit into the type that its column has over all files: {error}"
        raise SchemaError(msg) from error
