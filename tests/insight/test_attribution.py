"""Contributions add up to the published score, and are the exact SHAP values of the log-odds."""

import lightgbm as lgb
import numpy as np
import pyarrow as pa
import pytest

from leadlift.exceptions import SchemaError
from leadlift.insight.attribution import Attributor, attribute
from leadlift.insight.explain import explain
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.calibration import CALIBRATORS, get_calibrator
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.fitted import forest
from leadlift.learning.log_odds import Explained
from leadlift.learning.scorer import LeadScorer

# The score is base + (score - base); sums of 6 terms below 1 in float64 lose a few units of 1e-16.
ROUNDING = 1e-12


def some_leads(n=1500, seed=0):
    rng = np.random.default_rng(seed)
    source = rng.choice(["ads", "fair", "web", "rare"], n, p=[0.4, 0.3, 0.29, 0.01])
    visits = rng.poisson(3, n).astype(float)
    visits[rng.random(n) < 0.2] = np.nan
    size = rng.normal(size=n)
    z = -2 + 0.4 * np.nan_to_num(visits) + (source == "fair") + size
    won = rng.random(n) < 1 / (1 + np.exp(-z))
    return pa.table({"source": source, "visits": pa.array(visits, from_pandas=True), "size": size}), won


def told_apart(contributions, base):
    """Log-odds that are the sum of given contributions."""
    return Explained(base + contributions.sum(axis=1), np.empty((0, len(contributions))), contributions, base)


def fit(calibrator="none", weight=None, **trees):
    X, won = some_leads()
    trees = BaggedTrees(n_folds=2, max_rounds=40, n_jobs=1, **trees)
    learner = BlendedLearner(trees, n_folds=2)
    scorer = LeadScorer(learner=learner, calibrator=get_calibrator(calibrator)).fit(X, won)
    if weight is not None:
        scorer.learner_.weight_ = weight
    return scorer


@pytest.fixture(scope="module")
def matrix():
    return fit().encoder_.transform(some_leads(300, seed=9)[0])


@pytest.mark.parametrize("weight", [0.0, 0.35, 1.0])
@pytest.mark.parametrize("calibrator", CALIBRATORS)
def test_base_and_contributions_add_up_to_the_published_score(calibrator, weight, matrix):
    scorer = fit(calibrator, weight)
    found = Attributor(scorer.fitted).explain(matrix)
    np.testing.assert_array_equal(found.score, scorer.score_matrix(matrix)[0])
    np.testing.assert_allclose(found.base + found.contributions.sum(axis=1), found.score, atol=ROUNDING)


def contributions_by_lightgbm(scorer, matrix):
    boosters = [lgb.Booster(model_str=text) for text in scorer.learner_.trees_.model_texts_]
    return np.mean([booster.predict(matrix, pred_contrib=True) for booster in boosters], axis=0)


def linear_shap_by_hand(logistic, matrix):
    """Count bins with a loop: the entry of the bin a value falls into, the last one where it is missing."""
    phi = np.empty(matrix.shape)
    for (i, j), value in np.ndenumerate(matrix):
        edges, table = logistic.edges_[j], logistic.tables_[j]
        place = len(table) - 1 if np.isnan(value) else sum(value > edge for edge in edges)
        phi[i, j] = table[place]
    return phi


def test_log_odds_contributions_are_those_of_lightgbm_averaged_over_the_members(matrix):
    scorer = fit(weight=0.0)
    phi, bias = Attributor(scorer.fitted).log_odds_contributions(matrix)
    expected = contributions_by_lightgbm(scorer, matrix)
    np.testing.assert_allclose(np.column_stack([phi, np.full(len(phi), bias)]), expected, atol=ROUNDING)


def test_the_logistic_members_contributions_are_table_entries(matrix):
    logistic = fit().learner_.logistic_
    np.testing.assert_array_equal(
        logistic.explain(matrix).contributions, linear_shap_by_hand(logistic, matrix)
    )


