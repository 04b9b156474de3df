"""Probabilities and log-odds: ``p = 1 / (1 + exp(-z))`` and back, without overflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def expit(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``1 / (1 + exp(-z))``, computed as it stands: no log-odds gets less than a smaller one.

    Parameters
    ----------
    z : ndarray of float64
        Log-odds.

    Returns
    -------
    ndarray of float64
        Probabilities in [0, 1], of the same shape.

    Examples
    --------
    >>> expit(np.array([-1000.0, 0.0, 1000.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-z))


def log_expit(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``log(1 / (1 + exp(-z)))``, in [-inf, 0], of the shape of `z`.

    Examples
    --------
    >>> log_expit(np.array([-1000.0, 0.0])).round(3).tolist()
    [-1000.0, -0.693]
    """
    return np.minimum(z, 0.0) - np.log1p(np.exp(-np.abs(z)))


def logit(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``log(p / (1 - p))`` of probabilities in (0, 1), of the shape of `p`.

    Examples
    --------
    >>> logit(np.array([0.5, 0.75])).round(3).tolist()
    [0.0, 1.099]
    """
    return np.log(p) - np.log1p(-p)
