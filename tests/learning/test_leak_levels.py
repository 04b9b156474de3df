"""Columns as levels."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from leadlift.learning.leak_levels import level_column, number_of_bins

NUMBERS = st.lists(st.one_of(st.none(), st.integers(-50, 50).map(float)), min_size=1, max_size=120)


@given(numbers=NUMBERS, n_bins=st.integers(2, 12))
def test_bins_are_intervals_in_order_and_none_is_empty(numbers, n_bins):
    column = level_column("x", pa.array(numbers, pa.float64()), n_bins=n_bins)
    present = [
        (number, code) for number, code in zip(numbers, column.codes, strict=True) if number is not None
    ]
    codes = [code for _, code in sorted(present)]
    assert codes == sorted(codes)
    assert set(codes) == set(range(1, column.n_levels))
    assert all(code == 0 for number, code in zip(numbers, column.codes, strict=True) if number is None)


def test_few_values_are_levels_of_their_own():
    column = level_column("x", pa.array([3.0, 1.0, None, 3.0]), n_bins=4)
    assert column.names == ("missing", "1", "3")
    assert column.codes.tolist() == [2, 1, 0, 2]


def test_a_value_that_most_rows_have_is_a_level_of_its_own_and_not_noted():
    numbers = np.append(np.zeros(60), np.arange(1.0, 41.0))
    column = level_column("x", pa.array(numbers), n_bins=5)
    assert np.sum(column.codes == column.codes[0]) == 60
    assert column.names[1] == "0"
    assert column.noted.tolist() == (numbers > 0).tolist()


def test_where_no_value_is_common_every_number_is_noted():
    column = level_column("x", pa.array([1.0, 2.0, 3.0, None]), n_bins=5)
    assert column.noted.tolist() == [True, True, True, False]


def test_levels_of_a_text_do_not_depend_on_the_order_of_rows_or_chunks():
    one = level_column("x", pa.array(["b", None, "a", "b"]), n_bins=3)
    chunked = level_column("x", pa.chunked_array([["b", None], ["a", "b"]]), n_bins=3)
    turned = level_column("x", pa.array(["b", "a", None, "b"]), n_bins=3)
    assert one.codes.tolist() == chunked.codes.tolist() == turned.codes.tolist()[::-1] == [2, 0, 1, 2]


def test_bins_hold_about_ten_rows_of_the_rarer_class():
    assert number_of_bins(np.repeat([0, 1], [500, 80])) == 8
    assert number_of_bins(np.repeat([0, 1], [12, 80])) == 3
    assert number_of_bins(np.repeat([0, 1], [9_000, 900])) == 20
