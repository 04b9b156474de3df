"""Values, settings and arrays as lines of TOML, a comment on each."""

from __future__ import annotations

import json
from collections.abc import Sequence


def quote(text: str) -> str:
    """Return a text as a TOML basic string.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str

    Examples
    --------
    >>> print(quote('a "b"'))
    "a \\"b\\""
    """
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def setting(key: str, value: object, comment: str = "", *, is_off: bool = False) -> str:
    """Return one setting as a line.

    Parameters
    ----------
    key : str
        As TOML writes it.
    value : bool, int, float, str or sequence of float or str
        Whole numbers of a sequence are written without a point.
    comment : str
        What stands behind it; none where empty.
    is_off : bool
        Write it behind a ``#``.

    Returns
    -------
    str

    Examples
    --------
    >>> print(setting("at_days", (0.0, 7.0), "days after creation"))
    at_days = [0, 7]  # days after creation
    >>> print(setting("engine", "duckdb", is_off=True))
    # engine = "duckdb"
    """
    shown = value if isinstance(value, (int, float)) and not isinstance(value, bool) else _value(value)
    return f"{'# ' if is_off else ''}{key} = {shown}{_comment(comment)}"


def array(
    key: str, items: Sequence[tuple[str, str]], switched_off: Sequence[tuple[str, str]] = ()
) -> list[str]:
    """Return an array over several lines, one item and its comment a line; then the items switched off.

    Parameters
    ----------
    key : str
        As TOML writes it.
    items, switched_off : sequence of (str, str)
        Item and comment.

    Returns
    -------
    list of str

    Examples
    --------
    >>> print("\\n".join(array("ignore", [("name", "free text")])))
    ignore = [
      "name",  # free text
    ]
    """
    if not items and not switched_off:
        return [f"{key} = []"]
    on = [f"  {quote(item)},{_comment(note)}" for item, note in items]
    off = [f"  # {quote(item)},{_comment(note)}" for item, note in switched_off]
    return [f"{key} = [", *on, *off, "]"]


def one_line(text: str) -> str:
    """Return a comment without the control characters that TOML does not allow in one.

    Examples
    --------
    >>> one_line("two\\nlines")
    'two lines'
    """
    return " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())


def _comment(note: str) -> str:
    return f"  # {one_line(note)}" if note else ""


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quote(value)
    return "[" + ", ".join(_number(item) if isinstance(item, float) else quote(item) for item in value) + "]"


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
