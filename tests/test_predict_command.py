"""`leadlift predict` tells machines how far it is and what it did, and refuses what makes no sense."""

import json
import re

import pyarrow as pa
import pyarrow.csv
import pytest

from command_line import run_cli, run_ok
from small_shards import cut


@pytest.fixture
def command(workspace, tmp_path):
    return ["predict", workspace.new_leads, "--bundle", workspace.champion, "--out", tmp_path / "s.csv"]


def test_one_line_of_json_says_what_was_done(command, workspace):
    printed = run_ok(*command, "--json").out
    told = json.loads(printed)
    assert printed.count("\n") == 1
    assert told["rows_in"] == told["rows_out"] == told["scored"] + sum(told["unscored"].values())
    assert told["mql"] + told["sql"] + told["by_stage"]["none"] == told["scored"]
    assert {"drift", "unseen", "seconds", "rows_per_second", "model_version", "as_of", "engine"} <= set(told)


def test_the_columns_that_drifted_most_are_named(workspace, command, tmp_path):
    table = pyarrow.csv.read_csv(workspace.new_leads)
    changed = ("employees", "industry", "seniority", "region", "source", "campaign")
    for name in changed:
        same = pa.repeat(7 if name == "employees" else "another", len(table))
        table = table.set_column(table.column_names.index(name), name, same)
    pyarrow.csv.write_csv(table, tmp_path / "other.csv")
    printed = run_ok("predict", tmp_path / "other.csv", *command[2:]).out
    assert re.search(
        r"\d columns are not distributed as at training, .*: '\w+' \d+\.\d\d, .* and \d more", printed
    )


def test_progress_may_be_lines_of_json(command, monkeypatch):
    cut(monkeypatch, 20)
    monkeypatch.setattr("leadlift.cli.progress.EVERY_SECONDS", 0.0)
    lines = [json.loads(line) for line in run_ok(*command, "--log", "json").err.splitlines()]
    assert {line["event"] for line in lines} == {"progress"}
    rows = [line["rows"] for line in lines]
    assert rows == sorted(rows)
    assert len(rows) > 2


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--log", "xml"], 2, "--log takes bar or json, got 'xml'"),
        (["--engine", "warp"], 1, "engine: expected one of auto, fast, plain, got 'warp'"),
        (["--engine", "spark", "--profile", "hubspot"], 2, "--engine spark does not take --profile"),
        (["--changed-only", "stage"], 1, "changed_only needs previous"),
        (["--as-of", "2001-01-01"], 1, "is the clock wrong?"),
    ],
)
def test_what_makes_no_sense_is_refused(command, tmp_path, options, code, message):
    run = run_cli(*command, *options)
    assert run.code == code
    assert message in run.err
    assert list(tmp_path.iterdir()) == []


def test_without_reasons_columns_that_say_why_are_empty(command, tmp_path):
    run_ok(*command, "--no-reasons")
    header, first, *_ = (tmp_path / "s.csv").read_text().splitlines()
    cells = dict(zip(header.replace('"', "").split(","), first.split(","), strict=True))
    assert cells["score"]
    assert not cells["reason_1"] + cells["fit"] + cells["base"]
