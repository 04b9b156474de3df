"""What drives the scores: mean contributions over many leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from leadlift.terms import FeatureSpec


def global_drivers(specs: Sequence[FeatureSpec], contributions: NDArray[np.float64]) -> pa.Table:
    """Rank the input columns by their mean absolute contribution.

    Parameters
    ----------
    specs : sequence of FeatureSpec
    contributions : ndarray of float64, shape (n_rows, n_columns)
        On the scale of the probability.

    Returns
    -------
    pyarrow.Table
        ``column``, ``family`` (string), ``mean_abs_points`` and ``share`` (float64; of the sum over columns),
        strongest first.

    Examples
    --------
    >>> from leadlift.terms import FeatureSpec, Kind
    >>> specs = [FeatureSpec("source", Kind.CATEGORICAL), FeatureSpec("visits", Kind.NUMERIC)]
    >>> global_drivers(specs, np.array([[0.01, -0.03], [-0.01, 0.03]]))["column"].to_pylist()
    ['visits', 'source']
    """
    points = 100 * np.abs(contributions).mean(axis=0) if len(contributions) else np.zeros(len(specs))
    order = np.argsort(-points, kind="stable")
    total = points.sum() or 1.0
    return pa.table(
        {
            "column": [specs[j].name for j in order],
            "family": [specs[j].family.value for j in order],
            "mean_abs_points": points[order],
            "share": points[order] / total,
        }
    )
