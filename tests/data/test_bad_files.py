"""Bad input gets one clear error: which file, which row or column, and what to do."""

import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from configs import make_config, make_schema
from leadlift.data.csv_files import BLOCK_BYTES
from leadlift.data.reading import MAX_CELL_BYTES, iter_batches, leads_from, read_leads, read_text_table
from leadlift.exceptions import ConfigError, InputError, SchemaError
from leadlift.terms import Kind

SCHEMA = make_schema(make_config(), {"visits": Kind.NUMERIC})
GOOD_ROWS = "".join(f"Won,{number}\n" for number in range(1000))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "leads.csv"


def assert_refused(path, match, error=InputError, **keywords):
    """Training and scoring refuse the file in the same words."""
    with pytest.raises(error, match=match) as caught:
        read_leads(make_config(path, **keywords))
    assert str(path) in str(caught.value) or error is ConfigError
    schema = make_schema(make_config(**keywords), {"visits": Kind.NUMERIC})
    with pytest.raises(error, match=match):
        list(iter_batches(path, schema))


def no_new_leads(path):
    """Scoring takes a file without rows for a day without new leads."""
    schema = make_schema(make_config(), {"visits": Kind.NUMERIC})
    return sum(batch.num_rows for batch in iter_batches(path, schema)) == 0


def test_a_file_that_is_not_there(path):
    assert_refused(path, "no such file")


def test_a_folder(tmp_path):
    assert_refused(tmp_path, "is a folder without a CSV or Parquet file in it")


def test_an_empty_file(path):
    path.write_bytes(b"")
    assert_refused(path, r"empty \(0 bytes\)")


@pytest.mark.parametrize("text", ["stage,visits", "stage,visits\n", "stage,visits\n\n\n"])
def test_a_header_without_rows(path, text):
    path.write_text(text)
    with pytest.raises(InputError, match="a header but no rows"):
        read_leads(make_config(path))
    assert no_new_leads(path)


@pytest.mark.parametrize("text", ["\n", "\n\nstage,visits\nWon,1\n", " , \n"])
def test_a_first_line_without_names(path, text):
    path.write_text(text)
    assert_refused(path, "first line is empty|without a name")


def test_broken_encoding_names_the_line_and_the_byte(path):
    path.write_bytes(b"stage,visits\nWon,1\nLost,\xfc\n")
    assert_refused(path, "line 3 holds the byte 0xfc, which is no utf-8")


def test_broken_encoding_is_found_far_into_a_large_file(path):
    path.write_bytes(b"stage,visits\n" + b"Won,1\n" * 1_000_000 + b"Lost,\xfc\n")
    assert_refused(path, "line 1000002 holds the byte 0xfc")


def test_a_character_cut_off_at_the_end(path):
    path.write_bytes("stage,visits\nWon,ü".encode()[:-1])
    assert_refused(path, "line 2 holds the byte 0xc3")


def test_an_encoding_that_does_not_exist(path):
    path.write_text("stage,visits\nWon,1\n")
    assert_refused(path, "no such encoding; try", ConfigError, encoding="utf-9")


def test_a_nul_byte(path):
    path.write_bytes(b"stage,visits\nWon,1\nLo\x00st,2\n")
    assert_refused(path, "line 3 holds a NUL byte")


def test_another_delimiter(path):
    path.write_text("stage;visits\nWon;1\n")
    assert_refused(path, re.escape("separated by ';'. Set [data] delimiter = ';'"))


@pytest.mark.parametrize(
    ("start", "match"),
    [
        (b"PK\x03\x04\x00", "Excel workbook or a zip"),
        (b"\x1f\x8b\x08\x00", "gzip; unpack"),
        (b"%PDF-1.7", "a PDF"),
    ],
)
def test_a_file_of_another_format(path, start, match):
    path.write_bytes(start + b"\x00" * 100)
    assert_refused(path, match)


def test_names_that_stand_twice(path):
    path.write_text("stage,visits, visits\nWon,1,2\n")
    assert_refused(path, "1 column name\\(s\\) stand twice: 'visits'", SchemaError)


def test_names_that_are_empty(path):
    path.write_text("stage,,visits,\nWon,1,2,3\n")
    assert_refused(path, "2 column\\(s\\) without a name: position '2', '4'", SchemaError)


def test_ragged_rows_are_all_counted_and_the_first_five_named(path):
    path.write_text("stage,visits\n" + "Won,1\nLost\n" * 7 + "Won,1,1\n")
    rows = "'2 (1 cells)', '4 (1 cells)', '6 (1 cells)', '8 (1 cells)', '10 (1 cells)' and 3 more"
    assert_refused(path, re.escape(f"8 row(s) without the header's 2 cells: data row {rows}"))


