"""How each lead ended: the user's own label values -> won, lost, open."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config import DataConfig, SchemaConfig
from leadlift.data.values import Column, level_text, plain
from leadlift.exceptions import SchemaError, shorten
from leadlift.terms import Outcome


def read_outcomes(array: Column, roles: SchemaConfig, data: DataConfig) -> tuple[Column, Column]:
    """Translate label cells.

    Cells and declared values are compared as text in one spelling: ``1``, ``1.0`` and the number 1 are the
    same, as are ``True``, ``TRUE`` and the boolean. A declared value counts even where it is also a word for
    "not recorded".

    Parameters
    ----------
    array : pyarrow.Array or pyarrow.ChunkedArray
        The label column as read.
    roles : SchemaConfig
        The values that mean won, lost and open.
    data : DataConfig
        Words that mean "not recorded".

    Returns
    -------
    outcomes : of the same class, string
        ``"won"``, ``"lost"``, ``"open"``, or null where missing or undeclared.
    undeclared : of the same class, string
        The value, where it is neither declared nor missing; else null.

    Raises
    ------
    SchemaError
        Two endings are declared by values that read the same, such as ``"1"`` and ``"1.0"``.
    """
    text = level_text(plain(array), data.model_copy(update={"missing_values": ()}))
    values, endings = _declared(roles, data)
    position = pc.index_in(text, value_set=values)
    outcomes = pc.take(endings, position)
    recorded = level_text(text, data)
    undeclared = pc.if_else(pc.is_valid(outcomes), pa.scalar(None, pa.string()), recorded)
    return outcomes, undeclared


def describe_undeclared(values: Column, roles: SchemaConfig) -> str:
    """Return which undeclared label values there are, how many rows each has, and what to do.

    Parameters
    ----------
    values : pyarrow.Array or pyarrow.ChunkedArray of string
        What `read_outcomes` returned second.
    roles : SchemaConfig
        The values declared.

    Returns
    -------
    str
    """
    counts = pc.value_counts(values.drop_null()).to_pylist()
    counts.sort(key=lambda entry: (-entry["counts"], entry["values"]))
    found = [f"{entry['values'][:60]} ({entry['counts']} rows)" for entry in counts]
    return (
        f"{len(counts)} value(s) of {roles.outcome!r} are declared neither won, lost nor open: "
        f"{shorten(found)}. "
        f"Declared are won = {list(roles.won)}, lost = {list(roles.lost)}, open = {list(roles.open)}. "
        f"Add each value to one of them in [schema], or to [data] missing_values"
    )


def _declared(roles: SchemaConfig, data: DataConfig) -> tuple[pa.Array, pa.Array]:
    """Declared values in one spelling, and the ending each stands for."""
    values: list[str] = []
    endings: list[str] = []
    groups = ((Outcome.WON, roles.won), (Outcome.LOST, roles.lost), (Outcome.OPEN, roles.open))
    for ending, declared in groups:
        spelled = level_text(pa.array(declared, pa.string()), data.model_copy(update={"missing_values": ()}))
        values += [value or "" for value in spelled.to_pylist()]
        endings += [ending.value] * len(declared)
    repeated = sorted(
        {
            value
            for value in values
            if len({e for v, e in zip(values, endings, strict=True) if v == value}) > 1
        }
    )
    if repeated:
        msg = f"[schema] won, lost and open share {shorten(repeated)}; each value may mean one ending"
        raise SchemaError(msg)
    return pa.array(values, pa.string()), pa.array(endings, pa.string())
