"""What the values of columns say of many leads, each distinct value put into words once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.insight.texts import PLACEHOLDER
from leadlift.insight.value_texts import rounded_as_told
from leadlift.insight.wording import PAIR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from leadlift.insight.grouping import ReasonGroup
    from leadlift.insight.wording import PairPhrase, Phrase, Value
    from leadlift.terms import FeatureSpec

    Told = Value | tuple[Value, Value]

MAX_KEPT = 20_000
"""Values of a column whose words are kept; there are some 9,000 numbers of four digits a decade."""


Fact = tuple[str, ...]
"""A sentence, cut where the points of the lead belong; mostly two parts."""


class FactWriter:
    """Words what the values of columns mean; remembers the words of a value for the leads to come.

    Threads may share one: what is remembered are the same words, whoever wrote them.

    Parameters
    ----------
    specs : sequence of FeatureSpec
    phrases : sequence of Phrase or PairPhrase
        Of each spec.
    """

    def __init__(self, specs: Sequence[FeatureSpec], phrases: Sequence[Phrase | PairPhrase]) -> None:
        self._specs, self._phrases = specs, phrases
        # By column and what is added: the facts by value.
        self._kept: dict[tuple[int, str], dict[Told, Fact]] = {}

    def facts(
        self,
        values: pa.RecordBatch | pa.Table,
        column: int,
        group: ReasonGroup,
        row: NDArray[np.int64],
    ) -> tuple[list[Fact], NDArray[np.int64]]:
        """Say what a column's values mean.

        Parameters
        ----------
        values : table
            The input columns by name: numbers, strings or dictionaries of strings; missing is null.
        column : int
            Place of the column among the specs.
        group : ReasonGroup
            The one that the column tells.
        row : ndarray of int64
            Rows of the table.

        Returns
        -------
        facts : list of tuple of str
            Sentences, cut where the points of each row belong: mostly two parts.
        place : ndarray of int64, shape of `row`
            Of each row's fact among them.
        """
        distinct, place = self._distinct(values, column, row)
        addition, is_added = self._addition(values, column, group, row)
        facts = self._worded(column, distinct, "")
        if is_added is not None:
            facts += self._worded(column, distinct, addition)
            place = place + len(distinct) * is_added
        return facts, place

    def _worded(self, column: int, values: list[Told], addition: str) -> list[Fact]:
        """The facts of some values, with what another column adds."""
        kept = self._kept.setdefault((column, addition), {})
        facts = []
        for value in values:
            fact = kept.get(value)
            if fact is None:
                text, compared, template = self._phrases[column].told(value)
                fact = _cut_at_points(template, text + addition + compared)
                if len(kept) < MAX_KEPT:
                    kept[value] = fact
            facts.append(fact)
        return facts

    def _distinct(
        self, values: pa.RecordBatch | pa.Table, column: int, row: NDArray[np.int64]
    ) -> tuple[list[Told], NDArray[np.int64]]:
        """The distinct values of some rows as they are told, and the place of each row's among them."""
        spec = self._specs[column]
        if spec.wording != PAIR:
            return _coded(values[spec.name], row)
        (first, first_place), (second, second_place) = (_coded(values[name], row) for name in spec.about)
        pairs, place = np.unique(first_place * len(second) + second_place, return_inverse=True)
        return [(first[pair // len(second)], second[pair % len(second)]) for pair in pairs.tolist()], place

    def _addition(
        self, values: pa.RecordBatch | pa.Table, column: int, group: ReasonGroup, row: NDArray[np.int64]
    ) -> tuple[str, NDArray[np.bool_] | None]:
        """What another column of the group adds to a count that is not zero, or to a recency; and where."""
        other = next((j for j in group.members if self._phrases[j].addition), None)
        if other in {None, column} or not self._specs[column].wording.endswith((".count", ".last")):
            return "", None
        known = pc.greater(values[self._specs[column].name].take(pa.array(row)), 0)
        holds = pc.equal(values[self._specs[other].name].take(pa.array(row)), 1)
        both = pc.fill_null(pc.and_(known, holds), fill_value=False)
        return self._phrases[other].addition, both.to_numpy(zero_copy_only=False)


def _cut_at_points(template: str, fact: str) -> Fact:
    """Fill a template with a fact and cut it at its ``{points}``."""
    pieces = PLACEHOLDER.split(template)
    parts = [""]
    for place, piece in enumerate(pieces):
        if place % 2 and piece == "points":
            parts.append("")
        else:
            parts[-1] += fact if place % 2 else piece
    return tuple(parts)


def _coded(values: pa.Array | pa.ChunkedArray, row: NDArray[np.int64]) -> tuple[list, NDArray[np.int64]]:
    """The distinct values of some rows, None the last, and the place of each row's among them."""
    taken = values.take(pa.array(row))
    taken = taken.combine_chunks() if isinstance(taken, pa.ChunkedArray) else taken
    encoded = _encoded(taken)
    told, place = encoded.dictionary, encoded.indices
    if pa.types.is_floating(told.type):
        rounded = rounded_as_told(told).dictionary_encode()
        told, place = rounded.dictionary, rounded.indices.take(place)
    distinct = [*told.to_pylist(), None]
    return distinct, place.fill_null(len(told)).to_numpy(zero_copy_only=False)


def _encoded(values: pa.Array) -> pa.DictionaryArray:
    """The values with a dictionary that is no longer than they are."""
    if not pa.types.is_dictionary(values.type):
        return values.dictionary_encode()
    is_long = len(values.dictionary) > len(values)
    return values.dictionary_decode().dictionary_encode() if is_long else values
