"""A threshold that somebody decided."""

from __future__ import annotations

from leadlift.learning.cutoff.base import CutoffPolicy, check_range
from leadlift.learning.cutoff.evidence import Evidence, describe
from leadlift.terms import Cutoff


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
        check_range("threshold", self.threshold, 0, 1)

    def _choose(self, evidence: Evidence) -> Cutoff:
        return describe(
            evidence,
            self.threshold,
            policy=f"fixed threshold {self.threshold:g}",
            promise="nothing is promised: the threshold was given, not derived from evidence",
        )
