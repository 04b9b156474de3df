"""A refreshed calibration follows what the labels can bear, and its evidence was not seen by it."""

import numpy as np
import pytest
from scipy.special import expit

from leadlift.exceptions import InputError
from leadlift.learning.calibration import NoCalibrator
from leadlift.learning.recalibration import ScoredWindow, choose_over_time, refresh_calibration

N_REPEATS = 40


def window(n, seed=0, shift=0.0, slope=1.0, dated=True):
    """Leads of a learner whose log-odds are off by a shift and a slope; `shift` may be one number a row."""
    rng = np.random.default_rng(seed)
    z = -1.5 + 1.3 * rng.normal(size=n)
    won = rng.random(n) < expit(slope * z + shift)
    return ScoredWindow(z, won, np.arange(n) if dated else None)


@pytest.fixture
def unchanged():
    return NoCalibrator().fit([0, 1], [0, 1])


def test_right_scores_mostly_keep_their_calibrator(unchanged):
    kept = [choose_over_time(unchanged, window(2000, seed)) is unchanged for seed in range(N_REPEATS)]
    assert np.mean(kept) >= 0.75  # three candidates, each with a chance of 5 %


@pytest.mark.parametrize("dated", [True, False])
def test_a_lasting_shift_is_followed(unchanged, dated):
    fitted = choose_over_time(unchanged, window(3000, shift=1.0, dated=dated))
    z = np.linspace(-4, 2, 50)
    assert np.abs(fitted.transform(z) - expit(z + 1.0)).mean() < 0.03


def test_overconfidence_is_repaired_and_not_by_a_shift(unchanged):
    fitted = choose_over_time(unchanged, window(4000, slope=0.4))
    assert fitted.name in {"sigmoid", "beta"}


def test_a_level_that_jumps_from_block_to_block_is_not_chased(unchanged):
    def level(seed):
        return np.repeat(np.random.default_rng([seed, 7]).normal(0, 0.8, 6), 500)

    kept = [choose_over_time(unchanged, window(3000, s, level(s))) is unchanged for s in range(N_REPEATS)]
    assert np.mean(kept) >= 0.75  # counting rows instead of blocks would follow nearly every window


def test_few_labels_move_all_log_odds_by_one_number_and_every_lead_is_evidence(unchanged):
    few = window(150, shift=1.0)
    calibrator, evidence = refresh_calibration(unchanged, few)
    assert calibrator.name == "shifted"
    assert 0.3 < calibrator.shift_ < 1.4
    assert (len(evidence.score), evidence.source) == (150, "refresh window, cross-fitted")


def test_many_labels_are_dealt_out_to_calibrator_and_evidence(unchanged):
    calibrator, evidence = refresh_calibration(unchanged, window(3000, shift=1.0))
    assert evidence.source == "refresh window"
    assert evidence.share_of_arrivals == pytest.approx(2 / 3, abs=0.001)
    assert len(evidence.score) == pytest.approx(2000, abs=2)
    assert evidence.score.mean() == pytest.approx(evidence.won.mean(), abs=0.04)
    np.testing.assert_array_equal(evidence.score, calibrator.transform(evidence.log_odds))


def test_cross_fitted_evidence_was_not_seen_by_its_calibrator(unchanged):
    """Scores fitted on their own leads would agree with the wins more closely than scores can."""
    gaps = []
    for seed in range(N_REPEATS):
        _, evidence = refresh_calibration(unchanged, window(80, seed), random_state=seed)
        gaps.append(np.corrcoef(evidence.score - expit(evidence.log_odds), evidence.won)[0, 1])
    assert np.mean(gaps) <= 0.02


def test_rows_of_one_lead_stand_on_one_side_and_count_once(unchanged):
    once = window(3000)
    twice = ScoredWindow(
        *(np.repeat(c, 2) for c in (once.log_odds, once.won, once.as_of)), np.arange(6000) // 2
    )
    _, evidence = refresh_calibration(unchanged, twice)
    assert len(evidence.score) == 2000
    assert len(np.unique(evidence.log_odds)) == 2000


@pytest.mark.parametrize("n", [150, 3000])
def test_the_order_of_the_rows_does_not_matter(unchanged, n):
    plain = window(n, shift=0.7)
    order = np.random.default_rng(1).permutation(n)
    one, other = refresh_calibration(unchanged, plain), refresh_calibration(unchanged, plain.take(order))
    assert one[0].to_dict() == other[0].to_dict()
    assert one[1].score.tobytes() == other[1].score.tobytes()


def test_a_refresh_upon_a_refresh_stays_one_shift(unchanged):
    calibrator = unchanged
    for seed in range(3):
        calibrator, _ = refresh_calibration(calibrator, window(150, seed, shift=1.0))
    assert calibrator.to_dict()["inner"] == {"name": "none"}
    assert 0.6 < calibrator.shift_ < 1.4


def test_a_window_of_one_outcome_is_refused(unchanged):
    lost = ScoredWindow(np.zeros(20), np.zeros(20, dtype=bool))
    with pytest.raises(InputError, match="needs won and lost leads, got one class only in 20 rows"):
        refresh_calibration(unchanged, lost)
