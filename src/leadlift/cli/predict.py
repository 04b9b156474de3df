"""``leadlift predict``: new leads -> scored leads."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadlift.cli.moments import moment_of
from leadlift.cli.printing import print_json, print_summary
from leadlift.cli.progress import rows_done

if TYPE_CHECKING:
    from leadlift.serving.summary import PredictSummary

SPARK = "spark"
# What makes no sense on Spark, or is not offered there.
NOT_ON_SPARK = ("profile", "changed_only", "out_table", "threads")

Leads = Annotated[str, typer.Argument(help="New leads: a file, folder, glob or database.")]
Out = Annotated[str, typer.Option(help="Scored leads: .csv, .parquet or a database; on Spark a folder.")]
Bundle = Annotated[Path, typer.Option(help="Model bundle.")]
Events = Annotated[str | None, typer.Option(help="Events: a file, folder, glob or database.")]
History = Annotated[str | None, typer.Option(help="Change log: a file, folder, glob or database.")]
Previous = Annotated[str | None, typer.Option(help="Scored leads of the time before: file or database.")]
OverridesFile = Annotated[
    str | None, typer.Option("--overrides", help="Stages that people set: file or database.")
]
Store = Annotated[str | None, typer.Option(help="Keep the scored leads in a store: a folder or database.")]
AsOf = Annotated[str | None, typer.Option(help="Moment of scoring, ISO 8601; now if not given.")]
Engine = Annotated[str, typer.Option(help="What scores: auto, fast, plain or spark.")]
FeatureEngine = Annotated[str, typer.Option(help="Where features are built: duckdb or spark.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads that score; one a core if not given.")]
Reasons = Annotated[bool, typer.Option(help="Write sub-scores and reasons.")]
Profile = Annotated[str | None, typer.Option(help="Write a file for a CRM: generic, hubspot, salesforce …")]
ChangedOnly = Annotated[
    str | None, typer.Option(help="Only leads that are new or changed since --previous: by stage or grade.")
]
AllowPast = Annotated[bool, typer.Option("--allow-past", help="Score as of before the training data.")]
Query = Annotated[str | None, typer.Option(help="Table or SELECT, for a database.")]
OutTable = Annotated[str | None, typer.Option(help="Table to write, for a database.")]
Log = Annotated[str, typer.Option(help="Progress on stderr: bar, or json for lines of JSON.")]
Json = Annotated[bool, typer.Option("--json", help="Print one line of JSON instead of sentences.")]


def predict(
    leads: Leads,
    out: Out,
    bundle: Bundle = Path("models/champion"),
    events: Events = None,
    history: History = None,
    previous: Previous = None,
    overrides: OverridesFile = None,
    store: Store = None,
    as_of: AsOf = None,
    engine: Engine = "auto",
    feature_engine: FeatureEngine = "duckdb",
    threads: Threads = None,
    reasons: Reasons = True,
    profile: Profile = None,
    changed_only: ChangedOnly = None,
    allow_past: AllowPast = False,
    out_table: OutTable = None,
    leads_query: Query = None,
    events_query: Query = None,
    history_query: Query = None,
    previous_query: Query = None,
    overrides_query: Query = None,
    log: Log = "bar",
    json: Json = False,
) -> None:
    """Score new leads: a row out for every row in. A job that was cut off goes on when run again."""
    from leadlift.serving.scoring import Queries

    asked = {
        "out": out,
        "out_table": out_table,
        "events": events,
        "history": history,
        "previous": previous,
        "as_of": moment_of(as_of),
        "overrides": overrides,
        "store": store,
        "queries": Queries(leads_query, events_query, history_query, previous_query, overrides_query),
        "threads": threads,
        "reasons": reasons,
        "profile": profile,
        "changed_only": changed_only,
        "allow_past": allow_past,
    }
    if engine != SPARK:
        asked |= {"engine": engine, "feature_engine": feature_engine, "resume_moment": as_of is None}
    done = _timed(bundle, leads, asked, log)
    (print_json if json else print_summary)(done)


def _timed(bundle: Path, leads: str, asked: dict[str, Any], log: str) -> dict[str, Any]:
    """Score, and return what was done and how fast."""
    import time

    run = _here if "engine" in asked else _on_spark
    start = time.perf_counter()
    summary = run(bundle, leads, asked, log)
    seconds = time.perf_counter() - start
    speed = {"seconds": round(seconds, 2), "rows_per_second": round(summary.rows_in / seconds)}
    return summary.to_dict() | {"out": asked["out"]} | speed


def _here(bundle: Path, leads: str, asked: dict[str, Any], log: str) -> PredictSummary:
    from leadlift.data.new_leads import count_rows
    from leadlift.serving.predict import predict as run

    with rows_done(log, count_rows(leads)) as on_rows:
        return run(bundle, leads, on_rows=on_rows, **asked)


def _on_spark(bundle: Path, leads: str, asked: dict[str, Any], log: str) -> PredictSummary:
    """Score on Spark, which shows its own progress."""
    from leadlift.serving.spark_job import spark_predict

    del log
    given = [name for name in NOT_ON_SPARK if asked.pop(name) is not None]
    if given:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        print(f"--engine spark does not take {names}", file=sys.stderr)
        raise SystemExit(2)
    return spark_predict(bundle, leads, **asked)
