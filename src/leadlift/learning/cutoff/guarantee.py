"""What the policies share that promise a share with a confidence."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from leadlift.exceptions import NoCutoffError
from leadlift.learning.cutoff.base import CutoffPolicy, check_range, promise
from leadlift.learning.cutoff.evidence import Evidence, describe
from leadlift.learning.cutoff.ladder import Ladder
from leadlift.terms import Cutoff

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Guarantee(CutoffPolicy):
    """A policy that promises at least `target`, with `confidence`.

    A subclass has these two parameters, names the field of :class:`leadlift.terms.Cutoff` in which its
    promise is kept, and states in ``claim_of`` how the promise reads, in ``admits`` where it holds, and in
    ``no_cutoff`` what to say where it holds nowhere.
    """

    promised_field = ""
    target: float
    confidence: float

    def check(self) -> None:
        """Raise ConfigError unless target and confidence are possible."""
        check_range("target", self.target, 0, 1, open_ends=True)
        check_range("confidence", self.confidence, 0.5, 1, open_ends=True)

    def claim(self, evidence: Evidence, passed: NDArray[np.bool_]) -> str:
        """Say what is promised."""
        return self.claim_of(self.target)

    @abstractmethod
    def claim_of(self, target: float) -> str:
        """Say the promise of a target, confidence included."""

    @abstractmethod
    def no_cutoff(self, evidence: Evidence, ladder: Ladder) -> NoCutoffError:
        """Return the error that no rung keeps the promise, with the best that can be promised."""

    def _promise(self, evidence: Evidence, edge: tuple[float, float | None], target: float) -> Cutoff:
        """Write down a threshold and tie break, and what is promised there."""
        cutoff = describe(
            evidence,
            edge[0],
            policy=self.name,
            promise=promise([self.claim_of(target)], evidence, guaranteed=True),
            confidence=self.confidence,
            tie_break=edge[1],
        )
        return replace(cutoff, **{self.promised_field: target})


def rounded_down(bound: float) -> float:
    """Return a bound in whole thousandths: a promise must not grow in print."""
    return float(np.floor(bound * 1000) / 1000)
