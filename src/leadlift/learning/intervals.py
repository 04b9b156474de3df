"""Exact confidence intervals of shares and rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betainc, betaincinv, gammaincinv

from leadlift.terms import Interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def clopper_pearson(k: int, n: int, confidence: float = 0.95) -> Interval:
    """Return a share with its exact two-sided binomial interval.

    Source: Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> print(clopper_pearson(30, 100))
    0.300 [0.212, 0.400]
    """
    if n == 0:
        return Interval(float("nan"), 0.0, 1.0, confidence)
    low, high = share_bounds(k, n, confidence)
    return Interval(k / n, float(low), float(high), confidence)


def share_bounds(
    k: ArrayLike, n: ArrayLike, confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of the exact two-sided binomial intervals of many shares.

    Source: Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404.

    Parameters
    ----------
    k, n : array of int
        Successes and trials; of no trial nothing is known, from 0 to 1.
    confidence : float, default=0.95

    Returns
    -------
    low, high : ndarray of float64

    Examples
    --------
    >>> low, high = share_bounds([30, 0], [100, 0])
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.212, 0.0], [0.4, 1.0])
    """
    k, n = np.asarray(k), np.asarray(n)
    tail = (1 - confidence) / 2
    low = np.where(k > 0, betaincinv(np.maximum(k, 1), n - k + 1, tail), 0.0)
    high = np.where(k < n, betaincinv(k + 1, np.maximum(n - k, 1), 1 - tail), 1.0)
    return low, high


def poisson_rate(count: int, exposure: float, confidence: float = 0.95) -> Interval:
    """Return a rate with its exact two-sided Poisson interval.

    Source: Garwood 1936, doi:10.1093/biomet/28.3-4.437.
    """
    tail = (1 - confidence) / 2
    low = float(gammaincinv(count, tail)) if count else 0.0
    high = float(gammaincinv(count + 1, 1 - tail))
    return Interval(count / exposure, low / exposure, high / exposure, confidence)


def least_share(k: int, n: int, confidence: float) -> float:
    """Return the exact one-sided lower bound of a share, 0 where `k` is 0.

    It is the largest target that ``P(Bin(n, target) >= k) <= 1 - confidence`` rejects (Clopper and Pearson
    1934, doi:10.1093/biomet/26.4.404).

    Examples
    --------
    >>> round(least_share(30, 100, 0.9), 3)
    0.24
    """
    return float(betaincinv(k, n - k + 1, 1 - confidence)) if k else 0.0


def binomial_tail(k: ArrayLike, n: ArrayLike, share: float) -> NDArray[np.float64]:
    """Return ``P(Bin(n, share) >= k)``, exact, one element for each pair of counts.

    Examples
    --------
    >>> binomial_tail([0, 1, 2], [2, 2, 2], 0.5).round(2).tolist()
    [1.0, 0.75, 0.25]
    """
    k, n = np.asarray(k), np.asarray(n)
    return np.where(k > 0, betainc(np.maximum(k, 1), np.maximum(n - k + 1, 1), share), 1.0)
