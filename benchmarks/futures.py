"""Two hundred simulated futures of models that are right: what monitoring raises, and what it finds.

* *Nothing changes*: leads come from the very process that the model was trained on. A quarter is 13 weekly
  runs of `monitor`, each with all outcomes known by then; it has a false alarm if any run needs action,
  whatever the check. Eight weeks before it fill the first windows.
* *The base rate moves* to 1.5 times that of training. Found if the first run with one mature window (28 days
  of leads, 30 days old) says that the base rate moved.
* *A feed breaks*: in one batch a column is NULL, a number is 100 times as large, or an event type has another
  name. Found if the run on that batch, the first one, has a fatal finding.

Four models, each trained anew on 12,600 simulated leads, so that a model's own error is no luck of one.

Writes `benchmarks/results/futures.md`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sized
from pathlib import Path

from broken_feeds import BehaviourFeed, Break, broken_columns
from leadlift.learning.intervals import clopper_pearson
from leadlift.lifecycle.monitoring.monitor import MonitorResult
from leadlift.serving.bundle import ModelBundle
from leadlift.terms import Severity
from machine import conditions
from markdown_tables import table
from simulated_futures import BASE_RATE, PER_WEEK, make_future, trained_bundle

RESULTS = Path(__file__).parent / "results" / "futures.md"
N_MODELS, FUTURES_A_MODEL = 4, 50
WARM_UP_WEEKS, WEEKS_OF_QUARTER = 8, 13
# 28 days of batches are mature 30 days later.
ONE_WINDOW_WEEKS = 10
FACTORS = (1.5,)
OF_BASE_RATE = "LL230"
BATCH_ROWS = (200, 500)


def quarter_without_change(bundle: ModelBundle, seed: int) -> frozenset[str]:
    """Return what the weekly runs of a quarter raise in which nothing changes."""
    weeks = range(WARM_UP_WEEKS + 1, WARM_UP_WEEKS + WEEKS_OF_QUARTER + 1)
    future = make_future(bundle, seed, n_weeks=weeks[-1])
    return frozenset().union(*(codes(future.monitor(bundle, week)) for week in weeks))


def finds_base_rate(bundle: ModelBundle, seed: int, factor: float) -> frozenset[str]:
    """Return what the first run with one mature window raises after the base rate has moved."""
    future = make_future(bundle, seed, n_weeks=ONE_WINDOW_WEEKS, base_rate=BASE_RATE * factor)
    return codes(future.monitor(bundle, ONE_WINDOW_WEEKS))


def codes(result: MonitorResult) -> frozenset[str]:
    """Codes of the findings on which somebody must act."""
    return frozenset(found.code for found in result.findings if found.severity is not Severity.INFO)


# The page


def share(n: int, of: Sized) -> str:
    """A share with its exact 95 % interval."""
    interval = clopper_pearson(n, len(of))
    return f"{interval.estimate:.1%} [{interval.low:.1%}, {interval.high:.1%}]"


def quiet_lines(raised: list[frozenset[str]]) -> list[str]:
    """What is raised where nothing changes."""
    n_false = sum(bool(found) for found in raised)
    by_code = Counter(code for found in raised for code in found)
    told = ", ".join(f"{code} in {n}" for code, n in by_code.most_common()) or "none"
    return [
        "## Nothing changes",
        "",
        f"{len(raised)} quarters of {WEEKS_OF_QUARTER} weekly runs, {PER_WEEK} leads a batch.",
        "",
        *table(
            ("quarters", "with a false alarm", "share [95 %]"),
            [[len(raised), n_false, share(n_false, raised)]],
        ),
        f"Codes raised: {told}.",
        "",
    ]


def moved_lines(raised: dict[float, list[frozenset[str]]]) -> list[str]:
    """How often a base rate that moved is found in one mature window, by factor."""
    rows = [
        [
            f"{factor:.2f}",
            len(found),
            share(sum(OF_BASE_RATE in codes for codes in found), found),
            share(sum(bool(codes) for codes in found), found),
        ]
        for factor, found in raised.items()
    ]
    headings = ("factor", "futures", f"{OF_BASE_RATE} in one mature window", "any finding that needs action")
    window = (
        f"One window of 28 days holds {4 * PER_WEEK} leads, of which {BASE_RATE:.0%} were won at training."
    )
    return ["## The base rate moves", "", window, "", *table(headings, rows)]


def broken_lines(breaks: list[Break]) -> list[str]:
    """How often a broken feed is fatal on its first batch."""
    kinds = dict.fromkeys((broken.kind, broken.n_rows) for broken in breaks)
    rows = []
    for kind, n_rows in kinds:
        of_kind = [broken for broken in breaks if (broken.kind, broken.n_rows) == (kind, n_rows)]
        found = sum(broken.is_named for broken in of_kind)
        rows.append([kind, n_rows, len(of_kind), f"{found} ({found / len(of_kind):.0%})"])
    missed = dict.fromkeys(
        f"{broken.what} ({broken.kind}, {broken.n_rows} leads)" for broken in breaks if not broken.is_named
    )
    headings = ("break", "leads in the batch", "breaks", "fatal and named at the first batch")
    return ["## A feed breaks", "", *table(headings, rows), f"Missed: {', '.join(missed) or 'none'}.", ""]


def all_breaks(bundles: list[ModelBundle], feed: BehaviourFeed) -> Iterator[Break]:
    """Break every column of each model's first batch, and every event type."""
    for n_rows in BATCH_ROWS:
        for number, bundle in enumerate(bundles):
            future = make_future(bundle, seeds(number, 1)[0], n_weeks=1, per_week=n_rows)
            yield from broken_columns(bundle, future)
        yield from feed.renamed_types(n_rows)


def rules() -> list[str]:
    """The rules as this file's docstring states them."""
    return [*str(__doc__).splitlines()[2:-2], ""]


def seeds(number: int, n: int) -> list[int]:
    """Seeds of the futures of a model; no two models share one."""
    return [10_000 * (number + 1) + place for place in range(n)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=N_MODELS)
    parser.add_argument("--futures", type=int, default=FUTURES_A_MODEL, help="of each model")
    arguments = parser.parse_args()
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        bundles = [trained_bundle(Path(folder) / str(k), 1000 + k) for k in range(arguments.models)]
        feed = BehaviourFeed(Path(folder) / "behaviour", seed=3)

        def futures(play: Callable[..., frozenset[str]], **change: float) -> list[frozenset[str]]:
            return [
                play(bundle, seed, **change)
                for number, bundle in enumerate(bundles)
                for seed in seeds(number, arguments.futures)
            ]

        lines = ["# Two hundred futures", "", conditions(), "", *rules()]
        lines += quiet_lines(futures(quarter_without_change))
        lines += moved_lines({factor: futures(finds_base_rate, factor=factor) for factor in FACTORS})
        lines += broken_lines(list(all_breaks(bundles, feed)))
    lines += ["", f"{time.process_time() - start:,.0f} CPU seconds in all, training included.", ""]
    RESULTS.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
