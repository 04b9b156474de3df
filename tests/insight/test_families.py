"""Sub-scores of the five families and the base add up to the score, row by row."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs import make_config, make_schema
from laws import law
from leadlift.exceptions import SchemaError
from leadlift.insight.explain import explain
from leadlift.insight.families import family_scores, sub_scores
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.calibration import get_calibrator
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.scorer import LeadScorer
from leadlift.serving.bundle import ModelBundle, Reference
from leadlift.serving.predict import score_table
from leadlift.terms import Family, FeatureSpec, Kind
from pair_leads import pair_leads

ROUNDING = 1e-12
FAMILIES = [family.value for family in Family]


def spec(name, family=Family.OTHER):
    return FeatureSpec(name, Kind.NUMERIC, family)


@law
@given(families=st.lists(st.sampled_from(Family), max_size=7), seed=st.integers(0, 99))
def test_each_contribution_is_counted_once_and_the_residual_under_other(families, seed):
    rng = np.random.default_rng(seed)
    contributions, residual = rng.normal(size=(4, len(families))), rng.normal(size=4)
    scores = family_scores([spec("x", family) for family in families], contributions, residual)
    assert list(scores) == FAMILIES
    total = contributions.sum(axis=1) + residual
    np.testing.assert_allclose(sum(scores.values()), total, atol=ROUNDING)
    without = sum(score for name, score in scores.items() if name != "other")
    named = [family is not Family.OTHER for family in families]
    np.testing.assert_allclose(without, contributions[:, named].sum(axis=1), atol=ROUNDING)


@pytest.fixture(scope="module")
def leads():
    X, won = pair_leads(2000, n_regions=20)
    table = pa.table({"region": [f"R{int(code)}" for code in X[:, 0]], "product": X[:, 1], "size": X[:, 2]})
    return table, won


@pytest.fixture(scope="module")
def bundle(leads):
    learner = BlendedLearner(BaggedTrees(max_rounds=30, learning_rate=0.1, n_jobs=1), n_folds=4)
    scorer = LeadScorer(learner=learner, calibrator=get_calibrator("isotonic")).fit(*leads)
    kinds = {"region": Kind.CATEGORICAL, "product": Kind.NUMERIC, "size": Kind.NUMERIC}
    return ModelBundle.from_scorer(scorer, make_schema(make_config(), kinds), Reference(0.3, {}, {}, ()), {})


def test_the_scored_table_adds_up_row_by_row(bundle, leads):
    table = leads[0].append_column("lead_id", pa.array(range(2000)).cast(pa.string()))
    scored = score_table(bundle, table)
    parts = np.column_stack([scored[name].to_numpy() for name in ("base", *FAMILIES)])
    np.testing.assert_allclose(parts.sum(axis=1), scored["score"].to_numpy(), rtol=0, atol=ROUNDING)
    assert len(np.unique(parts[:, 0])) == 1


def test_sub_scores_of_an_explanation_are_those_of_the_scored_table(bundle, leads):
    found = sub_scores(explain(bundle.scorer, leads[0]), bundle.explained_specs)
    table = leads[0].append_column("lead_id", pa.array(range(2000)).cast(pa.string()))
    scored = score_table(bundle, table)
    assert found.column_names == ["score", "base", *FAMILIES]
    for name in found.column_names:
        np.testing.assert_array_equal(found[name].to_numpy(), scored[name].to_numpy())


def test_specs_of_another_model_are_refused():
    explained = pa.table({"score": [0.5], "base": [0.4], "visits": [0.1], "residual": [0.0]})
    with pytest.raises(SchemaError, match=r"stand on one side only: 'size', 'visits'; pass the specs"):
        sub_scores(explained, [spec("size")])


@pytest.mark.real_data
def test_the_score_of_every_lead_of_x_education_is_the_sum_of_its_parts(real_data):
    frame = pd.read_csv(real_data / "xeducation" / "Leads.csv", na_values=["Select"])
    won = frame.pop("Converted").to_numpy()
    frame = frame.drop(columns=["Prospect ID", "Lead Number"])
    learner = BlendedLearner(BaggedTrees(max_rounds=40, learning_rate=0.2, n_jobs=1), n_folds=3)
    explained = explain(LeadScorer(learner=learner).fit(frame, won), frame)
    whole = sum(explained[name].to_numpy() for name in explained.column_names if name != "score")
    np.testing.assert_allclose(whole, explained["score"].to_numpy(), rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(explained["residual"].to_numpy(), 0, atol=1e-9)
