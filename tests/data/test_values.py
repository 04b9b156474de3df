"""Cells become the values that a person would read in them."""

import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlift.config import DataConfig
from leadlift.data.tables import table_from
from leadlift.data.values import convert_column, looks_numeric, parse_numbers, plain
from leadlift.terms import Kind

DATA = DataConfig(leads="leads.csv", missing_values=("Select",))


def convert(cells, kind, data=DATA, name="x"):
    values, is_bad = convert_column(pa.array(cells), kind, data, name)
    return values.to_pylist(), is_bad.to_pylist()


def test_a_numeric_column_is_stripped_and_its_missing_words_are_null():
    assert convert([" 1 ", "", "Select", "-2.5e1", None], Kind.NUMERIC)[0] == [1.0, None, None, -25.0, None]


def test_text_that_is_no_number_is_bad_and_never_zero():
    assert convert(["1", "many"], Kind.NUMERIC) == ([1.0, None], [False, True])


def test_an_infinite_number_is_bad_and_kept_for_the_checks():
    assert convert(["inf", "1e999"], Kind.NUMERIC) == ([math.inf, math.inf], [True, True])


def test_nan_in_a_numeric_column_is_missing_in_text_and_in_floats():
    assert convert(["nan", "NaN", "1"], Kind.NUMERIC) == ([None, None, 1.0], [False, False, False])
    assert convert([math.nan, 1.0], Kind.NUMERIC) == ([None, 1.0], [False, False])


def test_sentinel_numbers_are_missing_in_their_column_only():
    data = DataConfig(leads="x", missing_numbers={"pdays": (999, -1)})
    assert convert(["999", "-1", "5"], Kind.NUMERIC, data, "pdays")[0] == [None, None, 5.0]
    assert convert([999, 5], Kind.NUMERIC, data, "pdays")[0] == [None, 5.0]
    assert convert(["999"], Kind.NUMERIC, data, "age")[0] == [999.0]


@pytest.mark.parametrize(
    ("decimal", "thousands", "cells", "numbers"),
    [
        (",", ".", ["1.234,50", "12", "0,5", "1.23", "1,2,3"], [1234.5, 12.0, 0.5, None, None]),
        (".", ",", ["1,234,567.5", "1,5", "1234"], [1234567.5, None, 1234.0]),
        (",", " ", ["1 234,5", "12 34"], [1234.5, None]),
        (",", "", ["1,5", "1.5", "inf"], [1.5, None, math.inf]),
        (".", "'", ["1'000", "1''000"], [1000.0, None]),
    ],
)
def test_marks_are_read_as_declared_and_no_others(decimal, thousands, cells, numbers):
    assert parse_numbers(pa.array(cells), decimal, thousands)[0].to_pylist() == numbers


@given(st.text("0123456789.+-eEinfNa xX()", max_size=8))
def test_a_cell_reads_the_same_whatever_stands_beside_it(cell):
    alone = convert([cell], Kind.NUMERIC)
    beside_a_word = convert([cell, "word"], Kind.NUMERIC)
    assert [part[:1] for part in beside_a_word] == list(alone)


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_numbers_written_in_full_come_back_exactly(numbers):
    assert convert([repr(number) for number in numbers], Kind.NUMERIC)[0] == numbers


def test_a_level_does_not_depend_on_how_the_file_spells_it():
    as_text = convert(["1", "1.0", "1.00"], Kind.CATEGORICAL)[0]
    assert as_text == convert([1, 1, 1], Kind.CATEGORICAL)[0] == convert([1.0, 1.0, 1.0], Kind.CATEGORICAL)[0]
    assert convert(["True", "TRUE", "true"], Kind.CATEGORICAL)[0] == ["true"] * 3
    assert convert([True, False, None], Kind.CATEGORICAL)[0] == ["true", "false", None]
    assert convert([1.5, -0.0, math.nan, 1e300], Kind.CATEGORICAL)[0] == ["1.5", "0", None, "1e+300"]


def test_a_truth_value_in_a_numeric_column_is_one_or_zero():
    assert convert([True, False, None], Kind.NUMERIC) == ([1.0, 0.0, None], [False] * 3)


def test_dictionary_columns_are_decoded():
    encoded = pa.array(["web", None, "fair"]).dictionary_encode()
    assert convert_column(encoded, Kind.CATEGORICAL, DATA, "x")[0].to_pylist() == ["web", None, "fair"]


def test_a_date_is_no_number():
    assert convert(pa.array([0, None], pa.date32()), Kind.NUMERIC) == ([None, None], [True, False])


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "2.5", ""], True),
        (["Select", "3"], True),
        (["1", "x"], False),
        (["01234", "12345"], False),
        (["0", "0.5"], True),
        (["", "Select"], False),
        ([1, None], True),
        (pa.array([None, None], pa.float64()), False),
        ([True, False], False),
    ],
)
def test_a_column_is_numeric_when_all_its_values_are_numbers_and_none_a_code(cells, expected):
    assert looks_numeric(pa.array(cells), DATA) is expected


def test_categories_of_polars_are_plain_text():
    import polars as pl

    frame = pl.DataFrame({"source": pl.Series(["web", None, "fair"], dtype=pl.Categorical)})
    assert plain(table_from(frame)["source"]).to_pylist() == ["web", None, "fair"]
