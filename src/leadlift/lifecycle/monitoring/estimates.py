"""What can be said of a promise before its outcomes are known: an estimate, and named as one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from leadlift.exceptions import BundleError
from leadlift.learning.cutoff import Evidence
from leadlift.learning.prior_shift import finite_log_odds
from leadlift.learning.promise_check import check_promise
from leadlift.lifecycle.cutoff_change import evidence_of
from leadlift.lifecycle.monitoring.table import Checked, monitor_row
from leadlift.lifecycle.monitoring.windows import in_lead_order, is_first

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from leadlift.learning.promise_check import PromiseCheck
    from leadlift.lifecycle.monitoring.judged import JudgedLeads
    from leadlift.lifecycle.monitoring.promises import DrawnLine
    from leadlift.lifecycle.monitoring.table import MonitorRow
    from leadlift.lifecycle.monitoring.windows import Windows
    from leadlift.serving.bundle import ModelBundle


@dataclass(frozen=True)
class Waiting:
    """Scored rows whose outcome is not known yet; arrays of shape (n_rows,).

    Parameters
    ----------
    rows : ndarray of int64
        Places in the scored table.
    lead : ndarray of int64
        Number of each row's lead.
    as_of : ndarray of datetime64[us]
    window : ndarray of int64
    """

    rows: NDArray[np.int64]
    lead: NDArray[np.int64]
    as_of: NDArray[np.datetime64]
    window: NDArray[np.int64]


def estimate_promise(
    bundle: ModelBundle,
    line: DrawnLine,
    scored: pa.Table,
    waiting: Waiting,
    *,
    windows: Windows,
    now: np.datetime64,
    level: float,
    recent: JudgedLeads | None = None,
) -> Checked:
    """Ask, for each window whose outcomes are not known, whether the promise of a cut-off may be relied on.

    It is what :func:`leadlift.learning.promise_check.check_promise` says of the scores of the window (their
    shift of the base rate by Saerens et al. 2002) and of the latest outcomes. Half of the level is for
    windows that are over; the window that is running may be looked at once a day, each look at its part of
    the other half.

    A model of behaviour learnt from leads at several ages, of which a job scores others: the scores of its
    evidence are spread otherwise without any change. So its latest leads with known outcome take the place
    of the evidence, and until there are some nothing is estimated.

    Parameters
    ----------
    bundle : ModelBundle
    line : DrawnLine
    scored : pyarrow.Table
    waiting : Waiting
    windows : Windows
    now : datetime64[us]
        Moment up to which is looked.
    level : float
        Of the estimates of one window.
    recent : JudgedLeads, optional
        The latest leads whose outcome is known, one row a lead; not looked at where their weights differ,
        since the check takes each lead for one.

    Returns
    -------
    Checked
        Rows ``promise``, ``void`` or ``too_early``, with ``is_estimate``: `n` leads of which the outcome is
        not known, `expected` the promised precision and `observed` the one that the scores let expect.
        Finding LL163 of the latest window that is void.
    """
    known = None if recent is None or np.ptp(recent.weight) > 0 else _as_evidence(recent)
    evidence = _evidence(bundle, line) if bundle.builder is None else known
    later = known if bundle.builder is None else None
    if line.cutoff.promised_precision is None or not _tells(evidence) or not len(waiting.rows):
        return Checked()
    score = pc.fill_null(scored[line.score_column], np.nan).to_numpy()[waiting.rows]
    rows, void = [], []
    for number in np.unique(waiting.window):
        places = np.flatnonzero((waiting.window == number) & ~np.isnan(score))
        places = places[in_lead_order(waiting.lead[places], waiting.as_of[places], score[places])]
        first = places[is_first(waiting.lead[places])]
        if not len(first):
            continue
        rate = level / 2 if windows.is_over(number, now) else level / 2 / np.ceil(windows.days)
        check = _check(line, evidence, score[first], later, float(rate))
        rows.append(_row(line, check, windows, int(number)))
        void += [check] if check.is_void else []
    return Checked(rows, () if not void else (void[-1].finding(),))


def _evidence(bundle: ModelBundle, line: DrawnLine) -> Evidence | None:
    """The evidence of a cut-off; None where the bundle keeps none."""
    try:
        return evidence_of(bundle, line.stage)
    except BundleError:
        return None


def _as_evidence(leads: JudgedLeads) -> Evidence:
    return Evidence(leads.score, finite_log_odds(leads.score), leads.won, leads.as_of)


def _tells(evidence: Evidence | None) -> bool:
    """Whether there are won and lost leads, and scores that differ."""
    if evidence is None:
        return False
    return bool(0 < evidence.won.sum() < len(evidence.won) and np.ptp(evidence.score) > 0)


def _check(
    line: DrawnLine,
    evidence: Evidence,
    score: NDArray[np.float64],
    recent: Evidence | None,
    false_alarm_rate: float,
) -> PromiseCheck:
    """The scored table holds no uncalibrated scores, so that all leads at the threshold are taken to pass."""
    cutoff = replace(line.cutoff, tie_break=None)
    return check_promise(cutoff, evidence, score, recent=recent, false_alarm_rate=false_alarm_rate)


def _row(line: DrawnLine, check: PromiseCheck, windows: Windows, number: int) -> MonitorRow:
    return monitor_row(
        "promise",
        line.stage.value,
        "void" if check.is_void else "too_early",
        n=check.n_qualified,
        expected=check.target,
        observed=check.expected_precision,
        limit=check.target,
        window_start=windows.start(number),
        window_end=windows.end(number),
        is_estimate=True,
    )
