"""`leadlift models`, `promote`, `rollback` and `cutoff --save` on the registry, as typed."""

import json
import re
import shutil
from pathlib import Path

import pytest

from command_line import run_cli, run_ok
from leadlift.lifecycle.registry import Registry
from leadlift.serving.bundle import ModelBundle


@pytest.fixture
def models(registry):
    return registry.champion.parent


def test_models_shows_roles_and_ends_with_zero_where_all_agree(models, registry):
    out = run_ok("models", "--models", models).out
    for role, version in registry.state().to_dict().items():
        assert re.search(rf"{version}\s+{role}", out)
    told = json.loads(run_ok("models", "--models", models, "--audit", "--json").out)
    assert {role: told[role] for role in ("champion", "challenger", "previous")} == registry.state().to_dict()
    assert [row["action"] for row in told["audit"]] == ["promote", "promote", "register"]


def test_promote_and_rollback_say_what_serves_and_who_did_it(models, registry):
    before = registry.state()
    out = run_ok("promote", "challenger", "--why", "more wins", "--models", models, "--by", "bob").out
    assert out == f"{models}/champion is version {before.challenger}, before {before.champion}\n"
    record = json.loads(run_ok("rollback", "--why", "complaints", "--models", models, "--json").out)
    assert (record["to_version"], record["why"]) == (before.champion, "complaints")
    assert record["by"]
    assert record["at"].endswith("+00:00")
    assert registry.audit()["by"].to_pylist()[3] == "bob"
    shown = run_ok("models", "--models", models, "--audit").out
    assert "more wins" in shown
    assert "complaints" in shown


def test_a_disagreement_ends_with_three_until_it_is_repaired(models, registry):
    state = registry.state()
    registry.champion.unlink()
    registry.champion.symlink_to(f"versions/{state.challenger}")
    run = run_cli("models", "--models", models)
    assert run.code == 3
    assert "LL272" in run.out
    refused = run_cli("promote", state.champion, "--why", "x", "--models", models)
    assert refused.code == 1
    assert "nothing was promoted" in refused.err
    run_ok("models", "--models", models, "--repair", "--why", "moved by hand")
    run_ok("promote", state.champion, "--why", "x", "--models", models)


def test_prune_removes_versions_without_a_role_only(models):
    run = run_ok("models", "--models", models, "--prune", 1, "--json")
    assert json.loads(run.out)["removed"] == []
    assert run_cli("models", "--models", models, "--prune", 0).code == 2


def test_bad_usage_and_a_missing_folder_are_told(models, tmp_path):
    assert run_cli("promote", "challenger", "--models", models).code == 2
    assert run_cli("rollback", "--models", models).code == 2
    run = run_cli("models", "--models", tmp_path / "nowhere")
    assert run.code == 1
    assert "no such folder; `leadlift train` makes it" in run.err


def test_training_puts_the_champion_in_the_registry_and_another_cutoff_too(workspace, tmp_path):
    models = Path(shutil.copytree(workspace.champion.parent, tmp_path / "models", symlinks=True))
    registry = Registry(models)
    trained = registry.state().champion
    assert registry.verify() == ()
    (row,) = registry.audit().to_pylist()
    assert (row["action"], row["to_version"], row["from_version"]) == ("train", trained, None)
    assert row["data_sha256"] == ModelBundle.load(workspace.champion).provenance["data_sha256"]

    asked = ("--policy", "capacity", "--per-week", 3, "--save", "--why", "two sellers")
    run_ok("cutoff", models / "champion", *asked)
    assert registry.verify() == ()
    assert registry.state().previous == trained
    last = registry.audit().to_pylist()[-1]
    assert (last["action"], last["why"]) == ("cutoff", "two sellers")
    run_ok("rollback", "--why", "three sellers again", "--models", models)
    assert ModelBundle.load(models / "champion").version == trained
