"""Cut-offs by volume: a team's capacity and a share of the leads."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.policy_contract import PolicyContract, leads, simulate
from laws import law
from leadlift.exceptions import ConfigError
from leadlift.learning.cutoff import Capacity, FixedThreshold, TopShare, passes
from leadlift.learning.cutoff.capacity import leads_by_week
from oracles import count_passing


class TestCapacity(PolicyContract):
    name = "capacity"
    impossible = (
        ({"per_week": 0}, "per_week > 0, got 0; a team that works no leads needs no cut-off"),
        ({"per_week": -3}, "per_week > 0, got -3"),
        ({"per_week": np.inf}, "per_week > 0, got inf"),
        ({"per_seller": 5, "n_sellers": 0}, "n_sellers > 0, got 0"),
        ({"per_seller": 5}, "either per_week, or per_seller together with n_sellers"),
        ({"per_week": 5, "n_sellers": 2}, "either per_week, or per_seller together with n_sellers"),
        ({}, "either per_week, or per_seller together with n_sellers; got per_week=None"),
        ({"per_week": "many"}, "a parameter of the wrong kind"),
    )

    @pytest.fixture
    def policy(self):
        return Capacity(20)


class TestCapacityOfSellers(PolicyContract):
    name = "capacity"

    @pytest.fixture
    def policy(self):
        return Capacity(per_seller=5, n_sellers=4)


class TestTopShare(PolicyContract):
    name = "top_share"
    impossible = (
        ({"share": 0}, r"share in \(0, 1\], got 0"),
        ({"share": 1.2}, r"share in \(0, 1\], got 1.2"),
        ({"share": float("nan")}, r"share in \(0, 1\], got nan"),
    )

    @pytest.fixture
    def policy(self):
        return TopShare(0.1)


def test_the_evidence_counts_its_weeks_first_and_last_day_included():
    assert leads([0.1, 0.2], days=[0, 13]).n_weeks == 2.0
    assert leads([0.1, 0.2]).n_weeks is None
    assert FixedThreshold(0.15).choose(leads([0.1, 0.2])).per_week is None


def test_evidence_that_holds_half_of_the_arrivals_speaks_of_twice_as_many_leads_a_week():
    evidence = leads([0.5, 0.4, 0.2, 0.1], days=[0, 2, 4, 6])
    half = replace(evidence, share_of_arrivals=0.5)
    assert FixedThreshold(0.3).choose(evidence).per_week.estimate == 2.0
    assert FixedThreshold(0.3).choose(half).per_week.estimate == 4.0
    assert Capacity(2).choose(half).share == Capacity(1).choose(evidence).share == 0.25


# Capacity


def test_capacity_takes_the_best_by_eye():
    cutoff = Capacity(2).choose(leads([0.1, 0.5, 0.4, 0.2], days=[0, 2, 4, 6]))
    assert (cutoff.threshold, cutoff.tie_break, cutoff.per_week.estimate) == (0.4, None, 2.0)


def test_four_sellers_of_five_leads_are_a_capacity_of_twenty():
    evidence = simulate()
    team, whole = Capacity(per_seller=5, n_sellers=4).choose(evidence), Capacity(20).choose(evidence)
    assert replace(team, policy=whole.policy) == whole
    assert team.policy == "capacity 20 a week (4 sellers x 5)"


def test_weeks_above_capacity_are_counted_by_eye():
    # Three weeks of seven leads; the best six of them all arrive in the second week.
    score = np.r_[np.full(7, 0.2), np.full(6, 0.9), 0.1, np.full(7, 0.3)]
    evidence = leads(score, won=score > 0.8, days=np.arange(21))
    cutoff = Capacity(2).choose(evidence)
    assert cutoff.threshold == 0.9
    assert "about 2.0 leads a week qualify, 2.0 of them won" in cutoff.promise
    assert "in 1 of its 3 calendar weeks more than 2 would have qualified" in cutoff.promise
    assert leads_by_week(evidence, evidence.score >= 0.9).tolist() == [0, 6, 0]


def test_a_week_that_is_not_whole_is_left_out_unless_it_is_the_only_one():
    everybody = np.ones(3, bool)
    assert leads_by_week(leads([1, 1, 1], days=[0, 6, 9]), everybody).tolist() == [2]
    assert leads_by_week(leads([1, 1, 1], days=[0, 1, 2]), everybody).tolist() == [3]


def test_ties_at_the_edge_are_broken_by_the_log_odds_and_reported():
    evidence = leads([0.5, 0.4, 0.4, 0.4], log_odds=[2.0, 0.1, 0.3, 0.2], days=[0, 2, 4, 6])
    cutoff = Capacity(2).choose(evidence)
    assert (cutoff.threshold, cutoff.tie_break, cutoff.n_tied, cutoff.share) == (0.4, 0.3, 3, 0.5)
    passed = passes(evidence.score, 0.4, log_odds=evidence.log_odds, tie_break=0.3)
    assert passed.tolist() == [True, False, True, False]


def test_a_tie_that_fits_whole_is_not_broken():
    cutoff = Capacity(3).choose(leads([0.5, 0.4, 0.4, 0.1], log_odds=[3, 2, 1, 0], days=[0, 2, 4, 6]))
    assert (cutoff.tie_break, cutoff.share) == (None, 0.75)


@law
@given(st.lists(st.integers(1, 5), min_size=2, max_size=40), st.integers(1, 60))
def test_capacity_is_met_exactly_where_the_log_odds_differ(tenths, per_week):
    order = np.random.default_rng(0).permutation(len(tenths))
    evidence = leads(np.array(tenths) / 10, log_odds=order, days=np.linspace(0, 6, len(tenths)).astype(int))
    cutoff = Capacity(per_week).choose(evidence)
    n_passed, *_ = count_passing(evidence.score, evidence.won, cutoff.threshold, order, cutoff.tie_break)
    assert n_passed == min(per_week, len(tenths))


@pytest.mark.parametrize("n_days", [61, 115, 122])
def test_a_lead_a_day_is_not_lost_to_rounding(n_days):
    evidence = leads(np.linspace(0, 1, 200), days=np.minimum(np.arange(200), n_days - 1))
    assert Capacity(7).choose(evidence).share == n_days / 200


def test_no_room_for_a_single_lead_lets_nobody_pass():
    cutoff = Capacity(0.5).choose(leads([0.1, 1.0], days=[0, 6]))
    assert (cutoff.share, cutoff.precision.low, cutoff.precision.high) == (0.0, 0.0, 1.0)


def test_capacity_without_dates_is_refused_with_the_remedy():
    with pytest.raises(ConfigError, match=r"the leads have no dates\. Name a created_at column"):
        Capacity(10).choose(leads([0.1, 0.2]))


# Top share


@law
@given(st.lists(st.integers(1, 5), min_size=1, max_size=40), st.integers(1, 100))
def test_the_share_is_met_to_a_lead_and_never_exceeded(tenths, per_cent):
    order = np.random.default_rng(0).permutation(len(tenths))
    cutoff = TopShare(per_cent / 100).choose(leads(np.array(tenths) / 10, log_odds=order))
    assert cutoff.share == per_cent * len(tenths) // 100 / len(tenths)
