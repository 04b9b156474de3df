"""Scored leads in a database: no row is lost, and a job that runs again ends with the same rows."""

import re
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

import database_job
from contracts.store_contract import stored
from database_job import BATCHES, batch, write
from leadlift.exceptions import ConfigError, InputError
from leadlift.serving.database_sink import open_database_sink
from leadlift.serving.previous import RANKED_GRADES, RANKED_STAGES, read_previous
from leadlift.serving.profiles import PROFILES, get_profile
from leadlift.serving.scored_columns import CODED_SCHEMA, SCORED_SCHEMA
from scored_tables import NOW, scored_row, scored_table

DATABASES = ("postgresql", "sqlite", "duckdb")
TOMORROW = NOW + timedelta(days=1)


@pytest.fixture(params=DATABASES)
def address(request, tmp_path):
    """An empty database of each kind."""
    if request.param == "postgresql":
        return request.getfixturevalue("server").with_schema().address
    return f"sqlite:///{tmp_path / 'crm.db'}" if request.param == "sqlite" else str(tmp_path / "crm.duckdb")


def rejected_rows(address):
    return [
        (row["source"], row["row_number"], row["lead_id"], row["status"])
        for row in stored(address, "scores_rejected")
    ]


def scored_rows(*batches):
    return [row for row in pa.concat_tables(batches).to_pylist() if row["status"] == "scored"]


def test_every_row_of_the_input_is_in_one_of_the_two_tables(address):
    write(address, batch(0), batch(4))
    assert stored(address, "scores") == scored_rows(batch(0), batch(4))
    assert rejected_rows(address) == [
        ("new.csv", 2, None, "missing_id"),
        ("new.csv", 3, "L0", "duplicate_id"),
        ("new.csv", 6, None, "missing_id"),
        ("new.csv", 7, "L4", "duplicate_id"),
    ]


def test_a_lead_that_has_an_id_but_no_score_is_in_the_table_with_its_status(address):
    write(address, scored_table(scored_row("a"), scored_row("b", 0.5)))
    assert [(row["lead_id"], row["status"], row["score"]) for row in stored(address, "scores")] == [
        ("a", "missing_required", None),
        ("b", "scored", 0.5),
    ]


def test_running_a_job_again_changes_nothing(address):
    write(address, batch(0), batch(4))
    before = stored(address, "scores"), stored(address, "scores_rejected")
    write(address, batch(0), batch(4))
    assert (stored(address, "scores"), stored(address, "scores_rejected")) == before


def test_coded_texts_and_other_batches_make_the_same_rows(address):
    write(address, batch(0), batch(4))
    before = stored(address, "scores"), stored(address, "scores_rejected")
    write(address, pa.concat_tables([batch(0), batch(4)]).cast(CODED_SCHEMA))
    assert (stored(address, "scores"), stored(address, "scores_rejected")) == before


def test_another_moment_and_another_model_are_rows_of_their_own(address):
    write(address, batch(0))
    write(address, batch(0, as_of=TOMORROW), as_of=TOMORROW)
    write(address, batch(0, model_version="m2"), model_version="m2")
    keys = [(row["lead_id"], row["as_of"], row["model_version"]) for row in stored(address, "scores")]
    assert keys == [(lead, as_of, model) for lead in ("L0", "L3")
                    for as_of, model in ((NOW, "m1"), (NOW, "m2"), (TOMORROW, "m1"))]  # fmt: skip
    assert len(rejected_rows(address)) == 6


def test_jobs_on_parts_of_the_leads_share_a_table(address):
    write(address, batch(0), source="north.csv")
    write(address, batch(4), source="south.csv")
    assert len(stored(address, "scores")) == 4
    assert [row[:2] for row in rejected_rows(address)] == [
        ("north.csv", 2),
        ("north.csv", 3),
        ("south.csv", 2),
        ("south.csv", 3),
    ]


def test_an_input_without_an_order_leaves_no_rejected_row_of_the_run_before(address):
    write(address, batch(0).take([1, 2, 0, 3]))
    write(address, batch(0))
    assert [row[1] for row in rejected_rows(address)] == [2, 3]


def test_a_job_that_is_killed_leaves_whole_batches_and_runs_again_to_the_same_rows(address):
    killed = subprocess.run(
        [sys.executable, database_job.__file__, address, "5"],  # within the third batch
        capture_output=True,
        text=True,
        check=False,
    )
    assert (killed.returncode, killed.stderr) == (-signal.SIGKILL, "")
    assert stored(address, "scores") == scored_rows(*BATCHES[:2])
    assert len(rejected_rows(address)) == 4
    write(address, *BATCHES)
    assert stored(address, "scores") == scored_rows(*BATCHES)
    assert len(rejected_rows(address)) == 2 * len(BATCHES)


