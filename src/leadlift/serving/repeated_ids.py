"""Which ids of a job in parts stand in several rows, found in buckets that fit in memory.

An id is a hash of 64 bits, and a pair is a hash and the number of a row. Pairs travel as bytes, many in a
cell, so that engines of table work move few large cells instead of two numbers a lead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa

from leadlift.serving.id_hashes import hash_ids
from leadlift.serving.lead_parts import LeadPart, part_ids

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.config import LeadSchema

_PAIR = np.dtype([("hash", np.uint64), ("row", np.int64)])


@dataclass(frozen=True)
class RepeatedIds:
    """Ids that stand in more than one row of a job; 16 bytes each.

    Parameters
    ----------
    hashes : ndarray of uint64, shape (n,)
        From :func:`leadlift.serving.id_hashes.hash_ids`, each once, ascending.
    first_row : ndarray of int64, shape (n,)
        The first row of each.
    """

    hashes: NDArray[np.uint64]
    first_row: NDArray[np.int64]

    def stood_before(self, ids: pa.ChunkedArray, first_row: int) -> NDArray[np.bool_]:
        """Say which ids stood in an earlier row of the job.

        Parameters
        ----------
        ids : pyarrow.ChunkedArray of string
            Of rows that stand side by side.
        first_row : int
            Number of the first of these rows.

        Returns
        -------
        ndarray of bool, shape (n_ids,)
        """
        if not len(self.hashes):
            return np.zeros(len(ids), dtype=bool)
        hashes = hash_ids(ids)
        place = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        rows = np.arange(first_row, first_row + len(ids))
        return (self.hashes[place] == hashes) & (self.first_row[place] < rows)

    @classmethod
    def among(cls, pairs: Iterable[bytes]) -> Self:
        """Find the hashes that stand in several of some pairs.

        Parameters
        ----------
        pairs : iterable of bytes
            From :func:`bucketed_ids`, in any order.

        Returns
        -------
        RepeatedIds
        """
        found = np.frombuffer(b"".join(pairs), _PAIR)
        hashes = np.sort(found["hash"])
        repeated = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
        found = found[np.isin(found["hash"], repeated)]
        first_row = np.full(len(repeated), np.iinfo(np.int64).max)
        np.minimum.at(first_row, np.searchsorted(repeated, found["hash"]), found["row"])
        return cls(repeated, first_row)

    @classmethod
    def joined(cls, buckets: Iterable[Self]) -> Self:
        """Join those of buckets, which share no hash."""
        found = list(buckets)
        hashes = np.concatenate([np.empty(0, np.uint64), *[bucket.hashes for bucket in found]])
        first_row = np.concatenate([np.empty(0, np.int64), *[bucket.first_row for bucket in found]])
        order = np.argsort(hashes)
        return cls(hashes[order], first_row[order])


def bucketed_ids(part: LeadPart, schema: LeadSchema, n_buckets: int) -> pa.RecordBatch:
    """Return the ids of a part as pairs, in buckets by their hash; missing ids are left out.

    Parameters
    ----------
    part : LeadPart
    schema : LeadSchema
    n_buckets : int

    Returns
    -------
    pyarrow.RecordBatch
        ``bucket`` (int32) and ``pairs`` (binary), a row a bucket.
    """
    pairs = np.concatenate([_pairs(ids, rows) for ids, rows in part_ids(part, schema)])
    bucket = (pairs["hash"] % np.uint64(n_buckets)).astype(np.int32)
    order = np.argsort(bucket, kind="stable")
    ends = np.searchsorted(bucket[order], np.arange(1, n_buckets))
    cells = [some.tobytes() for some in np.split(pairs[order], ends)]
    return pa.record_batch(
        {"bucket": pa.array(range(n_buckets), pa.int32()), "pairs": pa.array(cells, pa.binary())}
    )


def _pairs(ids: pa.Array, rows: NDArray[np.int64]) -> NDArray[np.void]:
    known = ids.is_valid().to_numpy(zero_copy_only=False)
    pairs = np.empty(known.sum(), _PAIR)
    pairs["hash"], pairs["row"] = hash_ids(ids)[known], rows[known]
    return pairs
