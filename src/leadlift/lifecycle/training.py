"""train(): from a configuration to a saved, tracked and honestly measured model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

import leadlift
from leadlift.config import LeadliftConfig, PolicyConfig
from leadlift.data.file_sources import find_files
from leadlift.data.sources import FILE_READERS, source_kind
from leadlift.exceptions import NoCutoffError
from leadlift.insight.attribution import Attributor
from leadlift.insight.drivers import global_drivers
from leadlift.learning import metrics
from leadlift.learning.baselines import baseline_scores
from leadlift.learning.candidates import BaggedTrees, BlendedLearner
from leadlift.learning.cutoff import CutoffPolicy, get_policy
from leadlift.learning.cutoff_evidence import passes
from leadlift.learning.intervals import clopper_pearson
from leadlift.learning.leakage import Suspect
from leadlift.learning.scorer import LeadScorer, early_and_late
from leadlift.learning.tuning import SearchResult, search_trees
from leadlift.lifecycle.holdout import Holdout, hold_back
from leadlift.lifecycle.preparing import Problem, prepare
from leadlift.lifecycle.tracking import TrackedRun, log_run
from leadlift.serving.bundle import ModelBundle, require_place
from leadlift.serving.reference import build_reference
from leadlift.terms import Cutoff, Finding, Interval, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Drivers and figures are means over leads; more of them than this change no digit shown.
EXPLAINED_ROWS = 5_000
MEASURED_WITH = ("leadlift", "lightgbm", "numpy", "pyarrow", "scikit-learn")

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
    policy, sql_policy = _policy(config.cutoff.mql), _policy(config.cutoff.sql)
    require_place(Path(config.models) / name)
    step("Reading and checking the leads")
    problem = prepare(config, leave_out_suspects=leave_out_suspects)
    problem.raise_if_blocked()
    split = hold_back(problem, test_share=config.model.test_share, random_state=config.model.random_state)
    scorer, search = _learn(problem, split, config, step, on_trial)
    step("Measuring on the test set, beside the baselines")
    quality, scores = _measure(problem, split, scorer, config)
    _decide(scorer, policy, sql_policy, quality, split)
    step("Explaining")
    attributor = Attributor(scorer)
    matrix = scorer.encoder_.transform(_sample(problem, split, config))
    attribution = attributor.explain(matrix)
    drivers = global_drivers(problem.specs, attribution.contributions)
    step("Saving the bundle")
    bundle, folder = _save(problem, split, scorer, attribution.base, quality, config, name)
    step("Drawing figures")
    figures = _draw(problem, split, scorer, scores, drivers, attributor, matrix, folder)
    step("Logging the run")
    findings = (*problem.findings, *split.findings)
    tracked = log_run(
        bundle=bundle,
        bundle_folder=folder,
        parameters=_parameters(config, scorer, search),
        metrics=_flat_metrics(quality, scorer),
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


def _policy(config: PolicyConfig | None) -> CutoffPolicy | None:
    return None if config is None else get_policy(config.policy, **config.parameters)


def _learn(
    problem: Problem,
    split: Holdout,
    config: LeadliftConfig,
    step: Step,
    on_trial: Callable[[int], None] | None,
) -> tuple[LeadScorer, SearchResult | None]:
    search = None
    if config.model.trials:
        step(f"Searching parameters ({config.model.trials} trials)")
        search = _search(problem, split, config, on_trial)
    step("Learning and calibrating")
    return _fit(problem, split, config, search), search


def _search(
    problem: Problem, split: Holdout, config: LeadliftConfig, on_trial: Callable[[int], None] | None
) -> SearchResult:
    from leadlift.learning.encoding import TableEncoder

    moments = _moments(problem, split.train, split)
    # The late leads calibrate and decide later; a search that saw them would spoil them as evidence.
    rows = split.train[early_and_late(problem.y[split.train], **moments)[0]]
    matrix = TableEncoder().fit_transform(problem.inputs.take(pa.array(rows)))
    store = Path(config.models)
    store.mkdir(parents=True, exist_ok=True)
    return search_trees(
        matrix,
        problem.y[rows],
        n_trials=config.model.trials,
        time_budget_seconds=config.model.time_budget_seconds,
        storage=store / "search.db",
        **_moments(problem, rows, split),
        random_state=config.model.random_state,
        on_trial=on_trial,
    )


def _moments(problem: Problem, rows: NDArray[np.int64], split: Holdout) -> dict[str, Any]:
    """Return as_of, label_known_at and groups of some rows; no moments where the split is random."""

    def of(values: NDArray | None) -> NDArray | None:
        return None if values is None else values[rows]

    if not split.is_forward:
        return {"as_of": None, "label_known_at": None, "groups": of(problem.groups)}
    return {
        "as_of": of(problem.as_of),
        "label_known_at": of(problem.label_known_at),
        "groups": of(problem.groups),
    }


def _fit(
    problem: Problem,
    split: Holdout,
    config: LeadliftConfig,
    search: SearchResult | None,
) -> LeadScorer:
    seed = config.model.random_state
    trees = BaggedTrees(random_state=seed, **(search.parameters if search else {}))
    scorer = LeadScorer(
        learner=BlendedLearner(trees, n_folds=config.model.folds, random_state=seed),
        random_state=seed,
    )
    return scorer.fit(
        problem.inputs.take(pa.array(split.train)),
        problem.y[split.train],
        **_moments(problem, split.train, split),
    )


def _decide(
    scorer: LeadScorer,
    policy: CutoffPolicy | None,
    sql_policy: CutoffPolicy | None,
    quality: pa.Table,
    split: Holdout,
) -> None:
    """Set both cut-offs on the evidence of the fit; where none is honest, say how good the model is."""
    try:
        scorer.choose_cutoff(policy, sql_policy=sql_policy)
    except NoCutoffError as error:
        ours, base, *_ = quality.to_pylist()
        msg = (
            f"{error}\nThe model itself, tested {split.kind}: AUC {ours['auc']:.3f} "
            f"[{ours['auc_low']:.3f}, {ours['auc_high']:.3f}], log loss {ours['log_loss']:.4f} "
            f"({base['model']} {base['log_loss']:.4f}). No bundle was written."
        )
        raise NoCutoffError(msg, error.best) from error


def _measure(
    problem: Problem, split: Holdout, scorer: LeadScorer, config: LeadliftConfig
) -> tuple[pa.Table, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Open the test set once: quality of the model and of the baselines, and the scores."""
    encoder = scorer.encoder_
    test = encoder.transform(problem.inputs.take(pa.array(split.test)))
    seen = encoder.transform(problem.inputs.take(pa.array(split.train)))
    score, log_odds = scorer.score_matrix(test)
    others = baseline_scores(
        encoder, seen, problem.y[split.train], test, random_state=config.model.random_state
    )
    return metrics.quality_table(problem.y[split.test], {"leadlift": score} | others), (score, log_odds)


