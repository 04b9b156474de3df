"""Why a score moved, in words: the families that moved it, and the reasons that came and went."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.serving.history.movement import CHANGE, CHANGE_MODEL, CHANGES, PREVIOUS_AS_OF, PREVIOUS_MODEL
from leadlift.terms import AS_OF, LEAD_ID, MODEL_VERSION, REASONS

if TYPE_CHECKING:
    from datetime import datetime

    from leadlift.serving.score_store import ScoreStore

WHY, NEW_REASONS, GONE_REASONS = "why", "new_reasons", "gone_reasons"
LEAST_POINTS = 0.5
"""A family that moved a score by fewer points is not named."""

# The points at the end of a reason, which differ where the fact is the same.
_POINTS = r"[:,]\s[^\w\s]?\d[\d.,]*\s?\w*$"


def with_reasons(moved: pa.Table, store: ScoreStore) -> pa.Table:
    """Add why each score moved.

    Parameters
    ----------
    moved : pyarrow.Table
        From :func:`leadlift.serving.history.movement.movements`.
    store : ScoreStore
        Where both scorings are.

    Returns
    -------
    pyarrow.Table
        With the columns `why` (string): what moved the score by half a point or more, the most first;
        `new_reasons` and `gone_reasons` (string): facts among the reasons of the one scoring and not of the
        other, parted by ``"; "``. Null where nothing is to be said, and where the score moved by less than
        :data:`LEAST_POINTS`.
    """
    size = pc.fill_null(pc.abs(moved[CHANGE]), 0).to_numpy()
    rows = np.flatnonzero(size >= LEAST_POINTS / 100)
    told = _words(moved.take(pa.array(rows)), store)
    place = np.full(len(moved), -1)
    place[rows] = np.arange(len(rows))
    places = pa.array(place, mask=place < 0)
    for name, texts in told.items():
        moved = moved.append_column(name, pa.array(texts, pa.string()).take(places))
    return moved


def _words(moved: pa.Table, store: ScoreStore) -> dict[str, list[str | None]]:
    """The three columns of leads whose score moved."""
    now = _facts(moved, store, AS_OF, MODEL_VERSION)
    before = _facts(moved, store, PREVIOUS_AS_OF, PREVIOUS_MODEL)
    return {
        WHY: _whys(moved),
        NEW_REASONS: list(map(_joined, now, before)),
        GONE_REASONS: list(map(_joined, before, now)),
    }


def _facts(moved: pa.Table, store: ScoreStore, moment: str, version: str) -> list[list[str]]:
    """The facts among the reasons of each row's lead at one of its two scorings."""
    facts: list[list[str]] = [[] for _ in range(len(moved))]
    keys = moved.select([moment, version]).group_by([moment, version]).aggregate([])
    for at, of in zip(*keys.select([moment, version]).to_pydict().values(), strict=True):
        at_it = pc.equal(moved[moment], pa.scalar(at, moved[moment].type))
        rows = np.flatnonzero(pc.and_(at_it, pc.equal(moved[version], of)))
        _fill(facts, rows, moved[LEAD_ID].take(pa.array(rows)), _batch_facts(store, at, of))
    return facts


def _batch_facts(store: ScoreStore, as_of: datetime, model_version: str) -> pa.Table:
    """Lead and facts of one batch."""
    end = as_of + timedelta(microseconds=1)
    batch = store.scored(as_of, end, model_version, columns=(LEAD_ID, *REASONS))
    facts = [pc.replace_substring_regex(batch[reason], _POINTS, "") for reason in REASONS]
    return pa.table([batch[LEAD_ID], *facts], names=[LEAD_ID, *REASONS])


def _fill(facts: list[list[str]], rows: np.ndarray, ids: pa.ChunkedArray, batch: pa.Table) -> None:
    """Put the facts of a batch into the rows whose leads are these."""
    found = batch.take(pc.index_in(ids, value_set=batch[LEAD_ID].combine_chunks()))
    texts = zip(*[found[reason].to_pylist() for reason in REASONS], strict=True)
    for row, told in zip(rows, texts, strict=True):
        facts[row] = [fact for fact in told if fact]


def _joined(facts: list[str], others: list[str]) -> str | None:
    return "; ".join(fact for fact in facts if fact not in others) or None


def _whys(moved: pa.Table) -> list[str | None]:
    by_name = {name: moved[name].to_pylist() for name in (*CHANGES, MODEL_VERSION, PREVIOUS_MODEL)}
    rows = zip(*by_name.values(), strict=True)
    return [_why(dict(zip(by_name, row, strict=True))) for row in rows]


def _why(row: dict) -> str | None:
    """The parts that moved a score, the most first, in points."""
    moved = [(name, 100 * row[name]) for name in CHANGES if row[name] is not None]
    told = sorted((part for part in moved if abs(part[1]) >= LEAST_POINTS), key=lambda part: -abs(part[1]))
    return ", ".join(f"{_part(name, row)} {change:+.1f}" for name, change in told) or None


def _part(name: str, row: dict) -> str:
    if name == CHANGE_MODEL:
        return f"another model ({row[PREVIOUS_MODEL]} to {row[MODEL_VERSION]})"
    return name.removeprefix("change_")
