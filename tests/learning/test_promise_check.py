"""A promise is called void when later leads are no longer like the evidence, and seldom otherwise."""

import numpy as np
import pytest
from scipy.special import expit, logit

from leadlift.data.datasets import make_leads
from leadlift.exceptions import ConfigError, InputError
from leadlift.learning.calibration import SigmoidCalibrator
from leadlift.learning.cutoff import Evidence, FixedThreshold, PrecisionGuarantee
from leadlift.learning.promise_check import check_promise

TARGET = 0.3
N_REPEATS = 200


def leads(n, seed=0, shift=0.0, won_moved=0.0):
    """Scores calibrated at a base rate of about 19 %; a shift of the base rate leaves the scores' meaning."""
    rng = np.random.default_rng([seed, n])
    rate = expit(logit(0.19) + shift)
    won = rng.random(n) < rate
    signal = rng.normal((1.5 + won_moved) * won, 1.0)
    log_odds = logit(0.19) + 1.5 * signal - 1.5**2 / 2
    return Evidence(expit(log_odds), log_odds, won)


@pytest.fixture(scope="module")
def evidence():
    return leads(2000, seed=9)


@pytest.fixture(scope="module")
def cutoff(evidence):
    return PrecisionGuarantee(TARGET).choose(evidence)


def check(seed, *, new_shift=0.0, recent_shift=0.0, with_recent=True, **other):
    """One promise made on evidence and checked on later leads."""
    evidence = leads(1500, seed)
    cutoff = PrecisionGuarantee(TARGET).choose(evidence)
    recent = leads(400, seed, recent_shift) if with_recent else None
    return check_promise(cutoff, evidence, leads(500, seed, new_shift, **other).score, recent=recent)


def test_leads_like_the_evidence_are_seldom_called_void():
    alarms = [check(seed).is_void for seed in range(N_REPEATS)]
    assert np.mean(alarms) <= 0.05  # as stated; the tests are at most that, and Bonferroni leaves room


def test_a_false_alarm_rate_asked_for_is_kept():
    evidence = leads(1500, 1)
    cutoff = PrecisionGuarantee(TARGET).choose(evidence)
    alarms = [
        check_promise(cutoff, evidence, leads(300, s).score, recent=leads(200, s), false_alarm_rate=0.2)
        for s in range(N_REPEATS)
    ]
    assert np.mean([alarm.is_void for alarm in alarms]) <= 0.28  # 0.2 within three standard errors


def test_fewer_wins_among_the_latest_outcomes_make_it_void():
    verdicts = [check(seed, recent_shift=-1.2).verdict for seed in range(20)]
    assert verdicts.count("void") >= 19


def test_a_fallen_base_rate_shows_in_the_scores_before_any_outcome():
    checks = [check(seed, new_shift=-1.2, with_recent=False) for seed in range(20)]
    assert sum(found.is_void for found in checks) >= 18
    assert np.mean([found.expected_precision for found in checks]) < TARGET


def test_a_risen_base_rate_keeps_the_promise():
    checks = [check(seed, new_shift=1.0, recent_shift=1.0) for seed in range(20)]
    assert not any(found.is_void for found in checks)
    assert min(found.expected_precision for found in checks) > TARGET


def test_scores_from_elsewhere_make_it_void_even_if_they_look_good(evidence, cutoff):
    found = check_promise(cutoff, evidence, np.linspace(0.90, 0.99, 300))
    assert found.is_void
    assert "no base rate explains the new scores" in found.reasons[0]


def test_an_alarm_is_a_finding_with_numbers_and_a_remedy(evidence, cutoff):
    recent = leads(600, 3, shift=-2.0)
    found = check_promise(cutoff, evidence, leads(500, 4).score, recent=recent).finding()
    assert found.code == "LL163"
    assert "30.0% won of the qualified was promised; of the " in found.message
    assert "the labels of 600 leads say that the base rate fell from" in found.message
    assert "refresh the scorer" in found.remedy


def test_no_alarm_is_no_finding(evidence, cutoff):
    found = check_promise(cutoff, evidence, leads(500, 4).score)
    assert (found.verdict, found.finding(), found.from_labels) == ("holds", None, None)
    assert found.n_new == 500
    assert 0 < found.n_qualified < 500


def test_a_cutoff_without_a_promise_needs_a_target(evidence):
    fixed = FixedThreshold(0.4).choose(evidence)
    with pytest.raises(ConfigError, match="promises no precision, so there is nothing to check"):
        check_promise(fixed, evidence, evidence.score)
    assert check_promise(fixed, evidence, evidence.score, target=0.3).verdict == "holds"


def test_impossible_demands_and_no_leads_are_refused(evidence, cutoff):
    with pytest.raises(ConfigError, match=r"target must lie in \(0, 1\), got 30"):
        check_promise(cutoff, evidence, evidence.score, target=30)
    with pytest.raises(ConfigError, match=r"false_alarm_rate must lie in \(0, 1\), got 0"):
        check_promise(cutoff, evidence, evidence.score, false_alarm_rate=0)
    with pytest.raises(InputError, match="needs scored leads, got none"):
        check_promise(cutoff, evidence, [])


# Evidence that was unsteady itself


def dated(evidence):
    return Evidence(evidence.score, evidence.log_odds, evidence.won, np.arange(len(evidence.won)))


def unsteady(seed):
    """Six parts in time whose base rates jump; over all of them the promise can be made."""
    parts = [leads(400, k + 10 * seed, shift) for k, shift in enumerate([1.5, -2, 1.5, -2, 1.5, 1.5])]
    columns = [
        np.concatenate([getattr(part, name) for part in parts]) for name in ("score", "log_odds", "won")
    ]
    return dated(Evidence(*columns))


def test_evidence_whose_parts_disagree_makes_it_void():
    evidence = unsteady(1)
    cutoff = PrecisionGuarantee(TARGET).choose(evidence)
    found = check_promise(cutoff, evidence, evidence.score)
    assert found.is_void
    assert "in 2 of 6 parts of the evidence's time fewer than promised were won" in found.reasons[-1]


def test_steady_evidence_is_seldom_called_unsteady():
    alarms = []
    for seed in range(N_REPEATS):
        evidence = dated(leads(1500, seed))
        cutoff = PrecisionGuarantee(TARGET).choose(evidence)
        alarms.append(check_promise(cutoff, evidence, leads(400, seed).score).is_void)
    assert np.mean(alarms) <= 0.05


# On the simulated CRM: what the past would say of a lead, and what becomes of leads while the odds drift.


def crm_check(seed, drift):
    """Scores from a twin CRM without drift, calibrated on the first half; the rest follows in time."""
    still = make_leads(6000, seed, drift=1.0, with_events=False)
    moving = make_leads(6000, seed, drift=drift, with_events=False)
    log_odds, won = logit(still.true_probability()), moving.converts()
    first, past, latest, new = np.split(np.arange(6000), [2000, 3500, 5000])
    calibrator = SigmoidCalibrator().fit(log_odds[first], won[first])
    made = [Evidence(calibrator.transform(log_odds[r]), log_odds[r], won[r]) for r in (past, latest)]
    cutoff = PrecisionGuarantee(TARGET).choose(made[0])
    return check_promise(cutoff, made[0], calibrator.transform(log_odds[new]), recent=made[1])


def test_odds_that_fall_in_the_crm_make_the_promise_void_and_steady_ones_do_not():
    assert all(crm_check(seed, drift=0.05).is_void for seed in range(3))
    assert not any(crm_check(seed, drift=1.0).is_void for seed in range(3))
