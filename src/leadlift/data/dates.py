"""Cells -> moments, in UTC to the microsecond."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.values import Column, clean_text, is_text

MOMENT = pa.timestamp("us", tz="UTC")
"""The type of every moment in a house column."""

_NAIVE = pa.timestamp("us")
_ISO_DATE = r"^\d{4}-\d{2}-\d{2}"
_ISO_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d(?:[T ]\d\d(?::\d\d(?::\d\d(?:[.,]\d+)?)?)?)?) ?(UTC|[Zz]|[+-]\d\d(?::?\d\d)?)?"
)


def parse_dates(
    array: Column, date_format: str | None = None, missing_values: tuple[str, ...] = ()
) -> tuple[Column, Column]:
    """Read a column as moments.

    Text follows `date_format`, or ISO 8601 where that is None: a date, or a date and a time parted by ``T``
    or a space, with or without a zone (``Z``, ``UTC``, ``+02:00``). A moment without a zone is taken as UTC,
    a date as its midnight. A day that does not exist (31 February) is unreadable, never the day after.

    Parameters
    ----------
    array : pyarrow.Array or pyarrow.ChunkedArray
        Text, dates or timestamps; without dictionary type.
    date_format : str or None
        ``strptime`` format of text, as Python's :meth:`datetime.datetime.strptime` reads it.
    missing_values : tuple of str
        Words that mean "not recorded".

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
    if pa.types.is_date(array.type) or pa.types.is_timestamp(array.type):
        moments = _typed_moments(array)
    elif is_text(array.type):
        array = clean_text(array, missing_values)
        moments = (
            _iso_moments(array) if date_format is None else _parse_distinct(array, _strptime(date_format))
        )
    else:
        nothing = pc.xor(pc.is_valid(array), pc.is_valid(array))
        moments = pc.if_else(nothing, pa.scalar(0, MOMENT), pa.scalar(None, MOMENT))
    return moments, pc.and_(pc.is_valid(array), pc.is_null(moments))


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


def _typed_moments(array: Column) -> Column:
    if pa.types.is_timestamp(array.type) and array.type.tz is not None:
        return pc.cast(array, MOMENT, safe=False)
    return pc.assume_timezone(pc.cast(array, _NAIVE, safe=False), "UTC")


def _iso_moments(text: Column) -> Column:
    """All without a zone, or all with one, is read by pyarrow; a mixture, or a bad cell, value by value."""
    if not pc.all(pc.match_substring_regex(text, _ISO_DATE)).as_py():
        return _parse_distinct(text, _read_iso)
    for dtype in (_NAIVE, MOMENT):
        try:
            return _typed_moments(pc.cast(text, dtype))
        except pa.ArrowInvalid:
            continue
    return _parse_distinct(text, _read_iso)


def _parse_distinct(text: Column, read: Callable[[str], datetime]) -> Column:
    """Read each distinct value once with Python; null where it cannot be read."""
    distinct = text.unique()
    moments = pa.array([_moment_or_none(value, read) for value in distinct.to_pylist()], MOMENT)
    return pc.take(moments, pc.index_in(text, value_set=distinct))


def _moment_or_none(value: str | None, read: Callable[[str], datetime]) -> datetime | None:
    """A value that cannot be read is reported by the caller, with its row."""
    if value is None:
        return None
    try:
        moment = read(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
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
    return lambda value: datetime.strptime(value, date_format)  # noqa: DTZ007 -- no zone means UTC here
