"""Columns become numbers: missing is NaN, unseen has a code of its own, and no label plays a part."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws import law
from leadlift.exceptions import InputError, SchemaError
from leadlift.learning.encoding import TableEncoder
from leadlift.terms import Kind
from oracles import code_by_lookup, levels_by_counting

SOURCES = ["ads", "fair", "ads", None, "web", "ads", "web", "zoo"]
VISITS = [1, 2, None, 4, 5, 6, 7, 8]
words = st.lists(st.none() | st.sampled_from(["a", "b", "c", "ä", "", " a"]), min_size=1, max_size=30)


def leads():
    return pa.table({"source": SOURCES, "visits": VISITS})


def encode_words(values, min_support=1, fitted_on=None):
    table = pa.table({"word": pa.array(values, pa.string())})
    fitted_on = table if fitted_on is None else pa.table({"word": pa.array(fitted_on, pa.string())})
    return TableEncoder(min_support).fit(fitted_on).transform(table)[:, 0]


def test_levels_are_ordered_by_how_common_they_are_and_then_by_name():
    encoder = TableEncoder(min_support=1).fit(leads())
    assert encoder.columns_[0].levels == ("ads", "web", "fair", "zoo")
    assert encoder.columns_[1].kind is Kind.NUMERIC


def test_missing_unseen_and_rare_by_eye():
    encoder = TableEncoder(min_support=2).fit(leads())
    new = pa.table({"source": ["ads", None, "radio", "zoo"], "visits": [0.5, None, 3.0, 4.0]})
    expected = [[0, 0.5], [np.nan, np.nan], [2, 3], [2, 4]]
    np.testing.assert_array_equal(encoder.transform(new), expected)


def test_unseen_cells_are_counted_by_column():
    encoder = TableEncoder(min_support=1).fit(leads())
    new = pa.table({"source": ["ads", None, "radio", "tv"], "visits": [4, 4, 4, 4]})
    assert encoder.count_unseen(new) == {"source": 2}
    assert encoder.count_unseen(leads()) == {}


@law
@given(words, words, st.integers(1, 4))
def test_codes_equal_a_look_up_by_hand(fitted_on, values, min_support):
    levels = levels_by_counting(fitted_on, min_support)
    expected = [code_by_lookup(value, levels) for value in values]
    np.testing.assert_array_equal(encode_words(values, min_support, fitted_on), expected)


@law
@given(words, st.randoms(use_true_random=False))
def test_the_vocabulary_does_not_depend_on_the_order_of_the_rows(values, random):
    shuffled = random.sample(values, len(values))
    np.testing.assert_array_equal(encode_words(values), encode_words(values, fitted_on=shuffled))


@pytest.mark.parametrize(
    "as_other",
    [
        lambda table: table.to_pandas(),
        lambda table: table.to_pandas().astype({"source": "category"}),
        lambda table: table.to_pandas().set_index(pd.Index(range(100, 108))),
        pl.from_arrow,
        lambda table: pl.from_arrow(table).with_columns(pl.col("source").cast(pl.Categorical)),
        lambda table: table.set_column(0, "source", table["source"].dictionary_encode()),
        lambda table: pa.concat_tables([table[:3], table[3:]]),
    ],
    ids=["pandas", "pandas category", "pandas index", "polars", "polars category", "dictionary", "chunks"],
)
def test_every_kind_of_table_gives_the_same_matrix(as_other):
    encoder = TableEncoder(min_support=1).fit(leads())
    other = as_other(leads())
    np.testing.assert_array_equal(encoder.transform(other), encoder.transform(leads()))
    assert TableEncoder(min_support=1).fit(other).columns_ == encoder.columns_


def test_truth_values_are_numbers_and_large_integers_are_rounded():
    table = pa.table({"opened": [True, False, None], "number": [1, 2**60 + 1, None]})
    expected = [[1, 1], [0, 2.0**60], [np.nan, np.nan]]
    np.testing.assert_array_equal(TableEncoder().fit(table).transform(table), expected)


def test_a_numeric_column_that_is_all_missing_later_is_missing():
    encoder = TableEncoder(min_support=1).fit(leads())
    new = pa.table({"source": ["ads"], "visits": pa.nulls(1)})
    np.testing.assert_array_equal(encoder.transform(new), [[0, np.nan]])


def test_an_array_passes_through_and_its_columns_are_numbered():
    X = np.array([[1.0, np.nan], [2.0, 3.0]])
    encoder = TableEncoder().fit(X)
    np.testing.assert_array_equal(encoder.transform(X), X)
    assert encoder.get_feature_names_out().tolist() == ["x0", "x1"]
    assert not hasattr(encoder, "feature_names_in_")


def test_infinite_numbers_are_refused_with_their_rows():
    table = pa.table({"visits": [1.0, np.inf, 2.0, -np.inf]})
    with pytest.raises(SchemaError, match=r"'visits' holds 2 infinite numbers \(rows '2', '4'\)"):
        TableEncoder().fit(table)
    encoder = TableEncoder().fit(pa.table({"visits": [1.0, 2.0]}))
    with pytest.raises(SchemaError, match="4 more"):
        encoder.transform(pa.table({"visits": [np.inf] * 9}))


def test_a_column_that_changes_its_kind_is_refused():
    encoder = TableEncoder().fit(leads())
    with pytest.raises(SchemaError, match="'visits' was numeric at fit and now has type string"):
        encoder.transform(pa.table({"source": ["ads"], "visits": ["4"]}))
    with pytest.raises(SchemaError, match="'source' was categorical at fit and now has type int64"):
        encoder.transform(pa.table({"source": [1], "visits": [4]}))


def test_a_date_is_no_input():
    with pytest.raises(SchemaError, match=r"'day' has type date32.*convert or leave it out"):
        TableEncoder().fit(pa.table({"day": [datetime.date(2026, 1, 1)]}))


def test_columns_of_another_name_or_order_are_refused():
    encoder = TableEncoder().fit(leads())
    with pytest.raises(ValueError, match="feature names should match"):
        encoder.transform(leads().select(["visits", "source"]))
    with pytest.raises(ValueError, match="feature names should match"):
        encoder.transform(leads().rename_columns(["source", "clicks"]))


def test_codes_made_elsewhere_are_refused():
    encoder = TableEncoder().fit(leads())
    with pytest.raises(SchemaError, match=r"1 columns were text at fit \('source'\), and an array came"):
        encoder.transform(np.zeros((2, 2)))


def test_a_column_of_mixed_types_is_refused():
    with pytest.raises(InputError, match="mixes types"):
        TableEncoder().fit(pd.DataFrame({"source": ["ads", 3, None]}))


def test_a_level_has_the_support_of_its_leads_not_of_their_rows():
    table = pa.table({"source": ["ads"] * 6 + ["fair"] * 3 + [None]})
    lead = ["a"] * 6 + ["b", "c", "d", "e"]
    encoder = TableEncoder(min_support=2)
    assert encoder.fit(table).columns_[0].levels == ("ads", "fair")
    assert encoder.fit(table, groups=lead).columns_[0].levels == ("fair",)
    assert encoder.fit(table, groups=np.arange(10)).columns_[0].levels == ("ads", "fair")
