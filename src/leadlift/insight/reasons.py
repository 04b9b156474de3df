"""Contributions -> sentences a sales person reads."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.insight.grouping import group_specs, grouped_contributions
from leadlift.insight.texts import fill, load_texts
from leadlift.insight.value_facts import FactWriter
from leadlift.insight.value_texts import points_texts
from leadlift.insight.wording import phrases_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from leadlift.insight.grouping import ReasonGroup
    from leadlift.insight.texts import Texts
    from leadlift.insight.value_facts import Fact
    from leadlift.terms import FeatureSpec

# A contribution that rounds to 0.0 points is no reason.
LEAST_POINTS = 0.05
# Rows ranked at once, in a core's cache.
BLOCK_ROWS = 1024


@dataclass(frozen=True)
class RankedReasons:
    """Reasons of some leads: first the strongest of each lead, then the second of each …

    Parameters
    ----------
    row : ndarray of int64, shape (n_ranks * n_rows,)
        Lead of each reason.
    column : ndarray of int64, shape (n_ranks * n_rows,)
        The column that tells it.
    points : ndarray of float64, shape (n_ranks * n_rows,)
        Of the whole group of columns.
    sentences : pyarrow.Array of string
    """

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    points: NDArray[np.float64]
    sentences: pa.Array

    @property
    def is_reason(self) -> NDArray[np.bool_]:
        """Which of them do not round to no points."""
        return _is_reason(self.points)


class _Cells(NamedTuple):
    """Reasons to be told, rank after rank: row, column that tells it, its group, points of the group."""

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    group: NDArray[np.int64]
    points: NDArray[np.float64]


class ReasonWriter:
    """Puts contributions of one model into words; made once, used for every lead.

    Columns that say the same of a lead are one reason (:func:`leadlift.insight.grouping.group_specs`): its
    points are the sum of theirs, its words those of the column that contributes most in its direction.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        What each contribution belongs to.
    texts : Texts, optional
        English, if not given.
    typical_won : mapping of str to str, optional
        By column, what is typical of won leads.

    Attributes
    ----------
    groups : tuple of ReasonGroup
    phrases : list of Phrase or PairPhrase
        By column.
    """

    def __init__(
        self,
        specs: Sequence[FeatureSpec],
        texts: Texts | None = None,
        typical_won: Mapping[str, str] | None = None,
    ) -> None:
        self.specs, self.texts = tuple(specs), texts or load_texts()
        self.groups = group_specs(specs)
        self.phrases = phrases_of(specs, self.texts, typical_won)
        self._fact_writer = FactWriter(self.specs, self.phrases)
        self._points_texts: dict[int, str] = {}

    def strongest(
        self, values: pa.RecordBatch | pa.Table, contributions: NDArray[np.float64], n_reasons: int = 3
    ) -> list[pa.DictionaryArray]:
        """Write each lead's strongest reasons, the strongest first.

        Parameters
        ----------
        values : table
            The input columns by name: numbers, strings or dictionaries of strings; missing is null.
        contributions : ndarray of float64, shape (n_rows, n_explained)
            On the scale of the probability.
        n_reasons : int, default=3

        Returns
        -------
        list of pyarrow.DictionaryArray
            Dictionaries of int32 and string, one a rank, of the sentences of that rank and no others, one of
            which may stand twice; null where a lead has no reason of that rank left.
        """
        n_rows = len(contributions)
        cells = self._ranked_cells(contributions, n_reasons)
        facts, fact = self._facts(values, cells)
        n_ranks = len(cells.row) // max(n_rows, 1)
        ranks = [slice(rank * n_rows, (rank + 1) * n_rows) for rank in range(n_ranks)]
        told = _is_reason(cells.points)
        written = [self._sentences(facts, fact[rank], cells.points[rank], told[rank]) for rank in ranks]
        none = pa.DictionaryArray.from_arrays(pa.nulls(n_rows, pa.int32()), pa.array([], pa.string()))
        return [*written, *[none] * (n_reasons - n_ranks)]

    def ranked(
        self, values: pa.RecordBatch | pa.Table, contributions: NDArray[np.float64], n_reasons: int
    ) -> RankedReasons:
        """Rank each lead's reasons and write them; see :meth:`strongest`."""
        cells = self._ranked_cells(contributions, n_reasons)
        facts, fact = self._facts(values, cells)
        every = np.ones(len(fact), dtype=bool)
        sentences = self._sentences(facts, fact, cells.points, every).dictionary_decode()
        return RankedReasons(cells.row, cells.column, cells.points, sentences)

    def sentence(self, fact: str, points: float) -> str:
        """Write one sentence about some points that belong to no column."""
        told = points_texts(np.array([points]), self.texts)[0].as_py()
        return fill(self.texts["sentences"]["reason"], {"fact": fact, "points": told})

    def _ranked_cells(self, contributions: NDArray[np.float64], n_reasons: int) -> _Cells:
        group, points = _strongest(grouped_contributions(self.groups, contributions), n_reasons)
        row = np.tile(np.arange(len(contributions)), group.shape[1])
        group, points = group.T.ravel(), 100 * points.T.ravel()
        return _Cells(row, _telling_columns(self.groups, contributions, group, row), group, points)

    def _facts(
        self, values: pa.RecordBatch | pa.Table, cells: _Cells
    ) -> tuple[list[Fact], NDArray[np.int64]]:
        """The facts that the cells tell, and the place of each cell's among them."""
        facts: list[Fact] = []
        place = np.empty(len(cells.row), dtype=np.int64)
        for j, chosen in _places_by_value(cells.column):
            group = self.groups[cells.group[chosen[0]]]
            told, among = self._fact_writer.facts(values, j, group, cells.row[chosen])
            place[chosen] = len(facts) + among
            facts += told
        return facts, place

    def _sentences(
        self,
        facts: list[Fact],
        fact: NDArray[np.int64],
        points: NDArray[np.float64],
        is_told: NDArray[np.bool_],
    ) -> pa.DictionaryArray:
        """Join each cell's fact and points, each distinct pair once."""
        tenths = np.rint(points * 10).astype(np.int64)
        lowest, highest = tenths.min(initial=0), tenths.max(initial=0)
        n_tenths = highest - lowest + 1
        pair = pa.array(fact * n_tenths + (tenths - lowest), mask=~is_told).dictionary_encode()
        of_fact, of_tenth = np.divmod(pair.dictionary.to_numpy(), n_tenths)
        told = points_texts((of_tenth + lowest) / 10, self.texts, self._points_texts)
        return pa.DictionaryArray.from_arrays(pair.indices, _joined(facts, of_fact, told))


