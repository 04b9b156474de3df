"""A cut-off by what each lead is worth survives the bundle and decides the stage of each new lead."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from leadlift.exceptions import ConfigError
from leadlift.learning.cutoff import Value
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.predict import score_table
from leadlift.terms import Kind, LeadValue


def with_cutoff(bundle, cutoff):
    """The bundle with another MQL cut-off and no SQL one."""
    scorer = type(bundle.scorer)()
    scorer.__dict__.update(bundle.scorer.__dict__ | {"cutoff_": cutoff, "sql_cutoff_": None})
    return bundle.with_scorers(scorer)


def test_each_new_lead_is_held_to_the_threshold_of_its_level(bundle, workspace, tmp_path):
    frame = pd.read_csv(workspace.new_leads, dtype=str, keep_default_na=False)
    column = next(spec.name for spec in bundle.schema.features if spec.kind is Kind.CATEGORICAL)
    level = frame[column][frame[column] != ""].mode()[0]
    worth = LeadValue(column, contact_cost=10, default=100, values={level: 1000})
    cutoff = replace(bundle.scorer.cutoff_, threshold=0.1, tie_break=None, per_lead=worth)
    with_cutoff(bundle, cutoff).save(tmp_path / "bundle")
    loaded = ModelBundle.load(tmp_path / "bundle")
    assert loaded.scorer.cutoff_ == cutoff
    scored = score_table(loaded, frame)
    edge = np.where(frame[column] == level, 0.01, 0.1)
    is_mql = np.array(scored["stage"].to_pylist()) == "MQL"
    assert np.array_equal(is_mql, scored["score"].to_numpy() >= edge)
    assert 0 < is_mql.sum() < len(frame)


def test_evidence_read_from_a_bundle_holds_no_inputs(bundle):
    with pytest.raises(ConfigError, match="came without named columns"):
        bundle.scorer.choose_cutoff(Value(100, 10, win_value_column="source"))
