"""How far the base rate has moved since the scores were calibrated: from labels, or from scores alone.

A change of the base rate alone (the won still look like the won of before, the lost like the lost) moves the
log-odds of every lead by the same amount, ``logit(new base rate) - logit(old base rate)``. With labels that
amount is a maximum-likelihood fit of one number. Without labels it can be read off the distribution of the
new scores, as long as nothing but the base rate has changed, which :func:`mixture_test` examines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.special import expit, logit
from scipy.stats import chi2, norm

from leadlift.exceptions import InputError
from leadlift.learning.log_odds import log_loss_each
from leadlift.terms import Interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

# No shift of the log-odds that a person would believe lies outside; it bounds what one outcome alone says.
LARGEST_SHIFT = 20.0
# Probabilities are kept this far from 0 and 1, where the log-odds are infinite.
SMALLEST_PROBABILITY = 1e-9


@dataclass(frozen=True)
class PriorShift:
    """A shift of all log-odds by the same amount, as a change of the base rate makes it.

    Parameters
    ----------
    log_odds : Interval
        The shift; 0 means that nothing has moved.
    base_rate : Interval
        The base rate that it makes of `former_base_rate`, in [0, 1].
    former_base_rate : float
        The base rate that the scores speak of.
    p_value : float
        Two-sided, of the hypothesis that nothing has moved.
    n : int
        Leads it was estimated on.
    source : str
        ``"labels"`` or ``"scores"``.
    """

    log_odds: Interval
    base_rate: Interval
    former_base_rate: float
    p_value: float
    n: int
    source: str


@dataclass(frozen=True)
class MixtureTest:
    """Whether new scores are a mixture of the won and the lost that the evidence knows.

    Parameters
    ----------
    base_rate : float
        Share of won in the mixture that comes closest, in [0, 1].
    statistic : float
    degrees_of_freedom : int
    p_value : float
        Of the hypothesis that some mixture explains the new scores.
    stability_index : float
        Population stability index between the new scores and the closest mixture, >= 0: how far they are
        apart, whatever the number of leads.
    """

    base_rate: float
    statistic: float
    degrees_of_freedom: int
    p_value: float
    stability_index: float


def shift_from_labels(score: ArrayLike, won: ArrayLike, confidence: float = 0.95) -> PriorShift:
    """Estimate the shift from leads whose outcome is known.

    The maximum-likelihood shift `d` solves ``sum expit(logit(p) + d) = number won``. Its interval holds
    the shifts that a likelihood-ratio test does not reject, which is finite on one side where all leads
    ended alike.

    Parameters
    ----------
    score : array of float64, shape (n_leads,)
        Probabilities published before the outcomes were known, one row a lead.
    won : array of bool, shape (n_leads,)
    confidence : float, default=0.95
        In (0, 1).

    Returns
    -------
    PriorShift

    Raises
    ------
    InputError
        There are no leads.

    Examples
    --------
    >>> print(shift_from_labels([0.1] * 100, [True] * 20 + [False] * 80).base_rate)
    0.200 [0.130, 0.285]
    """
    z, won = finite_log_odds(score), np.asarray(won, dtype=bool)
    n_won = int(won.sum())

    def loss(shift: float) -> float:
        return float(log_loss_each(won, z + shift).sum())

    best = _root(lambda shift: n_won - float(expit(z + shift).sum()))
    least = loss(best)
    allowed = float(chi2.ppf(confidence, 1)) / 2
    low = _root(lambda shift: loss(shift) - least - allowed, high=best)
    high = _root(lambda shift: least + allowed - loss(shift), low=best)
    p_value = float(chi2.sf(max(2 * (loss(0.0) - least), 0.0), 1))
    rates = [float(expit(z + shift).mean()) for shift in (best, low, high)]
    return PriorShift(
        Interval(best, low, high, confidence),
        Interval(*rates, confidence),
        float(expit(z).mean()),
        p_value,
        len(z),
        "labels",
    )


def shift_from_scores(
    new_score: ArrayLike, evidence_score: ArrayLike, confidence: float = 0.95
) -> PriorShift:
    """Estimate the shift from the scores of leads whose outcome nobody knows yet.

    With ``r = pi' / pi`` for the won and ``(1 - pi') / (1 - pi)`` for the lost, the new base rate `pi'`
    maximises ``sum log(r_won p + r_lost (1 - p))`` over the new scores; `pi` is the mean of the evidence's.
    The EM algorithm of Saerens, Latinne, Decaestecker 2002 (Neural Computation 14:21-41,
    doi:10.1162/089976602753284446) climbs to the same maximum: the likelihood is concave in `pi'`, so it is
    the one root of its derivative and is found directly. The interval is that of the curvature on the scale
    of the log-odds, with the uncertainty of `pi` added.

    It assumes calibrated scores and that only the base rate has changed: the won and the lost score as
    before. Test it with :func:`mixture_test`. Scores that hardly tell won from lost give a wide interval.

    Parameters
    ----------
    new_score : array of float64, shape (n_new,)
        Probabilities of the new leads, one row a lead.
    evidence_score : array of float64, shape (n_evidence,)
        Probabilities of leads like those on which the scores were calibrated.
    confidence : float, default=0.95
        In (0, 1).

    Returns
    -------
    PriorShift

    Raises
    ------
    InputError
        There are no leads, or all of the evidence has one score.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> won = rng.random(20_000) < np.repeat([0.1, 0.3], 10_000)
    >>> score = expit(rng.normal(2 * won - 1, 1) * 2 + logit(0.1))
    >>> print(shift_from_scores(score[10_000:], score[:10_000]).base_rate)
    0.282 [0.262, 0.303]
    """
    new, evidence = expit(finite_log_odds(new_score)), expit(finite_log_odds(evidence_score))
    if np.ptp(evidence) == 0:
        msg = f"all {len(evidence)} leads of the evidence have one score, which says nothing about base rates"
        raise InputError(msg)
    former = float(evidence.mean())
    rate = _likeliest_base_rate(new, former)
    shift = float(logit(rate) - logit(former))
    error = _error_of_shift(new, evidence, rate)
    reach = float(norm.ppf((1 + confidence) / 2)) * error
    ends = (shift, shift - reach, shift + reach)
    return PriorShift(
        Interval(*ends, confidence),
        Interval(*(float(expit(logit(former) + end)) for end in ends), confidence),
        former,
        float(2 * norm.sf(abs(shift) / error)),
        len(new),
        "scores",
    )


def mixture_test(
    new_score: ArrayLike, evidence_score: ArrayLike, evidence_won: ArrayLike, n_bins: int = 10
) -> MixtureTest:
    """Test whether any base rate explains the new scores: they must mix the scores of won and lost leads.

    Over bins of the evidence's scores, with shares `q` of the new leads, `f1` of the won and `f0` of the
    lost, the least over `pi` of the Wald statistic of ``q - pi f1 - (1 - pi) f0`` is about chi-square with
    ``bins - 2`` degrees of freedom if the won and the lost score as before (minimum chi-square: Neyman
    1949). A base rate that has moved is no departure; scores that came from elsewhere are.

    Parameters
    ----------
    new_score : array of float64, shape (n_new,)
        One row a lead.
    evidence_score : array of float64, shape (n_evidence,)
    evidence_won : array of bool, shape (n_evidence,)
        Both outcomes are present.
    n_bins : int, default=10
        At most; quantiles of the evidence's scores, and fewer where scores are tied.

    Returns
    -------
    MixtureTest
        With a p-value of 1 where there are fewer than three bins and nothing can be tested.

    Raises
    ------
    InputError
        There are no new leads, or the evidence lacks one of the outcomes.
    """
    new, evidence, won = (
        finite_log_odds(new_score),
        finite_log_odds(evidence_score),
        np.asarray(evidence_won, dtype=bool),
    )
    if won.all() or not won.any():
        msg = f"the evidence must hold won and lost leads, got {int(won.sum())} won of {len(won)}"
        raise InputError(msg)
    edges = np.unique(np.quantile(evidence, np.linspace(0, 1, n_bins + 1)[1:-1], method="lower"))
    edges = edges[edges < evidence.max()]
    of_new, of_won, of_lost = (_Shares.of(z, edges) for z in (new, evidence[won], evidence[~won]))

    def distance(rate: float) -> float:
        return _wald(of_new, of_won, of_lost, rate)

    best = minimize_scalar(distance, bounds=(0.0, 1.0), method="bounded")
    mixture = best.x * of_won.share + (1 - best.x) * of_lost.share
    degrees = len(edges) - 1
    p_value = float(chi2.sf(best.fun, degrees)) if degrees > 0 else 1.0
    return MixtureTest(
        float(best.x), float(best.fun), degrees, p_value, _stability_index(of_new.share, mixture)
    )


@dataclass(frozen=True)
class _Shares:
    """Shares of leads in bins, and how many leads there are."""

    share: NDArray[np.float64]
    n: int

    @classmethod
    def of(cls, z: NDArray[np.float64], edges: NDArray[np.float64]) -> _Shares:
        """Half a lead is added to each bin, so that an empty one is not taken for an impossible one."""
        count = np.bincount(np.searchsorted(edges, z, side="left"), minlength=len(edges) + 1) + 0.5
        return cls(count / count.sum(), len(z))

    def covariance(self) -> NDArray[np.float64]:
        return (np.diag(self.share) - np.outer(self.share, self.share)) / self.n


def _wald(new: _Shares, won: _Shares, lost: _Shares, rate: float) -> float:
    """Wald statistic of the new shares against a mixture; the last bin follows from the others."""
    apart = (new.share - rate * won.share - (1 - rate) * lost.share)[:-1]
    covariance = new.covariance() + rate**2 * won.covariance() + (1 - rate) ** 2 * lost.covariance()
    return float(apart @ np.linalg.solve(covariance[:-1, :-1], apart)) if len(apart) else 0.0


def _stability_index(share: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    return float(((share - expected) * np.log(share / expected)).sum())


def _likeliest_base_rate(new: NDArray[np.float64], former: float) -> float:
    """Root of the likelihood's derivative, at least half a lead away from 0 and 1."""
    least = 0.5 / len(new)

    def slope(rate: float) -> float:
        return float(_score_terms(new, former, rate).sum())

    if slope(least) <= 0:
        return least
    if slope(1 - least) >= 0:
        return 1 - least
    return float(brentq(slope, least, 1 - least))


