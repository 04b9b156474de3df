"""What batch scoring costs, against what it must reach; writes `results/predict.md`.

The base of every ratio is `Booster.predict` of one booster of 400 trees of 12 leaves, one thread, on a ready
float64 matrix of the same rows. Ratios are of CPU seconds of this process; what is compared takes its turn
in every round, and the best round of each counts. What costs a process something once (imports, memory) is
measured in processes of its own.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import joblib
import numpy as np
import pyarrow.parquet

import kills
import predict_data
from explain_speed import cpu_seconds
from first_run import Cost
from leadlift.learning.patterns import PatternForest
from leadlift.serving.drift import DriftCounts, DriftWatch
from leadlift.serving.predict import predict
from machine import PACKAGES, conditions
from predict_data import Models

RESULTS = Path(__file__).parent / "results" / "predict.md"
USUAL_SCRIPT = Path(__file__).parent / "usual_script.py"
APART = Path(__file__).parent / "apart.py"
BASE_ROWS = 200_000
TREE_ROWS = 100_000
MOST_SPARK = 1.6
MOST_DRIFT = 0.05
LEADLIFT = str(Path(sys.executable).with_name("leadlift"))


@dataclass(frozen=True)
class Way:
    """One way from a file of leads to a scored one, and the share of the base it may cost."""

    source: str
    target: str
    engine: str
    reasons: bool
    most: float

    @property
    def name(self) -> str:
        kind = {"parquet": "Parquet", "csv": "CSV"}
        told = "with three exact reasons" if self.reasons else "scores only"
        return f"{kind[self.source]} to {kind[self.target]}, {self.engine}, {told}"


WAYS = (
    Way("parquet", "parquet", "fast", reasons=False, most=0.35),
    Way("parquet", "parquet", "fast", reasons=True, most=0.80),
    Way("parquet", "parquet", "plain", reasons=False, most=0.75),
    Way("csv", "csv", "fast", reasons=False, most=0.60),
    Way("csv", "csv", "fast", reasons=True, most=1.10),
)


def run(*command: str) -> Cost:
    """Run a command to its end and return what it cost."""
    told = subprocess.run([sys.executable, str(APART), *command], check=True, capture_output=True, text=True)
    return Cost(*map(float, told.stdout.split()))


def tree_part(models: Models, matrix: np.ndarray, n_rounds: int) -> tuple[float, float, float]:
    """Return the CPU seconds of the base, and raw scores and exact reasons of the tables as shares of it."""
    text = models.booster.model_to_string()
    forest, rows = PatternForest.from_model_texts((text,), (1.0,)), matrix[:TREE_ROWS]
    forest.explain(rows[:10])
    works = [lambda: _base(models, rows), lambda: forest.raw(rows), lambda: forest.explain(rows)]
    base, raw, reasons = cpu_seconds(*works, n_rounds=n_rounds)
    return base, raw / base, reasons / base


def end_to_end(
    models: Models,
    folder: Path,
    matrix: np.ndarray,
    n: int,
    n_rounds: int,
    ways: tuple[Way, ...] = WAYS,
) -> list[list[float]]:
    """Return the share of the base that each way costs, with trees alone and with everything."""

    def scored(bundle: str, way: Way) -> Callable[[], object]:
        source, out = folder / f"new_{n}.{way.source}", folder / f"scored.{way.target}"
        return lambda: predict(
            folder / bundle, source, out=out, engine=way.engine, reasons=way.reasons, threads=1
        )

    rows = matrix[:BASE_ROWS]
    works = [scored(bundle, way) for bundle in ("trees", "whole") for way in ways]
    base, *spent = cpu_seconds(lambda: _base(models, rows), *works, n_rounds=n_rounds)
    shares = [seconds / (base * n / len(rows)) for seconds in spent]
    return [shares[: len(ways)], shares[len(ways) :]]


def drift_share(folder: Path, n: int) -> float:
    """Return the share of a job's CPU that counting drift takes, scores only, which is the shortest job."""
    spent, count = 0.0, DriftWatch.count

    def timed(*arguments: object) -> DriftCounts:
        nonlocal spent
        start = time.process_time()
        counts = count(*arguments)
        spent += time.process_time() - start
        return counts

    with mock.patch.object(DriftWatch, "count", timed):
        source, out = folder / f"new_{n}.parquet", folder / "scored.parquet"
        (whole,) = cpu_seconds(
            lambda: predict(folder / "trees", source, out=out, reasons=False, threads=1), n_rounds=1
        )
    return spent / (whole - spent)