def test_an_error_of_the_job_itself_passes_through(address):
    def fail():
        with open_database_sink(address, "scores", as_of=NOW, model_version="m1", source="new.csv") as append:
            append(batch(0))
            msg = "the leads cannot be read to their end"
            raise InputError(msg)

    with pytest.raises(InputError, match=r"^the leads cannot be read to their end$"):
        fail()
    assert len(stored(address, "scores")) == 2


def test_a_database_needs_the_moment_and_a_table(tmp_path):
    address = str(tmp_path / "crm.duckdb")
    with pytest.raises(ConfigError, match="writing into a database needs as_of"):
        write(address, as_of=None)
    with (
        pytest.raises(ConfigError, match="set out_table to the name of one"),
        open_database_sink(address, None, as_of=NOW, model_version="m1", source="new.csv"),
    ):
        pass
    assert not (tmp_path / "crm.duckdb").exists()


@pytest.mark.parametrize("address", ["sqlite:///crm.db", "crm.duckdb"])
def test_a_file_is_not_written_while_it_is_read(address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(address, batch(0))
    with pytest.raises(ConfigError, match=r"cannot be read and written at the same time; write into another"):
        write(address, batch(0), source=address)


# The table as the previous scoring


def before(address, as_of, *ids):
    found = read_previous(address, as_of=as_of, query="scores").of(pa.chunked_array([ids]))
    stages = [RANKED_STAGES[rank] if rank >= 0 else None for rank in found.rank]
    grades = [RANKED_GRADES[grade] if grade >= 0 else None for grade in found.grade]
    return list(zip(stages, grades, found.score.tolist(), strict=True))


def test_the_latest_row_of_each_lead_before_this_moment_is_the_previous_one(address):
    yesterday = NOW - timedelta(days=1)
    a, b = (
        scored_row("a", 0.25, as_of=yesterday, grade="C"),
        scored_row("b", 0.5, as_of=yesterday, stage="MQL"),
    )
    write(address, scored_table(a, b), as_of=yesterday)
    write(address, scored_table(scored_row("a", 0.75, stage="SQL", grade="A")))
    assert before(address, TOMORROW, "a", "b") == [("SQL", "A", 0.75), ("MQL", "D", 0.5)]
    # A job that runs again does not take its own rows for the scoring before.
    assert before(address, NOW, "a", "b") == [("none", "C", 0.25), ("MQL", "D", 0.5)]
    assert len(read_previous(address, as_of=yesterday, query="scores")) == 0


def test_a_lead_that_was_not_scored_last_has_no_standing(address):
    write(address, scored_table(scored_row("a", 0.25)))
    write(address, scored_table(scored_row("a", as_of=TOMORROW)), as_of=TOMORROW)
    assert len(read_previous(address, as_of=TOMORROW + timedelta(days=1), query="scores")) == 0


def test_a_select_is_taken_as_it_is(address):
    write(address, batch(0))
    query = "SELECT lead_id, stage, as_of FROM scores WHERE lead_id = 'L0'"
    assert len(read_previous(address, as_of=TOMORROW, query=query)) == 1


# The page


PAGE = Path(__file__).parents[2] / "docs" / "exports.md"


def test_the_queries_of_the_page_answer_what_they_say(address):
    yesterday = NOW - timedelta(days=1)
    stayed, rose = scored_row("a", 0.5, as_of=yesterday), scored_row("b", 0.5, as_of=yesterday)
    write(address, scored_table(stayed, rose), as_of=yesterday)
    tonight = scored_table(
        scored_row("a", as_of=NOW), scored_row("b", 0.75, stage="SQL", stage_since=NOW, reason_1="asked")
    )
    write(address, tonight)
    latest, moved_up = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    assert [(row["lead_id"], row["score_0_100"]) for row in stored(address, latest)] == [("a", 50), ("b", 75)]
    assert stored(address, moved_up) == [{"lead_id": "b", "score_0_100": 75, "reason_1": "asked"}]


def test_the_page_names_every_column_of_the_table_and_of_every_profile():
    text = re.sub(r"```.*?```", "", PAGE.read_text(), flags=re.DOTALL)
    named = set(re.findall(r"`([^`]+)`", text))
    assert set(SCORED_SCHEMA.names) - named == {"reason_2"}
    for profile in PROFILES:
        columns = [name for name in get_profile(profile).schema.names if not re.search(r"[23](__c)?$", name)]
        assert set(columns) - named == set(), profile
