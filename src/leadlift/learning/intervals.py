"""Exact confidence intervals of shares and rates."""

from __future__ import annotations

from scipy.stats import beta, chi2

from leadlift.terms import Interval


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
    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, k, n - k + 1)) if k else 0.0
    high = float(beta.ppf(1 - tail, k + 1, n - k)) if k < n else 1.0
    return Interval(k / n, low, high, confidence)


def poisson_rate(count: int, exposure: float, confidence: float = 0.95) -> Interval:
    """Return a rate with its exact two-sided Poisson interval.

    Source: Garwood 1936, doi:10.1093/biomet/28.3-4.437.
    """
    tail = (1 - confidence) / 2
    low = float(chi2.ppf(tail, 2 * count)) / 2 if count else 0.0
    high = float(chi2.ppf(1 - tail, 2 * count + 2)) / 2
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
    return float(beta.ppf(1 - confidence, k, n - k + 1)) if k else 0.0
