"""A bundle made again from its provenance is the same, or the reason why not is named."""

import json
from dataclasses import replace

import joblib

from command_line import run_cli
from leadlift.lifecycle import reproducing
from leadlift.lifecycle.modelling import make_model
from leadlift.lifecycle.registry import Registry
from leadlift.lifecycle.reproducing import FileMatch, Reproduction


def test_a_bundle_is_the_same_again_whatever_the_number_of_threads(spring, summer, tmp_path, monkeypatch):
    made_on = []

    def on_one_thread(*arguments, **keywords):
        made_on.append(1)
        return parallel(*arguments, **(keywords | {"n_jobs": 1}))

    parallel = joblib.Parallel
    monkeypatch.setattr(joblib, "Parallel", on_one_thread)
    elsewhere = spring.config.model_copy(update={"models": str(tmp_path)})
    again = make_model(elsewhere, name="again", leave_out_suspects=True)
    assert made_on
    assert again.bundle.version == summer.bundle.version


def test_other_versions_are_named_as_the_likely_reason(spring, monkeypatch):
    monkeypatch.setattr(reproducing, "version", lambda package: "0.0.1")
    reasons = reproducing._reasons(spring.champion, spring.champion)
    assert any(reason.startswith("lightgbm was") and reason.endswith("is 0.0.1") for reason in reasons)


def test_a_cut_off_changed_after_training_is_told_apart(spring):
    changed = {"cutoff_changes": [{"previous_version": "abc"}]}
    bundle = replace(spring.champion, provenance=spring.champion.provenance | changed)
    reasons = reproducing._reasons(bundle, replace(spring.champion, version="abc"))
    assert "which was reproduced" in reasons[0]


def test_the_command_compares_file_by_file_and_names_the_likely_reason(spring):
    champion = Registry(spring.config.models).champion
    run = run_cli("reproduce", champion, "--config", spring.folder / "leadlift.toml", "--json")
    assert run.code == 3
    told = json.loads(run.out)
    assert (told["original"], told["is_same"]) == (spring.champion.version, False)
    assert "provenance.json" in {match["name"] for match in told["files"] if not match["is_same"]}
    assert "the leads are others" in told["reasons"][0]


def test_a_bundle_that_was_not_reproduced_is_a_finding():
    found = Reproduction("abc", "abd", (FileMatch("a", "1", "1"), FileMatch("b", "1", None)), ("why",))
    assert found.differing == ("b",)
    assert (found.findings[0].code, found.findings[0].message) == ("LL260", "1 of 2 files differ; why")
