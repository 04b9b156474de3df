"""Cox's intercept and slope: how log-odds would have to be moved and stretched to fit what happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import chdtrc, expit, ndtri

from leadlift.learning.log_odds import log_loss_each
from leadlift.learning.prior_shift import finite_log_odds
from leadlift.terms import Interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MOST_STEPS = 50
# In log-odds; below it neither figures nor tests change.
SMALLEST_STEP = 1e-6


@dataclass(frozen=True)
class CoxFit:
    """How far log-odds have to be moved and stretched.

    Parameters
    ----------
    intercept : Interval
        Shift of the log-odds at a slope of 1; 0 where as many are won as the scores say.
    slope : Interval
        Stretch of the log-odds; 1 where they are as far apart as they should be, below 1 where the scores
        are too extreme.
    slope_p_value : float
        Of the hypothesis that the slope is 1, whatever the intercept (likelihood ratio, chi-square with one
        degree of freedom).
    """

    intercept: Interval
    slope: Interval
    slope_p_value: float


def cox_fit(
    score: ArrayLike,
    won: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    share_of_size: float = 1.0,
    confidence: float = 0.95,
) -> CoxFit | None:
    """Fit ``logit P(won) = intercept + slope * logit(score)`` by maximum likelihood.

    Source: Cox 1958, Biometrika 45:562-565, doi:10.1093/biomet/45.3-4.562. Weights are scaled to the
    effective number of leads.

    Parameters
    ----------
    score : array of float64, shape (n_leads,)
        Probabilities made before the outcomes were known, one row a lead.
    won : array of bool, shape (n_leads,)
    weight : array of float64, shape (n_leads,), optional
        Above 0.
    share_of_size : float, default=1.0
        What the leads count for in test and intervals, in (0, 1]: less than 1 where the scores are uncertain
        themselves.
    confidence : float, default=0.95
        Of the intervals.

    Returns
    -------
    CoxFit or None
        None where all leads have one outcome or one score, or the outcomes are parted by a score, so that no
        finite fit exists.

    Raises
    ------
    InputError
        There are no leads.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(-2, 1, 20_000)
    >>> fit = cox_fit(expit(2 * z), rng.random(20_000) < expit(z))
    >>> print(fit.slope)
    0.509 [0.486, 0.532]
    """
    z, won = finite_log_odds(score), np.asarray(won, dtype=bool)
    weight = np.ones(len(z)) if weight is None else np.asarray(weight, dtype=np.float64)
    weight = weight * weight.sum() / (weight**2).sum() * share_of_size
    if won.all() or not won.any() or np.ptp(z) == 0:
        return None
    ones = np.ones((len(z), 1))
    moved = _fit(ones, z, won, weight, start=(0.0,))
    if moved is None:
        return None
    start = (float(moved.coefficients[0]), 1.0)
    stretched = _fit(np.column_stack([ones, z]), np.zeros(len(z)), won, weight, start=start)
    if stretched is None:
        return None
    reach = float(ndtri((1 + confidence) / 2))
    gain = max(2 * (moved.loss - stretched.loss), 0.0)
    return CoxFit(
        moved.interval(0, reach, confidence),
        stretched.interval(1, reach, confidence),
        float(chdtrc(1, gain)),
    )


@dataclass(frozen=True)
class _Fit:
    coefficients: NDArray[np.float64]
    errors: NDArray[np.float64]
    loss: float

    def interval(self, place: int, reach: float, confidence: float) -> Interval:
        estimate, half = float(self.coefficients[place]), reach * float(self.errors[place])
        return Interval(estimate, estimate - half, estimate + half, confidence)


def _fit(
    features: NDArray[np.float64],
    offset: NDArray[np.float64],
    won: NDArray[np.bool_],
    weight: NDArray[np.float64],
    *,
    start: tuple[float, ...],
) -> _Fit | None:
    """Newton's method on the log-likelihood, each step halved until it helps; None where it does not end."""

    def loss_at(coefficients: NDArray[np.float64]) -> float:
        return float(weight @ log_loss_each(won, offset + features @ coefficients))

    found = np.array(start)
    loss = loss_at(found)
    for _ in range(MOST_STEPS):
        p = expit(offset + features @ found)
        information = features.T @ (features * (weight * p * (1 - p))[:, None])
        if np.linalg.cond(information) > 1 / np.finfo(float).eps:
            return None
        step = np.linalg.solve(information, features.T @ (weight * (won - p)))
        if np.abs(step).max() < SMALLEST_STEP:
            return _Fit(found, np.sqrt(np.diag(np.linalg.inv(information))), loss)
        while (tried := loss_at(found + step)) > loss and np.abs(step).max() >= SMALLEST_STEP:
            step = step / 2
        found, loss = found + step, tried
    return None
