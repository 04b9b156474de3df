"""A cut-off with a promise: so many of the qualified are won."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binom, norm

from leadlift.exceptions import NoCutoffError
from leadlift.learning.cutoff.base import CutoffPolicy, check_range
from leadlift.learning.cutoff.evidence import Evidence, describe
from leadlift.learning.intervals import least_share
from leadlift.terms import Cutoff

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
        check_range("target", self.target, 0, 1, open_ends=True)
        check_range("confidence", self.confidence, 0.5, 1, open_ends=True)
        check_range("n_rungs", self.n_rungs, 1, 100_000)

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
