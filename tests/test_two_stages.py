"""From a file with the moment of acceptance to staged leads: two models, rules, the table of yesterday."""

import json
import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from command_line import run_cli, run_ok
from leadlift.config import LeadliftConfig, StagesConfig, read_config
from leadlift.exceptions import ConfigError, InputError, LeakageError
from leadlift.lifecycle.looking_back import look_back
from leadlift.lifecycle.reporting import report_on
from leadlift.lifecycle.training import train
from leadlift.serving import stages
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.predict import predict, score_table
from leadlift.serving.scored_columns import SCORED_SCHEMA
from leadlift.terms import Family
from small_shards import cut
from two_stage_leads import CONFIG, two_stage_leads

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
RULES = """
[stages]
fall_back_share = 0.9
min_stay_days = 3
hand_raise = "contact_me"
hand_raise_stage = "SQL"
min_fit = -0.02
min_engagement = -0.2
"""
KNOWN_AT_CREATION = ["lead_id", "created_at", "company_size", "visits", "budget", "contact_me"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """One training with two labels and rules; nothing in its folder may be changed."""
    folder = tmp_path_factory.mktemp("two_stages")
    two_stage_leads(3_000, seed=5).table.to_csv(folder / "leads.csv", index=False)
    (folder / "leadlift.toml").write_text(CONFIG + RULES)
    return train(read_config(folder / "leadlift.toml"))


@pytest.fixture(scope="module")
def bundle(trained):
    return ModelBundle.load(trained.bundle_folder)


@pytest.fixture(scope="module")
def new():
    return two_stage_leads(600, seed=6)


@pytest.fixture(scope="module")
def frame(new):
    return new.table[KNOWN_AT_CREATION]


@pytest.fixture(scope="module")
def scored(bundle, frame):
    return score_table(bundle, frame, as_of=NOW)


def with_rules(bundle, **rules):
    return replace(bundle, stages=StagesConfig(**rules))


def column(table, name):
    return table[name].to_numpy(zero_copy_only=False)


# Training


def test_the_report_tells_both_labels_apart(trained, bundle):
    config = read_config(trained.bundle_folder.parents[1] / "leadlift.toml")
    hindsight = look_back(config, bundle)
    sections = {section.key: section for section in report_on(hindsight).sections}
    assert hindsight.sql_quality.kept == trained.kept
    assert hindsight.sql_quality.quality.equals(trained.sql.quality)
    assert "became SQL" in sections["cutoffs"].summary
    assert "SQL" in " ".join(block.caption for block in sections["quality"].blocks)


def test_training_says_how_the_second_label_did(trained):
    told = json.loads(json.dumps(trained.to_dict()))
    assert told["second_label"]["n_test"] > told["second_label"]["n_sql"] > 0
    ours, base_rate = told["second_label"]["quality"]
    assert ours["log_loss"] < base_rate["log_loss"]
    assert "became SQL" in told["mql"]["promise"]
    assert told["sql"]["threshold"] == 0.3
    assert trained.kept.low <= trained.kept.estimate <= trained.kept.high


def test_the_moment_of_acceptance_is_no_input(bundle):
    assert {spec.name for spec in bundle.specs} <= set(KNOWN_AT_CREATION)


def test_the_bundle_holds_both_models_and_the_rules(bundle, trained, frame, tmp_path):
    names = {path.name for path in trained.bundle_folder.iterdir()}
    assert {"stages.json", "encoder.json", "sql_encoder.json", "sql_calibrator.json"} <= names
    assert bundle.stages == StagesConfig(
        fall_back_share=0.9, min_stay_days=3, hand_raise="contact_me", min_fit=-0.02, min_engagement=-0.2
    )
    assert bundle.save(tmp_path / "again").version == bundle.version == trained.bundle.version
    again = score_table(ModelBundle.load(tmp_path / "again"), frame, as_of=NOW)
    assert again.equals(score_table(trained.bundle, frame, as_of=NOW))


def test_a_column_written_when_sales_accepts_is_found_and_stops_training(tmp_path):
    table = two_stage_leads(3_000, seed=8).table
    accepted = table["qualified_at"].notna()
    table["accepted_by"] = np.where(accepted, np.where(table.index % 2 == 0, "Ann", "Ben"), None)
    table.to_csv(tmp_path / "leads.csv", index=False)
    (tmp_path / "leadlift.toml").write_text(CONFIG)
    with pytest.raises(LeakageError, match="accepted_by") as stop:
        train(read_config(tmp_path / "leadlift.toml"))
    assert [finding.column for finding in stop.value.findings if finding.code == "LL120"] == ["accepted_by"]


# Coherence


def test_nobody_is_likelier_won_than_sql_and_both_are_near_the_truth(scored, new):
    won, sql = column(scored, "score"), column(scored, "score_sql")
    assert (won <= sql).all()
    for score, truth in ((won, new.p_won), (sql, new.p_sql)):
        assert np.abs(score - truth).mean() < 0.5 * np.abs(truth - truth.mean()).mean()


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_nobody_is_likelier_won_than_sql_in_any_batch(bundle, data):
    rows = data.draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "company_size": st.none() | st.floats(-50, 50),
                    "visits": st.none() | st.integers(0, 1_000),
                    "budget": st.none() | st.sampled_from(["yes", "no", "unknown", "never seen"]),
                    "contact_me": st.sampled_from(["yes", "no"]),
                }
            ),
            min_size=1,
            max_size=20,
        )
    )
    schema = pa.schema(
        {"company_size": pa.float64(), "visits": pa.int64(), "budget": pa.string(), "contact_me": pa.string()}
    )
    table = pa.Table.from_pylist(rows, schema).append_column(
        "lead_id", pa.array([f"{i}" for i in range(len(rows))])
    )
    found = score_table(bundle, table, as_of=NOW)
    assert (column(found, "score") <= column(found, "score_sql")).all()


