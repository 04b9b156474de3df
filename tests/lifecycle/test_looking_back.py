"""A model is looked back at through leads it has not seen, or not at all."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from configs import make_config, make_schema
from leadlift.config import read_config
from leadlift.data.observations import make_observations
from leadlift.data.reading import leads_from
from leadlift.exceptions import ConfigError, InputError, SchemaError
from leadlift.learning import metrics
from leadlift.lifecycle import looking_back
from leadlift.lifecycle.looking_back import look_back
from leadlift.lifecycle.preparing import Problem
from leadlift.terms import LEAD_ID, FeatureSpec, Kind


def with_leads(config, path):
    return config.model_copy(update={"data": config.data.model_copy(update={"leads": str(path)})})


def with_insight(config, **asked):
    return config.model_copy(update={"insight": config.insight.model_copy(update=asked)})


@pytest.fixture
def config(workspace):
    return read_config(workspace.config)


def as_text(path):
    """The file's cells as they stand."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


@pytest.fixture
def write(tmp_path):
    def to_file(table):
        path = tmp_path / "leads.csv"
        table.to_csv(path, index=False)
        return path

    return to_file


def test_the_leads_of_training_are_tested_where_training_tested_them(config, bundle):
    hindsight = look_back(config, bundle)
    test = hindsight.split.test
    told = bundle.provenance["quality"][0]
    again = metrics.quality_table(hindsight.problem.y[test], {"leadlift": hindsight.test_scores[0]})
    assert hindsight.is_of_training
    assert len(test) == bundle.provenance["n_test"]
    assert again.to_pylist()[0] == told


def test_of_leads_that_came_after_training_all_are_tested_and_no_other(workspace, config, bundle, write):
    table = as_text(workspace.leads)
    later = table.assign(lead_id="later " + table["lead_id"])
    for name in ("created_at", "closed_at"):
        moved = pd.to_datetime(table[name]) + pd.Timedelta(days=400)
        later[name] = moved.dt.strftime("%Y-%m-%dT%H:%M:%SZ").fillna("")
    hindsight = look_back(with_leads(config, write(pd.concat([table, later]))), bundle)
    later = np.flatnonzero(hindsight.problem.as_of > np.datetime64(bundle.provenance["as_of_range"][1]))
    assert not hindsight.is_of_training
    assert len(later) > 1000
    assert sorted(hindsight.split.test) == later.tolist()


def test_settings_changed_since_training_do_not_turn_leads_learnt_from_into_unseen_ones(config, bundle):
    changed = config.model_copy(update={"model": config.model.model_copy(update={"test_share": 0.5})})
    assert (look_back(changed, bundle).split.test == look_back(config, bundle).split.test).all()


def test_a_lead_of_which_an_earlier_moment_was_known_is_not_unseen_later():
    """Leads are looked at on the day of their creation and 30 days on; the model knows of 60 days."""
    created = np.datetime64("2025-01-01", "us") + np.arange(200) * np.timedelta64(1, "D")
    rows = {"id": [f"L{i}" for i in range(200)], "created": created.astype(str)}
    rows["closed"] = (created + np.timedelta64(40, "D")).astype(str)
    rows |= {"stage": ["Won" if i % 3 else "Lost" for i in range(200)], "visits": [i % 7 for i in range(200)]}
    roles = {"lead_id": "id", "created_at": "created", "closed_at": "closed", "horizon_days": 30.0}
    config = make_config(**roles)
    leads = leads_from(pa.table(rows), config)
    observations = make_observations(leads, horizon_days=30.0, at_days=(0.0, 30.0))
    specs = (FeatureSpec("visits", Kind.NUMERIC),)
    inputs = leads.table.select(["visits"]).take(pa.array(observations.index))
    problem = Problem(
        make_schema(config, {"visits": Kind.NUMERIC}),
        inputs,
        specs,
        None,
        observations,
        None,
        (),
        200,
        leads.table,
    )
    known = SimpleNamespace(provenance={"as_of_range": [str(created[0]), str(created[60])]})
    split = looking_back._later(problem, known, config)
    tested = {int(name[1:]) for name in observations.lead_id[split.test]}
    # Created after the last moment the model knows; of each, one moment.
    assert tested == set(range(61, 200)) - {i for i in range(200) if f"L{i}" not in observations.lead_id}
    assert len(split.test) == len(tested)
    assert not tested & {int(name[1:]) for name in observations.lead_id[split.train]}


def test_changed_leads_without_later_ones_cannot_say_how_good_a_model_is(workspace, config, bundle, write):
    fewer = write(as_text(workspace.leads)[10:])
    with pytest.raises(InputError, match="has changed since the model was trained"):
        look_back(with_leads(config, fewer), bundle)


def test_a_missing_input_is_named(workspace, config, bundle, write):
    gone = bundle.schema.feature_names[0]
    table = as_text(workspace.leads).drop(columns=gone)
    with pytest.raises(SchemaError, match=f"(?s)lacks inputs of the model.*{gone}"):
        look_back(with_leads(config, write(table)), bundle)


def test_a_column_that_is_not_there_cannot_be_looked_at(config, bundle):
    with pytest.raises(ConfigError, match=r"\[insight\] names 'colour'"):
        look_back(with_insight(config, segments=("colour",)), bundle)


def test_what_is_told_of_a_row_is_told_of_its_lead(config, bundle):
    hindsight = look_back(config, bundle)
    rows = hindsight.split.test[::7]
    told = hindsight.told(rows)[LEAD_ID].to_numpy(zero_copy_only=False)
    assert (told == hindsight.problem.observations.lead_id[rows]).all()


def test_every_lead_has_one_first_moment(config, bundle):
    hindsight = look_back(config, bundle)
    ids = hindsight.problem.observations.lead_id
    assert len(hindsight.first) == len(set(ids))
    assert len(set(ids[hindsight.first])) == len(set(ids))
