"""The registry: the folder serves, MLflow and the audit log say the same, and where they do not it shows."""

import errno
import json
import os
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import mlflow
import pytest

from leadlift.config.tracking import server_address
from leadlift.exceptions import BundleError, ConfigError, InputError, RegistryError
from leadlift.lifecycle.registry import Registry, RegistryState
from leadlift.lifecycle.registry.saving import save_changed
from leadlift.lifecycle.tracking import tracking_uri
from leadlift.serving.bundle import ModelBundle
from leadlift.terms import Severity
from registry_folders import AT, WHO
from small_bundles import made_up_leads, versions_of


def models_of(registry):
    return registry.champion.parent


def codes(findings):
    return [finding.code for finding in findings]


def serving(registry):
    return ModelBundle.load(registry.champion).version


def aliases(registry):
    """Bundle version by alias, as MLflow says."""
    client = mlflow.MlflowClient(registry.store.uri, registry.store.uri)
    found = client.get_registered_model("leadlift").aliases
    return {a: client.get_model_version("leadlift", n).tags["bundle_version"] for a, n in found.items()}


def roles(registry):
    """Bundle version by role that a bundle has."""
    return {role: version for role, version in registry.state().to_dict().items() if version}


def point_mlflow(registry, alias, version):
    """Move an alias as somebody would in the browser."""
    client = mlflow.MlflowClient(registry.store.uri, registry.store.uri)
    found = client.search_model_versions(f"name = 'leadlift' and tags.bundle_version = '{version}'")
    client.set_registered_model_alias("leadlift", alias, found[0].version)


def alter(folder):
    path = folder / "encoder.json"
    path.write_text(path.read_text() + " ")


# Promotion and rollback


def test_a_promotion_moves_folder_aliases_and_audit_log_together(registry):
    before = registry.state()
    record = registry.promote("challenger", **WHO, why="more wins", expected_champion=before.champion)
    assert serving(registry) == before.challenger
    assert registry.state() == RegistryState(before.challenger, None, before.champion)
    assert aliases(registry) == {"champion": before.challenger, "previous": before.champion}
    assert registry.verify() == ()
    last = registry.audit().to_pylist()[-1]
    assert (last["number"], last["at"], last["by"], last["why"]) == (4, AT, "ann", "more wins")
    assert (last["action"], last["from_version"], last["to_version"]) == (
        "promote",
        before.champion,
        before.challenger,
    )
    assert last["data_sha256"] == "data 3" == record.data_sha256


def test_a_rollback_brings_the_previous_champion_back_and_a_second_one_undoes_it(registry):
    before = registry.state()
    registry.rollback(**WHO, why="complaints")
    assert (serving(registry), registry.state().previous) == (before.previous, before.champion)
    registry.rollback(**WHO, why="they were wrong")
    assert registry.state() == before
    assert registry.verify() == ()


def test_the_champion_is_a_relative_link_so_that_the_folder_may_be_moved(registry, tmp_path):
    assert registry.champion.readlink() == Path("versions", registry.state().champion)
    moved = Registry(models_of(registry).rename(tmp_path / "elsewhere"))
    moved.rollback(**WHO)
    assert serving(moved) == moved.state().champion
    assert moved.verify() == ()


def test_the_audit_log_is_only_added_to(registry):
    log = models_of(registry) / "audit.jsonl"
    before = log.read_bytes()
    registry.rollback(**WHO)
    assert log.read_bytes().startswith(before)
    assert [json.loads(line)["action"] for line in log.read_text().splitlines()] == [
        "promote",
        "promote",
        "register",
        "rollback",
    ]


def test_mlflow_loads_the_champion_by_its_alias_and_scores_as_the_folder(registry):
    before = mlflow.get_tracking_uri()
    try:
        mlflow.set_tracking_uri(tracking_uri(models_of(registry)))
        model = mlflow.pyfunc.load_model("models:/leadlift@champion")
    finally:
        mlflow.set_tracking_uri(before)
    assert set(model.predict(made_up_leads(5))["model_version"]) == {serving(registry)}


