"""Cells -> moments, in UTC to the microsecond."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.values import Column, clean_text, is_text
from leadlift.data.zones import MOMENT, NAIVE, UTC_ZONE, localise

_ISO_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d(?:[T ]\d\d(?::\d\d(?::\d\d(?:[.,]\d+)?)?)?)?) ?(UTC|[Zz]|[+-]\d\d(?::?\d\d)?)?"
)

# Cells that are moments for certain, so that pyarrow reads them in one go whatever stands beside them.
# 29 February is left to Python, which knows the leap years.
_DAY = (
    r"^\d{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])"
    r"|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
)
_TIME = r"[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?"
_PLAIN_NAIVE = rf"{_DAY}(?:{_TIME})?$"
_PLAIN_ZONED = rf"{_DAY}{_TIME}(?:Z|[+-](?:0\d|1\d|2[0-3])(?::?[0-5]\d)?)$"

# Python's calendar; what lies beyond is a damaged number.
_ENDS = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
_TICKS_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000}


@dataclass(frozen=True)
class Moments:
    """A column read as moments, with what was noticed in each cell.

    Parameters
    ----------
    moments : pyarrow.Array or pyarrow.ChunkedArray of timestamp us UTC
        Null where missing or unreadable.
    is_bad : of the same class, bool
        Cells that hold something that is no date.
    is_naive : of the same class, bool
        Moments that were written without a zone.
    is_repeated, is_skipped : of the same class, bool
        Moments without a zone that daylight saving shows twice, or leaves out
        (see :func:`leadlift.data.zones.localise`).
    """

    moments: Column
    is_bad: Column
    is_naive: Column
    is_repeated: Column
    is_skipped: Column


@dataclass(frozen=True)
class _Written:
    """Moments as they are written: each one either a clock time or a moment with its zone."""

    naive: Column
    zoned: Column


def read_moments(
    array: Column,
    date_format: str | None = None,
    missing_values: tuple[str, ...] = (),
    time_zone: str = UTC_ZONE,
) -> Moments:
    """Read a column as moments and say what was noticed in each cell.

    Text follows `date_format`, or ISO 8601 where that is None: a date, or a date and a time parted by ``T``
    or a space, with or without a zone (``Z``, ``UTC``, ``+02:00``). A date is its midnight. A day that does
    not exist (31 February) is unreadable, never the day after; so is a moment outside the years 1 to 9999.

    Parameters
    ----------
    array : pyarrow.Array or pyarrow.ChunkedArray
        Text, dates or timestamps; without dictionary type.
    date_format : str or None
        ``strptime`` format of text, as Python's :meth:`datetime.datetime.strptime` reads it.
    missing_values : tuple of str
        Words that mean "not recorded".
    time_zone : str
        Zone of moments that are written without one, an IANA name.

    Returns
    -------
    Moments

    Raises
    ------
    ConfigError
        No such zone is known.

    Examples
    --------
    >>> cells = pa.array(["2026-07-01 10:00", "2026-07-01T10:00:00Z", "soon"])
    >>> read = read_moments(cells, time_zone="Europe/Berlin")
    >>> [moment.hour for moment in read.moments[:2].to_pylist()], read.is_bad.to_pylist()
    ([8, 10], [False, False, True])
    """
    if is_text(array.type):
        array = clean_text(array, missing_values)
    written = _as_written(array, date_format)
    local = localise(written.naive, time_zone)
    moments = _in_calendar(pc.coalesce(local.moments, written.zoned))
    is_bad = pc.and_(pc.is_valid(array), pc.is_null(moments))
    return Moments(moments, is_bad, pc.is_valid(written.naive), local.is_repeated, local.is_skipped)


def parse_dates(
    array: Column,
    date_format: str | None = None,
    missing_values: tuple[str, ...] = (),
    time_zone: str = UTC_ZONE,
) -> tuple[Column, Column]:
    """Read a column as moments; as `read_moments`, for who asks only what is readable.

    Parameters
    ----------
    array, date_format, missing_values, time_zone
        As for `read_moments`.

    Returns
    -------
    moments : of the same class, timestamp us UTC
        Null where missing or unreadable.
    is_bad : of the same class, bool
        Cells that hold something that is no date.

    Examples
    --------
    >>> moments, is_bad = parse_dates(pa.array(["2026-02-28", "2026-02-31", ""]))
    >>> moments[0].as_py().isoformat(), is_bad.to_pylist()
    ('2026-02-28T00:00:00+00:00', [False, True, False])
    """
    read = read_moments(array, date_format, missing_values, time_zone)
    return read.moments, read.is_bad


def looks_like_dates(
    array: Column, date_format: str | None = None, missing_values: tuple[str, ...] = ()
) -> bool:
    """Return whether a column without a role holds dates: it has a value, and every value is a date.

    Parameters
    ----------
    array, date_format, missing_values
        As for `parse_dates`; text is also tried as ISO 8601 where a format is given.

    Returns
    -------
    bool
    """
    if not is_text(array.type):
        is_date = pa.types.is_date(array.type) or pa.types.is_timestamp(array.type)
        return is_date and array.null_count < len(array)
    text = clean_text(array, missing_values).drop_null()
    return bool(len(text)) and any(_all_dates(text, form) for form in dict.fromkeys((None, date_format)))


def parse_role_free_dates(array: Column, date_format: str | None, missing_values: tuple[str, ...]) -> Column:
    """Read a column that `looks_like_dates` in the form in which it does."""
    moments, is_bad = parse_dates(array, None, missing_values)
    if pc.any(is_bad).as_py():
        moments, _ = parse_dates(array, date_format, missing_values)
    return moments


def _all_dates(text: Column, date_format: str | None) -> bool:
    """Whether all values are dates; the first one is asked first, since it nearly always settles it."""
    return not any(pc.any(parse_dates(part, date_format)[1]).as_py() for part in (text.slice(0, 1), text))


def _as_written(array: Column, date_format: str | None) -> _Written:
    if pa.types.is_date(array.type):
        array = pc.cast(array, pa.timestamp("s"), safe=False)
    if pa.types.is_timestamp(array.type):
        return _typed(_in_calendar(array))
    if not is_text(array.type):
        return _Written(_nothing(array, NAIVE), _nothing(array, MOMENT))
    return _iso(array) if date_format is None else _read_distinct(array, _strptime(date_format))


def _typed(array: Column) -> _Written:
    if array.type.tz is None:
        return _Written(pc.cast(array, NAIVE, safe=False), _nothing(array, MOMENT))
    return _Written(_nothing(array, NAIVE), pc.cast(array, MOMENT, safe=False))


def _iso(text: Column) -> _Written:
    """What is plainly written is read by pyarrow, the rest value by value."""
    no_text = pa.scalar(None, pa.string())
    is_naive = pc.match_substring_regex(text, _PLAIN_NAIVE)
    is_zoned = pc.match_substring_regex(text, _PLAIN_ZONED)
    naive = pc.cast(pc.if_else(is_naive, text, no_text), NAIVE)
    zoned = pc.cast(pc.if_else(is_zoned, text, no_text), MOMENT)
    rest = _read_distinct(pc.if_else(pc.or_(is_naive, is_zoned), no_text, text), _read_iso)
    return _Written(pc.coalesce(naive, rest.naive), pc.coalesce(zoned, rest.zoned))


def _read_distinct(text: Column, read: Callable[[str], datetime]) -> _Written:
    """Read each distinct value once with Python; null where it cannot be read."""
    distinct = text.unique()
    moments = [_moment_or_none(value, read) for value in distinct.to_pylist()]
    naive = pa.array([_only(moment, naive=True) for moment in moments], NAIVE)
    zoned = pa.array([_only(moment, naive=False) for moment in moments], MOMENT)
    places = pc.index_in(text, value_set=distinct)
    return _Written(pc.take(naive, places), pc.take(zoned, places))


def _only(moment: datetime | None, *, naive: bool) -> datetime | None:
    """The moment if it is of the sort wanted."""
    return moment if moment is not None and (moment.tzinfo is None) == naive else None


def _moment_or_none(value: str | None, read: Callable[[str], datetime]) -> datetime | None:
    """A value that cannot be read is reported by the caller, with its row."""
    if value is None:
        return None
    try:
        moment = read(value)
        return moment if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _read_iso(value: str) -> datetime:
    match = _ISO_MOMENT.fullmatch(value)
    if match is None:
        msg = f"expected ISO 8601, got {value!r}"
        raise ValueError(msg)
    moment, zone = match.group(1), match.group(2) or ""
    return datetime.fromisoformat(moment + zone.upper().replace("UTC", "+00:00"))


def _strptime(date_format: str) -> Callable[[str], datetime]:
    return lambda value: datetime.strptime(value, date_format)  # noqa: DTZ007 -- the caller knows the zone


def _in_calendar(array: Column) -> Column:
    """Null where a timestamp lies outside Python's calendar; before a cast, since a cast would wrap round."""
    if array.type.unit == "ns":  # 64 bits of nanoseconds reach from 1677 to 2262
        return array
    ticks = pc.cast(array, pa.int64())
    first, last = (round(day.timestamp()) * _TICKS_PER_SECOND[array.type.unit] for day in _ENDS)
    ends = pc.min_max(ticks).as_py()
    if ends["min"] is None or (first <= ends["min"] and ends["max"] < last):
        return array
    is_inside = pc.and_(pc.greater_equal(ticks, first), pc.less(ticks, last))
    return pc.if_else(is_inside, array, pa.scalar(None, array.type))


def _nothing(array: Column, dtype: pa.DataType) -> Column:
    """As many nulls as the array has values, of its class."""
    if isinstance(array, pa.ChunkedArray):
        return pa.chunked_array([pa.nulls(len(chunk), dtype) for chunk in array.chunks], dtype)
    return pa.nulls(len(array), dtype)
