"""The section on touches: which of them won leads had, and how the wins are credited to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.insight.figure_style import share_text
from leadlift.insight.report.blocks import Column, Format, Section, TableBlock, TextBlock
from leadlift.insight.segments.touches import NO_TOUCH
from leadlift.insight.segments.wording import times

MOST_ROWS = 20

_COLUMNS = (
    Column("n", "Leads", Format.COUNT),
    Column("rate", "Share won", Format.SHARE, low="low", high="high", hide_where="too_few"),
    Column("lift", "Times the average", Format.NUMBER, hide_where="too_few"),
    Column("differs", "More than chance", Format.YES),
    Column("first_touch", "Wins by first touch", Format.NUMBER),
    Column("last_touch", "Wins by last touch", Format.NUMBER),
    Column("linear", "Wins shared equally", Format.NUMBER),
    Column("position_based", "Wins by position", Format.NUMBER, bar=True),
)
_NOTE = (
    "First and last touch take the whole win, equal shares go to all touches, and by position the first and "
    "the last touch take 40% each and those between share 20%. Credit says what came before a win, not what "
    "caused it."
)


def touches_section(by_kind: Mapping[str, pa.Table]) -> Section:
    """Word which touches bring won leads.

    Parameters
    ----------
    by_kind : mapping of str to pyarrow.Table
        From :func:`leadlift.insight.segments.touches.attribute_wins`, by what the touches are:
        ``{"channel": …, "page, offer or ad": …}``; at least one.

    Returns
    -------
    Section
    """
    kind, first = next(iter(by_kind.items()))
    return Section(
        key="touches",
        title=_title(by_kind),
        summary=" ".join(filter(None, (_most_credit(kind, first), _untouched(first)))),
        blocks=(*(_block(kind, table) for kind, table in by_kind.items()), TextBlock((_NOTE,))),
        label="Which touches win",
    )


def _title(by_kind: Mapping[str, pa.Table]) -> str:
    """Name the touch whose leads are won most often by more than chance."""
    found = [row for table in by_kind.values() for row in _telling(table)]
    if not found:
        return "No touch goes along with winning by more than chance"
    best = max(found, key=lambda row: row["lift"])
    return f"Leads with “{best['touch']}” among their touches are won {times(best['lift'])} the average lead"


def _telling(table: pa.Table) -> list[dict[str, Any]]:
    is_touch = pc.not_equal(table["touch"], NO_TOUCH)
    is_more = pc.fill_null(pc.greater(table["lift"], 1), fill_value=False)
    return table.filter(pc.and_(pc.and_(table["differs"], is_touch), is_more)).to_pylist()


def _most_credit(kind: str, table: pa.Table) -> str:
    touched = table.filter(pc.not_equal(table["touch"], NO_TOUCH))
    n_wins = pc.sum(table["position_based"]).as_py()
    if not touched.num_rows or not n_wins:
        return "No win had a touch before it."
    top = touched.sort_by([("position_based", "descending")]).slice(0, 1).to_pylist()[0]
    share = share_text(top["position_based"] / n_wins)
    return f"Most wins are credited to the {kind} “{top['touch']}”: {share} of them, by position."


def _untouched(table: pa.Table) -> str:
    none = table.filter(pc.equal(table["touch"], NO_TOUCH)).to_pylist()
    if not none or not none[0]["won"]:
        return ""
    return f"{share_text(none[0]['share_of_wins'])} of the wins came without any recorded touch."


def _block(kind: str, table: pa.Table) -> TableBlock:
    return TableBlock(
        caption=f"Wins by {kind}",
        table=table.sort_by([("position_based", "descending"), ("touch", "ascending")]),
        columns=(Column("touch", kind[:1].upper() + kind[1:]), *_COLUMNS),
        made_by="ll.attribute_wins(touches, leads)",
        most_rows=MOST_ROWS,
    )
