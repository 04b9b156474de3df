"""Scores, stages and reasons of one batch of leads, a row out for every row in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.tables import INVALID, INVALID_DETAIL
from leadlift.exceptions import ConfigError
from leadlift.insight.families import family_scores
from leadlift.learning.cutoff.lead_value import thresholds
from leadlift.learning.two_labels import published_score_sql
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.inputs import (
    ColumnsAsTheyStand,
    Inputs,
)
from leadlift.serving.previous import NEVER, NO_PREVIOUS, UNKNOWN, PreviousStages, hash_ids, moment_of
from leadlift.serving.stages import LeadFacts, Line, StageDecision, decide_stages, raises_hand
from leadlift.terms import (
    AS_OF,
    BASE,
    GRADE,
    LEAD_ID,
    MODEL_VERSION,
    REASONS,
    SCORE,
    SCORE_0_100,
    SCORE_SQL,
    STAGE,
    STAGE_REASON,
    STAGE_SINCE,
    STATUS,
    STATUS_DETAIL,
    UNCERTAINTY,
    Family,
    Stage,
    Status,
)

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from leadlift.insight.attribution import Attribution

    # Published probabilities, and the uncalibrated scores below them.
    Scores = tuple[NDArray[np.float64], NDArray[np.float64]]

SCORED_SCHEMA = pa.schema(
    [
        (LEAD_ID, pa.string()),
        (AS_OF, pa.timestamp("us", tz="UTC")),
        (SCORE, pa.float64()),
        (SCORE_0_100, pa.int32()),
        (UNCERTAINTY, pa.float64()),
        (SCORE_SQL, pa.float64()),
        (GRADE, pa.string()),
        (STAGE, pa.string()),
        (STAGE_SINCE, pa.timestamp("us", tz="UTC")),
        (STAGE_REASON, pa.string()),
        (BASE, pa.float64()),
        *[(family.value, pa.float64()) for family in Family],
        *[(reason, pa.string()) for reason in REASONS],
        (STATUS, pa.string()),
        (STATUS_DETAIL, pa.string()),
        (MODEL_VERSION, pa.string()),
    ]
)


@dataclass
class PredictSummary:
    """What a scoring job did; every input row is counted once under its status.

    Parameters
    ----------
    rows_in : int
    by_status : dict of str to int
        Rows by status.
    by_stage : dict of str to int
        Scored rows by stage.
    by_stage_reason : dict of str to int
        Scored rows by what decided their stage.
    not_scored_again : int
        Leads with a stage in the previous scored table and no score now.
    unseen : dict of str to int
        By column, cells whose level the model has never seen.
    events : dict of str to int
        Events ``read``, those ``of_other_leads`` and ``copies``; empty without events.
    model_version : str
    """

    model_version: str
    rows_in: int = 0
    by_status: Counter[str] = field(default_factory=Counter)
    by_stage: Counter[str] = field(default_factory=Counter)
    by_stage_reason: Counter[str] = field(default_factory=Counter)
    not_scored_again: int = 0
    unseen: Counter[str] = field(default_factory=Counter)
    events: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "rows_in": self.rows_in,
            "by_status": dict(self.by_status),
            "by_stage": dict(self.by_stage),
            "by_stage_reason": dict(self.by_stage_reason),
            "not_scored_again": self.not_scored_again,
            "unseen": dict(self.unseen),
            "events": self.events,
            "model_version": self.model_version,
        }


class BatchScorer:
    """Scores batches of one job: knows the bundle, the ids seen so far, and counts what happens.

    Parameters
    ----------
    bundle : ModelBundle
    as_of : datetime or None
        Moment of scoring, written into each row.
    inputs : Inputs, optional
        Makes the inputs of the model; not given, the columns are taken as they stand.
    previous : PreviousStages, optional
        Stages of an earlier scoring, which some rules look at.
    """

    def __init__(
        self,
        bundle: ModelBundle,
        as_of: datetime | None,
        inputs: Inputs | None = None,
        previous: PreviousStages = NO_PREVIOUS,
    ) -> None:
        if as_of is not None and as_of.tzinfo is None:
            msg = f"as_of needs a time zone, got {as_of.isoformat()}; add one, e.g. +00:00"
            raise ConfigError(msg)
        self._bundle = bundle
        self._as_of = as_of
        self._inputs = inputs or ColumnsAsTheyStand(bundle.schema.feature_names)
        self._previous = previous
        self.summary = PredictSummary(
            bundle.version, events=dict(self._inputs.events), not_scored_again=len(previous)
        )
        self._attributor = bundle.attributor
        self._seen_ids = np.empty(0, dtype=np.uint64)

    def score(self, batch: pa.RecordBatch) -> pa.Table:
        """Score one batch.

        Parameters
        ----------
        batch : pyarrow.RecordBatch
            From :func:`leadlift.data.new_leads.prepare_batch`.

        Returns
        -------
        pyarrow.Table
            Columns :data:`SCORED_SCHEMA`, a row for each row of `batch`, in its order.
        """
        table = pa.table(batch)
        inputs = self._inputs.of(table)
        status, detail = self._triage(table)
        rows = np.flatnonzero(status == Status.SCORED)
        scored = SCORED_SCHEMA.empty_table()
        if len(rows):
            valid = pa.array(rows)
            scored = self._score_valid(inputs.take(valid), table[LEAD_ID].take(valid))
        # Row i of the output is row place[i] of the scored ones; -1, a null, where it was not scored.
        place = np.full(len(status), -1)
        place[rows] = np.arange(len(rows))
        columns = scored.take(pa.array(place, mask=place < 0))
        self.summary.rows_in += len(status)
        self.summary.by_status.update(status.tolist())
        return _assemble(table, columns, status, detail, self._as_of, self._bundle.version)

    def _triage(self, table: pa.Table) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        """Give each row its status and, where it is not scored, the reason."""
        n_rows = table.num_rows
        status = np.full(n_rows, Status.SCORED.value, dtype=object)
        detail = np.full(n_rows, None, dtype=object)
        names = self._bundle.schema.feature_names
        known = np.full(n_rows, self._inputs.every_lead_is_known)
        for name in names:
            known |= pc.is_valid(table[name]).to_numpy()
        invalid = table[INVALID].to_numpy()
        _mark(status, detail, ~known, Status.MISSING_REQUIRED, "none of the inputs is recorded")
        _mark(status, detail, invalid, Status.INVALID_VALUE, None)
        detail[invalid] = [
            f"unreadable or infinite: {text}"
            for text in table[INVALID_DETAIL].filter(table[INVALID]).to_pylist()
        ]
        missing_id = pc.is_null(table[LEAD_ID]).to_numpy()
        _mark(
            status,
            detail,
            self._repeated(table, missing_id),
            Status.DUPLICATE_ID,
            "the id stood in an earlier row",
        )
        _mark(status, detail, missing_id, Status.MISSING_ID, "the id is missing")
        return status, detail

    def _repeated(self, table: pa.Table, missing_id: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Say which ids stood before, in this batch or an earlier one of the job.

        Ids are remembered as 64-bit hashes, 8 bytes a lead: among ten million leads the chance that any two
        different ids share one is 3 in a million.
        """
        hashes = hash_ids(table[LEAD_ID])
        _, first = np.unique(hashes, return_index=True)
        repeated = np.ones(len(hashes), dtype=bool)
        repeated[first] = False
        places = np.searchsorted(self._seen_ids, hashes)
        in_range = places < len(self._seen_ids)
        repeated[in_range] |= self._seen_ids[places[in_range]] == hashes[in_range]
        repeated &= ~missing_id
        self._seen_ids = np.union1d(self._seen_ids, hashes[~missing_id])
        return repeated

    def _score_valid(self, inputs: pa.Table, lead_ids: pa.ChunkedArray) -> pa.Table:
        """Score rows that can be scored."""
        scorer = self._bundle.scorer
        matrix = scorer.encoder_.transform(inputs)
        self.summary.unseen.update(scorer.encoder_.unseen_in(matrix))
        found = self._attributor.explain(matrix)
        why = self._why(inputs, found)
        second = self._second_score(inputs, found)
        staged = self._decide(self._lines(inputs, found, second), inputs, lead_ids, why)
        columns: dict[str, Any] = {
            SCORE: found.score,
            SCORE_0_100: np.rint(100 * found.score).astype(np.int32),
            # NaN, which a learner without members gives, is null.
            UNCERTAINTY: pa.array(found.uncertainty, from_pandas=True),
            SCORE_SQL: pa.nulls(len(found.score), pa.float64()) if second is None else second[0],
            GRADE: grades(found.score, self._bundle.reference.grade_thresholds),
            STAGE: staged.stage,
            STAGE_SINCE: pa.array(staged.since).cast(pa.timestamp("us", tz="UTC")),
            STAGE_REASON: staged.reason,
        }
        return pa.table(columns | why)

    def _second_score(self, inputs: pa.Table, found: Attribution) -> Scores | None:
        """Published P(SQL) and the log-odds below it; None where there is one label."""
        second = self._bundle.sql_scorer
        if second is None:
            return None
        score, log_odds = second.score_matrix(second.encoder_.transform(inputs))
        return published_score_sql(score, found.score), log_odds

    def _lines(self, inputs: pa.Table, found: Attribution, second: Scores | None) -> list[Line]:
        won = (found.score, found.log_odds)
        drawn = (
            (Stage.MQL, self._bundle.mql_cutoff, second or won),
            (Stage.SQL, self._bundle.sql_cutoff, won),
        )
        return [
            Line(stage, *scores, thresholds(cutoff, inputs), cutoff.tie_break)
            for stage, cutoff, scores in drawn
            if cutoff is not None
        ]

    def _decide(
        self, lines: list[Line], inputs: pa.Table, lead_ids: pa.ChunkedArray, sub_scores: dict[str, Any]
    ) -> StageDecision:
        """Decide the stages, and count them."""
        rules, standing = self._bundle.stages, self._previous.of(lead_ids)
        raised = np.zeros(len(lead_ids), dtype=bool)
        if rules.hand_raise is not None:
            raised = raises_hand(inputs[rules.hand_raise])
        facts = LeadFacts(sub_scores[Family.FIT], sub_scores[Family.ENGAGEMENT], raised, standing)
        as_of = NEVER if self._as_of is None else moment_of(self._as_of)
        staged = decide_stages(rules, lines, facts, as_of)
        self.summary.by_stage.update(staged.stage.tolist())
        self.summary.by_stage_reason.update(staged.reason.tolist())
        self.summary.not_scored_again -= int((standing.rank != UNKNOWN).sum())
        return staged

    def _why(self, inputs: pa.Table, found: Attribution) -> dict[str, Any]:
        """Sub-scores by family and the strongest reasons."""
        specs = self._bundle.explained_specs
        columns: dict[str, Any] = {BASE: np.full(len(found.score), found.base)}
        columns |= family_scores(specs, found.contributions, found.residual)
        told = self._bundle.reason_writer.strongest(inputs, found.contributions, len(REASONS))
        return columns | dict(zip(REASONS, told, strict=True))


