"""Reading a real PostgreSQL server, by ADBC and by SQLAlchemy."""

import re
from datetime import UTC, date, datetime
from urllib.parse import quote

import pyarrow as pa
import pytest

import postgresql_server
from configs import make_config, make_schema
from leadlift.config import DataConfig
from leadlift.data import postgresql_source
from leadlift.data.new_leads import iter_batches
from leadlift.data.reading import leads_from, read_leads
from leadlift.data.sources import open_source
from leadlift.exceptions import ConfigError, InputError, SchemaError
from leadlift.terms import Kind

TYPES = {
    "name": ("text", pa.string()),
    "is_customer": ("boolean", pa.bool_()),
    "visits": ("integer", pa.int64()),
    "clicks": ("smallint", pa.int64()),
    "views": ("bigint", pa.int64()),
    "amount": ("numeric(12,2)", pa.float64()),
    "share": ("numeric", pa.float64()),
    "ratio": ("double precision", pa.float64()),
    "weight": ("real", pa.float64()),
    "born": ("date", pa.date32()),
    "called": ("timestamp", pa.timestamp("us")),
    "written": ("timestamptz", pa.timestamp("us", tz="UTC")),
    "key": ("uuid", pa.string()),
}
UUID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
ROW = (
    "Zoë 李",
    True,
    3,
    -2,
    2**53 + 1,
    1234.5,
    0.1,
    0.1,
    0.1,
    date(2026, 2, 28),
    datetime(2026, 3, 29, 2, 30, 0, 123456),  # noqa: DTZ001 -- a moment without zone
    datetime(2026, 3, 29, 1, 30, 0, 1, tzinfo=UTC),
    UUID,
)


@pytest.fixture(scope="session")
def people(server):
    """A table of one row of values and one of NULLs, and an empty one like it."""
    columns = ", ".join(f"{name} {kind}" for name, (kind, _) in TYPES.items())
    marks = ", ".join(["%s"] * len(TYPES))
    server.run(f"CREATE SCHEMA crm; CREATE TABLE crm.people ({columns}); CREATE TABLE nobody ({columns})")
    server.run(f"INSERT INTO crm.people VALUES ({marks})", [ROW, (None,) * len(ROW)])  # noqa: S608
    return server


@pytest.fixture(params=["adbc", "sqlalchemy"])
def driver(request, monkeypatch):
    """Both ways to PostgreSQL; the second as on a machine where the first is not installed."""
    if request.param == "sqlalchemy":
        monkeypatch.setattr(postgresql_source, "find_spec", lambda _: None)
    return request.param


def read(address, query, columns=None, **keywords):
    source = open_source(address, query, DataConfig(leads="unused"))
    names = source.columns if columns is None else columns
    batches = list(source.batches(columns, **keywords))
    return pa.Table.from_batches(batches, source.selected_schema(names))


# Values


def test_each_type_has_one_meaning_by_either_driver(people, driver):
    table = read(people.address, "crm.people")
    assert table.schema == pa.schema([(name, dtype) for name, (_, dtype) in TYPES.items()])
    full, empty = table.to_pylist()
    assert tuple(full.values()) == ROW
    assert set(empty.values()) == {None}


def test_columns_come_in_the_order_wanted(people, driver):
    table = read(people.address, "crm.people", ["views", "name"])
    assert table.to_pylist()[0] == {"views": 2**53 + 1, "name": "Zoë 李"}


def test_a_table_without_rows_gives_no_batch(people, driver):
    table = read(people.address, "nobody")
    assert (table.num_rows, table.column_names) == (0, list(TYPES))


def test_a_select_is_sent_as_it_is(people, driver):
    query = """WITH doubled AS (SELECT visits * 2 AS twice, ';' AS mark, 7 % 4 AS rest FROM crm.people)
        SELECT * FROM doubled WHERE twice IS NOT NULL -- one; row
    """
    assert read(people.address, query).to_pylist() == [{"twice": 6, "mark": ";", "rest": 3}]


def test_not_a_number_and_infinity_are_numbers(people, driver):
    query = "SELECT 'NaN'::numeric AS a, 'infinity'::float8 AS b, 1e30::numeric AS c"
    (row,) = read(people.address, query).to_pylist()
    assert (str(row["a"]), row["b"], row["c"]) == ("nan", float("inf"), 1e30)


def test_rows_come_in_pieces_of_the_size_asked_for(people, driver):
    query = "SELECT i, i::text AS t FROM generate_series(1, 2500) AS i ORDER BY i"
    source = open_source(people.address, query, DataConfig(leads="unused"))
    batches = list(source.batches(batch_rows=1000))
    assert max(batch.num_rows for batch in batches) <= 1000
    assert pa.Table.from_batches(batches)["i"].to_pylist() == list(range(1, 2501))


# Leads


STAGES, REGIONS = ("Won", "Lost", "Lost"), ("north", "süd")
CSV = "id,stage,visits,region,created\n" + "".join(
    f"L{i},{STAGES[i % 3]},{i % 7},{REGIONS[i % 2]},2026-01-{1 + i % 28:02d} 08:30\n" for i in range(200)
)
ROLES = {"lead_id": "id", "created_at": "created"}


@pytest.fixture(scope="session")
def lead_table(server, tmp_path_factory):
    """The same leads as a CSV file and as a table."""
    path = tmp_path_factory.mktemp("leads") / "leads.csv"
    path.write_text(CSV, encoding="utf-8")
    server.run('CREATE TABLE "Leads" (id text, stage text, visits int, region text, created timestamptz)')
    rows = [line.split(",") for line in CSV.splitlines()[1:]]
    rows = [[*row[:4], row[4] + "+00"] for row in rows]
    server.run('INSERT INTO "Leads" VALUES (%s, %s, %s, %s, %s)', rows)
    return path


