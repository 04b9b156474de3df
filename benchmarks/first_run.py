"""Time, CPU and peak memory of `leadlift train` and `leadlift predict` on simulated leads.

Each command runs in a process of its own, so that its peak memory is its own. Writes
`benchmarks/results/first_run.md`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pyarrow.csv

from leadlift.data.datasets import make_leads
from machine import conditions

RESULTS = Path(__file__).parent / "results" / "first_run.md"


@dataclass(frozen=True)
class Cost:
    wall_seconds: float
    cpu_seconds: float
    peak_mb: float


def run(*command: str) -> Cost:
    """Run a command to its end and return what it cost."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        message = f"{' '.join(command)} failed with {process.returncode}"
        raise SystemExit(message)
    return Cost(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def measure(n: int, folder: Path) -> tuple[Cost, Cost]:
    """Train on `n` leads and score `n` leads."""
    leads = make_leads(n, seed=0, with_events=False).leads
    pyarrow.csv.write_csv(leads, folder / "leads.csv")
    leadlift = str(Path(sys.executable).parent / "leadlift")
    config = str(folder / "leadlift.toml")
    run(leadlift, "init", str(folder / "leads.csv"), "--out", config)
    training = run(leadlift, "train", config, "--leave-out-suspects", "--models", str(folder / "models"))
    scoring = run(
        leadlift, "predict", str(folder / "leads.csv"), "--bundle", str(folder / "models" / "champion"),
        "--out", str(folder / "scored.parquet"),
    )  # fmt: skip
    return training, scoring


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--dry-run", action="store_true", help="print the table, do not keep it")
    arguments = parser.parse_args()
    lines = [
        "| leads | command | wall s | CPU s | peak MB |",
        "|---:|---|---:|---:|---:|",
    ]
    peaks = {}
    for n in arguments.sizes:
        with tempfile.TemporaryDirectory() as folder:
            for name, cost in zip(("train", "predict"), measure(n, Path(folder)), strict=True):
                peaks[name, n] = cost.peak_mb
                lines.append(
                    f"| {n:,} | {name} | {cost.wall_seconds:.1f} | {cost.cpu_seconds:.1f} "
                    f"| {cost.peak_mb:,.0f} |"
                )
                print(lines[-1], flush=True)
    if ("predict", 1_000_000) in peaks and ("predict", 100_000) in peaks:
        growth = peaks["predict", 1_000_000] / peaks["predict", 100_000] - 1
        lines += ["", f"Peak memory of predict from 100k to 1M leads: {growth:+.0%} (allowed: +25 %)."]
    page = "\n".join(["# First run", "", conditions(), "", *lines]) + "\n"
    print(page)
    if not arguments.dry_run:
        RESULTS.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
