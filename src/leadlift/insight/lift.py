"""What would lift a lead: the nearest change that leads like it have made, and the score it would give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from leadlift.insight.levers import Lever, levers
from leadlift.insight.texts import fill, load_texts
from leadlift.insight.value_texts import number_text, with_unit
from leadlift.insight.wording import Phrase

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.insight.texts import Texts
    from leadlift.learning.scorer import LeadScorer
    from leadlift.terms import FeatureSpec

LEAST_GAIN_POINTS = 2.0
MOST_STEPS = 3
# Changed rows are scored in pieces of so many.
PIECE_ROWS = 32_768

LIFT_SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("column", pa.string()),
        ("what", pa.string()),
        ("value_now", pa.string()),
        ("value_then", pa.string()),
        ("n_steps", pa.int64()),
        ("score_now", pa.float64()),
        ("score_then", pa.float64()),
        ("gain_points", pa.float64()),
        ("sentence", pa.string()),
    ]
)


def lift_scores(
    scorer: LeadScorer,
    X: Any,
    *,
    specs: Sequence[FeatureSpec],
    profiles: Mapping[str, Mapping[str, Any]],
    actionable: Sequence[str] = (),
    least_gain_points: float = LEAST_GAIN_POINTS,
    most_steps: int = MOST_STEPS,
    texts: Texts | None = None,
) -> pa.Table:
    """Find for each lead the nearest single change that would lift its score.

    A change moves one column, or all columns that one more act moves at once, to the next values that leads
    have had; see :func:`leadlift.insight.levers.levers`. What else such an act would change (sessions, gaps,
    orders) stays as it is. The score of each changed lead is computed by the model. Of the changes that gain
    enough, the one with the fewest steps is told, among those the one that gains most.

    The score is that of leads that are like this one and differ in that point. It says nothing of what would
    happen if somebody made the lead differ: the model has learnt from what leads did by themselves.

    Parameters
    ----------
    scorer : LeadScorer
        Fitted.
    X : table of shape (n_rows, n_columns)
        The inputs, as at fit.
    specs : sequence of FeatureSpec
        The input columns, in the order of the matrix.
    profiles : mapping of str to mapping
        By column, what values leads had: ``ModelBundle.reference.columns``.
    actionable : sequence of str
        Columns that somebody can change; empty takes the numbers of the family engagement.
    least_gain_points : float, default=2
        Hundredths of the probability, > 0.
    most_steps : int, default=3
        Values further along the deciles of the column are not looked at.
    texts : Texts, optional
        English, if not given.

    Returns
    -------
    pyarrow.Table
        :data:`LIFT_SCHEMA`, one row a lead: ``row`` (from 0), ``column``, ``what`` (the column in words),
        ``value_now``, ``value_then`` (as told), ``n_steps``, ``score_now``, ``score_then`` (probabilities),
        ``gain_points``, ``sentence``. Where nothing lifts the lead, all but row, score and the sentence that
        says so are null.

    Raises
    ------
    ConfigError
        A column in `actionable` is no input, or tells of the past.
    """
    matrix = scorer.encoder_.transform(X)
    found = levers(specs, scorer.encoder_.columns_, profiles, actionable)
    if not len(matrix):
        return LIFT_SCHEMA.empty_table()
    best = _Best.of(scorer.score_matrix(matrix)[0])
    for place, lever in enumerate(found):
        for level in range(lever.n_levels):
            for step in range(1, 1 + (1 if lever.is_level else most_steps)):
                _try(scorer, matrix, lever, best, (place, step, level), least_gain_points)
    return _table(scorer, matrix, specs, found, best, texts or load_texts(), least_gain_points)


@dataclass
class _Best:
    """The best change of each lead so far."""

    now: NDArray[np.float64]
    score: NDArray[np.float64]
    step: NDArray[np.float64]
    lever: NDArray[np.int64]
    value: NDArray[np.float64]

    @classmethod
    def of(cls, now: NDArray[np.float64]) -> _Best:
        n_rows = len(now)
        nowhere = np.full(n_rows, np.inf)
        return cls(now, now.copy(), nowhere, np.full(n_rows, -1), np.full(n_rows, np.nan))


def _try(
    scorer: LeadScorer,
    matrix: NDArray[np.float64],
    lever: Lever,
    best: _Best,
    change: tuple[int, int, int],
    least_gain_points: float,
) -> None:
    """Score a change for all leads that can make it, and keep it where it is the best so far."""
    place, step, level = change
    value = lever.values_after(matrix[:, lever.column], step, level)
    open_rows = np.flatnonzero(~np.isnan(value) & (best.step >= step))
    for start in range(0, len(open_rows), PIECE_ROWS):
        rows = open_rows[start : start + PIECE_ROWS]
        changed = matrix[rows]
        lever.apply(changed, value[rows])
        score = scorer.score_matrix(changed)[0]
        lifts = 100 * (score - best.now[rows]) >= least_gain_points
        better = lifts & ((step < best.step[rows]) | (score > best.score[rows]))
        kept = rows[better]
        best.score[kept], best.step[kept], best.lever[kept] = score[better], step, place
        best.value[kept] = value[kept]


def _table(
    scorer: LeadScorer,
    matrix: NDArray[np.float64],
    specs: Sequence[FeatureSpec],
    found: Sequence[Lever],
    best: _Best,
    texts: Texts,
    least_gain_points: float,
) -> pa.Table:
    least = with_unit(least_gain_points, "points", texts)
    none = fill(texts["sentences"]["no_lift"], {"least": least})
    phrases = [Phrase(specs[lever.column], texts) for lever in found]
    rows = [{"row": row, "score_now": now, "sentence": none} for row, now in enumerate(best.now.tolist())]
    for row in np.flatnonzero(best.lever >= 0).tolist():
        j = found[best.lever[row]].column
        phrase, column = phrases[best.lever[row]], scorer.encoder_.columns_[j]
        now, then = (_decoded(column.levels, code) for code in (matrix[row, j], best.value[row]))
        rows[row] |= {
            "column": specs[j].name,
            "what": phrase.name,
            "value_now": phrase.value_text(now),
            "value_then": phrase.value_text(then),
            "n_steps": int(best.step[row]),
            "score_then": float(best.score[row]),
            "gain_points": 100 * float(best.score[row] - best.now[row]),
            "sentence": _sentence(phrase.like(then), best.now[row], best.score[row], texts),
        }
    return pa.Table.from_pylist(rows, LIFT_SCHEMA)


def _decoded(levels: Sequence[str], code: float) -> float | str | None:
    """The value behind an encoded one; None where it is missing, or is a level never seen."""
    if np.isnan(code):
        return None
    if not levels:
        return float(code)
    return levels[int(code)] if code < len(levels) else None


def _sentence(like: str, now: float, then: float, texts: Texts) -> str:
    scores = {"now": number_text(round(100 * now), texts), "then": number_text(round(100 * then), texts)}
    return fill(texts["sentences"]["lift"], {"like": like} | scores)
