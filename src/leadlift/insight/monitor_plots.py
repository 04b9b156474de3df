"""Figures of the table of monitoring: stability index by column, shares won and promises by window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from leadlift.insight.figure_style import (
    BLUE,
    GREY,
    LONGEST_NAME,
    ORANGE,
    TEXT_POINTS,
    columns_of,
    label_axes,
    new_axes,
    place_legend,
    show_percent,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

MOST_COLUMNS = 15
MOST_WINDOWS = 26
_BAR_INCHES = 0.24
_HEAD_INCHES = 1.3


def plot_drift(rows: pa.Table) -> Figure:
    """Draw the population stability index of the columns that moved most.

    Parameters
    ----------
    rows : pyarrow.Table
        ``subject``, ``observed``, ``limit`` and ``verdict`` of the checks ``input_drift``, one a column.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        A column is missing.

    Examples
    --------
    >>> import pyarrow as pa
    >>> row = {"subject": "source", "observed": 0.3, "limit": 0.1, "verdict": "alarm"}
    >>> plot_drift(pa.Table.from_pylist([row])).get_suptitle()
    '1 of 1 columns is spread otherwise'
    """
    subject, psi, limit, verdict = columns_of(rows, "subject", "observed", "limit", "verdict")
    order = np.argsort(-psi, kind="stable")[:MOST_COLUMNS]
    n_alarms = int((verdict == "alarm").sum())
    title = f"{n_alarms} of {len(psi)} columns {'is' if n_alarms == 1 else 'are'} spread otherwise"
    axes = new_axes(title, height=_HEAD_INCHES + _BAR_INCHES * len(order))
    places = np.arange(len(order))
    colors = np.where(verdict[order] == "alarm", ORANGE, BLUE)
    axes.barh(places, psi[order], color=colors, height=0.7)
    axes.axvline(limit[order[0]], color=GREY, linewidth=1, linestyle="--", label="matters from here on")
    names = [_short(name) for name in subject[order]]
    axes.set_yticks(places, names, fontsize=TEXT_POINTS - 2, parse_math=False)
    axes.invert_yaxis()
    label_axes(axes, "Population stability index", "")
    place_legend(axes, loc="lower right")
    return axes.get_figure()


def plot_windows(rows: pa.Table, title: str, *, expected: str, observed: str) -> Figure:
    """Draw a share by window of scoring, with its interval, beside what it should be.

    Parameters
    ----------
    rows : pyarrow.Table
        ``window_start``, ``observed``, ``low``, ``high``, ``expected`` and ``verdict`` of one check of one
        subject, a row a window; the latest 26 are drawn.
    title : str
    expected, observed : str
        What is drawn, for the legend.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        A column is missing.
    """
    rows = rows.sort_by("window_start")
    rows = rows.slice(max(len(rows) - MOST_WINDOWS, 0))
    share, low, high, promised = (
        column.astype(float) for column in columns_of(rows, "observed", "low", "high", "expected")
    )
    axes = new_axes(title)
    places = np.arange(len(rows))
    is_bad = np.isin(rows["verdict"].to_numpy(), ("alarm", "broken", "void"))
    for chosen, color, label in ((~is_bad, BLUE, observed), (is_bad, ORANGE, f"{observed}, alarm")):
        _draw(axes, places[chosen], share[chosen], low[chosen], high[chosen], color, label)
    axes.plot(places, promised, "s--", color=GREY, markersize=4, linewidth=1.2, label=expected)
    axes.set_ylim(0, None)
    show_percent(axes.yaxis)
    axes.set_xticks(places, _days(rows["window_start"]), rotation=30, ha="right", fontsize=TEXT_POINTS - 2)
    label_axes(axes, "Leads scored from", "Share")
    place_legend(axes)
    return axes.get_figure()


def _draw(
    axes: Axes,
    places: NDArray[np.int64],
    share: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    color: str,
    label: str,
) -> None:
    """Points with intervals; an estimate has none."""
    if len(places):
        spread = np.nan_to_num([share - low, high - share]).clip(min=0)
        axes.errorbar(places, share, yerr=spread, fmt="o", color=color, markersize=5, capsize=3, label=label)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _days(moments: pa.ChunkedArray) -> list[str]:
    texts = pc.strftime(moments, format="%Y-%m-%d").to_pylist()
    return ["undated" if text is None else text for text in texts]
