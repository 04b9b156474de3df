"""Scored tables typed in a test: what a row does not say is missing."""

from datetime import UTC, datetime

import pyarrow as pa

from leadlift.serving.scored_columns import SCORED_SCHEMA

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


def scored_row(lead_id, score=None, *, as_of=NOW, model_version="m1", **columns):
    """A row that was scored if it has a score; the columns given win."""
    row = {"lead_id": lead_id, "as_of": as_of, "model_version": model_version, "score": score}
    if score is not None:
        row |= {"score_0_100": round(100 * score), "stage": "none", "grade": "D"}
    return row | {"status": "missing_required" if score is None else "scored"} | columns


def scored_table(*rows):
    return pa.Table.from_pylist(list(rows), schema=SCORED_SCHEMA)
