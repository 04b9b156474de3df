"""What a points table loses against the model it was distilled from, on the public sets.

Random 70/30 splits and, where time is known, one forward in time, as in `quality.py`: scorer and card learn
from the training rows, both are measured on the test rows. The bar: on X Education (strict) and bank (without
duration) the AUC of a card with at most 15 attributes is at most .010 below the model's.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
from threadpoolctl import threadpool_limits

import inside
from leadlift.insight.scorecard.points_scorecard import PointsScorecard
from leadlift.learning.cutoff import TopShare
from leadlift.learning.scorer import LeadScorer
from machine import conditions
from quality_sets import SETS, LeadSet, Split, splits

BARRED = ("X Education strict", "bank without duration")
MOST_LOST = 0.010
# The best fifth qualifies, so that there is a decision to agree on in every set.
QUALIFIED = 0.2
MEASURED = (*BARRED, "online shoppers", "caravan", "Olist within 90 days", "health insurance")
HEAD = (
    "set", "split", "attributes", "rules", "AUC model", "AUC card", "AUC lost", "log loss model",
    "log loss card", "same decision", "CPU s",
)  # fmt: skip


@dataclass(frozen=True)
class CardRow:
    """One card on one split.

    Parameters
    ----------
    set_name : str
    split : Split
    n_attributes, n_rules : int
    loss : pyarrow.Table
        From :meth:`PointsScorecard.measure`.
    cpu_s : float
        Of fitting the card.
    """

    set_name: str
    split: Split
    n_attributes: int
    n_rules: int
    loss: pa.Table
    cpu_s: float

    @property
    def auc_lost(self) -> float:
        return self.loss["lost"][0].as_py()


def measure(set_name: str, leads: LeadSet, split: Split) -> CardRow:
    """Fit scorer and card on the training rows and measure both on the test rows."""
    rows = leads.frame.iloc[split.train]
    with threadpool_limits(1):
        scorer = LeadScorer(cutoff=TopShare(QUALIFIED))
        scorer.fit(rows, leads.y[split.train], **inside.moments(leads, split))
        start = time.process_time()
        card = PointsScorecard().fit(rows, scorer)
        cpu_s = time.process_time() - start
        loss = card.measure(leads.frame.iloc[split.test], leads.y[split.test], scorer)
    return CardRow(set_name, split, len(card.attributes_), card.to_table().num_rows, loss, cpu_s)


def rows(n_seeds: int = 5, sets: Iterable[str] = MEASURED) -> list[CardRow]:
    """Measure the cards of all sets and splits."""
    found = []
    for name in sets:
        leads = SETS[name]()
        found += [measure(name, leads, split) for split in splits(leads, n_seeds)]
    return found


def verdict(cards: Iterable[CardRow]) -> list[str]:
    """Say whether the bar is met, a sentence a set."""
    said = []
    for name in BARRED:
        lost = [c.auc_lost for c in cards if c.set_name == name and c.split.kind == "random"]
        if lost:
            met = "met" if max(lost) <= MOST_LOST else "MISSED"
            said.append(
                f"{name}: AUC lost {sum(lost) / len(lost):.4f} on average, at most {max(lost):.4f} in "
                f"{len(lost)} random splits; bar {MOST_LOST:.3f} {met}."
            )
    return said


def table(cards: Iterable[CardRow]) -> str:
    """Return the cards as a Markdown table."""
    lines = [HEAD, ("---",) * 2 + ("---:",) * (len(HEAD) - 2), *(_cells(card) for card in cards)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(card: CardRow) -> tuple[str, ...]:
    auc, log_loss, same = card.loss.to_pylist()[:3]
    return (
        card.set_name,
        f"{card.split.kind} {card.split.seed}" if card.split.kind == "random" else card.split.kind,
        str(card.n_attributes),
        str(card.n_rules),
        f"{auc['model']:.4f}",
        f"{auc['scorecard']:.4f}",
        f"{auc['lost']:+.4f} [{auc['lost_low']:+.4f}, {auc['lost_high']:+.4f}]",
        f"{log_loss['model']:.4f}",
        f"{log_loss['scorecard']:.4f}",
        f"{100 * same['scorecard']:.1f}%",
        f"{card.cpu_s:.1f}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="random splits a set")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(MEASURED))
    arguments = parser.parse_args()
    cards = rows(arguments.seeds, arguments.sets)
    print(table(cards), *verdict(cards), conditions(), sep="\n\n")


if __name__ == "__main__":
    main()
