"""The section on lost leads words reasons, changes, segments and themes, and shows no text of a lead."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

import leadlift as ll
from leadlift.insight.report.sections.voice_of_lost import voice_of_lost_section

DAY = datetime(2024, 6, 30, tzinfo=UTC)


def changed_reasons():
    reason = ["price"] * 60 + ["no fit"] * 40 + ["price"] * 20 + ["no fit"] * 80
    closed_at = pa.array([DAY] * 100 + [DAY - timedelta(days=40)] * 100)
    return ll.loss_reasons(reason, [True] * 200, closed_at=closed_at, period_days=30)


def test_the_first_reason_and_what_changed_are_said():
    section = voice_of_lost_section(changed_reasons())
    assert section.title == "Leads are lost most often for 'no fit': 60% of the lost"
    assert "'no fit' fell from 80% to 40% and 'price' rose from 20% to 60%" in section.summary


def test_no_change_no_segment_and_no_reason_are_said():
    reasons = ll.loss_reasons([None] * 50, [True] * 50)
    assert voice_of_lost_section(reasons).title == "Why leads are lost is not recorded"
    by_segment = ll.loss_reasons_by_segment(["price"] * 80, [True] * 80, pa.table({"r": ["a", "b"] * 40}))
    summary = voice_of_lost_section(reasons, reasons_by_segment=by_segment).summary
    assert "No segment is lost for other reasons than the rest by more than chance." in summary


def test_everything_together_names_only_columns_that_are_there_and_no_personal_data():
    rng = np.random.default_rng(0)
    note = [
        f"too expensive, write to lead{i}@example.com" if i % 2 else "great call, no budget"
        for i in range(300)
    ]
    region = np.where(np.arange(300) % 2, "north", rng.choice(["south", "west"], 300))
    segments, lost = pa.table({"region": region}), [True] * 300
    reason = np.where(np.arange(300) % 2, "price", "budget")
    section = voice_of_lost_section(
        ll.loss_reasons(reason, lost),
        reasons_by_segment=ll.loss_reasons_by_segment(reason, lost, segments),
        terms=ll.distinguishing_terms(note, region == "north"),
        themes=ll.themes(note, segments=segments, n_themes=2),
        sentiment=ll.sentiment_by(note, segments=segments),
    )
    shown = section.title + section.summary
    for block in section.blocks:
        names = {name for c in block.columns for name in (c.name, c.low, c.high, c.hide_where) if name}
        assert names <= set(block.table.column_names)
        shown += str(block.table.to_pylist())
    assert "north" in shown
    assert "example" not in shown
    assert "@" not in shown


def test_texts_in_another_language_are_said_not_to_be_judged():
    sentiment = ll.sentiment_by(["zu teuer"] * 40, language="de")
    section = voice_of_lost_section(
        changed_reasons(), sentiment=sentiment, themes=ll.themes(["zu teuer"] * 40)
    )
    assert "How friendly the texts are was not judged" in section.summary
    assert any("Too little text for themes" in str(block) for block in section.blocks)
