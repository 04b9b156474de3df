"""Quality on public sets: leadlift and what people would pick instead, on identical rows and columns.

Random 70/30 splits and, where time is known, one forward in time. Contenders with environments of their own
(FLAML, AutoGluon) are fitted once a set, on the random split of seed 0 and the forward ones; what they
predicted is kept and used again for the same cells, split, versions and budget. ``make bench-contenders``
installs them; without it they are skipped. Writes `benchmarks/results/quality.md`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import inside
import outside
import quality_page
from paired import PairedBootstrap
from quality_page import Figures
from quality_sets import SETS, LeadSet, Split, splits

RESULTS = Path(__file__).parent / "results" / "quality.md"


def answers(leads: LeadSet, split: Split, *, run: str) -> Iterator[tuple[str, outside.Answer]]:
    """Ask every contender; those outside only on the first seed."""
    for name in inside.names(split):
        yield name, inside.answer(name, leads, split)
    for contender in outside.OUTSIDE if split.seed == 0 else ():
        found = outside.answer(contender, leads, split, run=run)
        if found is not None:
            yield contender.title, found


def measure(name: str, leads: LeadSet, split: Split, *, run: str) -> list[Figures]:
    """Measure every contender on one split; ours first."""
    bootstrap = PairedBootstrap(leads.y[split.test])
    return [
        Figures(
            set_name=name,
            split=split,
            model=model,
            auc=bootstrap.auc(found.score),
            log_loss=bootstrap.log_loss(found.score),
            cpu_s=found.cpu_s,
            said=found.said,
        )
        for model, found in answers(leads, split, run=run)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="random splits a set")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--fresh", dest="run", action="store_const", const="all", help="run outside contenders anew"
    )
    which.add_argument(
        "--cached", dest="run", action="store_const", const="none", help="do not run outside contenders"
    )
    parser.set_defaults(run="missing")
    parser.add_argument("--dry-run", action="store_true", help="print the page, do not keep it")
    arguments = parser.parse_args()
    warm_up()
    figures: list[Figures] = []
    for name in arguments.sets:
        leads = SETS[name]()
        for split in splits(leads, arguments.seeds):
            figures += measure(name, leads, split, run=arguments.run)
            print(name, split.kind, split.seed, flush=True)
    page = quality_page.render(figures)
    if arguments.dry_run:
        print(page)
    else:
        RESULTS.write_text(page, encoding="utf-8")


def warm_up() -> None:
    """Import and compile what everybody needs, so that nobody's first fit pays for it."""
    leads = SETS["caravan"]()
    split = next(splits(leads, 1))
    small = replace(split, train=split.train[:1000])
    for name in inside.names(small):
        inside.answer(name, leads, small)


if __name__ == "__main__":
    main()
