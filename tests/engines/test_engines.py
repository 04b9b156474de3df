"""Every engine keeps the contract."""

import pytest

from contracts.engine_contract import EngineContract
from leadlift.engines import get_engine
from leadlift.engines.duckdb import DuckDBEngine
from leadlift.engines.spark import SparkEngine
from leadlift.exceptions import ConfigError


class TestDuckDB(EngineContract):
    @pytest.fixture
    def make_engine(self):
        return DuckDBEngine

    @pytest.fixture
    def statement_error(self):
        import duckdb

        return duckdb.Error


@pytest.mark.slow
class TestSpark(EngineContract):
    @pytest.fixture
    def make_engine(self, spark):
        return lambda: SparkEngine(spark)

    @pytest.fixture
    def statement_error(self):
        from pyspark.errors import PySparkException

        return PySparkException


def test_an_unknown_engine_is_named_beside_those_there_are():
    with pytest.raises(ConfigError, match=r"no engine 'sparc'; expected one of duckdb, spark"):
        get_engine("sparc")
