"""Clock times of a place -> moments in UTC, with what daylight saving makes of them."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config.base import UNKNOWN_ZONE, known_zone
from leadlift.data.values import Column
from leadlift.exceptions import ConfigError

UTC_ZONE = "UTC"
MOMENT = pa.timestamp("us", tz=UTC_ZONE)
"""The type of every moment in a house column."""

NAIVE = pa.timestamp("us")
"""The type of a clock time whose zone is not written beside it."""


@dataclass(frozen=True)
class LocalTimes:
    """Clock times of a zone, as moments.

    Parameters
    ----------
    moments : pyarrow.Array or pyarrow.ChunkedArray of timestamp us UTC
        Null where the clock time is.
    is_repeated, is_skipped : of the same class, bool
        Clock times that daylight saving shows twice, and those that it leaves out.
    """

    moments: Column
    is_repeated: Column
    is_skipped: Column


def require_zone(time_zone: str) -> None:
    """Raise ConfigError where a name is no time zone.

    Parameters
    ----------
    time_zone : str
        An IANA name such as ``"Europe/Berlin"``.

    Raises
    ------
    ConfigError
        No such zone is known on this machine.
    """
    try:
        known_zone(time_zone)
        # A name that is known to one library may be unknown to the other.
        pc.assume_timezone(pa.scalar(0, NAIVE), time_zone)
    except ValueError as error:
        raise ConfigError(UNKNOWN_ZONE.format(time_zone)) from error


def localise(naive: Column, time_zone: str = UTC_ZONE) -> LocalTimes:
    """Take clock times as those of a zone.

    A clock time that exists twice, when clocks are set back, is taken as the earlier of the two. One that
    does not exist, when clocks are set forward, is moved forward by the gap. Both are what the offset in
    force before the change gives, as Python's ``fold=0`` does (PEP 495).

    Parameters
    ----------
    naive : pyarrow.Array or pyarrow.ChunkedArray of timestamp us without zone
    time_zone : str
        An IANA name.

    Returns
    -------
    LocalTimes

    Raises
    ------
    ConfigError
        No such zone is known.

    Examples
    --------
    >>> from datetime import datetime
    >>> clock = pa.array([datetime(2026, 3, 29, 2, 30), datetime(2026, 10, 25, 2, 30)], NAIVE)
    >>> times = localise(clock, "Europe/Berlin")
    >>> [moment.isoformat() for moment in times.moments.to_pylist()]
    ['2026-03-29T01:30:00+00:00', '2026-10-25T00:30:00+00:00']
    >>> times.is_skipped.to_pylist(), times.is_repeated.to_pylist()
    ([True, False], [False, True])
    """
    nowhere = pc.xor(pc.is_valid(naive), pc.is_valid(naive))
    if time_zone == UTC_ZONE:
        return LocalTimes(pc.cast(naive, MOMENT), nowhere, nowhere)
    require_zone(time_zone)
    try:
        # Almost always no clock was set in these days, and one pass is enough.
        return LocalTimes(pc.cast(pc.assume_timezone(naive, time_zone), MOMENT), nowhere, nowhere)
    except pa.ArrowInvalid:
        return _around_changes(naive, time_zone)


def _around_changes(naive: Column, time_zone: str) -> LocalTimes:
    """Where a clock time does not exist, pyarrow gives the last moment before the gap: measure on from it."""
    earlier = pc.assume_timezone(naive, time_zone, ambiguous="earliest", nonexistent="earliest")
    later = pc.assume_timezone(naive, time_zone, ambiguous="latest", nonexistent="earliest")
    into_gap = pc.subtract(naive, pc.local_timestamp(earlier))
    return LocalTimes(
        moments=pc.cast(pc.add(earlier, into_gap), MOMENT),
        is_repeated=_true_or_false(pc.not_equal(earlier, later)),
        is_skipped=_true_or_false(pc.not_equal(pc.cast(into_gap, pa.int64()), 0)),
    )


def _true_or_false(mask: Column) -> Column:
    return pc.fill_null(mask, fill_value=False)
