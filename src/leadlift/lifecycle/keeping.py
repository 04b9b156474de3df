"""What a training run leaves behind: the bundle, its provenance, figures, and the record of the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

import leadlift
from leadlift.config import CutoffConfig, LeadliftConfig
from leadlift.insight.attribution import Attributor
from leadlift.insight.explained import explained_matrix, explained_specs
from leadlift.insight.texts import load_texts
from leadlift.learning import metrics
from leadlift.learning.cutoff.agreement import agreement_sheet
from leadlift.learning.scorer import LeadScorer
from leadlift.learning.tuning import SearchResult
from leadlift.lifecycle.cutoff_change import evidence_of, lines_of
from leadlift.lifecycle.fingerprint import fingerprint
from leadlift.lifecycle.holdout import Holdout, representative
from leadlift.lifecycle.preparing import Problem
from leadlift.lifecycle.registry import Registry
from leadlift.lifecycle.registry.folders import CHAMPION
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.reference import build_reference
from leadlift.terms import Finding, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Drivers and figures are means over leads; more of them than this change no digit shown.
EXPLAINED_ROWS = 5_000
# Where files are is the trainer's own business; what a later challenger must show says nothing of a model.
NOT_KEPT = {"data": True, "models": True, "tracking_uri": True, "retrain": True, "insight": {"texts"}}
# Findings that count events and changes, also those no observation knows of; what came later leaves no trace
# in a bundle. `leadlift check` tells them.
OF_BEHAVIOUR = frozenset(f"LL{number}" for number in range(170, 190))
MEASURED_WITH = ("leadlift", "lightgbm", "numpy", "pyarrow", "scikit-learn")


def sample_inputs(problem: Problem, split: Holdout, config: LeadliftConfig) -> pa.Table:
    """Draw the inputs of the leads whose scores are explained."""
    rng = np.random.default_rng(config.model.random_state)
    n = min(EXPLAINED_ROWS, len(split.test))
    return problem.inputs.take(pa.array(rng.choice(split.test, n, replace=False)))


def save_bundle(
    problem: Problem,
    split: Holdout,
    scorer: LeadScorer,
    base: float,
    quality: pa.Table,
    config: LeadliftConfig,
    name: str,
    second: LeadScorer | None = None,
    findings: Sequence[Finding] = (),
) -> tuple[ModelBundle, Path]:
    """Write the bundle, a champion to be among the registry's versions; return it and its folder."""
    rows = representative(split.train, problem, config.model.random_state)
    reference = build_reference(
        base,
        scorer.evidence_,
        problem.specs,
        problem.inputs.take(pa.array(rows)),
        problem.y[rows] > 0,
    )
    folder = Path(config.models) / name
    bundle = ModelBundle.from_scorer(
        scorer,
        problem.schema,
        reference,
        _provenance(problem, split, quality, config, findings),
        builder=problem.builder,
        sql_scorer=second,
        stages=config.stages,
        texts=load_texts(config.insight.language, config.insight.texts),
    )
    if name != CHAMPION:
        return bundle.save(folder), folder
    registry = Registry(config.models, config.tracking_uri)
    kept = registry.keep(bundle)
    return kept, registry.folder(kept.version)


def _provenance(
    problem: Problem,
    split: Holdout,
    quality: pa.Table,
    config: LeadliftConfig,
    findings: Sequence[Finding],
) -> dict[str, Any]:
    moments = problem.as_of if problem.observations.time == "dates" else None
    return {
        "data_sha256": fingerprint(config.data.leads, problem.inputs),
        "config": config.model_dump(mode="json", by_alias=True, exclude=NOT_KEPT),
        "random_state": config.model.random_state,
        "versions": {package: version(package) for package in MEASURED_WITH},
        "n_leads": problem.n_leads,
        "n_rows": len(problem.y),
        "as_of_range": None if moments is None else [str(moments.min()), str(moments.max())],
        "test": split.kind,
        "test_from": str(moments[split.test].min()) if moments is not None and split.is_forward else None,
        "n_test": len(split.test),
        "quality": quality.to_pylist(),
        "findings": [
            # Without examples, which are ids of leads.
            asdict(replace(finding, examples=()))
            for finding in findings
            if finding.code not in OF_BEHAVIOUR
        ],
        "left_out": [asdict(suspect) for suspect in problem.left_out],
        "leadlift": leadlift.__version__,
    }


