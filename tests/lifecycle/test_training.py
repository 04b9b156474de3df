"""Training is honest about time, stops where it should, and is the same however the rows stand."""

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from leadlift.config import parse_config
from leadlift.data.datasets import make_leads
from leadlift.exceptions import ConfigError, InputError, LeakageError, NoCutoffError
from leadlift.learning.tuning import search_trees
from leadlift.lifecycle import fitting
from leadlift.lifecycle.holdout import hold_back
from leadlift.lifecycle.preparing import prepare
from leadlift.lifecycle.training import train
from untracked import untrack

LATER = ("sales_stage", "loss_reason", "loss_note", "deal_amount", "last_activity")
HORIZON_DAYS = 60.0
TOML = """
[data]
leads = "leads.csv"
[schema]
lead_id = "lead_id"
outcome = "outcome"
won = ["won"]
lost = ["lost"]
open = ["open"]
{time}
ignore = {ignore}
{more}
[model]
folds = 2
{model}
[cutoff.mql]
{policy}
"""
DATED = f'created_at = "created_at"\nclosed_at = "closed_at"\nhorizon_days = {HORIZON_DAYS}'
FIXED = 'policy = "fixed_threshold"\nthreshold = 0.2'


@pytest.fixture(scope="module")
def leads():
    """Few leads and few columns, so that a training takes a second."""
    table = make_leads(1500, 11, with_events=False).leads
    keep = ("lead_id", "created_at", "closed_at", "outcome", "gender", "industry", "seniority", "contact_me")
    return table.select([*keep, "visits_before_form", *LATER])


@pytest.fixture(autouse=True)
def untracked(monkeypatch):
    """Logging and the registry have their own tests."""
    untrack(monkeypatch)


def configure(folder, leads, *, time=DATED, ignore=LATER, more="", model="", policy=FIXED):
    folder.mkdir(exist_ok=True)
    pyarrow.csv.write_csv(leads, folder / "leads.csv")
    text = TOML.format(time=time, ignore=json.dumps(list(ignore)), more=more, model=model, policy=policy)
    return parse_config(text, folder=folder)


def undated(leads):
    return leads.drop_columns(["created_at", "closed_at"])


def hashes(result):
    return json.loads((result.bundle_folder / "bundle.json").read_text())["sha256"]


def test_the_test_leads_are_later_than_all_that_was_learnt_from(tmp_path, leads):
    problem = prepare(configure(tmp_path, leads))
    split = hold_back(problem, test_share=0.2, random_state=0)
    assert split.is_forward
    first_tested = problem.as_of[split.test].min()
    assert problem.as_of[split.train].max() < first_tested
    # The embargo: on the day of the first test lead every label that was learnt from was known.
    assert problem.label_known_at[split.train].max() <= first_tested
    assert len(split.test) == pytest.approx(0.2 * len(problem.y), rel=0.02)


def test_whole_leads_are_tested(tmp_path, leads):
    twice = undated(leads).set_column(
        0, "lead_id", pa.array([f"L{max(i // 3, i - 900)}" for i in range(len(leads))])
    )
    config = configure(tmp_path, twice, time="")
    problem = prepare(config)
    split = hold_back(problem, test_share=0.2, random_state=0)
    assert not set(problem.groups[split.train]) & set(problem.groups[split.test])


@pytest.fixture(scope="module")
def results(tmp_path_factory, leads):
    """The same leads trained three times: twice as they stand, once shuffled."""
    shuffled = leads.take(pa.array(np.random.default_rng(0).permutation(len(leads))))
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        untrack(patch)
        for name, table in {"first": leads, "again": leads, "shuffled": shuffled}.items():
            found[name] = train(configure(tmp_path_factory.mktemp(name), table))
    return found


def test_the_same_data_configuration_and_seed_give_the_same_bundle(results):
    assert hashes(results["first"]) == hashes(results["again"])
    assert results["first"].bundle.version == results["again"].bundle.version


def test_the_order_of_the_rows_changes_nothing_but_the_fingerprint_of_the_file(results):
    first, shuffled = hashes(results["first"]), hashes(results["shuffled"])
    assert {name for name in first if first[name] != shuffled[name]} == {"provenance.json"}
    before, after = results["first"].bundle.provenance, results["shuffled"].bundle.provenance
    assert {key for key in before if before[key] != after[key]} == {"data_sha256"}


