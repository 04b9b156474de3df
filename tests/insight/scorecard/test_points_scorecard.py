"""A card comes near to its model, keeps what was declared, and says what it loses."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.base import clone

from leadlift.exceptions import ConfigError, InputError, SchemaError
from leadlift.insight.scorecard.attributes import Operator
from leadlift.insight.scorecard.points_scorecard import PointsScorecard
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.cutoff import FixedThreshold
from leadlift.learning.metrics import auc
from leadlift.learning.scorer import LeadScorer
from leadlift.terms import FeatureSpec, Kind
from scored_leads import LoneScorer, some_inputs, true_log_odds


def small_blend():
    return BlendedLearner(trees=BaggedTrees(n_folds=2, max_rounds=40, n_jobs=1), n_folds=2)


@pytest.fixture(scope="module")
def inputs():
    return some_inputs(4000)


@pytest.fixture(scope="module")
def scorer(inputs):
    return LoneScorer(true_log_odds, cutoff=0.5, sql_cutoff=0.8).fit(inputs)


@pytest.fixture(scope="module")
def card(inputs, scorer):
    return PointsScorecard(max_attributes=5).fit(inputs, scorer)


def test_a_sum_of_steps_is_found_again_by_eye():
    """Ten points for each of two plain facts that count alike, nothing for what does not count."""
    rng = np.random.default_rng(0)
    X = pa.table({name: rng.choice(["no", "yes"], 2000) for name in ("demo", "budget", "colour")})

    def log_odds(table):
        return sum(2.0 * (table[name].to_numpy() == "yes") for name in ("demo", "budget")) - 2

    card = PointsScorecard().fit(X, LoneScorer(log_odds).fit(X))
    said = {(row["attribute"], row["condition"]): row["points"] for row in card.to_table().to_pylist()}
    assert {key: said[key] for key in said if key[1] in ("yes", "no")} == {
        ("demo", "no"): 0,
        ("demo", "yes"): 50,
        ("budget", "no"): 0,
        ("budget", "yes"): 50,
    }
    assert card.cutoffs_ == {"MQL": 1}


def test_points_span_zero_to_the_highest_total(card, inputs):
    lowest = sum(min(rule.points for rule in attribute.rules) for attribute in card.attributes_)
    assert lowest == 0
    assert sum(attribute.highest for attribute in card.attributes_) == 100
    points = card.predict_points(inputs)
    assert points.dtype == np.int64
    assert 0 <= points.min() < points.max() <= 100


@pytest.mark.parametrize("highest", [10, 37, 1000])
def test_the_highest_total_is_as_asked(inputs, scorer, highest):
    card = PointsScorecard(points=highest).fit(inputs, scorer)
    assert sum(attribute.highest for attribute in card.attributes_) == highest


def test_an_additive_model_keeps_its_order(card):
    """The truth is a sum of smooth parts, so what is lost is only bins and rounding."""
    X = some_inputs(20_000, seed=1)
    z = true_log_odds(X)
    won = np.random.default_rng(2).random(len(z)) < 1 / (1 + np.exp(-z))
    lost = auc(won, z).estimate - auc(won, card.predict_points(X)).estimate
    assert lost < 0.01


def test_attributes_are_at_most_as_many_as_asked_and_the_strongest_come_first(inputs, scorer):
    card = PointsScorecard(max_attributes=2).fit(inputs, scorer)
    assert {attribute.name for attribute in card.attributes_} == {"source", "visits"}
    highest = [attribute.highest for attribute in card.attributes_]
    assert highest == sorted(highest, reverse=True)


def test_what_tells_nothing_is_not_on_the_card(card):
    assert "noise" not in {attribute.name for attribute in card.attributes_}


def test_exactly_one_rule_of_each_attribute_gives_points(card):
    for attribute in card.attributes_:
        assert attribute.rules[-1].operator is Operator.IS_MISSING
        assert sum(rule.share for rule in attribute.rules) == pytest.approx(1)


@pytest.mark.parametrize(("direction", "sign"), [("up", 1), ("down", -1)])
def test_points_of_a_monotone_number_go_one_way(inputs, direction, sign):
    """The model rises and falls; the card may only do one of it."""

    def humped(table):
        visits = np.nan_to_num(table["visits"].to_numpy())
        return 1 - (visits - 3) ** 2 / 4 + (table["source"].to_numpy() == "fair")

    scorer = LoneScorer(humped).fit(inputs)
    free = PointsScorecard().fit(inputs, scorer)
    bound = PointsScorecard(monotone={"visits": direction}).fit(inputs, scorer)
    assert not np.all(np.diff(points_of(free, "visits")) * sign >= 0)
    steps = np.diff(points_of(bound, "visits"))
    assert np.all(steps * sign >= 0)
    assert steps.any()


def test_what_the_scorer_was_told_of_directions_holds_on_the_card(inputs):
    scorer = LoneScorer(lambda table: -np.abs(table["size"].to_numpy() - 0.3), monotone={"size": "up"})
    card = PointsScorecard().fit(inputs, scorer.fit(inputs))
    assert np.all(np.diff(points_of(card, "size")) >= 0)


def points_of(card, name):
    attribute = next(attribute for attribute in card.attributes_ if attribute.name == name)
    return [rule.points for rule in attribute.rules if rule.operator is Operator.BETWEEN]


def test_a_wrong_direction_is_refused_by_name(inputs, scorer):
    with pytest.raises(ConfigError, match="'source'"):
        PointsScorecard(monotone={"source": "up"}).fit(inputs, scorer)


def test_counts_are_cut_at_whole_numbers_and_others_at_round_ones(card):
    edges = {
        attribute.name: [
            rule.values[0] for rule in attribute.rules if rule.operator is Operator.BETWEEN and rule.values[0]
        ]
        for attribute in card.attributes_
    }
    assert all(edge == int(edge) for edge in edges["visits"])
    assert all(len(repr(abs(edge)).replace(".", "").lstrip("0")) <= 2 for edge in edges["size"])


def test_missing_unseen_and_blank_are_told_apart_from_levels(card):
    X = pa.table({"source": ["ads", None, "", "radio"], "visits": [2.0] * 4, "size": [0.0] * 4})
    ads, missing, blank, unseen = card.predict_points(X)
    assert missing == blank
    named = {rule.operator: rule.points for a in card.attributes_ if a.name == "source" for rule in a.rules}
    assert unseen - missing == named[Operator.NOT_IN] - named[Operator.IS_MISSING]
    assert ads != missing


def test_a_table_needs_only_the_columns_on_the_card_in_any_order(inputs, scorer):
    card = PointsScorecard(max_attributes=2).fit(inputs, scorer)
    few = inputs.select(["visits", "source"])
    np.testing.assert_array_equal(card.predict_points(few), card.predict_points(inputs))
    with pytest.raises(SchemaError, match="visits"):
        card.predict_points(inputs.drop_columns(["visits"]))


def test_pandas_and_arrow_give_the_same_points(card, inputs):
    np.testing.assert_array_equal(card.predict_points(inputs.to_pandas()), card.predict_points(inputs))


def test_the_order_of_the_rows_changes_nothing(inputs, scorer, card):
    other = PointsScorecard(max_attributes=5).fit(inputs.take(np.arange(len(inputs))[::-1]), scorer)
    assert other.attributes_ == card.attributes_
    assert (other.slope_, other.intercept_, other.cutoffs_) == (card.slope_, card.intercept_, card.cutoffs_)


def test_many_rows_are_drawn_by_seed_and_give_much_the_same_card(scorer):
    X = some_inputs(25_000, seed=3)
    cards = [PointsScorecard(random_state=seed).fit(X, scorer) for seed in (0, 0, 1)]
    assert cards[0].attributes_ == cards[1].attributes_
    z = true_log_odds(X)
    for card in cards:
        assert np.corrcoef(card.predict_points(X), z)[0, 1] > 0.97


def test_probabilities_rise_with_the_points_and_mean_what_they_say(card):
    X = some_inputs(20_000, seed=4)
    score, points = card.predict_proba(X)[:, 1], card.predict_points(X)
    order = np.argsort(points)
    assert np.all(np.diff(score[order]) >= 0)
    truth = 1 / (1 + np.exp(-true_log_odds(X)))
    assert score.mean() == pytest.approx(truth.mean(), abs=0.01)
    assert np.abs(score - truth).mean() < 0.05


def test_cut_offs_in_points_decide_like_the_scorer(card, inputs, scorer):
    points = card.predict_points(inputs)
    score = scorer.predict_proba(inputs)[:, 1]
    assert card.cutoffs_["MQL"] < card.cutoffs_["SQL"]
    for stage, threshold in (("MQL", 0.5), ("SQL", 0.8)):
        same = (points >= card.cutoffs_[stage]) == (score >= threshold)
        assert same.mean() > 0.95


def test_a_cut_off_that_nobody_passes_is_out_of_reach(inputs):
    scorer = LoneScorer(true_log_odds, cutoff=1.0).fit(inputs)
    card = PointsScorecard().fit(inputs, scorer)
    assert card.cutoffs_ == {"MQL": 101}


def test_a_model_that_tells_no_leads_apart_has_an_empty_card(inputs):
    scorer = LoneScorer(lambda table: np.full(len(table), -1.0)).fit(inputs)
    card = PointsScorecard().fit(inputs, scorer)
    assert card.attributes_ == ()
    assert card.to_table().num_rows == 0
    assert set(card.predict_points(inputs)) == {0}
    np.testing.assert_allclose(card.predict_proba(inputs)[:, 1], 1 / (1 + np.e), atol=1e-3)


def test_statistics_nobody_can_look_up_stay_off_the_card_unless_asked(inputs, scorer):
    specs = [
        FeatureSpec("source", Kind.CATEGORICAL),
        FeatureSpec("visits", Kind.NUMERIC, group="activity", unit="acts", description="visits in 7 days"),
        FeatureSpec("size", Kind.NUMERIC, group="activity", unit="ratio"),
    ]
    plain = PointsScorecard().fit(inputs, scorer, specs=specs)
    assert {attribute.label for attribute in plain.attributes_} == {"source", "visits in 7 days"}
    derived = PointsScorecard(derived=True).fit(inputs, scorer, specs=specs)
    assert "size" in {attribute.name for attribute in derived.attributes_}


def test_a_card_of_an_array_takes_arrays():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 3))
    won = rng.random(600) < 1 / (1 + np.exp(-2 * X[:, 1]))
    scorer = LeadScorer(learner=small_blend()).fit(X, won)
    card = PointsScorecard(max_attributes=1).fit(X, scorer)
    assert card.attributes_[0].name == "x1"
    assert np.corrcoef(card.predict_points(X), X[:, 1])[0, 1] > 0.8


def test_the_card_of_a_scorer_is_measured_against_it_on_other_leads(card, scorer):
    X = some_inputs(3000, seed=5)
    won = np.random.default_rng(6).random(3000) < 1 / (1 + np.exp(-true_log_odds(X)))
    loss = card.measure(X, won, scorer)
    assert loss is card.loss_
    rows = {row["measure"]: row for row in loss.to_pylist()}
    assert list(rows) == ["AUC", "log loss", "same decision, MQL", "same decision, SQL"]
    score = scorer.predict_proba(X)[:, 1]
    assert rows["AUC"]["model"] == pytest.approx(auc(won, score).estimate)
    assert rows["AUC"]["lost"] == pytest.approx(rows["AUC"]["model"] - rows["AUC"]["scorecard"])
    same = (card.predict_points(X) >= card.cutoffs_["MQL"]) == (score >= 0.5)
    assert rows["same decision, MQL"]["scorecard"] == pytest.approx(same.mean())
    assert all(row["lost_low"] <= row["lost"] <= row["lost_high"] for row in rows.values())
    assert {row["n"] for row in rows.values()} == {3000}


def test_one_outcome_alone_measures_nothing(card, scorer):
    with pytest.raises(InputError, match="won and lost"):
        card.measure(some_inputs(50), np.ones(50, dtype=bool), scorer)


def test_outcomes_take_no_part_in_fitting(inputs, scorer):
    """There is no way to hand them in."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'y'"):
        PointsScorecard().fit(inputs, scorer, y=np.zeros(len(inputs)))


