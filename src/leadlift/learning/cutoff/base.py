"""What every policy is: an object with one method, ``choose(evidence) -> Cutoff``."""

from __future__ import annotations

from abc import ABC, abstractmethod

from sklearn.base import BaseEstimator

from leadlift.exceptions import ConfigError, InputError
from leadlift.learning.cutoff.evidence import Evidence
from leadlift.terms import Cutoff


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


def check_range(name: str, value: float, low: float, high: float, *, open_ends: bool = False) -> None:
    """Raise ConfigError unless a parameter lies between two ends, which count unless `open_ends`."""
    inside = low < value < high if open_ends else low <= value <= high
    if not inside:
        ends = f"({low:g}, {high:g})" if open_ends else f"[{low:g}, {high:g}]"
        msg = f"{name} must lie in {ends}, got {value}"
        raise ConfigError(msg)
