"""Columns are cut into segments that people can read, the same way on later tables."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws import law
from leadlift.exceptions import SchemaError
from leadlift.insight.segments.levels import MISSING, learn_levels, readable_edges

numbers = st.lists(
    st.floats(-1e6, 1e6, allow_subnormal=False) | st.integers(-5, 5).map(float) | st.none(), min_size=1
)


def levels_of(*values, most_levels=20):
    return learn_levels("x", pa.chunked_array([list(values)]), most_levels)


def test_the_largest_levels_stand_alone_and_the_others_together():
    levels = levels_of("a", "b", "b", "c", "c", "d", None, most_levels=2)
    assert levels.names == ("b", "c", "all others (2 levels)", MISSING)


def test_levels_of_equal_size_are_chosen_by_the_alphabet_not_by_their_rows():
    assert levels_of("b", "a", most_levels=1) == levels_of("a", "b", most_levels=1)


def test_a_level_not_seen_before_is_one_of_the_others():
    assert levels_of("a", "b").codes(pa.chunked_array([["b", "new", None]])).tolist() == [1, 2, 3]


def test_a_number_with_few_values_has_a_segment_a_value_in_their_order():
    assert levels_of(2, 0, 1, 0, None).names[:3] == ("0", "1", "2")


def test_yes_and_no_are_segments():
    assert levels_of(True, False, True).names[:2] == ("yes", "no")


def test_whole_numbers_are_told_by_their_first_and_last():
    assert levels_of(*range(1, 1001)).names == ("up to 250", "251 to 500", "501 to 750", "over 750", MISSING)


def test_the_name_of_an_interval_that_holds_one_value_is_that_value():
    assert levels_of(*[0] * 60, *range(1, 41)).names[0] == "0"


def test_fractions_are_told_by_both_edges():
    assert levels_of(*np.arange(1, 101) / 100).names[1] == "over 0.25, up to 0.5"


def test_nan_is_missing_and_infinity_is_over_every_edge():
    levels = levels_of(*range(100))
    assert levels.codes(pa.chunked_array([[np.nan, np.inf, -np.inf]])).tolist() == [4, 3, 0]


def test_a_cell_of_a_megabyte_is_cut_in_the_table_and_kept_apart_from_others():
    levels = levels_of("x" * 1_000_000, "x" * 1_000_001)
    assert {len(name) for name in levels.names[:2]} == {60}
    assert levels.codes(pa.chunked_array([["x" * 1_000_001]])).tolist() == [1]


def test_categories_of_pandas_and_polars_are_levels():
    column = pa.chunked_array([pa.array(["a", "b", None]).dictionary_encode()])
    assert learn_levels("x", column, 20).names[:2] == ("a", "b")


@pytest.mark.parametrize("values", [[np.datetime64("2026-01-01", "us")], [[1, 2]]], ids=["date", "list"])
def test_what_has_no_levels_is_refused_by_name(values):
    with pytest.raises(SchemaError, match=r"column 'x' is .*text, numbers or booleans"):
        learn_levels("x", pa.chunked_array([pa.array(values)]), 20)


@law
@given(numbers)
def test_every_row_is_in_one_segment_and_their_order_does_not_matter(values):
    column = pa.chunked_array([pa.array(values, pa.float64())])
    levels = learn_levels("x", column, 20)
    codes = levels.codes(column)
    assert len(codes) == len(values)
    assert ((codes >= 0) & (codes < len(levels.names))).all()
    assert (np.array(levels.names)[codes] == MISSING).tolist() == [value is None for value in values]
    assert learn_levels("x", pa.chunked_array([pa.array(values[::-1], pa.float64())]), 20) == levels


@law
@given(st.lists(st.floats(-1e9, 1e9), min_size=7, unique=True))
def test_edges_ascend_and_leave_no_group_empty(values):
    values = np.sort(values)
    edges = readable_edges(values, 4)
    assert (np.diff(edges) > 0).all()
    assert (np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1) > 0).all()
