"""The parts of a card: cuts a person can read, the best sum of steps, fair rounding, honest losses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.metrics import roc_auc_score

from laws import law
from leadlift.insight.scorecard.binning import BinLimits, ColumnBins, learn_bins, merge_equal, round_edge
from leadlift.insight.scorecard.cutoffs import best_cutoff
from leadlift.insight.scorecard.distilling import Target, Term, distil, fitted, target_of
from leadlift.insight.scorecard.loss import auc_lost
from leadlift.insight.scorecard.rounding import apportion, whole_points
from leadlift.learning.encoding import EncodedColumn
from leadlift.terms import Kind

LIMITS = BinLimits(max_bins=4, min_leads=10, max_levels=3)
finite = st.floats(allow_nan=False, allow_infinity=False)


def number(name="visits"):
    return EncodedColumn(name, Kind.NUMERIC)


# Bins


@law
@given(finite, finite)
def test_an_edge_parts_its_neighbours(a, b):
    if a == b:
        return
    low, high = sorted((a, b))
    assert low < round_edge(low, high, near=low / 2 + high / 2, whole=False) <= high


@law
@given(st.integers(-(10**9), 10**9), st.integers(1, 10**6))
def test_an_edge_between_whole_numbers_is_whole(low, gap):
    edge = round_edge(float(low), float(low + gap), near=low + gap / 2, whole=True)
    assert edge == int(edge)
    assert low < edge <= low + gap


@law
@given(st.lists(st.one_of(st.none(), st.floats(-1e300, 1e300)), min_size=30, max_size=60))
def test_every_number_has_one_bin_however_large(values):
    x = np.array([np.nan if value is None else value for value in values])
    bins = learn_bins(number(), x, np.arange(len(x), dtype=float), np.ones(len(x)), LIMITS)
    places = bins.place(x)
    assert np.array_equal(places == bins.n_bins - 1, np.isnan(x))
    assert np.all(np.diff(bins.edges) > 0)
    filled = np.bincount(places, minlength=bins.n_bins)[: bins.n_values]
    assert len(bins.edges) == 0 or filled.min() >= LIMITS.min_leads


def test_levels_stand_in_the_order_of_their_target_and_rare_ones_together():
    column = EncodedColumn("source", Kind.CATEGORICAL, ("ads", "web", "fair", "mail", "rare"))
    code = np.repeat([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, np.nan], [40, 30, 20, 15, 9, 3, 2])
    target = np.repeat([2.0, -1.0, 5.0, 9.0, 7.0, 0.0, 0.0], [40, 30, 20, 15, 9, 3, 2])
    bins = learn_bins(column, code, target, np.ones(len(code)), LIMITS)
    assert bins.groups == (("web",), ("ads",), ("fair",))
    assert bins.place(np.array([1.0, 0.0, 2.0, 3.0, 4.0, 5.0, np.nan])).tolist() == [0, 1, 2, 3, 3, 3, 4]


def test_bins_of_equal_points_are_one():
    bins = ColumnBins(number(), np.array([1.0, 2.0, 3.0]))
    merged, points = merge_equal(bins, np.array([0, 4, 4, 0, 7]))
    assert merged.edges.tolist() == [1.0, 3.0]
    assert points.tolist() == [0, 4, 0, 7]
    source = EncodedColumn("source", Kind.CATEGORICAL, ("a", "b", "c"))
    merged, points = merge_equal(
        ColumnBins(source, np.array([]), (("a",), ("b",), ("c",))), np.array([5, 2, 5, 1, 0])
    )
    assert merged.groups == (("b",), ("a", "c"))
    assert points.tolist() == [2, 5, 1, 0]


# Distilling


def terms_of(places, sizes, directions=None):
    directions = directions or [0] * len(sizes)
    return [
        Term(j, ColumnBins(number(f"x{j}"), np.arange(size - 2.0)), direction, place, np.zeros(size))
        for j, (place, size, direction) in enumerate(zip(places, sizes, directions, strict=True))
    ]


def test_the_fit_is_weighted_least_squares_on_the_bins():
    """scikit-learn's linear regression on the same bins is the oracle; the ridge is one row of many."""
    rng = np.random.default_rng(0)
    places = [rng.integers(0, 3, 5000), rng.integers(0, 4, 5000)]
    weight = rng.uniform(0.5, 1.5, 5000)
    z = places[0] * 1.0 + (places[1] == 2) * 3.0 + rng.normal(size=5000)
    target = Target(z - np.average(z, weights=weight), weight / weight.mean())
    found = sum(term.values[term.row_bins] for term in fitted(terms_of(places, [4, 5]), target))
    hot = np.column_stack([places[0] == k for k in range(1, 3)] + [places[1] == k for k in range(1, 4)])
    oracle = LinearRegression().fit(hot, z, sample_weight=weight).predict(hot)
    np.testing.assert_allclose(found - found.mean(), oracle - oracle.mean(), atol=0.01)


