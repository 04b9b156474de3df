"""What each lead counts for where not every outcome was to be seen: the inverse of the chance to see it.

Who is worked follows from inputs and a draw, so among leads with equal inputs those worked convert like all:
the learner needs no weights, and without them it varies less. Shares and means over leads with different
inputs do need them: calibration, evidence of cut-offs, and every figure of a test. On simulated leads a
learner that was weighted too found a segment that had turned good later and won less
(``benchmarks/results/feedback.md``); why weights cost a learner that can fit the truth more than they bring:
Shimodaira 2000, doi:10.1016/S0378-3758(00)00115-4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadlift.exceptions import InputError
from leadlift.terms import Interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MAX_INVERSE = 50.0
"""No lead stands for more than so many: one in fifty is the least that is trusted to speak for the rest."""


@dataclass(frozen=True)
class InverseWeights:
    """How many leads each one stands for.

    Parameters
    ----------
    weight : ndarray of float64, shape (n_leads,)
        In [1, 50]; 0 where the outcome was not seen.
    n_clipped : int
        Leads that are held at :data:`MAX_INVERSE`; the leads they stand for count for too little.
    """

    weight: NDArray[np.float64]
    n_clipped: int

    @property
    def n_effective(self) -> float:
        """:func:`effective_size` of the weights."""
        return effective_size(self.weight)


def inverse_propensity(probability: ArrayLike, is_seen: ArrayLike | None = None) -> InverseWeights:
    """Weight each lead whose outcome was seen by ``1 / probability``.

    The sum of weighted values estimates the sum over all leads without bias, seen or not (Horvitz, Thompson
    1952, doi:10.1080/01621459.1952.10483446), as long as each had a chance above 0 and it is known;
    :func:`hajek_mean` varies less. Weights are clipped at :data:`MAX_INVERSE`.

    Parameters
    ----------
    probability : array of float64, shape (n_leads,)
        Chance in (0, 1] that the outcome would be seen, where it was; elsewhere not looked at.
    is_seen : array of bool, shape (n_leads,), optional
        None: all were.

    Returns
    -------
    InverseWeights

    Raises
    ------
    InputError
        A probability of a lead that was seen is outside (0, 1].

    Examples
    --------
    >>> inverse_propensity([1.0, 0.05, 0.05], [True, True, False]).weight.tolist()
    [1.0, 20.0, 0.0]
    """
    p = np.asarray(probability, dtype=np.float64)
    seen = np.ones(len(p), dtype=bool) if is_seen is None else np.asarray(is_seen, dtype=bool)
    wrong = ~((p[seen] > 0) & (p[seen] <= 1))
    if wrong.any():
        msg = f"{wrong.sum()} probabilities of leads that were seen are not in (0, 1], as {p[seen][wrong][0]}"
        raise InputError(msg)
    weight = np.zeros(len(p))
    weight[seen] = np.minimum(1 / p[seen], MAX_INVERSE)
    return InverseWeights(weight, int((p[seen] * MAX_INVERSE < 1).sum()))


def effective_size(weight: ArrayLike) -> float:
    """Return how many equally weighted rows say as much about a mean: ``(sum w)**2 / sum w**2``.

    Source: Kish 1965, Survey Sampling, section 11.7.

    Examples
    --------
    >>> round(effective_size([1] * 1000 + [20] * 450), 1)
    552.5
    """
    w = np.asarray(weight, dtype=np.float64)
    return float(w.sum() ** 2 / (w**2).sum()) if w.any() else 0.0


def hajek_mean(values: ArrayLike, weight: ArrayLike, confidence: float = 0.95) -> Interval:
    """Return the mean under weights over their sum, with its normal interval by linearisation.

    ``m = sum w v / sum w`` has about the variance ``sum (w (v - m))**2 / (sum w)**2`` (Hajek 1971; Sarndal,
    Swensson, Wretman 1992, Model Assisted Survey Sampling, section 5.7).

    Parameters
    ----------
    values : array of float64 or bool, shape (n_rows,)
    weight : array of float64, shape (n_rows,)
        >= 0, not all 0; rows of weight 0 take no part.
    confidence : float, default=0.95
        In (0, 1).

    Returns
    -------
    Interval

    Examples
    --------
    >>> won = [True, False] * 100
    >>> print(hajek_mean(won, [1, 3] * 100))
    0.250 [0.198, 0.302]
    """
    from scipy.special import ndtri

    v, w = np.asarray(values, dtype=np.float64), np.asarray(weight, dtype=np.float64)
    mean = float((w * v).sum() / w.sum())
    error = float(np.sqrt(((w * (v - mean)) ** 2).sum()) / w.sum())
    reach = float(ndtri((1 + confidence) / 2)) * error
    return Interval(mean, mean - reach, mean + reach, confidence)


def kept_by_weight(weight: NDArray[np.float64], random_state: int) -> NDArray[np.bool_]:
    """Draw rows with the chance that the weight of each has of the largest one.

    Those kept are a plain sample of the leads that the weights stand for, on which figures and exact
    intervals need no weights (rejection sampling, as in Park, Li, Bastani, Lee 2021, arXiv:2106.09848).

    Parameters
    ----------
    weight : ndarray of float64, shape (n_rows,)
        >= 0, not all 0.
    random_state : int
        Seed of the draw, which goes by the place of the row.

    Returns
    -------
    ndarray of bool, shape (n_rows,)

    Raises
    ------
    InputError
        A weight is negative or not finite, or none is positive.
    """
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
        msg = "weights of evidence must be finite, >= 0 and not all 0; leave weight out to count every lead"
        raise InputError(msg)
    # A stream of its own: that of the seed alone has drawn the row of each lead.
    chance = np.random.default_rng([random_state, 1]).random(len(weight))
    return chance * weight.max() < weight
