"""Lead ids as 64-bit hashes, and which of them stood before.

Among ten million leads the chance that any two different ids share a hash is 3 in a million.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

WORD_BYTES = 8
# Longer ids are rare; they are hashed one by one.
LONGEST_IN_WORDS = 256
# Place `length`: the bytes of a word that belong to an id of which so many are left.
_WORD_MASKS = np.array([(1 << (8 * length)) - 1 for length in range(WORD_BYTES + 1)], dtype=np.uint64)
FILTER_BITS_LOG2 = 27
_LONGEST_RUN = 1 << 20


def hash_ids(ids: pa.Array | pa.ChunkedArray) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each id, the same in every process and on every machine.

    Eight bytes of UTF-8 at a time go through the finaliser of MurmurHash3 (Appleby 2011, public domain).

    Parameters
    ----------
    ids : pyarrow.Array or pyarrow.ChunkedArray of string

    Returns
    -------
    ndarray of uint64, shape (n_ids,)
        Missing ids hash as the empty text.

    Examples
    --------
    >>> first, again, other = hash_ids(pa.array(["L1", "L1", "L2"])).tolist()
    >>> first == again, first == other
    (True, False)
    """
    chunks = ids.chunks if isinstance(ids, pa.ChunkedArray) else [ids]
    return np.concatenate([np.empty(0, np.uint64), *[_hash_chunk(chunk) for chunk in chunks]])


def _hash_chunk(ids: pa.Array) -> NDArray[np.uint64]:
    ids = pc.fill_null(ids, "").cast(pa.string())
    if not len(ids):
        return np.empty(0, dtype=np.uint64)
    _, offsets, text = ids.buffers()
    ends = np.frombuffer(offsets, np.int32)[ids.offset : ids.offset + len(ids) + 1]
    start, length = ends[:-1] - ends[0], np.diff(ends)
    words = _words(text, int(ends[0]), int(ends[-1]))
    hashes = _mixed(length.astype(np.uint64))
    n_words = -(-np.minimum(length, LONGEST_IN_WORDS) // WORD_BYTES)
    for word in range(int(n_words.max())):
        rows = np.flatnonzero(n_words > word) if n_words.min() <= word else slice(None)
        left = np.minimum(length[rows] - WORD_BYTES * word, WORD_BYTES)
        taken = words[start[rows] + WORD_BYTES * word] & _WORD_MASKS[left]
        hashes[rows] = _mixed(hashes[rows] ^ taken)
    for row in np.flatnonzero(length > LONGEST_IN_WORDS):
        hashes[row] = _hash_long(ids[row].as_py())
    return hashes


def _words(text: pa.Buffer | None, start: int, end: int) -> NDArray[np.uint64]:
    """The eight bytes from each byte on, little-endian; zeros follow the last."""
    padded = np.zeros(end - start + WORD_BYTES, dtype=np.uint8)
    if end > start:
        padded[: end - start] = np.frombuffer(text, np.uint8)[start:end]
    return np.ndarray((end - start + 1,), dtype="<u8", buffer=padded, strides=(1,))


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread every bit over all others; equal words stay equal, different ones different."""
    words = (words ^ (words >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    words = (words ^ (words >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return words ^ (words >> np.uint64(33))


def _hash_long(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=WORD_BYTES).digest(), "little")


class IdsSeen:
    """The ids of a job so far, as hashes: 8 bytes a lead and 16 MB.

    Hashes stand in sorted runs, which are merged as they grow. A bit for each hash (a Bloom filter of one
    function, Bloom 1970) spares most ids the search in the runs.
    """

    def __init__(self) -> None:
        self._bits = np.zeros((1 << FILTER_BITS_LOG2) // 8, dtype=np.uint8)
        self._runs: list[NDArray[np.uint64]] = []

    def repeated(self, hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Say which hashes stood before, here or in an earlier call; from here on, all of these did.

        Parameters
        ----------
        hashes : ndarray of uint64, shape (n,)
            In the order of the rows.

        Returns
        -------
        ndarray of bool, shape (n,)

        Examples
        --------
        >>> seen = IdsSeen()
        >>> hashes = np.array([1, 2, 1], dtype=np.uint64)
        >>> seen.repeated(hashes).tolist(), seen.repeated(hashes[:2]).tolist()
        ([False, False, True], [True, True])
        """
        distinct, repeated = np.sort(hashes), np.zeros(len(hashes), dtype=bool)
        if (distinct[1:] == distinct[:-1]).any():
            distinct, first = np.unique(hashes, return_index=True)
            repeated[:] = True
            repeated[first] = False
        before = self._before(distinct)
        if before.any():
            repeated |= np.isin(hashes, distinct[before])
        self._add(distinct[~before])
        return repeated

    def _before(self, distinct: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which of some sorted hashes stood in an earlier call."""
        byte, bit = _places(distinct)
        stood = (self._bits[byte] & bit) != 0
        maybe = np.flatnonzero(stood)
        stood[maybe] = self._in_runs(distinct[maybe])
        return stood

    def _in_runs(self, distinct: NDArray[np.uint64]) -> NDArray[np.bool_]:
        found = np.zeros(len(distinct), dtype=bool)
        for run in self._runs:
            place = np.minimum(np.searchsorted(run, distinct), len(run) - 1)
            found |= run[place] == distinct
        return found

    def _add(self, distinct: NDArray[np.uint64]) -> None:
        if not len(distinct):
            return
        byte, bit = _places(distinct)
        first = np.flatnonzero(np.diff(byte, prepend=-1))
        self._bits[byte[first]] |= np.bitwise_or.reduceat(bit, first)
        while self._runs and len(self._runs[-1]) <= len(distinct) < _LONGEST_RUN:
            # A stable sort of two sorted runs is a merge.
            distinct = np.sort(np.concatenate([self._runs.pop(), distinct]), kind="stable")
        self._runs.append(distinct)


def _places(hashes: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Byte and bit of each hash in the filter, in the order of the hashes."""
    place = hashes >> np.uint64(64 - FILTER_BITS_LOG2)
    return (place >> np.uint64(3)).astype(np.int64), np.uint8(1) << (place & np.uint64(7)).astype(np.uint8)
