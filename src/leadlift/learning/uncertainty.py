"""How far a probability may be off, from the members of the learner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def jackknife_error(members: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard error of each probability by the delete-a-group jackknife.

    Each of the K members was learnt without one fold of the leads. With p_k the calibrated probability that
    member k gives alone, and m their mean::

        error = sqrt((K - 1) / K * sum_k (p_k - m)^2)

    which is sqrt(K - 1) times the standard deviation over the members: two members share all but two folds
    of their leads, so that their spread alone understates the error.

    It is no confidence interval. It shows how much the score hangs on the leads that happened to be in the
    sample, and shrinks with their number; it does not show what no member could learn (a column that is not
    there, a relation that has changed since), nor the chance in the lead itself, nor the calibrator's error.

    Parameters
    ----------
    members : ndarray of float64, shape (n_members, n_rows)
        Calibrated probabilities.

    Returns
    -------
    ndarray of float64, shape (n_rows,)
        On the scale of the probability; NaN with fewer than two members.

    References
    ----------
    Kott, P. S. (2001). The delete-a-group jackknife. Journal of Official Statistics 17(4), 521-526.

    Examples
    --------
    >>> jackknife_error(np.array([[0.2, 0.5], [0.4, 0.5]])).round(3)
    array([0.1, 0. ])
    """
    n_members, n_rows = members.shape
    if n_members < 2:
        return np.full(n_rows, np.nan)
    return members.std(axis=0) * np.sqrt(n_members - 1)
