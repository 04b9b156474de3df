"""What every threshold would have earned: the frontier of value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from leadlift.learning.cutoff.base import check_range
from leadlift.learning.cutoff.evidence import Evidence
from leadlift.learning.cutoff.ladder import quantile_ladder
from leadlift.learning.cutoff.value import Value
from leadlift.learning.intervals import clopper_pearson

FRONTIER_SCHEMA = pa.schema(
    [
        ("threshold", pa.float64()),
        ("leads", pa.int64()),
        ("wins", pa.int64()),
        ("profit", pa.float64()),
        ("profit_low", pa.float64()),
        ("profit_high", pa.float64()),
    ]
)


def value_frontier(
    evidence: Evidence,
    win_value: float,
    contact_cost: float,
    *,
    n_rungs: int = 100,
    confidence: float = 0.95,
) -> pa.Table:
    """Say what contacting the leads above each threshold would have earned.

    ``profit = win_value * wins - contact_cost * leads``, of the leads of the evidence that qualify. Its
    interval is what as many leads like them earn: that of their share of won (Clopper and Pearson 1934,
    doi:10.1093/biomet/26.4.404), at confidence ``1 - (1 - confidence) / n_rows``, so that the intervals hold
    in all rows at once and in the best row too (Bonferroni).

    Parameters
    ----------
    evidence : Evidence
    win_value, contact_cost : float
        As of :class:`leadlift.learning.cutoff.value.Value`.
    n_rungs : int, default=100
        Thresholds, at quantiles of the scores, 1 to 10,000; tied scores leave fewer.
    confidence : float, default=0.95
        Of the intervals, in (0.5, 1).

    Returns
    -------
    pyarrow.Table
        The highest threshold first: ``threshold`` (float64), ``leads`` and ``wins`` (int64) that qualify, and
        ``profit``, ``profit_low``, ``profit_high`` (float64) in the currency of the amounts.

    Raises
    ------
    ConfigError
        An amount is impossible.

    Examples
    --------
    >>> score = np.array([0.1, 0.2, 0.4, 0.8])
    >>> frontier = value_frontier(Evidence(score, score, score > 0.3), 100, 30, n_rungs=4)
    >>> frontier.select(["threshold", "leads", "profit"]).to_pydict()
    {'threshold': [0.8, 0.4, 0.2, 0.1], 'leads': [1, 2, 3, 4], 'profit': [70.0, 140.0, 110.0, 80.0]}
    """
    Value(win_value, contact_cost).check()
    check_range("n_rungs", n_rungs, 1, 10_000)
    check_range("confidence", confidence, 0.5, 1, open_ends=True)
    ladder = quantile_ladder(evidence, int(n_rungs))
    each = 1 - (1 - confidence) / len(ladder.n)
    share = [clopper_pearson(int(k), int(n), each) for k, n in zip(ladder.n_won, ladder.n, strict=True)]
    wins = np.array([[one.estimate, one.low, one.high] for one in share]) * ladder.n[:, None]
    profit, low, high = (win_value * wins - contact_cost * ladder.n[:, None]).T
    columns = [ladder.threshold, ladder.n, ladder.n_won, profit, low, high]
    return pa.table(columns, schema=FRONTIER_SCHEMA)