def test_mql_is_decided_on_p_sql_and_sql_on_p_won(bundle, frame):
    plain = score_table(with_rules(bundle), frame, as_of=NOW)
    won, sql, stage = (column(plain, name) for name in ("score", "score_sql", "stage"))
    is_sql = won >= bundle.sql_cutoff.threshold
    is_mql = sql >= bundle.mql_cutoff.threshold
    assert stage.tolist() == np.where(is_sql, "SQL", np.where(is_mql, "MQL", "none")).tolist()
    assert set(stage) == {"none", "MQL", "SQL"}
    assert set(plain["stage_reason"].to_pylist()) == {"score"}


def test_reasons_are_those_of_being_won(bundle, scored):
    parts = sum(column(scored, name) for name in ("base", *(family.value for family in Family)))
    np.testing.assert_allclose(parts, column(scored, "score"), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(column(scored, "base"), bundle.reference.base)


def test_a_bundle_of_one_label_has_no_score_sql(bundle, frame):
    plain = score_table(replace(bundle, became_sql=None), frame, as_of=NOW)
    assert plain["score_sql"].null_count == len(frame)
    assert plain.schema == SCORED_SCHEMA


# Rules


def test_hand_raisers_are_routed_by_rule_and_scored_all_the_same(scored, frame):
    raised = (frame["contact_me"] == "yes").to_numpy()
    assert set(column(scored, "stage")[raised]) == {"SQL"}
    assert set(column(scored, "stage_reason")[raised]) <= {"hand-raise", "score"}
    assert "hand-raise" not in column(scored, "stage_reason")[~raised]
    assert scored["score"].null_count == scored["reason_1"].null_count == 0


def test_who_does_not_fit_is_not_qualified_unless_the_hand_is_raised(scored, frame):
    raised = (frame["contact_me"] == "yes").to_numpy()
    low = (column(scored, "fit") < -0.02) & ~raised
    assert set(column(scored, "stage")[low]) == {"none"}
    assert "held back: fit too low" in column(scored, "stage_reason")[low]


def test_an_unscored_lead_has_no_stage(bundle, frame):
    empty = frame.head(3).assign(company_size=None, visits=None, budget=None, contact_me=None)
    found = score_table(bundle, empty.astype({"budget": object}), as_of=NOW)
    for name in ("stage", "stage_since", "stage_reason", "score_sql"):
        assert found[name].null_count == 3


# The scoring before


def lowered(frame, rows):
    """The same leads, some of which turned cold."""
    cold = frame.copy()
    cold.loc[rows, ["company_size", "visits"]] = [-3.0, 0]
    cold.loc[rows, ["budget", "contact_me"]] = ["no", "no"]
    return cold


def test_a_stage_is_kept_for_the_minimum_stay_and_since_is_remembered(bundle, frame, scored):
    qualified = np.flatnonzero(column(scored, "stage") != "none")[:20]
    cold = lowered(frame, qualified)
    two_days, three_days = NOW + timedelta(days=2), NOW + timedelta(days=3)
    second = score_table(bundle, cold, as_of=two_days, previous=scored)
    rows = pa.array(qualified)
    assert set(second["stage_reason"].take(rows).to_pylist()) == {"kept: minimum stay"}
    assert second["stage"].take(rows).equals(scored["stage"].take(rows))
    assert set(second["stage_since"].take(rows).to_pylist()) == {NOW}
    third = score_table(bundle, cold, as_of=three_days, previous=second)
    assert set(third["stage"].take(rows).to_pylist()) == {"none"}
    assert set(third["stage_since"].take(rows).to_pylist()) == {three_days}


def test_who_stays_in_a_stage_keeps_its_since(bundle, frame, scored):
    later = score_table(bundle, frame, as_of=NOW + timedelta(days=30), previous=scored)
    same = pc.equal(later["stage"], scored["stage"])
    assert set(later["stage_since"].filter(same).to_pylist()) == {NOW}


@pytest.mark.parametrize("batch_rows", [9, 64, 10_000])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_streaming_gives_the_same_stages_whatever_the_batches(
    bundle, frame, tmp_path, batch_rows, ending, monkeypatch
):
    cut(monkeypatch, batch_rows)
    leads, later = frame.head(150), NOW + timedelta(days=1)
    cold = lowered(leads, np.arange(100))
    leads.to_csv(tmp_path / "before.csv", index=False)
    cold.to_csv(tmp_path / "new.csv", index=False)
    before, out = tmp_path / f"scored.{ending}", tmp_path / "out.parquet"
    predict(bundle, tmp_path / "before.csv", out=before, as_of=NOW)
    summary = predict(bundle, tmp_path / "new.csv", out=out, previous=before, as_of=later)
    in_memory = score_table(bundle, cold, as_of=later, previous=score_table(bundle, leads, as_of=NOW))
    assert pq.read_table(out).equals(in_memory)
    assert summary.by_stage_reason["kept: minimum stay"] > 0
    assert sum(summary.by_stage_reason.values()) == len(leads)
    assert summary.not_scored_again == 0


def test_leads_of_the_previous_table_that_are_not_scored_again_are_counted(bundle, frame, scored, tmp_path):
    pq.write_table(scored, tmp_path / "scored.parquet")
    frame.head(550).to_csv(tmp_path / "new.csv", index=False)
    bundle.save(tmp_path / "bundle")
    options = ["--bundle", tmp_path / "bundle", "--out", tmp_path / "out.csv", "--as-of", "2026-11-23"]
    command = ["predict", tmp_path / "new.csv", *options, "--previous", tmp_path / "scored.parquet"]
    assert json.loads(run_ok(*command, "--json").out)["not_scored_again"] == 50
    assert "50 leads of the previous table were not scored again" in run_ok(*command).out


def test_the_output_may_not_replace_the_previous_table(bundle, frame, scored, tmp_path):
    pq.write_table(scored, tmp_path / "scored.parquet")
    frame.to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(InputError, match="would replace a file that is read"):
        predict(
            bundle,
            tmp_path / "new.csv",
            out=tmp_path / "scored.parquet",
            previous=tmp_path / "scored.parquet",
            as_of=NOW,
        )


@pytest.fixture
def mlflow_model(trained):
    """The model as a user of MLflow loads it; the global tracking URI is put back."""
    import mlflow

    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(trained.tracked.tracking_uri)
    yield mlflow.pyfunc.load_model(trained.tracked.model_uri)
    mlflow.set_tracking_uri(before)


def test_mlflows_model_scores_with_the_previous_table_too(mlflow_model, trained, frame, scored, tmp_path):
    pq.write_table(scored, tmp_path / "scored.parquet")
    later = NOW + timedelta(days=1)
    params = {"as_of": later.isoformat(), "previous": str(tmp_path / "scored.parquet")}
    found = mlflow_model.predict(frame, params=params)
    ours = score_table(trained.bundle, frame, as_of=later, previous=scored).to_pandas()
    pd.testing.assert_frame_equal(found, ours)


# Bad input


def test_a_rule_about_a_column_that_is_no_input_stops_training_early(tmp_path):
    two_stage_leads(1_000, seed=7).table.to_csv(tmp_path / "leads.csv", index=False)
    (tmp_path / "leadlift.toml").write_text(CONFIG + '[stages]\nhand_raise = "call_me"\n')
    with pytest.raises(ConfigError, match="hand_raise names 'call_me', which is no input of the model"):
        train(read_config(tmp_path / "leadlift.toml"))


def test_the_command_line_says_what_is_wrong_with_the_previous_table(trained, frame, tmp_path):
    frame.to_csv(tmp_path / "new.csv", index=False)
    (tmp_path / "old.csv").write_text("lead,stage\na,MQL\n")
    options = ["--bundle", trained.bundle_folder, "--out", tmp_path / "out.csv"]
    done = run_cli("predict", tmp_path / "new.csv", *options, "--previous", tmp_path / "old.csv")
    assert done.code == 1
    assert "old.csv: 1 column(s) needed are not there" in done.err
    assert not (tmp_path / "out.csv").exists()


# The page


def test_the_page_about_stages_tells_the_rules_as_they_are():
    page = (Path(__file__).parents[1] / "docs" / "stages.md").read_text(encoding="utf-8")
    shown = tomllib.loads(re.search(r"```toml\n(.*?)```", page, flags=re.DOTALL).group(1))
    written = tomllib.loads(CONFIG)
    config = LeadliftConfig.model_validate(written | shown | {"schema": written["schema"] | shown["schema"]})
    assert set(shown["stages"]) == set(StagesConfig.model_fields)
    assert config.stages.need_previous
    reasons = {value for name, value in vars(stages).items() if name.isupper() and isinstance(value, str)}
    assert len(reasons) == 8
    assert all(f"`{reason}`" in page for reason in reasons)
