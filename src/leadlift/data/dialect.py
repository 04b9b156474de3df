"""How a CSV file is written, found out from its bytes: encoding and delimiter."""

from __future__ import annotations

import codecs
import csv
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from leadlift.exceptions import InputError, shorten

DELIMITERS = (",", ";", "\t", "|")
_CHUNK_BYTES = 1 << 20
_SAMPLE_BYTES = 1 << 18
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# The bytes to which Windows-1252 gives no character.
_NOT_CP1252 = bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D])


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written.

    Parameters
    ----------
    encoding : str
        ``"utf-8"``, ``"utf-8-sig"``, ``"cp1252"`` or ``"latin-1"``.
    delimiter : str
        One of ``, ; tab |``.
    n_columns : int
        Cells of the header.
    encoding_evidence, delimiter_evidence : str
        What speaks for each, in words.
    """

    encoding: str
    delimiter: str
    n_columns: int
    encoding_evidence: str
    delimiter_evidence: str


def detect_dialect(path: Path) -> Dialect:
    """Find out encoding and delimiter of a CSV file.

    The whole file is read for the encoding, its first 256 KiB for the delimiter: the delimiter is the
    mark that gives the most rows the same number of cells, and more than one.

    Parameters
    ----------
    path : Path
        An existing file that is not empty.

    Returns
    -------
    Dialect

    Raises
    ------
    InputError
        The file is UTF-16, or its first line holds numbers instead of names.
    """
    encoding, encoding_evidence = detect_encoding(path)
    lines = _sample_lines(path, encoding)
    votes = {mark: _vote(lines, mark) for mark in DELIMITERS}
    delimiter = max(votes, key=lambda mark: votes[mark])
    share, n_columns = votes[delimiter]
    _require_header(path, lines, delimiter)
    evidence = f"{share:.0%} of the rows looked at have {n_columns} cells" if n_columns > 1 else "check this"
    return Dialect(encoding, delimiter, n_columns, encoding_evidence, evidence)


def detect_encoding(path: Path) -> tuple[str, str]:
    """Find out the encoding of a text file from its bytes.

    UTF-8 where every byte is valid UTF-8, which other text practically never is; else Windows-1252, unless
    a byte occurs that it leaves undefined.

    Parameters
    ----------
    path : Path
        The file, which is read through once.

    Returns
    -------
    encoding : str
        ``"utf-8"``, ``"utf-8-sig"``, ``"cp1252"`` or ``"latin-1"``.
    evidence : str
        What speaks for it.

    Raises
    ------
    InputError
        The file is UTF-16.
    """
    with path.open("rb") as file:
        start = file.read(len(codecs.BOM_UTF8))
    if start.startswith(_UTF16_MARKS):
        msg = f"{path}: is UTF-16 text ('Unicode text' of a spreadsheet); save it as CSV UTF-8"
        raise InputError(msg)
    if _is_utf8(path):
        has_mark = start == codecs.BOM_UTF8
        return (
            ("utf-8-sig", "starts with a byte-order mark") if has_mark else ("utf-8", "every byte is valid")
        )
    if _holds_any(path, _NOT_CP1252):
        return "latin-1", "no valid UTF-8, and holds bytes undefined in cp1252; check this"
    return "cp1252", "no valid UTF-8; check letters with accents"


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while chunk := file.read(_CHUNK_BYTES):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _holds_any(path: Path, wanted: bytes) -> bool:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            if len(chunk.translate(None, wanted)) < len(chunk):
                return True
    return False


def _sample_lines(path: Path, encoding: str) -> list[str]:
    """Return the first lines, the last one left out where it may be cut off."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE_BYTES)
    lines = sample.decode(encoding, errors="replace").splitlines(keepends=True)
    return lines[:-1] if len(sample) == _SAMPLE_BYTES and len(lines) > 1 else lines


def _vote(lines: list[str], delimiter: str) -> tuple[float, int]:
    """Return the share of rows with as many cells as the header, and that number; (0, 1) for one cell."""
    rows = _rows(lines, delimiter)
    n_columns = len(rows[0]) if rows else 0
    if n_columns < 2:
        return 0.0, 1
    return sum(len(row) == n_columns for row in rows) / len(rows), n_columns


def _rows(lines: list[str], delimiter: str) -> list[list[str]]:
    """Return the rows up to the first that Python's reader refuses."""
    rows: list[list[str]] = []
    with suppress(csv.Error):
        for row in csv.reader(lines, delimiter=delimiter):
            if row:
                rows.append(row)
    return rows


def _require_header(path: Path, lines: list[str], delimiter: str) -> None:
    header = next(iter(_rows(lines[:1], delimiter)), [])
    numbers = [cell for cell in header if _is_number(cell)]
    if header and len(numbers) > len(header) / 2:
        msg = (
            f"{path}: the first line holds numbers ({shorten(numbers)}), expected the column names; "
            "write a header line"
        )
        raise InputError(msg)


def _is_number(cell: str) -> bool:
    return cell.strip().lstrip("+-").replace(".", "", 1).replace(",", "", 1).isdigit()
