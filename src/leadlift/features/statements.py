"""The statements in which "what was known at as_of" is written once, for every engine.

Leads, event types and channels are numbers here, moments are microseconds since 1970 in UTC, amounts are
ten-thousandths. So nothing rounds, and every order is total: acts that tie in every column are one act.

Tables
------
``observations``    row, lead, as_of, is_fitted
``events``          lead, moment, day, type, channel, asset, amount, words, questions, meanings, identity
``type_places``     type, place: the place of a type among all types in the order of their names
``channel_places``  channel, place
``acts``            what :func:`acts` makes of the events
``changes``         lead, moment, field, value, place, is_change: the change log of fields; is_change is 0 for
                    what a field was before its first change
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leadlift.engines.dialect import Dialect

NONE = -1
"""The number of "no channel", "no asset", "no act before"."""

CONTENT = 1
"""The bit of `meanings` that says an act is about content."""

_ORDER = "moment, type, channel, asset, amount, words, questions"
_OF_LEAD = f"PARTITION BY lead ORDER BY {_ORDER}"

_NAMED_IN_ORDER = """
    SELECT lead, moment, day, t.place AS type, c.place AS channel,
        asset, amount, words, questions, meanings, identity
    FROM events e JOIN type_places t ON e.type = t.type JOIN channel_places c ON e.channel = c.channel
    WHERE lead >= {first} AND lead < {end}"""

_ROWS_ONCE = f"SELECT DISTINCT lead, day, meanings, {_ORDER} FROM named"

# Of the events with one id, the earliest; which one that is does not depend on what comes later.
_IDS_ONCE = f"""
    SELECT lead, day, meanings, {_ORDER} FROM (
        SELECT *, row_number() OVER (PARTITION BY lead, identity ORDER BY {_ORDER}) AS copy
        FROM named WHERE identity <> {NONE}
    ) AS copies WHERE copy = 1
    UNION ALL
    SELECT DISTINCT lead, day, meanings, {_ORDER} FROM named WHERE identity = {NONE}"""


_LAST_FITTED = """
        SELECT lead AS its_lead, max(as_of) AS last_as_of
        FROM observations WHERE is_fitted = 1 GROUP BY lead"""


def acts(first: int, end: int, *, has_event_id: bool) -> str:
    """Each act of the leads in [first, end) once, in its place among the acts of its lead.

    Parameters
    ----------
    first, end : int
        Numbers of leads.
    has_event_id : bool
        Whether events have an id, of which the earliest copy counts; rows without an id that are the same
        in all columns are one act.

    Returns
    -------
    str
        A SELECT of ``lead, moment, type, channel, amount, words, questions, meanings``, ``seq`` (1 for the
        first act), ``gap_us`` (since the act before; NULL for the first), ``type_1`` and ``type_2`` (of the
        act before and the one before that), ``is_new_day``, ``is_new_asset`` (0 or 1), and
        ``contents_before`` (earlier acts about content).
    """
    named = _NAMED_IN_ORDER.format(first=first, end=end)
    return f"""
    WITH named AS ({named}), once AS ({_IDS_ONCE if has_event_id else _ROWS_ONCE})
    SELECT
        lead, moment, type, channel, amount, words, questions, meanings,
        CAST(row_number() OVER ({_OF_LEAD}) AS INTEGER) AS seq,
        moment - lag(moment) OVER ({_OF_LEAD}) AS gap_us,
        CAST(COALESCE(lag(type) OVER ({_OF_LEAD}), {NONE}) AS INTEGER) AS type_1,
        CAST(COALESCE(lag(type, 2) OVER ({_OF_LEAD}), {NONE}) AS INTEGER) AS type_2,
        CAST(CASE WHEN day = lag(day) OVER ({_OF_LEAD}) THEN 0 ELSE 1 END AS INTEGER) AS is_new_day,
        CAST(CASE WHEN asset <> {NONE} AND row_number() OVER (PARTITION BY lead, asset ORDER BY {_ORDER}) = 1
            THEN 1 ELSE 0 END AS INTEGER) AS is_new_asset,
        CAST(COALESCE(sum(meanings & {CONTENT}) OVER ({_OF_LEAD}
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS INTEGER) AS contents_before
    FROM once"""


def known(first: int, end: int, columns: Sequence[str]) -> str:
    """Acts of the leads in [first, end) that came before the moment of an observation.

    Parameters
    ----------
    first, end : int
        Numbers of leads.
    columns : sequence of str
        Columns of the acts wanted.

    Returns
    -------
    str
        A SELECT of ``row`` (of the observation), ``age_us`` (> 0) and the columns wanted.
    """
    wanted = "".join(f", a.{column}" for column in columns)
    return f"""
    SELECT o.row, o.as_of - a.moment AS age_us{wanted}
    FROM observations o JOIN acts a ON o.lead = a.lead AND a.moment < o.as_of
    WHERE o.lead >= {first} AND o.lead < {end} AND a.lead >= {first} AND a.lead < {end}"""


def tally(table: str, columns: Sequence[str]) -> str:
    """How often something occurs in what was known at the last fitted observation of its lead.

    Parameters
    ----------
    table : str
        ``acts`` or ``changes``.
    columns : sequence of str
        Columns to count by.

    Returns
    -------
    str
        A SELECT of the columns and ``n``.
    """
    by = ", ".join(columns)
    return f"""
    SELECT {by}, count(*) AS n
    FROM {table} a JOIN ({_LAST_FITTED}) o ON a.lead = o.its_lead AND a.moment < o.last_as_of
    GROUP BY {by}"""


def extremes(table: str, columns: Sequence[str]) -> str:
    """Greatest value of some columns in what was known at the last fitted observation of its lead.

    Parameters
    ----------
    table : str
        ``acts`` or ``changes``.
    columns : sequence of str

    Returns
    -------
    str
        A SELECT of one row, the columns under their names.
    """
    greatest = ", ".join(f"max({column}) AS {column}" for column in columns)
    return f"""
    SELECT {greatest}
    FROM {table} a JOIN ({_LAST_FITTED}) o ON a.lead = o.its_lead AND a.moment < o.last_as_of"""


def states(first: int, end: int, dialect: Dialect) -> str:
    """Per observation of the leads in [first, end) and field, what the change log said of it at as_of.

    Parameters
    ----------
    first, end : int
        Numbers of leads.
    dialect : Dialect

    Returns
    -------
    str
        A SELECT of ``row, field``, ``value`` (after the last change before as_of; where there is none yet,
        before the first change), ``n_changes`` (before as_of) and ``age_us`` (since the last of them; NULL
        where there is none). No row where the log holds no change of a field of a lead at all.
    """
    return f"""
    SELECT o.row, c.field, {dialect.latest("c.value", "c.place")} AS value,
        CAST(sum(c.is_change) AS INTEGER) AS n_changes,
        min(CASE WHEN c.is_change = 1 THEN o.as_of - c.moment END) AS age_us
    FROM observations o JOIN changes c ON o.lead = c.lead AND c.moment < o.as_of
    WHERE o.lead >= {first} AND o.lead < {end} AND c.lead >= {first} AND c.lead < {end}
    GROUP BY o.row, c.field"""
