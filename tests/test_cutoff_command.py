"""`leadlift cutoff`: the sheet, another cut-off beside the present one, and saving it."""

import json
import re
import shutil
from pathlib import Path

import pytest

from command_line import run_cli, run_ok
from leadlift.serving.bundle import ModelBundle


@pytest.fixture
def copy(workspace, tmp_path):
    return Path(shutil.copytree(workspace.champion, tmp_path / "champion"))


def test_it_prints_the_sheet_and_the_present_cutoffs_with_confidence_and_evidence(workspace):
    out = run_ok("cutoff", workspace.champion).out
    printed = workspace.printed
    assert "What each cut-off would do" in out
    assert "hold with 95% confidence for all rows at once" in out
    assert f"on the evidence of {printed['mql']['n_evidence']:,} leads" in out
    assert printed["mql"]["promise"] in out
    assert printed["sql"]["promise"] in out


def test_a_policy_stands_beside_the_present_cutoff(workspace):
    out = run_ok("cutoff", workspace.champion, "--policy", "capacity", "--per-week", 3).out
    assert "MQL now" in out
    assert "MQL then" in out
    assert "What each cut-off would do" not in out
    assert (
        "What each cut-off would do"
        in run_ok("cutoff", workspace.champion, "--policy", "capacity", "--per-week", 3, "--compare").out
    )


def test_a_policy_that_draws_the_same_line_changes_nothing(workspace):
    same = ["--policy", "fixed_threshold", "--threshold", 0.3, "--stage", "sql"]
    out = run_ok("cutoff", workspace.champion, *same).out
    assert "Nothing would change" in out
    assert "then" not in out.replace("Nothing would change: the policy draws the same line", "")


def test_several_policies_are_to_agree(workspace):
    asked = ["--policy", "fixed_threshold", "--threshold", 0.1, "--policy", "capacity", "--per-week", 3]
    printed = json.loads(run_ok("cutoff", workspace.champion, *asked, "--json").out)
    alone = json.loads(
        run_ok("cutoff", workspace.champion, "--policy", "capacity", "--per-week", 3, "--json").out
    )
    assert printed["then"]["mql"]["policy"].startswith("all of: fixed threshold 0.1; capacity 3 a week")
    assert printed["then"]["mql"]["threshold"] == max(0.1, alone["then"]["mql"]["threshold"])


def test_json_is_one_document_with_the_sheet(workspace):
    run = run_ok(
        "cutoff", workspace.champion, "--json", "--rows", 5, "--win-value", 900, "--contact-cost", 40
    )
    printed = json.loads(run.out)
    assert len(printed["sheet"]) == 5
    assert printed["sheet"][0]["value_per_week"] is not None
    assert printed["model_version"] == workspace.printed["model_version"]
    assert printed["now"]["mql"] == workspace.printed["mql"]
    assert (printed["then"], printed["saved_version"]) == (None, None)


def test_nothing_is_written_unless_asked_for(copy):
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    run_ok("cutoff", copy, "--policy", "fixed_threshold", "--threshold", 0.1)
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before


def test_saved_the_bundle_has_the_cutoff_and_remembers_the_version_before(copy, workspace):
    out = run_ok(
        "cutoff", copy, "--policy", "fixed_threshold", "--threshold", 0.4, "--stage", "sql", "--save"
    ).out
    saved, before = ModelBundle.load(copy), workspace.printed["model_version"]
    assert f"(version {saved.version}, made from {before})" in out
    assert saved.sql_cutoff.threshold == 0.4
    change = saved.provenance["cutoff_changes"][0]
    assert (change["stage"], change["previous_version"]) == ("SQL", before)
    assert change["changed_at"]


def test_files_and_picture_are_written(workspace, tmp_path):
    for name in ("sheet.csv", "sheet.md"):
        run_ok("cutoff", workspace.champion, "--out", tmp_path / name, "--plot", tmp_path / "p" / "sheet.png")
    assert (tmp_path / "sheet.csv").read_text().startswith('"threshold"')
    assert (tmp_path / "sheet.md").read_text().startswith("| score from |")
    assert (tmp_path / "p" / "sheet.png").read_bytes()[1:4] == b"PNG"


def test_training_leaves_sheet_and_picture_beside_its_figures(workspace):
    figures = workspace.champion.parent / "figures"
    assert {"agreement.png", "agreement.csv", "agreement.md"} <= {path.name for path in figures.iterdir()}


def test_a_promise_that_cannot_be_kept_ends_with_3_and_the_best_that_can(copy):
    before = copy.joinpath("bundle.json").read_bytes()
    run = run_cli("cutoff", copy, "--policy", "precision_guarantee", "--target", 0.97, "--save")
    assert run.code == 3
    assert run.out == ""
    assert "No honest cut-off" in run.err
    assert "what can be promised" in run.err
    assert copy.joinpath("bundle.json").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--policy", "luck"], "no cut-off policy is called 'luck'"),
        (
            ["--policy", "capacity", "--share", 0.2],
            "--share says nothing to the policies .* capacity takes",
        ),
        (["--policy", "precision_guarantee"], "policy 'precision_guarantee' takes"),
        (["--policy", "capacity", "--per-week", 0], "per_week > 0, got 0"),
        (["--policy", "value", "--win-value", 1, "--contact-cost", -2], "contact_cost must be .* got -2"),
        (["--confidence", 2], r"confidence must lie in \(0.5, 1\), got 2"),
        (["--out", "sheet.xlsx"], "written as .csv or .md"),
    ],
)
def test_impossible_demands_end_with_1_and_say_why(workspace, options, message):
    run = run_cli("cutoff", workspace.champion, *options)
    assert (run.code, run.out) == (1, "")
    assert re.search(message, run.err)


@pytest.mark.parametrize(
    "options",
    [["--save"], ["--plot", "sheet.jpg"], ["--stage", "lead"], ["--per-week", "many"], ["--rows", 0]],
)
def test_bad_usage_ends_with_2(workspace, options):
    run = run_cli("cutoff", workspace.champion, *options)
    assert (run.code, run.out) == (2, "")
    assert "Usage" in run.err


def test_a_folder_that_is_no_bundle_ends_with_1(tmp_path):
    run = run_cli("cutoff", tmp_path)
    assert run.code == 1
    assert "no model bundle" in run.err
