"""Whether as many leads come, and as many qualify, as in the weeks before and as the cut-off promised."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.lifecycle.monitoring.period import Period
from leadlift.lifecycle.monitoring.table import Checked, MonitorVerdict, monitor_row
from leadlift.serving.id_hashes import hash_ids
from leadlift.terms import AS_OF, LEAD_ID, MODEL_STAGE, Finding, Severity, Stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.lifecycle.monitoring.budget import AlarmBudget
    from leadlift.serving.bundle import ModelBundle
    from leadlift.terms import Interval

LEAST_EARLIER_WINDOWS = 4
MOST_WINDOWS = 26
"""So many windows before the latest are looked at, no more."""

MATERIAL_RATIO = 1.5
"""A change by a smaller factor does not matter."""

_N_TESTS = 2
_QUALIFIED = [Stage.MQL.value, Stage.SQL.value]


def check_volume(
    bundle: ModelBundle, scored: pa.Table, *, until: datetime, window_days: float, budget: AlarmBudget
) -> Checked:
    """Compare how many leads came with earlier windows, and how many qualified with the cut-off's promise.

    A lead counts once, when it is first scored, and once, when the model first qualifies it. Windows are
    counted back from `until`; the oldest one is left out, since it holds the leads that were waiting.

    Counts of weeks vary more than Poisson's. Their logarithms are taken as normal, with at least Poisson's
    variance: the latest window alarms outside Student's prediction interval of the others, and the mean of
    all windows outside its confidence interval around the promise, if the factor is at least 1.5.

    Source: Hahn, G. J., Meeker, W. Q. (1991), Statistical Intervals, Wiley, section 4.8.

    Parameters
    ----------
    bundle : ModelBundle
    scored : pyarrow.Table
        Columns ``lead_id``, ``as_of`` and ``model_stage`` of all scored batches of the model.
    until : datetime
        End of the latest window, excluded, with a time zone.
    window_days : float
        Length of a window, and days from one run of monitoring to the next; whole weeks where the days of
        the week differ.
    budget : AlarmBudget
        Of monitoring as a whole; this check spends the part of ``"volume"``.

    Returns
    -------
    Checked
        Rows ``volume`` of ``leads`` (the latest window beside the others) and, where the cut-off says how
        many qualify a week, of ``MQL`` (mean of all windows beside the promise), in leads a window;
        ``too_early`` with fewer than four earlier windows. Findings LL214 and LL215.
    """
    level = budget.of("volume").level(window_days, _N_TESTS)
    ages = _ages(scored, until, window_days)
    n_windows = int(min(max(ages.max(initial=0.0), 0.0), MOST_WINDOWS + 1))
    period = Period(until - timedelta(days=window_days), until)
    lead = hash_ids(pc.cast(scored[LEAD_ID], pa.string()))
    leads = _latest_against_earlier(_windows(lead, ages, n_windows), level, period)
    if bundle.mql_cutoff.per_week is None:
        return leads
    is_mql = pc.is_in(pc.cast(scored[MODEL_STAGE], pa.string()), pa.array(_QUALIFIED)).to_numpy()
    n_mql = _windows(lead[is_mql], ages[is_mql], n_windows)
    whole = Period(until - n_windows * timedelta(days=window_days), until)
    return leads + _against_promise(n_mql, bundle.mql_cutoff.per_week, window_days / 7, level, whole)


def _ages(scored: pa.Table, until: datetime, window_days: float) -> NDArray[np.float64]:
    """Windows from each moment of scoring to the end; below 0 after it, or without a moment or an id."""
    moments = pc.cast(scored[AS_OF], pa.timestamp("us", tz="UTC")).to_numpy().astype("datetime64[us]")
    end = pa.scalar(until, pa.timestamp("us", tz="UTC")).value
    ages = (end - moments.astype(np.int64)) / (timedelta(days=window_days) / timedelta(microseconds=1))
    is_known = ~np.isnat(moments) & pc.is_valid(scored[LEAD_ID]).to_numpy()
    return np.where(is_known, ages, -1.0)


def _windows(lead: NDArray[np.uint64], ages: NDArray[np.float64], n_windows: int) -> NDArray[np.int64]:
    """Leads by window of their first row, the latest window first."""
    rows = pa.table({"lead": lead[ages > 0], "age": ages[ages > 0]})
    oldest = rows.group_by("lead").aggregate([("age", "max")])["age_max"].to_numpy()
    # An age of exactly one window belongs to the window that it begins.
    window = np.ceil(oldest).astype(np.int64) - 1
    return np.bincount(window[window < n_windows], minlength=n_windows)


def _latest_against_earlier(counts: NDArray[np.int64], level: float, period: Period) -> Checked:
    if len(counts) <= LEAST_EARLIER_WINDOWS:
        return Checked([_too_early("leads", counts, period)])
    latest, earlier = np.log(counts[0] + 0.5), np.log(counts[1:] + 0.5)
    spread = np.sqrt(_variance(earlier) * (1 + 1 / len(earlier)))
    p_value = _two_sided(float((latest - earlier.mean()) / spread), len(earlier) - 1)
    usual = float(np.exp(earlier.mean()))
    is_alarm = p_value <= level and abs(latest - earlier.mean()) >= np.log(MATERIAL_RATIO)
    row = monitor_row(
        "volume",
        "leads",
        MonitorVerdict.ALARM if is_alarm else MonitorVerdict.OK,
        n=int(counts[0]),
        observed=float(counts[0]),
        expected=usual,
        p_value=p_value,
        limit=_limit(usual, is_more=latest > earlier.mean()),
        **period.columns(),
    )
    return Checked([row], (_other_volume(int(counts[0]), usual),) if is_alarm else ())


def _against_promise(
    counts: NDArray[np.int64], per_week: Interval, weeks: float, level: float, period: Period
) -> Checked:
    """The mean against the nearer end of the promised interval."""
    if len(counts) <= LEAST_EARLIER_WINDOWS:
        return Checked([_too_early("MQL", counts, period)])
    logs = np.log(counts + 0.5)
    nearest = float(np.clip(np.exp(logs.mean()), per_week.low * weeks + 0.5, per_week.high * weeks + 0.5))
    apart = float(logs.mean() - np.log(nearest))
    p_value = _two_sided(apart / np.sqrt(_variance(logs) / len(logs)), len(logs) - 1)
    expected = per_week.estimate * weeks
    is_alarm = p_value <= level and abs(apart) >= np.log(MATERIAL_RATIO)
    row = monitor_row(
        "volume",
        "MQL",
        MonitorVerdict.ALARM if is_alarm else MonitorVerdict.OK,
        n=int(counts.sum()),
        observed=float(counts.mean()),
        expected=expected,
        p_value=p_value,
        limit=_limit(nearest, is_more=apart > 0),
        **period.columns(),
    )
    return Checked([row], (_other_mql_volume(counts, expected),) if is_alarm else ())


def _variance(logs: NDArray[np.float64]) -> float:
    """Of the logarithms of counts; that of Poisson's, 1 / mean, at least."""
    return max(float(logs.var(ddof=1)), float(np.exp(-logs.mean())))


