"""`leadlift history` and `leadlift overrides` tell what a store holds."""

import json
import shlex
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pytest

import leadlift as ll
from command_line import run_cli, run_ok
from fenced_blocks import blocks
from leadlift.serving.score_store import open_score_store
from scored_tables import NOW, scored_row, scored_table

PAGE = Path(__file__).parents[1] / "docs" / "history.md"
FAMILIES = {"fit": 0.0, "intent": 0.0, "source": 0.0, "other": 0.0}


def row(lead_id, day, engagement, stage="none", **told):
    known = {"base": 0.2, "engagement": engagement, "stage": stage, "as_of": NOW + timedelta(days=day)}
    return scored_row(lead_id, 0.2 + engagement, **known | FAMILIES | told)


@pytest.fixture
def store(tmp_path):
    place = tmp_path / "store"
    open_score_store(place).add(
        scored_table(
            row("up", 0, 0.1),
            row("up", 1, 0.3, "MQL", reason_1="visits: 9, +28 points"),
            row("steady", 0, 0.1),
            row("steady", 1, 0.1),
            row("set", 0, 0.1),
            row("set", 1, 0.1, "SQL", stage_reason="override: met at the fair", model_stage="none"),
            row("=down", 0, 0.3, "MQL"),
            row("=down", 1, 0.1),
        )
    )
    return place


def test_leads_that_moved_most_come_first_with_what_moved_them(store):
    told = run_ok("history", store).out
    assert "4 leads: 1 down, 2 steady, 1 up; crossed a line: 1 down, 2 up" in told
    lines = [line for line in told.splitlines() if "MQL" in line]
    assert "none → MQL" in told
    assert "engagement +20.0" in told
    assert "visits: 9" in told
    assert "override: met at the fair" in told
    assert len(lines) == 2


def test_one_lead_is_told_scoring_by_scoring(store):
    told = run_ok("history", store, "--lead", "up").out
    assert "2 scorings: 1 new, 1 up; crossed a line: 1 up" in told
    assert "2026-11-23 06:00" in told


def test_lines_crossed_are_written_so_that_no_spreadsheet_runs_them(store, tmp_path):
    out = tmp_path / "crossed.csv"
    run_ok("history", store, "--crossed", "--since", NOW.isoformat(), "--out", out)
    text = out.read_text()
    assert [line.split(",")[0] for line in text.splitlines()[1:]] == ['"set"', '"up"', '"\'=down"']
    assert "previous_stage" in text.splitlines()[0]


def test_json_is_one_line_with_the_counts_and_the_first_rows(store):
    printed = run_ok("history", store, "--rows", "1", "--json").out
    told = json.loads(printed)
    assert printed.count("\n") == 1
    assert (told["n_rows"], told["trend"], told["crossed"]) == (
        4,
        {"down": 1, "steady": 2, "up": 1},
        {"down": 1, "up": 2},
    )
    assert told["rows"][0]["lead_id"] == "=down"
    assert told["rows"][0]["as_of"] == "2026-11-23T06:00:00+00:00"


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--lead", "nobody"], 1, "no score of lead 'nobody'"),
        (["--since", "yesterday"], 2, "--since takes a moment such as"),
        (["--out", "s.xlsx"], 1, "must end in .csv or .parquet"),
    ],
)
def test_what_makes_no_sense_is_refused(store, options, code, message):
    run = run_cli("history", store, *options)
    assert run.code == code
    assert message in run.err


def test_a_store_that_is_not_there_is_said_to_be_missing(tmp_path):
    run = run_cli("history", tmp_path / "nowhere")
    assert run.code == 1
    assert "there is no store of scores; `leadlift predict --store` makes one" in run.err


def test_overrides_are_checked_and_judged(workspace, store, tmp_path):
    table, outcomes = tmp_path / "overrides.csv", tmp_path / "outcomes.csv"
    said = {"lead_id": ["set"], "stage": ["SQL"], "reason": ["met at the fair"], "author": ["kim"]}
    pyarrow.csv.write_csv(pa.table(said | {"made_at": ["2026-11-22"]}), table)
    leads = pyarrow.csv.read_csv(workspace.leads).slice(0, 1)
    pyarrow.csv.write_csv(
        leads.set_column(leads.column_names.index("lead_id"), "lead_id", [["set"]]), outcomes
    )
    command = ["overrides", table, "--store", store, "--bundle", workspace.champion]
    told = run_ok(*command, "--outcomes", outcomes).out
    assert "LL240" in told
    assert "kim" in told
    known = json.loads(run_ok(*command, "--json").out)
    assert [(row["direction"], row["n_overrides"]) for row in known["quality"]] == [("up", 1)]
    assert [finding["code"] for finding in known["findings"]] == ["LL240"]


# The page


@pytest.fixture
def night(workspace, tmp_path, monkeypatch):
    """Where a user stands: a model, leads, new leads, and a row of overrides."""
    for name in ("models", "leads.csv", "new_leads.csv"):
        (tmp_path / name).symlink_to(workspace.folder / name)
    lead = pyarrow.csv.read_csv(workspace.new_leads)["lead_id"][0].as_py()
    header = "lead_id,stage,reason,author,made_at"
    (tmp_path / "overrides.csv").write_text(f"{header}\n{lead},SQL,met at the fair,kim,2026-11-20\n")
    monkeypatch.chdir(tmp_path)
    return lead


def test_the_commands_of_the_page_run_one_after_the_other(night):
    lines = "\n".join(blocks(PAGE, "sh")).replace("L03600", night).split("\n")
    codes = {line: run_cli(*shlex.split(line, comments=True)[1:]).code for line in filter(None, lines)}
    assert len(codes) >= 7
    # 3: it worked, and somebody must act.
    assert {line for line, code in codes.items() if code not in {0, 3}} == set()


def test_the_python_of_the_page_runs(night):
    names = {"ll": ll, "now": NOW, "new_leads": pyarrow.csv.read_csv("new_leads.csv")}
    for block in blocks(PAGE, "python"):
        exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102
    assert (
        names["scored"]["status"].to_pylist().count("scored") == names["store"].batches()["n_rows"][0].as_py()
    )


def test_every_column_of_the_tables_is_explained():
    from leadlift.lifecycle.monitoring.override_quality import QUALITY_SCHEMA
    from leadlift.serving.history.movement import MOVEMENT_SCHEMA
    from leadlift.serving.override_table import OVERRIDE_SCHEMA

    text = PAGE.read_text() + (PAGE.parent / "guide.md").read_text()
    told = ("previous_as_of", "previous_stage", "previous_model_version")
    names = {*MOVEMENT_SCHEMA.names, *OVERRIDE_SCHEMA.names, *QUALITY_SCHEMA.names}
    assert {name for name in names - {*told} if f"`{name}`" not in text} == set()
