"""Whether a model's probabilities are contradicted by what became of later leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit
from scipy.stats import chi2

from leadlift.learning.calibration import SigmoidCalibrator
from leadlift.learning.cutoff.base import check_range
from leadlift.learning.log_odds import log_loss_each
from leadlift.learning.prior_shift import finite_log_odds
from leadlift.terms import Finding, Severity

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from leadlift.learning.cutoff import Evidence

# A smaller share of the log loss is no reason to distrust a model. A base rate of 10 % that has become 12.5 %
# costs about as much.
MATERIAL_LOSS = 0.01


def drift_finding(
    score: ArrayLike, won: ArrayLike, *, where: str, false_alarm_rate: float = 0.05
) -> Finding | None:
    """Say whether probabilities are clearly and materially contradicted by later outcomes.

    They are if the log-odds, stretched and moved to fit the outcomes (two numbers, as in Platt's scaling),
    pass a likelihood-ratio test against the log-odds as they are, and lower the log loss by at least 1 %.

    Parameters
    ----------
    score : array of float64, shape (n_leads,)
        Probabilities made before the outcomes were known, one row a lead.
    won : array of bool, shape (n_leads,)
    where : str
        Which leads these are, as a person would read it: ``"the first leads after training"``.
    false_alarm_rate : float, default=0.05
        Chance of a finding where the probabilities are right, in (0, 1).

    Returns
    -------
    Finding or None
        LL162; None where nothing is found.

    Raises
    ------
    InputError
        There are no leads.

    Examples
    --------
    >>> drift_finding([0.1] * 500, [True] * 50 + [False] * 450, where="May") is None
    True
    >>> print(drift_finding([0.1] * 500, [True] * 120 + [False] * 380, where="May").message)
    in May 24.0% of 500 leads were won where the scores said 10.0%, and scores made anew would cost ...
    """
    check_range("false_alarm_rate", false_alarm_rate, 0, 1, open_ends=True)
    won = np.asarray(won, dtype=bool)
    z = finite_log_odds(score)
    loss = float(log_loss_each(won, z).mean())
    gain = loss - _refitted_loss(z, won)
    if chi2.sf(2 * len(z) * max(gain, 0.0), 2) > false_alarm_rate or gain < MATERIAL_LOSS * loss:
        return None
    return Finding(
        code="LL162",
        severity=Severity.WARNING,
        title="the model must not be trusted as it is",
        message=(
            f"in {where} {won.mean():.1%} of {len(z):,} leads were won where the scores said "
            f"{expit(z).mean():.1%}, and scores made anew would cost {gain / loss:.0%} less log loss"
        ),
        remedy="refresh the scorer on the latest outcomes, train again often, and watch each block's promise",
        count=len(z),
    )


def _refitted_loss(z: NDArray[np.float64], won: NDArray[np.bool_]) -> float:
    """Least log loss of stretched and moved log-odds; 0 where all leads ended alike."""
    if won.all() or not won.any():
        return 0.0
    return float(log_loss_each(won, logit(SigmoidCalibrator().fit(z, won).transform(z))).mean())


def training_drift(evidence: Evidence, *, false_alarm_rate: float = 0.05) -> tuple[Finding, ...]:
    """Say whether the training data themselves show that a model of the past misjudges what comes after.

    The late leads of training were scored by a learner fitted on the early ones alone; its log-odds, before
    any calibration, are held against what became of them.

    Parameters
    ----------
    evidence : Evidence
        Of a scorer fitted with `as_of`.
    false_alarm_rate : float, default=0.05
        In (0, 1).

    Returns
    -------
    tuple of Finding
        LL162; empty where nothing is found, or the evidence is not later than what was learnt from.
    """
    if evidence.source != "decide slice":
        return ()
    found = drift_finding(
        expit(evidence.log_odds),
        evidence.won,
        where="the late part of the training data, scored by what was learnt from the early part,",
        false_alarm_rate=false_alarm_rate,
    )
    return () if found is None else (found,)
