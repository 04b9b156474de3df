"""``leadlift cutoff``: what every cut-off of a saved model would do, and another one for it."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadlift.cli.printing import print_json, print_table
from leadlift.cli.users import os_user

if TYPE_CHECKING:
    import pyarrow as pa

    from leadlift.learning.cutoff import CutoffPolicy
    from leadlift.learning.cutoff.exploration import ExploreCost
    from leadlift.serving.bundle import ModelBundle
    from leadlift.terms import Cutoff

# What the agreement sheet takes beside the policies.
SHEET_PARAMETERS = ("confidence", "win_value", "contact_cost")
SHEET_WIDTH = 160


class StageOption(StrEnum):
    """The stage whose cut-off is meant, as it is typed."""

    MQL = "mql"
    SQL = "sql"


Policies = Annotated[
    list[str] | None,
    typer.Option("--policy", help="Policy of another cut-off; given twice or more, all of them must agree."),
]


def cutoff(
    bundle: Annotated[Path, typer.Argument(help="Model bundle.")] = Path("models/champion"),
    compare: Annotated[bool, typer.Option("--compare", help="Show the agreement sheet.")] = False,
    policy: Policies = None,
    stage: Annotated[StageOption, typer.Option(help="Stage whose cut-off is meant.")] = StageOption.MQL,
    target: Annotated[float | None, typer.Option(help="Least share promised, of either guarantee.")] = None,
    confidence: Annotated[
        float | None, typer.Option(help="Confidence of the promise and of the sheet.")
    ] = None,
    per_week: Annotated[float | None, typer.Option(help="Leads a week, of capacity.")] = None,
    per_seller: Annotated[float | None, typer.Option(help="Leads a week and seller, of capacity.")] = None,
    n_sellers: Annotated[float | None, typer.Option(help="Sellers, of capacity.")] = None,
    share: Annotated[float | None, typer.Option(help="Share of the leads, of top_share.")] = None,
    threshold: Annotated[float | None, typer.Option(help="Score, of fixed_threshold.")] = None,
    win_value: Annotated[float | None, typer.Option(help="What a win brings.")] = None,
    contact_cost: Annotated[float | None, typer.Option(help="What contacting a lead costs.")] = None,
    rows: Annotated[int, typer.Option(min=1, max=1000, help="Rows of the sheet.")] = 20,
    plot: Annotated[Path | None, typer.Option(help="Picture of the sheet to write, .png.")] = None,
    out: Annotated[Path | None, typer.Option(help="Sheet to write, .csv or .md.")] = None,
    save: Annotated[bool, typer.Option("--save", help="Write the bundle anew with the cut-off.")] = False,
    why: Annotated[str, typer.Option(help="Reason of --save, kept in the audit log.")] = "",
    explore_share: Annotated[
        float | None, typer.Option(help="Share below the line to contact at random: say what it costs.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of tables.")] = False,
) -> None:
    """Show what each cut-off would do; with --policy, what another one would be, and --save it."""
    _check_usage(policy, plot, save=save)
    given = {"target": target, "confidence": confidence, "per_week": per_week, "per_seller": per_seller}
    given |= {"n_sellers": n_sellers, "share": share, "threshold": threshold}
    amounts = {"win_value": win_value, "contact_cost": contact_cost}
    now, then, sheet = _decide(bundle, stage, policy, given, amounts, rows)
    if then is not None and save:
        then = _save(then, bundle, why)
    _write(sheet, then or now, stage, out, plot)
    cost = _explore_cost(then or now, stage, explore_share)
    if json:
        told = {} if cost is None else {"explore": asdict(cost)}
        print_json(_as_dict(sheet, now, then, saved=save) | told)
        return
    if compare or not policy:
        _print_sheet(sheet)
    _print_cutoffs(now, then)
    if then is not None and save:
        print(f"Saved {bundle} (version {then.version}, made from {now.version})")
    if cost is not None:
        print(cost.sentence)


def _explore_cost(bundle: ModelBundle, stage: StageOption, share: float | None) -> ExploreCost | None:
    from leadlift.learning.cutoff.exploration import explore_cost
    from leadlift.lifecycle.cutoff_change import evidence_of
    from leadlift.terms import Stage

    cutoff = bundle.mql_cutoff if stage is StageOption.MQL else bundle.sql_cutoff
    if share is None or cutoff is None:
        return None
    return explore_cost(evidence_of(bundle, Stage[stage.name]), cutoff, share)


def _check_usage(names: list[str] | None, plot: Path | None, *, save: bool) -> None:
    message = ""
    if save and not names:
        message = "--save needs --policy, the cut-off to save"
    elif plot is not None and plot.suffix != ".png":
        message = f"--plot writes a .png file, got {plot}"
    if message:
        raise typer.BadParameter(message)


def _decide(
    folder: Path,
    stage: StageOption,
    names: list[str] | None,
    given: dict[str, float | None],
    amounts: dict[str, float | None],
    rows: int,
) -> tuple[ModelBundle, ModelBundle | None, pa.Table]:
    """Return the bundle as it is, as it would be, and the sheet."""
    from datetime import UTC, datetime

    from leadlift.learning.cutoff.agreement import agreement_sheet
    from leadlift.lifecycle.cutoff_change import change_cutoff, evidence_of
    from leadlift.serving.bundle import ModelBundle
    from leadlift.terms import Stage

    now, of_stage = ModelBundle.load(folder), Stage[stage.name]
    confidence = {} if given["confidence"] is None else {"confidence": given["confidence"]}
    sheet = agreement_sheet(evidence_of(now, of_stage), n_rows=rows, **amounts, **confidence)
    if not names:
        return now, None, sheet
    asked = policy_of(names, given | amounts)
    then = change_cutoff(now, asked, stage=of_stage, changed_at=datetime.now(UTC))
    return now, then, sheet


def _save(bundle: ModelBundle, folder: Path, why: str) -> ModelBundle:
    """Put the bundle in the place of the one that it was made from."""
    from datetime import UTC, datetime

    from leadlift.lifecycle.registry.saving import save_changed

    return save_changed(bundle, folder, by=os_user(), at=datetime.now(UTC), why=why)


def policy_of(names: list[str], given: dict[str, float | None]) -> CutoffPolicy:
    """Return the policy of these names: each gets the parameters that it takes; several are to agree.

    Raises
    ------
    ConfigError
        A name or a parameter belongs to no policy.
    """
    from leadlift.exceptions import ConfigError
    from leadlift.learning.cutoff import get_policy, policy_class
    from leadlift.learning.cutoff.all_of import AllOf

    known = {name: value for name, value in given.items() if value is not None}
    takes = {name: policy_class(name)._get_param_names() for name in names}
    left = set(known) - {*SHEET_PARAMETERS, *[parameter for each in takes.values() for parameter in each]}
    if left:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(left))
        each = "; ".join(f"{name} takes {', '.join(parameters)}" for name, parameters in takes.items())
        msg = f"{options} says nothing to the policies asked for: {each}"
        raise ConfigError(msg)
    policies = [
        get_policy(name, **{parameter: known[parameter] for parameter in takes[name] if parameter in known})
        for name in names
    ]
    return policies[0] if len(policies) == 1 else AllOf(policies)


def _write(
    sheet: pa.Table, shown: ModelBundle, stage: StageOption, out: Path | None, plot: Path | None
) -> None:
    from leadlift.insight.agreement_plot import plot_agreement
    from leadlift.insight.agreement_text import write_agreement
    from leadlift.insight.plots import save_figures
    from leadlift.lifecycle.cutoff_change import lines_of
    from leadlift.terms import Stage

    if out is not None:
        write_agreement(sheet, out)
    if plot is not None:
        picture = plot_agreement(sheet, lines_of(shown, Stage[stage.name]))
        save_figures({plot.stem: picture}, plot.parent)


def _as_dict(sheet: pa.Table, now: ModelBundle, then: ModelBundle | None, *, saved: bool) -> dict[str, Any]:
    return {
        "model_version": now.version,
        "now": _cutoffs(now),
        "then": None if then is None else _cutoffs(then),
        "saved_version": then.version if then is not None and saved else None,
        "sheet": sheet.to_pylist(),
    }


def _cutoffs(bundle: ModelBundle) -> dict[str, Any]:
    cutoffs = {"mql": bundle.mql_cutoff, "sql": bundle.sql_cutoff}
    return {stage: None if cutoff is None else asdict(cutoff) for stage, cutoff in cutoffs.items()}


def _print_sheet(sheet: pa.Table) -> None:
    from leadlift.insight.agreement_text import agreement_caption, agreement_cells

    heads, rows = agreement_cells(sheet)
    print_table("What each cut-off would do", heads, rows, n_text=0, width=SHEET_WIDTH)
    print(agreement_caption(sheet))


def _print_cutoffs(now: ModelBundle, then: ModelBundle | None) -> None:
    """Print both cut-offs as they are and, where another was asked for, what would change."""
    named = {f"{stage} now": cutoff for stage, cutoff in _lines(now).items()}
    if then is not None:
        before = _lines(now)
        changed = {f"{name} then": c for name, c in _lines(then).items() if before.get(name) != c}
        if not changed:
            print("Nothing would change: the policy draws the same line")
        named |= changed
    rows = [[name, *_cells(cutoff)] for name, cutoff in named.items()]
    heads = ["", "score from", "of the leads", "leads a week", "of them won", "wins caught", "intervals at"]
    print_table("", heads, rows)
    for name, cutoff in named.items():
        print(f"{name}, {cutoff.policy}: {cutoff.promise}")


def _lines(bundle: ModelBundle) -> dict[str, Cutoff]:
    cutoffs = {"MQL": bundle.mql_cutoff, "SQL": bundle.sql_cutoff}
    return {stage: cutoff for stage, cutoff in cutoffs.items() if cutoff is not None}


def _cells(cutoff: Cutoff) -> list[str]:
    week = cutoff.per_week
    return [
        f"{cutoff.threshold:.4f}",
        f"{cutoff.share:.1%}",
        "" if week is None else f"{week.estimate:.0f} [{week.low:.0f}, {week.high:.0f}]",
        *[f"{i.estimate:.1%} [{i.low:.1%}, {i.high:.1%}]" for i in (cutoff.precision, cutoff.recall)],
        f"{cutoff.confidence:.4g}",
    ]
