"""A change of the registry may be killed at any of its steps, and several may run at once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from leadlift.lifecycle.registry import Registry
from leadlift.serving.bundle import ModelBundle

SCRIPT = Path(__file__).parents[1] / "registry_processes.py"


def run(what, template, folder):
    command = [sys.executable, str(SCRIPT), what, str(template), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) | {"said": done.stderr}


@pytest.mark.slow
@pytest.mark.parametrize(("change", "least_kills"), [("promote", 15), ("rollback", 15)])
def test_a_change_killed_at_anything_it_does_leaves_a_champion_that_serves_and_a_registry_that_repairs(
    change, least_kills, registry_template, tmp_path
):
    done = run(change, registry_template, tmp_path)
    assert done["wrong"] == [], done["said"]
    assert done["killed"] >= least_kills


def test_changes_at_once_wait_for_each_other_and_the_champion_loads_throughout(registry_template, tmp_path):
    done = run("at_once", registry_template, tmp_path)
    assert set(done["codes"]) == {0}, done["said"]
    registry = Registry(tmp_path / "models")
    assert registry.verify() == ()
    # Twelve rollbacks bring the champion back to where it was.
    assert registry.state() == Registry(registry_template).state()
    assert registry.audit().num_rows == Registry(registry_template).audit().num_rows + 12
    assert ModelBundle.load(tmp_path / "models" / "champion").version == registry.state().champion
