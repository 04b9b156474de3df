"""Figures of quality equal those counted by hand and scikit-learn's; their intervals hold."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import norm

from laws import law
from leadlift.exceptions import InputError
from leadlift.learning.intervals import clopper_pearson, least_share, poisson_rate
from leadlift.learning.metrics import (
    auc,
    brier,
    calibration_error,
    gains,
    lift,
    log_loss,
    quality_table,
    reliability,
)
from oracles import auc_by_pairs, log_loss_by_loop, mean_wins_of_the_best

SUM_TOLERANCE = 1e-12  # a few dozen additions of numbers about 1


@st.composite
def scored_leads(draw):
    """Won and lost leads with scores that are often tied."""
    y = [0, 1, *draw(st.lists(st.integers(0, 1), max_size=40))]
    tenths = draw(st.lists(st.integers(1, 9), min_size=len(y), max_size=len(y)))
    return np.array(y), np.array(tenths) / 10


def simulate(n, rng, spread=1.3, shift=0.0):
    z = -2 + spread * rng.normal(size=n)
    return rng.random(n) < expit(z), expit(z + shift)


@law
@given(scored_leads())
def test_auc_equals_the_share_of_pairs_in_order_and_scikit_learn(leads):
    y, score = leads
    assert auc(y, score).estimate == pytest.approx(auc_by_pairs(y, score), abs=SUM_TOLERANCE)
    assert auc(y, score).estimate == pytest.approx(sklearn.metrics.roc_auc_score(y, score), abs=SUM_TOLERANCE)


@law
@given(scored_leads())
def test_log_loss_and_brier_equal_scikit_learn(leads):
    y, score = leads
    assert log_loss(y, score).estimate == pytest.approx(log_loss_by_loop(y, score), abs=SUM_TOLERANCE)
    assert log_loss(y, score).estimate == pytest.approx(sklearn.metrics.log_loss(y, score), abs=SUM_TOLERANCE)
    expected = sklearn.metrics.brier_score_loss(y, score)
    assert brier(y, score).estimate == pytest.approx(expected, abs=SUM_TOLERANCE)


def test_a_sure_error_costs_much_but_not_infinitely_much():
    assert log_loss([0, 1], [1.0, 0.0]).estimate == pytest.approx(-np.log(1e-15), rel=1e-3)


def test_the_delong_interval_covers_the_true_auc_as_often_as_it_says():
    rng = np.random.default_rng(0)
    truth, hits, repeats = norm.cdf(1 / np.sqrt(2)), 0, 1000
    for _ in range(repeats):
        y = np.arange(300) < 60
        interval = auc(y, rng.normal(size=300) + y, confidence=0.9)
        hits += interval.low <= truth <= interval.high
    # Four standard errors of the simulation, and one point for the normal approximation.
    assert abs(hits / repeats - 0.9) < 4 * np.sqrt(0.9 * 0.1 / repeats) + 0.01


def test_a_perfect_ranking_has_an_interval_within_the_scale():
    interval = auc([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4])
    assert (interval.estimate, interval.high) == (1.0, 1.0)


@pytest.mark.parametrize("figure", [auc, gains, lift])
def test_one_outcome_only_is_refused(figure):
    with pytest.raises(InputError, match="needs won and lost leads, got 2 won and 0 lost"):
        figure([1, 1], [0.3, 0.4])


def test_the_calibration_error_of_true_probabilities_is_about_nothing():
    rng = np.random.default_rng(1)
    errors = [calibration_error(*simulate(5000, rng)) for _ in range(20)]
    assert np.median(errors) < 0.005  # the plug-in estimate has a floor of about 0.015 here


def test_the_calibration_error_of_a_constant_error_is_that_error():
    rng = np.random.default_rng(2)
    y = rng.random(200_000) < 0.3
    score = 0.4 + 1e-6 * rng.random(len(y))
    assert calibration_error(y, score) == pytest.approx(0.1, abs=0.005)  # 0.001 is its standard error


def test_reliability_by_eye():
    y = [0, 0, 1, 0, 1, 1, 1, 0]
    score = [0.1, 0.1, 0.1, 0.3, 0.6, 0.6, 0.8, 0.8]
    table = reliability(y, score, n_bins=2)
    assert table["n"].to_pylist() == [4, 4]
    assert table["predicted"].to_pylist() == pytest.approx([0.15, 0.7])
    assert table["observed"].to_pylist() == [0.25, 0.75]
    assert table["low"][0].as_py() == pytest.approx(clopper_pearson(1, 4).low)


@law
@given(scored_leads(), st.integers(1, 12))
def test_reliability_counts_every_lead_once_and_keeps_equal_scores_together(leads, n_bins):
    y, score = leads
    table = reliability(y, score, n_bins)
    n = table["n"].to_numpy()
    assert table.num_rows <= min(n_bins, len(set(score)))
    assert n.sum() == len(y)
    assert n @ table["observed"].to_numpy() == pytest.approx(y.sum())
    assert n @ table["predicted"].to_numpy() == pytest.approx(score.sum())
    assert (np.diff(table["predicted"].to_numpy()) > 0).all()


def test_gains_by_eye():
    table = gains([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1], n_points=4)
    assert table["share_of_leads"].to_pylist() == [0.25, 0.5, 0.75, 1.0]
    assert table["share_of_wins"].to_pylist() == [0.5, 0.5, 1.0, 1.0]
    assert table["precision"].to_pylist() == pytest.approx([1, 1 / 2, 2 / 3, 1 / 2])
    assert table["lift"].to_pylist() == pytest.approx([2, 1, 4 / 3, 1])
    assert table["threshold"].to_pylist() == [0.9, 0.8, 0.7, 0.1]


@law
@given(scored_leads(), st.integers(1, 10))
def test_lift_and_gains_count_ties_in_proportion(leads, tenths):
    y, score = leads
    n = max(1, round(tenths / 10 * len(y)))
    wins = mean_wins_of_the_best(y.tolist(), score.tolist(), n)
    assert lift(y, score, tenths / 10) == pytest.approx(wins / n / y.mean())
    row = gains(y, score, n_points=10).to_pandas().query("share_of_leads * @y.size == @n")
    assert row["share_of_wins"].tolist() == pytest.approx([wins / y.sum()] * len(row))


def test_the_quality_table_has_a_row_a_model_with_the_same_figures():
    y, score = simulate(2000, np.random.default_rng(3))
    table = quality_table(y, {"ours": score, "base rate": np.full(len(y), y.mean())}).to_pylist()
    assert [row["model"] for row in table] == ["ours", "base rate"]
    assert table[0]["auc"] == auc(y, score).estimate
    assert table[0]["log_loss_high"] == log_loss(y, score).high
    assert (table[1]["auc"], table[1]["lift_10"]) == (0.5, pytest.approx(1.0))


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (10, 10), (30, 100)])
def test_the_exact_interval_of_a_share_leaves_its_tails_outside(k, n):
    from oracles import binomial_tail

    interval = clopper_pearson(k, n, confidence=0.9)
    if k:
        assert binomial_tail(k, n, interval.low) == pytest.approx(0.05)
        assert binomial_tail(k, n, least_share(k, n, 0.9)) == pytest.approx(0.1)
    if k < n:
        assert 1 - binomial_tail(k + 1, n, interval.high) == pytest.approx(0.05)


def test_no_lead_says_nothing_about_a_share():
    interval = clopper_pearson(0, 0)
    assert np.isnan(interval.estimate)
    assert (interval.low, interval.high, least_share(0, 5, 0.9)) == (0.0, 1.0, 0.0)


def test_the_exact_interval_of_a_rate_leaves_its_tails_outside():
    from scipy.stats import poisson

    interval = poisson_rate(12, 4.0, confidence=0.9)
    assert interval.estimate == 3.0
    assert poisson.sf(11, 4 * interval.low) == pytest.approx(0.05)
    assert poisson.cdf(12, 4 * interval.high) == pytest.approx(0.05)
    assert poisson_rate(0, 4.0).low == 0.0
