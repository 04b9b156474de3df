"""What a job reads, told apart from what it read before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from leadlift.data.file_sources import find_files
from leadlift.data.files import require_file
from leadlift.data.sources import FILE_READERS, source_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

# Path, size in bytes, and moment of the last change in nanoseconds.
FileFacts = list[str | int]


def fingerprint(source: str | Path | None) -> list[FileFacts] | None:
    """Return which files a source is of, and as of when.

    Parameters
    ----------
    source : path or address, or None
        As for :func:`leadlift.data.sources.open_source`.

    Returns
    -------
    list or None
        A path, size and moment of change for each file in the order in which they are read; empty where there
        is no source. None for a database, whose rows and their order may be others each time.

    Raises
    ------
    InputError
        A file is missing, or a folder or a glob holds none.
    """
    if source is None:
        return []
    kind = source_kind(str(source))
    if kind not in FILE_READERS:
        return None
    paths = find_files(str(source)) if kind == "files" else [Path(source)]
    return [_facts(path) for path in paths]


def fingerprints(sources: Sequence[str | Path | None]) -> list[list[FileFacts]] | None:
    """Return the :func:`fingerprint` of each source; None where one is a database."""
    found = [fingerprint(source) for source in sources]
    return None if None in found else found


def _facts(path: Path) -> FileFacts:
    facts = require_file(path).stat()
    return [str(path.absolute()), facts.st_size, facts.st_mtime_ns]
