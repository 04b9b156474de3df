"""The section on cut-offs: from which score a lead qualifies, what that promises, and what else could be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from leadlift.insight.agreement_plot import plot_agreement
from leadlift.insight.agreement_text import agreement_caption
from leadlift.insight.figure_style import share_text
from leadlift.insight.report.blocks import Block, Column, FactsBlock, FigureBlock, Format, Section, TableBlock
from leadlift.insight.report.formats import format_interval

if TYPE_CHECKING:
    from leadlift.terms import Cutoff, Interval

_ENDS = ("estimate", "low", "high")
_QUANTITIES = ("precision", "recall", "per_week")


def cutoffs_section(
    cutoffs: Mapping[str, Cutoff],
    grades: pa.Table,
    *,
    agreement: pa.Table | None = None,
    agreed: Mapping[str, Cutoff] | None = None,
    kept: Interval | None = None,
    outcome: str = "were won",
) -> Section:
    """Word where a lead qualifies and what marketing and sales are told of it.

    Parameters
    ----------
    cutoffs : mapping of str to Cutoff
        By the stage's name, the first line first: ``{"MQL": bundle.mql_cutoff}``.
    grades : pyarrow.Table
        From :func:`leadlift.learning.cutoff.grades.grade_promises`.
    agreement : pyarrow.Table, optional
        From :func:`leadlift.learning.cutoff.agreement.agreement_sheet`.
    agreed : mapping of str to Cutoff, optional
        The cut-offs that are drawn on the scores of the sheet; not given, all
        (:func:`leadlift.lifecycle.cutoff_change.lines_of`).
    kept : Interval, optional
        Precision of the first cut-off on the test leads; not given where none of them qualifies.
    outcome : str, default="were won"
        What the first cut-off is about: ``"became SQL"`` where that is a label of its own.

    Returns
    -------
    Section

    Raises
    ------
    InputError
        A table lacks a column.
    """
    stage, first = next(iter(cutoffs.items()))
    return Section(
        key="cutoffs",
        label="Cut-offs and grades",
        title=(
            f"{stage} from a score of {share_text(first.threshold)}: {_volume(first)}, "
            f"{share_text(first.precision.estimate)} of them {outcome.removeprefix('were ')}"
        ),
        summary=_kept(stage, kept, outcome),
        blocks=(
            _promises(cutoffs),
            _cutoffs_block(cutoffs),
            *_agreement_blocks(agreement, cutoffs if agreed is None else agreed),
            _grades_block(grades),
        ),
    )


def _volume(cutoff: Cutoff) -> str:
    if cutoff.per_week is None:
        return f"{share_text(cutoff.share)} of the leads"
    return f"{cutoff.per_week.estimate:,.0f} leads a week"


def _kept(stage: str, kept: Interval | None, outcome: str) -> str:
    if kept is None:
        return f"None of the test leads qualifies as {stage}, so the promise could not be checked on them."
    between = format_interval(kept.low, kept.high, Format.SHARE)
    return (
        f"On the test leads, which took no part in the choice, {share_text(kept.estimate)} of the {stage}s "
        f"{outcome} {between}."
    )


def _promises(cutoffs: Mapping[str, Cutoff]) -> FactsBlock:
    told = tuple((stage, f"{cutoff.promise} ({cutoff.policy})") for stage, cutoff in cutoffs.items())
    return FactsBlock("What is promised", told, made_by="ll.ModelBundle.load(folder).mql_cutoff.promise")


def _cutoffs_block(cutoffs: Mapping[str, Cutoff]) -> TableBlock:
    table = pa.Table.from_pylist([_row(*pair) for pair in cutoffs.items()])
    columns = (
        Column("stage", "Stage"),
        Column("threshold", "Score from", Format.SHARE),
        Column("share", "Of the leads", Format.SHARE),
        _with_ends("per_week", "Leads a week", Format.NUMBER),
        _with_ends("precision", "Of them won", Format.SHARE),
        _with_ends("recall", "Of all wins", Format.SHARE),
        Column("n_evidence", "Leads seen", Format.COUNT),
    )
    return TableBlock(
        caption="What the cut-offs did on the leads they were decided on",
        table=table,
        columns=_known(columns, table),
        made_by="ll.ModelBundle.load(folder).mql_cutoff",
        note=f"In brackets: {share_text(next(iter(cutoffs.values())).precision.confidence)} intervals.",
    )


def _known(columns: tuple[Column, ...], table: pa.Table) -> tuple[Column, ...]:
    """Leave out what no row can say, such as leads a week without dates."""
    return tuple(column for column in columns if table[column.name].null_count < len(table))


def _row(stage: str, cutoff: Cutoff) -> dict[str, object]:
    row = {
        "stage": stage,
        "threshold": cutoff.threshold,
        "share": cutoff.share,
        "n_evidence": cutoff.n_evidence,
    }
    for name in _QUANTITIES:
        interval = getattr(cutoff, name)
        for end in _ENDS:
            column = name if end == "estimate" else f"{name}_{end}"
            row[column] = None if interval is None else getattr(interval, end)
    return row


def _agreement_blocks(sheet: pa.Table | None, cutoffs: Mapping[str, Cutoff]) -> tuple[Block, ...]:
    if sheet is None:
        return ()
    figure = FigureBlock(
        "What each cut-off would do: more leads a week catch more wins, and fewer of them are won.",
        plot_agreement(sheet, cutoffs),
        "Share of the wins that is caught and share of the qualified that is won, against how many qualify; "
        "the numbers are in the table.",
        made_by="ll.plot_agreement(ll.agreement_sheet(evidence), cutoffs)",
    )
    return figure, _agreement_block(sheet)


def _agreement_block(sheet: pa.Table) -> TableBlock:
    columns = (
        Column("threshold", "Score from", Format.SHARE),
        Column("share", "Of the leads", Format.SHARE),
        *(_with_ends(name, title, how) for name, title, how in _SHEET_COLUMNS),
    )
    return TableBlock(
        caption="Agreement sheet: every cut-off that marketing and sales could agree on",
        table=sheet,
        columns=_known(columns, sheet),
        made_by="ll.agreement_sheet(evidence)",
        note=agreement_caption(sheet),
    )


_SHEET_COLUMNS = (
    ("leads_per_week", "Leads a week", Format.NUMBER),
    ("precision", "Of them won", Format.SHARE),
    ("wins_caught", "Wins caught", Format.SHARE),
    ("wins_missed_per_week", "Wins missed a week", Format.NUMBER),
    ("cost_per_week", "Cost a week", Format.COUNT),
    ("value_per_week", "Value a week", Format.COUNT),
)


def _with_ends(name: str, title: str, how: Format) -> Column:
    return Column(name, title, how, f"{name}_low", f"{name}_high")


def _grades_block(grades: pa.Table) -> TableBlock:
    confidence = share_text(grades["confidence"][0].as_py())
    notes = ". ".join(filter(None, grades["note"].to_pylist()))
    return TableBlock(
        caption="What each grade promises",
        table=grades,
        columns=(
            Column("grade", "Grade"),
            Column("score_from", "Score from", Format.SHARE),
            Column("n_leads", "Leads seen", Format.COUNT),
            Column("n_won", "Won", Format.COUNT),
            Column("rate", "Rate", Format.SHARE, "rate_low", "rate_high"),
            Column("promise", "Promise"),
        ),
        made_by="ll.grade_promises(reference.grade_thresholds, reference.grade_rates)",
        note=f"All promises and intervals hold at once, with {confidence} confidence. {notes}".strip(),
    )
