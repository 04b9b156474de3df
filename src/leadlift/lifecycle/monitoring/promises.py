"""The promises of the cut-offs against outcomes: kept, broken, or too early to say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.values import plain
from leadlift.learning.cutoff.evidence import passes
from leadlift.lifecycle.monitoring.calibration import LEAST_OF_OUTCOME, MATERIAL_RATIO
from leadlift.lifecycle.monitoring.outcome_findings import precision_low, promise_broken
from leadlift.lifecycle.monitoring.shares import Share, enough_leads, moved, odds_ratio
from leadlift.lifecycle.monitoring.table import Checked, monitor_row
from leadlift.terms import MODEL_STAGE, SCORE, SCORE_SQL, STAGE_REASON, Cutoff, Stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.lifecycle.monitoring.judged import JudgedLeads, Setting
    from leadlift.lifecycle.monitoring.table import MonitorRow
    from leadlift.serving.bundle import ModelBundle

WON, BECAME_SQL = "won", "became_sql"
_DID = {WON: "won", BECAME_SQL: "accepted by sales"}
_STAGES_FROM = {Stage.MQL: (Stage.MQL.value, Stage.SQL.value), Stage.SQL: (Stage.SQL.value,)}
_BY_SCORE = "score"


@dataclass(frozen=True)
class DrawnLine:
    """A cut-off, the scores on which it is drawn, and the label that they are about.

    Parameters
    ----------
    stage : Stage
    cutoff : Cutoff
    label : str
        ``"won"`` or ``"became_sql"``.
    """

    stage: Stage
    cutoff: Cutoff
    label: str

    @property
    def score_column(self) -> str:
        """Column of the scored table that holds the scores."""
        return SCORE_SQL if self.label == BECAME_SQL else SCORE

    @property
    def n_evidence_above(self) -> float:
        """Leads of the evidence that reach the line."""
        return self.cutoff.share * self.cutoff.n_evidence

    def is_reached(self, scored: pa.Table) -> NDArray[np.bool_]:
        """Say which scored leads reach the line, whatever other rules made of them.

        Where ties were broken, or leads differ in what they are worth, the score alone does not say it: there
        the stage does, as far as the score decided it.

        Parameters
        ----------
        scored : pyarrow.Table

        Returns
        -------
        ndarray of bool, shape (n_rows,)
        """
        score = pc.fill_null(scored[self.score_column], np.nan).to_numpy()
        if self.cutoff.per_lead is not None:
            return self._has_stage_by_score(scored)
        reached = passes(score, self.cutoff.threshold)
        if self.cutoff.tie_break is None:
            return reached
        return reached & ((score > self.cutoff.threshold) | self._has_stage_by_score(scored))

    def _has_stage_by_score(self, scored: pa.Table) -> NDArray[np.bool_]:
        has_stage = pc.is_in(_text(scored[MODEL_STAGE]), value_set=pa.array(_STAGES_FROM[self.stage]))
        by_score = pc.equal(_text(scored[STAGE_REASON]), _BY_SCORE)
        return pc.fill_null(pc.and_(has_stage, by_score), fill_value=False).to_numpy()


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.cast(plain(column), pa.string())


def drawn_lines(bundle: ModelBundle) -> tuple[DrawnLine, ...]:
    """Return the cut-offs of a bundle, MQL first; the MQL one is about "became SQL" where that is learnt."""
    of_mql = WON if bundle.became_sql is None else BECAME_SQL
    lines = [DrawnLine(Stage.MQL, bundle.mql_cutoff, of_mql)]
    if bundle.sql_cutoff is not None:
        lines.append(DrawnLine(Stage.SQL, bundle.sql_cutoff, WON))
    return tuple(lines)


def n_tests(line: DrawnLine) -> int:
    """Return how many tests :func:`check_line` makes of a window: each claim in it, and in all up to it."""
    return 2 if line.cutoff.promised_recall is None else 4


def check_line(judged: JudgedLeads, line: DrawnLine, setting: Setting) -> Checked:
    """Judge what a cut-off claims, window by window and over all complete windows together.

    A promised share p is *broken* where the leads refute it: ``P(Bin(n, p) <= k)``, exact and one-sided, is
    at most the level of the test. It is *kept* where the 95 % interval reaches p on enough leads
    (:func:`leadlift.lifecycle.monitoring.shares.enough_leads`: they would refute it with 80 % power were the
    true share half of it), or lies at p or above on however many. Else it is *too early*.

    A cut-off that promises no precision is held to its scores: it alarms where clearly fewer of the leads
    above it succeed than the mean score says, by at least :data:`MATERIAL_RATIO` in the odds.

    Parameters
    ----------
    judged : JudgedLeads
        Of the label of the line.
    line : DrawnLine
    setting : Setting

    Returns
    -------
    Checked
        Rows ``promise`` or ``precision``, and ``recall_promise``, of the stage. Where several windows are
        complete, one more of each from the first to the last, on the first score of each lead. Findings LL232
        and LL233.
    """
    rows = []
    for number, leads in judged.by_window.items():
        level = setting.level if number in setting.complete else None
        rows += [row | setting.dates(number) for row in claim_rows(leads, line, level)]
    if len(setting.complete) > 1:
        together = judged.first_within(setting.complete)
        rows += [row | setting.all_dates() for row in claim_rows(together, line, setting.level)]
    broken = [row for row in rows if row["verdict"] == "broken"]
    low = [row for row in rows if row["verdict"] == "alarm"]
    found = [
        promise_broken([row for row in broken if row["check"] == check], _DID[line.label])
        for check in ("promise", "recall_promise")
    ]
    return Checked(rows, (*found[0], *found[1], *precision_low(low)))


def claim_rows(
    leads: JudgedLeads, line: DrawnLine, level: float | None, share_of_evidence: float = 1.0
) -> list[MonitorRow]:
    """Judge what a cut-off claims of some leads.

    Parameters
    ----------
    leads : JudgedLeads
        One row a lead.
    line : DrawnLine
    level : float or None
        Of each test; None where the leads may not be judged yet.
    share_of_evidence : float, default=1.0
        Part of the evidence that is about leads like these, in (0, 1].

    Returns
    -------
    list of mapping
        One row or two, not yet dated.
    """
    cutoff, passed = line.cutoff, leads.passed[line.stage.value]
    share = Share.of(leads.won[passed], leads.weight[passed])
    rows = []
    if cutoff.promised_precision is None:
        rows.append(_precision_row(share, leads.take(passed), line, level, share_of_evidence))
    else:
        rows.append(_promise_row("promise", line, share, cutoff.promised_precision, level))
    if cutoff.promised_recall is not None:
        caught = Share.of(passed[leads.won], leads.weight[leads.won])
        rows.append(_promise_row("recall_promise", line, caught, cutoff.promised_recall, level))
    return rows


def _promise_row(
    check: str, line: DrawnLine, share: Share, promised: float, level: float | None
) -> MonitorRow:
    interval, p_value = share.interval(), share.p_fewer(promised)
    return monitor_row(
        check,
        line.stage.value,
        _kept_or_broken(share, promised, p_value, level),
        n=share.n_leads,
        expected=promised,
        observed=share.estimate,
        low=interval.low,
        high=interval.high,
        p_value=p_value,
        limit=promised,
    )


def _kept_or_broken(share: Share, promised: float, p_value: float, level: float | None) -> str:
    if level is None:
        return "too_early"
    if p_value <= level:
        return "broken"
    interval, is_enough = share.interval(), share.n >= enough_leads(promised, level)
    is_kept = interval.low >= promised or (is_enough and interval.high >= promised)
    return "kept" if is_kept else "too_early"


def _precision_row(
    share: Share, above: JudgedLeads, line: DrawnLine, level: float | None, share_of_evidence: float
) -> MonitorRow:
    if not share.n_leads:
        return monitor_row("precision", line.stage.value, "too_early")
    expected = float((above.weight * above.score).sum() / above.weight.sum())
    interval = share.interval()
    p_value = share.beside(line.n_evidence_above * share_of_evidence).p_fewer(expected)
    is_enough = share.n * min(expected, 1 - expected) >= LEAST_OF_OUTCOME
    is_low = odds_ratio(share.estimate, expected) <= 1 / MATERIAL_RATIO
    verdict = "alarm" if level is not None and p_value <= level and is_low else "ok"
    return monitor_row(
        "precision",
        line.stage.value,
        verdict if is_enough and level is not None else "too_early",
        n=share.n_leads,
        expected=expected,
        observed=share.estimate,
        low=interval.low,
        high=interval.high,
        p_value=p_value,
        limit=moved(expected, 1 / MATERIAL_RATIO),
    )
