"""Is there a file, and is it of a kind that can be read? Asked before any reader is."""

from __future__ import annotations

from pathlib import Path

from leadlift.exceptions import InputError

_PARQUET_MAGIC = b"PAR1"
_OTHER_FORMATS = {
    b"PK\x03\x04": "an Excel workbook or a zip archive; export the table as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; export the table as CSV",
    b"\x1f\x8b": "compressed with gzip; unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed with Zstandard; unpack it first",
    b"%PDF": "a PDF; export the table as CSV",
    b"SQLite f": "an SQLite database; name it as sqlite:///PATH",
}
_DUCKDB_MAGIC = b"DUCK"
_DUCKDB_MAGIC_START = 8


def require_file(path: str | Path) -> Path:
    """Return the path of a file that exists, is not empty and is no known other format.

    Parameters
    ----------
    path : str or Path
        A CSV or Parquet file.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        There is no such file, it is a folder, it has 0 bytes, it may not be read, or its first bytes
        are those of a spreadsheet, an archive or a PDF.
    """
    path = Path(path)
    first = _first_bytes(path)
    if not first:
        msg = f"{path}: the file is empty (0 bytes); expected a header line and one line a lead"
        raise InputError(msg)
    for magic, remedy in _OTHER_FORMATS.items():
        if first.startswith(magic):
            msg = f"{path}: expected CSV or Parquet; the file is {remedy}"
            raise InputError(msg)
    return path


def is_parquet(path: Path) -> bool:
    """Return whether a file is said, by its name or its first bytes, to be Parquet."""
    return path.suffix.lower() in {".parquet", ".pq"} or _first_bytes(path).startswith(_PARQUET_MAGIC)


def is_duckdb(path: Path) -> bool:
    """Return whether a file is, by its first bytes, a DuckDB database."""
    return _first_bytes(path)[_DUCKDB_MAGIC_START:] == _DUCKDB_MAGIC


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_DUCKDB_MAGIC_START + len(_DUCKDB_MAGIC))
    except FileNotFoundError as error:
        msg = f"{path}: no such file"
        raise InputError(msg) from error
    except IsADirectoryError as error:
        msg = f"{path}: is a folder; name one CSV or Parquet file in it"
        raise InputError(msg) from error
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise InputError(msg) from error