def test_monotone_values_are_the_best_among_the_monotone_ones():
    """Against a fine search over all rising pairs of steps."""
    rng = np.random.default_rng(1)
    place = rng.integers(0, 3, 900)
    z = np.array([0.0, -1.0, 2.0])[place]
    target = Target(z - z.mean(), np.ones(900))
    (term,) = fitted(terms_of([place], [4], [1]), target)
    assert np.all(np.diff(term.values[:3]) >= 0)
    pooled = z[place < 2].mean()
    np.testing.assert_allclose(term.values[2] - term.values[0], 2.0 - pooled, atol=0.02)
    np.testing.assert_allclose(term.values[1], term.values[0], atol=1e-9)


def test_twins_take_one_place_on_the_card():
    rng = np.random.default_rng(2)
    x = rng.normal(size=3000)
    matrix = np.column_stack([x, x, rng.normal(size=3000)])
    terms = distil(
        matrix,
        {j: number(f"x{j}") for j in range(3)},
        target_of(2 * (x > 0) - 1.0),
        limits=LIMITS,
        max_attributes=3,
        directions={},
    )
    assert [term.place for term in terms] == [0]


def test_weights_are_largest_where_the_model_is_undecided():
    target = target_of(np.array([-800.0, -2.0, 0.0, 2.0, 800.0]))
    assert np.argmax(target.weight) == 2
    assert target.weight[1] == pytest.approx(target.weight[3])
    assert np.all(target.weight > 0)
    assert target.weight.mean() == pytest.approx(1)


# Rounding


@law
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=20), st.integers(1, 500))
def test_what_is_apportioned_adds_up_and_is_within_one_of_its_share(sizes, seats):
    sizes = np.array(sizes)
    if not sizes.sum() > 0:
        return
    shares = apportion(sizes, seats)
    assert shares.sum() == seats
    assert np.all(np.abs(shares - seats * sizes / sizes.sum()) < 1 + 1e-9)


def test_moving_single_points_brings_the_total_nearer():
    rng = np.random.default_rng(3)
    places = [rng.integers(0, 6, 4000) for _ in range(6)]
    z = sum(rng.normal(size=6)[place] for place in places)
    target = Target(z - z.mean(), np.ones(4000))
    terms = fitted(terms_of(places, [7] * 6), target)
    points = whole_points(terms, target, 30)
    size = sum(np.ptp(term.values) for term in terms) / 30

    def error(points):
        total = size * sum(part[term.row_bins] for part, term in zip(points, terms, strict=True))
        return np.var(total - z)

    plain = [
        np.rint((term.values - term.values.min()) / np.ptp(term.values) * part.max()).astype(int)
        for term, part in zip(terms, points, strict=True)
    ]
    assert error(points) < error(plain)
    assert sum(part.max() for part in points) == 30
    assert all(part.min() == 0 for part in points)


# Losses and cut-offs


def test_the_auc_lost_is_that_of_scikit_learn_and_its_interval_that_of_the_bootstrap():
    rng = np.random.default_rng(4)
    won = rng.random(800) < 0.3
    score = rng.normal(size=800) + won
    rough = np.round(score + 0.5 * rng.normal(size=800))
    found = auc_lost(won, score, rough)
    assert found.estimate == pytest.approx(roc_auc_score(won, score) - roc_auc_score(won, rough))
    draws = [rng.integers(0, 800, 800) for _ in range(300)]
    lost = [auc_lost(won[d], score[d], rough[d]).estimate for d in draws]
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * np.std(lost), rel=0.15)


@law
@given(st.lists(st.tuples(st.integers(0, 10), st.booleans()), min_size=1, max_size=40))
def test_no_other_cut_off_agrees_better_by_kappa(leads):
    points = np.array([given for given, _ in leads])
    qualified = np.array([said for _, said in leads])

    def kappa(cut):
        passed = points >= cut
        chance = passed.mean() * qualified.mean() + (1 - passed.mean()) * (1 - qualified.mean())
        return 0.0 if chance == 1 else ((passed == qualified).mean() - chance) / (1 - chance)

    best = best_cutoff(points, qualified, 10)
    assert kappa(best) == pytest.approx(max(kappa(cut) for cut in range(12)))
