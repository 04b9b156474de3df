"""An earlier scored table is read strictly: stages and moments, each lead once, nothing of the future."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadlift.exceptions import ConfigError, InputError, SchemaError
from leadlift.serving.id_hashes import hash_ids
from leadlift.serving.previous import (
    NEVER,
    RANKED_GRADES,
    UNKNOWN,
    PreviousStages,
    Standing,
    read_previous,
)
from leadlift.serving.writing import open_output
from scored_tables import scored_row, scored_table

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
YESTERDAY = NOW - timedelta(days=1)
MOMENT = pa.timestamp("us", tz="UTC")


def table(ids=("a", "b"), stages=("MQL", "SQL"), since=None, as_of=YESTERDAY):
    columns = {"lead_id": pa.array(ids, pa.string()), "stage": pa.array(stages, pa.string())}
    if since is not None:
        columns["stage_since"] = pa.array(since, MOMENT)
    if as_of is not None:
        columns["as_of"] = pa.array([as_of] * len(ids), MOMENT)
    return pa.table(columns)


def standing(previous, *ids):
    found = read_previous(previous, as_of=NOW).of(pa.chunked_array([ids], pa.string()))
    return list(zip(found.rank.tolist(), found.since.tolist(), strict=True))


def naive(moment):
    return moment.replace(tzinfo=None)


def test_stages_are_found_by_lead_and_strangers_are_unknown():
    since = [YESTERDAY - timedelta(days=3), YESTERDAY]
    assert standing(table(since=since), "b", "x", "a", None) == [
        (2, naive(YESTERDAY)),
        (UNKNOWN, None),
        (1, naive(since[0])),
        (UNKNOWN, None),
    ]


def test_a_plain_scored_table_counts_from_its_moment_of_scoring():
    assert standing(table(), "a") == [(1, naive(YESTERDAY))]
    partly = table(since=[None, YESTERDAY - timedelta(days=2)])
    assert standing(partly, "a", "b") == [(1, naive(YESTERDAY)), (2, naive(YESTERDAY - timedelta(days=2)))]


def test_leads_that_were_not_scored_then_are_left_out():
    rows = table(ids=("a", "a", None, "b"), stages=("MQL", None, "SQL", None))
    previous = read_previous(rows, as_of=NOW)
    assert len(previous) == 1
    assert standing(rows, "a", "b") == [(1, naive(YESTERDAY)), (UNKNOWN, None)]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_is_read_as_it_was_written_whatever_the_ids(tmp_path, ending):
    ids = ("=1+1", "-x", "00012", "it's", "Zoë", "+49 30")
    rows = table(ids=ids, stages=("MQL",) * 6, since=[YESTERDAY] * 6)
    with open_output(tmp_path / f"s.{ending}", rows.schema) as write:
        write(rows)
    assert standing(tmp_path / f"s.{ending}", *ids) == [(1, naive(YESTERDAY))] * 6


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_day_without_leads_is_a_day_like_any_other(tmp_path, ending):
    rows = table(ids=(), stages=(), since=())
    with open_output(tmp_path / f"s.{ending}", rows.schema):
        pass
    assert len(read_previous(tmp_path / f"s.{ending}", as_of=NOW)) == 0


@pytest.mark.parametrize("convert", [lambda t: t, lambda t: t.to_pandas(), pl.from_arrow])
def test_any_kind_of_table_will_do(convert):
    assert standing(convert(table()), "a") == [(1, naive(YESTERDAY))]


def test_ids_that_are_numbers_are_read_as_their_digits():
    frame = pd.DataFrame({"lead_id": [17], "stage": ["MQL"], "as_of": [YESTERDAY]})
    assert standing(frame, "17") == [(1, naive(YESTERDAY))]


def test_the_order_of_rows_does_not_matter():
    rng = np.random.default_rng(0)
    ids = np.array([f"L{i}" for i in range(500)], dtype=object)
    rank, since = rng.integers(0, 3, 500).astype(np.int8), np.full(500, NEVER)
    hashes = hash_ids(pa.chunked_array([pa.array(ids)]))
    for order in (np.arange(500), rng.permutation(500)):
        standing = Standing(rank, since, rng.random(500), rank, rank).take(order)
        previous = PreviousStages(hashes[order], standing)
        assert previous.of(pa.chunked_array([pa.array(ids)])).rank.tolist() == rank.tolist()


# Bad input


@pytest.mark.parametrize("column", ["lead_id", "stage"])
def test_a_table_without_ids_or_stages_is_refused(column, tmp_path):
    pq.write_table(table().drop_columns(column), tmp_path / "s.parquet")
    with pytest.raises(SchemaError, match=rf"(?s)s.parquet: 1 column\(s\) needed .*- '{column}'"):
        read_previous(tmp_path / "s.parquet", as_of=NOW)


def test_a_table_without_any_moment_is_refused():
    with pytest.raises(
        SchemaError, match=r"2 lead\(s\) have a stage but no moment of it: 'a', 'b'. Expected"
    ):
        read_previous(table(as_of=None), as_of=NOW)


def test_a_lead_that_stands_twice_is_refused():
    twice = table(ids=("a", "b", "a"), stages=("MQL", "SQL", "none"))
    with pytest.raises(
        InputError, match=r"1 lead\(s\) stand in it twice with a stage: 'a'. Give the table of"
    ):
        read_previous(twice, as_of=NOW)


@pytest.mark.parametrize(
    "rows", [table(as_of=NOW + timedelta(hours=1)), table(since=[NOW, NOW.replace(year=2027)])]
)
def test_a_table_of_the_future_is_refused(rows):
    with pytest.raises(
        InputError, match=r"later than the moment of scoring, 2026-11-22T06:00:00\+00:00; give"
    ):
        read_previous(rows, as_of=NOW)


def test_a_stage_that_is_none_is_refused():
    with pytest.raises(SchemaError, match="stage holds 'Hot'; expected none, MQL, SQL"):
        read_previous(table(stages=("MQL", "Hot")), as_of=NOW)


def test_a_moment_that_is_none_is_refused():
    rows = table().set_column(2, "as_of", pa.array(["yesterday", "2026-11-20"]))
    with pytest.raises(SchemaError, match="as_of holds 'yesterday'; expected moments in ISO 8601"):
        read_previous(rows, as_of=NOW)


def test_without_a_moment_of_scoring_there_is_no_previous():
    with pytest.raises(ConfigError, match="previous needs as_of"):
        read_previous(table(), as_of=None)


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(InputError, match=r"none\.parquet"):
        read_previous(tmp_path / "none.parquet", as_of=NOW)


# Scores and grades


def scored_last_night():
    return scored_table(
        scored_row("a", 0.1 + 0.2, as_of=YESTERDAY, stage="MQL", grade="B"),
        scored_row("b", 0.25, as_of=YESTERDAY),
        scored_row("c", as_of=YESTERDAY),
    )


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_scores_and_grades_come_back_to_the_bit(tmp_path, ending):
    rows = scored_last_night()
    with open_output(tmp_path / f"s.{ending}", rows.schema) as write:
        write(rows)
    previous = read_previous(tmp_path / f"s.{ending}", as_of=NOW)
    found = previous.of(pa.chunked_array([["c", "b", "x", "a"]]))
    np.testing.assert_array_equal(found.score, [np.nan, 0.25, np.nan, 0.1 + 0.2])
    assert found.grade.tolist() == [UNKNOWN, RANKED_GRADES.index("D"), UNKNOWN, RANKED_GRADES.index("B")]
    assert previous.has_grades


def test_the_models_own_stage_is_read_where_it_is_told():
    rows = scored_table(
        scored_row("a", 0.1, as_of=YESTERDAY, stage="SQL", model_stage="none"),
        scored_row("b", 0.1, as_of=YESTERDAY, stage="MQL"),
    )
    found = read_previous(rows, as_of=NOW).of(pa.chunked_array([["a", "b", "x"]]))
    assert (found.rank.tolist(), found.model_rank.tolist()) == ([2, 1, UNKNOWN], [0, 1, UNKNOWN])


def test_a_table_of_before_there_were_scores_and_grades_will_do():
    previous = read_previous(table(), as_of=NOW)
    found = previous.of(pa.chunked_array([["a"]]))
    assert (found.rank.tolist(), found.grade.tolist()) == ([1], [UNKNOWN])
    assert np.isnan(found.score).all()
    assert not previous.has_grades


def test_the_size_of_batches_does_not_matter():
    rows = scored_table(*[scored_row(f"L{i}", i / 100, as_of=YESTERDAY) for i in range(100)])
    ids = pa.chunked_array([[f"L{i}" for i in range(0, 120, 7)]])
    whole = read_previous(rows, as_of=NOW).of(ids)
    in_pieces = read_previous(pa.Table.from_batches(rows.to_batches(max_chunksize=3)), as_of=NOW).of(ids)
    for name in ("rank", "since", "score", "grade"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(in_pieces, name))


def test_a_grade_or_a_score_that_is_none_is_refused():
    rows = scored_last_night()
    grades = rows.set_column(rows.schema.get_field_index("grade"), "grade", pa.array(["A", "hot", None]))
    with pytest.raises(SchemaError, match="grade holds 'hot'; expected A, B, C, D"):
        read_previous(grades, as_of=NOW)
    scores = rows.set_column(rows.schema.get_field_index("score"), "score", pa.array(["0.1", "high", None]))
    with pytest.raises(SchemaError, match="score holds 'high'; expected numbers from 0 to 1"):
        read_previous(scores, as_of=NOW)


def test_a_query_of_a_file_is_refused(tmp_path):
    pq.write_table(table(), tmp_path / "s.parquet")
    with pytest.raises(ConfigError, match=r"previous_query is for DuckDB files and databases"):
        read_previous(tmp_path / "s.parquet", as_of=NOW, query="scores")
