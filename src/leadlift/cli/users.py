"""Who runs a command, for the audit log; the only place that asks the operating system."""

from __future__ import annotations

import getpass


def os_user() -> str:
    """Return the name of the operating system's user; empty where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""
