"""What a column's name gives away: protected attributes, families, and columns written after the outcome.

A name is one piece of evidence, never a proof. The words themselves are in
:mod:`leadlift.data.vocabulary`; names are compared word by word, so that ``page`` holds no ``age``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from leadlift.data.vocabulary.families import FAMILY_PHRASES
from leadlift.data.vocabulary.leaks import LEAK_STRONG, LEAK_WEAK
from leadlift.data.vocabulary.patterns import NamePattern
from leadlift.data.vocabulary.protected import PROTECTED
from leadlift.terms import Family

_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[a-z]+|[0-9]+")


@dataclass(frozen=True)
class LeakName:
    """What a column's name says about when it is written.

    Parameters
    ----------
    matched : str
        The words of the name that matched, in lower case and without accents.
    meaning : str
        What they say, e.g. ``"says why the lead ended"``.
    strength : {"strong", "weak"}
        Strong: whoever writes such a column knows the ending. Weak: as often harmless; counts only
        beside other evidence.
    """

    matched: str
    meaning: str
    strength: Literal["strong", "weak"]

    def __str__(self) -> str:
        return f"the name ({self.matched!r}) {self.meaning}"


def words(column_name: str) -> tuple[str, ...]:
    """Split a column name into lower-case words without accents.

    Splits at spaces, punctuation, digits and camelCase.

    Parameters
    ----------
    column_name : str
        Any text.

    Returns
    -------
    tuple of str
        Words of a-z only, and runs of digits.

    Examples
    --------
    >>> words("customerAge_2"), words("État civil"), words("LeadStatusID")
    (('customer', 'age', '2'), ('etat', 'civil'), ('lead', 'status', 'id'))
    """
    split = _CAMEL_CASE.sub(" ", without_accents(column_name))
    return tuple(_WORD.findall(split.casefold()))


def without_accents(text: str) -> str:
    """Return a text with accented letters replaced by their base letters.

    Examples
    --------
    >>> without_accents("Género, âge, Straße")
    'Genero, age, Strasse'
    """
    decomposed = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def matching_phrase(column_name: str, phrases: Iterable[str], *, whole_name: bool = False) -> str | None:
    """Return the first phrase whose words stand side by side in a column name.

    A name written without any separators (``dealstage``) matches a phrase that it spells in full.

    Parameters
    ----------
    column_name : str
        The name.
    phrases : iterable of str
        Phrases in the form of :func:`words`, joined by one space, in order of preference.
    whole_name : bool
        The phrase must be the whole name.

    Returns
    -------
    str or None

    Examples
    --------
    >>> matching_phrase("Deal Stage (CRM)", ["stage", "deal stage"]), matching_phrase("backstage", ["stage"])
    ('stage', None)
    """
    name_words = words(column_name)
    spaced, joined = f" {' '.join(name_words)} ", "".join(name_words)
    for phrase in phrases:
        padded = f" {phrase} "
        if joined == phrase.replace(" ", "") or (spaced == padded if whole_name else padded in spaced):
            return phrase
    return None


def protected_attribute(column_name: str) -> str | None:
    """Return which protected attribute a column seems to hold.

    Gender, age, marital status, ethnicity, religion, disability, nationality, political views, sexual
    orientation, pregnancy and trade union membership, in seven languages. An age or a status of a thing
    (account, company, vehicle) is none.

    Parameters
    ----------
    column_name : str
        The name.

    Returns
    -------
    str or None
        The attribute in English, or None.

    Examples
    --------
    >>> protected_attribute("customerAge"), protected_attribute("Familienstand")
    ('age', 'marital status')
    >>> protected_attribute("Page Views Per Visit"), protected_attribute("account_age_days")
    (None, None)
    """
    found = _first_match(column_name, PROTECTED)
    return found[1].meaning if found else None


def leak_words(column_name: str) -> LeakName | None:
    """Return what a column's name says about being written after the outcome.

    Parameters
    ----------
    column_name : str
        The name.

    Returns
    -------
    LeakName or None
        None where the name is unsuspicious.

    Examples
    --------
    >>> print(leak_words("Lost Reason"))
    the name ('lost reason') says why the lead ended
    >>> leak_words("duration").strength
    'weak'
    >>> leak_words("marital_status") is None
    True
    """
    for patterns, strength in ((LEAK_STRONG, "strong"), (LEAK_WEAK, "weak")):
        found = _first_match(column_name, patterns)
        if found:
            return LeakName(matched=found[0], meaning=found[1].meaning, strength=strength)
    return None


def guess_family(column_name: str) -> Family:
    """Guess from its name which family of the sub-scores a column belongs to.

    The longest phrase found in the name decides: ``Landing Page`` is a source although ``page`` is
    engagement. At equal length intent goes before source, engagement and fit.

    Parameters
    ----------
    column_name : str
        The name.

    Returns
    -------
    Family
        `Family.OTHER` where no word is known.

    Examples
    --------
    >>> print(guess_family("Landing Page"), guess_family("Page Views Per Visit"), guess_family("Industry"))
    source engagement fit
    """
    best, best_length = Family.OTHER, 0
    for family, phrases in FAMILY_PHRASES.items():
        longest_first = sorted(phrases, key=_phrase_length, reverse=True)
        phrase = matching_phrase(column_name, longest_first)
        if phrase and _phrase_length(phrase) > best_length:
            best, best_length = family, _phrase_length(phrase)
    return best


def _phrase_length(phrase: str) -> int:
    return phrase.count(" ") + 1


def _first_match(column_name: str, patterns: Iterable[NamePattern]) -> tuple[str, NamePattern] | None:
    """Return the first pattern that matches a name, with the phrase that did."""
    name_words = set(words(column_name))
    for pattern in patterns:
        if name_words.intersection(pattern.unless):
            continue
        phrase = matching_phrase(column_name, pattern.phrases, whole_name=pattern.whole_name)
        if phrase:
            return phrase, pattern
    return None
