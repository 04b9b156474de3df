"""Segment by segment: where scores are wrong, and where fewer succeed than is promised of all leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.values import plain
from leadlift.exceptions import SchemaError, shorten
from leadlift.lifecycle.monitoring.calibration import base_rate_row
from leadlift.lifecycle.monitoring.outcome_findings import segments_off
from leadlift.lifecycle.monitoring.promises import claim_rows
from leadlift.lifecycle.monitoring.table import Checked
from leadlift.lifecycle.monitoring.two_samples import holm
from leadlift.terms import LEAD_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadlift.lifecycle.monitoring.judged import JudgedLeads, Setting
    from leadlift.lifecycle.monitoring.promises import DrawnLine
    from leadlift.lifecycle.monitoring.table import MonitorRow

MOST_SEGMENTS = 30
"""Levels of a column that are segments of their own, the commonest ones; the others together are one."""
OTHERS = "all others"
MISSING = "missing"


def segments_of(scored: pa.Table, inputs: pa.Table | None, column: str) -> pa.DictionaryArray:
    """Return which segment each scored row belongs to.

    Parameters
    ----------
    scored : pyarrow.Table
    inputs : pyarrow.Table or None
        Columns of leads: with ``lead_id``, of which the first row of each lead counts; or without, row by
        row those of `scored`.
    column : str
        Of `scored`, such as ``grade``; else of `inputs`.

    Returns
    -------
    pyarrow.DictionaryArray of string
        ``"column=level"``.

    Raises
    ------
    SchemaError
        Neither table has the column, or inputs without ids are not as many as the scored rows.

    Examples
    --------
    >>> scored = pa.table({"lead_id": ["a", "b"], "grade": ["A", None]})
    >>> segments_of(scored, None, "grade").to_pylist()
    ['grade=A', 'grade=missing']
    """
    values = pc.cast(plain(_values(scored, inputs, column)), pa.string())
    level = pc.fill_null(pc.if_else(pc.equal(values, ""), None, values), MISSING)
    counts = pc.value_counts(level)
    order = sorted(counts.to_pylist(), key=lambda entry: (-entry["counts"], entry["values"]))
    common = pa.array([entry["values"] for entry in order[:MOST_SEGMENTS]], pa.string())
    named = pc.if_else(pc.is_in(level, value_set=common), level, OTHERS)
    return pc.binary_join_element_wise(column, named, "=").combine_chunks().dictionary_encode()


def _values(scored: pa.Table, inputs: pa.Table | None, column: str) -> pa.ChunkedArray:
    if column in scored.column_names:
        return scored[column]
    if inputs is None or column not in inputs.column_names:
        there = [*scored.column_names, *([] if inputs is None else inputs.column_names)]
        msg = (
            f"no column {column!r} to part leads by; there are {shorten(there, 40)}. Give inputs that have it"
        )
        raise SchemaError(msg)
    if LEAD_ID in inputs.column_names:
        ids = pc.cast(inputs[LEAD_ID], pa.string()).combine_chunks()
        return inputs[column].take(pc.index_in(pc.cast(scored[LEAD_ID], pa.string()), value_set=ids))
    if len(inputs) != len(scored):
        msg = (
            f"inputs have {len(inputs):,} rows and no {LEAD_ID}, the scored leads {len(scored):,} rows; give "
            f"inputs with {LEAD_ID}"
        )
        raise SchemaError(msg)
    return inputs[column]


def check_segments(
    judged: JudgedLeads, lines: Sequence[DrawnLine], segment: pa.DictionaryArray, setting: Setting
) -> Checked:
    """Check base rate and cut-offs within each segment, on all complete windows together.

    All tests of a column and a label are one family, held to the level by Holm's procedure (Holm 1979), so
    that many segments raise no more false alarms than one. What the scores of a segment are known by is its
    share of the evidence. Segments with too few leads stay in the table as ``too_early``.

    Parameters
    ----------
    judged : JudgedLeads
    lines : sequence of DrawnLine
        About the label of `judged`.
    segment : pyarrow.DictionaryArray of string, shape (n_scored,)
        From :func:`segments_of`.
    setting : Setting

    Returns
    -------
    Checked
        Rows ``base_rate``, ``promise`` or ``precision``, and ``recall_promise``, with their segment. Findings
        LL234 and LL235.
    """
    leads = judged.first_within(setting.complete)
    parts = _parted(leads, segment.take(pa.array(leads.rows)))
    rows = [
        row | {"segment": name} | setting.all_dates()
        for name, part in parts.items()
        for row in _segment_rows(part, lines, setting, len(part.rows) / len(leads.rows))
    ]
    rows = _held_to_level(rows, setting.level)
    return Checked(rows, segments_off(rows))


def _parted(leads: JudgedLeads, segment: pa.DictionaryArray) -> dict[str, JudgedLeads]:
    names, code = segment.dictionary.to_pylist(), segment.indices.to_numpy()
    return dict(sorted((names[place], leads.take(code == place)) for place in np.unique(code)))


def _segment_rows(
    part: JudgedLeads, lines: Sequence[DrawnLine], setting: Setting, share: float
) -> list[MonitorRow]:
    claims = [row for line in lines for row in claim_rows(part, line, setting.level, share)]
    return [base_rate_row(part, setting.level, setting.n_evidence * share), *claims]


def _held_to_level(rows: list[MonitorRow], level: float) -> list[MonitorRow]:
    """The rows with p-values adjusted by Holm's procedure, and verdicts that go by these."""
    tested = [place for place, row in enumerate(rows) if _is_tested(row)]
    adjusted = holm([rows[place]["p_value"] for place in tested])
    held = list(rows)
    for place, p_value in zip(tested, adjusted, strict=True):
        cleared = _CLEARED.get(str(rows[place]["verdict"])) if p_value > level else None
        held[place] = rows[place] | {"p_value": p_value} | ({"verdict": cleared} if cleared else {})
    return held


# What a verdict becomes where it was due to the number of segments.
_CLEARED = {"alarm": "ok", "broken": "too_early"}


def _is_tested(row: MonitorRow) -> bool:
    """A promise is tested on any lead, however few; other claims once there are enough."""
    is_promise = str(row["check"]).endswith("promise")
    return row["n"] > 0 and (is_promise or row["verdict"] != "too_early")
