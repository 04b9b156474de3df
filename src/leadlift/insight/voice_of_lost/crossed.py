"""Two groupings of the same leads crossed: how common each kind is in each segment, and where unlike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from leadlift.data.tables import table_from
from leadlift.exceptions import InputError
from leadlift.insight.groups import Groups, groups_of
from leadlift.insight.segments.comparison import fisher_p_values, q_values
from leadlift.insight.segments.inputs import known
from leadlift.insight.share_ratio import ratio_bounds, ratio_of, share_of
from leadlift.learning.intervals import share_bounds

if TYPE_CHECKING:
    from numpy.typing import NDArray


def crossed_counts(rows: Groups, kinds: Groups) -> NDArray[np.int64]:
    """Return the leads in each group of `rows` (first axis) that are of each of the `kinds` (second axis)."""
    shape = (len(rows.names), len(kinds.names))
    return np.bincount(rows.codes * shape[1] + kinds.codes, minlength=shape[0] * shape[1]).reshape(shape)


def share_columns(
    k: NDArray[np.int64], n: NDArray[np.int64], *, least_leads: int, confidence: float
) -> dict[str, Any]:
    """Return the columns ``n``, ``share``, ``low``, ``high`` and ``too_few`` of the shares ``k / n``."""
    low, high = share_bounds(k, n, confidence)
    return {
        "n": k,
        "share": known(share_of(k, n)),
        "low": known(low, n > 0),
        "high": known(high, n > 0),
        "too_few": n < least_leads,
    }


def segment_groups(segments: object, n_rows: int) -> list[Groups]:
    """Group leads by each column of a table; raise InputError where it has not a row for each lead."""
    table = table_from(segments)
    if table.num_rows != n_rows:
        msg = f"segments must have a row for each of the {n_rows:,} leads, got {table.num_rows:,} rows"
        raise InputError(msg)
    return [groups_of(name, table[name]) for name in table.column_names]


def compare_segments(
    kinds: Groups,
    segments: list[Groups],
    *,
    confidence: float,
    false_discovery_rate: float,
    least_leads: int,
) -> pa.Table:
    """Compare how common each kind is in each segment with how common it is elsewhere.

    Parameters
    ----------
    kinds : Groups
        What is counted, such as loss reasons.
    segments : list of Groups
        Of the same leads.
    confidence : float
    false_discovery_rate : float
    least_leads : int
        Leads that a segment, and the rest, must have to be compared.

    Returns
    -------
    pyarrow.Table
        ``column``, ``segment``, ``kind`` (string), ``n_segment``, ``n`` (int64), ``share``, ``low``, ``high``
        (float64), ``too_few`` (bool), ``share_elsewhere``, ``ratio``, ``ratio_low``, ``ratio_high``,
        ``q_value`` (float64) and ``differs`` (bool). Surest differences first.
    """
    n_kinds = len(kinds.names)
    k = _joined([crossed_counts(of, kinds).ravel() for of in segments])
    n = _joined([np.repeat(of.sizes, n_kinds) for of in segments])
    k_all = _joined([np.tile(kinds.sizes, len(of.names)) for of in segments])
    n_else, k_else = len(kinds.codes) - n, k_all - k
    columns = share_columns(k, n, least_leads=least_leads, confidence=confidence)
    columns["too_few"] |= n_else < least_leads
    p = np.where(columns["too_few"], np.nan, fisher_p_values(k, n, k_else, n_else))
    q = q_values(p, ~columns["too_few"])
    ratio_low, ratio_high = ratio_bounds(k, n, k_else, n_else, confidence)
    share_else = share_of(k_else, n_else)
    names = [(of.name, segment, kind) for of in segments for segment in of.names for kind in kinds.names]
    table = pa.table(
        {
            "column": pa.array([column for column, _, _ in names], pa.string()),
            "segment": pa.array([segment for _, segment, _ in names], pa.string()),
            "kind": pa.array([kind for _, _, kind in names], pa.string()),
            "n_segment": n,
            **columns,
            "share_elsewhere": known(share_else),
            "ratio": known(ratio_of(share_of(k, n), share_else)),
            "ratio_low": known(ratio_low),
            "ratio_high": known(ratio_high, np.isfinite(ratio_high)),
            "q_value": known(q),
            "differs": np.nan_to_num(q, nan=1.0) <= false_discovery_rate,
        }
    )
    # By place where equally sure: columns as given, segments and kinds by size.
    return table.take(np.argsort(np.nan_to_num(p, nan=2.0), kind="stable"))


def _joined(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])
