"""Paired bootstrap of the difference between two models on the same test leads.

Leads are drawn with replacement, the same draws for every model, so that what makes a lead hard for all of
them cancels (Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13: percentile intervals).
"""

from __future__ import annotations

import numpy as np

from leadlift.terms import Interval

N_DRAWS = 1000
CONFIDENCE = 0.95
# Small enough that a block of draws stays in memory.
DRAWS_A_BLOCK = 100


class PairedBootstrap:
    """Draws of test leads on which any two models are compared.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Labels 0 and 1.
    n_draws : int, default=1000
    random_state : int, default=0
    """

    def __init__(self, y: np.ndarray, n_draws: int = N_DRAWS, random_state: int = 0) -> None:
        rng = np.random.default_rng(random_state)
        n = len(y)
        draws = [np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(n_draws)]
        self.y = np.asarray(y) > 0
        self.counts = np.array(draws, dtype=np.uint8)

    def log_loss(self, score: np.ndarray) -> np.ndarray:
        """Return the log loss on all leads and on each draw, shape (1 + n_draws,)."""
        inside = np.clip(score, 1e-15, 1 - 1e-15)
        loss = -np.log(np.where(self.y, inside, 1 - inside))
        return np.r_[loss.mean(), self.counts @ loss / len(loss)]

    def auc(self, score: np.ndarray) -> np.ndarray:
        """Return the area under the ROC curve on all leads and on each draw, shape (1 + n_draws,)."""
        order = np.argsort(score, kind="stable")
        ordered = score[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        won = self.y[order]
        blocks = [
            np.ones((1, len(order))),
            *np.split(self.counts, range(DRAWS_A_BLOCK, len(self.counts), DRAWS_A_BLOCK)),
        ]
        return np.concatenate([_areas(block[:, order], won, starts) for block in blocks])


def difference(ours: np.ndarray, theirs: np.ndarray, confidence: float = CONFIDENCE) -> Interval:
    """Return ``ours - theirs`` with its percentile interval.

    Parameters
    ----------
    ours, theirs : ndarray of float64, shape (1 + n_draws,)
        A figure on all leads and on the same draws.
    confidence : float, default=0.95
    """
    gap = ours - theirs
    low, high = np.quantile(gap[1:], [0.5 - confidence / 2, 0.5 + confidence / 2])
    return Interval(float(gap[0]), float(low), float(high), confidence)


def _areas(counts: np.ndarray, won: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Areas of rows of counts in ascending order of score; leads of equal score from each of `starts` on."""
    n_won = np.add.reduceat(counts * won, starts, axis=1, dtype=np.float64)
    n_lost = np.add.reduceat(counts * ~won, starts, axis=1, dtype=np.float64)
    lost_below = np.cumsum(n_lost, axis=1) - n_lost / 2
    return (n_won * lost_below).sum(axis=1) / (n_won.sum(axis=1) * n_lost.sum(axis=1))
