"""The picture of an agreement sheet: how many leads a week, how many of them won, how many wins caught."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.insight.figure_style import (
    BLUE,
    GREEN,
    ORANGE,
    TEXT_POINTS,
    columns_of,
    label_axes,
    new_axes,
    share_text,
    show_percent,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from leadlift.terms import Cutoff

HEIGHT_INCHES = 4.6
N_SCORES_SHOWN = 6
BANDS = (
    ("wins_caught", "share of all wins that is caught", GREEN),
    ("precision", "share of the qualified that is won", BLUE),
)
STAGE_STYLES = ("--", ":", "-.")


def plot_agreement(sheet: pa.Table, cutoffs: Mapping[str, Cutoff] | None = None) -> Figure:
    """Draw what each possible cut-off would do, for two departments to agree on one.

    To the right more leads qualify. The bands are the intervals of the sheet, which hold for all its rows at
    once.

    Parameters
    ----------
    sheet : pyarrow.Table
        From :func:`leadlift.learning.cutoff.agreement.agreement_sheet`. Where it has no leads a week, the
        share of the leads takes their place.
    cutoffs : mapping of str to Cutoff, optional
        Cut-offs to mark, by the stage's name as it is shown; at most three.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        A column is missing.

    Examples
    --------
    >>> from leadlift.learning.cutoff import Evidence
    >>> from leadlift.learning.cutoff.agreement import agreement_sheet
    >>> score = np.arange(1, 100) / 100
    >>> figure = plot_agreement(agreement_sheet(Evidence(score, score, score > 0.7)))
    >>> print(figure.get_suptitle())
    The more leads qualify, the more wins are caught
    and the fewer of them are won
    """
    cutoffs = dict(cutoffs or {})
    per_week, share = columns_of(sheet, "leads_per_week", "share")
    has_weeks = not np.isnan(per_week).any()
    volume = per_week if has_weeks else share
    axes = new_axes(_title(cutoffs), height=HEIGHT_INCHES)
    for name, said, colour in BANDS:
        _draw_band(axes, sheet, volume, name, said, colour)
    for (stage, cutoff), style in zip(cutoffs.items(), STAGE_STYLES, strict=False):
        _mark(axes, stage, cutoff, style, has_weeks=has_weeks)
    axes.set(xlim=(0, 1.02 * volume.max()), ylim=(0, 1.02))
    label_axes(axes, "Leads a week that qualify" if has_weeks else "Share of the leads that qualify", "")
    show_percent(axes.yaxis, *(() if has_weeks else (axes.xaxis,)))
    _show_scores(axes, volume, sheet["threshold"].to_numpy())
    _explain(axes, sheet)
    return axes.get_figure()


def _title(cutoffs: Mapping[str, Cutoff]) -> str:
    if not cutoffs:
        return "The more leads qualify, the more wins are caught and the fewer of them are won"
    stage, cutoff = next(iter(cutoffs.items()))
    volume = f"{share_text(cutoff.share)} of the leads"
    if cutoff.per_week is not None:
        volume = f"{cutoff.per_week.estimate:.0f} leads a week"
    return (
        f"{stage} from a score of {share_text(cutoff.threshold)}: {volume}, "
        f"{share_text(cutoff.precision.estimate)} of them won, "
        f"{share_text(cutoff.recall.estimate)} of the wins caught"
    )


def _draw_band(axes: Axes, sheet: pa.Table, volume: NDArray, name: str, said: str, colour: str) -> None:
    estimate, low, high = columns_of(sheet, name, f"{name}_low", f"{name}_high")
    known = ~np.isnan(estimate)
    axes.fill_between(volume[known], low[known], high[known], color=colour, alpha=0.18, linewidth=0)
    axes.plot(volume[known], estimate[known], color=colour, linewidth=2, label=said)


def _mark(axes: Axes, stage: str, cutoff: Cutoff, style: str, *, has_weeks: bool) -> None:
    """Draw a cut-off as a line, with dots where it meets what it does."""
    place = cutoff.per_week.estimate if has_weeks and cutoff.per_week is not None else cutoff.share
    heights = [cutoff.precision.estimate, cutoff.recall.estimate]
    label = f"{stage} from a score of {share_text(cutoff.threshold)}"
    axes.axvline(place, color=ORANGE, linewidth=2, linestyle=style, label=label)
    axes.plot([place, place], heights, "o", color=ORANGE, markersize=6)


def _show_scores(axes: Axes, volume: NDArray, threshold: NDArray) -> None:
    """Write along the top from which score so many leads qualify."""
    shown = np.unique(np.linspace(0, len(volume) - 1, N_SCORES_SHOWN).round().astype(int))
    top = axes.secondary_xaxis("top")
    top.set_xticks(volume[shown], [share_text(round(score, 3)) for score in threshold[shown]])
    top.tick_params(labelsize=TEXT_POINTS - 1)
    top.set_xlabel("… if they qualify from this score on", fontsize=TEXT_POINTS)
    top.spines["top"].set_visible(False)


def _explain(axes: Axes, sheet: pa.Table) -> None:
    """Say below the figure what lines and bands are, with their confidence and their evidence."""
    confidence, n, n_won = (sheet[name][0].as_py() for name in ("confidence", "n_evidence", "n_evidence_won"))
    note = (
        f"Bands: {share_text(confidence)} intervals that hold for all cut-offs at once.\n"
        f"Evidence: {n:,} leads, {n_won:,} won."
    )
    legend = axes.get_figure().legend(
        loc="outside lower left", fontsize=TEXT_POINTS - 1, frameon=False, title=note, alignment="left"
    )
    legend.get_title().set_fontsize(TEXT_POINTS - 2)
