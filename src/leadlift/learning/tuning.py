"""Search for better tree parameters, on request: forward in time where time is known, pruned, resumable."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from leadlift.exceptions import ConfigError
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.splitting import forward_folds, grouped_folds

if TYPE_CHECKING:
    from collections.abc import Callable

    import optuna
    from numpy.typing import ArrayLike, NDArray

Folds = list[tuple["NDArray[np.int64]", "NDArray[np.int64]"]]


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Parameters
    ----------
    parameters : dict of str to float
        The best parameters of :class:`BaggedTrees`; the defaults where nothing beat them.
    log_loss : float
        Their mean held-out log loss.
    default_log_loss : float
        That of the defaults.
    n_trials, n_pruned : int
        Trials finished, earlier sessions included, and how many of them were cut short.
    """

    parameters: dict[str, Any]
    log_loss: float
    default_log_loss: float
    n_trials: int
    n_pruned: int


def search_trees(
    matrix: NDArray[np.float64],
    y: NDArray,
    *,
    n_trials: int,
    time_budget_seconds: float | None = None,
    storage: Path | None = None,
    as_of: ArrayLike | None = None,
    label_known_at: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    weight: NDArray | None = None,
    monotone: dict[int, int] | None = None,
    random_state: int = 0,
    on_trial: Callable[[int], None] | None = None,
) -> SearchResult:
    """Search tree parameters by held-out log loss.

    The defaults are the first trial, so the answer is never worse than they are on the folds. Trials are
    pruned by the median rule after each fold.

    Parameters
    ----------
    matrix : ndarray of float64, shape (n_rows, n_columns)
        Encoded training rows; no test row.
    y : ndarray of shape (n_rows,)
        Labels 0 and 1.
    n_trials : int
        Trials in all; those already in `storage` for the same rows count.
    time_budget_seconds : float, optional
        Wall-clock seconds after which no new trial starts; the defaults are tried in any case.
    storage : Path, optional
        SQLite file that makes the search resumable; None keeps it in memory.
    as_of, label_known_at, groups : arrays of shape (n_rows,), optional
        With `as_of` the folds look forward in time, else they are random; both keep leads whole.
    weight : ndarray of shape (n_rows,), optional
        What each row counts for.
    monotone : dict of int to int, optional
        As for :class:`BaggedTrees`.
    random_state : int, default=0
    on_trial : callable, optional
        Called with the number of trials finished.

    Returns
    -------
    SearchResult

    Raises
    ------
    ConfigError
        `n_trials` is below 1.
    """
    import optuna

    if n_trials < 1:
        msg = f"a search needs at least one trial, got n_trials={n_trials}"
        raise ConfigError(msg)
    folds = _folds(y, as_of, label_known_at, groups, random_state)
    weight = np.ones(len(y)) if weight is None else weight
    trees = BaggedTrees(monotone=monotone, random_state=random_state)
    study = _open_study(optuna, storage, _study_name(matrix, y, weight, folds, trees), random_state)

    def optimize(n_trials: int, timeout: float | None) -> None:
        if n_trials > 0:
            study.optimize(
                lambda trial: _objective(trial, matrix, y, weight, folds, trees),
                n_trials=n_trials,
                timeout=timeout,
                callbacks=[lambda s, _: on_trial(len(_finished(s))) if on_trial else None],
            )

    if _default_trial(study) is None:
        study.enqueue_trial(_defaults())
        optimize(1, timeout=None)
    optimize(n_trials - len(_finished(study)), time_budget_seconds)
    return _result(study)


def _folds(
    y: NDArray,
    as_of: ArrayLike | None,
    label_known_at: ArrayLike | None,
    groups: ArrayLike | None,
    random_state: int,
) -> Folds:
    if as_of is not None:
        usable = forward_folds(y, as_of, label_known_at, groups)
        if usable:
            return usable
    fold = grouped_folds(y, 3, groups=groups, random_state=random_state)
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(3)]


def _study_name(matrix: NDArray, y: NDArray, weight: NDArray, folds: Folds, trees: BaggedTrees) -> str:
    """A name that changes with the data, so that a resumed search never mixes two data sets."""
    digest = hashlib.sha256(np.ascontiguousarray(matrix).tobytes())
    for values in (y, weight):
        digest.update(np.ascontiguousarray(values).tobytes())
    digest.update(repr(sorted((trees.monotone or {}).items())).encode())
    for seen, held in folds:
        digest.update(seen.tobytes() + held.tobytes())
    return f"trees-{digest.hexdigest()[:16]}-{trees.random_state}"


def _open_study(module: Any, storage: Path | None, name: str, random_state: int) -> optuna.Study:
    study = module.create_study(
        study_name=name,
        storage=None if storage is None else f"sqlite:///{storage}",
        pruner=module.pruners.MedianPruner(n_startup_trials=5),
        load_if_exists=True,
    )
    # A resumed search must not draw the same numbers again.
    study.sampler = module.samplers.TPESampler(seed=random_state + len(study.trials))
    return study


def _finished(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """Trials that ran to their end or were pruned; one that was interrupted does not count."""
    return [trial for trial in study.trials if trial.state.name in {"COMPLETE", "PRUNED"}]


def _default_trial(study: optuna.Study) -> optuna.trial.FrozenTrial | None:
    return next((trial for trial in _finished(study) if trial.params == _defaults()), None)


def _defaults() -> dict[str, Any]:
    trees = BaggedTrees()
    names = (
        "learning_rate",
        "num_leaves",
        "min_child_samples",
        "subsample",
        "feature_fraction",
        "lambda_l2",
    )
    return {name: getattr(trees, name) for name in names}


def _objective(
    trial: optuna.Trial, matrix: NDArray, y: NDArray, weight: NDArray, folds: Folds, trees: BaggedTrees
) -> float:
    from optuna import TrialPruned

    tried = clone(trees).set_params(**_suggest(trial))
    losses = []
    for step, (seen, held) in enumerate(folds):
        losses.append(tried.held_out_loss(matrix, y, seen, held, weight))
        trial.report(float(np.mean(losses)), step)
        if step + 1 < len(folds) and trial.should_prune():
            raise TrialPruned
    return float(np.mean(losses))


def _suggest(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.15, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 4, 12),
        "min_child_samples": trial.suggest_int("min_child_samples", 5, 200, log=True),
        "subsample": trial.suggest_float("subsample", 0.5, 1.0),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.2, 1.0),
        "lambda_l2": trial.suggest_float("lambda_l2", 0.01, 100.0, log=True),
    }


def _result(study: optuna.Study) -> SearchResult:
    finished = _finished(study)
    pruned = sum(trial.state.name == "PRUNED" for trial in finished)
    return SearchResult(
        parameters=dict(study.best_params),
        log_loss=float(study.best_value),
        default_log_loss=float(_default_trial(study).value),
        n_trials=len(finished),
        n_pruned=pruned,
    )
