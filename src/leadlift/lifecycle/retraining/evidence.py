"""What both models say of the leads of the window, and what else the contract asks of the challenger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.exceptions import SchemaError
from leadlift.insight.drivers import global_drivers
from leadlift.insight.fairness import BELOW, fairness_audit
from leadlift.learning.cutoff.evidence import passes
from leadlift.learning.cutoff.lead_value import thresholds
from leadlift.learning.two_labels import published_score_sql
from leadlift.lifecycle.looking_back import problem_of
from leadlift.lifecycle.retraining.clauses import ChallengerFacts
from leadlift.lifecycle.retraining.comparison import Comparison, ModelScores, compare_models, grades_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.config import LeadliftConfig
    from leadlift.lifecycle.modelling import SavedModel
    from leadlift.lifecycle.preparing import Problem
    from leadlift.serving.bundle import ModelBundle

# A column looks written after the outcome, for sure or perhaps; the last counts later events.
LEAK_CODES = frozenset({"LL120", "LL122", "LL123", "LL190"})
# Mean contributions are means over leads; more of them than this change no digit shown.
EXPLAINED_ROWS = 2_000


def gather(
    champion: ModelBundle,
    challenger: SavedModel,
    rows: NDArray[np.int64],
    config: LeadliftConfig,
    *,
    confidence: float,
) -> tuple[Comparison, ChallengerFacts]:
    """Compare both models on the window.

    Parameters
    ----------
    champion : ModelBundle
    challenger : SavedModel
    rows : ndarray of int64
        From :func:`leadlift.lifecycle.retraining.window.window_of`.
    config : LeadliftConfig
    confidence : float
        Of each one-sided bound, in (0.5, 1).

    Returns
    -------
    comparison : Comparison
    facts : ChallengerFacts

    Raises
    ------
    SchemaError
        The leads lack an input of the champion.
    """
    problem = challenger.problem
    seen_by_champion = problem_of(config, champion)
    _require_same_rows(seen_by_champion, problem)
    before = model_scores(champion, seen_by_champion, rows)
    now = model_scores(challenger.bundle, problem, rows)
    won = problem.y[rows] > 0
    comparison = compare_models(
        before,
        now,
        won,
        groups=None if problem.accounts is None else problem.accounts[rows],
        confidence=confidence,
        random_state=config.model.random_state,
    )
    explained = rows[:EXPLAINED_ROWS]
    n_above, n_kept = _above_the_line(challenger.bundle, problem, rows, now.passed)
    facts = ChallengerFacts(
        cutoff=challenger.bundle.mql_cutoff,
        n_above=n_above,
        n_kept=n_kept,
        new_leaks=_new_leaks(champion, challenger.bundle),
        newly_unfair=_newly_unfair(before, now, won, problem, rows, config),
        reason_similarity=reason_similarity(
            mean_contributions(champion, seen_by_champion, explained),
            mean_contributions(challenger.bundle, problem, explained),
        ),
        new_inputs=_inputs_beyond(challenger.bundle, champion),
        lost_inputs=_inputs_beyond(champion, challenger.bundle),
    )
    return comparison, facts


def model_scores(bundle: ModelBundle, problem: Problem, rows: NDArray[np.int64]) -> ModelScores:
    """Return what a model says of some rows.

    Parameters
    ----------
    bundle : ModelBundle
    problem : Problem
        With the inputs of the bundle.
    rows : ndarray of int64

    Returns
    -------
    ModelScores
    """
    inputs = problem.inputs.take(pa.array(rows))
    score, log_odds = bundle.model.score(bundle.model.encode(inputs))
    rank_by, cutoff = score, bundle.mql_cutoff
    if bundle.sql_model is not None:
        own, log_odds = bundle.sql_model.score(bundle.sql_model.encode(inputs))
        rank_by = published_score_sql(own, score)
    passed = passes(rank_by, thresholds(cutoff, inputs), log_odds=log_odds, tie_break=cutoff.tie_break)
    grade = grades_of(score, tuple(bundle.reference.grade_thresholds.values()))
    return ModelScores(score, passed, rank_by, grade)


def mean_contributions(bundle: ModelBundle, problem: Problem, rows: NDArray[np.int64]) -> dict[str, float]:
    """Return the mean absolute contribution of each column, or pair of columns, to the scores of some rows.

    Parameters
    ----------
    bundle : ModelBundle
    problem : Problem
        With the inputs of the bundle.
    rows : ndarray of int64

    Returns
    -------
    dict of str to float
        In points of the probability, 0 to 100.
    """
    matrix = bundle.model.encode(problem.inputs.take(pa.array(rows)))
    drivers = global_drivers(bundle.explained_specs, bundle.attributor.explain(matrix).contributions)
    return dict(zip(drivers["column"].to_pylist(), drivers["mean_abs_points"].to_pylist(), strict=True))


def reason_similarity(one: dict[str, float], other: dict[str, float]) -> float:
    """Return the cosine between mean absolute contributions by column; a missing column contributes 0.

    Parameters
    ----------
    one, other : dict of str to float
        From :func:`mean_contributions`.

    Returns
    -------
    float
        In [0, 1]: 1 where the columns count in the same proportions, 0 where none counts in both.

    Examples
    --------
    >>> round(reason_similarity({"visits": 3.0, "source": 4.0}, {"visits": 3.0}), 2)
    0.6
    """
    names = sorted(one.keys() | other.keys())
    a, b = (np.array([side.get(name, 0.0) for name in names]) for side in (one, other))
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / size if size else float(not a.any() and not b.any())


def _require_same_rows(one: Problem, other: Problem) -> None:
    """Both models look at the same leads at the same moments, or a row of one is not a row of the other."""
    rows = [(p.observations.lead_id, p.as_of) for p in (one, other)]
    if all(np.array_equal(a, b) for a, b in zip(*rows, strict=True)):
        return
    msg = (
        f"champion and challenger see other rows of the leads: {len(one.y):,} and {len(other.y):,}; "
        "the files changed while they were read, or [schema] differs. Run again"
    )
    raise SchemaError(msg)


def _above_the_line(
    bundle: ModelBundle, problem: Problem, rows: NDArray[np.int64], passed: NDArray[np.bool_]
) -> tuple[int, int]:
    """Leads above the MQL line, and those that became what the line promises."""
    if bundle.became_sql is None or problem.second is None:
        return int(passed.sum()), int((passed & (problem.y[rows] > 0)).sum())
    passed = passed & problem.second.teaches[rows]
    return int(passed.sum()), int((passed & problem.second.became_sql[rows]).sum())


def _new_leaks(champion: ModelBundle, challenger: ModelBundle) -> tuple[str, ...]:
    before, now = (
        {found["column"] for found in bundle.provenance["findings"] if found["code"] in LEAK_CODES}
        for bundle in (champion, challenger)
    )
    return tuple(sorted(map(str, now - before)))


def _newly_unfair(
    before: ModelScores,
    now: ModelScores,
    won: NDArray[np.bool_],
    problem: Problem,
    rows: NDArray[np.int64],
    config: LeadliftConfig,
) -> tuple[str, ...] | None:
    """Protected attributes below four fifths with the challenger and not with the champion."""
    named = list(config.insight.protected)
    if not named:
        return None
    groups = problem.leads.take(pa.array(problem.observations.index[rows])).select(named)
    unfair = []
    for model in (before, now):
        audit = fairness_audit(model.score, model.passed, won, groups).by_attribute
        unfair.append({row["attribute"] for row in audit.to_pylist() if row["verdict"] == BELOW})
    return tuple(sorted(unfair[1] - unfair[0]))


def _inputs_beyond(bundle: ModelBundle, other: ModelBundle) -> tuple[str, ...]:
    """Columns of the leads that a bundle reads and another does not, or reads as another kind."""
    known = {(spec.name, spec.kind) for spec in other.schema.features}
    return tuple(spec.name for spec in bundle.schema.features if (spec.name, spec.kind) not in known)
