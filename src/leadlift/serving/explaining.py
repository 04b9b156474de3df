"""Reasons for given leads: scored as a batch job scores them, then told one by one, nothing left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.new_leads import iter_batches, prepare_batch
from leadlift.insight.wording import PAIR
from leadlift.serving.batch import BatchScorer
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.id_hashes import IdsSeen
from leadlift.serving.inputs import Inputs, bundle_events, bundle_history, open_inputs
from leadlift.serving.lifting import lift
from leadlift.serving.pieces import make_piece
from leadlift.serving.predict import Queries
from leadlift.serving.scored_columns import decoded
from leadlift.terms import (
    BASE,
    GRADE,
    LEAD_ID,
    SCORE,
    SCORE_0_100,
    STAGE,
    STATUS,
    STATUS_DETAIL,
    Family,
    Status,
)

if TYPE_CHECKING:
    from datetime import datetime

    from leadlift.data.events import Events
    from leadlift.data.history import History
    from leadlift.insight.texts import Texts

NOT_FOUND = "not_found"
"""Status of a lead that was asked for and has no row."""

MOST_REASONS = 10
N_LEADS = 10

LEADS_SCHEMA = pa.schema(
    [
        (LEAD_ID, pa.string()),
        (STATUS, pa.string()),
        (STATUS_DETAIL, pa.string()),
        (SCORE, pa.float64()),
        (SCORE_0_100, pa.int32()),
        (GRADE, pa.string()),
        (STAGE, pa.string()),
        (BASE, pa.float64()),
        *[(family.value, pa.float64()) for family in Family],
        ("lift", pa.string()),
        ("lift_score", pa.float64()),
    ]
)
REASONS_SCHEMA = pa.schema(
    [
        (LEAD_ID, pa.string()),
        ("rank", pa.int64()),
        ("reason", pa.string()),
        ("family", pa.string()),
        ("value", pa.string()),
        ("typical_won", pa.string()),
        ("points", pa.float64()),
        ("sentence", pa.string()),
    ]
)


@dataclass(frozen=True)
class ExplainedLeads:
    """Leads with their reasons.

    Parameters
    ----------
    leads : pyarrow.Table
        :data:`LEADS_SCHEMA`, one row for each row that was asked for: ``lead_id``, ``status`` and
        ``status_detail`` (why it could not be scored), score, grade, stage, ``base`` and what each family
        contributes (probability), the sentence on what would ``lift`` the lead and the score that would give.
    reasons : pyarrow.Table
        :data:`REASONS_SCHEMA`, one row a reason, the strongest first: its ``rank`` from 1, the ``reason``
        (what it is about), its ``family``, the lead's ``value``, that of the typical won lead, ``points``
        (hundredths of the probability), the ``sentence``. The row of a lead without a rank is everything
        else, so that ``100 * base`` plus the points of a lead is ``100 * score``.
    texts : Texts
        The words they are told in.
    """

    leads: pa.Table
    reasons: pa.Table
    texts: Texts

    @property
    def n_by_status(self) -> Counter[str]:
        """Count the leads by status."""
        return Counter(self.leads[STATUS].to_pylist())

    @property
    def not_explained(self) -> pa.Table:
        """The leads that could not be scored: id, status and why."""
        is_missing = pc.not_equal(self.leads[STATUS], Status.SCORED.value)
        return self.leads.filter(is_missing).select([LEAD_ID, STATUS, STATUS_DETAIL])

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values: each lead with its reasons."""
        by_lead: dict[str, list[dict[str, Any]]] = {}
        for reason in self.reasons.to_pylist():
            by_lead.setdefault(reason.pop(LEAD_ID), []).append(reason)
        leads = [
            lead | {"reasons": by_lead[lead[LEAD_ID]] if lead[STATUS] == Status.SCORED else []}
            for lead in self.leads.to_pylist()
        ]
        return {"leads": leads, "by_status": dict(self.n_by_status)}


