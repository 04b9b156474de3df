"""A probe tells a model that scores as it did from one that does not."""

import json

import numpy as np
import pyarrow as pa
import pytest

from leadlift.learning.blending import BlendedLearner
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.scorer import LeadScorer
from leadlift.serving.probe import N_ROWS, check_probe, make_probe


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(0)
    source, visits = rng.choice(["ads", "fair", "web"], 800), rng.normal(size=800)
    visits[::5] = np.nan
    won = rng.random(800) < np.where(source == "fair", 0.7, 0.3)
    table = pa.table({"source": source, "visits": pa.array(visits, from_pandas=True)})
    learner = BlendedLearner(BaggedTrees(n_folds=2, max_rounds=20, n_jobs=1), n_folds=2)
    return LeadScorer(learner=learner).fit(table, won).fitted


@pytest.fixture(scope="module")
def probe(model):
    return json.loads(json.dumps(make_probe(model), allow_nan=False))


@pytest.mark.parametrize("engine", ["fast", "plain", "lightgbm"])
def test_every_engine_passes_the_probe_of_its_model(model, probe, engine):
    assert check_probe(model.using(engine), probe) == ""


def test_the_rows_are_the_same_for_a_seed_and_hold_what_is_missing_and_what_is_unseen(model, probe):
    assert make_probe(model) == probe
    assert make_probe(model, seed=1)["rows"] != probe["rows"]
    sources, visits = zip(*probe["rows"], strict=True)
    assert len(sources) == N_ROWS
    assert {None, 0.0, 1.0, 2.0, 3.0} == set(sources)  # three levels, one never seen, and none
    assert None in visits


@pytest.mark.parametrize("number", ["log_odds", "score"])
@pytest.mark.parametrize("change", [1e-6, float("nan")])
def test_another_score_is_told(model, probe, number, change):
    changed = probe | {number: [probe[number][0] + change, *probe[number][1:]]}
    assert "the bundle's 64 probe rows differ from those stored by up to" in check_probe(model, changed)


def test_the_last_bit_of_another_machine_is_not(model, probe):
    near = probe | {"log_odds": [float(np.nextafter(z, np.inf)) for z in probe["log_odds"]]}
    assert check_probe(model, near) == ""


def test_a_walker_that_takes_a_wrong_turn_on_a_threshold_is_told(model, probe):
    rows = [[source, visits and float(np.nextafter(visits, np.inf))] for source, visits in probe["rows"]]
    assert "probe rows differ" in check_probe(model, probe | {"rows": rows})
