"""CSV files -> batches of text cells. Nothing is guessed, nothing is lost in silence."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv

from leadlift.config import DataConfig
from leadlift.data.tables import refuse_repeated_names
from leadlift.data.text_scan import long_record, scan_text
from leadlift.exceptions import InputError, SchemaError, shorten

BLOCK_BYTES = 1 << 21
"""Bytes read at once, and the longest record there may be; pyarrow reads some thirty blocks ahead."""

_LIKELY_DELIMITERS = ";,\t|"


@dataclass(frozen=True)
class CsvHeader:
    """Column names of a CSV file, as written and stripped of white space.

    The first name may be empty: pandas and R write row names so. That column is never read.
    """

    written: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns that can be read, in the order of the file."""
        return tuple(name for name in self.names if name)


@dataclass
class RaggedRows:
    """Rows of a CSV with too many or too few cells, collected while it is read.

    Parameters
    ----------
    rows : list of int
        Their data-row numbers: 1 is the first row under the header; empty lines are not counted.
    cells : list of int
        How many cells each has.
    expected : int
        How many the header has.
    last_is_unclosed : bool
        Whether the last of them runs over several lines with an odd number of quotes.
    """

    rows: list[int] = field(default_factory=list)
    cells: list[int] = field(default_factory=list)
    expected: int = 0
    last_is_unclosed: bool = False

    def add(self, row: pa_csv.InvalidRow) -> str:
        """Note a row and tell pyarrow to go on (its ``invalid_row_handler``)."""
        self.rows.append(row.number - 1)  # pyarrow counts the header as row 1
        self.cells.append(row.actual_columns)
        self.expected = row.expected_columns
        self.last_is_unclosed = "\n" in row.text and row.text.count('"') % 2 == 1
        return "skip"

    def clear(self) -> None:
        """Forget the rows, before the file is read again."""
        self.rows.clear()
        self.cells.clear()
        self.last_is_unclosed = False

    def describe(self) -> str:
        """Return how many rows are ragged and the first five of them."""
        shown = [f"{row} ({cells} cells)" for row, cells in zip(self.rows, self.cells, strict=True)]
        return f"{len(shown)} row(s) without the header's {self.expected} cells: data row {shorten(shown)}"


@dataclass(frozen=True)
class CsvFile:
    """A CSV file that is known to be text and to have a header.

    Parameters
    ----------
    path : Path
    data : DataConfig
        Delimiter and encoding.
    header : CsvHeader
    last_character : str
        The last one that is no line end.
    """

    path: Path
    data: DataConfig
    header: CsvHeader
    last_character: str


@dataclass(frozen=True)
class CsvCells:
    """How the cells of a CSV are handed out; as they stand there, if not said otherwise.

    Parameters
    ----------
    types : mapping of str to pyarrow.DataType
        By column, a type other than text.
    missing : tuple of str or None
        Cells that are null in any column; None leaves even the empty cell as it is.
    block_bytes : int
        Bytes read at once, and the longest record there may be.
    """

    types: Mapping[str, pa.DataType] = field(default_factory=dict)
    missing: tuple[str, ...] | None = None
    block_bytes: int = BLOCK_BYTES


AS_TEXT = CsvCells()


class UnfitCellsError(InputError):
    """A cell does not fit into the type asked for, or a record into a block."""


def open_csv(path: Path, data: DataConfig) -> CsvFile:
    """Read a CSV file through as text, and its header.

    Parameters
    ----------
    path : Path
        The file.
    data : DataConfig
        Delimiter and encoding.

    Returns
    -------
    CsvFile

    Raises
    ------
    InputError
        The file is no text in that encoding, its first line is no header, or the delimiter is another.
    SchemaError
        A column name is empty (but for the first) or stands twice.
    """
    encoding = python_encoding(data)
    last_character = scan_text(path, encoding)
    with path.open(encoding=encoding, newline="") as file:
        try:
            written = next(csv.reader(file, delimiter=data.delimiter), [])
        except csv.Error as error:
            msg = f"{path}: the first line cannot be read as a header: {error}"
            raise InputError(msg) from error
    header = CsvHeader(tuple(written), tuple(name.strip() for name in written))
    _check_delimiter(path, header, data.delimiter)
    _check_names(path, header.names)
    return CsvFile(path, data, header, last_character)


def csv_batches(
    file: CsvFile, columns: Sequence[str], ragged: RaggedRows, cells: CsvCells = AS_TEXT
) -> Iterator[pa.RecordBatch]:
    """Yield a CSV file block by block, ragged rows left out and collected.

    Parameters
    ----------
    file : CsvFile
        From `open_csv`.
    columns : sequence of str
        Columns to read, in the order wanted.
    ragged : RaggedRows
        Filled on the way.
    cells : CsvCells
        How cells are handed out; if not given, as text, an empty one as the empty string.

    Yields
    ------
    pyarrow.RecordBatch

    Raises
    ------
    UnfitCellsError
        A cell or a record does not fit into what `cells` says.
    InputError
        A record is longer than `BLOCK_BYTES`, a quote is never closed, the file breaks the rules of CSV
        otherwise, or it has no rows.
    """
    names = [*columns, file.header.names[-1]]  # the last one shows a quote that is never closed
    n_rows, last_cell = 0, ""
    try:
        with _open(file, names, ragged, cells) as reader:
            for batch in reader:
                if batch.num_rows:
                    n_rows += batch.num_rows
                    last_cell = str(batch.column(len(columns))[-1].as_py())
                    yield batch.select(range(len(columns))).rename_columns(list(columns))
    except pa.ArrowInvalid as error:
        raise _broken(file, str(error), cells) from error
    _check_end(file, n_rows, last_cell, ragged)


