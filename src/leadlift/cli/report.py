"""``leadlift report``: what a model knows and how far to trust it, as one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadlift.cli.printing import print_json, steps


def report(
    config: Annotated[
        Path, typer.Argument(help="The leadlift.toml that names the leads whose outcome is known.")
    ] = Path("leadlift.toml"),
    bundle: Annotated[Path, typer.Option(help="Model bundle.")] = Path("models/champion"),
    out: Annotated[Path, typer.Option(help="Page to write, .html.")] = Path("models/report.html"),
    scorecard: Annotated[
        list[Path] | None,
        typer.Option(help="Points table to write too: .csv, .md or .json; repeatable."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of lines.")] = False,
) -> None:
    """Write the report on a model: one page that opens anywhere, and its points table if asked."""
    from leadlift.config import read_config
    from leadlift.lifecycle.reporting import write_model_report

    with steps() as step:
        done = write_model_report(read_config(config), bundle, out, scorecards=scorecard or (), on_step=step)
    if json:
        print_json(done.to_dict())
        return
    for section in done.report.sections:
        print(f"{section.title}\n  {section.summary}")
    print(f"Wrote {' and '.join(map(str, done.files))}")
