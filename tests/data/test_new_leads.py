"""New leads give the same values however their file is written, typed or as text, whole or in pieces."""

import csv
import math
from contextlib import ExitStack
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs import make_config, make_schema
from laws import law
from leadlift.data import typed_csv
from leadlift.data.levels import LEVELS, encoded_levels
from leadlift.data.new_leads import iter_batches, prepare_batch
from leadlift.data.tables import INVALID, INVALID_DETAIL, MAX_CELL_BYTES
from leadlift.data.values import level_text, plain
from leadlift.exceptions import InputError
from leadlift.terms import Kind

KINDS = {"visits": Kind.NUMERIC, "source": Kind.CATEGORICAL}
SCHEMA = make_schema(make_config(lead_id="id", missing_values=("Select",)), KINDS)
MARKS = [(".", ""), (",", ""), (",", "."), (".", ",")]
NUMBERS = ["1", " 2 ", "2.5", "2,5", "1.234,5", "1,234.5", "+5", ".5", "5.", "-0", "1e5", "1e999", "\t3"]
HARDLY_NUMBERS = ["0x10", "007", "nan", "NaN", "nan(7)", "inf", "-Infinity", "many", "1.0", "1,00", "1\u00a0"]
WORDS = ["", " ", "Select", " Select", "True", "FALSE", "web", " web", 'the "web"', "a,b;c", "é", "a\nb"]
CELLS = st.one_of(
    st.sampled_from(NUMBERS),
    st.sampled_from(HARDLY_NUMBERS),
    st.sampled_from(WORDS),
    st.text("0123456789.,+-eEinfNa xX()", max_size=6),
)


def in_small_blocks():
    """A few rows a block, so that little files are read as large ones are."""
    stack = ExitStack()
    stack.enter_context(patch.object(typed_csv, "BLOCK_BYTES", 64))
    stack.enter_context(patch.object(typed_csv, "_BATCH_BLOCKS", 2))
    return stack


def write_csv(path, rows, header=("id", "visits", "source")):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def values(batches):
    """Rows of some batches; NaN, which equals nothing, would be a bug."""
    return [row for batch in batches for row in batch.to_pylist()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("leads")


@law
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=12), st.sampled_from(MARKS))
def test_a_csv_gives_what_its_cells_give_as_text(folder, cells, marks):
    decimal, thousands = marks
    config = make_config(lead_id="id", missing_values=("Select",), decimal=decimal, thousands=thousands)
    schema = make_schema(config, KINDS)
    rows = [(f"L{i}", *pair) for i, pair in enumerate(cells)]
    columns = zip(*rows, strict=True)
    as_text = pa.table({name: pa.array(column) for name, column in zip(("id", *KINDS), columns, strict=True)})
    path = write_csv(folder / "new.csv", rows)
    with in_small_blocks():
        got = values(iter_batches(path, schema, batch_rows=5))
    assert got == prepare_batch(as_text, schema).to_pylist()


@law
@given(st.lists(st.none() | CELLS, max_size=12), st.sampled_from([".", ","]))
def test_encoded_levels_are_the_level_texts_of_the_cells(cells, decimal):
    data = make_config(missing_values=("Select",), decimal=decimal).data
    text = pa.array(cells, pa.string())
    for array in (text, text.dictionary_encode(), pa.chunked_array([text[:5], text[5:]])):
        encoded = encoded_levels(array, data)
        encoded.validate(full=True)
        assert encoded.type == LEVELS
        assert encoded.to_pylist() == level_text(text, data).to_pylist()
        levels = encoded.dictionary.to_pylist()
        assert None not in levels
        assert len(set(levels)) == len(levels)


@pytest.mark.parametrize(
    "cells",
    [
        pa.array([1, 2, None]),
        pa.array([1.0, math.nan, 2.5]),
        pa.array([True, False, None]),
        pa.array([0, 1], pa.date32()),
        pa.nulls(2),
        pa.array(["a", None, "b"], pa.string_view()),
        pa.DictionaryArray.from_arrays(pa.array([1, 0, None], pa.uint8()), pa.array([None, " a "])),
    ],
    ids=lambda cells: str(cells.type),
)
def test_levels_of_any_type_are_spelled_as_without_a_dictionary(cells):
    data = make_config().data
    assert encoded_levels(cells, data).to_pylist() == level_text(plain(cells), data).to_pylist()


