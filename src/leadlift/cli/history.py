"""``leadlift history``: how the scores of leads went, why, and who crossed a line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadlift.cli.moments import moment_of
from leadlift.cli.printing import print_json, print_table

if TYPE_CHECKING:
    import pyarrow as pa

    from leadlift.serving.score_store import ScoreStore

HEADS = ("lead", "stage", "score", "points", "trend", "steady for", "why, in points", "new reasons")


def history(
    store: Annotated[str, typer.Argument(help="Store of scored leads: a folder or database.")],
    lead: Annotated[str | None, typer.Option(help="All scorings of this lead.")] = None,
    crossed: Annotated[bool, typer.Option("--crossed", help="Only leads that crossed a line.")] = False,
    since: Annotated[
        str | None, typer.Option(help="Compare with the last scoring up to this moment, ISO 8601.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Table to write, .csv or .parquet.")] = None,
    rows: Annotated[int, typer.Option(min=1, max=1000, help="Leads to show.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for machines.")] = False,
) -> None:
    """Show how the scores of the latest batch moved since the scoring before, and why."""
    from leadlift.serving.score_store import open_score_store

    moment = None if since is None else moment_of(since, "--since")
    opened = open_score_store(store)
    table = _table(opened, lead, moment, crossed=crossed)
    if out is not None:
        _write(table, out)
    if json:
        print_json(_told(table, rows) | {"out": None if out is None else str(out)})
        return
    _print(table, rows, of_one=lead is not None)
    if out is not None:
        print(f"Wrote {len(table):,} rows to {out}")


def _table(store: ScoreStore, lead: str | None, since: Any, *, crossed: bool) -> pa.Table:
    """Scorings of the lead asked for, or the latest of all leads, those that moved most first."""
    import pyarrow.compute as pc

    from leadlift.serving.history import crossings, latest_changes, score_history

    if lead is not None:
        return score_history(store, lead, since=since)
    if crossed:
        return crossings(store, since=since)
    changes = latest_changes(store, since=since)
    order = pc.sort_indices(
        changes.append_column("size", pc.abs(changes["change"])),
        [("size", "descending"), ("lead_id", "ascending")],
    )
    return changes.take(order)


def _write(table: pa.Table, out: Path) -> None:
    from leadlift.serving.writing import open_output

    with open_output(out, table.schema) as write:
        write(table)


def _told(table: pa.Table, rows: int) -> dict[str, Any]:
    shown = table.slice(0, rows).to_pylist()
    for row in shown:
        moments = {name: value.isoformat() for name, value in row.items() if hasattr(value, "isoformat")}
        row.update(moments)
    return {"n_rows": len(table)} | _counts(table) | {"rows": shown}


def _counts(table: pa.Table) -> dict[str, dict[str, int]]:
    from collections import Counter

    return {
        name: dict(sorted(Counter(filter(None, table[name].to_pylist())).items()))
        for name in ("trend", "crossed")
    }


def _print(table: pa.Table, rows: int, *, of_one: bool) -> None:
    counts = _counts(table)
    trends = ", ".join(f"{count:,} {trend}" for trend, count in counts["trend"].items())
    lines = ", ".join(f"{count:,} {way}" for way, count in counts["crossed"].items())
    what = "scorings" if of_one else "leads"
    print(f"{len(table):,} {what}: {trends}" + (f"; crossed a line: {lines}" if lines else ""))
    shown = table.slice(0, rows).to_pylist()
    if of_one:
        print_table(
            "", ["scored at", *HEADS[1:5]], [_cells(row, f"{row['as_of']:%Y-%m-%d %H:%M}") for row in shown]
        )
    else:
        print_table(
            "", list(HEADS), [[*_cells(row, row["lead_id"]), *_words(row)] for row in shown], width=160
        )


def _cells(row: dict[str, Any], first: str) -> list[str]:
    stage = row["stage"] if row["crossed"] is None else f"{row['previous_stage']} → {row['stage']}"
    points = "" if row["change"] is None else f"{100 * row['change']:+.1f}"
    return [first, stage, f"{row['score']:.3f}", points, row["trend"]]


def _words(row: dict[str, Any]) -> list[str]:
    """What moved the score; of a line crossed without it, what decided."""
    why = row["why"] or (row["stage_reason"] if row["crossed"] else None)
    return [f"{row['steady_days']:.0f} d", why or "", row["new_reasons"] or ""]