def test_a_model_is_registered_once_and_keeps_its_parent(registry):
    state = registry.state()
    registry.register(registry.folder("challenger"), **WHO)
    registry.promote(state.champion, **WHO)
    client = mlflow.MlflowClient(registry.store.uri, registry.store.uri)
    by_version = {v.tags["bundle_version"]: v for v in client.search_model_versions("name = 'leadlift'")}
    assert len(by_version) == len(client.search_model_versions("name = 'leadlift'")) == 3
    assert by_version[state.challenger].tags["parent_champion"] == state.champion
    assert registry.state() == state


def test_the_figures_of_a_challenger_stand_beside_those_of_the_champion(registry, small_bundle):
    quality = [{"model": "leadlift", "auc": 0.75, "log_loss": None}, {"model": "base rate", "auc": 0.5}]
    measured = replace(small_bundle, provenance=small_bundle.provenance | {"quality": quality})
    version = registry.register(measured, **WHO)
    client = mlflow.MlflowClient(registry.store.uri, registry.store.uri)
    (registered,) = client.search_model_versions(f"tags.bundle_version = '{version}'")
    logged = client.get_run(registered.run_id).data.metrics
    assert logged["test_auc"] == 0.75
    assert logged["mql_threshold"] == small_bundle.mql_cutoff.threshold
    assert "test_log_loss" not in logged


def test_a_challenger_compared_with_another_champion_is_not_promoted(registry):
    compared_with = registry.state().champion
    registry.rollback(**WHO)
    with pytest.raises(RegistryError, match=rf"the champion is .*, expected {compared_with}.*compare again"):
        registry.promote("challenger", **WHO, expected_champion=compared_with)


@pytest.mark.parametrize("role", ["challenger", "previous"])
def test_a_damaged_bundle_is_never_put_in_service(registry, role):
    before = serving(registry)
    alter(registry.folder(role))
    change = {
        "challenger": lambda: registry.promote(role, **WHO),
        "previous": lambda: registry.rollback(**WHO),
    }
    with pytest.raises(BundleError, match=r"encoder.json was altered"):
        change[role]()
    assert serving(registry) == before == aliases(registry)["champion"]
    assert codes(registry.verify()) == ["LL273"]


def test_unknown_versions_and_roles_without_a_model_are_named(registry, tmp_path):
    with pytest.raises(BundleError, match=r"versions/nowhere: no such version; `leadlift models` lists"):
        registry.promote("nowhere", **WHO)
    with pytest.raises(RegistryError, match=r"has no previous model"):
        Registry(tmp_path / "empty").rollback(**WHO)


# Disagreements


def test_an_alias_moved_in_the_browser_is_found_and_stops_promotions_until_repaired(registry):
    state = registry.state()
    point_mlflow(registry, "champion", state.challenger)
    (finding,) = registry.verify()
    assert (finding.code, finding.severity) == ("LL271", Severity.WARNING)
    assert state.challenger in finding.message
    assert state.champion in finding.message
    with pytest.raises(RegistryError, match=r"nothing was promoted. MLflow's alias champion points to"):
        registry.promote("challenger", **WHO)
    assert registry.repair(**WHO) == ()
    assert registry.state() == state
    assert aliases(registry) == roles(registry)
    assert registry.audit()["action"].to_pylist()[-1] == "repair"


def test_a_rollback_is_possible_while_an_alias_is_wrong(registry):
    state = registry.state()
    point_mlflow(registry, "champion", state.challenger)
    registry.rollback(**WHO)
    assert registry.verify() == ()
    assert serving(registry) == state.previous


