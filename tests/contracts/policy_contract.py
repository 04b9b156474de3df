"""What every cut-off policy must keep. A test class subclasses the contract and gives its fixtures."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone

from leadlift.exceptions import ConfigError, InputError
from leadlift.learning.cutoff import POLICIES, Evidence, get_policy, passes
from leadlift.learning.cutoff.ladder import quantile_ladder
from oracles import count_passing

RATE_TOLERANCE = 1e-12  # one division


def simulate(n=2000, seed=0, decimals=None):
    """Calibrated scores over ten weeks; rounding makes ties that the log-odds break."""
    rng = np.random.default_rng(seed)
    z = -2 + 1.5 * rng.normal(size=n)
    score = expit(z) if decimals is None else np.round(expit(z), decimals)
    days = rng.integers(0, 70, n)
    days[:2] = 0, 69
    as_of = np.datetime64("2026-01-01", "D") + days.astype("timedelta64[D]")
    return Evidence(score, z, rng.random(n) < expit(z), as_of, "given")


def leads(score, won=None, log_odds=None, days=None, inputs=None):
    """Evidence typed by hand."""
    score = np.array(score, dtype=float)
    won = np.zeros(len(score), bool) if won is None else np.array(won, dtype=bool)
    log_odds = score if log_odds is None else np.array(log_odds, dtype=float)
    as_of = None if days is None else np.datetime64("2026-01-01") + np.array(days).astype("timedelta64[D]")
    return Evidence(score, log_odds, won, as_of, inputs=inputs)


def reordered(evidence, order):
    columns = {name: getattr(evidence, name)[order] for name in ("score", "log_odds", "won")}
    as_of = None if evidence.as_of is None else evidence.as_of[order]
    return replace(evidence, as_of=as_of, **columns)


class PolicyContract:
    name = ""
    """The policy's name in leadlift.toml."""
    impossible = ()
    """Parameters that make no sense, with what the message says."""
    confidence = None
    """Confidence of the guarantee, where the policy gives one."""

    @pytest.fixture
    def policy(self):
        """A policy that finds a cut-off in the evidence; the subclass gives it."""
        raise NotImplementedError

    @pytest.fixture(params=[None, 2], ids=["distinct scores", "tied scores"])
    def evidence(self, request):
        return simulate(decimals=request.param)

    def test_it_is_registered_with_its_parameters(self, policy):
        twin = get_policy(self.name, **policy.get_params())
        assert type(twin) is type(policy)
        assert repr(twin) == repr(policy) == repr(clone(policy))
        assert self.name in POLICIES

    def test_the_evidence_is_described_as_counting_finds_it(self, policy, evidence):
        cutoff = policy.choose(evidence)
        n_passed, n_won, n_tied = count_passing(
            evidence.score, evidence.won, cutoff.threshold, evidence.log_odds, cutoff.tie_break
        )
        assert cutoff.precision.estimate == pytest.approx(n_won / n_passed, abs=RATE_TOLERANCE)
        assert cutoff.recall.estimate == pytest.approx(n_won / evidence.won.sum(), abs=RATE_TOLERANCE)
        assert cutoff.share == pytest.approx(n_passed / len(evidence.score), abs=RATE_TOLERANCE)
        assert cutoff.per_week.estimate == pytest.approx(n_passed / 10, abs=RATE_TOLERANCE)
        assert (cutoff.n_tied, cutoff.n_evidence) == (n_tied, len(evidence.score))
        assert (cutoff.n_evidence_won, cutoff.evidence) == (evidence.won.sum(), "given")

    def test_every_interval_holds_its_estimate(self, policy, evidence):
        cutoff = policy.choose(evidence)
        for interval in (cutoff.precision, cutoff.recall, cutoff.per_week):
            assert interval.low <= interval.estimate <= interval.high
            assert interval.confidence == cutoff.confidence

    def test_the_same_leads_in_any_order_give_the_same_cutoff(self, policy, evidence):
        cutoff = policy.choose(evidence)
        assert policy.choose(evidence) == cutoff
        for seed in range(3):
            order = np.random.default_rng(seed).permutation(len(evidence.score))
            assert policy.choose(reordered(evidence, order)) == cutoff

    def test_a_lead_at_the_threshold_passes(self, policy, evidence):
        cutoff = policy.choose(evidence)
        just_below = np.nextafter(cutoff.threshold, 0)
        assert passes([just_below, cutoff.threshold], cutoff.threshold).tolist() == [False, True]

    def test_no_promise_comes_without_its_evidence_and_its_confidence(self, policy, evidence):
        promise = policy.choose(evidence).promise
        assert f"on the evidence of 2,000 leads ({evidence.won.sum()} won)" in promise
        if self.confidence is None:
            assert promise.endswith("; nothing is guaranteed")
        else:
            assert f"with {self.confidence:.0%} confidence" in promise
            assert "nothing is guaranteed" not in promise

    def test_what_is_guaranteed_is_kept_as_a_number(self, policy, evidence):
        cutoff = policy.choose(evidence)
        guaranteed = [share for share in (cutoff.promised_precision, cutoff.promised_recall) if share]
        assert bool(guaranteed) == (self.confidence is not None)
        assert all(f"at least {share:.0%}" in cutoff.promise for share in guaranteed)

    def test_expected_wins_a_week_are_what_counting_finds(self, policy, evidence):
        cutoff = policy.choose(evidence)
        _, n_won, _ = count_passing(
            evidence.score, evidence.won, cutoff.threshold, evidence.log_odds, cutoff.tie_break
        )
        assert cutoff.wins_per_week.estimate == pytest.approx(n_won / 10, abs=RATE_TOLERANCE)

    def test_it_admits_its_own_cutoff(self, policy, evidence):
        ladder = quantile_ladder(evidence, 200, policy.choose(evidence))
        assert policy.admits(evidence, ladder)[-1]

    def test_impossible_parameters_are_refused(self):
        for parameters, message in self.impossible:
            with pytest.raises(ConfigError, match=message):
                get_policy(self.name, **parameters)

    def test_a_parameter_it_does_not_have_is_refused(self):
        with pytest.raises(ConfigError, match=f"policy '{self.name}' takes .*; got nonsense"):
            get_policy(self.name, nonsense=1.0)

    def test_no_evidence_is_refused(self, policy):
        nothing = reordered(simulate(), np.array([], dtype=int))
        with pytest.raises(InputError, match="needs leads with known outcome as evidence, got none"):
            policy.choose(nothing)
