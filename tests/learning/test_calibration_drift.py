"""Scores that later outcomes contradict are reported; scores that hold are not."""

import numpy as np
import pytest
from scipy.special import expit

from leadlift.exceptions import ConfigError
from leadlift.learning.calibration_drift import drift_finding, training_drift
from leadlift.learning.cutoff import Evidence

N_REPEATS = 200


def outcomes(n, seed=0, shift=0.0, slope=1.0):
    """Scores, and outcomes under the true log-odds ``slope z + shift``."""
    rng = np.random.default_rng(seed)
    z = -1.8 + 1.3 * rng.normal(size=n)
    return expit(z), rng.random(n) < expit(slope * z + shift)


def test_right_scores_are_seldom_reported():
    found = [drift_finding(*outcomes(500, seed), where="May") is not None for seed in range(N_REPEATS)]
    assert np.mean(found) <= 0.1  # 0.05 within three standard errors


@pytest.mark.parametrize("wrong", [{"shift": 1.0}, {"shift": -1.5}, {"slope": 0.2, "shift": -1.5}])
def test_a_moved_base_rate_and_overconfidence_are_reported(wrong):
    found = [drift_finding(*outcomes(500, seed, **wrong), where="May") is not None for seed in range(10)]
    assert all(found)


def test_what_is_clear_but_does_not_matter_is_not_reported():
    assert drift_finding(*outcomes(200_000, shift=0.1), where="May") is None
    assert drift_finding(*outcomes(200_000, shift=0.5), where="May") is not None


def test_the_finding_says_what_came_and_what_was_expected():
    found = drift_finding(np.full(400, 0.1), np.arange(400) < 100, where="the first block")
    assert found.code == "LL162"
    assert "in the first block 25.0% of 400 leads were won where the scores said 10.0%" in found.message
    assert found.count == 400


def test_leads_that_were_all_lost_contradict_scores_that_promised_wins():
    assert drift_finding(np.full(400, 0.1), np.zeros(400), where="May").code == "LL162"
    assert drift_finding(np.full(5, 0.1), np.zeros(5), where="May") is None


def test_late_leads_of_training_speak_only_where_they_are_later():
    score, won = outcomes(1000, shift=1.0)
    z = np.log(score / (1 - score))
    assert [found.code for found in training_drift(Evidence(score, z, won, source="decide slice"))] == [
        "LL162"
    ]
    assert training_drift(Evidence(score, z, won, source="out-of-fold")) == ()


def test_an_impossible_rate_is_refused():
    with pytest.raises(ConfigError, match=r"false_alarm_rate must lie in \(0, 1\), got 2"):
        drift_finding([0.1], [True], where="May", false_alarm_rate=2)
