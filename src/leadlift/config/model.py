"""The sections about the model: how it is learnt and where a lead qualifies."""

from __future__ import annotations

from typing import Annotated

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
    """

    random_state: Annotated[int, Field(ge=0)] = 0
    folds: Annotated[int, Field(ge=2, le=20)] = 8
    trials: Annotated[int, Field(ge=0)] = 0
    time_budget_seconds: Annotated[float, Field(gt=0)] | None = None
    test_share: Annotated[float, Field(ge=0.05, le=0.5)] = 0.2


class PolicyConfig(BaseModel):
    """A cut-off policy by its name, with its own parameters beside it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    policy: Name

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters of the policy, as written."""
        return dict(self.model_extra or {})


class CutoffConfig(Section):
    """The two cut-offs; a lead from `mql` on is marketing-qualified, from `sql` on sales-qualified."""

    mql: PolicyConfig
    sql: PolicyConfig | None = None
