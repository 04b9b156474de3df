"""A cut-off with a promise: so many of the wins qualify."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadlift.exceptions import NoCutoffError
from leadlift.learning.cutoff.base import percent
from leadlift.learning.cutoff.evidence import Evidence
from leadlift.learning.cutoff.guarantee import Guarantee, rounded_down
from leadlift.learning.cutoff.ladder import Ladder, quantile_ladder
from leadlift.learning.intervals import binomial_tail, least_share
from leadlift.terms import Cutoff

if TYPE_CHECKING:
    from numpy.typing import NDArray


class RecallGuarantee(Guarantee):
    """Of the leads that are won, at least `target` qualify, with the stated confidence: few wins are missed.

    The cut-off is the highest threshold that passes k of the n won leads of the evidence, where k is the
    least number with ``P(Bin(n, target) >= k) <= 1 - confidence``. Since recall can only fall as the
    threshold rises, one test decides: the score of the k-th best won lead is a distribution-free tolerance
    limit, exact where scores differ and cautious where they tie, calibrated or not. With the same chance the
    promise holds for every lower threshold.

    Source: Wilks 1941, doi:10.1214/aoms/1177731788. It assumes that the evidence holds each lead once and
    that later won leads are like those of the evidence; how many leads are won does not matter.

    Parameters
    ----------
    target : float, default=0.8
        Least share of the won leads that qualify, in (0, 1).
    confidence : float, default=0.9
        Chance that the promise holds, in (0.5, 1).

    Examples
    --------
    >>> score = np.linspace(0.01, 1, 100)
    >>> RecallGuarantee(0.8).choose(Evidence(score, score, score > 0.5)).threshold
    0.56
    """

    promised_field = "promised_recall"

    def __init__(self, target: float = 0.8, confidence: float = 0.9) -> None:
        self.target = target
        self.confidence = confidence

    @property
    def name(self) -> str:
        """Target and confidence."""
        return f"recall guarantee {self.target:g} at {self.confidence:g}"

    def claim_of(self, target: float) -> str:
        """Say the promise of a target, confidence included."""
        return f"at least {percent(target)} of the won leads qualify, with {self.confidence:.0%} confidence"

    def _choose(self, evidence: Evidence) -> Cutoff:
        threshold = self._highest_threshold(evidence)
        if threshold is None:
            raise self.no_cutoff(evidence, quantile_ladder(evidence, 1))
        return self._promise(evidence, (threshold, None), self.target)

    def admits(self, evidence: Evidence, ladder: Ladder) -> NDArray[np.bool_]:
        """Say at which rungs the promise holds, at all of them at once with the confidence of the policy.

        Parameters
        ----------
        evidence : Evidence
        ladder : Ladder

        Returns
        -------
        ndarray of bool, shape (n_rungs,)
        """
        n_won = int(evidence.won.sum())
        return binomial_tail(ladder.n_won, n_won, self.target) <= 1 - self.confidence

    def _highest_threshold(self, evidence: Evidence) -> float | None:
        """Return the score of the k-th best won lead, None where there are too few."""
        score = np.sort(evidence.score[evidence.won])[::-1]
        wins = np.arange(1, len(score) + 1)
        enough = binomial_tail(wins, len(score), self.target) <= 1 - self.confidence
        return float(score[np.argmax(enough)]) if enough.any() else None

    def no_cutoff(self, evidence: Evidence, ladder: Ladder) -> NoCutoffError:
        """Return the error that no rung keeps the promise, with the best promise at the lowest."""
        n_won, caught = int(evidence.won.sum()), int(ladder.n_won[-1])
        bound = rounded_down(least_share(caught, n_won, self.confidence))
        best = self._promise(evidence, ladder.edge(len(ladder.n) - 1), bound) if bound else None
        instead = "nothing can be promised" if best is None else f"what can be promised: {best.promise}"
        # All n won leads pass at best, which certifies target ** n <= 1 - confidence.
        needed = int(np.ceil(np.log(1 - self.confidence) / np.log(self.target)))
        missing = f"Bring at least {needed:,} won leads" if n_won < needed else "Let more leads qualify"
        msg = (
            f"no cut-off can promise {percent(self.target)} of the won leads with {self.confidence:.0%} "
            f"confidence on {n_won:,} won leads, {caught:,} of which can qualify: {instead}. "
            f"{missing}, or lower the target or the confidence."
        )
        return NoCutoffError(msg, best)
