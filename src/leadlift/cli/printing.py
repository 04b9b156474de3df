"""What the command line shows: tables and sentences on stdout, progress on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from leadlift.cli.backtest_table import COLUMNS, backtest_rows, backtest_title

if TYPE_CHECKING:
    import pyarrow as pa

    from leadlift.lifecycle.sql_model import SqlQuality
    from leadlift.lifecycle.training import TrainingResult
    from leadlift.terms import Cutoff


class Outcome(NamedTuple):
    """How sentences speak of what a label stands for."""

    did: str
    were: str
    all_that_did: str


MOST_DRIFTED = 5
WON = Outcome("won", "were won", "wins")
BECAME_SQL = Outcome("became SQL", "became SQL", "SQLs")


class Step:
    """Shows the running step on stderr with its time; `count` adds how many trials are done."""

    def __init__(self, progress: Any) -> None:
        self._progress = progress
        self._task: Any = None
        self._text = ""

    def __call__(self, text: str) -> None:
        """Begin a step, which ends the one before."""
        self.finish()
        self._text = text
        self._task = self._progress.add_task(text, total=None)

    def count(self, n: int) -> None:
        """Say how many trials are done."""
        self._progress.update(self._task, description=f"{self._text}: {n} done")

    def finish(self) -> None:
        """End the running step."""
        if self._task is not None:
            self._progress.update(self._task, total=1, completed=1)


@contextmanager
def steps() -> Iterator[Step]:
    """Show the steps of a command as they run."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"), BarColumn(20))
    with Progress(*columns, TimeElapsedColumn(), console=_stderr()) as progress:
        step = Step(progress)
        yield step
        step.finish()


def _stderr() -> Any:
    from rich.console import Console

    return Console(stderr=True)


def print_json(value: dict[str, Any]) -> None:
    """Print one line for machines."""
    import json

    print(json.dumps(value, ensure_ascii=False))


def print_table(
    title: str, columns: list[str], rows: list[list[str]], *, n_text: int = 1, width: int = 120
) -> None:
    """Print a table; the first `n_text` columns are text, the others numbers. A pipe is `width` wide."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    if title:
        print(f"\n{title}")
    table = Table(box=SIMPLE_HEAD)
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i < n_text else "right", overflow="fold")
    for row in rows:
        table.add_row(*[escape(_visible(cell)) for cell in row])
    # A pipe has no width of its own; 80 columns would fold every sentence.
    Console(width=None if sys.stdout.isatty() else width).print(table)


def _visible(text: str) -> str:
    """Escape what would steer a terminal: control characters and marks of writing direction."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def print_findings(findings: tuple[Any, ...]) -> None:
    """Print findings with their first examples."""
    rows = [[f.code, f.severity.value, f.text + _examples(f)] for f in findings]
    title = "1 finding" if len(rows) == 1 else f"{len(rows)} findings"
    print_table(title, ["code", "severity", "what and what to do"], rows, n_text=3)


def _examples(finding: Any) -> str:
    return f" For example: {', '.join(finding.examples)}." if finding.examples else ""


def print_catalogue(specs: tuple[Any, ...]) -> None:
    """Print what each feature means, group by group; sentences would be folded to bits in a table."""
    width = max((len(spec.name) for spec in specs), default=0)
    group = None
    for spec in specs:
        if spec.group != group:
            group = spec.group
            print(f"\n{group}")
        missing = "" if spec.missing_means == "never missing" else f"; missing: {spec.missing_means}"
        print(f"  {_visible(spec.name):{width}}  {spec.family:10}  {_visible(spec.description)}{missing}")
    print()


