"""Which stage a lead is in: the cut-offs, and the rules beside them.

The order, for each lead: the highest cut-off that its score reaches; the stage it had, while its score
reaches the lower edge of that stage; none where fit or engagement is too low; the stage of a hand-raiser; and
the stage it had, until its minimum stay is over. Each step may overrule the ones before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.observation_plan import in_days
from leadlift.data.values import is_number
from leadlift.exceptions import ConfigError, column_diff, shorten
from leadlift.learning.cutoff.evidence import passes
from leadlift.serving.previous import NEVER, RANKED_STAGES
from leadlift.terms import Family, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from leadlift.config import StagesConfig
    from leadlift.serving.previous import Standing
    from leadlift.terms import FeatureSpec

SCORE_DECIDED = "score"
HAND_RAISE = "hand-raise"
ABOVE_LOWER_EDGE = "kept: above the lower edge"
MINIMUM_STAY = "kept: minimum stay"
FIT_TOO_LOW = "held back: fit too low"
ENGAGEMENT_TOO_LOW = "held back: engagement too low"
BOTH_TOO_LOW = "held back: fit and engagement too low"
EXPLORED = "explore: random slice kept for learning"
STAGE_REASONS = (
    SCORE_DECIDED,
    HAND_RAISE,
    ABOVE_LOWER_EDGE,
    MINIMUM_STAY,
    FIT_TOO_LOW,
    ENGAGEMENT_TOO_LOW,
    BOTH_TOO_LOW,
    EXPLORED,
)

# Texts by which a lead asks to be contacted, in any case.
YES = ("true", "t", "yes", "y", "1")


@dataclass(frozen=True)
class Line:
    """One cut-off and the scores of some leads on which it is drawn.

    Parameters
    ----------
    stage : Stage
        What a lead is from the line on.
    score, log_odds : ndarray of float64, shape (n_leads,)
        Published probabilities, and the uncalibrated scores that break ties.
    threshold : float or ndarray of float64, shape (n_leads,)
    tie_break : float or None
    """

    stage: Stage
    score: NDArray[np.float64]
    log_odds: NDArray[np.float64]
    threshold: ArrayLike
    tie_break: float | None = None

    @property
    def rank(self) -> int:
        """Place of the stage in ``RANKED_STAGES``."""
        return RANKED_STAGES.index(self.stage.value)

    def is_reached(self) -> NDArray[np.bool_]:
        """Say which leads reach the line."""
        return passes(self.score, self.threshold, log_odds=self.log_odds, tie_break=self.tie_break)

    def is_nearly_reached(self, share: float) -> NDArray[np.bool_]:
        """Say which leads reach so much of the threshold."""
        return passes(self.score, share * np.asarray(self.threshold))


@dataclass(frozen=True)
class LeadFacts:
    """What the rules ask of some leads beside their scores.

    Parameters
    ----------
    fit, engagement : ndarray of float64, shape (n_leads,)
        Sub-scores.
    raises_hand : ndarray of bool, shape (n_leads,)
    standing : Standing
        Stages of the previous scoring.
    """

    fit: NDArray[np.float64]
    engagement: NDArray[np.float64]
    raises_hand: NDArray[np.bool_]
    standing: Standing


@dataclass(frozen=True)
class StageDecision:
    """Stages of some leads.

    Parameters
    ----------
    rank : ndarray of int8, shape (n_leads,)
        Place of the stage in ``RANKED_STAGES``: of ``"none"``, ``"MQL"`` or ``"SQL"``.
    since : ndarray of datetime64[us], shape (n_leads,)
        When the lead entered it, UTC; NaT where the moment of scoring is unknown.
    reason_code : ndarray of int, shape (n_leads,)
        What decided: a place in `reasons`.
    reasons : tuple of str
        :data:`STAGE_REASONS`, and after them those of people.
    """

    rank: NDArray[np.int8]
    since: NDArray[np.datetime64]
    reason_code: NDArray[np.integer]
    reasons: tuple[str, ...] = STAGE_REASONS

    @property
    def stage(self) -> NDArray[np.object_]:
        """The stages by name."""
        return np.array(RANKED_STAGES, dtype=object)[self.rank]

    @property
    def reason(self) -> NDArray[np.object_]:
        """What decided, in words."""
        return np.array(self.reasons, dtype=object)[self.reason_code]


def decide_stages(
    rules: StagesConfig, lines: Sequence[Line], facts: LeadFacts, as_of: np.datetime64 = NEVER
) -> StageDecision:
    """Decide the stages of some leads; each lead apart from the others.

    Parameters
    ----------
    rules : StagesConfig
    lines : sequence of Line
        The lower stage first.
    facts : LeadFacts
    as_of : datetime64[us]
        Moment of scoring, UTC; NaT where unknown.

    Returns
    -------
    StageDecision
    """
    verdict = _Verdict(len(facts.fit))
    for line in lines:
        verdict.raise_to(np.where(line.is_reached(), line.rank, 0), SCORE_DECIDED)
    verdict.raise_to(_above_lower_edge(rules, lines, facts.standing), ABOVE_LOWER_EDGE)
    fit_low, engagement_low = _below(facts.fit, rules.min_fit), _below(facts.engagement, rules.min_engagement)
    verdict.hold_back(fit_low & engagement_low, BOTH_TOO_LOW)
    verdict.hold_back(fit_low, FIT_TOO_LOW)
    verdict.hold_back(engagement_low, ENGAGEMENT_TOO_LOW)
    hand_rank = RANKED_STAGES.index(rules.hand_raise_stage)
    verdict.raise_to(np.where(facts.raises_hand, hand_rank, 0), HAND_RAISE)
    verdict.raise_to(_still_staying(rules, facts.standing, as_of), MINIMUM_STAY)
    return StageDecision(verdict.rank, stage_since(verdict.rank, facts.standing, as_of), verdict.reason_code)


class _Verdict:
    """Ranks of some leads as far as decided, and what decided last."""

    def __init__(self, n_leads: int) -> None:
        self.rank = np.zeros(n_leads, dtype=np.int8)
        self.reason_code = np.full(n_leads, STAGE_REASONS.index(SCORE_DECIDED), dtype=np.int8)

    def raise_to(self, rank: NDArray[np.integer], why: str) -> None:
        higher = rank > self.rank
        self.rank[higher] = rank[higher]
        self.reason_code[higher] = STAGE_REASONS.index(why)

    def hold_back(self, too_low: NDArray[np.bool_], why: str) -> None:
        held = too_low & (self.rank > 0)
        self.rank[held] = 0
        self.reason_code[held] = STAGE_REASONS.index(why)


def _above_lower_edge(rules: StagesConfig, lines: Sequence[Line], standing: Standing) -> NDArray[np.integer]:
    """Rank that a lead keeps because its score is not far below the threshold."""
    reached = np.zeros(len(standing.rank), dtype=np.int8)
    if rules.fall_back_share == 1:
        return reached
    for line in lines:
        reached[line.is_nearly_reached(rules.fall_back_share)] = line.rank
    return np.minimum(reached, standing.model_rank)


def _still_staying(rules: StagesConfig, standing: Standing, as_of: np.datetime64) -> NDArray[np.integer]:
    """Rank that a lead keeps because it entered its stage not long ago; a stage that a person set ends."""
    stays = as_of - standing.since < in_days(rules.min_stay_days)
    return np.where(stays & (standing.rank == standing.model_rank), standing.rank, 0)


def _below(values: NDArray[np.float64], least: float | None) -> NDArray[np.bool_]:
    return np.zeros(len(values), dtype=bool) if least is None else values < least


def stage_since(rank: NDArray[np.int8], standing: Standing, as_of: np.datetime64) -> NDArray[np.datetime64]:
    """Return when each lead entered its stage: as before where it is the same one, else `as_of`."""
    return np.where(rank == standing.rank, standing.since, as_of)


def raises_hand(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Say which leads ask to be contacted.

    Parameters
    ----------
    column : pyarrow.ChunkedArray of float64 or string
        A number above 0, or one of :data:`YES` in any case; what is missing asks nothing.

    Returns
    -------
    ndarray of bool, shape (n_leads,)

    Examples
    --------
    >>> raises_hand(pa.chunked_array([["Yes", "no", None]])).tolist()
    [True, False, False]
    >>> raises_hand(pa.chunked_array([[2.0, 0.0, None]])).tolist()
    [True, False, False]
    """
    if is_number(column.type):
        raised = pc.greater(column, 0)
    else:
        text = pc.cast(column, pa.string())
        raised = pc.is_in(pc.utf8_lower(pc.utf8_trim_whitespace(text)), value_set=pa.array(YES))
    return pc.fill_null(raised, fill_value=False).to_numpy()


