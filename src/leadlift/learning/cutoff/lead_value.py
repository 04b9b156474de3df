"""What a lead is worth, and the score from which it pays to contact it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.exceptions import ConfigError, shorten
from leadlift.terms import Cutoff, LeadValue

if TYPE_CHECKING:
    from numpy.typing import NDArray


def thresholds(cutoff: Cutoff, inputs: pa.Table | None = None) -> float | NDArray[np.float64]:
    """Return the score from which each lead qualifies.

    Parameters
    ----------
    cutoff : Cutoff
    inputs : pyarrow.Table of n_rows, optional
        Input columns of the leads; needed where the cut-off says that leads differ in value.

    Returns
    -------
    float or ndarray of float64, shape (n_rows,)
        One threshold for all leads; where they differ in value, ``contact_cost / value`` of each, infinite
        for a lead that is worth nothing.

    Raises
    ------
    ConfigError
        The column that says what a lead is worth is absent or holds something else.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> worth = LeadValue("size", contact_cost=30, default=100, values={"large": 300})
    >>> thresholds(SimpleNamespace(per_lead=worth), pa.table({"size": ["large", "small", None]})).tolist()
    [0.1, 0.3, 0.3]
    """
    if cutoff.per_lead is None:
        return cutoff.threshold
    return paying_thresholds(cutoff.per_lead, inputs)


def paying_thresholds(worth: LeadValue, inputs: pa.Table | None) -> NDArray[np.float64]:
    """Return ``contact_cost / value`` of each lead, as :func:`thresholds` does."""
    value = values_of_leads(worth, inputs)
    pays = value > 0
    return np.divide(worth.contact_cost, value, out=np.full(len(value), np.inf), where=pays)


def values_of_leads(worth: LeadValue, inputs: pa.Table | None) -> NDArray[np.float64]:
    """Return what each lead would bring if it were won, float64 of shape (n_rows,).

    Raises
    ------
    ConfigError
        The column is absent, or holds text although no level was given a value.
    """
    if inputs is None:
        msg = (
            f"the value of a lead is read from its column {worth.column!r}, but the leads came without named "
            "columns; give a table as X (an array has no names, and a bundle keeps no inputs)"
        )
        raise ConfigError(msg)
    if worth.column not in inputs.column_names:
        msg = (
            f"the value of a lead is read from its column {worth.column!r}, but the model's inputs are "
            f"{shorten(inputs.column_names)}; win_value_column must name one of them"
        )
        raise ConfigError(msg)
    column = inputs[worth.column].combine_chunks()
    if worth.values is not None:
        levels = pc.index_in(pc.cast(column, pa.string()), pa.array(list(worth.values), pa.string()))
        column = pa.array(list(worth.values.values()), pa.float64()).take(levels)
    elif not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        msg = (
            f"win_value_column {worth.column!r} holds {column.type}, not numbers; give win_values, "
            "the value of a win by level"
        )
        raise ConfigError(msg)
    value = pc.fill_null(pc.cast(column, pa.float64()), worth.default).to_numpy(zero_copy_only=False)
    return np.where(np.isnan(value), worth.default, value)
