"""What a feature group is given: the facts of some observations, and a survey of all fitted ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config import DataConfig
from leadlift.data.values import convert_column
from leadlift.features.replay import Replay
from leadlift.features.statements import NONE
from leadlift.terms import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.features.known import KnownActs


@dataclass(frozen=True)
class KnownStates:
    """What the change log said of some observations at their moment: one row an observation and field.

    Parameters
    ----------
    n_rows : int
        Observations.
    row, field, value, n_changes, age_us : ndarray, shape (n_known,)
        See :func:`leadlift.features.statements.states`; `value` is -1 where a field was emptied.
    field_names, value_names : tuple of str
        What the numbers in `field` and `value` mean.
    data : DataConfig
        How numbers are written in the log.
    """

    n_rows: int
    row: NDArray[np.int64]
    field: NDArray[np.int64]
    value: NDArray[np.int64]
    n_changes: NDArray[np.int64]
    age_us: NDArray[np.int64]
    field_names: tuple[str, ...]
    value_names: tuple[str, ...]
    data: DataConfig

    def spread(self, name: str, column: str) -> NDArray[np.int64]:
        """Return ``value``, ``n_changes`` or ``age_us`` of a field for each observation.

        Parameters
        ----------
        name : str
            The field.
        column : str

        Returns
        -------
        ndarray of int64, shape (n_rows,)
            -1 where no change of the field was logged before as_of; `n_changes` is 0 there if one was
            logged later.
        """
        mask = self._of(name)
        if column != "n_changes":
            mask &= self.n_changes > 0
        return self._spread(mask, column)

    def values(self, name: str, kind: Kind, *, before_first: bool = False) -> pa.Array:
        """Return the value of a field for each observation.

        Parameters
        ----------
        name : str
            The field.
        kind : Kind
        before_first : bool
            Also say what the field was before its first change, which a later change may tell.

        Returns
        -------
        pyarrow.Array of float64 or string, length n_rows
            Null where nothing is logged, where the field was emptied, and where a number is asked for and
            there is none.
        """
        codes = self._spread(self._of(name), "value") if before_first else self.spread(name, "value")
        # Each value that occurs is converted once; the first place is for "none".
        used, place = np.unique(np.append(codes, NONE), return_inverse=True)
        names = [None if code == NONE else self.value_names[code] for code in used.tolist()]
        values, is_bad = convert_column(pa.array(names, pa.string()), kind, self.data, name)
        return pc.if_else(is_bad, None, values).take(pa.array(place[:-1]))

    def _of(self, name: str) -> NDArray[np.bool_]:
        if name not in self.field_names:
            return np.zeros(len(self.row), dtype=bool)
        return self.field == self.field_names.index(name)

    def _spread(self, mask: NDArray[np.bool_], column: str) -> NDArray[np.int64]:
        spread = np.full(self.n_rows, NONE, dtype=np.int64)
        spread[self.row[mask]] = getattr(self, column)[mask]
        return spread


@dataclass(frozen=True)
class Facts:
    """The facts of some observations, in their order.

    Parameters
    ----------
    as_of : ndarray of datetime64[us], shape (n_rows,)
        Their moments in UTC.
    leads : pyarrow.Table
        The columns of their leads known at creation, one row an observation; fields of the change log as
        they were at as_of (see :mod:`leadlift.features.replay`).
    acts : KnownActs or None
        None where there are no events.
    states : KnownStates or None
        None where there is no change log.
    """

    as_of: NDArray[np.datetime64]
    leads: pa.Table
    acts: KnownActs | None = None
    states: KnownStates | None = None

    @property
    def n_rows(self) -> int:
        """Observations."""
        return len(self.as_of)


@dataclass(frozen=True)
class Survey:
    """What groups learn from at fit: only what was known at the fitted observations.

    Parameters
    ----------
    leads : pyarrow.Table
        Columns of the leads known at creation, one row a fitted observation; fields of the change log as
        they were at as_of.
    as_of : ndarray of datetime64[us], shape (n_rows,)
    lead : ndarray of int64, shape (n_rows,), or None
        Number of the lead of each row; None where each row is a lead of its own.
    converted : ndarray of int8, shape (n_rows,), or None
        Labels, where there are.
    label_known_at : ndarray of datetime64[us], shape (n_rows,), or None
    types, channels : mapping of str to int
        How many acts each event type and channel has.
    pairs, triples : mapping of tuple of str to int
        How often event types follow each other.
    meanings : mapping of str to int
        How many acts have each meaning; see :data:`leadlift.features.meanings.MEANINGS`.
    has_amounts, has_texts : bool
        Whether acts come with a value to sum, or with text.
    fields : mapping of str to mapping of str to int
        By field of the change log, how often it took each value.
    numeric_fields : tuple of str
        Fields whose values are all numbers.
    replay : Replay
        Which columns of the leads are replayed from the log.
    """

    leads: pa.Table
    as_of: NDArray[np.datetime64]
    lead: NDArray[np.int64] | None = None
    converted: NDArray[np.int8] | None = None
    label_known_at: NDArray[np.datetime64] | None = None
    types: Mapping[str, int] = field(default_factory=dict)
    channels: Mapping[str, int] = field(default_factory=dict)
    pairs: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    triples: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    meanings: Mapping[str, int] = field(default_factory=dict)
    has_amounts: bool = False
    has_texts: bool = False
    fields: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    numeric_fields: tuple[str, ...] = ()
    replay: Replay = field(default_factory=Replay)


def most_common(counts: Mapping, n: int) -> tuple:
    """Return the `n` keys that occur most, the first in order among equals.

    Examples
    --------
    >>> most_common({"form": 2, "visit": 9, "call": 2}, 2)
    ('visit', 'call')
    """
    return tuple(sorted(counts, key=lambda key: (-counts[key], key))[:n])
