"""Personal data in free text replaced by what kind of data it was, before anything is shown or counted.

Masked are web addresses, e-mail addresses, account and card numbers, phone numbers and @handles. Names and
postal addresses are not: no pattern tells them from other words. That is why the other files of this package
show terms that many leads used, and never a text.

The patterns are RE2's, which reads a text once, whatever it holds (no catastrophic backtracking). They err
towards masking; prices, dates, times and plain counts stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.insight.voice_of_lost.text_column import as_text

if TYPE_CHECKING:
    from leadlift.insight.voice_of_lost.text_column import Texts

MAX_CHARACTERS = 5000
"""What stands behind them in a text is cut off: nobody writes that much by hand."""

# Letters, digits and marks as they may stand between two parts of one number.
_GAP = r"[ ().\-/]{0,3}"

_WEB = r"(?i)\b(?:[a-z][a-z0-9+.\-]*://|www\.)\S+"

_AT = r"(?:@|\s?[\[(]\s?at\s?[\])]\s?)"
_LOCAL = r"(?:\"[^\"@]{1,64}\"|[^\s@<>()\[\],;:\"]+)"
# The part behind the @ has a letter, which tells it from "10@5.00".
_DOMAIN = r"(?:\[[^\s\]]+\]|[^\s@<>()\[\],;:\"]*\pL[^\s@<>()\[\],;:\"]*|\d{1,3}(?:\.\d{1,3}){3})"
_E_MAIL = rf"(?i){_LOCAL}{_AT}{_DOMAIN}"

# IBAN: two letters, two digits, and of what follows the second block begins with digits (ISO 13616).
_IBAN = r"\b[A-Z]{2}\d{2} ?[A-Z0-9]{4} ?\d{4}(?: ?[A-Z0-9]{1,4}){1,6}\b|(?i)\b[a-z]{2}\d{2}[a-z0-9]{11,30}\b"
_LONG_NUMBER = (
    r"\b\d{4}[ \-]\d{4}[ \-]\d{4}[ \-]\d{1,7}\b|\b\d{4}[ \-]\d{6}[ \-]\d{4,5}\b"
    r"|\b\d{3}-\d{2}-\d{4}\b|\b\d{10,}\b"
)

_PHONE = "|".join(
    (
        rf"(?:\+|\b00)\d(?:{_GAP}\d){{7,14}}\b",  # +49 (0)30 123456, 0044 20 7946 0958
        rf"\(?\b0\d{{2}}(?:{_GAP}\d){{5,11}}\b",  # 0171/1234567, (020) 7946 0958
        r"\b0\d(?: \d{2}){4}\b|\b0\d(?:\.\d{2}){4}\b|\b0\d(?:-\d{2}){4}\b",  # 01 23 45 67 89
        r"\b0\d \d{4} \d{4}\b|\b0\d[ /\-]\d{6,8}\b",  # 02 1234 5678, 06-12345678
        r"\(\d{2,5}\)[ ./\-]?\d(?:[ ./\-]?\d){5,9}\b",  # (555) 123-4567, (11) 91234-5678
        r"\b(?:1[ .\-])?\d{3}[ .\-]\d{3}[ .\-]\d{4}\b",  # 555-123-4567
        r"\b[6-9]\d{4} \d{5}\b",  # 98765 43210
        r"\b[5-9]\d{2}[ \-]\d{3}[ \-]\d{3}\b",  # 600 123 456; an amount rarely begins so
        r"\b\d{2}(?: \d{2}){3,4}\b",  # 22 33 44 55
    )
)
_PHONE_WORD = (
    r"(?i)\b((?:telephone|telefon|phone|tel|mobile?|handy|cell|whatsapp|fax)"
    r"(?: ?(?:no|nr|number|nummer))?[.:]*(?: is)? ?)[\d(](?:[ ()./\-]{0,2}\d){5,14}\b"
)
_HANDLE = r"(^|[^\pL\pN_@/])@[\pL\pN_][\pL\pN_.]*"

_MASKS = (
    (_WEB, "[link]"),
    (_E_MAIL, "[e-mail]"),
    (_IBAN, "[account number]"),
    (_PHONE_WORD, r"\1[phone]"),
    (_PHONE, "[phone]"),
    (_LONG_NUMBER, "[number]"),
    (_HANDLE, r"\1[handle]"),
)
MASKS = tuple(mask.removeprefix(r"\1") for _, mask in _MASKS)
"""What personal data are replaced by."""


def mask_personal_data(texts: Texts) -> pa.Array:
    r"""Replace web and e-mail addresses, account, card and phone numbers and @handles by what they were.

    Texts are first cut at :data:`MAX_CHARACTERS` characters and written in the plain form of their characters
    (Unicode NFKC), without control and format characters, behind which an address could hide.

    Parameters
    ----------
    texts : pyarrow array, pandas column or iterable of str, length n_rows
        Null stays null.

    Returns
    -------
    pyarrow.Array of string, length n_rows

    Examples
    --------
    >>> said = "Write to ann.lee@example.com or call +44 20 7946 0958, 1,250.00 EUR by 2024-05-01"
    >>> mask_personal_data([said]).to_pylist()
    ['Write to [e-mail] or call [phone], 1,250.00 EUR by 2024-05-01']
    """
    text = _in_plain_characters(pc.utf8_slice_codeunits(as_text(texts), 0, MAX_CHARACTERS))
    for pattern, mask in _MASKS:
        text = pc.replace_substring_regex(text, pattern, mask)
    return text


def _in_plain_characters(text: pa.Array) -> pa.Array:
    """One form of each character, white space and control characters as one blank, format characters gone."""
    text = pc.utf8_normalize(text, form="NFKC")
    text = pc.replace_substring_regex(text, r"\p{Cf}", "")
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(text, r"[\p{Cc}\p{Z}]+", " "))