def grades(score: NDArray[np.float64], thresholds: dict[str, float]) -> NDArray[np.object_]:
    """Return the grade of each score: the best one whose threshold it reaches, else D.

    Examples
    --------
    >>> grades(np.array([0.7, 0.1]), {"A": 0.6, "B": 0.4, "C": 0.2}).tolist()
    ['A', 'D']
    """
    grade = np.full(len(score), "D", dtype=object)
    for name, threshold in sorted(thresholds.items(), reverse=True):
        grade[score >= threshold] = name
    return grade


def _mark(
    status: NDArray[np.object_],
    detail: NDArray[np.object_],
    rows: NDArray[np.bool_],
    value: Status,
    why: str | None,
) -> None:
    status[rows] = value.value
    detail[rows] = why


def _assemble(
    table: pa.Table,
    scored: pa.Table,
    status: NDArray[np.object_],
    detail: NDArray[np.object_],
    as_of: datetime | None,
    version: str,
) -> pa.Table:
    n_rows = table.num_rows
    columns = {name: scored[name] for name in scored.column_names} | {
        LEAD_ID: table[LEAD_ID],
        AS_OF: pa.repeat(pa.scalar(as_of, SCORED_SCHEMA.field(AS_OF).type), n_rows),
        STATUS: status,
        STATUS_DETAIL: pa.array(detail, pa.string()),
        MODEL_VERSION: pa.repeat(pa.scalar(version), n_rows),
    }
    return pa.table({name: columns[name] for name in SCORED_SCHEMA.names}).cast(SCORED_SCHEMA)
