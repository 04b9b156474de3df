"""What kinds of act there are beside their names: content, pricing, demo, quote, hand-raise.

An act has a meaning when its type or its asset has: a page view of ``pricing`` and a download of the
``price list`` both look at prices. Names are matched word by word; a configuration may name them instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.data.naming import matching_phrase
from leadlift.data.vocabulary.acts import ACT_PHRASES

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEANINGS = ("content", "pricing", "demo", "quote", "hand_raise")
"""Meanings in the order of their bits, the first being 1."""

BITS = {meaning: 1 << place for place, meaning in enumerate(MEANINGS)}


# Assets may be millions of addresses; more of them than this are not remembered.
_REMEMBERED = 100_000


class Meanings:
    """Finds the meanings of event types and assets.

    Parameters
    ----------
    named : mapping of str to sequence of str, optional
        By meaning, the types and assets that have it; a meaning that is not named is guessed.

    Examples
    --------
    >>> Meanings().of(pa.array(["pricing page", "billing", None])).tolist() == [BITS["pricing"], 0, 0]
    True
    >>> Meanings({"pricing": ["tariff 2"]}).of(pa.array(["pricing page", "tariff 2"])).tolist()
    [0, 2]
    """

    def __init__(self, named: Mapping[str, Sequence[str]] | None = None) -> None:
        self.named = {meaning: tuple(names) for meaning, names in (named or {}).items()}
        self._found: dict[str, int] = {}

    def of(self, names: pa.Array) -> NDArray[np.int32]:
        """Return the bits of each name, 0 where it is missing or has no meaning; shape (n,), int32."""
        encoded = names.dictionary_encode()
        bits = np.array([*map(self._bits, encoded.dictionary.to_pylist()), 0], dtype=np.int32)
        return bits[encoded.indices.fill_null(len(bits) - 1).to_numpy(zero_copy_only=False)]

    def _bits(self, name: str) -> int:
        if len(self._found) > _REMEMBERED:
            self._found.clear()
        if name not in self._found:
            self._found[name] = sum(BITS[meaning] for meaning in MEANINGS if self._has(name, meaning))
        return self._found[name]

    def _has(self, name: str, meaning: str) -> bool:
        if meaning in self.named:
            return name in self.named[meaning]
        return matching_phrase(name, ACT_PHRASES[meaning]) is not None
