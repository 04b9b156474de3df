"""One call watches a model in service: its findings say whether somebody must act."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pytest

import leadlift as ll
from command_line import run_cli
from leadlift.exceptions import ConfigError, InputError, SchemaError
from leadlift.lifecycle.monitoring.monitor import monitor, monitor_store
from leadlift.lifecycle.monitoring.outcomes import read_outcomes
from leadlift.lifecycle.monitoring.scored_leads import read_scored
from leadlift.lifecycle.monitoring.table import MONITOR_SCHEMA, MonitorVerdict, monitor_row
from leadlift.serving.predict import score_table
from leadlift.serving.score_store import open_score_store
from leadlift.serving.writing import open_output
from leadlift.terms import SCORED_COLUMNS

WEEK = timedelta(days=7)


@pytest.fixture(scope="module")
def weeks(workspace, bundle):
    """Leads of the training file, scored in weekly batches as they came; their outcomes are known."""
    leads = pd.read_csv(workspace.leads)
    created = pd.to_datetime(leads["created_at"])
    first = created.max().normalize() - pd.Timedelta(days=40 * 7)
    tables = []
    for number in range(24):
        start = first + pd.Timedelta(days=7 * number)
        new = leads[(created >= start) & (created < start + pd.Timedelta(days=7))]
        tables.append(score_table(bundle, new, as_of=(start + pd.Timedelta(days=7)).to_pydatetime()))
    return pa.concat_tables(tables)


@pytest.fixture(scope="module")
def result(workspace, bundle, weeks):
    return monitor(bundle, weeks, outcomes=workspace.leads, segment_by=["grade"])


def test_it_is_public():
    assert ll.monitor is monitor
    assert {"monitor", "monitor_store", "MonitorResult", "read_outcomes"} <= set(ll.__all__)


def test_every_check_has_rows_of_the_schema_and_the_result_is_json(result):
    assert result.table.schema.equals(MONITOR_SCHEMA)
    checks = set(result.table["check"].to_pylist())
    assert {"base_rate", "calibration", "promise", "precision", "score_drift", "volume"} <= checks
    assert set(result.table["verdict"].to_pylist()) <= set(MonitorVerdict)
    told = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert len(told["checks"]) == result.table.num_rows
    assert (
        told["needs_action"]
        == result.needs_action
        == any(finding["severity"] != "info" for finding in told["findings"])
    )


def test_leads_the_model_learnt_from_are_as_it_says(result):
    """It was fitted on them: base rate and promises hold."""
    rows = result.table.to_pylist()
    assert {row["verdict"] for row in rows if row["check"] == "base_rate"} <= {"ok", "too_early"}
    promise = [row for row in rows if row["check"] == "promise" and not row["segment"]]
    assert "broken" not in {row["verdict"] for row in promise}


def test_outcomes_may_be_read_before(workspace, bundle, weeks, result):
    again = monitor(bundle, weeks, outcomes=read_outcomes(workspace.leads, bundle), segment_by=["grade"])
    assert again.table.equals(result.table)


def test_outcomes_that_are_all_lost_need_action(workspace, bundle, weeks):
    lost = pd.read_csv(workspace.leads).assign(outcome="lost")
    found = monitor(bundle, weeks, outcomes=lost)
    assert found.needs_action
    assert {"LL230", "LL232"} <= {finding.code for finding in found.findings}


def test_scores_of_another_model_are_left_out_and_alone_are_an_error(bundle, weeks):
    place = SCORED_COLUMNS.index("model_version")
    other = weeks.set_column(place, "model_version", pa.array(["another"] * len(weeks)))
    found = monitor(bundle, pa.concat_tables([weeks, other]))
    assert {f.code: f.count for f in found.findings}["LL227"] == len(weeks)
    assert found.table.equals(monitor(bundle, weeks).table)
    with pytest.raises(InputError, match=r"none of .* scored rows was made by this model"):
        monitor(bundle, other)


def test_weights_are_one_a_row(bundle, weeks):
    with pytest.raises(InputError, match="weights must be one a scored row"):
        monitor(bundle, weeks, weights=[1.0])


def test_weights_are_made_from_a_contact_log(tmp_path, workspace, bundle, weeks):
    place = SCORED_COLUMNS.index("contact_probability")
    is_mql = np.array(weeks["model_stage"].to_pylist()) != "none"
    scored = weeks.set_column(place, "contact_probability", pa.array(np.where(is_mql, 1.0, 0.1)))
    log = pa.table({"lead_id": weeks["lead_id"], "contacted_at": weeks["as_of"]}).filter(pa.array(is_mql))
    found = monitor(bundle, scored, outcomes=workspace.leads, contacts=log)
    n_base = [row["n"] for row in found.table.to_pylist() if row["check"] == "base_rate"]
    assert 0 < max(n_base) <= is_mql.sum()
    pyarrow.csv.write_csv(log, tmp_path / "contacts.csv")
    again = monitor(bundle, scored, outcomes=workspace.leads, contacts=tmp_path / "contacts.csv")
    assert again.table.equals(found.table)
    with pytest.raises(ConfigError, match="either weights or contacts"):
        monitor(bundle, scored, contacts=log, weights=np.ones(len(scored)))


def test_no_scored_leads_are_an_error(bundle, weeks):
    with pytest.raises(InputError, match="no scored leads"):
        monitor(bundle, weeks.slice(0, 0))


def test_inputs_are_compared_with_training_and_part_the_leads(workspace, bundle, weeks):
    leads = pd.read_csv(workspace.leads)
    found = monitor(bundle, weeks, inputs=leads, outcomes=workspace.leads, segment_by=["seniority"])
    rows = found.table.to_pylist()
    assert "input_drift" in {row["check"] for row in rows}
    assert any(row["segment"].startswith("seniority=") for row in rows)
    broken = monitor(bundle, weeks, inputs=leads.assign(minutes_on_site=None))
    assert "LL200" in {finding.code for finding in broken.findings}


def test_a_scored_file_reads_as_the_table(tmp_path, weeks):
    """A CSV has text alone; nothing of what monitoring reads is lost in it."""
    for name in ("scored.csv", "scored.parquet"):
        with open_output(tmp_path / name, weeks.schema) as write:
            write(weeks)
        assert read_scored(tmp_path / name).equals(read_scored(weeks))


def test_a_scored_table_that_is_none_is_named():
    with pytest.raises(SchemaError, match=r"'score' .expected, not found"):
        read_scored(pa.table({"lead_id": ["a"], "as_of": ["2026-01-01"]}))
    with pytest.raises(SchemaError, match="score holds 'high'"):
        read_scored(pa.table({"lead_id": ["a"], "as_of": ["2026-01-01"], "score": ["high"]}))


def test_a_store_says_the_same_as_its_table(tmp_path, workspace, bundle, weeks):
    store = open_score_store(tmp_path / "store")
    store.add(weeks)
    found = monitor_store(workspace.champion, store, workspace.leads)
    assert found.findings == monitor(bundle, weeks, outcomes=workspace.leads).findings
    late = weeks["as_of"].to_pylist()[-1] + WEEK
    assert [f.code for f in monitor_store(bundle, tmp_path / "store", since=late).findings] == ["LL229"]


def test_a_row_of_a_column_that_is_not_there_is_refused():
    with pytest.raises(KeyError, match="no column quantity"):
        monitor_row("promise", "MQL", "kept", quantity=3)


@pytest.fixture(scope="module")
def scored_file(tmp_path_factory, weeks):
    path = tmp_path_factory.mktemp("scored") / "scored.parquet"
    with open_output(path, weeks.schema) as write:
        write(weeks)
    return path


def test_the_command_says_that_somebody_must_act(tmp_path, workspace, scored_file):
    lost = tmp_path / "lost.csv"
    pd.read_csv(workspace.leads).assign(outcome="lost").to_csv(lost, index=False)
    run = run_cli(
        "monitor", workspace.champion, scored_file, "--outcomes", lost, "--known-until", "2027-06-30"
    )
    assert run.code == 3, run.err
    assert "LL230" in run.out
    assert "broken" in run.out
    assert "somebody must act" in run.out


def test_the_command_is_silent_about_a_model_that_does_well(tmp_path, workspace, scored_file, weeks):
    known_until = max(weeks["as_of"].to_pylist()) + timedelta(days=60)
    arguments = ["monitor", workspace.champion, scored_file, "--outcomes", workspace.leads]
    arguments += ["--known-until", known_until.isoformat(), "--segment-by", "grade"]
    run = run_cli(*arguments, "--out", tmp_path / "checks.csv", "--json")
    told = json.loads(run.out)
    assert run.code == (3 if told["needs_action"] else 0)
    assert pyarrow.csv.read_csv(tmp_path / "checks.csv").num_rows == len(told["checks"])
    part = run_cli(*arguments, "--since", "2100-01-01")
    assert (part.code, "no scored leads" in part.err) == (1, True)


def test_the_command_writes_its_page(tmp_path, workspace, scored_file):
    page = tmp_path / "page.html"
    run_cli("monitor", workspace.champion, scored_file, "--outcomes", workspace.leads, "--report", page)
    assert "promise" in page.read_text()


def test_the_command_wants_scores_from_one_place(workspace, scored_file):
    for places in ((), (scored_file, "--store", "scores")):
        assert run_cli("monitor", workspace.champion, *places).code == 2


def test_moments_without_a_zone_are_utc(bundle, weeks, workspace):
    at = datetime(2026, 6, 1)  # noqa: DTZ001 -- that is what is tested
    naive = monitor(bundle, weeks, outcomes=workspace.leads, known_until=at)
    assert naive.table.equals(
        monitor(bundle, weeks, outcomes=workspace.leads, known_until=at.replace(tzinfo=UTC)).table
    )


def test_the_order_of_the_scored_rows_does_not_matter(bundle, weeks, workspace):
    order = np.random.default_rng(0).permutation(len(weeks))
    one = monitor(bundle, weeks, outcomes=workspace.leads)
    other = monitor(bundle, weeks.take(order), outcomes=workspace.leads)
    assert one.table["verdict"].equals(other.table["verdict"])
    assert one.table["n"].equals(other.table["n"])
