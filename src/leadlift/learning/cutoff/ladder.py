"""Candidate cut-offs, laid down before any outcome is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadlift.learning.cutoff.evidence import Evidence, passes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.terms import Cutoff


@dataclass(frozen=True)
class Ladder:
    """Candidate cut-offs from high to low, with what lies at or above each.

    Parameters
    ----------
    threshold : ndarray of float64, shape (n_rungs,)
    n, n_won : ndarray of int64, shape (n_rungs,)
        Leads that pass, and those of them that are won.
    mean_score : ndarray of float64, shape (n_rungs,)
        Mean score of those that pass.
    n_evidence : int
        Leads in all.
    tie_break : float or None
        Of the lowest rung, as in :class:`leadlift.terms.Cutoff`; the other rungs break no ties.
    """

    threshold: NDArray[np.float64]
    n: NDArray[np.int64]
    n_won: NDArray[np.int64]
    mean_score: NDArray[np.float64]
    n_evidence: int
    tie_break: float | None = None

    def edge(self, rung: int) -> tuple[float, float | None]:
        """Return threshold and tie break of a rung."""
        is_lowest = rung == len(self.n) - 1
        return float(self.threshold[rung]), self.tie_break if is_lowest else None

    def from_share(self, share: float) -> int:
        """Return the highest rung that at least a share of the leads pass, or the lowest there is."""
        return min(int(np.searchsorted(self.n, share * self.n_evidence)), len(self.n) - 1)


def quantile_ladder(evidence: Evidence, n_rungs: int, lowest: Cutoff | None = None) -> Ladder:
    """Lay rungs at quantiles of the scores; outcomes are counted but place no rung.

    Parameters
    ----------
    evidence : Evidence
    n_rungs : int
        Rungs before those of equal score fall together.
    lowest : Cutoff, optional
        The lowest rung, whose place no outcome has decided; rungs below it are left out.

    Returns
    -------
    Ladder
    """
    order = np.argsort(-evidence.score, kind="stable")
    score, won = evidence.score[order], evidence.won[order]
    places = np.unique(np.ceil(np.linspace(0, 1, n_rungs + 1)[1:] * len(score)).astype(int)) - 1
    threshold = np.unique(score[places])[::-1]
    n = np.searchsorted(-score, -threshold, side="right")
    n_won = np.r_[0, np.cumsum(won)][n]
    total = np.r_[0.0, np.cumsum(score)][n]
    if lowest is not None:
        passed = passing(evidence, lowest)
        above = n < passed.sum()
        threshold = np.r_[threshold[above], lowest.threshold]
        n = np.r_[n[above], passed.sum()]
        n_won = np.r_[n_won[above], (passed & evidence.won).sum()]
        total = np.r_[total[above], evidence.score[passed].sum()]
    return Ladder(threshold, n, n_won, total / np.maximum(n, 1), len(score), lowest and lowest.tie_break)


def passing(evidence: Evidence, cutoff: Cutoff) -> NDArray[np.bool_]:
    """Say which leads of the evidence pass one threshold for all."""
    return passes(evidence.score, cutoff.threshold, log_odds=evidence.log_odds, tie_break=cutoff.tie_break)


def edge_of_best(evidence: Evidence, n: int) -> tuple[float, float | None]:
    """Return threshold and tie break of the `n` best leads; nobody passes where `n` is 0.

    Leads of equal score are told apart by their log-odds.
    """
    if n == 0:
        return float(np.nextafter(evidence.score.max(), 2.0)), None
    threshold = float(np.partition(evidence.score, -n)[-n])
    above = int((evidence.score > threshold).sum())
    tied = np.sort(evidence.log_odds[evidence.score == threshold])[::-1]
    room = n - above
    return threshold, float(tied[room - 1]) if room < len(tied) else None
