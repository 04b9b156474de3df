"""Which column says how a lead ended, and which of its values mean won, lost and open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadlift.data.naming import leak_words, matching_phrase, words
from leadlift.data.profiling import ColumnProfile
from leadlift.data.vocabulary.roles import LABEL_PHRASES, LOST_VALUES, OPEN_VALUES, WON_VALUES
from leadlift.exceptions import InputError, shorten
from leadlift.terms import Outcome

MAX_LABEL_VALUES = 30
# Name and values together; a name alone, or values alone, are not enough.
_MIN_POINTS = 3
_NEGATIONS = {"not", "no", "never", "nicht", "kein", "keine", "pas", "non", "nao", "niet", "geen"}
_MIN_LETTERS_INSIDE = 3
_VALUES_BY_OUTCOME = ((Outcome.LOST, LOST_VALUES), (Outcome.WON, WON_VALUES), (Outcome.OPEN, OPEN_VALUES))


@dataclass(frozen=True)
class LabelGuess:
    """The label column and what its values mean.

    Parameters
    ----------
    column : str
        Name of the column.
    won, lost, open : tuple of str
        Its values by ending, as written.
    unsure : tuple of str
        Values that no known word explains; their place is a guess.
    rivals : tuple of str
        Other columns that could be the label.
    """

    column: str
    won: tuple[str, ...]
    lost: tuple[str, ...]
    open: tuple[str, ...]
    unsure: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()


def guess_label(profiles: Sequence[ColumnProfile], outcome: str | None = None) -> LabelGuess:
    """Find the label column and sort its values.

    A column needs both: a name that says outcome, and values that do (or just two of them).

    Parameters
    ----------
    profiles : sequence of ColumnProfile
        All columns of the file.
    outcome : str or None
        The label column where the user names it.

    Returns
    -------
    LabelGuess

    Raises
    ------
    InputError
        No column qualifies, the one named does not exist or has too many values, or it has one value only.
    """
    if outcome is not None:
        return _sort_values(_named(profiles, outcome))
    ranked = sorted(
        (profile for profile in profiles if label_points(profile) >= _MIN_POINTS),
        key=lambda profile: (-label_points(profile), _phrase_rank(profile.name)),
    )
    if not ranked:
        raise _no_label(profiles)
    rivals = tuple(profile.name for profile in ranked[1:])
    return _sort_values(ranked[0], rivals)


def label_points(profile: ColumnProfile) -> int:
    """Return how much speaks for a column as label, 0 to 6.

    Parameters
    ----------
    profile : ColumnProfile
        The column.

    Returns
    -------
    int
        0 where it cannot be one. Else up to 3 for its name, 2 for values that mean won and lost, 1 for
        open ones beside them.
    """
    name_points = _name_points(profile.name)
    if name_points == 0 or profile.is_date or not 1 <= profile.n_distinct <= MAX_LABEL_VALUES:
        return 0
    endings = {ending_of(value) for value in profile.values}
    if {Outcome.WON, Outcome.LOST} <= endings:
        return name_points + (3 if Outcome.OPEN in endings else 2)
    return name_points + (1 if profile.n_distinct == 2 else 0)


def ending_of(value: str) -> Outcome | None:
    """Return which ending a label value means by its words; None where none is known.

    Parameters
    ----------
    value : str
        A cell of the label column.

    Returns
    -------
    Outcome or None

    Examples
    --------
    >>> [str(ending_of(value)) for value in ("Closed - Won", "1.0", "nein", "In progress", "not converted")]
    ['won', 'won', 'lost', 'open', 'lost']
    >>> ending_of("Basic plan") is None
    True
    """
    plain = " ".join(words(value.removesuffix(".0")))
    for ending, known in _VALUES_BY_OUTCOME:
        if plain in known:
            return ending
    for ending, known in _VALUES_BY_OUTCOME:
        if matching_phrase(value, sorted(word for word in known if len(word) >= _MIN_LETTERS_INSIDE)):
            is_negated = ending is Outcome.WON and _NEGATIONS.intersection(words(value))
            return Outcome.LOST if is_negated else ending
    return None


def _name_points(name: str) -> int:
    if matching_phrase(name, LABEL_PHRASES, whole_name=True):
        return 3
    if not matching_phrase(name, LABEL_PHRASES):
        return 0
    leak = leak_words(name)
    return 2 if leak and leak.strength == "strong" else 1


def _phrase_rank(name: str) -> int:
    phrase = matching_phrase(name, LABEL_PHRASES)
    return LABEL_PHRASES.index(phrase) if phrase else len(LABEL_PHRASES)


def _named(profiles: Sequence[ColumnProfile], outcome: str) -> ColumnProfile:
    by_name = {profile.name: profile for profile in profiles}
    if outcome not in by_name:
        msg = f"outcome column {outcome!r} is not in the file; its columns are {shorten(by_name, limit=50)}"
        raise InputError(msg)
    profile = by_name[outcome]
    if profile.n_distinct > MAX_LABEL_VALUES:
        msg = (
            f"outcome column {outcome!r} has {profile.n_distinct:,} different values; expected at most "
            f"{MAX_LABEL_VALUES}, such as won and lost. Name another column with --outcome"
        )
        raise InputError(msg)
    return profile


def _no_label(profiles: Sequence[ColumnProfile]) -> InputError:
    two_valued = [profile.name for profile in profiles if profile.n_distinct == 2]
    few_valued = [profile.name for profile in profiles if 2 < profile.n_distinct <= MAX_LABEL_VALUES]
    candidates = [*two_valued[::-1], *few_valued[::-1]]
    found = f"these have few values: {shorten(candidates, limit=20)}" if candidates else "none has few values"
    return InputError(
        "no column was found that says how each lead ended (won or lost); "
        f"{found}. Name the column with --outcome COLUMN, or join the outcomes to the leads first"
    )


def _sort_values(profile: ColumnProfile, rivals: tuple[str, ...] = ()) -> LabelGuess:
    if profile.n_distinct < 2:
        found = shorten(profile.values) or "nothing"
        msg = (
            f"every row of the outcome column {profile.name!r} that is filled holds {found}; "
            "expected at least two values, one for won and one for lost leads"
        )
        raise InputError(msg)
    known = {value: ending_of(value) for value in profile.values}
    endings = _complete(known)
    return LabelGuess(
        column=profile.name,
        won=tuple(value for value, ending in endings.items() if ending is Outcome.WON),
        lost=tuple(value for value, ending in endings.items() if ending is Outcome.LOST),
        open=tuple(value for value, ending in endings.items() if ending is Outcome.OPEN),
        unsure=tuple(value for value, ending in endings.items() if known[value] is not ending),
        rivals=rivals,
    )


def _complete(known: dict[str, Outcome | None]) -> dict[str, Outcome]:
    """Give the values that no word explains the ending that is lacking.

    Where nothing says won, the rarest value does: winning is rarer than losing.
    """
    endings = dict(known)
    if Outcome.WON not in known.values():
        endings[_rarest_candidate(known)] = Outcome.WON
    rest = Outcome.OPEN if Outcome.LOST in endings.values() else Outcome.LOST
    return {value: ending or rest for value, ending in endings.items()}


def _rarest_candidate(known: dict[str, Outcome | None]) -> str:
    """Return the rarest value that no word explains; else the rarest open one; else the rarest."""
    for wanted in (None, Outcome.OPEN):
        values = [value for value, ending in known.items() if ending is wanted]
        if values:
            return values[-1]
    return list(known)[-1]
