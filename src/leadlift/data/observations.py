"""Leads -> the rows of the learning problem: moments, labels, and what was left out and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.censoring import YOUNG, Young
from leadlift.data.dates import MOMENT
from leadlift.data.lives import Lives, read_lives
from leadlift.data.observation_plan import ObservationPlan, in_days, plan_observations
from leadlift.data.reading import Leads
from leadlift.exceptions import ConfigError, ImmatureLabelsError
from leadlift.terms import ACCOUNT, AS_OF, CONVERTED, LABEL_KNOWN_AT, LEAD_ID, WEIGHT

TimeKind = Literal["dates", "row order", "unknown"]


@dataclass(frozen=True)
class Observations:
    """The rows of the learning problem, and how many are none of them.

    All counts but `n_reopened` and `n_truncated` are of rows left out: each lead at each moment is counted
    once, as a row or under the first of the reasons below that holds, in the order in which they stand. So
    the rows and these counts add up to leads x moments; with one moment a lead they are counts of leads.

    Parameters
    ----------
    rows : pyarrow.Table
        ``lead_id`` (string), ``as_of`` (timestamp us UTC; int64 row number where time is the order of rows;
        null where it is unknown), ``converted`` (int8, 0 or 1), ``label_known_at`` (timestamp us UTC, the
        moment from which the label may be used; null where unknown), ``weight`` (float64; that of the lead,
        1 where leads have none, times that of young leads where these are weighted), ``account`` (string;
        absent where leads have none). With several horizons, for each the label within it, as
        ``converted_30d`` (int8, null where it is too early to say); the columns above are those of the
        shortest one.
    index : numpy.ndarray of int64, shape (n,)
        For each row, the row of the table of leads it came from; ascending, and by `as_of` for one lead.
    horizon_days : float or None
        Days within which a lead had to be won, the shortest of several; None where the outcome was taken as
        it stood.
    known_until : datetime or None
        Outcomes are known up to this moment, UTC; None where the leads have no dates.
    time : {"dates", "row order", "unknown"}
        What `as_of` is.
    too_early : pyarrow.Table or None
        ``lead_id``, ``as_of`` (as in `rows`) of leads alive at `as_of` that have no label yet, because
        the horizon is not over; no row without a horizon.
    horizons_days : tuple of float
        All horizons, ascending; empty without one.
    n_unlabelled : int
        No outcome recorded.
    n_undated : int
        No creation date, though the leads have such a column.
    n_closed_at_creation : int
        Won or lost at or before creation, so there was nothing left to predict; not asked at creation itself
        without a horizon.
    n_closed : int
        Alive at creation, won or lost at or before `as_of`.
    n_future : int
        `as_of` is later than `known_until`.
    n_undated_wins : int
        Won, but nobody knows when, so not whether within the horizon; without a horizon, not whether before
        `as_of`, which is not asked at creation.
    n_undated_losses : int
        After creation: lost, but nobody knows when, so not whether before `as_of`.
    n_immature : int
        With a horizon: the rows of `too_early`.
    n_open : int
        Without a horizon: still open, too early to say.
    n_reopened : int
        Leads, not rows, that are open and have a closing date in the past: taken as open, not left out.
    n_truncated : int
        Rows whose weight was held at :data:`leadlift.data.censoring.MAX_WEIGHT`; they are not left out.
    contact_weight : numpy.ndarray of float64 or None, shape (n,)
        How many leads each row stands for, >= 1, since those that were not worked have no outcome. It is not
        in `weight`. None where every lead was worked.
    n_not_worked : int
        Rows of leads that were not worked.
    """

    rows: pa.Table
    index: np.ndarray
    horizon_days: float | None
    known_until: datetime | None
    time: TimeKind
    too_early: pa.Table | None = None
    horizons_days: tuple[float, ...] = ()
    n_unlabelled: int = 0
    n_undated: int = 0
    n_closed_at_creation: int = 0
    n_closed: int = 0
    n_future: int = 0
    n_undated_wins: int = 0
    n_undated_losses: int = 0
    n_immature: int = 0
    n_open: int = 0
    n_reopened: int = 0
    n_truncated: int = 0
    contact_weight: np.ndarray | None = None
    n_not_worked: int = 0
    _made_from: tuple[Lives, ObservationPlan] | None = field(default=None, repr=False, compare=False)

    @property
    def y(self) -> np.ndarray:
        """1 where the lead converted, else 0; int8, shape (n,)."""
        return self.rows[CONVERTED].to_numpy()

    @property
    def lead_id(self) -> np.ndarray:
        """Ids as text; object, shape (n,)."""
        return self.rows[LEAD_ID].to_numpy()

    @property
    def weight(self) -> np.ndarray:
        """What each row counts for; float64, shape (n,)."""
        return self.rows[WEIGHT].to_numpy()

    @property
    def account(self) -> np.ndarray | None:
        """Accounts as text, None where missing; object, shape (n,). None where leads have none."""
        return self.rows[ACCOUNT].to_numpy() if ACCOUNT in self.rows.column_names else None

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

    def at_horizon(self, horizon_days: float) -> Observations:
        """Return the observations of one of several horizons alone, as if only that one had been asked.

        Its rows are those of `rows` whose ``converted_{h}d`` is not null, in the same order, so that features
        made for `rows` can be filtered by that column.

        Parameters
        ----------
        horizon_days : float
            One of `horizons_days`.

        Returns
        -------
        Observations

        Raises
        ------
        ConfigError
            It is none of them.
        ImmatureLabelsError
            No row has a label within it yet.
        """
        if self._made_from is None:
            msg = (
                "these observations were not made by make_observations, so no other horizon is known of them"
            )
            raise ConfigError(msg)
        lives, plan = self._made_from
        return _observe(lives, plan.at_horizon(horizon_days))


def make_observations(
    leads: Leads | object,
    *,
    horizon_days: float | Sequence[float] | None = None,
    at_days: Sequence[float] = (0.0,),
    every_days: float | None = None,
    until_days: float = 90.0,
    known_until: datetime | None = None,
    rows_in_time_order: bool = False,
    young: Young = "leave out",
) -> Observations:
    """Turn leads into observations: each lead as of one or several moments of its life.

    With a horizon h, an observation as of t is mature once t + h <= `known_until`. A mature one is positive
    if the lead was won in (t, t + h], else negative, whether lost, still open or won later. Immature ones
    take no part even if their outcome is known, or the latest cohorts would hold fast closers only; hence
    the label of every observation counts as known at t + h. Leads closed at or before t are no observations.

    Without a horizon, a lead is positive if won and negative if lost, whenever that came; open ones are left
    out. Its label is known when it closed, or as of t where that is not recorded. A closing at or before t
    rules a lead out at moments after creation only: a flat table of leads is taken as it stands.

    Moments of observation are so many days after creation, whatever became of the lead.

    Parameters
    ----------
    leads : Leads, or a pyarrow, pandas or polars table
        From :func:`leadlift.data.reading.read_leads`, or a table with `lead_id`, `outcome` ("won", "lost",
        "open" or missing) and, where there are dates, `created_at` and `closed_at`; UTC where no zone is
        said.
    horizon_days : float, sequence of float, or None
        Days > 0 within which a lead has to be won. Several make one label column each, in one row for each
        lead and moment that has a label within the shortest.
    at_days : sequence of float
        Moments of observation, days >= 0 after creation.
    every_days : float or None
        And again every so many days > 0 after creation, up to `until_days`.
    until_days : float
        Last day after creation of the moments that `every_days` makes.
    known_until : datetime or None
        Moment of the extract, UTC where no zone is said. None takes the latest creation, win or loss. A lead
        that closed later was open then, and no moment is later.
    rows_in_time_order : bool
        The order of the rows is their time where the leads have no dates.
    young : {"leave out", "weight"}
        What is done with rows whose horizon is not over: left out, or, of those that have closed, kept, and
        all weighted by the inverse probability of having been followed for so long; see
        :func:`leadlift.data.censoring.weight_young` for formula, assumptions and source. Each moment of life
        has an estimate of its own. The label of a young row is known when it closed.

    Returns
    -------
    Observations
        In the order of the leads, then of the moments.

    Raises
    ------
    ImmatureLabelsError
        No row is left. The message says how many were left out for which reason, and with a horizon when
        the first observation is mature.
    ConfigError
        An argument is out of its range, or asks for dates that the leads do not have.
    SchemaError
        A column is missing, of another type, or holds a value that is no outcome or no date.

    Notes
    -----
    Rules for what a CRM leaves unsaid, each counted in :class:`Observations`:

    - The closing date of an open lead is a plan, or, where it is in the past, that of a lead re-opened
      since; the lead counts as open.
    - Won without a closing date: left out, since nobody knows whether within the horizon.
    - Lost without a closing date: a negative as of creation, when it was alive; left out later, when nobody
      knows whether it still was. When young leads are weighted, it teaches once it is mature.
    - Closed before it was created: no observation, as if closed at creation.
    - Ids that repeat or are missing: each row of the table stands for itself.

    What is learnt holds for new leads as far as they convert like those of the mature cohorts. On simulated
    leads (base rate 0.12, horizon 60 days) weights changed the log loss of new leads by less than 0.0005
    after 900 days of history, and made it 0.002 to 0.006 better after 240 and 120 days; taking open leads
    for lost made the share of conversions 0.002, 0.008 and 0.015 too low
    (``benchmarks/results/young_leads.md``).

    Examples
    --------
    >>> from datetime import UTC
    >>> day = [datetime(2026, 1, d, tzinfo=UTC) for d in (1, 1, 1, 20)]
    >>> leads = pa.table({
    ...     "lead_id": ["won in time", "won late", "open", "too young"],
    ...     "created_at": pa.array(day, MOMENT),
    ...     "closed_at": pa.array([day[0] + timedelta(7), day[0] + timedelta(8), None, None], MOMENT),
    ...     "outcome": ["won", "won", "open", "open"],
    ... })
    >>> observations = make_observations(leads, horizon_days=7)
    >>> observations.lead_id.tolist(), observations.y.tolist(), observations.n_immature
    (['won in time', 'won late', 'open'], [1, 0, 0], 1)
    >>> make_observations(leads, horizon_days=7, at_days=[0, 5]).y.tolist()
    [1, 1, 0, 1, 0, 0]
    """
    plan = plan_observations(
        horizon_days=horizon_days,
        at_days=at_days,
        every_days=every_days,
        until_days=until_days,
        young=young,
        rows_in_time_order=rows_in_time_order,
    )
    lives = read_lives(leads, known_until)
    if lives.created is None and (plan.horizons_days or plan.offsets != (timedelta(0),)):
        msg = (
            "moments after creation and horizons need a created_at column, and the leads have none; "
            "give it, or leave horizon_days out and at_days at (0,)"
        )
        raise ConfigError(msg)
    return _observe(lives, plan)


@dataclass(frozen=True)
class _MomentOfLife:
    """The leads that are rows at one moment of life, with their weights, and those it is too early for."""

    offset: timedelta
    index: np.ndarray
    weight: np.ndarray
    too_early: np.ndarray
    counts: dict[str, int]


def _observe(lives: Lives, plan: ObservationPlan) -> Observations:
    moments = [_at_moment(lives, offset, plan) for offset in plan.offsets]
    counts = {name: sum(moment.counts[name] for moment in moments) for name in moments[0].counts}
    index, offset, order = _in_lead_order([moment.index for moment in moments], plan)
    if len(index) == 0:
        raise _nothing_left(lives, plan, counts)
    weight = np.concatenate([moment.weight for moment in moments])[order]
    weight = weight if lives.weight is None else weight * lives.weight[index]
    early, early_offset, _ = _in_lead_order([moment.too_early for moment in moments], plan)
    return Observations(
        rows=_rows(lives, plan, index, offset, weight),
        index=index,
        horizon_days=plan.horizons_days[0] if plan.horizons_days else None,
        known_until=lives.known_until,
        time=_time_kind(lives, plan),
        too_early=_keys(lives, plan, early, early_offset),
        horizons_days=plan.horizons_days,
        n_reopened=int(lives.is_reopened.sum()),
        _made_from=(lives, plan),
        **counts,
    )


def _at_moment(lives: Lives, offset: timedelta, plan: ObservationPlan) -> _MomentOfLife:
    left_out, counts = _first_reasons(_reasons(lives, offset, plan), len(lives))
    alive = np.flatnonzero(~left_out)
    if plan.horizon is None:
        known = alive[~lives.is_open[alive]]
        counts["n_open"] = len(alive) - len(known)
        return _MomentOfLife(offset, known, np.ones(len(known)), alive[:0], counts)
    as_of = lives.created[alive] + np.timedelta64(offset)
    labels = YOUNG[plan.young](lives.closed[alive] - as_of, lives.end - as_of, plan.horizon)
    too_early = alive[~labels.is_known]
    counts |= {"n_immature": len(too_early), "n_truncated": labels.n_truncated}
    return _MomentOfLife(offset, alive[labels.is_known], labels.weight[labels.is_known], too_early, counts)


def _reasons(lives: Lives, offset: timedelta, plan: ObservationPlan) -> dict[str, np.ndarray]:
    """Why a lead is no observation at a moment of life, in the order in which it is asked."""
    unlabelled = {"n_unlabelled": ~(lives.is_won | lives.is_lost | lives.is_open)}
    if lives.created is None:
        return unlabelled
    as_of = lives.created + np.timedelta64(offset)
    is_later = offset > timedelta(0)
    asks_closing = is_later or plan.horizon is not None
    is_undated = np.isnat(lives.closed)
    return unlabelled | {
        "n_undated": np.isnat(lives.created),
        "n_closed_at_creation": asks_closing & (lives.closed <= lives.created),
        "n_closed": asks_closing & (lives.closed <= as_of),
        "n_future": as_of > lives.end,
        "n_undated_wins": asks_closing & lives.is_won & is_undated,
        "n_undated_losses": is_later & lives.is_lost & is_undated,
    }


def _first_reasons(reasons: dict[str, np.ndarray], n_leads: int) -> tuple[np.ndarray, dict[str, int]]:
    """Which leads are left out, and how many for each reason, a lead counted under its first."""
    left_out, counts = np.zeros(n_leads, dtype=bool), {}
    for name, holds in reasons.items():
        counts[name] = int((holds & ~left_out).sum())
        left_out |= holds
    return left_out, counts


def _in_lead_order(
    indexes: list[np.ndarray], plan: ObservationPlan
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Leads of all moments, by lead and then by moment; with the offset of each; and the order itself."""
    index = np.concatenate(indexes)
    offset = np.repeat(np.array(plan.offsets, dtype="timedelta64[us]"), [len(part) for part in indexes])
    order = np.argsort(index, kind="stable")
    return index[order], offset[order], order


