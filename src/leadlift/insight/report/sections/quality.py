"""The section on quality: how well the scores did on leads the model had not seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from leadlift.insight.backtest_plot import plot_backtest
from leadlift.insight.figure_style import share_text
from leadlift.insight.plots import plot_gains, plot_reliability, plot_scores
from leadlift.insight.report.blocks import Column, FigureBlock, Format, Section, TableBlock
from leadlift.insight.report.formats import format_interval, format_value

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

FORWARD = "forward in time"
# Percentage points below which an error of the scores is none.
LEAST_POINTS = 0.05


def quality_section(
    quality: pa.Table,
    reliability: pa.Table,
    gains: pa.Table,
    *,
    score: ArrayLike,
    won: ArrayLike,
    thresholds: Mapping[str, float],
    test_kind: str,
    n_test: int,
    backtest: pa.Table | None = None,
    second: pa.Table | None = None,
) -> Section:
    """Word how well won leads were told from lost ones.

    Parameters
    ----------
    quality : pyarrow.Table
        From :func:`leadlift.learning.metrics.quality_table` on the test leads; the first row is the model's,
        the others are those of the baselines.
    reliability : pyarrow.Table
        From :func:`leadlift.learning.metrics.reliability` on the same leads.
    gains : pyarrow.Table
        From :func:`leadlift.learning.metrics.gains` on the same leads.
    score : array of float64, shape (n_test,)
        Their scores.
    won : array of bool, shape (n_test,)
    thresholds : mapping of str to float
        Cut-offs on these scores, by the stage's name; at most three.
    test_kind : str
        How the test leads were taken: ``"forward in time"`` or ``"random, time order unknown"``.
    n_test : int
    backtest : pyarrow.Table, optional
        ``blocks`` of :func:`leadlift.lifecycle.backtest.backtest`, where the past was played forward.
    second : pyarrow.Table, optional
        The quality of the scores of becoming SQL, where that is a label of its own.

    Returns
    -------
    Section

    Raises
    ------
    InputError
        A table lacks a column.
    """
    fifth = _nearest(gains, 0.2)
    return Section(
        key="quality",
        label="Quality",
        title=(
            f"The best-scored {share_text(fifth['share_of_leads'])} of the leads hold "
            f"{share_text(fifth['share_of_wins'])} of the wins"
        ),
        summary=f"{_how_tested(test_kind, n_test)} {_ranking(quality)} {_level(quality)}",
        blocks=(
            _quality_block("The model beside simpler methods, on the same test leads", quality),
            *_second_blocks(second),
            *_figures(reliability, gains, score, won, thresholds),
            _lift_block(gains),
            *_backtest_figures(backtest),
        ),
    )


def _how_tested(test_kind: str, n_test: int) -> str:
    if test_kind == FORWARD:
        return f"Tested once, on the {n_test:,} latest leads, which came after all that was learnt from."
    return (
        f"Tested on {n_test:,} leads drawn at random, because the order in time is not known: expect worse "
        "on leads to come."
    )


def _ranking(quality: pa.Table) -> str:
    ours, *others = quality.to_pylist()
    between = format_interval(ours["auc_low"], ours["auc_high"], Format.SHARE)
    told = f"A won lead scored higher than a lost one in {share_text(ours['auc'])} of all pairs {between}."
    best = max(others, key=lambda row: row["auc"], default=None)
    if best is None:
        return told
    if best["auc"] >= ours["auc"]:
        return f"{told} On these leads {best['model']} did no worse ({share_text(best['auc'])})."
    return f"{told} The best of the simpler methods, {best['model']}, reached {share_text(best['auc'])}."


def _level(quality: pa.Table) -> str:
    points = 100 * quality["calibration_error"][0].as_py()
    if points < LEAST_POINTS:
        return "Scores meant what they said: no error beyond chance was seen."
    return f"Scores were off by {format_value(points, Format.NUMBER)} percentage points, typically."


def _second_blocks(second: pa.Table | None) -> tuple[TableBlock, ...]:
    return () if second is None else (_quality_block("The scores of becoming SQL", second),)


def _quality_block(caption: str, quality: pa.Table) -> TableBlock:
    return TableBlock(
        caption=caption,
        table=quality,
        columns=(
            Column("model", "Method"),
            Column("auc", "Pairs in the right order (AUC)", Format.SHARE, "auc_low", "auc_high"),
            Column("log_loss", "Log loss", Format.NUMBER, "log_loss_low", "log_loss_high"),
            Column("brier", "Brier score", Format.NUMBER),
            Column("calibration_error", "Calibration error", Format.SHARE),
            Column("lift_10", "Lift in the top tenth", Format.NUMBER),
        ),
        made_by="ll.metrics.quality_table(won, scores)",
        note=(
            "In brackets: 95% intervals. More is better for pairs and lift; less is better for log loss, "
            "Brier score and calibration error."
        ),
    )


def _figures(
    reliability: pa.Table,
    gains: pa.Table,
    score: ArrayLike,
    won: ArrayLike,
    thresholds: Mapping[str, float],
) -> tuple[FigureBlock, ...]:
    return (
        FigureBlock(
            "Do scores mean what they say? On the dashed line, they do.",
            plot_reliability(reliability),
            _ends(reliability),
            made_by="ll.plots.plot_reliability(ll.metrics.reliability(won, score))",
        ),
        FigureBlock(
            "How many of the wins are found by working the best-scored leads first.",
            plot_gains(gains),
            _best_of(gains),
            made_by="ll.plots.plot_gains(ll.metrics.gains(won, score))",
        ),
        FigureBlock(
            "How the scores of won and of lost leads are spread.",
            plot_scores(score, won, thresholds),
            _spread(score, won),
            made_by="ll.plots.plot_scores(score, won, thresholds)",
        ),
    )


def _ends(reliability: pa.Table) -> str:
    groups = reliability.to_pylist()
    told = [
        f"{which} group: predicted {share_text(group['predicted'])}, observed {share_text(group['observed'])}"
        for which, group in (("lowest", groups[0]), ("highest", groups[-1]))
    ]
    return f"Observed against predicted conversion of {len(groups)} groups of leads; {'; '.join(told)}."


def _best_of(gains: pa.Table) -> str:
    points = [_nearest(gains, share) for share in (0.1, 0.2, 0.5)]
    told = [
        f"{share_text(point['share_of_wins'])} in the best {share_text(point['share_of_leads'])}"
        for point in points
    ]
    return f"Share of the wins among the best-scored leads: {', '.join(told)}."


def _spread(score: ArrayLike, won: ArrayLike) -> str:
    score, won = np.asarray(score, dtype=np.float64), np.asarray(won) > 0
    of_won, of_lost = (share_text(float(np.median(score[of]))) for of in (won, ~won))
    return f"Histogram of the scores. The middle score of won leads is {of_won}, of lost ones {of_lost}."


def _lift_block(gains: pa.Table) -> TableBlock:
    """Show the tenths among the points of the curve."""
    tenths = 10 * gains["share_of_leads"].to_numpy()
    shown = gains.filter(pa.array(np.abs(tenths - np.rint(tenths)) < 0.05))
    return TableBlock(
        caption="What is in the best-scored tenths",
        table=shown,
        columns=(
            Column("share_of_leads", "Best-scored", Format.SHARE),
            Column("threshold", "Score from", Format.SHARE),
            Column("precision", "Of them won", Format.SHARE),
            Column("lift", "Times the average", Format.NUMBER),
            Column("share_of_wins", "Of all wins", Format.SHARE, bar=True),
        ),
        made_by="ll.metrics.gains(won, score)",
    )


def _backtest_figures(backtest: pa.Table | None) -> tuple[FigureBlock, ...]:
    if backtest is None:
        return ()
    figure = FigureBlock(
        "The past played forward: each block is scored by what was known before it.",
        plot_backtest(backtest),
        f"Ranking and level of the scores in {len(backtest)} blocks of leads, in the order of time.",
        made_by="ll.plot_backtest(ll.backtest(config).blocks)",
    )
    return (figure,)


def _nearest(gains: pa.Table, share: float) -> dict[str, Any]:
    place = int(np.abs(gains["share_of_leads"].to_numpy() - share).argmin())
    return gains.slice(place, 1).to_pylist()[0]