def explain_leads(
    bundle: ModelBundle,
    table: Any,
    *,
    as_of: datetime | None = None,
    events: Events | None = None,
    history: History | None = None,
    lead_ids: Sequence[str] | None = None,
    most_reasons: int = MOST_REASONS,
    actionable: Sequence[str] | None = None,
) -> ExplainedLeads:
    """Explain leads in memory; meant for a few of them.

    Parameters
    ----------
    bundle : ModelBundle
    table : pandas, polars or Arrow table
        The user's own column names, in any order, extra ones ignored.
    as_of, events, history
        As for :func:`leadlift.score_table`.
    lead_ids : sequence of str, optional
        Leads that are asked for; all rows, if not given.
    most_reasons : int, default=10
        Reasons told one by one; the others are added up.
    actionable : sequence of str, optional
        Columns that somebody can change; see :func:`leadlift.lift`.

    Returns
    -------
    ExplainedLeads
        Every row asked for is in it, with why where it could not be scored; an id asked for that has no row
        has the status ``not_found``.

    Raises
    ------
    SchemaError
        An input column is missing; the message is a diff.
    ConfigError
        The bundle needs events, a change log or `as_of`, and none is given; or `actionable` names no input.
    """
    rows = _asked_for(prepare_batch(table, bundle.schema), lead_ids)
    with open_inputs(bundle, rows[LEAD_ID], as_of=as_of, events=events, history=history) as inputs:
        return _explained(bundle, rows, inputs, as_of, lead_ids or (), most_reasons, actionable)


def explain_file(
    bundle: ModelBundle | str | Path,
    leads: str | Path,
    *,
    as_of: datetime | None = None,
    events: str | Path | None = None,
    history: str | Path | None = None,
    lead_ids: Sequence[str] | None = None,
    queries: Queries | None = None,
    most_reasons: int = MOST_REASONS,
    actionable: Sequence[str] | None = None,
) -> ExplainedLeads:
    """Explain some leads of a file; memory does not grow with its rows.

    Parameters
    ----------
    bundle : ModelBundle or path of one
    leads : path or address
        As for :func:`leadlift.predict`.
    as_of, events, history, queries
        As for :func:`leadlift.predict`.
    lead_ids : sequence of str, optional
        Leads that are asked for; the first ten rows, if not given.
    most_reasons, actionable
        As for :func:`explain_leads`.

    Returns
    -------
    ExplainedLeads

    Raises
    ------
    InputError, SchemaError, ConfigError, BundleError
        As for :func:`leadlift.predict`.
    """
    if not isinstance(bundle, ModelBundle):
        bundle = ModelBundle.load(bundle)
    asked = queries or Queries()
    rows = _read(bundle, leads, asked.leads, lead_ids)
    opened = open_inputs(
        bundle,
        rows[LEAD_ID],
        as_of=as_of,
        events=bundle_events(bundle, events, asked.events),
        history=bundle_history(bundle, history, asked.history),
    )
    with opened as inputs:
        return _explained(bundle, rows, inputs, as_of, lead_ids or (), most_reasons, actionable)


def _read(
    bundle: ModelBundle, leads: str | Path, query: str | None, lead_ids: Sequence[str] | None
) -> pa.RecordBatch:
    """The rows of the leads asked for, or the first of the file."""
    found = [prepare_batch(_no_rows(bundle), bundle.schema)]
    for batch in iter_batches(leads, bundle.schema, query=query):
        found.append(_asked_for(batch, lead_ids))
        if lead_ids is None:
            found[-1] = found[-1].slice(0, N_LEADS)
            break
    tables = [pa.table(batch) for batch in found if batch.num_rows] or [pa.table(found[0])]
    whole = pa.concat_tables(tables, promote_options="default").combine_chunks()
    return whole.to_batches()[0] if whole.num_rows else found[0]


def _no_rows(bundle: ModelBundle) -> pa.Table:
    """An empty table with the columns that leads have."""
    roles = bundle.schema.roles
    names = [*([roles.lead_id] if roles.lead_id else []), *bundle.schema.feature_names]
    return pa.table({name: pa.array([], pa.string()) for name in names})


def _asked_for(batch: pa.RecordBatch, lead_ids: Sequence[str] | None) -> pa.RecordBatch:
    if lead_ids is None:
        return batch
    return batch.filter(pc.is_in(batch[LEAD_ID], value_set=pa.array(list(lead_ids), pa.string())))


