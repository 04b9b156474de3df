"""Keyed tables in a real PostgreSQL."""

import psycopg
import pytest

from contracts.store_contract import NOW, VISITS, PrimaryKeyContract, stored, visits
from leadlift.data import postgresql_store
from leadlift.data.keyed_tables import KeyedTable
from leadlift.data.table_stores import open_store
from leadlift.exceptions import InputError, MissingDependencyError

PASSWORD = "what's:this@"  # noqa: S105 -- of a server that lives as long as the test


@pytest.fixture
def database(server):
    """An empty schema of the test's own."""
    return server.with_schema()


class TestPostgreSQL(PrimaryKeyContract):
    @pytest.fixture
    def address(self, database):
        return database.address

    def test_types_are_those_of_the_manual(self, store, database):
        columns = "SELECT column_name, data_type FROM information_schema.columns"
        found = stored(database.address, f"{columns} WHERE table_schema = current_schema()")
        assert {row["column_name"]: row["data_type"] for row in found} == {
            "id": "text",
            "at": "timestamp with time zone",
            "n": "integer",
            "long": "bigint",
            "share": "double precision",
        }

    def test_a_lost_connection_loses_only_the_batch(self, store, database):
        with store.transaction():
            store.upsert(VISITS, visits(("a", NOW, 1, 1, 1.0)))
        with pytest.raises(InputError, match=r"cannot be written: .*terminating connection"):
            self.write_and_lose_the_connection(store, database)
        assert [row["id"] for row in stored(database.address, "visits")] == ["a"]

    def write_and_lose_the_connection(self, store, database):
        others = "pid <> pg_backend_pid() AND datname = current_database()"
        with store.transaction():
            store.upsert(VISITS, visits(("b", NOW, 1, 1, 1.0)))
            database.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")  # noqa: S608
            store.upsert(VISITS, visits(("c", NOW, 1, 1, 1.0)))

    def test_a_user_without_the_right_is_told_before_any_row(self, store, database):
        store.__exit__()
        password = psycopg.sql.Literal(PASSWORD).as_string()
        database.run(f"DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN PASSWORD {password}")
        schema = database.place.rpartition("%3D")[2]
        database.run(f"GRANT USAGE ON SCHEMA {schema} TO reader; GRANT SELECT ON visits TO reader")
        address = f"postgresql://reader:what's%3Athis%40@{database.place}"
        with open_store(address) as other, pytest.raises(InputError, match="permission denied") as raised:
            other.open_table(VISITS)
        assert "what" not in str(raised.value)


def test_a_table_may_stand_in_a_schema(database):
    database.run("CREATE SCHEMA scoring")
    table = KeyedTable("scoring.visits", VISITS.schema, VISITS.key)
    for n in (1, 2):
        with open_store(database.address) as store:
            store.open_table(table)
            with store.transaction():
                store.upsert(table, visits(("a", NOW, n, 1, 1.0)))
    assert [row["n"] for row in stored(database.address, "scoring.visits")] == [2]


def test_a_server_that_is_not_there_is_an_error_without_the_password():
    with pytest.raises(InputError, match="cannot be written") as raised:
        open_store("postgresql://ann:hushhush@127.0.0.1:1/crm").__enter__()
    assert "hushhush" not in str(raised.value)


def test_without_the_driver_it_is_named(monkeypatch):
    monkeypatch.setattr(postgresql_store, "find_spec", lambda _: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'leadlift\[database\]'"):
        open_store("postgresql://crm.example/sales")
