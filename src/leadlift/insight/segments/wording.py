"""How figures and names are written in sentences a manager reads."""

from __future__ import annotations

from collections.abc import Sequence

LONGEST_LEVEL = 60


def cut(text: str) -> str:
    """Return a level's text, cut at 60 characters.

    Examples
    --------
    >>> cut("software"), len(cut("x" * 1_000_000))
    ('software', 60)
    """
    return text if len(text) <= LONGEST_LEVEL else text[: LONGEST_LEVEL - 1] + "…"


def percent(share: float) -> str:
    """Return a share in [0, 1] as a percentage of about two digits.

    Examples
    --------
    >>> percent(0.6249), percent(0.0312), percent(0.0004)
    ('62%', '3.1%', '0.04%')
    """
    decimals = 0 if share >= 0.0995 or share == 0 else 1 if share >= 0.00095 else 2
    return f"{100 * share:.{decimals}f}%"


def times(lift: float) -> str:
    """Return how often in words, to be followed by what it is compared with.

    Examples
    --------
    >>> [times(lift) for lift in (3.04, 2.04, 1.02, 0.5, 0.31)]
    ['3.0 times as often as', 'twice as often as', 'about as often as', 'half as often as', '0.31 times as \
often as']
    """
    if 0.95 <= lift <= 1.05:
        return "about as often as"
    words = {2.0: "twice", 0.5: "half"}
    rounded = round(lift, 1) if lift >= 1 else round(lift, 2)
    return f"{words.get(rounded, f'{rounded} times')} as often as"


def listed(items: Sequence[str], word: str = "and") -> str:
    """Return items as a person lists them.

    Examples
    --------
    >>> listed(["ads", "fairs", "referrals"]), listed(["ads"])
    ('ads, fairs and referrals', 'ads')
    """
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {word} {items[-1]}"


def counted(n: int, noun: str) -> str:
    """Return a number with its noun, in the plural but for one.

    Examples
    --------
    >>> counted(1, "lead"), counted(1200, "lead")
    ('1 lead', '1,200 leads')
    """
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def number_text(value: float) -> str:
    """Return a number as people write it.

    Examples
    --------
    >>> number_text(50000.0), number_text(0.1 + 0.2)
    ('50,000', '0.3')
    """
    return f"{value:,.10g}"
