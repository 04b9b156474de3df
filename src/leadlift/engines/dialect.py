"""The few expressions in which the SQL of engines differs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """How an engine writes what is not the same everywhere.

    Parameters
    ----------
    value_at_greatest : str
        Value of the row where something is greatest, a NULL value taken as it is; ``{value}`` and
        ``{order}`` are filled in.
    """

    value_at_greatest: str

    def latest(self, value: str, order: str) -> str:
        """Return an aggregate: `value` of the row with the greatest `order`.

        Examples
        --------
        >>> Dialect("max_by({value}, {order})").latest("stage", "seq")
        'max_by(stage, seq)'
        """
        return self.value_at_greatest.format(value=value, order=order)
