"""won_traits(): what won leads have in common that lost ones have not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from leadlift.exceptions import InputError
from leadlift.insight.segments.inputs import known, leads_and_wins
from leadlift.insight.segments.levels import condition_text, learn_levels
from leadlift.insight.segments.rates import MOST_LEVELS, tested_columns
from leadlift.insight.segments.wording import percent
from leadlift.insight.share_ratio import ratio_bounds

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def won_traits(
    values: Any,
    won: ArrayLike,
    *,
    columns: Sequence[str] | None = None,
    confidence: float = 0.95,
    false_discovery_rate: float = 0.05,
    least_leads: int = 30,
    most_levels: int = MOST_LEVELS,
) -> pa.Table:
    """Compare how common each trait is among won and among lost leads.

    The traits are the segments of :func:`leadlift.insight.segments.rates.segments`, read the other way
    round: not how often software companies are won, but how many of the won are software companies. The
    test whether both shares are equal is the same one.

    Parameters
    ----------
    values : table
        pyarrow, pandas or polars, one row a lead.
    won : array of bool, shape (n_leads,)
        Only leads whose outcome is known; both outcomes.
    columns : sequence of str, optional
        All that hold text, numbers or booleans by default.
    confidence : float, default=0.95
        Of the interval of each ratio.
    false_discovery_rate : float, default=0.05
        Expected share of false ones among the traits said to be typical.
    least_leads : int, default=30
        Traits of fewer leads are too few to say anything of.
    most_levels : int, default=20
        Levels of a category that are traits of their own.

    Returns
    -------
    pyarrow.Table
        One row a trait, the one with the largest surplus among won leads first: ``column``, ``segment``
        (string); ``n``, ``won``, ``lost`` (int64); ``share_of_won``, ``share_of_lost``, their ``ratio``
        with ``low`` and ``high`` (Newcombe 2016), ``p_value`` and ``q_value`` (float64, null where unknown);
        ``typical``, more common among the won after correction for all looks (bool); ``too_few`` (bool);
        ``text``, the trait as a sentence (string).

    Raises
    ------
    InputError
        All leads are won or all are lost, there is none, an outcome is not known, or lengths differ.
    SchemaError
        A column is not there, or holds neither text nor numbers nor booleans.

    Examples
    --------
    >>> leads = pa.table({"industry": ["software"] * 50 + ["retail"] * 50})
    >>> won_traits(leads, [True] * 40 + [False] * 50 + [True] * 10)["text"][0].as_py()
    'industry is software for 80% of the won leads and 20% of the lost ones'
    """
    values, won = leads_and_wins(values, won, columns)
    n_won, n_lost = int(won.sum()), int((~won).sum())
    if not (n_won and n_lost):
        msg = (
            f"traits of won leads are found by comparing them with lost ones; got {n_won} won, {n_lost} lost"
        )
        raise InputError(msg)
    counts = pa.concat_tables([_counts(name, values[name], won, most_levels) for name in values.column_names])
    n, k, lost = (counts[name].to_numpy() for name in ("n", "won", "lost"))
    of_won, of_lost = k / n_won, lost / n_lost
    low, high = ratio_bounds(k, n_won, lost, n_lost, confidence)
    # Where no lost lead has the trait, nothing bounds the ratio.
    low, high = np.where(lost > 0, (low, high), np.nan)
    tested = tested_columns(n, k, len(won), n_won, false_discovery_rate, least_leads)
    differs = np.asarray(tested.pop("differs"))
    table = {name: counts[name] for name in ("column", "segment", "n", "won", "lost")}
    table |= {"share_of_won": of_won, "share_of_lost": of_lost}
    table |= {"ratio": known(of_won / np.where(lost > 0, of_lost, np.nan)), "low": known(low)}
    table |= {"high": known(high), **tested, "typical": differs & (of_won > of_lost)}
    table |= {"too_few": n < least_leads, "text": _sentences(counts["condition"], of_won, of_lost)}
    return _largest_surplus_first(pa.table(table), of_won - of_lost)


def _counts(name: str, column: pa.ChunkedArray, won: NDArray[np.bool_], most_levels: int) -> pa.Table:
    """Count won and lost leads by segment of one column."""
    levels = learn_levels(name, column, most_levels)
    codes = levels.codes(column)
    n = np.bincount(codes, minlength=len(levels.names))
    n_won = np.bincount(codes[won], minlength=len(levels.names))
    has_leads = pa.array(n > 0)
    told = [condition_text(name, levels, [code]) for code in range(len(n))]
    named = {"column": [name] * len(n), "segment": levels.names, "condition": told}
    return pa.table(named | {"n": n, "won": n_won, "lost": n - n_won}).filter(has_leads)


def _sentences(conditions: pa.ChunkedArray, of_won: NDArray, of_lost: NDArray) -> list[str]:
    shares = zip(conditions.to_pylist(), of_won, of_lost, strict=True)
    return [
        f"{condition} for {percent(won)} of the won leads and {percent(lost)} of the lost ones"
        for condition, won, lost in shares
    ]


def _largest_surplus_first(table: pa.Table, surplus: NDArray[np.float64]) -> pa.Table:
    """Sort by what won leads have more; equal ones keep the order of the columns."""
    return table.take(np.argsort(-surplus, kind="stable"))
