"""Spark scores as one process does, writes whole folders, and says what is wrong."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadlift.exceptions import ConfigError, InputError, LeadliftError, SchemaError
from leadlift.serving import lead_parts, spark_job
from leadlift.serving.id_hashes import hash_ids
from leadlift.serving.lead_parts import LeadPart, part_pieces, parts_of, stage
from leadlift.serving.part_scoring import PartScorer, PartsJob, read_bundle_files
from leadlift.serving.predict import predict
from leadlift.serving.previous import NO_PREVIOUS
from leadlift.serving.repeated_ids import RepeatedIds, bucketed_ids
from leadlift.serving.run_folder import open_run
from leadlift.serving.scored_columns import SCORED_SCHEMA
from leadlift.serving.spark_job import SUMMARY_FILE, spark_predict
from leadlift.terms import Kind

pytestmark = pytest.mark.slow

AS_OF = datetime(2026, 11, 22, 6, tzinfo=UTC)
N_LEADS = 6_400
N_FILES = 4


@pytest.fixture(scope="module")
def frame(workspace, bundle) -> pl.DataFrame:
    """Leads as text, some of them with what a job must bear."""
    old = pl.read_csv(workspace.leads, infer_schema=False)
    number = next(spec.name for spec in bundle.schema.features if spec.kind is Kind.NUMERIC)
    frame = pl.concat([old] * 2).head(N_LEADS).with_columns(lead_id=pl.Series(map(str, range(N_LEADS))))
    row = pl.int_range(N_LEADS)
    return frame.with_columns(
        # Row 3 of each file bears the id of the first row of all.
        lead_id=pl.when(row % (N_LEADS // N_FILES) == 3).then(pl.lit("0")).otherwise("lead_id"),
        industry=pl.when(row % 97 == 0).then(pl.lit("asteroid mining")).otherwise("industry"),
        **{number: pl.when(row % 89 == 5).then(pl.lit("many")).otherwise(number)},
    ).with_columns(lead_id=pl.when(row % 501 == 7).then(None).otherwise("lead_id"))


@pytest.fixture(scope="module")
def leads(frame, tmp_path_factory) -> Path:
    """The leads as a folder of Parquet files of several row groups."""
    folder = tmp_path_factory.mktemp("leads")
    size = N_LEADS // N_FILES
    for place in range(N_FILES):
        frame.slice(place * size, size).write_parquet(folder / f"{place}.parquet", row_group_size=size // 2)
    return folder


@pytest.fixture(scope="module")
def expected(bundle, leads, tmp_path_factory):
    """The scored table and the summary of a job in one process."""
    out = tmp_path_factory.mktemp("here") / "scored.parquet"
    summary = predict(bundle, leads, out=out, as_of=AS_OF)
    return pq.read_table(out), summary


@pytest.fixture
def score(workspace, spark):
    """Score on Spark."""
    return lambda leads, out, **more: spark_predict(
        workspace.champion, leads, out, session=spark, **({"as_of": AS_OF} | more)
    )


def run_in(out: Path) -> Path:
    """The only folder in the output."""
    (folder,) = out.iterdir()
    return folder


def read(folder: Path) -> pa.Table:
    """All rows, in the order of the names of the files."""
    return pa.concat_tables([pq.read_table(path) for path in sorted(folder.glob("*.parquet"))])


# The same values


def test_spark_scores_as_one_process_does(score, leads, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(lead_parts, "PART_ROWS", N_LEADS // N_FILES // 2)
    summary = score(leads, tmp_path / "scored")
    table, here = expected
    assert len(list(run_in(tmp_path / "scored").glob("*.parquet"))) == 2 * N_FILES
    assert read(run_in(tmp_path / "scored")).equals(table)
    assert table.schema == SCORED_SCHEMA
    assert {"scored", "duplicate_id", "missing_id", "invalid_value"} <= set(summary.by_status)
    assert summary.unseen["industry"] > 0
    assert summary.to_dict() == here.to_dict()


def test_leads_in_csv_are_read_once_by_the_driver_and_get_the_same_scores(
    score, frame, expected, tmp_path, monkeypatch
):
    monkeypatch.setattr(lead_parts, "PART_ROWS", 1)
    frame.write_csv(tmp_path / "leads.csv")
    score(tmp_path / "leads.csv", tmp_path / "scored")
    assert read(run_in(tmp_path / "scored")).equals(expected[0])


def test_a_stage_since_comes_from_the_previous_table(score, bundle, leads, expected, tmp_path):
    before = tmp_path / "before.parquet"
    predict(bundle, leads, out=before, as_of=AS_OF.replace(month=10))
    here = tmp_path / "here.parquet"
    there = predict(bundle, leads, out=here, as_of=AS_OF, previous=before)
    summary = score(leads, tmp_path / "scored", previous=before)
    assert read(run_in(tmp_path / "scored")).equals(pq.read_table(here))
    assert summary.not_scored_again == there.not_scored_again
    assert not pq.read_table(here).equals(expected[0])


def test_reasons_may_be_left_out(score, leads, expected, tmp_path):
    score(leads, tmp_path / "scored", reasons=False)
    table = read(run_in(tmp_path / "scored"))
    assert table["score"].equals(expected[0]["score"])
    assert table["reason_1"].null_count == N_LEADS


def test_leads_without_ids_are_numbered_through_all_files(bundle, leads, spark, tmp_path):
    roles = bundle.schema.roles.model_copy(update={"lead_id": None})
    nameless = replace(bundle, schema=bundle.schema.model_copy(update={"roles": roles}))
    nameless.save(tmp_path / "nameless")
    spark_predict(tmp_path / "nameless", leads, tmp_path / "scored", as_of=AS_OF, session=spark)
    ids = read(run_in(tmp_path / "scored"))["lead_id"].to_pylist()
    assert ids == [str(row) for row in range(1, N_LEADS + 1)]


# The folder


def test_a_job_leaves_its_parts_and_what_it_counted(score, leads, bundle, tmp_path):
    summary = score(leads, tmp_path / "scored")
    folder = run_in(tmp_path / "scored")
    assert folder.name == f"20261122T060000Z-{bundle.version}"
    assert sorted(path.name for path in folder.iterdir()) == [
        SUMMARY_FILE,
        *(f"part-{place:06d}.parquet" for place in range(N_FILES)),
    ]
    assert json.loads((folder / SUMMARY_FILE).read_text()) == summary.to_dict()


def test_a_second_run_takes_the_place_of_the_first(score, leads, tmp_path):
    folder = tmp_path / "scored"
    score(leads, folder)
    first = {path.name: path.read_bytes() for path in run_in(folder).iterdir()}
    (run_in(folder) / "part-000099.parquet").write_bytes(b"of a larger day")
    (folder / f".{run_in(folder).name}.job" / "killed").mkdir(parents=True)
    score(leads, folder)
    assert {path.name: path.read_bytes() for path in run_in(folder).iterdir()} == first


def test_a_folder_without_leads_gives_a_table_without_rows(score, frame, tmp_path):
    frame.head(0).write_parquet(tmp_path / "none.parquet")
    assert score(tmp_path / "none.parquet", tmp_path / "scored").rows_in == 0
    table = read(run_in(tmp_path / "scored"))
    assert (table.num_rows, table.schema) == (0, SCORED_SCHEMA)


def test_two_jobs_on_one_folder_are_refused(score, leads, bundle, tmp_path):
    folder = tmp_path / "scored" / f"20261122T060000Z-{bundle.version}"
    with open_run(folder), pytest.raises(InputError, match="another job writes it"):
        score(leads, tmp_path / "scored")
    assert run_in(tmp_path / "scored") == folder


# What is wrong


def test_a_damaged_row_group_stops_the_job_and_leaves_the_older_output(score, leads, tmp_path):
    score(leads, tmp_path / "scored")
    before = {path.name: path.read_bytes() for path in run_in(tmp_path / "scored").iterdir()}
    for path in leads.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    damaged = tmp_path / "2.parquet"
    content = bytearray(damaged.read_bytes())
    content[100 : len(content) // 2] = bytes(len(content) // 2 - 100)
    damaged.write_bytes(content)
    with pytest.raises(
        InputError, match=r"2\.parquet: cannot be read as Parquet; it is truncated or damaged"
    ):
        score(tmp_path / "*.parquet", tmp_path / "scored")
    assert {path.name: path.read_bytes() for path in run_in(tmp_path / "scored").iterdir()} == before


def test_missing_columns_are_told_before_anything_runs(score, frame, tmp_path):
    frame.drop("industry").write_parquet(tmp_path / "leads.parquet")
    with pytest.raises(SchemaError, match=r"(?s)1 column\(s\) needed.*industry"):
        score(tmp_path / "leads.parquet", tmp_path / "scored")
    assert list((tmp_path / "scored").iterdir()) == []


def test_a_moment_needs_a_zone(score, leads, tmp_path):
    with pytest.raises(ConfigError, match="as_of needs a time zone, got 2026-11-22T06:00:00"):
        score(leads, tmp_path / "scored", as_of=AS_OF.replace(tzinfo=None))
    assert list(tmp_path.iterdir()) == []


def test_executors_with_another_leadlift_are_refused(workspace, tmp_path):
    job = PartsJob(
        bundle_files=read_bundle_files(workspace.champion),
        parts=(),
        out=str(tmp_path),
        as_of=AS_OF,
        previous=NO_PREVIOUS,
        overrides=None,
        repeated=RepeatedIds.joined([]),
    )
    with pytest.raises(ConfigError, match=r"executors have leadlift .*, the driver has 0\.0\.0; give both"):
        PartScorer(replace(job, leadlift_version="0.0.0"))
    assert PartScorer(job)


def test_what_spark_cannot_do_is_told_in_one_message(score, leads, tmp_path, monkeypatch):
    def broken(sent, numbers):
        msg = "no space left"
        raise RuntimeError(msg)

    monkeypatch.setattr(spark_job, "score_parts", broken)
    with pytest.raises(LeadliftError, match=r"^the job failed on Spark: RuntimeError: no space left\. Exec"):
        score(leads, tmp_path / "scored")
    assert list((tmp_path / "scored").iterdir()) == []


# Parts, by eye


def test_a_part_is_whole_row_groups_of_one_file(tmp_path, monkeypatch):
    monkeypatch.setattr(lead_parts, "PART_ROWS", 3)
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"
    pq.write_table(pa.table({"id": list("abcdefg")}), first, row_group_size=2)
    pq.write_table(pa.table({"id": ["h"]}), second)
    assert parts_of([first, second]) == (
        LeadPart(str(first), (0, 1), first_row=1, n_rows=4),
        LeadPart(str(first), (2, 3), first_row=5, n_rows=3),
        LeadPart(str(second), (0,), first_row=8, n_rows=1),
    )


def test_what_is_staged_comes_back_as_it_was(bundle, tmp_path):
    leads = pa.table({"lead_id": ["a", "b"], "visits": pa.array(["x", "y"]).dictionary_encode()})
    inputs = pa.table({"lead_id": [1.0, None], "lead x": [2, 3]})
    (part,) = stage([(leads, inputs)], tmp_path / "with.parquet")
    assert list(part_pieces(part, bundle.schema)) == [(1, leads, inputs)]
    (part,) = stage([(leads, None)], tmp_path / "without.parquet")
    assert list(part_pieces(part, bundle.schema)) == [(1, leads, None)]
    assert stage([], tmp_path / "none.parquet") == ()


def test_the_first_row_of_a_repeated_id_stands():
    hashes = hash_ids(pa.array(["a", "b"]))
    repeated = RepeatedIds.joined(
        [RepeatedIds(hashes[:1], np.array([2])), RepeatedIds(hashes[1:], np.array([5]))]
    )
    stood = repeated.stood_before(pa.chunked_array([["c", "a", "a", None, "b", "b"]]), first_row=1)
    assert stood.tolist() == [False, False, True, False, False, True]


@pytest.mark.parametrize("n_buckets", [1, 2, 7])
def test_buckets_find_the_ids_that_stand_twice_whatever_part_they_are_in(bundle, tmp_path, n_buckets):
    ids = ["a", None, "b", "c", "b", None, "a", "d", "b"]
    pq.write_table(pa.table({bundle.schema.roles.lead_id: ids}), tmp_path / "ids.parquet", row_group_size=4)
    parts = [LeadPart(str(tmp_path / "ids.parquet"), (group,), 4 * group + 1, 4) for group in range(3)]
    buckets = [bucketed_ids(part, bundle.schema, n_buckets)["pairs"].to_pylist() for part in reversed(parts)]
    found = RepeatedIds.joined([RepeatedIds.among(pairs) for pairs in zip(*buckets, strict=True)])
    first_rows = dict(zip(found.hashes.tolist(), found.first_row.tolist(), strict=True))
    a, b = hash_ids(pa.array(["a", "b"])).tolist()
    assert first_rows == {a: 1, b: 3}
