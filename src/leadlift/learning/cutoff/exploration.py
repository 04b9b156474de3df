"""What a random slice of the leads below a cut-off would cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadlift.exceptions import ConfigError
from leadlift.learning.cutoff.evidence import passes
from leadlift.learning.cutoff.lead_value import thresholds

if TYPE_CHECKING:
    from leadlift.learning.cutoff.evidence import Evidence
    from leadlift.terms import Cutoff

PER_LEADS = 1000.0
A_WEEK, AMONG_LEADS = "a week", f"among {PER_LEADS:,.0f} leads"


@dataclass(frozen=True)
class ExploreCost:
    """What a random slice costs, beside contacts of the next best leads.

    Parameters
    ----------
    share : float
        Of the leads below the cut-off, in (0, 1).
    contacts : float
        Leads of the slice that are contacted.
    wins : float
        Of them, those expected to be won.
    wins_of_next_best : float
        Wins expected of as many contacts of the best leads below the cut-off.
    per : str
        What the figures are for: ``"a week"``, or ``"among 1,000 leads"`` where the evidence has no dates.
    """

    share: float
    contacts: float
    wins: float
    wins_of_next_best: float
    per: str

    @property
    def wins_forgone(self) -> float:
        """Wins that the same contacts would bring among the next best leads, beyond those of the slice."""
        return self.wins_of_next_best - self.wins

    @property
    def sentence(self) -> str:
        """The cost in words."""
        return (
            f"Exploring {self.share:.1%} below the line: {self.contacts:.1f} contacts {self.per} with "
            f"{self.wins:.2f} wins expected; as many contacts of the next best leads would win "
            f"{self.wins_of_next_best:.2f}, so it costs {self.wins_forgone:.2f} wins {self.per}"
        )


def explore_cost(evidence: Evidence, cutoff: Cutoff, share: float) -> ExploreCost:
    """Return what it costs to contact a random slice of the leads below a cut-off.

    Wins are expected ones, the sums of calibrated scores; where the cut-off is drawn on the chance to become
    SQL, "wins" are SQLs.

    Parameters
    ----------
    evidence : Evidence
        Leads like those to come.
    cutoff : Cutoff
    share : float
        Of the leads below the cut-off, in (0, 1).

    Returns
    -------
    ExploreCost

    Raises
    ------
    ConfigError
        `share` is not between 0 and 1.

    Examples
    --------
    >>> from leadlift.learning.cutoff import Evidence, FixedThreshold
    >>> score = np.linspace(0, 1, 1001)
    >>> evidence = Evidence(score, score, score > 0.5)
    >>> cost = explore_cost(evidence, FixedThreshold(0.8).choose(evidence), 0.05)
    >>> round(cost.contacts), round(cost.wins), round(cost.wins_of_next_best), cost.per
    (40, 16, 31, 'among 1,000 leads')
    """
    if not 0 < share < 1:
        msg = f"the share to explore is {share:g}; expected a number between 0 and 1, such as 0.05"
        raise ConfigError(msg)
    edge = thresholds(cutoff, evidence.inputs)
    passed = passes(evidence.score, edge, log_odds=evidence.log_odds, tie_break=cutoff.tie_break)
    below = np.sort(evidence.score[~passed])[::-1]
    n_contacts = share * len(below)
    # The sum of the best so many scores, the last of them in part.
    best = np.interp(n_contacts, np.arange(len(below) + 1), np.r_[0.0, np.cumsum(below)])
    units = evidence.n_weeks or len(evidence.score) / PER_LEADS
    return ExploreCost(
        share,
        n_contacts / units,
        share * float(below.sum()) / units,
        float(best) / units,
        AMONG_LEADS if evidence.n_weeks is None else A_WEEK,
    )
