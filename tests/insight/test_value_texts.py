"""Values are told as people read them, in their language."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws import law
from leadlift.insight.texts import load_texts
from leadlift.insight.value_texts import (
    duration_text,
    number_text,
    number_texts,
    points_texts,
    rounded_as_told,
    times_text,
    window_text,
    with_unit,
)

EN, DE = load_texts("en"), load_texts("de")


@pytest.mark.parametrize(
    ("number", "english", "german"),
    [
        (9.0, "9", "9"),
        (2019.0, "2019", "2019"),
        (1_250_000.0, "1,250,000", "1.250.000"),
        (0.1 + 0.2, "0.3", "0,3"),
        (7.63412, "7.634", "7,634"),
        (596.043, "596", "596"),
        (0.00041, "0.00041", "0,00041"),
        (-0.0, "0", "0"),
        (-12.5, "-12.5", "-12,5"),
        (123_456_789.0, "123,456,789", "123.456.789"),
        (1e-300, "0", "0"),
        (1e300, "1e+300", "1e+300"),
    ],
)
def test_numbers_are_readable(number, english, german):
    assert (number_text(number, EN), number_text(number, DE)) == (english, german)


@law
@given(st.floats(-1e12, 1e12))
def test_rounding_before_telling_changes_no_word(number):
    rounded = rounded_as_told(pa.array([number]))[0].as_py()
    assert number_text(rounded, EN) == number_text(number, EN)


@law
@given(st.integers(-(10**14), 10**14))
def test_whole_numbers_are_told_in_full(number):
    assert number_text(float(number), EN).replace(",", "") == str(number)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (9.0, "9"),
        (1_250_000.0, "1250000"),
        (7.63412, "7.634"),
        (0.00041, "0.00041"),
        (-0.0, "0"),
        (None, None),
    ],
)
def test_numbers_that_are_kept_can_be_read_again(number, text):
    assert number_texts(pa.array([number], pa.float64())).to_pylist() == [text]


def test_a_unit_without_a_word_in_the_language_stays_as_it_is():
    assert with_unit(3.0, "parsecs", DE) == "3 parsecs"
    assert with_unit(1.0, "parsecs", EN) == "1 parsec"


@pytest.mark.parametrize(
    ("days", "english", "german"),
    [
        (12.0, "12 days", "12 Tage"),
        (1.0, "1 day", "1 Tag"),
        (0.5, "12 hours", "12 Stunden"),
        (0.000011, "1 second", "1 Sekunde"),
        (400.25, "400.2 days", "400,2 Tage"),
    ],
)
def test_short_times_are_told_in_short_units(days, english, german):
    assert (duration_text(days, EN), duration_text(days, DE)) == (english, german)


def test_moments_are_told_as_ago():
    assert (duration_text(1.0, EN, "ago"), duration_text(3.0, DE, "ago")) == ("1 day ago", "vor 3 Tagen")


def test_how_often_is_told_in_words():
    assert [times_text(float(n), EN) for n in range(4)] == ["not once", "once", "twice", "3 times"]
    assert [times_text(float(n), DE) for n in range(4)] == ["keinmal", "einmal", "zweimal", "3-mal"]


def test_windows_are_told_in_words():
    assert [window_text(days, EN) for days in (0.25, 1.0, 2.5, None)] == [
        "in the last 6 hours",
        "in the last 24 hours",
        "in the last 2.5 days",
        "so far",
    ]


def test_points_carry_their_sign():
    points = np.array([4.24, -0.26, 0.0, 1.0, -1.04])
    assert points_texts(points, EN).to_pylist() == [
        "+4.2 points",
        "-0.3 points",
        "0 points",
        "+1 point",
        "-1 point",
    ]
    assert points_texts(points[:1], DE).to_pylist() == ["+4,2 Punkte"]
