"""What is known of a threshold: the leads it is decided on, who passes it, and what it does among them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.learning.cutoff.lead_value import paying_thresholds
from leadlift.learning.propensity import kept_by_weight
from leadlift.terms import Cutoff, LeadValue

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def passes(
    score: ArrayLike,
    threshold: ArrayLike,
    *,
    log_odds: ArrayLike | None = None,
    tie_break: float | None = None,
) -> NDArray[np.bool_]:
    """Say which leads pass: ``score >= threshold``, ties broken by the uncalibrated log-odds where asked.

    Parameters
    ----------
    score : array of float64, shape (n_rows,)
        Calibrated probabilities.
    threshold : float or array of float64, shape (n_rows,)
        From :func:`leadlift.learning.cutoff.lead_value.thresholds`.
    log_odds : array of float64, shape (n_rows,), optional
        Uncalibrated scores; needed only with `tie_break`.
    tie_break : float, optional
        Of the leads whose score equals the threshold, those pass whose log-odds reach this.

    Returns
    -------
    ndarray of bool, shape (n_rows,)

    Examples
    --------
    >>> passes([0.2, 0.3, 0.4], 0.3).tolist()
    [False, True, True]
    """
    score = np.asarray(score)
    passed = score >= threshold
    if tie_break is None:
        return passed
    return passed & ((score > threshold) | (np.asarray(log_odds) >= tie_break))


@dataclass(frozen=True)
class Evidence:
    """Leads with known outcome on which a cut-off is decided; no learner or calibrator was fitted on them.

    Parameters
    ----------
    score : ndarray of float64, shape (n_leads,)
        Calibrated probabilities.
    log_odds : ndarray of float64, shape (n_leads,)
        Uncalibrated scores, which break ties.
    won : ndarray of bool, shape (n_leads,)
    as_of : ndarray of datetime64 or None, shape (n_leads,)
        Moments of scoring; without them nothing can be said per week.
    source : str
        ``"decide slice"``, ``"out-of-fold"`` or ``"given"``.
    share_of_arrivals : float
        Share of the leads that arrived in that time which the evidence holds, in (0, 1].
    inputs : pyarrow.Table of n_leads or None
        Input columns of the leads, for policies that read what a lead is worth; never stored.
    """

    score: NDArray[np.float64]
    log_odds: NDArray[np.float64]
    won: NDArray[np.bool_]
    as_of: NDArray | None = None
    source: str = "given"
    share_of_arrivals: float = 1.0
    inputs: pa.Table | None = field(default=None, repr=False, compare=False)

    @property
    def n_weeks(self) -> float | None:
        """Weeks of arrivals that the evidence amounts to: its length, first to last day included, times
        the share of arrivals it holds. None without dates."""
        if self.as_of is None or self.as_of.dtype.kind != "M":
            return None
        days = (self.as_of.max() - self.as_of.min()) / np.timedelta64(1, "D")
        return (float(days) + 1) / 7 * self.share_of_arrivals

    @property
    def size(self) -> str:
        """How much evidence there is, as a promise says it."""
        return f"on the evidence of {len(self.score):,} leads ({int(self.won.sum()):,} won)"


def gather_evidence(
    score: NDArray[np.float64],
    log_odds: NDArray[np.float64],
    won: NDArray[np.bool_],
    as_of: NDArray | None,
    groups: NDArray | None,
    source: str,
    *,
    random_state: int,
    share_of_arrivals: float = 1.0,
    weight: NDArray[np.float64] | None = None,
    inputs: pa.Table | None = None,
) -> Evidence:
    """Make evidence of scored rows, one row a lead: several moments of one lead are not independent.

    The row of a lead is drawn at random; the earliest ones would make a promise about young leads alone.
    Of weighted rows each is kept with the chance ``weight / largest weight``: those kept are a plain sample
    of the leads that the weights stand for, on which exact binomial tests hold (rejection sampling, as in
    Park, Li, Bastani, Lee 2021, arXiv:2106.09848). It is assumed that the weights are right.

    Parameters
    ----------
    score, log_odds, won, as_of, source, share_of_arrivals
        As in :class:`Evidence`, one element a row.
    groups : ndarray of shape (n_rows,) or None
        Lead of each row, where leads have several.
    random_state : int
        Seed of the draws, which do not depend on the order of the rows.
    weight : ndarray of float64, shape (n_rows,), optional
        How many leads of later time each row stands for, up to a factor; >= 0.
    inputs : pyarrow.Table of n_rows, optional
        As in :class:`Evidence`.

    Returns
    -------
    Evidence

    Raises
    ------
    InputError
        A weight is negative or not finite, or none is positive.
    """
    from leadlift.learning.splitting import one_row_a_lead

    lead = np.zeros(len(score)) if groups is None else np.unique(groups, return_inverse=True)[1]
    moments = np.zeros(len(score)) if as_of is None else as_of
    ties = np.zeros(len(score)) if weight is None else weight
    order = np.lexsort((ties, lead, log_odds, won, moments))
    if groups is not None:
        order = one_row_a_lead(order, lead, random_state=random_state)
    if weight is not None:
        kept = kept_by_weight(weight[order], random_state)
        share_of_arrivals *= float(kept.mean())
        order = order[kept]
    return Evidence(
        score[order],
        log_odds[order],
        won[order],
        None if as_of is None else as_of[order],
        source,
        share_of_arrivals,
        None if inputs is None else inputs.take(pa.array(order)),
    )


def describe(
    evidence: Evidence,
    threshold: float,
    *,
    policy: str,
    promise: str,
    confidence: float = 0.95,
    tie_break: float | None = None,
    per_lead: LeadValue | None = None,
) -> Cutoff:
    """Write down what a threshold does on the evidence.

    Parameters
    ----------
    evidence : Evidence
    threshold : float
    policy, promise : str
        As in :class:`leadlift.terms.Cutoff`.
    confidence : float
        Of the intervals, in (0, 1).
    tie_break : float, optional
    per_lead : LeadValue, optional
        Where leads differ in value; `threshold` is then that of a lead of unknown value.

    Returns
    -------
    Cutoff
    """
    from leadlift.learning.intervals import clopper_pearson, poisson_rate

    edge = threshold if per_lead is None else paying_thresholds(per_lead, evidence.inputs)
    passed = passes(evidence.score, edge, log_odds=evidence.log_odds, tie_break=tie_break)
    n, n_passed = len(passed), int(passed.sum())
    n_won, n_both = int(evidence.won.sum()), int((passed & evidence.won).sum())
    weeks = evidence.n_weeks
    return Cutoff(
        threshold=float(threshold),
        policy=policy,
        promise=promise,
        precision=clopper_pearson(n_both, n_passed, confidence),
        recall=clopper_pearson(n_both, n_won, confidence),
        share=n_passed / n,
        per_week=None if weeks is None else poisson_rate(n_passed, weeks, confidence),
        n_evidence=n,
        n_evidence_won=n_won,
        confidence=confidence,
        evidence=evidence.source,
        tie_break=tie_break,
        n_tied=int((evidence.score == edge).sum()),
        wins_per_week=None if weeks is None else poisson_rate(n_both, weeks, confidence),
        per_lead=per_lead,
    )
