"""A model of the simulated year as a bundle, and its scores as a scored table: what monitoring reads."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from leadlift.config import DataConfig, LeadSchema, SchemaConfig
from leadlift.data.values import is_number
from leadlift.serving.batch import grades
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.label_model import LabelModel
from leadlift.serving.reference import build_reference
from leadlift.serving.scored_columns import SCORED_SCHEMA
from leadlift.terms import FeatureSpec, Kind, Stage, Status
from simulated_year import HORIZON_DAYS, Market, Model


def bundle_of(market: Market, model: Model) -> ModelBundle:
    """Return a bundle in memory; its learner is too light to be saved, which monitoring does not ask."""
    inputs = market.inputs.take(pa.array(model.rows))
    specs = tuple(_spec(field) for field in inputs.schema)
    evidence = model.scorer.evidence_
    reference = build_reference(float(evidence.won.mean()), evidence, specs, inputs, market.won[model.rows])
    roles = SchemaConfig(
        lead_id="lead_id",
        outcome="outcome",
        won=("won",),
        lost=("lost",),
        open=("open",),
        created_at="created_at",
        closed_at="closed_at",
        horizon_days=HORIZON_DAYS,
    )
    schema = LeadSchema(data=DataConfig(leads="leads.csv"), roles=roles, features=specs)
    scorer = model.scorer
    label = LabelModel(scorer.fitted, scorer.cutoff_, None, lambda: scorer)
    return ModelBundle(label, schema, reference, {}, version=f"day {model.made_on_day}")


def scored_table(market: Market, bundle: ModelBundle, rows: np.ndarray, score: np.ndarray) -> pa.Table:
    """Return leads as the bundle's model scored them at their creation."""
    cutoff, thresholds = bundle.mql_cutoff, bundle.reference.grade_thresholds
    stage = np.where(score >= cutoff.threshold, Stage.MQL.value, Stage.NONE.value)
    columns = {
        "lead_id": market.lead_id.take(pa.array(rows)),
        "as_of": pa.array(market.created_at[rows]).cast(pa.timestamp("us", tz="UTC")),
        "score": score,
        "score_0_100": np.round(score * 100).astype(np.int32),
        "grade": grades(score, thresholds),
        "stage": stage,
        "model_stage": stage,
        "stage_reason": np.full(len(rows), "score"),
        "status": np.full(len(rows), Status.SCORED.value),
        "model_version": np.full(len(rows), bundle.version),
    }
    filled = {field.name: columns.get(field.name, pa.nulls(len(rows), field.type)) for field in SCORED_SCHEMA}
    return pa.table(filled).cast(SCORED_SCHEMA)


def _spec(field: pa.Field) -> FeatureSpec:
    return FeatureSpec(field.name, Kind.NUMERIC if is_number(field.type) else Kind.CATEGORICAL)
