"""A threshold that somebody decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadlift.learning.cutoff.base import CutoffPolicy, check_range
from leadlift.learning.cutoff.evidence import Evidence
from leadlift.terms import Cutoff

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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

    @property
    def name(self) -> str:
        """The threshold."""
        return f"fixed threshold {self.threshold:g}"

    def claim(self, evidence: Evidence, passed: NDArray[np.bool_]) -> str:
        """Say what the threshold did."""
        n, n_won = int(passed.sum()), int((passed & evidence.won).sum())
        return (
            f"a score of {self.threshold:g} or more was asked for; {n:,} leads qualified and {n_won:,} of "
            "those were won"
        )

    def _choose(self, evidence: Evidence) -> Cutoff:
        return self._describe(evidence, self.threshold)
