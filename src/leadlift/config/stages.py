"""The section about stages: what decides beside the cut-offs whether a lead is MQL or SQL."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from leadlift.config.base import Name, Section

Points = Annotated[float, Field(ge=-1, le=1)]


class StagesConfig(Section):
    """Rules of stages; the defaults leave the cut-offs alone to decide.

    Parameters
    ----------
    fall_back_share : float
        In (0, 1]. A lead that had a stage at the previous scoring keeps it while its score reaches so much of
        the stage's threshold; 1 keeps nobody.
    min_stay_days : float
        A lead keeps its stage for so many days after it entered it, whatever its score; 0 keeps nobody.
    hand_raise : str or None
        Input column by which a lead asks to be contacted: a number above 0, or "true", "yes" or the like.
    hand_raise_stage : {"MQL", "SQL"}
        Least stage of a lead that asks.
    min_fit, min_engagement : float or None
        A lead whose sub-score, the column of that name in the scored table, is lower does not qualify by its
        score; in [-1, 1], None sets no minimum. Leads that ask are not held to them.
    explore_share : float or None
        Share in (0, 1) of the leads that are neither MQL nor SQL which is marked for contact at random, so
        that something is learnt of leads like them; None marks nobody.
    explore_seed : int
        Seed >= 0 of that draw. It is kept as it is: with another one other leads are drawn.
    """

    fall_back_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    min_stay_days: Annotated[float, Field(ge=0, lt=36500)] = 0.0
    hand_raise: Name | None = None
    hand_raise_stage: Literal["MQL", "SQL"] = "SQL"
    min_fit: Points | None = None
    min_engagement: Points | None = None
    explore_share: Annotated[float, Field(gt=0, lt=1)] | None = None
    explore_seed: Annotated[int, Field(ge=0)] = 0

    @property
    def need_previous(self) -> bool:
        """Whether a rule looks at the previous scoring."""
        return self.fall_back_share < 1 or self.min_stay_days > 0