def test_a_fitted_card_clones_to_its_parameters(card):
    twin = clone(card)
    assert twin.get_params() == card.get_params()
    assert not hasattr(twin, "attributes_")


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("max_attributes", 0), ("points", 0), ("max_bins", 1), ("min_leads", 0), ("max_levels", 0)],
)
def test_what_makes_no_card_is_refused(inputs, scorer, parameter, value):
    with pytest.raises(ConfigError, match=f"{parameter} must be at least"):
        PointsScorecard(**{parameter: value}).fit(inputs, scorer)


def test_a_frame_holds_the_same_as_the_table(card):
    pd.testing.assert_frame_equal(card.to_frame(), card.to_table().to_pandas())


def test_few_leads_make_a_coarse_card():
    X = some_inputs(120, seed=7)
    card = PointsScorecard().fit(X, LoneScorer(true_log_odds).fit(X))
    assert card.attributes_
    for attribute in card.attributes_:
        for rule in attribute.rules:
            assert rule.operator is not Operator.BETWEEN or rule.share * 120 >= 3


def test_a_learnt_scorer_and_its_card_decide_alike(inputs):
    won = np.random.default_rng(8).random(len(inputs)) < 1 / (1 + np.exp(-true_log_odds(inputs)))
    scorer = LeadScorer(learner=small_blend(), cutoff=FixedThreshold(0.4)).fit(
        inputs.slice(0, 1500), won[:1500]
    )
    card = PointsScorecard().fit(inputs.slice(0, 1500), scorer)
    later = inputs.slice(1500)
    same = (card.predict_points(later) >= card.cutoffs_["MQL"]) == (scorer.predict(later) == 1)
    assert same.mean() > 0.9
