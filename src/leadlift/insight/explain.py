"""explain(): a fitted scorer and leads -> one row a lead and column, adding up to the published score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from leadlift.exceptions import SchemaError, shorten
from leadlift.insight.attribution import Attributor
from leadlift.insight.explained import explained_specs
from leadlift.terms import FeatureSpec

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
        One row a lead: ``score`` and ``base`` (float64), then each input column's contribution under the
        column's name and that of pairs of columns under both names, ``"region x policy"`` (float64, on the
        scale of the probability). ``base`` plus the contributions equals
        ``score`` to rounding.

    Raises
    ------
    SchemaError
        An input column is itself called ``score`` or ``base``.

    Examples
    --------
    >>> import numpy as np
    >>> from leadlift.learning.scorer import LeadScorer
    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> table = explain(LeadScorer().fit(X, X[:, 0] > 0.2), X)
    >>> total = sum(table[name].to_numpy() for name in ("base", "x0", "x1"))
    >>> bool(np.allclose(total, table["score"].to_numpy()))
    True
    """
    columns = [FeatureSpec(column.name, column.kind) for column in scorer.encoder_.columns_]
    names = [spec.name for spec in explained_specs(columns, scorer.learner_.statistics)]
    taken = {"score", "base"}.intersection(names)
    if taken:
        msg = f"explain() has columns score and base of its own; rename the input {shorten(sorted(taken))}"
        raise SchemaError(msg)
    found = Attributor(scorer).explain(scorer.encoder_.transform(X))
    whole = {"score": found.score, "base": np.full(len(found.score), found.base)}
    return pa.table(whole | dict(zip(names, found.contributions.T, strict=True)))
