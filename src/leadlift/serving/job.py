"""A scoring job on disk: one at a time on an output, resumed where it was cut off, published whole.

A job works in a hidden folder beside its output: ``.scored.parquet.job`` for ``scored.parquet``. There are
the lock, the journal of finished shards and the output as far as it is written. At the end the output is
renamed into its place, a manifest is written beside it and the folder is removed.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadlift.exceptions import InputError
from leadlift.serving.journal import Journal, write_synced
from leadlift.serving.lock import locked
from leadlift.serving.writing import open_file, publish, require_ending, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

LOCK = "lock"


class Workplace:
    """The folder of a job and what it is for.

    Parameters
    ----------
    out : Path
        The output.
    folder : Path
        Where the job works, which is locked.

    Attributes
    ----------
    journal : Journal
    """

    def __init__(self, out: Path, folder: Path) -> None:
        self._out, self._folder = out, folder
        self.journal = Journal(folder)

    @contextmanager
    def open_output(self, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
        """Open the output; yields a function that appends a table. At the end it is put in its place.

        Parameters
        ----------
        schema : pyarrow.Schema
        """
        temporary = self._folder / f"output{self._out.suffix}"
        try:
            with open_file(temporary, schema) as write:
                yield write
            publish(temporary, self._out)
        finally:
            temporary.unlink(missing_ok=True)

    def write_manifest(self, content: dict[str, Any]) -> None:
        """Write what was done beside the output, ``scored.parquet.manifest.json``.

        Parameters
        ----------
        content : dict of JSON values
            The sha256 of the output is added.
        """
        with self._out.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        text = json.dumps(content | {"sha256": digest}, indent=1, ensure_ascii=False) + "\n"
        write_synced(manifest_path(self._out), text.encode())


def manifest_path(out: Path) -> Path:
    """Return where the manifest of an output is.

    Examples
    --------
    >>> manifest_path(Path("out/scored.csv")).name
    'scored.csv.manifest.json'
    """
    return out.with_name(out.name + ".manifest.json")


@contextmanager
def open_workplace(out: Path) -> Iterator[Workplace]:
    """Open the folder of a job; it goes away at the end unless there is something to resume.

    Parameters
    ----------
    out : Path
        Ends in ``.csv`` or ``.parquet``.

    Yields
    ------
    Workplace

    Raises
    ------
    InputError
        The ending is another one, another job writes this output, or nothing can be written there; whatever
        stood in the output's place still does.
    """
    require_ending(out)
    folder = out.with_name(f".{out.name}.job")
    with told(out), locked(folder / LOCK, out):
        _refuse_folder(out)
        place = Workplace(out, folder)
        try:
            yield place
            place.journal.clear()
        finally:
            if place.journal.is_empty:
                _remove(place.journal, folder)


def _refuse_folder(out: Path) -> None:
    if out.is_dir():
        msg = f"{out} is a folder; name a file"
        raise InputError(msg)


def _remove(journal: Journal, folder: Path) -> None:
    """Remove the folder, the lock last; one that another job has begun to use meanwhile stays."""
    with suppress(OSError):
        journal.clear()
        (folder / LOCK).unlink()
        folder.rmdir()
