"""A job may be killed at any moment: run again, it ends with the same bytes and leaves nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def leads(workspace, tmp_path_factory):
    """Two shards of twelve rows and half a third one."""
    path = tmp_path_factory.mktemp("killed") / "new.parquet"
    pd.read_csv(workspace.new_leads).head(30).to_parquet(path)
    return path


def test_a_job_killed_at_anything_it_does_on_disk_ends_the_same_when_run_again(workspace, leads, tmp_path):
    script = [sys.executable, str(TESTS / "killed_jobs.py"), workspace.champion, leads, tmp_path]
    found = subprocess.run(list(map(str, script)), capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    told = json.loads(found.stdout)
    assert told["wrong"] == []
    assert told["killed"] > 20


def test_a_job_killed_at_random_moments_ends_the_same_when_run_again(workspace, leads, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(TESTS.parent / "benchmarks"))
    import kills

    out = tmp_path / "s.csv"
    options = ("--bundle", str(workspace.champion), "--as-of", kills.AS_OF, "--no-reasons", "--threads", "1")
    command = (sys.executable, "-m", "leadlift.cli", "predict", str(leads), "--out", str(out), *options)
    found = kills.kill_and_rerun(kills.Job(command, out), n_jobs=2)
    assert (found.n_jobs, found.n_correct) == (2, 2)
