"""A real MLflow server on loopback that keeps runs in PostgreSQL and serves artifacts itself."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# The first start makes the tables and imports all of MLflow: half a minute on two idle cores.
START_SECONDS = 180


@dataclass(frozen=True)
class MlflowServer:
    """A running server."""

    address: str
    process: subprocess.Popen

    def kill(self) -> None:
        """End the server at once, its workers too."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def running_mlflow_server(database: str, folder: Path):
    """Start a server on a database; yields it once it answers."""
    port = _free_port()
    log = folder / "server.log"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--backend-store-uri", database]
    command += ["--artifacts-destination", (folder / "artifacts").as_uri()]
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, cwd=folder, env=environment, start_new_session=True
        )
    server = MlflowServer(f"http://127.0.0.1:{port}", process)
    try:
        _wait_until_it_answers(server, log)
        yield server
    finally:
        if process.poll() is None:
            server.kill()


def _wait_until_it_answers(server: MlflowServer, log: Path) -> None:
    for _ in range(START_SECONDS):
        if server.process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{server.address}/health", timeout=5):  # noqa: S310 -- http, ours
                return
        except (urllib.error.URLError, OSError):
            try:
                server.process.wait(timeout=1)
            except subprocess.TimeoutExpired:
                continue
    message = f"the MLflow server does not answer:\n{log.read_text()[-3000:]}"
    raise RuntimeError(message)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
