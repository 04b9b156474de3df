"""A cut-off by what a win brings and a contact costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadlift.exceptions import ConfigError, shorten
from leadlift.learning.cutoff.base import CutoffPolicy, promise
from leadlift.learning.cutoff.evidence import Evidence, describe, passes
from leadlift.learning.cutoff.lead_value import paying_thresholds, values_of_leads
from leadlift.terms import Cutoff, LeadValue

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Value(CutoffPolicy):
    """Contact every lead whose expected win is worth more than the contact: ``p * win_value > contact_cost``.

    A lead therefore qualifies from a score of ``contact_cost / win_value`` on, which is the cost-optimal
    threshold of a calibrated probability (Elkan 2001, "The foundations of cost-sensitive learning", IJCAI).
    Where leads differ in what they are worth, each has a threshold of its own.

    Parameters
    ----------
    win_value : float
        What a won lead brings, in any currency, > 0.
    contact_cost : float
        What contacting a lead costs, in the same currency, >= 0 and below `win_value`.
    win_value_column : str, optional
        Input column of the model that says what each lead is worth: the value of a win in the same
        currency, or, with `win_values`, a category. `win_value` stays the value where the column is missing.
    win_values : dict of str to float, optional
        Value of a win by level of `win_value_column`, each > 0; other levels take `win_value`. A segment
        worth no more than a contact is never contacted.
    """

    def __init__(
        self,
        win_value: float,
        contact_cost: float,
        win_value_column: str | None = None,
        win_values: dict[str, float] | None = None,
    ) -> None:
        self.win_value = win_value
        self.contact_cost = contact_cost
        self.win_value_column = win_value_column
        self.win_values = win_values

    def check(self) -> None:
        """Raise ConfigError unless ``0 <= contact_cost < win_value`` and every value is a positive amount."""
        if not (np.isfinite(self.win_value) and 0 <= self.contact_cost < self.win_value):
            msg = (
                f"Value needs 0 <= contact_cost < win_value, got contact_cost={self.contact_cost} "
                f"and win_value={self.win_value}; a contact that costs more than a win is never worth it"
            )
            raise ConfigError(msg)
        if self.win_values is None:
            return
        if self.win_value_column is None:
            msg = "win_values are values by level of a column; name it as win_value_column"
            raise ConfigError(msg)
        odd = [level for level, value in self.win_values.items() if not (np.isfinite(value) and value > 0)]
        if odd:
            msg = f"win_values must be finite amounts > 0, which those of {shorten(odd)} are not"
            raise ConfigError(msg)

    @property
    def per_lead(self) -> LeadValue | None:
        """What each lead is worth; None where all are worth the same."""
        if self.win_value_column is None:
            return None
        values = None if self.win_values is None else dict(self.win_values)
        return LeadValue(self.win_value_column, float(self.contact_cost), float(self.win_value), values)

    @property
    def name(self) -> str:
        """Value of a win and cost of a contact."""
        by = "" if self.win_value_column is None else f" by {self.win_value_column}"
        return f"value (win {self.win_value:g}{by}, contact {self.contact_cost:g})"

    def claim(self, evidence: Evidence, passed: NDArray[np.bool_]) -> str:
        """Say what contacting those who pass brought."""
        profit = (self._value(evidence)[passed & evidence.won]).sum() - self.contact_cost * passed.sum()
        return (
            "contacting pays for each lead that qualifies as long as the scores stay calibrated; the "
            f"{passed.sum():,} that did brought {profit:,.0f}"
        )

    def _value(self, evidence: Evidence) -> NDArray[np.float64]:
        if self.per_lead is None:
            return np.full(len(evidence.score), float(self.win_value))
        return values_of_leads(self.per_lead, evidence.inputs)

    def _choose(self, evidence: Evidence) -> Cutoff:
        threshold = self.contact_cost / self.win_value
        worth = self.per_lead
        edge = threshold if worth is None else paying_thresholds(worth, evidence.inputs)
        claim = self.claim(evidence, passes(evidence.score, edge))
        return describe(
            evidence,
            threshold,
            policy=self.name,
            promise=promise([claim], evidence, guaranteed=False),
            per_lead=worth,
        )
