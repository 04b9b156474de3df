"""The agreement sheet: what every possible cut-off would do, so that two departments can agree on one.

People pick a row after they have looked at all of them, so an interval must not only hold for the row it
stands in but for whichever row is picked: the intervals of a sheet hold for all its rows at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.exceptions import ConfigError, InputError
from leadlift.learning.cutoff.base import check_range
from leadlift.learning.cutoff.evidence import Evidence, passes
from leadlift.learning.intervals import clopper_pearson, poisson_rate
from leadlift.terms import Interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

SHARES = ("share", "precision", "wins_caught", "wins_missed")
PER_WEEK = ("leads_per_week", "wins_per_week", "wins_missed_per_week", "cost_per_week", "value_per_week")
QUANTITIES = (*SHARES, *PER_WEEK, "value_per_contact")
"""What a sheet says of a cut-off, each with its interval in ``<name>_low`` and ``<name>_high``."""

SHEET_SCHEMA = pa.schema(
    [
        ("threshold", pa.float64()),
        ("n_leads", pa.int64()),
        ("n_won", pa.int64()),
        *[(f"{name}{end}", pa.float64()) for name in QUANTITIES for end in ("", "_low", "_high")],
        ("confidence", pa.float64()),
        ("n_evidence", pa.int64()),
        ("n_evidence_won", pa.int64()),
        ("evidence", pa.string()),
    ]
)


def agreement_sheet(
    evidence: Evidence,
    *,
    thresholds: ArrayLike | None = None,
    n_rows: int = 20,
    win_value: float | None = None,
    contact_cost: float | None = None,
    confidence: float = 0.95,
) -> pa.Table:
    """Say what each possible cut-off would do: volume, precision, wins caught and missed, cost and value.

    Each quantity's intervals hold for all rows at once, with the stated confidence: whichever row is picked
    after looking, its interval still holds. Every interval is exact for its row at confidence
    ``1 - (1 - confidence) / n_rows`` (Bonferroni 1936): Clopper and Pearson 1934
    (doi:10.1093/biomet/26.4.404) for shares of leads, Garwood 1936 (doi:10.1093/biomet/28.3-4.437) for
    leads a week. It is assumed that later leads are like those of the evidence, that they arrive
    independently, and that the thresholds were laid down without looking at the outcomes.

    Parameters
    ----------
    evidence : Evidence
    thresholds : array of float64, shape (n_rows,), optional
        Scores in [0, 1]; not given, they are quantiles of the scores, so that the rows differ by equal
        shares of the leads and the last one qualifies every lead.
    n_rows : int, default=20
        Rows where `thresholds` is not given, 1 to 1,000; tied scores leave fewer.
    win_value : float, optional
        What a won lead brings, in any currency, > 0.
    contact_cost : float, optional
        What contacting a lead costs, in the same currency, >= 0.
    confidence : float, default=0.95
        Chance that the intervals of a quantity hold in every row, in (0.5, 1).

    Returns
    -------
    pyarrow.Table
        Columns :data:`SHEET_SCHEMA`, the highest threshold first: ``threshold``; ``n_leads`` and ``n_won``
        that qualify in the evidence; for each of :data:`QUANTITIES` the estimate and the ends of its interval
        (float64):

        - ``share`` of the leads that qualify, ``precision`` (share of the qualified that are won),
          ``wins_caught`` and ``wins_missed`` (shares of the won leads), in [0, 1];
        - ``leads_per_week``, ``wins_per_week`` and ``wins_missed_per_week``; null without dates;
        - ``cost_per_week`` of contacting the qualified, null without `contact_cost`; ``value_per_week``,
          what the wins bring less that cost, null without either amount; its interval combines those of won
          and of lost qualified leads a week, each at half the error;
        - ``value_per_contact``, ``win_value * precision - contact_cost``, which needs no dates;

        and the same in every row: ``confidence``, ``n_evidence``, ``n_evidence_won`` and ``evidence`` (where
        it comes from). A quantity that cannot be said is null.

    Raises
    ------
    ConfigError
        A parameter is impossible.
    InputError
        There is no evidence.

    Examples
    --------
    >>> score = np.array([0.1, 0.2, 0.4, 0.8])
    >>> sheet = agreement_sheet(Evidence(score, score, score > 0.3), n_rows=2)
    >>> sheet.select(["threshold", "n_leads", "precision"]).to_pydict()
    {'threshold': [0.4, 0.1], 'n_leads': [2, 4], 'precision': [1.0, 0.5]}
    """
    _check_amounts(win_value, contact_cost)
    check_range("confidence", confidence, 0.5, 1, open_ends=True)
    if not len(evidence.score):
        msg = "an agreement sheet needs leads with known outcome as evidence, got none"
        raise InputError(msg)
    rungs = _quantiles(evidence.score, n_rows) if thresholds is None else _checked(thresholds)
    each = 1 - (1 - confidence) / len(rungs)
    told = {
        "confidence": confidence,
        "n_evidence": len(evidence.score),
        "n_evidence_won": int(evidence.won.sum()),
        "evidence": evidence.source,
    }
    rows = [_row(evidence, float(rung), each, win_value, contact_cost) | told for rung in rungs]
    return pa.Table.from_pylist(rows, schema=SHEET_SCHEMA)


def _check_amounts(win_value: float | None, contact_cost: float | None) -> None:
    if win_value is not None and not (np.isfinite(win_value) and win_value > 0):
        msg = f"win_value must be a finite amount > 0, got {win_value}"
        raise ConfigError(msg)
    if contact_cost is not None and not (np.isfinite(contact_cost) and contact_cost >= 0):
        msg = f"contact_cost must be a finite amount >= 0, got {contact_cost}"
        raise ConfigError(msg)


def _quantiles(score: NDArray[np.float64], n_rows: int) -> NDArray[np.float64]:
    """Scores that cut off equal shares of the leads, from high to low; labels play no part."""
    check_range("n_rows", n_rows, 1, 1_000)
    places = np.ceil(np.arange(1, n_rows + 1) / n_rows * len(score)).astype(int) - 1
    return np.unique(np.sort(score)[::-1][places])[::-1]


def _checked(thresholds: ArrayLike) -> NDArray[np.float64]:
    rungs = np.unique(np.asarray(thresholds, dtype=np.float64))[::-1]
    if not rungs.size or not ((rungs >= 0) & (rungs <= 1)).all():
        msg = f"thresholds must be at least one number in [0, 1], got {thresholds}"
        raise ConfigError(msg)
    return rungs


def _row(
    evidence: Evidence, threshold: float, each: float, win_value: float | None, contact_cost: float | None
) -> dict[str, float | int | None]:
    passed = passes(evidence.score, threshold)
    n, n_won = int(passed.sum()), int((passed & evidence.won).sum())
    n_missed = int(evidence.won.sum()) - n_won
    precision = clopper_pearson(n_won, n, each)
    said = {
        "share": clopper_pearson(n, len(passed), each),
        "precision": precision,
        "wins_caught": clopper_pearson(n_won, n_won + n_missed, each),
        "wins_missed": clopper_pearson(n_missed, n_won + n_missed, each),
    }
    if evidence.n_weeks is not None:
        said |= _per_week(n, n_won, n_missed, evidence.n_weeks, each)
        said |= _amounts_per_week(n, n_won, evidence.n_weeks, each, win_value, contact_cost)
    if win_value is not None and contact_cost is not None:
        said["value_per_contact"] = _scaled(precision, win_value, -contact_cost)
    row = {"threshold": threshold, "n_leads": n, "n_won": n_won}
    for name, interval in said.items():
        row |= {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return {name: None if np.isnan(value) else value for name, value in row.items()}


def _per_week(n: int, n_won: int, n_missed: int, weeks: float, each: float) -> dict[str, Interval]:
    counts = {"leads_per_week": n, "wins_per_week": n_won, "wins_missed_per_week": n_missed}
    return {name: poisson_rate(count, weeks, each) for name, count in counts.items()}


def _amounts_per_week(
    n: int, n_won: int, weeks: float, each: float, win_value: float | None, contact_cost: float | None
) -> dict[str, Interval]:
    if contact_cost is None:
        return {}
    amounts = {"cost_per_week": _scaled(poisson_rate(n, weeks, each), contact_cost)}
    if win_value is not None:
        # Won and lost leads arrive independently; each interval bears half of the error.
        half = 1 - (1 - each) / 2
        won = _scaled(poisson_rate(n_won, weeks, half), win_value - contact_cost)
        lost = _scaled(poisson_rate(n - n_won, weeks, half), -contact_cost)
        sums = (won.estimate + lost.estimate, won.low + lost.low, won.high + lost.high)
        amounts["value_per_week"] = Interval(*sums, each)
    return amounts


def _scaled(interval: Interval, factor: float, shift: float = 0.0) -> Interval:
    ends = sorted((interval.low * factor + shift, interval.high * factor + shift))
    return Interval(interval.estimate * factor + shift, *ends, interval.confidence)
