"""Whether scores are spread as they were, and whether leads could be scored at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.learning.intervals import binomial_tail
from leadlift.lifecycle.monitoring.baseline import LEAST_EARLIER_ROWS, Against
from leadlift.lifecycle.monitoring.drift_findings import MEND
from leadlift.lifecycle.monitoring.period import Period
from leadlift.lifecycle.monitoring.table import Checked, MonitorVerdict, monitor_row
from leadlift.lifecycle.monitoring.two_samples import homogeneity_p_value
from leadlift.serving.drift import MODERATE_PSI
from leadlift.serving.drift_bins import BinShares
from leadlift.serving.scoring import watch_of
from leadlift.terms import AS_OF, GRADE, SCORE, STATUS, Finding, Severity, Status

if TYPE_CHECKING:
    from leadlift.lifecycle.monitoring.budget import AlarmBudget
    from leadlift.serving.bundle import ModelBundle

UNSCORED_SHARE = 0.05
"""From this share of faulty rows on somebody must act."""

BROKEN_UNSCORED_SHARE = 0.5

_FAULTS = [Status.MISSING_ID.value, Status.INVALID_VALUE.value, Status.MISSING_REQUIRED.value]
_N_TESTS = 3
UNDATED = Period()


def check_scores(
    bundle: ModelBundle,
    scored: pa.Table,
    *,
    window_days: float,
    budget: AlarmBudget,
    earlier: pa.Table | None = None,
    against: str = Against.AUTO,
    period: Period = UNDATED,
) -> Checked:
    """Compare scores and grades with those of the evidence or of earlier batches, and count faulty rows.

    Parameters
    ----------
    bundle : ModelBundle
    scored : pyarrow.Table
        Columns ``score``, ``grade`` and ``status`` of a scored table, any number of rows.
    window_days : float
        Days from one run of monitoring to the next.
    budget : AlarmBudget
        Of monitoring as a whole; this check spends the part of ``"scores"``, a third of it on each test.
    earlier : pyarrow.Table, optional
        ``score``, ``grade``, ``status`` and ``as_of`` of earlier batches of this model.
    against : str, default="auto"
        One of :class:`Against`.
    period : Period, optional
        Moments of scoring.

    Returns
    -------
    Checked
        Rows ``score_drift`` of ``score`` and of ``grade`` (observed: PSI; ``too_early`` where a model of
        behaviour has no earlier batches) and ``unscored`` (share of the rows whose id is missing, whose value
        is invalid or of which a required one is missing). Findings LL205, LL206 and LL213.
    """
    if not scored.num_rows:
        return Checked()
    level = budget.of("scores").level(window_days, _N_TESTS)
    values = {"n": scored.num_rows, **period.columns()}
    now, then = _spreads(bundle, scored), _expected(bundle, earlier, against)
    checked = [_drift(subject, now[subject], then, level, values) for subject in now]
    return sum(checked, _unscored(scored, level, values))


def _spreads(bundle: ModelBundle, scored: pa.Table) -> dict[str, BinShares]:
    """By subject, how scored rows are spread; empty where none is scored."""
    known = scored.select([SCORE, GRADE]).filter(pc.is_valid(scored[SCORE]))
    if not known.num_rows:
        return {}
    grade = pc.index_in(pc.cast(known[GRADE], pa.string()), pa.array([*bundle.reference.grade_rates]))
    counts = np.bincount(grade.to_numpy(), minlength=len(bundle.reference.grade_rates))
    return {
        SCORE: watch_of(bundle).observed_score(known[SCORE].to_numpy()),
        GRADE: BinShares(counts / counts.sum(), float(counts.sum())),
    }


def _expected(bundle: ModelBundle, earlier: pa.Table | None, against: str) -> dict[str, BinShares]:
    """By subject, what rows are compared with; empty where there is nothing like them."""
    spreads = {} if earlier is None else _spreads(bundle, earlier)
    n_batches = 0 if not spreads else pc.count_distinct(earlier[AS_OF]).as_py()
    is_behaviour = bundle.builder is not None
    is_known = bool(spreads) and spreads[SCORE].n_rows >= LEAST_EARLIER_ROWS * n_batches
    if against == Against.EARLIER or (against == Against.AUTO and is_behaviour):
        return {name: replace(s, n_rows=s.n_rows / n_batches) for name, s in spreads.items() if is_known}
    counts = np.array([n_leads for n_leads, _ in bundle.reference.grade_rates.values()], dtype=np.float64)
    return {
        SCORE: watch_of(bundle).expected_score,
        GRADE: BinShares(counts / max(counts.sum(), 1.0), float(counts.sum())),
    }


def _drift(
    subject: str, now: BinShares, expected: dict[str, BinShares], level: float, values: dict
) -> Checked:
    if subject not in expected:
        return Checked([monitor_row("score_drift", subject, MonitorVerdict.TOO_EARLY, **values)])
    psi = now.psi_from(expected[subject])
    p_value = homogeneity_p_value(now.counts, expected[subject].counts)
    is_alarm = psi >= MODERATE_PSI and p_value <= level
    row = monitor_row(
        "score_drift",
        subject,
        MonitorVerdict.ALARM if is_alarm else MonitorVerdict.OK,
        observed=psi,
        expected=0.0,
        p_value=p_value,
        limit=MODERATE_PSI,
        **values,
    )
    return Checked([row], (_drifted(subject, psi, values["n"]),) if is_alarm else ())


def _drifted(subject: str, psi: float, n_rows: int) -> Finding:
    return Finding(
        code="LL213",
        severity=Severity.WARNING,
        title="scores drifted",
        message=f"the {subject} of {n_rows:,} leads is spread otherwise than before (PSI {psi:.2f})",
        remedy="look which inputs drifted; the cut-off's promise was made for other leads",
        column=subject,
        count=n_rows,
    )


def _unscored(scored: pa.Table, level: float, values: dict) -> Checked:
    """Test the share of faulty rows against `UNSCORED_SHARE`, exact binomial."""
    n_rows = scored.num_rows
    n_faulty = pc.sum(pc.is_in(pc.cast(scored[STATUS], pa.string()), pa.array(_FAULTS))).as_py()
    p_value = float(binomial_tail(n_faulty, n_rows, UNSCORED_SHARE))
    is_alarm = p_value <= level
    row = monitor_row(
        "unscored",
        SCORE,
        MonitorVerdict.ALARM if is_alarm else MonitorVerdict.OK,
        observed=n_faulty / n_rows,
        p_value=p_value,
        limit=UNSCORED_SHARE,
        **values,
    )
    return Checked([row], (_faulty(n_faulty, n_rows),) if is_alarm else ())


def _faulty(n_faulty: int, n_rows: int) -> Finding:
    is_broken = n_faulty >= BROKEN_UNSCORED_SHARE * n_rows
    return Finding(
        code="LL205" if is_broken else "LL206",
        severity=Severity.FATAL if is_broken else Severity.WARNING,
        title="most leads could not be scored" if is_broken else "many leads could not be scored",
        message=(
            f"{n_faulty:,} of {n_rows:,} rows have no id, an invalid value or a required one missing; "
            "the column status_detail of the scored table says which"
        ),
        remedy=MEND if is_broken else "mend those rows and score them again",
        count=n_faulty,
    )
