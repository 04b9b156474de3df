"""The command line: what it prints where, how it ends, and what it costs to ask for help."""

import json
import resource
import subprocess
import sys

import pytest

import leadlift
from command_line import run_cli, run_ok
from leadlift.config import read_config

HEAVY = ("numpy", "pandas", "pyarrow", "lightgbm", "mlflow", "shap", "sklearn", "scipy", "duckdb", "optuna")
HELP = [sys.executable, "-m", "leadlift.cli", "--help"]
NOTHING = [sys.executable, "-c", "pass"]
COMMANDS = ("simulate", "init", "check", "train", "predict")


def cpu_seconds(command):
    """CPU of a child process, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def test_help_costs_at_most_sixteen_times_a_bare_interpreter():
    """The least of several alternating runs: noise only ever adds. To list the commands typer builds all."""
    pairs = [(cpu_seconds(HELP), cpu_seconds(NOTHING)) for _ in range(5)]
    assert min(cost for cost, _ in pairs) <= 16 * min(cost for _, cost in pairs)


def test_help_loads_nothing_heavy():
    program = (
        "import sys\nsys.argv = ['leadlift', '--help']\nfrom leadlift.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(','.join(sorted(sys.modules)), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert not set(HEAVY) & set(run.stderr.split(","))


def test_help_lists_the_commands_and_each_has_its_own():
    listed = run_ok("--help").out
    for command in COMMANDS:
        assert command in listed
        assert run_ok(command, "--help").out.startswith("Usage: leadlift")


def test_the_installed_command_ends_with_the_code_of_the_error(tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "leadlift.cli", "check", str(tmp_path / "no.toml")],
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    assert run.stdout == ""
    assert "no.toml: no such file" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["predict"],
        ["predict", "new.csv"],
        ["simulate", "--n", "few"],
        ["simulate", "--n", "3"],
        ["train", "--trials", "-1"],
    ],
)
def test_bad_usage_ends_with_2(arguments):
    run = run_cli(*arguments)
    assert run.code == 2
    assert run.out == ""
    assert "Usage" in run.err


def test_a_moment_that_is_none_is_bad_usage(workspace, tmp_path):
    run = run_cli(
        "predict",
        workspace.new_leads,
        "--out",
        tmp_path / "o.csv",
        "--bundle",
        workspace.champion,
        "--as-of",
        "noon",
    )
    assert run.code == 2
    assert "--as-of takes a moment such as 2026-11-22T06:00:00+00:00, got 'noon'" in run.err


def test_json_of_check_is_one_document_and_progress_is_elsewhere(workspace):
    run = run_cli("check", workspace.config, "--json")
    assert run.code == 1  # the simulated CRM holds columns written after the outcome
    findings = json.loads(run.out)
    assert {"LL116", "LL120"} <= {finding["code"] for finding in findings}
    assert "Reading and checking the leads" in run.err


def test_json_of_predict_is_one_document(workspace, tmp_path):
    run = run_ok(
        "predict",
        workspace.new_leads,
        "--out",
        tmp_path / "o.parquet",
        "--bundle",
        workspace.champion,
        "--json",
    )
    assert run.out.count("\n") == 1
    printed = json.loads(run.out)
    assert printed["rows_in"] == printed["by_status"]["scored"]
    assert printed["out"] == str(tmp_path / "o.parquet")
    assert "Scoring" in run.err


def test_json_of_train_is_strict(workspace):
    assert json.loads(json.dumps(workspace.printed, allow_nan=False)) == workspace.printed


def test_predict_says_in_words_what_it_did(workspace, tmp_path):
    run = run_ok("predict", workspace.new_leads, "--out", tmp_path / "o.csv", "--bundle", workspace.champion)
    assert "leads read" in run.out
    assert f"Wrote {tmp_path / 'o.csv'}" in run.out


def test_check_says_in_words_what_to_do(workspace):
    run = run_cli("check", workspace.config)
    assert run.code == 1
    assert "known_at_creation" in run.out
    assert 'ignore = ["' in run.out


def test_the_gate_ends_training_with_1_and_lines_to_paste(workspace, tmp_path):
    run = run_cli("train", workspace.config, "--models", tmp_path / "models")
    assert run.code == 1
    assert run.out == ""
    line = next(line for line in run.err.splitlines() if line.startswith("ignore = "))
    assert "sales_stage" in json.loads(line.removeprefix("ignore = "))
    assert not (tmp_path / "models").exists()


def test_no_honest_cut_off_ends_with_3_and_nothing_written(workspace, tmp_path):
    text = workspace.config.read_text()
    config = tmp_path / "leadlift.toml"
    before, _, after = text.partition("[cutoff.mql]")
    policy = '[cutoff.mql]\npolicy = "precision_guarantee"\ntarget = 0.97\n'
    assert after
    config.write_text(before.replace('leads = "leads.csv"', f'leads = "{workspace.leads}"') + policy)
    run = run_cli("train", config, "--leave-out-suspects")
    assert run.code == 3
    assert run.out == ""
    assert "No honest cut-off" in run.err
    assert "what can be promised" in run.err
    assert [path.name for path in tmp_path.iterdir()] == ["leadlift.toml"]


def test_init_keeps_a_configuration_that_exists_unless_forced(workspace, tmp_path):
    config = tmp_path / "leadlift.toml"
    config.write_text("mine")
    run = run_cli("init", workspace.leads, "--out", config)
    assert run.code == 1
    assert "pass --force to overwrite it or --out to write elsewhere" in run.err
    assert config.read_text() == "mine"
    run_ok("init", workspace.leads, "--out", config, "--force")
    assert "[schema]" in config.read_text()


def test_init_looks_at_events_and_change_log_too(workspace, tmp_path):
    config = tmp_path / "leadlift.toml"
    run = run_ok(
        "init",
        workspace.leads,
        "--events",
        workspace.folder / "events.parquet",
        "--history",
        workspace.folder / "history.parquet",
        "--out",
        config,
    )
    assert f"Wrote {config}" in run.out
    found = read_config(config)
    assert found.roles.events.event_type == "event_type"
    assert found.roles.history.changed_at == "changed_at"
    assert found.observations.at_days == (0, 7, 14, 30)


def test_init_ends_with_1_and_writes_nothing_where_events_are_of_other_leads(workspace, tmp_path):
    events = tmp_path / "events.csv"
    events.write_text("lead_id,occurred_at,event_type\nX1,2026-01-01,visit\n")
    run = run_cli("init", workspace.leads, "--events", events, "--out", tmp_path / "leadlift.toml")
    assert run.code == 1
    assert "no row bears the id of a lead" in run.err
    assert [path.name for path in tmp_path.iterdir()] == ["events.csv"]


def test_a_name_with_terminal_codes_is_shown_escaped(capsys):
    from leadlift.cli.printing import print_table

    print_table("t", ["a"], [["\x1b[31mred\u202e [bold]x[/bold]"]])
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "[bold]x[/bold]" in shown


@pytest.mark.parametrize("name", leadlift.__all__)
def test_every_public_name_is_there(name):
    assert getattr(leadlift, name) is not None


def test_public_names_stand_once_and_dir_lists_them():
    assert len(set(leadlift.__all__)) == len(leadlift.__all__)
    assert dir(leadlift) == sorted(leadlift.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'leadlift' has no attribute 'oracle'"):
        _ = leadlift.oracle


def test_importing_leadlift_loads_nothing_and_writes_nothing(tmp_path):
    program = "import sys, leadlift; print(','.join(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    loaded = run.stdout.strip().split(",")
    assert not set(HEAVY) & set(loaded)
    assert [name for name in loaded if name.startswith("leadlift.")] == []
    assert not list(tmp_path.iterdir())
