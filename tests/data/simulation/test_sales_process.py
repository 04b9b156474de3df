"""The closed form of the true probability against brute force, quadrature and its limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from leadlift.data.simulation.sales_process import (
    draw_sales_process,
    intercept_for_base_rate,
    probability_won_within,
)
from leadlift.exceptions import ConfigError

RATES = st.floats(0.001, 3.0)
DAYS = st.floats(0.1, 400.0)


def won_within(days, win, loss, contact=None):
    contact = None if contact is None else np.array([contact])
    return probability_won_within(days, np.array([win]), np.array([loss]), contact_per_day=contact)[0]


def by_quadrature(days, win, loss, contact):
    """Integrate over the day of contact; the formula under test is not used."""

    def density(day):
        return contact * np.exp(-contact * day) * win / (win + loss) * -np.expm1(-(win + loss) * (days - day))

    middle = min(days, 5 / contact)
    return quad(density, 0, middle)[0] + quad(density, middle, days)[0]


@pytest.mark.parametrize("contact", [None, 1.6, 0.25, 0.07])
def test_closed_form_equals_brute_force(contact):
    rng = np.random.default_rng(5)
    n, win, loss, days = 300_000, 0.02, 0.05, 30.0
    waited = np.zeros(n) if contact is None else rng.exponential(1 / contact, n)
    winning, losing = rng.exponential(1 / win, n), rng.exponential(1 / loss, n)
    simulated = np.mean((winning < losing) & (waited + winning <= days))
    expected = won_within(days, win, loss, contact)
    # Four standard errors of a binomial share; the seed is fixed.
    assert abs(simulated - expected) < 4 * np.sqrt(expected * (1 - expected) / n)


@given(days=DAYS, win=RATES, loss=RATES, contact=RATES)
def test_closed_form_equals_quadrature(days, win, loss, contact):
    # quad promises 1.5e-8 absolute on each of its two pieces.
    assert won_within(days, win, loss, contact) == pytest.approx(
        by_quadrature(days, win, loss, contact), abs=1e-7
    )


@given(days=DAYS, win=RATES, loss=RATES, contact=RATES, factor=st.floats(1.01, 5.0))
def test_waiting_longer_never_lowers_it_and_contact_never_hurts(days, win, loss, contact, factor):
    now = won_within(days, win, loss, contact)
    slack = 1e-12  # rounding of a difference of numbers near one
    assert now <= won_within(days * factor, win, loss, contact) + slack
    assert now <= won_within(days, win, loss) + slack
    assert 0 <= now <= win / (win + loss) + slack


@given(win=RATES, loss=RATES)
def test_equal_rates_of_contact_and_end_take_the_limit(win, loss):
    end = win + loss
    expected = win / end * (1 - np.exp(-end * 20) * (1 + end * 20))
    assert won_within(20.0, win, loss, end) == pytest.approx(expected, abs=1e-14)
    assert won_within(20.0, win, loss, end * (1 + 1e-12)) == pytest.approx(expected, abs=1e-10)


def test_limits_are_those_of_common_sense():
    assert won_within(1e9, 0.02, 0.08, 0.25) == pytest.approx(0.2)
    assert won_within(1e-9, 0.02, 0.08, 0.25) == pytest.approx(0.0, abs=1e-15)
    assert won_within(60.0, 0.02, 0.08, 1e9) == pytest.approx(won_within(60.0, 0.02, 0.08))


def test_the_formula_of_the_literature_gives_the_same_number():
    w, loss, m, h = 0.03, 0.04, 0.5, 14.0
    end = w + loss
    textbook = w / end * (1 - (end * np.exp(-m * h) - m * np.exp(-end * h)) / (end - m))
    assert won_within(h, w, loss, m) == pytest.approx(textbook, abs=1e-14)


def drawn(n=1_000, base_rate=0.12, horizon_days=60.0):
    rng = np.random.default_rng(3)
    return draw_sales_process(
        rng,
        log_odds=rng.normal(0, 1.5, n),
        end_per_day=np.full(n, 0.06),
        contact_per_day=np.full(n, 0.25),
        horizon_days=horizon_days,
        base_rate=base_rate,
    )


@pytest.mark.parametrize("base_rate", [0.001, 0.12, 0.6])
def test_mean_probability_at_creation_is_the_base_rate(base_rate):
    assert drawn(base_rate=base_rate).true_probability(0.0, 60.0).mean() == pytest.approx(
        base_rate, abs=1e-12
    )


def test_a_base_rate_above_the_share_that_ends_is_refused_with_the_highest_possible():
    with pytest.raises(ConfigError, match=r"base_rate must be below 0\.\d+.*got 0\.5.*longer horizon_days"):
        drawn(base_rate=0.5, horizon_days=3.0)


def test_intercept_of_equal_leads_is_the_log_odds():
    log_odds, ended = np.zeros(4), np.ones(4)
    assert intercept_for_base_rate(log_odds, ended, 0.2) == pytest.approx(np.log(0.25))


def test_ended_leads_have_no_probability_and_contacted_ones_the_larger():
    process = drawn()
    at_day_10 = process.true_probability(10.0, 60.0)
    ended = process.closed_after_seconds <= 10 * 86_400
    contacted = (process.contacted_after_seconds <= 10 * 86_400) & ~ended
    assert np.array_equal(np.isnan(at_day_10), ended)
    assert (at_day_10[contacted] > process.true_probability(0.0, 60.0)[contacted]).all()
    waiting = ~ended & ~contacted
    assert np.array_equal(at_day_10[waiting], process.true_probability(0.0, 60.0)[waiting])


def test_every_lead_is_contacted_before_it_ends():
    process = drawn()
    assert (process.contacted_after_seconds >= 1).all()
    assert (process.closed_after_seconds > process.contacted_after_seconds).all()
