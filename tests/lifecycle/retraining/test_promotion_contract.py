"""Each clause by itself, and how often challengers of known worth are promoted."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.special import expit

from leadlift.config import RetrainConfig
from leadlift.exceptions import ConfigError
from leadlift.lifecycle.retraining.clauses import ChallengerFacts
from leadlift.lifecycle.retraining.comparison import compare
from leadlift.lifecycle.retraining.contract import VERDICT_SCHEMA, PromotionContract
from leadlift.lifecycle.retraining.rule import RetrainRule
from leadlift.terms import Cutoff, Interval

FUTURES = 100
# Of the log-odds of the market.
MEAN, SPREAD = -2.6, 1.3


def best_guess(z, noise, rng):
    """P(won) given the log-odds with noise: calibrated, and the worse the larger the noise."""
    kept = SPREAD**2 / (SPREAD**2 + noise**2)
    guess = MEAN + kept * (z + rng.normal(0, noise, len(z)) - MEAN)
    # The mean of the logistic function over what is left of the spread (MacKay 1992).
    return expit(guess / np.sqrt(1 + np.pi * SPREAD**2 * (1 - kept) / 8))


@cache
def verdicts(n, noise_champion, noise_challenger):
    """The verdict on a challenger in each of many futures; a fifth of the leads is above each line."""
    found = []
    for seed in range(FUTURES):
        rng = np.random.default_rng(seed)
        z = rng.normal(MEAN, SPREAD, n)
        won = rng.random(n) < expit(z)
        scores = [best_guess(z, noise, rng) for noise in (noise_champion, noise_challenger)]
        lines = tuple(float(np.quantile(score, 0.8)) for score in scores)
        found.append(PromotionContract().judge(compare(*scores, won, lines, n_resamples=200)))
    return found


def share_promoted(*world):
    return np.mean([verdict.holds for verdict in verdicts(*world)])


def share_failed(name, *world):
    return np.mean([name in verdict.failed for verdict in verdicts(*world)])


def test_a_challenger_whose_log_loss_is_worse_by_just_the_margin_is_refused_95_times_in_100():
    """Noise of 0.69 costs 2.1 % of the log loss that noise of 0.5 has, on two million leads."""
    three_errors = 3 * (0.05 * 0.95 / FUTURES) ** 0.5
    assert share_failed("log_loss", 1500, 0.5, 0.69) >= 0.95 - three_errors


def test_a_challenger_that_catches_fewer_wins_by_just_the_margin_is_refused_95_times_in_100():
    """Noise of 0.97 costs 10 % of the wins that noise of 0.5 catches, on two million leads."""
    three_errors = 3 * (0.05 * 0.95 / FUTURES) ** 0.5
    for name in ("captured_wins", "captured_wins_at_equal_volume"):
        assert share_failed(name, 1500, 0.5, 0.97) >= 0.95 - three_errors


def test_a_challenger_that_is_worse_beyond_the_margins_is_hardly_ever_promoted():
    assert share_promoted(1500, 0.5, 0.97) <= 0.05


def test_a_challenger_as_good_as_the_champion_is_promoted_the_more_often_the_more_it_agrees_with_it():
    """Of 4,000 leads some 480 are won; over 200 futures 73 and 95 of 100 were promoted."""
    assert 0.55 <= share_promoted(4000, 0.5, 0.5) < share_promoted(4000, 0.3, 0.3)
    assert share_promoted(4000, 0.3, 0.3) >= 0.85


def test_a_better_challenger_is_promoted():
    """Noise of 0.9 against 0.5: 4 % less log loss, 10 % more wins."""
    assert share_promoted(2000, 0.9, 0.5) >= 0.85


# Each clause alone


@cache
def steady():
    """A model compared with itself: every clause holds."""
    rng = np.random.default_rng(0)
    score = rng.beta(1, 8, 3000)
    grades = ((0.3, 0.1), (0.3, 0.1))
    won = rng.random(3000) < score
    return compare(score, score, won, (0.2, 0.2), grade_thresholds=grades, n_resamples=100)


def cutoff(**changes):
    share = Interval(0.3, 0.25, 0.35, 0.95)
    evidence = (900, 90, 0.9, "given")
    line = Cutoff(0.2, "precision guarantee 0.25", "at least 25%", share, share, 0.1, None, *evidence)
    return replace(line, **changes)


def facts(**changes):
    known = ChallengerFacts(cutoff(promised_precision=0.25), n_above=100, n_kept=30, reason_similarity=0.95)
    return replace(known, **changes)


def failed(comparison=None, known=None, **limits):
    return PromotionContract(**limits).judge(comparison or steady(), known or facts()).failed


def test_a_steady_challenger_keeps_every_clause():
    assert failed() == ()


def bounds(estimate, low, high):
    return Interval(estimate, low, high, 0.95)


@pytest.mark.parametrize(
    ("name", "change", "limits"),
    [
        ("log_loss", {"log_loss_change": bounds(0.0, -0.01, 0.021)}, {}),
        ("captured_wins", {"wins_change": bounds(0.0, -0.11, 0.1)}, {}),
        ("captured_wins_at_equal_volume", {"wins_change_at_equal_volume": bounds(0.0, -0.11, 0.1)}, {}),
        ("calibrated", {"observed_to_expected": bounds(1.4, 1.26, 1.6)}, {}),
        ("calibrated", {"observed_to_expected": bounds(0.7, 0.6, 0.79)}, {}),
        ("mql_volume", {"volume_champion": 100.0, "volume_challenger": 201.0}, {}),
        ("mql_volume", {"volume_champion": 100.0, "volume_challenger": 49.0}, {}),
        ("mql_volume", {"volume_champion": 100.0, "volume_challenger": 0.0}, {}),
        ("rank_churn", {"rank_churn": 0.51}, {}),
        ("rank_churn", {"rank_churn": float("nan")}, {}),
        ("grade_moves", {"moved_two_grades": 0.11}, {}),
    ],
)
def test_a_clause_on_the_scores_fails_alone_beyond_its_limit(name, change, limits):
    assert failed(replace(steady(), **change), **limits) == (name,)


@pytest.mark.parametrize(
    ("change", "limits"),
    [
        ({"log_loss_change": bounds(0.0, -0.01, 0.019)}, {}),
        ({"log_loss_change": bounds(0.02, 0.01, 0.03)}, {"log_loss_margin": 0.03}),
        ({"wins_change": bounds(-0.05, -0.1, 0.1)}, {}),
        # Nobody can say that it is off by more than the margin.
        ({"observed_to_expected": bounds(1.4, 1.2, 1.6)}, {}),
        ({"volume_champion": 100.0, "volume_challenger": 200.0}, {}),
        ({"volume_champion": 100.0, "volume_challenger": 300.0}, {"volume_factor": 3.0}),
        ({"moved_grade": None, "moved_two_grades": None}, {}),
    ],
)
def test_up_to_its_limit_a_clause_holds(change, limits):
    assert failed(replace(steady(), **change), **limits) == ()


@pytest.mark.parametrize(
    ("name", "change", "limits"),
    [
        ("promise_certified", {"n_kept": 15}, {}),
        ("promise_certified", {"n_above": 0, "n_kept": 0}, {}),
        ("no_new_leakage", {"new_leaks": ("deal_value",)}, {}),
        ("no_new_fairness_finding", {"newly_unfair": ("gender",)}, {}),
        ("reasons_stable", {"reason_similarity": 0.79}, {}),
        ("reasons_stable", {"reason_similarity": None}, {}),
        ("same_inputs", {"new_inputs": ("colour",)}, {}),
    ],
)
def test_a_clause_on_the_model_fails_alone_beyond_its_limit(name, change, limits):
    assert failed(known=facts(**change), **limits) == (name,)


@pytest.mark.parametrize(
    ("change", "limits"),
    [
        # Two of ten kept: the exact bound still reaches the promised quarter.
        ({"n_above": 10, "n_kept": 2}, {}),
        ({"cutoff": cutoff(), "n_above": 0, "n_kept": 0}, {}),
        ({"newly_unfair": ()}, {}),
        ({"lost_inputs": ("colour",)}, {}),
        ({"new_inputs": ("colour",)}, {"allow_new_inputs": True}),
        ({"reason_similarity": 0.5}, {"reason_similarity": 0.5}),
    ],
)
def test_what_is_allowed_or_does_not_exist_fails_no_clause(change, limits):
    assert failed(known=facts(**change), **limits) == ()


def test_a_clause_that_cannot_be_judged_or_does_not_apply_says_so():
    unknown = replace(steady(), wins_change=bounds(*[float("nan")] * 3))
    verdict = PromotionContract().judge(unknown, facts(cutoff=cutoff()))
    said = {clause.name: clause.text for clause in verdict.clauses}
    assert said["captured_wins"].startswith("cannot be judged: no won lead")
    assert said["promise_certified"].startswith("does not apply: the cut-off (precision guarantee 0.25)")
    assert said["no_new_fairness_finding"] == "does not apply: no protected attribute is configured"


def test_the_verdict_is_a_table_of_numbers_limits_and_sentences():
    table = PromotionContract().judge(steady(), facts()).to_table()
    assert table.schema == VERDICT_SCHEMA
    row = table.to_pylist()[0]
    assert (row["name"], row["limit"], row["holds"]) == ("log_loss", 0.02, True)
    assert "not worse by more than 2.0% required" in row["text"]


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("log_loss_margin", -0.1),
        ("wins_margin", 1.1),
        ("volume_factor", 0.9),
        ("confidence", 0.5),
        ("rank_churn_limit", float("nan")),
    ],
)
def test_impossible_limits_are_refused(limit, value):
    with pytest.raises(ConfigError, match=f"{limit} of the promotion contract must be in"):
        PromotionContract(**{limit: value})


def test_the_configuration_has_the_limits_and_the_defaults_of_contract_and_rule():
    section = RetrainConfig()
    assert PromotionContract(**section.contract.model_dump()) == PromotionContract()
    assert RetrainRule(**section.model_dump(exclude={"contract"})) == RetrainRule()
