"""A pair of columns is one reason, a column's statistics belong to the column, and the sums stay exact."""

import json

import lightgbm as lgb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs import make_config, make_schema
from laws import law
from leadlift.insight.attribution import Attributor
from leadlift.insight.drivers import global_drivers
from leadlift.insight.explain import explain
from leadlift.insight.explained import explained_matrix, explained_specs
from leadlift.insight.reasons import strongest_reasons
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.calibration import get_calibrator
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.scorer import LeadScorer
from leadlift.learning.target_statistics import CellStatistics, TargetStatistics, merge_statistics
from leadlift.serving.bundle import ModelBundle, Reference
from leadlift.serving.predict import score_table
from leadlift.terms import Family, FeatureSpec, Kind
from pair_leads import pair_leads

# The score is base + (score - base); sums of a few terms below 1 in float64 lose a few units of 1e-16.
ROUNDING = 1e-12


def as_table(X):
    """Region as text, product as a number with gaps, and the unrelated number."""
    products = np.where(X[:, 1] == 5, np.nan, X[:, 1])
    return pa.table(
        {
            "region": [f"R{int(code)}" for code in X[:, 0]],
            "product": pa.array(products, from_pandas=True),
            "size": X[:, 2],
        }
    )


@pytest.fixture(scope="module")
def scorer():
    X, won = pair_leads(3000, n_regions=20)
    learner = BlendedLearner(BaggedTrees(max_rounds=40, learning_rate=0.1, n_jobs=1), n_folds=4)
    return LeadScorer(learner=learner, calibrator=get_calibrator("sigmoid")).fit(as_table(X), won)


@pytest.fixture(scope="module")
def leads():
    return as_table(pair_leads(300, n_regions=22, seed=1)[0])  # two regions were never seen


@pytest.fixture(scope="module")
def bundle(scorer):
    kinds = {"region": Kind.CATEGORICAL, "product": Kind.NUMERIC, "size": Kind.NUMERIC}
    return ModelBundle.from_scorer(scorer, make_schema(make_config(), kinds), Reference(0.3, {}, {}, ()), {})


def test_the_pair_and_its_column_of_many_levels_are_learnt(scorer):
    assert [learnt.columns for learnt in scorer.learner_.statistics.statistics] == [(0, 1), (0,)]


# Contributions


@pytest.mark.parametrize("weight", [0.0, 0.4])
def test_base_and_contributions_add_up_to_the_published_score(scorer, leads, weight, monkeypatch):
    monkeypatch.setattr(scorer.learner_, "weight_", weight)
    matrix = scorer.encoder_.transform(leads)
    found = Attributor(scorer.fitted).explain(matrix)
    assert found.contributions.shape == (300, 4)
    np.testing.assert_array_equal(found.score, scorer.score_matrix(matrix)[0])
    np.testing.assert_allclose(found.base + found.contributions.sum(axis=1), found.score, atol=ROUNDING)


def test_contributions_are_those_of_lightgbm_with_the_statistics_added_to_what_they_speak_of(scorer, leads):
    matrix, trees = scorer.encoder_.transform(leads), scorer.learner_.trees_
    split = np.column_stack([matrix, trees.statistics_.transform(matrix)])
    boosters = [lgb.Booster(model_str=text) for text in trees.model_texts_]
    by_lightgbm = np.mean([booster.predict(split, pred_contrib=True) for booster in boosters], axis=0)
    region, product, size, pair_rate, pair_support, rate, support, bias = by_lightgbm.T
    phi, base = Attributor(scorer.fitted).log_odds_contributions(matrix)
    expected = np.column_stack([region + rate + support, product, size, pair_rate + pair_support])
    scale = 1 - scorer.learner_.weight_
    assert scale == 1
    np.testing.assert_allclose(phi, expected, atol=ROUNDING)
    np.testing.assert_allclose(base, bias, atol=ROUNDING)


@law
@given(st.lists(st.sampled_from([(0,), (1,), (2,), (0, 1), (1, 2)]), unique=True), st.integers(0, 99))
def test_merging_keeps_the_sum_of_each_row(columns, seed):
    none = np.empty(0)
    statistics = TargetStatistics(
        0.5, {}, tuple(CellStatistics(each, 1.0, none.astype(np.int64), none, none) for each in columns)
    )
    phi = np.random.default_rng(seed).normal(size=(5, 3 + 2 * len(columns)))
    merged = merge_statistics(phi, 3, statistics)
    assert merged.shape == (5, 3 + len(statistics.pairs))
    np.testing.assert_allclose(merged.sum(axis=1), phi.sum(axis=1), atol=ROUNDING)


def test_trees_without_a_say_add_no_pair(scorer, leads, monkeypatch):
    monkeypatch.setattr(scorer.learner_, "weight_", 1.0)
    assert explain(scorer, leads).column_names == ["score", "base", "region", "product", "size", "residual"]


# Names and values


