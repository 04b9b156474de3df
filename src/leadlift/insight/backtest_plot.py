"""The picture of a backtest: quality and level of the scores, block by block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.insight.figure_style import (
    BLUE,
    GREY,
    ORANGE,
    TEXT_POINTS,
    columns_of,
    label_axes,
    new_axes,
    place_legend,
    show_percent,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

HEIGHT_INCHES = 4.6


def plot_backtest(blocks: pa.Table) -> Figure:
    """Draw how well leads were ranked in each block, and whether scores kept up with the base rate.

    Parameters
    ----------
    blocks : pyarrow.Table
        From :func:`leadlift.lifecycle.backtest.backtest`: ``block``, ``begin``, ``auc``, ``auc_low``,
        ``auc_high``, ``base_rate`` and ``mean_score``.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        A column is missing.

    Examples
    --------
    >>> block = {"block": 1, "begin": 400, "base_rate": 0.2, "mean_score": 0.1}
    >>> blocks = pa.Table.from_pylist([block | {"auc": 0.7, "auc_low": 0.6, "auc_high": 0.8}])
    >>> plot_backtest(blocks).get_suptitle()
    'AUC of 0.70 on leads that came later'
    """
    block, auc, low, high = columns_of(blocks, "block", "auc", "auc_low", "auc_high")
    base_rate, mean_score = columns_of(blocks, "base_rate", "mean_score")
    ranking = new_axes(_title(auc), height=HEIGHT_INCHES)
    level = _second_axes(ranking)
    ranking.axhline(0.5, color=GREY, linewidth=1, linestyle="--", label="random order")
    spread = [auc - low, high - auc]
    style = {"fmt": "o-", "color": BLUE, "markersize": 5, "linewidth": 1.5, "capsize": 3}
    ranking.errorbar(block, auc, yerr=spread, label="AUC, 95% interval", **style)
    level.plot(block, mean_score, "s--", color=ORANGE, linewidth=1.5, markersize=4, label="mean score")
    level.plot(block, base_rate, "o-", color=BLUE, linewidth=1.5, markersize=5, label="share won")
    level.set_ylim(0, None)
    show_percent(level.yaxis)
    label_axes(ranking, "", "AUC")
    label_axes(level, "Block, by the moment of its first lead", "Share won")
    level.set_xticks(block, _begins(blocks["begin"]), rotation=30, ha="right", fontsize=TEXT_POINTS - 2)
    place_legend(ranking)
    place_legend(level)
    return ranking.get_figure()


def _title(auc: NDArray[np.float64]) -> str:
    known = auc[~np.isnan(auc)]
    if not len(known):
        return "No block holds both won and lost leads"
    low, high = f"{known.min():.2f}", f"{known.max():.2f}"
    return (
        f"AUC of {low} on leads that came later" if low == high else f"AUC between {low} and {high}, by block"
    )


def _second_axes(ranking: Axes) -> Axes:
    """Return axes of the same look below those of the ranking, with the same blocks."""
    figure = ranking.get_figure()
    ranking.set_subplotspec(figure.add_gridspec(2, 1)[0])
    level = figure.add_subplot(figure.axes[0].get_gridspec()[1], sharex=ranking)
    level.spines[["top", "right"]].set_visible(False)
    level.tick_params(labelsize=TEXT_POINTS - 1)
    level.grid(visible=True, color="#E3E3E3", linewidth=0.7)
    level.set_axisbelow(True)
    ranking.tick_params(labelbottom=False)
    return level


def _begins(begin: pa.ChunkedArray) -> list[str]:
    """Dates as days, row numbers as they are."""
    moments = begin.to_pylist()
    return [f"{m:%Y-%m-%d}" if hasattr(m, "year") else f"row {m:,}" for m in moments]