def test_a_cell_that_is_no_number_far_into_a_csv_is_marked_and_no_row_is_lost(folder):
    rows = [(f"L{i}", str(i), f"level {i % 3}") for i in range(200)]
    rows[150] = ("L150", "many", "web")
    path = write_csv(folder / "far.csv", rows)
    with in_small_blocks():
        batches = list(iter_batches(path, SCHEMA, batch_rows=32))
    assert [batch.num_rows for batch in batches] == [32] * 6 + [8]
    got = values(batches)
    assert [row["lead_id"] for row in got] == [row[0] for row in rows]
    assert [row["visits"] for row in got] == [None if i == 150 else i for i in range(200)]
    assert [row["source"] for row in got] == [row[2] for row in rows]
    assert [i for i, row in enumerate(got) if row["invalid"]] == [150]
    assert got[150]["invalid_detail"] == "visits"


def test_numbers_of_another_country_and_encoding(folder):
    config = make_config(lead_id="id", delimiter=";", decimal=",", encoding="latin-1")
    path = folder / "latin.csv"
    path.write_bytes("id;visits;source\nL0;2,5;Köln\nL1;;Nürnberg\nL2;1.5;Köln\n".encode("latin-1"))
    got = values(iter_batches(path, make_schema(config, KINDS), encode_levels=True))
    assert [(row["visits"], row["source"], row["invalid"]) for row in got] == [
        (2.5, "Köln", False),
        (None, "Nürnberg", False),
        (None, "Köln", True),
    ]


def test_ragged_rows_are_counted_once_though_the_csv_is_read_twice(folder):
    path = folder / "ragged.csv"
    path.write_text("id,visits,source\nL0,1\n" + "L1,1,web\n" * 100 + "L2,many,web\nL3,1\n")
    with in_small_blocks(), pytest.raises(InputError, match=r"2 row\(s\) without the header's 3 cells"):
        list(iter_batches(path, SCHEMA))


def test_a_record_longer_than_a_block_is_read(folder):
    long = "x" * 1_000
    path = write_csv(folder / "long.csv", [("L0", "1", "web"), ("L1", "2", long), ("L2", "3", "fair")])
    with in_small_blocks():
        got = values(iter_batches(path, SCHEMA))
    assert [(row["visits"], row["source"]) for row in got] == [(1, "web"), (2, long), (3, "fair")]


def test_a_number_with_an_open_quote_is_a_quote_that_is_never_closed(folder):
    path = folder / "open.csv"
    path.write_text('id,source,visits\nL0,web,1\nL1,web,"2\nL2,web,3\n')
    with pytest.raises(InputError, match=r"data row 2 opens a quote that is never closed"):
        list(iter_batches(path, SCHEMA))


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    visits = pa.array(rng.poisson(3, 500).astype(float), mask=rng.random(500) < 0.1)
    source = pa.array(rng.choice(["web", " web", "fair", "1.0", "", "Select"], 500))
    return pa.table({"id": [f"L{i}" for i in range(500)], "visits": visits, "source": source})


def test_dictionaries_and_strings_are_the_same_values_from_every_kind_of_file(folder, table):
    pq.write_table(table, folder / "new.parquet", row_group_size=70)
    write_csv(folder / "same.csv", zip(*[column.to_pylist() for column in table.columns], strict=True))
    expected = prepare_batch(table, SCHEMA).to_pylist()
    for name in ("new.parquet", "same.csv"):
        as_strings = list(iter_batches(folder / name, SCHEMA, batch_rows=64))
        encoded = list(iter_batches(folder / name, SCHEMA, batch_rows=64, encode_levels=True))
        assert {batch["source"].type for batch in as_strings} == {pa.string()}
        assert {batch["source"].type for batch in encoded} == {LEVELS}
        assert values(as_strings) == values(encoded) == expected


