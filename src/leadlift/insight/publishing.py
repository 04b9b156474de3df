"""Files that appear whole or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path

from leadlift.exceptions import InputError


def publish(path: str | Path, content: bytes) -> Path:
    """Write a file beside its place and rename it, so that nobody sees half of it.

    Parameters
    ----------
    path : path
        Its folder is made if need be; a file there is replaced.
    content : bytes

    Returns
    -------
    Path

    Raises
    ------
    InputError
        The file cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
            whole = Path(folder) / path.name
            whole.write_bytes(content)
            whole.replace(path)
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror or error}"
        raise InputError(msg) from error
    return path
