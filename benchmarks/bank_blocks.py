"""Bank marketing played block by block: what retraining brings, and which promises are kept.

41,188 calls in the order of time, of which 5 % are won in the middle of the file and 50 % at its end, as the
financial crisis changed whom the bank called. The last three tenths are played in 20 blocks of 618 calls.
Before each block only the outcomes of the calls before it are known.

* *never*: the model of the first block.
* *each block*: learnt anew on all that is known and promoted unseen; calibration and line are set on the
  scores that the latest six blocks got on their day.
* *each block, by contract*: a challenger learnt on all that is known but the latest block, judged there
  against the champion, and promoted if the contract holds; calibration and line as above.

A promise is made where a line certifies 30 % won with 90 % confidence. It is *kept* where the share of won
among the qualified is at least that, *broken* where not, *refuted* where even the upper end of its exact 95 %
interval is below, and *void* where `check_promise` said so before the outcomes were known.

Writes `benchmarks/results/bank_blocks.md`.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.base import clone

from leadlift.learning.blending import BlendedLearner
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.cutoff import FixedThreshold
from leadlift.learning.metrics import auc, log_loss
from leadlift.learning.recency import RecencyChoice
from leadlift.learning.scorer import LeadScorer
from leadlift.lifecycle.retraining.comparison import compare
from leadlift.lifecycle.retraining.contract import PromotionContract, Verdict
from machine import conditions
from markdown_tables import table
from promises_over_time import Kept, by_guarantee
from quality_sets import bank_without_duration
from rolling import (
    LEAST_WON,
    WINDOW_BLOCKS,
    Playback,
    Said,
    both_outcomes,
    play_refit,
    play_static,
    recency,
    said,
)

RESULTS = Path(__file__).parent / "results" / "bank_blocks.md"
FIRST_SHARE, N_BLOCKS = 0.7, 20
TARGET = 0.3


@dataclass(frozen=True)
class Contracted:
    """The blocks as the champion of each scored them, and the verdicts on the challengers."""

    told: list[Said]
    verdicts: list[Verdict]


class ContractedPlay:
    """Retraining before each block, by contract.

    Parameters
    ----------
    play : Playback
    contract : PromotionContract
    """

    def __init__(self, play: Playback, contract: PromotionContract) -> None:
        self.play, self.contract = play, contract
        self.on_the_day = np.full(len(play.y), np.nan)
        self.champion: LeadScorer | None = None
        self.weigh: RecencyChoice = recency(play)

    def run(self) -> Contracted:
        """Play every block, those of the warm-up first, which give the first line its evidence."""
        warm_up = self.play.known(self.play.told[0])[-WINDOW_BLOCKS * self.play.size :]
        blocks = [*np.array_split(warm_up, WINDOW_BLOCKS), *self.play.told]
        return Contracted(*map(list, zip(*self._told(blocks), strict=True)))

    def _told(self, blocks: list[np.ndarray]) -> Iterator[tuple[Said, Verdict]]:
        for block in blocks:
            seen = self.play.known(block)
            if self.play.y[seen].sum() < LEAST_WON:
                continue
            verdict = self._retrain(seen)
            self.on_the_day[block] = self.play.log_odds(self.champion, block)
            if block[0] >= self.play.first:
                window = self._window(seen)
                self._follow(window)
                yield said(self.play, self.champion, block, window, self.on_the_day[window]), verdict

    def _retrain(self, seen: np.ndarray) -> Verdict | None:
        """Compare a challenger with the champion on the latest known block; the first one has no rival."""
        latest = seen[-self.play.size :]
        challenger = self._learn(np.setdiff1d(seen, latest))
        if self.champion is None:
            self.champion = challenger
            return None
        verdict = self._judge(challenger, latest)
        if verdict.holds:
            self.champion = challenger
        return verdict

    def _learn(self, rows: np.ndarray) -> LeadScorer:
        weight = self.weigh.weights(self.play.as_of[rows])
        return clone(self.play.scorer).fit(self.play.frame.iloc[rows], self.play.y[rows], weight)

    def _judge(self, challenger: LeadScorer, latest: np.ndarray) -> Verdict:
        models = (self.champion, challenger)
        scores = [model.calibrator_.transform(self.play.log_odds(model, latest)) for model in models]
        lines = tuple(float(np.quantile(score, 0.8)) for score in scores)
        found = compare(*scores, self.play.y[latest] > 0, lines, confidence=self.contract.confidence)
        return self.contract.judge(found)

    def _window(self, seen: np.ndarray) -> np.ndarray:
        return seen[np.isfinite(self.on_the_day[seen])][-WINDOW_BLOCKS * self.play.size :]

    def _follow(self, window: np.ndarray) -> None:
        """Calibrate the champion anew on what the latest blocks got on their day."""
        y = self.play.y[window]
        if both_outcomes(y):
            as_of = self.play.as_of[window]
            self.champion.refresh_scored(self.on_the_day[window], y, as_of=as_of, policy=FixedThreshold())


def quality_row(way: str, play: Playback, told: list[Said]) -> list[object]:
    """Pooled quality over all blocks."""
    y = play.y[np.concatenate([block.rows for block in told])]
    score = np.concatenate([block.score for block in told])
    return [way, auc(y, score), log_loss(y, score)]


def verdict_of(kept: Kept | None) -> str:
    """What a monitor would say of a promise once the outcomes are known."""
    if kept is None:
        return "nothing promised"
    judged = "kept" if kept.is_kept else "broken"
    if kept.precision.high < kept.promised:
        judged = "refuted"
    return f"{judged}, void beforehand" if kept.is_void else judged


def promise_rows(play: Playback, ways: dict[str, list[Said]]) -> Iterator[list[object]]:
    """One row a block: its base rate, then for each way what was observed and the verdict."""
    found = {way: [by_guarantee(play, block, TARGET) for block in told] for way, told in ways.items()}
    for number, rows in enumerate(play.told):
        cells: list[object] = [number + 1, f"{play.y[rows].mean():.1%}"]
        for kept in (promises[number] for promises in found.values()):
            cells += ["", verdict_of(kept)] if kept is None else [kept.precision, verdict_of(kept)]
        yield cells


def page(folds: int) -> str:
    """The page of results."""
    learner = BlendedLearner(trees=BaggedTrees(n_folds=folds, n_jobs=1), n_folds=folds)
    play = Playback(bank_without_duration(), FIRST_SHARE, N_BLOCKS, LeadScorer(learner=learner))
    by_contract = ContractedPlay(play, PromotionContract()).run()
    each_block = list(play_refit(play))
    ways = {
        "never": list(play_static(play, refresh=False)),
        "each block": each_block,
        "each block, by contract": by_contract.told,
    }
    promoted = sum(verdict is None or verdict.holds for verdict in by_contract.verdicts)
    lines = ["# Bank marketing, block by block", "", conditions(), "", *str(__doc__).splitlines()[2:-2]]
    lines += ["", f"Bags of {folds} members.", "", "## Quality over all blocks", ""]
    lines += table(
        ("retrained", "AUC", "log loss"), [quality_row(way, play, told) for way, told in ways.items()]
    )
    lines += [f"By contract {promoted} of {len(by_contract.verdicts)} challengers were promoted.", ""]
    lines += [f"## Promises of {TARGET:.0%} won among the qualified", ""]
    shown = {way: ways[way] for way in ("each block", "each block, by contract")}
    lines += table(
        ("block", "base rate", *[cell for way in shown for cell in (way, "")]), promise_rows(play, shown)
    )
    lines += ["## Why challengers were refused", ""]
    refused = Counter(name for verdict in by_contract.verdicts if verdict for name in verdict.failed)
    return "\n".join([*lines, *table(("clause", "challengers"), refused.most_common())])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, default=3, help="members of the bag")
    RESULTS.write_text(page(parser.parse_args().folds), encoding="utf-8")
    print(RESULTS.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
