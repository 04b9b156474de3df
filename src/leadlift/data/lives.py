"""Leads -> when each began and how it ended, as far as was known at the extract."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.dates import parse_dates
from leadlift.data.reading import Leads
from leadlift.data.tables import CLOSED_AT, CREATED_AT, OUTCOME, require_columns, table_from
from leadlift.data.values import Column, is_text, plain
from leadlift.exceptions import SchemaError, shorten
from leadlift.terms import LEAD_ID, Outcome

NEVER = np.datetime64("NaT", "us")


@dataclass(frozen=True)
class Lives:
    """Beginning and end of each lead; arrays of shape (n,).

    Parameters
    ----------
    lead_id : pyarrow.ChunkedArray of string
    row_numbers : numpy.ndarray of int64
        Of the file, 1 being the first.
    created : numpy.ndarray of datetime64[us] or None
        UTC, NaT where not recorded; None where the leads have no such column.
    closed : numpy.ndarray of datetime64[us]
        When a lead was won or lost; NaT where it is open or that is not recorded.
    is_won, is_lost, is_open : numpy.ndarray of bool
        None of them where no outcome is recorded. A lead that closed after `known_until` was open then.
    is_reopened : numpy.ndarray of bool
        Open, with a closing date at or before `known_until`.
    known_until : datetime or None
        UTC; None where nothing has a date.
    account : pyarrow.ChunkedArray of string or None
        None where leads have no accounts.
    weight : numpy.ndarray of float64 or None
        What each lead counts for; None where that is 1.
    """

    lead_id: pa.ChunkedArray
    row_numbers: np.ndarray
    created: np.ndarray | None
    closed: np.ndarray
    is_won: np.ndarray
    is_lost: np.ndarray
    is_open: np.ndarray
    is_reopened: np.ndarray
    known_until: datetime | None
    account: Column | None = None
    weight: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.row_numbers)

    @property
    def end(self) -> np.datetime64:
        """`known_until` as datetime64[us] in UTC, NaT where unknown."""
        return _naive(self.known_until)


def read_lives(leads: Leads | object, known_until: datetime | None = None) -> Lives:
    """Read beginnings and ends from leads in house columns.

    Parameters
    ----------
    leads : Leads, or a pyarrow, pandas or polars table
        `lead_id` (text or whole numbers), `outcome` ("won", "lost", "open" or missing) and, where there are
        dates, `created_at` and `closed_at` (moments, or text in ISO 8601; UTC where no zone is said).
    known_until : datetime or None
        Moment of the extract, UTC where no zone is said; None takes the latest creation, win or loss.

    Returns
    -------
    Lives
        In the order of the leads.

    Raises
    ------
    SchemaError
        A column is missing, of another type, or holds a value that is no outcome or no date.

    Examples
    --------
    >>> read_lives(pa.table({"lead_id": [7, 8], "outcome": ["won", "open"]})).is_won.tolist()
    [True, False]
    """
    table = leads.table if isinstance(leads, Leads) else table_from(leads)
    require_columns([LEAD_ID, OUTCOME], table.column_names, "the leads")
    is_won, is_lost, is_open = _endings(plain(table[OUTCOME]))
    created = _moments(table, CREATED_AT) if CREATED_AT in table.column_names else None
    written = _moments(table, CLOSED_AT) if CLOSED_AT in table.column_names else np.full(len(table), NEVER)
    closed = np.where(is_won | is_lost, written, NEVER)
    known_until = _in_utc(known_until) if known_until is not None else _latest(created, closed)
    end = _naive(known_until)
    was_open = closed > end
    return Lives(
        lead_id=_ids(table[LEAD_ID]),
        row_numbers=leads.row_numbers if isinstance(leads, Leads) else np.arange(1, len(table) + 1),
        created=created,
        closed=np.where(was_open, NEVER, closed),
        is_won=is_won & ~was_open,
        is_lost=is_lost & ~was_open,
        is_open=is_open | was_open,
        is_reopened=is_open & (written <= end),
        known_until=known_until,
        account=leads.account if isinstance(leads, Leads) else None,
        weight=leads.weight if isinstance(leads, Leads) else None,
    )


def _endings(outcome: Column) -> list[np.ndarray]:
    """For each outcome, which leads have it."""
    odd = [value for value in pc.unique(outcome).to_pylist() if value not in (None, *Outcome)]
    if odd:
        msg = (
            f"outcome holds {len(odd)} value(s) that are no outcome: {shorten(odd)}. "
            f"Write 'won', 'lost' or 'open', or read the file with read_leads, which translates"
        )
        raise SchemaError(msg)
    return [pc.fill_null(pc.equal(outcome, ending.value), fill_value=False).to_numpy() for ending in Outcome]


def _ids(column: Column) -> Column:
    ids = plain(column)
    if is_text(ids.type):
        return ids
    if not pa.types.is_integer(ids.type):
        msg = f"lead_id is {ids.type}; expected text or whole numbers. Cast it to text"
        raise SchemaError(msg)
    return pc.cast(ids, pa.string())


def _moments(table: pa.Table, name: str) -> np.ndarray:
    """A column of moments as datetime64[us] in UTC; null is NaT."""
    column = plain(table[name])
    moments, is_bad = parse_dates(column)
    bad = column.filter(is_bad)
    if len(bad):
        msg = f"{name} holds {len(bad)} value(s) that are no date: {shorten(bad.to_pylist())}. Write ISO 8601"
        raise SchemaError(msg)
    return pc.cast(moments, pa.timestamp("us")).to_numpy().astype("datetime64[us]")


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _naive(moment: datetime | None) -> np.datetime64:
    """The moment as numpy has it; NaT where unknown."""
    return NEVER if moment is None else np.datetime64(moment.replace(tzinfo=None), "us")


def _latest(created: np.ndarray | None, closed: np.ndarray) -> datetime | None:
    dates = closed if created is None else np.concatenate([created, closed])
    dates = dates[~np.isnat(dates)]
    return dates.max().item().replace(tzinfo=UTC) if dates.size else None
