"""Quality of the defaults on public sets beside the repository: ours, the recipe it started from, baselines.

Random 70/30 splits by seed, no search. The recipe is the bagged LightGBM of native or ordinal trees that
leadlift's learner grew from (8 stratified folds, early stopping on the fold, averaged); it is run here on the
same rows, so that the comparison is within one process. Writes `benchmarks/results/quality.md`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.model_selection import StratifiedKFold, train_test_split

from leadlift.learning.baselines import baseline_scores
from leadlift.learning.encoding import TableEncoder
from leadlift.learning.metrics import quality_table
from leadlift.learning.scorer import LeadScorer
from machine import conditions

DATA = Path(__file__).parents[2] / "shared" / "data"
RESULTS = Path(__file__).parent / "results" / "quality.md"
X_EDUCATION_DROPPED = (
    "Prospect ID", "Lead Number", "Tags", "Lead Quality", "Lead Profile", "Last Notable Activity",
    "Asymmetrique Activity Index", "Asymmetrique Profile Index", "Asymmetrique Activity Score",
    "Asymmetrique Profile Score",
)  # fmt: skip

Table = tuple[pd.DataFrame, np.ndarray]


def x_education_strict() -> Table:
    frame = pd.read_csv(DATA / "xeducation" / "Leads.csv", na_values=["Select"])
    y = frame.pop("Converted").to_numpy()
    return frame.drop(columns=list(X_EDUCATION_DROPPED)), y


def bank_without_duration() -> Table:
    frame = pd.read_csv(DATA / "bank_marketing" / "bank-additional-full.csv", sep=";")
    y = (frame.pop("y") == "yes").to_numpy().astype(int)
    return frame.drop(columns="duration"), y


def online_shoppers() -> Table:
    frame = pd.read_csv(DATA / "online_shoppers" / "online_shoppers_intention.csv")
    y = frame.pop("Revenue").to_numpy().astype(int)
    return frame, y


def caravan() -> Table:
    frame = pd.read_csv(DATA / "caravan" / "Caravan.csv")
    y = (frame.pop("Purchase") == "Yes").to_numpy().astype(int)
    return frame, y


SETS: dict[str, Callable[[], Table]] = {
    "X Education (strict)": x_education_strict,
    "bank without duration": bank_without_duration,
    "online shoppers": online_shoppers,
    "caravan": caravan,
}


def recipe_scores(matrix: np.ndarray, y: np.ndarray, new: np.ndarray, seed: int) -> np.ndarray:
    """Score with the measured recipe: small trees up to 25,000 rows, larger ones above."""
    small = {"learning_rate": 0.05, "num_leaves": 12, "max_depth": 6, "min_data_in_leaf": 20,
             "bagging_fraction": 0.8, "feature_fraction": 0.5, "lambda_l2": 5}  # fmt: skip
    large = {"learning_rate": 0.04, "num_leaves": 50, "min_data_in_leaf": 40, "bagging_fraction": 0.75,
             "feature_fraction": 0.5, "lambda_l2": 5}  # fmt: skip
    shape = small if len(y) <= 25_000 else large
    parameters = shape | {
        "objective": "binary",
        "bagging_freq": 1,
        "verbosity": -1,
        "seed": seed,
        "num_threads": 1,
    }
    total = np.zeros(len(new))
    for seen, held in StratifiedKFold(8, shuffle=True, random_state=seed).split(matrix, y):
        train = lgb.Dataset(matrix[seen], y[seen])
        valid = lgb.Dataset(matrix[held], y[held], reference=train)
        stop = lgb.early_stopping(50, verbose=False)
        total += lgb.train(parameters, train, 3000, valid_sets=[valid], callbacks=[stop]).predict(
            new, raw_score=True
        )
    return 1 / (1 + np.exp(-total / 8))


def compare(frame: pd.DataFrame, y: np.ndarray, seed: int) -> pd.DataFrame:
    """Fit everything on one split; one row a model."""
    seen, held = train_test_split(np.arange(len(y)), test_size=0.3, random_state=seed)
    start = time.process_time()
    scorer = LeadScorer().fit(frame.iloc[seen], y[seen])
    cpu_seconds = time.process_time() - start
    encoder = TableEncoder().fit(frame.iloc[seen])
    matrix, new = encoder.transform(frame.iloc[seen]), encoder.transform(frame.iloc[held])
    scores = {
        "leadlift": scorer.predict_proba(frame.iloc[held])[:, 1],
        "recipe": recipe_scores(matrix, y[seen], new, seed),
        **baseline_scores(encoder, matrix, y[seen], new),
    }
    table = quality_table(y[held], scores)
    return table.append_column(
        "fit_cpu_s", pa.array([cpu_seconds] + [np.nan] * (len(scores) - 1))
    ).to_pandas()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--dry-run", action="store_true", help="print the table, do not keep it")
    arguments = parser.parse_args()
    lines = [
        "| set | model | AUC | log loss | calibration error | lift in top tenth | CPU s a fit |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for name, load in SETS.items():
        frame, y = load()
        runs = pd.concat([compare(frame, y, seed) for seed in range(arguments.seeds)])
        for model, row in runs.groupby("model", sort=False).mean().iterrows():
            cpu = "" if np.isnan(row.fit_cpu_s) else f"{row.fit_cpu_s:.1f}"
            lines.append(
                f"| {name} | {model} | {row.auc:.4f} | {row.log_loss:.4f} | {row.calibration_error:.3f} "
                f"| {row.lift_10:.2f} | {cpu} |"
            )
            print(lines[-1], flush=True)
    note = f"Means over {arguments.seeds} seeded random 70/30 splits, defaults without search."
    page = "\n".join(["# Quality of the defaults", "", conditions(), "", note, "", *lines]) + "\n"
    if not arguments.dry_run:
        RESULTS.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
