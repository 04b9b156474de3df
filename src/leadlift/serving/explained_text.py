"""Explained leads as people read them: lines for a terminal, a snippet of HTML, a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from leadlift.exceptions import InputError, shorten
from leadlift.insight.escaping import escape_html, plain_text
from leadlift.insight.texts import fill
from leadlift.insight.value_texts import points_texts, with_unit
from leadlift.serving.writing import open_output
from leadlift.terms import BASE, GRADE, LEAD_ID, SCORE_0_100, STAGE, STATUS, STATUS_DETAIL, Family, Status

if TYPE_CHECKING:
    from leadlift.insight.texts import Texts
    from leadlift.serving.explaining import ExplainedLeads


def describe(explained: ExplainedLeads, lead_id: str) -> str:
    """Write what is known of one lead as lines of plain text.

    Parameters
    ----------
    explained : ExplainedLeads
    lead_id : str

    Returns
    -------
    str
        Score, starting point, reasons, everything else, sub-scores, and what would lift the lead; or why it
        cannot be explained.

    Raises
    ------
    InputError
        The lead is not among the explained ones.
    """
    head, lines = _told(explained, lead_id)
    return "\n".join([head, *(f"  {line}" for line in lines)])


def describe_html(explained: ExplainedLeads, lead_id: str) -> str:
    """Write the same as a snippet of HTML: a heading and a list, with everything from outside escaped.

    Parameters
    ----------
    explained : ExplainedLeads
    lead_id : str

    Returns
    -------
    str

    Raises
    ------
    InputError
        The lead is not among the explained ones.
    """
    head, lines = _told(explained, lead_id)
    items = "".join(f"<li>{escape_html(line)}</li>" for line in lines)
    return f'<section class="lead"><h3>{escape_html(head)}</h3><ul>{items}</ul></section>'


def write_reasons(explained: ExplainedLeads, out: str | Path) -> None:
    """Write the reasons of the leads, one row a reason.

    Parameters
    ----------
    explained : ExplainedLeads
    out : path
        ``.csv``, in which no cell can be run as a formula, or ``.parquet``.

    Raises
    ------
    InputError
        The ending is another one, or the file cannot be written.
    """
    with open_output(out, explained.reasons.schema) as write:
        write(explained.reasons)


def _told(explained: ExplainedLeads, lead_id: str) -> tuple[str, list[str]]:
    """The first line, and the others."""
    lead = _lead(explained, lead_id)
    words, name = explained.texts["leads"], plain_text(lead_id)
    if lead[STATUS] != Status.SCORED:
        why = lead[STATUS_DETAIL] or lead[STATUS]
        return fill(words["not_explained"], {"lead": name, "why": plain_text(why, len(why))}), []
    shown = {"score": str(lead[SCORE_0_100]), "grade": lead[GRADE], "stage": lead[STAGE]}
    reasons = [r["sentence"] for r in explained.reasons.to_pylist() if r[LEAD_ID] == lead_id]
    start = with_unit(round(100 * lead[BASE], 1), "points", explained.texts)
    base = fill(explained.texts["sentences"]["base"], {"points": start})
    return (
        fill(words["head"], {"lead": name} | shown),
        [base, *reasons, _families(lead, explained.texts), lead["lift"]],
    )


def _lead(explained: ExplainedLeads, lead_id: str) -> dict[str, Any]:
    """The row of a lead; of several the one that was scored."""
    rows = [lead for lead in explained.leads.to_pylist() if lead[LEAD_ID] == lead_id]
    if not rows:
        msg = (
            f"lead {lead_id!r} is not among the explained ones: "
            f"{shorten(name for name in explained.leads[LEAD_ID].to_pylist() if name is not None)}"
        )
        raise InputError(msg)
    return next((lead for lead in rows if lead[STATUS] == Status.SCORED), rows[0])


def _families(lead: dict[str, Any], texts: Texts) -> str:
    told = [f"{texts['leads'][family.value]} {_points(100 * lead[family.value], texts)}" for family in Family]
    return fill(texts["leads"]["families"], {"families": ", ".join(told)})


def _points(points: float, texts: Texts) -> str:
    return points_texts(np.array([points]), texts)[0].as_py()