def test_leads_of_a_table_are_those_of_the_file(server, lead_table, driver):
    of_file = read_leads(make_config(lead_table, **ROLES))
    of_table = read_leads(make_config(server.address, leads_query="Leads", **ROLES))
    assert of_table.table.equals(of_file.table)
    assert (of_table.kinds, of_table.date_columns) == (of_file.kinds, of_file.date_columns)
    assert of_table.row_numbers.tolist() == of_file.row_numbers.tolist()


def test_new_leads_of_a_select_are_those_of_the_file(server, lead_table, driver):
    schema = make_schema(
        make_config(lead_table, **ROLES), {"visits": Kind.NUMERIC, "region": Kind.CATEGORICAL}
    )
    of_file = list(iter_batches(lead_table, schema, batch_rows=64))
    of_table = list(iter_batches(server.address, schema, query='SELECT * FROM "Leads"', batch_rows=64))
    assert of_table == of_file


def test_training_needs_rows(server, people, driver):
    with pytest.raises(InputError, match="there are columns but no rows"):
        read_leads(make_config(server.address, leads_query="nobody"))


def test_leads_in_memory_are_those_of_the_table(server, lead_table):
    source = open_source(server.address, "Leads", DataConfig(leads="unused"))
    table = pa.Table.from_batches(source.batches())
    config = make_config(server.address, leads_query="Leads", **ROLES)
    assert leads_from(table, config).table.equals(read_leads(config).table)


# What cannot be read


def test_columns_that_are_no_cells_are_named_where_they_are_wanted(server, driver):
    query = (
        "SELECT 1 AS visits, '{\"a\": 1}'::jsonb AS payload, '{1,2}'::int[] AS list, '1 day'::interval AS age"
    )
    assert read(server.address, query, ["visits"]).to_pylist() == [{"visits": 1}]
    with pytest.raises(InputError, match=r"3 column\(s\) are nested or binary.*payload.*list.*age"):
        read(server.address, query)


def test_endless_dates_are_refused_not_read_as_some_year(server, driver):
    query = "SELECT 'infinity'::timestamptz AS valid_to"
    with pytest.raises(InputError, match=r"infinite or outside the years 1 to 9999|infinity"):
        read(server.address, query)


def test_the_last_day_of_the_calendar_is_no_endless_date(server):
    query = "SELECT '9999-12-31'::date AS a, '0001-01-01'::date AS b, '9999-12-31 00:00'::timestamp AS c"
    (row,) = read(server.address, query).to_pylist()
    assert (row["a"], row["b"], row["c"].year) == (date(9999, 12, 31), date(1, 1, 1), 9999)


def test_money_is_refused_since_the_driver_drops_its_decimals(server):
    with pytest.raises(InputError, match="price"):
        read(server.address, "SELECT 12.5::money AS price")


def test_a_query_cannot_change_the_database(people, driver):
    query = "WITH gone AS (DELETE FROM crm.people RETURNING *) SELECT * FROM gone"
    with pytest.raises(InputError, match=r"read-only|data-modifying"):
        read(people.address, query)
    assert read(people.address, "crm.people").num_rows == 2


def test_a_table_that_is_not_there_is_named(server, driver):
    with pytest.raises(InputError, match=r'relation "no_such_table" does not exist.*Check the address'):
        read(server.address, "no_such_table")


def test_columns_of_the_same_name_are_refused(server, driver):
    with pytest.raises(SchemaError, match="stand twice: 'id'"):
        read(server.address, "SELECT 1 AS id, 2 AS id")


def chain(error):
    """All that a traceback would print of an error."""
    seen = []
    while error is not None:
        seen.append(f"{error!r} {error}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(seen)


@pytest.mark.parametrize("password", ["wrong", "wr:ong", "wr@ng/", "wr%25ng"])
def test_a_wrong_password_is_reported_and_never_shown(server, driver, password):
    address = f"postgresql://{postgresql_server.USER}:{quote(password, safe='')}@{server.place}"
    with pytest.raises(
        InputError, match=r"postgresql://127\.0\.0\.1.*password authentication failed"
    ) as caught:
        read(address, "leads")
    assert not re.search("wr.*ng", chain(caught.value).replace("psycopg", ""))


def test_a_server_that_is_down_is_reported(server, driver):
    address = "postgresql://ann:secret@127.0.0.1:1/crm?connect_timeout=2"
    with pytest.raises(InputError, match=r"postgresql://127\.0\.0\.1:1/crm: .*refused.*the server is up"):
        read(address, "leads")


def test_the_password_may_come_from_the_environment(people, driver, monkeypatch):
    monkeypatch.setenv("CRM_PASSWORD", postgresql_server.PASSWORD)
    address = f"postgresql://{postgresql_server.USER}:${{CRM_PASSWORD}}@{people.place}"
    assert read(address, "crm.people").num_rows == 2


def test_a_variable_that_is_not_set_is_named(server, driver, monkeypatch):
    monkeypatch.delenv("CRM_PASSWORD", raising=False)
    with pytest.raises(ConfigError, match=r"1 environment variable.* not set: 'CRM_PASSWORD'"):
        read(f"postgres://ann:${{CRM_PASSWORD}}@{server.place}", "leads")