def test_the_logistic_members_tables_are_centred_over_the_training_rows():
    scorer = fit()
    seen = scorer.encoder_.transform(some_leads()[0])
    means = scorer.learner_.logistic_.explain(seen).contributions.mean(axis=0)
    np.testing.assert_allclose(means, 0, atol=ROUNDING)


def test_a_blend_mixes_both_members_by_its_weight(matrix):
    scorer = fit(weight=0.35)
    phi, bias = Attributor(scorer.fitted).log_odds_contributions(matrix)
    trees = contributions_by_lightgbm(scorer, matrix)
    logistic = linear_shap_by_hand(scorer.learner_.logistic_, matrix)
    np.testing.assert_allclose(phi, 0.65 * trees[:, :-1] + 0.35 * logistic, atol=ROUNDING)
    np.testing.assert_allclose(bias + phi.sum(axis=1), scorer.score_matrix(matrix)[1], atol=ROUNDING)


def test_all_contributions_of_a_lead_share_the_slope_of_the_calibrated_curve(matrix):
    scorer = fit("sigmoid")
    attributor = Attributor(scorer.fitted)
    phi, bias = attributor.log_odds_contributions(matrix)
    total = phi.sum(axis=1)
    score = scorer.calibrator_.transform(bias + total)
    base = scorer.calibrator_.transform(np.array([bias]))
    slope = (score - base) / total
    np.testing.assert_allclose(attributor.explain(matrix).contributions, phi * slope[:, None], atol=1e-10)


@pytest.mark.parametrize("tiny", [0.0, 1e-13, -1e-10, 1e-8, -1e-7])
def test_where_the_contributions_cancel_the_slope_is_that_of_the_curve_at_the_base(tiny):
    calibrator = fit("sigmoid").calibrator_
    bias = -1.2
    found = told_apart(np.array([[0.4, -0.4, tiny]]), bias)
    attribution = attribute(found, calibrator)
    base = calibrator.transform(np.array([bias]))[0]
    slope = calibrator.slope_ * base * (1 - base)  # by hand: derivative of the logistic curve
    np.testing.assert_allclose(attribution.contributions, found.contributions * slope, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(attribution.residual, 0, atol=1e-12)


def test_trees_too_large_for_tables_get_the_same_numbers(matrix, monkeypatch):
    scorer = fit("beta", 0.35)
    by_tables = Attributor(scorer.fitted).explain(matrix)

    monkeypatch.setattr(forest, "pattern_tables", lambda _: None)
    by_lightgbm = Attributor(scorer.fitted).explain(matrix)
    np.testing.assert_allclose(by_lightgbm.contributions, by_tables.contributions, atol=ROUNDING)
    assert by_lightgbm.base == pytest.approx(by_tables.base, abs=ROUNDING)


def test_really_large_trees_are_explained_too(matrix):
    scorer = fit("sigmoid", num_leaves=40, max_depth=12)
    found = Attributor(scorer.fitted).explain(matrix)
    np.testing.assert_allclose(found.base + found.contributions.sum(axis=1), found.score, atol=ROUNDING)


def test_explain_returns_a_row_a_lead_and_a_column_an_input():
    scorer = fit("sigmoid")
    X = some_leads(50, seed=3)[0]
    table = explain(scorer, X)
    assert table.column_names == ["score", "base", "source", "visits", "size", "residual"]
    total = sum(table[name].to_numpy() for name in table.column_names[1:])
    np.testing.assert_allclose(total, scorer.predict_proba(X)[:, 1], atol=ROUNDING)


def test_an_input_called_score_is_refused_instead_of_taking_the_scores_place():
    X, won = some_leads()
    X = X.rename_columns(["source", "score", "size"])
    learner = BlendedLearner(BaggedTrees(max_rounds=5, n_jobs=1), n_folds=2)
    scorer = LeadScorer(learner=learner).fit(X, won)
    with pytest.raises(SchemaError, match=r"score, base and residual of its own; rename the input 'score'"):
        explain(scorer, X)