def test_the_result_is_json_and_says_what_was_measured(results):
    result = results["first"]
    printed = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert printed["test"] == "forward in time"
    assert [row["model"] for row in printed["quality"]] == [
        "leadlift",
        "base rate",
        "logistic regression",
        "default LightGBM",
    ]
    assert printed["n_leads"] == 1500
    assert printed["n_test"] < printed["n_rows"] < 1500
    assert printed["mql"]["threshold"] == 0.2
    assert printed["sql"] is None
    assert 0 < printed["base_rate"] < 1
    assert {row["column"] for row in printed["drivers"]} == set(result.bundle.schema.feature_names)


def test_protected_attributes_and_later_columns_are_no_inputs(results):
    assert set(results["first"].bundle.schema.feature_names) == {
        "industry",
        "seniority",
        "contact_me",
        "visits_before_form",
    }


def test_the_figures_lie_beside_the_bundle(results):
    folder = results["first"].bundle_folder.parent / "figures"
    for path in results["first"].figures.values():
        assert path.parent == folder
        assert path.suffix != ".png" or path.read_bytes().startswith(b"\x89PNG")


def test_the_agreement_sheet_lies_beside_the_figures_and_is_of_the_evidence_of_the_cutoff(results):
    result = results["first"]
    assert {"agreement", "agreement_csv", "agreement_md"} <= set(result.figures)
    assert result.agreement["n_evidence"][0].as_py() == result.cutoff.n_evidence
    assert result.agreement["n_evidence_won"][0].as_py() == result.cutoff.n_evidence_won


def test_the_sheet_counts_money_where_a_value_policy_says_how_much(tmp_path, leads):
    value = 'policy = "value"\nwin_value = 900\ncontact_cost = 90'
    sheet = train(configure(tmp_path, leads, policy=value)).agreement
    assert sheet["value_per_contact"].null_count == 0


def test_every_grade_promises_or_says_why_not(results):
    grades = results["first"].to_dict()["grades"]
    assert [grade["grade"] for grade in grades] == ["A", "B", "C", "D"]
    assert all("are won" in grade["promise"] or "too few" in grade["promise"] for grade in grades)


def test_what_the_mqls_of_the_test_set_became_is_counted(results):
    kept = results["first"].kept
    assert kept.low <= kept.estimate <= kept.high


def test_leads_without_dates_are_tested_at_random_and_that_is_said(tmp_path, leads):
    result = train(configure(tmp_path, undated(leads), time=""))
    assert result.test_kind == "random, time order unknown"
    finding = next(f for f in result.findings if f.code == "LL160")
    assert "the leads have no dates" in finding.message
    assert result.bundle.provenance["as_of_range"] is None
    assert result.cutoff.per_week is None


def test_a_random_test_set_does_not_depend_on_the_order_of_the_rows(tmp_path, leads):
    table = undated(leads)
    order = np.random.default_rng(0).permutation(len(table))
    tested = []
    for name, rows in {"a": np.arange(len(table)), "b": order}.items():
        problem = prepare(configure(tmp_path / name, table.take(pa.array(rows)), time=""))
        test = hold_back(problem, test_share=0.2, random_state=0).test
        tested.append(problem.inputs.take(pa.array(test)).append_column("y", pa.array(problem.y[test])))
    assert tested[0].equals(tested[1])


def test_rows_in_time_order_are_tested_forward_in_time(tmp_path, leads):
    result = train(configure(tmp_path, undated(leads), time="rows_in_time_order = true"))
    assert result.test_kind == "forward in time"
    assert "LL160" not in {finding.code for finding in result.findings}
    assert result.cutoff.per_week is None


def test_too_few_late_leads_of_one_kind_fall_back_to_a_random_test(tmp_path, leads):
    split_on = int(0.8 * len(leads))
    outcome = [
        "lost" if row > split_on - 50 else value for row, value in enumerate(leads["outcome"].to_pylist())
    ]
    table = undated(leads).set_column(1, "outcome", pa.array(outcome))
    config = configure(tmp_path, table, time="rows_in_time_order = true")
    split = hold_back(prepare(config), test_share=0.2, random_state=0)
    assert not split.is_forward
    assert "fewer than 10 won or lost" in split.findings[0].message


