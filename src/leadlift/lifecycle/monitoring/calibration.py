"""Whether as many leads were won as scores said, and whether scores are as far apart as they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadlift.learning import metrics
from leadlift.learning.propensity import effective_size
from leadlift.lifecycle.monitoring.outcome_findings import base_rate_moved, slope_is_off
from leadlift.lifecycle.monitoring.recalibrating import cox_fit
from leadlift.lifecycle.monitoring.shares import Share, moved, odds_ratio, size_by_variance
from leadlift.lifecycle.monitoring.table import Checked, monitor_row

if TYPE_CHECKING:
    from leadlift.lifecycle.monitoring.judged import JudgedLeads, Setting
    from leadlift.lifecycle.monitoring.table import MonitorRow
    from leadlift.terms import Interval

MATERIAL_RATIO = 1.25
"""Odds, or a slope, that are less wrong than by this factor raise no alarm, however many leads say so."""
LEAST_OF_OUTCOME = 10
"""Wins, and losses, that must be expected before a window is judged."""
N_TESTS = 2
"""Tests of a window beside that of its base rate: its slope, and the base rate of all windows up to it."""


def check_calibration(judged: JudgedLeads, setting: Setting) -> Checked:
    """Compare what scores said with what happened, window by window.

    The base rate is tested with the exact binomial test of the mean score, two-sided, at the variance that
    differing scores have (:func:`leadlift.lifecycle.monitoring.shares.size_by_variance`). The intercept of
    Cox (1958) is the same hypothesis on the log-odds, so it is told and not tested again. The slope is tested
    by its likelihood ratio. Both count the leads as no more than the evidence of the scores allows
    (:meth:`Share.beside`). A window alarms where a test is significant at its level and the odds, or the
    slope, are wrong by a factor of at least :data:`MATERIAL_RATIO`.

    Parameters
    ----------
    judged : JudgedLeads
    setting : Setting

    Returns
    -------
    Checked
        Rows ``base_rate`` (expected: mean score), one more for the first score of each lead in all complete
        windows where there are several, and, of complete windows, ``calibration`` of ``intercept``,
        ``slope`` and ``error`` (root mean square, debiased; without weights only). The subject is the label,
        with the part behind a space: ``"won slope"``. Findings LL230 and LL231.
    """
    rows: list[MonitorRow] = []
    for number, leads in judged.by_window.items():
        level = setting.base_rate_level if number in setting.complete else None
        row = base_rate_row(leads, level, setting.n_evidence)
        fitted = [] if row["verdict"] == "too_early" else _cox_rows(leads, setting, str(row["verdict"]))
        rows += [each | setting.dates(number) for each in (row, *fitted)]
    if len(setting.complete) > 1:
        together = judged.first_within(setting.complete)
        rows.append(base_rate_row(together, setting.level, setting.n_evidence) | setting.all_dates())
    alarms = [row for row in rows if row["verdict"] == "alarm"]
    base = [row for row in alarms if row["check"] == "base_rate"]
    slope = [row for row in alarms if str(row["subject"]).endswith("slope")]
    return Checked(rows, (*base_rate_moved(base), *slope_is_off(slope)))


def base_rate_row(leads: JudgedLeads, level: float | None, n_evidence: float) -> MonitorRow:
    """Compare the share of won with the mean score.

    Parameters
    ----------
    leads : JudgedLeads
        One row a lead, at least one.
    level : float or None
        Of the test; None where the leads may not be judged yet.
    n_evidence : float
        Leads by which the scores are known.

    Returns
    -------
    mapping
        A row ``base_rate``, not yet dated.
    """
    share = Share.of(leads.won, leads.weight)
    expected = float((leads.weight * leads.score).sum() / leads.weight.sum())
    interval, ratio = share.interval(), odds_ratio(share.estimate, expected)
    n = size_by_variance(leads.score, leads.weight)
    p_value = share.as_if(n).beside(n_evidence * n / share.n).p_other(expected)
    is_enough = share.n * min(expected, 1 - expected) >= LEAST_OF_OUTCOME
    return monitor_row(
        "base_rate",
        leads.label,
        "too_early" if level is None or not is_enough else _verdict(p_value, ratio, level),
        n=share.n_leads,
        expected=expected,
        observed=share.estimate,
        low=interval.low,
        high=interval.high,
        p_value=p_value,
        limit=moved(expected, MATERIAL_RATIO if ratio >= 1 else 1 / MATERIAL_RATIO),
    )


def _cox_rows(leads: JudgedLeads, setting: Setting, of_base_rate: str) -> list[MonitorRow]:
    n = effective_size(leads.weight)
    fit = cox_fit(
        leads.score, leads.won, leads.weight, share_of_size=setting.n_evidence / (n + setting.n_evidence)
    )
    if fit is None:
        return []
    slope = _verdict(fit.slope_p_value, fit.slope.estimate, setting.level)
    limit = MATERIAL_RATIO if fit.slope.estimate >= 1 else 1 / MATERIAL_RATIO
    rows = [
        _row(leads, "intercept", of_base_rate, fit.intercept, expected=0.0),
        _row(leads, "slope", slope, fit.slope, expected=1.0, p_value=fit.slope_p_value, limit=limit),
    ]
    if (leads.weight != leads.weight[0]).any():
        return rows
    error = metrics.calibration_error(leads.won, leads.score)
    verdict = "alarm" if "alarm" in (of_base_rate, slope) else "ok"
    return [*rows, _row(leads, "error", verdict, expected=0.0, observed=error)]


def _row(
    leads: JudgedLeads, part: str, verdict: str, interval: Interval | None = None, **values: float
) -> MonitorRow:
    if interval is not None:
        values |= {"observed": interval.estimate, "low": interval.low, "high": interval.high}
    return monitor_row("calibration", f"{leads.label} {part}", verdict, n=len(leads.won), **values)


def _verdict(p_value: float, ratio: float, level: float) -> str:
    is_material = max(ratio, 1 / ratio if ratio else float("inf")) >= MATERIAL_RATIO
    return "alarm" if p_value <= level and is_material else "ok"
