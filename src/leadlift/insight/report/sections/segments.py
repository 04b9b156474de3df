"""The section on segments: who is won more often than others, what has changed, what won leads share."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.insight.figure_style import share_text
from leadlift.insight.report.blocks import Block, Column, FigureBlock, Format, Section, TableBlock
from leadlift.insight.segment_plots import plot_segments, plot_trend
from leadlift.insight.segments.wording import counted, times

MADE_BY = "ll.segments(values, won, as_of=as_of)"
MOST_ROWS = 15

_SEGMENT = (
    Column("column", "Column"),
    Column("segment", "Segment"),
)
_RATES = (
    Column("n", "Leads", Format.COUNT),
    Column("won", "Won", Format.COUNT),
    Column("rate", "Share won", Format.SHARE, low="low", high="high", hide_where="too_few"),
    Column("lift", "Times the average", Format.NUMBER, hide_where="too_few"),
    Column("share_of_wins", "Of all wins", Format.SHARE, bar=True),
)
_CHANGES = (
    Column("previous_n", "Leads before", Format.COUNT),
    Column("previous_rate", "Share won before", Format.SHARE),
    Column("latest_n", "Leads now", Format.COUNT),
    Column("latest_rate", "Share won now", Format.SHARE),
    Column("change", "Change", Format.SHARE, low="change_low", high="change_high"),
)
_TRAITS = (
    Column("share_of_won", "Of the won", Format.SHARE, bar=True),
    Column("share_of_lost", "Of the lost", Format.SHARE),
    Column("ratio", "Ratio", Format.NUMBER, low="low", high="high"),
)


def segments_section(
    segments: pa.Table, *, traits: pa.Table | None = None, trend: pa.Table | None = None
) -> Section:
    """Word which segments are won more and less often, and which have changed.

    Parameters
    ----------
    segments : pyarrow.Table
        From :func:`leadlift.insight.segments.rates.segments`.
    traits : pyarrow.Table, optional
        From :func:`leadlift.insight.segments.traits.won_traits`.
    trend : pyarrow.Table, optional
        From :func:`leadlift.insight.segments.trend.conversion_trend`.

    Returns
    -------
    Section
    """
    differing = segments.filter(segments["differs"]).sort_by([("lift", "descending")])
    blocks = [*_figures(segments, trend), *_tables(differing), *_changes(segments), *_traits(traits)]
    return Section(
        key="segments",
        title=_title(differing),
        summary=" ".join(filter(None, (_looks(segments), _changed(segments), _too_few(segments)))),
        blocks=tuple(blocks),
        label="What wins leads",
    )


def _title(differing: pa.Table) -> str:
    if not differing.num_rows:
        return "No kind of lead is won more or less often than the others by more than chance"
    best, worst = differing.slice(0, 1).to_pylist()[0], differing.slice(differing.num_rows - 1).to_pylist()[0]
    leading, other = (best, worst) if best["lift"] > 1 else (worst, best)
    told = f"Leads whose {leading['text']} are won {times(leading['lift'])} the average lead"
    if not leading["lift"] > 1 > other["lift"]:
        return told
    return f"{told}; those whose {other['text']}, {times(other['lift']).removesuffix(' as')}"


def _looks(segments: pa.Table) -> str:
    n_looks = segments.num_rows - segments["q_value"].null_count
    n_differing = pc.sum(segments["differs"]).as_py() or 0
    verb = "is" if n_differing == 1 else "are"
    return (
        f"{n_differing} of {counted(n_looks, 'segment')} {verb} won more or less often than the other leads "
        "by more than chance, with all these looks allowed for. A segment that wins need not be the cause."
    )


def _changed(segments: pa.Table) -> str:
    if "changed" not in segments.column_names:
        return ""
    n_looks = segments.num_rows - segments["change_q_value"].null_count
    if not n_looks:
        return "No segment has enough leads in both of the last two periods to see a change."
    n_changed = pc.sum(segments["changed"]).as_py()
    return f"Of {counted(n_looks, 'segment')} {n_changed or 'none'} changed since the period before."


def _too_few(segments: pa.Table) -> str:
    n_small = pc.sum(segments["too_few"]).as_py() or 0
    if not n_small:
        return ""
    verb = "has" if n_small == 1 else "have"
    return f"{counted(n_small, 'segment')} {verb} too few leads to say anything of."


def _figures(segments: pa.Table, trend: pa.Table | None) -> list[Block]:
    figures = []
    if not pc.all(segments["too_few"]).as_py():
        figures.append(_segment_figure(segments))
    if trend is not None:
        figures.append(_trend_figure(trend))
    return figures


def _segment_figure(segments: pa.Table) -> FigureBlock:
    return FigureBlock(
        caption="Segments that hold most more, or most fewer, wins than leads, with intervals.",
        figure=plot_segments(segments),
        alt="Share of leads won by segment, the highest first; the table below has the numbers.",
        made_by="ll.plot_segments(ll.segments(values, won))",
    )


def _trend_figure(trend: pa.Table) -> FigureBlock:
    first, last = trend.slice(0, 1).to_pylist()[0], trend.slice(trend.num_rows - 1).to_pylist()[0]
    shares = [share_text(period["rate"] or 0.0) for period in (first, last)]
    told = f"Share of leads won over {counted(trend.num_rows, 'period')}"
    return FigureBlock(
        caption="Share of the leads that is won, period by period, with intervals.",
        figure=plot_trend(trend),
        alt=f"{told}: first {shares[0]}, last {shares[1]}.",
        made_by="ll.plot_trend(ll.conversion_trend(won, as_of))",
    )


def _tables(differing: pa.Table) -> list[Block]:
    is_more = pc.greater(differing["lift"], 1)
    halves = {
        "Won more often than the others": differing.filter(is_more),
        "Won less often than the others": differing.filter(pc.invert(is_more)).sort_by("lift"),
    }
    return [
        TableBlock(
            caption=caption,
            table=half,
            columns=_SEGMENT + _RATES,
            made_by=MADE_BY,
            note="Only segments that differ by more than chance; numbers are cut into about four groups.",
            most_rows=MOST_ROWS,
        )
        for caption, half in halves.items()
        if half.num_rows
    ]


def _changes(segments: pa.Table) -> list[Block]:
    if "changed" not in segments.column_names or not pc.any(segments["changed"]).as_py():
        return []
    return [
        TableBlock(
            caption="Changed since the period before",
            table=segments.filter(segments["changed"]).sort_by("change"),
            columns=_SEGMENT + _CHANGES,
            made_by=MADE_BY,
            most_rows=MOST_ROWS,
        )
    ]


def _traits(traits: pa.Table | None) -> list[Block]:
    if traits is None or not pc.any(traits["typical"]).as_py():
        return []
    return [
        TableBlock(
            caption="What won leads have in common",
            table=traits.filter(traits["typical"]),
            columns=_SEGMENT + _TRAITS,
            made_by="ll.won_traits(values, won)",
            note="Traits that are more common among won than among lost leads by more than chance.",
            most_rows=MOST_ROWS,
        )
    ]
