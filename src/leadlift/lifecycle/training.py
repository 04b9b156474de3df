"""train(): from a configuration to a saved, tracked and honestly measured model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from leadlift.config import LeadliftConfig
from leadlift.insight.attribution import Attributor
from leadlift.insight.drivers import global_drivers
from leadlift.insight.explained import explained_specs
from leadlift.insight.texts import load_texts
from leadlift.learning.calibration_drift import training_drift
from leadlift.learning.cold_start import cold_start_finding
from leadlift.learning.cutoff.grades import grade_promises
from leadlift.learning.leakage import Suspect
from leadlift.learning.scorer import LeadScorer
from leadlift.learning.tuning import SearchResult
from leadlift.lifecycle.backtest import BacktestResult
from leadlift.lifecycle.fitting import decide, learn, measure, policy_of
from leadlift.lifecycle.holdout import Holdout, hold_back
from leadlift.lifecycle.keeping import (
    draw_figures,
    keep_agreement,
    run_metrics,
    run_parameters,
    sample_inputs,
    save_bundle,
)
from leadlift.lifecycle.looking_back import Hindsight
from leadlift.lifecycle.looking_forward import ForwardLook, look_forward, require_blocks
from leadlift.lifecycle.measuring import kept_on_test
from leadlift.lifecycle.preparing import Problem, prepare
from leadlift.lifecycle.reporting import keep_report
from leadlift.lifecycle.sql_model import SqlQuality, learn_sql, measure_sql
from leadlift.lifecycle.tracking import TrackedRun, log_run
from leadlift.serving.bundle import ModelBundle, require_place
from leadlift.serving.stages import check_rules
from leadlift.terms import Cutoff, Finding, Interval

Step = Callable[[str], None]


@dataclass(frozen=True)
class TrainingResult:
    """What a training run learnt, measured and wrote.

    Parameters
    ----------
    bundle : ModelBundle
    bundle_folder : Path
    quality : pyarrow.Table
        :func:`leadlift.learning.metrics.quality_table` on the test set, leadlift first.
    test_kind : str
        How the test set was taken: ``"forward in time"`` or ``"random, time order unknown"``.
    n_leads, n_rows, n_test : int
        Leads in the file, rows of the learning problem, rows held back.
    base_rate : float
        Share of converted among the rows.
    kept : Interval or None
        Precision of the MQL cut-off on the test set, of becoming SQL where that is a label of its own; None
        where no test lead qualifies.
    drivers : pyarrow.Table
        :func:`leadlift.insight.drivers.global_drivers`.
    findings : tuple of Finding
    left_out : tuple of Suspect
        Columns that look written after the outcome and were left out, as asked.
    figures : dict of str to Path
    tracked : TrackedRun
    search : SearchResult or None
    sql : SqlQuality or None
        How the model of the second label did; None where there is one label.
    agreement : pyarrow.Table or None
        :func:`leadlift.learning.cutoff.agreement.agreement_sheet` of the evidence of the MQL cut-off.
    backtest : BacktestResult or None
        On blocks before the test set; None where none was asked for.
    """

    bundle: ModelBundle
    bundle_folder: Path
    quality: pa.Table
    test_kind: str
    n_leads: int
    n_rows: int
    n_test: int
    base_rate: float
    kept: Interval | None
    drivers: pa.Table
    findings: tuple[Finding, ...]
    left_out: tuple[Suspect, ...]
    figures: dict[str, Path]
    tracked: TrackedRun
    search: SearchResult | None
    sql: SqlQuality | None = None
    agreement: pa.Table | None = None
    backtest: BacktestResult | None = None

    @property
    def cutoff(self) -> Cutoff:
        """The MQL cut-off with its evidence."""
        return self.bundle.mql_cutoff

    @property
    def grades(self) -> pa.Table:
        """What each grade promises: :func:`leadlift.learning.cutoff.grades.grade_promises`."""
        reference = self.bundle.reference
        return grade_promises(reference.grade_thresholds, reference.grade_rates)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values, for machines that read the command line's output."""
        sql = self.bundle.sql_cutoff
        return {
            "bundle": str(self.bundle_folder),
            "model_version": self.bundle.version,
            "model_uri": self.tracked.model_uri,
            "n_leads": self.n_leads,
            "n_rows": self.n_rows,
            "n_test": self.n_test,
            "test": self.test_kind,
            "base_rate": self.base_rate,
            "quality": self.quality.to_pylist(),
            "second_label": None if self.sql is None else self.sql.to_dict(),
            "mql": asdict(self.cutoff),
            "sql": None if sql is None else asdict(sql),
            "grades": self.grades.to_pylist(),
            "drivers": self.drivers.to_pylist(),
            "backtest": None if self.backtest is None else self.backtest.to_dict(),
            "findings": [asdict(finding) for finding in self.findings],
        }


def train(
    config: LeadliftConfig,
    *,
    leave_out_suspects: bool = False,
    name: str = "champion",
    report: bool = False,
    on_step: Step | None = None,
    on_trial: Callable[[int], None] | None = None,
) -> TrainingResult:
    """Learn, calibrate, cut off, measure, explain, save and track a model.

    Parameters
    ----------
    config : LeadliftConfig
    leave_out_suspects : bool, default=False
        Leave out columns that look written after the outcome, instead of stopping.
    name : str, default="champion"
        Folder of the bundle under ``config.models``.
    report : bool, default=False
        Write ``report.html`` beside the bundle's folder, see :func:`leadlift.lifecycle.reporting.report_on`.
    on_step : callable, optional
        Called with the name of each step as it begins.
    on_trial : callable, optional
        Called with the number of search trials finished.

    Returns
    -------
    TrainingResult

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
    attributor, X = Attributor(scorer.fitted), scorer.fitted.encode(sample_inputs(problem, split, config))
    found = attributor.explain(X)
    drivers = global_drivers(explained_specs(problem.specs, scorer.fitted.statistics), found.contributions)
    findings = _findings(problem, split, scorer, ahead)
    step("Saving the bundle")
    bundle, folder = save_bundle(problem, split, scorer, found.base, quality, config, name, second, findings)
    step("Drawing figures")
    figures = draw_figures(problem, split, bundle, scores, drivers, attributor, X, folder)
    agreement, files = keep_agreement(bundle, config, folder)
    figures |= files | ahead.keep(folder.parent / "figures")
    if report:
        figures["report"] = keep_report(Hindsight(bundle, problem, split, config), folder.parent, step)
    step("Logging the run")
    tracked = log_run(
        bundle=bundle,
        bundle_folder=folder,
        parameters=run_parameters(config, bundle, search),
        metrics=run_metrics(quality, bundle) | ahead.metrics,
        findings=findings,
        tables={"quality": quality, "drivers": drivers} | ahead.tables,
        figures=figures,
        store=Path(config.models),
    )
    return TrainingResult(
        bundle=bundle,
        bundle_folder=folder,
        quality=quality,
        **_sizes(problem, split),
        kept=sql.kept if sql else kept_on_test(problem, split, *scores, scorer.cutoff_),
        drivers=drivers,
        findings=findings,
        figures=figures,
        tracked=tracked,
        search=search,
        sql=sql,
        agreement=agreement,
        backtest=ahead.backtest,
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


def _sizes(problem: Problem, split: Holdout) -> dict[str, Any]:
    """How the rows were split, how many there are, and which columns were left out."""
    return {
        "test_kind": split.kind,
        "n_leads": problem.n_leads,
        "n_rows": len(problem.y),
        "n_test": len(split.test),
        "base_rate": float(problem.y.mean()),
        "left_out": problem.left_out,
    }
