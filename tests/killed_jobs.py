"""Kills scoring jobs at everything they do on disk, and runs them again; `test_kills` starts it.

Jobs are forked from one interpreter that has imported everything, so that a kill costs a tenth of a second.
"""

import json
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from leadlift.serving.bundle import ModelBundle
from leadlift.serving.predict import predict
from small_shards import cut

AS_OF = datetime(2030, 1, 1, tzinfo=UTC)
PIECE_ROWS = 3
# What Python tells of work on files (PEP 578).
ON_DISK = {"open", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.chmod", "os.truncate"}


def killed_at(n, folder):
    """Let this process kill itself before the n-th thing that it does in a folder."""
    n_done = 0

    def hook(event, arguments):
        nonlocal n_done
        if event in ON_DISK and str(arguments[0]).startswith(str(folder)):
            n_done += 1
            if n_done == n:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def run(bundle, leads, out, kill_at=None):
    """Score in a process of its own; say whether it was killed."""
    process = os.fork()
    if not process:
        if kill_at is not None:
            killed_at(kill_at, out.parent)
        predict(bundle, leads, out=out, as_of=AS_OF, engine="plain", reasons=False, threads=1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    assert code in {0, -signal.SIGKILL}, f"the job ended with {code}"
    return code != 0


def main(bundle_folder, leads, folder):
    """Write how often jobs were killed, and at which of their deeds the rerun went wrong."""
    bundle, whole = ModelBundle.load(bundle_folder), Path(folder, "whole", "s.parquet")
    run(bundle, leads, whole)
    n, wrong = 1, []
    while run(bundle, leads, out := Path(folder, str(n), "s.parquet"), kill_at=n):
        if n % 4 == 0:
            # Some are killed once more, somewhere, before they are left alone.
            run(bundle, leads, out, kill_at=1 + 7 * n % 30)
        run(bundle, leads, out)
        there = sorted(path.name for path in out.parent.iterdir())
        if out.read_bytes() != whole.read_bytes() or there != ["s.parquet", "s.parquet.manifest.json"]:
            wrong.append(n)
        n += 1
    sys.stdout.write(json.dumps({"killed": n - 1, "wrong": wrong}))


if __name__ == "__main__":
    with pytest.MonkeyPatch.context() as patch:
        cut(patch, PIECE_ROWS)
        main(*sys.argv[1:])
