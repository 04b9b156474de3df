"""A challenger that keeps the contract serves; any other leaves the champion where it is."""

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.csv
import pytest

from command_line import run_cli
from fenced_blocks import blocks
from leadlift.exceptions import BundleError, ConfigError, RegistryError, SchemaError
from leadlift.lifecycle.monitoring import monitor
from leadlift.lifecycle.reproducing import reproduce
from leadlift.lifecycle.retraining.outcome import RetrainOutcome
from leadlift.lifecycle.retraining.retrain import retrain
from leadlift.lifecycle.retraining.rule import RetrainRule
from leadlift.serving.bundle import ModelBundle
from leadlift.terms import Finding, Severity
from retrained_crm import SPRING, SUMMER, TOML, as_known

PAGE = Path(__file__).parents[3] / "docs" / "retraining.md"
WHO = {"by": "test", "at": SUMMER}


def with_contract(config, **limits):
    contract = config.retrain.contract.model_copy(update=limits)
    return config.model_copy(update={"retrain": config.retrain.model_copy(update={"contract": contract})})


def test_a_challenger_that_keeps_the_contract_serves(crm):
    before = crm.registry.state().champion
    result = retrain(crm.config, why="new quarter", **WHO)
    assert result.outcome is RetrainOutcome.PROMOTED
    state = crm.registry.state()
    assert (state.champion, state.previous) == (result.judgement.challenger, before)
    assert ModelBundle.load(crm.registry.champion).version == state.champion
    record = crm.registry.audit().to_pylist()[-1]
    assert (record["action"], record["by"], record["why"]) == ("promote", "test", "new quarter")
    # And the same leads give the same model again, whoever serves it.
    again = reproduce(crm.registry.champion, crm.config)
    assert again.is_same
    assert again.again == state.champion
    assert retrain(crm.config, **WHO).outcome is RetrainOutcome.UNCHANGED


@pytest.mark.usefixtures("learnt")
def test_a_challenger_that_loses_leaves_the_champion_untouched(crm):
    before = crm.registry.state().champion
    result = retrain(with_contract(crm.config, reason_similarity=1.0), **WHO)
    assert result.outcome is RetrainOutcome.REFUSED
    assert result.needs_action
    assert result.judgement.verdict.failed == ("reasons_stable",)
    assert [finding.code for finding in result.findings][-1] == "LL253"
    state = crm.registry.state()
    assert (state.champion, state.challenger) == (before, result.judgement.challenger)


@pytest.mark.usefixtures("learnt")
def test_force_promotes_it_and_the_reason_is_kept(crm):
    config = with_contract(crm.config, reason_similarity=1.0)
    result = retrain(config, force_reason="the board asked", **WHO)
    assert result.outcome is RetrainOutcome.FORCED
    assert [finding.code for finding in result.findings][-1] == "LL254"
    record = crm.registry.audit().to_pylist()[-1]
    assert (record["action"], record["why"]) == ("force", "the board asked")
    assert crm.registry.state().champion == result.judgement.challenger


@pytest.mark.usefixtures("learnt")
def test_a_dry_run_writes_the_verdict_and_nothing_else(crm):
    def files():
        return {path.relative_to(crm.folder) for path in crm.folder.rglob("*") if path.is_file()}

    before, state = files(), crm.registry.state()
    result = retrain(crm.config, dry_run=True, **WHO)
    assert result.outcome is RetrainOutcome.WOULD_PROMOTE
    assert crm.registry.state() == state
    assert files() - before == {result.verdict_file.relative_to(crm.folder)}
    told = json.loads(result.verdict_file.read_text())
    assert told["holds"]
    assert {clause["name"] for clause in told["verdict"]["clauses"]} >= {"log_loss", "captured_wins"}


def test_a_challenger_of_another_label_is_refused_before_anything_is_learnt(crm):
    roles = crm.config.roles.model_copy(update={"horizon_days": 90.0})
    with pytest.raises(SchemaError, match=r"another label .*schema\.horizon_days: 60\.0 -> 90\.0"):
        retrain(crm.config.model_copy(update={"roles": roles}), **WHO)
    assert crm.registry.verify() == ()


def test_a_column_that_went_leaves_the_champion_in_service_until_somebody_decides(crm, leads):
    fewer = as_known(leads, SUMMER).drop_columns(["employees"])
    pyarrow.csv.write_csv(fewer, crm.folder / "leads.csv")
    result = retrain(crm.config, **WHO)
    assert result.outcome is RetrainOutcome.REFUSED
    assert [finding.code for finding in result.findings] == ["LL252", "LL253"]
    assert "employees" in result.findings[0].message


