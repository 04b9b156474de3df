"""Leads -> the rows of the learning problem: one moment a lead, its label, and what was left out and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config import SchemaConfig
from leadlift.data.dates import MOMENT
from leadlift.data.reading import Leads
from leadlift.data.tables import CLOSED_AT, CREATED_AT, OUTCOME
from leadlift.exceptions import ImmatureLabelsError
from leadlift.terms import AS_OF, CONVERTED, LABEL_KNOWN_AT, LEAD_ID, WEIGHT, Outcome

TimeKind = Literal["dates", "row order", "unknown"]

_NEVER = np.datetime64("NaT", "us")


@dataclass(frozen=True)
class Observations:
    """The rows of the learning problem, and how many leads are none of them.

    Every lead is counted once: as a row, or under the first of the reasons below that holds for it.

    Parameters
    ----------
    rows : pyarrow.Table
        ``lead_id`` (string), ``as_of`` (timestamp us UTC; int64 row number where time is the order of rows;
        null where it is unknown), ``converted`` (int8, 0 or 1), ``label_known_at`` (timestamp us UTC, the
        moment from which the label may be used; null where unknown), ``weight`` (float64, 1).
    index : numpy.ndarray of int64, shape (n,)
        For each row, the row of the table of leads it came from; ascending.
    horizon_days : float or None
        Days within which a lead had to be won; None where the outcome was taken as it stood.
    known_until : datetime or None
        Outcomes are known up to this moment, UTC; None where the leads have no dates.
    time : {"dates", "row order", "unknown"}
        What `as_of` is.
    n_unlabelled : int
        Left out: no outcome recorded.
    n_undated : int
        Left out: no creation date, though the leads have such a column.
    n_closed_at_creation : int
        Left out, with a horizon: won or lost at or before creation, so there was nothing left to predict.
    n_immature : int
        Left out, with a horizon: it was not over at `known_until`, even if the outcome is known already.
    n_undated_wins : int
        Left out, with a horizon: won, but nobody knows when, so not whether within the horizon.
    n_open : int
        Left out, without a horizon: still open, too early to say.
    """

    rows: pa.Table
    index: np.ndarray
    horizon_days: float | None
    known_until: datetime | None
    time: TimeKind
    n_unlabelled: int = 0
    n_undated: int = 0
    n_closed_at_creation: int = 0
    n_immature: int = 0
    n_undated_wins: int = 0
    n_open: int = 0

    @property
    def y(self) -> np.ndarray:
        """1 where the lead converted, else 0; int8, shape (n,)."""
        return self.rows[CONVERTED].to_numpy()

    @property
    def lead_id(self) -> np.ndarray:
        """Ids as text; object, shape (n,)."""
        return self.rows[LEAD_ID].to_numpy()

    @property
    def as_of(self) -> np.ndarray | None:
        """Moments of observation: datetime64[us] in UTC, or int64 row numbers; None where unknown."""
        if self.time == "unknown":
            return None
        return _moments(self.rows[AS_OF]) if self.time == "dates" else self.rows[AS_OF].to_numpy()

    @property
    def label_known_at(self) -> np.ndarray:
        """Moments from which the labels may be used; datetime64[us] in UTC, NaT where unknown."""
        return _moments(self.rows[LABEL_KNOWN_AT])


def make_observations(leads: Leads | pa.Table, *, roles: SchemaConfig) -> Observations:
    """Turn leads into observations: each lead once, as of its creation.

    With a horizon h, an observation as of t is mature once t + h <= `known_until`. A mature one is positive
    if the lead was won in (t, t + h], else negative, whether lost, still open or won later. Immature ones
    take no part even if their outcome is known, or the latest cohorts would hold fast closers only; hence
    the label of every observation counts as known at t + h. Leads closed at or before t are no observations.

    Without a horizon, a lead is positive if won and negative if lost, whenever that came; open ones are left
    out. Its label is known when it closed, or as of t where that is not recorded.

    `known_until` is the latest creation, win or loss in the table unless given. The closing date of an open
    lead is a plan and counts for nothing.

    Parameters
    ----------
    leads : Leads or pyarrow.Table
        From :func:`leadlift.data.reading.read_leads`, or its table.
    roles : SchemaConfig
        Its `horizon_days`, `known_until` and `rows_in_time_order` are used.

    Returns
    -------
    Observations
        In the order of the leads.

    Raises
    ------
    ImmatureLabelsError
        No lead is left. The message says how many were left out for which reason, and with a horizon when
        the first observation is mature.

    Notes
    -----
    What is learnt holds for new leads as far as they convert like those of the mature cohorts. A lost lead
    without a closing date is a negative.

    Examples
    --------
    >>> day = [datetime(2026, 1, d, tzinfo=UTC) for d in (1, 1, 1, 20)]
    >>> leads = pa.table({
    ...     "lead_id": ["won in time", "won late", "open", "too young"],
    ...     "created_at": pa.array(day, MOMENT),
    ...     "closed_at": pa.array([day[0] + timedelta(7), day[0] + timedelta(8), None, None], MOMENT),
    ...     "outcome": ["won", "won", "open", "open"],
    ... })
    >>> roles = SchemaConfig(outcome="stage", won=("Won",), created_at="created", horizon_days=7)
    >>> observations = make_observations(leads, roles=roles)
    >>> observations.lead_id.tolist(), observations.y.tolist(), observations.n_immature
    (['won in time', 'won late', 'open'], [1, 0, 0], 1)
    """
    table = leads.table if isinstance(leads, Leads) else leads
    facts = _Facts.of(table, roles)
    reasons = _with_horizon(facts) if facts.horizon is not None else _without_horizon(facts)
    left_out, counts = _first_reasons(reasons, len(table))
    if left_out.all():
        raise _nothing_left(facts, counts)
    index = np.flatnonzero(~left_out)
    row_numbers = leads.row_numbers if isinstance(leads, Leads) else np.arange(1, len(table) + 1)
    return Observations(
        rows=_rows(table, facts, index, row_numbers, roles),
        index=index,
        horizon_days=roles.horizon_days,
        known_until=facts.known_until,
        time=_time_kind(facts, roles),
        **counts,
    )


@dataclass(frozen=True)
class _Facts:
    """What the label rule asks of leads, as arrays of shape (n,); NaT where not recorded."""

    is_recorded: np.ndarray
    is_won: np.ndarray
    is_open: np.ndarray
    created: np.ndarray | None
    closed: np.ndarray
    horizon: np.timedelta64 | None
    known_until: datetime | None

    @classmethod
    def of(cls, table: pa.Table, roles: SchemaConfig) -> _Facts:
        is_won, is_lost, is_open = (_equals(table[OUTCOME], ending) for ending in Outcome)
        created = _moments(table[CREATED_AT]) if CREATED_AT in table.column_names else None
        closed = np.full(len(table), _NEVER)
        if CLOSED_AT in table.column_names:
            closed = np.where(is_won | is_lost, _moments(table[CLOSED_AT]), _NEVER)
        horizon = None
        if roles.horizon_days is not None:
            horizon = np.timedelta64(timedelta(days=roles.horizon_days))
        known_until = _known_until(roles.known_until, created, closed)
        return cls(is_won | is_lost | is_open, is_won, is_open, created, closed, horizon, known_until)

    @property
    def mature_at(self) -> np.ndarray:
        return self.created + self.horizon

    @property
    def is_positive(self) -> np.ndarray:
        return self.is_won if self.horizon is None else self.is_won & (self.closed <= self.mature_at)


def _known_until(given: datetime | None, created: np.ndarray | None, closed: np.ndarray) -> datetime | None:
    """The moment given, in UTC (which is meant where no zone is said), or the latest date of the leads."""
    if given is not None:
        return given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)
    dates = closed if created is None else np.concatenate([created, closed])
    dates = dates[~np.isnat(dates)]
    return dates.max().item().replace(tzinfo=UTC) if dates.size else None


def _with_horizon(facts: _Facts) -> dict[str, np.ndarray]:
    """Reasons to leave a lead out under the label rule, in the order in which they are asked."""
    end = np.datetime64(facts.known_until.replace(tzinfo=None), "us") if facts.known_until else _NEVER
    return {
        "n_unlabelled": ~facts.is_recorded,
        "n_undated": np.isnat(facts.created),
        "n_closed_at_creation": facts.closed <= facts.created,
        "n_immature": ~(facts.mature_at <= end),
        "n_undated_wins": facts.is_won & np.isnat(facts.closed),
    }


def _without_horizon(facts: _Facts) -> dict[str, np.ndarray]:
    """Reasons to leave a lead out where its outcome is taken as it stands."""
    reasons = {"n_unlabelled": ~facts.is_recorded}
    if facts.created is not None:
        reasons["n_undated"] = np.isnat(facts.created)
    return reasons | {"n_open": facts.is_open}


def _first_reasons(reasons: dict[str, np.ndarray], n_leads: int) -> tuple[np.ndarray, dict[str, int]]:
    """Which leads are left out, and how many for each reason, a lead counted under its first."""
    left_out, counts = np.zeros(n_leads, dtype=bool), {}
    for name, holds in reasons.items():
        counts[name] = int((holds & ~left_out).sum())
        left_out |= holds
    return left_out, counts


def _rows(
    table: pa.Table, facts: _Facts, index: np.ndarray, row_numbers: np.ndarray, roles: SchemaConfig
) -> pa.Table:
    as_of = pa.nulls(len(index), MOMENT)
    if facts.created is not None:
        as_of = _utc(facts.created[index])
    elif roles.rows_in_time_order:
        as_of = pa.array(row_numbers[index], pa.int64())
    return pa.table(
        {
            LEAD_ID: table[LEAD_ID].take(pa.array(index)),
            AS_OF: as_of,
            CONVERTED: pa.array(facts.is_positive[index].astype(np.int8)),
            LABEL_KNOWN_AT: _utc(_label_known_at(facts)[index]),
            WEIGHT: pa.array(np.ones(len(index))),
        }
    )


def _label_known_at(facts: _Facts) -> np.ndarray:
    if facts.horizon is not None:
        return facts.mature_at
    return (
        facts.closed
        if facts.created is None
        else np.where(np.isnat(facts.closed), facts.created, facts.closed)
    )


def _time_kind(facts: _Facts, roles: SchemaConfig) -> TimeKind:
    if facts.created is not None:
        return "dates"
    return "row order" if roles.rows_in_time_order else "unknown"


def _nothing_left(facts: _Facts, counts: dict[str, int]) -> ImmatureLabelsError:
    reasons = ", ".join(f"{name[2:].replace('_', ' ')}: {count}" for name, count in counts.items() if count)
    msg = f"none of {len(facts.is_won)} leads can be learnt from ({reasons or 'the table is empty'})"
    if facts.horizon is None:
        return ImmatureLabelsError(f"{msg}. Leads that were won or lost are needed")
    days = facts.horizon / np.timedelta64(1, "D")
    dated = facts.created[~np.isnat(facts.created)]
    first = (
        f"; the first one is mature on {(dated.min() + facts.horizon).item():%Y-%m-%d %H:%M}"
        if dated.size
        else ""
    )
    until = f"{facts.known_until:%Y-%m-%d %H:%M}" if facts.known_until else "an unknown moment"
    return ImmatureLabelsError(
        f"{msg}: the horizon is {days:g} days and outcomes are known until {until}{first}. "
        f"Use a later extract, a shorter horizon_days, or set known_until to the day of the extract"
    )


def _equals(outcomes: pa.ChunkedArray, ending: Outcome) -> np.ndarray:
    return pc.fill_null(pc.equal(outcomes, ending.value), fill_value=False).to_numpy()


def _moments(column: pa.ChunkedArray) -> np.ndarray:
    """Arrow moments in UTC as datetime64[us]; null is NaT."""
    return pc.cast(column, pa.timestamp("us")).to_numpy().astype("datetime64[us]")


def _utc(moments: np.ndarray) -> pa.Array:
    """The way back."""
    return pc.assume_timezone(pa.array(moments.astype("datetime64[us]")), "UTC")
