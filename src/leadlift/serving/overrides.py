"""Stages that people set against the model, honoured while they are in force."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.exceptions import ConfigError
from leadlift.serving.id_hashes import hash_ids
from leadlift.serving.override_table import EXPIRES_AT, MADE_AT, REASON
from leadlift.serving.previous import RANKED_STAGES, UNKNOWN, moment_of
from leadlift.serving.stages import STAGE_REASONS, stage_since
from leadlift.terms import LEAD_ID, STAGE

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from leadlift.serving.previous import Standing
    from leadlift.serving.stages import StageDecision

OVERRIDE = "override"
"""What counts call the reason of a stage that a person set; the words of the reason follow it in a row."""

_FOREVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class OverrideCounts:
    """How many of the overrides of a table count at a moment, and why the others do not.

    Parameters
    ----------
    in_force : int
    never_end : int
        Those in force that have no end.
    ended : int
        Latest ones of their lead whose end has come.
    not_yet : int
        Made later than the moment.
    replaced : int
        A later one of the same lead counts, in force or ended.
    """

    in_force: int = 0
    never_end: int = 0
    ended: int = 0
    not_yet: int = 0
    replaced: int = 0

    def to_dict(self, n_honoured: int) -> dict[str, int]:
        """Return JSON-ready values, with how many scored leads got the stage that a person set.

        Parameters
        ----------
        n_honoured : int
        """
        told = {"honoured": n_honoured, "of_leads_not_scored": self.in_force - n_honoured}
        return asdict(self) | told


def overrides_at(table: pa.Table | None, as_of: datetime | None) -> Overrides | None:
    """Return the overrides in force at a moment; None where no table is given.

    Parameters
    ----------
    table : pyarrow.Table or None
        From :func:`leadlift.serving.override_table.read_overrides`.
    as_of : datetime with time zone or None

    Returns
    -------
    Overrides or None

    Raises
    ------
    ConfigError
        There is a table and no moment.
    """
    if table is None:
        return None
    if as_of is None:
        msg = "overrides need as_of: each is in force from the moment it was made until it expires"
        raise ConfigError(msg)
    return Overrides(table, as_of)


class Overrides:
    """The overrides in force at a moment, looked up by lead. Of several of one lead the latest counts.

    Parameters
    ----------
    table : pyarrow.Table
        From :func:`read_overrides`.
    as_of : datetime with time zone
        An override is in force while ``made_at <= as_of < expires_at``.

    Attributes
    ----------
    counts : OverrideCounts
    table : pyarrow.Table
        The rows in force.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from leadlift.serving.override_table import read_overrides
    >>> said = {"lead_id": ["a", "a"], "stage": ["SQL", "none"], "reason": ["call", "rude"]}
    >>> said |= {"author": ["kim", "lee"], "made_at": ["2026-11-20", "2026-11-21"]}
    >>> table = read_overrides(pa.table(said))
    >>> rank, _ = Overrides(table, datetime(2026, 11, 22, tzinfo=UTC)).of(pa.chunked_array([["b", "a"]]))
    >>> rank.tolist()
    [-1, 0]
    """

    def __init__(self, table: pa.Table, as_of: datetime) -> None:
        ids, moment = table[LEAD_ID].to_numpy(), moment_of(as_of).astype(np.int64)
        made = pc.cast(table[MADE_AT], pa.int64()).to_numpy()
        ends = pc.fill_null(pc.cast(table[EXPIRES_AT], pa.int64()), _FOREVER).to_numpy()
        begun = np.flatnonzero(made <= moment)
        # Rows are sorted by lead and moment, so the last of a lead is the first from behind.
        from_behind = begun[::-1]
        latest = from_behind[np.unique(ids[from_behind], return_index=True)[1]]
        kept = latest[ends[latest] > moment]
        self.counts = OverrideCounts(
            in_force=len(kept),
            never_end=int((ends[kept] == _FOREVER).sum()),
            ended=len(latest) - len(kept),
            not_yet=len(ids) - len(begun),
            replaced=len(begun) - len(latest),
        )
        self.table = table.take(pa.array(kept))
        self._index(self.table)

    def _index(self, table: pa.Table) -> None:
        hashes = hash_ids(table[LEAD_ID])
        order = np.argsort(hashes)
        reasons = table[REASON].combine_chunks().dictionary_encode()
        self._hashes = hashes[order]
        # The last one is that of every lead that is not found.
        rank = pc.index_in(table[STAGE], value_set=pa.array(RANKED_STAGES)).to_numpy()
        self._rank = np.append(rank[order], UNKNOWN).astype(np.int8)
        self._reason = np.append(reasons.indices.to_numpy()[order], UNKNOWN)
        self.reasons = tuple(f"{OVERRIDE}: {reason}" for reason in reasons.dictionary.to_pylist())

    def of(self, ids: pa.Array | pa.ChunkedArray) -> tuple[NDArray[np.int8], NDArray[np.integer]]:
        """Return the stage that a person set, as its rank, and the place of its reason; -1 where none is."""
        if not len(self._hashes):
            return np.full(len(ids), UNKNOWN, dtype=np.int8), np.full(len(ids), UNKNOWN)
        wanted = hash_ids(ids)
        place = np.minimum(np.searchsorted(self._hashes, wanted), len(self._hashes) - 1)
        found = np.where(self._hashes[place] == wanted, place, len(self._hashes))
        return self._rank[found], self._reason[found]

    def honour(
        self,
        decision: StageDecision,
        lead_ids: pa.Array | pa.ChunkedArray,
        standing: Standing,
        as_of: np.datetime64,
    ) -> StageDecision:
        """Return the stages with those that people set in the place of the model's.

        Parameters
        ----------
        decision : StageDecision
            Of the model and the rules.
        lead_ids : pyarrow.Array or pyarrow.ChunkedArray of string
        standing : Standing
            Where the same leads stood before.
        as_of : datetime64[us]

        Returns
        -------
        StageDecision
        """
        rank, reason = self.of(lead_ids)
        is_set = rank != UNKNOWN
        final = np.where(is_set, rank, decision.rank)
        return replace(
            decision,
            rank=final,
            since=stage_since(final, standing, as_of),
            reason_code=np.where(is_set, len(decision.reasons) + reason, decision.reason_code),
            reasons=(*decision.reasons, *self.reasons),
        )


def counted_reasons(decision: StageDecision) -> tuple[NDArray[np.integer], tuple[str, ...]]:
    """Return codes and names of what decided, for counts: what people wrote is :data:`OVERRIDE`, untold.

    Parameters
    ----------
    decision : StageDecision

    Returns
    -------
    codes : ndarray of int, shape (n_leads,)
    names : tuple of str
    """
    return np.minimum(decision.reason_code, len(STAGE_REASONS)), (*STAGE_REASONS, OVERRIDE)
