"""Bundles of a model fitted on a few made-up leads, for tests that ask which bundle stands where."""

from dataclasses import replace

import numpy as np
import pandas as pd

from leadlift.config import DataConfig, LeadSchema, SchemaConfig
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.cutoff import FixedThreshold
from leadlift.learning.scorer import LeadScorer
from leadlift.serving.bundle import ModelBundle, Reference
from leadlift.terms import Family, FeatureSpec, Kind


def made_up_leads(n=400):
    """Leads with an id, visits and a source, some of them missing."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": [f"L{i}" for i in range(n)],
            "visits": rng.poisson(3, n).astype(float),
            "source": rng.choice(["ads", "fair", "web"], n),
        }
    )
    frame.loc[::9, "visits"] = np.nan
    frame.loc[::7, "source"] = None
    return frame


def fitted_bundle(leads):
    """A bundle of a model of these leads, not saved."""
    rng = np.random.default_rng(1)
    won = rng.random(len(leads)) < 1 / (1 + np.exp(2 - leads["visits"].fillna(2) / 2))
    learner = BlendedLearner(trees=BaggedTrees(n_folds=2, max_rounds=20))
    scorer = LeadScorer(learner=learner, cutoff=FixedThreshold(0.4)).fit(leads[["visits", "source"]], won)
    schema = LeadSchema(
        data=DataConfig(leads="leads.csv"),
        roles=SchemaConfig(lead_id="id", outcome="won", won=("1",)),
        features=(
            FeatureSpec("visits", Kind.NUMERIC, Family.ENGAGEMENT),
            FeatureSpec("source", Kind.CATEGORICAL, Family.SOURCE),
        ),
    )
    rates = {"A": (100, 80), "B": (100, 50), "C": (100, 20), "D": (100, 5)}
    reference = Reference(0.2, {"A": 0.6, "B": 0.4, "C": 0.2}, rates, (0.0, 1.0))
    return ModelBundle.from_scorer(scorer, schema, reference, {})


def versions_of(bundle, names):
    """Bundles with the same scores and another version each."""
    return [replace(bundle, provenance={"data_sha256": name}) for name in names]
