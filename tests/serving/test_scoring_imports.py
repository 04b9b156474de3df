"""Scoring needs what scores: no scikit-learn, no LightGBM of Python, nothing that only learning takes."""

import json
import subprocess
import sys
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from behaviour import COLUMNS, make_behaviour
from configs import make_config, make_schema
from leadlift.data.events import events_from
from leadlift.data.history import history_from
from leadlift.features.builder import FeatureBuilder
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.calibration import get_calibrator
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.fitted.blend import Segment
from leadlift.learning.scorer import LeadScorer
from leadlift.serving.bundle import ModelBundle, Reference
from leadlift.serving.predict import score_table
from leadlift.serving.restoring import restored_learner
from leadlift.terms import Kind
from pair_leads import pair_leads

KINDS = {"region": Kind.CATEGORICAL, "product": Kind.NUMERIC, "size": Kind.NUMERIC}
REFERENCE = Reference(0.3, {"A": 0.6, "B": 0.4, "C": 0.2}, {}, ())
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
OF_LEARNING = {"scipy", "sklearn", "mlflow", "shap", "optuna", "matplotlib", "polars"}

# Scores every bundle in a process in which some packages are as good as not installed.
SCORE = """
import json, sys

refused = set({refused!r})

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ImportError(f"{{name}} is not installed")

sys.meta_path.insert(0, NotInstalled())

from datetime import datetime
from leadlift.serving.predict import predict

as_of = datetime.fromisoformat({as_of!r})
told = [
    predict(bundle, leads, out=out, as_of=as_of, **more).to_dict()
    for bundle, leads, out, more in {jobs!r}
]
print(json.dumps({{"told": told, "lightgbm": "lightgbm" in sys.modules}}))
"""


def scored_without(packages, jobs):
    """Score `jobs` in a process without some packages; what the process said."""
    code = SCORE.format(refused=sorted(packages), as_of=AS_OF.isoformat(), jobs=jobs)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def as_table(X):
    region = pa.array([f"r{code:.0f}" for code in X[:, 0]])
    ids = pa.array([f"L{row}" for row in range(len(X))])
    return pa.table({"lead_id": ids, "region": region, "product": X[:, 1], "size": X[:, 2]})


@pytest.fixture(scope="module")
def bundle():
    X, won = pair_leads(1500, n_regions=12)
    learner = BlendedLearner(BaggedTrees(max_rounds=30, learning_rate=0.1, n_jobs=1), n_folds=3)
    scorer = LeadScorer(learner=learner, calibrator=get_calibrator("beta"))
    scorer.fit(as_table(X).drop_columns("lead_id"), won)
    scorer.learner_.weight_ = 0.3
    schema = make_schema(make_config(lead_id="lead_id"), KINDS)
    return ModelBundle.from_scorer(scorer, schema, REFERENCE, {})


def with_segments(bundle):
    """The bundle with a model of its own for one region."""
    blend = bundle.model.blend
    segments = (Segment(1.0, 0.5, replace(blend, weight=0.6)),)
    scorer = copy(bundle.scorer)
    scorer.learner_ = restored_learner(replace(blend, segments=segments), n_columns=len(KINDS))
    return bundle.with_scorers(scorer)


@pytest.fixture(scope="module")
def flat_bundles(bundle):
    return {
        "one label": bundle,
        "two labels": bundle.with_scorers(sql_scorer=bundle.scorer),
        "segments": with_segments(bundle),
    }


@pytest.fixture(scope="module")
def leads():
    return as_table(pair_leads(300, n_regions=14, seed=1)[0])


def test_a_flat_bundle_is_scored_where_nothing_of_learning_is_installed(flat_bundles, leads, tmp_path):
    pq.write_table(leads, tmp_path / "leads.parquet")
    jobs = []
    for name, bundle in flat_bundles.items():
        bundle.save(tmp_path / name)
        out = str(tmp_path / f"{name}.parquet")
        jobs.append((str(tmp_path / name), str(tmp_path / "leads.parquet"), out, {}))
    said = scored_without(OF_LEARNING | {"duckdb", "pandas"}, jobs)
    assert said["lightgbm"] is False
    assert [told["rows_in"] for told in said["told"]] == [300] * 3
    for name, bundle in flat_bundles.items():
        expected = bundle.scorer.predict_proba(leads.drop_columns("lead_id"))[:, 1]
        assert pq.read_table(tmp_path / f"{name}.parquet")["score"].to_numpy().tobytes() == expected.tobytes()


def test_a_bundle_with_events_and_free_text_is_scored_where_nothing_of_learning_is_installed(tmp_path):
    behaviour = make_behaviour(150, seed=3, at_days=(30.0,))
    observations, leads, events, history = behaviour
    builder = FeatureBuilder(text=("note",), windows_days=(7.0,))
    features = builder.fit_transform(observations, leads=leads, columns=COLUMNS, **behaviour.sources())
    scorer = LeadScorer().fit(features, observations.y)
    schema = make_schema(make_config(lead_id="lead_id"), {spec.name: spec.kind for spec in COLUMNS})
    ModelBundle.from_scorer(scorer, schema, REFERENCE, {}, builder=builder).save(tmp_path / "model")
    tables = {"leads": leads, "events": events, "history": history}
    for name, table in tables.items():
        pq.write_table(table, tmp_path / f"{name}.parquet")
    more = {name: str(tmp_path / f"{name}.parquet") for name in ("events", "history")}
    job = (str(tmp_path / "model"), str(tmp_path / "leads.parquet"), str(tmp_path / "scored.parquet"), more)
    said = scored_without(OF_LEARNING, [job])
    assert (said["lightgbm"], said["told"][0]["rows_in"]) == (False, 150)
    here = score_table(
        ModelBundle.load(tmp_path / "model"),
        leads,
        as_of=AS_OF,
        events=events_from(events),
        history=history_from(history),
    )
    scored = pq.read_table(tmp_path / "scored.parquet")
    assert scored["score"].equals(here["score"])
    assert scored["score"].null_count < 150


def test_the_estimator_is_made_when_it_is_asked_for(bundle, leads, tmp_path):
    bundle.save(tmp_path / "model")
    loaded = ModelBundle.load(tmp_path / "model")
    score_table(loaded, leads)
    assert "scorer" not in vars(loaded.won)
    assert loaded.scorer is loaded.scorer
    inputs = leads.drop_columns("lead_id")
    matrix = loaded.model.encode(inputs)
    for one, other in zip(loaded.scorer.score_matrix(matrix), bundle.model.score(matrix), strict=True):
        assert one.tobytes() == other.tobytes()
    assert np.array_equal(loaded.scorer.encoder_.transform(inputs), matrix, equal_nan=True)
