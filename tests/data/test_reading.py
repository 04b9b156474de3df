"""A file of leads gives the same house columns however it was written."""

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs import make_config, make_schema
from leadlift.data.new_leads import count_rows
from leadlift.data.reading import (
    iter_batches,
    leads_from,
    prepare_batch,
    read_leads,
    read_text_table,
    table_from,
)
from leadlift.exceptions import InputError, SchemaError
from leadlift.terms import Kind

LEADS = """\
id,stage,signup,end,source,visits,region,opted_in,note
A1,Won,2026-01-02,2026-01-20,Web,3,07,True,"two
lines"
A2,Lost,2026-01-03T10:00,2026-01-05,Select,,11,False,""
 A3 , Open ,2026-01-04,,Fair,1.5,07,,x
"""
ROLES = {
    "lead_id": "id",
    "created_at": "signup",
    "closed_at": "end",
    "open": ("Open",),
    "missing_values": ("Select",),
}


@pytest.fixture
def write(tmp_path):
    def write_text(text, name="leads.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return write_text


def test_the_columns_of_a_csv_are_those_a_person_reads(write):
    leads = read_leads(make_config(write(LEADS), **ROLES))
    assert leads.table.to_pydict() == {
        "lead_id": ["A1", "A2", "A3"],
        "created_at": [
            datetime(2026, 1, 2, tzinfo=UTC),
            datetime(2026, 1, 3, 10, tzinfo=UTC),
            datetime(2026, 1, 4, tzinfo=UTC),
        ],
        "closed_at": [datetime(2026, 1, 20, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC), None],
        "outcome": ["won", "lost", "open"],
        "source": ["Web", None, "Fair"],
        "visits": [3.0, None, 1.5],
        "region": ["07", "11", "07"],
        "opted_in": ["true", "false", None],
        "note": ["two\nlines", None, "x"],
    }
    categorical = dict.fromkeys(("source", "region", "opted_in", "note"), Kind.CATEGORICAL)
    assert leads.kinds == {"visits": Kind.NUMERIC, **categorical}
    assert leads.row_numbers.tolist() == [1, 2, 3]
    assert leads.findings == ()


def test_leads_without_an_id_are_numbered_and_without_dates_have_none(write):
    leads = read_leads(make_config(write("stage,visits\nWon,1\nLost,2\n")))
    assert leads.table.to_pydict() == {
        "lead_id": ["1", "2"],
        "outcome": ["won", "lost"],
        "visits": [1.0, 2.0],
    }


def test_a_german_export_is_read(write):
    text = 'Größe;stage;Umsatz;Datum\n"groß";Won;"1.234,50";31.01.2026\nklein;Lost;7;01.02.2026\n'
    roles = {"delimiter": ";", "encoding": "latin-1", "decimal": ",", "thousands": "."}
    config = make_config(write(text, encoding="latin-1"), created_at="Datum", date_format="%d.%m.%Y", **roles)
    leads = read_leads(config)
    assert leads.table["Größe"].to_pylist() == ["groß", "klein"]
    assert leads.table["Umsatz"].to_pylist() == [1234.5, 7.0]
    assert leads.table["created_at"].to_pylist()[0] == datetime(2026, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_a_name(write, encoding):
    declared = "utf-16" if encoding == "utf-16" else "utf-8"
    leads = read_leads(
        make_config(write("stage,größe\nWon,ü\nLost,b\n", encoding=encoding), encoding=declared)
    )
    assert leads.table["größe"].to_pylist() == ["ü", "b"]


def test_csv_parquet_and_frames_of_one_table_give_equal_leads(tmp_path, write):
    table = pa.table(
        {
            "id": [7, 8, 9],
            "stage": pa.array(["Won", "Lost", None]).dictionary_encode(),
            "signup": pa.array([datetime(2026, 1, d) for d in (1, 2, 3)], pa.timestamp("ns")),  # noqa: DTZ001
            "seen": pa.array([0, 1, None], pa.date32()),
            "visits": pa.array([1, None, 3], pa.int32()),
            "size": [0.5, 2.0, None],
            "region": [1, 2, None],
            "opted_in": [True, None, False],
            "never": pa.nulls(3),
        }
    )
    pq.write_table(table, tmp_path / "leads.parquet")
    text = (
        "id,stage,signup,seen,visits,size,region,opted_in,never\n"
        "7,Won,2026-01-01,1970-01-01,1,0.5,1.0,True,\n"
        "8,Lost,2026-01-02,1970-01-02,,2,2.0,,\n"
        "9,,2026-01-03,,3,,,FALSE,\n"
    )
    roles = {"lead_id": "id", "created_at": "signup", "categorical": ("region",)}
    leads = read_leads(make_config(write(text), **roles))
    others = [
        read_leads(make_config(tmp_path / "leads.parquet", **roles)),
        leads_from(table, make_config(**roles)),
        leads_from(table.to_pandas(), make_config(**roles)),
    ]
    for other in others:
        assert other.table.equals(leads.table)
        assert (other.kinds, other.date_columns) == (leads.kinds, leads.date_columns)


def test_a_polars_frame_is_welcome():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"stage": ["Won", "Lost"], "source": ["web", None]})
    assert leads_from(frame, make_config()).table["source"].to_pylist() == ["web", None]


