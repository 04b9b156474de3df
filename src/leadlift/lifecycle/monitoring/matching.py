"""What was noticed while scores and outcomes were joined: nothing is left out in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.tables import CLOSED_AT, OUTCOME
from leadlift.lifecycle.monitoring.maturity import (
    CLOSED_BEFORE,
    NO_OUTCOME,
    UNKNOWN_LEAD,
    WIN_WITHOUT_DATE,
    as_moment,
    latest,
    moments,
)
from leadlift.terms import AS_OF, LEAD_ID, Finding, Outcome, Severity

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from leadlift.lifecycle.monitoring.maturity import Matured

SHARE_THAT_MATTERS = 0.05
"""From this share of the scored rows on, rows that no outcome can test are a warning."""
RATE_DAYS = 91
"""Days before the last closing over which closings are counted."""
CLOSINGS_MISSED = 20
"""So many closings must have been due since the last one before outcomes are called stale."""

_LEFT_OUT = {
    UNKNOWN_LEAD: (
        "LL220",
        "scored leads without an outcome",
        "leads that the outcomes do not know",
        "give outcomes of all leads, open ones too; check that both files write ids alike",
    ),
    CLOSED_BEFORE: (
        "LL222",
        "leads were closed before they were scored",
        "leads that were won or lost already, which is no test of a score",
        "score open leads only",
    ),
    NO_OUTCOME: (
        "LL223",
        "outcomes missing or contradictory",
        "leads without an outcome, or with rows both won and lost",
        "give each lead one outcome",
    ),
    WIN_WITHOUT_DATE: (
        "LL224",
        "wins without a date",
        "leads that were won nobody knows when, within the horizon or not",
        "fill the moment of closing",
    ),
}


def matching_findings(
    scored: pa.Table,
    outcomes: pa.Table,
    known: Matured,
    *,
    known_until: datetime | None = None,
    horizon: np.timedelta64 | None = None,
) -> tuple[Finding, ...]:
    """Say what no outcome can test, and whether the outcomes are up to date.

    Parameters
    ----------
    scored, outcomes : pyarrow.Table
        As for :func:`leadlift.lifecycle.monitoring.maturity.matured`.
    known : Matured
        Of both.
    known_until : datetime, optional
        As it was given.
    horizon : timedelta64, optional
        As the model was trained with.

    Returns
    -------
    tuple of Finding
        LL220 to LL226. Rows that are left out are a warning from :data:`SHARE_THAT_MATTERS` of the rows that
        should be mature on.
    """
    due = moments(scored, AS_OF) + (np.timedelta64(0) if horizon is None else horizon)
    is_due = due <= known.known_until
    found = [_left_out(scored, known, state, is_due) for state in _LEFT_OUT]
    found += [_never_scored(scored, outcomes), _nothing_known(scored, known), _stale(outcomes, known_until)]
    return tuple(finding for finding in found if finding is not None)


def _left_out(scored: pa.Table, known: Matured, state: str, is_due: NDArray[np.bool_]) -> Finding | None:
    n_rows = known.counts[state]
    if not n_rows:
        return None
    code, title, what, remedy = _LEFT_OUT[state]
    n_due = int((known.is_state(state) & is_due).sum())
    share = n_rows / len(scored)
    ids = pc.unique(scored[LEAD_ID].filter(pa.array(known.is_state(state))))
    return Finding(
        code,
        Severity.WARNING if n_due and n_due >= SHARE_THAT_MATTERS * is_due.sum() else Severity.INFO,
        title,
        f"{n_rows:,} of {len(scored):,} scored rows ({share:.1%}) are of {what}; they take no part",
        remedy,
        count=n_rows,
        examples=tuple(ids.take(pc.sort_indices(ids)).slice(0, 5).to_pylist()),
    )


def _never_scored(scored: pa.Table, outcomes: pa.Table) -> Finding | None:
    known = pc.is_in(outcomes[LEAD_ID], value_set=pc.cast(scored[LEAD_ID], pa.string()).combine_chunks())
    n_other = len(outcomes) - (pc.sum(known).as_py() or 0)
    if not n_other:
        return None
    share = n_other / len(outcomes)
    message = (
        f"{n_other:,} of {len(outcomes):,} outcomes ({share:.1%}) are of leads that were not scored here"
    )
    title = "outcomes of leads that were not scored"
    return Finding("LL221", Severity.INFO, title, message, "nothing, if they came before", count=n_other)


def _nothing_known(scored: pa.Table, known: Matured) -> Finding | None:
    """That no score can be tested yet, where outcomes end before the scores begin."""
    as_of = moments(scored, AS_OF)
    first = as_of[~np.isnat(as_of)]
    if not len(first) or np.isnat(known.known_until) or known.known_until >= first.min():
        return None
    message = (
        f"outcomes are known until {known.known_until.item():%Y-%m-%d %H:%M} UTC, before the first score of "
        f"{first.min().item():%Y-%m-%d %H:%M} UTC, so they test none"
    )
    title = "outcomes end before the scores begin"
    remedy = "give a later extract, or set known_until to its day"
    return Finding("LL225", Severity.WARNING, title, message, remedy, count=len(scored))


def _stale(outcomes: pa.Table, known_until: datetime | None) -> Finding | None:
    """That nothing closed for so long that the extract must be older than it is said to be."""
    closed, until = moments(outcomes, CLOSED_AT), as_moment(known_until)
    last = latest(closed)
    if np.isnat(last) or np.isnat(until) or until <= last:
        return None
    n_recent = int((closed > last - np.timedelta64(RATE_DAYS, "D")).sum())
    n_open = pc.sum(pc.equal(outcomes[OUTCOME], Outcome.OPEN.value)).as_py() or 0
    days = (until - last) / np.timedelta64(1, "D")
    n_due = min(n_recent / RATE_DAYS * days, n_open)
    if n_due < CLOSINGS_MISSED:
        return None
    message = (
        f"nothing closed in the {days:.0f} days after {last.item():%Y-%m-%d}, where up to {n_due:,.0f} of "
        f"{n_open:,} open leads should have; they may have closed since the outcomes were written"
    )
    remedy = f"give a fresh extract, or known_until {last.item():%Y-%m-%d}"
    return Finding("LL226", Severity.INFO, "outcomes may be out of date", message, remedy, count=round(n_due))
