"""Values as a reader sees them: shares in percent, signed points, thousands apart, a dash for nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from leadlift.insight.report.blocks import Format
from leadlift.insight.report.text import safe_text

NULL = "\N{EN DASH}"
TOO_FEW = "too few"
MINUS = "\N{MINUS SIGN}"
# A share that would be rounded to nothing, or to all, without being it.
LEAST_SHARE = 0.0005
# Sums of shares miss 0 and 1 by less than this.
ROUNDING = 1e-9
WHOLE_FROM = 1000
FEW_DECIMALS_FROM = 0.01
LEAST_NUMBER = 0.0001


def format_value(value: Any, how: Format) -> str:
    """Return a value in its format; null and NaN are an en dash.

    Parameters
    ----------
    value : object
        Of a cell of an Arrow table.
    how : Format

    Returns
    -------
    str

    Examples
    --------
    >>> [format_value(0.1234, how) for how in (Format.SHARE, Format.NUMBER, Format.POINTS)]
    ['12.3%', '0.123', '+0.1']
    >>> format_value(12345, Format.COUNT), format_value(None, Format.COUNT) == NULL
    ('12,345', True)
    """
    return NULL if _is_null(value) else _WRITERS[how](value)


def format_interval(low: Any, high: Any, how: Format) -> str:
    """Return ``[10.1, 14.9]``, without the unit, which the value bears; empty where both ends are not known.

    Parameters
    ----------
    low, high : object
    how : Format

    Returns
    -------
    str

    Examples
    --------
    >>> format_interval(0.101, 0.149, Format.SHARE)
    '[10.1, 14.9]'
    """
    if _is_null(low) and _is_null(high):
        return ""
    ends = [NULL if _is_null(end) else _END_WRITERS.get(how, _WRITERS[how])(end) for end in (low, high)]
    return f"[{', '.join(ends)}]"


def _is_null(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _signed(text: str) -> str:
    return text.replace("-", MINUS)


def _text(value: Any) -> str:
    return safe_text(value if isinstance(value, str) else _plain(value))


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return _number(value) if isinstance(value, float) else str(value)


def _count(value: float) -> str:
    return _signed(f"{round(value):,}") if math.isfinite(value) else _infinite(value)


def _share(value: float) -> str:
    if ROUNDING < value < LEAST_SHARE:
        return "<0.1%"
    if 1 - LEAST_SHARE < value < 1 - ROUNDING:
        return ">99.9%"
    return f"{_percent(value)}%"


def _percent(value: float) -> str:
    return _rounded(100 * value, ".1f")


def _number(value: float) -> str:
    if not math.isfinite(value):
        return _infinite(value)
    if abs(value) >= WHOLE_FROM:
        return _rounded(value, ",.0f")
    if abs(value) >= FEW_DECIMALS_FROM:
        return _rounded(value, "#.3g").rstrip(".")
    if 0 < abs(value) < LEAST_NUMBER / 2:
        return f"<{LEAST_NUMBER:.4f}" if value > 0 else f">{MINUS}{LEAST_NUMBER:.4f}"
    return _rounded(value, ".4f" if value else ".2f")


def _points(value: float) -> str:
    return _rounded(value, "+.1f")


def _rounded(value: float, spec: str) -> str:
    """Round; what becomes zero has no sign."""
    text = format(value, spec)
    return _signed(text if any(digit in text for digit in "123456789") else text.lstrip("+-"))


def _infinite(value: float) -> str:
    return _signed("-" * (value < 0)) + "∞"


def _date(value: Any) -> str:
    return f"{value:%Y-%m-%d}" if hasattr(value, "year") else safe_text(str(value))


def _yes(value: Any) -> str:
    return "\N{CHECK MARK}" if value else ""


_WRITERS: dict[Format, Callable[[Any], str]] = {
    Format.TEXT: _text,
    Format.COUNT: _count,
    Format.SHARE: _share,
    Format.NUMBER: _number,
    Format.POINTS: _points,
    Format.DATE: _date,
    Format.YES: _yes,
}
_END_WRITERS: dict[Format, Callable[[Any], str]] = {Format.SHARE: _percent}