def _base(models: Models, rows: np.ndarray) -> None:
    models.booster.predict(rows, raw_score=True, num_threads=1)


def beside_the_usual_script(models: Models, folder: Path, n: int) -> list[tuple[str, Cost]]:
    """Return what the usual script and ours cost as processes, from CSV to CSV."""
    joblib.dump(models.classifier, folder / "model.joblib")
    source = str(folder / f"new_{n}.csv")
    usual = run(
        sys.executable, str(USUAL_SCRIPT), str(folder / "model.joblib"), source, str(folder / "usual.csv")
    )
    ours = [
        (name, run(*_predict_command(folder, source, "scored.csv"), *options))
        for name, options in (("scores only", ["--no-reasons"]), ("with three exact reasons", []))
    ]
    return [("the usual script", usual), *((f"leadlift predict, {name}", cost) for name, cost in ours)]


def _predict_command(folder: Path, source: str, out: str) -> list[str]:
    command = [LEADLIFT, "predict", source, "--bundle", str(folder / "trees")]
    return [*command, "--out", str(folder / out), "--threads", "1"]


def growth(folder: Path, sizes: tuple[int, ...]) -> list[tuple[int, Cost]]:
    """Return what larger and larger jobs on two threads cost."""
    costs = []
    for n in sizes:
        if not (folder / f"new_{n}.parquet").exists():
            predict_data.write_leads(folder, n, csv=False)
        command = _predict_command(folder, str(folder / f"new_{n}.parquet"), "scored.parquet")
        costs.append((n, run(*command[:-1], "2")))
    return costs


def first_row(folder: Path) -> list[Cost]:
    """Return what it costs a process to come up and score one row; later runs find compiled loops."""
    one = predict_data.leads(1, seed=9)[0]
    pyarrow.parquet.write_table(one, folder / "one.parquet")
    command = _predict_command(folder, str(folder / "one.parquet"), "one_scored.parquet")
    return [run("env", f"NUMBA_CACHE_DIR={folder / 'numba'}", *command) for _ in range(3)]


