"""Scores, stages and reasons of one batch of leads, a row out for every row in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.tables import CREATED_AT, INVALID, INVALID_DETAIL
from leadlift.exceptions import ConfigError
from leadlift.insight.families import family_scores
from leadlift.learning.cutoff.lead_value import thresholds
from leadlift.learning.two_labels import published_score_sql
from leadlift.serving.exploring import contact_probability, mark_explored
from leadlift.serving.overrides import counted_reasons
from leadlift.serving.previous import NEVER, NO_PREVIOUS, RANKED_STAGES, UNKNOWN, PreviousStages, moment_of
from leadlift.serving.scored_columns import SCORED_SCHEMA, as_array, coded, scored_table
from leadlift.serving.stages import (
    LeadFacts,
    Line,
    StageDecision,
    decide_stages,
    raises_hand,
)
from leadlift.serving.summary import Counts
from leadlift.terms import (
    AS_OF,
    BASE,
    CONTACT_PROBABILITY,
    GRADE,
    LEAD_ID,
    MODEL_STAGE,
    MODEL_VERSION,
    PREVIOUS_SCORE,
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
    from leadlift.serving.bundle import ModelBundle
    from leadlift.serving.drift import DriftWatch
    from leadlift.serving.overrides import Overrides
    from leadlift.serving.previous import Standing

    # Published probabilities, and the uncalibrated scores below them.
    Scores = tuple[NDArray[np.float64], NDArray[np.float64]]

STATUSES = tuple(Status)
# Why a row was not scored; an unreadable value is named.
DETAILS = {
    Status.MISSING_REQUIRED: "none of the inputs is recorded",
    Status.TOO_EARLY: "created after as_of",
    Status.DUPLICATE_ID: "the id stood in an earlier row",
    Status.MISSING_ID: "the id is missing",
}
UNREADABLE = "unreadable or infinite: "
_MOMENT = SCORED_SCHEMA.field(AS_OF).type


@dataclass(frozen=True)
class Piece:
    """Some leads of a job, with what only the order of the job can say.

    Parameters
    ----------
    leads : pyarrow.Table
        Of :func:`leadlift.data.new_leads.prepare_batch`.
    inputs : pyarrow.Table
        The inputs of the model, row by row.
    is_repeated : ndarray of bool, shape (n_rows,)
        Where the id stood in an earlier row of the job.
    first_row : int
        Number of the first row in the job, from 1.
    """

    leads: pa.Table
    inputs: pa.Table
    is_repeated: NDArray[np.bool_]
    first_row: int = 1


@dataclass(frozen=True)
class ScoredPiece:
    """What became of a piece.

    Parameters
    ----------
    table : pyarrow.Table
        Columns ``CODED_SCHEMA``, a row for each row of the piece, in its order.
    counts : Counts
    """

    table: pa.Table
    counts: Counts


class BatchScorer:
    """Scores pieces of one job. Nothing in it changes: pieces may be scored at once and in any order.

    Parameters
    ----------
    bundle : ModelBundle
    as_of : datetime or None
        Moment of scoring, written into each row.
    previous : PreviousStages, optional
        Stages of an earlier scoring, which some rules look at.
    overrides : Overrides, optional
        Stages that people set, in force at `as_of`.
    every_lead_is_known : bool, default=False
        Whether a lead of which no input is recorded is scored too: that it did nothing is knowledge.
    reasons : bool, default=True
        Whether to say why; without, base, sub-scores and reasons are null.
    watch : DriftWatch, optional
        Counts inputs and scores, to compare them with those of training.

    Attributes
    ----------
    reasons : bool

    Raises
    ------
    ConfigError
        `as_of` has no time zone, or a rule of stages needs the sub-scores that are left out.
    """

    def __init__(
        self,
        bundle: ModelBundle,
        as_of: datetime | None = None,
        *,
        previous: PreviousStages = NO_PREVIOUS,
        overrides: Overrides | None = None,
        every_lead_is_known: bool = False,
        reasons: bool = True,
        watch: DriftWatch | None = None,
    ) -> None:
        if as_of is not None and as_of.tzinfo is None:
            msg = f"as_of needs a time zone, got {as_of.isoformat()}; add one, e.g. +00:00"
            raise ConfigError(msg)
        if not reasons:
            _refuse_rules_on_sub_scores(bundle)
        self._bundle = bundle
        self._as_of = as_of
        self._moment = NEVER if as_of is None else moment_of(as_of)
        self._previous = previous
        self._overrides = overrides
        self._every_lead_is_known = every_lead_is_known
        self.reasons = reasons
        self._watch = watch

    def score(self, piece: Piece) -> ScoredPiece:
        """Score one piece.

        Parameters
        ----------
        piece : Piece

        Returns
        -------
        ScoredPiece
        """
        status, detail = self._triage(piece)
        is_scored = status == STATUSES.index(Status.SCORED)
        counts = Counts(rows_in=len(status), by_status=_counted(status, STATUSES))
        rows, inputs, ids = np.flatnonzero(is_scored), piece.inputs, piece.leads[LEAD_ID]
        if len(rows) < len(status):
            inputs, ids = inputs.take(pa.array(rows)), ids.take(pa.array(rows))
        columns = self._score_valid(inputs, ids, counts) if len(rows) else {}
        if self._watch is not None and len(rows):
            counts.drift = self._watch.count(inputs, columns[SCORE], piece.first_row + rows)
        if len(rows) < len(status):
            columns = _spread(columns, is_scored)
        columns |= {
            LEAD_ID: piece.leads[LEAD_ID],
            AS_OF: pa.repeat(pa.scalar(self._as_of, _MOMENT), len(status)),
            STATUS: coded(status, STATUSES),
            STATUS_DETAIL: detail,
            MODEL_VERSION: coded(np.zeros(len(status), dtype=np.int32), [self._bundle.version]),
        }
        return ScoredPiece(scored_table(columns, len(status)), counts)

    def _triage(self, piece: Piece) -> tuple[NDArray[np.int8], pa.DictionaryArray]:
        """Give each row its status and, where it is not scored, the reason; a later status wins."""
        leads = piece.leads
        missing_id = pc.is_null(leads[LEAD_ID]).to_numpy()
        invalid = leads[INVALID].to_numpy()
        marked = (
            (Status.MISSING_REQUIRED, ~self._is_known(leads)),
            (Status.TOO_EARLY, self._is_too_early(leads)),
            (Status.INVALID_VALUE, invalid),
            (Status.DUPLICATE_ID, piece.is_repeated & ~missing_id),
            (Status.MISSING_ID, missing_id),
        )
        status = np.full(leads.num_rows, STATUSES.index(Status.SCORED), dtype=np.int8)
        for value, rows in marked:
            status[rows] = STATUSES.index(value)
        return status, _details(status, leads)

    def _is_known(self, leads: pa.Table) -> NDArray[np.bool_]:
        """Which leads have at least one input."""
        known = np.full(leads.num_rows, self._every_lead_is_known)
        for name in self._bundle.schema.feature_names:
            if known.all():
                break
            known |= pc.is_valid(leads[name]).to_numpy()
        return known

    def _is_too_early(self, leads: pa.Table) -> NDArray[np.bool_]:
        """Which leads are created after the moment of scoring."""
        if self._as_of is None or CREATED_AT not in leads.column_names:
            return np.zeros(leads.num_rows, dtype=bool)
        later = pc.greater(leads[CREATED_AT], pa.scalar(self._as_of, leads.schema.field(CREATED_AT).type))
        return pc.fill_null(later, fill_value=False).to_numpy()

    def _score_valid(self, inputs: pa.Table, lead_ids: pa.ChunkedArray, counts: Counts) -> dict[str, Any]:
        """Score rows that can be scored."""
        model = self._bundle.model
        matrix = model.encode(inputs)
        counts.unseen.update(model.unseen_in(matrix))
        if self.reasons:
            found = self._bundle.attributor.explain(matrix)
            score, log_odds, uncertainty = found.score, found.log_odds, found.uncertainty
            why = self._why(inputs, found)
        else:
            score, log_odds, uncertainty = model.score_with_uncertainty(matrix)
            why = {}
        second = self._second_score(inputs, score)
        standing = self._previous.of(lead_ids)
        staged = self._decide(self._lines(inputs, (score, log_odds), second), inputs, standing, why)
        staged = mark_explored(self._bundle.stages, staged, lead_ids)
        model_rank = staged.rank
        if self._overrides is not None:
            staged = self._overrides.honour(staged, lead_ids, standing, self._moment)
        counts.by_stage.update(_counted(staged.rank, RANKED_STAGES))
        counts.by_stage_reason.update(_counted(*counted_reasons(staged)))
        counts.scored_again += int((standing.rank != UNKNOWN).sum())
        thresholds_of_grades = self._bundle.reference.grade_thresholds
        return why | {
            SCORE: score,
            SCORE_0_100: np.rint(100 * score).astype(np.int32),
            # NaN, which stands for unknown, is null.
            UNCERTAINTY: pa.array(uncertainty, from_pandas=True),
            SCORE_SQL: None if second is None else second[0],
            PREVIOUS_SCORE: pa.array(standing.score, from_pandas=True),
            GRADE: coded(grade_codes(score, thresholds_of_grades), grade_names(thresholds_of_grades)),
            STAGE: coded(staged.rank, RANKED_STAGES),
            STAGE_SINCE: pa.array(staged.since).cast(_MOMENT),
            STAGE_REASON: coded(staged.reason_code, staged.reasons),
            MODEL_STAGE: coded(model_rank, RANKED_STAGES),
            CONTACT_PROBABILITY: contact_probability(self._bundle.stages, staged),
        }

    def _second_score(self, inputs: pa.Table, score: NDArray[np.float64]) -> Scores | None:
        """Published P(SQL) and the log-odds below it; None where there is one label."""
        second = self._bundle.sql_model
        if second is None:
            return None
        score_sql, log_odds = second.score(second.encode(inputs))
        return published_score_sql(score_sql, score), log_odds

    def _lines(self, inputs: pa.Table, won: Scores, second: Scores | None) -> list[Line]:
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
        self,
        lines: list[Line],
        inputs: pa.Table,
        standing: Standing,
        sub_scores: dict[str, Any],
    ) -> StageDecision:
        """Decide the stages."""
        rules, none = self._bundle.stages, np.zeros(inputs.num_rows)
        raised = none.astype(bool)
        if rules.hand_raise is not None:
            raised = raises_hand(inputs[rules.hand_raise])
        # Without reasons no rule looks at sub-scores.
        fit, engagement = (sub_scores.get(family, none) for family in (Family.FIT, Family.ENGAGEMENT))
        return decide_stages(rules, lines, LeadFacts(fit, engagement, raised, standing), self._moment)

    def _why(self, inputs: pa.Table, found: Attribution) -> dict[str, Any]:
        """Sub-scores by family and the strongest reasons."""
        bundle = self._bundle
        columns: dict[str, Any] = {BASE: np.full(len(found.score), found.base)}
        columns |= family_scores(bundle.explained_specs, found.contributions, found.residual)
        told = bundle.reason_writer.strongest(inputs, found.contributions, len(REASONS))
        return columns | dict(zip(REASONS, told, strict=True))


def grade_names(thresholds: dict[str, float]) -> tuple[str, ...]:
    """Return the grades, the best first; D is what reaches no threshold."""
    return (*sorted(thresholds), "D")


def grade_codes(score: NDArray[np.float64], thresholds: dict[str, float]) -> NDArray[np.int8]:
    """Return the place of each score's grade among :func:`grade_names`: the best one that it reaches."""
    code = np.full(len(score), len(thresholds), dtype=np.int8)
    for place, name in reversed(list(enumerate(sorted(thresholds)))):
        code[score >= thresholds[name]] = place
    return code


