"""Where tables may come from: each source gives the rows of a plain file of them, or says why it cannot."""

import sqlite3
from decimal import Decimal
from urllib.parse import quote

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs import make_config, make_schema
from leadlift.config import DataConfig
from leadlift.data import sqlalchemy_source
from leadlift.data.addresses import expand_variables, source_name, without_secrets
from leadlift.data.new_leads import count_rows, iter_batches
from leadlift.data.queries import parse_query
from leadlift.data.reading import leads_from, read_leads
from leadlift.data.sources import TableSource, open_source
from leadlift.exceptions import ConfigError, InputError, MissingDependencyError, SchemaError
from leadlift.terms import Kind

DATA = DataConfig(leads="unused")
SKIPPING = DataConfig(leads="unused", ragged_rows="skip")


def rows_of(source, query=None, columns=None, data=DATA, **keywords):
    batches = open_source(str(source), query, data).batches(columns, **keywords)
    return [row for batch in batches for row in batch.to_pylist()]


def write_parquet(path, **columns):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def write_csv(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


LINES = [f"L{i},{'Won' if i % 3 == 0 else 'Lost'},{i % 7},{'north' if i % 2 else 'süd'}" for i in range(90)]
HEADER = "id,stage,visits,region"
CONFIG = {"lead_id": "id"}


@pytest.fixture
def one_file(tmp_path):
    path = tmp_path / "all.csv"
    write_csv(path, "\n".join([HEADER, *LINES]) + "\n")
    return path


def split_into(folder, *, as_parquet):
    """The same leads in three files of a folder, the later ones with their columns in another order."""
    for part in range(3):
        lines = [line.split(",") for line in LINES[part * 30 : part * 30 + 30]]
        table = pd.DataFrame(lines, columns=HEADER.split(","))
        table = table[table.columns[::-1]] if part else table
        path = folder / f"day={part}" / ("part.parquet" if as_parquet else "part.csv")
        path.parent.mkdir(parents=True)
        if as_parquet:
            table.astype({"visits": "int64"}).to_parquet(path)
        else:
            table.to_csv(path, index=False)
    return folder


# The same leads, whatever the source


@pytest.fixture(params=["csv folder", "parquet folder", "glob", "duckdb", "sqlite"])
def elsewhere(request, tmp_path, one_file):
    """Source and query of the leads of `one_file`, held in another way."""
    table = pd.read_csv(one_file)
    if request.param == "duckdb":
        path = tmp_path / "crm.db"
        with duckdb.connect(path) as connection:
            connection.execute("CREATE TABLE leads AS SELECT * FROM read_csv(?)", [str(one_file)])
        return str(path), "leads"
    if request.param == "sqlite":
        connection = sqlite3.connect(tmp_path / "crm.sqlite")
        table.to_sql("leads", connection, index=False)
        connection.close()
        return f"sqlite:///{tmp_path / 'crm.sqlite'}", "SELECT * FROM leads ORDER BY rowid"
    folder = split_into(tmp_path / "leads", as_parquet=request.param == "parquet folder")
    return (str(folder / "**" / "*.csv") if request.param == "glob" else str(folder)), None


def test_leads_to_learn_from_are_the_same_from_any_source(one_file, elsewhere):
    source, query = elsewhere
    expected = read_leads(make_config(one_file, **CONFIG))
    got = read_leads(make_config(source, leads_query=query, **CONFIG))
    assert got.table.equals(expected.table)
    assert (got.kinds, got.row_numbers.tolist()) == (expected.kinds, expected.row_numbers.tolist())


def test_new_leads_are_the_same_from_any_source(one_file, elsewhere):
    source, query = elsewhere
    schema = make_schema(
        make_config(one_file, **CONFIG), {"visits": Kind.NUMERIC, "region": Kind.CATEGORICAL}
    )
    got = list(iter_batches(source, schema, query=query, batch_rows=40))
    assert got == list(iter_batches(one_file, schema, batch_rows=40))
    assert [batch.num_rows for batch in got] == [40, 40, 10]


def test_a_source_is_read_anew_at_each_call(elsewhere):
    source = open_source(*elsewhere, DATA)
    assert list(source.batches(["id"])) == list(source.batches(["id"]))
    assert sum(batch.num_rows for batch in source.batches(batch_rows=7)) == 90


def test_a_column_that_is_not_there_is_named_before_a_row_is_read(elsewhere):
    with pytest.raises(SchemaError, match="did you mean 'region'"):
        open_source(*elsewhere, DATA).batches(["regoin"])


def test_the_rows_of_parquet_are_known_beforehand(tmp_path, one_file):
    assert count_rows(split_into(tmp_path / "a", as_parquet=True)) == 90
    assert count_rows(split_into(tmp_path / "b", as_parquet=False)) is None
    assert count_rows("postgresql://crm.example/sales") is None


@pytest.mark.parametrize(
    "make", [pa.table, pd.DataFrame, pl.DataFrame, lambda data: pa.table(data).to_reader()]
)
def test_tables_in_memory_are_sources(make):
    source = TableSource(make({"id": ["a", "b", "c"], "visits": [3, 1, 2]}))
    batches = list(source.batches(["visits"], batch_rows=2))
    assert [batch.to_pydict() for batch in batches] == [{"visits": [3, 1]}, {"visits": [2]}]
    assert list(source.batches(["visits"], batch_rows=2)) == batches


# Folders


def test_files_are_read_in_the_order_of_their_paths(tmp_path):
    for name in ("b.csv", "a.csv", "c/a.csv", "c.csv"):
        write_csv(tmp_path / name, f"file\n{name}\n")
    assert [row["file"] for row in rows_of(tmp_path)] == ["a.csv", "b.csv", "c/a.csv", "c.csv"]


@pytest.mark.parametrize("name", [".hidden.csv", "_SUCCESS", "_tmp/a.csv", ".cache/a.parquet", "a/.part.crc"])
def test_what_writers_leave_behind_is_skipped(tmp_path, name):
    write_csv(tmp_path / name, "what,ever\n1,2\n")
    write_csv(tmp_path / "leads.csv", "id\na\n")
    assert rows_of(tmp_path) == [{"id": "a"}]
    assert rows_of(tmp_path / "*") == [{"id": "a"}]


def test_the_column_in_the_name_of_a_folder_is_not_read(tmp_path):
    write_parquet(tmp_path / "day=2026-11-30" / "a.parquet", id=["a"])
    assert rows_of(tmp_path) == [{"id": "a"}]


def test_a_file_without_rows_is_a_day_without_leads(tmp_path):
    write_csv(tmp_path / "a.csv", "id\n")
    assert rows_of(tmp_path) == []
    assert rows_of(tmp_path / "a.csv") == []
    write_csv(tmp_path / "b.csv", "id\nb\n")
    assert rows_of(tmp_path) == [{"id": "b"}]


def test_training_on_a_folder_without_rows_is_refused(tmp_path):
    write_csv(tmp_path / "a.csv", HEADER + "\n")
    with pytest.raises(InputError, match="columns but no rows"):
        read_leads(make_config(tmp_path, **CONFIG))


@pytest.mark.parametrize("hidden", [[], ["_SUCCESS", ".x.csv"]])
def test_an_empty_folder_says_so(tmp_path, hidden):
    for name in hidden:
        write_csv(tmp_path / name, "id\na\n")
    with pytest.raises(InputError, match="is a folder without a CSV or Parquet file in it"):
        rows_of(tmp_path)


def test_a_glob_that_matches_nothing_says_so(tmp_path):
    with pytest.raises(InputError, match=r"\*\.csv: no file matches"):
        rows_of(tmp_path / "*.csv")


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path):
    write_csv(tmp_path / "leads[1].csv", "id\na\n")
    assert rows_of(tmp_path / "leads[1].csv") == [{"id": "a"}]


