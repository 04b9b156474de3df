"""Target statistics are what a loop over the rows counts, and no row's statistic knows its own outcome."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws import law
from leadlift.learning.target_statistics import (
    NO_STATISTICS,
    FoldedStatistics,
    can_leave_two_out,
    cell_numbers,
    level_codes,
)

ROUNDING = 1e-12  # sums of a few dozen weights below 10
N_FOLDS = 4
COLUMNS = [(0,), (0, 1)]


@st.composite
def some_rows(draw):
    """Rows of two columns of few levels with gaps; both outcomes in each of four folds."""
    n = draw(st.integers(2 * N_FOLDS, 24))
    level = st.sampled_from([0.0, 1.0, 7.0, np.nan])
    X = np.array(draw(st.lists(st.tuples(level, level), min_size=n, max_size=n)))
    y, folds = np.arange(n) % 2, np.arange(n) // 2 % N_FOLDS
    weight = np.array(draw(st.lists(st.sampled_from([0.5, 1.0, 2.0, 3.7]), min_size=n, max_size=n)))
    return X, y, weight, folds


def same_cell(row, other, columns):
    return all(row[j] == other[j] or (np.isnan(row[j]) and np.isnan(other[j])) for j in columns)


def rate_and_support_by_hand(row, columns, strength, X, y, weight, counted):
    """Add the weights up one row after the other."""
    rows = won = all_rows = all_won = 0.0
    for i in np.flatnonzero(counted):
        all_rows += weight[i]
        all_won += weight[i] * y[i]
        if same_cell(row, X[i], columns):
            rows += weight[i]
            won += weight[i] * y[i]
    return (won + strength * all_won / all_rows) / (rows + strength), rows / all_rows


@law
@given(some_rows(), st.integers(0, N_FOLDS - 1))
def test_a_members_statistics_are_counted_without_its_fold_and_the_rows_own(rows, member):
    X, y, weight, folds = rows
    fitting = FoldedStatistics(X, y, weight, folds, COLUMNS, strengths=(3.0,))
    got = fitting.member_columns(member)
    for i in range(len(y)):
        counted = (folds != folds[i]) & (folds != member)
        for k, columns in enumerate(COLUMNS):
            expected = rate_and_support_by_hand(X[i], columns, 3.0, X, y, weight, counted)
            np.testing.assert_allclose(got[i, 2 * k : 2 * k + 2], expected, atol=ROUNDING)


@law
@given(some_rows())
def test_new_leads_get_the_counts_of_all_training_rows(rows):
    X, y, weight, folds = rows
    learnt = FoldedStatistics(X, y, weight, folds, COLUMNS, strengths=(3.0,)).learnt
    levels = [0.0, 1.0, 7.0, 5.0, np.nan]  # 5 was never seen
    new = np.array([[a, b] for a in levels for b in levels])
    got, everything = learnt.transform(new), np.ones(len(y), dtype=bool)
    for i, row in enumerate(new):
        for k, columns in enumerate(COLUMNS):
            expected = rate_and_support_by_hand(row, columns, 3.0, X, y, weight, everything)
            np.testing.assert_allclose(got[i, 2 * k : 2 * k + 2], expected, atol=ROUNDING)


@law
@given(some_rows(), st.integers(0, N_FOLDS - 1), st.integers(0, N_FOLDS - 1))
def test_outcomes_of_a_fold_change_no_statistic_of_its_rows_nor_any_of_the_member_without_it(
    rows, fold, member
):
    X, y, weight, folds = rows
    other = np.where(folds == fold, 1 - y, y)
    before, after = (
        FoldedStatistics(X, each, weight, folds, COLUMNS, strengths=(3.0,)).member_columns(member)
        for each in (y, other)
    )
    unmoved = np.ones(len(y), dtype=bool) if member == fold else folds == fold
    assert before[unmoved].tobytes() == after[unmoved].tobytes()


@law
@given(some_rows())
def test_weight_two_is_the_row_twice_and_weight_zero_is_no_row(rows):
    X, y, _, folds = rows
    weight = np.arange(len(y)) % 3.0
    weight[:8] = 1.0  # so that both outcomes stay in each fold
    times = weight.astype(int)
    weighted = FoldedStatistics(X, y, weight, folds, COLUMNS).learnt
    repeated = FoldedStatistics(
        *(np.repeat(each, times, axis=0) for each in (X, y, np.ones(len(y)), folds)), COLUMNS
    ).learnt
    assert [s.strength for s in weighted.statistics] == [s.strength for s in repeated.statistics]
    np.testing.assert_allclose(weighted.transform(X), repeated.transform(X), atol=ROUNDING)


@law
@given(some_rows(), st.integers(0, 99))
def test_the_order_of_the_rows_does_not_matter(rows, seed):
    order = np.random.default_rng(seed).permutation(len(rows[0]))
    one = FoldedStatistics(*rows, COLUMNS)
    other = FoldedStatistics(*(each[order] for each in rows), COLUMNS)
    np.testing.assert_allclose(one.member_columns(1)[order], other.member_columns(1), atol=ROUNDING)
    for transform in (one.learnt.transform, other.learnt.transform):
        np.testing.assert_allclose(transform(rows[0]), one.learnt.transform(rows[0]), atol=ROUNDING)


def test_levels_that_say_nothing_are_drawn_to_the_base_rate_and_telling_ones_are_not():
    rng = np.random.default_rng(0)
    n = 2000
    X = rng.integers(0, 40, (n, 2)).astype(float)
    y = (rng.random(n) < np.where(X[:, 0] % 2 == 0, 0.9, 0.1)).astype(int)
    learnt = FoldedStatistics(X, y, np.ones(n), np.arange(n) % N_FOLDS, [(0,), (1,)]).learnt
    telling, silent = learnt.statistics
    assert telling.strength < 5
    assert silent.strength >= 100
    assert np.ptp(silent.rates) < 0.2 < 0.6 < np.ptp(telling.rates)


def test_pairs_have_numbers_of_their_own():
    levels = {0: np.array([1.0, 2.0]), 1: np.array([3.0])}
    values = [np.nan, 1.0, 2.0, 3.0, 9.0]
    X = np.array([[a, b] for a in values for b in values])
    codes = {j: level_codes(X[:, j], levels[j]) for j in levels}
    assert codes[0][::5].tolist() == [2, 0, 1, 3, 3]
    numbers = cell_numbers((0, 1), codes, levels)
    assert len(np.unique(numbers)) == len({(a, b) for a, b in zip(codes[0], codes[1], strict=True)})


@pytest.mark.parametrize(
    ("folds", "weight", "expected"),
    [
        ([0, 0, 1, 1, 2, 2], 1.0, True),
        ([0, 0, 1, 1, 1, 1], 1.0, False),
        ([0, 0, 1, 1, 2, 2], [1, 1, 1, 1, 1, 0], False),
    ],
)
def test_two_folds_can_be_left_out_where_both_outcomes_stay(folds, weight, expected):
    y = np.array([0, 1] * 3)
    assert can_leave_two_out(y, np.broadcast_to(weight, 6).astype(float), np.array(folds)) is expected


def test_without_statistics_no_column_is_added():
    assert NO_STATISTICS.transform(np.zeros((3, 2))).shape == (3, 0)
    assert NO_STATISTICS.pairs == ()
