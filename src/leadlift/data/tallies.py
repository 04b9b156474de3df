"""What was noticed while reading rows in batches: counts, and examples that no order of rows changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.values import Column

N_EXAMPLES = 5


class Noticed(StrEnum):
    """What can be noticed in a row of behaviour."""

    NO_LEAD_ID = "no lead id"
    NO_MOMENT = "no moment"
    BAD_MOMENT = "unreadable moment"
    EMPTY_ROLE = "role without a value"
    BAD_VALUE = "unreadable value"
    NAIVE = "moment without a zone"
    REPEATED_TIME = "local time that exists twice"
    SKIPPED_TIME = "local time that does not exist"
    LATE = "recorded after it occurred"
    EARLY = "recorded before it occurred"


@dataclass
class Smallest:
    """The smallest distinct values seen, which are the same whatever the order.

    Parameters
    ----------
    limit : int
        How many are kept, at least 1.
    values : list
        Those seen so far, sorted.

    Examples
    --------
    >>> smallest = Smallest(2)
    >>> smallest.add(pa.array(["c", "b"]))
    >>> smallest.add(pa.array(["b", "a", None]))
    >>> smallest.values
    ['a', 'b']
    """

    limit: int
    values: list[str] | list[int] = field(default_factory=list)

    def add(self, array: Column) -> None:
        """Look at more values.

        Parameters
        ----------
        array : pyarrow.Array or pyarrow.ChunkedArray
            Of one type at every call; nulls are no values.
        """
        if len(self.values) == self.limit:
            array = array.filter(pc.less(array, self.values[-1]))
        distinct = array.drop_null().unique()
        if len(distinct) > self.limit:
            smallest = pc.select_k_unstable(distinct, k=self.limit, sort_keys=[("", "ascending")])
            distinct = distinct.take(smallest)
        self.values = sorted({*self.values, *distinct.to_pylist()})[: self.limit]


@dataclass
class Note:
    """How many rows something was noticed in, and examples of them."""

    count: int = 0
    examples: Smallest = field(default_factory=lambda: Smallest(N_EXAMPLES))


@dataclass
class Tally:
    """What was noticed in one pass over rows.

    Parameters
    ----------
    n_rows, n_kept : int
        Rows that came in and rows that went out.
    notes : dict
        By what was noticed and the column it was noticed in.
    levels : Smallest
        Distinct levels of the column that names what happened.
    """

    levels: Smallest
    n_rows: int = 0
    n_kept: int = 0
    notes: dict[tuple[Noticed, str], Note] = field(default_factory=dict)

    @property
    def n_left_out(self) -> int:
        """Rows that came in and did not go out."""
        return self.n_rows - self.n_kept

    def add(self, what: Noticed, column: str, mask: Column, names: Column | None = None) -> None:
        """Count the rows in which something was noticed.

        Parameters
        ----------
        what : Noticed
        column : str
            The column it was noticed in, by the user's name.
        mask : pyarrow.Array of bool
            The rows; null counts as false.
        names : pyarrow.Array or None
            What to call the rows as examples: ids, or row numbers; None for what concerns a whole column.
        """
        count = pc.sum(mask).as_py() or 0
        if not count:
            return
        note = self.notes.setdefault((what, column), Note())
        note.count += count
        if names is not None:
            note.examples.add(names.filter(mask))

    def count(self, what: Noticed, column: str) -> int:
        """Return in how many rows something was noticed.

        Parameters
        ----------
        what : Noticed
        column : str

        Returns
        -------
        int
        """
        return self.notes[what, column].count if (what, column) in self.notes else 0

    def examples(self, *what: Noticed, column: str) -> tuple[str, ...]:
        """Return up to five names of rows in which one of some things was noticed.

        Parameters
        ----------
        *what : Noticed
        column : str

        Returns
        -------
        tuple of str
            The smallest, sorted; of row numbers, ``"row 12"``.
        """
        merged = Smallest(N_EXAMPLES)
        for one in what:
            if (one, column) in self.notes:
                merged.add(pa.array(self.notes[one, column].examples.values))
        return tuple(f"row {value}" if isinstance(value, int) else value for value in merged.values)
