"""Scoring jobs honour overrides and keep what they scored, whatever the engine, the pieces and the output."""

import json
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from command_line import run_cli, run_ok
from leadlift.exceptions import ConfigError, InputError
from leadlift.serving.predict import predict, score_table
from leadlift.serving.score_store import open_score_store
from small_shards import cut

AS_OF = datetime(2026, 11, 22, 6, tzinfo=UTC)
N_LEADS = 60


@pytest.fixture(scope="module")
def leads(workspace, tmp_path_factory):
    path = tmp_path_factory.mktemp("leads") / "new.csv"
    table = pyarrow.csv.read_csv(workspace.new_leads).slice(0, N_LEADS)
    pyarrow.csv.write_csv(table, path)
    return path


@pytest.fixture(scope="module")
def plain(bundle, leads, tmp_path_factory):
    out = tmp_path_factory.mktemp("plain") / "s.parquet"
    predict(bundle, leads, out=out, as_of=AS_OF)
    return pq.read_table(out)


@pytest.fixture(scope="module")
def overrides(plain, tmp_path_factory):
    """A file in which the first two leads are raised to SQL, two more taken out, and a stranger stands."""
    ids = plain["lead_id"].to_pylist()
    chosen = [*ids[:2], *ids[40:42], "stranger"]
    path = tmp_path_factory.mktemp("overrides") / "overrides.csv"
    columns = {
        "lead_id": chosen,
        "stage": ["SQL", "SQL", "none", "none", "MQL"],
        "reason": ["met at the fair", "old customer", "rude", "rude", "=2+2"],
        "author": ["kim"] * 5,
        "made_at": ["2026-11-20"] * 5,
        "expires_at": ["2026-12-01"] * 4 + [""],
    }
    pyarrow.csv.write_csv(pa.table(columns), path)
    return path


@pytest.fixture(scope="module")
def honoured(bundle, leads, overrides, tmp_path_factory):
    out = tmp_path_factory.mktemp("honoured") / "s.parquet"
    summary = predict(bundle, leads, out=out, as_of=AS_OF, overrides=overrides)
    return out, summary


# Overrides


def test_stages_that_people_set_are_honoured_and_the_models_opinion_is_kept(plain, honoured):
    table = pq.read_table(honoured[0])
    rows = [*range(2), *range(40, 42)]
    others = [row for row in range(N_LEADS) if row not in rows]
    assert table["stage"].take(rows).to_pylist() == ["SQL", "SQL", "none", "none"]
    assert table["stage_reason"].take(rows).to_pylist() == [
        "override: met at the fair",
        "override: old customer",
        "override: rude",
        "override: rude",
    ]
    assert table["model_stage"].equals(plain["stage"])
    assert table.take(others).equals(plain.take(others))
    assert plain["model_stage"].equals(plain["stage"])


def test_the_summary_counts_overrides_and_holds_no_words_of_people(honoured):
    done = honoured[1].to_dict()
    assert done["overrides"] == {
        "in_force": 5,
        "never_end": 1,
        "ended": 0,
        "not_yet": 0,
        "replaced": 0,
        "honoured": 4,
        "of_leads_not_scored": 1,
    }
    assert done["by_stage_reason"]["override"] == 4
    manifest = honoured[0].with_name("s.parquet.manifest.json").read_text()
    assert len(json.loads(manifest)["overrides"]) == 64
    assert "rude" not in manifest + json.dumps(done)
    assert "kim" not in manifest


@pytest.mark.parametrize("options", [{"engine": "plain"}, {"threads": 3}, {"reasons": True}])
def test_the_bytes_do_not_depend_on_engine_threads_and_pieces(
    bundle, leads, overrides, tmp_path, monkeypatch, options
):
    cut(monkeypatch, 7)
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    predict(bundle, leads, out=one, as_of=AS_OF, overrides=overrides, threads=1)
    predict(bundle, leads, out=other, as_of=AS_OF, overrides=overrides, **options)
    assert one.read_bytes() == other.read_bytes()


def test_a_table_in_memory_is_scored_as_a_file_is(bundle, leads, overrides, honoured):
    table = score_table(bundle, pyarrow.csv.read_csv(leads), as_of=AS_OF, overrides=overrides)
    assert table["stage_reason"].to_pylist() == pq.read_table(honoured[0])["stage_reason"].to_pylist()


