"""Two groups of leads compared by their wins: exact tests, intervals, and a correction for many looks.

Everything takes arrays of counts, one element a comparison.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import false_discovery_control, hypergeom, norm

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def fisher_p_values(won: ArrayLike, n: ArrayLike, other_won: ArrayLike, other_n: ArrayLike) -> NDArray:
    """Return two-sided exact p-values of "both groups win equally often": twice the smaller tail.

    Given how many leads of both groups are won, those of the first are hypergeometric. Source: Fisher 1935,
    "The Logic of Inductive Inference", doi:10.2307/2342435.

    Parameters
    ----------
    won, n, other_won, other_n : array of int, shape (n_comparisons,)
        Won leads and leads of the first and of the second group.

    Returns
    -------
    ndarray of float64, shape (n_comparisons,)
        In [0, 1]; 1 where a group is empty.

    Examples
    --------
    >>> fisher_p_values([9, 3], [10, 10], [1, 3], [10, 10]).round(4).tolist()
    [0.0011, 1.0]
    """
    won, n, other_won, other_n = map(np.asarray, (won, n, other_won, other_n))
    of_all = n + other_n, won + other_won, n
    smaller_tail = np.minimum(hypergeom.cdf(won, *of_all), hypergeom.sf(won - 1, *of_all))
    return np.where((n > 0) & (other_n > 0), np.minimum(1.0, 2 * smaller_tail), 1.0)


def more_often_p_values(won: ArrayLike, n: ArrayLike, other_won: ArrayLike, other_n: ArrayLike) -> NDArray:
    """Return one-sided exact p-values of "the first group does not win more often than the second".

    Parameters
    ----------
    won, n, other_won, other_n : array of int, shape (n_comparisons,)
        As for `fisher_p_values`.

    Returns
    -------
    ndarray of float64, shape (n_comparisons,)

    Examples
    --------
    >>> more_often_p_values([9], [10], [1], [10]).round(4).tolist()
    [0.0005]
    """
    won, n, other_won, other_n = map(np.asarray, (won, n, other_won, other_n))
    return np.where((n > 0) & (other_n > 0), hypergeom.sf(won - 1, n + other_n, won + other_won, n), 1.0)


def difference_bounds(
    won: ArrayLike, n: ArrayLike, other_won: ArrayLike, other_n: ArrayLike, confidence: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return intervals of the difference of two shares, first less second.

    Source: Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I, method 10:
    the distances of both shares to the ends of their Wilson intervals, combined by root of squares.

    Parameters
    ----------
    won, n, other_won, other_n : array of int, shape (n_comparisons,)
        As for `fisher_p_values`; groups of at least one lead.
    confidence : float
        In (0, 1).

    Returns
    -------
    low, high : ndarray of float64, shape (n_comparisons,)
        In [-1, 1].

    Examples
    --------
    >>> low, high = difference_bounds([56], [70], [48], [80], 0.95)
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.0524], [0.3339])
    """
    p, low, high = _wilson(np.asarray(won), np.asarray(n), confidence)
    other_p, other_low, other_high = _wilson(np.asarray(other_won), np.asarray(other_n), confidence)
    difference = p - other_p
    return (
        difference - np.hypot(p - low, other_high - other_p),
        difference + np.hypot(high - p, other_p - other_low),
    )


def q_values(p_values: NDArray[np.float64], is_look: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return p-values corrected for the number of looks; NaN where none was taken.

    Claiming what has ``q <= r`` keeps the expected share of false claims at `r` or below. Source: Benjamini
    and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x; assumes looks that are independent or
    positively dependent. Looks at the levels of one column are not quite that; ``docs/segments.md`` has the
    error rates measured.

    Parameters
    ----------
    p_values : ndarray of float64, shape (n_looks,)
    is_look : ndarray of bool, shape (n_looks,)
        What was too small to be looked at is no look.

    Returns
    -------
    ndarray of float64, shape (n_looks,)

    Examples
    --------
    >>> q_values(np.array([0.01, 0.5, 0.04]), np.array([True, False, True]))
    array([0.02,  nan, 0.04])
    """
    found = np.full(len(p_values), np.nan)
    if is_look.any():
        found[is_look] = false_discovery_control(p_values[is_look], method="bh")
    return found


def _wilson(k: NDArray, n: NDArray, confidence: float) -> tuple[NDArray, NDArray, NDArray]:
    """Return shares with the ends of their score intervals (Wilson 1927, doi:10.2307/2276774)."""
    z = _z(confidence)
    p = k / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return p, middle - half, middle + half


def _z(confidence: float) -> float:
    return float(norm.ppf(0.5 + confidence / 2))
