"""What a scoring job has finished, kept on disk so that a rerun of the same job can go on from there.

``job.json`` says what the job is. Each finished shard is an Arrow file, and a line of ``shards.jsonl`` once
it is complete: how many rows, what was counted, and a check sum. A line is the last thing that is written of
a shard, so whatever has none, or does not match it, was not finished.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import TypeAdapter, ValidationError

from leadlift.serving.scored_columns import scored_table
from leadlift.serving.summary import Counts
from leadlift.serving.writing import sync_folder

JOB = "job.json"
SHARDS = "shards.jsonl"


@dataclass(frozen=True)
class Shard:
    """A finished part of a job.

    Parameters
    ----------
    table : pyarrow.Table
        Columns ``CODED_SCHEMA``.
    counts : Counts
        Of its rows.
    """

    table: pa.Table
    counts: Counts


@dataclass(frozen=True)
class _Line:
    """What the journal says of a shard."""

    n_rows: int
    crc32: int
    counts: dict[str, Any]


class Journal:
    """The finished shards of a job, in order.

    Parameters
    ----------
    folder : Path
        Of one job at a time (:func:`leadlift.serving.lock.locked`).
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._job: dict[str, Any] | None = None
        self._lines: list[_Line] = []

    def job(self) -> dict[str, Any] | None:
        """What the unfinished job is, as it was begun; None where there is none."""
        try:
            return json.loads((self._folder / JOB).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None

    def begin(self, job: dict[str, Any] | None) -> None:
        """Make this the journal of a job: shards of the same one stay, those of another are removed.

        Parameters
        ----------
        job : dict of JSON values or None
            None where a rerun cannot be told to be the same; then nothing is kept.
        """
        if job is None or self.job() != job:
            self.clear()
        self._job = job

    def finished(self) -> Iterator[Shard]:
        """Yield the shards that are whole, from the first on; from here on, the journal holds just those."""
        self._lines = []
        for line in self._read_lines():
            table = self._read_shard(len(self._lines), line)
            if table is None:
                break
            self._lines.append(line)
            yield Shard(table, Counts.from_dict(line.counts))
        if not self.is_empty:
            write_synced(self._folder / SHARDS, b"".join(map(_dumped, self._lines)))

    def keep(self, shard: Shard) -> None:
        """Add a shard; it survives the process from here on.

        Raises
        ------
        OSError
            It cannot be written.
        """
        if self._job is None:
            return
        if not self._lines:
            write_synced(self._folder / JOB, json.dumps(self._job, indent=1).encode())
        path = self._shard_path(len(self._lines))
        _write_shard(path, shard.table)
        line = _Line(shard.table.num_rows, _crc32(path), shard.counts.to_dict())
        with (self._folder / SHARDS).open("ab") as file:
            file.write(_dumped(line))
            file.flush()
            os.fsync(file.fileno())
        self._lines.append(line)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing of an unfinished job."""
        return not (self._folder / SHARDS).exists()

    def clear(self) -> None:
        """Remove everything but the lock."""
        self._lines = []
        for path in [self._folder / SHARDS, *self._folder.glob("*.arrow*"), self._folder / JOB]:
            path.unlink(missing_ok=True)

    def _shard_path(self, number: int) -> Path:
        return self._folder / f"{number:06}.arrow"

    def _read_lines(self) -> Iterator[_Line]:
        """Lines until one that was not written to its end."""
        try:
            text = (self._folder / SHARDS).read_bytes()
        except FileNotFoundError:
            return
        for line in text.splitlines(keepends=True):
            try:
                yield TypeAdapter(_Line).validate_json(line)
            except ValidationError:
                return

    def _read_shard(self, number: int, line: _Line) -> pa.Table | None:
        """The rows of a shard; None where the file is not what the journal says."""
        try:
            path = self._shard_path(number)
            if _crc32(path) != line.crc32:
                return None
            stored = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
        except (OSError, pa.ArrowInvalid):
            return None
        return _with_empty_columns(stored) if stored.num_rows == line.n_rows else None


def _write_shard(path: Path, table: pa.Table) -> None:
    """Write the columns that hold something."""
    filled = [name for name in table.column_names if table[name].null_count < table.num_rows]
    with path.open("wb") as file:
        with pa.ipc.new_file(file, table.select(filled).schema) as writer:
            writer.write_table(table.select(filled))
        file.flush()
        os.fsync(file.fileno())


def _with_empty_columns(stored: pa.Table) -> pa.Table:
    columns = {name: stored[name].combine_chunks() for name in stored.column_names}
    return scored_table(columns, stored.num_rows)


def _crc32(path: Path) -> int:
    with pa.memory_map(str(path)) as file:
        return zlib.crc32(file.read_buffer())


def _dumped(line: _Line) -> bytes:
    return json.dumps({"n_rows": line.n_rows, "crc32": line.crc32, "counts": line.counts}).encode() + b"\n"


def write_synced(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, so that it survives a power cut.

    Parameters
    ----------
    path : Path
    content : bytes

    Raises
    ------
    OSError
    """
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)
