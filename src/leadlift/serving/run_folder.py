"""A folder of files of one scoring job, that appears whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from leadlift.serving.lock import locked
from leadlift.serving.writing import sync_folder, told


def run_name(as_of: datetime, model_version: str) -> str:
    """Return the name of a job's folder: jobs of one model at one moment have the same.

    Parameters
    ----------
    as_of : datetime with time zone
    model_version : str

    Returns
    -------
    str

    Examples
    --------
    >>> run_name(datetime(2026, 11, 22, 6, tzinfo=UTC), "3f2a91c0d1e2")
    '20261122T060000Z-3f2a91c0d1e2'
    """
    moment = as_of.astimezone(UTC)
    fraction = f".{moment.microsecond:06d}" if moment.microsecond else ""
    return f"{moment:%Y%m%dT%H%M%S}{fraction}Z-{model_version}"


@contextmanager
def open_run(folder: Path) -> Iterator[Path]:
    """Open a folder for the files of a job; it takes the place of an older one when the block ends well.

    Parameters
    ----------
    folder : Path

    Yields
    ------
    Path
        A folder that is nobody else's, in a hidden one beside `folder`; both are gone after the block. What a
        process that died has left there is removed before.

    Raises
    ------
    InputError
        Another process writes the folder, or nothing can be written there; the older folder, if any, is left
        as it was.
    """
    work = folder.parent / f".{folder.name}.job"
    with told(folder):
        work.mkdir(parents=True, exist_ok=True)
        with locked(work / "lock", folder), _removed_after(work):
            for left in filter(Path.is_dir, work.iterdir()):
                shutil.rmtree(left)
            fresh = Path(tempfile.mkdtemp(dir=work))
            # The processes of a job may be those of several users, as far as the mask lets them write.
            fresh.chmod(0o777 & ~_mask())
            yield fresh
            _replace(folder, fresh, retired=work / "retired")


@contextmanager
def _removed_after(folder: Path) -> Iterator[None]:
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _replace(folder: Path, fresh: Path, retired: Path) -> None:
    if folder.exists():
        folder.rename(retired)
    try:
        fresh.rename(folder)
    except OSError:
        if retired.exists():
            retired.rename(folder)
        raise
    sync_folder(folder.parent)


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
