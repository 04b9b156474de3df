"""Columns of which the user knows the direction: more demos never lower the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from leadlift.exceptions import ConfigError, shorten
from leadlift.terms import Kind

if TYPE_CHECKING:
    from leadlift.learning.encoding import EncodedColumn

DIRECTIONS = MappingProxyType({"up": 1, "down": -1})
"""Name -> sign: ``up`` means that a larger value never lowers the score, ``down`` that it never raises it."""


def monotone_columns(directions: Mapping[str, str], columns: Sequence[EncodedColumn]) -> dict[int, int]:
    """Return the sign of each monotone column by its place in the matrix.

    Parameters
    ----------
    directions : mapping of str to {"up", "down"}
        By column name.
    columns : sequence of EncodedColumn
        Columns of the matrix.

    Returns
    -------
    dict of int to int
        1 or -1.

    Raises
    ------
    ConfigError
        A name is no input, is categorical, or has a direction other than up and down.

    Examples
    --------
    >>> from leadlift.learning.encoding import EncodedColumn
    >>> columns = [EncodedColumn("source", Kind.CATEGORICAL, ("ads",)), EncodedColumn("demos", Kind.NUMERIC)]
    >>> monotone_columns({"demos": "up"}, columns)
    {1: 1}
    """
    place = {column.name: j for j, column in enumerate(columns)}
    _refuse("are no inputs", [name for name in directions if name not in place], "inputs", list(place))
    text = [name for name in directions if columns[place[name]].kind is Kind.CATEGORICAL]
    numbers = [column.name for column in columns if column.kind is Kind.NUMERIC]
    _refuse("are categories, which have no order", text, "numeric inputs", numbers)
    odd = sorted({direction for direction in directions.values() if direction not in DIRECTIONS})
    if odd:
        msg = f"monotone takes the directions 'up' and 'down', got {shorten(odd)}"
        raise ConfigError(msg)
    return {place[name]: DIRECTIONS[direction] for name, direction in directions.items()}


def _refuse(why: str, names: list[str], expected: str, candidates: list[str]) -> None:
    if names:
        named = f"monotone names {len(names)} columns that {why}: {shorten(names)}"
        msg = f"{named}; {expected} are {shorten(candidates)}"
        raise ConfigError(msg)
