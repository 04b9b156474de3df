"""Text from outside is made harmless once for sentences, and once by the medium it is written to."""

import html

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws import law
from leadlift.insight.escaping import escape_formulas, escape_html, plain_text, unescape_formulas

RIGHT_TO_LEFT = "\u202e"


def escaped(cell):
    return escape_formulas(pa.table({"a": pa.array([cell], pa.string())}))["a"].to_pylist()[0]


@pytest.mark.parametrize(
    "cell",
    [
        *("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "--5"),
        *("  =1+1", '"=1+1"', "\u00a0@SUM(A1)", "\uff1d1+1", "- 5", "-"),
    ],
)
def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(cell):
    assert escaped(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["-5", "+49", "-1.5", "+3,5", " -5 ", "web", "a=b", "", None, "'=1"])
def test_other_cells_stay_as_they_are(cell):
    assert escaped(cell) == cell


@law
@given(st.text(alphabet="=+-@ \t\n\"'a5\u00a0", max_size=6))
def test_escaping_twice_changes_nothing_more(cell):
    assert escaped(escaped(cell)) == escaped(cell)


@law
@given(st.text(alphabet='=+-@ \t\n"a5\u00a0', max_size=6))
def test_what_was_escaped_can_be_read_again(cell):
    assert unescape_formulas(pa.chunked_array([[escaped(cell)]])).to_pylist() == [cell]


def test_control_characters_and_marks_of_direction_are_taken_away():
    assert plain_text(f"in{RIGHT_TO_LEFT}voice\x00\x1b[31m\u2066x\u2069\ufeff") == "invoice[31mx"


def test_line_ends_become_spaces():
    assert plain_text(" a\r\n\tb\u2028c ") == "a b c"


def test_a_cell_of_a_megabyte_is_cut_with_an_ellipsis():
    assert plain_text("x" * 1_000_000) == "x" * 59 + "…"


def test_letters_of_all_scripts_stay():
    assert plain_text("Größe 客户 Łódź 👩\u200d💻 مرحبا") == "Größe 客户 Łódź 👩\u200d💻 مرحبا"


@law
@given(st.text(max_size=50))
def test_html_shows_the_very_text_and_holds_no_tag(text):
    written = escape_html(text)
    assert not set("<>\"'") & set(written)
    assert html.unescape(written) == plain_text(text, max(len(text), 1))


def test_a_dictionary_is_escaped_as_the_text_it_stands_for():
    cells = pa.chunked_array([["=1+1", "web", None, "=1+1"], ["-5", "@x"]])
    encoded = pa.chunked_array([chunk.dictionary_encode() for chunk in cells.chunks])
    escaped = escape_formulas(pa.table({"text": cells, "encoded": encoded}))
    assert escaped["encoded"].type == encoded.type
    assert escaped["encoded"].to_pylist() == escaped["text"].to_pylist()
    assert escaped["text"].to_pylist() == ["'=1+1", "web", None, "'=1+1", "-5", "'@x"]
