"""``leadlift explain``: why given leads score as they do, and what would lift them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadlift.cli.moments import moment_of
from leadlift.cli.printing import print_json

if TYPE_CHECKING:
    from leadlift.serving.explaining import ExplainedLeads


def explain(
    leads: Annotated[str, typer.Argument(help="Leads: a file, folder, glob or database.")],
    bundle: Annotated[Path, typer.Option(help="Model bundle.")] = Path("models/champion"),
    lead_id: Annotated[
        list[str] | None, typer.Option(help="Lead to explain; may be given several times.")
    ] = None,
    events: Annotated[str | None, typer.Option(help="Events: a file, folder, glob or database.")] = None,
    history: Annotated[str | None, typer.Option(help="Change log: a file, folder, glob or database.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Moment of scoring, ISO 8601; now if not given.")] = None,
    leads_query: Annotated[str | None, typer.Option(help="Table or SELECT, for a database.")] = None,
    events_query: Annotated[str | None, typer.Option(help="Table or SELECT, for a database.")] = None,
    history_query: Annotated[str | None, typer.Option(help="Table or SELECT, for a database.")] = None,
    most_reasons: Annotated[int, typer.Option(min=1, help="Reasons told one by one.")] = 10,
    actionable: Annotated[
        list[str] | None, typer.Option(help="Column that somebody can change; may be given several times.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Reasons to write, .csv or .parquet.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of lines.")] = False,
) -> None:
    """Say why leads score as they do, and what would lift them; the first ten leads, if none is named."""
    from leadlift.serving.explained_text import write_reasons
    from leadlift.serving.explaining import explain_file
    from leadlift.serving.predict import Queries

    explained = explain_file(
        bundle,
        leads,
        as_of=moment_of(as_of),
        events=events,
        history=history,
        lead_ids=lead_id,
        queries=Queries(leads_query, events_query, history_query),
        most_reasons=most_reasons,
        actionable=actionable,
    )
    if out is not None:
        write_reasons(explained, out)
    if json:
        print_json(explained.to_dict())
    else:
        _print_leads(explained)
    if lead_id and _say_who_is_missing(explained):
        raise typer.Exit(1)


def _print_leads(explained: ExplainedLeads) -> None:
    from leadlift.serving.explained_text import describe
    from leadlift.terms import LEAD_ID, STATUS, Status

    is_scored = [status == Status.SCORED for status in explained.leads[STATUS].to_pylist()]
    ids = explained.leads[LEAD_ID].filter(is_scored).to_pylist()
    print("\n\n".join(describe(explained, name) for name in ids))
    print(f"\n{', '.join(f'{count:,} {status}' for status, count in explained.n_by_status.items())}")


def _say_who_is_missing(explained: ExplainedLeads) -> bool:
    """Say on stderr which leads cannot be explained, and why; return whether there are any."""
    missing = explained.not_explained.to_pylist()
    for lead in missing:
        print(
            f"Lead {lead['lead_id']!r} cannot be explained: {lead['status_detail']} ({lead['status']})",
            file=sys.stderr,
        )
    return bool(missing)