def test_a_link_moved_by_hand_is_found_and_the_registry_follows_it_when_repaired(registry):
    state = registry.state()
    registry.champion.unlink()
    registry.champion.symlink_to(f"versions/{state.challenger}")
    assert set(codes(registry.verify())) == {"LL271", "LL272"}
    assert registry.repair(**WHO) == ()
    assert aliases(registry) == roles(registry)
    assert registry.state() == RegistryState(state.challenger, None, state.champion)


def test_a_plain_folder_in_place_of_the_link_is_found_and_becomes_a_version(registry, small_bundle):
    (other,) = versions_of(small_bundle, ["by hand"])
    registry.champion.unlink()
    saved = other.save(registry.champion)
    assert "LL272" in codes(registry.verify())
    assert registry.repair(**WHO) == ()
    assert serving(registry) == saved.version == aliases(registry)["champion"]
    assert registry.champion.is_symlink()


def test_a_damaged_champion_is_fatal_and_a_rollback_mends_it(registry):
    state = registry.state()
    alter(registry.folder("champion"))
    (finding,) = registry.repair(**WHO)
    assert (finding.code, finding.severity) == ("LL270", Severity.FATAL)
    registry.rollback(**WHO)
    assert serving(registry) == state.previous
    assert codes(registry.verify()) == ["LL273"]
    registry.repair(**WHO)
    assert registry.state().previous is None


def test_a_missing_champion_is_fatal(registry):
    registry.champion.unlink()
    assert "LL270" in codes(registry.verify())


def test_damage_of_an_old_version_and_of_the_audit_log_is_found(registry, small_bundle):
    (other,) = versions_of(small_bundle, ["old"])
    alter(registry.folder(registry.keep(other).version))
    log = models_of(registry) / "audit.jsonl"
    log.write_text("".join(log.read_text().splitlines(keepends=True)[1:]))
    assert codes(registry.verify()) == ["LL277", "LL278", "LL276"]
    with pytest.raises(RegistryError, match=r"audit.jsonl, line 1: expected record number 1; the log was"):
        registry.audit()


def test_a_lost_registry_file_is_made_anew_from_the_champion_and_the_audit_log(registry):
    state = registry.state()
    (models_of(registry) / "registry.json").write_text("{")
    with pytest.raises(RegistryError, match=r"registry.json cannot be read.*`leadlift models --repair`"):
        registry.state()
    (models_of(registry) / "registry.json").unlink()
    assert registry.repair(**WHO) == ()
    assert registry.state() == state


# Stores that do not answer


def test_a_locked_database_refuses_a_change_before_anything_has_changed(registry):
    before = registry.state()
    with sqlite3.connect(models_of(registry) / "mlflow.db", isolation_level=None) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(RegistryError, match=r"mlflow.db does not answer: .*champion serves as before"):
            registry.rollback(**WHO)
        assert codes(registry.verify()) == ["LL275"]
    connection.close()
    assert registry.state() == before
    assert registry.verify() == ()


def test_a_store_that_fails_once_the_champion_has_moved_is_told_and_repaired(registry, monkeypatch):
    before = registry.state()

    def fail(*_):
        raise mlflow.MlflowException(errno.errorcode[errno.EPIPE])

    with monkeypatch.context() as patch:
        patch.setattr(mlflow.MlflowClient, "set_registered_model_alias", fail)
        with pytest.raises(RegistryError, match=rf"{before.previous} serves, but .*models --repair"):
            registry.rollback(**WHO)
    assert registry.state().champion == serving(registry) == before.previous
    assert "LL274" in codes(registry.verify())
    assert registry.repair(**WHO) == ()
    assert aliases(registry) == roles(registry)


def test_a_file_system_without_links_is_told_before_anything_has_changed(registry, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EPERM, "Operation not permitted")

    before = registry.state()
    monkeypatch.setattr(os, "symlink", refuse)
    with pytest.raises(
        InputError, match=r"cannot be made a link: Operation not permitted. Nothing was changed"
    ):
        registry.rollback(**WHO)
    assert registry.state() == before
    assert registry.verify() == ()


