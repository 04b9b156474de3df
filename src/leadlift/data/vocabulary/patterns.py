"""The form in which vocabularies are written down."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NamePattern:
    """Phrases that say one thing about a column.

    Parameters
    ----------
    meaning : str
        What a match says, in words.
    phrases : tuple of str
        Words side by side, separated by one space.
    unless : tuple of str
        Single words that, anywhere in the name, make the match void.
    whole_name : bool
        The phrase must be the whole name.
    """

    meaning: str
    phrases: tuple[str, ...]
    unless: tuple[str, ...] = ()
    whole_name: bool = False


def phrases(text: str) -> tuple[str, ...]:
    """Split a text of phrases separated by commas.

    Parameters
    ----------
    text : str
        Phrases; line breaks count as spaces.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> phrases("deal stage, stage")
    ('deal stage', 'stage')
    """
    return tuple(" ".join(phrase.split()) for phrase in text.split(","))