def test_scoring_refuses_ragged_rows_even_where_training_skips_them(path):
    path.write_text("stage,visits\nWon,1\nLost\n")
    schema = make_schema(make_config(ragged_rows="skip"), {"visits": Kind.NUMERIC})
    with pytest.raises(InputError, match=r"data row '2 \(1 cells\)'. Mend them;.*never out of new leads"):
        list(iter_batches(path, schema))


def test_a_file_of_ragged_rows_only_is_refused_even_if_they_are_skipped(path):
    path.write_text("stage,visits\nWon;1\nLost;2\n")
    with pytest.raises(InputError, match="2 row\\(s\\) without the header's 2 cells"):
        read_leads(make_config(path, ragged_rows="skip"))


@pytest.mark.parametrize("quoted", ['"{}"', "{}"])
@pytest.mark.parametrize("n_characters", [MAX_CELL_BYTES + 1, BLOCK_BYTES - 100])
def test_a_cell_of_millions_of_characters_names_its_row_and_column(path, quoted, n_characters):
    path.write_text("stage,visits\nWon,1\nLost," + quoted.format("x" * n_characters) + "\nWon,2\n")
    assert_refused(path, f"row 2, column 'visits' holds a cell of {n_characters:,} bytes")


@pytest.mark.parametrize("n_characters", [3 * BLOCK_BYTES, 10_000_000])
def test_a_cell_too_long_for_the_csv_reader_names_its_line(path, n_characters):
    path.write_text("stage,visits\nWon,1\nLost," + "x" * n_characters + "\nWon,2\n")
    assert_refused(path, "record that starts at line 3 is too long: a cell is far too large")


def test_a_long_cell_in_memory():
    table = pa.table({"stage": ["Won", "x" * (MAX_CELL_BYTES + 1)]})
    with pytest.raises(InputError, match="row 2, column 'stage'"):
        leads_from(table, make_config())


@pytest.mark.parametrize("broken", ['Won,"1\n', '"Won,1\n'])
@pytest.mark.parametrize("ragged_rows", ["error", "skip"])
def test_a_quote_that_is_never_closed(path, broken, ragged_rows):
    path.write_text("stage,visits\nWon,1\n" + broken + "Won,22\n" * 100)
    assert_refused(path, "data row 2 opens a quote that is never closed", ragged_rows=ragged_rows)


