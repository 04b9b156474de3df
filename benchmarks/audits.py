"""How often fairness audits, proxy scans and comparisons of lost leads are wrong, and what they cost.

Simulations with known truth, and CPU at 100,000 leads. Writes `benchmarks/results/audits.md`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

import leadlift as ll
from machine import conditions

RESULTS = Path(__file__).parent / "results" / "audits.md"
PACKAGES = ("leadlift", "numpy", "scipy", "pyarrow", "scikit-learn", "fairlearn", "vaderSentiment")
TRUTHS = {
    "four equal groups": (0.3, 0.3, 0.3, 0.3),
    "one at 0.8": (0.24, 0.3, 0.28, 0.3),
    "one at 0.5": (0.15, 0.3, 0.28, 0.3),
}
WORDS = np.array([f"w{chr(97 + i)}{chr(97 + j)}" for i in range(12) for j in range(12)])


def audits(rates: tuple[float, ...], n_runs: int) -> tuple[float, float, float]:
    """Return how often the interval of the ratio holds the truth, and how often either verdict is given."""
    covered, below, at_least = 0, 0, 0
    for seed in range(n_runs):
        rng = np.random.default_rng(seed)
        group = np.repeat(np.arange(4), rng.integers(60, 300, 4))
        passed, won = rng.random(len(group)) < np.array(rates)[group], rng.random(len(group)) < 0.3
        groups = pa.table({"group": group.astype(str)})
        row = ll.fairness_audit(np.full(len(group), 0.3), passed, won, groups).by_attribute.to_pylist()[0]
        covered += row["selection_ratio_low"] <= min(rates) / max(rates) <= row["selection_ratio_high"]
        below += row["verdict"] == "below four fifths"
        at_least += row["verdict"] == "at least four fifths"
    return covered / n_runs, below / n_runs, at_least / n_runs


def scans(n_leads: int, n_groups: int, n_runs: int) -> tuple[float, float, float]:
    """Return, where nothing is to be found, how often intervals hold 0.5 and how often an input is named."""
    whole, alone, named = 0, [], 0
    for seed in range(n_runs):
        rng = np.random.default_rng(seed)
        inputs = {f"x{i}": rng.normal(size=n_leads) for i in range(4)}
        inputs["level"] = rng.integers(0, 6, n_leads).astype(str)
        groups = pa.table({"group": rng.integers(0, n_groups, n_leads).astype(str)})
        scan = ll.proxy_scan(pa.table(inputs), groups)
        row = scan.by_attribute.to_pylist()[0]
        whole += row["low"] <= 0.5 <= row["high"]
        alone += [one["low"] <= 0.5 <= one["high"] for one in scan.by_input.to_pylist()]
        named += any(scan.by_input["gives_away"].to_pylist())
    return whole / n_runs, float(np.mean(alone)), named / n_runs


def terms(n_runs: int) -> float:
    """Return how often a term is said to differ between groups that write alike."""
    claimed = 0
    for seed in range(n_runs):
        rng = np.random.default_rng(seed)
        texts = [" ".join(words) for words in rng.choice(WORDS, (1500, 8))]
        claimed += any(ll.distinguishing_terms(texts, rng.random(1500) < 0.2)["differs"].to_pylist())
    return claimed / n_runs


def reasons(n_runs: int) -> tuple[float, float]:
    """Return how often a change, and a segment, is claimed where reasons are drawn alike everywhere."""
    claimed = np.zeros(2)
    for seed in range(n_runs):
        rng = np.random.default_rng(seed)
        reason, lost = (
            rng.choice(["price", "budget", "rival", "no fit", "late"], 1500),
            np.ones(1500, dtype=bool),
        )
        closed_at = np.datetime64("2026-01-01") + rng.integers(0, 180, 1500)
        segments = pa.table({f"c{i}": rng.integers(0, 6, 1500).astype(str) for i in range(6)})
        tables = (
            ll.loss_reasons(reason, lost, closed_at=closed_at)["changed"],
            ll.loss_reasons_by_segment(reason, lost, segments)["differs"],
        )
        claimed += [any(column.to_pylist()) for column in tables]
    return tuple(claimed / n_runs)


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def costs() -> dict[str, float]:
    """Return CPU seconds of each call, libraries imported before."""
    n, rng = 100_000, np.random.default_rng(0)
    score = rng.beta(1, 4, n)
    won = rng.random(n) < score
    groups = pa.table({"gender": rng.choice(["f", "m"], n), "age": rng.integers(18, 80, n)})
    inputs = {f"x{i}": rng.normal(size=n) for i in range(40)}
    inputs |= {f"c{i}": rng.integers(0, 8, n).astype(str) for i in range(20)}
    texts = pa.array([" ".join(words) for words in rng.choice(WORDS, (n, 12))])
    reason = rng.choice(["price", "budget", "rival", "no fit", "late"], n)
    segments = pa.table({f"c{i}": inputs[f"c{i}"] for i in range(5)})
    calls = {
        "`fairness_audit`, two attributes": lambda: ll.fairness_audit(score, score > 0.3, won, groups),
        "`proxy_scan`, two attributes, 60 inputs": lambda: ll.proxy_scan(pa.table(inputs), groups),
        "`loss_reasons_by_segment`, five columns": lambda: ll.loss_reasons_by_segment(reason, ~won, segments),
        "`mask_personal_data`, all texts distinct": lambda: ll.mask_personal_data(texts),
        "`distinguishing_terms`": lambda: ll.distinguishing_terms(texts, won),
        "`themes`, five columns": lambda: ll.themes(texts, segments=segments),
        "`sentiment_by`, five columns": lambda: ll.sentiment_by(texts, segments=segments),
    }
    small = slice(0, 500)
    ll.fairness_audit(score[small], score[small] > 0.3, won[small], groups.slice(0, 500))
    ll.proxy_scan(pa.table(inputs).slice(0, 500), groups.slice(0, 500))
    ll.themes(texts[:500], least_leads=5)
    return {name: cpu_seconds(call) for name, call in calls.items()}


def page(n_runs: int) -> str:
    lines = [
        "# Audits and voices: how often they are wrong, and what they cost",
        "",
        conditions(PACKAGES),
        "",
    ]
    lines += [f"Four-fifths rule, four groups of 60 to 300 leads, 95 % ({n_runs} runs a row).", ""]
    lines += ["| truth | interval holds it | below four fifths | at least four fifths |", "|---|---|---|---|"]
    for name, rates in TRUTHS.items():
        lines.append(f"| {name} | " + " | ".join(f"{share:.1%}" for share in audits(rates, n_runs)) + " |")
    lines += ["", f"Proxy scan where nothing is to be found, five inputs, 95 % ({n_runs} runs a row).", ""]
    lines += ["| leads, groups | 0.5 in the interval of all inputs | of one input | any input named |"]
    lines += ["|---|---|---|---|"]
    for n_leads, n_groups in ((400, 3), (2000, 2)):
        shares = scans(n_leads, n_groups, n_runs)
        lines.append(f"| {n_leads:,}, {n_groups} | " + " | ".join(f"{share:.1%}" for share in shares) + " |")
    changed, differs = reasons(n_runs)
    lines += [
        "",
        f"Lost leads, 1,500 that are all alike ({n_runs} runs): share of runs that claim anything.",
        "",
    ]
    lines += ["| claim | runs |", "|---|---|", f"| a reason changed | {changed:.1%} |"]
    lines += [
        f"| a segment of six columns differs | {differs:.1%} |",
        f"| a term differs | {terms(n_runs):.1%} |",
    ]
    lines += ["", "| work, 100,000 leads | CPU seconds |", "|---|---|"]
    lines += [f"| {name} | {seconds:.2f} |" for name, seconds in costs().items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    n_runs = parser.parse_args().runs
    RESULTS.write_text(page(n_runs), encoding="utf-8")


if __name__ == "__main__":
    main()
