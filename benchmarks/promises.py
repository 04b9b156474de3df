"""Promises kept and wins caught by cut-offs of several kinds, on simulated leads whose truth is known.

    python benchmarks/promises.py

writes ``benchmarks/results/promises.md``. Nothing is learnt here: scores are simulated, so that what breaks a
promise is the way the cut-off was set.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from scipy.special import expit

from leadlift.exceptions import NoCutoffError
from leadlift.learning.cutoff import (
    AllOf,
    Capacity,
    CutoffPolicy,
    Evidence,
    FixedThreshold,
    PrecisionGuarantee,
    RecallGuarantee,
    TopShare,
    Value,
    gather_evidence,
)
from machine import conditions
from simulated_scores import Population

RESULTS = Path(__file__).parent / "results" / "promises.md"
PACKAGES = ("leadlift", "numpy", "scipy", "pyarrow")
TARGET = 0.30
REPEATS = 1_000
N_LEADS_TIMED = 1_000_000


@dataclass(frozen=True)
class Tally:
    """What became of the promises of many repeats; `recall` is relative to the oracle's, of those found."""

    found: float
    broken: float
    recall: float

    @classmethod
    def of(cls, outcomes: list[tuple[bool, bool, float]]) -> Tally:
        found, broken, recall = np.array(outcomes, dtype=float).T
        return cls(found.mean(), broken.mean(), recall[found > 0].mean() if found.any() else np.nan)

    @property
    def cells(self) -> str:
        error = np.sqrt(self.broken * (1 - self.broken) / REPEATS)
        return f"{self.broken:.1%} ± {error:.1%} | {self.found:.1%} | {self.recall:.3f}"


def largest_f1(evidence: Evidence) -> float:
    """The threshold of the largest F1 in the sample."""
    order = np.argsort(-evidence.score)
    wins = np.cumsum(evidence.won[order])
    f1 = 2 * wins / (np.arange(1, len(order) + 1) + evidence.won.sum())
    return float(evidence.score[order][np.argmax(f1)])


def read_off(evidence: Evidence) -> float | None:
    """The lowest threshold whose precision in the sample reaches the target."""
    order = np.argsort(-evidence.score)
    precision = np.cumsum(evidence.won[order]) / np.arange(1, len(order) + 1)
    reached = np.flatnonzero(precision >= TARGET)
    return float(evidence.score[order][reached[-1]]) if reached.size else None


def ours(evidence: Evidence, policy: CutoffPolicy) -> float | None:
    """The threshold of a policy, None where it finds no honest one."""
    try:
        return policy.choose(evidence).threshold
    except NoCutoffError:
        return None


RULES: dict[str, Callable[[Evidence], float | None]] = {
    "largest F1": largest_f1,
    "read off the sample": read_off,
    "ours, 90 %": partial(ours, policy=PrecisionGuarantee(TARGET, 0.90)),
    "ours, 95 %": partial(ours, policy=PrecisionGuarantee(TARGET, 0.95)),
}


def outcome(population: Population, threshold: float | None) -> tuple[bool, bool, float]:
    """Whether a cut-off was found, whether it breaks the promise, and its share of the oracle's wins."""
    if threshold is None:
        return False, False, 0.0
    relative = population.recall(threshold) / population.oracle_recall(TARGET)
    return True, population.precision(threshold) < TARGET, relative


def rows_of_rules(
    population: Population, sample: Callable[[np.random.Generator], Evidence], seed: int, cells: str
) -> Iterator[str]:
    """One line of the table for each rule, all rules on the same samples."""
    rng = np.random.default_rng(seed)
    outcomes = {name: [] for name in RULES}
    for _ in range(REPEATS):
        evidence = sample(rng)
        for name, rule in RULES.items():
            outcomes[name].append(outcome(population, rule(evidence)))
    for name, many in outcomes.items():
        yield f"| {cells} | {name} | {Tally.of(many).cells} |"


def sizes() -> Iterator[str]:
    population = Population.log_normal()
    for n in (1_000, 2_000, 5_000):
        yield from rows_of_rules(population, partial(population.sample, n), n, f"{n:,}")


def distributions() -> Iterator[str]:
    scenarios = {
        "calibrated, beta(0.5, 4.5)": Population.beta(0.5, 4.5),
        "calibrated, log-odds of spread 1.0": Population.log_normal(spread=1.0),
        "log-odds 0.7 too high": Population.log_normal(shift=0.7),
        "log-odds 0.7 too low": Population.log_normal(shift=-0.7),
        "log-odds 1.5 too high": Population.log_normal(shift=1.5),
        "log-odds stretched by 1.6": Population.log_normal(slope=1.6),
        "log-odds shrunk by 0.6": Population.log_normal(slope=0.6),
    }
    for name, population in scenarios.items():
        for n in (2_000, 5_000):
            yield from rows_of_rules(population, partial(population.sample, n), n, f"{name} | {n:,}")


