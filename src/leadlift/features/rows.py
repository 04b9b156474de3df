"""The rows of one call: observations sorted by lead, the leads behind them, and their columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.data.naming import guess_family
from leadlift.data.observations import Observations
from leadlift.data.reading import Leads
from leadlift.data.tables import HOUSE_COLUMNS
from leadlift.data.values import is_text
from leadlift.features.session import Moments
from leadlift.terms import AS_OF, LEAD_ID, FeatureSpec, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.features.facts import Survey


class ObservedRows:
    """Observations sorted by lead, and the leads behind them.

    Parameters
    ----------
    observations : Observations or pyarrow.Table
        Or a table of ``lead_id`` and ``as_of`` with one row for each row of `leads`.
    leads : Leads or pyarrow.Table
        In house columns.
    fitted : ndarray of bool, shape (n_rows,), optional
        Rows to learn from; all, if not given.

    Attributes
    ----------
    moments : Moments
        Sorted by lead.
    order : ndarray of int64, shape (n_rows,)
        For each sorted row, the observation it was.
    """

    def __init__(
        self,
        observations: Observations | pa.Table,
        leads: Leads | pa.Table,
        fitted: NDArray[np.bool_] | None = None,
    ) -> None:
        is_whole = isinstance(observations, Observations)
        rows = observations.rows if is_whole else observations
        as_of = rows[AS_OF].cast(pa.timestamp("us")).to_numpy()
        lead_id = rows[LEAD_ID].combine_chunks()
        self.moments, self.order = Moments.of(lead_id, as_of, fitted).sorted_by_lead()
        index = observations.index if is_whole else np.arange(len(as_of))
        self._index = index[self.order]
        self._leads = leads.table if isinstance(leads, Leads) else leads
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


def columns_without_role(leads: Leads | pa.Table) -> tuple[FeatureSpec, ...]:
    """Return the columns of leads that have no role and hold numbers or levels.

    Parameters
    ----------
    leads : Leads or pyarrow.Table
        In house columns.

    Returns
    -------
    tuple of FeatureSpec
        Families are guessed from the names.
    """
    if isinstance(leads, Leads):
        kinds = leads.kinds
    else:
        free = [field for field in leads.schema if field.name not in HOUSE_COLUMNS]
        flat = [field for field in free if not pa.types.is_temporal(field.type)]
        kinds = {field.name: Kind.CATEGORICAL if is_text(field.type) else Kind.NUMERIC for field in flat}
    return tuple(FeatureSpec(name, kind, guess_family(name)) for name, kind in kinds.items())
