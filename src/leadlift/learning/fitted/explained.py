"""Log-odds and what they are the sum of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Explained(NamedTuple):
    """Log-odds, and what they are the sum of: ``base + contributions.sum(axis=1)`` is `log_odds`.

    Parameters
    ----------
    log_odds : ndarray of float64, shape (n_rows,)
    members : ndarray of float64, shape (n_members, n_rows)
        What each member of the learner would give alone; no row where it has no members.
    contributions : ndarray of float64, shape (n_rows, n_explained)
        By column, and then by pair of columns that count together.
    base : float
        Log-odds before anything is known of a row.
    """

    log_odds: NDArray[np.float64]
    members: NDArray[np.float64]
    contributions: NDArray[np.float64]
    base: float
