"""Search, fit, measure and cut off: what a training run does with the rows of the learning problem."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from leadlift.config import LeadliftConfig, PolicyConfig
from leadlift.exceptions import NoCutoffError
from leadlift.learning import metrics
from leadlift.learning.baselines import baseline_scores
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.cold_start import ColdStartLearner, is_cold
from leadlift.learning.cutoff import CutoffPolicy, get_policy
from leadlift.learning.log_odds import LogOddsClassifier
from leadlift.learning.monotone import monotone_columns
from leadlift.learning.recency import get_recency
from leadlift.learning.scorer import LeadScorer, early_and_late
from leadlift.learning.segment_models import SegmentedLearner
from leadlift.learning.tuning import SearchResult, search_trees
from leadlift.learning.two_labels import choose_both_cutoffs
from leadlift.lifecycle.holdout import Holdout, representative
from leadlift.lifecycle.preparing import Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray


Step = Callable[[str], None]


def policy_of(config: PolicyConfig | None) -> CutoffPolicy | None:
    """Return the policy that a section of leadlift.toml names, None where there is none."""
    return None if config is None else get_policy(config.policy, **config.parameters)


def learn(
    problem: Problem,
    split: Holdout,
    config: LeadliftConfig,
    step: Step,
    on_trial: Callable[[int], None] | None,
) -> tuple[LeadScorer, SearchResult | None]:
    """Learn and calibrate on the rows that are not held back.

    Parameters
    ----------
    problem : Problem
    split : Holdout
    config : LeadliftConfig
    step : callable
        Called with the name of each step as it begins.
    on_trial : callable or None
        Called with the number of search trials finished.

    Returns
    -------
    scorer : LeadScorer
    search : SearchResult or None
        None where no search was asked for.
    """
    search = None
    if config.model.trials and not _is_cold(problem, split):
        step(f"Searching parameters ({config.model.trials} trials)")
        search = _search(problem, split, config, on_trial)
    step("Learning and calibrating")
    return _fit(problem, split, config, search), search


def _search(
    problem: Problem, split: Holdout, config: LeadliftConfig, on_trial: Callable[[int], None] | None
) -> SearchResult:
    from leadlift.learning.encoding import TableEncoder

    moments = _moments(problem, split.train, split)
    # The late leads calibrate and decide later; a search that saw them would spoil them as evidence.
    stands_for = problem.observations.contact_weight
    stands_for = None if stands_for is None else stands_for[split.train]
    early, _ = early_and_late(problem.y[split.train], **moments, contact_weight=stands_for)
    rows = split.train[early]
    encoder = TableEncoder()
    matrix = encoder.fit_transform(problem.inputs.take(pa.array(rows)))
    together = _together(problem, rows)
    store = Path(config.models)
    store.mkdir(parents=True, exist_ok=True)
    return search_trees(
        matrix,
        problem.y[rows],
        n_trials=config.model.trials,
        time_budget_seconds=config.model.time_budget_seconds,
        storage=store / "search.db",
        **_moments(problem, rows, split) | ({} if split.is_forward else {"groups": together}),
        weight=problem.observations.weight[rows],
        monotone=monotone_columns(config.model.monotone, encoder.columns_),
        random_state=config.model.random_state,
        on_trial=on_trial,
    )


def _moments(problem: Problem, rows: NDArray[np.int64], split: Holdout) -> dict[str, Any]:
    """Return as_of, label_known_at and groups of some rows; no moments where the split is random."""

    def of(values: NDArray | None) -> NDArray | None:
        return None if values is None else values[rows]

    if not split.is_forward:
        return {"as_of": None, "label_known_at": None, "groups": of(problem.groups)}
    return {
        "as_of": of(problem.as_of),
        "label_known_at": of(problem.label_known_at),
        "groups": of(problem.groups),
    }


def _is_cold(problem: Problem, split: Holdout) -> bool:
    leads = None if problem.groups is None else problem.groups[split.train]
    return is_cold(problem.y[split.train], leads)


def _together(problem: Problem, rows: NDArray[np.int64]) -> NDArray | None:
    """Account, else lead, of some rows: what stays on one side of a random split."""
    together = problem.groups if problem.accounts is None else problem.accounts
    return None if together is None else together[rows]


def _fit(
    problem: Problem,
    split: Holdout,
    config: LeadliftConfig,
    search: SearchResult | None,
) -> LeadScorer:
    seed, folds = config.model.random_state, config.model.folds
    learner: LogOddsClassifier = ColdStartLearner(n_folds=folds, random_state=seed)
    if not _is_cold(problem, split):
        trees = BaggedTrees(random_state=seed, **(search.parameters if search else {}))
        kind = BlendedLearner if config.model.segment is None else SegmentedLearner
        learner = kind(trees, n_folds=folds, random_state=seed)
    stands_for = problem.observations.contact_weight
    scorer = LeadScorer(
        learner=learner,
        monotone=config.model.monotone or None,
        segment=config.model.segment,
        recency=get_recency(config.model.recency, random_state=seed),
        random_state=seed,
    )
    return scorer.fit(
        problem.inputs.take(pa.array(split.train)),
        problem.y[split.train],
        problem.observations.weight[split.train],
        **_moments(problem, split.train, split),
        accounts=None if problem.accounts is None else problem.accounts[split.train],
        contact_weight=None if stands_for is None else stands_for[split.train],
    )


def decide(
    scorer: LeadScorer,
    policy: CutoffPolicy | None,
    sql_policy: CutoffPolicy | None,
    quality: pa.Table,
    split: Holdout,
    second: LeadScorer | None = None,
) -> None:
    """Set both cut-offs on the evidence of the fit; where none is honest, say how good the model is.

    With a model of the second label, the MQL cut-off is set on its scores.

    Raises
    ------
    NoCutoffError
        No cut-off keeps the promise asked for.
    """
    try:
        if second is None:
            scorer.choose_cutoff(policy, sql_policy=sql_policy)
        else:
            choose_both_cutoffs(scorer, second, policy, sql_policy)
    except NoCutoffError as error:
        ours, base, *_ = quality.to_pylist()
        msg = (
            f"{error}\nThe model itself, tested {split.kind}: AUC {ours['auc']:.3f} "
            f"[{ours['auc_low']:.3f}, {ours['auc_high']:.3f}], log loss {ours['log_loss']:.4f} "
            f"({base['model']} {base['log_loss']:.4f}). No bundle was written."
        )
        raise NoCutoffError(msg, error.best) from error


def measure(
    problem: Problem, split: Holdout, scorer: LeadScorer, config: LeadliftConfig
) -> tuple[pa.Table, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Open the test set once: quality of the model and of the baselines, and the scores."""
    encoder = scorer.encoder_
    test = encoder.transform(problem.inputs.take(pa.array(split.test)))
    rows = representative(split.train, problem, config.model.random_state)
    seen = encoder.transform(problem.inputs.take(pa.array(rows)))
    score, log_odds = scorer.score_matrix(test)
    others = baseline_scores(encoder, seen, problem.y[rows], test, random_state=config.model.random_state)
    return metrics.quality_table(problem.y[split.test], {"leadlift": score} | others), (score, log_odds)