def print_training(result: TrainingResult) -> None:
    """Print what a training learnt, measured and wrote."""
    if result.left_out:
        rows = [[s.column, f"{s.auc_with:.3f}", f"{s.auc_without:.3f}"] for s in result.left_out]
        title = "Left out, because they look written after the outcome (`leadlift check` has the evidence)"
        print_table(title, ["column", "AUC with it", "without"], rows)
    for finding in result.findings:
        if finding.code == "LL190":
            print(f"Left out too: {_visible(finding.message)}")
    print(
        f"\n{result.n_leads:,} leads, {result.n_rows:,}{_moments(result)} with a known outcome, "
        f"{result.base_rate:.1%} won. "
        f"Tested on {result.n_test:,} leads, {result.test_kind}."
    )
    _print_quality(result.quality)
    if result.sql is not None:
        _print_second_label(result.sql)
    outcome = WON if result.sql is None else BECAME_SQL
    for stage, cutoff, of in (("MQL", result.cutoff, outcome), ("SQL", result.bundle.sql_cutoff, WON)):
        if cutoff is not None:
            _print_cutoff(stage, cutoff, of)
    if result.kept is not None:
        print(
            f"  on the test leads {result.kept.estimate:.1%} of the MQLs {outcome.were} "
            f"[{result.kept.low:.1%}, {result.kept.high:.1%}]"
        )
    _print_grades(result.grades)
    _print_time(result)
    drivers = result.drivers.slice(0, 8).to_pylist()
    rows = [[d["column"], d["family"], f"{d['mean_abs_points']:.2f}"] for d in drivers]
    print_table("Top drivers", ["column", "family", "points a lead"], rows, n_text=2)
    print(f"Bundle   {result.bundle_folder} (version {result.bundle.version})")
    print(f"Figures  {next(iter(result.figures.values())).parent}")
    if "report" in result.figures:
        print(f"Report   {result.figures['report']}")
    print(f"Run      {result.tracked.model_uri} (version {result.tracked.model_version})")


def _print_grades(grades: pa.Table) -> None:
    """Print what each grade promises, and where the order of the grades does not hold."""
    rows = [
        [g["grade"], f"{g['score_from']:.3f}", f"{g['n_leads']:,}", f"{g['n_won']:,}", _rate(g), g["promise"]]
        for g in grades.to_pylist()
    ]
    sure = f"{grades['confidence'][0].as_py():.4g}"
    title = f"Grades (promises and intervals hold for all grades at once, confidence {sure})"
    print_table(title, ["grade", "score from", "leads in the evidence", "won", "rate", "promise"], rows)
    for note in filter(None, grades["note"].to_pylist()):
        print(f"  {note}")


def _rate(grade: dict[str, Any]) -> str:
    if grade["rate"] is None:
        return ""
    return f"{grade['rate']:.1%} [{grade['rate_low']:.1%}, {grade['rate_high']:.1%}]"


def _print_time(result: TrainingResult) -> None:
    """Print the backtest and what was found about time."""
    if result.backtest is not None:
        print_table(backtest_title(result.backtest), COLUMNS, backtest_rows(result.backtest))
    for finding in result.findings:
        if finding.code in {"LL161", "LL164"}:
            print(f"{finding.code} {finding.title}: {finding.text}")


def _moments(result: TrainingResult) -> str:
    """Say that rows are moments where leads are looked at several times."""
    return " observations" if result.n_rows > result.n_leads else ""


def _print_quality(quality: pa.Table) -> None:
    rows = [
        [
            row["model"],
            f"{row['auc']:.3f} [{row['auc_low']:.3f}, {row['auc_high']:.3f}]",
            f"{row['log_loss']:.4f}",
            f"{row['calibration_error']:.3f}",
            f"{row['lift_10']:.2f}",
        ]
        for row in quality.to_pylist()
    ]
    columns = ["model", "AUC [95 %]", "log loss", "calibration error", "lift in top tenth"]
    print_table("", columns, rows)


def _print_second_label(sql: SqlQuality) -> None:
    print(f"P(SQL) tested on {sql.n_test:,} leads that were not SQL yet, {sql.n_sql:,} of which became SQL.")
    if sql.quality is not None:
        _print_quality(sql.quality)


