"""Where a bundle stands: a folder that is replaced in one step, or a link to one."""

from __future__ import annotations

import ctypes
import errno
import os
import tempfile
from pathlib import Path

from leadlift.exceptions import InputError
from leadlift.serving.writing import sync_folder

MANIFEST = "bundle.json"
# <linux/fs.h> and <fcntl.h>.
RENAME_EXCHANGE = 2
AT_FDCWD = -100
# What a kernel or a file system without the exchange answers.
CANNOT = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP})


def require_place(folder: Path) -> None:
    """Make sure that a bundle can be written, before hours are spent on what goes into it.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    InputError
        The folder exists and is no bundle, or nothing can be written where it is to stand.
    """
    if folder.exists() and not (folder / MANIFEST).is_file():
        msg = f"{folder} exists and is no bundle; name another folder"
        raise InputError(msg)
    nearest = next(parent for parent in folder.absolute().parents if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        msg = f"the bundle could not be written to {folder}: {error.strerror or error}"
        raise InputError(msg) from error


def followed(folder: Path) -> Path:
    """Return where a link leads at this moment, so that all files are read from one bundle.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Path
        `folder` itself where it is no link.
    """
    return folder.resolve() if folder.is_symlink() else folder


def put_in_place(fresh: Path, folder: Path) -> None:
    """Let a folder take a place; what stood there before stands where `fresh` was.

    The name is never without a folder where the system can exchange two names (Linux: ``renameat2``), else
    for the moment between two renames.

    Parameters
    ----------
    fresh : Path
        A folder or a link, beside `folder`.
    folder : Path

    Raises
    ------
    OSError
        `folder` is as it was.
    """
    if not (folder.exists() or folder.is_symlink()):
        fresh.rename(folder)
    elif not exchange(fresh, folder):
        _rename_twice(fresh, folder)
    sync_folder(folder.parent)


def exchange(first: Path, second: Path) -> bool:
    """Let two names stand for what the other one stood for, in one step.

    Parameters
    ----------
    first, second : Path
        On one file system.

    Returns
    -------
    bool
        False where the system cannot; nothing has changed then.

    Raises
    ------
    OSError
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    names = (ctypes.c_char_p(os.fsencode(path)) for path in (first, second))
    here = ctypes.c_int(AT_FDCWD)
    if libc.renameat2(here, next(names), here, next(names), ctypes.c_uint(RENAME_EXCHANGE)) == 0:
        return True
    code = ctypes.get_errno()
    if code in CANNOT:
        return False
    raise OSError(code, os.strerror(code), str(first))


def _rename_twice(fresh: Path, folder: Path) -> None:
    retired = fresh.with_name(fresh.name + "-old")
    folder.rename(retired)
    try:
        fresh.rename(folder)
    except OSError:
        retired.rename(folder)
        raise
    retired.rename(fresh)
