"""The Spark engine is a good guest, and a quiet host of its own."""

import os
import subprocess
import sys
import tempfile

import pyarrow as pa
import pytest

from leadlift.engines import get_engine
from leadlift.engines import spark as spark_module
from leadlift.engines.spark import SparkEngine
from leadlift.exceptions import ConfigError, MissingDependencyError
from spark_session import require_spark

pytestmark = pytest.mark.slow

LEADS = pa.record_batch({"lead": pa.array([1, 2, 3], pa.int32())})


def setting(engine, name):
    """A setting of the engine's own Spark session."""
    return engine.query(f"SET {name}")["value"][0].as_py()


def run_alone(code, folder, **environment):
    """Run a script in a process of its own, which has no Spark yet."""
    command, env = [sys.executable, "-c", code], os.environ | environment
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=env, check=False)


# A guest in a Spark that runs


@pytest.fixture
def changed(spark):
    """The session of a user who has set things up their own way."""
    own = {
        "spark.sql.session.timeZone": "Asia/Kolkata",
        "spark.sql.ansi.enabled": "false",
        "spark.sql.shuffle.partitions": "3",
        "spark.hadoop.fs.their.key": "theirs",
    }
    before = {name: spark.conf.get(name, None) for name in own}
    for name, value in own.items():
        spark.conf.set(name, value)
    yield spark
    for name, value in before.items():
        spark.conf.unset(name) if value is None else spark.conf.set(name, value)


def test_views_and_settings_of_others_are_neither_seen_nor_changed(changed):
    changed.sql("SELECT 'theirs' AS whose").createOrReplaceTempView("observations")
    settings = changed.conf.getAll
    with SparkEngine(changed, n_partitions=5) as engine:
        engine.load("observations", LEADS.schema, [LEADS])
        engine.keep("acts", "SELECT lead FROM observations")
        assert engine.query("SELECT * FROM observations").column_names == ["lead"]
    assert changed.table("observations").toArrow()["whose"].to_pylist() == ["theirs"]
    assert [table.name for table in changed.catalog.listTables()] == ["observations"]
    assert changed.conf.getAll == settings
    changed.catalog.dropTempView("observations")


def test_settings_made_while_spark_ran_hold_for_the_engine_but_those_it_relies_on(changed):
    with SparkEngine(changed) as engine:
        assert setting(engine, "spark.sql.shuffle.partitions") == "3"
        assert setting(engine, "spark.hadoop.fs.their.key") == "theirs"
        assert setting(engine, "spark.sql.session.timeZone") == "UTC"
        assert setting(engine, "spark.sql.ansi.enabled") == "true"
    with SparkEngine(changed, n_partitions=5) as engine:
        assert setting(engine, "spark.sql.shuffle.partitions") == "5"


def test_a_running_spark_is_taken_and_left_running(spark):
    from pyspark.sql import SparkSession

    with get_engine("spark") as engine:
        assert setting(engine, "spark.app.id") == spark.sparkContext.applicationId
        assert engine.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]
        assert SparkSession.active() is spark
    assert spark.range(3).count() == 3
    assert SparkSession.active() is spark


def test_files_lie_in_the_folder_given_and_only_as_long_as_the_session(spark, tmp_path):
    with SparkEngine(spark, folder=tmp_path) as engine:
        engine.load("leads", LEADS.schema, [LEADS])
        engine.keep("kept", "SELECT lead + 1 AS next FROM leads")
        (own,) = tmp_path.iterdir()
        assert {path.name for path in own.iterdir()} == {"leads", "kept"}
        engine.drop("leads")
        assert {path.name for path in own.iterdir()} == {"kept"}
    assert list(tmp_path.iterdir()) == []


def test_a_folder_given_from_here_will_do(spark, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a 100% folder").mkdir()
    with SparkEngine(spark, folder="a 100% folder") as engine:
        engine.load("leads", LEADS.schema, [LEADS])
        assert engine.query("SELECT * FROM leads").num_rows == 3


def test_a_spark_of_many_machines_needs_a_folder_that_all_see(spark, tmp_path, monkeypatch):
    monkeypatch.setattr(spark.sparkContext, "master", "spark://cluster:7077")
    engine = SparkEngine(spark)
    with pytest.raises(ConfigError, match=r"runs on spark://cluster:7077.*SparkEngine\(folder=\.\.\.\)"):
        engine.__enter__()
    with SparkEngine(spark, folder=tmp_path) as engine:
        engine.load("leads", LEADS.schema, [LEADS])


def test_what_is_no_session_is_named(spark):
    with pytest.raises(ConfigError, match=r"expected a pyspark\.sql\.SparkSession.*got <class 'str'>"):
        SparkEngine("sc://somewhere").__enter__()


# A host of its own

ALONE = """
from leadlift.engines.spark import SparkEngine
ids = []
for _ in range(2):
    with SparkEngine(n_cores=1, memory_mb=512) as engine:
        ids.append(engine.query("SET spark.app.id")["value"][0].as_py())
settings = ["spark.master", "spark.driver.host", "spark.driver.bindAddress", "spark.ui.enabled",
            "spark.sql.shuffle.partitions", "spark.driver.memory"]
with SparkEngine() as engine:
    engine.keep("one", "SELECT 1 AS one")
    print(len(set(ids)), *[engine.query(f"SET {name}")["value"][0].as_py() for name in settings])
"""


def test_one_spark_is_started_a_process_on_loopback_without_a_page_of_its_own(tmp_path):
    require_spark()
    done = run_alone(ALONE, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Warning:" not in done.stderr
    assert done.stdout.split() == ["1", "local[1]", "127.0.0.1", "127.0.0.1", "false", "1", "512m"]
    assert list(tmp_path.iterdir()) == []


def test_without_java_the_error_says_what_to_install(tmp_path):
    require_spark()
    code = "from leadlift.engines.spark import SparkEngine; SparkEngine().__enter__()"
    done = run_alone(code, tmp_path, JAVA_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "MissingDependencyError: Spark did not start: it needs Java 17 or newer" in done.stderr


def test_without_pyspark_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(spark_module, "find_spec", lambda _: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'leadlift\[spark\]'.*Java 17"):
        get_engine("spark")


def test_nothing_of_spark_is_imported_before_it_is_needed(tmp_path):
    code = "import sys, leadlift.engines.spark; print({'pyspark', 'pyarrow'} & set(sys.modules))"
    done = run_alone(code, tmp_path)
    assert done.stdout.strip() == "set()"


def test_an_engine_that_cannot_begin_leaves_no_folder(spark, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="nowhere"):
        SparkEngine(spark, folder=tmp_path / "nowhere").__enter__()
    assert list(tmp_path.iterdir()) == []
