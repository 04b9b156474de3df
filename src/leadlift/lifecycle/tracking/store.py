"""Where MLflow keeps runs and models: a SQLite file under the models folder, or a server."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from leadlift.exceptions import ConfigError

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "leadlift"
DATABASE = "mlflow.db"
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
# MLflow's seven retries, each twice as late as the one before, take minutes to say that a server is down.
# Whoever set it otherwise keeps it.
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}


@dataclass(frozen=True)
class TrackingStore:
    """MLflow's store of one models folder.

    Parameters
    ----------
    models : Path
        The models folder.
    server : str, default=""
        Address of an MLflow server, ``http`` or ``https``; empty for ``mlflow.db`` in the models folder.
    """

    models: Path
    server: str = ""

    @property
    def uri(self) -> str:
        """What ``mlflow.set_tracking_uri`` takes."""
        return self.server or tracking_uri(self.models)

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.server or str(self.models / DATABASE)

    @property
    def is_kept(self) -> bool:
        """Whether the models folder has a store of its own."""
        return (self.models / DATABASE).is_file()

    def client(self) -> MlflowClient:
        """Return MLflow's client; nothing global is set.

        Raises
        ------
        ConfigError
            The path of the models folder has a question mark.
        """
        from mlflow import MlflowClient

        if not self.server:
            self._require_path()
            self.models.mkdir(parents=True, exist_ok=True)
        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def experiment_id(self, client: MlflowClient) -> str:
        """Return the id of the experiment of training runs, made where there is none."""
        location = None if self.server else (self.models.absolute() / "mlruns").as_uri()
        experiment = client.get_experiment_by_name(EXPERIMENT)
        if experiment is not None and location not in {None, experiment.artifact_location}:
            # The folder was moved: MLflow keeps absolute paths, so a run would write to the old place.
            client.rename_experiment(
                experiment.experiment_id, f"{EXPERIMENT} (moved, {experiment.experiment_id})"
            )
            experiment = None
        if experiment is None:
            return client.create_experiment(EXPERIMENT, artifact_location=location)
        if experiment.lifecycle_stage == "deleted":
            client.restore_experiment(experiment.experiment_id)
        return experiment.experiment_id

    def _require_path(self) -> None:
        if "?" in str(self.models.absolute()):
            msg = (
                f"MLflow cannot keep a store in {self.models.absolute()}: a question mark would end its "
                "address. The model is safe; name another folder of models to have its runs logged."
            )
            raise ConfigError(msg)


def tracking_uri(store: str | Path) -> str:
    """Return the MLflow tracking and registry URI of a models folder.

    Examples
    --------
    >>> tracking_uri("/srv/models")
    'sqlite:////srv/models/mlflow.db'
    """
    return f"sqlite:///{Path(store).absolute().as_posix()}/{DATABASE}"


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


@contextmanager
def quiet_mlflow() -> Iterator[None]:
    """Keep MLflow from phoning home, talking on stderr and waiting long; put everything back afterwards."""
    settings = QUIET | {name: os.environ.get(name, value) for name, value in PATIENCE.items()}
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
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


def store_errors() -> tuple[type[Exception], ...]:
    """Return what MLflow and what it stands on raise when a store cannot be read or written."""
    from alembic.util.exc import CommandError
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return MlflowException, SQLAlchemyError, CommandError, OSError, pa.ArrowException
