"""What the functions on segments are given, as Arrow and numpy, or an error that says what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from leadlift.data.tables import require_columns, table_from
from leadlift.exceptions import InputError, shorten
from leadlift.insight.segments.levels import can_be_cut
from leadlift.learning.splitting import as_moments


def leads_and_wins(
    values: Any, won: ArrayLike, columns: Sequence[str] | None = None
) -> tuple[pa.Table, NDArray[np.bool_]]:
    """Return the columns to look at and which leads are won.

    Parameters
    ----------
    values : table
        pyarrow, pandas or polars, one row a lead.
    won : array of shape (n_leads,)
        Booleans, or 0 and 1.
    columns : sequence of str or None
        None takes all that hold text, numbers or booleans.

    Returns
    -------
    values : pyarrow.Table
        At least one row and one column.
    won : ndarray of bool, shape (n_leads,)

    Raises
    ------
    InputError
        There is no lead or no column, the lengths differ, or an outcome is neither 0 nor 1.
    SchemaError
        A column named is not there.
    """
    table = table_from(values)
    if columns is not None:
        require_columns(columns, table.column_names, "segments")
    else:
        columns = [field.name for field in table.schema if can_be_cut(field.type)]
    if not table.num_rows or not columns:
        msg = f"expected leads with at least one column, got {table.num_rows} leads, {len(columns)} columns"
        raise InputError(msg)
    return table.select(list(columns)), outcomes(won, table.num_rows)


def outcomes(won: ArrayLike, n_leads: int) -> NDArray[np.bool_]:
    """Return which leads are won.

    Parameters
    ----------
    won : array of shape (n_leads,)
        Booleans, or 0 and 1; a column of pandas, polars or Arrow, too.
    n_leads : int

    Returns
    -------
    ndarray of bool, shape (n_leads,)

    Raises
    ------
    InputError
        There are more or fewer outcomes than leads, or one is neither 0 nor 1.

    Examples
    --------
    >>> outcomes([1, 0, 1], 3)
    array([ True, False,  True])
    """
    found = np.asarray(won)
    if found.shape != (n_leads,):
        msg = f"expected one outcome for each of {n_leads:,} leads, got an array of shape {found.shape}"
        raise InputError(msg)
    if found.dtype != np.bool_:
        found = _zero_or_one(found)
    return found.astype(bool)


def _zero_or_one(found: NDArray) -> NDArray:
    try:
        values = pa.array(found, from_pandas=True).unique().to_pylist()
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        msg = f"won must be true or false for every lead, got a column that mixes types ({error})"
        raise InputError(msg) from error
    odd = sorted(str(value) for value in values if value not in (0, 1))
    if odd:
        msg = f"won must be true or false, got {shorten(odd)}; leave out leads whose outcome is not known"
        raise InputError(msg)
    return found


def moments(as_of: ArrayLike, n_leads: int) -> NDArray[np.datetime64]:
    """Return when each lead was observed.

    Parameters
    ----------
    as_of : array or column of dates, shape (n_leads,)
        With a time zone or without; missing ones fall in no period.
    n_leads : int

    Returns
    -------
    ndarray of datetime64[us], shape (n_leads,)

    Raises
    ------
    InputError
        They are no dates, all are missing, or there are more or fewer than leads.
    """
    found = as_moments(as_of)
    if found.dtype.kind != "M" or found.shape != (n_leads,):
        msg = f"expected a date for each of {n_leads:,} leads, got {found.dtype} of shape {found.shape}"
        raise InputError(msg)
    if np.isnat(found).all():
        msg = "as_of holds no date at all; leave it out, or give the moments at which leads were observed"
        raise InputError(msg)
    return found.astype("datetime64[us]")


def known(values: ArrayLike, mask: ArrayLike | None = None) -> pa.Array:
    """Return numbers as a column; NaN, and what is not in the mask, is null.

    Examples
    --------
    >>> known(np.array([0.5, np.nan, 0.1]), np.array([True, True, False])).to_pylist()
    [0.5, None, None]
    """
    values = np.asarray(values)
    is_null = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)
    return pa.array(values, mask=is_null if mask is None else is_null | ~np.asarray(mask))
