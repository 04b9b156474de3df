"""Kills jobs at everything they do on disk while they add a batch; `test_folder_store` starts it."""

import json
import os
import signal
import sys
from pathlib import Path

from killed_jobs import killed_at
from leadlift.serving.score_store import open_score_store
from scored_tables import scored_row, scored_table

OLD = scored_table(scored_row("a", 0.1), scored_row("b", 0.2))
NEW = scored_table(scored_row("a", 0.3), scored_row("c", 0.4))
MERGED = {"a": 0.3, "b": 0.2, "c": 0.4}


def add(folder, table, kill_at=None):
    """Add a batch in a process of its own; say whether it was killed."""
    process = os.fork()
    if not process:
        if kill_at is not None:
            killed_at(kill_at, folder)
        open_score_store(folder).add(table)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    assert code in {0, -signal.SIGKILL}, f"the job ended with {code}"
    return code != 0


def scores(folder):
    rows = open_score_store(folder).scored(columns=["lead_id", "score"]).to_pylist()
    return {row["lead_id"]: row["score"] for row in rows}


def main(folder):
    """Write how often jobs were killed, and after which of their deeds a batch was half there."""
    n, wrong, before = 1, [], {"a": 0.1, "b": 0.2}
    while True:
        place = Path(folder, str(n))
        add(place, OLD)
        if not add(place, NEW, kill_at=n):
            break
        is_whole = scores(place) in (before, MERGED)
        add(place, NEW)
        if not is_whole or scores(place) != MERGED or len(list(place.iterdir())) != 1:
            wrong.append(n)
        n += 1
    sys.stdout.write(json.dumps({"killed": n - 1, "wrong": wrong}))


if __name__ == "__main__":
    main(sys.argv[1])