def _score_terms(new: NDArray[np.float64], former: float, rate: float) -> NDArray[np.float64]:
    """Derivative of each lead's log-likelihood by the new base rate."""
    of_won, of_lost = new / former, (1 - new) / (1 - former)
    return (of_won - of_lost) / (rate * of_won + (1 - rate) * of_lost)


def _error_of_shift(new: NDArray[np.float64], evidence: NDArray[np.float64], rate: float) -> float:
    """Standard error of the shift: the curvature's, and that of the former base rate carried along."""
    former = float(evidence.mean())
    of_curvature = 1 / np.sqrt((_score_terms(new, former, rate) ** 2).sum()) / (rate * (1 - rate))
    error = float(evidence.std() / np.sqrt(len(evidence)))
    ends = (max(former - error, former / 2), min(former + error, (1 + former) / 2))
    low, high = (float(logit(_likeliest_base_rate(new, end)) - logit(end)) for end in ends)
    return float(np.hypot(of_curvature, (high - low) / 2))


def finite_log_odds(score: ArrayLike) -> NDArray[np.float64]:
    """Return the log-odds of probabilities, those of 0 and 1 taken as 1e-9 and 1 - 1e-9.

    Parameters
    ----------
    score : array of float64, shape (n_rows,)

    Returns
    -------
    ndarray of float64, shape (n_rows,)

    Raises
    ------
    InputError
        There are no rows.
    """
    score = np.asarray(score, dtype=np.float64)
    if len(score) == 0:
        msg = "a shift of the base rate needs scored leads, got none"
        raise InputError(msg)
    return logit(np.clip(score, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY))


def _root(
    decreasing: Callable[[float], float], low: float = -LARGEST_SHIFT, high: float = LARGEST_SHIFT
) -> float:
    """Where a decreasing function of the shift is zero, or the end towards which it would be."""
    if decreasing(low) <= 0:
        return low
    if decreasing(high) >= 0:
        return high
    return float(brentq(decreasing, low, high))
