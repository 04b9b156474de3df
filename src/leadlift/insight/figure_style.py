"""How figures look: sizes, colours, and the axes that every figure begins with.

Colours are those of Okabe and Ito (2008, "Color Universal Design"), which colour-blind readers tell apart.
"""

from __future__ import annotations

import textwrap
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa

from leadlift.exceptions import InputError, column_diff, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

WIDTH_INCHES = 4.8
HEIGHT_INCHES = 3.6
DOTS_PER_INCH = 200
TEXT_POINTS = 10
LONGEST_NAME = 26
LONGEST_TITLE_LINE = 48
LONGEST_TITLE_NAME = 60

BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#6E6E6E"


def new_axes(title: str, width: float = WIDTH_INCHES, height: float = HEIGHT_INCHES) -> Axes:
    """Return the axes of a new figure that no global state knows of."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    text = "\n".join(textwrap.wrap(title, LONGEST_TITLE_LINE))
    font = {"fontsize": TEXT_POINTS + 1, "fontweight": "bold"}
    figure.suptitle(text, x=0.01, horizontalalignment="left", parse_math=False, **font)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=TEXT_POINTS - 1)
    axes.grid(visible=True, color="#E3E3E3", linewidth=0.7)
    axes.set_axisbelow(True)
    return axes


def label_axes(axes: Axes, x: str, y: str) -> None:
    """Name both axes."""
    axes.set_xlabel(x, fontsize=TEXT_POINTS)
    axes.set_ylabel(y, fontsize=TEXT_POINTS)


def show_percent(*every_axis: object) -> None:
    """Have an axis of shares read in percent."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    for axis in every_axis:
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda share, _: share_text(share)))


def place_legend(axes: Axes, **where: object) -> None:
    """Draw the legend on a see-through ground."""
    axes.legend(fontsize=TEXT_POINTS - 1, frameon=True, framealpha=0.85, edgecolor="none", **where)


@contextmanager
def missing_glyphs_ignored() -> Iterator[None]:
    """Draw names in scripts the font lacks as boxes, silently; the tables beside a figure spell them out."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def columns_of(table: pa.Table, *names: str) -> list[NDArray]:
    """Return columns as arrays; a missing one is an error with a diff."""
    missing = [name for name in names if name not in table.column_names]
    if missing:
        msg = f"the table lacks {shorten(missing)}:\n{column_diff(names, table.column_names)}"
        raise InputError(msg)
    return [table[name].to_numpy() for name in names]


def share_text(share: float) -> str:
    """Return a share as a percentage of three digits.

    Examples
    --------
    >>> share_text(0.12345)
    '12.3%'
    """
    return f"{100 * share:.3g}%"
