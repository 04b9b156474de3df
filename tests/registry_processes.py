"""Kills changes of a registry at everything they do, and lets several run at once; the tests start it.

Processes are forked from one interpreter that has imported everything and opened a store of its own only.
"""

import json
import os
import shutil
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import mlflow

from leadlift.lifecycle.registry import Registry
from leadlift.serving.bundle import ModelBundle

AT = datetime(2030, 1, 1, tzinfo=UTC)
WHO = {"by": "ann", "at": AT}
# What Python tells of work on files (PEP 578).
ON_DISK = {"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.chmod", "os.symlink", "os.truncate"}
# What changes MLflow's store, which Python does not tell of.
IN_MLFLOW = ("set_model_version_tag", "set_registered_model_alias", "delete_registered_model_alias")

CHANGES = {
    "promote": lambda registry: registry.promote("challenger", **WHO, why="better"),
    "rollback": lambda registry: registry.rollback(**WHO, why="worse"),
    "register": lambda registry: registry.register(registry.folder("previous"), **WHO, why="again"),
}


class Killer:
    """Kills this process before the n-th thing that it does in a folder or to MLflow's store."""

    def __init__(self, n, folder):
        self.left, self.folder = n, str(folder)
        sys.addaudithook(self.hear)
        for name in IN_MLFLOW:
            setattr(mlflow.MlflowClient, name, self.before(getattr(mlflow.MlflowClient, name)))

    def hear(self, event, arguments):
        writes = event in ON_DISK or (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR))
        # Not the database's own files: SQLite sees to those.
        if writes and self.folder in str(arguments[0]) and "mlflow.db" not in str(arguments[0]):
            self.count()

    def before(self, method):
        def counted(*arguments, **keywords):
            self.count()
            return method(*arguments, **keywords)

        return counted

    def count(self):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def in_a_process(do):
    """Do something in a process of its own; return its exit code, negative where it was killed."""
    process = os.fork()
    if not process:
        code = 1
        try:
            do()
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def listing(models):
    """What stands in a models folder, MLflow's things aside."""
    return sorted(
        str(path.relative_to(models))
        for path in models.rglob("*")
        if "mlruns" not in path.parts and not path.name.startswith("mlflow.db")
    )


def killed(change, template, models, n):
    """Carry out a change that is killed at its n-th deed; say whether it was."""
    shutil.copytree(template, models, symlinks=True)

    def carry_out():
        registry = Registry(models)
        Killer(n, models)
        CHANGES[change](registry)

    code = in_a_process(carry_out)
    assert code in {0, -signal.SIGKILL}, f"{change} ended with {code}"
    return code != 0


def check_after_a_kill(models, before, after, files):
    """The champion serves; once repaired, all is as before or as after the change, and agreed on."""
    serving = ModelBundle.load(models / "champion").version
    registry = Registry(models)
    assert serving in {before["champion"], after["champion"]}, serving
    left = registry.repair(**WHO)
    assert left == (), left
    state = registry.state().to_dict()
    assert state in (before, after), state
    assert state["champion"] == serving
    assert registry.audit()["to_version"].to_pylist()[-1] == serving
    assert listing(models) == files, set(listing(models)) ^ set(files)


def kill_at_every_deed(change, template, folder):
    """Return how often the change was killed, and at which of its deeds what was left was wrong."""
    before = Registry(template).state().to_dict()
    shutil.copytree(template, folder / "whole", symlinks=True)
    assert in_a_process(lambda: CHANGES[change](Registry(folder / "whole"))) == 0
    after, files = Registry(folder / "whole").state().to_dict(), listing(folder / "whole")
    n, wrong = 1, []
    while killed(change, template, models := folder / str(n), n):
        if in_a_process(lambda models=models: check_after_a_kill(models, before, after, files)) != 0:
            wrong.append(n)
        n += 1
    return {"killed": n - 1, "wrong": wrong}


def change_at_once(template, folder, n_processes=3, n_changes=4):
    """Let processes promote and roll back at once while another one loads the champion."""
    models = folder / "models"
    shutil.copytree(template, models, symlinks=True)
    stop = folder / "stop"

    def change():
        for _ in range(n_changes):
            Registry(models).rollback(**WHO, why="at once")

    def load():
        n_loaded = 0
        while not stop.exists() or not n_loaded:
            ModelBundle.load(models / "champion")
            n_loaded += 1

    processes = [fork(load), *[fork(change) for _ in range(n_processes)]]
    codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes[1:]]
    stop.touch()
    codes.append(os.waitstatus_to_exitcode(os.waitpid(processes[0], 0)[1]))
    return {"codes": codes}


def fork(do):
    """Start a process and return its number."""
    process = os.fork()
    if process:
        return process
    os._exit(in_a_process(do) and 1)


if __name__ == "__main__":
    what, template, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    # MLflow imports most of itself when a store is first opened, which is not to be paid for by each process.
    assert Registry(shutil.copytree(template, folder / "warm", symlinks=True)).verify() == ()
    done = (
        change_at_once(template, folder) if what == "at_once" else kill_at_every_deed(what, template, folder)
    )
    sys.stdout.write(json.dumps(done))
