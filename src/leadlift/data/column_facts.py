"""What is to be known of each column of leads before it may be an input."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config import SchemaConfig
from leadlift.data.naming import protected_attribute
from leadlift.data.profiling import is_near_unique
from leadlift.data.reading import Leads
from leadlift.terms import Kind


@dataclass(frozen=True)
class ColumnFacts:
    """Counts of one column and what the configuration says about it.

    Parameters
    ----------
    name : str
        Column name.
    kind : Kind
        Numeric or categorical.
    n_rows, n_missing, n_distinct : int
        Rows, rows without a value, and different values.
    is_declared : bool
        Its kind is declared in the configuration.
    protected : str or None
        The protected attribute that it seems to hold.
    is_allowed : bool
        It may be an input although it is protected.
    """

    name: str
    kind: Kind
    n_rows: int
    n_missing: int
    n_distinct: int
    is_declared: bool = False
    protected: str | None = None
    is_allowed: bool = False

    @property
    def n_filled(self) -> int:
        """Rows that hold a value."""
        return self.n_rows - self.n_missing

    @property
    def is_all_missing(self) -> bool:
        """Whether no row holds a value."""
        return self.n_filled == 0

    @property
    def is_constant(self) -> bool:
        """Whether every row holds the same value; a missing one beside it would tell rows apart."""
        return self.n_distinct == 1 and self.n_missing == 0

    @property
    def is_near_unique(self) -> bool:
        """Whether it holds text that is an id, a name or free text and is not declared categorical."""
        is_text = self.kind is Kind.CATEGORICAL and not self.is_declared
        return is_text and is_near_unique(self.n_distinct, self.n_filled)

    @property
    def is_refused(self) -> bool:
        """Whether it is a protected attribute that nobody allowed."""
        return self.protected is not None and not self.is_allowed

    @property
    def is_input(self) -> bool:
        """Whether it becomes an input of the model."""
        return not (self.is_all_missing or self.is_constant or self.is_near_unique or self.is_refused)


def column_facts(leads: Leads, roles: SchemaConfig) -> tuple[ColumnFacts, ...]:
    """Count what the columns hold that may become inputs: without a role, not ignored, no dates.

    Parameters
    ----------
    leads : Leads
        The leads as read.
    roles : SchemaConfig
        Ignored and allowed columns, and declared kinds.

    Returns
    -------
    tuple of ColumnFacts
        In the order of the table.
    """
    return tuple(
        _facts(name, leads.table[name], kind, roles)
        for name, kind in leads.kinds.items()
        if name not in roles.ignore and name in leads.table.column_names
    )


def _facts(name: str, column: pa.ChunkedArray, kind: Kind, roles: SchemaConfig) -> ColumnFacts:
    return ColumnFacts(
        name=name,
        kind=kind,
        n_rows=len(column),
        n_missing=column.null_count,
        n_distinct=pc.count_distinct(column, mode="only_valid").as_py(),
        is_declared=name in (*roles.numeric, *roles.categorical),
        protected=protected_attribute(name),
        is_allowed=name in roles.allow_protected,
    )
