"""train(): from a configuration to a saved, tracked and honestly measured model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from leadlift.config import LeadliftConfig
from leadlift.learning.cutoff.grades import grade_promises
from leadlift.learning.leakage import Suspect
from leadlift.learning.tuning import SearchResult
from leadlift.lifecycle.backtest import BacktestResult
from leadlift.lifecycle.holdout import Holdout
from leadlift.lifecycle.keeping import (
    draw_figures,
    keep_agreement,
    run_parameters,
)
from leadlift.lifecycle.looking_back import Hindsight
from leadlift.lifecycle.measuring import kept_on_test
from leadlift.lifecycle.modelling import Step, make_model
from leadlift.lifecycle.preparing import Problem
from leadlift.lifecycle.registry import Registry
from leadlift.lifecycle.registry.folders import CHAMPION
from leadlift.lifecycle.reporting import keep_report
from leadlift.lifecycle.sql_model import SqlQuality
from leadlift.lifecycle.tracking import TrackedRun, log_run
from leadlift.lifecycle.tracking.figures import model_metrics
from leadlift.serving.bundle import ModelBundle
from leadlift.terms import Cutoff, Finding, Interval


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
    by: str = "",
    at: datetime | None = None,
    why: str = "",
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
        Folder of the bundle under ``config.models``. The champion goes through
        :class:`leadlift.lifecycle.registry.Registry`; any other name is a plain folder without a role.
    report : bool, default=False
        Write ``report.html`` beside the bundle's folder, see :func:`leadlift.lifecycle.reporting.report_on`.
    by, at, why
        Who trains, when (with time zone) and why, for the registry's audit log.
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
    RegistryError
        The run cannot be logged or the champion not replaced: the bundle is saved, the message says where and
        how to go on, and the champion serves as before.
    """
    step = on_step or (lambda _: None)
    made = make_model(
        config, name=name, leave_out_suspects=leave_out_suspects, on_step=step, on_trial=on_trial
    )
    problem, split, bundle, folder = made.problem, made.split, made.bundle, Path(config.models) / name
    step("Drawing figures")
    figures = draw_figures(
        problem, split, bundle, made.scores, made.drivers, made.attributor, made.matrix, folder
    )
    agreement, files = keep_agreement(bundle, config, folder)
    figures |= files | made.ahead.keep(folder.parent / "figures")
    if report:
        figures["report"] = keep_report(Hindsight(bundle, problem, split, config), folder.parent, step)
    step("Logging the run")
    registry = Registry(config.models, config.tracking_uri)
    tracked = log_run(
        bundle=bundle,
        bundle_folder=made.folder,
        parameters=run_parameters(config, bundle, made.search),
        metrics=model_metrics(bundle) | made.ahead.metrics,
        findings=made.findings,
        tables={"quality": made.quality, "drivers": made.drivers} | made.ahead.tables,
        figures=figures,
        store=Path(config.models),
        server=registry.store.server,
        parent=registry.state().champion,
    )
    if name == CHAMPION:
        step("Putting the model in service")
        registry.promote(bundle.version, by=by, at=at, why=why, action="train")
        tracked = replace(tracked, model_uri="models:/leadlift@champion")
    return TrainingResult(
        bundle=bundle,
        bundle_folder=folder,
        quality=made.quality,
        **_sizes(problem, split),
        kept=made.sql.kept if made.sql else kept_on_test(problem, split, *made.scores, bundle.mql_cutoff),
        drivers=made.drivers,
        findings=made.findings,
        figures=figures,
        tracked=tracked,
        search=made.search,
        sql=made.sql,
        agreement=agreement,
        backtest=made.ahead.backtest,
    )


def _sizes(problem: Problem, split: Holdout) -> dict[str, Any]:
    """How the rows were split, how many there are, and which columns were left out."""
    return {
        "test_kind": split.kind,
        "n_leads": problem.n_leads,
        "n_rows": len(problem.y),
        "n_test": len(split.test),
        "base_rate": float(np.average(problem.y, weights=problem.observations.contact_weight)),
        "left_out": problem.left_out,
    }