def _keys(lives: Lives, plan: ObservationPlan, index: np.ndarray, offset: np.ndarray) -> pa.Table:
    """Which lead, as of when."""
    as_of = pa.nulls(len(index), MOMENT)
    if lives.created is not None:
        as_of = _utc(lives.created[index] + offset)
    elif plan.rows_in_time_order:
        as_of = pa.array(lives.row_numbers[index], pa.int64())
    return pa.table({LEAD_ID: lives.lead_id.take(pa.array(index)), AS_OF: as_of})


def _rows(
    lives: Lives, plan: ObservationPlan, index: np.ndarray, offset: np.ndarray, weight: np.ndarray
) -> pa.Table:
    as_of = None if lives.created is None else lives.created[index] + offset
    closed, is_won = lives.closed[index], lives.is_won[index]
    converted = is_won if plan.horizon is None else is_won & (closed <= as_of + plan.horizon)
    rows = (
        _keys(lives, plan, index, offset)
        .append_column(CONVERTED, pa.array(converted.astype(np.int8)))
        .append_column(LABEL_KNOWN_AT, _utc(_label_known_at(closed, as_of, lives.end, plan.horizon)))
        .append_column(WEIGHT, pa.array(weight))
    )
    if lives.account is not None:
        rows = rows.append_column(ACCOUNT, lives.account.take(pa.array(index)))
    for days in plan.horizons_days if plan.labels_each_horizon else ():
        due = as_of + in_days(days)
        is_known = (due <= lives.end) | (~np.isnat(closed) & (plan.young == "weight"))
        label = pa.array((is_won & (closed <= due)).astype(np.int8), mask=~is_known)
        rows = rows.append_column(f"{CONVERTED}_{days:g}d", label)
    return rows


