"""Slices follow one another in time, leads stay whole, and nobody learns from what was not yet known."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws import law
from leadlift.exceptions import InputError
from leadlift.learning.splitting import (
    ForwardFolds,
    as_moments,
    content_order,
    grouped_folds,
    most_folds,
    slice_in_time,
)

SHARES = (0.5, 0.2, 0.3)


@st.composite
def observations(draw):
    """Moments with ties, labels known up to nine moments later, leads with several rows."""
    n = draw(st.integers(4, 40))

    def numbers(low, high):
        return np.array(draw(st.lists(st.integers(low, high), min_size=n, max_size=n)))

    as_of = numbers(0, 15)
    return as_of, as_of + numbers(0, 9), numbers(0, n // 2)


def cut(as_of, known, lead):
    return slice_in_time(as_of, SHARES, label_known_at=known, groups=lead)


def rows_of(slices):
    return [part.tolist() for part in slices.parts], slices.embargoed.tolist()


def test_slices_by_eye():
    as_of = np.array([4, 1, 2, 3], dtype="datetime64[D]")
    assert rows_of(slice_in_time(as_of, (0.5, 0.5))) == ([[1, 2], [0, 3]], [])


def test_rows_of_one_moment_stand_in_one_slice():
    assert rows_of(slice_in_time([1, 2, 2, 2], (0.5, 0.5))) == ([[0], [1, 2, 3]], [])


def test_a_label_known_after_the_next_slice_began_is_embargoed_by_eye():
    slices = slice_in_time([1, 2, 3, 4], (0.5, 0.5), label_known_at=[3, 4, 9, 9])
    assert rows_of(slices) == ([[0], [2, 3]], [1])


def test_later_rows_of_an_earlier_lead_are_embargoed_by_eye():
    slices = slice_in_time([1, 2, 3, 4], (0.5, 0.5), groups=["a", "b", "b", "c"])
    assert rows_of(slices) == ([[0, 1], [3]], [2])


@law
@given(observations())
def test_every_row_stands_exactly_once_in_a_slice_or_in_the_embargo(data):
    slices = cut(*data)
    rows = np.concatenate([*slices.parts, slices.embargoed])
    assert sorted(rows.tolist()) == list(range(len(data[0])))


@law
@given(observations())
def test_slices_follow_one_another_with_known_labels_and_whole_leads(data):
    as_of, known, lead = data
    parts = [part for part in cut(*data).parts if len(part)]
    for earlier, later in itertools.pairwise(parts):
        assert as_of[earlier].max() < as_of[later].min()
        assert known[earlier].max() <= as_of[later].min()
    for i, part in enumerate(parts):
        for other in parts[i + 1 :]:
            assert not set(lead[part]) & set(lead[other])


@law
@given(observations(), st.randoms(use_true_random=False))
def test_slices_do_not_depend_on_the_order_of_the_rows(data, random):
    shuffle = np.array(random.sample(range(len(data[0])), len(data[0])))
    slices, shuffled = cut(*data), cut(*(column[shuffle] for column in data))
    for part, other in zip(slices.parts, shuffled.parts, strict=True):
        assert part.tolist() == sorted(shuffle[other].tolist())


def test_a_row_without_a_moment_is_refused():
    with pytest.raises(InputError, match=r"2 rows have no moment \(as_of\)"):
        slice_in_time(np.array(["2026-01-01", "NaT", "NaT"], dtype="datetime64[D]"), (0.5, 0.5))
    with pytest.raises(InputError, match="1 rows have no moment"):
        slice_in_time([1.0, np.nan], (0.5, 0.5))


@pytest.mark.parametrize("shares", [(0.5, 0.4), (1.5, -0.5)])
def test_shares_that_are_no_shares_are_refused(shares):
    with pytest.raises(InputError, match="shares must be positive and add up to 1"):
        slice_in_time([1, 2], shares)


def test_moments_that_are_no_moments_are_refused():
    with pytest.raises(InputError, match="dates or numbers, got object"):
        slice_in_time(np.array(["today", None], dtype=object), (0.5, 0.5))


@law
@given(observations(), st.integers(1, 4))
def test_forward_folds_never_learn_from_what_was_not_known(data, n_splits):
    as_of, known, lead = data
    folds = list(ForwardFolds(as_of, n_splits, known, lead).split(as_of))
    assert len(folds) == ForwardFolds(as_of, n_splits).get_n_splits() == n_splits
    for seen, held in folds:
        if len(seen) and len(held):
            assert as_of[seen].max() < as_of[held].min()
            assert known[seen].max() <= as_of[held].min()
            assert not set(lead[seen]) & set(lead[held])


def test_forward_folds_learn_from_all_that_was_known():
    folds = list(ForwardFolds(np.arange(6), 2, label_known_at=np.arange(6) + 2).split(None))
    assert [(seen.tolist(), held.tolist()) for seen, held in folds] == [([0], [2, 3]), ([0, 1, 2], [4, 5])]


@law
@given(observations(), st.integers(2, 5), st.integers(0, 3))
def test_folds_hold_whole_leads(data, n_folds, seed):
    moment, _, lead = data
    folds = grouped_folds(moment % 2, n_folds, groups=lead, random_state=seed)
    assert all(len(set(folds[lead == name])) == 1 for name in set(lead))


@law
@given(st.lists(st.integers(0, 1), min_size=1, max_size=60), st.integers(2, 6))
def test_each_fold_gets_its_share_of_won_and_lost(labels, n_folds):
    y = np.array(labels)
    folds = grouped_folds(y, n_folds)
    for label in (0, 1):
        counts = np.bincount(folds[y == label], minlength=n_folds)
        assert counts.max() - counts.min() <= 1


def test_folds_repeat_for_a_seed_and_change_with_it():
    y = np.arange(100) % 2
    first = grouped_folds(y, 4, random_state=1)
    assert (first == grouped_folds(y, 4, random_state=1)).all()
    assert (first != grouped_folds(y, 4, random_state=2)).any()


def test_folds_of_leads_do_not_depend_on_the_order_of_the_rows():
    lead, y = np.arange(40) // 2, np.arange(40) // 2 % 3 == 0
    shuffle = np.random.default_rng(0).permutation(40)
    folds = grouped_folds(y, 4, groups=lead)
    assert (folds[shuffle] == grouped_folds(y[shuffle], 4, groups=lead[shuffle])).all()


def test_as_many_folds_as_leads_of_the_rarer_outcome():
    assert most_folds([1, 1, 1, 0, 0]) == 2
    assert most_folds([1, 1, 1, 0, 0, 0], groups=["a", "a", "a", "b", "c", "d"]) == 1
    assert most_folds([1, 0, 1, 0], groups=["a", "a", "b", "b"]) == 2


@law
@given(st.lists(st.tuples(st.floats(), st.integers(0, 1)), max_size=30), st.randoms(use_true_random=False))
def test_content_order_puts_the_same_rows_in_the_same_places(rows, random):
    def ordered(rows):
        matrix = np.array([[value] for value, _ in rows]).reshape(-1, 1)
        y = np.array([label for _, label in rows])
        order = content_order(matrix, y)
        assert sorted(order.tolist()) == list(range(len(rows)))
        return matrix[order], y[order]

    for one, other in zip(ordered(rows), ordered(random.sample(rows, len(rows))), strict=True):
        np.testing.assert_array_equal(one, other)


def test_content_order_knows_one_zero_and_one_nan():
    column = np.array([[0.0], [np.nan], [1.0], [5.0]])
    other = np.array([[-0.0], [-np.nan], [1.0], [5.0]])
    assert content_order(column).tolist() == content_order(other).tolist()


def test_moments_with_a_time_zone_are_taken_in_utc_from_any_table():
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    frame = pd.DataFrame({"at": pd.to_datetime(["2026-05-01 02:00+02:00", "2026-05-01 03:00+02:00"])})
    expected = np.array(["2026-05-01T00", "2026-05-01T01"], dtype="datetime64[us]")
    for column in (frame["at"], pl.from_pandas(frame)["at"], pa.table(frame)["at"], expected):
        assert (as_moments(column) == expected).all()