def _print_cutoff(stage: str, cutoff: Cutoff, outcome: Outcome) -> None:
    worth = cutoff.per_lead
    by_lead = "" if worth is None else f", by the {worth.column} of each lead where it is known"
    drawn = f"; {cutoff.binding} draws the line" if cutoff.binding else ""
    print(
        f"{stage} from a score of {cutoff.threshold:.3f}{by_lead} ({cutoff.policy}, {cutoff.evidence}{drawn})"
    )
    print(f"  promise: {cutoff.promise}")
    week = "" if cutoff.per_week is None else f", {cutoff.per_week.estimate:.0f} leads a week"
    print(
        f"  in the evidence: {cutoff.share:.1%} of the leads{week}; "
        f"{cutoff.precision.estimate:.1%} of them {outcome.did}, {cutoff.recall.estimate:.1%} of the "
        f"{outcome.all_that_did} caught"
    )


def print_summary(done: dict[str, Any]) -> None:
    """Print what became of the rows of a scoring job."""
    stages = ", ".join(f"{count:,} {stage}" for stage, count in sorted(done["by_stage"].items()))
    stages = f" ({stages})" if stages else ""
    print(f"{done['rows_in']:,} leads read, {done['scored']:,} scored{stages}")
    for line in [*_stage_lines(done), *_override_lines(done), *_input_lines(done), *_run_lines(done)]:
        print(line)
    print(f"Wrote {done['out']} in {done['seconds']} s (model {done['model_version']})")


def _stage_lines(done: dict[str, Any]) -> Iterator[str]:
    for why, count in sorted(done["by_stage_reason"].items()):
        if why != "score":
            yield f"  {count:,} not by the score alone: {why}"
    if done["not_scored_again"]:
        yield f"  {done['not_scored_again']:,} leads of the previous table were not scored again"
    for status, count in sorted(done["unscored"].items()):
        yield f"  {count:,} not scored: {status}"


def _override_lines(done: dict[str, Any]) -> Iterator[str]:
    """What was not honoured, or never ends."""
    said = done["overrides"]
    texts = {
        "of_leads_not_scored": "overrides are of leads that were not scored",
        "never_end": "overrides in force never end",
        "ended": "overrides have ended",
        "not_yet": "overrides are made later than the moment of scoring",
        "replaced": "overrides are replaced by later ones of their lead",
    }
    for name, text in texts.items():
        if said.get(name):
            yield f"  {said[name]:,} {text}"


def _input_lines(done: dict[str, Any]) -> Iterator[str]:
    if events := done["events"]:
        yield (
            f"{events['read']:,} events read, {events['of_other_leads']:,} of other leads, "
            f"{events['copies']:,} copies of others"
        )
    for column, count in sorted(done["unseen"].items()):
        yield f"  {count:,} leads with a value of {column!r} that the model has never seen"
    if done["drift"]:
        yield _drift_line(done["drift"])


def _drift_line(flags: list[dict[str, Any]]) -> str:
    """The columns that drifted most; all of them are in the line for machines."""
    most = sorted(flags, key=lambda flag: -flag["psi"])[:MOST_DRIFTED]
    named = ", ".join(f"{flag['column']!r} {flag['psi']:.2f}" for flag in most)
    more = f" and {len(flags) - len(most)} more" if len(flags) > len(most) else ""
    noun = "column is" if len(flags) == 1 else "columns are"
    return (
        f"  {len(flags)} {noun} not distributed as at training, by population stability index: {named}{more}"
    )


def _run_lines(done: dict[str, Any]) -> Iterator[str]:
    if done["resumed_rows"]:
        yield (
            f"  {done['resumed_rows']:,} of them taken from a run that was cut off; scored as of "
            f"{done['as_of']}"
        )
    if done["rows_out"] != done["rows_in"]:
        yield f"  {done['rows_out']:,} written"
    if done["engine_note"]:
        yield f"  {done['engine_note']}"
