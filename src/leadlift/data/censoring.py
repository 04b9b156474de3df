"""Young leads: which rows whose horizon is not over have a label all the same, and what each counts for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

Young = Literal["leave out", "weight"]

MAX_WEIGHT = 20.0
"""No row counts for more than so many: one in twenty is the least that is trusted to speak for the rest."""

_MICROSECONDS = "timedelta64[us]"


@dataclass(frozen=True)
class FollowUp:
    """How long rows are followed: the Kaplan-Meier estimate of the probability P(C >= s).

    Parameters
    ----------
    times : numpy.ndarray of timedelta64[us], shape (n_times,)
        Distinct lengths at which a row closed or its follow-up ended, ascending.
    beyond : numpy.ndarray of float64, shape (n_times,)
        Estimate of P(C > time), descending in [0, 1].
    """

    times: np.ndarray
    beyond: np.ndarray

    def reaches(self, lengths: np.ndarray) -> np.ndarray:
        """Return the estimated probability that a row is followed for at least so long.

        Parameters
        ----------
        lengths : numpy.ndarray of timedelta64, any shape

        Returns
        -------
        numpy.ndarray of float64, the same shape
            In [0, 1].
        """
        n_times_before = np.searchsorted(self.times, lengths.astype(_MICROSECONDS), side="left")
        return np.concatenate([[1.0], self.beyond])[n_times_before]


def estimate_follow_up(wait: np.ndarray, follow_up: np.ndarray) -> FollowUp:
    """Estimate how long rows are followed, where a row that closes is lost to follow-up.

    With d(u) rows whose follow-up ends at u while they are open, and r(u) rows that are open and followed
    just then, P(C > s) is the product over u <= s of 1 - d(u) / r(u). A row that closes in the very moment
    in which its follow-up ends is seen to close, so closings at u have left r(u) before.

    Parameters
    ----------
    wait : numpy.ndarray of timedelta64, shape (n,)
        From the moment of observation to the closing, > 0; NaT where that is not known.
    follow_up : numpy.ndarray of timedelta64, shape (n,)
        From the moment of observation to the extract, >= 0.

    Returns
    -------
    FollowUp

    References
    ----------
    Kaplan and Meier (1958), doi:10.1080/01621459.1958.10501452.

    Examples
    --------
    >>> day = np.array([1, 2, 3, 4], dtype="timedelta64[D]")
    >>> never = np.full(4, np.timedelta64("NaT"))
    >>> estimate_follow_up(never, day).reaches(day).tolist()
    [1.0, 0.75, 0.5, 0.25]
    """
    is_closed = wait <= follow_up
    length = np.where(is_closed, wait, follow_up).astype(_MICROSECONDS)
    times, which = np.unique(length, return_inverse=True)
    n_leaving = np.bincount(which, minlength=len(times))
    n_closing = np.bincount(which[is_closed], minlength=len(times))
    n_reaching = np.cumsum(n_leaving[::-1])[::-1]
    n_at_risk = n_reaching - n_closing
    n_ending = n_leaving - n_closing
    return FollowUp(times, np.cumprod(1.0 - n_ending / np.maximum(n_at_risk, 1)))


@dataclass(frozen=True)
class KnownLabels:
    """Which of the rows of one moment of life have a label, and what each counts for.

    Parameters
    ----------
    is_known : numpy.ndarray of bool, shape (n,)
    weight : numpy.ndarray of float64, shape (n,)
        0 where the label is not known.
    n_truncated : int
        Rows whose weight would be above :data:`MAX_WEIGHT` and is held there.
    """

    is_known: np.ndarray
    weight: np.ndarray
    n_truncated: int = 0


def leave_out_young(wait: np.ndarray, follow_up: np.ndarray, horizon: np.timedelta64) -> KnownLabels:
    """Take the rows whose horizon is over, and no other, each for one.

    Parameters
    ----------
    wait, follow_up : numpy.ndarray of timedelta64, shape (n,)
        As for :func:`estimate_follow_up`.
    horizon : numpy.timedelta64
        > 0.

    Returns
    -------
    KnownLabels
    """
    is_mature = follow_up >= horizon
    return KnownLabels(is_mature, is_mature.astype(np.float64))


def weight_young(wait: np.ndarray, follow_up: np.ndarray, horizon: np.timedelta64) -> KnownLabels:
    """Take also the young rows that have closed, each row for all it stands for.

    With T the wait for the closing, C the follow-up, h the horizon and G the estimate of P(C >= s) by
    :func:`estimate_follow_up`, the label of a row is known when C >= min(T, h), and the row weighs
    1 / G(min(T, h)): a row that needed a follow-up that one in four has weighs 4. Where no weight is
    truncated, and some row is mature, the weights add up to the number of rows, known or not.

    Parameters
    ----------
    wait, follow_up : numpy.ndarray of timedelta64, shape (n,)
        As for :func:`estimate_follow_up`, of rows observed at one moment of life.
    horizon : numpy.timedelta64
        > 0.

    Returns
    -------
    KnownLabels
        Weights in [1, 20].

    Notes
    -----
    Assumes that how long a row is followed says nothing about how it ends: follow-up ends with the extract
    and nothing else, and intake, mix of leads and sales process are stable. Where the input of a learner
    changed with time, the weights, which know no inputs, are wrong for it. They also raise the variance: the
    fewer rows have a long follow-up, the larger they are.

    References
    ----------
    Vock et al. (2016), Adapting machine learning techniques to censored time-to-event health record data: a
    general-purpose approach using inverse probability of censoring weighting, doi:10.1016/j.jbi.2016.03.009.

    Examples
    --------
    Four rows, followed for 1, 2, 3 and 4 days; the first closed within its day, the horizon is 3 days.

    >>> days = np.array([1, 2, 3, 4], dtype="timedelta64[D]")
    >>> wait = np.array([1, "NaT", "NaT", "NaT"], dtype="timedelta64[D]")
    >>> weight_young(wait, days, np.timedelta64(3, "D")).weight.round(6).tolist()
    [1.0, 0.0, 1.5, 1.5]
    """
    is_known = (follow_up >= horizon) | (wait <= follow_up)
    needed = np.where(wait <= horizon, wait, horizon)[is_known]
    # Never a division by zero: a known row was itself followed as long as its label needed.
    weight = 1.0 / estimate_follow_up(wait, follow_up).reaches(needed)
    weights = np.zeros(len(wait))
    weights[is_known] = np.minimum(weight, MAX_WEIGHT)
    return KnownLabels(is_known, weights, int((weight > MAX_WEIGHT).sum()))


YOUNG: Mapping[Young, Callable[[np.ndarray, np.ndarray, np.timedelta64], KnownLabels]] = MappingProxyType(
    {"leave out": leave_out_young, "weight": weight_young}
)
"""What can be done with rows whose horizon is not over, by the name a user gives it."""
