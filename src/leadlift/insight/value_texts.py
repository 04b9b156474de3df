"""Values as people read them: numbers, lengths of time, how often, when."""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.insight.texts import fill

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.insight.texts import Texts

# From here on a float64 has no decimals to round.
EXACT_BELOW = 1e15
# Below this, digits are not parted: 2019 may be a year.
PARTED_FROM = 10_000
SIGNIFICANT_DIGITS = 4
MAX_DECIMALS = 15
HOURS_A_DAY = 24


def number_texts(values: pa.Array) -> pa.Array:
    """Write numbers so that they can be read again: three decimals, below 0.1 three significant digits.

    Parameters
    ----------
    values : pyarrow.Array of float64
        Null is missing.

    Returns
    -------
    pyarrow.Array of string
        Null where missing.

    Examples
    --------
    >>> number_texts(pa.array([9.0, 1250000.0, 7.6341, 0.00041, None])).to_pylist()
    ['9', '1250000', '7.634', '0.00041', None]
    """
    numbers = values.to_numpy(zero_copy_only=False)
    size = np.maximum(np.abs(numbers), 1e-12)
    scale = 10.0 ** np.clip(2 - np.floor(np.log10(size)), 3, 15)
    rounded = np.where(size < EXACT_BELOW, np.rint(numbers * scale) / scale + 0.0, numbers)
    return pc.cast(pa.array(rounded, mask=pc.is_null(values).to_numpy(zero_copy_only=False)), pa.string())


def rounded_as_told(values: pa.Array) -> pa.Array:
    """Round numbers to the digits in which they are told, so that fewer of them differ.

    Parameters
    ----------
    values : pyarrow.Array of float64
        Null is missing.

    Returns
    -------
    pyarrow.Array of float64
        Whole numbers are what they were.

    Examples
    --------
    >>> rounded_as_told(pa.array([1250001.4, 7.63412, None])).to_pylist()
    [1250001.0, 7.634, None]
    """
    numbers = values.to_numpy(zero_copy_only=False)
    size = np.floor(np.log10(np.maximum(np.abs(numbers), 1e-300)))
    scale = 10.0 ** np.clip(SIGNIFICANT_DIGITS - 1 - size, 0, MAX_DECIMALS)
    rounded = np.where(np.abs(numbers) < EXACT_BELOW, np.rint(numbers * scale) / scale, numbers)
    return pa.array(rounded + 0.0, mask=values.is_null().to_numpy(zero_copy_only=False))


def number_text(value: float, texts: Texts) -> str:
    """Write a number as people of the language do.

    Whole numbers are written in full, others with four significant digits.

    Parameters
    ----------
    value : float
        Finite.
    texts : Texts

    Returns
    -------
    str

    Examples
    --------
    >>> from leadlift.insight.texts import load_texts
    >>> [number_text(value, load_texts()) for value in (9.0, 1250000.0, 596.043, 0.1 + 0.2, -0.00041)]
    ['9', '1,250,000', '596', '0.3', '-0.00041']
    """
    words = texts["numbers"]
    sign = words["minus"] if value < 0 else ""
    whole, _, decimals = _digits(abs(value)).partition(".")
    whole = whole.replace(",", words["thousands"] if abs(value) >= PARTED_FROM else "")
    text = f"{whole}{words['decimal']}{decimals}" if decimals else whole
    return text if text == "0" else sign + text


def _digits(value: float) -> str:
    """A number that is not negative, with a comma between thousands and a decimal point."""
    if value >= EXACT_BELOW:
        return f"{value:.3g}"
    size = floor(log10(value)) if value else 0
    decimals = min(max(SIGNIFICANT_DIGITS - 1 - size, 0), MAX_DECIMALS)
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


