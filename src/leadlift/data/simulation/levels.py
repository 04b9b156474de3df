"""Drawing levels of a categorical column, and writing their codes as text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa


def draw_levels(rng: np.random.Generator, shares: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Draw a level for each lead from the distribution of the lead's group.

    Parameters
    ----------
    rng : numpy.random.Generator
        One uniform number is taken from it for each lead.
    shares : ndarray of shape (n_groups, n_levels)
        Weights >= 0; each row is scaled to sum to one.
    rows : ndarray of int, shape (n,)
        Group of each lead, in [0, n_groups).

    Returns
    -------
    ndarray of int8, shape (n,)
        Level of each lead, in [0, n_levels).

    Examples
    --------
    >>> draw_levels(np.random.default_rng(0), np.array([[1, 0], [0, 1]]), np.array([1, 0, 1])).tolist()
    [1, 0, 1]
    """
    shares = np.asarray(shares, dtype=np.float64)
    upper = np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1)
    uniform = rng.random(len(rows))
    codes = np.zeros(len(rows), dtype=np.int8)
    # Level by level instead of an (n, n_levels) comparison: memory stays at one column.
    for level in range(upper.shape[1] - 1):
        codes += uniform >= upper[rows, level]
    return codes


def draw_from(rng: np.random.Generator, weights: Sequence[float], n: int) -> np.ndarray:
    """Draw `n` levels from one distribution; as :func:`draw_levels` with a single group."""
    return draw_levels(rng, np.array([weights]), np.zeros(n, dtype=np.int8))


def sigmoid(log_odds: np.ndarray) -> np.ndarray:
    """Return the probability that belongs to the log-odds.

    Examples
    --------
    >>> float(sigmoid(np.array(0.0)))
    0.5
    """
    return 1.0 / (1.0 + np.exp(-log_odds))


def as_text(levels: Sequence[str | None], codes: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """Write level codes as a string column.

    Parameters
    ----------
    levels : sequence of str or None
        Text of each level; None gives null.
    codes : ndarray of int or bool, shape (n,)
        Level of each lead.
    missing : ndarray of bool, shape (n,), optional
        Leads whose value is null.

    Returns
    -------
    pyarrow.StringArray of length n

    Examples
    --------
    >>> as_text(["no", "yes"], np.array([True, False]), np.array([False, True])).to_pylist()
    ['yes', None]
    """
    indices = pa.array(codes.astype(np.int32), mask=missing)
    return pa.array(levels, type=pa.string()).take(indices)
