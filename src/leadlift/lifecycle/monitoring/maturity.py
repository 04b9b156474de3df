"""Scored leads and what became of them: which scores are tested by an outcome, and why others are not yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.observation_plan import in_days
from leadlift.data.tables import CLOSED_AT, OUTCOME, QUALIFIED_AT, require_columns
from leadlift.exceptions import InputError
from leadlift.terms import AS_OF, LEAD_ID, SCORE, Outcome

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

NEVER = np.datetime64("NaT", "us")
MATURE = "mature"
TOO_EARLY = "too_early"
UNKNOWN_LEAD = "unknown_lead"
CLOSED_BEFORE = "closed_before"
NO_OUTCOME = "no_outcome"
WIN_WITHOUT_DATE = "win_without_date"
NOT_SCORED = "not_scored"
NOT_WORKED = "not_worked"
ROW_STATES = (
    MATURE,
    NOT_SCORED,
    UNKNOWN_LEAD,
    NO_OUTCOME,
    CLOSED_BEFORE,
    TOO_EARLY,
    WIN_WITHOUT_DATE,
    NOT_WORKED,
)
"""What becomes of a scored row; every row gets exactly one, the first of these (after mature) that holds."""


@dataclass(frozen=True)
class Matured:
    """Scored rows whose outcome is known, and what became of the others.

    Parameters
    ----------
    rows : ndarray of int64, shape (n_mature,)
        Places of the mature rows in the scored table, ascending.
    won : ndarray of bool, shape (n_mature,)
        Won within the horizon; without one, won at any time.
    became_sql : ndarray of bool, shape (n_mature,)
        Accepted by sales after the score and within the horizon, or won.
    was_sql : ndarray of bool, shape (n_mature,)
        Accepted by sales at the moment of scoring or before: no test of P(SQL).
    state : ndarray of int8, shape (n_scored,)
        Of each scored row, a place in :data:`ROW_STATES`.
    lead : ndarray of int64, shape (n_scored,)
        Place of each row's lead among the outcomes; -1 where it is unknown.
    known_until : datetime64[us]
        UTC; NaT where nothing says it.
    knows_sql : bool
        Whether any outcome says when sales accepted the lead.
    """

    rows: NDArray[np.int64]
    won: NDArray[np.bool_]
    became_sql: NDArray[np.bool_]
    was_sql: NDArray[np.bool_]
    state: NDArray[np.int8]
    lead: NDArray[np.int64]
    known_until: np.datetime64
    knows_sql: bool

    @property
    def counts(self) -> dict[str, int]:
        """Scored rows by state; they add up to all rows."""
        found = np.bincount(self.state, minlength=len(ROW_STATES))
        return {name: int(n) for name, n in zip(ROW_STATES, found, strict=True)}

    def is_state(self, name: str) -> NDArray[np.bool_]:
        """Say which scored rows are in a state."""
        return self.state == ROW_STATES.index(name)


def matured(
    scored: pa.Table,
    outcomes: pa.Table,
    horizon_days: float | None,
    known_until: datetime | None = None,
    *,
    weights: ArrayLike | None = None,
) -> Matured:
    """Join scores with outcomes and say which scores are tested by one.

    A score as of t is mature once ``t + horizon <= known_until``, whatever became of the lead by then: fast
    wins counted early would make a base rate too high. It is won if the lead was won in ``(t, t + horizon]``.
    Without a horizon it is mature when the lead has closed. A lead closed at or before t is no test of its
    score. What closed after `known_until` was open then. A loss without a date is taken to have come after
    the score; a win without one is left out where there is a horizon, since nobody knows whether within it.

    Parameters
    ----------
    scored : pyarrow.Table
        ``lead_id``, ``as_of``, ``score``, of one or many batches; other columns are not looked at.
    outcomes : pyarrow.Table
        From :func:`leadlift.lifecycle.monitoring.outcomes.read_outcomes`, each lead once.
    horizon_days : float or None
        As the model was trained with.
    known_until : datetime, optional
        Moment up to which outcomes are known, UTC where no zone is said; None takes the latest closing.
    weights : array of float64, shape (n_scored,), optional
        Inverse of the chance that the lead was worked; 0 where it was not, so that its outcome says nothing.

    Returns
    -------
    Matured

    Raises
    ------
    SchemaError
        A column is missing.
    InputError
        Weights are negative, not finite, or not one a row.

    Examples
    --------
    >>> day = [datetime(2026, 1, d, tzinfo=UTC) for d in (1, 1, 20)]
    >>> scored = pa.table({"lead_id": ["a", "b", "c"], "as_of": day, "score": [0.2, 0.3, 0.4]})
    >>> outcomes = pa.table({
    ...     "lead_id": ["a", "b", "c"],
    ...     "outcome": ["won", "open", "won"],
    ...     "closed_at": [datetime(2026, 1, 9, tzinfo=UTC), None, datetime(2026, 1, 21, tzinfo=UTC)],
    ... })
    >>> known = matured(scored, outcomes, 14, datetime(2026, 1, 31, tzinfo=UTC))
    >>> known.won.tolist(), known.counts["mature"], known.counts["too_early"]
    ([True, False], 2, 1)
    """
    require_columns((LEAD_ID, AS_OF, SCORE), scored.column_names, "the scored leads")
    require_columns((LEAD_ID, OUTCOME, CLOSED_AT), outcomes.column_names, "the outcomes")
    lead = _places(scored, outcomes)
    fates = _Fates.of(outcomes, lead, known_until)
    as_of = moments(scored, AS_OF)
    horizon = None if horizon_days is None else in_days(horizon_days)
    state = _states(scored, fates, as_of, horizon, _checked(weights, len(scored)))
    rows = np.flatnonzero(state == 0)
    due = np.full(len(rows), NEVER) if horizon is None else as_of[rows] + horizon
    won = fates.is_won[rows] & _by(fates.closed[rows], due, horizon)
    qualified = fates.qualified[rows]
    accepted = (qualified > as_of[rows]) & _by(qualified, due, horizon)
    return Matured(
        rows, won, accepted | won, qualified <= as_of[rows], state, lead, fates.known_until, fates.knows_sql
    )


@dataclass(frozen=True)
class _Fates:
    """What became of the lead of each scored row, as far as was known."""

    is_known: NDArray[np.bool_]
    is_won: NDArray[np.bool_]
    is_lost: NDArray[np.bool_]
    is_open: NDArray[np.bool_]
    closed: NDArray[np.datetime64]
    qualified: NDArray[np.datetime64]
    known_until: np.datetime64
    knows_sql: bool

    @classmethod
    def of(cls, outcomes: pa.Table, lead: NDArray[np.int64], known_until: datetime | None) -> _Fates:
        """A lead that closed later than is known was open; one that was accepted later was not yet."""
        closed, end = moments(outcomes, CLOSED_AT), as_moment(known_until)
        end = latest(closed) if np.isnat(end) else end
        qualified = (
            moments(outcomes, QUALIFIED_AT)
            if QUALIFIED_AT in outcomes.column_names
            else np.full(len(outcomes), NEVER)
        )
        knows_sql = not np.isnat(qualified).all()
        qualified = np.where(qualified <= end, qualified, NEVER)
        was_open = closed > end
        won, lost, is_open = (
            pc.fill_null(pc.equal(outcomes[OUTCOME], ending.value), fill_value=False).to_numpy()
            for ending in Outcome
        )
        columns = (won & ~was_open, lost & ~was_open, is_open | was_open)
        columns = (*columns, np.where(was_open, NEVER, closed), qualified)
        # The last place is that of every lead that is not found.
        blanks = (False, False, False, NEVER, NEVER)
        of_rows = [np.append(column, blank)[lead] for column, blank in zip(columns, blanks, strict=True)]
        return cls(lead >= 0, *of_rows, end, knows_sql)


def _states(
    scored: pa.Table,
    fates: _Fates,
    as_of: NDArray[np.datetime64],
    horizon: np.timedelta64 | None,
    weights: NDArray[np.float64] | None,
) -> NDArray[np.int8]:
    """The state of each row: of those that hold the first in the order of :data:`ROW_STATES`."""
    has_ended = fates.is_won | fates.is_lost
    is_due = has_ended if horizon is None else as_of + horizon <= fates.known_until
    holds = {
        NOT_SCORED: pc.is_null(scored[SCORE], nan_is_null=True).to_numpy(),
        UNKNOWN_LEAD: ~fates.is_known,
        NO_OUTCOME: ~(has_ended | fates.is_open),
        CLOSED_BEFORE: fates.closed <= as_of,
        TOO_EARLY: ~is_due,
        WIN_WITHOUT_DATE: fates.is_won & np.isnat(fates.closed) & (horizon is not None),
        NOT_WORKED: np.zeros(len(scored), dtype=bool) if weights is None else weights == 0,
    }
    state = np.zeros(len(scored), dtype=np.int8)
    for name in reversed(holds):
        state[holds[name]] = ROW_STATES.index(name)
    return state


def _by(
    moment: NDArray[np.datetime64], due: NDArray[np.datetime64], horizon: np.timedelta64 | None
) -> NDArray[np.bool_]:
    """Whether something came within the horizon; without one it did."""
    return np.ones(len(moment), dtype=bool) if horizon is None else moment <= due


def _places(scored: pa.Table, outcomes: pa.Table) -> NDArray[np.int64]:
    place = pc.index_in(pc.cast(scored[LEAD_ID], pa.string()), value_set=outcomes[LEAD_ID].combine_chunks())
    return pc.fill_null(place, -1).to_numpy().astype(np.int64)


def _checked(weights: ArrayLike | None, n_rows: int) -> NDArray[np.float64] | None:
    if weights is None:
        return None
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != (n_rows,) or not np.isfinite(weights).all() or (weights < 0).any():
        msg = (
            f"weights must be {n_rows:,} finite numbers >= 0, one a scored row (0 where the lead was not "
            f"worked); got shape {weights.shape}"
        )
        raise InputError(msg)
    return weights


def moments(table: pa.Table, column: str) -> NDArray[np.datetime64]:
    """Return a column of moments as datetime64[us] in UTC; null is NaT."""
    return pc.cast(table[column], pa.timestamp("us")).to_numpy().astype("datetime64[us]")


def as_moment(moment: datetime | None) -> np.datetime64:
    """Return a moment as datetime64[us] in UTC, which is taken where no zone is said; None is NaT."""
    if moment is None:
        return NEVER
    in_utc = moment if moment.tzinfo is None else moment.astimezone(UTC)
    return np.datetime64(in_utc.replace(tzinfo=None), "us")


def latest(moments_: NDArray[np.datetime64]) -> np.datetime64:
    """Return the latest moment; NaT where there is none."""
    known = moments_[~np.isnat(moments_)]
    return known.max() if len(known) else NEVER