def spark(folder: Path, n: int) -> str:
    """Return a sentence about the CPU of one process and of Spark for `n` rows, start-up apart."""
    if importlib.util.find_spec("pyspark") is None:
        return "\n## Spark\n\nNot measured: PySpark is not installed."
    few = max(n // 20, 10_000)
    spent = {}
    for engine in ("auto", "spark"):
        costs = []
        for size in (few, n):
            if not (folder / f"new_{size}.parquet").exists():
                predict_data.write_leads(folder, size, csv=False)
            command = _predict_command(
                folder, str(folder / f"new_{size}.parquet"), f"{engine}_{size}.parquet"
            )
            costs.append(run(*command[:-2], "--engine", engine).cpu_seconds)
        spent[engine] = (costs[1] - costs[0]) * n / (n - few)
    ratio = spent["spark"] / spent["auto"]
    return SPARK.format(n=n, ratio=ratio, verdict=_verdict(ratio <= MOST_SPARK), **spent)


HEAD = """# What batch scoring costs

{conditions}
`make bench-predict` measures it again. {n:,} leads of 40 inputs (20 numbers with gaps, 20 texts of 3 to 40
levels), 400 trees of 12 leaves. A cost of 1 is `Booster.predict` of such trees in one booster on a ready
float64 matrix of the same rows, one thread: {base:.1f} CPU s. Everything else ran on one thread too, from
file to file.
"""
DRIFT = """
Drift of inputs and scores is counted on the way: {share:.1%} on top of a job without reasons (at most 5 %):
{verdict}."""
SCRIPT = """
## Beside the usual script

pandas reads, text becomes `category`, `LGBMClassifier.predict_proba` of 400 trees of 12 leaves, `to_csv`
([usual_script.py](../usual_script.py)). To reach: 8 times cheaper in CPU, a fifth of the memory.
"""
GROWTH = """
## Larger jobs
"""
ONCE = """
## Coming up

To reach: one row scored within 3 CPU s of starting. `leadlift predict` on a file of one lead: the first time
{fresh:.1f} CPU s, later {later:.1f} ({peak:,.0f} MB): {verdict}."""
SPARK = """
## Spark

To reach: on {n:,} rows at most 1.6 times the CPU of one process, start-up apart. With reasons, JVM and Python
workers counted, the cost of a twentieth of the rows taken off and the rest scaled: one process {auto:.1f} CPU
s, `local[2]` {spark:.1f}, {ratio:.2f} times: {verdict}."""
KILLS = """
## Kills

`leadlift predict` on {n:,} rows, killed by SIGKILL at random moments and run again, sometimes killed again:
{killed}, byte for byte."""


def ratio_table(trees: list[float], shares: list[list[float]]) -> list[str]:
    """Return the costs beside what they must reach."""
    rows = [
        ("trees alone, raw scores", 0.12, trees[0], None),
        ("trees alone, exact reasons", 0.35, trees[1], None),
        *((way.name, way.most, *both) for way, both in zip(WAYS, zip(*shares, strict=True), strict=True)),
    ]
    lines = [
        "| | at most | 400 trees | | with logistic member and target statistics |",
        "|---|---:|---:|---|---:|",
    ]
    for name, most, share, whole in rows:
        second = "" if whole is None else f"{whole:.2f}"
        lines.append(f"| {name} | {most:.2f} | {share:.2f} | {_verdict(share <= most)} | {second} |")
    return lines


def script_table(costs: list[tuple[str, Cost]]) -> list[str]:
    """Return the usual script and ours, as processes."""
    usual = costs[0][1]
    lines = [
        "| CSV to CSV, a process each | CPU s | cheaper | peak MB | smaller |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {name} | {cost.cpu_seconds:.1f} | {usual.cpu_seconds / cost.cpu_seconds:.1f}x "
        f"| {cost.peak_mb:,.0f} | {usual.peak_mb / cost.peak_mb:.1f}x |"
        for name, cost in costs
    ]
    return lines


def growth_table(costs: list[tuple[int, Cost]]) -> list[str]:
    """Return what jobs of several sizes cost, and whether memory is flat."""
    lines = [
        "| rows, Parquet, two threads, with reasons | wall s | CPU s | peak MB |",
        "|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {n:,} | {cost.wall_seconds:.1f} | {cost.cpu_seconds:.1f} | {cost.peak_mb:,.0f} |"
        for n, cost in costs
    ]
    grown = costs[-1][1].peak_mb / costs[0][1].peak_mb - 1
    flat = grown <= 0.10 and costs[-1][1].peak_mb < 1000
    return [*lines, "", f"Memory {grown:+.0%} (at most +10 %, below 1 GB): {_verdict(flat)}."]


def measure(folder: Path, arguments: argparse.Namespace) -> str:
    """Measure everything and return the page."""
    n, n_rounds = arguments.rows, arguments.rounds
    models = predict_data.make_models(folder)
    predict_data.write_leads(folder, n)
    matrix = models.trees.model.encode(predict_data.leads(BASE_ROWS, seed=1)[0].drop_columns(["lead_id"]))
    base, *trees = tree_part(models, matrix, n_rounds)
    shares = end_to_end(models, folder, matrix, n, n_rounds)
    drift = drift_share(folder, n)
    script = beside_the_usual_script(models, folder, n)
    sizes = growth(folder, tuple(arguments.sizes))
    rows = first_row(folder)
    on_spark = spark(folder, arguments.spark_rows)
    killed = kills.measure(folder, n_rows=n, n_kills=arguments.kills)
    lines = [
        HEAD.format(conditions=conditions((*PACKAGES, "pyspark")), n=n, base=base * n / TREE_ROWS),
        *ratio_table(trees, shares),
        DRIFT.format(share=drift, verdict=_verdict(drift <= MOST_DRIFT)),
        SCRIPT,
        *script_table(script),
        GROWTH,
        *growth_table(sizes),
        ONCE.format(
            fresh=rows[0].cpu_seconds,
            later=rows[-1].cpu_seconds,
            peak=rows[-1].peak_mb,
            verdict=_verdict(rows[-1].cpu_seconds <= 3),
        ),
        on_spark,
        KILLS.format(killed=killed, n=n),
    ]
    return "\n".join(lines) + "\n"


def _verdict(is_met: bool) -> str:
    return "met" if is_met else "MISSED"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--spark-rows", type=int, default=2_000_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dry-run", action="store_true", help="print the page, do not keep it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        page = measure(Path(name), arguments)
    print(page)
    if not arguments.dry_run:
        RESULTS.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