@pytest.mark.parametrize(
    ("address", "match"),
    [
        ("mlflow.example.com", "is the address of an MLflow server, http:// or https://"),
        ("sqlite:///x.db", "is the address of an MLflow server"),
        ("https://ann:secret@mlflow.example.com", "holds a user or password"),
    ],
)
def test_a_server_address_is_an_address_without_a_password(address, match, tmp_path):
    with pytest.raises(ConfigError, match=match):
        server_address(address)
    with pytest.raises(ConfigError, match=match):
        Registry(tmp_path, address)


# Versions on disk


def test_a_champion_of_before_there_was_a_registry_is_taken_in(small_bundle, tmp_path):
    first, second = versions_of(small_bundle, ["1", "2"])
    models = tmp_path / "models"
    old = first.save(models / "champion")
    registry = Registry(models)
    assert registry.state() == RegistryState(old.version)
    new = registry.keep(second)
    registry.promote(new.version, **WHO)
    assert registry.champion.is_symlink()
    assert registry.state() == RegistryState(new.version, None, old.version)
    registry.rollback(**WHO)
    assert serving(registry) == old.version
    assert registry.verify() == ()


def test_a_move_cut_off_between_two_renames_is_taken_back_by_the_next_change(
    small_bundle, tmp_path, monkeypatch
):
    """Where a system cannot exchange two names, a plain champion makes way for the link by renames."""
    monkeypatch.setattr("leadlift.serving.bundle_place.exchange", lambda *_: False)
    first, second = versions_of(small_bundle, ["1", "2"])
    models = tmp_path / "models"
    old = first.save(models / "champion")
    (models / "champion").rename(models / ".champion-new-old")
    registry = Registry(models)
    registry.promote(registry.keep(second).version, **WHO)
    assert registry.state().previous == old.version
    assert not list(models.glob(".champion*"))
    assert registry.verify() == ()


def test_pruning_keeps_the_newest_and_every_version_with_a_role(registry, small_bundle):
    others = [registry.keep(bundle).version for bundle in versions_of(small_bundle, "abcd")]
    for age, version in enumerate(reversed(others)):
        os.utime(registry.folder(version), (1e9 - age, 1e9 - age))
    assert registry.prune(1) == tuple(reversed(others[:-1]))
    assert set(registry.versions()) == {others[-1], *registry.state().to_dict().values()}
    assert codes(registry.verify()) == ["LL276"]


def test_a_bundle_is_kept_once_and_mended_where_its_version_was_damaged(registry, small_bundle):
    (bundle,) = versions_of(small_bundle, ["data 3"])
    assert registry.keep(bundle).version == registry.state().challenger
    alter(registry.folder("challenger"))
    registry.keep(bundle)
    assert registry.verify() == ()


def test_another_cutoff_of_the_champion_is_a_version_that_can_be_rolled_back(registry):
    now = ModelBundle.load(registry.champion)
    changed = replace(now, provenance=now.provenance | {"cutoff_changes": [1]}, version="")
    saved = save_changed(changed, registry.champion, **WHO, why="capacity")
    assert serving(registry) == saved.version == aliases(registry)["champion"]
    assert registry.audit().to_pylist()[-1]["action"] == "cutoff"
    registry.rollback(**WHO)
    assert serving(registry) == now.version
    with pytest.raises(InputError, match=r"is a version, which does not change; promote"):
        save_changed(changed, registry.folder("challenger"), **WHO)


def test_a_bundle_outside_a_registry_is_replaced_as_it_stands(registry, tmp_path):
    folder = Path(shutil.copytree(registry.champion, tmp_path / "champion"))
    now = ModelBundle.load(folder)
    saved = save_changed(replace(now, provenance={"x": 1}, version=""), folder, **WHO)
    assert ModelBundle.load(folder).version == saved.version
    assert sorted(path.name for path in tmp_path.iterdir()) == ["champion", "models"]
