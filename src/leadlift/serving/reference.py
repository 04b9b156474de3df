"""The reference profile of a bundle: what scores and inputs looked like at training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.values import is_number
from leadlift.insight.value_texts import number_texts
from leadlift.serving.bundle import Reference
from leadlift.serving.drift_bins import number_edges
from leadlift.serving.number_sketch import NumberSketch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from leadlift.learning.cutoff.evidence import Evidence
    from leadlift.terms import FeatureSpec

# Share of the evidence's leads at or above the grade's threshold.
GRADE_SHARES = {"A": 0.10, "B": 0.30, "C": 0.60}
N_COMMON_LEVELS = 20


def build_reference(
    base: float,
    evidence: Evidence,
    specs: Sequence[FeatureSpec],
    inputs: pa.Table,
    won: NDArray[np.bool_],
) -> Reference:
    """Describe scores and inputs.

    Parameters
    ----------
    base : float
        Probability before anything is known of a lead.
    evidence : Evidence
        Scored leads the model was not fitted on; grades are shares of them: A the best tenth, B the next
        two tenths, C the next three, D the rest.
    specs : sequence of FeatureSpec
    inputs : pyarrow.Table
        Inputs of the training rows.
    won : ndarray of bool, shape (n_rows,)

    Returns
    -------
    Reference
    """
    thresholds = {
        grade: float(np.quantile(evidence.score, 1 - share, method="higher"))
        for grade, share in GRADE_SHARES.items()
    }
    won_inputs = inputs.filter(pa.array(won))
    return Reference(
        base=base,
        grade_thresholds=thresholds,
        grade_rates=_grade_rates(evidence, thresholds),
        score_quantiles=tuple(np.quantile(evidence.score, np.linspace(0, 1, 21)).tolist()),
        columns={spec.name: _profile(inputs[spec.name]) for spec in specs},
        typical_won={
            spec.name: text for spec in specs if (text := _typical(won_inputs[spec.name])) is not None
        },
    )


def _grade_rates(evidence: Evidence, thresholds: dict[str, float]) -> dict[str, tuple[int, int]]:
    from leadlift.serving.batch import grades

    given = grades(evidence.score, thresholds)
    return {
        grade: (int((given == grade).sum()), int(evidence.won[given == grade].sum()))
        for grade in [*thresholds, "D"]
    }


def _profile(values: pa.ChunkedArray) -> dict[str, Any]:
    n_rows = max(len(values), 1)
    known = values.drop_null()
    profile: dict[str, Any] = {"n_rows": len(values), "missing_share": values.null_count / n_rows}
    if is_number(values.type):
        numbers = known.to_numpy()
        quantiles = np.quantile(numbers, np.linspace(0, 1, 11)).tolist() if len(numbers) else []
        counted = {"bin_shares": _bin_shares(numbers, quantiles, n_rows), "sizes": _sizes(numbers)}
        return profile | {"quantiles": quantiles} | counted
    counts = sorted(_counts(known).items(), key=lambda item: (-item[1], item[0]))[:N_COMMON_LEVELS]
    return profile | {"levels": {level: count / n_rows for level, count in counts}}


def _bin_shares(numbers: NDArray[np.float64], quantiles: list[float], n_rows: int) -> list[float]:
    """Shares of all rows between the quantiles, which rows that tie make uneven."""
    edges = number_edges(quantiles)
    counts = np.bincount(np.searchsorted(edges, numbers), minlength=len(edges) + 1)
    return (counts / n_rows).tolist()


def _sizes(numbers: NDArray[np.generic]) -> dict[str, int]:
    """How many numbers other than 0 are of which size, as :class:`NumberSketch` counts them."""
    return NumberSketch.of(numbers.astype(np.float64)).sizes


def _typical(values: pa.ChunkedArray) -> str | None:
    """Median or most common value, None where nothing is known."""
    known = values.drop_null()
    if not len(known):
        return None
    if is_number(values.type):
        return number_texts(pa.array([float(np.median(known.to_numpy()))]))[0].as_py()
    counts = _counts(known)
    return min(counts, key=lambda level: (-counts[level], level))[:60]


def _counts(values: pa.ChunkedArray) -> dict[str, int]:
    counted = pc.value_counts(values)
    return dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True))
