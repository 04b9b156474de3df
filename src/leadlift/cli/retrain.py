"""``leadlift retrain``: a challenger, the contract, and a promotion or none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadlift.cli.moments import moment_of
from leadlift.cli.printing import print_findings, print_json, print_table, steps
from leadlift.cli.users import os_user

if TYPE_CHECKING:
    from datetime import datetime

    from leadlift.config import LeadliftConfig
    from leadlift.lifecycle.monitoring.monitor import MonitorResult
    from leadlift.lifecycle.retraining.outcome import RetrainResult
    from leadlift.lifecycle.retraining.rule import RetrainRule

ACTION_NEEDED = 3
VERDICT_WIDTH = 160


def retrain(
    config: Annotated[Path, typer.Argument(help="The leadlift.toml to use.")] = Path("leadlift.toml"),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing but the file with the verdict.")
    ] = False,
    if_needed: Annotated[
        bool, typer.Option("--if-needed", help="Retrain only if the rule of [retrain] says so.")
    ] = False,
    store: Annotated[
        str | None, typer.Option(help="Store of scored leads that the rule looks at: folder or database.")
    ] = None,
    outcomes: Annotated[str | None, typer.Option(help="File of outcomes that the rule looks at.")] = None,
    force: Annotated[
        str, typer.Option(help="Reason for which to promote whatever the contract says; it is kept.")
    ] = "",
    why: Annotated[str, typer.Option(help="Reason, kept in the audit log.")] = "",
    by: Annotated[
        str, typer.Option(help="Who does it, for the audit log; the user of this machine if not given.")
    ] = "",
    as_of: Annotated[str | None, typer.Option(help="Moment at which it is done; now if not given.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON instead of a table.")] = False,
) -> None:
    """Train a challenger and promote it if every clause of the contract holds; exit 3 if it is refused."""
    from leadlift.config import read_config
    from leadlift.lifecycle.retraining.retrain import retrain as run

    _check_usage(store, outcomes, force, dry_run=dry_run, if_needed=if_needed)
    settings, at = read_config(config), moment_of(as_of)
    with steps() as step:
        result = run(
            settings,
            by=by or os_user(),
            at=at,
            why=why,
            dry_run=dry_run,
            force_reason=force,
            rule=_rule(settings) if if_needed else None,
            monitored=_monitored(settings, store, outcomes, at),
            on_step=step,
            on_trial=step.count,
        )
    (_print_json if json else _print)(result)
    if result.needs_action:
        raise typer.Exit(ACTION_NEEDED)


def _check_usage(
    store: str | None, outcomes: str | None, force: str, *, dry_run: bool, if_needed: bool
) -> None:
    if (store is None) != (outcomes is None):
        message = "--store and --outcomes are given together"
    elif store is not None and not if_needed:
        message = "--store and --outcomes say whether to retrain, and need --if-needed"
    elif dry_run and force:
        message = "--dry-run promotes nothing, so there is nothing to --force"
    else:
        return
    raise typer.BadParameter(message)


def _rule(config: LeadliftConfig) -> RetrainRule:
    from leadlift.lifecycle.retraining.rule import RetrainRule

    return RetrainRule(**config.retrain.model_dump(exclude={"contract"}))


def _monitored(
    config: LeadliftConfig, store: str | None, outcomes: str | None, at: datetime
) -> MonitorResult | None:
    """What `leadlift monitor` says of the champion."""
    if store is None or outcomes is None:
        return None
    from leadlift.lifecycle.monitoring.monitor import monitor_store

    return monitor_store(Path(config.models) / "champion", store, outcomes, known_until=at)


def _print_json(result: RetrainResult) -> None:
    print_json(result.to_dict())


def _print(result: RetrainResult) -> None:
    if result.findings:
        print_findings(result.findings)
    judgement = result.judgement
    if judgement is not None and judgement.verdict is not None:
        rows = [[c.name, "holds" if c.holds else "FAILS", c.text] for c in judgement.verdict.clauses]
        print_table("Promotion contract", ["clause", "verdict", "why"], rows, n_text=3, width=VERDICT_WIDTH)
    if judgement is not None:
        print(f"Challenger {judgement.challenger}: {result.outcome} (champion was {result.champion})")
    elif result.decision is not None:
        print(f"Retraining is {result.outcome}: {'; '.join(result.decision.reasons)}")
