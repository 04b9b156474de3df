"""From a configuration to a saved bundle: what a training, a retraining and a reproduction share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from leadlift.insight.attribution import Attributor
from leadlift.insight.drivers import global_drivers
from leadlift.insight.explained import explained_specs
from leadlift.insight.texts import load_texts
from leadlift.learning.calibration_drift import training_drift
from leadlift.learning.cold_start import cold_start_finding
from leadlift.lifecycle.fitting import decide, learn, measure, policy_of
from leadlift.lifecycle.holdout import Holdout, hold_back
from leadlift.lifecycle.keeping import sample_inputs, save_bundle
from leadlift.lifecycle.looking_forward import ForwardLook, look_forward, require_blocks
from leadlift.lifecycle.preparing import Problem, prepare
from leadlift.lifecycle.sql_model import SqlQuality, learn_sql, measure_sql
from leadlift.serving.bundle import ModelBundle, require_place
from leadlift.serving.stages import check_rules

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.config import LeadliftConfig
    from leadlift.learning.scorer import LeadScorer
    from leadlift.learning.tuning import SearchResult
    from leadlift.terms import Finding

Step = Callable[[str], None]


@dataclass(frozen=True)
class SavedModel:
    """A model as it was learnt, measured and saved, with the leads it was learnt from.

    Parameters
    ----------
    problem : Problem
    split : Holdout
    bundle : ModelBundle
        As saved, with its version.
    folder : Path
        Of the bundle.
    quality : pyarrow.Table
        :func:`leadlift.learning.metrics.quality_table` on the test set, leadlift first.
    scores : tuple of two ndarrays of float64, shape (n_test,)
        Published and uncalibrated scores of the test rows.
    attributor : Attributor
    matrix : ndarray of float64, shape (n_explained, n_columns)
        Encoded leads of which `drivers` is the mean.
    drivers : pyarrow.Table
        :func:`leadlift.insight.drivers.global_drivers`.
    search : SearchResult or None
    sql : SqlQuality or None
    ahead : ForwardLook
    findings : tuple of Finding
    """

    problem: Problem
    split: Holdout
    bundle: ModelBundle
    folder: Path
    quality: pa.Table
    scores: tuple[NDArray, NDArray]
    attributor: Attributor
    matrix: NDArray
    drivers: pa.Table
    search: SearchResult | None
    sql: SqlQuality | None
    ahead: ForwardLook
    findings: tuple[Finding, ...]


def make_model(
    config: LeadliftConfig,
    *,
    name: str,
    leave_out_suspects: bool = False,
    on_step: Step | None = None,
    on_trial: Callable[[int], None] | None = None,
) -> SavedModel:
    """Learn, calibrate, cut off, measure, explain and save a model; nothing is tracked or drawn.

    Parameters
    ----------
    config : LeadliftConfig
    name : str
        Folder of the bundle under ``config.models``.
    leave_out_suspects : bool, default=False
        Leave out columns that look written after the outcome, instead of stopping.
    on_step : callable, optional
        Called with the name of each step as it begins.
    on_trial : callable, optional
        Called with the number of search trials finished.

    Returns
    -------
    SavedModel

    Raises
    ------
    InputError
        The leads cannot be read or learnt from.
    LeakageError
        A column looks written after the outcome and nobody confirmed it.
    NoCutoffError
        No cut-off keeps the promise asked for; no bundle is written.
    """
    step = on_step or (lambda _: None)
    policy, sql_policy = policy_of(config.cutoff.mql), policy_of(config.cutoff.sql)
    require_place(Path(config.models) / name)
    step("Reading and checking the leads")
    problem, split = _ready_to_learn(config, leave_out_suspects=leave_out_suspects)
    scorer, search = learn(problem, split, config, step, on_trial)
    second = learn_sql(problem, split, scorer)
    step("Measuring on the test set, beside the baselines")
    quality, scores = measure(problem, split, scorer, config)
    decide(scorer, policy, sql_policy, quality, split, second)
    sql = measure_sql(problem, split, scorer, second)
    ahead = look_forward(problem, split, scorer, scores[0], sql_policy if second else policy, config, step)
    step("Explaining")
    attributor = Attributor(scorer.fitted)
    matrix = scorer.fitted.encode(sample_inputs(problem, split, config))
    found = attributor.explain(matrix)
    drivers = global_drivers(explained_specs(problem.specs, scorer.fitted.statistics), found.contributions)
    findings = _findings(problem, split, scorer, ahead)
    step("Saving the bundle")
    bundle, folder = save_bundle(problem, split, scorer, found.base, quality, config, name, second, findings)
    return SavedModel(
        problem=problem,
        split=split,
        bundle=bundle,
        folder=folder,
        quality=quality,
        scores=scores,
        attributor=attributor,
        matrix=matrix,
        drivers=drivers,
        search=search,
        sql=sql,
        ahead=ahead,
        findings=findings,
    )


def _ready_to_learn(config: LeadliftConfig, *, leave_out_suspects: bool) -> tuple[Problem, Holdout]:
    """Everything that can be refused before anything is learnt."""
    load_texts(config.insight.language, config.insight.texts)
    problem = prepare(config, leave_out_suspects=leave_out_suspects)
    problem.raise_if_blocked()
    check_rules(config.stages, problem.specs, problem.inputs)
    split = hold_back(problem, test_share=config.model.test_share, random_state=config.model.random_state)
    require_blocks(problem, split, config)
    return problem, split


def _findings(
    problem: Problem, split: Holdout, scorer: LeadScorer, ahead: ForwardLook
) -> tuple[Finding, ...]:
    """Everything found: about the leads, what was learnt, and time."""
    learnt = cold_start_finding(scorer.learner_, problem.y[split.train])
    return (*problem.findings, *learnt, *training_drift(scorer.evidence_), *split.findings, *ahead.findings)
