"""Scored leads of sixty columns, their inputs and what became of them, for the cost of monitoring."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from leadlift.config import DataConfig, LeadSchema, SchemaConfig
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.scorer import LeadScorer
from leadlift.serving.batch import grades
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.reference import build_reference
from leadlift.serving.score_store import open_score_store
from leadlift.serving.scored_columns import SCORED_SCHEMA
from leadlift.serving.scoring import watch_of
from leadlift.terms import FeatureSpec, Kind

N_NUMBERS = N_TEXTS = 30
NUMBERS = [f"number_{i:02d}" for i in range(N_NUMBERS)]
TEXTS = [f"text_{i:02d}" for i in range(N_TEXTS)]
LEVELS = (3, 5, 8, 12, 20, 40)
N_TRAINING = 20_000
FIRST = datetime(2026, 1, 5, 2, tzinfo=UTC)
WEEK = timedelta(days=7)
SPECS = tuple(
    FeatureSpec(name, Kind.NUMERIC if name in NUMBERS else Kind.CATEGORICAL) for name in (*NUMBERS, *TEXTS)
)


def inputs(n: int, seed: int) -> pa.Table:
    """Return numbers, skewed, tied or mostly nought, and texts of 3 to 40 levels; some are missing."""
    rng = np.random.default_rng(seed)
    columns = {}
    for i, name in enumerate(NUMBERS):
        drawn = (rng.gamma(2.0, 3.0, n), rng.integers(0, 40, n).astype(float), _rare(rng, n))[i % 3]
        columns[name] = pa.array(drawn, mask=rng.random(n) < 0.03 * (i % 4))
    for i, name in enumerate(TEXTS):
        levels = pa.array([f"level {k} of {name}" for k in range(LEVELS[i % len(LEVELS)])])
        codes = rng.integers(0, len(levels), n).astype(np.int32)
        coded = pa.DictionaryArray.from_arrays(pa.array(codes, mask=rng.random(n) < 0.05), levels)
        columns[name] = coded.cast(pa.string())
    return pa.table(columns)


def _rare(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.where(rng.random(n) < 0.1, rng.lognormal(3, 0.8, n), 0.0)


def make_bundle(folder: Path) -> ModelBundle:
    """Fit a small model, save it and return it."""
    table = inputs(N_TRAINING, 0)
    z = 0.1 * (table["number_00"].fill_null(6).to_numpy() - 6) - 1.5
    won = np.random.default_rng(0).random(len(table)) < 1 / (1 + np.exp(-z))
    trees = BaggedTrees(n_folds=2, max_rounds=20, patience_rounds=20, max_statistics=0)
    scorer = LeadScorer(learner=BlendedLearner(trees=trees)).fit(table, won)
    roles = SchemaConfig(
        lead_id="lead_id", outcome="outcome", closed_at="closed_at", won=("won",), lost=("lost",)
    )
    schema = LeadSchema(data=DataConfig(leads="leads.csv"), roles=roles, features=SPECS)
    reference = build_reference(float(won.mean()), scorer.evidence_, SPECS, table, won)
    return ModelBundle.from_scorer(scorer, schema, reference, provenance={}).save(folder)


def scored(bundle: ModelBundle, n: int, week: int) -> pa.Table:
    """Return leads as if scored by the model, without drift: their scores are drawn from its evidence."""
    rng = np.random.default_rng(1_000 + week)
    score = np.interp(rng.random(n), np.linspace(0, 1, 21), bundle.reference.score_quantiles)
    stage = np.where(score >= bundle.mql_cutoff.threshold, "MQL", "none")
    given = {
        "lead_id": pa.array([f"L{week:02d}-{i:07d}" for i in range(n)]),
        "as_of": pa.array([FIRST + week * WEEK] * n, pa.timestamp("us", tz="UTC")),
        "score": pa.array(score),
        "grade": pa.array(grades(score, bundle.reference.grade_thresholds).tolist(), pa.string()),
        "stage": pa.array(stage),
        "model_stage": pa.array(stage),
        "status": pa.array(["scored"] * n),
        "model_version": pa.array([bundle.version] * n),
    }
    return pa.table(
        [given.get(field.name, pa.nulls(n, field.type)).cast(field.type) for field in SCORED_SCHEMA],
        schema=SCORED_SCHEMA,
    )


def outcomes(table: pa.Table, week: int) -> pa.Table:
    """Return what became of scored leads, as likely as their scores say."""
    rng = np.random.default_rng(2_000 + week)
    n = len(table)
    won = rng.random(n) < table["score"].to_numpy()
    closed = table["as_of"].to_numpy() + rng.integers(1, 60, n).astype("timedelta64[D]")
    return pa.table(
        {
            "lead_id": table["lead_id"],
            "outcome": np.where(won, "won", "lost"),
            "closed_at": pa.array(closed, pa.timestamp("us", tz="UTC")),
        }
    )


def write_all(folder: Path, n: int, n_weeks: int) -> None:
    """Write a bundle, and what there is to monitor of it.

    Of `n` leads in weekly batches ``store`` and ``outcomes_store.parquet``; of `n` leads in one batch
    ``scored.parquet``, ``inputs.parquet`` and ``outcomes.parquet``; and ``bundle``, that scored them.
    """
    bundle = make_bundle(folder / "bundle")
    store, watch = open_score_store(str(folder / "store")), watch_of(bundle)
    ended, n_batch = [], n // n_weeks
    for week in range(n_weeks):
        table, columns = scored(bundle, n_batch, week), inputs(n_batch, 100 + week)
        counts = watch.count(columns, table["score"].to_numpy(), np.arange(1, n_batch + 1))
        store.add(table, counts)
        ended.append(outcomes(table, week))
    whole = scored(bundle, n, n_weeks)
    ended.append(outcomes(whole, n_weeks))
    pyarrow.parquet.write_table(whole, folder / "scored.parquet")
    pyarrow.parquet.write_table(pa.concat_tables(ended[:-1]), folder / "outcomes_store.parquet")
    pyarrow.parquet.write_table(ended[-1], folder / "outcomes.parquet")
    columns = inputs(n, 99)
    named = columns.add_column(0, "lead_id", whole["lead_id"])
    pyarrow.parquet.write_table(named, folder / "inputs.parquet")
