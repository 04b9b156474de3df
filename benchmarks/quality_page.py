"""The page of the quality benchmark: verdicts, all figures with paired intervals, means over seeds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from inside import OURS, UNTOLD
from leadlift.terms import Interval
from machine import conditions
from outside import OUTSIDE
from paired import CONFIDENCE, N_DRAWS, difference
from quality_sets import Split

AUTOGLUON, LIGHTGBM = "AutoGluon", "default LightGBM"
# Ours may take a tenth of the CPU at most: what the project asks of itself.
CPU_RATIO_ASKED = 10

NOTES = f"""\
Everyone gets the same cells of the same rows: columns as the files have them, identifiers left out, defaults
without search. Random splits are 70/30; forward ones test on the latest 30 % and leave out the rows whose
label was not yet known when the test set begins. For Olist that leaves 28 wins to learn from, so it is
measured without this embargo too. Differences are leadlift's figure less the contender's on the same test
leads, with the {CONFIDENCE:.0%} percentile interval of {N_DRAWS:,} paired bootstrap draws: a positive AUC or
a negative log loss speaks for leadlift. CPU seconds are those of learning and scoring the test rows, of all
threads.

- **leadlift**: `LeadScorer()`; forward in time it is told the moments, as `leadlift train` tells it, and sets
  the latest rows aside to calibrate on. **{UNTOLD}**: it sees what the others see.
- **default LightGBM**, **HistGradientBoosting**: text as native categories. **Logistic regression**: one-hot,
  standardised, median for missing.
- **Odoo's naive Bayes**: our own implementation of its published algorithm; numbers are left out, as in
  Odoo, so where a set holds numbers only it is the base rate.
- **FLAML**, **AutoGluon** (`best_quality`, no neural networks), both tuned for log loss, one core each. The
  machine was shared, so their budgets, {{budgets}}, are of CPU time, which they see as the clock; what they
  took is in the table. AutoGluon's last step, temperature scaling, needs torch and is done by the benchmark.
  What they predicted is kept and used again for identical splits, versions and budgets; `--fresh` runs them
  anew."""


@dataclass(frozen=True)
class Figures:
    """One contender on one split.

    Parameters
    ----------
    set_name : str
    split : Split
    model : str
    auc, log_loss : ndarray of float64, shape (1 + n_draws,)
        On all test leads, then on each bootstrap draw.
    cpu_s : float
    said : str
        Versions of an outside contender.
    """

    set_name: str
    split: Split
    model: str
    auc: np.ndarray
    log_loss: np.ndarray
    cpu_s: float
    said: str = ""

    @property
    def where(self) -> tuple[str, str, int]:
        """Set, kind of split and seed."""
        return self.set_name, self.split.kind, self.split.seed


def render(figures: list[Figures]) -> str:
    """Return the whole page as Markdown."""
    parts = [
        "# Quality beside what people would pick instead",
        conditions(),
        _contenders(figures),
        NOTES.format(budgets=_budgets()),
        "## Verdicts",
        *_verdicts(figures),
        "## Every contender, random split of seed 0 and forward in time",
        "\n".join(_all_rows(figures)),
        "## Means over the random splits",
        "\n".join(_mean_rows(figures)),
    ]
    return "\n\n".join(parts) + "\n"


def verdict(gap: Interval, larger_is_better: bool) -> str:
    """Say which side of zero the interval of ours less theirs lies on."""
    low, high = (gap.low, gap.high) if larger_is_better else (-gap.high, -gap.low)
    if low > 0:
        return "better"
    return "worse" if high < 0 else "level"


def _pairs(figures: Iterable[Figures], model: str) -> Iterator[tuple[Figures, Figures]]:
    """Ours and a contender's figures on each split that both have."""
    ours = {entry.where: entry for entry in figures if entry.model == OURS}
    for entry in figures:
        if entry.model == model:
            yield ours[entry.where], entry


def _first(figures: Iterable[Figures]) -> list[Figures]:
    return [entry for entry in figures if entry.split.seed == 0]


def _contenders(figures: list[Figures]) -> str:
    """Versions of those outside, and who was left out."""
    return " ".join(_words_about(contender.title, figures) for contender in OUTSIDE)


