"""The ratio of two shares, with bounds that hold where few or none are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def share_of(k: ArrayLike, n: ArrayLike) -> NDArray[np.float64]:
    """Return ``k / n``, NaN where `n` is 0.

    Examples
    --------
    >>> share_of([1, 0], [4, 0]).tolist()
    [0.25, nan]
    """
    return ratio_of(np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64))


def ratio_of(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``above / below``, NaN where `below` is 0."""
    above, below = np.broadcast_arrays(above, below)
    return np.divide(above, below, out=np.full(below.shape, np.nan), where=below != 0)


def ratio_bounds(
    k: ArrayLike, n: ArrayLike, k_other: ArrayLike, n_other: ArrayLike, confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the bounds of ``(k / n) / (k_other / n_other)`` for independent groups.

    "MOVER-R" of two Wilson intervals (Donner and Zou 2012), which needs no count above 0. Source: Newcombe
    2016, doi:10.1177/0962280213502144.

    Parameters
    ----------
    k, n, k_other, n_other : array of int
        Counts of the group and of the one it is compared with; they broadcast.
    confidence : float, default=0.95

    Returns
    -------
    low, high : ndarray of float64
        At least 0; infinite where nothing bounds the ratio, NaN where a group is empty or neither has a case.

    Examples
    --------
    >>> low, high = ratio_bounds(30, 100, 60, 100)
    >>> round(float(low), 2), round(float(high), 2)
    (0.35, 0.7)
    """
    share, other = share_of(k, n), share_of(k_other, n_other)
    low, high = _wilson(share, n, confidence)
    other_low, other_high = _wilson(other, n_other, confidence)
    said = share + other > 0
    # Rounding may leave the least ratio just below 0.
    least = np.maximum(_ratio_bound(share, low, other, other_high, sign=-1), 0.0)
    most = _ratio_bound(share, high, other, other_low, sign=1)
    return np.where(said, least, np.nan), np.where(said, most, np.nan)


def _wilson(
    share: NDArray[np.float64], n: ArrayLike, confidence: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wilson 1927, doi:10.1080/01621459.1927.10502953."""
    n = np.asarray(n, dtype=np.float64)
    z2 = ndtri((1 + confidence) / 2) ** 2
    middle = (n * share + z2 / 2) / (n + z2)
    reach = np.sqrt(z2 * (n * share * (1 - share) + z2 / 4)) / (n + z2)
    return middle - reach, middle + reach


def _ratio_bound(
    share: NDArray[np.float64],
    bound: NDArray[np.float64],
    other: NDArray[np.float64],
    other_bound: NDArray[np.float64],
    sign: int,
) -> NDArray[np.float64]:
    """Root of a quadratic in the ratio, the lower (sign -1) or the upper; infinite where there is none."""
    product = share * other
    below = other_bound * (2 * other - other_bound)
    root = np.sqrt(np.maximum(product**2 - bound * (2 * share - bound) * below, 0.0))
    above = product + sign * root
    return np.divide(above, below, out=np.full(np.shape(above), np.inf), where=below != 0)
