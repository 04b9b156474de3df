"""The sections about the model: how it is learnt and where a lead qualifies."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from leadlift.config.base import Name, Section


class ModelConfig(Section):
    """How the model is learnt.

    Parameters
    ----------
    random_state : int
        Seed of everything random.
    folds : int
        Folds of the bag, 2 to 20.
    trials : int
        Optuna trials; 0 takes the defaults.
    time_budget_seconds : float or None
        Wall-clock seconds after which the search stops.
    test_share : float
        Share of the leads, the latest where dates exist, that is held back as the test set.
    recency : {"all", "choose"}
        Whether all leads teach alike, or forward validation chooses how fast old ones lose weight.
    backtest_blocks : int
        Blocks of time before the test set on which a backtest is played; 0 plays none.
    backtest_update : str
        What is done to the model between blocks: ``"refit"``, ``"refit_on_all"``, ``"recalibrate"`` or
        ``"none"``.
    monotone : dict of str to {"up", "down"}
        By numeric input: a larger value never lowers ("up") or never raises ("down") the score.
    segment : str or None
        Categorical input whose levels get models of their own where these beat the pooled one out of time.
    """

    random_state: Annotated[int, Field(ge=0)] = 0
    folds: Annotated[int, Field(ge=2, le=20)] = 8
    trials: Annotated[int, Field(ge=0)] = 0
    time_budget_seconds: Annotated[float, Field(gt=0)] | None = None
    test_share: Annotated[float, Field(ge=0.05, le=0.5)] = 0.2
    recency: Literal["all", "choose"] = "all"
    backtest_blocks: Annotated[int, Field(ge=0, le=100)] = 0
    backtest_update: Name = "refit"
    monotone: dict[str, Literal["up", "down"]] = Field(default_factory=dict)
    segment: Name | None = None


class PolicyConfig(BaseModel):
    """A cut-off policy by its name, with its own parameters beside it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    policy: Name

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the policy, as written: numbers, text, values by level or tables of policies."""
        return dict(self.model_extra or {})


class CutoffConfig(Section):
    """The two cut-offs; a lead from `mql` on is marketing-qualified, from `sql` on sales-qualified."""

    mql: PolicyConfig
    sql: PolicyConfig | None = None
