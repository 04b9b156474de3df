"""What people decided is read strictly and honoured while it is in force."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlift.exceptions import ConfigError, InputError, SchemaError
from leadlift.serving.override_table import overrides_digest, read_overrides
from leadlift.serving.overrides import OverrideCounts, Overrides, overrides_at
from leadlift.serving.previous import RANKED_STAGES, UNKNOWN, Standing, moment_of
from leadlift.serving.stages import SCORE_DECIDED, StageDecision

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
DAY = timedelta(days=1)


def said(lead_id="a", stage="SQL", made=-1.0, expires=None, reason="met at the fair", author="kim"):
    """An override made and ending so many days from now."""
    return {
        "lead_id": lead_id,
        "stage": stage,
        "reason": reason,
        "author": author,
        "made_at": None if made is None else NOW + made * DAY,
        "expires_at": None if expires is None else NOW + expires * DAY,
    }


def table(*rows):
    return read_overrides(pa.Table.from_pylist(list(rows)))


def stages(overrides, *ids):
    rank, reason = overrides.of(pa.chunked_array([list(ids)], pa.string()))
    return [
        None if r == UNKNOWN else (RANKED_STAGES[r], overrides.reasons[why])
        for r, why in zip(rank, reason, strict=True)
    ]


# In force


def test_an_override_counts_from_its_making_until_its_end():
    overrides = Overrides(
        table(
            said("new", made=0), said("ends", expires=0), said("later", made=0.01), said("on", expires=0.01)
        ),
        NOW,
    )
    assert stages(overrides, "new", "ends", "later", "on", "stranger", None) == [
        ("SQL", "override: met at the fair"),
        None,
        None,
        ("SQL", "override: met at the fair"),
        None,
        None,
    ]
    assert overrides.counts == OverrideCounts(in_force=2, never_end=1, ended=1, not_yet=1)


def test_the_latest_of_several_counts_even_where_it_has_ended():
    overrides = Overrides(
        table(
            said("a", "SQL", made=-3),
            said("a", "none", made=-2, reason="rude"),
            said("b", "SQL", made=-3),
            said("b", "MQL", made=-2, expires=-1),
        ),
        NOW,
    )
    assert stages(overrides, "a", "b") == [("none", "override: rude"), None]
    assert overrides.counts == OverrideCounts(in_force=1, never_end=1, ended=1, replaced=2)


def test_no_overrides_are_no_trouble():
    empty = table(said()).slice(0, 0)
    assert stages(Overrides(empty, NOW), "a") == [None]
    assert overrides_at(None, None) is None


@given(
    st.lists(
        st.builds(
            said,
            st.sampled_from("abc"),
            st.sampled_from(RANKED_STAGES),
            st.integers(-9, 3),
            st.none() | st.integers(-9, 9),
        ).filter(lambda row: row["expires_at"] is None or row["expires_at"] > row["made_at"]),
        max_size=9,
        unique_by=lambda row: (row["lead_id"], row["made_at"]),
    ),
    st.randoms(use_true_random=False),
)
def test_a_loop_over_the_rows_says_the_same_in_any_order(rows, random):
    expected = {}
    for row in sorted(rows, key=lambda row: row["made_at"]):
        if row["made_at"] <= NOW:
            ended = row["expires_at"] is not None and row["expires_at"] <= NOW
            expected[row["lead_id"]] = None if ended else (row["stage"], "override: met at the fair")
    random.shuffle(rows)
    read = read_overrides(pa.Table.from_pylist(rows, schema=table(said()).schema))
    overrides = Overrides(read, NOW)
    assert stages(overrides, *"abc") == [expected.get(lead) for lead in "abc"]
    counts = overrides.counts
    assert counts.in_force + counts.ended + counts.not_yet + counts.replaced == len(rows)


# Honoured


def test_a_stage_that_is_set_takes_the_place_of_the_models():
    overrides = Overrides(
        table(said("up", "SQL"), said("down", "none", reason="rude"), said("same", "MQL")), NOW
    )
    ids = pa.array(["up", "down", "same", "alone"])
    now, before = moment_of(NOW), moment_of(NOW - DAY)
    decision = StageDecision(np.array([0, 2, 1, 1], np.int8), np.full(4, now), np.zeros(4, np.int8))
    rank = np.array([2, 2, 0, 1], np.int8)
    standing = Standing(rank, np.full(4, before), np.zeros(4), rank, rank)
    final = overrides.honour(decision, ids, standing, now)
    assert final.stage.tolist() == ["SQL", "none", "MQL", "MQL"]
    assert final.reason.tolist() == [
        "override: met at the fair",
        "override: rude",
        "override: met at the fair",
        SCORE_DECIDED,
    ]
    assert final.since.tolist() == [before.item(), now.item(), now.item(), before.item()]


# Read


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_is_read_as_people_write_it(tmp_path, ending):
    path = tmp_path / f"overrides.{ending}"
    cells = {
        "author": ["kim", " lee "],
        "lead_id": ["007", "b"],
        "stage": ["sql", "None"],
        "reason": ["'=met", "rude"],
        "made_at": ["2026-11-20", "2026-11-20T08:00:00+02:00"],
        "expires_at": ["", "2026-12-01"],
        "note": ["", "x"],
    }
    write = pyarrow.csv.write_csv if ending == "csv" else pq.write_table
    write(pa.table(cells), path)
    read = read_overrides(path).to_pylist()
    assert [(row["lead_id"], row["stage"], row["reason"], row["author"]) for row in read] == [
        ("007", "SQL", "=met", "kim"),
        ("b", "none", "rude", "lee"),
    ]
    assert read[0]["expires_at"] is None
    assert read[1]["made_at"] == datetime(2026, 11, 20, 6, tzinfo=UTC)


def test_a_reason_is_one_line_that_hides_nothing():
    reason = table(said(reason="call\u202e now\n" + "x" * 300))["reason"][0].as_py()
    assert reason.startswith("call now xxx")
    assert len(reason) == 200


def test_a_table_without_ends_never_ends():
    row = said()
    del row["expires_at"]
    assert table(row)["expires_at"].to_pylist() == [None]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (said(stage="hot"), r"stage of 1 override\(s\) holds 'hot'; expected none, MQL, SQL"),
        (said(stage=None), r"1 override\(s\) have no stage, of lead\(s\) 'a'"),
        (said(reason=" "), r"1 override\(s\) have no reason, of lead\(s\) 'a'"),
        (said(author=None), r"1 override\(s\) have no author"),
        (said(lead_id=None), r"1 override\(s\) have no lead_id"),
        (said(made=None), r"1 override\(s\) have no made_at"),
        (said(made=-1, expires=-1), r"1 override\(s\) end before they begin, of lead\(s\) 'a'"),
    ],
)
def test_a_row_that_is_incomplete_is_refused(row, message):
    with pytest.raises(SchemaError, match=message):
        table(said("fine"), row)


def test_a_date_that_is_none_and_a_missing_column_are_refused():
    bad = pa.Table.from_pylist([said()]).drop_columns("made_at").append_column("made_at", [["soon"]])
    with pytest.raises(SchemaError, match=r"made_at holds 'soon'; expected moments in ISO 8601"):
        read_overrides(bad)
    with pytest.raises(SchemaError, match=r"(?s)needed are not there:.*'author'"):
        read_overrides(bad.drop_columns("author"))


def test_two_overrides_of_one_moment_are_refused():
    with pytest.raises(
        InputError, match=r"1 lead\(s\) have two overrides of one moment.*'a'\. Correct made_at"
    ):
        table(said(stage="SQL"), said(stage="none"))


def test_overrides_need_a_moment_of_scoring():
    with pytest.raises(ConfigError, match=r"overrides need as_of"):
        overrides_at(table(said()), None)


def test_the_fingerprint_is_that_of_the_content():
    rows = [said("a"), said("b", reason="rude")]
    assert overrides_digest(table(*rows)) == overrides_digest(table(*rows[::-1]))
    assert overrides_digest(table(*rows)) != overrides_digest(table(rows[0]))
