"""A cut-off with a promise: so many of the qualified are won."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from leadlift.exceptions import NoCutoffError
from leadlift.learning.cutoff.base import check_range, percent
from leadlift.learning.cutoff.evidence import Evidence
from leadlift.learning.cutoff.evidence_needed import what_is_missing
from leadlift.learning.cutoff.guarantee import Guarantee, rounded_down
from leadlift.learning.cutoff.ladder import Ladder, quantile_ladder
from leadlift.learning.intervals import binomial_tail, least_share
from leadlift.terms import Cutoff

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Walks that begin at fixed shares of the leads find a cut-off where scores are so far from calibrated that
# the walk from the clearest rung begins at the wrong place; each costs a tenth of the error allowed.
SHARES_OF_STARTS = (0.03, 0.1)
ERROR_OF_START = 0.1


class PrecisionGuarantee(Guarantee):
    """Of the leads that qualify, at least `target` are won, with the stated confidence.

    The candidate thresholds are quantiles of the scores, laid down before any label is looked at. At each
    rung the hypothesis "precision is below the target" is tested with the exact binomial tail
    ``P(Bin(n, target) >= k)``, from high scores to low, by the fallback procedure: eight tenths of the error
    ``1 - confidence`` are allowed where the calibrated scores themselves promise the clearest margin, a tenth
    each at the rungs that 3 and 10 % of the leads pass, and a rung that is certified hands what it was
    allowed to the next one. The lowest certified rung is the cut-off. The chance of any false promise on the
    ladder is at most ``1 - confidence``, whether the scores are calibrated or not; calibrated ones make it
    likelier that a cut-off is found.

    Source: the fallback procedure of Wiens 2003, doi:10.1002/pst.64, for the tests of Angelopoulos, Bates,
    Candès, Jordan, Lei 2021, "Learn then Test", arXiv:2110.01052. It assumes that the evidence holds each
    lead once and that later leads are like those of the evidence.

    Parameters
    ----------
    target : float
        Least share of won among the qualified, in (0, 1).
    confidence : float, default=0.9
        Chance that the promise holds, in (0.5, 1).
    n_rungs : int, default=200
        Candidate thresholds.
    """

    promised_field = "promised_precision"

    def __init__(self, target: float, confidence: float = 0.9, n_rungs: int = 200) -> None:
        self.target = target
        self.confidence = confidence
        self.n_rungs = n_rungs

    def check(self) -> None:
        """Raise ConfigError unless target, confidence and rungs are possible."""
        super().check()
        check_range("n_rungs", self.n_rungs, 1, 100_000)

    @property
    def name(self) -> str:
        """Target and confidence."""
        return f"precision guarantee {self.target:g} at {self.confidence:g}"

    def claim_of(self, target: float) -> str:
        """Say the promise of a target, confidence included."""
        return f"at least {percent(target)} of the qualified are won, with {self.confidence:.0%} confidence"

    def _choose(self, evidence: Evidence) -> Cutoff:
        ladder = quantile_ladder(evidence, int(self.n_rungs))
        certified = np.flatnonzero(self.admits(evidence, ladder))
        if not certified.size:
            raise self.no_cutoff(evidence, ladder)
        return self._promise(evidence, ladder.edge(int(certified[-1])), self.target)

    def admits(self, evidence: Evidence, ladder: Ladder) -> NDArray[np.bool_]:
        """Say which rungs are certified, all of them at once with the confidence of the policy.

        Parameters
        ----------
        evidence : Evidence
        ladder : Ladder
            No outcome may have placed a rung.

        Returns
        -------
        ndarray of bool, shape (n_rungs,)
        """
        allowed = np.zeros(len(ladder.n))
        for share in SHARES_OF_STARTS:
            allowed[ladder.from_share(share)] += ERROR_OF_START
        allowed[_clearest_rung(ladder, self.target)] += 1 - ERROR_OF_START * len(SHARES_OF_STARTS)
        p_values = binomial_tail(ladder.n_won, ladder.n, self.target)
        return _fallback(p_values, allowed * (1 - self.confidence))

    def no_cutoff(self, evidence: Evidence, ladder: Ladder) -> NoCutoffError:
        """Return the error that no rung is certified, with the best that can be promised at one."""
        best = self._best_promise(evidence, ladder)
        n, n_won = len(evidence.score), int(evidence.won.sum())
        instead = "nothing can be promised" if best is None else f"what can be promised: {best.promise}"
        msg = (
            f"no cut-off can promise {percent(self.target)} won with {self.confidence:.0%} confidence on "
            f"{n:,} leads ({n_won:,} won): {instead}. "
            f"{what_is_missing(ladder, self.target, self.confidence)} "
            "Lower the target or the confidence, or bring more leads with known outcome."
        )
        return NoCutoffError(msg, best)

    def _best_promise(self, evidence: Evidence, ladder: Ladder) -> Cutoff | None:
        """Promise the exact lower bound at one rung, which is chosen before the labels are looked at."""
        rung = _most_promising_rung(ladder, self.confidence)
        bound = least_share(int(ladder.n_won[rung]), int(ladder.n[rung]), self.confidence)
        # Above the target it would be no second best.
        promised = min(rounded_down(bound), self.target)
        return self._promise(evidence, ladder.edge(rung), promised) if promised else None


def _fallback(p_values: NDArray[np.float64], allowed: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Test in order; a hypothesis that is rejected hands the error it was allowed to the next one."""
    rejected = np.zeros(len(p_values), dtype=bool)
    handed_on = 0.0
    for rung, p_value in enumerate(p_values):
        level = allowed[rung] + handed_on
        rejected[rung] = level > 0 and p_value <= level
        handed_on = level if rejected[rung] else 0.0
    return rejected


def _clearest_rung(ladder: Ladder, target: float) -> int:
    """Rung whose calibrated scores exceed the target by most standard errors; labels play no part."""
    margin = (ladder.mean_score - target) * np.sqrt(ladder.n)
    return int(np.argmax(margin))


def _most_promising_rung(ladder: Ladder, confidence: float) -> int:
    """Rung whose calibrated scores let the highest lower bound be expected; labels play no part."""
    mean = ladder.mean_score
    noise = np.sqrt(mean * (1 - mean) / np.maximum(ladder.n, 1))
    return int(np.argmax(mean - ndtri(confidence) * noise))
