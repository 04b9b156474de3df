"""A cut-off by how many leads a team can work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadlift.exceptions import ConfigError
from leadlift.learning.cutoff.base import CutoffPolicy
from leadlift.learning.cutoff.evidence import Evidence
from leadlift.learning.cutoff.ladder import edge_of_best
from leadlift.terms import Cutoff

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Capacity(CutoffPolicy):
    """The best leads that a team can work: so many a week, on average over the evidence.

    Arrivals have seasons, so the promise also says in how many of the weeks more leads would have qualified
    than the team can work. Ties at the edge are broken by the uncalibrated score, so that the volume is met.

    Parameters
    ----------
    per_week : float, optional
        Leads a week, > 0.
    per_seller : float, optional
        Leads a week that one seller can work, > 0; instead of `per_week`, together with `n_sellers`.
    n_sellers : float, optional
        Sellers, in full-time equivalents, > 0.

    Examples
    --------
    >>> score = np.arange(1, 15) / 20
    >>> days = np.datetime64("2026-01-05") + np.arange(14)
    >>> cutoff = Capacity(per_seller=1, n_sellers=2).choose(Evidence(score, score, score > 0.5, days))
    >>> cutoff.threshold, cutoff.per_week.estimate, cutoff.wins_per_week.estimate
    (0.55, 2.0, 2.0)
    """

    def __init__(
        self,
        per_week: float | None = None,
        per_seller: float | None = None,
        n_sellers: float | None = None,
    ) -> None:
        self.per_week = per_week
        self.per_seller = per_seller
        self.n_sellers = n_sellers

    def check(self) -> None:
        """Raise ConfigError unless a positive capacity is given in one of the two ways."""
        by_seller = self.per_seller is not None, self.n_sellers is not None
        if (self.per_week is not None) == any(by_seller) or any(by_seller) != all(by_seller):
            msg = (
                "Capacity needs either per_week, or per_seller together with n_sellers; got "
                f"per_week={self.per_week}, per_seller={self.per_seller}, n_sellers={self.n_sellers}"
            )
            raise ConfigError(msg)
        for name in ("per_week", "per_seller", "n_sellers"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value > 0):
                msg = f"Capacity needs {name} > 0, got {value}; a team that works no leads needs no cut-off"
                raise ConfigError(msg)

    @property
    def leads_per_week(self) -> float:
        """Leads a week that the team can work."""
        return self.per_week if self.per_week is not None else self.per_seller * self.n_sellers

    @property
    def name(self) -> str:
        """Leads a week."""
        team = "" if self.per_week is not None else f" ({self.n_sellers:g} sellers x {self.per_seller:g})"
        return f"capacity {self.leads_per_week:g} a week{team}"

    def claim(self, evidence: Evidence, passed: NDArray[np.bool_]) -> str:
        """Say how many qualify a week, how many of them are won, and how often they are too many."""
        weeks = evidence.n_weeks
        n_won = int((passed & evidence.won).sum())
        volume = leads_by_week(evidence, passed)
        n_above = int((volume > self.leads_per_week).sum())
        return (
            f"about {passed.sum() / weeks:,.1f} leads a week qualify, {n_won / weeks:,.1f} of them won, "
            f"while leads arrive as in the {weeks:.1f} weeks that the evidence amounts to; "
            f"in {n_above} of its {len(volume)} calendar weeks more than {self.leads_per_week:g} would have "
            "qualified"
        )

    def _choose(self, evidence: Evidence) -> Cutoff:
        weeks = evidence.n_weeks
        if weeks is None:
            msg = (
                "Capacity counts leads a week, and the leads have no dates. Name a created_at column, "
                "or use precision_guarantee, recall_guarantee, top_share, value or fixed_threshold."
            )
            raise ConfigError(msg)
        # The little added undoes the rounding of a product such as 7 * (61 / 7), which is below 61.
        room = min(int(self.leads_per_week * weeks + 1e-9), len(evidence.score))
        return self._describe(evidence, *edge_of_best(evidence, room))


def leads_by_week(evidence: Evidence, passed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how many of the arrivals of each week qualify.

    Parameters
    ----------
    evidence : Evidence
        With dates.
    passed : ndarray of bool, shape (n_leads,)

    Returns
    -------
    ndarray of float64, shape (n_weeks,)
        By week from the first day on, scaled up to all arrivals where the evidence holds a share of them. A
        last week that is not whole is left out, unless it is the only one.

    Examples
    --------
    >>> days = np.datetime64("2026-01-05") + np.array([0, 3, 8, 13, 15])
    >>> leads_by_week(Evidence(*np.ones((3, 5)), days), np.array([1, 1, 0, 1, 1], bool)).tolist()
    [2.0, 1.0]
    """
    day = (evidence.as_of - evidence.as_of.min()) // np.timedelta64(1, "D")
    week = (day // 7).astype(np.int64)
    n_whole = max(int(day.max() + 1) // 7, 1)
    return np.bincount(week[passed], minlength=n_whole)[:n_whole] / evidence.share_of_arrivals