def test_a_new_column_is_a_clause(crm, leads):
    more = as_known(leads, SUMMER)
    colour = pa.array(["red" if i % 3 else "blue" for i in range(more.num_rows)])
    pyarrow.csv.write_csv(more.append_column("colour", colour), crm.folder / "leads.csv")
    result = retrain(crm.config, dry_run=True, **WHO)
    assert "same_inputs" in result.judgement.verdict.failed
    (clause,) = [c for c in result.judgement.verdict.clauses if c.name == "same_inputs"]
    assert "'colour'" in clause.text


def test_a_rule_that_sees_no_reason_trains_nothing(crm):
    young = RetrainRule(max_age_days=3000)
    result = retrain(crm.config, rule=young, **WHO)
    assert (result.outcome, result.judgement) == (RetrainOutcome.NOT_NEEDED, None)
    assert not result.needs_action
    broken = SimpleNamespace(findings=(Finding("LL200", Severity.FATAL, "empty", "employees came empty"),))
    blocked = retrain(crm.config, rule=RetrainRule(max_age_days=30), monitored=broken, **WHO)
    assert blocked.outcome is RetrainOutcome.BLOCKED
    assert blocked.needs_action


@pytest.mark.usefixtures("learnt")
def test_a_rule_counts_outcomes_that_the_latest_model_does_not_know(crm):
    waits = RetrainRule(max_age_days=30, min_new_labels=100_000)
    first = retrain(crm.config, rule=waits, **WHO).decision.reasons[0]
    n_new = int(first.partition(" ")[0].replace(",", ""))
    assert n_new > 100
    retrain(with_contract(crm.config, reason_similarity=1.0), **WHO)
    # Refused, and nothing is new since.
    after = retrain(crm.config, rule=replace(waits, min_new_labels=1), **WHO)
    assert after.decision.reasons[0].startswith("0 new outcomes")


def test_impossible_requests_are_refused(crm, tmp_path):
    with pytest.raises(ConfigError, match="a dry run promotes nothing"):
        retrain(crm.config, dry_run=True, force_reason="x", **WHO)
    with pytest.raises(ConfigError, match="with time zone"):
        retrain(crm.config, rule=RetrainRule(), by="test", at=SUMMER.replace(tzinfo=None))
    with pytest.raises((BundleError, RegistryError), match="champion"):
        retrain(crm.config.model_copy(update={"models": str(tmp_path / "none")}), **WHO)


@pytest.mark.usefixtures("learnt")
def test_the_command_says_no_with_exit_code_3_and_yes_with_0(crm):
    strict = TOML.replace("wins_margin = 0.3", "wins_margin = 0.3\nreason_similarity = 1.0")
    crm.toml.write_text(strict)
    refused = run_cli("retrain", crm.toml, "--as-of", SUMMER.isoformat(), "--json")
    assert refused.code == 3
    assert json.loads(refused.out)["outcome"] == "refused"
    crm.toml.write_text(TOML)
    dry = run_cli("retrain", crm.toml, "--dry-run", "--as-of", SUMMER.isoformat())
    assert dry.code == 0
    assert "log_loss" in dry.out
    assert "would be promoted" in dry.out
    idle = run_cli("retrain", crm.toml, "--if-needed", "--as-of", SPRING.isoformat())
    assert (idle.code, idle.out.strip()[:25]) == (0, "Retraining is not needed:")
    for usage in (("--dry-run", "--force", "x"), ("--store", "s"), ("--store", "s", "--outcomes", "o")):
        assert run_cli("retrain", crm.toml, *usage).code == 2


@pytest.mark.usefixtures("learnt")
@pytest.mark.parametrize("number", range(3))
def test_the_python_of_the_page_runs(crm, monkeypatch, capsys, number):
    monkeypatch.chdir(crm.folder)
    exec(compile(blocks(PAGE, "python")[number], str(PAGE), "exec"), {})  # noqa: S102
    assert capsys.readouterr().out


def test_every_command_of_the_page_exists():
    from leadlift.cli import app

    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    named = set(re.findall(r"leadlift (\w+)", "\n".join(blocks(PAGE, "bash"))))
    assert {"retrain", "models", "promote", "rollback", "reproduce"} <= named <= known


@pytest.mark.usefixtures("learnt")
def test_the_scheduler_asks_what_monitoring_says_of_the_champion(crm, monkeypatch):
    asked = []

    def monitored(bundle, store, outcomes, *, known_until):
        asked.append((bundle, store, outcomes, known_until))
        return SimpleNamespace(findings=(Finding("LL232", Severity.WARNING, "broken", "promise broken"),))

    monkeypatch.setattr(monitor, "monitor_store", monitored)
    store = ("--if-needed", "--store", "scores", "--outcomes", "closed.csv")
    run = run_cli("retrain", crm.toml, *store, "--as-of", SPRING.isoformat())
    assert asked == [(crm.folder / "models" / "champion", "scores", "closed.csv", SPRING)]
    assert "Promotion contract" in run.out
    assert "LL232" in crm.registry.audit().to_pylist()[-1]["why"]