def read_csv(file: CsvFile) -> tuple[pa.Table, RaggedRows]:
    """Read a whole CSV file, every cell as text.

    Parameters
    ----------
    file : CsvFile
        From `open_csv`.

    Returns
    -------
    table : pyarrow.Table
        String columns; ragged rows left out where the configuration says ``"skip"``.
    ragged : RaggedRows
        Which rows those are.

    Raises
    ------
    InputError
        As for `csv_batches`; or rows are ragged and the configuration does not say to skip them.
    """
    ragged, columns = RaggedRows(), file.header.columns
    schema = pa.schema([(name, pa.string()) for name in columns])
    table = pa.Table.from_batches(csv_batches(file, columns, ragged), schema)
    if ragged.rows and (file.data.ragged_rows == "error" or not len(table)):
        remedy = 'Mend them, or set [data] ragged_rows = "skip" to leave them out'
        msg = f"{file.path}: {ragged.describe()}. {remedy}"
        raise InputError(msg)
    return table, ragged


def python_encoding(data: DataConfig) -> str:
    """Return the codec to read a file with; for UTF-8, the one that takes a byte-order mark or none."""
    is_utf8 = data.encoding.lower().replace("_", "-") in {"utf-8", "utf8", "utf-8-sig"}
    return "utf-8-sig" if is_utf8 else data.encoding


def _open(file: CsvFile, names: list[str], ragged: RaggedRows, cells: CsvCells) -> pa_csv.CSVStreamingReader:
    written = dict(zip(file.header.names, file.header.written, strict=True))
    wanted = [written[name] for name in names]
    encoding = python_encoding(file.data)
    read = pa_csv.ReadOptions(
        use_threads=False,  # with more than one thread, pyarrow does not number the ragged rows
        block_size=cells.block_bytes,
        encoding="utf8" if encoding == "utf-8-sig" else encoding,
    )
    parse = pa_csv.ParseOptions(
        delimiter=file.data.delimiter, newlines_in_values=True, invalid_row_handler=ragged.add
    )
    types = {written[name]: cells.types.get(name, pa.string()) for name in names}
    convert = pa_csv.ConvertOptions(
        column_types=types,
        include_columns=wanted,
        strings_can_be_null=cells.missing is not None,
        null_values=list(cells.missing or ()),
        decimal_point=file.data.decimal,
        check_utf8=False,  # `open_csv` has read the file through as text
    )
    return pa_csv.open_csv(str(file.path), read, parse, convert)


def _check_end(file: CsvFile, n_rows: int, last_cell: str, ragged: RaggedRows) -> None:
    """There were rows, and the last one does not run to the end of the file for want of a quote."""
    n_all = n_rows + len(ragged.rows)
    if n_all == 0:
        raise _no_rows(file)
    last_is_ragged = bool(ragged.rows) and ragged.rows[-1] == n_all
    is_unclosed = ragged.last_is_unclosed if last_is_ragged else "\n" in last_cell
    if is_unclosed and file.last_character != '"':
        msg = (
            f"{file.path}: data row {n_all} opens a quote that is never closed and so runs to the end of the "
            f"file; close it"
        )
        raise InputError(msg)


class NoRowsError(InputError):
    """A file has a header and nothing under it."""


def _no_rows(file: CsvFile) -> NoRowsError:
    return NoRowsError(f"{file.path}: the file has a header but no rows; expected one row a lead")


def _broken(file: CsvFile, reason: str, cells: CsvCells) -> InputError:
    if reason.startswith("CSV parse error: Empty CSV file"):
        return _no_rows(file)
    is_long = "straddl" in reason
    if "conversion error" in reason or (is_long and cells.block_bytes < BLOCK_BYTES):
        return UnfitCellsError(f"{file.path}: {reason}")
    if is_long:
        reason = long_record(file.path, python_encoding(file.data), BLOCK_BYTES)
    return InputError(f"{file.path}: cannot be read as CSV: {reason}")


def _check_delimiter(path: Path, header: CsvHeader, delimiter: str) -> None:
    if not header.columns:
        msg = f"{path}: the first line is empty; expected the column names"
        raise InputError(msg)
    if len(header.names) > 1:
        return
    others = [mark for mark in _LIKELY_DELIMITERS if mark != delimiter and mark in header.names[0]]
    if others:
        msg = (
            f"{path}: with the delimiter {delimiter!r} the header is one single column; "
            f"it looks separated by {others[0]!r}. Set [data] delimiter = {others[0]!r}"
        )
        raise InputError(msg)


def _check_names(path: Path, names: Sequence[str]) -> None:
    empty = [position for position, name in enumerate(names, start=1) if not name and position > 1]
    if empty:
        msg = f"{path}: {len(empty)} column(s) without a name: position {shorten(empty)}. Name them"
        raise SchemaError(msg)
    refuse_repeated_names(names, str(path))
