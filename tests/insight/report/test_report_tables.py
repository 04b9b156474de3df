"""Cells say the value, its interval and what is not known; the eye compares them by bars."""

import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlift.exceptions import InputError
from leadlift.insight.report.blocks import Column, Format, TableBlock
from leadlift.insight.report.formats import MINUS, NULL, format_interval, format_value
from leadlift.insight.report.tables import is_wordy, table_rows

CASES = [
    (1234, Format.COUNT, "1,234"),
    (-1234.4, Format.COUNT, f"{MINUS}1,234"),
    (0.1234, Format.SHARE, "12.3%"),
    (-0.1234, Format.SHARE, f"{MINUS}12.3%"),
    (0.0, Format.SHARE, "0.0%"),
    (0.0001, Format.SHARE, "<0.1%"),
    (0.9999, Format.SHARE, ">99.9%"),
    (1.0, Format.SHARE, "100.0%"),
    (1 - 1e-16, Format.SHARE, "100.0%"),
    (1e-17, Format.SHARE, "0.0%"),
    (0.35, Format.NUMBER, "0.350"),
    (2.9, Format.NUMBER, "2.90"),
    (123.4, Format.NUMBER, "123"),
    (12345.6, Format.NUMBER, "12,346"),
    (0.01234, Format.NUMBER, "0.0123"),
    (-0.00512345, Format.NUMBER, f"{MINUS}0.0051"),
    (1e-9, Format.NUMBER, "<0.0001"),
    (-1e-9, Format.NUMBER, f">{MINUS}0.0001"),
    (0.0, Format.NUMBER, "0.00"),
    (math.inf, Format.NUMBER, "∞"),
    (-math.inf, Format.COUNT, f"{MINUS}∞"),
    (12.34, Format.POINTS, "+12.3"),
    (-6.0, Format.POINTS, f"{MINUS}6.0"),
    (0.04, Format.POINTS, "0.0"),
    (-0.04, Format.POINTS, "0.0"),
    (True, Format.YES, "✓"),
    (False, Format.YES, ""),
    ("ads", Format.TEXT, "ads"),
    (True, Format.TEXT, "yes"),
    (["a", "b"], Format.TEXT, "a, b"),
    (12345.678, Format.TEXT, "12,346"),
]


def block(columns, most_rows=40, **table):
    return TableBlock("Rates", pa.table(table), columns, "rates()", most_rows=most_rows)


@pytest.mark.parametrize(("value", "how", "text"), CASES)
def test_a_value_reads_as_it_would_be_written_by_hand(value, how, text):
    assert format_value(value, how) == text


@pytest.mark.parametrize("how", list(Format))
def test_what_is_not_known_is_an_en_dash_whatever_the_format(how):
    assert format_value(None, how) == NULL
    assert format_value(math.nan, how) == NULL


def test_a_date_is_a_date_with_and_without_a_time():
    table = pa.table({"at": pa.array([1_700_000_000], pa.timestamp("s"))})
    assert format_value(table["at"][0].as_py(), Format.DATE) == "2023-11-14"


def test_minus_and_dash_are_the_typographer_s():
    assert (MINUS, NULL) == ("\N{MINUS SIGN}", "\N{EN DASH}")


def test_an_interval_says_its_unit_once():
    assert format_interval(0.101, 0.149, Format.SHARE) == "[10.1, 14.9]"
    assert format_interval(-1.0, 2.0, Format.POINTS) == f"[{MINUS}1.0, +2.0]"
    assert format_interval(None, 0.5, Format.SHARE) == f"[{NULL}, 50.0]"
    assert format_interval(None, None, Format.SHARE) == ""


@given(st.floats(allow_nan=False), st.sampled_from([f for f in Format if f is not Format.DATE]))
def test_no_number_breaks_a_format_and_none_is_written_with_a_hyphen(value, how):
    assert "-" not in format_value(value, how)


def test_too_few_stands_instead_of_the_value_with_no_interval_and_no_bar():
    rate = Column("rate", "Won", Format.SHARE, "low", "high", bar=True, hide_where="too_few")
    shown = table_rows(
        block((rate,), rate=[1.0, 0.2], low=[0.2, 0.1], high=[1.0, 0.3], too_few=[True, False])
    )
    assert [(row[0].text, row[0].interval, row[0].bar_share) for row in shown] == [
        ("too few", "", None),
        ("20.0%", "[10.0, 30.0]", 1.0),
    ]


def test_bars_compare_with_the_largest_that_is_shown():
    column = Column("points", "Points", Format.POINTS, bar=True)
    shown = table_rows(block((column,), most_rows=3, points=[-4.0, 2.0, None, 100.0]))
    assert [row[0].bar_share for row in shown] == [1.0, 0.5, None]


def test_a_column_of_zeros_has_bars_of_no_length():
    shown = table_rows(block((Column("n", "Leads", Format.COUNT, bar=True),), n=[0, 0]))
    assert [row[0].bar_share for row in shown] == [None, None]


def test_a_column_that_is_not_there_is_named_with_what_is():
    column = Column("rate", "Won", hide_where="to_few")
    with pytest.raises(InputError, match=r"'Rates' lacks 'to_few'(.|\n)*did you mean 'too_few'"):
        table_rows(block((column,), rate=[0.1], too_few=[False]))


def test_rows_of_sentences_are_told_from_rows_of_names():
    text = Column("text", "Text")
    assert is_wordy(
        table_rows(block((text,), text=["short", "a sentence that goes on and on and on, so to say"]))
    )
    assert not is_wordy(
        table_rows(block((text,), text=["short", "names", "and one sentence that goes on and on"]))
    )
    assert not is_wordy([])
