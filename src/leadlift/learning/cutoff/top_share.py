"""A cut-off by share: the best so many per cent of the leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadlift.exceptions import ConfigError
from leadlift.learning.cutoff.base import CutoffPolicy, percent
from leadlift.learning.cutoff.evidence import Evidence
from leadlift.learning.cutoff.ladder import edge_of_best
from leadlift.terms import Cutoff

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class TopShare(CutoffPolicy):
    """The best leads, so large a share of all; ties at the edge are broken by the uncalibrated score.

    Parameters
    ----------
    share : float
        Share of the leads that qualify, in (0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> score = np.array([0.1, 0.2, 0.3, 0.4])
    >>> TopShare(0.5).choose(Evidence(score, score, score > 0.2)).threshold
    0.3
    """

    def __init__(self, share: float) -> None:
        self.share = share

    def check(self) -> None:
        """Raise ConfigError unless the share lies in (0, 1]."""
        if not 0 < self.share <= 1:
            msg = f"TopShare needs a share in (0, 1], got {self.share}"
            raise ConfigError(msg)

    @property
    def name(self) -> str:
        """The share."""
        return f"top share {self.share:g}"

    def claim(self, evidence: Evidence, passed: NDArray[np.bool_]) -> str:
        """Say how many qualify."""
        return f"the best {percent(round(float(passed.mean()), 4))} of the leads qualify"

    def _choose(self, evidence: Evidence) -> Cutoff:
        n = len(evidence.score)
        # The little added undoes the rounding of a product such as 0.29 * 100, which is below 29.
        threshold, tie_break = edge_of_best(evidence, int(self.share * n + 1e-9))
        return self._describe(evidence, threshold, tie_break)
