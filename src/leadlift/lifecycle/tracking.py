"""Training runs and models in MLflow: what was learnt, from what, and which model is in service.

Everything goes through MLflow's client to a SQLite file under the models folder, so nothing global is
touched: neither the caller's tracking URI nor an active run. The model is kept as the bundle's own text and
JSON files, never as a pickle; :func:`_load_pyfunc` reads them back with their hashes checked.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv

import leadlift
from leadlift.exceptions import ConfigError, LeadliftError
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.inputs import bundle_events, bundle_history
from leadlift.serving.predict import score_table
from leadlift.terms import AS_OF, Finding

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run

EXPERIMENT = "leadlift"
# What scoring needs; MLflow installs it where it serves the model in an environment of its own.
SCORING_PACKAGES = (
    "duckdb",
    "lightgbm",
    "mlflow",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "scikit-learn",
    "scipy",
)
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
# Parameters of a prediction, beside as_of.
EVENTS, HISTORY, PREVIOUS = "events", "history", "previous"
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
        What ``mlflow.pyfunc.load_model`` takes, such as ``"models:/leadlift@champion"``.
    tracking_uri : str
        What ``mlflow.set_tracking_uri`` takes.
    """

    run_id: str
    model_version: int
    model_uri: str
    tracking_uri: str


def tracking_uri(store: str | Path) -> str:
    """Return the MLflow tracking and registry URI of a models folder.

    Examples
    --------
    >>> tracking_uri("/srv/models")
    'sqlite:////srv/models/mlflow.db'
    """
    return f"sqlite:///{Path(store).absolute().as_posix()}/mlflow.db"


def mlflow_ui_command(store: str | Path, *, port: int = 5000) -> list[str]:
    """Return the command that shows the runs in a browser on this machine.

    Parameters
    ----------
    store : str or Path
        The models folder.
    port : int, default=5000

    Returns
    -------
    list of str
        For ``subprocess.run``.

    Examples
    --------
    >>> mlflow_ui_command("/srv/models")[2:5]
    ['mlflow', 'ui', '--backend-store-uri']
    """
    # One worker: one person looks, and MLflow's four take most of a minute to start on two cores.
    server = ["--workers", "1", "--host", "127.0.0.1", "--port", str(port)]
    return [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", tracking_uri(store), *server]


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
    model_name: str = "leadlift",
    alias: str = "champion",
) -> TrackedRun:
    """Log one training run and register its model.

    No network is used, MLflow's telemetry is off during the call, and the caller's tracking URI, active run,
    environment and log levels are as before afterwards.

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
    model_name : str, default="leadlift"
        Name of the registered model.
    alias : str, default="champion"
        Moves to the new version.

    Returns
    -------
    TrackedRun

    Raises
    ------
    LeadliftError
        MLflow could not write; the message says where the saved bundle is, which is not affected.
    ConfigError
        The path of `store` has a question mark.
    """
    store, bundle_folder = Path(store), Path(bundle_folder)
    with _quiet_mlflow():
        try:
            client = _client(store)
            run = client.create_run(_experiment_id(client, store), run_name=bundle.version or None)
            with _ended(client, run):
                _log_numbers(client, run, parameters, metrics)
                _log_files(client, run, findings, tables, figures, bundle_folder)
                model = _log_model(client, run, bundle, bundle_folder, model_name)
            model_version = _register(client, model, model_name, alias)
        except _store_errors() as error:
            msg = _not_logged(error, store, bundle_folder)
            raise LeadliftError(msg) from error
    return TrackedRun(run.info.run_id, model_version, f"models:/{model_name}@{alias}", tracking_uri(store))


class BundleModel:
    """A bundle with the ``predict`` that MLflow calls.

    Parameters
    ----------
    bundle : ModelBundle
    """

    def __init__(self, bundle: ModelBundle) -> None:
        self._bundle = bundle

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, str] | None = None) -> pd.DataFrame:
        """Score new leads, as ``leadlift predict`` does.

        Parameters
        ----------
        model_input : pandas.DataFrame
            The user's own columns, in any order, extra ones ignored.
        params : mapping of str to str, optional
            ``as_of``: moment of scoring in ISO 8601 with time zone; ``events``, ``history``: files, folders
            or addresses of what happened, for a model trained with them; ``previous``: scored table of the
            scoring before. Empty for none.

        Returns
        -------
        pandas.DataFrame
            Columns ``terms.SCORED_COLUMNS``, a row for each row of `model_input`.

        Raises
        ------
        SchemaError
            An input column is missing.
        ConfigError
            ``as_of`` is no moment with a time zone.
        """
        given = params or {}
        return score_table(
            self._bundle,
            model_input,
            as_of=_moment(given.get(AS_OF, "")),
            events=bundle_events(self._bundle, given.get(EVENTS) or None),
            history=bundle_history(self._bundle, given.get(HISTORY) or None),
            previous=given.get(PREVIOUS) or None,
        ).to_pandas()


