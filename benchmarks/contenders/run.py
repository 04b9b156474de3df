"""Fit one contender on one exported split and write its probabilities; runs in the contender's environment.

Needs nothing of leadlift. A split is a folder with `train.parquet` (the label in `LABEL`) and `test.parquet`
(without it). The probabilities of the test rows go to ``predictions.json``; it is written last, so a folder
that has one is complete.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

LABEL = "won_label"
# Raise it when a contender is run in another way: answers cached before no longer count.
RECIPE_VERSION = 2
# What AutoGluon's best_quality would fit with torch installed; excluded by name too, so that the
# environment does not decide.
NEURAL = ("NN_TORCH", "FASTAI", "TABM", "TABICL", "TABPFNV2", "REALMLP", "MITRA")

Scores = tuple[np.ndarray, dict[str, object]]


def autogluon(train: pd.DataFrame, test: pd.DataFrame, cpu_budget_s: int, work: Path) -> Scores:
    """AutoGluon best_quality without neural networks, tuned for log loss."""
    from autogluon.tabular import TabularPredictor

    predictor = TabularPredictor(LABEL, problem_type="binary", eval_metric="log_loss", path=str(work))
    predictor.fit(
        train,
        presets="best_quality",
        time_limit=cpu_budget_s,
        num_cpus=1,
        num_gpus=0,
        excluded_model_types=list(NEURAL),
        # Folds in this process: no workers whose CPU time nobody counts, and no ray.
        ag_args_ensemble={"fold_fitting_strategy": "sequential_local"},
        verbosity=2,
    )
    # Its last step with log loss as the aim; AutoGluon itself leaves it out where torch is missing.
    out_of_fold = predictor.predict_proba_oof(as_multiclass=False)
    temperature = best_temperature(train[LABEL].to_numpy(), log_odds(out_of_fold))
    said = {"members": predictor.model_names(), "best": predictor.model_best, "temperature": temperature}
    scores = predictor.predict_proba(test, as_multiclass=False)
    return expit(log_odds(scores) / temperature), said


def log_odds(probability: pd.Series) -> np.ndarray:
    """Log-odds of probabilities, of 0 and 1 as those next to them."""
    return logit(np.clip(probability.to_numpy(dtype=float), 1e-12, 1 - 1e-12))


def best_temperature(y: np.ndarray, z: np.ndarray) -> float:
    """Return what to divide the log-odds by for the least log loss (Guo et al. 2017, arXiv:1706.04599)."""
    sign = np.where(y > 0, -1.0, 1.0)

    def loss(log_temperature: float) -> float:
        return float(np.logaddexp(0.0, sign * z / np.exp(log_temperature)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x))


def flaml(train: pd.DataFrame, test: pd.DataFrame, cpu_budget_s: int, work: Path) -> Scores:
    """FLAML's search over LightGBM, XGBoost, forests and logistic regression, tuned for log loss."""
    from flaml import AutoML

    automl = AutoML()
    automl.fit(
        dataframe=train,
        label=LABEL,
        task="classification",
        metric="log_loss",
        time_budget=cpu_budget_s,
        n_jobs=1,
        seed=0,
        verbose=1,
    )
    said = {"best": automl.best_estimator, "settings": automl.best_config}
    return automl.predict_proba(test)[:, 1], said


CONTENDERS: dict[str, tuple[Callable[..., Scores], tuple[str, ...]]] = {
    "autogluon": (autogluon, ("autogluon.tabular", "lightgbm", "catboost", "xgboost-cpu", "pandas")),
    "flaml": (flaml, ("flaml", "lightgbm", "xgboost", "pandas")),
}


def cpu_seconds() -> float:
    """CPU time of this process, its threads and the children it has waited for."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def count_cpu_time_only() -> None:
    """Let the searches, which stop by the clock, see the CPU time of this process as the clock.

    On a core of its own that is the same; on a shared machine it keeps a busy neighbour from cutting the
    search short.
    """
    began = time.time() - time.process_time()
    time.time = lambda: began + time.process_time()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contender", choices=CONTENDERS)
    parser.add_argument("--split", type=Path, required=True, help="folder with train.parquet, test.parquet")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--cpu-budget-s", type=int, required=True, help="CPU seconds the search may take")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    count_cpu_time_only()
    fit, packages = CONTENDERS[arguments.contender]
    train, test = (pd.read_parquet(arguments.split / f"{part}.parquet") for part in ("train", "test"))
    start, wall = cpu_seconds(), time.perf_counter()
    scores, said = fit(train, test, arguments.cpu_budget_s, arguments.out / "work")
    result = {
        "contender": arguments.contender,
        "versions": {name: version(name) for name in packages},
        "cpu_budget_s": arguments.cpu_budget_s,
        "cpu_s": cpu_seconds() - start,
        "wall_s": time.perf_counter() - wall,
        "said": said,
        "score": [float(score) for score in scores],
    }
    text = json.dumps(result, default=str)
    (arguments.out / "predictions.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