def draw_figures(
    problem: Problem,
    split: Holdout,
    bundle: ModelBundle,
    scores: tuple[NDArray[np.float64], NDArray[np.float64]],
    drivers: pa.Table,
    attributor: Attributor,
    matrix: NDArray[np.float64],
    folder: Path,
) -> dict[str, Path]:
    """Draw the figures of a run beside its bundle; return their files by name."""
    from leadlift.insight import plots

    y, score = problem.y[split.test], scores[0]
    phi, _ = attributor.log_odds_contributions(matrix)
    statistics = bundle.model.statistics
    names = [spec.name for spec in explained_specs(problem.specs, statistics)]
    levels = [spec.name for spec in problem.specs if spec.kind is Kind.CATEGORICAL]
    # Only lines that are drawn on P(won).
    cutoffs = {} if bundle.became_sql is not None else {"MQL": bundle.mql_cutoff.threshold}
    if bundle.sql_cutoff is not None:
        cutoffs["SQL"] = bundle.sql_cutoff.threshold
    drawn = {
        "reliability": plots.plot_reliability(metrics.reliability(y, score)),
        "gains": plots.plot_gains(metrics.gains(y, score)),
        "scores": plots.plot_scores(score, y > 0, cutoffs),
        "drivers": plots.plot_drivers(drivers),
        "shap": plots.plot_shap_beeswarm(
            phi, explained_matrix(statistics, matrix), names, categorical=levels
        ),
    }
    return plots.save_figures(drawn, folder.parent / "figures")


def keep_agreement(
    bundle: ModelBundle, config: LeadliftConfig, folder: Path
) -> tuple[pa.Table, dict[str, Path]]:
    """Write the agreement sheet of the MQL cut-off beside the figures: picture, CSV and Markdown."""
    from leadlift.insight.agreement_plot import plot_agreement
    from leadlift.insight.agreement_text import write_agreement
    from leadlift.insight.plots import save_figures

    place = folder.parent / "figures"
    sheet = agreement_sheet(evidence_of(bundle), **amounts_of(config.cutoff))
    files = save_figures({"agreement": plot_agreement(sheet, lines_of(bundle))}, place)
    for ending in ("csv", "md"):
        files[f"agreement_{ending}"] = write_agreement(sheet, place / f"agreement.{ending}")
    return sheet, files


def amounts_of(cutoffs: CutoffConfig) -> dict[str, float]:
    """Return what a win brings and a contact costs, where a value policy says so."""
    for policy in filter(None, (cutoffs.mql, cutoffs.sql)):
        for parameters in (policy.parameters, *policy.parameters.get("policies", ())):
            if {"win_value", "contact_cost"} <= parameters.keys():
                return {name: parameters[name] for name in ("win_value", "contact_cost")}
    return {}


def run_parameters(
    config: LeadliftConfig, bundle: ModelBundle, search: SearchResult | None
) -> dict[str, str | float | int]:
    """Return the parameters of the run, as they are logged."""
    scorer = bundle.scorer
    learner = scorer.learner_
    return {
        "random_state": config.model.random_state,
        "folds": config.model.folds,
        "trials": 0 if search is None else search.n_trials,
        "horizon_days": str(config.roles.horizon_days),
        "calibrator": scorer.calibrator_.to_dict()["name"],
        "logistic_weight": learner.weight_,
        "evidence": scorer.plan_.evidence,
        "labels": "won" if bundle.became_sql is None else "became SQL, won",
        "mql_policy": bundle.mql_cutoff.policy,
        "n_inputs": scorer.n_features_in_,
    }
