"""train(): from a configuration to a saved, tracked and honestly measured model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from leadlift.config import LeadliftConfig
from leadlift.insight.attribution import Attributor
from leadlift.insight.drivers import global_drivers
from leadlift.learning.cutoff.evidence import passes
from leadlift.learning.intervals import clopper_pearson
from leadlift.learning.leakage import Suspect
from leadlift.learning.tuning import SearchResult
from leadlift.lifecycle.fitting import decide, learn, measure, policy_of
from leadlift.lifecycle.holdout import hold_back
from leadlift.lifecycle.keeping import draw_figures, run_metrics, run_parameters, sample_inputs, save_bundle
from leadlift.lifecycle.preparing import prepare
from leadlift.lifecycle.tracking import TrackedRun, log_run
from leadlift.serving.bundle import ModelBundle, require_place
from leadlift.terms import Cutoff, Finding, Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
        Precision of the MQL cut-off on the test set; None where no test lead qualifies.
    drivers : pyarrow.Table
        :func:`leadlift.insight.drivers.global_drivers`.
    findings : tuple of Finding
    left_out : tuple of Suspect
        Columns that look written after the outcome and were left out, as asked.
    figures : dict of str to Path
    tracked : TrackedRun
    search : SearchResult or None
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

    @property
    def cutoff(self) -> Cutoff:
        """The MQL cut-off with its evidence."""
        return self.bundle.scorer.cutoff_

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values, for machines that read the command line's output."""
        sql = self.bundle.scorer.sql_cutoff_
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
            "mql": asdict(self.cutoff),
            "sql": None if sql is None else asdict(sql),
            "drivers": self.drivers.to_pylist(),
            "findings": [asdict(finding) for finding in self.findings],
        }


def train(
    config: LeadliftConfig,
    *,
    leave_out_suspects: bool = False,
    name: str = "champion",
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
    problem = prepare(config, leave_out_suspects=leave_out_suspects)
    problem.raise_if_blocked()
    split = hold_back(problem, test_share=config.model.test_share, random_state=config.model.random_state)
    scorer, search = learn(problem, split, config, step, on_trial)
    step("Measuring on the test set, beside the baselines")
    quality, scores = measure(problem, split, scorer, config)
    decide(scorer, policy, sql_policy, quality, split)
    step("Explaining")
    attributor = Attributor(scorer)
    matrix = scorer.encoder_.transform(sample_inputs(problem, split, config))
    attribution = attributor.explain(matrix)
    drivers = global_drivers(problem.specs, attribution.contributions)
    step("Saving the bundle")
    bundle, folder = save_bundle(problem, split, scorer, attribution.base, quality, config, name)
    step("Drawing figures")
    figures = draw_figures(problem, split, scorer, scores, drivers, attributor, matrix, folder)
    step("Logging the run")
    findings = (*problem.findings, *split.findings)
    tracked = log_run(
        bundle=bundle,
        bundle_folder=folder,
        parameters=run_parameters(config, scorer, search),
        metrics=run_metrics(quality, scorer),
        findings=findings,
        tables={"quality": quality, "drivers": drivers},
        figures=figures,
        store=Path(config.models),
    )
    return TrainingResult(
        bundle=bundle,
        bundle_folder=folder,
        quality=quality,
        test_kind=split.kind,
        n_leads=problem.n_leads,
        n_rows=len(problem.y),
        n_test=len(split.test),
        base_rate=float(problem.y.mean()),
        kept=_kept(problem.y[split.test] > 0, *scores, scorer.cutoff_),
        drivers=drivers,
        findings=findings,
        left_out=problem.left_out,
        figures=figures,
        tracked=tracked,
        search=search,
    )


def _kept(
    won: NDArray[np.bool_], score: NDArray[np.float64], log_odds: NDArray[np.float64], cutoff: Cutoff
) -> Interval | None:
    """Return the precision of the cut-off on the test set."""
    passed = passes(score, cutoff.threshold, log_odds=log_odds, tie_break=cutoff.tie_break)
    return clopper_pearson(int((passed & won).sum()), int(passed.sum())) if passed.any() else None
