"""Contributions -> sentences a sales person reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.insight.grouping import group_specs, grouped_contributions
from leadlift.insight.texts import PLACEHOLDER, fill, load_texts
from leadlift.insight.value_texts import points_texts, rounded_as_told
from leadlift.insight.wording import PAIR, phrases_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from leadlift.insight.grouping import ReasonGroup
    from leadlift.insight.texts import Texts
    from leadlift.terms import FeatureSpec

# A contribution that rounds to 0.0 points is no reason.
LEAST_POINTS = 0.05


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
        return np.abs(self.points) >= LEAST_POINTS


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

    def strongest(
        self, values: pa.RecordBatch | pa.Table, contributions: NDArray[np.float64], n_reasons: int = 3
    ) -> list[pa.Array]:
        """Write each lead's strongest reasons, the strongest first.

        Parameters
        ----------
        values : table
            The input columns by name: numbers or strings, missing is null.
        contributions : ndarray of float64, shape (n_rows, n_explained)
            On the scale of the probability.
        n_reasons : int, default=3

        Returns
        -------
        list of pyarrow.Array of string
            One array a rank; null where a lead has no reason of that rank left.
        """
        n_rows = len(contributions)
        told = self.ranked(values, contributions, n_reasons)
        sentences = pc.if_else(told.is_reason, told.sentences, pa.scalar(None, pa.string()))
        ranks = [sentences.slice(rank * n_rows, n_rows) for rank in range(len(sentences) // max(n_rows, 1))]
        return [*ranks, *[pa.nulls(n_rows, pa.string())] * (n_reasons - len(ranks))]

    def ranked(
        self, values: pa.RecordBatch | pa.Table, contributions: NDArray[np.float64], n_reasons: int
    ) -> RankedReasons:
        """Rank each lead's reasons and write them; see :meth:`strongest`."""
        group, points = _strongest(grouped_contributions(self.groups, contributions), n_reasons)
        row = np.tile(np.arange(len(contributions)), group.shape[1])
        group, points = group.T.ravel(), 100 * points.T.ravel()
        column = _telling_columns(self.groups, contributions, group, row)
        return RankedReasons(row, column, points, self._sentences(values, column, group, row, points))

    def sentence(self, fact: str, points: float) -> str:
        """Write one sentence about some points that belong to no column."""
        told = points_texts(np.array([points]), self.texts)[0].as_py()
        return fill(self.texts["sentences"]["reason"], {"fact": fact, "points": told})

    def _sentences(
        self,
        values: pa.RecordBatch | pa.Table,
        column: NDArray[np.int64],
        group: NDArray[np.int64],
        row: NDArray[np.int64],
        points: NDArray[np.float64],
    ) -> pa.Array:
        """Write the sentence of each cell, by the column that tells it."""
        places, parts = [np.empty(0, dtype=np.int64)], [pa.array([], pa.string())]
        for j in np.unique(column):
            cells = np.flatnonzero(column == j)
            places.append(cells)
            told = points_texts(points[cells], self.texts)
            parts.append(self._told(values, j, self.groups[group[cells[0]]], row[cells], told))
        back = np.empty(len(column), dtype=np.int64)
        back[np.concatenate(places)] = np.arange(len(column))
        return pa.concat_arrays(parts).take(pa.array(back))

    def _told(
        self,
        values: pa.RecordBatch | pa.Table,
        column: int,
        group: ReasonGroup,
        row: NDArray[np.int64],
        points: pa.Array,
    ) -> pa.Array:
        """Say what the values of a column mean, each distinct one once, what is typical, and the points."""
        distinct, place = self._distinct(values, column, row)
        told = [self.phrases[column].told(value) for value in distinct]
        facts, compared, frames = (pa.array(list(part), pa.string()) for part in zip(*told, strict=True))
        parts = [facts.take(place), compared.take(place)]
        if (added := self._additions(values, column, group, row)) is not None:
            parts.insert(1, added)
        fact, frame = pc.binary_join_element_wise(*parts, ""), frames.take(place)
        sentences = pa.nulls(len(row), pa.string())
        for template in pc.unique(frame).to_pylist():
            sentences = pc.if_else(pc.equal(frame, template), _joined(template, fact, points), sentences)
        return sentences

    def _distinct(
        self, values: pa.RecordBatch | pa.Table, column: int, row: NDArray[np.int64]
    ) -> tuple[list, pa.Array]:
        """The distinct values of some rows, None last, and the place of each row's among them."""
        spec = self.specs[column]
        if spec.wording == PAIR:
            both = [self._coded(values, name, row) for name in spec.about]
            codes = both[0][1] * len(both[1][0]) + both[1][1]
            distinct, place = np.unique(codes, return_inverse=True)
            first, second = np.divmod(distinct, len(both[1][0]))
            pairs = [(both[0][0][a], both[1][0][b]) for a, b in zip(first, second, strict=True)]
            return pairs, pa.array(place)
        distinct, codes = self._coded(values, spec.name, row)
        return distinct, pa.array(codes)

    @staticmethod
    def _coded(
        values: pa.RecordBatch | pa.Table, name: str, row: NDArray[np.int64]
    ) -> tuple[list, NDArray[np.int64]]:
        taken = values[name].take(pa.array(row))
        taken = taken.combine_chunks() if isinstance(taken, pa.ChunkedArray) else taken
        if pa.types.is_floating(taken.type):
            taken = rounded_as_told(taken)
        encoded = taken.dictionary_encode()
        distinct = [*encoded.dictionary.to_pylist(), None]
        return distinct, encoded.indices.fill_null(len(distinct) - 1).to_numpy(zero_copy_only=False)

    def _additions(
        self, values: pa.RecordBatch | pa.Table, column: int, group: ReasonGroup, row: NDArray[np.int64]
    ) -> pa.Array | None:
        """What another column of the group adds to a count that is not zero, or to a recency."""
        other = next((j for j in group.members if self.phrases[j].addition), None)
        if other in {None, column} or not self.specs[column].wording.endswith((".count", ".last")):
            return None
        known = pc.greater(values[self.specs[column].name].take(pa.array(row)), 0)
        holds = pc.equal(values[self.specs[other].name].take(pa.array(row)), 1)
        both = pc.fill_null(pc.and_(known, holds), False)
        added = pc.if_else(both, self.phrases[other].addition, "")
        return added.combine_chunks() if isinstance(added, pa.ChunkedArray) else added


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
    return ReasonWriter(specs, texts, typical_won).strongest(values, contributions, n_reasons)


def _strongest(
    contributions: NDArray[np.float64], n_reasons: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Places and contributions of the strongest, shape (n_rows, n_ranks); ties go to the first."""
    n_rows, n_groups = contributions.shape
    left = np.abs(contributions)
    rows = np.arange(n_rows)
    places = np.empty((n_rows, min(n_reasons, n_groups)), dtype=np.int64)
    for rank in range(places.shape[1]):
        places[:, rank] = left.argmax(axis=1)
        left[rows, places[:, rank]] = -1
    return places, np.take_along_axis(contributions, places, axis=1)


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


def _joined(template: str, facts: pa.Array, points: pa.Array) -> pa.Array:
    """Fill a template with a fact and its points, row by row."""
    arrays = {"fact": facts, "points": points}
    pieces = PLACEHOLDER.split(template)
    parts = [arrays[piece] if i % 2 else piece for i, piece in enumerate(pieces) if piece]
    return pc.binary_join_element_wise(*parts, "")
