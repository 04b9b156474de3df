"""Text from outside made harmless: what people read of it, HTML, and cells of spreadsheets.

A text is made plain once, where it enters a sentence (:func:`plain_text`); it is escaped once, by the medium
that it is written to (:func:`escape_html`, :func:`escape_formulas`), and nowhere between.
"""

from __future__ import annotations

import html
import re

import pyarrow as pa
import pyarrow.compute as pc

MAX_LENGTH = 60
"""Longest text of a value in a sentence, characters."""

# Control characters, and marks that change the direction or the lines of what follows (Unicode TR 36, "Trojan
# Source"): a reader is to see the order that is stored.
_SPACES = re.compile(r"\s+")
_INVISIBLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]"
)

# Cells that begin so are run as formulas by spreadsheets (OWASP, "CSV Injection"), some of which skip spaces
# and quotes; the last four are wide forms of the first. A cell that begins with an apostrophe is text
# already, and -5 and its like are no formulas.
FORMULA = r"^([\s\x{00a0}\"]*[=+\-@\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}]|[\t\r\n])"
NUMBER = r"^\s*[+-]?\d+([.,]\d+)?\s*$"


def plain_text(text: str, max_length: int = MAX_LENGTH) -> str:
    """Take away control characters, marks of direction and needless space, and cut what is too long.

    Parameters
    ----------
    text : str
    max_length : int, default=60
        Characters, at least 1; the last of a text that is cut is an ellipsis.

    Returns
    -------
    str
        In one line.

    Examples
    --------
    >>> plain_text("a\\x00b\\u202ec\\nd"), plain_text("x" * 99, 4)
    ('abc d', 'xxx…')
    """
    # Far more than is kept, far less than a cell of a megabyte.
    text = _INVISIBLE.sub("", _SPACES.sub(" ", text[: 16 * max_length])).strip()
    return text if len(text) <= max_length else text[: max_length - 1] + "…"


def escape_html(text: str) -> str:
    """Write text so that HTML shows it, between tags and within quoted attributes.

    Parameters
    ----------
    text : str
        Not escaped before.

    Returns
    -------
    str

    Examples
    --------
    >>> escape_html("<b>A & 'B'</b>")
    '&lt;b&gt;A &amp; &#x27;B&#x27;&lt;/b&gt;'
    """
    return html.escape(plain_text(text, max(len(text), 1)), quote=True)


def escape_formulas(table: pa.Table) -> pa.Table:
    """Put an apostrophe before text cells that a spreadsheet would run as a formula.

    Parameters
    ----------
    table : pyarrow.Table
        Text columns may be dictionaries: only their dictionaries are looked at.

    Returns
    -------
    pyarrow.Table
        Of the same schema.

    Examples
    --------
    >>> escape_formulas(pa.table({"a": ["=1+1", " =1", "-5", "web"]}))["a"].to_pylist()
    ["'=1+1", "' =1", '-5', 'web']
    """
    for i, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            table = table.set_column(i, field, _escaped(table.column(i)))
        elif pa.types.is_dictionary(field.type) and pa.types.is_string(field.type.value_type):
            chunks = [_with_escaped_dictionary(chunk) for chunk in table.column(i).chunks]
            table = table.set_column(i, field, pa.chunked_array(chunks, field.type))
    return table


def _escaped(text: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    risky = pc.match_substring_regex(text, FORMULA)
    if not pc.any(risky).as_py():
        return text
    risky = pc.and_(risky, pc.invert(pc.match_substring_regex(text, NUMBER)))
    return pc.if_else(risky, pc.binary_join_element_wise("'", text, ""), text)


def _with_escaped_dictionary(encoded: pa.DictionaryArray) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(encoded.indices, _escaped(encoded.dictionary))


def unescape_formulas(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Take away the apostrophes that :func:`escape_formulas` put before text; other columns stay.

    Examples
    --------
    >>> unescape_formulas(pa.chunked_array([["'=1+1", "'tis", "-5"]])).to_pylist()
    ['=1+1', "'tis", '-5']
    """
    if not pa.types.is_string(text.type):
        return text
    return pc.replace_substring_regex(text, f"^'({FORMULA.removeprefix('^')})", r"\1")
