"""A job scores by tables, unless something speaks against them: then by LightGBM, with a word."""

from dataclasses import replace

import pyarrow as pa
import pytest

from leadlift.data.new_leads import iter_batches
from leadlift.exceptions import BundleError, ConfigError, LeadliftError
from leadlift.learning.fitted.blend import Blend
from leadlift.serving import engine_choice
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.engine_choice import choose_engine, require_engine
from leadlift.serving.probe import make_probe


@pytest.fixture(scope="module")
def probed(bundle):
    return with_probe(bundle, make_probe(bundle.model))


def with_probe(bundle, probe) -> ModelBundle:
    return replace(bundle, won=replace(bundle.won, probe=probe))


@pytest.fixture(scope="module")
def first(bundle, workspace):
    batch = next(iter_batches(workspace.new_leads, bundle.schema, batch_rows=200))
    return pa.table(batch).select([column.name for column in bundle.model.columns])


@pytest.mark.parametrize(("asked", "chosen"), [("auto", "fast"), ("fast", "fast"), ("plain", "plain")])
def test_a_sound_model_gets_what_was_asked_for(probed, first, asked, chosen):
    found = choose_engine(probed, asked, first)
    assert (found.name, found.note, found.bundle.model.blend.forest.engine) == (chosen, "", chosen)


def test_where_numba_is_missing_it_says_what_that_costs(probed, first, monkeypatch):
    monkeypatch.setattr(engine_choice, "is_compiled", lambda: False)
    found = choose_engine(probed, "auto", first)
    assert (found.name, found.note.partition(":")[0]) == ("fast", "numba is missing")


@pytest.fixture
def faulty(monkeypatch):
    monkeypatch.setattr(Blend, "table_fault", lambda *_: "a leaf fell off")


def test_tables_with_a_fault_give_way_to_lightgbm_with_a_word(probed, first, faulty):
    found = choose_engine(probed, "auto", first)
    assert (found.name, found.note) == ("plain", "LightGBM scores, not tables: a leaf fell off")
    assert found.bundle.model.blend.forest.engine == "lightgbm"  # nor does it explain by them


def test_who_insists_on_tables_with_a_fault_gets_an_error(probed, first, faulty):
    with pytest.raises(LeadliftError, match="engine 'fast' cannot score this model: a leaf fell off; leave"):
        choose_engine(probed, "fast", first)


@pytest.mark.parametrize("engine", ["auto", "fast", "plain"])
def test_a_model_that_scores_otherwise_than_when_it_was_saved_is_refused(probed, first, engine):
    probe = probed.won.probe
    changed = with_probe(probed, probe | {"score": [0.5] * len(probe["score"])})
    with pytest.raises(BundleError, match="the model does not score as when it was saved: the scores of"):
        choose_engine(changed, engine, first)


def test_bundles_of_before_there_were_probes_are_scored(probed, first):
    assert choose_engine(with_probe(probed, None), "auto", first).name == "fast"


def test_an_engine_nobody_knows_is_refused():
    with pytest.raises(ConfigError, match="engine: expected one of auto, fast, plain, got 'quick'"):
        require_engine("quick")
