"""Shifts of the base rate: found with labels and without, intervals that cover, a test that objects."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from laws import law
from leadlift.exceptions import InputError
from leadlift.learning.fitted.curves import shifted
from leadlift.learning.prior_shift import mixture_test, shift_from_labels, shift_from_scores

FORMER = 0.1
N_REPEATS = 200


def leads(n, base_rate=FORMER, seed=0, separation=1.5, won_moved=0.0):
    """Scores calibrated at `FORMER` by Bayes' rule; won and lost score alike at every base rate."""
    rng = np.random.default_rng(seed)
    won = rng.random(n) < base_rate
    signal = rng.normal(separation * won + won_moved * won, 1.0)
    log_ratio = separation * signal - separation**2 / 2
    return expit(logit(FORMER) + log_ratio), won


def em_of_saerens(new, former, steps=2000):
    """The published iteration, as an oracle: posterior under the present prior, then the prior anew."""
    rate = former
    for _ in range(steps):
        of_won, of_lost = rate / former * new, (1 - rate) / (1 - former) * (1 - new)
        rate = float((of_won / (of_won + of_lost)).mean())
    return rate


# With labels


def test_the_likeliest_shift_makes_the_scores_add_up_to_the_wins():
    score, won = leads(500, base_rate=0.25)
    shift = shift_from_labels(score, won).log_odds.estimate
    assert shifted(score, shift).sum() == pytest.approx(won.sum())


def test_intervals_from_labels_cover_and_p_values_are_honest():
    truth = logit(0.25) - logit(FORMER)
    moved = [shift_from_labels(*leads(400, 0.25, seed)).log_odds for seed in range(N_REPEATS)]
    covered = np.mean([interval.low <= truth <= interval.high for interval in moved])
    assert 0.90 <= covered <= 0.99  # 0.95 within three standard errors
    alarms = np.mean([shift_from_labels(*leads(400, FORMER, s)).p_value < 0.05 for s in range(N_REPEATS)])
    assert alarms <= 0.1


@pytest.mark.parametrize(("won", "end"), [(False, "low"), (True, "high")])
def test_leads_that_all_ended_alike_bound_the_shift_on_one_side(won, end):
    shift = shift_from_labels(np.full(50, FORMER), np.full(50, won))
    assert abs(getattr(shift.log_odds, end)) == 20
    assert 0 <= shift.base_rate.low <= shift.base_rate.high <= 1
    other = shift.log_odds.high if end == "low" else shift.log_odds.low
    assert abs(other) < 20


# Without labels


@pytest.mark.parametrize("base_rate", [0.02, 0.1, 0.3, 0.6])
def test_the_root_is_where_the_published_iteration_ends(base_rate):
    new, evidence = leads(3000, base_rate, seed=1)[0], leads(3000, seed=2)[0]
    estimate = shift_from_scores(new, evidence).base_rate.estimate
    assert estimate == pytest.approx(em_of_saerens(new, evidence.mean()), abs=1e-4)


@pytest.mark.parametrize("base_rate", [0.05, 0.1, 0.3])
def test_intervals_without_labels_cover(base_rate):
    intervals = [
        shift_from_scores(leads(1000, base_rate, seed)[0], leads(2000, FORMER, seed + 5000)[0]).base_rate
        for seed in range(N_REPEATS)
    ]
    covered = np.mean([interval.low <= base_rate <= interval.high for interval in intervals])
    assert covered >= 0.90  # 0.95 within three standard errors


def test_scores_that_hardly_tell_won_from_lost_say_little():
    def width(separation):
        new, evidence = (leads(1000, FORMER, seed, separation)[0] for seed in (1, 2))
        interval = shift_from_scores(new, evidence).log_odds
        return interval.high - interval.low

    assert width(0.3) > 2 * width(1.5)


def test_corrected_scores_are_calibrated_under_the_new_base_rate():
    new, won = leads(20_000, 0.3, seed=1)
    shift = shift_from_scores(new, leads(20_000, seed=2)[0])
    corrected = shifted(new, shift.log_odds.estimate)
    assert new.mean() < 0.22
    for part in np.array_split(np.argsort(new), 5):
        assert corrected[part].mean() == pytest.approx(won[part].mean(), abs=0.05)  # the shift errs by 0.07


def test_the_order_of_the_leads_does_not_matter():
    new, evidence = leads(500, 0.3)[0], leads(500, seed=3)
    order = np.random.default_rng(0).permutation(500)
    one = shift_from_scores(new, evidence[0]), mixture_test(new, *evidence)
    other = (
        shift_from_scores(new[order], evidence[0][order]),
        mixture_test(new[order], evidence[0][order], evidence[1][order]),
    )
    assert one[0].log_odds.estimate == pytest.approx(other[0].log_odds.estimate, abs=1e-6)
    assert one[1].statistic == pytest.approx(other[1].statistic)


# Where the assumption holds


@pytest.mark.parametrize("base_rate", [FORMER, 0.3])
def test_a_base_rate_that_moved_is_still_a_mixture(base_rate):
    rejected = [
        mixture_test(leads(800, base_rate, s)[0], *leads(1500, FORMER, s + 5000)).p_value < 0.05
        for s in range(N_REPEATS)
    ]
    assert np.mean(rejected) <= 0.1  # 0.05 within three standard errors


def test_won_leads_that_score_otherwise_are_no_mixture():
    found = [
        mixture_test(leads(1500, 0.3, s, won_moved=1.5)[0], *leads(1500, FORMER, s + 5000)).p_value < 0.05
        for s in range(20)
    ]
    assert np.mean(found) >= 0.9


def test_scores_from_elsewhere_are_far_away_by_any_measure():
    test = mixture_test(np.full(200, 0.999), *leads(1500))
    assert test.p_value < 1e-6
    assert test.stability_index > 1


def test_scores_of_two_values_cannot_be_tested():
    score = np.repeat([0.1, 0.3], 50)
    test = mixture_test(score, score, np.arange(100) % 3 == 0)
    assert (test.degrees_of_freedom, test.p_value) == (0, 1.0)


@law
@given(st.lists(st.floats(0, 1), min_size=2, max_size=40), st.floats(-5, 5))
def test_a_shift_keeps_the_order_and_can_be_undone(score, by):
    score = np.sort(np.array(score))
    moved = shifted(score, by)
    assert (np.diff(moved) >= 0).all()
    assert ((moved >= 0) & (moved <= 1)).all()
    np.testing.assert_allclose(shifted(moved, -by), score, atol=1e-9)


# Bad input


def test_no_leads_are_refused():
    with pytest.raises(InputError, match="needs scored leads, got none"):
        shift_from_labels([], [])


def test_evidence_of_one_score_is_refused():
    with pytest.raises(InputError, match="all 9 leads of the evidence have one score"):
        shift_from_scores([0.1, 0.2], np.full(9, 0.1))


def test_evidence_of_one_outcome_is_refused():
    with pytest.raises(InputError, match="must hold won and lost leads, got 0 won of 9"):
        mixture_test([0.1, 0.2], np.linspace(0.1, 0.9, 9), np.zeros(9))