def test_two_kinds_in_one_folder_are_refused(tmp_path):
    write_csv(tmp_path / "a.csv", "id\na\n")
    write_parquet(tmp_path / "b.parquet", id=["b"])
    with pytest.raises(InputError, match=r"both Parquet files \(.*b\.parquet\) and CSV files \(.*a\.csv\)"):
        rows_of(tmp_path)
    assert rows_of(tmp_path / "*.csv") == [{"id": "a"}]


def test_other_files_in_a_folder_are_named(tmp_path):
    write_csv(tmp_path / "a.csv", "id\na\n")
    write_csv(tmp_path / "notes.md", "# Notes\n")
    with pytest.raises(InputError, match=r"1 file\(s\) are neither CSV nor Parquet: .*notes\.md.*glob"):
        rows_of(tmp_path)


def test_parquet_without_an_ending_is_known_by_its_first_bytes(tmp_path):
    write_parquet(tmp_path / "part-00000", id=["a"])
    assert rows_of(tmp_path) == [{"id": "a"}]


def test_a_delta_table_is_refused_since_its_folder_holds_deleted_rows(tmp_path):
    write_parquet(tmp_path / "a.parquet", id=["a"])
    write_csv(tmp_path / "_delta_log" / "0.json", "{}")
    with pytest.raises(InputError, match="Delta Lake"):
        rows_of(tmp_path)