def test_a_pair_is_named_after_both_columns_and_shares_their_family_only_where_it_is_the_same(scorer):
    statistics = scorer.learner_.statistics
    for family, expected in ((Family.FIT, Family.FIT), (Family.SOURCE, Family.OTHER)):
        specs = [
            FeatureSpec("region", Kind.CATEGORICAL, Family.FIT),
            FeatureSpec("product", Kind.NUMERIC, family),
        ]
        pair = explained_specs(specs, statistics)[-1]
        assert (pair.name, pair.family) == ("region x product", expected)


def test_a_pair_never_takes_the_name_of_a_column(scorer):
    specs = [FeatureSpec(name, Kind.NUMERIC) for name in ("a", "b", "a x b")]
    assert [spec.name for spec in explained_specs(specs, scorer.learner_.statistics)] == [
        "a", "b", "a x b", "a x b (pair)",
    ]  # fmt: skip


def test_both_values_of_a_pair_are_told_as_people_read_them(scorer):
    specs = [
        FeatureSpec("region", Kind.CATEGORICAL),
        FeatureSpec("product", Kind.NUMERIC, missing_means="none chosen"),
        FeatureSpec("size", Kind.NUMERIC),
    ]
    table = pa.table({"region": ["R1", "R2", None], "product": [2.0, None, None], "size": [1.0, 2.0, 3.0]})
    pairs = explained_specs(specs, scorer.learner_.statistics)
    contributions = np.tile([0.0, 0.0, 0.0, 0.1], (3, 1))
    assert strongest_reasons(pairs, table, contributions, n_reasons=1)[0].to_pylist() == [
        "Region: R1 together with product 2, +10 points",
        "Region: R2 together with product (none chosen), +10 points",
        "Region (not recorded) together with product (none chosen), +10 points",
    ]


def test_explain_has_a_column_for_the_pair_and_still_adds_up(scorer, leads):
    table = explain(scorer, leads)
    assert table.column_names[2:] == ["region", "product", "size", "region x product", "residual"]
    total = sum(table[name].to_numpy() for name in table.column_names[1:])
    np.testing.assert_allclose(total, scorer.predict_proba(leads)[:, 1], atol=ROUNDING)


def test_the_pair_is_among_the_drivers_and_has_a_number_to_colour_it_by(scorer, leads, bundle):
    matrix = scorer.encoder_.transform(leads)
    drivers = global_drivers(bundle.explained_specs, Attributor(scorer.fitted).explain(matrix).contributions)
    assert drivers["column"][0].as_py() == "region x product"
    coloured = explained_matrix(scorer.learner_.statistics, matrix)
    assert coloured.shape == (300, 4)
    assert ((coloured[:, 3] > 0) & (coloured[:, 3] < 1)).all()


def test_the_pair_is_told_as_one_reason(bundle, leads):
    with_ids = leads.append_column("lead_id", pa.array([str(i) for i in range(300)]))
    reasons = score_table(bundle, with_ids)["reason_1"].to_pylist()
    of_pair = [i for i, reason in enumerate(reasons) if reason and " together with product " in reason]
    assert len(of_pair) > 100
    row = leads.slice(of_pair[0], 1).to_pylist()[0]
    product = "(not recorded)" if row["product"] is None else f"{row['product']:g}"
    assert reasons[of_pair[0]].startswith(f"Region: {row['region']} together with product {product}, ")


# The bundle


def test_saved_and_read_again_it_scores_and_explains_bit_for_bit_the_same(bundle, leads, tmp_path):
    bundle.save(tmp_path / "model")
    again = ModelBundle.load(tmp_path / "model")
    matrix = bundle.scorer.encoder_.transform(leads)
    assert json.loads((tmp_path / "model" / "statistics.json").read_text())["statistics"][0]["columns"] == [
        0,
        1,
    ]
    for before, after in zip(
        bundle.scorer.score_matrix(matrix), again.scorer.score_matrix(matrix), strict=True
    ):
        assert before.tobytes() == after.tobytes()
    told = [each.attributor.explain(matrix).contributions.tobytes() for each in (bundle, again)]
    assert told[0] == told[1]


def test_a_bundle_of_a_model_without_statistics_has_no_such_file(tmp_path):
    X, won = pair_leads(400)
    learner = BlendedLearner(BaggedTrees(max_rounds=5, max_statistics=0, n_jobs=1), n_folds=3)
    scorer = LeadScorer(learner=learner).fit(X, won)
    kinds = dict.fromkeys(["x0", "x1", "x2"], Kind.NUMERIC)
    ModelBundle.from_scorer(scorer, make_schema(make_config(), kinds), Reference(0.3, {}, {}, ()), {}).save(
        tmp_path / "m"
    )
    assert not (tmp_path / "m" / "statistics.json").exists()
    assert ModelBundle.load(tmp_path / "m").scorer.learner_.statistics.statistics == ()