def _label_known_at(
    closed: np.ndarray, as_of: np.ndarray | None, end: np.datetime64, horizon: np.timedelta64 | None
) -> np.ndarray:
    if as_of is None:
        return closed
    if horizon is None:
        return np.where(np.isnat(closed), as_of, closed)
    return np.where(as_of + horizon <= end, as_of + horizon, closed)


def _time_kind(lives: Lives, plan: ObservationPlan) -> TimeKind:
    if lives.created is not None:
        return "dates"
    return "row order" if plan.rows_in_time_order else "unknown"


def _nothing_left(lives: Lives, plan: ObservationPlan, counts: dict[str, int]) -> ImmatureLabelsError:
    reasons = ", ".join(f"{name[2:].replace('_', ' ')}: {count}" for name, count in counts.items() if count)
    moments = f" at {len(plan.offsets)} moments each" if len(plan.offsets) > 1 else ""
    msg = f"none of {len(lives)} leads{moments} can be learnt from ({reasons or 'the table is empty'})"
    if plan.horizon is None:
        return ImmatureLabelsError(f"{msg}. Leads that were won or lost are needed")
    dated = lives.created[~np.isnat(lives.created)]
    first = ""
    if dated.size:
        due = dated.min() + np.timedelta64(plan.offsets[0]) + plan.horizon
        first = f"; the first one is mature on {due.item():%Y-%m-%d %H:%M}"
    until = f"{lives.known_until:%Y-%m-%d %H:%M}" if lives.known_until else "an unknown moment"
    return ImmatureLabelsError(
        f"{msg}: the horizon is {plan.horizons_days[0]:g} days and outcomes are known until {until}{first}. "
        f"Use a later extract, a shorter horizon_days, or set known_until to the day of the extract"
    )


def _moments(column: pa.ChunkedArray) -> np.ndarray:
    """Arrow moments in UTC as datetime64[us]; null is NaT."""
    return pc.cast(column, pa.timestamp("us")).to_numpy().astype("datetime64[us]")


def _utc(moments: np.ndarray) -> pa.Array:
    """The way back."""
    return pc.assume_timezone(pa.array(moments.astype("datetime64[us]")), "UTC")
