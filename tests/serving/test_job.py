"""A job that was cut off goes on where it was, and ends with the very bytes of one that was not."""

import errno
import hashlib
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from leadlift.exceptions import ConfigError, InputError
from leadlift.serving import batch, journal
from leadlift.serving.job import manifest_path
from leadlift.serving.lock import locked
from leadlift.serving.predict import predict, score_table
from leadlift.serving.scored_columns import SCORED_SCHEMA
from small_shards import cut

AS_OF = datetime(2026, 11, 22, 6, tzinfo=UTC)
PIECE_ROWS = 3
SHARD_ROWS = 4 * PIECE_ROWS
ENDINGS = pytest.mark.parametrize("ending", ["csv", "parquet"])


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    cut(monkeypatch, PIECE_ROWS)


@pytest.fixture(scope="module")
def leads(workspace, tmp_path_factory):
    """Two shards and a half, with a lead that stands in the first and in the last of them."""
    frame = pd.read_csv(workspace.new_leads, dtype=str, keep_default_na=False).head(30)
    frame.loc[29, "lead_id"] = frame.loc[1, "lead_id"]
    path = tmp_path_factory.mktemp("job") / "new.parquet"
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)
    return path


@pytest.fixture(scope="module")
def whole(bundle, leads, tmp_path_factory):
    """Outputs of a job that was never cut off, and its summary."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        cut(patch, PIECE_ROWS)
        summaries = [run(bundle, leads, folder / f"s.{ending}") for ending in ("csv", "parquet")]
    return {
        "csv": (folder / "s.csv").read_bytes(),
        "parquet": (folder / "s.parquet").read_bytes(),
        "summary": summaries[0].to_dict(),
    }


def run(bundle, leads, out, **options):
    return predict(bundle, leads, **({"out": out, "as_of": AS_OF, "threads": 1} | options))


def cut_off(bundle, leads, out, after_pieces, **options):
    """Let a job fail at a piece."""
    n_scored = 0
    score = batch.BatchScorer.score

    def failing(self, piece):
        nonlocal n_scored
        n_scored += 1
        if n_scored > after_pieces:
            msg = "the connection is lost"
            raise InputError(msg)
        return score(self, piece)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch.BatchScorer, "score", failing)
        with pytest.raises(InputError, match="the connection is lost"):
            run(bundle, leads, out, **options)


def job_folder(out):
    return out.with_name(f".{out.name}.job")


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


@ENDINGS
@pytest.mark.parametrize("after_pieces", [0, 3, 4, 7, 8, 9])
def test_a_job_that_was_cut_off_ends_with_the_bytes_of_one_that_was_not(
    bundle, leads, whole, tmp_path, ending, after_pieces
):
    out = tmp_path / f"s.{ending}"
    cut_off(bundle, leads, out, after_pieces)
    assert not out.exists()
    summary = run(bundle, leads, out)
    assert out.read_bytes() == whole[ending]
    assert summary.resumed_rows == after_pieces // 4 * SHARD_ROWS
    assert summary.to_dict() == whole["summary"] | {
        "resumed_rows": summary.resumed_rows,
        "engine": summary.engine,
    }
    assert names_in(tmp_path) == [out.name, manifest_path(out).name]


def test_finished_shards_are_not_scored_again(bundle, leads, tmp_path, monkeypatch):
    out, rows = tmp_path / "s.csv", []
    cut_off(bundle, leads, out, after_pieces=8)
    score = batch.BatchScorer.score
    monkeypatch.setattr(
        batch.BatchScorer, "score", lambda self, piece: rows.append(piece.first_row) or score(self, piece)
    )
    run(bundle, leads, out)
    assert rows == [25, 28]


def test_a_small_job_leaves_nothing_to_go_on_from(bundle, leads, tmp_path):
    cut_off(bundle, leads, tmp_path / "s.csv", after_pieces=3)
    assert names_in(tmp_path) == []


def changed_leads(leads, folder):
    shutil.copy2(leads, folder / "new.parquet")
    return folder / "new.parquet"


def test_another_job_on_the_same_output_starts_over(bundle, leads, whole, tmp_path):
    out = tmp_path / "s.csv"
    others = (
        {"as_of": AS_OF + timedelta(hours=1)},
        {"reasons": False},
        {"leads": changed_leads(leads, tmp_path)},
        {"bundle": replace(bundle, version="another")},
    )
    for other in others:
        cut_off(**({"bundle": bundle, "leads": leads} | other), out=out, after_pieces=5)
        assert run(bundle, leads, out).resumed_rows == 0
        assert out.read_bytes() == whole["csv"]


def test_what_of_a_shard_does_not_match_its_check_sum_is_scored_again(bundle, leads, whole, tmp_path):
    out = tmp_path / "s.csv"
    folder = job_folder(out)

    def flip(content):
        return content[:400] + bytes([content[400] ^ 1]) + content[401:]

    damages = {
        "000001.arrow": (flip, SHARD_ROWS),
        "000000.arrow": (lambda content: content[:-10], 0),
        "shards.jsonl": (lambda content: content[:-5], SHARD_ROWS),
    }
    for name, (damage, n_resumed) in damages.items():
        cut_off(bundle, leads, out, after_pieces=9)
        (folder / name).write_bytes(damage((folder / name).read_bytes()))
        cut_off(bundle, leads, out, after_pieces=0)
        assert run(bundle, leads, out).resumed_rows == n_resumed, name
        assert out.read_bytes() == whole["csv"], name


def test_what_was_finished_survives_a_rerun_that_fails_before_its_first_row(bundle, leads, whole, tmp_path):
    out = tmp_path / "s.csv"
    cut_off(bundle, leads, out, after_pieces=5)
    moved = leads.with_name("elsewhere.parquet")
    leads.rename(moved)
    with pytest.raises(InputError, match=r"new.parquet: no such file"):
        run(bundle, leads, out)
    moved.rename(leads)
    assert run(bundle, leads, out).resumed_rows == SHARD_ROWS
    assert out.read_bytes() == whole["csv"]


def test_an_unfinished_job_is_finished_as_of_its_own_moment_where_none_is_given(bundle, leads, tmp_path):
    out = tmp_path / "s.parquet"
    cut_off(bundle, leads, out, after_pieces=5)
    later = AS_OF + timedelta(hours=2)
    summary = run(bundle, leads, out, as_of=later, resume_moment=True)
    assert (summary.resumed_rows, summary.as_of) == (SHARD_ROWS, AS_OF.isoformat())
    assert set(pq.read_table(out)["as_of"].to_pylist()) == {AS_OF}
    summary = run(bundle, leads, out, as_of=later, resume_moment=True)
    assert (summary.resumed_rows, summary.as_of) == (0, later.isoformat())


def test_the_command_line_goes_on_as_of_the_moment_it_began(workspace, bundle, leads, tmp_path):
    from command_line import run_ok

    out = tmp_path / "s.csv"
    command = ["predict", leads, "--out", out, "--bundle", workspace.champion, "--threads", 1]
    cut_off(bundle, leads, out, after_pieces=5)
    told = run_ok(*command).out
    assert f"12 of them taken from a run that was cut off; scored as of {AS_OF.isoformat()}" in told
    assert json.loads(run_ok(*command, "--json").out)["as_of"] > AS_OF.isoformat()


# What the disk and the neighbours do.


@ENDINGS
def test_a_second_job_on_an_output_is_refused_and_says_who_writes_it(bundle, leads, tmp_path, ending):
    out = tmp_path / f"s.{ending}"
    refused = pytest.raises(InputError, match=r"another job writes it \(process \d+ on .+\); wait")
    with locked(job_folder(out) / "lock", out), refused:
        run(bundle, leads, out)
    assert not out.exists()
    run(bundle, leads, out)


def test_the_lock_of_a_process_that_died_holds_nobody_up(bundle, leads, whole, tmp_path):
    out = tmp_path / "s.csv"
    job_folder(out).mkdir()
    (job_folder(out) / "lock").write_text('{"pid": 1, "host": "elsewhere"}')
    run(bundle, leads, out)
    assert out.read_bytes() == whole["csv"]


def test_a_lock_that_was_taken_away_meanwhile_is_not_held(tmp_path, monkeypatch):
    from leadlift.serving import lock

    path, stands = tmp_path / "job" / "lock", lock._stands
    answers = iter([False])
    monkeypatch.setattr(lock, "_stands", lambda *given: next(answers, None) is None and stands(*given))
    with locked(path, tmp_path / "s.csv"):
        assert json.loads(path.read_text())["pid"]


def test_a_disk_that_is_full_is_told_and_the_rerun_goes_on(bundle, leads, whole, tmp_path):
    out = tmp_path / "s.csv"
    out.write_text("older")
    cut_off(bundle, leads, out, after_pieces=5)
    (job_folder(out) / "000001.arrow").symlink_to("/dev/full")
    with pytest.raises(InputError, match=r"s.csv could not be written and was left as it was: No space left"):
        run(bundle, leads, out)
    assert out.read_text() == "older"
    (job_folder(out) / "000001.arrow").unlink()
    assert run(bundle, leads, out).resumed_rows == SHARD_ROWS
    assert out.read_bytes() == whole["csv"]


@ENDINGS
def test_an_output_that_does_not_fit_on_the_disk_is_told_and_the_rerun_goes_on(
    bundle, leads, whole, tmp_path, ending, monkeypatch
):
    from leadlift.serving import job

    out = tmp_path / f"s.{ending}"

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(job, "publish", full)
        with pytest.raises(InputError, match="left as it was: No space left"):
            run(bundle, leads, out)
    assert names_in(tmp_path) == [job_folder(out).name]
    assert run(bundle, leads, out).resumed_rows == 2 * SHARD_ROWS
    assert out.read_bytes() == whole[ending]


def test_a_row_group_that_cannot_be_read_is_told_and_nothing_is_half_written(bundle, leads, tmp_path):
    table, damaged, out = pq.read_table(leads), tmp_path / "new.parquet", tmp_path / "s.parquet"
    pq.write_table(table, damaged, row_group_size=15, compression="NONE", use_dictionary=False)
    place = pq.read_metadata(damaged).row_group(1).column(0).data_page_offset
    content = bytearray(damaged.read_bytes())
    content[place : place + 8] = b"\xff" * 8
    damaged.write_bytes(content)
    out.write_text("older")
    with pytest.raises(InputError, match=r"new.parquet"):
        run(bundle, damaged, out)
    assert out.read_text() == "older"


def test_a_folder_that_vanishes_meanwhile_is_told(bundle, leads, tmp_path):
    out = tmp_path / "there" / "s.csv"

    def remove(n_rows):
        if n_rows == SHARD_ROWS:
            shutil.rmtree(out.parent)

    with pytest.raises(InputError, match=r"s.csv could not be written and was left as it was: No such file"):
        run(bundle, leads, out, on_rows=remove)
    assert not out.exists()


@pytest.mark.parametrize("folder", ["/proc/leadlift", "/dev/null/leadlift"])
def test_a_folder_that_cannot_be_written_is_told(bundle, leads, folder):
    with pytest.raises(InputError, match=r"s.csv could not be written and was left as it was: "):
        run(bundle, leads, f"{folder}/s.csv")


def test_an_interrupted_job_leaves_what_it_finished_and_nothing_else(bundle, leads, whole, tmp_path):
    out = tmp_path / "s.csv"

    def interrupt(n_rows):
        if n_rows == SHARD_ROWS + PIECE_ROWS:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(bundle, leads, out, on_rows=interrupt)
    assert names_in(tmp_path) == [job_folder(out).name]
    assert names_in(job_folder(out)) == ["000000.arrow", "job.json", "lock", "shards.jsonl"]
    run(bundle, leads, out)
    assert out.read_bytes() == whole["csv"]


# The same bytes, whatever the way.


@ENDINGS
@pytest.mark.parametrize("threads", [2, 5])
def test_the_output_does_not_depend_on_the_number_of_threads(bundle, leads, whole, tmp_path, ending, threads):
    run(bundle, leads, tmp_path / f"s.{ending}", threads=threads)
    assert (tmp_path / f"s.{ending}").read_bytes() == whole[ending]


@ENDINGS
def test_the_output_does_not_depend_on_how_the_leads_are_parted(bundle, leads, whole, tmp_path, ending):
    table = pq.read_table(leads)
    for split in ((1, 29), (13, 14), (7, 20)):
        parts = tmp_path / f"parts_{split[0]}"
        parts.mkdir()
        edges = pairwise([0, *split, len(table)])
        for number, (start, stop) in enumerate(edges):
            part = table.slice(start, stop - start)
            pq.write_table(part, parts / f"{number}.parquet", row_group_size=5)
        run(bundle, parts, tmp_path / f"s.{ending}")
        assert (tmp_path / f"s.{ending}").read_bytes() == whole[ending]


@ENDINGS
def test_csv_and_parquet_are_scored_to_the_same_bytes(bundle, leads, whole, tmp_path, ending):
    pyarrow.csv.write_csv(pq.read_table(leads), tmp_path / "new.csv")
    run(bundle, tmp_path / "new.csv", tmp_path / f"s.{ending}")
    assert (tmp_path / f"s.{ending}").read_bytes() == whole[ending]


@ENDINGS
@pytest.mark.parametrize("engine", ["auto", "fast", "plain"])
def test_the_output_does_not_depend_on_the_engine(bundle, leads, whole, tmp_path, ending, engine):
    summary = run(bundle, leads, tmp_path / f"s.{ending}", engine=engine)
    assert (tmp_path / f"s.{ending}").read_bytes() == whole[ending]
    assert summary.engine == ("plain" if engine == "plain" else "fast")


def test_an_engine_that_is_none_is_refused(bundle, leads, tmp_path):
    with pytest.raises(ConfigError, match="engine: expected one of auto, fast, plain, got 'warp'"):
        run(bundle, leads, tmp_path / "s.csv", engine="warp")


def test_a_parquet_file_holds_plain_text_as_the_table_in_memory_does(bundle, leads, tmp_path):
    run(bundle, leads, tmp_path / "s.parquet")
    read = pq.read_table(tmp_path / "s.parquet")
    assert read.schema == SCORED_SCHEMA
    assert read.equals(score_table(bundle, pq.read_table(leads), as_of=AS_OF))


# What a job says of itself.


def test_the_manifest_says_what_was_done_and_holds_no_lead(bundle, leads, whole, tmp_path):
    out = tmp_path / "s.csv"
    run(bundle, leads, out)
    text = manifest_path(out).read_text()
    told = json.loads(text)
    assert told["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert told["summary"] == whole["summary"]
    assert told["sources"]["leads"] == str(leads)
    assert told["files"][0] == [[str(leads), leads.stat().st_size, leads.stat().st_mtime_ns]]
    assert not any(lead_id in text for lead_id in pq.read_table(leads)["lead_id"].to_pylist())


def test_without_reasons_the_scores_are_the_same_and_nothing_says_why(bundle, leads, tmp_path):
    table = pq.read_table(leads)
    with_reasons = score_table(bundle, table, as_of=AS_OF)
    without = score_table(bundle, table, as_of=AS_OF, reasons=False)
    why = ["base", "fit", "engagement", "intent", "source", "other", "reason_1", "reason_2", "reason_3"]
    assert all(without[name].null_count == len(table) for name in why)
    assert without.drop_columns(why).equals(with_reasons.drop_columns(why))


def test_rules_on_sub_scores_are_refused_without_reasons(bundle, leads):
    ruled = replace(bundle, stages=bundle.stages.model_copy(update={"min_fit": 0.0}))
    with pytest.raises(ConfigError, match="min_fit look at sub-scores, which come with the reasons"):
        score_table(ruled, pq.read_table(leads), reasons=False)


def test_a_lead_created_after_the_moment_of_scoring_is_too_early(bundle, leads):
    table = pq.read_table(leads)
    created = bundle.schema.roles.created_at
    late = [(AS_OF + timedelta(seconds=1)).isoformat(), AS_OF.isoformat(), ""]
    column = pa.array([*late, *table[created].to_pylist()[3:]])
    changed = table.set_column(table.column_names.index(created), created, column)
    scored = score_table(bundle, changed, as_of=AS_OF)
    assert scored["status"].to_pylist()[:3] == ["too_early", "scored", "scored"]
    assert scored["status_detail"].to_pylist()[:2] == ["created after as_of", None]
    assert scored["score"].is_valid().to_pylist()[:3] == [False, True, True]
    assert score_table(bundle, changed)["status"][0].as_py() == "scored"


def test_a_clock_before_the_training_data_is_refused_unless_the_past_is_meant(bundle, leads, tmp_path):
    past = datetime(2001, 1, 1, tzinfo=UTC)
    with pytest.raises(ConfigError, match=r"as_of is 2001-01-01T00:00:00.*learnt from leads up to 20.*clock"):
        run(bundle, leads, tmp_path / "s.csv", as_of=past)
    summary = run(bundle, leads, tmp_path / "s.csv", as_of=past, allow_past=True)
    assert summary.by_status["too_early"] > 0


def test_a_journal_without_a_job_keeps_nothing(tmp_path):
    book = journal.Journal(tmp_path)
    book.begin(None)
    book.keep(journal.Shard(SCORED_SCHEMA.empty_table(), None))
    assert names_in(tmp_path) == []
