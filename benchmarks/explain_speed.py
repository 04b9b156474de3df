"""What exact reasons for every lead cost, beside LightGBM's own prediction; part of `benchmarks/explain.py`.

Ratios are of CPU seconds of this process, one thread each. Of what is compared, each takes its turn in every
round, so that a busy machine slows all alike, and the best round of each counts. What costs a process
something once (machine code, memory) is measured in processes of their own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
from woodelf import WoodelfExplainer

from leadlift.insight.attribution import Attributor
from leadlift.learning.patterns import PatternForest
from leadlift.learning.scorer import LeadScorer
from leadlift.serving.bundle import ModelBundle
from machine import PACKAGES, conditions
from quality_sets import SETS

N_ROWS, N_COLUMNS = 100_000, 40
N_SMALL = 500
BATCH_ROWS = 25_000  # about what `leadlift predict` scores at a time
N_ROUNDS = 3
# Slow, and linear in the rows: measured on fewer and scaled.
N_SLOW = 2_000
WOODELF_ROWS = 50_000
# Trees alone; trees and a logistic member; target statistics of pairs of columns.
REAL_SETS = ("X Education strict", "bank without duration", "health insurance")


@dataclass(frozen=True)
class Forest:
    """Trees to be measured, and rows for them.

    Parameters
    ----------
    name : str
    texts : tuple of str
        LightGBM model texts, whose mean is explained.
    X : ndarray of float64, shape (n_rows, n_columns)
        What the trees split.
    """

    name: str
    texts: tuple[str, ...]
    X: np.ndarray

    @property
    def boosters(self) -> list[lightgbm.Booster]:
        return [lightgbm.Booster(model_str=text) for text in self.texts]

    @property
    def n_trees(self) -> int:
        return sum(booster.num_trees() for booster in self.boosters)

    def compile(self) -> PatternForest:
        return PatternForest.from_model_texts(self.texts, [1 / len(self.texts)] * len(self.texts))


@dataclass(frozen=True)
class Speed:
    """CPU seconds for all rows; None where something was not measured."""

    name: str
    n_trees: int
    n_rows: int
    predict: float
    raw: float
    reasons: float
    whole: float | None
    pred_contrib: float
    woodelf: float | None


@dataclass(frozen=True)
class Building:
    """CPU seconds of making tables, and of few rows with and without; megabytes; errors."""

    name: str
    n_trees: int
    build: float
    tables_mb: float
    few_rows: float
    few_rows_pred_contrib: float
    largest_error: float
    largest_sum_error: float


def cpu_seconds(*works: Callable[[], object], n_rounds: int = N_ROUNDS) -> list[float]:
    """Return the least CPU seconds of each work over alternating rounds."""
    rounds = []
    for _ in range(n_rounds):
        times = []
        for work in works:
            start = time.process_time()
            work()
            times.append(time.process_time() - start)
        rounds.append(times)
    return np.min(rounds, axis=0).tolist()


def simulated(n_rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return forty columns, numbers and a few levels, with gaps, and who is won."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, N_COLUMNS))
    X[:, 20:25] = rng.integers(0, 6, size=(n_rows, 5))
    X[rng.random(X.shape) < 0.05] = np.nan
    known = np.nan_to_num(X)
    log_odds = 0.3 * known[:, :10].sum(axis=1) + 0.5 * known[:, 0] * known[:, 1] - 2
    return X, rng.random(n_rows) < 1 / (1 + np.exp(-log_odds))


def single_booster(n_trees: int = 400, num_leaves: int = 12) -> Forest:
    """Return a booster of the shape of a member: small numeric trees of depth 6."""
    X, y = simulated(20_000, seed=0)
    options = {"objective": "binary", "num_leaves": num_leaves, "max_depth": 6, "learning_rate": 0.05}
    options |= {"feature_fraction": 0.5, "verbose": -1, "num_threads": 1, "seed": 0}
    booster = lightgbm.train(options, lightgbm.Dataset(X, y), num_boost_round=n_trees)
    name = f"one booster, {n_trees} trees of {num_leaves} leaves"
    return Forest(name, (booster.model_to_string(),), simulated(N_ROWS, seed=1)[0])


def scorers(names: tuple[str, ...]) -> Iterator[tuple[str, LeadScorer, object]]:
    """Fit a default scorer on simulated leads and on each set; yield it with its name and leads."""
    X, y = simulated(20_000, seed=0)
    yield "simulated leads", LeadScorer().fit(X, y), X
    for name in names:
        leads = SETS[name]()
        yield name, LeadScorer().fit(leads.frame, leads.y), leads.frame


def rows_of(scorer: LeadScorer, leads: object, n_rows: int) -> np.ndarray:
    """Return as many encoded rows as asked for, drawn with replacement."""
    matrix = scorer.encoder_.transform(leads)
    return matrix[np.random.default_rng(0).integers(0, len(matrix), n_rows)]


def forest_of(name: str, scorer: LeadScorer, matrix: np.ndarray) -> Forest:
    trees = scorer.learner_.trees_
    return Forest(name, trees.model_texts_, np.ascontiguousarray(trees.matrix(matrix)))


def in_batches(attributor: Attributor, matrix: np.ndarray) -> None:
    """Explain as `leadlift predict` does: batch after batch, from the encoded row to the published score."""
    for start in range(0, len(matrix), BATCH_ROWS):
        attributor.explain(matrix[start : start + BATCH_ROWS])


def speed(forest: Forest, whole: Callable[[], object] | None = None, *, with_woodelf: bool = False) -> Speed:
    """Measure what scores and reasons of all rows cost."""
    X, boosters, compiled = forest.X, forest.boosters, forest.compile()
    out = np.empty(X.shape)

    def each(rows: np.ndarray, **options: bool) -> None:
        for booster in boosters:
            booster.predict(rows, num_threads=1, **options)

    compiled.explain(X[:10])
    works = [
        lambda: each(X, raw_score=True),
        lambda: compiled.raw(X),
        lambda: compiled.explain(X, out=out),
        whole or (lambda: None),
    ]
    predict, raw, reasons, all_of_it = cpu_seconds(*works)
    (slow,) = cpu_seconds(lambda: each(X[:N_SLOW], pred_contrib=True), n_rounds=1)
    return Speed(
        forest.name, forest.n_trees, len(X), predict, raw, reasons, all_of_it if whole else None,
        slow * len(X) / N_SLOW, woodelf_seconds(boosters, X) if with_woodelf else None,
    )  # fmt: skip


def woodelf_seconds(boosters: list[lightgbm.Booster], X: np.ndarray) -> float:
    """Return the CPU seconds of woodelf-explainer for all rows, in its best batches."""
    table = pd.DataFrame(X, columns=boosters[0].feature_name())
    batches = [table[start : start + WOODELF_ROWS] for start in range(0, len(X), WOODELF_ROWS)]

    def work() -> None:
        for booster in boosters:
            explainer = WoodelfExplainer(booster)
            for batch in batches:
                explainer.shap_values(batch, verbose=False)

    return cpu_seconds(work, n_rounds=1)[0]


def building(forest: Forest, attributed: tuple[Attributor, np.ndarray] | None = None) -> Building:
    """Measure the making of tables, a few rows with it, and how far sums and LightGBM are from ours."""
    X, boosters, compiled = forest.X[:N_SMALL], forest.boosters, forest.compile()
    expected: list[np.ndarray] = []

    def by_lightgbm() -> None:
        expected[:] = [booster.predict(X, pred_contrib=True, num_threads=1) for booster in boosters]

    works = forest.compile, lambda: forest.compile().explain(X), by_lightgbm
    build, few, few_lightgbm = cpu_seconds(*works)
    _, contributions = compiled.explain(X)
    error = float(np.abs(contributions - np.mean(expected, axis=0)[:, :-1]).max())
    gap = compiled.base_value + contributions.sum(axis=1) - compiled.raw(X)
    if attributed is not None:
        attributor, matrix = attributed
        found = attributor.explain(matrix)
        gap = found.base + found.contributions.sum(axis=1) - found.score
    return Building(
        forest.name, forest.n_trees, build, compiled.n_bytes / 1e6, few, few_lightgbm, error,
        float(np.abs(gap).max()),
    )  # fmt: skip


def bundle_rows(name: str, scorer: LeadScorer, leads: object) -> tuple[Speed, Building]:
    """Measure a default scorer: its trees alone, and the whole way to published reasons."""
    matrix, attributor = rows_of(scorer, leads, N_ROWS), Attributor(scorer.fitted)
    forest = forest_of(f"default scorer, {name}", scorer, matrix)
    attributor.explain(matrix[:10])
    return speed(forest, lambda: in_batches(attributor, matrix)), building(forest, (attributor, matrix))


# Loads a bundle and explains one row and 500; prints the CPU seconds of each step.
START = f"""
import json, sys, time
import numpy as np
from leadlift.serving.bundle import ModelBundle

