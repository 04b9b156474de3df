"""What docs/batch.md and docs/spark.md tell people to install works, as far as it can be run here."""

import ast
import configparser
import json
import re
import shutil
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from typer.main import get_command

from fenced_blocks import blocks
from leadlift.cli import app
from spark_session import require_spark

ROOT = Path(__file__).parents[1]
BATCH, SPARK = ROOT / "docs" / "batch.md", ROOT / "docs" / "spark.md"
NIGHT_BEFORE = "2026-11-21"


def block_with(page: Path, language: str, words: str) -> str:
    (block,) = (block for block in blocks(page, language) if words in block)
    return block


def commands(text: str) -> list[tuple[str, set[str]]]:
    """Each command of leadlift that a page shows, and its options."""
    joined = text.replace("\\\n", " ")
    found = re.findall(r"(?:leadlift|leadlift_job\.py)\s+(predict|export) (.*)", joined)
    return [(command, set(re.findall(r"(?<!\S)--[a-z-]+", line))) for command, line in found]


@pytest.mark.parametrize("page", [BATCH, SPARK], ids=lambda page: page.name)
def test_every_option_of_every_command_exists(page):
    known = get_command(app).commands
    found = commands(page.read_text())
    assert any({"--bundle", "--out", "--json"} <= named for _, named in found)
    for command, named in found:
        assert named <= {option for parameter in known[command].params for option in parameter.opts}


@pytest.mark.parametrize("page", [BATCH, SPARK], ids=lambda page: page.name)
def test_shell_blocks_parse(page):
    for block in blocks(page, "sh"):
        done = subprocess.run(["sh", "-n"], input=block, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), block


# The nightly script, run


@pytest.fixture
def place(workspace, tmp_path) -> Path:
    """What step 1 of the page leaves, and the script of step 2."""
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "leadlift").symlink_to(Path(sys.executable).with_name("leadlift"))
    (tmp_path / "models").symlink_to(workspace.folder / "models")
    (tmp_path / "new_leads.csv").symlink_to(workspace.new_leads)
    script = tmp_path / "nightly.sh"
    script.write_text(block_with(BATCH, "sh", "# nightly.sh"))
    script.chmod(0o755)
    return tmp_path


def run_night(place: Path) -> dict:
    done = subprocess.run([place / "nightly.sh"], capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert all(json.loads(progress)["event"] for progress in done.stderr.splitlines())
    return json.loads(line)


def test_the_nightly_script_scores_the_day_and_looks_at_the_table_before(place):
    first = run_night(place)
    (table,) = (place / "scored").glob("*.parquet")
    content = table.read_bytes()
    assert first["rows_in"] == first["rows_out"] == pq.read_table(table).num_rows
    assert run_night(place)["as_of"] == first["as_of"]
    assert table.read_bytes() == content
    scores = pq.read_table(table)["score"]
    table.rename(place / "scored" / f"{NIGHT_BEFORE}.parquet")
    assert run_night(place)["not_scored_again"] == 0
    assert pq.read_table(table)["previous_score"].equals(scores)


def test_the_line_of_json_has_the_fields_of_the_page(place):
    told = set(run_night(place))
    table = BATCH.read_text().partition("| field |")[2].partition("\n\n")[0]
    named = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named <= told
    # Those that the page leaves out say the same in another way.
    assert told - named <= {"by_status"}


# The schedules


def test_the_crontab_line_has_five_fields_and_a_command_without_percent():
    (block,) = blocks(BATCH, "crontab")
    fields = block.split(maxsplit=5)
    assert all(re.fullmatch(r"\*|\d+", field) for field in fields[:5])
    assert "%" not in block


def units() -> dict[str, str]:
    """The units of the page by the name in their first line."""
    return {re.match(r"# (\S+)", block).group(1): block for block in blocks(BATCH, "ini")}


def test_the_units_are_what_systemd_reads(tmp_path):
    for name, text in units().items():
        parser = configparser.ConfigParser(strict=True, interpolation=None)
        parser.optionxform = str
        parser.read_string(text)
        assert parser["Unit"]["Description"]
        (tmp_path / name).write_text(text)
    assert set(units()) == {"leadlift-score.service", "leadlift-score.timer"}
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    command = ["systemd-analyze", "verify", "--man=no", *tmp_path.iterdir()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # The script is not where the unit will find it.
    complaints = [line for line in done.stderr.splitlines() if "nightly.sh is not executable" not in line]
    assert [line for line in complaints if "leadlift-score" in line] == []


def test_the_dag_has_one_task_that_runs_the_command():
    tree = ast.parse(block_with(BATCH, "python", "airflow"))
    calls = {
        ast.unparse(node.func): {keyword.arg for keyword in node.keywords}
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    }
    assert {"dag_id", "schedule", "start_date", "catchup", "max_active_runs"} == calls["DAG"]
    assert {"task_id", "bash_command", "retries"} <= calls["BashOperator"]


def test_the_workflow_is_yaml_with_one_job_at_a_time():
    workflow = yaml.safe_load(blocks(BATCH, "yaml")[0])
    # YAML 1.1 reads the key `on` as a boolean.
    assert workflow[True]["schedule"] == [{"cron": "15 2 * * *"}]
    assert workflow["concurrency"] == {"group": "score-leads"}
    assert workflow["permissions"] == {"contents": "read"}
    steps = workflow["jobs"]["score"]["steps"]
    assert sum("leadlift predict" in step.get("run", "") for step in steps) == 1


def test_the_container_copies_what_is_there_checks_hashes_and_is_not_root():
    lines = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY") and "--from" not in line]
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for name in chain.from_iterable(copied):
        assert (ROOT / name).exists()
        assert name in kept
    assert any("--require-hashes -r requirements.lock" in line for line in lines)
    assert [line for line in lines if line.startswith("USER")] == ["USER 10001"]


# Spark


@pytest.mark.slow
def test_the_submitted_job_of_the_page_scores(workspace, tmp_path):
    require_spark()
    import pyspark

    (tmp_path / "leadlift_job.py").write_text(block_with(SPARK, "python", "leadlift_job.py"))
    (tmp_path / "new_leads").mkdir()
    (tmp_path / "new_leads" / "today.csv").symlink_to(workspace.new_leads)
    (tmp_path / "models").symlink_to(workspace.folder / "models")
    command = block_with(SPARK, "sh", "spark-submit")
    tools = Path(pyspark.__file__).parent / "bin"
    environment = {"PATH": f"{tools}:{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    (folder,) = (tmp_path / "scored").iterdir()
    assert told["rows_in"] == pq.read_table(folder).num_rows > 0
