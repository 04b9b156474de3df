"""A simulated year that turns under the model's feet: `benchmarks/retrain_policies.py` in small.

One year of those that the benchmark reports; the figures over all of them stand in its results.
"""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from leadlift.lifecycle.retraining.contract import PromotionContract

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SEED = 0


@pytest.fixture(scope="module")
def bench():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import retrain_policies
        import simulated_year

        yield SimpleNamespace(policies=retrain_policies, year=simulated_year)


@pytest.fixture(scope="module")
def market(bench):
    return bench.year.make_market(SEED)


@pytest.fixture(scope="module")
def if_needed(bench, market):
    return bench.policies.POLICIES["if needed"].play(market)


@pytest.fixture(scope="module")
def frequent(bench, market):
    """Learnt every ten days on all that is known, promoted unseen: nearly daily, at a tenth of the cost."""
    return bench.policies.Every(10, "every ten days", None).play(market)


def test_retraining_if_needed_catches_nearly_the_wins_of_frequent_retraining(if_needed, frequent):
    assert if_needed.wins.sum() >= 0.95 * frequent.wins.sum()
    assert len(if_needed.retrained_on) <= 365 / 10


def test_a_model_that_nobody_retrains_loses_what_retraining_keeps(bench, market, if_needed):
    never = bench.policies.Never().play(market)
    last_quarter = slice(-91, None)
    assert never.wins[last_quarter].sum() < 0.8 * if_needed.wins[last_quarter].sum()


def test_no_promotion_costs_wins_beyond_the_margin_of_the_contract(if_needed):
    changes = [promotion.wins_change for promotion in if_needed.promotions]
    assert changes
    assert min(changes) >= -PromotionContract().wins_margin


def test_every_promotion_of_the_year_was_judged_and_held(if_needed):
    assert all(promotion.verdict.holds for promotion in if_needed.promotions)
    assert len(if_needed.promotions) < len(if_needed.retrained_on)


def test_a_market_that_turns_within_a_month_raises_an_alarm_as_soon_as_outcomes_can_tell(bench):
    first_day, last_day = 60, 90
    history, horizon = bench.year.HISTORY_DAYS, bench.year.HORIZON_DAYS
    turning = bench.year.make_market(
        SEED, leads_a_day=100, turns_between=(history + first_day, history + last_day)
    )
    service = bench.policies.Service.begin(turning)
    first_alarm = next((today for today in range(250) if alarms(bench, service, today)), None)
    # Two windows of 28 days after the turn, and the horizon of the last lead in them.
    assert first_day + horizon < first_alarm <= last_day + 2 * 28 + horizon + 7


def alarms(bench, service, today):
    """Work a day; on Mondays, ask monitoring first."""
    found = today and today % 7 == 0 and bench.policies.monitored(service, today).needs_action
    service.work(today)
    return found


def test_a_market_that_does_not_turn_raises_no_alarm(bench):
    steady = bench.year.make_market(SEED, turns_between=None)
    service = bench.policies.Service.begin(steady)
    assert not any(alarms(bench, service, today) for today in range(120))


def test_the_best_leads_of_each_day_are_worked(bench):
    day, score = np.array([0, 0, 0, 1, 1]), np.array([0.1, 0.9, 0.5, 0.2, 0.3])
    assert sorted(bench.year.best_of_each_day(day, score, n_a_day=2).tolist()) == [1, 2, 3, 4]
