"""``leadlift explain`` says why, or says which lead it cannot explain and ends with 1."""

import json

import pyarrow.csv
import pytest

from command_line import run_cli, run_ok


@pytest.fixture(scope="module")
def ids(workspace):
    return pyarrow.csv.read_csv(workspace.new_leads)["lead_id"].to_pylist()


def explain(workspace, *arguments):
    return run_cli("explain", workspace.new_leads, "--bundle", workspace.champion, *arguments)


def test_leads_are_told_in_lines(workspace, ids):
    run = explain(workspace, "--lead-id", ids[2], "--lead-id", ids[0])
    assert run.code == 0, run.err
    assert [line.split(":")[0] for line in run.out.splitlines() if line.startswith("Lead ")] == [
        f"Lead {ids[0]}",
        f"Lead {ids[2]}",
    ]
    assert run.out.count("Everything else: ") == 2
    assert run.out.endswith("2 scored\n")


def test_without_ids_the_first_ten_are_told(workspace, ids):
    run = run_ok("explain", workspace.new_leads, "--bundle", workspace.champion, "--json")
    assert [lead["lead_id"] for lead in json.loads(run.out)["leads"]] == ids[:10]


def test_a_lead_that_cannot_be_explained_is_named_and_ends_with_1(workspace, ids):
    run = explain(workspace, "--lead-id", ids[0], "--lead-id", "nobody", "--json")
    assert run.code == 1
    assert "Lead 'nobody' cannot be explained: no row of the leads has this id (not_found)" in run.err
    assert json.loads(run.out)["by_status"] == {"scored": 1, "not_found": 1}


def test_reasons_are_written(workspace, ids, tmp_path):
    run = explain(workspace, "--lead-id", ids[0], "--out", tmp_path / "reasons.csv", "--most-reasons", 2)
    assert run.code == 0, run.err
    written = pyarrow.csv.read_csv(tmp_path / "reasons.csv")
    assert written["rank"].to_pylist() == [1, 2, None]


def test_bad_usage_ends_with_2(workspace):
    run = explain(workspace, "--as-of", "noon")
    assert run.code == 2
    assert "--as-of takes a moment such as" in run.err


def test_a_column_that_nobody_can_change_is_bad_input(workspace):
    run = explain(workspace, "--actionable", "no such")
    assert run.code == 1
    assert "actionable names 'no such', which are no inputs" in run.err
