"""``leadlift overrides``: check a table of overrides, and say how right they were."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadlift.cli.moments import moment_of
from leadlift.cli.printing import print_findings, print_json, print_table

if TYPE_CHECKING:
    import pyarrow as pa

    from leadlift.terms import Finding

HEADS = ("way", "line", "author", "overrides", "mature", "won", "share won", "model expected", "line has")


def overrides(
    table: Annotated[str, typer.Argument(help="Overrides: a file or database.")],
    store: Annotated[str, typer.Option(help="Store of scored leads: a folder or database.")],
    bundle: Annotated[Path, typer.Option(help="Model bundle.")] = Path("models/champion"),
    outcomes: Annotated[str | None, typer.Option(help="Leads with their outcomes: file or database.")] = None,
    known_until: Annotated[str | None, typer.Option(help="Moment up to which outcomes are known.")] = None,
    overrides_query: Annotated[str | None, typer.Option(help="Table or SELECT, for a database.")] = None,
    outcomes_query: Annotated[str | None, typer.Option(help="Table or SELECT, for a database.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for machines.")] = False,
) -> None:
    """Check overrides, and compare what became of their leads with what the model expected."""
    from leadlift.lifecycle.monitoring.outcomes import read_outcomes
    from leadlift.lifecycle.monitoring.override_quality import NEEDED, override_findings, override_quality
    from leadlift.serving.bundle import ModelBundle
    from leadlift.serving.override_table import read_overrides
    from leadlift.serving.score_store import open_score_store

    model, said = ModelBundle.load(bundle), read_overrides(table, query=overrides_query)
    scored = open_score_store(store).scored(columns=NEEDED)
    known = None if outcomes is None else read_outcomes(outcomes, model, query=outcomes_query)
    until = None if known_until is None else moment_of(known_until, "--known-until")
    quality = override_quality(model, scored, known, overrides=said, known_until=until)
    _tell(quality, override_findings(said, scored), json=json)


def _tell(quality: pa.Table, findings: tuple[Finding, ...], *, json: bool) -> None:
    from dataclasses import asdict

    rows = quality.to_pylist()
    if json:
        print_json({"findings": [asdict(finding) for finding in findings], "quality": rows})
        return
    print_findings(findings)
    if rows:
        print_table("How right they were", list(HEADS), [_cells(row) for row in rows], n_text=3)
    else:
        print("No scoring has honoured an override that moved a lead")


def _cells(row: dict[str, Any]) -> list[str]:
    named = [row["direction"], row["stage"], row["author"] or ""]
    counted = [f"{row[name]:,}" for name in ("n_overrides", "n_mature", "n_won")]
    share = "" if row["low"] is None else f"{row['share_won']:.1%} [{row['low']:.1%}, {row['high']:.1%}]"
    shares = ["" if row[name] is None else f"{row[name]:.1%}" for name in ("expected", "line")]
    return [*named, *counted, share, *shares]
