"""What a training says about time: the backtest, how much the past flatters, how much of it is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv

from leadlift.exceptions import ConfigError
from leadlift.insight.backtest_plot import plot_backtest
from leadlift.insight.plots import save_figures
from leadlift.learning.propensity import kept_by_weight
from leadlift.learning.splitting import one_row_a_lead
from leadlift.lifecycle.backtest import BacktestResult, backtest, rolling_blocks
from leadlift.lifecycle.forward_gap import ForwardGap, compare_forward
from leadlift.lifecycle.model_updates import get_model_update

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.config import LeadliftConfig
    from leadlift.learning.cutoff import CutoffPolicy
    from leadlift.learning.scorer import LeadScorer
    from leadlift.lifecycle.holdout import Holdout
    from leadlift.lifecycle.preparing import Problem
    from leadlift.terms import Finding


@dataclass(frozen=True)
class ForwardLook:
    """What is known of a model and time.

    Parameters
    ----------
    gap : ForwardGap or None
        Score of a random split beside the forward one; None where time is unknown.
    backtest : BacktestResult or None
        None where none was asked for.
    recency : Finding or None
        LL164 where the weight of old leads was to be chosen.
    """

    gap: ForwardGap | None
    backtest: BacktestResult | None
    recency: Finding | None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """LL161 and LL164, where they apply."""
        gap = None if self.gap is None else self.gap.finding()
        return tuple(finding for finding in (gap, self.recency) if finding is not None)

    @property
    def tables(self) -> dict[str, pa.Table]:
        """Tables to log."""
        return {} if self.backtest is None else {"backtest": self.backtest.blocks}

    @property
    def metrics(self) -> dict[str, float]:
        """Figures to log."""
        found = {} if self.gap is None else {"skill_lost_forward": self.gap.skill_lost}
        if self.backtest is not None:
            pooled = self.backtest.pooled.to_pylist()[0]
            found |= {f"backtest_{key}": float(value) for key, value in pooled.items() if value is not None}
        return found

    def keep(self, folder: Path) -> dict[str, Path]:
        """Write table and figure of the backtest; return the files by name.

        Parameters
        ----------
        folder : Path
            Of the figures.

        Returns
        -------
        dict of str to Path
            Empty where there is no backtest.
        """
        if self.backtest is None:
            return {}
        files = save_figures({"backtest": plot_backtest(self.backtest.blocks)}, folder)
        files["backtest_csv"] = folder / "backtest.csv"
        pyarrow.csv.write_csv(self.backtest.blocks, files["backtest_csv"])
        return files


def require_blocks(problem: Problem, split: Holdout, config: LeadliftConfig) -> None:
    """Refuse a backtest that cannot be made, before anything is learnt.

    Raises
    ------
    ConfigError
        The order of the leads in time is not known, or no update has the configured name.
    InputError
        The history before the test set is too short or too poor.
    """
    if not config.model.backtest_blocks:
        return
    get_model_update(config.model.backtest_update)
    if not split.is_forward:
        msg = (
            "a backtest needs the leads' order in time, which is not known here; name a created_at column or "
            "set rows_in_time_order in [schema], or leave the backtest out"
        )
        raise ConfigError(msg)
    of = _columns(problem, split)
    rolling_blocks(
        problem.y[split.train], of["as_of"], of["label_known_at"], of["groups"], config.model.backtest_blocks
    )


def look_forward(
    problem: Problem,
    split: Holdout,
    scorer: LeadScorer,
    score: NDArray[np.float64],
    policy: CutoffPolicy | None,
    config: LeadliftConfig,
    step: Callable[[str], None],
) -> ForwardLook:
    """Compare what a random split says of the model with what later leads say; backtest if asked for.

    The backtest plays the rows before the test set only, so that the test set is opened once.

    Parameters
    ----------
    problem : Problem
    split : Holdout
    scorer : LeadScorer
        Fitted on ``split.train``.
    score : ndarray of float64, shape (n_test,)
        Of the test set.
    policy : CutoffPolicy or None
        What cuts off on the probability of being won.
    config : LeadliftConfig
    step : callable
        Called with the name of each step as it begins.

    Returns
    -------
    ForwardLook
    """
    recency = scorer.recency_.finding() if hasattr(scorer, "recency_") else None
    if not split.is_forward:
        return ForwardLook(None, None, recency)
    if not config.model.backtest_blocks:
        return ForwardLook(_gap_to_test(problem, split, scorer, score), None, recency)
    step(f"Backtesting on {config.model.backtest_blocks} blocks before the test set")
    stands_for = problem.observations.contact_weight
    played = backtest(
        scorer,
        problem.inputs.take(pa.array(split.train)),
        problem.y[split.train],
        **_columns(problem, split),
        sample_weight=problem.observations.weight[split.train],
        contact_weight=None if stands_for is None else stands_for[split.train],
        policy=policy,
        update=get_model_update(config.model.backtest_update),
        n_blocks=config.model.backtest_blocks,
    )
    return ForwardLook(played.gap, played, recency)


def _columns(problem: Problem, split: Holdout) -> dict[str, NDArray | None]:
    columns = {
        "as_of": problem.as_of,
        "label_known_at": problem.label_known_at,
        "groups": problem.groups,
        "accounts": problem.accounts,
    }
    return {name: None if values is None else values[split.train] for name, values in columns.items()}


def _gap_to_test(
    problem: Problem, split: Holdout, scorer: LeadScorer, score: NDArray[np.float64]
) -> ForwardGap:
    """Compare the out-of-fold scores of the fitted rows with the scores of the test set."""
    places = scorer.plan_.fit
    if problem.groups is not None:
        places = one_row_a_lead(places, problem.groups[split.train], random_state=scorer.random_state)
    stands_for = problem.observations.contact_weight
    if stands_for is not None:
        places = places[kept_by_weight(stands_for[split.train][places], scorer.random_state)]
    rows = split.train[places]
    log_odds = scorer.held_out_log_odds_[places]
    return compare_forward(problem.y[rows], log_odds, problem.y[split.test], score, is_paired=False)
