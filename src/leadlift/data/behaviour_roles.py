"""Which column of events, or of a change log, plays which role: one guess a role, but for the dates.

Each guess is given a sample without the columns that have a role already, and the roles found before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from leadlift.data.behaviour_sample import Sample, name_rank
from leadlift.data.profiling import ColumnProfile, is_near_unique
from leadlift.data.role_guess import RoleGuess
from leadlift.data.vocabulary.behaviour import EVENT_ID_PHRASES, LEAD_OF_ROW_PHRASES
from leadlift.exceptions import InputError, shorten
from leadlift.terms import LEAD_ID

Found = Mapping[str, RoleGuess]

MAX_TYPES = 1_000
"""A column with more distinct values holds no types, fields or channels."""
MIN_MET = 0.5
"""Where fewer of the rows bear the id of a lead, the user should check."""
NAME_POINTS = 0.8
"""A name counts like so large a share of rows with the id of a lead: numbers may meet ids by chance."""
MIN_DISTINCT_IDS = 0.9
"""A column named like an id of events is one where at least this share of its values is distinct."""


def guess_lead(sample: Sample, leads_column: str) -> RoleGuess:
    """Find the column with the lead's id: its values are ids of leads, and its name says so.

    Parameters
    ----------
    sample : Sample
    leads_column : str
        What the leads call their id.

    Returns
    -------
    RoleGuess
    """

    def is_named(profile: ColumnProfile) -> bool:
        return profile.name == leads_column or name_rank(profile.name, LEAD_OF_ROW_PHRASES) is not None

    def likeness(profile: ColumnProfile) -> tuple[float, float, int]:
        rank = name_rank(profile.name, LEAD_OF_ROW_PHRASES)
        points = sample.met[profile.name] + NAME_POINTS * is_named(profile)
        return points, -math.inf if rank is None else -rank, profile.n_distinct

    best = max((profile for profile in sample.levels if sample.met[profile.name]), key=likeness)
    share = sample.met[best.name]
    evidence = f"{share:.0%} of the rows bear the id of a lead"
    return RoleGuess(best.name, evidence, share >= MIN_MET and is_named(best))


def guess_type(sample: Sample, found: Found, phrases: Sequence[str], others: Sequence[str]) -> RoleGuess:
    """Find the type of the events: few distinct values, by its name; else any column of few words.

    Parameters
    ----------
    sample : Sample
    found : mapping of str to RoleGuess
    phrases : sequence of str
        Names of such columns.
    others : sequence of str
        Names of columns with another role, which are not taken for want of a better one.

    Returns
    -------
    RoleGuess

    Raises
    ------
    InputError
        No column can be it.
    """
    named = guess_levels(sample, found, phrases)
    if named.column is not None:
        return named
    free = [
        profile
        for profile in sample.levels
        if profile.name not in sample.numeric
        and 2 <= profile.n_distinct <= min(MAX_TYPES, profile.n_filled / 2)
        and name_rank(profile.name, others) is None
    ]
    if not free:
        raise none_found(sample, "of what type an event is", "few different words", phrases)
    best = max(free, key=lambda profile: profile.n_filled)
    return RoleGuess(best.name, _levels_evidence(best), is_sure=False)


def guess_levels(sample: Sample, _found: Found, phrases: Sequence[str]) -> RoleGuess:
    """Find a column of few distinct values by its name.

    Parameters
    ----------
    sample : Sample
    phrases : sequence of str
        Names of such columns.

    Returns
    -------
    RoleGuess
        Without a column where none is named so.
    """
    few = [
        profile
        for profile in sample.levels
        if profile.n_distinct <= MAX_TYPES and not is_near_unique(profile.n_distinct, profile.n_filled)
    ]
    best = best_named(few, phrases, sample.numeric)
    return RoleGuess(None, "no such column found") if best is None else _of_levels(best, phrases)


def guess_words(sample: Sample, _found: Found, phrases: Sequence[str]) -> RoleGuess:
    """Find a column of text by its name, however many values it has.

    Parameters
    ----------
    sample : Sample
    phrases : sequence of str
        Names of such columns.

    Returns
    -------
    RoleGuess
        Without a column where none is named so.
    """
    best = best_named(sample.levels, phrases, sample.numeric)
    return RoleGuess(None, "no such column found") if best is None else _of_levels(best, phrases)


def guess_text(sample: Sample, _found: Found, phrases: Sequence[str]) -> RoleGuess:
    """Find a column of free text by its name.

    Parameters
    ----------
    sample : Sample
    phrases : sequence of str
        Names of such columns.

    Returns
    -------
    RoleGuess
        Without a column where none is named so.
    """
    best = best_named([p for p in sample.levels if p.name not in sample.numeric], phrases)
    if best is None:
        return RoleGuess(None, "no column of free text found")
    return RoleGuess(best.name, f"{best.n_filled:,} of {best.n_rows:,} rows; counted, never stored")


def guess_number(sample: Sample, found: Found, phrases: Sequence[str]) -> RoleGuess:
    """Find a number to be summed by its name; one that is the same in all rows of a lead is none.

    Parameters
    ----------
    sample : Sample
    found : mapping of str to RoleGuess
        With the lead's id.
    phrases : sequence of str
        Names of such columns.

    Returns
    -------
    RoleGuess
        Without a column where none is named so.
    """
    numbers = [
        profile
        for profile in sample.levels
        if profile.name in sample.numeric and not sample.is_fact_of_lead(found[LEAD_ID].column, profile.name)
    ]
    best = best_named(numbers, phrases)
    if best is None:
        return RoleGuess(None, "no number of the event found")
    is_clear = name_rank(best.name, phrases) < len(phrases)
    return RoleGuess(best.name, f"a number in {best.n_filled:,} of {best.n_rows:,} rows", is_clear)


def guess_event_id(sample: Sample, _found: Found) -> RoleGuess:
    """Find the id of an event: all values distinct, and named like one.

    Parameters
    ----------
    sample : Sample

    Returns
    -------
    RoleGuess
        Without a column where there is none.
    """
    best = best_named(
        [p for p in sample.levels if p.n_distinct >= MIN_DISTINCT_IDS * p.n_rows],
        EVENT_ID_PHRASES,
    )
    if best is None:
        return RoleGuess(None, "no id of events found; rows that are the same in all are one event")
    evidence = f"{best.n_distinct:,} of {best.n_filled:,} values distinct"
    return RoleGuess(best.name, evidence, best.n_distinct == best.n_rows)


def guess_field(sample: Sample, _found: Found, phrases: Sequence[str], columns: Sequence[str]) -> RoleGuess:
    """Find the column that names the field which changed: its values are columns of the leads, or its name.

    Parameters
    ----------
    sample : Sample
    phrases : sequence of str
        Names of such columns.
    columns : sequence of str
        Columns of the leads.

    Returns
    -------
    RoleGuess

    Raises
    ------
    InputError
        No column can be it.
    """
    known = {p.name: len(set(p.values).intersection(columns)) for p in sample.levels}
    few = [p for p in sample.levels if p.n_distinct <= MAX_TYPES]
    best = best_named(few, phrases) or max(few, key=lambda p: known[p.name], default=None)
    is_named = best is not None and name_rank(best.name, phrases) is not None
    if best is None or not (is_named or known[best.name]):
        raise none_found(sample, "which field changed", "names of the leads' columns", phrases)
    evidence = f"{best.n_distinct} fields, of which the leads have {known[best.name]}"
    return RoleGuess(best.name, evidence, is_named or known[best.name] == best.n_distinct)


def guess_new_value(sample: Sample, _found: Found, phrases: Sequence[str]) -> RoleGuess:
    """Find what the field became, by the column's name; else the one column that is left.

    Parameters
    ----------
    sample : Sample
    phrases : sequence of str
        Names of such columns.

    Returns
    -------
    RoleGuess

    Raises
    ------
    InputError
        No column is named so, and several are left, or none.
    """
    free = sample.free
    best = best_named(free, phrases)
    if best is None and len(free) != 1:
        raise none_found(sample, "what the field became", "the new value", phrases)
    chosen = best or free[0]
    return RoleGuess(chosen.name, _levels_evidence(chosen), best is not None)


def best_named(
    profiles: Sequence[ColumnProfile], phrases: Sequence[str], numeric: frozenset[str] = frozenset()
) -> ColumnProfile | None:
    """Return the column whose name is most like one of some phrases.

    Parameters
    ----------
    profiles : sequence of ColumnProfile
    phrases : sequence of str
        The surest first.
    numeric : frozenset of str
        Columns that must be called exactly so.

    Returns
    -------
    ColumnProfile or None
        None where no name is like any.
    """
    ranks = {profile.name: name_rank(profile.name, phrases) for profile in profiles}
    named = [
        profile
        for profile in profiles
        if (rank := ranks[profile.name]) is not None and (rank < len(phrases) or profile.name not in numeric)
    ]
    return min(named, key=lambda profile: ranks[profile.name], default=None)


def none_found(sample: Sample, what: str, holds: str, phrases: Sequence[str]) -> InputError:
    """Return the error for a role that no column can play.

    Parameters
    ----------
    sample : Sample
    what : str
        What nobody knows: ``"of what type an event is"``.
    holds : str
        What was looked for in the cells.
    phrases : sequence of str
        And in the name.

    Returns
    -------
    InputError
    """
    free = [profile.name for profile in sample.free]
    msg = (
        f"{sample.name}: no column says {what}. Looked for a column that holds {holds} and is called such as "
        f"{shorten(phrases)}; the columns left are {shorten(free, limit=20)}. Rename it, or "
        f"write leadlift.toml without this source and add its section by hand"
    )
    return InputError(msg)


def _of_levels(profile: ColumnProfile, phrases: Sequence[str]) -> RoleGuess:
    is_clear = name_rank(profile.name, phrases) < len(phrases)
    return RoleGuess(profile.name, _levels_evidence(profile), is_clear)


def _levels_evidence(profile: ColumnProfile) -> str:
    return f"{profile.n_distinct:,} values in {profile.n_filled:,} of {profile.n_rows:,} rows"
