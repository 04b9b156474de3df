"""How much evidence a promise would have needed."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from leadlift.learning.cutoff.base import percent
from leadlift.learning.cutoff.ladder import Ladder
from leadlift.learning.intervals import binomial_tail, least_share

MOST_LEADS = 1_000_000
"""More evidence than this is not worth counting: a target so close to the truth is out of reach."""


def leads_needed(precision: float, target: float, confidence: float) -> int | None:
    """Return the least number of leads whose share of won certifies a target.

    It is the least n for which the exact binomial test rejects ``precision < target`` at level
    ``1 - confidence`` when ``floor(precision * n)`` leads are won. Leads to come are won a little more or
    less often than that, so that twice the number is a safer plan.

    Parameters
    ----------
    precision : float
        Share of the leads that are won, in [0, 1].
    target, confidence : float
        As of :class:`leadlift.learning.cutoff.precision.PrecisionGuarantee`.

    Returns
    -------
    int or None
        None where no number of such leads would do, or more than :data:`MOST_LEADS`.

    Examples
    --------
    >>> leads_needed(0.4, 0.3, 0.9), leads_needed(0.3, 0.3, 0.9)
    (45, None)
    """
    if precision <= target:
        return None
    # The normal approximation, doubled: the exact number lies below it.
    guess = ndtri(confidence) ** 2 * target * (1 - target) / (precision - target) ** 2
    n = np.arange(1, min(2 * guess + 100, MOST_LEADS) + 1).astype(int)
    # The little added undoes the rounding of a product such as 0.29 * 100, which is below 29.
    enough = binomial_tail(np.floor(precision * n + 1e-9).astype(int), n, target) <= 1 - confidence
    return int(n[np.argmax(enough)]) if enough.any() else None


def what_is_missing(ladder: Ladder, target: float, confidence: float) -> str:
    """Say how far the evidence is from a precision: how many leads, won as often as the best ones observed.

    The best of many rungs is the best partly by chance, so the numbers are those of a test that holds for
    all rungs at once (Bonferroni).

    Parameters
    ----------
    ladder : Ladder
    target, confidence : float

    Returns
    -------
    str
        A sentence.
    """
    for_all = 1 - (1 - confidence) / len(ladder.n)
    bounds = [least_share(int(k), int(n), for_all) for k, n in zip(ladder.n_won, ladder.n, strict=True)]
    rung = int(np.argmax(bounds))
    n, k = int(ladder.n[rung]), int(ladder.n_won[rung])
    share = percent(round(k / max(n, 1), 3))
    observed = f"At best {share} of the {n:,} leads from a score of {ladder.threshold[rung]:.3g} on were won"
    needed = leads_needed(k / max(n, 1), target, for_all)
    if needed is None:
        return f"{observed}: no number of such leads certifies {percent(target)}."
    if needed <= n:
        return f"{observed}, where the scores gave no reason to look for it first."
    in_all = int(np.ceil(needed * ladder.n_evidence / n))
    return (
        f"{observed}; {needed:,} such leads, won as often, would certify {percent(target)}: "
        f"about {in_all:,} leads in all."
    )
