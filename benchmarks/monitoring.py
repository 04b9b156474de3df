"""What monitoring costs, from which batch size on it finds a broken feed, and how often it is wrong.

Writes ``results/monitoring.md``. Usage: ``monitoring.py [--rows N] [--quarters N] [--batch-rows N ...]``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.lifecycle.monitoring.budget import AlarmBudget
from leadlift.lifecycle.monitoring.drift import check_inputs
from leadlift.lifecycle.monitoring.scores import check_scores
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.drift import DriftCounts
from leadlift.serving.scoring import watch_of
from leadlift.terms import Kind, Severity
from machine import conditions
from monitored_leads import NUMBERS, SPECS, TEXTS, inputs, scored, write_all

HERE = Path(__file__).parent
PAGE = HERE / "results" / "monitoring.md"
N_WEEKS = 13
BATCH_ROWS = (50, 100, 200, 500)
BUDGET = AlarmBudget()
MOST_ALARMED = BUDGET.of("inputs").rate + BUDGET.of("scores").rate


def measure_cost(folder: Path, n_rows: int) -> list[str]:
    """Return a Markdown table of CPU seconds and memory of ``leadlift monitor``, reading included."""
    monitor = [str(Path(sys.executable).with_name("leadlift")), "monitor", str(folder / "bundle")]
    until = ["--known-until", "2026-05-25"]
    of_store = ["--store", str(folder / "store"), "--outcomes", str(folder / "outcomes_store.parquet")]
    of_files = [str(folder / "scored.parquet"), "--inputs", str(folder / "inputs.parquet")]
    of_outcomes = ["--outcomes", str(folder / "outcomes.parquet")]
    commands = {
        f"store of {N_WEEKS} weekly batches, without outcomes": of_store[:2],
        "the same, against outcomes": [*of_store, *until],
        "the same, with the page": [*of_store, *until, "--report", str(folder / "page.html")],
        "one batch: scored table and inputs": of_files,
        "the same batch, against outcomes": [*of_files, *of_outcomes, *until],
    }
    lines = [
        f"`leadlift monitor` of {n_rows:,} scored leads of {len(SPECS)} columns, the whole command:",
        "",
        "| what | CPU s | wall s | peak MB |",
        "|---|---|---|---|",
    ]
    for what, arguments in commands.items():
        wall, cpu, megabytes = _apart([*monitor, *arguments])
        lines.append(f"| {what} | {cpu:.1f} | {wall:.1f} | {megabytes:,.0f} |")
    return lines


def _apart(command: list[str]) -> tuple[float, ...]:
    done = subprocess.run(
        [sys.executable, str(HERE / "apart.py"), *command], capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 3):
        sys.exit(f"{' '.join(command)} ended with {done.returncode}")
    return tuple(map(float, done.stdout.split()))


def broken(column: pa.ChunkedArray, kind: Kind) -> dict[str, pa.Array]:
    """Return a column with each fault that a feed may have."""
    n_rows = len(column)
    if kind is Kind.CATEGORICAL:
        return {
            "came empty": pa.nulls(n_rows, column.type),
            "levels renamed": pc.binary_join_element_wise(column, "renamed", " "),
        }
    return {
        "came empty": pa.nulls(n_rows, column.type),
        "unit times 100": pc.multiply(column, 100.0),
        "unit by 100": pc.divide(column, 100.0),
        "unit times 10": pc.multiply(column, 10.0),
        "all nought": pa.array(np.zeros(n_rows)),
    }


def measure_broken_feeds(bundle: ModelBundle, batch_rows: Sequence[int]) -> list[str]:
    """Return a Markdown table of how many faults were found as fatal in their column's first batch."""
    found, made = Counter(), Counter()
    for n_rows in batch_rows:
        for seed, spec in enumerate(bundle.specs):
            table = inputs(n_rows, 10_000 + seed)
            for fault, values in broken(table[spec.name], spec.kind).items():
                place = table.column_names.index(spec.name)
                faulty = _count(bundle, table.set_column(place, spec.name, values))
                told = check_inputs(bundle, faulty, window_days=7, budget=BUDGET).findings
                made[fault, n_rows] += 1
                found[fault, n_rows] += any(
                    finding.severity is Severity.FATAL and finding.column == spec.name for finding in told
                )
    of_what = (
        f"Found as fatal in the first batch, of {len(NUMBERS)} numbers (a third each skewed, tied, nine of "
        f"ten of them nought) and {len(TEXTS)} texts; weekly level:"
    )
    lines = [
        of_what,
        "",
        "| fault | " + " | ".join(f"{n:,} leads" for n in batch_rows) + " |",
        "|---|" + "---|" * len(batch_rows),
    ]
    for fault in dict.fromkeys(fault for fault, _ in made):
        cells = [f"{found[fault, n]} of {made[fault, n]}" for n in batch_rows]
        lines.append(f"| {fault} | " + " | ".join(cells) + " |")
    return lines


def measure_false_alarms(bundle: ModelBundle, n_quarters: int) -> list[str]:
    """Return how many quarters of weekly batches without drift raise an alarm about inputs or scores."""
    n_alarmed, start = 0, time.process_time()
    for quarter in range(n_quarters):
        rng = np.random.default_rng(quarter)
        n_alarmed += any(
            _alarms(bundle, int(rng.integers(500, 5_000)), 100_000 + N_WEEKS * quarter + week)
            for week in range(N_WEEKS)
        )
    milliseconds = 1_000 * (time.process_time() - start) / (n_quarters * N_WEEKS)
    said = (
        f"Of {n_quarters} quarters of {N_WEEKS} weekly batches of 500 to 5,000 leads without drift, "
        f"{n_alarmed} raised an alarm about inputs or scores; at most {MOST_ALARMED:.2%} may. A batch took "
        f"{milliseconds:.0f} ms of CPU, making the leads included."
    )
    return [said]


def _alarms(bundle: ModelBundle, n_rows: int, seed: int) -> bool:
    counts = _count(bundle, inputs(n_rows, seed))
    table = scored(bundle, n_rows, seed)
    asked = {"window_days": 7, "budget": BUDGET}
    found = check_inputs(bundle, counts, **asked).findings + check_scores(bundle, table, **asked).findings
    return bool(found)


def _count(bundle: ModelBundle, table: pa.Table) -> DriftCounts:
    return watch_of(bundle).count(table, np.full(len(table), 0.2), np.arange(1, len(table) + 1))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--quarters", type=int, default=100)
    parser.add_argument("--batch-rows", type=int, nargs="+", default=BATCH_ROWS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_all(folder, asked.rows, N_WEEKS)
        bundle = ModelBundle.load(folder / "bundle")
        parts = {
            "What it costs": measure_cost(folder, asked.rows),
            "Broken feeds": measure_broken_feeds(bundle, asked.batch_rows),
            "False alarms without labels": measure_false_alarms(bundle, asked.quarters),
        }
    page = ["# Monitoring", "", conditions(), ""]
    for title, lines in parts.items():
        page += [f"## {title}", "", *lines, ""]
    PAGE.write_text("\n".join(page), encoding="utf-8")


if __name__ == "__main__":
    main()
