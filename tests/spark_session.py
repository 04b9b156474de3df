"""One Spark on this machine for all tests that need one."""

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from leadlift.engines.spark import SparkEngine
from services import require


def require_spark() -> None:
    """Skip the test, or fail it where services are required, unless Spark can run here."""
    require(find_spec("pyspark"), "pyspark is not installed: pip install 'leadlift[spark]'")
    require(shutil.which("java") or os.environ.get("JAVA_HOME"), "Spark needs Java 17 or newer")


@pytest.fixture(scope="session")
def spark() -> Iterator:
    """The Spark session that the engine starts where none runs; stopped after the last test."""
    require_spark()
    from pyspark.sql import SparkSession

    with SparkEngine(n_cores=2, memory_mb=1024):
        session = SparkSession.active()
    yield session
    session.stop()
