"""Figures drawn from the tables of ``learning.metrics`` and from contributions; nothing is estimated here.

Figures are made without pyplot, so no backend is chosen, no window opens and nothing stays in memory. They
are sized to be read at the width of a mail on a telephone (360 px).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.exceptions import InputError
from leadlift.insight.figure_style import (
    BLUE,
    DOTS_PER_INCH,
    GREEN,
    GREY,
    LONGEST_NAME,
    LONGEST_TITLE_NAME,
    ORANGE,
    PURPLE,
    TEXT_POINTS,
    WIDTH_INCHES,
    columns_of,
    label_axes,
    missing_glyphs_ignored,
    new_axes,
    place_legend,
    share_text,
    show_percent,
)
from leadlift.terms import Family

if TYPE_CHECKING:
    from types import ModuleType

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

FAMILY_COLOURS = {
    Family.FIT.value: BLUE,
    Family.ENGAGEMENT.value: ORANGE,
    Family.INTENT.value: GREEN,
    Family.SOURCE.value: PURPLE,
    Family.OTHER.value: GREY,
}
THRESHOLD_STYLES = ("--", ":", "-.")


def plot_reliability(table: pa.Table) -> Figure:
    """Draw predicted against observed conversion: points on the diagonal mean honest probabilities.

    Parameters
    ----------
    table : pyarrow.Table
        From :func:`leadlift.learning.metrics.reliability`: ``predicted``, ``observed``, ``low``, ``high``
        in [0, 1] and ``n``.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        A column is missing.

    Examples
    --------
    >>> from leadlift.learning.metrics import reliability
    >>> figure = plot_reliability(reliability([0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.6, 0.9], n_bins=2))
    >>> figure.get_suptitle()
    'Predicted and observed agree in 2 of 2 groups'
    """
    predicted, observed, low, high, n = columns_of(table, "predicted", "observed", "low", "high", "n")
    agree = int(((low <= predicted) & (predicted <= high)).sum())
    axes = new_axes(f"Predicted and observed agree in {agree} of {len(n)} groups")
    top = min(1.02, 1.05 * float(max(high.max(), predicted.max())))
    axes.plot([0, top], [0, top], color=GREY, linewidth=1, linestyle="--", label="perfect agreement")
    axes.errorbar(
        predicted,
        observed,
        yerr=[observed - low, high - observed],
        fmt="o",
        color=BLUE,
        markersize=5,
        linewidth=1.5,
        capsize=3,
        label=f"{_about(n)} leads a group, 95% interval",
    )
    axes.set(xlim=(0, top), ylim=(0, top))
    label_axes(axes, "Predicted conversion", "Observed conversion")
    show_percent(axes.xaxis, axes.yaxis)
    place_legend(axes)
    return axes.get_figure()


def plot_gains(table: pa.Table) -> Figure:
    """Draw which share of the wins the best-scored leads hold.

    Parameters
    ----------
    table : pyarrow.Table
        From :func:`leadlift.learning.metrics.gains`: ``share_of_leads`` and ``share_of_wins`` in [0, 1].

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        A column is missing.

    Examples
    --------
    >>> from leadlift.learning.metrics import gains
    >>> figure = plot_gains(gains([1, 1, 0, 0, 0], [0.9, 0.8, 0.3, 0.2, 0.1], n_points=5))
    >>> figure.get_suptitle()
    'The best 20% of the leads hold 50% of the wins'
    """
    leads, wins = columns_of(table, "share_of_leads", "share_of_wins")
    told = int(np.abs(leads - 0.2).argmin())
    axes = new_axes(
        f"The best {share_text(leads[told])} of the leads hold {share_text(wins[told])} of the wins"
    )
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--", label="random order")
    axes.plot(np.r_[0, leads], np.r_[0, wins], color=BLUE, linewidth=2, label="by score")
    axes.plot(leads[told], wins[told], "o", color=BLUE, markersize=7)
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    label_axes(axes, "Share of leads, best first", "Share of wins")
    show_percent(axes.xaxis, axes.yaxis)
    place_legend(axes, loc="lower right")
    return axes.get_figure()


def plot_scores(score: ArrayLike, won: ArrayLike, thresholds: Mapping[str, float]) -> Figure:
    """Draw how the scores of won and of lost leads are spread, and where the cut-offs lie.

    Parameters
    ----------
    score : array of float64, shape (n_rows,)
        Calibrated probabilities.
    won : array of bool, shape (n_rows,)
    thresholds : mapping of str to float
        Scores from which a lead qualifies, by the stage's name as it is shown; at most three.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> plot_scores([0.1, 0.2, 0.7], [False, False, True], {}).get_suptitle()
    'Scores of 1 won and 2 lost leads'
    """
    score, won = np.asarray(score, dtype=np.float64), np.asarray(won) > 0
    axes = new_axes(_score_title(won, thresholds))
    top = min(1.0, 1.05 * float(np.r_[score, list(thresholds.values()), 0.05].max()))
    edges = np.linspace(0, top, 26)
    groups = (("lost", ~won, GREY, 0.35), ("won", won, BLUE, 0.55))
    for name, members, colour, alpha in groups:
        values = score[members]
        weights = np.full(len(values), 1 / max(len(values), 1))
        style = {"bins": edges, "weights": weights, "color": colour}
        axes.hist(values, **style, alpha=alpha, label=f"{name} ({len(values):,})")
        axes.hist(values, **style, histtype="step", linewidth=1.2)
    for (name, threshold), style in zip(thresholds.items(), THRESHOLD_STYLES, strict=False):
        label = f"{name} from {share_text(threshold)}"
        axes.axvline(threshold, color=ORANGE, linewidth=2, linestyle=style, label=label)
    axes.set_xlim(0, top)
    label_axes(axes, "Score (calibrated probability)", "Share of the won, of the lost")
    show_percent(axes.xaxis, axes.yaxis)
    place_legend(axes)
    return axes.get_figure()


def plot_drivers(drivers: pa.Table, *, max_columns: int = 12) -> Figure:
    """Draw the inputs that move the score most, as bars.

    Parameters
    ----------
    drivers : pyarrow.Table
        ``column`` and ``family`` (string) and ``mean_abs_points`` (float64: by how many percentage points
        the input moves a score, on average over leads), in any order.
    max_columns : int, default=12
        Bars drawn.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        A column is missing, or there is no row.

    Examples
    --------
    >>> drivers = pa.table({"column": ["visits"], "family": ["engagement"], "mean_abs_points": [4.2]})
    >>> plot_drivers(drivers).get_suptitle()
    'visits moves the score most'
    """
    names, families, points = columns_of(drivers, "column", "family", "mean_abs_points")
    if not len(names):
        msg = "expected at least one driver to draw, got an empty table"
        raise InputError(msg)
    order = np.lexsort((names, -points))[:max_columns]
    title = f"{_short(names[order[0]], LONGEST_TITLE_NAME)} moves the score most"
    axes = new_axes(title, height=1.3 + 0.27 * len(order))
    colours = [FAMILY_COLOURS.get(family, GREY) for family in families[order]]
    axes.barh(range(len(order)), points[order], color=colours, height=0.7)
    axes.set_yticks(range(len(order)), [_short(name) for name in names[order]], parse_math=False)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    for place, value in enumerate(points[order]):
        axes.annotate(
            f"{value:.1f}", (value, place), (3, 0), textcoords="offset points", va="center", fontsize=8
        )
    axes.margins(x=0.12)
    label_axes(axes, "Average effect (percentage points)", "")
    _family_legend(axes, families[order])
    return axes.get_figure()


def plot_shap_beeswarm(
    contributions: NDArray[np.float64],
    matrix: NDArray[np.float64],
    names: Sequence[str],
    *,
    categorical: Sequence[str] = (),
    max_columns: int = 12,
    max_rows: int = 2000,
    random_state: int = 0,
) -> Figure:
    """Draw one dot a lead and input: how far the input moved that lead, coloured by its value.

    Source: Lundberg et al. 2020, doi:10.1038/s42256-019-0138-9; drawn by ``shap.plots.beeswarm``.

    Parameters
    ----------
    contributions : ndarray of float64, shape (n_rows, n_columns)
        On the log-odds scale.
    matrix : ndarray of float64, shape (n_rows, n_columns)
        Encoded inputs; NaN, missing, is drawn grey.
    names : sequence of str, length n_columns
    categorical : sequence of str, optional
        Inputs whose codes have no order; their dots are all grey.
    max_columns : int, default=12
        Rows of dots; the last one is the sum of the inputs not shown.
    max_rows : int, default=2000
        Leads drawn; of more, a random sample.
    random_state : int, default=0
        Seed of the sample and of the spread of the dots.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        The shapes disagree, or there is no row.
    """
    _require_one_shape(contributions, matrix, len(names))
    rng = np.random.default_rng(random_state)
    rows = np.sort(rng.permutation(len(matrix))[:max_rows])
    n_shown = min(max_columns, len(names))
    axes = new_axes(
        f"How each input moved {len(rows):,} single leads", WIDTH_INCHES * 1.1, 1.6 + 0.29 * n_shown
    )
    order = np.argsort(-np.abs(contributions[rows]).mean(axis=0), kind="stable")
    # In the place of the last input shown stands the sum of all others, which has no value to colour by.
    summed = [names[order[n_shown - 1]]] if n_shown < len(names) else []
    values = _coloured_values(matrix[rows], names, {*categorical, *summed})
    explained = contributions[rows], values, [_short(name) for name in names]
    _draw_beeswarm(axes, *explained, order, n_shown, random_state)
    _restyle_beeswarm(axes)
    return axes.get_figure()


def save_figures(figures: Mapping[str, Figure], folder: str | Path) -> dict[str, Path]:
    """Write figures as PNG.

    Parameters
    ----------
    figures : mapping of str to matplotlib.figure.Figure
        By file name without suffix.
    folder : str or Path
        Made where it does not exist.

    Returns
    -------
    dict of str to Path
        The file of each figure.

    Raises
    ------
    InputError
        A file cannot be written.
    """
    folder = Path(folder)
    paths = {name: folder / f"{name}.png" for name in figures}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, path in paths.items():
            _save(figures[name], path)
    except OSError as error:
        msg = f"the figures could not be written to {folder}: {error.strerror or error}"
        raise InputError(msg) from error
    return paths


def _save(figure: Figure, path: Path) -> None:
    with missing_glyphs_ignored():
        # Without the metadata the file says nothing but the picture, and equal pictures are equal files.
        figure.savefig(path, dpi=DOTS_PER_INCH, metadata={"Software": None})


def _family_legend(axes: Axes, families: NDArray) -> None:
    from matplotlib.patches import Patch

    shown = [family for family in FAMILY_COLOURS if family in set(families)]
    if len(shown) > 1:
        place_legend(
            axes, handles=[Patch(color=FAMILY_COLOURS[f], label=f) for f in shown], loc="lower right"
        )


def _score_title(won: NDArray[np.bool_], thresholds: Mapping[str, float]) -> str:
    if not thresholds:
        return f"Scores of {won.sum():,} won and {(~won).sum():,} lost leads"
    told = [f"{name} from {share_text(threshold)} on" for name, threshold in thresholds.items()]
    return f"A lead is {', '.join(told)}"


def _require_one_shape(contributions: NDArray, matrix: NDArray, n_columns: int) -> None:
    if not contributions.shape == matrix.shape == (len(matrix), n_columns) or not len(matrix):
        msg = (
            f"expected contributions and matrix of one shape with a row and {n_columns} columns, "
            f"got {contributions.shape} and {matrix.shape}"
        )
        raise InputError(msg)


def _coloured_values(matrix: NDArray[np.float64], names: Sequence[str], grey: Set[str]) -> object:
    """Return the values as a data frame; what has no order to colour by is of type object: shap greys it."""
    import pandas as pd

    frame = pd.DataFrame(matrix)
    unordered = [j for j, name in enumerate(names) if name in grey or np.isnan(matrix[:, j]).all()]
    return frame.astype(dict.fromkeys(unordered, object))


def _draw_beeswarm(
    axes: Axes,
    contributions: NDArray[np.float64],
    values: object,
    names: list[str],
    order: NDArray[np.int64],
    n_shown: int,
    random_state: int,
) -> None:
    """Have shap draw; it spreads the dots by numpy's global generator, which is put back as it was."""
    shap = _shap()
    explanation = shap.Explanation(contributions, data=values, feature_names=names)
    settings = {"max_display": n_shown, "order": order, "plot_size": None, "s": 7}
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(random_state)  # noqa: NPY002
    try:
        shap.plots.beeswarm(explanation, ax=axes, show=False, **settings)
    finally:
        np.random.set_state(state)  # noqa: NPY002


def _shap() -> ModuleType:
    """Import shap without tqdm's remark that notebooks lack a widget, which only progress bars need."""
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")
        import shap
    return shap


def _restyle_beeswarm(axes: Axes) -> None:
    """Give shap's axes our words and sizes."""
    axes.grid(visible=False, axis="y")
    axes.tick_params(labelsize=TEXT_POINTS - 1)
    axes.tick_params(axis="y", length=0, pad=4)
    names = [text.get_text().replace("other features", "other inputs") for text in axes.get_yticklabels()]
    axes.set_yticks(axes.get_yticks(), names, fontsize=TEXT_POINTS - 1, parse_math=False)
    label_axes(axes, "Contribution in log-odds (right: likelier won)", "")
    for bar in axes.get_figure().axes[1:]:
        bar.set_ylabel("Value (grey: category or missing)", fontsize=TEXT_POINTS)
        bar.set_yticks([0, 1], ["low", "high"], fontsize=TEXT_POINTS - 1)


def _short(name: str, longest: int = LONGEST_NAME) -> str:
    return name if len(name) <= longest else name[: longest - 1] + "…"


def _about(n: NDArray) -> str:
    low, high = int(n.min()), int(n.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
