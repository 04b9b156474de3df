"""The rows of one call: observations sorted by lead, the leads behind them, and their columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.data.naming import guess_family
from leadlift.data.observations import Observations
from leadlift.data.reading import Leads
from leadlift.data.tables import HOUSE_COLUMNS, require_columns, table_from
from leadlift.data.values import is_text
from leadlift.exceptions import SchemaError
from leadlift.features.session import Moments
from leadlift.terms import AS_OF, LEAD_ID, FeatureSpec, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.features.facts import Survey


class ObservedRows:
    """Observations sorted by lead, and the leads behind them.

    Parameters
    ----------
    observations : Observations, or a pyarrow, pandas or polars table
        Or a table of ``lead_id`` and ``as_of`` with one row for each row of `leads`.
    leads : Leads, or a pyarrow, pandas or polars table
        In house columns.
    fitted : ndarray of bool, shape (n_rows,), optional
        Rows to learn from; all, if not given.

    Raises
    ------
    SchemaError
        A column is not there, a moment is missing, or the tables differ in length.

    Attributes
    ----------
    moments : Moments
        Sorted by lead.
    order : ndarray of int64, shape (n_rows,)
        For each sorted row, the observation it was.
    """

    def __init__(
        self,
        observations: Observations | object,
        leads: Leads | object,
        fitted: NDArray[np.bool_] | None = None,
    ) -> None:
        self._leads = leads.table if isinstance(leads, Leads) else _with_plain_text(table_from(leads))
        is_whole = isinstance(observations, Observations)
        rows = observations.rows if is_whole else _beside(table_from(observations), self._leads)
        as_of = rows[AS_OF].cast(pa.timestamp("us")).to_numpy()
        lead_id = rows[LEAD_ID].cast(pa.string()).combine_chunks()
        self.moments, self.order = Moments.of(lead_id, as_of, fitted).sorted_by_lead()
        index = observations.index if is_whole else np.arange(len(as_of))
        self._index = index[self.order]
        self._labels = observations if is_whole else None

    @property
    def n_rows(self) -> int:
        """Observations."""
        return len(self.order)

    def leads_of(self, start: int, stop: int) -> pa.Table:
        """Return the leads of the sorted rows in [start, stop)."""
        return self._leads.take(pa.array(self._index[start:stop]))

    def with_labels(self, survey: Survey) -> Survey:
        """Return a survey with the labels of its rows, where there are."""
        if self._labels is None:
            return survey
        fitted = self.order[self.moments.is_fitted]
        return replace(
            survey, converted=self._labels.y[fitted], label_known_at=self._labels.label_known_at[fitted]
        )


def _with_plain_text(table: pa.Table) -> pa.Table:
    """The same with every text as a string, which is what can be taken row by row."""
    fields = [field.with_type(pa.string()) if is_text(field.type) else field for field in table.schema]
    return table.cast(pa.schema(fields))


def _beside(rows: pa.Table, leads: pa.Table) -> pa.Table:
    """Observations that are given as a table, as far as they can be used."""
    require_columns([LEAD_ID, AS_OF], rows.column_names, "the observations")
    if not pa.types.is_timestamp(rows[AS_OF].type):
        msg = f"as_of of the observations should hold moments, and has type {rows[AS_OF].type}"
        raise SchemaError(msg)
    if rows[AS_OF].null_count:
        msg = f"{rows[AS_OF].null_count} of {len(rows)} observations have no as_of; leave them out"
        raise SchemaError(msg)
    if len(rows) != len(leads):
        msg = (
            f"{len(rows)} observations stand beside {len(leads)} leads; expected one row of leads for each. "
            f"make_observations knows which lead each is of"
        )
        raise SchemaError(msg)
    return rows


def columns_without_role(leads: Leads | object) -> tuple[FeatureSpec, ...]:
    """Return the columns of leads that have no role and hold numbers or levels.

    Parameters
    ----------
    leads : Leads, or a pyarrow, pandas or polars table
        In house columns.

    Returns
    -------
    tuple of FeatureSpec
        Families are guessed from the names.
    """
    if isinstance(leads, Leads):
        kinds = leads.kinds
    else:
        free = [field for field in table_from(leads).schema if field.name not in HOUSE_COLUMNS]
        flat = [field for field in free if not pa.types.is_temporal(field.type)]
        kinds = {field.name: Kind.CATEGORICAL if is_text(field.type) else Kind.NUMERIC for field in flat}
    return tuple(FeatureSpec(name, kind, guess_family(name)) for name, kind in kinds.items())
