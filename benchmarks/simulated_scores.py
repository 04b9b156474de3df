"""Leads whose true probability of being won is known, and scores that are right or wrong in a known way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import beta, norm

from leadlift.learning.cutoff import Evidence

N_QUANTILES = 200_000
BASE_RATE = 0.10


@dataclass(frozen=True)
class Population:
    """All leads there are, as quantiles of their true log-odds.

    Parameters
    ----------
    log_odds : ndarray of float64, shape (n_quantiles,)
        True ones, from low to high.
    draw : callable of (n, generator)
        Returns true log-odds of a sample.
    shift, slope : float
        The log-odds of the score are the true ones, stretched about their mean and shifted.
    """

    log_odds: np.ndarray
    draw: Callable[[int, np.random.Generator], np.ndarray]
    shift: float = 0.0
    slope: float = 1.0

    @classmethod
    def log_normal(cls, spread: float = 1.3, shift: float = 0.0, slope: float = 1.0) -> Population:
        """Return leads whose log-odds are normal, at the base rate."""
        quantiles = spread * norm.ppf((np.arange(N_QUANTILES) + 0.5) / N_QUANTILES)
        mean = brentq(lambda mean: expit(quantiles + mean).mean() - BASE_RATE, -10, 5)
        return cls(mean + quantiles, lambda n, rng: mean + spread * rng.normal(size=n), shift, slope)

    @classmethod
    def beta(cls, a: float, b: float) -> Population:
        """Return leads whose probability has a beta distribution."""
        quantiles = beta.ppf((np.arange(N_QUANTILES) + 0.5) / N_QUANTILES, a, b)
        return cls(logit(quantiles), lambda n, rng: logit(rng.beta(a, b, n)))

    def score(self, log_odds: np.ndarray) -> np.ndarray:
        """Return the score of leads of given true log-odds."""
        return expit(self._mean + self.slope * (log_odds - self._mean) + self.shift)

    def sample(self, n: int, rng: np.random.Generator) -> Evidence:
        """Return scored leads with outcomes."""
        z = self.draw(n, rng)
        return Evidence(self.score(z), z, rng.random(n) < expit(z))

    def precision(self, threshold: float) -> float:
        """Return the true share of won among the leads that score at least a threshold."""
        return float(self._precision_from[self._place(threshold)])

    def recall(self, threshold: float) -> float:
        """Return the share of all wins among the leads that score at least a threshold."""
        return float(self._recall_from[self._place(threshold)])

    def oracle_recall(self, target: float) -> float:
        """Return the recall at the lowest threshold whose true precision reaches a target."""
        return float(self._recall_from[np.argmax(self._precision_from >= target)])

    @cached_property
    def _mean(self) -> float:
        return float(self.log_odds.mean())

    @cached_property
    def _scores(self) -> np.ndarray:
        return self.score(self.log_odds)

    @cached_property
    def _wins_from(self) -> np.ndarray:
        return np.cumsum(expit(self.log_odds)[::-1])[::-1]

    @cached_property
    def _precision_from(self) -> np.ndarray:
        return self._wins_from / np.arange(len(self.log_odds), 0, -1)

    @cached_property
    def _recall_from(self) -> np.ndarray:
        return self._wins_from / self._wins_from[0]

    def _place(self, threshold: float) -> int:
        """Return the place of the first quantile that scores at least a threshold."""
        return min(int(np.searchsorted(self._scores, threshold)), len(self.log_odds) - 1)
