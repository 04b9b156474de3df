"""The registry on a real MLflow server with PostgreSQL: as on the file, and refused when it is down."""

import json
from dataclasses import replace
from pathlib import Path

import mlflow
import pyarrow.csv
import pytest

from command_line import run_cli, run_ok
from leadlift.data.datasets import make_leads
from leadlift.exceptions import RegistryError
from leadlift.lifecycle.registry import Registry
from leadlift.serving.bundle import ModelBundle
from mlflow_server import running_mlflow_server
from registry_folders import WHO

LEFT_OUT = ("sales_stage", "loss_reason", "loss_note", "deal_amount", "last_activity")
TOML = """
tracking_uri = "{address}"
[data]
leads = "leads.csv"
[schema]
lead_id = "lead_id"
outcome = "outcome"
won = ["won"]
lost = ["lost"]
open = ["open"]
created_at = "created_at"
closed_at = "closed_at"
horizon_days = 60
ignore = {ignore}
[model]
folds = 2
[cutoff.mql]
policy = "fixed_threshold"
threshold = 0.2
"""


@pytest.fixture(scope="module")
def mlflow_server(server, tmp_path_factory):
    database = server.with_schema().address.replace("postgresql://", "postgresql+psycopg://", 1)
    with running_mlflow_server(database, tmp_path_factory.mktemp("mlflow")) as running:
        yield running


@pytest.fixture(scope="module")
def trained(mlflow_server, tmp_path_factory) -> Path:
    """A models folder after one training that was logged on the server."""
    folder = tmp_path_factory.mktemp("crm")
    table = make_leads(1500, 11, with_events=False).leads
    keep = ("lead_id", "created_at", "closed_at", "outcome", "industry", "seniority", "visits_before_form")
    pyarrow.csv.write_csv(table.select([*keep, *LEFT_OUT]), folder / "leads.csv")
    text = TOML.format(address=mlflow_server.address, ignore=json.dumps(list(LEFT_OUT)))
    (folder / "leadlift.toml").write_text(text)
    run_ok("train", folder / "leadlift.toml", "--no-report")
    return folder / "models"


def changed(bundle, note):
    """The same model as a version of its own."""
    return replace(bundle, provenance=bundle.provenance | {"note": note}, version="")


def test_training_promotion_and_rollback_on_a_server(trained, mlflow_server):
    """In order, since the server starts slowly: one story that ends with the server killed."""
    registry = Registry(trained)
    first = registry.state().champion
    assert (registry.store.server, registry.verify()) == (mlflow_server.address, ())
    assert not (trained / "mlflow.db").exists()

    second = registry.register(changed(ModelBundle.load(registry.champion), "second"), **WHO)
    run_ok("promote", second, "--why", "better", "--models", trained)
    assert ModelBundle.load(registry.champion).version == second
    assert registry.verify() == ()
    client = mlflow.MlflowClient(mlflow_server.address, mlflow_server.address)
    champion = client.get_model_version_by_alias("leadlift", "champion")
    assert champion.tags["bundle_version"] == second
    assert champion.tags["parent_champion"] == first
    assert champion.source.startswith("mlflow-artifacts:")

    run_ok("rollback", "--why", "worse", "--models", trained)
    assert client.get_model_version_by_alias("leadlift", "champion").tags["bundle_version"] == first
    assert client.get_model_version_by_alias("leadlift", "previous").tags["bundle_version"] == second
    assert_scores_with_the_champion(mlflow_server.address, first)

    mlflow_server.kill()
    refused = run_cli("rollback", "--why", "again", "--models", trained)
    assert refused.code == 1
    assert "does not answer" in refused.err
    assert "champion serves as before" in refused.err
    assert ModelBundle.load(registry.champion).version == first
    shown = run_cli("models", "--models", trained, "--json")
    assert (shown.code, json.loads(shown.out)["champion"]) == (3, first)
    assert [finding["code"] for finding in json.loads(shown.out)["findings"]] == ["LL275"]

    again = run_cli("train", trained.parent / "leadlift.toml", "--no-report")
    assert again.code == 1
    assert f"its bundle is in {trained / 'versions'}" in again.err
    with pytest.raises(RegistryError, match="does not answer"):
        registry.register(changed(ModelBundle.load(registry.champion), "third"), **WHO)
    assert registry.state().champion == first


def assert_scores_with_the_champion(address, version):
    before = mlflow.get_tracking_uri()
    try:
        mlflow.set_tracking_uri(address)
        model = mlflow.pyfunc.load_model("models:/leadlift@champion")
    finally:
        mlflow.set_tracking_uri(before)
    leads = make_leads(50, 3, with_events=False).leads.to_pandas()
    assert set(model.predict(leads)["model_version"]) == {version}
