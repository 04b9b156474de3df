"""Whether two samples of leads may come from one population, by counts, and correction for many tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LEAST_EXPECTED = 5.0
"""Bins expected to hold fewer rows in either sample are pooled (Cochran 1954, doi:10.2307/3001616)."""


def homogeneity_p_value(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the p-value of Pearson's chi-square test that two samples are spread alike over bins.

    Both samples err: the reference counts with its own size. With a and b rows of a bin, n and m in all,
    the statistic is ``sum (a sqrt(m / n) - b sqrt(n / m))**2 / (a + b)`` with one degree of freedom less
    than bins. Bins in which either sample is expected to hold fewer than 5 rows are pooled first.

    Source: Pearson, K. (1911), doi:10.1093/biomet/8.1-2.250.

    Parameters
    ----------
    one, other : ndarray of float64, shape (n_bins,)
        Rows by bin, at least 0.

    Returns
    -------
    float
        1 where fewer than two bins are left, or a sample is empty.

    Examples
    --------
    >>> alike, moved = np.array([52.0, 48.0]), np.array([75.0, 25.0])
    >>> reference = np.array([500.0, 500.0])
    >>> [round(homogeneity_p_value(new, reference), 7) for new in (alike, moved)]
    [0.7029157, 1.8e-06]
    """
    from scipy.special import chdtrc

    n, m = one.sum(), other.sum()
    if min(n, m) <= 0:
        return 1.0
    a, b = _pooled(np.stack([one, other]), min(n, m) / (n + m))
    if len(a) < 2:
        return 1.0
    statistic = ((a * np.sqrt(m / n) - b * np.sqrt(n / m)) ** 2 / (a + b)).sum()
    return float(chdtrc(len(a) - 1, statistic))


def larger_share_p_value(k: float, n: float, k_reference: float, n_reference: float) -> float:
    """Return the p-value of Fisher's exact test that a share is not larger than in a reference.

    Source: Fisher, R. A. (1922), doi:10.2307/2340521.

    Parameters
    ----------
    k, n : float
        Rows that have the trait, and all rows; rounded to whole rows.
    k_reference, n_reference : float
        The same of the reference.

    Returns
    -------
    float
        P(X >= k) of the hypergeometric distribution; 1 where a sample is empty.

    Examples
    --------
    >>> round(larger_share_p_value(3, 3, 1, 4), 4)  # 4 of 7 have it: C(4, 3) / C(7, 3)
    0.1143
    """
    from scipy.stats import hypergeom

    k, n, k_reference, n_reference = (round(rows) for rows in (k, n, k_reference, n_reference))
    if not (n and n_reference):
        return 1.0
    return float(hypergeom.sf(k - 1, n + n_reference, k + k_reference, n))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number by Holm's step-down procedure.

    Those at most ``level`` are rejected with a chance of at most ``level`` that any of them is true, however
    the tests depend on each other. Source: Holm, S. (1979), https://www.jstor.org/stable/4615733.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = p[order] * (len(p) - np.arange(len(p)))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(p) else steps
    return adjusted.tolist()


def _pooled(counts: NDArray[np.float64], smaller_part: float) -> NDArray[np.float64]:
    """One bin of all that are too small; where that is too small too, the smallest other one with them."""
    counts = counts[:, np.argsort(counts.sum(axis=0), kind="stable")]
    counts = counts[:, counts.sum(axis=0) > 0]
    expected = counts.sum(axis=0) * smaller_part
    n_small = int((expected < LEAST_EXPECTED).sum())
    if n_small and expected[:n_small].sum() < LEAST_EXPECTED:
        n_small += 1
    if not n_small:
        return counts
    pool = counts[:, :n_small].sum(axis=1, keepdims=True)
    return np.hstack([pool, counts[:, n_small:]])