def strongest_reasons(
    specs: Sequence[FeatureSpec],
    values: pa.RecordBatch | pa.Table,
    contributions: NDArray[np.float64],
    *,
    typical_won: Mapping[str, str] | None = None,
    n_reasons: int = 3,
    texts: Texts | None = None,
) -> list[pa.Array]:
    """Put each lead's strongest reasons into words, the strongest first.

    A reason reads ``"Total visits 9 (typical won lead: 5): +4.2 points"``; points are hundredths of the
    published probability, so they add up to the score.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        What each contribution belongs to.
    values : table
        The input columns by name: numbers or strings, missing is null.
    contributions : ndarray of float64, shape (n_rows, n_explained)
        On the scale of the probability.
    typical_won : mapping of str to str, optional
        By column, what is typical of won leads.
    n_reasons : int, default=3
    texts : Texts, optional
        From :func:`leadlift.insight.texts.load_texts`; English, if not given.

    Returns
    -------
    list of pyarrow.Array of string
        One array a rank; null where a lead has no reason of that rank left.

    Examples
    --------
    >>> from leadlift.terms import FeatureSpec, Kind
    >>> specs = [FeatureSpec("TotalVisits", Kind.NUMERIC)]
    >>> strongest_reasons(specs, pa.table({"TotalVisits": [9.0]}), np.array([[0.042]]))[0].to_pylist()
    ['Total visits 9: +4.2 points']
    """
    written = ReasonWriter(specs, texts, typical_won).strongest(values, contributions, n_reasons)
    return [rank.dictionary_decode() for rank in written]


def _is_reason(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.abs(points) >= LEAST_POINTS


def _strongest(
    contributions: NDArray[np.float64], n_reasons: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Places and contributions of the strongest, shape (n_rows, n_ranks); ties go to the first."""
    n_rows, n_groups = contributions.shape
    places = np.empty((n_rows, min(n_reasons, n_groups)), dtype=np.int64)
    points = np.empty(places.shape)
    for start in range(0, n_rows, BLOCK_ROWS):
        left = np.abs(contributions[start : start + BLOCK_ROWS])
        rows = np.arange(len(left))
        for rank in range(places.shape[1]):
            strongest = left.argmax(axis=1)
            left[rows, strongest] = -1
            places[start : start + BLOCK_ROWS, rank] = strongest
            points[start : start + BLOCK_ROWS, rank] = contributions[start + rows, strongest]
    return places, points


def _places_by_value(values: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Each distinct value of an array and the places where it stands, both ascending."""
    order = np.argsort(values.astype(np.min_scalar_type(values.max(initial=0))), kind="stable")
    starts = np.flatnonzero(np.diff(values[order], prepend=-1))
    for places in np.split(order, starts[1:]) if len(order) else []:
        yield int(values[places[0]]), places


def _telling_columns(
    groups: Sequence[ReasonGroup],
    contributions: NDArray[np.float64],
    group: NDArray[np.int64],
    row: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The column of each cell's group that contributes most in the direction of the group."""
    first = np.array([g.members[0] for g in groups], dtype=np.int64)
    column = first[group]
    for place in [place for place, g in enumerate(groups) if len(g.members) > 1]:
        cells = np.flatnonzero(group == place)
        members = np.array(groups[place].members)
        phi = contributions[np.ix_(row[cells], members)]
        column[cells] = members[(phi * np.sign(phi.sum(axis=1, keepdims=True))).argmax(axis=1)]
    return column


def _joined(facts: Sequence[Fact], fact: NDArray[np.int64], points: pa.Array) -> pa.Array:
    """Put points into facts, between their parts."""
    place = pa.array(fact)
    first, *others = [pa.array(part, pa.string()).take(place) for part in zip_longest(*facts)] or [points]
    parts = [first]
    for part in others:
        parts += [points if part.null_count == 0 else pc.if_else(pc.is_valid(part), points, None), part]
    return pc.binary_join_element_wise(*parts, "", null_handling="skip")
