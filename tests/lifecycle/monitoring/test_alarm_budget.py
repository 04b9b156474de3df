"""The chance of false alarms is split without a rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlift.exceptions import ConfigError
from leadlift.lifecycle.monitoring.budget import PARTS, AlarmBudget


@given(st.floats(0.001, 0.5), st.floats(1, 400), st.integers(1, 100), st.integers(1, 50))
def test_the_levels_of_all_tests_of_all_windows_add_up_to_the_rate(rate, per_days, n_windows, n_tests):
    level = AlarmBudget(rate, per_days).level(per_days / n_windows, n_tests)
    assert level * n_windows * n_tests == pytest.approx(rate)


def test_the_parts_of_the_families_add_up_to_the_whole():
    assert sum(PARTS.values()) == pytest.approx(1)
    assert AlarmBudget(0.08).of("outcomes").rate == pytest.approx(0.04)


def test_a_window_longer_than_the_period_is_one_a_period():
    assert AlarmBudget(0.05, per_days=91).level(365) == pytest.approx(0.05)


@pytest.mark.parametrize("values", [{"rate": 0}, {"rate": 1}, {"per_days": 0}])
def test_impossible_budgets_are_refused(values):
    with pytest.raises(ConfigError, match="must lie in"):
        AlarmBudget(**values)
    with pytest.raises(ConfigError, match="window_days must lie in"):
        AlarmBudget().level(0)