def with_unit(value: float, unit: str, texts: Texts) -> str:
    """Write a number with its unit, in the language where it has a word for it.

    Examples
    --------
    >>> from leadlift.insight.texts import load_texts
    >>> [with_unit(value, "visits", load_texts("de")) for value in (1.0, 2.5)]
    ['1 Besuch', '2,5 Besuche']
    """
    number = number_text(value, texts)
    one, many = texts["units"].get(unit, (unit.removesuffix("s"), unit))
    word = one if value == 1 else many
    return f"{number} {word}" if word else number


def times_text(value: float, texts: Texts) -> str:
    """Write how often.

    Examples
    --------
    >>> from leadlift.insight.texts import load_texts
    >>> [times_text(value, load_texts()) for value in (0.0, 1.0, 2.0, 3.0)]
    ['not once', 'once', 'twice', '3 times']
    """
    form = {0.0: "none", 1.0: "one", 2.0: "two"}.get(value, "many")
    return fill(texts["times"][form], {"count": number_text(value, texts)})


def duration_text(days: float, texts: Texts, section: str = "durations") -> str:
    """Write a length of time in the unit in which people think of it.

    Parameters
    ----------
    days : float
    texts : Texts
    section : str, default="durations"
        ``"ago"`` writes when that was.

    Returns
    -------
    str

    Examples
    --------
    >>> from leadlift.insight.texts import load_texts
    >>> [duration_text(days, load_texts()) for days in (7.421, 1.0, 0.278, 0.01, 0.00001, 0.0)]
    ['7.4 days', '1 day', '6.7 hours', '14.4 minutes', '0.9 seconds', '0 seconds']
    >>> duration_text(2.0, load_texts("de"), "ago")
    'vor 2 Tagen'
    """
    seconds = days * 86_400
    units = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
    unit, length = next((pair for pair in units if abs(seconds) >= pair[1]), units[-1])
    amount = round(seconds / length, 1)
    one, many = texts[section][unit]
    return fill(one if amount == 1 else many, {"count": number_text(amount, texts)})


def window_text(window_days: float | None, texts: Texts) -> str:
    """Write a look-back window.

    Examples
    --------
    >>> from leadlift.insight.texts import load_texts
    >>> [window_text(days, load_texts()) for days in (7.0, 1.0, 0.5, None)]
    ['in the last 7 days', 'in the last 24 hours', 'in the last 12 hours', 'so far']
    """
    words = texts["windows"]
    if window_days is None:
        return words["ever"]
    if window_days == 1:
        return words["day"]
    form, count = ("days", window_days) if window_days > 1 else ("hours", window_days * HOURS_A_DAY)
    return fill(words[form], {"count": number_text(count, texts)})


def points_texts(points: NDArray[np.float64], texts: Texts, known: dict[int, str] | None = None) -> pa.Array:
    """Write points with their sign, to a tenth, e.g. ``"+4.2 points"``.

    Parameters
    ----------
    points : ndarray of float64, shape (n_rows,)
    texts : Texts
    known : dict of int to str, optional
        By tenths of points, what these texts say; filled on the way, for calls to come.

    Returns
    -------
    pyarrow.Array of string

    Examples
    --------
    >>> from leadlift.insight.texts import load_texts
    >>> points_texts(np.array([12.0, -0.26, 1.0, 0.0]), load_texts()).to_pylist()
    ['+12 points', '-0.3 points', '+1 point', '0 points']
    """
    known = {} if known is None else known
    tenths = pa.array(np.rint(points * 10).astype(np.int64)).dictionary_encode()
    distinct = tenths.dictionary.to_pylist()
    known.update({tenth: _points_text(tenth, texts) for tenth in distinct if tenth not in known})
    return pa.array([known[tenth] for tenth in distinct], pa.string()).take(tenths.indices)


def _points_text(tenths: int, texts: Texts) -> str:
    words = texts["numbers"]
    sign = (words["minus"] if tenths < 0 else words["plus"]) if tenths else ""
    return sign + with_unit(abs(tenths) / 10, "points", texts)
