"""The section on the fit x engagement grid: how often each cell is won, and what to do with its leads."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.insight.figure_style import share_text
from leadlift.insight.report.blocks import Column, FigureBlock, Format, Section, TableBlock
from leadlift.insight.segment_plots import plot_grid
from leadlift.insight.segments.wording import counted

MADE_BY = "ll.fit_engagement_grid(fit, engagement, won, edges=edges)"

_COLUMNS = (
    Column("cell", "Cell"),
    Column("n", "Leads", Format.COUNT),
    Column("share_of_leads", "Of all leads", Format.SHARE, bar=True),
    Column("rate", "Share won", Format.SHARE, low="low", high="high", hide_where="too_few"),
    Column("mean_score", "Mean score", Format.SHARE, hide_where="too_few"),
    Column("share_of_wins", "Of all wins", Format.SHARE),
    Column("action", "What to do"),
)
_NOTE = (
    "Letters say how well the lead fits, A best; digits how much it has done, 1 most. Bands are quarters of "
    "the leads on which the edges were learnt. The actions are a proposal."
)


def grid_section(grid: pa.Table) -> Section:
    """Word how often the leads of each cell are won.

    Parameters
    ----------
    grid : pyarrow.Table
        From :func:`leadlift.insight.segments.grid.fit_engagement_grid`.

    Returns
    -------
    Section
    """
    shown = grid.filter(pc.invert(grid["too_few"])).sort_by([("rate", "descending"), ("cell", "ascending")])
    figure = FigureBlock(
        caption="Share of the leads won in each cell, and how many leads it holds.",
        figure=plot_grid(grid),
        alt="A grid of four bands of fit by four of engagement; the table below has its numbers.",
        made_by=f"ll.plot_grid({MADE_BY})",
    )
    columns = tuple(one for one in _COLUMNS if one.name != "mean_score" or _has_scores(grid))
    table = TableBlock("The cells of the grid", grid, columns, MADE_BY, _NOTE)
    return Section(
        key="grid",
        title=_title(shown.slice(0, 1).to_pylist()),
        summary=_summary(shown, grid.num_rows - shown.num_rows),
        blocks=(figure, table),
        label="Fit and engagement",
    )


def _has_scores(grid: pa.Table) -> bool:
    return grid["mean_score"].null_count < grid.num_rows


def _title(best: list[dict[str, Any]]) -> str:
    if not best:
        return "No cell of fit and engagement has enough leads yet"
    cell, rate, action = (best[0][name] for name in ("cell", "rate", "action"))
    return f"{cell} leads are won most often, {share_text(rate)} of them: {action}"


def _summary(shown: pa.Table, n_small: int) -> str:
    told = "The grid sets who the lead is against what it has done."
    if shown.num_rows > 1:
        last = shown.slice(shown.num_rows - 1).to_pylist()[0]
        told += f" {last['cell']} leads are won least often, {share_text(last['rate'])} of them."
    if n_small:
        verb = "has" if n_small == 1 else "have"
        told += f" {counted(n_small, 'cell')} {verb} too few leads to say anything of."
    return told
