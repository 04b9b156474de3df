"""A probe of a model: made-up rows whose scores are known, stored with it and checked before a job.

The rows are made of the model's own thresholds and levels, the numbers next to them, missing values and
levels never seen: where a wrong path would show. No training row is among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leadlift.learning.fitted.engines import PLAIN
from leadlift.terms import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.learning.fitted.blend import Blend
    from leadlift.learning.fitted.model import FittedModel
    from leadlift.learning.fitted.vocabulary import EncodedColumn

N_ROWS = 64
SHARE_MISSING = 0.1
# Another machine may round the last bits otherwise; another path through a tree differs by far more.
TOLERANCE = 1e-9


def make_probe(model: FittedModel, seed: int = 0) -> dict[str, Any]:
    """Make up rows and keep what the model says of them.

    Parameters
    ----------
    model : FittedModel
    seed : int, default=0

    Returns
    -------
    dict
        Ready for JSON: ``rows`` (None for missing), and of each its ``log_odds``, by LightGBM, and ``score``.
    """
    rng = np.random.default_rng(seed)
    values = _values(model)
    X = np.column_stack([rng.choice(each, N_ROWS) for each in values])
    X[rng.random(X.shape) < SHARE_MISSING] = np.nan
    score, log_odds = model.using(PLAIN).score(X)
    rows = [[None if np.isnan(x) else x for x in row] for row in X.tolist()]
    return {"rows": rows, "log_odds": log_odds.tolist(), "score": score.tolist()}


def check_probe(model: FittedModel, probe: dict[str, Any]) -> str:
    """Say how a model differs from its probe.

    Parameters
    ----------
    model : FittedModel
        With the engine that is to be checked.
    probe : dict
        From :func:`make_probe`.

    Returns
    -------
    str
        Empty where it gives the scores of the probe.
    """
    X = np.array(probe["rows"], dtype=np.float64).reshape(-1, len(model.columns))
    score, log_odds = model.score(X)
    worst = max(_difference(log_odds, probe["log_odds"]), _difference(score, probe["score"]), key=_badness)
    if worst <= TOLERANCE:
        return ""
    return f"the scores of the bundle's {len(X)} probe rows differ from those stored by up to {worst:.3g}"


def _difference(found: NDArray[np.float64], expected: list[float]) -> float:
    return float(np.max(np.abs(found - np.array(expected)), initial=0.0))


def _badness(difference: float) -> float:
    """NaN is the worst."""
    return np.inf if np.isnan(difference) else difference


def _values(model: FittedModel) -> list[NDArray[np.float64]]:
    """Return for each column the values among which something changes."""
    edges = _edges(model.blend, len(model.columns))
    return [_around(own, column) for own, column in zip(edges, model.columns, strict=True)]


def _edges(blend: Blend, n_columns: int) -> list[NDArray[np.float64]]:
    """Return the thresholds of each column: of trees, of bins and of levels."""
    of_trees = [forest.thresholds(n_columns) for forest in blend.forests()]
    levels = [blend.statistics.levels.get(j, np.empty(0)) for j in range(n_columns)]
    return [
        np.unique(np.concatenate(parts))
        for parts in zip(blend.logistic.edges, levels, *of_trees, strict=True)
    ]


def _around(edges: NDArray[np.float64], column: EncodedColumn) -> NDArray[np.float64]:
    """Return finite edges and the numbers next to them, or the codes of levels, the unseen one included."""
    if column.kind is Kind.CATEGORICAL:
        return np.arange(column.unseen_code + 1)
    finite = np.append(edges[np.isfinite(edges)], 0.0)
    return np.concatenate([finite, np.nextafter(finite, -np.inf), np.nextafter(finite, np.inf)])
