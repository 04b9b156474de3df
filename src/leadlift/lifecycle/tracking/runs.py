"""Training runs in MLflow: what was learnt, from what, and how well."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv

from leadlift.exceptions import RegistryError
from leadlift.lifecycle.tracking.lineage import BUNDLE_VERSION, lineage_tags
from leadlift.lifecycle.tracking.pyfunc import requirements, signature
from leadlift.lifecycle.tracking.store import TrackingStore, quiet_mlflow, store_errors
from leadlift.serving.bundle import ModelBundle, is_version
from leadlift.terms import Finding

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run

MODEL_NAME = "leadlift"
# Where MLflow looks for what loads the model; stored with it.
LOADER_MODULE = "leadlift.lifecycle.tracking"
# MLflow takes at most so many parameters in one call.
PARAMETERS_A_CALL = 100


@dataclass(frozen=True)
class TrackedRun:
    """Where MLflow keeps a training run and its model.

    Parameters
    ----------
    run_id : str
    model_version : int
        Version of the registered model, from 1.
    model_uri : str
        What ``mlflow.pyfunc.load_model`` takes, such as ``"models:/leadlift/3"``.
    tracking_uri : str
        What ``mlflow.set_tracking_uri`` takes.
    """

    run_id: str
    model_version: int
    model_uri: str
    tracking_uri: str


def log_run(
    *,
    bundle: ModelBundle,
    bundle_folder: str | Path,
    parameters: Mapping[str, str | float | int],
    metrics: Mapping[str, float],
    findings: Sequence[Finding],
    tables: Mapping[str, pa.Table],
    figures: Mapping[str, Path],
    store: str | Path,
    server: str = "",
    parent: str | None = None,
) -> TrackedRun:
    """Log one training run and register its model; no alias moves.

    Without a server no network is used. MLflow's telemetry is off during the call, and the caller's tracking
    URI, active run, environment and log levels are as before afterwards.

    Parameters
    ----------
    bundle : ModelBundle
        As saved, with its version.
    bundle_folder : str or Path
        Where it was saved.
    parameters : mapping of str to str, float or int
    metrics : mapping of str to float
    findings : sequence of Finding
        Logged as ``findings.json``.
    tables : mapping of str to pyarrow.Table
        Logged as ``tables/<name>.csv``; columns of numbers, text or dates.
    figures : mapping of str to Path
        PNG files, logged under ``figures``.
    store : str or Path
        Folder of ``mlflow.db`` and ``mlruns``; made where it does not exist.
    server : str, default=""
        Address of an MLflow server that takes their place.
    parent : str, optional
        Version of the champion at this time; kept with the lineage.

    Returns
    -------
    TrackedRun

    Raises
    ------
    RegistryError
        MLflow could not write; the message says where the saved bundle is, which is not affected.
    ConfigError
        The path of `store` has a question mark.
    """
    place, bundle_folder = TrackingStore(Path(store), server), Path(bundle_folder)
    with quiet_mlflow():
        try:
            client = place.client()
            run = client.create_run(place.experiment_id(client), run_name=bundle.version or None)
            with _ended(client, run):
                _log_numbers(client, run, parameters, metrics)
                _log_files(client, run, findings, tables, figures, bundle_folder)
                model = _log_model(client, run, bundle, bundle_folder)
            number = _register(client, model, lineage_tags(bundle, parent))
        except store_errors() as error:
            msg = _not_logged(error, place, bundle_folder)
            raise RegistryError(msg) from error
    return TrackedRun(run.info.run_id, number, f"models:/{MODEL_NAME}/{number}", place.uri)


def _not_logged(error: Exception, place: TrackingStore, bundle_folder: Path) -> str:
    reason = str(error).partition("\n")[0].rstrip(".")
    writable = "Make the store writable, or move mlflow.db away to begin anew"
    mend = "Start the server" if place.server else writable
    version = bundle_folder.name
    then = f"`leadlift promote {version} --why TEXT`" if is_version(version) else "train again"
    return (
        f"the run could not be logged in {place.name}: {reason}. The model is safe: its bundle is "
        f"in {bundle_folder} and scores as it is. {mend}; then {then} registers it."
    )


@contextmanager
def _ended(client: MlflowClient, run: Run) -> Iterator[None]:
    """End the run as finished, or as failed where an error passes through."""
    status = "FAILED"
    try:
        yield
        status = "FINISHED"
    finally:
        client.set_terminated(run.info.run_id, status)


def _log_numbers(
    client: MlflowClient, run: Run, parameters: Mapping[str, str | float | int], metrics: Mapping[str, float]
) -> None:
    from mlflow.entities import Metric, Param

    at = run.info.start_time
    client.log_batch(run.info.run_id, metrics=[Metric(k, float(v), at, 0) for k, v in metrics.items()])
    params = [Param(key, str(value)) for key, value in parameters.items()]
    for first in range(0, len(params), PARAMETERS_A_CALL):
        client.log_batch(run.info.run_id, params=params[first : first + PARAMETERS_A_CALL])


def _log_files(
    client: MlflowClient,
    run: Run,
    findings: Sequence[Finding],
    tables: Mapping[str, pa.Table],
    figures: Mapping[str, Path],
    bundle_folder: Path,
) -> None:
    run_id = run.info.run_id
    client.log_dict(run_id, [asdict(finding) for finding in findings], "findings.json")
    with tempfile.TemporaryDirectory() as folder:
        for name, table in tables.items():
            pyarrow.csv.write_csv(table, Path(folder, f"{name}.csv"))
        client.log_artifacts(run_id, folder, "tables")
    for path in figures.values():
        client.log_artifact(run_id, str(path), "figures")
    client.log_artifacts(run_id, str(bundle_folder), "bundle")


def _log_model(client: MlflowClient, run: Run, bundle: ModelBundle, bundle_folder: Path) -> LoggedModel:
    """Log the bundle as an MLflow model of the run."""
    import mlflow.pyfunc
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model

    run_id = run.info.run_id
    logged = client.create_logged_model(run.info.experiment_id, name=MODEL_NAME, source_run_id=run_id)
    description = Model(
        artifact_path=logged.artifact_location,
        run_id=run_id,
        model_id=logged.model_id,
        signature=signature(),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model")
        mlflow.pyfunc.save_model(
            str(path),
            loader_module=LOADER_MODULE,
            data_path=str(bundle_folder),
            mlflow_model=description,
            pip_requirements=requirements(),
            metadata={BUNDLE_VERSION: bundle.version},
        )
        client.log_model_artifacts(logged.model_id, str(path))
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    return client.finalize_logged_model(logged.model_id, "READY")


def _register(client: MlflowClient, model: LoggedModel, tags: dict[str, str]) -> int:
    """Register the model as the next version."""
    if not client.search_registered_models(f"name = '{MODEL_NAME}'"):
        client.create_registered_model(MODEL_NAME)
    # The location itself is the source: MLflow would look "models:/<id>" up in the global tracking store.
    registered = client.create_model_version(
        MODEL_NAME, model.artifact_location, run_id=model.source_run_id, model_id=model.model_id, tags=tags
    )
    return int(registered.version)
