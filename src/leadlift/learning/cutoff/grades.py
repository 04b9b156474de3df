"""Grades with promises: how many of the leads of a band of scores are won, at least."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pyarrow as pa
from scipy.stats import hypergeom

from leadlift.exceptions import ConfigError
from leadlift.learning.cutoff.base import check_range
from leadlift.learning.intervals import clopper_pearson, least_share

LEAST_SUPPORT = 50
"""Leads below which a band's interval is too wide, some 30 points, to promise anything by."""

GRADE_SCHEMA = pa.schema(
    [
        ("grade", pa.string()),
        ("score_from", pa.float64()),
        ("n_leads", pa.int64()),
        ("n_won", pa.int64()),
        ("rate", pa.float64()),
        ("rate_low", pa.float64()),
        ("rate_high", pa.float64()),
        ("promised", pa.float64()),
        ("promise", pa.string()),
        ("confidence", pa.float64()),
        ("note", pa.string()),
    ]
)


def grade_promises(
    thresholds: Mapping[str, float],
    counts: Mapping[str, tuple[int, int]],
    *,
    confidence: float = 0.95,
    least_leads: int = LEAST_SUPPORT,
) -> pa.Table:
    """Promise a conversion rate for each grade, or say that there are too few leads to.

    Of all grades but the last at least the promised share is won, of the last at most. All promises hold at
    once, with the stated confidence, and so do all intervals: each is exact at confidence
    ``1 - (1 - confidence) / n_grades`` (Bonferroni 1936; Clopper and Pearson 1934,
    doi:10.1093/biomet/26.4.404). It is assumed that later leads are like those counted, and that the
    thresholds were laid down without looking at the outcomes.

    Parameters
    ----------
    thresholds : mapping of str to float
        Smallest score of each grade but the last, best grade first.
    counts : mapping of str to (int, int)
        Leads of each grade in the evidence and how many of them were won, best grade first;
        ``bundle.reference.grade_rates``.
    confidence : float, default=0.95
        Chance that all promises hold, in (0.5, 1).
    least_leads : int, default=50
        A grade with fewer leads promises nothing.

    Returns
    -------
    pyarrow.Table
        Columns :data:`GRADE_SCHEMA`, a row a grade: ``score_from`` (0 for the last), ``n_leads`` and
        ``n_won``, ``rate`` won with its two-sided interval, ``promised`` (the one-sided bound, null where
        nothing is promised), ``promise`` (the same in words), ``confidence``, and ``note``: where more of a
        grade are won than of the one above it, beyond what chance explains.

    Raises
    ------
    ConfigError
        A parameter is impossible.

    Examples
    --------
    >>> table = grade_promises({"A": 0.4, "B": 0.2}, {"A": (200, 90), "B": (30, 9), "C": (800, 40)})
    >>> table["promise"].to_pylist()
    ['at least 37.4% are won', 'too few leads to promise anything', 'at most 7.0% are won']
    """
    check_range("confidence", confidence, 0.5, 1, open_ends=True)
    if not counts or list(counts)[:-1] != list(thresholds):
        msg = f"counts need the grades {', '.join(thresholds)} and one below them, got {', '.join(counts)}"
        raise ConfigError(msg)
    each = 1 - (1 - confidence) / len(counts)
    notes = _order_notes(counts, confidence)
    rows = [
        _row(n, n_won, each, least_leads, at_least=grade in thresholds)
        | {"grade": grade, "score_from": thresholds.get(grade, 0.0), "note": notes.get(grade, "")}
        for grade, (n, n_won) in counts.items()
    ]
    return pa.Table.from_pylist([row | {"confidence": confidence} for row in rows], schema=GRADE_SCHEMA)


def _row(n: int, n_won: int, confidence: float, least_leads: int, *, at_least: bool) -> dict[str, object]:
    rate = clopper_pearson(n_won, n, confidence)
    promised = None if n < least_leads else _bound(n_won, n, confidence, at_least=at_least)
    return {
        "n_leads": n,
        "n_won": n_won,
        "rate": rate.estimate if n else None,
        "rate_low": rate.low,
        "rate_high": rate.high,
        "promised": promised,
        "promise": _in_words(promised, at_least=at_least),
    }


def _bound(n_won: int, n: int, confidence: float, *, at_least: bool) -> float | None:
    """Exact one-sided bound, rounded away from what would be promised too much; None where it is empty."""
    if at_least:
        return float(np.floor(1000 * least_share(n_won, n, confidence)) / 1000) or None
    bound = 1 - least_share(n - n_won, n, confidence)
    return float(np.ceil(1000 * bound) / 1000) if bound < 1 else None


def _in_words(promised: float | None, *, at_least: bool) -> str:
    if promised is None:
        return "too few leads to promise anything"
    return f"at {'least' if at_least else 'most'} {100 * promised:.1f}% are won"


def _order_notes(counts: Mapping[str, tuple[int, int]], confidence: float) -> dict[str, str]:
    """Say where a grade is won more often than the one above it, by Fisher's exact test of each pair."""
    level = (1 - confidence) / max(len(counts) - 1, 1)
    notes = {}
    for (above, (n_above, won_above)), (grade, (n, n_won)) in pairwise(counts.items()):
        p_value = hypergeom.sf(n_won - 1, n_above + n, won_above + n_won, n)
        if p_value <= level:
            notes[grade] = (
                f"more of {grade} are won than of {above}, beyond chance: the scores are out of order here"
            )
    return notes
