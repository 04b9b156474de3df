"""What the figures of a benchmark depend on: date, versions and machine class."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version

PACKAGES = ("leadlift", "lightgbm", "scikit-learn", "numpy", "pyarrow", "pandas", "numba", "mlflow")


def conditions(packages: tuple[str, ...] = PACKAGES) -> str:
    """Return one Markdown paragraph that says when, with what and on what a benchmark ran."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} cores, {memory_gb:.0f} GB, "
        f"{platform.machine()}, Python {platform.python_version()}; {versions}."
    )
