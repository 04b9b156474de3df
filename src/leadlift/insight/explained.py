"""What a score is explained by: the input columns, and the pairs of columns whose levels count together.

Trees may split target statistics beside the columns (:mod:`leadlift.learning.target_statistics`). What those
of a single column contribute belongs to that column. Those of a pair are a reason of their own, which stands
after the columns under the name ``"region x policy"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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
        wording="pair",
        about=(a.name, b.name),
    )


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