def _load_pyfunc(path: str) -> BundleModel:
    """Load the model for ``mlflow.pyfunc.load_model``; a bundle whose hashes do not match is refused."""
    return BundleModel(ModelBundle.load(path))


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        msg = f"as_of is a moment such as 2026-05-01T00:00:00+00:00, got {text!r}"
        raise ConfigError(msg) from error


@contextmanager
def _quiet_mlflow() -> Iterator[None]:
    """Keep MLflow from phoning home and from talking on stderr; put everything back afterwards."""
    before = {name: os.environ.get(name) for name in QUIET}
    os.environ.update(QUIET)
    try:
        # Its import sets the level of its logger, so it comes before ours.
        import mlflow  # noqa: F401

        with _only_errors("mlflow"), _only_errors("alembic"):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _only_errors(logger_name: str) -> Iterator[None]:
    logger = logging.getLogger(logger_name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _store_errors() -> tuple[type[Exception], ...]:
    """Return what MLflow and what it stands on raise when a store cannot be read or written."""
    from alembic.util.exc import CommandError
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return MlflowException, SQLAlchemyError, CommandError, OSError, pa.ArrowException


def _not_logged(error: Exception, store: Path, bundle_folder: Path) -> str:
    reason = str(error).partition("\n")[0].rstrip(".")
    return (
        f"the run could not be logged in {store / 'mlflow.db'}: {reason}. The model is safe: its bundle is "
        f"in {bundle_folder} and scores as it is. Make the store writable, or move mlflow.db away to begin a "
        "new one, and train again to log it."
    )


def _client(store: Path) -> MlflowClient:
    from mlflow import MlflowClient

    if "?" in str(store.absolute()):
        msg = (
            f"MLflow cannot keep a store in {store.absolute()}: a question mark would end its address. "
            "The model is safe; name another folder of models to have its runs logged."
        )
        raise ConfigError(msg)
    store.mkdir(parents=True, exist_ok=True)
    uri = tracking_uri(store)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _experiment_id(client: MlflowClient, store: Path) -> str:
    """Return the experiment whose files are under this store, made where there is none."""
    location = (store.absolute() / "mlruns").as_uri()
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is not None and experiment.artifact_location != location:
        # The store was moved: MLflow keeps absolute paths, so a run logged here would write to the old place.
        client.rename_experiment(
            experiment.experiment_id, f"{EXPERIMENT} (moved, {experiment.experiment_id})"
        )
        experiment = None
    if experiment is None:
        return client.create_experiment(EXPERIMENT, artifact_location=location)
    if experiment.lifecycle_stage == "deleted":
        client.restore_experiment(experiment.experiment_id)
    return experiment.experiment_id


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


def _log_model(
    client: MlflowClient, run: Run, bundle: ModelBundle, bundle_folder: Path, model_name: str
) -> LoggedModel:
    """Log the bundle as an MLflow model of the run."""
    import mlflow.pyfunc
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model

    run_id = run.info.run_id
    logged = client.create_logged_model(run.info.experiment_id, name=model_name, source_run_id=run_id)
    description = Model(
        artifact_path=logged.artifact_location,
        run_id=run_id,
        model_id=logged.model_id,
        signature=_signature(),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model")
        mlflow.pyfunc.save_model(
            str(path),
            loader_module=__name__,
            data_path=str(bundle_folder),
            mlflow_model=description,
            pip_requirements=_requirements(),
            metadata={"bundle_version": bundle.version},
        )
        client.log_model_artifacts(logged.model_id, str(path))
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    return client.finalize_logged_model(logged.model_id, "READY")


def _signature() -> object:
    """Return a signature of the parameters only.

    Inputs are left to leadlift's own checks: MLflow would refuse a whole table for one category column or
    one unreadable cell, where ``predict`` gives the row a status.
    """
    from mlflow.models import ModelSignature
    from mlflow.types.schema import ParamSchema, ParamSpec

    names = (AS_OF, EVENTS, HISTORY, PREVIOUS)
    return ModelSignature(params=ParamSchema([ParamSpec(name, "string", "") for name in names]))


def _requirements() -> list[str]:
    """Return the packages with the versions the model was made with; inferring them takes minutes."""
    return [
        f"leadlift=={leadlift.__version__}",
        *[f"{package}=={version(package)}" for package in SCORING_PACKAGES],
    ]


def _register(client: MlflowClient, model: LoggedModel, model_name: str, alias: str) -> int:
    """Register the model as the next version and move the alias to it."""
    if not client.search_registered_models(f"name = '{model_name}'"):
        client.create_registered_model(model_name)
    # The location itself is the source: MLflow would look "models:/<id>" up in the global tracking store.
    registered = client.create_model_version(
        model_name, model.artifact_location, run_id=model.source_run_id, model_id=model.model_id
    )
    client.set_registered_model_alias(model_name, alias, registered.version)
    return int(registered.version)
