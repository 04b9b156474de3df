"""Moments as they are typed; the only place that reads the clock for a command that scores."""

from __future__ import annotations

import sys
from datetime import UTC, datetime


def now() -> datetime:
    """Return the moment it is."""
    return datetime.now(UTC)


def moment_of(text: str | None, option: str = "--as-of") -> datetime:
    """Read a moment of ISO 8601, in UTC where no zone is given; now where there is none.

    Raises
    ------
    SystemExit
        With code 2, after saying why: it is no moment.
    """
    if text is None:
        return now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        print(f"{option} takes a moment such as 2026-11-22T06:00:00+00:00, got {text!r}", file=sys.stderr)
        raise SystemExit(2) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
