"""Where a lead qualifies: policies that turn evidence into a cut-off, or say that none is honest.

A policy is an object with one method, ``choose(evidence) -> Cutoff``. A lead passes when
``score >= threshold``; that is decided in :func:`leadlift.learning.cutoff_evidence.passes` and nowhere
else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binom, norm
from sklearn.base import BaseEstimator

from leadlift.exceptions import ConfigError, InputError, NoCutoffError
from leadlift.learning.cutoff_evidence import Evidence, describe, passes
from leadlift.learning.intervals import least_share
from leadlift.terms import Cutoff

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "POLICIES",
    "Capacity",
    "CutoffPolicy",
    "Evidence",
    "FixedThreshold",
    "PrecisionGuarantee",
    "Value",
    "both_stages",
    "describe",
    "get_policy",
    "passes",
]

# Name in leadlift.toml -> "module:Class"; a new policy is one line here and one class anywhere.
POLICIES = {
    "fixed_threshold": "leadlift.learning.cutoff:FixedThreshold",
    "precision_guarantee": "leadlift.learning.cutoff:PrecisionGuarantee",
    "capacity": "leadlift.learning.cutoff:Capacity",
    "value": "leadlift.learning.cutoff:Value",
}


def get_policy(name: str, **parameters: float) -> CutoffPolicy:
    """Return a policy by its registered name.

    Raises
    ------
    ConfigError
        No policy has that name, or it does not take those parameters.
    """
    if name not in POLICIES:
        msg = f"no cut-off policy is called {name!r}; there are {', '.join(POLICIES)}"
        raise ConfigError(msg)
    module, attribute = POLICIES[name].split(":")
    policy = getattr(import_module(module), attribute)
    try:
        chosen = policy(**parameters)
    except TypeError as error:
        takes = ", ".join(policy._get_param_names())
        msg = f"policy {name!r} takes {takes}; got {', '.join(parameters) or 'nothing'}"
        raise ConfigError(msg) from error
    chosen.check()
    return chosen


class CutoffPolicy(ABC, BaseEstimator):
    """Base of the policies.

    A subclass states in ``choose`` how evidence becomes a cut-off and in ``check`` which parameters are
    possible.
    """

    def check(self) -> None:
        """Raise ConfigError where a parameter is impossible."""

    @abstractmethod
    def _choose(self, evidence: Evidence) -> Cutoff: ...

    def choose(self, evidence: Evidence) -> Cutoff:
        """Set the cut-off.

        Parameters
        ----------
        evidence : Evidence

        Returns
        -------
        Cutoff

        Raises
        ------
        ConfigError
            A parameter is impossible, or the evidence lacks what the policy needs.
        InputError
            There is no evidence.
        NoCutoffError
            No cut-off keeps the promise; carries the best that can be promised.
        """
        self.check()
        if len(evidence.score) == 0:
            msg = "a cut-off needs leads with known outcome as evidence, got none"
            raise InputError(msg)
        return self._choose(evidence)


class FixedThreshold(CutoffPolicy):
    """A threshold somebody decided; the evidence says what it does, nothing is promised.

    Parameters
    ----------
    threshold : float, default=0.5
        Calibrated probability in [0, 1].
    """

    def __init__(self, threshold: float = 0.5) -> None:
        self.threshold = threshold

    def check(self) -> None:
        """Raise ConfigError unless the threshold is a probability."""
        _check_range("threshold", self.threshold, 0, 1)

    def _choose(self, evidence: Evidence) -> Cutoff:
        return describe(
            evidence,
            self.threshold,
            policy=f"fixed threshold {self.threshold:g}",
            promise="nothing is promised: the threshold was given, not derived from evidence",
        )


class Value(CutoffPolicy):
    """Contact every lead whose expected win is worth more than the contact: ``p * win_value > contact_cost``.

    Parameters
    ----------
    win_value : float
        What a won lead brings, in any currency, > 0.
    contact_cost : float
        What contacting a lead costs, in the same currency, >= 0 and below `win_value`.
    """

    def __init__(self, win_value: float, contact_cost: float) -> None:
        self.win_value = win_value
        self.contact_cost = contact_cost

    def check(self) -> None:
        """Raise ConfigError unless ``0 <= contact_cost < win_value``."""
        if not (np.isfinite(self.win_value) and 0 <= self.contact_cost < self.win_value):
            msg = (
                f"Value needs 0 <= contact_cost < win_value, got contact_cost={self.contact_cost} "
                f"and win_value={self.win_value}; a contact that costs more than a win is never worth it"
            )
            raise ConfigError(msg)

    def _choose(self, evidence: Evidence) -> Cutoff:
        threshold = self.contact_cost / self.win_value
        passed = passes(evidence.score, threshold)
        profit = self.win_value * int((passed & evidence.won).sum()) - self.contact_cost * int(passed.sum())
        return describe(
            evidence,
            threshold,
            policy=f"value (win {self.win_value:g}, contact {self.contact_cost:g})",
            promise=(
                f"contacting the qualified brought {profit:,.0f} in the evidence of {len(passed):,} leads; "
                "it pays for each lead as long as the scores stay calibrated"
            ),
        )


class Capacity(CutoffPolicy):
    """The best leads that a team can work: so many a week.

    Ties at the edge are broken by the uncalibrated score, so that the volume is met.

    Parameters
    ----------
    per_week : float
        Leads a week, > 0.
    """

    def __init__(self, per_week: float) -> None:
        self.per_week = per_week

    def check(self) -> None:
        """Raise ConfigError unless the capacity is positive."""
        if not (np.isfinite(self.per_week) and self.per_week > 0):
            msg = f"Capacity needs per_week > 0, got {self.per_week}"
            raise ConfigError(msg)

    def _choose(self, evidence: Evidence) -> Cutoff:
        weeks = evidence.n_weeks
        if weeks is None:
            msg = (
                "Capacity counts leads a week, and the leads have no dates. Name a created_at column, "
                "or use precision_guarantee, value or fixed_threshold."
            )
            raise ConfigError(msg)
        # The little added undoes the rounding of a product such as 7 * (61 / 7), which is below 61.
        room = min(int(self.per_week * weeks + 1e-9), len(evidence.score))
        threshold, tie_break = _edge(evidence, room)
        return describe(
            evidence,
            threshold,
            policy=f"capacity {self.per_week:g} a week",
            promise=(
                f"about {self.per_week:g} leads a week qualify while leads arrive as in the "
                f"{weeks:.1f} weeks that the evidence amounts to ({len(evidence.score):,} leads)"
            ),
            tie_break=tie_break,
        )


def _edge(evidence: Evidence, room: int) -> tuple[float, float | None]:
    """Return threshold and tie break of the `room` best leads."""
    if room == 0:
        return float(np.nextafter(evidence.score.max(), 2.0)), None
    order = np.lexsort((-evidence.log_odds, -evidence.score))
    last = order[room - 1]
    threshold = float(evidence.score[last])
    tied_out = room < len(order) and evidence.score[order[room]] == threshold
    return threshold, float(evidence.log_odds[last]) if tied_out else None


class PrecisionGuarantee(CutoffPolicy):
    """Of the leads that qualify, at least `target` are won, with the stated confidence.

    The candidate thresholds are quantiles of the scores, laid down before any label is looked at. From the
    rung where the calibrated scores themselves promise the clearest margin, the ladder is walked down,
    and at each rung the hypothesis "precision is below the target" is tested at level ``1 - confidence``
    with the exact binomial tail ``P(Bin(n, target) >= k)``. The walk stops at the first rung that cannot
    reject; the last that could is the cut-off. Testing in a fixed order keeps the chance of any false
    promise at ``1 - confidence``.

    Source: fixed-sequence testing as in Angelopoulos, Bates, Candès, Jordan, Lei 2021, "Learn then Test",
    arXiv:2110.01052. It assumes that later leads are like those of the evidence.

    Parameters
    ----------
    target : float
        Least share of won among the qualified, in (0, 1).
    confidence : float, default=0.9
        Chance that the promise holds, in (0.5, 1).
    n_rungs : int, default=200
        Candidate thresholds.
    """

    def __init__(self, target: float, confidence: float = 0.9, n_rungs: int = 200) -> None:
        self.target = target
        self.confidence = confidence
        self.n_rungs = n_rungs

    def check(self) -> None:
        """Raise ConfigError unless target and confidence are possible."""
        _check_range("target", self.target, 0, 1, open_ends=True)
        _check_range("confidence", self.confidence, 0.5, 1, open_ends=True)
        _check_range("n_rungs", self.n_rungs, 1, 100_000)

    def _choose(self, evidence: Evidence) -> Cutoff:
        ladder = _ladder(evidence, int(self.n_rungs))
        certified = self._walk(ladder, self.target)
        if certified is None:
            raise self._no_cutoff(evidence, ladder)
        return self._describe(evidence, float(ladder.threshold[certified]), self.target)

    def _walk(self, ladder: _Ladder, target: float) -> int | None:
        """Return the lowest certified rung in the fixed order, or None."""
        start = _clearest_rung(ladder, target)
        p_values = binom.sf(ladder.n_won[start:] - 1, ladder.n[start:], target)
        failed = np.flatnonzero(p_values > 1 - self.confidence)
        n_certified = int(failed[0]) if failed.size else len(p_values)
        return start + n_certified - 1 if n_certified else None

    def _describe(self, evidence: Evidence, threshold: float, target: float) -> Cutoff:
        n, n_won = len(evidence.score), int(evidence.won.sum())
        return describe(
            evidence,
            threshold,
            policy=f"precision guarantee {self.target:g} at {self.confidence:g}",
            promise=(
                f"at least {_percent(target)} of the qualified are won, with {self.confidence:.0%} "
                f"confidence, on the evidence of {n:,} leads ({n_won:,} won)"
            ),
            confidence=self.confidence,
        )

    def _no_cutoff(self, evidence: Evidence, ladder: _Ladder) -> NoCutoffError:
        best = self._best_promise(evidence, ladder)
        n, n_won = len(evidence.score), int(evidence.won.sum())
        instead = "nothing can be promised" if best is None else f"what can be promised: {best.promise}"
        msg = (
            f"no cut-off can promise {_percent(self.target)} won with {self.confidence:.0%} confidence on "
            f"{n:,} leads ({n_won:,} won): {instead}. "
            "Lower the target or the confidence, or bring more leads with known outcome."
        )
        return NoCutoffError(msg, best)

    def _best_promise(self, evidence: Evidence, ladder: _Ladder) -> Cutoff | None:
        """Promise the exact lower bound at one rung, which is chosen before the labels are looked at."""
        rung = _most_promising_rung(ladder, self.confidence)
        bound = least_share(int(ladder.n_won[rung]), int(ladder.n[rung]), self.confidence)
        # Rounded down: a promise must not grow in print. Above the target it would be no second best.
        promised = min(np.floor(bound * 1000) / 1000, self.target)
        if promised == 0:
            return None
        return self._describe(evidence, float(ladder.threshold[rung]), float(promised))


@dataclass(frozen=True)
class _Ladder:
    """Candidate thresholds from high to low, with what lies at or above each."""

    threshold: NDArray[np.float64]
    n: NDArray[np.int64]
    n_won: NDArray[np.int64]
    mean_score: NDArray[np.float64]


def _ladder(evidence: Evidence, n_rungs: int) -> _Ladder:
    order = np.argsort(-evidence.score, kind="stable")
    score, won = evidence.score[order], evidence.won[order]
    places = np.unique(np.ceil(np.linspace(0, 1, n_rungs + 1)[1:] * len(score)).astype(int)) - 1
    thresholds = np.unique(score[places])[::-1]
    n = np.searchsorted(-score, -thresholds, side="right")
    return _Ladder(thresholds, n, np.cumsum(won)[n - 1], np.cumsum(score)[n - 1] / n)


def _clearest_rung(ladder: _Ladder, target: float) -> int:
    """Rung whose calibrated scores exceed the target by most standard errors; labels play no part."""
    margin = (ladder.mean_score - target) * np.sqrt(ladder.n)
    return int(np.argmax(margin))


def _most_promising_rung(ladder: _Ladder, confidence: float) -> int:
    """Rung whose calibrated scores let the highest lower bound be expected; labels play no part."""
    mean = ladder.mean_score
    return int(np.argmax(mean - norm.ppf(confidence) * np.sqrt(mean * (1 - mean) / ladder.n)))


def _percent(share: float) -> str:
    return f"{100 * share:.6g}%"


def both_stages(mql: Cutoff, sql: Cutoff) -> tuple[Cutoff, Cutoff]:
    """Make the two cut-offs coherent: who is sales-qualified is marketing-qualified too.

    Parameters
    ----------
    mql, sql : Cutoff

    Returns
    -------
    tuple of Cutoff
        As given, with the SQL cut-off raised to the MQL one where it was lower, and saying so.
    """
    if _edge_of(sql) >= _edge_of(mql):
        return mql, sql
    note = f"{sql.policy}; raised from {sql.threshold:.4g} to the MQL cut-off"
    return mql, replace(mql, policy=note)


def _edge_of(cutoff: Cutoff) -> tuple[float, float]:
    """Least score that passes and, among leads of that score, least log-odds."""
    return cutoff.threshold, -np.inf if cutoff.tie_break is None else cutoff.tie_break


def _check_range(name: str, value: float, low: float, high: float, *, open_ends: bool = False) -> None:
    inside = low < value < high if open_ends else low <= value <= high
    if not inside:
        ends = f"({low:g}, {high:g})" if open_ends else f"[{low:g}, {high:g}]"
        msg = f"{name} must lie in {ends}, got {value}"
        raise ConfigError(msg)
