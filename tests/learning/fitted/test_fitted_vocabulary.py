"""A frozen vocabulary is a look-up: the form in which a level comes makes no difference."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws import law
from leadlift.exceptions import SchemaError
from leadlift.learning.fitted.vocabulary import EncodedColumn, encode, unseen_in
from leadlift.terms import Kind
from oracles import code_by_lookup

LEVELS = ("ads", "fair", "ä", "")
SOURCE = EncodedColumn("source", Kind.CATEGORICAL, LEVELS)
VISITS = EncodedColumn("visits", Kind.NUMERIC)
words = st.lists(st.none() | st.sampled_from([*LEVELS, "radio", " ads"]), max_size=20)


def codes(column):
    return encode([SOURCE], pa.table({"source": column}))[:, 0]


def as_dictionary(values, draw):
    """A dictionary in any order, with levels no row has, perhaps one twice, and missing in either place."""
    levels = draw(st.permutations([*LEVELS, "radio", " ads", None, "ads"]))
    known = [place for place, level in enumerate(levels) if level is not None]
    indices = [
        draw(st.sampled_from([None, levels.index(None)]))
        if value is None
        else draw(st.sampled_from([place for place in known if levels[place] == value]))
        for value in values
    ]
    return pa.DictionaryArray.from_arrays(pa.array(indices, pa.int8()), pa.array(levels, pa.string()))


@law
@given(words, st.data())
def test_a_dictionary_column_gives_the_codes_of_its_texts(values, data):
    expected = [code_by_lookup(value, LEVELS) for value in values]
    np.testing.assert_array_equal(codes(as_dictionary(values, data.draw)), expected)
    np.testing.assert_array_equal(codes(pa.array(values, pa.string())), expected)


@law
@given(words, words, st.data())
def test_each_chunk_has_a_dictionary_of_its_own(first, second, data):
    chunks = [as_dictionary(values, data.draw) for values in (first, second)]
    expected = [code_by_lookup(value, LEVELS) for value in first + second]
    np.testing.assert_array_equal(codes(pa.chunked_array(chunks)), expected)


def test_a_slice_of_a_dictionary_column_has_the_codes_of_its_rows():
    column = pa.array(["ads", None, "fair", "radio"]).dictionary_encode().slice(1, 2)
    np.testing.assert_array_equal(codes(column), [np.nan, 1])


def test_the_matrix_is_of_float64_row_by_row():
    table = pa.table({"source": ["fair", None], "visits": [True, False]})
    matrix = encode([SOURCE, VISITS], table)
    assert matrix.flags.c_contiguous
    assert matrix.dtype == np.float64
    np.testing.assert_array_equal(matrix, [[1, 1], [np.nan, 0]])
    assert encode([SOURCE, VISITS], table.slice(0, 0)).shape == (0, 2)


def test_what_is_in_no_vocabulary_is_counted_and_what_is_missing_is_not():
    table = pa.table({"source": ["radio", None, "tv", "ads"], "visits": [4.0, 4.0, 4.0, None]})
    columns = [SOURCE, VISITS]
    assert unseen_in(columns, encode(columns, table)) == {"source": 2}
    assert unseen_in(columns, encode(columns, table.slice(3))) == {}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"source": ["ads"], "clicks": [1]}, r"'visits' \(expected, not found\)"),
        (
            {"visits": [1], "source": ["ads"]},
            r"order:\n  'source', 'visits', got 'visits', 'source'",
        ),
    ],
    ids=["another column", "another order"],
)
def test_other_columns_are_refused_with_what_differs(table, said):
    with pytest.raises(SchemaError, match=said):
        encode([SOURCE, VISITS], pa.table(table))


def test_a_dictionary_of_numbers_is_no_text():
    column = pa.array([1, 2]).dictionary_encode()
    with pytest.raises(SchemaError, match=r"'source' was categorical at fit and now has type dictionary"):
        codes(column)