def test_files_of_which_one_holds_dictionaries_are_one_table(tmp_path, table):
    encoded = table.set_column(2, "source", table["source"].cast(pa.large_string()).dictionary_encode())
    pq.write_table(table.slice(0, 200), tmp_path / "a.parquet")
    pq.write_table(encoded.slice(200), tmp_path / "b.parquet")
    got = iter_batches(tmp_path, SCHEMA, batch_rows=150, encode_levels=True)
    assert values(got) == prepare_batch(table, SCHEMA).to_pylist()


def test_row_groups_do_not_stay_in_memory(tmp_path):
    n_rows = 200_000
    visits = np.random.default_rng(0).random(n_rows)
    table = pa.table({"id": np.arange(n_rows).astype(str), "visits": visits, "source": ["web"] * n_rows})
    pq.write_table(table, tmp_path / "new.parquet", row_group_size=10_000, compression="none")
    del table
    batches = iter_batches(tmp_path / "new.parquet", SCHEMA, batch_rows=10_000, encode_levels=True)
    before = pa.total_allocated_bytes()
    held = [pa.total_allocated_bytes() - before for _ in batches]
    assert len(held) == 20
    assert max(held) < (tmp_path / "new.parquet").stat().st_size / 2


def test_a_damaged_row_group_in_the_middle_ends_the_job_with_the_name_of_the_file(tmp_path, table):
    path = tmp_path / "new.parquet"
    pq.write_table(table, path, row_group_size=100, compression="none", use_dictionary=False)
    group = pq.ParquetFile(path).metadata.row_group(2).column(1)
    content = bytearray(path.read_bytes())
    start = group.data_page_offset
    content[start : start + 40] = b"\xff" * 40
    path.write_bytes(content)
    batches = iter_batches(path, SCHEMA, batch_rows=100)
    assert next(batches).num_rows == 100
    with pytest.raises(InputError, match=r"new\.parquet: cannot be read as Parquet"):
        list(batches)


def test_a_number_that_became_text_is_read_or_marked():
    table = pa.table({"id": ["a", "b"], "visits": ["3", "many"], "source": ["web", "web"]})
    batch = prepare_batch(table, SCHEMA)
    assert batch["visits"].to_pylist() == [3.0, None]
    assert batch[INVALID].to_pylist() == [False, True]
    assert batch[INVALID_DETAIL].to_pylist() == [None, "visits"]


@pytest.mark.parametrize(
    ("cells", "levels"),
    [([7, None], ["7", None]), ([7.0, 7.5], ["7", "7.5"]), ([True, False], ["true", "false"])],
)
def test_text_that_became_numbers_is_read_as_levels(cells, levels):
    table = pa.table({"id": ["a", "b"], "visits": [1, 2], "source": cells})
    assert prepare_batch(table, SCHEMA, encode_levels=True)["source"].to_pylist() == levels


def test_ids_that_are_missing_are_null(folder):
    numbered = pa.table({"id": [7.0, math.nan, None], "visits": [1, 2, 3], "source": ["web"] * 3})
    assert prepare_batch(numbered, SCHEMA)["lead_id"].to_pylist() == ["7", None, None]
    path = write_csv(folder / "ids.csv", [("L0", "1", "web"), ("", "1", "web"), (" ", "1", "web")])
    assert [row["lead_id"] for row in values(iter_batches(path, SCHEMA))] == ["L0", None, None]


def test_a_long_cell_of_a_dictionary_names_its_row():
    source = pa.array(["web"] * 6 + ["x" * (MAX_CELL_BYTES + 1)]).dictionary_encode()
    table = pa.table({"id": list("abcdefg"), "visits": [1] * 7, "source": source})
    with pytest.raises(InputError, match=r"row 7, column 'source' holds a cell of 1,000,001 bytes"):
        prepare_batch(table, SCHEMA)
    assert prepare_batch(table.slice(0, 6), SCHEMA)["source"].to_pylist() == ["web"] * 6
