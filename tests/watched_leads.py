"""Leads with many columns, tied, skewed and with missing values, and the reference of a model of them."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pyarrow as pa

from leadlift.learning.cutoff.evidence import Evidence
from leadlift.serving.bundle import Reference
from leadlift.serving.reference import build_reference
from leadlift.serving.scoring import watch_of
from leadlift.terms import FeatureSpec, Interval, Kind

SHAPES = ("income", "clicks", "rate", "rare", "source", "campaign")
N_TRAINED = 8_000
CAMPAIGNS = [f"campaign {i}" for i in range(60)]


@dataclass(frozen=True)
class WatchedBundle:
    """As much of a bundle as drift needs."""

    specs: tuple[FeatureSpec, ...]
    reference: Reference
    builder: object = None
    mql_cutoff: object = field(
        default_factory=lambda: SimpleNamespace(per_week=Interval(50.0, 42.0, 59.0, 0.95))
    )


def specs(n_columns):
    """Columns of all shapes in turn."""
    names = [f"{SHAPES[i % len(SHAPES)]}_{i // len(SHAPES)}" for i in range(n_columns)]
    kinds = [Kind.CATEGORICAL if name[0] in "sc" and "cl" not in name else Kind.NUMERIC for name in names]
    return tuple(map(FeatureSpec, names, kinds))


def leads(n_rows, n_columns, seed):
    """Inputs of leads; every column of a shape has other values and another share missing."""
    rng = np.random.default_rng(seed)
    drawn = {}
    for i, spec in enumerate(specs(n_columns)):
        values = _values(spec.name.rpartition("_")[0], rng, n_rows)
        drawn[spec.name] = pa.array(values, mask=rng.random(n_rows) < 0.03 * (i % 4))
    return pa.table(drawn)


def _values(shape, rng, n_rows):
    """Values of one shape: skewed, few and tied, bounded, mostly nought, three levels, sixty levels."""
    match shape:
        case "income":
            return rng.lognormal(10, 1, n_rows)
        case "clicks":
            return rng.poisson(0.7, n_rows).astype(float)
        case "rate":
            return rng.beta(2, 5, n_rows)
        case "rare":
            return np.where(rng.random(n_rows) < 0.1, rng.lognormal(3, 0.8, n_rows), 0.0)
        case "source":
            return rng.choice(["web", "fair", "radio"], n_rows, p=[0.6, 0.3, 0.1])
        case _:
            weights = 1 / np.arange(1, len(CAMPAIGNS) + 1)
            return rng.choice(CAMPAIGNS, n_rows, p=weights / weights.sum())


def scores(n_rows, seed):
    """Scores without drift."""
    return np.random.default_rng(seed).beta(2, 5, n_rows)


def watched_bundle(n_columns, seed=0, **values):
    """A bundle that was trained on such leads."""
    score = scores(4_000, seed)
    evidence = Evidence(score, score, score > 0.5)
    inputs = leads(N_TRAINED, n_columns, seed)
    described = specs(n_columns)
    reference = build_reference(0.3, evidence, described, inputs, np.ones(N_TRAINED, dtype=bool))
    return WatchedBundle(described, reference, **values)


def counted(bundle, inputs, seed=1):
    """Counts of a batch of leads."""
    n_rows = inputs.num_rows
    return watch_of(bundle).count(inputs, scores(n_rows, seed), np.arange(1, n_rows + 1))


def with_column(inputs, name, values):
    """The same leads, one column replaced."""
    return inputs.set_column(inputs.column_names.index(name), name, pa.array(values))
