"""Leads to be scored by the thousand or the million, and the models that score them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from leadlift.config import DataConfig, LeadSchema, SchemaConfig
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.scorer import LeadScorer
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.reference import build_reference
from leadlift.terms import FeatureSpec, Kind

N_NUMBERS = N_TEXTS = 20
LEVELS = (3, 5, 8, 12, 20, 40)
N_TREES, N_LEAVES, N_MEMBERS = 400, 12, 8
N_TRAINING = 40_000
CHUNK_ROWS = 250_000
NUMBERS = [f"number_{j:02d}" for j in range(N_NUMBERS)]
TEXTS = [f"text_{j:02d}" for j in range(N_TEXTS)]


@dataclass(frozen=True)
class Models:
    """What is compared, all of 400 trees of 12 leaves.

    Parameters
    ----------
    booster : lightgbm.Booster
        All trees in one model, on the encoded matrix: its ``predict`` is the base of every ratio.
    trees : ModelBundle
        Eight members of 50 trees and nothing else.
    whole : ModelBundle
        The same with what training may add: a logistic member and target statistics.
    classifier : lightgbm.LGBMClassifier
        What the usual script loads: native categories of a pandas frame.
    """

    booster: lightgbm.Booster
    trees: ModelBundle
    whole: ModelBundle
    classifier: lightgbm.LGBMClassifier


def leads(n: int, seed: int) -> tuple[pa.Table, np.ndarray]:
    """Return `n` leads, twenty numbers with gaps and twenty texts each, and which are won."""
    rng = np.random.default_rng(seed)
    log_odds = np.full(n, -1.5)
    columns: dict[str, pa.Array] = {"lead_id": pa.array([f"L{seed:03d}-{i:08d}" for i in range(n)])}
    for j, name in enumerate(NUMBERS):
        values = np.round(rng.gamma(2.0, 3.0, n), 2) if j % 2 else rng.integers(0, 40, n).astype(float)
        log_odds += 0.08 * (values - 6) * (1 if j % 3 else -1) * (j < 8)
        columns[name] = pa.array(values, mask=rng.random(n) < 0.08)
    for j, name in enumerate(TEXTS):
        n_levels = LEVELS[j % len(LEVELS)]
        codes = rng.integers(0, n_levels, n).astype(np.int32)
        log_odds += 0.4 * np.sin(codes * 1.7 + j) * (j < 6)
        texts = pa.array([f"Level {k} of {name}" for k in range(n_levels)])
        coded = pa.DictionaryArray.from_arrays(pa.array(codes, mask=rng.random(n) < 0.05), texts)
        columns[name] = coded.cast(pa.string())
    # Numbers that matter only together leave the trees something to find.
    log_odds += 0.02 * (columns[NUMBERS[0]].fill_null(20).to_numpy() - 20) * np.sin(codes)
    return pa.table(columns), rng.random(n) < 1 / (1 + np.exp(-log_odds))


def write_leads(folder: Path, n: int, *, csv: bool = True) -> None:
    """Write ``new_<n>.parquet``, and ``.csv``, chunk by chunk."""
    chunk = leads(min(n, CHUNK_ROWS), seed=1)[0]
    parquet = pyarrow.parquet.ParquetWriter(folder / f"new_{n}.parquet", chunk.schema)
    text = pyarrow.csv.CSVWriter(folder / f"new_{n}.csv", chunk.schema) if csv else None
    with parquet:
        for number, start in enumerate(range(0, n, CHUNK_ROWS)):
            chunk = leads(min(CHUNK_ROWS, n - start), seed=1 + number)[0]
            parquet.write_table(chunk)
            if text is not None:
                text.write_table(chunk)
    if text is not None:
        text.close()


def make_models(folder: Path, n_training: int = N_TRAINING) -> Models:
    """Fit the models; the bundles are saved as ``trees`` and ``whole``."""
    table, won = leads(n_training, seed=0)
    inputs = table.select([*NUMBERS, *TEXTS])
    whole = _scorer(max_statistics=5).fit(inputs, won)
    trees = _scorer(max_statistics=0).fit(inputs, won)
    trees.learner_.weight_ = 0.0
    matrix = whole.encoder_.transform(inputs)
    return Models(
        _booster(matrix, won),
        _bundle(trees, inputs, won).save(folder / "trees"),
        _bundle(whole, inputs, won).save(folder / "whole"),
        _classifier(inputs, won),
    )


def _scorer(max_statistics: int) -> LeadScorer:
    rounds = N_TREES // N_MEMBERS
    trees = BaggedTrees(
        n_folds=N_MEMBERS, max_rounds=rounds, patience_rounds=rounds, max_statistics=max_statistics
    )
    return LeadScorer(learner=BlendedLearner(trees=trees))


def _bundle(scorer: LeadScorer, inputs: pa.Table, won: np.ndarray) -> ModelBundle:
    specs = tuple(
        FeatureSpec(name, Kind.NUMERIC if name in NUMBERS else Kind.CATEGORICAL)
        for name in inputs.column_names
    )
    schema = LeadSchema(
        data=DataConfig(leads="leads.csv"),
        roles=SchemaConfig(lead_id="lead_id", outcome="outcome", won=("won",)),
        features=specs,
    )
    base = float(won.mean())
    reference = build_reference(base, scorer.evidence_, specs, inputs, won)
    return ModelBundle.from_scorer(scorer, schema, replace(reference, base=base), provenance={})


def _booster(matrix: np.ndarray, won: np.ndarray) -> lightgbm.Booster:
    options = {"objective": "binary", "num_leaves": N_LEAVES, "max_depth": 6, "learning_rate": 0.05}
    options |= {"feature_fraction": 0.5, "verbose": -1, "num_threads": 1, "seed": 0}
    return lightgbm.train(options, lightgbm.Dataset(matrix, won), num_boost_round=N_TREES)


def _classifier(inputs: pa.Table, won: np.ndarray) -> lightgbm.LGBMClassifier:
    frame = inputs.to_pandas()
    frame[TEXTS] = frame[TEXTS].astype("category")
    model = lightgbm.LGBMClassifier(
        n_estimators=N_TREES, num_leaves=N_LEAVES, learning_rate=0.05, verbose=-1, n_jobs=1
    )
    return model.fit(frame, pd.Series(won))
