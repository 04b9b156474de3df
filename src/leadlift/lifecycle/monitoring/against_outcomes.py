"""All checks of scores against what became of the leads, and of promises before that is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.observation_plan import in_days
from leadlift.lifecycle.monitoring.calibration import N_TESTS, check_calibration
from leadlift.lifecycle.monitoring.estimates import Waiting, estimate_promise
from leadlift.lifecycle.monitoring.judged import JudgedLeads, Setting, complete_windows
from leadlift.lifecycle.monitoring.matching import matching_findings
from leadlift.lifecycle.monitoring.maturity import (
    TOO_EARLY,
    UNKNOWN_LEAD,
    Matured,
    latest,
    matured,
    moments,
)
from leadlift.lifecycle.monitoring.outcome_findings import nothing_says_sql
from leadlift.lifecycle.monitoring.promises import BECAME_SQL, WON, check_line, drawn_lines, n_tests
from leadlift.lifecycle.monitoring.segments import check_segments, segments_of
from leadlift.lifecycle.monitoring.table import Checked, monitor_row
from leadlift.lifecycle.monitoring.windows import in_lead_order
from leadlift.serving.id_hashes import hash_ids
from leadlift.terms import AS_OF, LEAD_ID, SCORE, SCORE_SQL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from leadlift.lifecycle.monitoring.budget import AlarmBudget
    from leadlift.lifecycle.monitoring.promises import DrawnLine
    from leadlift.lifecycle.monitoring.windows import Windows
    from leadlift.serving.bundle import ModelBundle


@dataclass(frozen=True)
class ScoredLeads:
    """Scored rows of one model, with what all checks ask of them.

    Parameters
    ----------
    table : pyarrow.Table
        Columns of a scored table.
    windows : Windows
    weight : ndarray of float64, shape (n_rows,), or None
        Inverse of the chance that the lead was worked, 0 where it was not.
    inputs : pyarrow.Table or None
        As for :func:`leadlift.lifecycle.monitoring.segments.segments_of`.
    """

    table: pa.Table
    windows: Windows
    weight: NDArray[np.float64] | None = None
    inputs: pa.Table | None = None

    @cached_property
    def as_of(self) -> NDArray[np.datetime64]:
        """Moments of scoring, UTC."""
        return moments(self.table, AS_OF)

    @cached_property
    def window(self) -> NDArray[np.int64]:
        """Number of the window of each row."""
        return self.windows.number(self.as_of)

    @cached_property
    def lead(self) -> NDArray[np.int64]:
        """A number for each lead, which its id alone decides."""
        return hash_ids(pc.cast(self.table[LEAD_ID], pa.string())).view(np.int64)

    def waiting(self, known: Matured | None) -> Waiting:
        """Return the rows whose outcome is not known yet."""
        is_scored = pc.is_valid(self.table[SCORE]).to_numpy()
        is_open = True if known is None else known.is_state(TOO_EARLY) | known.is_state(UNKNOWN_LEAD)
        rows = np.flatnonzero(is_scored & is_open)
        return Waiting(rows, self.lead[rows], self.as_of[rows], self.window[rows])

    def judged(self, known: Matured, label: str, lines: Sequence[DrawnLine]) -> JudgedLeads:
        """Return the rows whose label is known."""
        is_test = ~known.was_sql if label == BECAME_SQL else np.ones(len(known.rows), dtype=bool)
        score = self.table[SCORE_SQL if label == BECAME_SQL else SCORE].to_numpy()
        tests = np.flatnonzero(is_test & ~np.isnan(score[known.rows]))
        rows = known.rows[tests]
        order = in_lead_order(self.lead[rows], self.as_of[rows], score[rows])
        rows, tests = rows[order], tests[order]
        return JudgedLeads(
            label,
            rows,
            self.lead[rows],
            self.as_of[rows],
            self.window[rows],
            score[rows],
            (known.became_sql if label == BECAME_SQL else known.won)[tests],
            np.ones(len(rows)) if self.weight is None else self.weight[rows],
            {line.stage.value: line.is_reached(self.table)[rows] for line in lines},
        )


def check_outcomes(
    bundle: ModelBundle,
    scored: ScoredLeads,
    outcomes: pa.Table | None,
    *,
    budget: AlarmBudget,
    known_until: datetime | None = None,
    segment_by: Sequence[str] = (),
) -> Checked:
    """Check calibration, promises and segments against outcomes, as far as these are known.

    Of each window's part of the budget half is for the base rate, the rest is split evenly over all other
    tests (Bonferroni); those of the segments of a column are one.

    Parameters
    ----------
    bundle : ModelBundle
        Of the model that made the scores.
    scored : ScoredLeads
    outcomes : pyarrow.Table or None
        From :func:`leadlift.lifecycle.monitoring.outcomes.read_outcomes`; without any, promises are
        estimated.
    budget : AlarmBudget
        Of monitoring as a whole; these checks spend the part of ``"outcomes"``.
    known_until : datetime, optional
        Moment up to which outcomes are known; None takes the latest closing.
    segment_by : sequence of str

    Returns
    -------
    Checked
        Rows as the single checks describe them; findings LL163 and LL220 to LL235.

    Raises
    ------
    SchemaError
        A column to part leads by is not there.
    """
    lines = drawn_lines(bundle)
    setting = _setting(bundle, lines, scored.windows, budget.of("outcomes"), len(segment_by))
    segments = [segments_of(scored.table, scored.inputs, column) for column in segment_by]
    if outcomes is None:
        return _ahead(bundle, scored, lines, None, {}, setting)
    horizon_days = bundle.schema.roles.horizon_days
    horizon = None if horizon_days is None else in_days(horizon_days)
    known = matured(scored.table, outcomes, horizon_days, known_until, weights=scored.weight)
    found = matching_findings(scored.table, outcomes, known, known_until=known_until, horizon=horizon)
    complete = complete_windows(known, scored.window, scored.windows, horizon)
    setting = replace(setting, complete=complete)
    judged = _judged(scored, known, lines)
    recent = {label: leads.by_window.get(complete[-1]) for label, leads in judged.items() if complete}
    checked = Checked((), found) + _without_label(lines, judged) + _checked(judged, lines, segments, setting)
    return checked + _ahead(bundle, scored, lines, known, recent, setting)


def _setting(
    bundle: ModelBundle,
    lines: Sequence[DrawnLine],
    windows: Windows,
    budget: AlarmBudget,
    n_segment_columns: int,
) -> Setting:
    """Levels of the tests of a window: of each label and its segments, each line, and each estimate."""
    n_labels = len({WON, *[line.label for line in lines]})
    n_estimates = sum(line.cutoff.promised_precision is not None for line in lines)
    n_others = n_labels * (N_TESTS + n_segment_columns) + sum(map(n_tests, lines)) + n_estimates
    return Setting(
        windows,
        (),
        level=budget.level(windows.days, 2 * n_others),
        base_rate_level=budget.level(windows.days, 2 * n_labels),
        n_evidence=bundle.mql_cutoff.n_evidence,
    )


def _judged(scored: ScoredLeads, known: Matured, lines: Sequence[DrawnLine]) -> dict[str, JudgedLeads]:
    """Leads with known label, by label; none where nothing says when sales accepted a lead."""
    labels = dict.fromkeys([WON, *[line.label for line in lines]])
    knowable = [label for label in labels if label == WON or known.knows_sql]
    of_label = {label: [line for line in lines if line.label == label] for label in knowable}
    return {label: scored.judged(known, label, drawn) for label, drawn in of_label.items()}


def _without_label(lines: Sequence[DrawnLine], judged: dict[str, JudgedLeads]) -> Checked:
    """Rows of the promises that nothing can test."""
    untold = [line for line in lines if line.label not in judged]
    rows = [
        monitor_row("promise", line.stage.value, "too_early", expected=line.cutoff.promised_precision)
        for line in untold
    ]
    return Checked(rows, (nothing_says_sql(),) if untold else ())


def _checked(
    judged: dict[str, JudgedLeads],
    lines: Sequence[DrawnLine],
    segments: Sequence[pa.DictionaryArray],
    setting: Setting,
) -> Checked:
    checked = Checked()
    for label, leads in judged.items():
        of_label = [line for line in lines if line.label == label]
        checked += check_calibration(leads, setting)
        for line in of_label:
            checked += check_line(leads, line, setting)
        for segment in segments if setting.complete else ():
            checked += check_segments(leads, of_label, segment, setting)
    return checked


def _ahead(
    bundle: ModelBundle,
    scored: ScoredLeads,
    lines: Sequence[DrawnLine],
    known: Matured | None,
    recent: dict[str, JudgedLeads | None],
    setting: Setting,
) -> Checked:
    """Promises of leads whose outcome is not known yet."""
    waiting, checked = scored.waiting(known), Checked()
    now = latest(scored.as_of) if known is None or np.isnat(known.known_until) else known.known_until
    for line in lines:
        checked += estimate_promise(
            bundle,
            line,
            scored.table,
            waiting,
            windows=scored.windows,
            now=now,
            level=setting.level,
            recent=recent.get(line.label),
        )
    return checked
