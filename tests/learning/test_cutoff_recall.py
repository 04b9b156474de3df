"""A recall guarantee: few of the wins are missed, or the error says how many won leads are needed."""

import numpy as np
import pytest
from scipy.stats import binom

from contracts.policy_contract import PolicyContract, leads, simulate
from leadlift.exceptions import NoCutoffError
from leadlift.learning.cutoff import RecallGuarantee
from oracles import binomial_tail


class TestRecallGuarantee(PolicyContract):
    name = "recall_guarantee"
    confidence = 0.9
    impossible = (
        ({"target": 1.0}, r"target must lie in \(0, 1\), got 1"),
        ({"target": 0.8, "confidence": 1.0}, r"confidence must lie in \(0.5, 1\), got 1"),
    )

    @pytest.fixture
    def policy(self):
        return RecallGuarantee(0.8)


def test_the_threshold_passes_the_exact_test_and_the_next_higher_one_does_not():
    evidence = simulate()
    cutoff = RecallGuarantee(0.8, confidence=0.9).choose(evidence)
    n_won = int(evidence.won.sum())
    caught = int((evidence.won & (evidence.score >= cutoff.threshold)).sum())
    assert binomial_tail(caught, n_won, 0.8) <= 0.1 < binomial_tail(caught - 1, n_won, 0.8)
    assert cutoff.threshold in evidence.score[evidence.won]
    assert cutoff.promised_recall == 0.8


def test_scores_need_not_be_calibrated():
    evidence = simulate()
    shifted = leads(evidence.score / 3, won=evidence.won)
    threshold = RecallGuarantee().choose(shifted).threshold
    assert threshold == pytest.approx(RecallGuarantee().choose(evidence).threshold / 3, rel=1e-15)


def test_eleven_won_leads_are_the_fewest_that_certify_eighty_per_cent():
    score = np.linspace(0.1, 0.9, 30)
    assert 0.8**11 < 0.1 < 0.8**10
    assert RecallGuarantee(0.8).choose(leads(score, won=score > score[18])).threshold == score[19]
    with pytest.raises(NoCutoffError, match="Bring at least 11 won leads") as caught:
        RecallGuarantee(0.8).choose(leads(score, won=score > score[19]))
    # Ten of ten certify 0.1 ** (1 / 10) = 0.794.
    assert caught.value.best.promised_recall == 0.794
    assert "on 10 won leads" in str(caught.value)
    assert caught.value.best.promise in str(caught.value)


def test_without_wins_nothing_can_be_promised():
    with pytest.raises(
        NoCutoffError, match="on 0 won leads, 0 of which can qualify: nothing can be"
    ) as caught:
        RecallGuarantee().choose(leads([0.1, 0.2]))
    assert caught.value.best is None


@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_no_more_promises_are_broken_than_the_confidence_allows(confidence):
    # Scores of won leads are uniform, so that a threshold t misses a share t of the wins.
    repeats, n_won = 2_000, 150
    rng = np.random.default_rng(7)
    broken = 0
    for _ in range(repeats):
        evidence = leads(rng.random(n_won), won=np.ones(n_won))
        broken += RecallGuarantee(0.8, confidence).choose(evidence).threshold > 0.2
    k = int(np.flatnonzero(binom.sf(np.arange(n_won + 1) - 1, n_won, 0.8) <= 1 - confidence)[0])
    exact = binom.sf(k - 1, n_won, 0.8)  # the chance by formula, just below 1 - confidence
    assert exact <= 1 - confidence
    assert abs(broken / repeats - exact) < 3 * np.sqrt(exact * (1 - exact) / repeats)
