"""The sections of the report that speak of the model: data, quality, cut-offs, drivers, model card."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from leadlift.insight.drivers import global_drivers
from leadlift.insight.explained import explained_matrix
from leadlift.insight.plots import plot_shap_beeswarm
from leadlift.insight.report.sections.cutoffs import cutoffs_section
from leadlift.insight.report.sections.data import data_section
from leadlift.insight.report.sections.drivers import drivers_section
from leadlift.insight.report.sections.provenance import provenance_section
from leadlift.insight.report.sections.quality import quality_section
from leadlift.learning import metrics
from leadlift.learning.cutoff.agreement import agreement_sheet
from leadlift.learning.cutoff.grades import grade_promises
from leadlift.learning.leak_report import Suspect
from leadlift.lifecycle.cutoff_change import evidence_of, lines_of
from leadlift.lifecycle.keeping import amounts_of, sample_inputs
from leadlift.lifecycle.measuring import kept_on_test
from leadlift.terms import Finding, Kind, Severity, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from leadlift.insight.report.blocks import Section
    from leadlift.lifecycle.looking_back import Hindsight
    from leadlift.terms import Cutoff, Interval


def data_part(hindsight: Hindsight) -> Section:
    """What the leads are, and what was found in them when the model was trained."""
    problem = hindsight.problem
    moments = problem.as_of if problem.observations.time == "dates" else None
    return data_section(
        n_leads=problem.n_leads,
        n_rows=len(problem.y),
        base_rate=float(problem.y.mean()),
        findings=[_finding(told) for told in hindsight.bundle.provenance.get("findings", ())],
        as_of_range=None if moments is None else [str(moments.min()), str(moments.max())],
        horizon_days=problem.observations.horizon_days,
    )


def _finding(told: Mapping[str, Any]) -> Finding:
    return Finding(**{**told, "severity": Severity(told["severity"]), "examples": ()})


def quality_part(hindsight: Hindsight) -> Section:
    """How well the model does on leads it has not seen."""
    won, score = hindsight.problem.y[hindsight.split.test], hindsight.test_scores[0]
    measured = hindsight.bundle.provenance["quality"]
    # The baselines are not in the bundle: of other leads only the model itself can be measured.
    quality = (
        pa.Table.from_pylist(measured)
        if hindsight.is_of_training
        else metrics.quality_table(won, {"leadlift": score})
    )
    lines = {} if hindsight.bundle.became_sql is not None else lines_of(hindsight.bundle)
    return quality_section(
        quality,
        metrics.reliability(won, score),
        metrics.gains(won, score),
        score=score,
        won=won,
        thresholds={stage: cutoff.threshold for stage, cutoff in lines.items()},
        test_kind=hindsight.split.kind,
        n_test=len(hindsight.split.test),
        second=None if hindsight.sql_quality is None else hindsight.sql_quality.quality,
    )


def cutoffs_part(hindsight: Hindsight) -> Section:
    """Where a lead qualifies, what is promised of it, and what every other cut-off would do."""
    bundle = hindsight.bundle
    reference = bundle.reference
    cutoffs: dict[str, Cutoff] = {Stage.MQL.value: bundle.mql_cutoff}
    if bundle.sql_cutoff is not None:
        cutoffs[Stage.SQL.value] = bundle.sql_cutoff
    return cutoffs_section(
        cutoffs,
        grade_promises(reference.grade_thresholds, reference.grade_rates),
        agreement=agreement_sheet(evidence_of(bundle), **amounts_of(hindsight.config.cutoff)),
        agreed=lines_of(bundle),
        kept=_kept(hindsight),
        outcome="were won" if bundle.became_sql is None else "became SQL",
    )


def _kept(hindsight: Hindsight) -> Interval | None:
    if hindsight.sql_quality is not None:
        return hindsight.sql_quality.kept
    cutoff = hindsight.bundle.mql_cutoff
    return kept_on_test(hindsight.problem, hindsight.split, *hindsight.test_scores, cutoff)


def drivers_part(hindsight: Hindsight) -> Section:
    """What moves the scores."""
    bundle = hindsight.bundle
    inputs = sample_inputs(hindsight.problem, hindsight.split, hindsight.config)
    matrix = bundle.model.encode(inputs)
    found = bundle.attributor.explain(matrix)
    drivers = global_drivers(bundle.explained_specs, found.contributions)
    return drivers_section(drivers, beeswarm=_beeswarm(hindsight, matrix))


def _beeswarm(hindsight: Hindsight, matrix: Any) -> Any:
    """Draw the contributions of single leads."""
    bundle = hindsight.bundle
    phi, _ = bundle.attributor.log_odds_contributions(matrix)
    return plot_shap_beeswarm(
        phi,
        explained_matrix(bundle.model.statistics, matrix),
        [spec.name for spec in bundle.explained_specs],
        categorical=[spec.name for spec in bundle.specs if spec.kind is Kind.CATEGORICAL],
    )


def provenance_part(hindsight: Hindsight) -> Section:
    """Where the model comes from and what it is for."""
    bundle = hindsight.bundle
    return provenance_section(
        bundle.provenance,
        version=bundle.version,
        inputs=bundle.specs,
        left_out=[
            Suspect(**{**told, "evidence": tuple(told["evidence"])})
            for told in bundle.provenance.get("left_out", ())
        ],
    )