def several_moments(population: Population, n_leads: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Score, log-odds, outcome and lead of rows: 1 to 9 moments a lead, nearly the same score each time."""
    lead = np.repeat(np.arange(n_leads), rng.integers(1, 10, n_leads))
    z = population.draw(n_leads, rng)
    won = rng.random(n_leads) < expit(z)
    seen = z[lead] + 0.01 * rng.normal(size=len(lead))
    return population.score(seen), seen, won[lead], lead


def lost_leads_missing(population: Population, n: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Score, log-odds, outcome and weight of leads of which every second lost one was not kept."""
    whole = population.sample(2 * n, rng)
    kept = np.flatnonzero(whole.won | (rng.random(2 * n) < 0.5))[:n]
    weight = np.where(whole.won, 1.0, 2.0)[kept]
    return whole.score[kept], whole.log_odds[kept], whole.won[kept], weight


def no_plain_samples() -> Iterator[str]:
    population = Population.log_normal()

    def moments(rng: np.random.Generator, *, by_lead: bool) -> Evidence:
        *columns, lead = several_moments(population, 2_000, rng)
        return gather_evidence(*columns, None, lead if by_lead else None, "given", random_state=0)

    def weighted(rng: np.random.Generator, *, mended: bool) -> Evidence:
        *columns, weight = lost_leads_missing(population, 5_000, rng)
        weight = weight if mended else None
        return gather_evidence(*columns, None, None, "given", random_state=0, weight=weight)

    samples = {
        "2,000 leads, 1 to 9 moments each | each row counts": partial(moments, by_lead=False),
        "2,000 leads, 1 to 9 moments each | **each lead counts once**": partial(moments, by_lead=True),
        "5,000 leads, half of the lost ones missing | as they are": partial(weighted, mended=False),
        "5,000 leads, half of the lost ones missing | **weighted**": partial(weighted, mended=True),
    }
    for name, sample in samples.items():
        yield from rows_of_rules(population, sample, 1, name)


def recalls() -> Iterator[str]:
    for shift in (0.0, 0.7):
        population = Population.log_normal(shift=shift)
        for n in (500, 2_000):
            for confidence in (0.90, 0.95):
                policy, rng = RecallGuarantee(0.8, confidence), np.random.default_rng(n)
                kept = [ours(population.sample(n, rng), policy) for _ in range(REPEATS)]
                found = np.array([threshold for threshold in kept if threshold is not None])
                recall = np.array([population.recall(threshold) for threshold in found])
                broken = (recall < 0.8).sum() / REPEATS
                yield (
                    f"| {n:,} | {shift:g} | {confidence:.0%} | {broken:.1%} ± "
                    f"{np.sqrt(broken * (1 - broken) / REPEATS):.1%} | {len(found) / REPEATS:.1%} | "
                    f"{recall.mean():.3f} |"
                )


def times() -> Iterator[str]:
    rng = np.random.default_rng(0)
    population = Population.log_normal()
    sample = population.sample(N_LEADS_TIMED, rng)
    as_of = np.datetime64("2026-01-01") + rng.integers(0, 365, N_LEADS_TIMED).astype("timedelta64[D]")
    inputs = pa.table({"amount": rng.lognormal(5, 1, N_LEADS_TIMED)})
    evidence = Evidence(sample.score, sample.log_odds, sample.won, as_of, inputs=inputs)
    policies = [
        FixedThreshold(0.3),
        PrecisionGuarantee(TARGET),
        RecallGuarantee(0.8),
        Capacity(1_000),
        TopShare(0.1),
        Value(100, 30),
        Value(100, 30, win_value_column="amount"),
        AllOf([PrecisionGuarantee(TARGET), Capacity(1_000)]),
    ]
    for policy in policies:
        start = time.process_time()
        policy.choose(evidence)
        yield f"| {policy.name} | {time.process_time() - start:.2f} |"


PREFACE = f"""\
Base rate 10 %, promise "at least {TARGET:.0%} of the qualified are won". {REPEATS:,} repeats a line; all
rules see the same samples. *Broken*: share of the repeats in which the true precision above the cut-off is
below the promise, ± one standard error. *Found*: share of the repeats with a cut-off. *Wins caught*: recall
relative to that of the oracle, who knows the true probabilities and takes the lowest threshold that keeps the
promise; mean over the repeats with a cut-off. The largest F1 promises nothing; it is held to the same
{TARGET:.0%}.
"""

CALIBRATED = """\
### Calibrated scores

Log-odds normal with standard deviation 1.3; the score is the true probability.

| leads | cut-off | broken | found | wins caught |
|---|---|---|---|---|"""

OTHERS = """
### Other distributions, and scores that are not calibrated

Unless said otherwise the true log-odds are those above; the score's are shifted, or stretched about their
mean. beta(0.5, 4.5): the true probability has that distribution.

| scores | leads | cut-off | broken | found | wins caught |
|---|---|---|---|---|---|"""

NO_PLAIN_SAMPLE = """
### Evidence that is no plain sample of leads

Moments of one lead differ by 0.01 in log-odds and share its outcome. Where lost leads are missing, weights
say how many leads each stands for.

| evidence | counted | cut-off | broken | found | wins caught |
|---|---|---|---|---|---|"""

RECALL = """
### Recall guarantee

Promise "at least 80 % of the won leads qualify".

| leads | log-odds too high by | confidence | broken | found | mean recall |
|---|---|---|---|---|---|"""

TIME = f"""
### Time

CPU seconds to set a cut-off on {N_LEADS_TIMED:,} scored leads.

| policy | CPU seconds |
|---|---|"""


def page() -> Iterator[str]:
    """The lines of the results page."""
    yield "# Promises kept\n"
    yield conditions(PACKAGES) + "\n"
    yield "## Simulated\n"
    yield PREFACE
    for head, lines in (
        (CALIBRATED, sizes),
        (OTHERS, distributions),
        (NO_PLAIN_SAMPLE, no_plain_samples),
        (RECALL, recalls),
        (TIME, times),
    ):
        yield head
        yield from lines()


if __name__ == "__main__":
    RESULTS.write_text("\n".join(page()) + "\n", encoding="utf-8")
    print(RESULTS.read_text(encoding="utf-8"))
