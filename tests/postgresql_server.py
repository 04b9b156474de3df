"""A PostgreSQL server of its own for the tests, on loopback, in a temporary folder."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER, PASSWORD = "crm_reader", "pa:ss/w@rd"

# The session's zone is none of UTC's and has no whole hours, so that a zone taken for UTC shows.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "Asia/Kolkata",
    "fsync": "off",
    "max_connections": "20",
    "shared_buffers": "16MB",
}


def programs() -> Path | None:
    """Folder of initdb and pg_ctl: that of Debian's newest server, or the one on the path; None without."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    found = debian[-1] if debian else shutil.which("pg_ctl")
    return Path(found).parent if found else None


@contextmanager
def running_server(bin_folder: Path) -> Iterator[str]:
    """Start a server with an empty database; yields its address without user and password: host:port/name."""
    with tempfile.TemporaryDirectory(prefix="leadlift-postgresql-") as name:
        folder, port = Path(name), _free_port()
        (folder / "password").write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (folder, folder / "password"):
                shutil.chown(path, "postgres", "postgres")
        _run(bin_folder / "initdb", "--pgdata", folder / "data", "--username", USER, "--pwfile",
             folder / "password", "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-sync")  # fmt: skip
        with (folder / "data" / "postgresql.conf").open("a") as file:
            file.writelines(f"{key} = '{value}'\n" for key, value in (_SETTINGS | {"port": port}).items())
        log = ("--pgdata", folder / "data", "--log", folder / "log")
        _run(bin_folder / "pg_ctl", *log, "--wait", "start")
        try:
            yield f"127.0.0.1:{port}/postgres"
        finally:
            _run(bin_folder / "pg_ctl", *log, "--mode", "immediate", "stop")


def _run(*command: object) -> None:
    """Run a program as a user that may own a server: PostgreSQL refuses root."""
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run(
        [*as_user, *map(str, command)],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},
        cwd="/",
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