@pytest.mark.parametrize("as_parquet", [True, False])
def test_a_file_with_other_columns_is_named_with_a_diff(tmp_path, as_parquet):
    for name, columns in (("a", {"id": ["a"], "visits": ["1"]}), ("b", {"id": ["b"], "Visits": ["2"]})):
        if as_parquet:
            write_parquet(tmp_path / f"{name}.parquet", **columns)
        else:
            pd.DataFrame(columns).to_csv(tmp_path / f"{name}.csv", index=False)
    with pytest.raises(
        SchemaError, match=r"b\.\w+: the columns are not those of .*a\.\w+:\n.*did you mean 'Visits'"
    ):
        rows_of(tmp_path)


def test_types_that_go_together_become_their_common_one(tmp_path):
    write_parquet(tmp_path / "a.parquet", visits=pa.array([1, 2], pa.int32()), region=["n", None])
    write_parquet(tmp_path / "b.parquet", visits=[0.5, None], region=pa.array(["s", "s"]).dictionary_encode())
    write_parquet(tmp_path / "c.parquet", visits=pa.nulls(1), region=pa.nulls(1))
    source = open_source(str(tmp_path), None, DATA)
    assert source.schema.types == [pa.float64(), pa.string()]
    table = pa.Table.from_batches(source.batches())
    assert table.to_pydict() == {"visits": [1, 2, 0.5, None, None], "region": ["n", None, "s", "s", None]}


def test_types_that_do_not_go_together_name_the_file(tmp_path):
    write_parquet(tmp_path / "a.parquet", visits=[1])
    write_parquet(tmp_path / "b.parquet", visits=["one"])
    with pytest.raises(
        SchemaError, match=r"b\.parquet: column 'visits' holds string, .* int64.*no type for both"
    ):
        rows_of(tmp_path)