def test_the_gate_stops_with_lines_to_paste_and_nothing_is_written(tmp_path, leads):
    config = configure(tmp_path, leads, ignore=LATER[1:])
    with pytest.raises(LeakageError, match=r"(?s)'sales_stage'.*ignore = .*\"sales_stage\"\]") as caught:
        train(config)
    assert [finding.column for finding in caught.value.findings] == ["sales_stage"]
    assert [path.name for path in tmp_path.iterdir()] == ["leads.csv"]


def test_a_suspect_confirmed_as_known_at_creation_is_learnt_from(tmp_path, leads):
    result = train(configure(tmp_path, leads, ignore=LATER[1:], more='known_at_creation = ["sales_stage"]'))
    assert "sales_stage" in result.bundle.schema.feature_names
    assert result.quality.to_pylist()[0]["auc"] > 0.95


def test_suspects_can_be_left_out_of_one_run(tmp_path, leads):
    result = train(configure(tmp_path, leads, ignore=()), leave_out_suspects=True)
    assert not set(LATER) & set(result.bundle.schema.feature_names)


def test_without_an_honest_cut_off_nothing_is_written(tmp_path, leads):
    policy = 'policy = "precision_guarantee"\ntarget = 0.95\nconfidence = 0.9'
    with pytest.raises(NoCutoffError, match=r"(?s)95%.*what can be promised"):
        train(configure(tmp_path, leads, policy=policy))
    assert [path.name for path in tmp_path.iterdir()] == ["leads.csv"]


def test_a_policy_that_does_not_exist_stops_before_anything_is_read(tmp_path, leads):
    config = configure(tmp_path, leads, policy='policy = "gut feeling"')
    (tmp_path / "leads.csv").unlink()
    with pytest.raises(
        ConfigError, match="no cut-off policy is called 'gut feeling'; there are fixed_threshold"
    ):
        train(config)


def test_a_search_is_resumed_where_it_stopped(tmp_path, leads):
    config = configure(tmp_path, leads, model="trials = 1")
    told = []
    first = train(config, on_trial=told.append)
    more = config.model_copy(update={"model": config.model.model_copy(update={"trials": 2})})
    again = train(more, on_trial=told.append)
    assert (first.search.n_trials, again.search.n_trials) == (1, 2)
    assert (tmp_path / "models" / "search.db").is_file()
    assert told[-1] == 2


def test_a_search_never_sees_the_leads_that_calibrate_and_decide(tmp_path, monkeypatch):
    crm = make_leads(12_000, seed=3, with_events=False).leads
    config = configure(tmp_path, crm, model="trials = 1")
    seen = []

    def spy(matrix, y, **keywords):
        seen.append((len(y), keywords["as_of"].max()))
        return search_trees(matrix, y, **keywords)

    monkeypatch.setattr(fitting, "search_trees", spy)
    scorer = train(config, leave_out_suspects=True).bundle.scorer
    assert scorer.plan_.evidence == "decide slice"
    ((n_seen, last_seen),) = seen
    assert n_seen == len(scorer.plan_.fit)
    assert last_seen < scorer.evidence_.as_of.min()


def test_a_folder_in_the_way_of_the_bundle_is_left_alone(tmp_path, leads):
    config = configure(tmp_path, leads)
    (tmp_path / "models" / "champion").mkdir(parents=True)
    (tmp_path / "models" / "champion" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="exists and is no bundle"):
        train(config)
    assert [path.name for path in (tmp_path / "models" / "champion").iterdir()] == ["thesis.txt"]


def test_leads_of_the_last_horizon_take_no_part(tmp_path, leads):
    problem = prepare(configure(tmp_path, leads))
    known_until = problem.observations.known_until.replace(tzinfo=None)
    assert problem.as_of.max() <= np.datetime64(known_until - timedelta(days=HORIZON_DAYS))


def test_a_bundle_remembers_the_range_of_its_dates(results):
    first, last = results["first"].bundle.provenance["as_of_range"]
    assert first < last
    assert replace(results["first"].bundle, version="").version == ""