def grades(score: NDArray[np.float64], thresholds: dict[str, float]) -> NDArray[np.object_]:
    """Return the grade of each score: the best one whose threshold it reaches, else D.

    Examples
    --------
    >>> grades(np.array([0.7, 0.1]), {"A": 0.6, "B": 0.4, "C": 0.2}).tolist()
    ['A', 'D']
    """
    return np.array(grade_names(thresholds), dtype=object)[grade_codes(score, thresholds)]


def _refuse_rules_on_sub_scores(bundle: ModelBundle) -> None:
    rules = bundle.stages
    needing = [name for name in ("min_fit", "min_engagement") if getattr(rules, name) is not None]
    if needing:
        msg = (
            f"the bundle's rule(s) of stages {', '.join(needing)} look at sub-scores, which come with the "
            f"reasons; score with reasons"
        )
        raise ConfigError(msg)


def _counted(codes: NDArray[np.int8], names: tuple[str, ...]) -> dict[str, int]:
    counts = np.bincount(codes, minlength=len(names)).tolist()
    return {str(name): count for name, count in zip(names, counts, strict=True) if count}


def _details(status: NDArray[np.int8], leads: pa.Table) -> pa.DictionaryArray:
    """Why each row is not scored, null where it is."""
    texts, place = list(DETAILS.values()), np.full(len(STATUSES), -1)
    for value in DETAILS:
        place[STATUSES.index(value)] = list(DETAILS).index(value)
    codes = place[status]
    invalid = np.flatnonzero(status == STATUSES.index(Status.INVALID_VALUE))
    if len(invalid):
        named = leads[INVALID_DETAIL].take(pa.array(invalid)).combine_chunks().dictionary_encode()
        codes[invalid] = len(texts) + named.indices.to_numpy()
        texts += [UNREADABLE + names for names in named.dictionary.to_pylist()]
    return coded(codes, texts)


def _spread(columns: dict[str, Any], is_scored: NDArray[np.bool_]) -> dict[str, Any]:
    """Columns of the scored rows over all rows, null where a row was not scored."""
    place = pa.array(np.cumsum(is_scored) - 1, mask=~is_scored)
    return {name: as_array(values).take(place) for name, values in columns.items() if values is not None}
