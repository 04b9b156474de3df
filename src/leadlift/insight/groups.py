"""A column as groups of leads that can be told apart and named: levels, or intervals of a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.data.values import clean_text, is_text, plain
from leadlift.insight.segments.levels import MISSING, learn_levels

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOT_RECORDED = "not recorded"
MOST_GROUPS = 20


@dataclass(frozen=True)
class Groups:
    """The group of each lead.

    Parameters
    ----------
    name : str
        Of the column.
    names : tuple of str
        What each group is called: levels by size, intervals by value, "not recorded" last.
    codes : ndarray of int64, shape (n_rows,)
        Place in `names` of each lead's group.
    """

    name: str
    names: tuple[str, ...]
    codes: NDArray[np.int64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Leads in each group."""
        return np.bincount(self.codes, minlength=len(self.names))

    @property
    def is_recorded(self) -> NDArray[np.bool_]:
        """Which groups are of leads whose value is recorded, shape (n_groups,)."""
        return np.array([name != NOT_RECORDED for name in self.names], dtype=bool)

    def of(self, rows: NDArray[np.bool_]) -> Groups:
        """Return the same groups of some of the leads."""
        return Groups(self.name, self.names, self.codes[rows])


def groups_of(name: str, values: pa.Array | pa.ChunkedArray, *, most_groups: int = MOST_GROUPS) -> Groups:
    """Group leads by a column; see :func:`leadlift.insight.segments.levels.learn_levels`.

    Parameters
    ----------
    name : str
        Of the column.
    values : pyarrow.Array or pyarrow.ChunkedArray
        Numbers, text or truth values; null, NaN and blank text are a group of their own.
    most_groups : int, default=20
        Levels kept apart; the others are one group.

    Returns
    -------
    Groups
        Without groups that have no lead.

    Raises
    ------
    SchemaError
        The column holds neither numbers nor text nor truth values.

    Examples
    --------
    >>> groups_of("region", pa.array(["north", None, "north", " "])).names
    ('north', 'not recorded')
    >>> groups_of("age", pa.array(range(1, 101))).names
    ('up to 25', '26 to 50', '51 to 75', 'over 75')
    """
    column = plain(values)
    column = clean_text(column) if is_text(column.type) else column
    chunked = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    levels = learn_levels(name, chunked, most_groups)
    names = [*(NOT_RECORDED if text == MISSING else text for text in levels.names)]
    used, codes = np.unique(levels.codes(chunked), return_inverse=True)
    return Groups(name, tuple(names[i] for i in used), codes.astype(np.int64))
