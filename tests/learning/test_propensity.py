"""Inverse chances undo a selection whose chances are known, and say what that costs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlift.exceptions import InputError
from leadlift.learning.calibration import _choose
from leadlift.learning.plan import early_and_late
from leadlift.learning.propensity import (
    MAX_INVERSE,
    effective_size,
    hajek_mean,
    inverse_propensity,
    kept_by_weight,
)
from leadlift.learning.scorer import LeadScorer


def selected(n, rng, share=0.05):
    """Leads of two kinds: good ones are all seen, of the bad ones a share."""
    good = rng.random(n) < 0.2
    won = rng.random(n) < np.where(good, 0.5, 0.05)
    chance = np.where(good, 1.0, share)
    return won, chance, rng.random(n) < chance


def test_weights_are_inverse_chances_where_the_outcome_was_seen():
    found = inverse_propensity([1.0, 0.5, 0.05, 0.0], [True, True, False, False])
    assert (found.weight.tolist(), found.n_clipped) == ([1, 2, 0, 0], 0)


def test_a_weight_is_clipped_at_the_bound_and_counted():
    found = inverse_propensity([1 / MAX_INVERSE, 0.001])
    assert (found.weight.tolist(), found.n_clipped) == ([MAX_INVERSE, MAX_INVERSE], 1)


@pytest.mark.parametrize("bad", [0.0, -0.1, 1.1, np.nan])
def test_a_lead_seen_without_a_chance_is_refused(bad):
    with pytest.raises(InputError, match=r"not in \(0, 1\]"):
        inverse_propensity([0.5, bad])


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=50))
def test_weights_make_the_rows_say_no_more_than_their_number(weight):
    assert 1 - 1e-9 <= effective_size(weight) <= len(weight) + 1e-9


def test_the_interval_of_the_weighted_mean_holds_the_truth_as_often_as_it_says():
    truth, held = 0.2 * 0.5 + 0.8 * 0.05, 0
    for seed in range(300):
        won, chance, seen = selected(4000, np.random.default_rng(seed))
        found = hajek_mean(won, inverse_propensity(chance, seen).weight)
        held += found.low <= truth <= found.high
    assert 0.91 <= held / 300 <= 0.98


def test_the_plain_mean_of_those_seen_is_far_off():
    won, _, seen = selected(100_000, np.random.default_rng(0))
    assert won[seen].mean() > 0.3


def test_rows_kept_by_weight_are_a_plain_sample_of_all_leads():
    won, chance, seen = selected(400_000, np.random.default_rng(0))
    kept = kept_by_weight(1 / chance[seen], random_state=0)
    assert won[seen][kept].mean() == pytest.approx(won.mean(), abs=0.01)
    assert kept.sum() == pytest.approx(0.05 * 400_000, rel=0.03)


def test_a_scorer_is_calibrated_for_all_leads_and_counts_those_that_are_absent():
    rng = np.random.default_rng(0)
    n = 30_000
    x = rng.normal(size=n)
    truth = 1 / (1 + np.exp(2.5 - 1.5 * x))
    chance = np.where(x > 1, 1.0, 0.1)
    seen = rng.random(n) < chance
    y = (rng.random(n) < truth).astype(int)
    day = np.datetime64("2025-01-01") + np.arange(n) * 300 // n
    scorer = LeadScorer().fit(x[seen, None], y[seen], as_of=day[seen], contact_weight=1 / chance[seen])
    evidence = scorer.evidence_
    assert scorer.predict_proba(x[:, None])[:, 1].mean() == pytest.approx(truth.mean(), abs=0.01)
    assert evidence.won.mean() == pytest.approx(truth.mean(), abs=0.02)
    assert len(evidence.won) / evidence.n_weeks == pytest.approx(n / (300 / 7), rel=0.05)


def test_late_rows_of_which_a_few_stand_for_most_say_too_little_by_themselves():
    y = np.tile([1, 0], 4000)
    as_of = np.arange(len(y))
    few_heavy = np.where(as_of % 200 < 2, 50.0, 1.0)
    assert early_and_late(y, as_of)[1] is not None
    assert early_and_late(y, as_of, contact_weight=np.full(len(y), 20.0))[1] is not None
    assert early_and_late(y[:4000], as_of[:4000], contact_weight=few_heavy[:4000])[1] is None


def test_a_calibrator_does_not_win_by_two_heavy_leads_that_disagree():
    rng = np.random.default_rng(0)
    losses = {"none": np.zeros(200), "sigmoid": rng.normal(0, 0.01, 200)}
    losses["sigmoid"][:2] = -0.1, 0.05
    heavy = np.r_[100.0, 100.0, np.ones(198)]
    assert _choose(losses, heavy) == "none"
    assert _choose({"none": np.zeros(200), "sigmoid": rng.normal(-0.1, 0.01, 200)}, heavy) == "sigmoid"