def _explained(
    bundle: ModelBundle,
    rows: pa.RecordBatch,
    inputs: Inputs,
    as_of: datetime | None,
    lead_ids: Sequence[str],
    most_reasons: int,
    actionable: Sequence[str] | None,
) -> ExplainedLeads:
    piece = make_piece(pa.table(rows), inputs, IdsSeen())
    scorer = BatchScorer(bundle, as_of, every_lead_is_known=inputs.every_lead_is_known)
    scored = decoded(scorer.score(piece).table)
    valid = np.flatnonzero(pc.equal(scored[STATUS], Status.SCORED.value).to_numpy())
    values, ids = piece.inputs.take(pa.array(valid)), scored[LEAD_ID].take(pa.array(valid))
    leads = _with_lift(bundle, scored, values, valid, actionable)
    return ExplainedLeads(
        pa.concat_tables([leads, _not_found(bundle, lead_ids, scored[LEAD_ID])]),
        _reasons(bundle, values, ids, most_reasons) if len(valid) else REASONS_SCHEMA.empty_table(),
        bundle.texts,
    )


def _with_lift(
    bundle: ModelBundle,
    scored: pa.Table,
    values: pa.Table,
    valid: np.ndarray,
    actionable: Sequence[str] | None,
) -> pa.Table:
    """The scored rows with what would lift them."""
    lifts = lift(bundle, values, actionable=actionable)
    place = np.full(scored.num_rows, -1)
    place[valid] = np.arange(len(valid))
    lifts = lifts.take(pa.array(place, mask=place < 0))
    columns = {name: scored[name] for name in LEADS_SCHEMA.names if name in scored.column_names}
    whole = pa.table(columns | {"lift": lifts["sentence"], "lift_score": lifts["score_then"]})
    return whole.select(LEADS_SCHEMA.names).cast(LEADS_SCHEMA)


def _not_found(bundle: ModelBundle, lead_ids: Sequence[str], found: pa.ChunkedArray) -> pa.Table:
    there = set(found.to_pylist())
    rows = [
        {LEAD_ID: name, STATUS: NOT_FOUND, STATUS_DETAIL: bundle.texts["leads"]["not_found"]}
        for name in dict.fromkeys(lead_ids)
        if name not in there
    ]
    return pa.Table.from_pylist(rows, LEADS_SCHEMA)


def _reasons(bundle: ModelBundle, values: pa.Table, ids: pa.ChunkedArray, most_reasons: int) -> pa.Table:
    """Reasons of leads, lead by lead, and what is left of each score."""
    found = bundle.attributor.explain(bundle.model.encode(values))
    told = bundle.reason_writer.ranked(values, found.contributions, most_reasons)
    names = ids.to_pylist()
    rows: list[list[dict[str, Any]]] = [[] for _ in names]
    for cell in np.flatnonzero(told.is_reason).tolist():
        row, j = int(told.row[cell]), int(told.column[cell])
        shown = _shown(bundle, values, row, j)
        points, sentence = float(told.points[cell]), told.sentences[cell].as_py()
        shown |= {LEAD_ID: names[row], "rank": len(rows[row]) + 1, "points": points, "sentence": sentence}
        rows[row].append(shown)
    left = found.contributions.sum(axis=1) + found.residual
    for row, reasons in enumerate(rows):
        reasons.append(_rest(bundle, names[row], 100 * left[row] - sum(r["points"] for r in reasons)))
    return pa.Table.from_pylist([reason for reasons in rows for reason in reasons], REASONS_SCHEMA)


def _shown(bundle: ModelBundle, values: pa.Table, row: int, column: int) -> dict[str, Any]:
    """What a reason is about, and the values that a reader compares."""
    spec, phrase = bundle.explained_specs[column], bundle.reason_writer.phrases[column]
    both = spec.about if spec.wording == PAIR else (spec.name,)
    value = tuple(values[name][row].as_py() for name in both)
    return {
        "reason": phrase.name,
        "family": spec.family.value,
        "value": phrase.value_text(value if spec.wording == PAIR else value[0]),
        "typical_won": phrase.typical_text,
    }


def _rest(bundle: ModelBundle, lead_id: str, points: float) -> dict[str, Any]:
    name = bundle.texts["sentences"]["rest"]
    sentence = bundle.reason_writer.sentence(name, points)
    return {LEAD_ID: lead_id, "reason": name, "points": points, "sentence": sentence}
