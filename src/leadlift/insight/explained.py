"""What a score is explained by: the input columns, and the pairs of columns whose levels count together.

Trees may split target statistics beside the columns (:mod:`leadlift.learning.target_statistics`). What those
of a single column contribute belongs to that column. Those of a pair are a reason of their own, which stands
after the columns under the name ``"region x policy"`` with the value ``"B2 x premium"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.insight.reasons import value_texts
from leadlift.terms import Family, FeatureSpec, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from leadlift.learning.target_statistics import TargetStatistics

JOINED = " x "


def explained_specs(specs: Sequence[FeatureSpec], statistics: TargetStatistics) -> tuple[FeatureSpec, ...]:
    """Return what each contribution belongs to.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The input columns, in the order of the matrix.
    statistics : TargetStatistics
        Of the learner.

    Returns
    -------
    tuple of FeatureSpec
        The columns, then the pairs. A pair is of the family both its columns share, else of ``other``.

    Examples
    --------
    >>> from leadlift.learning.target_statistics import FoldedStatistics
    >>> X, y = np.tile([[0.0, 1.0], [1.0, 0.0]], (3, 1)), np.tile([0, 1], 3)
    >>> statistics = FoldedStatistics(X, y, np.ones(6), np.arange(6) // 2, [(0, 1)]).learnt
    >>> specs = [FeatureSpec(name, Kind.CATEGORICAL, Family.FIT) for name in ("region", "policy")]
    >>> [(spec.name, spec.family.value) for spec in explained_specs(specs, statistics)]
    [('region', 'fit'), ('policy', 'fit'), ('region x policy', 'fit')]
    """
    explained = list(specs)
    for a, b in statistics.pairs:
        explained.append(_pair_spec(specs[a], specs[b], {spec.name for spec in explained}))
    return tuple(explained)


def _pair_spec(a: FeatureSpec, b: FeatureSpec, taken: set[str]) -> FeatureSpec:
    name = f"{a.name}{JOINED}{b.name}"
    while name in taken:
        name += " (pair)"
    return FeatureSpec(
        name=name,
        kind=Kind.CATEGORICAL,
        family=a.family if a.family is b.family else Family.OTHER,
        description=f"{a.name} and {b.name} taken together",
    )


def explained_values(
    specs: Sequence[FeatureSpec], statistics: TargetStatistics, values: pa.Table
) -> pa.Table:
    """Return what is shown as the value of each contribution.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        The input columns, in the order of the matrix.
    statistics : TargetStatistics
        Of the learner.
    values : pyarrow.Table
        The input columns by name: float64 or string, missing is null.

    Returns
    -------
    pyarrow.Table
        `values`, then a string column a pair, never null.
    """
    named = explained_specs(specs, statistics)[len(specs) :]
    for spec, pair in zip(named, statistics.pairs, strict=True):
        both = [_told(specs[j], values[specs[j].name]) for j in pair]
        values = values.append_column(spec.name, pc.binary_join_element_wise(*both, JOINED))
    return values


def _told(spec: FeatureSpec, values: pa.ChunkedArray) -> pa.Array:
    return pc.fill_null(value_texts(values, spec.unit), spec.missing_means)


def explained_matrix(statistics: TargetStatistics, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a number for each contribution: the encoded columns, then the rates of the pairs.

    Parameters
    ----------
    statistics : TargetStatistics
        Of the learner.
    matrix : ndarray of float64, shape (n_rows, n_columns)

    Returns
    -------
    ndarray of float64, shape (n_rows, n_columns + n_pairs)
    """
    if not statistics.pairs:
        return matrix
    of_pairs = [2 * k for k, learnt in enumerate(statistics.statistics) if learnt.columns in statistics.pairs]
    return np.column_stack([matrix, statistics.transform(matrix)[:, of_pairs]])


def merge_statistics(
    contributions: NDArray[np.float64], n_columns: int, statistics: TargetStatistics
) -> NDArray[np.float64]:
    """Add the contributions of rate and support to those of their column, or make them one of their pair.

    Parameters
    ----------
    contributions : ndarray of float64, shape (n_rows, n_columns + 2 * n_statistics)
        Of the columns and, after them, of rate and support of each statistic.
    n_columns : int
    statistics : TargetStatistics

    Returns
    -------
    ndarray of float64, shape (n_rows, n_columns + n_pairs)
        The sum of each row stays what it was.
    """
    if not statistics.statistics:
        return contributions
    place_of = {(j,): j for j in range(n_columns)}
    place_of |= {pair: n_columns + k for k, pair in enumerate(statistics.pairs)}
    merged = np.zeros((len(contributions), len(place_of)))
    merged[:, :n_columns] = contributions[:, :n_columns]
    for k, learnt in enumerate(statistics.statistics):
        first = n_columns + 2 * k
        merged[:, place_of[learnt.columns]] += contributions[:, first] + contributions[:, first + 1]
    return merged