def _sample(problem: Problem, split: Holdout, config: LeadliftConfig) -> pa.Table:
    """Draw the inputs of the leads whose scores are explained."""
    rng = np.random.default_rng(config.model.random_state)
    n = min(EXPLAINED_ROWS, len(split.test))
    return problem.inputs.take(pa.array(rng.choice(split.test, n, replace=False)))


def _save(
    problem: Problem,
    split: Holdout,
    scorer: LeadScorer,
    base: float,
    quality: pa.Table,
    config: LeadliftConfig,
    name: str,
) -> tuple[ModelBundle, Path]:
    rows = split.train
    reference = build_reference(
        base,
        scorer.evidence_,
        problem.specs,
        problem.inputs.take(pa.array(rows)),
        problem.y[rows] > 0,
    )
    folder = Path(config.models) / name
    bundle = ModelBundle(
        scorer,
        problem.schema,
        reference,
        _provenance(problem, split, quality, config),
        builder=problem.builder,
    )
    return bundle.save(folder), folder


def _provenance(
    problem: Problem, split: Holdout, quality: pa.Table, config: LeadliftConfig
) -> dict[str, Any]:
    moments = problem.as_of if problem.observations.time == "dates" else None
    return {
        "data_sha256": _fingerprint(config.data.leads, problem.inputs),
        "config": config.model_dump(mode="json", by_alias=True, exclude={"data", "models"}),
        "random_state": config.model.random_state,
        "versions": {package: version(package) for package in MEASURED_WITH},
        "n_leads": problem.n_leads,
        "n_rows": len(problem.y),
        "as_of_range": None if moments is None else [str(moments.min()), str(moments.max())],
        "test": split.kind,
        "n_test": len(split.test),
        "quality": quality.to_pylist(),
        "leadlift": leadlift.__version__,
    }


