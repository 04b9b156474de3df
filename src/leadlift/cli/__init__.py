"""The command line: parse, call one public function, print.

Progress goes to stderr, results to stdout (``--json`` for machines). Exit codes: 0 fine, 1 bad input, 2 bad
usage, 3 it worked and the answer is no. Only typer is imported at start; each command imports what it needs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadlift.cli.cutoff import cutoff
from leadlift.cli.explain import explain
from leadlift.cli.export import export
from leadlift.cli.history import history
from leadlift.cli.models import models, promote, rollback
from leadlift.cli.moments import now
from leadlift.cli.monitor import monitor
from leadlift.cli.overrides import overrides
from leadlift.cli.predict import predict
from leadlift.cli.printing import (
    print_catalogue,
    print_findings,
    print_json,
    print_training,
    steps,
)
from leadlift.cli.report import report as write_report
from leadlift.cli.reproduce import reproduce
from leadlift.cli.retrain import retrain
from leadlift.cli.users import os_user

if TYPE_CHECKING:
    from leadlift.config import LeadliftConfig

app = typer.Typer(
    name="leadlift",
    help="Learn from won and lost leads how likely a new lead is to convert.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

ConfigFile = Annotated[Path, typer.Argument(help="The leadlift.toml to use.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of tables.")]


def main() -> None:
    """Run the command line; errors of ours become one message and an exit code, never a traceback."""
    from leadlift.exceptions import LeadliftError, NoCutoffError

    try:
        app(prog_name="leadlift")
    except NoCutoffError as error:
        _fail(f"No honest cut-off: {error}", code=3)
    except LeadliftError as error:
        _fail(str(error), code=1)
    except KeyboardInterrupt:
        _fail("interrupted; nothing half-written was left behind", code=130)


@app.command()
def simulate(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("data"),
    n: Annotated[int, typer.Option(min=100, help="Number of leads.")] = 20_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulation.")] = 0,
) -> None:
    """Write a simulated CRM: leads, new leads, events, change log, and the truth."""
    from leadlift.data.datasets import make_leads

    with steps() as step:
        step("Simulating leads")
        with _writing(out):
            make_leads(n, seed).save(out)
    print(
        f"Simulated {n:,} leads in {out}/: leads.csv, new_leads.csv, events.parquet, history.parquet, "
        f"truth.parquet"
    )


@app.command()
def init(
    leads: Annotated[Path, typer.Argument(help="CSV or Parquet file of won and lost leads.")],
    out: Annotated[Path, typer.Option(help="Where to write the configuration.")] = Path("leadlift.toml"),
    outcome: Annotated[str | None, typer.Option(help="Column that says how a lead ended.")] = None,
    lead_id: Annotated[str | None, typer.Option(help="Column with the id of a lead.")] = None,
    created_at: Annotated[str | None, typer.Option(help="Column with the moment of creation.")] = None,
    events: Annotated[str | None, typer.Option(help="Events: a file, folder, glob or database.")] = None,
    history: Annotated[str | None, typer.Option(help="Change log: a file, folder, glob or database.")] = None,
    events_query: Annotated[str | None, typer.Option(help="Table or SELECT, for a database.")] = None,
    history_query: Annotated[str | None, typer.Option(help="Table or SELECT, for a database.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the configuration.")] = False,
) -> None:
    """Look at leads, and at events and a change log if given, and write a commented leadlift.toml."""
    from leadlift.data.discovery import discover

    if out.exists() and not force:
        _fail(f"{out} exists; pass --force to overwrite it or --out to write elsewhere", code=1)
    with steps() as step:
        step(f"Looking at {leads}")
        found = discover(
            leads,
            outcome=outcome,
            lead_id=lead_id,
            created_at=created_at,
            today=now().date(),
            events=events,
            history=history,
            events_query=events_query,
            history_query=history_query,
        )
        _write_text(out, found.to_toml(folder=out.parent))
    print(f"Wrote {out}. Read it, mend what is wrong, then: leadlift check {out}")


@app.command()
def check(config: ConfigFile = Path("leadlift.toml"), json: Json = False) -> None:
    """Check the leads and look for columns that leak the outcome; exit 1 on a fatal finding."""
    from leadlift.config import read_config
    from leadlift.data.checks import findings_json
    from leadlift.lifecycle.preparing import find_all
    from leadlift.terms import Severity

    with steps() as step:
        step("Reading and checking the leads")
        found = find_all(read_config(config))
    print(findings_json(found.findings) if json else "", end="")
    if not json:
        print_findings(found.findings)
        print(found.advice)
    if any(finding.severity is Severity.FATAL for finding in found.findings):
        raise typer.Exit(1)


@app.command()
def train(
    config: ConfigFile = Path("leadlift.toml"),
    trials: Annotated[int | None, typer.Option(min=0, help="Optuna trials; 0 takes the defaults.")] = None,
    time_budget: Annotated[float | None, typer.Option(min=1, help="Seconds the search may take.")] = None,
    leave_out_suspects: Annotated[
        bool, typer.Option("--leave-out-suspects", help="Leave out columns that look leaky, do not stop.")
    ] = False,
    models: Annotated[
        Path | None, typer.Option(help="Folder of models, instead of the one configured.")
    ] = None,
    engine: Annotated[str | None, typer.Option(help="Where features are built: duckdb or spark.")] = None,
    name: Annotated[str, typer.Option(help="Folder of the bundle below the folder of models.")] = "champion",
    backtest: Annotated[
        bool, typer.Option("--backtest", help="Play the past forward, before the test set.")
    ] = False,
    blocks: Annotated[int, typer.Option(min=1, max=100, help="Blocks of time of a backtest.")] = 5,
    report: Annotated[bool, typer.Option(help="Write report.html beside the bundle.")] = True,
    json: Json = False,
) -> None:
    """Learn, calibrate, set the cut-offs, explain, save the bundle, log the run."""
    from leadlift.lifecycle.training import train as run

    settings = _settings(config, trials, time_budget, models, engine, blocks if backtest else None)
    with steps() as step:
        result = run(
            settings,
            leave_out_suspects=leave_out_suspects,
            name=name,
            report=report,
            by=os_user(),
            at=now(),
            on_step=step,
            on_trial=step.count,
        )
    if json:
        print_json(result.to_dict())
    else:
        print_training(result)


app.command()(cutoff)
app.command()(explain)
app.command()(export)
app.command()(history)
app.command()(models)
app.command()(monitor)
app.command()(overrides)
app.command()(predict)
app.command()(promote)
app.command()(rollback)
app.command(name="report")(write_report)
app.command()(reproduce)
app.command()(retrain)


@app.command()
def features(
    config: ConfigFile = Path("leadlift.toml"),
    out: Annotated[
        Path | None, typer.Option(help="Table of (lead_id, as_of) to write, .parquet or .csv.")
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="Say what each feature means.")] = False,
    engine: Annotated[str | None, typer.Option(help="duckdb or spark.")] = None,
    json: Json = False,
) -> None:
    """Build the features of leads from what was known at each moment of observation."""
    from leadlift.lifecycle.feature_table import build_feature_table
    from leadlift.terms import Severity

    if out is None and not show:
        _fail("give --out FILE to write the features, --list to read what they mean, or both", code=2)
    with steps() as step:
        step("Building features")
        built = build_feature_table(_settings(config, engine=engine), out)
    if json:
        print_json(built.to_dict())
        return
    if show:
        print_catalogue(built.specs)
    print_findings(built.findings)
    print(f"{len(built.specs)} features of {built.n_rows:,} observations" + (f" in {out}" if out else ""))
    if any(finding.severity is Severity.FATAL for finding in built.findings):
        raise typer.Exit(1)


def _settings(
    path: Path,
    trials: int | None = None,
    time_budget: float | None = None,
    models: Path | None = None,
    engine: str | None = None,
    backtest_blocks: int | None = None,
) -> LeadliftConfig:
    """Read the configuration; options given on the command line win."""
    from leadlift.config import read_config

    config = read_config(path)
    given = {
        "trials": trials,
        "time_budget_seconds": time_budget,
        "backtest_blocks": backtest_blocks,
    }
    model = config.model.model_copy(update={key: value for key, value in given.items() if value is not None})
    features = config.features.model_copy(update={"engine": engine or config.features.engine})
    changed = {"model": model, "models": str(models or config.models), "features": features}
    return config.model_copy(update=changed)


def _write_text(path: Path, text: str) -> None:
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn the refusals of the operating system into an error of ours."""
    from leadlift.exceptions import InputError

    try:
        yield
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror or error}"
        raise InputError(msg) from error


def _fail(message: str, *, code: int) -> None:
    print(message, file=sys.stderr)
    raise SystemExit(code)