def test_an_override_ends_at_its_end_and_leaves_no_trace(bundle, leads, overrides, honoured, tmp_path):
    later = datetime(2026, 12, 1, tzinfo=UTC)
    after, never = tmp_path / "after.parquet", tmp_path / "never.parquet"
    predict(bundle, leads, out=after, as_of=later, overrides=overrides, previous=honoured[0])
    predict(bundle, leads, out=never, as_of=later)
    assert pq.read_table(after)["stage"].equals(pq.read_table(never)["stage"])


def test_a_changed_override_starts_an_unfinished_job_over(bundle, leads, overrides, tmp_path, monkeypatch):
    cut(monkeypatch, 5)
    out, other = tmp_path / "s.csv", pyarrow.csv.read_csv(overrides).slice(0, 1)

    def stop(n_rows):
        if n_rows > 30:
            raise KeyboardInterrupt

    for table, n_resumed in ((other, 0), (overrides, 20)):
        with pytest.raises(KeyboardInterrupt, match=r"^$"):
            predict(bundle, leads, out=out, as_of=AS_OF, overrides=overrides, threads=1, on_rows=stop)
        summary = predict(bundle, leads, out=out, as_of=AS_OF, overrides=table, threads=1)
        assert summary.resumed_rows == n_resumed


def test_an_output_does_not_replace_the_overrides(bundle, leads, overrides):
    with pytest.raises(InputError, match=r"would replace a file that is read"):
        predict(bundle, leads, out=overrides, as_of=AS_OF, overrides=overrides)


def test_spark_honours_overrides_and_keeps_what_it_scored(
    workspace, leads, overrides, honoured, spark, tmp_path
):
    from leadlift.serving.spark_job import spark_predict

    store = tmp_path / "store"
    options = {"as_of": AS_OF, "overrides": overrides, "store": store, "session": spark}
    summary = spark_predict(workspace.champion, leads, tmp_path / "out", **options)
    assert summary.overrides == honoured[1].overrides
    assert open_score_store(store).scored().equals(pq.read_table(honoured[0]))
    assert open_score_store(store).counts().rows == [N_LEADS, 0]


# Store


@pytest.mark.parametrize("options", [{}, {"profile": "hubspot"}, {"out": "crm.duckdb", "out_table": "t"}])
def test_a_store_keeps_all_rows_in_full_whatever_the_output(bundle, leads, plain, tmp_path, options):
    asked = {"out": "s.csv"} | options
    store = tmp_path / "store"
    for _ in range(2):
        predict(bundle, leads, **asked | {"out": tmp_path / asked["out"]}, as_of=AS_OF, store=store)
    kept = open_score_store(store)
    assert kept.scored().equals(plain)
    assert kept.counts().rows == [N_LEADS, 0]


def test_a_job_that_fails_adds_nothing_and_one_that_goes_on_adds_all(
    bundle, leads, plain, tmp_path, monkeypatch
):
    cut(monkeypatch, 5)
    out, store = tmp_path / "s.csv", tmp_path / "store"

    def stop(n_rows):
        if n_rows > 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        predict(bundle, leads, out=out, as_of=AS_OF, store=store, threads=1, on_rows=stop)
    assert list(store.iterdir()) == []
    summary = predict(bundle, leads, out=out, as_of=AS_OF, store=store, threads=1)
    assert summary.resumed_rows == 20
    assert open_score_store(store).scored().equals(plain)
    assert open_score_store(store).counts().rows == [N_LEADS, 0]


def test_a_store_needs_a_moment(bundle, leads, tmp_path):
    with pytest.raises(ConfigError, match=r"a store needs as_of"):
        predict(bundle, leads, out=tmp_path / "s.csv", store=tmp_path / "store")
    assert list(tmp_path.iterdir()) == []


# Command


def test_the_command_takes_both(workspace, leads, overrides, tmp_path):
    command = ["predict", leads, "--bundle", workspace.champion, "--out", tmp_path / "s.csv"]
    given = ["--overrides", overrides, "--store", tmp_path / "store", "--as-of", AS_OF.isoformat()]
    told = run_ok(*command, *given).out
    assert "4 not by the score alone: override" in told
    assert "1 overrides are of leads that were not scored" in told
    assert "1 overrides in force never end" in told
    assert open_score_store(tmp_path / "store").batches()["n_rows"].to_pylist() == [N_LEADS]


def test_a_bad_override_stops_the_job_before_it_begins(workspace, leads, overrides, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text(overrides.read_text().replace('"rude"', '""'))
    command = ["predict", leads, "--bundle", workspace.champion, "--out", tmp_path / "s.csv"]
    run = run_cli(*command, "--overrides", bad)
    assert run.code == 1
    assert "2 override(s) have no reason" in run.err
    assert not (tmp_path / "s.csv").exists()
