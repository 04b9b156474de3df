"""Text as codes says what plain text says, and is the same however the rows were parted."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlift.serving.scored_columns import (
    CODED_SCHEMA,
    SCORED_SCHEMA,
    coded,
    decoded,
    in_one_piece,
    scored_table,
)

reasons = st.lists(st.sampled_from([None, "low fit", "new", "visits"]), min_size=1, max_size=20)


def table(texts, dictionary=None):
    """Rows with that first reason, by a dictionary in some order and with texts that do not occur."""
    dictionary = dictionary or ["new", "never", "visits", "low fit", "new"]
    codes = np.array([-1 if text is None else dictionary.index(text) for text in texts])
    return scored_table({"reason_1": coded(codes, dictionary)}, len(texts))


@settings(deadline=None)
@given(reasons, st.data())
def test_a_table_in_one_piece_depends_on_the_rows_alone(texts, data):
    cut = data.draw(st.integers(0, len(texts)))
    other = data.draw(st.permutations(["visits", "low fit", "new"]))
    whole = in_one_piece([table(texts)])
    parts = in_one_piece([table(texts[:cut]), table(texts[cut:], other)])
    assert parts.equals(whole)
    dictionary = whole["reason_1"].chunk(0).dictionary.to_pylist()
    assert dictionary == list(dict.fromkeys(text for text in texts if text is not None))
    assert parts["reason_1"].chunk(0).dictionary.to_pylist() == dictionary


@settings(deadline=None)
@given(reasons)
def test_decoded_text_is_the_plain_text(texts):
    plain = decoded(in_one_piece([table(texts)]))
    assert plain.schema == SCORED_SCHEMA
    assert plain["reason_1"].to_pylist() == texts


def test_columns_that_are_not_given_are_null():
    empty = scored_table({"score": np.array([0.5, 0.25])}, 2)
    assert empty.schema == CODED_SCHEMA
    assert [name for name in empty.column_names if empty[name].null_count < 2] == ["score"]


def test_no_rows_make_a_table_of_the_same_columns():
    assert in_one_piece([scored_table({}, 0)]).schema == CODED_SCHEMA
    assert decoded(scored_table({}, 0)).equals(pa.table(SCORED_SCHEMA.empty_table()))