def test_a_damaged_file_of_a_folder_is_named(tmp_path):
    write_parquet(tmp_path / "a.parquet", visits=[1])
    (tmp_path / "b.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-20])
    with pytest.raises(InputError, match=r"b\.parquet: cannot be read as Parquet"):
        rows_of(tmp_path)


def test_ragged_rows_stop_a_folder_or_are_counted_by_file(tmp_path):
    write_csv(tmp_path / "a.csv", "id,visits\na,1\nb\nc,3\n")
    write_csv(tmp_path / "b.csv", "id,visits\nd,4\n")
    with pytest.raises(InputError, match=r"a\.csv: 1 row\(s\) without the header's 2 cells: data row '2"):
        rows_of(tmp_path)
    source = open_source(str(tmp_path), None, SKIPPING)
    ids = [row["id"] for batch in source.batches(["id"]) for row in batch.to_pylist()]
    (finding,) = source.findings()
    assert ids == ["a", "c", "d"]
    assert (finding.code, finding.count, finding.examples) == ("LL150", 1, (f"{tmp_path / 'a.csv'}: row 2",))


def test_scoring_a_folder_refuses_ragged_rows_even_where_training_skips_them(tmp_path):
    write_csv(tmp_path / "a.csv", "id,visits\na,1\nb\n")
    schema = make_schema(make_config(ragged_rows="skip"), {"visits": Kind.NUMERIC})
    with pytest.raises(InputError, match="never out of new leads"):
        list(iter_batches(tmp_path, schema))


def test_training_reports_rows_that_a_folder_left_out(tmp_path):
    write_csv(tmp_path / "a.csv", "\n".join([HEADER, *LINES, "L,Won"]) + "\n")
    leads = read_leads(make_config(tmp_path, ragged_rows="skip", **CONFIG))
    assert [finding.code for finding in leads.findings] == ["LL150"]


@pytest.mark.slow
@pytest.mark.parametrize("as_parquet", [True, False])
def test_the_memory_of_reading_a_folder_does_not_follow_its_rows(tmp_path, as_parquet):
    table = pa.table({"id": [f"lead {i}" for i in range(100_000)], "visits": range(100_000)})

    def peak_bytes(n_files):
        folder = tmp_path / str(n_files)
        folder.mkdir()
        for i in range(n_files):
            if as_parquet:
                pq.write_table(table, folder / f"{i:02}.parquet")
            else:
                table.to_pandas().to_csv(folder / f"{i:02}.csv", index=False)
        before = pa.total_allocated_bytes()
        held = [
            pa.total_allocated_bytes()
            for _ in open_source(str(folder), None, DATA).batches(batch_rows=10_000)
        ]
        assert len(held) >= 10 * n_files
        return max(held) - before

    assert peak_bytes(12) < 1.5 * peak_bytes(3)


def test_batches_are_read_as_they_are_asked_for(tmp_path):
    write_parquet(tmp_path / "a.parquet", visits=list(range(10)))
    write_parquet(tmp_path / "b.parquet", visits=[1])
    batches = open_source(str(tmp_path), None, DATA).batches(batch_rows=5)
    assert next(batches).num_rows == 5
    (tmp_path / "b.parquet").unlink()  # gone while the first file is read: noticed when its turn comes
    with pytest.raises(InputError, match=r"b\.parquet"):
        list(batches)


# DuckDB files


@pytest.fixture
def crm(tmp_path):
    path = tmp_path / "crm.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("""
            CREATE SCHEMA sales;
            CREATE TABLE sales."Leads" AS SELECT * FROM (VALUES
                ('a', 1::TINYINT, 2.50::DECIMAL(9, 2), 0.1::FLOAT, DATE '2026-02-28', true,
                 TIMESTAMPTZ '2026-03-29 03:30:00+02', 'x'::ENUM ('x', 'y'), [1]),
                (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
            ) AS t(id, visits, amount, weight, born, known, called, grade, list)
        """)
    return path


def test_a_table_of_a_duckdb_file_has_the_types_of_any_database(crm):
    source = open_source(str(crm), "sales.Leads", DATA)
    first, second = rows_of(crm, "sales.Leads", source.columns[:-1])
    types = dict(zip(source.columns, map(str, source.schema.types), strict=True))
    assert types == {
        "id": "string",
        "visits": "int64",
        "amount": "double",
        "weight": "double",
        "born": "date32[day]",
        "known": "bool",
        "called": "timestamp[us, tz=UTC]",
        "grade": "string",
        "list": "binary",
    }
    assert (first["visits"], first["amount"], first["weight"], first["grade"]) == (1, 2.5, 0.1, "x")
    assert first["called"].isoformat() == "2026-03-29T01:30:00+00:00"
    assert set(second.values()) == {None}


def test_a_nested_column_of_a_duckdb_file_is_refused_by_name(crm):
    with pytest.raises(InputError, match=r"nested or binary.*list"):
        rows_of(crm, "sales.Leads")


def test_a_duckdb_file_is_not_changed_by_reading(crm):
    before = crm.read_bytes()
    assert rows_of(crm, "SELECT count(*) AS n FROM sales.leads") == [{"n": 2}]
    assert crm.read_bytes() == before
    assert sorted(path.name for path in crm.parent.iterdir()) == ["crm.duckdb"]


@pytest.mark.parametrize("query", ["no_such_table", "SELECT nothing FROM sales.leads"])
def test_what_duckdb_refuses_is_reported(crm, query):
    with pytest.raises(InputError, match=r"crm\.duckdb: the DuckDB file cannot be read: .*Error"):
        rows_of(crm, query)


def test_a_damaged_duckdb_file_is_reported(crm):
    crm.write_bytes(crm.read_bytes()[:4000])
    with pytest.raises(InputError, match=r"crm\.duckdb: the DuckDB file cannot be read"):
        rows_of(crm, "leads")


# Queries


def test_a_database_needs_a_query_and_the_message_names_its_key(crm):
    with pytest.raises(ConfigError, match="set events_query to the name of one, or to a SELECT"):
        open_source(str(crm), None, DATA, query_key="events_query")


def test_a_file_takes_no_query(one_file):
    with pytest.raises(ConfigError, match="leads_query is for DuckDB files and databases"):
        read_leads(make_config(one_file, leads_query="leads"))


@pytest.mark.parametrize(
    "query",
    [
        "DROP TABLE leads",
        "SELECT 1; DROP TABLE leads",
        "leads; DROP TABLE leads",
        "SELECT ';'; SELECT 2",
        "-- SELECT\nDELETE FROM leads",
        "/* SELECT */ UPDATE leads SET id = 1",
        "selection of leads",
        "a.b.c.d",
        '"my leads"',
    ],
)
def test_what_is_no_single_select_is_refused(query):
    with pytest.raises(ConfigError, match="should be the name of a table or a single SELECT"):
        parse_query(query, "crm", "leads_query")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1",
        "select ';' as mark;",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "(SELECT 1)",
        "-- why\nSELECT 1",
    ],
)
def test_a_single_select_is_taken(query):
    assert not parse_query(query, "crm", "leads_query").is_table


@pytest.mark.parametrize("query", ["leads", "crm.leads", "Kündigungen", "_a1", " leads ; "])
def test_a_name_is_a_table(query):
    assert parse_query(query, "crm", "leads_query").is_table


# SQLAlchemy, on SQLite


@pytest.fixture
def sqlite(tmp_path):
    """Runs statements on a new SQLite file; gives its address."""

    def make(*statements):
        connection = sqlite3.connect(tmp_path / "crm.sqlite")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()
        return f"sqlite:///{tmp_path / 'crm.sqlite'}"

    return make


def test_values_of_any_database_keep_their_kind(sqlite):
    address = sqlite(
        "CREATE TABLE leads (id TEXT, visits INTEGER, amount NUMERIC, note TEXT)",
        "INSERT INTO leads VALUES ('ä', 3, 2, NULL), (NULL, NULL, 2.5, NULL), ('b', 0, 1, NULL)",
    )
    source = open_source(address, "leads", DATA)
    assert source.schema.types == [pa.string(), pa.int64(), pa.float64(), pa.string()]
    assert pa.Table.from_batches(source.batches(batch_rows=1)).to_pydict() == {
        "id": ["ä", None, "b"],
        "visits": [3, None, 0],
        "amount": [2.0, 2.5, 1.0],
        "note": [None, None, None],
    }


def test_a_type_is_that_of_all_rows_not_of_the_first(sqlite, monkeypatch):
    monkeypatch.setattr(sqlalchemy_source, "_CHUNK_ROWS", 2)
    address = sqlite("CREATE TABLE t (x)", "INSERT INTO t VALUES (NULL), (NULL), (1), (2), (2.5)")
    assert [row["x"] for row in rows_of(address, "t")] == [None, None, 1.0, 2.0, 2.5]


def test_a_column_that_mixes_types_is_refused(sqlite):
    address = sqlite("CREATE TABLE t (x)", "INSERT INTO t VALUES (1), ('one')")
    with pytest.raises(SchemaError, match=r"column 'x' mixes 'int64', 'string'\. CAST it"):
        rows_of(address, "t")
    assert rows_of(address, "SELECT CAST(x AS TEXT) AS x FROM t") == [{"x": "1"}, {"x": "one"}]


def test_a_table_that_changes_while_it_is_read_is_refused(sqlite):
    source = open_source(sqlite("CREATE TABLE t (x)", "INSERT INTO t VALUES (1)"), "t", DATA)
    assert source.schema.types == [pa.int64()]
    sqlite("INSERT INTO t VALUES ('one')")
    with pytest.raises(SchemaError, match="column 'x' held int64 a moment ago"):
        list(source.batches())


def test_bytes_are_refused_by_name_where_they_are_wanted(sqlite):
    address = sqlite("CREATE TABLE t (id, photo)", "INSERT INTO t VALUES ('a', x'00')")
    assert rows_of(address, "t", ["id"]) == [{"id": "a"}]
    with pytest.raises(InputError, match="photo"):
        rows_of(address, "t")


def test_a_percent_sign_and_a_colon_of_a_select_stay_as_they_are(sqlite):
    query = "SELECT id, '10%:x' AS mark FROM t WHERE id LIKE 'a%' AND id != ':b'"
    address = sqlite("CREATE TABLE t (id)", "INSERT INTO t VALUES ('ab'), ('b')")
    assert rows_of(address, query) == [{"id": "ab", "mark": "10%:x"}]


def test_an_sqlite_file_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        open_source(f"sqlite:///{tmp_path / 'no.sqlite'}", "leads", DATA)
    assert list(tmp_path.iterdir()) == []


def test_an_sqlite_file_named_by_its_path_says_how_to_name_it(sqlite, tmp_path):
    sqlite("CREATE TABLE t (id)")
    with pytest.raises(InputError, match="an SQLite database; name it as sqlite:///PATH"):
        open_source(str(tmp_path / "crm.sqlite"), None, DATA)


def test_an_address_of_no_known_kind_says_what_there_is():
    with pytest.raises(ConfigError, match=r"no reader is known for 's3'\. A source is a file, a folder"):
        open_source("s3://bucket/leads", "leads", DATA)


def test_a_driver_that_is_missing_is_named():
    with pytest.raises(MissingDependencyError, match="the driver 'pymysql' of this address is not installed"):
        open_source("mysql+pymysql://ann:secret@crm.example/sales", "leads", DATA)


def test_without_sqlalchemy_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(sqlalchemy_source, "find_spec", lambda _: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'leadlift\[database\]'"):
        open_source("sqlite:///crm.db", "leads", DATA)


def test_decimals_dates_and_uuids_in_memory_are_what_they_are():
    table = pa.table({"id": ["a"], "stage": ["Won"], "amount": [Decimal("2.50")]})
    assert leads_from(table, make_config(**CONFIG)).table["amount"].to_pylist() == [2.5]


# Addresses

PASSWORDS = st.text(min_size=4, max_size=12).map(lambda text: f"SECRET{text}SECRET")


@given(PASSWORDS)
def test_a_password_is_never_in_the_name_of_a_source(password):
    for written in (password, quote(password, safe="")):
        name = source_name(f"postgresql://ann:{written}@crm.example:5432/sales")
        assert "SECRET" not in name
    assert name == "postgresql://crm.example:5432/sales"
    assert "SECRET" not in source_name(f"mssql+pyodbc:///?odbc_connect=UID%3Dann@x%3BPWD%3D{quote(password)}")


@given(PASSWORDS)
def test_an_address_with_a_bare_password_is_read_in_one_way_or_refused_without_showing_it(password):
    message = ""
    try:
        expand_variables(f"postgresql://ann:{password}@crm.example/sales", {})
    except ConfigError as error:
        message = str(error)
    assert "SECRET" not in message


@given(PASSWORDS)
def test_a_password_in_a_variable_is_encoded_and_hidden(password):
    address = expand_variables("postgresql://${WHO}:${KEY}@h/db", {"WHO": "a@b", "KEY": password})
    assert address == f"postgresql://a%40b:{quote(password, safe='')}@h/db"
    assert "SECRET" not in without_secrets(f"could not use {address!s} or {password}", address)


def test_a_variable_beside_the_password_is_taken_as_it_is():
    address = expand_variables("postgresql://${HOST}/db?sslmode=${MODE}", {"HOST": "h:1", "MODE": "require"})
    assert address == "postgresql://h:1/db?sslmode=require"


def test_a_secret_among_the_options_is_hidden():
    address = "postgresql://h/db?sslmode=require&sslpassword=abc"
    assert without_secrets("require abc", address) == "require ***"


@pytest.mark.parametrize("password", ["a@b", "a/b", "a:b", "a#b", "a?b"])
def test_a_password_with_a_mark_of_addresses_says_how_to_write_it(password):
    with pytest.raises(ConfigError, match=r"can be read in two ways.*percent-encoded") as caught:
        open_source(f"postgresql://ann:{password}@crm.example/sales", "leads", DATA)
    assert password not in str(caught.value)
