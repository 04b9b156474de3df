"""The moments of scoring that a check looks at."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Period(NamedTuple):
    """Moments of scoring, the end excluded; None where they are not known.

    Parameters
    ----------
    start, end : datetime or None
        With a time zone.

    Examples
    --------
    >>> Period().columns()
    {'window_start': None, 'window_end': None}
    """

    start: datetime | None = None
    end: datetime | None = None

    def columns(self) -> dict[str, datetime | None]:
        """Return the values of the columns of the table of monitoring."""
        return {"window_start": self.start, "window_end": self.end}
