"""Faults of a text file that a CSV reader passes on or reports without a place, found with their line."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from leadlift.exceptions import ConfigError, InputError

# Read, decoded and searched within a core's cache: four times as fast as in megabytes.
_CHUNK_BYTES = 1 << 18


def scan_text(path: Path, encoding: str) -> str:
    """Read a text file through once and refuse bytes that are no text.

    Parameters
    ----------
    path : Path
        The file.
    encoding : str
        A codec of Python.

    Returns
    -------
    str
        The last character that is no line end; empty where there is none.

    Raises
    ------
    InputError
        A byte is no text in `encoding`, or a character is NUL; the line is named.
    ConfigError
        There is no such encoding.
    """
    last = ""
    for n_chunks, text in enumerate(_decoded(path, encoding)):
        if "\0" in text:
            line = _lines_before(path, encoding, n_chunks) + text[: text.index("\0")].count("\n") + 1
            msg = f"{path}: line {line} holds a NUL byte; the file is damaged or no text. Export it again"
            raise InputError(msg)
        last = text.rstrip("\r\n")[-1:] or last
    return last


def long_record(path: Path, encoding: str, max_characters: int) -> str:
    """Say where the first record of a CSV longer than `max_characters` starts and why it may be so long.

    Parameters
    ----------
    path : Path
        The file; its text is known to be sound.
    encoding : str
        A codec of Python.
    max_characters : int
        Length allowed to one record, its line breaks inside quotes included.

    Returns
    -------
    str
        A sentence; without a place where no such record is found.
    """
    start, length, quotes = 1, 0, 0
    with path.open(encoding=encoding, newline="") as file:
        for number, line in enumerate(iter(lambda: file.readline(max_characters + 1), ""), start=1):
            length += len(line)
            quotes += line.count('"')
            if length > max_characters:
                return f"the record that starts at line {start} is too long: {_why_long(number, start)}"
            if quotes % 2 == 0:
                start, length, quotes = number + 1, 0, 0
    return "a record is too long"


def _why_long(number: int, start: int) -> str:
    if number == start:
        return "a cell is far too large for a table of leads; mend or leave out that row"
    return "a quote that opens a cell is probably never closed; close it"


def _decoded(path: Path, encoding: str) -> Iterator[str]:
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
    except LookupError as error:
        msg = f"[data] encoding = {encoding!r}: no such encoding; try 'utf-8', 'cp1252' or 'latin-1'"
        raise ConfigError(msg) from error
    n_chunks = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield _decode(decoder, chunk, path, encoding, n_chunks)
            n_chunks += 1
        yield _decode(decoder, b"", path, encoding, n_chunks, final=True)


def _lines_before(path: Path, encoding: str, n_chunks: int) -> int:
    """Line ends in the first chunks of a file; counted only where a message needs them."""
    return sum(text.count("\n") for text in islice(_decoded(path, encoding), n_chunks))


def _decode(
    decoder: codecs.IncrementalDecoder,
    chunk: bytes,
    path: Path,
    encoding: str,
    n_chunks: int,
    *,
    final: bool = False,
) -> str:
    try:
        return decoder.decode(chunk, final)
    except UnicodeDecodeError as error:
        line = (
            _lines_before(path, encoding, n_chunks)
            + error.object[: error.start].decode(encoding, "ignore").count("\n")
            + 1
        )
        byte = error.object[error.start]
        msg = (
            f"{path}: line {line} holds the byte 0x{byte:02x}, which is no {encoding} text; "
            f"set [data] encoding to that of the file, such as 'utf-8', 'cp1252' or 'latin-1'"
        )
        raise InputError(msg) from error
