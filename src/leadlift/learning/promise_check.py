"""Whether a cut-off may still promise what it promised, asked before the new leads' outcomes are known.

The promise of a precision guarantee rests on one assumption: later leads are like those of the evidence.
:func:`check_promise` looks for signs that they are not, in the scores of the new leads and in the outcomes
that have become known since, and calls the promise void where a sign is clear *and* says that the promised
precision will be missed, or that nobody can say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit
from scipy.stats import binom, chi2_contingency

from leadlift.exceptions import ConfigError
from leadlift.learning.cutoff import passes
from leadlift.learning.cutoff.base import check_range
from leadlift.learning.prior_shift import (
    MixtureTest,
    PriorShift,
    mixture_test,
    shift_from_labels,
    shift_from_scores,
)
from leadlift.terms import Finding, Severity

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from leadlift.learning.cutoff import Evidence
    from leadlift.terms import Cutoff

# Scorecard practice calls a population stability index above 0.25 a major shift (Siddiqi 2006, "Credit Risk
# Scorecards").
MAJOR_SHIFT = 0.25
# Tests of one promise, each at its part of the false-alarm rate.
N_TESTS = 5
# Parts in time of the evidence above the cut-off, and the leads each needs for the test to be about right.
N_PARTS = 6
LEAST_OF_PART = 15


@dataclass(frozen=True)
class PromiseCheck:
    """What is known of a promise before the outcomes of the leads it is given for.

    Parameters
    ----------
    reasons : tuple of str
        Why the promise is void, with numbers; empty where nothing speaks against it.
    target : float
        The promised precision.
    expected_precision : float
        Best estimate of the precision among the new leads, from what the checks see.
    n_new, n_qualified : int
        New leads, and how many of them pass the cut-off.
    false_alarm_rate : float
        The chance of a void verdict is at most about this where new leads are like those of the evidence.
    from_labels : PriorShift or None
        Shift of the base rate in the latest outcomes; None without them.
    from_scores : PriorShift
        Shift of the base rate read off the new scores; believable where `mixture` does not object.
    mixture : MixtureTest
        Whether the new scores are a mixture of the won and the lost that the evidence knows.
    """

    reasons: tuple[str, ...]
    target: float
    expected_precision: float
    n_new: int
    n_qualified: int
    false_alarm_rate: float
    from_labels: PriorShift | None
    from_scores: PriorShift
    mixture: MixtureTest

    @property
    def is_void(self) -> bool:
        """Whether the promise must not be relied on."""
        return bool(self.reasons)

    @property
    def verdict(self) -> str:
        """``"void"``, or ``"holds"`` as far as can be seen."""
        return "void" if self.is_void else "holds"

    def finding(self) -> Finding | None:
        """Return LL163 where the promise is void."""
        if not self.is_void:
            return None
        return Finding(
            code="LL163",
            severity=Severity.WARNING,
            title="the promise of the cut-off is void",
            message=f"{self.target:.1%} won of the qualified was promised; " + "; ".join(self.reasons),
            remedy=(
                "refresh the scorer on the latest leads whose outcome is known, or train again; until then "
                "treat the qualified as ranked, not as promised"
            ),
            count=self.n_qualified,
        )


def check_promise(
    cutoff: Cutoff,
    evidence: Evidence,
    new_score: ArrayLike,
    *,
    new_log_odds: ArrayLike | None = None,
    recent: Evidence | None = None,
    target: float | None = None,
    false_alarm_rate: float = 0.05,
) -> PromiseCheck:
    """Judge the promise of a cut-off for new leads before their outcomes are known.

    It is void where

    1. too few of the recent leads above the cut-off were won: ``P(Bin(n, target) <= k)`` is small;
    2. the recent outcomes show that the base rate has clearly fallen, and the precision of the evidence,
       moved by that shift on the log-odds, is below the target;
    3. the new scores show the same (Saerens et al. 2002) while they mix the won and the lost of the evidence;
    4. the new scores clearly mix no won and lost of the evidence, so that nobody can say, and they are far
       away (population stability index above 0.25) or lower above the cut-off than the target needs;
    5. the evidence itself was unsteady: above the cut-off its parts in time clearly differ (chi-square test
       of homogeneity), and more of them miss the target than the confidence of the promise allows.

    Each of the five is tested at a fifth of `false_alarm_rate` (Bonferroni), so that new leads like those
    of the evidence are called void with at most about that chance. No alarm is no proof: what changes the
    outcome alone shows in no score, and few outcomes show little.

    Parameters
    ----------
    cutoff : Cutoff
        With a promised precision.
    evidence : Evidence
        The leads it was decided on.
    new_score : array of float64, shape (n_new,)
        Calibrated probabilities of the leads the promise is given for, one row a lead.
    new_log_odds : array of float64, shape (n_new,), optional
        Uncalibrated; needed only where the cut-off breaks ties.
    recent : Evidence, optional
        Leads later than the evidence whose outcome has become known, scored as `new_score` is.
    target : float, optional
        The promised precision, in (0, 1); None takes that of the cut-off.
    false_alarm_rate : float, default=0.05
        In (0, 1).

    Returns
    -------
    PromiseCheck

    Raises
    ------
    ConfigError
        The cut-off promises no precision and no `target` was given.
    InputError
        There are no new leads, or the evidence holds one outcome or one score only.

    Examples
    --------
    >>> from leadlift.learning.cutoff import Evidence, PrecisionGuarantee
    >>> rng = np.random.default_rng(0)
    >>> log_odds = rng.normal(-2, 1.5, 4000)
    >>> score, won = expit(log_odds), rng.random(4000) < expit(log_odds)
    >>> evidence = Evidence(score[:2000], log_odds[:2000], won[:2000])
    >>> cutoff = PrecisionGuarantee(0.3).choose(evidence)
    >>> check_promise(cutoff, evidence, score[2000:]).verdict
    'holds'
    >>> recent = Evidence(score[2000:], log_odds[2000:], won[2000:] & (rng.random(2000) < 0.5))
    >>> check_promise(cutoff, evidence, score[2000:], recent=recent).verdict
    'void'
    """
    target = _target(cutoff, target)
    check_range("false_alarm_rate", false_alarm_rate, 0, 1, open_ends=True)
    level = false_alarm_rate / N_TESTS
    new_score = np.asarray(new_score, dtype=np.float64)
    new = new_score[_passed(cutoff, new_score, new_log_odds)]
    from_labels = None if recent is None else shift_from_labels(recent.score, recent.won)
    from_scores = shift_from_scores(new_score, evidence.score)
    mixture = mixture_test(new_score, evidence.score, evidence.won)
    is_mixture = mixture.p_value > level
    above = _Known.of(cutoff, evidence)
    reasons = (
        *_too_few_won(cutoff, recent, target, level),
        *_base_rate_fell(from_labels, above, target, level),
        *(_base_rate_fell(from_scores, above, target, level) if is_mixture else ()),
        *(() if is_mixture else _unlike_the_evidence(mixture, above.with_mean_score(new), target)),
        *_unsteady(cutoff, evidence, target, level),
    )
    shift = from_labels or from_scores
    return PromiseCheck(
        reasons,
        target,
        above.moved(shift.log_odds.estimate),
        len(new_score),
        len(new),
        false_alarm_rate,
        from_labels,
        from_scores,
        mixture,
    )


@dataclass(frozen=True)
class _Known:
    """What the evidence says of the leads above the cut-off."""

    log_odds_of_precision: float
    mean_score: float

    @classmethod
    def of(cls, cutoff: Cutoff, evidence: Evidence) -> _Known:
        """Half a lead of either outcome is added, so that a perfect precision can still fall."""
        known = _passed(cutoff, evidence.score, evidence.log_odds)
        precision = (evidence.won[known].sum() + 0.5) / (known.sum() + 1)
        return cls(float(logit(precision)), float(evidence.score[known].mean()) if known.any() else np.nan)

    def moved(self, shift: float) -> float:
        """Precision after a shift of the base rate, which moves the log-odds of both alike."""
        return float(expit(self.log_odds_of_precision + shift))

    def with_mean_score(self, new: NDArray[np.float64]) -> float:
        """Precision among leads that score lower or higher, if scores mean what they meant."""
        if len(new) == 0 or np.isnan(self.mean_score):
            return self.moved(0.0)
        return self.moved(float(logit(new.mean()) - logit(self.mean_score)))


def _target(cutoff: Cutoff, target: float | None) -> float:
    target = cutoff.promised_precision if target is None else target
    if target is None:
        msg = (
            f"the cut-off ({cutoff.policy}) promises no precision, so there is nothing to check; "
            "give the precision it is relied on for as target"
        )
        raise ConfigError(msg)
    check_range("target", target, 0, 1, open_ends=True)
    return target


def _passed(cutoff: Cutoff, score: NDArray[np.float64], log_odds: ArrayLike | None) -> NDArray[np.bool_]:
    tie_break = None if log_odds is None else cutoff.tie_break
    return passes(score, cutoff.threshold, log_odds=log_odds, tie_break=tie_break)


def _too_few_won(cutoff: Cutoff, recent: Evidence | None, target: float, level: float) -> tuple[str, ...]:
    if recent is None:
        return ()
    passed = _passed(cutoff, recent.score, recent.log_odds)
    n, n_won = int(passed.sum()), int(recent.won[passed].sum())
    if binom.cdf(n_won, n, target) > level:
        return ()
    return (f"of the {n:,} latest leads above the cut-off {n_won:,} were won",)


def _base_rate_fell(shift: PriorShift | None, above: _Known, target: float, level: float) -> tuple[str, ...]:
    """One-sided: a base rate that rises keeps the promise."""
    if shift is None or shift.log_odds.estimate >= 0 or shift.p_value / 2 > level:
        return ()
    precision = above.moved(shift.log_odds.estimate)
    if precision >= target:
        return ()
    reason = (
        f"the {shift.source} of {shift.n:,} leads say that the base rate fell from "
        f"{shift.former_base_rate:.1%} to {shift.base_rate.estimate:.1%}, "
        f"which leaves a precision of about {precision:.1%}"
    )
    return (reason,)


def _unlike_the_evidence(mixture: MixtureTest, precision: float, target: float) -> tuple[str, ...]:
    if mixture.stability_index <= MAJOR_SHIFT and precision >= target:
        return ()
    reason = (
        "no base rate explains the new scores from those of the evidence "
        f"(p = {mixture.p_value:.1g}, population stability index {mixture.stability_index:.2f})"
    )
    return (reason,)


def _unsteady(cutoff: Cutoff, evidence: Evidence, target: float, level: float) -> tuple[str, ...]:
    """Whether what happened above the cut-off changed from part to part of the evidence's time."""
    if evidence.as_of is None:
        return ()
    passed = _passed(cutoff, evidence.score, evidence.log_odds)
    won = evidence.won[passed][np.argsort(evidence.as_of[passed], kind="stable")]
    n_parts = min(N_PARTS, len(won) // LEAST_OF_PART)
    if n_parts < 2 or won.all() or not won.any():
        return ()
    parts = np.array_split(won, n_parts)
    n, n_won = np.array([(len(part), part.sum()) for part in parts]).T
    if chi2_contingency([n_won, n - n_won], correction=False).pvalue > level:
        return ()
    n_missed = int((n_won / n < target).sum())
    if n_missed <= (1 - cutoff.confidence) * n_parts:
        return ()
    return (f"in {n_missed} of {n_parts} parts of the evidence's time fewer than promised were won",)
