"""Which columns are the lead's id, its dates, and of no use as inputs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from leadlift.data.naming import matching_phrase, words
from leadlift.data.number_marks import NumberMarks
from leadlift.data.profiling import ColumnProfile, is_near_unique, numeric_names
from leadlift.data.vocabulary.roles import CLOSED_PHRASES, CREATED_PHRASES, LEAD_ID_PHRASES
from leadlift.exceptions import InputError, shorten

MIN_ID_SHARE = 0.5
"""A column named like an id is one when at least this share of its values is distinct."""

_ID_WORDS = {"id", "ids", "key", "uuid", "guid", "number", "no", "nr", "nummer", "numero", "index", "unnamed"}


# Letters and digits both, so that neither a word nor a number nor a date is taken for a code.
_CODE = re.compile(r"(?=\S*[A-Za-z])(?=\S*\d)[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class RoleGuess:
    """A column for a role.

    Parameters
    ----------
    column : str or None
        The column; None where none was found.
    evidence : str
        What speaks for it, in words.
    is_sure : bool
        False where the user should check.
    """

    column: str | None
    evidence: str
    is_sure: bool = True


def guess_lead_id(profiles: Sequence[ColumnProfile], lead_id: str | None = None) -> RoleGuess:
    """Find the column with the lead's id, by name and by how many of its values are distinct.

    Parameters
    ----------
    profiles : sequence of ColumnProfile
        Columns without another role.
    lead_id : str or None
        The column where the user names it.

    Returns
    -------
    RoleGuess

    Raises
    ------
    InputError
        The column named does not exist.
    """
    if lead_id is not None:
        return RoleGuess(lead_id, distinct_evidence(_require(profiles, lead_id)))
    named = [
        profile for profile in profiles if _is_named_id(profile) and _distinct_share(profile) >= MIN_ID_SHARE
    ]
    if named:
        best = min(named, key=lambda profile: _id_rank(profile))
        return RoleGuess(best.name, distinct_evidence(best), _distinct_share(best) == 1.0)
    codes = [profile for profile in profiles if _holds_codes(profile)]
    if codes:
        return RoleGuess(
            codes[0].name, f"a code of its own in each row; {distinct_evidence(codes[0])}", False
        )
    return RoleGuess(None, "no column looks like an id: rows are numbered from 1")


def guess_created(profiles: Sequence[ColumnProfile], created_at: str | None = None) -> RoleGuess:
    """Find the date on which leads were created, by name; else a date column not named like a closing.

    Parameters
    ----------
    profiles : sequence of ColumnProfile
        All columns.
    created_at : str or None
        The column where the user names it.

    Returns
    -------
    RoleGuess

    Raises
    ------
    InputError
        The column named does not exist or holds no dates.
    """
    if created_at is not None:
        return RoleGuess(created_at, _date_evidence(_require_dates(profiles, created_at)))
    dates = [profile for profile in profiles if profile.is_date and not _is_closing(profile.name)]
    named = _best_named(dates, CREATED_PHRASES)
    if named is not None:
        return RoleGuess(named.name, _date_evidence(named))
    if len(dates) == 1:
        return RoleGuess(dates[0].name, _date_evidence(dates[0]), is_sure=False)
    return RoleGuess(None, "no date of creation found")


def guess_closed(profiles: Sequence[ColumnProfile], created: ColumnProfile | None) -> RoleGuess:
    """Find the date on which leads were won or lost, by name, in the format of the date of creation.

    Parameters
    ----------
    profiles : sequence of ColumnProfile
        Columns without another role.
    created : ColumnProfile or None
        The date of creation.

    Returns
    -------
    RoleGuess
    """
    best = _best_named([profile for profile in profiles if profile.is_date], CLOSED_PHRASES)
    if best is None:
        return RoleGuess(None, "no date of winning or losing found")
    if created is not None and not set(created.date_formats).intersection(best.date_formats):
        return RoleGuess(None, f"{best.name!r} is written in another date format than {created.name!r}")
    return RoleGuess(best.name, _date_evidence(best))


def useless_columns(profiles: Sequence[ColumnProfile], marks: NumberMarks) -> dict[str, str]:
    """Return columns that can be no inputs, with the reason: further ids, row numbers, free text.

    Parameters
    ----------
    profiles : sequence of ColumnProfile
        Columns without a role.
    marks : NumberMarks
        How numbers are written.

    Returns
    -------
    dict of str to str
    """
    numeric = set(numeric_names(profiles, marks))
    return {
        profile.name: f"{distinct_evidence(profile)}: an id, a name or free text"
        for profile in profiles
        if not profile.is_date
        and (
            _is_further_id(profile)
            or (profile.name not in numeric and is_near_unique(profile.n_distinct, profile.n_filled))
        )
    }


def distinct_evidence(profile: ColumnProfile) -> str:
    """Return how many values of a column are distinct, in words."""
    return f"{profile.n_distinct:,} of {profile.n_filled:,} values distinct"


def _distinct_share(profile: ColumnProfile) -> float:
    return profile.n_distinct / profile.n_filled if profile.n_filled else 0.0


def _is_named_id(profile: ColumnProfile) -> bool:
    if profile.is_date:
        return False
    is_named = matching_phrase(profile.name, LEAD_ID_PHRASES, whole_name=True) is not None
    return is_named or (bool(_ID_WORDS.intersection(words(profile.name))) and _distinct_share(profile) == 1.0)


def _holds_codes(profile: ColumnProfile) -> bool:
    """Whether each row has a code of its own: one word of letters and digits, such as K00017."""
    if profile.n_distinct < max(profile.n_rows, 2):
        return False
    return all(_CODE.fullmatch(value) for value in profile.values)


def _id_rank(profile: ColumnProfile) -> tuple[int, float]:
    phrase = matching_phrase(profile.name, LEAD_ID_PHRASES, whole_name=True)
    return (LEAD_ID_PHRASES.index(phrase) if phrase else len(LEAD_ID_PHRASES)), -_distinct_share(profile)


def _is_further_id(profile: ColumnProfile) -> bool:
    return bool(_ID_WORDS.intersection(words(profile.name))) and is_near_unique(
        profile.n_distinct, profile.n_filled
    )


def _is_closing(name: str) -> bool:
    return matching_phrase(name, CLOSED_PHRASES) is not None


def _best_named(dates: Sequence[ColumnProfile], phrases: tuple[str, ...]) -> ColumnProfile | None:
    """Return the date column whose name is a phrase, the first phrase first; else one that holds a phrase."""
    for whole_name in (True, False):
        for phrase in phrases:
            for profile in dates:
                if matching_phrase(profile.name, (phrase,), whole_name=whole_name):
                    return profile
    return None


def _date_evidence(profile: ColumnProfile) -> str:
    return f"{profile.n_filled:,} of {profile.n_rows:,} rows hold a date"


def _require(profiles: Sequence[ColumnProfile], name: str) -> ColumnProfile:
    by_name = {profile.name: profile for profile in profiles}
    if name not in by_name:
        msg = f"column {name!r} is not in the file; its columns are {shorten(by_name, limit=50)}"
        raise InputError(msg)
    return by_name[name]


def _require_dates(profiles: Sequence[ColumnProfile], name: str) -> ColumnProfile:
    profile = _require(profiles, name)
    if not profile.is_date:
        msg = f"column {name!r} holds no dates in one known format; it starts with {shorten(profile.values)}"
        raise InputError(msg)
    return profile
