"""What every policy is: an object with one method, ``choose(evidence) -> Cutoff``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator

from leadlift.exceptions import ConfigError, InputError
from leadlift.learning.cutoff.evidence import Evidence, describe, passes
from leadlift.learning.cutoff.ladder import Ladder, passing
from leadlift.terms import Cutoff

if TYPE_CHECKING:
    from numpy.typing import NDArray


class CutoffPolicy(ABC, BaseEstimator):
    """Base of the policies.

    A subclass states in ``_choose`` how evidence becomes a cut-off, in ``check`` which parameters are
    possible, and in ``name`` and ``claim`` how a person reads it. Its threshold may depend on the scores and
    their moments, not on who was won; a policy that looks at outcomes is a
    :class:`leadlift.learning.cutoff.guarantee.Guarantee`.
    """

    def check(self) -> None:
        """Raise ConfigError where a parameter is impossible."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The policy with its parameters, as a person would read it."""

    @abstractmethod
    def claim(self, evidence: Evidence, passed: NDArray[np.bool_]) -> str:
        """Say of the leads that pass what the policy is about, in one clause without the evidence's size."""

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

    def admits(self, evidence: Evidence, ladder: Ladder) -> NDArray[np.bool_]:
        """Say at which rungs the policy's demand is kept: unless overridden, where no more leads pass than at
        its own cut-off.

        Parameters
        ----------
        evidence : Evidence
        ladder : Ladder
            Of the same evidence.

        Returns
        -------
        ndarray of bool, shape (n_rungs,)
        """
        return ladder.n <= passing(evidence, self.choose(evidence)).sum()

    def _describe(self, evidence: Evidence, threshold: float, tie_break: float | None = None) -> Cutoff:
        """Write down a threshold that comes without a guarantee."""
        passed = passes(evidence.score, threshold, log_odds=evidence.log_odds, tie_break=tie_break)
        return describe(
            evidence,
            threshold,
            policy=self.name,
            promise=promise([self.claim(evidence, passed)], evidence, guaranteed=False),
            tie_break=tie_break,
        )


def promise(claims: Sequence[str], evidence: Evidence, *, guaranteed: bool) -> str:
    """Return the sentence that marketing and sales are told: claims, evidence, and what they are worth.

    Parameters
    ----------
    claims : sequence of str
        From :meth:`CutoffPolicy.claim`.
    evidence : Evidence
    guaranteed : bool
        Whether any claim holds with a stated confidence.

    Returns
    -------
    str
    """
    worth = "" if guaranteed else "; nothing is guaranteed"
    return f"{'; '.join(claims)}, {evidence.size}{worth}"


def check_range(name: str, value: float, low: float, high: float, *, open_ends: bool = False) -> None:
    """Raise ConfigError unless a parameter lies between two ends, which count unless `open_ends`."""
    inside = low < value < high if open_ends else low <= value <= high
    if not inside:
        ends = f"({low:g}, {high:g})" if open_ends else f"[{low:g}, {high:g}]"
        msg = f"{name} must lie in {ends}, got {value}"
        raise ConfigError(msg)


def percent(share: float) -> str:
    """Return a share as a percentage, all digits that it has.

    Examples
    --------
    >>> percent(0.3), percent(0.125)
    ('30%', '12.5%')
    """
    return f"{100 * share:.6g}%"
