"""A store as a folder: any tool reads it, writers do not meet, and nothing is ever half there."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from contracts.score_store_contract import MONDAY, NIGHT, TUESDAY, ScoreStoreContract, same_rows
from leadlift.exceptions import InputError
from leadlift.serving.score_store import open_score_store
from leadlift.serving.scored_columns import SCORED_SCHEMA
from scored_tables import NOW


class TestFolderStore(ScoreStoreContract):
    @pytest.fixture
    def place(self, tmp_path):
        return tmp_path / "store"

    def test_a_batch_is_a_plain_parquet_file_named_by_moment_and_model(self, store, place):
        store.add(MONDAY)
        store.add(TUESDAY)
        assert sorted(path.name for path in place.iterdir()) == [
            "scored-20261122T060000Z-m1.parquet",
            "scored-20261123T060000Z-m1.parquet",
        ]
        same_rows(pq.read_table(place, schema=SCORED_SCHEMA), MONDAY, TUESDAY)

    def test_the_same_job_writes_the_same_bytes(self, store, place):
        store.add(MONDAY)
        before = next(place.iterdir()).read_bytes()
        store.add(MONDAY)
        assert next(place.iterdir()).read_bytes() == before

    def test_moments_are_told_apart_to_the_microsecond(self, store):
        precise = NOW.replace(microsecond=7)
        store.add(MONDAY)
        store.add(MONDAY.set_column(1, MONDAY.schema.field("as_of"), [[precise] * MONDAY.num_rows]))
        assert store.batches()["as_of"].to_pylist() == [NOW, precise]

    def test_a_second_writer_of_a_batch_is_refused_and_one_of_another_is_not(self, store):
        with store.open_batch(NOW, "m1") as batch:
            batch.write(MONDAY)
            store.add(TUESDAY)
            with pytest.raises(InputError, match=r"another job writes it \(process \d+ on"):
                store.add(MONDAY)
        same_rows(store.scored(), MONDAY, TUESDAY)

    def test_a_batch_is_not_there_before_it_is_complete(self, store, place):
        with store.open_batch(NOW, "m1") as batch:
            batch.write(MONDAY)
            assert store.batches().num_rows == 0
        assert [path.name for path in place.iterdir()] == ["scored-20261122T060000Z-m1.parquet"]

    def test_files_of_others_are_left_alone(self, store, place):
        store.add(MONDAY)
        (place / "outcomes.parquet").write_text("not ours")
        (place / "scored-yesterday.parquet").write_text("not ours")
        same_rows(store.scored(since=NOW, until=NOW + NIGHT), MONDAY)

    def test_a_damaged_file_is_named(self, store, place):
        store.add(MONDAY)
        next(place.iterdir()).write_bytes(b"PAR1")
        with pytest.raises(InputError, match=r"the store cannot be read: .*"):
            store.scored()


def test_a_file_is_no_store(tmp_path):
    path = tmp_path / "scored.csv"
    path.write_text("lead_id\n")
    with pytest.raises(InputError, match=r"expected a folder, a DuckDB file or the address"):
        open_score_store(path)


def test_a_job_killed_at_anything_it_does_leaves_a_batch_whole(tmp_path):
    run = subprocess.run(
        [sys.executable, "tests/killed_stores.py", str(tmp_path)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(run.stdout)
    assert told["killed"] >= 5
    assert told["wrong"] == []
