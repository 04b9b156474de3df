"""explain(): a fitted scorer and leads -> one row a lead and column, adding up to the published score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from leadlift.exceptions import SchemaError, shorten
from leadlift.insight.attribution import Attributor
from leadlift.insight.explained import explained_specs
from leadlift.terms import BASE, RESIDUAL, SCORE, FeatureSpec

if TYPE_CHECKING:
    from leadlift.learning.scorer import LeadScorer


def explain(scorer: LeadScorer, X: Any) -> pa.Table:
    """Explain the scores of some leads.

    Parameters
    ----------
    scorer : LeadScorer
        Fitted.
    X : table or array of shape (n_rows, n_columns)
        The inputs, as at fit.

    Returns
    -------
    pyarrow.Table
        One row a lead, all float64 and on the scale of the probability: ``score`` and ``base``, then each
        input column's contribution under the column's name and that of pairs of columns under both names,
        ``"region x policy"``, then ``residual``, what no column accounts for. ``base`` plus the contributions
        plus ``residual`` equals ``score`` to rounding, and the residual is rounding too, except where
        contributions cancel each other and the calibrator jumps.

    Raises
    ------
    SchemaError
        An input column is itself called ``score``, ``base`` or ``residual``.

    Examples
    --------
    >>> import numpy as np
    >>> from leadlift.learning.scorer import LeadScorer
    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> table = explain(LeadScorer().fit(X, X[:, 0] > 0.2), X)
    >>> total = sum(table[name].to_numpy() for name in ("base", "x0", "x1", "residual"))
    >>> bool(np.allclose(total, table["score"].to_numpy()))
    True
    """
    columns = [FeatureSpec(column.name, column.kind) for column in scorer.encoder_.columns_]
    names = [spec.name for spec in explained_specs(columns, scorer.learner_.statistics)]
    taken = {SCORE, BASE, RESIDUAL}.intersection(names)
    if taken:
        msg = (
            f"explain() has columns {SCORE}, {BASE} and {RESIDUAL} of its own; rename the input "
            f"{shorten(sorted(taken))}"
        )
        raise SchemaError(msg)
    found = Attributor(scorer.fitted).explain(scorer.encoder_.transform(X))
    whole = {SCORE: found.score, BASE: np.full(len(found.score), found.base)}
    by_name = dict(zip(names, found.contributions.T, strict=True))
    return pa.table(whole | by_name | {RESIDUAL: found.residual})
