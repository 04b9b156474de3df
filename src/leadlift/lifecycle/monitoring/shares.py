"""Shares of won leads, weighted or not, and their exact tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betainc, betaincinv

from leadlift.learning.propensity import effective_size
from leadlift.terms import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Share:
    """Won leads among some leads, as many as they amount to.

    With weights the share is Hájek's, ``sum w y / sum w``, and `n` is Kish's effective size,
    ``(sum w)^2 / sum w^2``; with weights of 1 both are plain counts. Sources: Hájek 1971 (in Godambe, Sprott,
    "Foundations of Statistical Inference"); Kish 1965, "Survey Sampling".

    Parameters
    ----------
    won, n : float
        Won leads and leads, effective; tests and intervals go by these.
    n_leads : int
        Leads that were counted.
    """

    won: float
    n: float
    n_leads: int

    @classmethod
    def of(cls, won: NDArray[np.bool_], weight: NDArray[np.float64]) -> Share:
        """Count won leads.

        Parameters
        ----------
        won : ndarray of bool, shape (n_leads,)
        weight : ndarray of float64, shape (n_leads,)
            Above 0.

        Examples
        --------
        >>> Share.of(np.array([True, False, False]), np.ones(3))
        Share(won=1.0, n=3.0, n_leads=3)
        """
        if not len(won):
            return cls(0.0, 0.0, 0)
        n = effective_size(weight)
        return cls(float(weight[won].sum() / weight.sum() * n), n, len(won))

    @property
    def estimate(self) -> float | None:
        """The share; None of no leads."""
        return self.won / self.n if self.n else None

    def interval(self, confidence: float = 0.95) -> Interval:
        """Return the share with its exact two-sided interval, from 0 to 1 where there are no leads.

        Source: Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404; with weights about exact, as the counts
        are effective ones.
        """
        tail, lost = (1 - confidence) / 2, self.n - self.won
        low = float(betaincinv(self.won, lost + 1, tail)) if self.won > 0 else 0.0
        high = float(betaincinv(self.won + 1, lost, 1 - tail)) if lost > 0 else 1.0
        return Interval(self.estimate if self.n else float("nan"), low, high, confidence)

    def beside(self, n_evidence: float) -> Share:
        """Return the share with the size that a comparison with a share of other leads has.

        What is expected is itself known from `n_evidence` leads only, and a difference of two shares varies
        as the share of ``n m / (n + m)`` leads would. So a million leads refute a score no more than the
        evidence for the score allows.
        """
        return self.as_if(self.n * n_evidence / (self.n + n_evidence) if self.n else 0.0)

    def as_if(self, n: float) -> Share:
        """Return the same share of so many leads."""
        return replace(self, won=self.won / self.n * n if self.n else 0.0, n=n)

    def p_fewer(self, expected: float) -> float:
        """Return ``P(Bin(n, expected) <= won)``: small where too few were won.

        Where the leads' chances differ and `expected` is their mean, the tail is at most about this, since
        the number won varies less than a binomial one (Hoeffding 1956, doi:10.1214/aoms/1177728178);
        :func:`size_by_variance` makes up for it.

        Examples
        --------
        >>> round(Share(1, 2, 2).p_fewer(0.5), 6)
        0.75
        """
        lost = self.n - self.won
        return float(betainc(lost, self.won + 1, 1 - expected)) if lost > 0 else 1.0

    def p_more(self, expected: float) -> float:
        """Return ``P(Bin(n, expected) >= won)``: small where too many were won."""
        return float(betainc(self.won, self.n - self.won + 1, expected)) if self.won > 0 else 1.0

    def p_other(self, expected: float) -> float:
        """Return the two-sided p-value: twice the smaller tail."""
        return min(1.0, 2 * min(self.p_fewer(expected), self.p_more(expected)))


def size_by_variance(score: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Return of how many leads with one chance the share won would vary as it does of these.

    The share of leads with chances p has the variance ``sum w^2 p (1 - p) / (sum w)^2``, less than if all had
    the mean chance; a binomial share of the size returned has the same mean and variance, which approximates
    the Poisson binomial distribution closely (Ehm 1991, doi:10.1016/0167-7152(91)90170-V).

    Parameters
    ----------
    score, weight : ndarray of float64, shape (n_leads,)
        Chances, and weights above 0.

    Returns
    -------
    float
        With equal weights at least the number of leads; the effective number where every chance is 0 or 1.

    Examples
    --------
    >>> [round(size_by_variance(np.array(p), np.ones(2)), 3) for p in ([0.2, 0.2], [0.1, 0.3])]
    [2.0, 2.133]
    """
    mean = (weight * score).sum() / weight.sum()
    variance = (weight**2 * score * (1 - score)).sum() / weight.sum() ** 2
    return float(mean * (1 - mean) / variance) if variance > 0 else effective_size(weight)


def odds_ratio(share: float, expected: float) -> float:
    """Return how many times higher the odds of a share are; infinite or 0 where a share is 0 or 1.

    Examples
    --------
    >>> round(odds_ratio(0.2, 0.1), 3)
    2.25
    """
    above, below = share * (1 - expected), expected * (1 - share)
    return above / below if below > 0 else float("inf") if above > 0 else 1.0


def moved(share: float, ratio: float) -> float:
    """Return the share whose odds are so many times those of a share.

    Examples
    --------
    >>> round(moved(0.1, 2.25), 3)
    0.2
    """
    return ratio * share / (1 - share + ratio * share)


def enough_leads(expected: float, level: float, fall: float = 0.5, power: float = 0.8) -> int:
    """Return how many leads refute a promised share with some power where the true one is `fall` times it.

    By the normal approximation with the variances of both shares.

    Parameters
    ----------
    expected : float
        Promised share, in (0, 1).
    level : float
        Of the one-sided test, in (0, 1).
    fall, power : float
        In (0, 1).

    Returns
    -------
    int

    Examples
    --------
    >>> enough_leads(0.3, 0.002)
    117
    """
    from scipy.special import ndtri

    true = fall * expected
    noise = -ndtri(level) * np.sqrt(expected * (1 - expected)) + ndtri(power) * np.sqrt(true * (1 - true))
    return int(np.ceil((noise / (expected - true)) ** 2))