steps = {{"import": time.process_time()}}
bundle = ModelBundle.load(sys.argv[1])
steps["load"] = time.process_time()
matrix = np.zeros(({N_SMALL}, len(bundle.specs)))
bundle.attributor.explain(matrix[:1])
steps["first row"] = time.process_time()
bundle.attributor.explain(matrix)
steps["{N_SMALL} rows"] = time.process_time()
print(json.dumps(dict(zip(steps, np.diff([0, *steps.values()]).tolist()))))
"""


def in_own_process(*arguments: str, **environment: str) -> dict[str, float]:
    """Run Python in a process of its own and return the figures it prints."""
    command = [sys.executable, *arguments]
    found = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, **environment}
    )
    return json.loads(found.stdout.splitlines()[-1])


def print_memory(n_rows: int, model: str) -> None:
    """Explain rows batch by batch and print the peak memory of the process in MB."""
    bundle, rng = ModelBundle.load(model), np.random.default_rng(0)
    for _ in range(0, n_rows, BATCH_ROWS):
        bundle.attributor.explain(rng.normal(size=(BATCH_ROWS, len(bundle.specs))))
    # Not getrusage: a process inherits the peak of the one that started it.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(json.dumps({"peak_mb": int(status["VmHWM"].split()[0]) / 1024}))


def starts(model: str) -> dict[str, dict[str, float]]:
    """Return the CPU seconds to the first explained rows, on a new machine and later."""
    with tempfile.TemporaryDirectory() as cache:
        runs = [in_own_process("-c", START, model, NUMBA_CACHE_DIR=cache) for _ in range(2)]
    return dict(zip(("first run on a machine", "later runs"), runs, strict=True))


def markdown(titles: list[str], rows: list[list[str]]) -> list[str]:
    """Return the lines of a table whose columns but the first are numbers."""
    lines = [titles, ["---", *["---:"] * (len(titles) - 1)], *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def speed_table(rows: list[Speed]) -> list[str]:
    """Return Markdown lines; costs are multiples of Booster.predict."""
    titles = [
        "model",
        "trees",
        "predict, CPU s",
        "raw score",
        "score and reasons",
        "whole way to published reasons",
    ]
    titles += ["`pred_contrib`", "woodelf"]

    def cells(row: Speed) -> list[str]:
        costs = (row.raw, row.reasons, row.whole, row.pred_contrib, row.woodelf)
        multiples = ["" if cost is None else f"{cost / row.predict:.2f}" for cost in costs]
        return [row.name, f"{row.n_trees:,}", f"{row.predict:.2f}", *multiples]

    return markdown(titles, [cells(row) for row in rows])


def building_table(rows: list[Building]) -> list[str]:
    titles = ["model", "trees", "tables, CPU s", "tables, MB", f"{N_SMALL} rows with tables, CPU s"]
    titles += [f"{N_SMALL} rows by `pred_contrib`, CPU s", "largest error", "largest error of a sum"]

    def cells(row: Building) -> list[str]:
        costs = f"{row.build:.2f}", f"{row.tables_mb:.0f}", f"{row.few_rows:.2f}"
        errors = f"{row.largest_error:.0e}", f"{row.largest_sum_error:.0e}"
        return [row.name, f"{row.n_trees:,}", *costs, f"{row.few_rows_pred_contrib:.2f}", *errors]

    return markdown(titles, [cells(row) for row in rows])


def start_table(found: dict[str, dict[str, float]]) -> list[str]:
    steps = list(next(iter(found.values())))
    rows = [[name, *(f"{value:.2f}" for value in seconds.values())] for name, seconds in found.items()]
    return markdown(["CPU s", *steps], rows)


def memory_line(model: str) -> str:
    peaks = [in_own_process(__file__, "--memory", str(n), model)["peak_mb"] for n in (N_ROWS, 4 * N_ROWS)]
    return (
        f"Peak memory of explaining in batches: {peaks[0]:,.0f} MB for {N_ROWS:,} rows, "
        f"{peaks[1]:,.0f} MB for {4 * N_ROWS:,}."
    )


def report(model: str, sets: tuple[str, ...]) -> list[str]:
    """Measure everything and return the lines of the page; each step is told on stderr."""
    one = single_booster()
    speeds, builds = [speed(one, with_woodelf=True)], [building(one)]
    for name, scorer, leads in scorers(sets):
        of_speed, of_building = bundle_rows(name, scorer, leads)
        speeds.append(of_speed)
        builds.append(of_building)
        print(of_speed, of_building, file=sys.stderr, flush=True)
    title = (
        f"CPU seconds for {N_ROWS:,} rows as multiples of `Booster.predict` of all members, one thread each:"
    )
    tables = speed_table(speeds), building_table(builds), start_table(starts(model)), [memory_line(model)]
    return [title, *(line for table in tables for line in ("", *table))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="models/champion", help="a bundle, for memory and starting times")
    parser.add_argument("--sets", nargs="*", choices=SETS, default=REAL_SETS, help="real leads to learn from")
    parser.add_argument("--memory", nargs=2, metavar=("ROWS", "MODEL"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory:
        print_memory(int(arguments.memory[0]), arguments.memory[1])
    else:
        packages = (*PACKAGES, "woodelf-explainer")
        print("\n".join([conditions(packages), "", *report(arguments.model, tuple(arguments.sets))]))


if __name__ == "__main__":
    main()
