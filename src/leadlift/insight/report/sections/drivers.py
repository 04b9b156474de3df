"""The section on drivers: which inputs move the scores, over all leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from leadlift.insight.figure_style import share_text
from leadlift.insight.plots import plot_drivers
from leadlift.insight.report.blocks import Block, Column, FigureBlock, Format, Section, TableBlock
from leadlift.insight.report.formats import format_value

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def drivers_section(drivers: pa.Table, *, beeswarm: Figure | None = None) -> Section:
    """Word what the scores hang on.

    Parameters
    ----------
    drivers : pyarrow.Table
        From :func:`leadlift.insight.drivers.global_drivers`, strongest first.
    beeswarm : matplotlib.figure.Figure, optional
        From :func:`leadlift.insight.plots.plot_shap_beeswarm`.

    Returns
    -------
    Section

    Raises
    ------
    InputError
        A column is missing, or there is no driver.
    """
    names = drivers["column"].slice(0, 3).to_pylist()
    return Section(
        key="drivers",
        label="What moves the score",
        title=f"{_listed(names)} {'move' if len(names) > 1 else 'moves'} the score most",
        summary=f"{_families(drivers)} A driver goes along with winning or losing; it need not be its cause.",
        blocks=(*_figures(drivers, beeswarm), _drivers_block(drivers)),
    )


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _families(drivers: pa.Table) -> str:
    by_family = drivers.group_by("family").aggregate([("share", "sum")])
    ordered = sorted(by_family.to_pylist(), key=lambda row: (-row["share_sum"], row["family"]))
    told = [f"{row['family']} {share_text(row['share_sum'])}" for row in ordered]
    return f"Of all that moves scores up or down, each kind of knowledge makes up: {', '.join(told)}."


def _figures(drivers: pa.Table, beeswarm: Figure | None) -> tuple[Block, ...]:
    told = [
        f"{row['column']} {format_value(row['mean_abs_points'], Format.NUMBER)}"
        for row in drivers.slice(0, 5).to_pylist()
    ]
    bars = FigureBlock(
        "By how many percentage points an input moves a score, on average over leads.",
        plot_drivers(drivers),
        f"Bars of the strongest inputs, in percentage points: {', '.join(told)}.",
        made_by="ll.plots.plot_drivers(drivers)",
    )
    if beeswarm is None:
        return (bars,)
    dots = FigureBlock(
        "Each dot is a lead: to the right the input raised its score.",
        beeswarm,
        "For each of the strongest inputs, how far it moved single leads, coloured by its value.",
        made_by="ll.plots.plot_shap_beeswarm(contributions, matrix, names)",
    )
    return bars, dots


def _drivers_block(drivers: pa.Table) -> TableBlock:
    return TableBlock(
        caption="All inputs, strongest first",
        table=drivers,
        columns=(
            Column("column", "Input"),
            Column("family", "Kind of knowledge"),
            Column("mean_abs_points", "Points a lead", Format.NUMBER, bar=True),
            Column("share", "Of all movement", Format.SHARE),
        ),
        made_by="ll.global_drivers(specs, contributions)",
        most_rows=100,
    )
