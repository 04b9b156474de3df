"""BANT: which columns of the leads say something of budget, authority, need and timeline."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.naming import matching_phrase
from leadlift.data.vocabulary.bant import BANT_PHRASES
from leadlift.features.statements import NONE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.features.facts import Facts

UNKNOWN = "unknown"
"""The level of a BANT column that nobody has filled in: not to know is an answer of its own."""


def bant_columns(names: Iterable[str]) -> dict[str, str]:
    """Return which columns answer a question of BANT, by their names.

    Parameters
    ----------
    names : iterable of str
        Names of columns or of fields of the change log.

    Returns
    -------
    dict of str to str
        By column, ``"budget"``, ``"authority"``, ``"need"`` or ``"timeline"``; several columns may answer the
        same question. Columns that answer none are not in it.

    Examples
    --------
    >>> bant_columns(["Budget (EUR)", "industry", "isDecisionMaker", "Zeitrahmen"])
    {'Budget (EUR)': 'budget', 'isDecisionMaker': 'authority', 'Zeitrahmen': 'timeline'}
    """
    roles = {name: _role(name) for name in names}
    return {name: role for name, role in roles.items() if role is not None}


def is_known(facts: Facts, name: str, *, is_logged: bool) -> NDArray[np.bool_]:
    """Return where a BANT question has an answer at as_of.

    Parameters
    ----------
    facts : Facts
        With the leads as they were at as_of.
    name : str
        Column of the leads or field of the change log.
    is_logged : bool
        A field of the change log that is no column of the leads.

    Returns
    -------
    ndarray of bool, shape (n_rows,)
        False where the column is null or says ``"unknown"``.
    """
    if is_logged:
        names = enumerate(facts.states.value_names)
        not_known = [NONE, *(number for number, text in names if text.casefold() == UNKNOWN)]
        return ~np.isin(facts.states.spread(name, "value"), not_known)
    differs = pc.not_equal(pc.utf8_lower(facts.leads[name].cast(pa.string())), UNKNOWN)
    return differs.fill_null(False).to_numpy()


def _role(name: str) -> str | None:
    for role, phrases in BANT_PHRASES.items():
        if matching_phrase(name, phrases) is not None:
            return role
    return None