def test_a_quote_that_is_never_closed_in_a_large_file_names_its_line(path):
    path.write_text("stage,visits\nWon,1\n" + '"Won,1\n' + "Won,22\n" * (BLOCK_BYTES // 2))
    assert_refused(path, "record that starts at line 3 is too long: a quote .* is probably never closed")


def test_a_quote_that_is_never_closed_in_a_column_that_scoring_does_not_need(path):
    path.write_text('visits,note\n1,a\n2,"b\n3,c\n')
    with pytest.raises(InputError, match="data row 2 opens a quote that is never closed"):
        list(iter_batches(path, SCHEMA))


@pytest.fixture
def parquet(tmp_path):
    path = tmp_path / "leads.parquet"
    pq.write_table(pa.table({"stage": ["Won", "Lost"] * 5000, "visits": list(range(10_000))}), path)
    return path


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_parquet(parquet, share):
    content = parquet.read_bytes()
    parquet.write_bytes(content[: int(len(content) * share)])
    assert_refused(parquet, "cannot be read as Parquet; it is truncated or damaged")


def test_a_damaged_parquet(parquet):
    content = bytearray(parquet.read_bytes())
    content[4:200] = b"\xff" * 196
    parquet.write_bytes(bytes(content))
    assert_refused(parquet, "cannot be read as Parquet; it is truncated or damaged")


def test_text_named_parquet(tmp_path):
    path = tmp_path / "leads.parquet"
    path.write_text("stage,visits\nWon,1\n")
    assert_refused(path, "cannot be read as Parquet")


def test_a_parquet_named_csv_is_read_as_what_it_is(parquet):
    renamed = parquet.rename(parquet.with_suffix(".csv"))
    assert read_leads(make_config(renamed)).table.num_rows == 10_000


def test_a_parquet_without_rows(parquet):
    pq.write_table(pa.table({"stage": pa.array([], pa.string())}), parquet)
    with pytest.raises(InputError, match="columns but no rows"):
        read_leads(make_config(parquet))
    pq.write_table(pa.table({"visits": pa.array([], pa.float64())}), parquet)
    assert no_new_leads(parquet)


def test_nested_and_binary_columns_are_named_unless_nobody_needs_them(parquet):
    table = pa.table({"stage": ["Won"], "visits": [1], "tags": [["a"]], "raw": [b"x"]})
    pq.write_table(table, parquet)
    with pytest.raises(
        InputError, match=r"2 column\(s\) are nested or binary.*'tags \(list<.*'raw \(binary\)'"
    ):
        read_leads(make_config(parquet))
    assert read_leads(make_config(parquet, ignore=("tags", "raw"))).table.num_rows == 1
    assert [batch.num_rows for batch in iter_batches(parquet, SCHEMA)] == [1]


def test_a_nested_input_of_new_leads(parquet):
    pq.write_table(pa.table({"visits": [[1]]}), parquet)
    with pytest.raises(InputError, match="'visits \\(list<"):
        iter_batches(parquet, SCHEMA)


def test_a_frame_that_mixes_types_in_a_column():
    import pandas as pd

    frame = pd.DataFrame({"stage": ["Won", "Lost"], "visits": [1, b"x"]}, dtype=object)
    with pytest.raises(InputError, match="mixes types"):
        leads_from(frame, make_config())


def test_a_frame_without_rows():
    with pytest.raises(InputError, match="the table has no rows"):
        leads_from(pa.table({"stage": pa.array([], pa.string())}), make_config())


def test_label_values_that_are_not_declared_are_counted_and_the_remedy_named(path):
    path.write_text("stage,visits\n" + GOOD_ROWS + "Pending,1\nPending,2\nOther,3\n")
    match = (
        r"2 value\(s\) of 'stage' are declared neither won, lost nor open: 'Pending \(2 rows\)', "
        r"'Other \(1 rows\)'.*lost = \['Lost'\].*Add each value.*Rows '1001', '1002', '1003'"
    )
    with pytest.raises(SchemaError, match=match):
        read_leads(make_config(path))


def test_a_loss_is_never_assumed(path):
    path.write_text("stage,visits\nWon,1\nLost,2\n")
    with pytest.raises(SchemaError, match=r"'Lost \(1 rows\)'. Declared are won = \['Won'\], lost = \[\]"):
        read_leads(make_config(path, lost=()))


def test_label_values_that_read_the_same():
    table = pa.table({"stage": ["1", "0"]})
    with pytest.raises(SchemaError, match="won, lost and open share '1'"):
        leads_from(table, make_config(won=("1",), lost=("1.0", "0")))


def test_declared_numbers_that_are_none(path):
    path.write_text("stage,visits\nWon,1\nLost,many\nLost,few\n")
    match = r"column 'visits' should hold numbers .*2 cell\(s\) do not: 'many', 'few' in rows '2', '3'"
    with pytest.raises(SchemaError, match=match):
        read_leads(make_config(path, numeric=("visits",)))


def test_dates_that_are_none(path):
    path.write_text("stage,signup\nWon,2026-01-01\nLost,31.01.2026\n")
    with pytest.raises(
        SchemaError, match=r"'signup' should hold ISO 8601.*'31.01.2026' in rows '2'. Set .* date_format"
    ):
        read_leads(make_config(path, created_at="signup"))
    with pytest.raises(SchemaError, match=r"dates of the form '%d.%m.%Y'; 1 cell\(s\) do not: '2026-01-01'"):
        read_leads(make_config(path, created_at="signup", date_format="%d.%m.%Y"))


def test_rows_in_messages_count_ragged_ones(path):
    path.write_text("stage,visits\nWon\nLost,1\nPending,2\n")
    with pytest.raises(SchemaError, match="Rows '3'"):
        read_leads(make_config(path, ragged_rows="skip"))


def test_columns_that_the_configuration_names_and_the_file_lacks():
    table = pa.table({"Stage": ["Won"], "visits": [1]})
    match = (
        r"(?s)3 column\(s\).*\[schema\] - 'stage' .*did you mean 'Stage'.*"
        r"\[schema.ignore\] - 'visit' .*missing_numbers"
    )
    with pytest.raises(SchemaError, match=match):
        leads_from(table, make_config(ignore=("visit",), missing_numbers={"days": (999,)}))


def test_sentinel_numbers_for_a_column_of_words():
    table = pa.table({"stage": ["Won"], "source": ["web"]})
    with pytest.raises(SchemaError, match="names 1 column\\(s\\) that are not numeric: 'source'"):
        leads_from(table, make_config(missing_numbers={"source": (999,)}))


def test_a_column_that_bears_a_house_name_without_that_role():
    table = pa.table({"stage": ["Won"], "outcome": ["x"], "lead_id": [1]})
    with pytest.raises(
        SchemaError, match=r"needs 2 column name\(s\): 'lead_id', 'outcome'. Give .* put it under ignore"
    ):
        leads_from(table, make_config())


def test_looking_at_a_file_meets_the_same_errors(path):
    path.write_bytes(b"stage,visits\nWon,\xfc\n")
    with pytest.raises(InputError, match="line 2 holds the byte 0xfc"):
        read_text_table(path, make_config().data)
