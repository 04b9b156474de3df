"""Sub-scores: what the families of columns contribute to the score of each lead, from one model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.exceptions import SchemaError, shorten
from leadlift.terms import BASE, RESIDUAL, SCORE, Family

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from leadlift.terms import FeatureSpec


def family_scores(
    specs: Sequence[FeatureSpec], contributions: NDArray[np.float64], residual: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Add up contributions by family.

    Parameters
    ----------
    specs : sequence of FeatureSpec
        What each contribution belongs to.
    contributions : ndarray of float64, shape (n_rows, n_specs)
        On the scale of the probability.
    residual : ndarray of float64, shape (n_rows,)
        What no column accounts for; it is counted under ``other``.

    Returns
    -------
    dict of str to ndarray of float64, shape (n_rows,)
        By name of the family, all five of them.

    Examples
    --------
    >>> from leadlift.terms import FeatureSpec, Kind
    >>> specs = [FeatureSpec("size", Kind.NUMERIC, Family.FIT), FeatureSpec("region", Kind.CATEGORICAL)]
    >>> scores = family_scores(specs, np.array([[0.2, -0.1]]), np.zeros(1))
    >>> {name: float(score[0]) for name, score in scores.items()}
    {'fit': 0.2, 'engagement': 0.0, 'intent': 0.0, 'source': 0.0, 'other': -0.1}
    """
    scores = {}
    for family in Family:
        columns = [j for j, spec in enumerate(specs) if spec.family is family]
        scores[family.value] = contributions[:, columns].sum(axis=1)
    scores[Family.OTHER.value] += residual
    return scores


def sub_scores(explained: pa.Table, specs: Sequence[FeatureSpec]) -> pa.Table:
    """Return what fit, engagement, intent, source and everything else contribute to each score.

    Parameters
    ----------
    explained : pyarrow.Table
        From :func:`leadlift.explain`.
    specs : sequence of FeatureSpec
        What each of its contributions belongs to, as ``ModelBundle.explained_specs`` says it.

    Returns
    -------
    pyarrow.Table
        One row a lead, all float64: ``score``, ``base``, ``fit``, ``engagement``, ``intent``, ``source`` and
        ``other``, which holds the residual too. ``base`` plus the other five equals ``score`` to rounding.

    Raises
    ------
    SchemaError
        A contribution has no spec, or a spec no contribution.

    Examples
    --------
    >>> from leadlift.terms import FeatureSpec, Kind
    >>> explained = pa.table({"score": [0.6], "base": [0.5], "visits": [0.1], "residual": [0.0]})
    >>> specs = [FeatureSpec("visits", Kind.NUMERIC, Family.ENGAGEMENT)]
    >>> sub_scores(explained, specs).select(["score", "base", "engagement"]).to_pylist()
    [{'score': 0.6, 'base': 0.5, 'engagement': 0.1}]
    """
    names = [name for name in explained.column_names if name not in {SCORE, BASE, RESIDUAL}]
    of_name = {spec.name: spec for spec in specs}
    unmatched = sorted(set(names).symmetric_difference(of_name))
    if unmatched:
        msg = (
            "expected one spec for each contribution, but these stand on one side only: "
            f"{shorten(unmatched)}; pass the specs of the model that explained the leads"
        )
        raise SchemaError(msg)
    contributions = np.column_stack(
        [np.zeros((explained.num_rows, 0)), *(explained[name].to_numpy() for name in names)]
    )
    scores = family_scores([of_name[name] for name in names], contributions, explained[RESIDUAL].to_numpy())
    return pa.table({SCORE: explained[SCORE], BASE: explained[BASE]} | scores)
