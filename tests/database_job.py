"""A job that writes into a database; as a program it dies on the way: ADDRESS N_WRITES_BEFORE_DEATH."""

import os
import signal
import sys

from leadlift.data.table_stores import open_store
from leadlift.serving.database_sink import open_database_sink
from scored_tables import NOW, scored_row, scored_table


def batch(first, n=4, **columns):
    """Some leads, the second without an id and the third with that of the first."""
    rows = [scored_row(f"L{i}", i / 100, reason_1="5 visits", **columns) for i in range(first, first + n)]
    rows[1] |= {"lead_id": None, "score": None, "status": "missing_id", "status_detail": "the id is missing"}
    rows[2] |= {"lead_id": f"L{first}", "score": None, "status": "duplicate_id"}
    return scored_table(*rows)


BATCHES = [batch(first) for first in range(10, 30, 4)]


def write(address, *batches, as_of=NOW, model_version="m1", source="new.csv"):
    with open_database_sink(
        address, "scores", as_of=as_of, model_version=model_version, source=source
    ) as append:
        for each in batches:
            append(each)


def write_and_die(address, n_writes):
    """Write the batches; die within the transaction that makes one write more. Each batch takes two."""
    store = type(open_store(address))
    upsert, tables = store.upsert, []

    def upsert_or_die(self, table, rows):
        upsert(self, table, rows)
        tables.append(table)
        if len(tables) > n_writes:
            os.kill(os.getpid(), signal.SIGKILL)

    store.upsert = upsert_or_die
    write(address, *BATCHES)


if __name__ == "__main__":
    write_and_die(sys.argv[1], int(sys.argv[2]))
