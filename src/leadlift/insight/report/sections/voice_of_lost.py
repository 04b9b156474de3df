"""The section on lost leads: why they were lost, what their texts are about, and how friendly they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.insight.figure_style import share_text
from leadlift.insight.groups import NOT_RECORDED
from leadlift.insight.report.blocks import Block, Column, Format, Section, TableBlock, TextBlock
from leadlift.insight.segments.wording import counted, listed
from leadlift.insight.voice_of_lost.sentiment import ALL

if TYPE_CHECKING:
    from leadlift.insight.voice_of_lost.themes import Themes

REASONS = "ll.loss_reasons(reason, lost, closed_at=closed_at)"
REASONS_BY_SEGMENT = "ll.loss_reasons_by_segment(reason, lost, segments)"
TERMS = "ll.distinguishing_terms(texts, lost)"
THEMES = "ll.themes(texts, segments=segments)"
SENTIMENT = "ll.sentiment_by(texts, segments=segments, closed_at=closed_at)"
PRIVACY = (
    "Personal data are kept out: e-mail and web addresses, phone, account and card numbers are masked, and "
    "only reasons and words that several leads share are named."
)

_SHARE = Column("share", "Share", Format.SHARE, low="low", high="high", bar=True, hide_where="too_few")
_REASONS = (Column("reason", "Reason"), Column("n", "Lost leads", Format.COUNT), _SHARE)
_CHANGES = (
    Column("previous_share", "Period before", Format.SHARE, hide_where="change_too_few"),
    Column("latest_share", "Latest period", Format.SHARE, hide_where="change_too_few"),
    Column(
        "change", "Change", Format.SHARE, low="change_low", high="change_high", hide_where="change_too_few"
    ),
    Column("changed", "More than chance", Format.YES),
)
_TERMS = (
    Column("term", "Term"),
    Column("n", "Leads", Format.COUNT),
    Column("share", "Share", Format.SHARE),
    Column("share_others", "Share of the others", Format.SHARE),
    Column("z", "Standard errors apart", Format.NUMBER),
)
_THEMES = (Column("theme", "Words"), Column("n", "Leads", Format.COUNT), _SHARE)
_SENTIMENT = (
    Column("column", "Column"),
    Column("segment", "Segment"),
    Column("n", "Leads", Format.COUNT),
    Column("mean", "Mean, -1 to 1", Format.NUMBER, low="low", high="high", hide_where="too_few"),
    Column(
        "share_negative",
        "Unfriendly",
        Format.SHARE,
        low="negative_low",
        high="negative_high",
        hide_where="too_few",
    ),
    Column("differs", "Unlike the others", Format.YES),
)


def voice_of_lost_section(
    reasons: pa.Table | None,
    *,
    reasons_by_segment: pa.Table | None = None,
    terms: pa.Table | None = None,
    themes: Themes | None = None,
    sentiment: pa.Table | None = None,
) -> Section:
    """Word what lost leads say and what is said of them.

    Parameters
    ----------
    reasons, reasons_by_segment : pyarrow.Table
        From :func:`leadlift.insight.voice_of_lost.loss_reasons.loss_reasons` and `loss_reasons_by_segment`;
        None where no column holds reasons.
    terms : pyarrow.Table, optional
        From :func:`leadlift.insight.voice_of_lost.distinguishing_terms.distinguishing_terms`.
    themes : Themes, optional
        From :func:`leadlift.insight.voice_of_lost.themes.themes`.
    sentiment : pyarrow.Table, optional
        From :func:`leadlift.insight.voice_of_lost.sentiment.sentiment_by`.

    Returns
    -------
    Section
    """
    blocks: list[Block] = [] if reasons is None else [_reasons_block(reasons)]
    if reasons_by_segment is not None:
        blocks += _by_segment_blocks(reasons_by_segment, "reason", REASONS_BY_SEGMENT)
    blocks += [] if terms is None else _terms_blocks(terms)
    blocks += [] if themes is None else _theme_blocks(themes)
    blocks += [] if sentiment is None else [_sentiment_block(sentiment)]
    said = (_changes_told(reasons), _segments_told(reasons_by_segment), _sentiment_told(sentiment), PRIVACY)
    return Section(
        key="voice_of_lost",
        title=_title(reasons),
        summary=" ".join(filter(None, said)),
        blocks=tuple(blocks),
        label="Why leads are lost",
    )


def _title(reasons: pa.Table | None) -> str:
    if reasons is None:
        return "What lost leads said"
    recorded = reasons.filter(pc.not_equal(reasons["reason"], NOT_RECORDED)).to_pylist()
    if not recorded:
        return "Why leads are lost is not recorded"
    if recorded[0]["too_few"]:
        return "Too few leads are lost to say what for"
    first = recorded[0]
    return f"Leads are lost most often for {first['reason']!r}: {share_text(first['share'])} of the lost"


def _changes_told(reasons: pa.Table | None) -> str:
    if reasons is None or "changed" not in reasons.column_names:
        return ""
    if pc.all(reasons["change_too_few"]).as_py():
        return "Too few leads were lost in the last two periods to see a change."
    changed = reasons.filter(reasons["changed"]).to_pylist()
    if not changed:
        return "No reason became more or less common in the latest period by more than chance."
    return f"In the latest period {listed([_change_told(row) for row in changed])}."


def _change_told(row: dict[str, Any]) -> str:
    word = "rose" if row["change"] > 0 else "fell"
    before, now = share_text(row["previous_share"]), share_text(row["latest_share"])
    return f"{row['reason']!r} {word} from {before} to {now}"


def _segments_told(by_segment: pa.Table | None) -> str:
    if by_segment is None:
        return ""
    differing = by_segment.filter(by_segment["differs"]).to_pylist()
    if not differing:
        return "No segment is lost for other reasons than the rest by more than chance."
    first = differing[0]
    share, elsewhere = share_text(first["share"]), share_text(first["share_elsewhere"])
    return (
        f"{counted(len(differing), 'pair')} of segment and reason stand out by more than chance: where "
        f"{first['column']} is {first['segment']!r}, {share} are lost for {first['reason']!r}, elsewhere "
        f"{elsewhere}."
    )


def _sentiment_told(sentiment: pa.Table | None) -> str:
    if sentiment is None:
        return ""
    whole = sentiment.filter(pc.equal(sentiment["column"], ALL)).to_pylist()[0]
    if not whole["n"]:
        return "How friendly the texts are was not judged: only English is, or what an analyser is given for."
    return f"Of {counted(whole['n'], 'text')} judged, {share_text(whole['share_negative'])} sound unfriendly."


def _reasons_block(reasons: pa.Table) -> TableBlock:
    has_change = "changed" in reasons.column_names
    return TableBlock(
        caption="Why leads were lost, as recorded",
        table=reasons,
        columns=_REASONS + (_CHANGES if has_change else ()),
        made_by=REASONS if has_change else "ll.loss_reasons(reason, lost)",
    )


def _by_segment_blocks(table: pa.Table, kind: str, made_by: str) -> list[Block]:
    differing, n_small = table.filter(table["differs"]), pc.sum(table["too_few"]).as_py() or 0
    if not differing.num_rows:
        return []
    made = TableBlock(
        caption=f"Segments in which a {kind} is more or less common than elsewhere, by more than chance",
        table=differing,
        columns=(
            Column("column", "Column"),
            Column("segment", "Segment"),
            Column(kind, kind.capitalize()),
            Column("n", "Leads", Format.COUNT),
            _SHARE,
            Column("share_elsewhere", "Elsewhere", Format.SHARE),
            Column("ratio", "Ratio", Format.NUMBER, low="ratio_low", high="ratio_high"),
        ),
        made_by=made_by,
        note=f"{counted(n_small, 'pair')} of segment and {kind} too few to say.",
        most_rows=15,
    )
    return [made]


def _terms_blocks(terms: pa.Table) -> list[Block]:
    typical = terms.filter(pc.and_(terms["differs"], pc.greater(terms["z"], 0)))
    if not typical.num_rows:
        return []
    caption = "Words that lost leads use more than the others"
    return [TableBlock(caption, typical, _TERMS, made_by=TERMS, most_rows=20)]


def _theme_blocks(themes: Themes) -> list[Block]:
    if not themes.table.num_rows:
        return [TextBlock((themes.note,))]
    made = TableBlock(
        caption="What the texts are about: words that go together",
        table=themes.table,
        columns=_THEMES,
        made_by=f"{THEMES}.table",
        note=f"{themes.note} Themes are a help to read by; another number of them cuts the texts otherwise.",
    )
    return [made, *_by_segment_blocks(themes.by_segment, "theme", f"{THEMES}.by_segment")]


def _sentiment_block(sentiment: pa.Table) -> TableBlock:
    shown = pc.or_(pc.is_in(sentiment["column"], value_set=pa.array([ALL, "period"])), sentiment["differs"])
    return TableBlock(
        caption="How friendly the texts are, in all, over time, and in segments unlike the others",
        table=sentiment.filter(shown),
        columns=_SENTIMENT,
        made_by=SENTIMENT,
        note="Judged word by word, which misses irony and context; a text is unfriendly from -0.05 down.",
    )
