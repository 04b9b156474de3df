"""The second label: which leads became SQL within the horizon, beside which were won."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.observation_plan import in_days
from leadlift.data.tables import QUALIFIED_AT
from leadlift.exceptions import ImmatureLabelsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.data.observations import Observations
    from leadlift.data.reading import Leads


@dataclass(frozen=True)
class SecondLabel:
    """Whether leads became SQL, for the rows of the learning problem.

    Parameters
    ----------
    became_sql : ndarray of bool, shape (n_rows,)
        Accepted by sales in ``(as_of, as_of + horizon]``, or won in that time. Without a horizon, at any time
        after `as_of`, or won.
    teaches : ndarray of bool, shape (n_rows,)
        False where the lead was SQL already at `as_of`: there was nothing left to predict.
    """

    became_sql: NDArray[np.bool_]
    teaches: NDArray[np.bool_]


def second_label(leads: Leads, observations: Observations) -> SecondLabel:
    """Label the rows of the learning problem by whether the lead became SQL.

    A lead that was won was accepted, whether or not that is recorded, so it counts as SQL. One that was
    accepted after the moment of the extract was not yet then. The label of a row is known when that of "won"
    is.

    Parameters
    ----------
    leads : Leads
        With ``qualified_at``.
    observations : Observations
        Made of `leads`.

    Returns
    -------
    SecondLabel

    Raises
    ------
    ImmatureLabelsError
        None, or all, of the rows that teach became SQL.
    """
    as_of, horizon_days = observations.as_of, observations.horizon_days
    qualified = _qualified(leads, observations)
    is_later = qualified > as_of
    if horizon_days is not None:
        is_later &= qualified <= as_of + in_days(horizon_days)
    label = SecondLabel(is_later | (observations.y > 0), ~(qualified <= as_of))
    _require_both(label)
    return label


def _qualified(leads: Leads, observations: Observations) -> NDArray:
    """When the lead of each row was accepted, in UTC; NaT where it was not by the moment of the extract."""
    moments = pc.cast(leads.table[QUALIFIED_AT].take(pa.array(observations.index)), pa.timestamp("us"))
    qualified = moments.to_numpy().astype("datetime64[us]")
    end = np.datetime64(observations.known_until.replace(tzinfo=None), "us")
    return np.where(qualified <= end, qualified, np.datetime64("NaT", "us"))


def _require_both(label: SecondLabel) -> None:
    n, n_sql = int(label.teaches.sum()), int((label.became_sql & label.teaches).sum())
    if 0 < n_sql < n:
        return
    msg = (
        f"[schema] qualified_at cannot be learnt from: of {n:,} rows of leads that were not SQL yet, "
        f"{n_sql:,} became SQL within the horizon; expected some that did and some that did not. Is it the "
        f"moment at which sales accepted the lead? Without that column the leads have one label"
    )
    raise ImmatureLabelsError(msg)