def check_rules(rules: StagesConfig, specs: Sequence[FeatureSpec], inputs: pa.Table) -> None:
    """Refuse rules that the inputs of a model cannot carry.

    Parameters
    ----------
    rules : StagesConfig
    specs : sequence of FeatureSpec
        What the inputs mean.
    inputs : pyarrow.Table
        Those learnt from.

    Raises
    ------
    ConfigError
        The column of hand-raisers is no input or no lead ever raised its hand by it; or there is a minimum of
        a sub-score to which no input belongs.
    """
    if rules.hand_raise is not None:
        _check_hand_raise(rules.hand_raise, inputs)
    for family, least in ((Family.FIT, rules.min_fit), (Family.ENGAGEMENT, rules.min_engagement)):
        if least is not None and not any(spec.family is family for spec in specs):
            msg = (
                f"[stages] min_{family} is {least:g}, but no input belongs to the family {family.value!r}, "
                f"so its sub-score is always 0. Name some under [families] {family}, or take the minimum out"
            )
            raise ConfigError(msg)


def _check_hand_raise(name: str, inputs: pa.Table) -> None:
    if name not in inputs.column_names:
        msg = (
            f"[stages] hand_raise names {name!r}, which is no input of the model:\n"
            f"{_hint(name, inputs.column_names)}"
        )
        raise ConfigError(msg)
    if not raises_hand(inputs[name]).any():
        values = pc.unique(inputs[name].drop_null()).to_pylist()
        msg = (
            f"[stages] hand_raise names {name!r}, by which no lead ever raised its hand: it holds "
            f"{shorten(values)}. Expected a number above 0, or one of {', '.join(YES)}"
        )
        raise ConfigError(msg)


def _hint(name: str, names: Sequence[str]) -> str:
    """First line of a diff of names: the one asked for, and what it may have been meant to be."""
    return column_diff([name], names).partition("\n")[0]