def test_the_index_of_a_pandas_frame_is_no_column(tmp_path):
    import pandas as pd

    frame = pd.DataFrame({"a": [1, 2]}, index=pd.Index([5, 6], name="row"))
    assert table_from(frame).column_names == ["a"]
    frame.rename_axis(None).to_parquet(tmp_path / "t.parquet")
    assert read_text_table(tmp_path / "t.parquet", make_config().data).column_names == ["a"]


def test_only_a_table_is_a_table():
    with pytest.raises(InputError, match="expected a pyarrow, pandas or polars table, got dict"):
        table_from({"a": [1]})


def test_a_date_column_without_a_role_is_told_and_is_no_input(write):
    leads = read_leads(make_config(write("stage,seen,visits\nWon,2026-01-01,1\nLost,,2\n")))
    assert leads.date_columns == ("seen",)
    assert "seen" not in leads.kinds
    assert leads.table["seen"].to_pylist() == [datetime(2026, 1, 1, tzinfo=UTC), None]
    assert [finding.code for finding in leads.findings] == ["LL151"]


def test_the_configuration_overrules_the_kind_found(write):
    path = write("stage,code,visits\nWon,1,2026-01-01\nLost,2,2026-01-02\n")
    assert read_leads(make_config(path)).kinds["code"] is Kind.NUMERIC
    leads = read_leads(make_config(path, categorical=("code", "visits")))
    assert leads.kinds == {"code": Kind.CATEGORICAL, "visits": Kind.CATEGORICAL}
    assert leads.table["code"].to_pylist() == ["1", "2"]


def test_a_column_of_numbers_but_for_a_few_words_is_told(write):
    rows = "".join(f"Won,{number}\n" for number in range(19))
    leads = read_leads(make_config(write(f"stage,visits\n{rows}Lost,n/a\n")))
    (finding,) = leads.findings
    assert (finding.code, finding.column, finding.count, finding.examples) == ("LL153", "visits", 1, ("n/a",))


def test_row_names_of_pandas_and_r_are_left_out_and_told(write):
    leads = read_leads(make_config(write(",stage,visits\n0,Won,3\n1,Lost,4\n")))
    assert leads.table.column_names == ["lead_id", "outcome", "visits"]
    assert [finding.code for finding in leads.findings] == ["LL152"]


def test_ragged_rows_are_left_out_and_counted_on_request(write):
    path = write('stage,visits\nWon,1\nLost\n\nLost,"a\nb"\nWon,2,3\nLost,4\n')
    leads = read_leads(make_config(path, ragged_rows="skip"))
    assert leads.row_numbers.tolist() == [1, 3, 5]
    (finding,) = [f for f in leads.findings if f.code == "LL150"]
    assert (finding.count, finding.examples) == (2, ("2", "4"))


@pytest.mark.parametrize(
    ("won", "lost", "cells"),
    [
        (("1",), ("0",), ["1", "0", "1.0", ""]),
        (("1.0",), ("0",), [1, 0, 1, None]),
        (("1",), ("0",), [1.0, 0.0, 1.0, float("nan")]),
        (("TRUE",), ("FALSE",), [True, False, True, None]),
        (("true",), ("false",), ["TRUE", " False", "true", " "]),
        (("yes",), ("unknown",), ["yes", "unknown", " yes ", "n/a"]),
    ],
)
def test_labels_are_compared_as_a_person_reads_them(won, lost, cells):
    table = pa.table({"stage": cells, "visits": [1, 2, 3, 4]})
    config = make_config(won=won, lost=lost, missing_values=("unknown", "n/a"))
    assert leads_from(table, config).table["outcome"].to_pylist() == ["won", "lost", "won", None]


