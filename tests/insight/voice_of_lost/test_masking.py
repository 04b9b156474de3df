"""Personal data are masked in every form people write them; prices, dates and counts stay."""

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws import law
from leadlift.exceptions import InputError
from leadlift.insight.voice_of_lost.masking import MAX_CHARACTERS, mask_personal_data


def masked(text):
    return mask_personal_data([text]).to_pylist()[0]


@pytest.mark.parametrize(
    "text",
    [
        "ann@example.com",
        "Ann.Lee+crm@sub.example.co.uk",
        "<ann@example.com>",
        "ann\N{FULLWIDTH COMMERCIAL AT}example.com",
        "ann\N{ZERO WIDTH SPACE}@example.com",
        "ann(at)example.com",
        "ann [at] example.de",
        "o'neil@x.org",
        "jos\u00e9@b\u00fcro.de",
        '"ann lee"@example.com',
        "ann@192.168.0.1",
        "ann@localhost",
    ],
)
def test_e_mail_addresses_are_masked(text):
    assert "[e-mail]" in masked(text)
    assert "@" not in masked(text)
    assert "ann" not in masked(text).lower().replace("ann lee", "")


@pytest.mark.parametrize(
    "text",
    [
        "+49 30 123456",
        "+49 (0)30 1234-567",
        "+33612345678",
        "+91-98765-43210",
        "0044 20 7946 0958",
        "030/1234567",
        "0171-1234567",
        "0171 123 45 67",
        "(020) 7946 0958",
        "01 23 45 67 89",
        "01.23.45.67.89",
        "02 1234 5678",
        "06-12345678",
        "555-123-4567",
        "(555) 123-4567",
        "1-800-555-1234",
        "98765 43210",
        "600 123 456",
        "(11) 91234-5678",
        "tel: 555-1234",
        "Phone 5551234",
    ],
)
def test_phone_numbers_are_masked(text):
    assert "[phone]" in masked(text)
    assert not any(character.isdigit() for character in masked(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DE89 3704 0044 0532 0130 00", "[account number]"),
        ("GB29NWBK60161331926819", "[account number]"),
        ("nl91abna0417164300", "[account number]"),
        ("4111 1111 1111 1111", "[number]"),
        ("4111-1111-1111-1111", "[number]"),
        ("3782 822463 10005", "[number]"),
        ("5551234567", "[number]"),
        ("see https://example.com/?id=77&mail=a@b.co now", "see [link] now"),
        ("www.example.com/ann", "[link]"),
        ("ask @ann_lee", "ask [handle]"),
        ("a\x00b\tc\x1b[31m", "a b c [31m"),
    ],
)
def test_accounts_cards_links_and_handles_are_masked(text, expected):
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "1,250.00 EUR",
        "1.250.000 EUR",
        "1 250 000 EUR",
        "250 000 000 EUR",
        "-12.000,50 EUR",
        "$1,000,000",
        "10000-20000 EUR",
        "10 @ 5.00",
        "10@5.00",
        "12.5 %",
        "2024-05-01",
        "01.05.2024",
        "05/01/2024",
        "01.05.2024 09:30",
        "2024-05-01T10:30:00Z",
        "05-01-2024 06-01-2024",
        "2024/05/01 2024/06/01",
        "from 01.05.2024 to 31.05.2024",
        "2024-2025",
        "10:30-11:00",
        "3 of 10",
        "50-250 employees",
        "24/7 support",
        "order 1234567",
        "ISO 27001, v2.10.3",
        "FY24 plan next year",
        "1000 x 2000",
    ],
)
def test_prices_dates_and_counts_stay(text):
    assert masked(text) == text


def test_a_sentence_keeps_everything_else():
    said = "Call Ann on 0171 1234567 (ann@example.com): 3 of 10 seats at 1,250.00 EUR by 2024-05-01."
    assert masked(said) == "Call Ann on [phone] ([e-mail]): 3 of 10 seats at 1,250.00 EUR by 2024-05-01."


@law
@given(st.emails(), st.sampled_from(["{}", "write to {}.", "({})", "a,{};b", "x\n{}\ty", "mailto:{}"]))
def test_no_e_mail_address_survives(address, sentence):
    left = masked(sentence.format(address))
    assert "@" not in left
    assert address.split("@")[1] not in left


@law
@given(st.text())
def test_any_text_is_read_and_no_control_character_is_left(text):
    assert not any(unicodedata.category(character) in {"Cc", "Cf"} for character in masked(text))


def test_null_stays_null_and_dictionaries_and_chunks_are_read():
    texts = pa.chunked_array([pa.array(["a@b.co", None]).dictionary_encode()])
    assert mask_personal_data(texts).to_pylist() == ["[e-mail]", None]


def test_what_is_no_text_is_refused_and_codes_are_read():
    assert mask_personal_data([7, None]).to_pylist() == ["7", None]
    with pytest.raises(InputError, match="one that mixes types"):
        mask_personal_data(["price", 3, b"x"])


@pytest.mark.parametrize("cell", ["a" * 1_000_000, "a@" * 500_000, "0 " * 500_000, "@" * 1_000_000])
def test_a_megabyte_in_a_cell_is_cut_before_it_is_read(cell):
    assert len(masked(cell)) <= 3 * MAX_CHARACTERS
