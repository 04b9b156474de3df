"""Runs and models in MLflow: what is logged, that the champion scores as `leadlift predict` does."""

import json
import logging
import os
import shutil
import sqlite3
from pathlib import Path

import mlflow
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadlift.exceptions import BundleError, ConfigError, LeadliftError, SchemaError
from leadlift.lifecycle.tracking import TrackedRun, log_run, mlflow_ui_command, tracking_uri
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.predict import predict
from leadlift.terms import SCORED_COLUMNS, Finding, Severity
from small_bundles import made_up_leads

FINDING = Finding("LL101", Severity.WARNING, "duplicate ids", "2 ids stand twice", column="id", count=2)
QUALITY = pa.table({"model": ["leadlift", "base rate"], "auc": [0.8, 0.5]})


@pytest.fixture(scope="module")
def leads() -> pd.DataFrame:
    return made_up_leads()


@pytest.fixture(scope="module")
def bundle_folder(small_bundle: ModelBundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "first"
    small_bundle.save(folder)
    return folder


def log(bundle_folder: Path, store: Path, **changes: object) -> TrackedRun:
    settings = {
        "parameters": {"folds": 2, "calibrator": "sigmoid"},
        "metrics": {"test_auc": 0.8},
        "findings": [FINDING],
        "tables": {"quality": QUALITY},
        "figures": {},
    }
    bundle = ModelBundle.load(bundle_folder)
    return log_run(bundle=bundle, bundle_folder=bundle_folder, store=store, **(settings | changes))


@pytest.fixture(scope="module")
def first_store(bundle_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one run; tests copy it, since making a database takes seconds."""
    store = tmp_path_factory.mktemp("models")
    figure = store / "gains.png"
    figure.write_bytes(b"\x89PNG")
    log(bundle_folder, store, figures={"gains": figure})
    return store


@pytest.fixture
def store(first_store: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(first_store, tmp_path / "my models"))


def client_of(store: Path) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(tracking_uri(store), tracking_uri(store))


@pytest.fixture
def global_uri() -> object:
    """Lets a test set the global tracking URI, as a user does, and puts it back."""
    before = mlflow.get_tracking_uri()
    yield mlflow.set_tracking_uri
    mlflow.set_tracking_uri(before)


def test_a_run_holds_parameters_metrics_findings_tables_figures_and_the_bundle(
    first_store: Path, bundle_folder: Path
):
    client = client_of(first_store)
    experiment = client.get_experiment_by_name("leadlift")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.params == {"folds": "2", "calibrator": "sigmoid"}
    assert run.data.metrics == {"test_auc": 0.8}
    assert run.info.status == "FINISHED"
    artifacts = Path(client.download_artifacts(run.info.run_id, ""))
    assert first_store in artifacts.parents
    assert json.loads((artifacts / "findings.json").read_text())[0]["code"] == "LL101"
    assert pd.read_csv(artifacts / "tables" / "quality.csv").to_dict("list") == QUALITY.to_pydict()
    assert (artifacts / "figures" / "gains.png").read_bytes() == b"\x89PNG"
    assert ModelBundle.load(artifacts / "bundle").version == ModelBundle.load(bundle_folder).version


def test_a_run_registers_the_next_version_with_its_lineage_and_moves_no_alias(
    store: Path, bundle_folder: Path
):
    tracked = log(bundle_folder, store, parent="0123456789ab")
    assert (tracked.model_version, tracked.model_uri) == (2, "models:/leadlift/2")
    version = client_of(store).get_model_version("leadlift", "2")
    assert (version.run_id, version.aliases) == (tracked.run_id, [])
    assert version.tags["bundle_version"] == ModelBundle.load(bundle_folder).version
    assert version.tags["parent_champion"] == "0123456789ab"
    assert len(version.tags["code_sha256"]) == 64
    assert set(version.tags) > {"data_sha256", "leadlift_version", "python", "platform"}


def test_the_registered_model_scores_as_leadlift_predict(
    store: Path, bundle_folder: Path, leads: pd.DataFrame, tmp_path: Path, global_uri
):
    tracked = log(bundle_folder, store)
    leads.to_csv(tmp_path / "new.csv", index=False)
    predict(bundle_folder, tmp_path / "new.csv", out=tmp_path / "scored.parquet")
    expected = pq.read_table(tmp_path / "scored.parquet").to_pandas()

    global_uri(tracked.tracking_uri)
    model = mlflow.pyfunc.load_model(tracked.model_uri)
    scored = model.predict(leads)
    assert tuple(scored.columns) == SCORED_COLUMNS
    pd.testing.assert_frame_equal(scored, expected, check_exact=True)
    pd.testing.assert_frame_equal(model.predict(leads.astype({"source": "category"})), scored)


def test_the_registered_model_takes_the_moment_of_scoring_as_a_parameter(
    store: Path, bundle_folder: Path, leads: pd.DataFrame, global_uri
):
    tracked = log(bundle_folder, store)
    global_uri(tracked.tracking_uri)
    model = mlflow.pyfunc.load_model(tracked.model_uri)
    scored = model.predict(leads[:3], params={"as_of": "2026-05-01T00:00:00+00:00"})
    assert set(scored["as_of"]) == {pd.Timestamp("2026-05-01", tz="UTC")}
    with pytest.raises(ConfigError, match=r"as_of is a moment such as 2026.*'yesterday'"):
        model.predict(leads[:3], params={"as_of": "yesterday"})
    with pytest.raises(SchemaError, match="visits"):
        model.predict(leads[["id", "source"]])


def test_a_registered_bundle_that_was_altered_is_refused(store: Path, bundle_folder: Path, global_uri):
    tracked = log(bundle_folder, store)
    source = client_of(store).get_model_version("leadlift", "2").source
    (file,) = Path(source.removeprefix("file://").replace("%20", " ")).glob("data/*/encoder.json")
    file.write_text(file.read_text() + " ")
    global_uri(tracked.tracking_uri)
    with pytest.raises(BundleError, match=r"encoder.json was altered"):
        mlflow.pyfunc.load_model(tracked.model_uri)


def test_the_model_holds_text_only(first_store: Path):
    names = {path.name for path in first_store.rglob("*") if path.is_file()}
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".joblib", ".cloudpickle"))]
    requirements = next(first_store.rglob("requirements.txt")).read_text().splitlines()
    assert requirements[0].startswith("leadlift==")
    assert all("==" in line for line in requirements)


def test_logging_into_a_new_store_leaves_nothing_changed_and_says_nothing(
    bundle_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd, global_uri
):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("DO_NOT_TRACK", "0")
    global_uri("sqlite:///elsewhere.db")
    before = (dict(os.environ), logging.getLogger("mlflow").level, mlflow.get_tracking_uri())
    log(bundle_folder, tmp_path / "models")
    assert before == (dict(os.environ), logging.getLogger("mlflow").level, mlflow.get_tracking_uri())
    assert mlflow.active_run() is None
    assert list(here.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_an_active_run_of_the_caller_stays_active_and_untouched(
    store: Path, bundle_folder: Path, tmp_path: Path, global_uri
):
    other = Path(shutil.copytree(store, tmp_path / "other"))
    global_uri(tracking_uri(other))
    mlflow.set_experiment(experiment_id="0")
    with mlflow.start_run() as mine:
        tracked = log(bundle_folder, store)
        assert mlflow.active_run().info.run_id == mine.info.run_id != tracked.run_id
    assert mlflow.get_run(mine.info.run_id).data.params == {}


def test_more_parameters_than_mlflow_takes_at_once_are_logged(store: Path, bundle_folder: Path):
    tracked = log(bundle_folder, store, parameters={f"p{i}": i for i in range(250)})
    assert len(client_of(store).get_run(tracked.run_id).data.params) == 250


def test_a_store_that_was_moved_writes_to_its_new_place(store: Path, bundle_folder: Path, tmp_path: Path):
    moved = store.rename(tmp_path / "moved")
    tracked = log(bundle_folder, moved)
    assert (moved / "mlruns" / tracked.run_id / "artifacts" / "findings.json").is_file()
    assert not store.exists()


def test_an_experiment_deleted_in_the_browser_is_restored(store: Path, bundle_folder: Path):
    client = client_of(store)
    log(bundle_folder, store)
    client.delete_experiment(client.get_experiment_by_name("leadlift").experiment_id)
    assert log(bundle_folder, store).model_version == 3


def spoil_database(store: Path) -> None:
    (store / "mlflow.db").write_text("no database " * 1000)


def take_the_place_of_the_files(store: Path) -> None:
    shutil.rmtree(store / "mlruns")
    (store / "mlruns").write_text("")


def come_from_a_newer_mlflow(store: Path) -> None:
    with sqlite3.connect(store / "mlflow.db") as connection:
        connection.execute("update alembic_version set version_num = 'unknown'")
        connection.execute("drop table trace_tags")
    connection.close()


@pytest.mark.parametrize("harm", [spoil_database, take_the_place_of_the_files, come_from_a_newer_mlflow])
def test_a_store_that_cannot_be_written_is_an_error_that_says_the_bundle_is_safe(
    harm, store: Path, bundle_folder: Path
):
    harm(store)
    with pytest.raises(LeadliftError, match=r"could not be logged in .*mlflow.db.*its bundle is in .*first"):
        log(bundle_folder, store)
    ModelBundle.load(bundle_folder)


def test_a_run_that_fails_half_way_is_marked_failed_and_registers_nothing(store: Path, bundle_folder: Path):
    with pytest.raises(LeadliftError, match="could not be logged"):
        log(bundle_folder, store, figures={"gone": store / "gone.png"})
    client = client_of(store)
    experiment = client.get_experiment_by_name("leadlift")
    assert [run.info.status for run in client.search_runs([experiment.experiment_id])] == ["FAILED"]
    assert [version.version for version in client.search_model_versions("name = 'leadlift'")] == [1]


def test_a_folder_that_mlflow_would_misread_is_refused(bundle_folder: Path, tmp_path: Path):
    with pytest.raises(ConfigError, match="question mark"):
        log(bundle_folder, tmp_path / "which?")
    assert not (tmp_path / "which").exists()


def test_the_browser_command_names_the_store(tmp_path: Path):
    command = mlflow_ui_command(tmp_path, port=5001)
    assert command[1:4] == ["-m", "mlflow", "ui"]
    assert command[command.index("--backend-store-uri") + 1] == tracking_uri(tmp_path)
    assert command[-1] == "5001"