def test_an_ignored_column_stays_in_the_table_unless_it_cannot():
    table = pa.table({"stage": ["Won"], "outcome": ["x"], "tags": [["a"]], "amount": [1.0]})
    leads = leads_from(table, make_config(ignore=("outcome", "tags", "amount")))
    assert leads.table.to_pydict() == {"lead_id": ["1"], "outcome": ["won"], "amount": [1.0]}


NEW_KINDS = {"visits": Kind.NUMERIC, "source": Kind.CATEGORICAL, "size": Kind.NUMERIC}
CELLS = {
    "id": st.sampled_from(["a", "b", "", " c "]),
    "visits": st.sampled_from(["1", "2.5", "", "many", "inf", "Select", "nan", "-0"]),
    "source": st.sampled_from(["Web", "1", "1.0", "True", "", "Select", 'q"uote', "a,b", "two\nlines"]),
    "size": st.sampled_from(["1", "999", "x"]),
    "signup": st.sampled_from(["2026-01-01", "2026-01-01T10:00Z", "", "31.01.2026"]),
}
ROWS = st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=12)


def new_leads_schema():
    roles = {"lead_id": "id", "created_at": "signup", "missing_values": ("Select",)}
    return make_schema(make_config(missing_numbers={"size": (999,)}, **roles), NEW_KINDS)


@given(rows=ROWS, batch_rows=st.integers(1, 5))
@settings(max_examples=50, deadline=None)
def test_a_file_gives_the_same_in_one_piece_and_in_batches_as_csv_and_as_parquet(
    tmp_path_factory, rows, batch_rows
):
    import csv

    folder, schema = tmp_path_factory.mktemp("new"), new_leads_schema()
    table = pa.Table.from_pylist(rows)
    with (folder / "new.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(CELLS))
        writer.writeheader()
        writer.writerows(rows)
    pq.write_table(table, folder / "new.parquet")
    whole = prepare_batch(table, schema).to_pylist()
    for name in ("new.csv", "new.parquet"):
        batches = list(iter_batches(folder / name, schema, batch_rows=batch_rows))
        assert [row for batch in batches for row in batch.to_pylist()] == whole
        assert all(batch.num_rows <= batch_rows for batch in batches)


def test_training_and_scoring_read_the_same_values(write):
    path = write(LEADS)
    config = make_config(path, **ROLES)
    leads = read_leads(config)
    (batch,) = iter_batches(path, make_schema(config, leads.kinds))
    for name in ("lead_id", "created_at", *leads.kinds):
        assert batch.column(name).to_pylist() == leads.table[name].to_pylist()


def test_a_value_that_cannot_be_read_marks_its_row_and_names_its_columns(write):
    path = write("size,extra,id,visits,source,signup\n1,?,a,3,Web,2026-01-01\nbig,?,b,inf,Web,soon\n")
    (batch,) = iter_batches(path, new_leads_schema())
    assert batch.schema.names == [
        "lead_id",
        "created_at",
        "visits",
        "source",
        "size",
        "invalid",
        "invalid_detail",
    ]
    assert batch.column("invalid").to_pylist() == [False, True]
    assert batch.column("invalid_detail").to_pylist() == [None, "signup, visits, size"]


def test_rows_are_numbered_through_the_batches_where_there_is_no_id(write):
    schema = make_schema(make_config(), {"visits": Kind.NUMERIC})
    path = write("visits,b\n" + "1,\n" * 5)
    ids = [row for batch in iter_batches(path, schema, batch_rows=2) for row in batch["lead_id"].to_pylist()]
    assert ids == ["1", "2", "3", "4", "5"]


def test_a_missing_input_column_is_an_error_with_a_diff_before_any_row_is_read(write):
    path = write("id,Visits,source\n1,2,3\n")
    with pytest.raises(SchemaError, match="'visits' \\(expected, not found; did you mean 'Visits'\\?\\)"):
        iter_batches(path, new_leads_schema())


def test_rows_of_parquet_are_counted_without_reading_them(tmp_path, write):
    pq.write_table(pa.table({"a": [1, 2]}), tmp_path / "a.parquet")
    assert count_rows(tmp_path / "a.parquet") == 2
    assert count_rows(write("a,b\n1,2\n")) is None
