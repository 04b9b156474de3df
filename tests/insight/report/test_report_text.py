"""Text on a page is shown, not obeyed, and never endless."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from leadlift.insight.report.text import has_long_word, safe_text, without_steering

ANYTHING = st.text(st.characters(codec=None))


@given(ANYTHING)
def test_no_control_character_and_no_mark_of_direction_is_left(text):
    shown = safe_text(text)
    assert {unicodedata.category(c) for c in shown}.isdisjoint({"Cc", "Cs", "Zl", "Zp"})
    assert {unicodedata.bidirectional(c) for c in shown}.isdisjoint(
        {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    )
    shown.encode("utf-8")


@given(ANYTHING)
def test_what_was_made_safe_stays_as_it_is(text):
    assert without_steering(without_steering(text)) == without_steering(text)


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"])))
def test_letters_and_signs_of_every_script_stay(text):
    assert without_steering(text) == text


def test_what_cannot_be_shown_is_marked_and_ends_of_lines_are_spaces():
    assert safe_text("a\x00b\r\nc\td") == "a\N{REPLACEMENT CHARACTER}b  c d"


def test_long_text_is_cut_and_says_how_long_it_was():
    assert safe_text("x" * 1_000_000, longest=3) == "xxx… (1,000,000 characters)"
    assert safe_text("xxx", longest=3) == "xxx"


def test_a_word_that_no_telephone_is_wide_enough_for_is_known():
    assert has_long_word("see " + "W" * 31)
    assert not has_long_word("see " + "W" * 30 + " and more")
