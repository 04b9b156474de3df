"""``leadlift export``: scored leads -> a file that a CRM imports."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from leadlift.cli.printing import print_json

Query = Annotated[str | None, typer.Option(help="Table or SELECT, for a database.")]


def export(
    scored: Annotated[str, typer.Argument(help="Scored leads: a file or a database.")],
    out: Annotated[Path, typer.Option(help="File to write, .csv or .parquet.")],
    profile: Annotated[str, typer.Option(help="Whose columns: generic, hubspot, salesforce …")] = "generic",
    previous: Annotated[
        str | None, typer.Option(help="The scoring before, in full: file or database.")
    ] = None,
    changed_only: Annotated[
        str | None,
        typer.Option(help="Only leads that are new or changed since --previous: by stage or grade."),
    ] = None,
    scored_query: Query = None,
    previous_query: Query = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of a line.")] = False,
) -> None:
    """Write scored leads as a CRM imports them, all or those that changed."""
    from leadlift.serving.exporting import export as run

    done = run(
        scored,
        out=out,
        profile=profile,
        previous=previous,
        changed_only=changed_only,
        scored_query=scored_query,
        previous_query=previous_query,
    )
    if json:
        print_json(asdict(done) | {"out": str(out)})
    else:
        print(f"Wrote {done.rows_out:,} of {done.rows_in:,} scored leads to {out}")
