"""``leadlift monitor``: whether a model in service may still be believed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadlift.cli.moments import moment_of
from leadlift.cli.printing import print_findings, print_json, print_table

if TYPE_CHECKING:
    from leadlift.lifecycle.monitoring.monitor import MonitorResult

ACTION_NEEDED = 3
PROMISES = ("promise", "recall_promise", "precision", "base_rate")
MOST_ROWS = 30

Bundle = Annotated[Path, typer.Argument(help="Model bundle.")]
Scored = Annotated[
    str | None, typer.Argument(help="Scored leads: a file, folder, glob; or give --store instead.")
]
Store = Annotated[str | None, typer.Option(help="Store of scored batches, as of `predict --store`.")]
Inputs = Annotated[
    str | None, typer.Option(help="The latest leads that were scored, a .csv or .parquet file.")
]
Outcomes = Annotated[str | None, typer.Option(help="What became of leads: file, folder or database.")]
Contacts = Annotated[
    str | None, typer.Option(help="Contact log: outcomes of leads that were worked speak for all.")
]
KnownUntil = Annotated[
    str | None, typer.Option(help="Moment up to which outcomes are known; now if not given.")
]
SegmentBy = Annotated[
    list[str] | None, typer.Option(help="Column to part leads by, such as grade; may be given again.")
]
Since = Annotated[str | None, typer.Option(help="First moment of scoring to look at.")]
Until = Annotated[str | None, typer.Option(help="Moment of scoring to stop before.")]
Rate = Annotated[float, typer.Option(help="Chance of an alarm in a quarter where nothing changes.")]
Days = Annotated[float, typer.Option(min=1, help="Length of the windows in days.")]
Page = Annotated[Path | None, typer.Option(help="Page to write, .html.")]
Out = Annotated[Path | None, typer.Option(help="Table of all checks to write, .csv or .parquet.")]
Json = Annotated[bool, typer.Option("--json", help="Print one line of JSON instead of tables.")]


def monitor(
    bundle: Bundle = Path("models/champion"),
    scored: Scored = None,
    store: Store = None,
    inputs: Inputs = None,
    outcomes: Outcomes = None,
    contacts: Contacts = None,
    known_until: KnownUntil = None,
    segment_by: SegmentBy = None,
    since: Since = None,
    until: Until = None,
    false_alarm_rate: Rate = 0.05,
    window_days: Days = 28.0,
    report: Page = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """Check drift, promises and calibration of a model in service; exit 3 if somebody must act."""
    if (scored is None) == (store is None):
        message = "give either the scored leads or --store"
        raise typer.BadParameter(message)
    settings = {
        "outcomes": outcomes,
        "contacts": contacts,
        "known_until": moment_of(known_until),
        "segment_by": tuple(segment_by or ()),
        "false_alarm_rate": false_alarm_rate,
        "window_days": window_days,
    }
    between = {name: moment_of(text) for name, text in (("since", since), ("until", until)) if text}
    result = _monitored(bundle, scored, store, inputs, between, settings)
    _write(result, report, out)
    (print_json if json else _print)(result.to_dict() if json else result)
    if result.needs_action:
        raise typer.Exit(ACTION_NEEDED)


def _monitored(
    folder: Path,
    scored: str | None,
    store: str | None,
    inputs: str | None,
    between: dict[str, datetime],
    settings: dict[str, Any],
) -> MonitorResult:
    """Read what is asked for and check it."""
    from leadlift.data.reading import read_text_table
    from leadlift.lifecycle.monitoring.counted_inputs import count_inputs
    from leadlift.lifecycle.monitoring.monitor import monitor as run
    from leadlift.lifecycle.monitoring.monitor import monitor_store
    from leadlift.lifecycle.monitoring.scored_leads import read_scored, scored_between
    from leadlift.serving.bundle import ModelBundle
    from leadlift.terms import SCORED_COLUMNS

    bundle = ModelBundle.load(folder)
    # A table of all inputs takes gigabytes: it is made only where segments need its columns.
    by_input = [column for column in settings["segment_by"] if column not in SCORED_COLUMNS]
    is_read = inputs and (by_input or bundle.builder is not None)
    settings["inputs"] = read_text_table(inputs, bundle.schema.data) if is_read else None
    if scored is None:
        return monitor_store(bundle, store, **between, **settings)
    counts = count_inputs(bundle, inputs) if inputs and bundle.builder is None else None
    table = scored_between(read_scored(scored, also=settings["segment_by"]), **between)
    return run(bundle, table, counts=counts, **settings)


def _write(result: MonitorResult, page: Path | None, out: Path | None) -> None:
    if out is not None:
        from leadlift.serving.writing import open_output

        with open_output(out, result.table.schema) as write:
            write(result.table)
    if page is not None:
        from leadlift.insight.report.monitor_page import write_monitor_page

        write_monitor_page(result, page)


def _print(result: MonitorResult) -> None:
    """Print findings, then what came of the promises."""
    if result.findings:
        print_findings(result.findings)
    rows = [row for row in result.table.to_pylist() if row["check"] in PROMISES]
    columns = [
        "check",
        "of",
        "segment",
        "scored from",
        "to before",
        "leads",
        "expected",
        "observed",
        "verdict",
    ]
    if rows:
        print_table(
            "Promises and base rate", columns, [_cells(row) for row in rows[:MOST_ROWS]], n_text=5, width=160
        )
    if len(rows) > MOST_ROWS:
        print(f"{len(rows) - MOST_ROWS} more rows; --out writes all of them")
    n_alarms = sum(row["verdict"] in {"alarm", "broken", "void"} for row in result.table.to_pylist())
    action = "somebody must act" if result.needs_action else "nothing to do"
    print(f"{result.table.num_rows:,} checks, {n_alarms:,} alarms: {action} (model {result.model_version})")


def _cells(row: dict[str, Any]) -> list[str]:
    days = [f"{row[name]:%Y-%m-%d}" if row[name] else "" for name in ("window_start", "window_end")]
    shares = [_share(row["expected"]), _share(row["observed"]) + _interval(row)]
    verdict = row["verdict"].replace("_", " ") + (" (estimate)" if row["is_estimate"] else "")
    return [
        row["check"].replace("_", " "),
        row["subject"],
        row["segment"],
        *days,
        f"{row['n']:,}",
        *shares,
        verdict,
    ]


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _interval(row: dict[str, Any]) -> str:
    return "" if row["low"] is None else f" [{row['low']:.1%}, {row['high']:.1%}]"
