"""CPU and size of `leadlift report` on simulated leads with many columns; part of `benchmarks/explain.py`."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from first_run import Cost, run
from leadlift.config import read_config
from leadlift.data.datasets import make_leads
from leadlift.insight.report.page import write_report
from leadlift.lifecycle.looking_back import look_back
from leadlift.lifecycle.reporting import report_on
from leadlift.serving.bundle import ModelBundle

N_INPUTS = 60


@dataclass(frozen=True)
class ReportCost:
    n_leads: int
    n_inputs: int
    training: Cost
    command: Cost
    report_cpu_s: float
    megabytes: float


def wide_leads(n: int, n_more: int) -> pa.Table:
    """Return simulated leads with so many more columns, two of three numbers and one of twelve levels."""
    rng = np.random.default_rng(0)
    leads = make_leads(n, seed=0, with_events=False).leads
    for k in range(n_more):
        values = rng.integers(0, 12, n) if k % 3 == 0 else np.round(rng.gamma(2.0, 3.0, n), 2)
        column = np.char.add("level ", values.astype(str)) if k % 3 == 0 else values
        leads = leads.append_column(f"extra_{k}", pa.array(column))
    return leads


def measure(n: int, folder: Path) -> ReportCost:
    """Train on `n` leads with 60 inputs, and write the report on them."""
    leadlift = str(Path(sys.executable).parent / "leadlift")
    config, champion = folder / "leadlift.toml", folder / "models" / "champion"
    leads, out = folder / "leads.csv", folder / "report.html"
    narrow = make_leads(1_000, seed=0, with_events=False).leads
    pyarrow.csv.write_csv(narrow, leads)
    run(leadlift, "init", str(leads), "--out", str(config))
    n_narrow = sum(len(names) for names in read_config(config).families.model_dump().values())
    # Five of the simulated columns are written later and left out.
    pyarrow.csv.write_csv(wide_leads(n, N_INPUTS - n_narrow + 5), leads)
    run(leadlift, "init", str(leads), "--out", str(config), "--force")
    training = run(leadlift, "train", str(config), "--leave-out-suspects", "--no-report")
    command = run(leadlift, "report", str(config), "--bundle", str(champion), "--out", str(out))
    alone = subprocess.run(
        [sys.executable, __file__, "--alone", str(config), str(champion), str(out)],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    n_inputs = len(ModelBundle.load(champion).specs)
    return ReportCost(n, n_inputs, training, command, float(alone.stdout), out.stat().st_size / 1e6)


def make_alone(config: str, bundle: str, out: str) -> float:
    """Return the CPU seconds of making and writing the report, once model and leads are read."""
    hindsight = look_back(read_config(config), ModelBundle.load(bundle))
    start = time.process_time()
    write_report(report_on(hindsight), out)
    return time.process_time() - start


def rows(cost: ReportCost) -> list[str]:
    """Return the lines of a Markdown table."""
    figures = (
        f"{cost.n_leads:,}",
        f"{cost.n_inputs}",
        f"{cost.report_cpu_s:.1f}",
        f"{cost.command.cpu_seconds:.1f}",
        f"{cost.command.peak_mb:,.0f}",
        f"{cost.megabytes:.2f}",
    )
    return [
        "| leads | inputs | report, CPU s | whole command, CPU s | peak MB | page MB |",
        "|---:|---:|---:|---:|---:|---:|",
        f"| {' | '.join(figures)} |",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--alone", nargs=3, metavar=("CONFIG", "BUNDLE", "OUT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.alone:
        print(make_alone(*arguments.alone))
        return
    with tempfile.TemporaryDirectory() as folder:
        print("\n".join(rows(measure(arguments.leads, Path(folder)))))


if __name__ == "__main__":
    main()
