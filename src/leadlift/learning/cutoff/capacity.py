"""A cut-off by how many leads a team can work."""

from __future__ import annotations

import numpy as np

from leadlift.exceptions import ConfigError
from leadlift.learning.cutoff.base import CutoffPolicy
from leadlift.learning.cutoff.evidence import Evidence, describe
from leadlift.terms import Cutoff


class Capacity(CutoffPolicy):
    """The best leads that a team can work: so many a week.

    Ties at the edge are broken by the uncalibrated score, so that the volume is met.

    Parameters
    ----------
    per_week : float
        Leads a week, > 0.
    """

    def __init__(self, per_week: float) -> None:
        self.per_week = per_week

    def check(self) -> None:
        """Raise ConfigError unless the capacity is positive."""
        if not (np.isfinite(self.per_week) and self.per_week > 0):
            msg = f"Capacity needs per_week > 0, got {self.per_week}"
            raise ConfigError(msg)

    def _choose(self, evidence: Evidence) -> Cutoff:
        weeks = evidence.n_weeks
        if weeks is None:
            msg = (
                "Capacity counts leads a week, and the leads have no dates. Name a created_at column, "
                "or use precision_guarantee, value or fixed_threshold."
            )
            raise ConfigError(msg)
        # The little added undoes the rounding of a product such as 7 * (61 / 7), which is below 61.
        room = min(int(self.per_week * weeks + 1e-9), len(evidence.score))
        threshold, tie_break = _edge(evidence, room)
        return describe(
            evidence,
            threshold,
            policy=f"capacity {self.per_week:g} a week",
            promise=(
                f"about {self.per_week:g} leads a week qualify while leads arrive as in the "
                f"{weeks:.1f} weeks that the evidence amounts to ({len(evidence.score):,} leads)"
            ),
            tie_break=tie_break,
        )


def _edge(evidence: Evidence, room: int) -> tuple[float, float | None]:
    """Return threshold and tie break of the `room` best leads."""
    if room == 0:
        return float(np.nextafter(evidence.score.max(), 2.0)), None
    order = np.lexsort((-evidence.log_odds, -evidence.score))
    last = order[room - 1]
    threshold = float(evidence.score[last])
    tied_out = room < len(order) and evidence.score[order[room]] == threshold
    return threshold, float(evidence.log_odds[last]) if tied_out else None
