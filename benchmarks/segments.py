"""How often segments, changes and rules of the ideal customer are claimed wrongly, and what they cost.

Simulations with known truth, and CPU at 100,000 leads. Writes `benchmarks/results/segments.md`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

import leadlift as ll
from machine import conditions

RESULTS = Path(__file__).parent / "results" / "segments.md"
DAYS = 180
FALSE_DISCOVERY_RATE = 0.05


@dataclass(frozen=True)
class Shape:
    """Leads whose columns say nothing of who is won."""

    name: str
    n_leads: int
    n_columns: int
    n_levels: int
    rate: float
    n_copies: int = 1


SHAPES = (
    Shape("6 columns of 5 levels", 1_000, 6, 5, 0.15),
    Shape("20 columns of yes and no", 1_000, 20, 2, 0.15),
    Shape("5 columns of 30 levels", 5_000, 5, 30, 0.05),
    Shape("10 columns, each three times", 2_000, 10, 5, 0.15, n_copies=3),
)


def noise(shape: Shape, seed: int) -> tuple[pa.Table, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    columns = {
        f"c{i}_{copy}": values
        for i in range(shape.n_columns)
        for values in [rng.integers(0, shape.n_levels, shape.n_leads).astype(str)]
        for copy in range(shape.n_copies)
    }
    as_of = np.datetime64("2026-01-01") + rng.integers(0, DAYS, shape.n_leads)
    return pa.table(columns), rng.random(shape.n_leads) < shape.rate, as_of


def claims_in_noise(shape: Shape, n_runs: int) -> tuple[float, float]:
    """Return the share of runs in which any segment is said to differ, and to have changed."""
    claimed = np.zeros(2)
    for seed in range(n_runs):
        leads, won, as_of = noise(shape, seed)
        found = ll.segments(leads, won, as_of=as_of, most_levels=30)
        claimed += [any(found[name].to_pylist()) for name in ("differs", "changed")]
    return tuple(claimed / n_runs)


def claims_with_effects(lift: float, n_runs: int) -> tuple[float, float]:
    """Return power and false discovery rate where one level in each of 3 of 10 columns has a lift.

    The false discovery rate is the mean over runs of the false share of what is claimed, 0 where nothing is.
    """
    shape = Shape("", 4_000, 10, 5, 0.12)
    n_found, false_shares = 0, []
    for seed in range(n_runs):
        leads, won, _ = noise(shape, seed)
        rng = np.random.default_rng([seed, 1])
        moved = leads.column_names[:3]
        for name in moved:
            won |= (leads[name].to_numpy() == "0") & (rng.random(len(won)) < shape.rate * (lift - 1))
        rows = ll.segments(leads, won).to_pylist()
        differing = [(row["column"], row["segment"]) for row in rows if row["differs"]]
        n_false = sum(column not in moved for column, _ in differing)
        false_shares.append(n_false / max(len(differing), 1))
        n_found += sum((name, "0") in differing for name in moved)
    return n_found / (3 * n_runs), float(np.mean(false_shares))


@dataclass(frozen=True)
class Profiles:
    """What became of rules on later leads, over many runs."""

    lift_at_fit: float
    lift_later: float
    any_held: float
    n_rules: float


def customers(seed: int, n: int, rate_of_fits: float) -> tuple[pa.Table, np.ndarray]:
    rng = np.random.default_rng(seed)
    industry = rng.choice(["software", "fintech", "retail", "mining", "health", "public"], n)
    employees = np.exp(rng.normal(4.6, 1.2, n)).round()
    noise_columns = {f"c{i}": rng.choice(list("abcdef"), n) for i in range(5)}
    fits = np.isin(industry, ["software", "fintech"]) & (employees > 60)
    won = rng.random(n) < np.where(fits, rate_of_fits, 0.1)
    return pa.table({"industry": industry, "employees": employees} | noise_columns), won


def profiles(rate_of_fits: float, n_runs: int, n: int = 3_000) -> Profiles:
    at_fit, later, held, n_rules = [], [], [], []
    for seed in range(n_runs):
        profile = ll.IdealCustomerProfile().fit(*customers(seed, n, rate_of_fits))
        checked = profile.check(*customers(seed + n_runs, n, rate_of_fits))
        n_rules.append(len(profile.rules_))
        held.append(any(checked["held"].to_pylist()))
        if profile.rules_:
            at_fit.append(checked["lift_at_fit"][-1].as_py())
            later.append(checked["lift"][-1].as_py())
    return Profiles(*(float(np.mean(figures)) for figures in (at_fit, later, held, n_rules)))


def cpu_seconds(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


def costs(n: int = 100_000) -> dict[str, float]:
    rng = np.random.default_rng(0)
    levels = pa.array([f"level {k}" for k in range(40)])
    columns = {f"c{i}": levels.take(pa.array(rng.integers(0, 40, n))) for i in range(30)}
    columns |= {f"x{i}": rng.gamma(1, 100, n) for i in range(30)}
    leads, won = pa.table(columns), rng.random(n) < 0.1
    as_of = np.datetime64("2026-01-01") + rng.integers(0, DAYS, n)
    ll.segments(leads.slice(0, 1_000), won[:1_000])  # imports
    fit_columns = leads.select([f"c{i}" for i in range(10)] + [f"x{i}" for i in range(10)])
    touches, ends = touches_of(rng, n, 100 * n)
    return {
        f"`segments`, {n:,} leads x 60 columns": cpu_seconds(lambda: ll.segments(leads, won, as_of=as_of)),
        f"`won_traits`, {n:,} leads x 60 columns": cpu_seconds(lambda: ll.won_traits(leads, won)),
        f"`IdealCustomerProfile.fit`, {n:,} leads x 20 columns": cpu_seconds(
            lambda: ll.IdealCustomerProfile().fit(fit_columns, won)
        ),
        f"`attribute_wins`, {touches.num_rows:,} touches": cpu_seconds(
            lambda: ll.attribute_wins(touches, ends)
        ),
    }


def touches_of(rng: np.random.Generator, n_leads: int, n_touches: int) -> tuple[pa.Table, pa.Table]:
    ids = pa.array([f"L{i:07}" for i in range(n_leads)])
    pages = pa.array([f"/page/{i}" for i in range(300)])
    days = np.timedelta64(1, "s") * rng.integers(0, DAYS * 86_400, n_touches)
    touches = {
        "lead_id": ids.take(pa.array(rng.integers(0, n_leads, n_touches))),
        "occurred_at": np.datetime64("2026-01-01", "us") + days,
        "touch": pages.take(pa.array(rng.integers(0, 300, n_touches))),
    }
    until = np.full(n_leads, np.datetime64("2026-05-01", "us"))
    return pa.table(touches), pa.table({"lead_id": ids, "won": rng.random(n_leads) < 0.1, "until": until})


def page(n_runs: int) -> str:
    lines = ["# Segments, changes and the ideal customer: how often they are claimed wrongly", ""]
    lines += [conditions(("leadlift", "numpy", "scipy", "pyarrow")), ""]
    lines += [f"Nothing is there to find ({n_runs:,} runs a row): share of runs that claim anything.", ""]
    lines += ["| leads | any segment differs | any segment changed |", "|---|---|---|"]
    for shape in SHAPES:
        differs, changed = claims_in_noise(shape, n_runs)
        lines.append(f"| {shape.n_leads:,}, {shape.name} | {differs:.1%} | {changed:.1%} |")
    lines += [
        "",
        f"Three of ten columns have a level with a lift; 4,000 leads, 12 % won; {n_runs // 5} runs.",
        "",
    ]
    lines += ["| lift | found | false discovery rate |", "|---|---|---|"]
    for lift in (1.25, 1.5, 2.0):
        power, false = claims_with_effects(lift, n_runs // 5)
        lines.append(f"| {lift} | {power:.1%} | {false:.1%} |")
    lines += ["", f"Ideal customer, 3,000 leads to find it and 3,000 later ones; {n_runs // 5} runs.", ""]
    lines += ["| truth | rules found | lift when found | lift later | any rule said to hold |"]
    lines += ["|---|---|---|---|---|"]
    for truth, rate in (
        ("noise", 0.1),
        ("fits win twice as often", 0.2),
        ("fits win four times as often", 0.4),
    ):
        p = profiles(rate, n_runs // 5)
        figures = f"{p.n_rules:.1f} | {p.lift_at_fit:.2f} | {p.lift_later:.2f} | {p.any_held:.1%}"
        lines.append(f"| {truth} | {figures} |")
    lines += ["", "| work | CPU seconds |", "|---|---|"]
    lines += [f"| {work} | {seconds:.2f} |" for work, seconds in costs().items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000)
    RESULTS.write_text(page(parser.parse_args().runs))
    print(RESULTS.read_text())


if __name__ == "__main__":
    main()
