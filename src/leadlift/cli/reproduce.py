"""``leadlift reproduce``: make a bundle again from its provenance, and say whether it is the same."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadlift.cli.printing import print_findings, print_json, print_table, steps

DIFFERS = 3


def reproduce(
    bundle: Annotated[Path, typer.Argument(help="Model bundle.")] = Path("models/champion"),
    config: Annotated[Path, typer.Option(help="The leadlift.toml that says where the data are.")] = Path(
        "leadlift.toml"
    ),
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON instead of a table.")] = False,
) -> None:
    """Train again from a bundle's provenance and compare file by file; exit 3 if a file differs."""
    from leadlift.config import read_config
    from leadlift.lifecycle.reproducing import reproduce as run

    with steps() as step:
        found = run(bundle, read_config(config), on_step=step, on_trial=step.count)
    if json:
        print_json(found.to_dict())
    else:
        rows = [[match.name, "same" if match.is_same else "DIFFERS"] for match in found.files]
        print_table(f"{found.original} made again: {found.again}", ["file", ""], rows, n_text=2)
    if found.is_same:
        return
    if not json:
        print_findings(found.findings)
    raise typer.Exit(DIFFERS)
