"""A cut-off by what a win brings and a contact costs."""

from __future__ import annotations

import numpy as np

from leadlift.exceptions import ConfigError
from leadlift.learning.cutoff.base import CutoffPolicy
from leadlift.learning.cutoff.evidence import Evidence, describe, passes
from leadlift.terms import Cutoff


class Value(CutoffPolicy):
    """Contact every lead whose expected win is worth more than the contact: ``p * win_value > contact_cost``.

    Parameters
    ----------
    win_value : float
        What a won lead brings, in any currency, > 0.
    contact_cost : float
        What contacting a lead costs, in the same currency, >= 0 and below `win_value`.
    """

    def __init__(self, win_value: float, contact_cost: float) -> None:
        self.win_value = win_value
        self.contact_cost = contact_cost

    def check(self) -> None:
        """Raise ConfigError unless ``0 <= contact_cost < win_value``."""
        if not (np.isfinite(self.win_value) and 0 <= self.contact_cost < self.win_value):
            msg = (
                f"Value needs 0 <= contact_cost < win_value, got contact_cost={self.contact_cost} "
                f"and win_value={self.win_value}; a contact that costs more than a win is never worth it"
            )
            raise ConfigError(msg)

    def _choose(self, evidence: Evidence) -> Cutoff:
        threshold = self.contact_cost / self.win_value
        passed = passes(evidence.score, threshold)
        profit = self.win_value * int((passed & evidence.won).sum()) - self.contact_cost * int(passed.sum())
        return describe(
            evidence,
            threshold,
            policy=f"value (win {self.win_value:g}, contact {self.contact_cost:g})",
            promise=(
                f"contacting the qualified brought {profit:,.0f} in the evidence of {len(passed):,} leads; "
                "it pays for each lead as long as the scores stay calibrated"
            ),
        )
