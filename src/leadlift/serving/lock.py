"""One job at a time on one output."""

from __future__ import annotations

import fcntl
import json
import os
import platform
from contextlib import contextmanager
from typing import TYPE_CHECKING

from leadlift.exceptions import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def locked(path: Path, output: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock of an output; the operating system frees that of a process that died.

    Parameters
    ----------
    path : Path
        The lock's file, in a folder that is there; it may go away with the folder while the lock is held.
    output : Path
        What messages call the output.
    wait : bool, default=False
        Wait until nobody else holds it.

    Raises
    ------
    InputError
        Another process holds it and `wait` is not set; the message says which.
    OSError
        The file cannot be made.
    """
    file = _take(path, output, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield
    finally:
        os.close(file)


def _take(path: Path, output: Path, how: int) -> int:
    """Lock the file that stands there: one that another job took away meanwhile is not it."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(file, how)
        except BlockingIOError as error:
            holder = _holder(file)
            os.close(file)
            msg = f"{output}: another job writes it{holder}; wait for its end or name another file"
            raise InputError(msg) from error
        if _stands(path, file):
            os.ftruncate(file, 0)
            os.pwrite(file, json.dumps({"pid": os.getpid(), "host": platform.node()}).encode(), 0)
            return file
        os.close(file)


def _stands(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False


def _holder(file: int) -> str:
    """Who holds it, as far as it said."""
    try:
        said = json.loads(os.pread(file, 1000, 0))
        return f" (process {int(said['pid'])} on {said['host']})"
    except (ValueError, KeyError, TypeError):
        return ""