def _fingerprint(leads: str, inputs: pa.Table) -> str:
    """Hash of the files of the leads; of a database, which has none, that of the inputs made from it."""
    digest = hashlib.sha256()
    if source_kind(leads) in FILE_READERS:
        for path in find_files(leads) if Path(leads).is_dir() or "*" in leads else [Path(leads)]:
            digest.update(path.read_bytes())
    else:
        for batch in inputs.combine_chunks().to_batches():
            digest.update(batch.serialize())
    return digest.hexdigest()


def _kept(
    won: NDArray[np.bool_], score: NDArray[np.float64], log_odds: NDArray[np.float64], cutoff: Cutoff
) -> Interval | None:
    """Return the precision of the cut-off on the test set."""
    passed = passes(score, cutoff.threshold, log_odds=log_odds, tie_break=cutoff.tie_break)
    return clopper_pearson(int((passed & won).sum()), int(passed.sum())) if passed.any() else None


def _draw(
    problem: Problem,
    split: Holdout,
    scorer: LeadScorer,
    scores: tuple[NDArray[np.float64], NDArray[np.float64]],
    drivers: pa.Table,
    attributor: Attributor,
    matrix: NDArray[np.float64],
    folder: Path,
) -> dict[str, Path]:
    from leadlift.insight import plots

    y, score = problem.y[split.test], scores[0]
    phi, _ = attributor.log_odds_contributions(matrix)
    names = [spec.name for spec in problem.specs]
    levels = [spec.name for spec in problem.specs if spec.kind is Kind.CATEGORICAL]
    cutoffs = {"MQL": scorer.cutoff_.threshold}
    if scorer.sql_cutoff_ is not None:
        cutoffs["SQL"] = scorer.sql_cutoff_.threshold
    drawn = {
        "reliability": plots.plot_reliability(metrics.reliability(y, score)),
        "gains": plots.plot_gains(metrics.gains(y, score)),
        "scores": plots.plot_scores(score, y > 0, cutoffs),
        "drivers": plots.plot_drivers(drivers),
        "shap": plots.plot_shap_beeswarm(phi, matrix, names, categorical=levels),
    }
    return plots.save_figures(drawn, folder.parent / "figures")


def _parameters(
    config: LeadliftConfig, scorer: LeadScorer, search: SearchResult | None
) -> dict[str, str | float | int]:
    learner = scorer.learner_
    return {
        "random_state": config.model.random_state,
        "folds": config.model.folds,
        "trials": 0 if search is None else search.n_trials,
        "horizon_days": str(config.roles.horizon_days),
        "calibrator": scorer.calibrator_.to_dict()["name"],
        "logistic_weight": learner.weight_,
        "evidence": scorer.plan_.evidence,
        "mql_policy": scorer.cutoff_.policy,
        "n_inputs": scorer.n_features_in_,
    }


def _flat_metrics(quality: pa.Table, scorer: LeadScorer) -> dict[str, float]:
    ours = quality.to_pylist()[0]
    flat = {f"test_{key}": value for key, value in ours.items() if key != "model"}
    cutoff = scorer.cutoff_
    flat |= {"mql_threshold": cutoff.threshold, "mql_share": cutoff.share}
    flat |= {"mql_precision": cutoff.precision.estimate, "mql_recall": cutoff.recall.estimate}
    if cutoff.per_week is not None:
        flat["mql_per_week"] = cutoff.per_week.estimate
    return {key: value for key, value in flat.items() if np.isfinite(value)}
