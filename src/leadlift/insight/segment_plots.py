"""Figures of segments, of the trend and of the fit x engagement grid; nothing is estimated here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.exceptions import InputError
from leadlift.insight.figure_style import (
    BLUE,
    LONGEST_NAME,
    ORANGE,
    TEXT_POINTS,
    columns_of,
    label_axes,
    new_axes,
    place_legend,
    share_text,
    show_percent,
)
from leadlift.insight.report.text import without_steering
from leadlift.insight.segments.grid import ENGAGEMENT_BANDS, FIT_BANDS
from leadlift.insight.segments.wording import times

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

GRID_HEIGHT_INCHES = 4.4
# Of the colour map's range; above it white text is read better than black.
DARK = 0.72


def plot_segments(table: pa.Table, *, most_rows: int = 10) -> Figure:
    """Draw the segments that hold most more, or most fewer, wins than leads.

    Parameters
    ----------
    table : pyarrow.Table
        From :func:`leadlift.insight.segments.rates.segments`. Segments with too few leads are left out.
    most_rows : int, default=10

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        A column is missing, or every segment has too few leads.

    Examples
    --------
    >>> from leadlift.insight.segments.rates import segments
    >>> leads = pa.table({"source": ["ads"] * 60 + ["referral"] * 40})
    >>> print(plot_segments(segments(leads, [False] * 57 + [True] * 43)).get_suptitle())
    Leads whose source is referral are won 2.3 times
    as often as the average lead
    """
    columns_of(table, "too_few", "share_of_wins", "share_of_leads")
    table = table.filter(pc.invert(table["too_few"]))
    if not table.num_rows:
        msg = "expected a segment with enough leads to draw, got none; lower least_leads"
        raise InputError(msg)
    rate, low, high, lift = columns_of(table, "rate", "low", "high", "lift")
    surplus = np.abs(np.nan_to_num(pc.subtract(table["share_of_wins"], table["share_of_leads"]).to_numpy()))
    shown = np.argsort(-surplus, kind="stable")[:most_rows]
    shown = shown[np.argsort(-rate[shown], kind="stable")]
    names = [_two_lines(row["column"], row["segment"]) for row in table.to_pylist()]
    axes = new_axes(_segment_title(table, int(shown[0])), height=1.6 + 0.36 * len(shown))
    _draw_rates(axes, [names[row] for row in shown], rate[shown], low[shown], high[shown])
    _mark_average(axes, rate, lift)
    label_axes(axes, "Share of the leads that is won", "")
    show_percent(axes.xaxis)
    return axes.get_figure()


def plot_trend(trend: pa.Table) -> Figure:
    """Draw how often leads are won, period by period.

    Parameters
    ----------
    trend : pyarrow.Table
        From :func:`leadlift.insight.segments.trend.conversion_trend`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        A column is missing.

    Examples
    --------
    >>> from leadlift.insight.segments.trend import conversion_trend
    >>> days = np.datetime64("2026-01-01") + np.arange(100)
    >>> plot_trend(conversion_trend(np.arange(100) >= 70, days, period_days=50)).get_suptitle()
    'In the latest period 60% of 50 leads were won'
    """
    ends, n, rate, low, high = columns_of(trend, "period_end", "n", "rate", "low", "high")
    axes = new_axes(f"In the latest period {share_text(rate[-1])} of {n[-1]:,} leads were won")
    axes.errorbar(ends, rate, yerr=[rate - low, high - rate], fmt="o-", color=BLUE, capsize=3, linewidth=1.5)
    axes.set_ylim(0, min(1.02, 1.1 * float(np.nanmax(high))))
    axes.tick_params(axis="x", rotation=30)
    label_axes(axes, "End of the period", "Share of the leads that is won")
    show_percent(axes.yaxis)
    return axes.get_figure()


def plot_grid(grid: pa.Table) -> Figure:
    """Draw the fit x engagement grid: in each cell its name, how often its leads are won, and how many.

        Parameters
        ----------
        grid : pyarrow.Table
            From :func:`leadlift.insight.segments.grid.fit_engagement_grid`.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        InputError
            A column is missing.

        Examples
        --------
    >>> from leadlift.insight.segments.grid import fit_engagement_grid
        >>> scores = np.arange(400) % 20, np.arange(400) // 20
        >>> plot_grid(fit_engagement_grid(*scores, scores[0] > 15, least_leads=20)).get_suptitle()
        'A1 is won most often: 80% of 25 leads'
    """
    cells, n, rate, too_few = columns_of(grid, "cell", "n", "rate", "too_few")
    rate = np.where(too_few, np.nan, rate)
    axes = new_axes(_grid_title(cells, n, rate), height=GRID_HEIGHT_INCHES)
    shape = len(FIT_BANDS), len(ENGAGEMENT_BANDS)
    top = float(np.nanmax(rate, initial=0.0)) or 1.0
    axes.imshow((rate / top).reshape(shape), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for place, (cell, count, share) in enumerate(zip(cells, n, rate, strict=True)):
        said = "too few" if np.isnan(share) else share_text(share)
        colour = "white" if share / top > DARK else "black"
        where = {"ha": "center", "va": "center", "color": colour, "fontsize": TEXT_POINTS - 1}
        axes.text(place % shape[1], place // shape[1], f"{cell}\n{said}\n{count:,} leads", **where)
    axes.grid(visible=False)
    axes.set_xticks(range(shape[1]), ["1 most", "2", "3", "4 least"])
    axes.set_yticks(range(shape[0]), ["A best", "B", "C", "D worst"])
    label_axes(axes, "Engagement: what the lead has done", "Fit: who the lead is")
    return axes.get_figure()


def _segment_title(table: pa.Table, row: int) -> str:
    text, lift = without_steering(table["text"][row].as_py()), table["lift"][row].as_py()
    return f"Leads whose {text} are won {times(1.0 if lift is None else lift)} the average lead"


def _two_lines(*names: str) -> str:
    """Return names one below the other, each cut to the room there is."""
    shown = map(without_steering, names)
    return "\n".join(n if len(n) <= LONGEST_NAME else f"{n[: LONGEST_NAME - 1]}…" for n in shown)


def _draw_rates(axes: Axes, names: list[str], rate: NDArray, low: NDArray, high: NDArray) -> None:
    places = range(len(names))
    spread = [rate - low, high - rate]
    axes.errorbar(rate, places, xerr=spread, fmt="o", color=BLUE, capsize=3, linewidth=1.5)
    axes.set_yticks(places, names, parse_math=False, fontsize=TEXT_POINTS - 2)
    axes.invert_yaxis()
    axes.set_xlim(left=0)


def _mark_average(axes: Axes, rate: NDArray, lift: NDArray) -> None:
    """Draw the rate of all leads, which is what each lift is taken against."""
    told = np.flatnonzero(lift > 0)
    if len(told):
        average = rate[told[0]] / lift[told[0]]
        axes.axvline(average, color=ORANGE, linestyle="--", label=f"all leads: {share_text(average)}")
        place_legend(axes, loc="lower right")


def _grid_title(cells: NDArray, n: NDArray, rate: NDArray) -> str:
    if np.isnan(rate).all():
        return "No cell of the grid has enough leads to say how many are won"
    best = int(np.nanargmax(rate))
    return f"{cells[best]} is won most often: {share_text(rate[best])} of {n[best]:,} leads"
