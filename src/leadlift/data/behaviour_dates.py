"""Which columns of events, or of a change log, hold its moments, and how these are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pyarrow.compute as pc

from leadlift.data.behaviour_roles import Found, best_named, none_found
from leadlift.data.behaviour_sample import Sample, name_rank
from leadlift.data.date_formats import date_formats_of
from leadlift.data.dates import Moments, read_moments
from leadlift.data.profiling import ColumnProfile
from leadlift.data.role_guess import RoleGuess
from leadlift.data.values import plain
from leadlift.terms import LEAD_ID

MIN_READABLE = 0.5
"""A column named like a date is one where a form reads at least this share of its values."""
MAX_BEFORE = 0.5
"""Where more of the second dates are before the first, they do not say when something was recorded."""

_VALUES_TRIED = 200


def guess_moment(sample: Sample, found: Found, phrases: Sequence[str], what: str) -> RoleGuess:
    """Find the moment of a row: a column of dates, by its name; else the most complete one.

    A date that is the same in all rows of a lead is the lead's own, and taken last.

    Parameters
    ----------
    sample : Sample
    found : mapping of str to RoleGuess
        With the lead's id.
    phrases : sequence of str
        Names of such columns.
    what : str
        What a message says of it: ``"when an event occurred"``.

    Returns
    -------
    RoleGuess

    Raises
    ------
    InputError
        No column holds dates.
    """
    if not sample.dates:
        return _mostly_dates(sample, phrases, what)

    def likeness(profile: ColumnProfile) -> tuple:
        rank = name_rank(profile.name, phrases)
        is_of_lead = sample.is_fact_of_lead(found[LEAD_ID].column, profile.name)
        return not is_of_lead, rank is not None, -(rank or 0), profile.n_filled, profile.n_distinct

    best = max(sample.dates, key=likeness)
    is_clear = name_rank(best.name, phrases) is not None or len(sample.dates) == 1
    return RoleGuess(best.name, f"{best.n_filled:,} of {best.n_rows:,} rows hold a date", is_clear)


def guess_recorded(sample: Sample, found: Found, moment: str, phrases: Sequence[str]) -> RoleGuess:
    """Find the moment at which an event became known: a second date, hardly ever before the first.

    One that is not named so is only pointed out.

    Parameters
    ----------
    sample : Sample
    found : mapping of str to RoleGuess
        With `moment` and the lead's id.
    moment : str
        The role of the first date.
    phrases : sequence of str
        Names of such columns.

    Returns
    -------
    RoleGuess
        Without a column where there is none for sure.
    """
    first = found[moment].column
    seconds = {
        profile.name: _share_before(sample, profile.name, first)
        for profile in sample.dates
        if not sample.is_fact_of_lead(found[LEAD_ID].column, profile.name)
    }
    named = best_named([p for p in sample.dates if p.name in seconds], phrases)
    if named is not None and seconds[named.name] <= MAX_BEFORE:
        before = seconds[named.name]
        evidence = f"before {first!r} in {before:.1%} of the rows" if before else f"never before {first!r}"
        return RoleGuess(named.name, f"{evidence}; an event counts from the later of both", not before)
    later = [name for name, before in seconds.items() if before == 0]
    if later:
        evidence = f"{later[0]!r} is never before {first!r}; name it here if events became known only then"
        return RoleGuess(None, evidence)
    return RoleGuess(None, "no second date found; events count from when they occurred")


def date_form(sample: Sample, names: Sequence[str]) -> tuple[str | None, tuple[str | None, ...]]:
    """Return the form that reads columns of dates.

    Parameters
    ----------
    sample : Sample
    names : sequence of str
        At least one column.

    Returns
    -------
    form : str or None
        A ``strptime`` format; None is ISO 8601. Of a column whose values no form reads all, the form that
        reads most.
    rivals : tuple of (str or None)
        Others that would read them too.
    """
    profiles = [sample.profile(name) for name in names]
    common = [
        form for form in profiles[0].date_formats if all(form in other.date_formats for other in profiles)
    ]
    return (common[0], tuple(common[1:])) if common else (_likeliest_form(profiles[0])[0], ())


def moments_of(sample: Sample, name: str, form: str | None) -> Moments:
    """Read a column of a sample as moments in UTC.

    Parameters
    ----------
    sample : Sample
    name : str
        A column of dates.
    form : str or None
        How they are written; None is ISO 8601.

    Returns
    -------
    leadlift.data.dates.Moments
    """
    return read_moments(plain(sample.table[name]), form, tuple(sample.profile(name).missing_words))


def _mostly_dates(sample: Sample, phrases: Sequence[str], what: str) -> RoleGuess:
    """A column named like a date of which one form reads most values."""
    best = best_named(sample.levels, phrases)
    form, share = (None, 0.0) if best is None else _likeliest_form(best)
    if share < MIN_READABLE:
        raise none_found(sample, what, "dates in one form, such as 2026-11-30 14:05 or 30.11.2026", phrases)
    evidence = f"{share:.0%} of its values are dates of the form {form or 'of ISO 8601'}, the others are not"
    return RoleGuess(best.name, evidence, is_sure=False)


def _likeliest_form(profile: ColumnProfile) -> tuple[str | None, float]:
    """The form that reads most of some values, and the share that it reads."""
    values = profile.values[:: max(1, profile.n_distinct // _VALUES_TRIED)]
    votes = Counter(form for value in values for form in date_formats_of([value]))
    if not votes:
        return None, 0.0
    [(form, count)] = votes.most_common(1)
    return form, count / len(values)


def _share_before(sample: Sample, name: str, first: str) -> float:
    """Share of the rows with both dates in which the one is before the first; 1 where no form reads both."""
    forms = set(sample.profile(name).date_formats)
    form, _ = date_form(sample, [first])
    if form not in forms:
        return 1.0
    dates = moments_of(sample, name, form).moments
    return pc.mean(pc.less(dates, moments_of(sample, first, form).moments)).as_py() or 0.0
