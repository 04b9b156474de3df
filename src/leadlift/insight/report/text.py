"""Text as a page may show it: nothing that steers the page, and no cell of a megabyte."""

from __future__ import annotations

from collections.abc import Mapping

LONGEST_CELL = 600
LONGEST_PARAGRAPH = 4_000
# A longer word is broken within: no column of a table may be as wide as a telephone.
LONGEST_WORD = 30

_BIDI = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_CONTROLS = (*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF)
_SPACES = (0x09, 0x0A, 0x0D, 0x2028, 0x2029)
# What stands for a character that cannot be shown, as HTML itself does for NUL.
_UNSHOWN = "\N{REPLACEMENT CHARACTER}"
_TABLE: Mapping[int, str | None] = (
    dict.fromkeys(_CONTROLS, _UNSHOWN) | dict.fromkeys(_BIDI, None) | dict.fromkeys(_SPACES, " ")
)


def safe_text(text: str, longest: int = LONGEST_CELL) -> str:
    """Return text without characters that steer, cut where it is too long; markup is escaped elsewhere.

    Control characters become U+FFFD, ends of lines become spaces, and marks that change the direction of
    writing are taken out (Unicode Technical Report 36, "bidirectional text spoofing").

    Parameters
    ----------
    text : str
    longest : int, default=600
        Characters kept; what is longer ends in an ellipsis and the number of characters it had.

    Returns
    -------
    str

    Examples
    --------
    >>> safe_text("plain\\u202eevil")
    'plainevil'
    >>> safe_text("x" * 1_000_000, longest=5)
    'xxxxx… (1,000,000 characters)'
    """
    shown = without_steering(text[:longest])
    return shown if len(text) <= longest else f"{shown}… ({len(text):,} characters)"


def without_steering(text: str) -> str:
    """Return text without control characters and marks of the direction of writing, in its full length."""
    return text.translate(_TABLE)


def has_long_word(text: str) -> bool:
    """Return whether a word of the text has to be broken within, for a table to stay in bounds."""
    return any(len(word) > LONGEST_WORD for word in text.split())