def _words_about(title: str, figures: list[Figures]) -> str:
    said = sorted({entry.said for entry in figures if entry.model == title})
    if said:
        return f"{title}: {'; '.join(said)}."
    return f"{title}: skipped, as its environment is absent (`make bench-contenders`) or it was not to run."


def _budgets() -> str:
    return " and ".join(f"{contender.cpu_budget_s} s" for contender in OUTSIDE)


def _verdicts(figures: list[Figures]) -> Iterator[str]:
    for model in (AUTOGLUON, LIGHTGBM):
        pairs = list(_pairs(_first(figures), model))
        if pairs:
            yield f"Against {model}:"
            yield "\n".join(_verdict_rows(pairs))
            yield _summary(pairs)
    pairs = list(_pairs(_first(figures), AUTOGLUON))
    if pairs:
        cheap = sum(theirs.cpu_s >= CPU_RATIO_ASKED * ours.cpu_s for ours, theirs in pairs)
        yield f"{AUTOGLUON} took at least {CPU_RATIO_ASKED} times our CPU on {cheap} of {len(pairs)} splits."


def _verdict_rows(pairs: list[tuple[Figures, Figures]]) -> Iterator[str]:
    yield "| set | split | AUC | | log loss | | its CPU / ours |"
    yield "|---|---|---|---|---|---|---:|"
    for ours, theirs in pairs:
        auc, loss = difference(ours.auc, theirs.auc), difference(ours.log_loss, theirs.log_loss)
        yield (
            f"| {ours.set_name} | {ours.split.kind} | {_gap(auc)} | {verdict(auc, True)} "
            f"| {_gap(loss)} | {verdict(loss, False)} | {theirs.cpu_s / ours.cpu_s:.1f} |"
        )


def _summary(pairs: list[tuple[Figures, Figures]]) -> str:
    """Count the verdicts."""
    aucs = [verdict(difference(ours.auc, theirs.auc), True) for ours, theirs in pairs]
    losses = [verdict(difference(ours.log_loss, theirs.log_loss), False) for ours, theirs in pairs]
    lower = sum(ours.log_loss[0] < theirs.log_loss[0] for ours, theirs in pairs)
    return (
        f"Of {len(pairs)} splits: AUC better on {aucs.count('better')}, worse on {aucs.count('worse')}; "
        f"log loss better on {losses.count('better')}, worse on {losses.count('worse')}, lower on {lower}."
    )


def _all_rows(figures: list[Figures]) -> Iterator[str]:
    yield "| set | split | model | AUC | ours less its | log loss | ours less its | CPU s |"
    yield "|---|---|---|---:|---|---:|---|---:|"
    ours = {entry.where: entry for entry in figures if entry.model == OURS}
    for entry in _first(figures):
        auc, loss = "", ""
        if entry.model != OURS:
            auc = _gap(difference(ours[entry.where].auc, entry.auc))
            loss = _gap(difference(ours[entry.where].log_loss, entry.log_loss))
        yield (
            f"| {entry.set_name} | {entry.split.kind} | {entry.model} | {entry.auc[0]:.4f} | {auc} "
            f"| {entry.log_loss[0]:.4f} | {loss} | {entry.cpu_s:.1f} |"
        )


def _mean_rows(figures: list[Figures]) -> Iterator[str]:
    """One row a set and model that ran on every random split."""
    random = [entry for entry in figures if entry.split.kind == "random"]
    n_seeds = len({entry.split.seed for entry in random})
    yield f"| set | model | AUC | log loss | ours lower, of {n_seeds} | mean CPU s |"
    yield "|---|---|---:|---:|---:|---:|"
    for set_name, model in dict.fromkeys((entry.set_name, entry.model) for entry in random):
        pairs = list(_pairs([entry for entry in random if entry.set_name == set_name], model))
        if len(pairs) < n_seeds:
            continue
        theirs = [pair[1] for pair in pairs]
        lower = sum(ours.log_loss[0] < entry.log_loss[0] for ours, entry in pairs)
        yield (
            f"| {set_name} | {model} | {np.mean([entry.auc[0] for entry in theirs]):.4f} "
            f"| {np.mean([entry.log_loss[0] for entry in theirs]):.4f} "
            f"| {'' if model == OURS else lower} | {np.mean([entry.cpu_s for entry in theirs]):.1f} |"
        )


def _gap(gap: Interval) -> str:
    return f"{gap.estimate:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}]"