def _two_sided(t: float, n_freedom: int) -> float:
    from scipy.special import stdtr

    return float(2 * stdtr(n_freedom, -abs(t)))


def _limit(usual: float, *, is_more: bool) -> float:
    return usual * MATERIAL_RATIO if is_more else usual / MATERIAL_RATIO


def _too_early(subject: str, counts: NDArray[np.int64], period: Period) -> dict:
    return monitor_row(
        "volume", subject, MonitorVerdict.TOO_EARLY, n=int(counts[:1].sum()), **period.columns()
    )


def _other_volume(n_leads: int, usual: float) -> Finding:
    return Finding(
        code="LL214",
        severity=Severity.WARNING,
        title="volume changed",
        message=f"{n_leads:,} leads came in the latest window where {usual:,.0f} are usual",
        remedy="look whether a source was added or lost, or an export is cut",
        count=n_leads,
    )


def _other_mql_volume(counts: NDArray[np.int64], expected: float) -> Finding:
    return Finding(
        code="LL215",
        severity=Severity.WARNING,
        title="other volume of MQLs than promised",
        message=(
            f"{counts.mean():,.1f} leads a window qualified in the last {len(counts)} where the cut-off was "
            f"set for {expected:,.1f}"
        ),
        remedy="set the cut-off anew for the leads of today (`leadlift cutoff`)",
        count=int(counts.sum()),
    )
