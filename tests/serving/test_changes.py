"""Only what changed is told: by stage or by grade, against the scoring before; trends have one threshold."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws import law
from leadlift.exceptions import ConfigError
from leadlift.serving.changes import changed, require_comparable
from leadlift.serving.previous import NO_PREVIOUS, RANKED_STAGES, Standing, read_previous
from leadlift.serving.scored_columns import CODED_SCHEMA
from leadlift.serving.trend import STEADY_BELOW_POINTS, Trend, trends
from scored_tables import NOW, scored_row, scored_table

BEFORE = NOW.replace(day=21)
LAST_NIGHT = scored_table(
    *[
        scored_row(lead, 0.5, as_of=BEFORE, stage=stage, grade=grade)
        for lead, stage, grade in (("same", "MQL", "B"), ("rose", "MQL", "B"), ("gone", "SQL", "A"))
    ]
)
TONIGHT = scored_table(
    scored_row("same", 0.5, stage="MQL", grade="B"),
    scored_row("rose", 0.7, stage="MQL", grade="A"),
    scored_row("new", 0.1),
    scored_row("gone"),
    scored_row(None, status="missing_id"),
)


def changed_leads(scored, by, previous=LAST_NIGHT):
    standing = read_previous(previous, as_of=NOW).of(scored["lead_id"])
    return scored["lead_id"].filter(pa.array(changed(scored, standing, by))).to_pylist()


@pytest.mark.parametrize("schema", [TONIGHT.schema, CODED_SCHEMA])
def test_a_lead_is_told_of_when_it_is_new_or_in_another_band(schema):
    assert changed_leads(TONIGHT.cast(schema), "stage") == ["new"]
    assert changed_leads(TONIGHT.cast(schema), "grade") == ["rose", "new"]


@pytest.mark.parametrize("by", ["stage", "grade"])
def test_the_same_scoring_again_has_nothing_to_tell(by):
    assert changed_leads(LAST_NIGHT, by) == []


@law
@given(st.lists(st.tuples(st.integers(-1, 2), st.integers(0, 2)), min_size=1, max_size=20))
def test_by_a_plain_loop(pairs):
    before, now = (np.array(part, dtype=np.int8) for part in zip(*pairs, strict=True))
    scored = scored_table(*[scored_row(str(i), 0.5, stage=RANKED_STAGES[rank]) for i, rank in enumerate(now)])
    standing = replace(Standing.unknown(len(pairs)), rank=before)
    assert changed(scored, standing, "stage").tolist() == [a != b for a, b in pairs]


def test_changes_need_something_to_compare_with():
    without_grades = read_previous(LAST_NIGHT.drop_columns("grade"), as_of=NOW)
    with pytest.raises(ConfigError, match="expected stage or grade, got 'score'"):
        require_comparable("score", NO_PREVIOUS)
    with pytest.raises(ConfigError, match="changed_only needs previous"):
        require_comparable("stage", None)
    with pytest.raises(ConfigError, match="the previous scoring has no grades"):
        require_comparable("grade", without_grades)
    require_comparable("stage", without_grades)
    require_comparable("grade", NO_PREVIOUS)


# Trends


@law
@given(st.floats(0, 1), st.floats(0, 1))
def test_a_trend_is_the_difference_of_the_points_that_people_see(now, before):
    points = round(100 * now) - round(100 * before)
    expected = Trend.STEADY if abs(points) < STEADY_BELOW_POINTS else Trend.UP if points > 0 else Trend.DOWN
    assert trends(pa.chunked_array([[now]]), pa.chunked_array([[before]])).to_pylist() == [expected]
