"""Stores in databases, among them the table that a scoring job writes into."""

import pytest

from contracts.score_store_contract import MONDAY, TUESDAY, ScoreStoreContract, same_rows
from leadlift.serving.database_sink import open_database_sink
from leadlift.serving.score_store import open_score_store
from scored_tables import NOW


class TestDuckDB(ScoreStoreContract):
    @pytest.fixture
    def place(self, tmp_path):
        return str(tmp_path / "store.duckdb")


class TestSQLite(ScoreStoreContract):
    @pytest.fixture
    def place(self, tmp_path):
        return f"sqlite:///{tmp_path}/store.db"


class TestPostgreSQL(ScoreStoreContract):
    @pytest.fixture
    def place(self, server):
        return server.with_schema().address


def test_the_table_of_a_scoring_job_is_a_store(tmp_path):
    address = str(tmp_path / "crm.duckdb")
    with open_database_sink(address, "nightly", as_of=NOW, model_version="m1", source="leads.csv") as write:
        write(MONDAY)
    store = open_score_store(address, "nightly")
    same_rows(store.scored(), MONDAY)
    store.add(TUESDAY)
    same_rows(store.scored(), MONDAY, TUESDAY)
