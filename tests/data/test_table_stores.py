"""Keyed tables in SQLite and DuckDB files, and which databases there are; PostgreSQL is in its own file."""

import sqlite3
import subprocess
import sys

import pytest

from contracts.store_contract import VISITS, PrimaryKeyContract, StoreContract
from leadlift.data import sqlite_store
from leadlift.data.table_stores import open_store, require_table_name
from leadlift.exceptions import ConfigError, InputError


class TestSQLite(PrimaryKeyContract):
    @pytest.fixture
    def address(self, tmp_path):
        return f"sqlite:///{tmp_path / 'crm.db'}"

    def test_a_locked_file_is_said_to_be_locked(self, address, tmp_path, monkeypatch):
        monkeypatch.setattr(sqlite_store, "LOCK_TIMEOUT_SECONDS", 0.01)
        with sqlite3.connect(tmp_path / "crm.db", isolation_level=None) as other:
            other.execute("BEGIN EXCLUSIVE")
            with (
                open_store(address) as store,
                pytest.raises(InputError, match=r"database is locked.* no other program locks it"),
            ):
                store.open_table(VISITS)
            other.execute("ROLLBACK")
        other.close()

    def test_a_folder_that_is_not_there_is_an_error(self, tmp_path):
        with pytest.raises(InputError, match="unable to open database file"):
            open_store(f"sqlite:///{tmp_path}/none/crm.db").__enter__()

    @pytest.mark.parametrize("address", ["sqlite:///", "sqlite://"])
    def test_a_database_in_memory_would_be_gone(self, address):
        with pytest.raises(ConfigError, match="expected the path of a file, sqlite:///PATH"):
            open_store(address)


class TestDuckDB(StoreContract):
    @pytest.fixture
    def address(self, tmp_path):
        return str(tmp_path / "crm.duckdb")

    def test_a_file_that_another_program_writes_is_said_to_be_locked(self, address):
        code = f"import duckdb; c = duckdb.connect({address!r}); print('open', flush=True); input()"
        with subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other:
            assert other.stdout.readline() == "open\n"
            with pytest.raises(InputError, match=r"(?i)cannot be written: .*lock"):
                open_store(address).__enter__()
            other.communicate("\n")


def test_another_kind_of_database_is_refused_without_its_password():
    with pytest.raises(ConfigError, match=r"^mysql://crm.example/sales: tables are written into PostgreSQL"):
        open_store("mysql://ann:secret@crm.example/sales")


@pytest.mark.parametrize("name", ["crm.scores", "scores"])
def test_a_table_may_stand_in_a_schema(name):
    assert require_table_name(name, "crm.duckdb", "out_table") == name


def test_a_table_needs_a_plain_name():
    with pytest.raises(ConfigError, match="set out_table to the name of one"):
        require_table_name(None, "crm.duckdb", "out_table")
    with pytest.raises(ConfigError, match="out_table should be the name of a table, got 'SELECT 1'"):
        require_table_name("SELECT 1", "crm.duckdb", "out_table")
    with pytest.raises(ConfigError, match="out_table should be the name of a table"):
        require_table_name("scores; DROP TABLE leads", "crm.duckdb", "out_table")
