"""The distributed engine: an existing Spark, or one of its own on this machine."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import warnings
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from leadlift.engines import Engine
from leadlift.engines.dialect import Dialect
from leadlift.exceptions import ConfigError, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa
    from pyspark.sql import SparkSession

_AS_HERE = {
    "spark.sql.session.timeZone": "UTC",
    # Overflow is an error, as it is in DuckDB.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.execution.arrow.useLargeVarTypes": "false",
}
"""What the statements rely on; set in the engine's own session only."""

_QUIET_ON_LOOPBACK = {
    "spark.api.mode": "classic",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.maxResultSize": "0",
    "spark.log.level": "ERROR",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


class SparkEngine(Engine):
    """Table work on Spark 4: Arrow in, Parquet between, Arrow out.

    Tables are Parquet files in a temporary folder, so that memory is bounded and no plan grows from slice to
    slice. They are named in a session apart (``newSession``) with the settings of the one it belongs to, so
    the views and settings of other users of the same Spark are neither seen nor changed.

    Parameters
    ----------
    session : pyspark.sql.SparkSession, optional
        The Spark to use; it is left running. None takes the one that runs in this process or that the
        program was submitted to; where there is none, one is started on this machine alone. As starting takes
        seconds, that one is left running for the next engine and ends with the process, or by
        ``SparkSession.active().stop()``.
    folder : str or path, optional
        A folder that this process and all executors see by the same path; None takes the folder for temporary
        files of this machine, which will do for a Spark of one machine only.
    n_partitions : int, optional
        Parts in which Spark sorts and joins; None leaves it as set (one a core on a Spark that is started
        here). The results do not depend on it.
    n_cores : int, optional
        Cores of a Spark that is started here; None takes all.
    memory_mb : int, default=2048
        Memory of a Spark that is started here.

    Raises
    ------
    MissingDependencyError
        PySpark is not installed.

    Notes
    -----
    In a program that has a Spark, as in one that has none::

        builder = FeatureBuilder(engine=SparkEngine(n_partitions=200, folder="/mnt/shared"))
        features = builder.fit_transform(observations, leads=leads, events=events)
    """

    name: ClassVar[str] = "spark"
    dialect: ClassVar[Dialect] = Dialect(value_at_greatest="max_by({value}, {order})")

    def __init__(
        self,
        session: SparkSession | None = None,
        *,
        folder: str | Path | None = None,
        n_partitions: int | None = None,
        n_cores: int | None = None,
        memory_mb: int = 2048,
    ) -> None:
        _require_pyspark()
        self.session = session
        self.folder = folder
        self.n_partitions = n_partitions
        self.n_cores = n_cores
        self.memory_mb = memory_mb

    def __enter__(self) -> Self:
        """Find or start Spark, and make a session and a folder of its own.

        Raises
        ------
        MissingDependencyError
            Java is missing or too old.
        ConfigError
            The session is one of Spark Connect, or `folder` is missing on a Spark of several machines.
        """
        session = open_session(self.session, n_cores=self.n_cores, memory_mb=self.memory_mb)
        self._require_shared_folder(session)
        self._spark = _session_apart(session)
        if self.n_partitions is not None:
            self._spark.conf.set("spark.sql.shuffle.partitions", str(self.n_partitions))
        self._folder = tempfile.TemporaryDirectory(prefix="leadlift-", dir=self.folder)
        return self

    def __exit__(self, *error: object) -> None:
        """Remove the files; the Spark session apart is forgotten, and Spark left running."""
        del self._spark
        self._folder.cleanup()

    def load(self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """Keep the rows of some batches as a table; see :meth:`Engine.load`."""
        from pyarrow.parquet import ParquetWriter

        folder = self._place(name)
        folder.mkdir()
        with ParquetWriter(folder / "loaded.parquet", schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
        self._spark.read.parquet(_address(folder)).createOrReplaceTempView(name)

    def keep(self, name: str, select: str) -> None:
        """Keep the rows of a SELECT; see :meth:`Engine.keep`."""
        rows = self._spark.sql(select)
        place = _address(self._place(name))
        rows.write.mode("append").parquet(place)
        # Read anew, or Spark would not see the files that were added.
        self._spark.read.schema(rows.schema).parquet(place).createOrReplaceTempView(name)

    def query(self, select: str) -> pa.Table:
        """Return the rows of a SELECT; see :meth:`Engine.query`."""
        import pyarrow as pa

        table = self._spark.sql(select).toArrow()
        # Spark knows of some columns that they are never null, and says so in the type.
        return table.cast(pa.schema([field.with_nullable(True) for field in table.schema]))

    def drop(self, name: str) -> None:
        """Forget a table; see :meth:`Engine.drop`."""
        self._spark.catalog.dropTempView(name)
        shutil.rmtree(self._place(name))

    def _place(self, name: str) -> Path:
        return Path(self._folder.name).resolve() / name

    def _require_shared_folder(self, session: SparkSession) -> None:
        master = session.sparkContext.master
        if self.folder is None and not master.startswith("local"):
            msg = (
                f"this Spark runs on {master}, whose executors do not see the temporary files of this "
                f"machine; give SparkEngine(folder=...), a folder that this process and all executors see by "
                f"one path"
            )
            raise ConfigError(msg)


def open_session(
    session: SparkSession | None = None, *, n_cores: int | None = None, memory_mb: int = 2048
) -> SparkSession:
    """Return the Spark to work on: the one given, the one that runs or was submitted to, or a new one here.

    Parameters
    ----------
    session : pyspark.sql.SparkSession, optional
    n_cores, memory_mb
        Of a Spark that is started on this machine; see :class:`SparkEngine`.

    Returns
    -------
    pyspark.sql.SparkSession

    Raises
    ------
    MissingDependencyError
        PySpark is not installed, or Java is missing or too old.
    ConfigError
        The session is one of Spark Connect.
    """
    _require_pyspark()
    session = session or _running_session() or _submitted_session() or _start(n_cores, memory_mb)
    _require_classic(session)
    return session


def _require_pyspark() -> None:
    if find_spec("pyspark") is None:
        msg = "Spark is an extra; install it with pip install 'leadlift[spark]'. It needs Java 17 or newer"
        raise MissingDependencyError(msg)


def _submitted_session() -> SparkSession | None:
    """The session of the Spark that this program was handed to by ``spark-submit``; None where it was not."""
    from pyspark.sql import SparkSession

    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        return None
    return SparkSession.builder.getOrCreate()


def _start(n_cores: int | None, memory_mb: int) -> SparkSession:
    """Start a Spark on this machine alone."""
    from pyspark.errors import PySparkRuntimeError
    from pyspark.sql import SparkSession

    n_cores = n_cores or os.cpu_count() or 1
    own = {
        "spark.driver.memory": f"{memory_mb}m",
        "spark.sql.shuffle.partitions": str(n_cores),
        # No table is saved there; Spark would make an empty folder where the user happens to stand.
        "spark.sql.warehouse.dir": tempfile.gettempdir(),
    }
    # Without it, the worker processes of this Spark would take the first python3 on the path.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(f"local[{n_cores}]").appName("leadlift")
    try:
        with without_pandas_hint():
            return builder.config(map=_QUIET_ON_LOOPBACK | own).getOrCreate()
    except PySparkRuntimeError as error:
        if error.getCondition() != "JAVA_GATEWAY_EXITED":
            raise
        msg = (
            "Spark did not start: it needs Java 17 or newer, on the path or in JAVA_HOME (on Debian: apt "
            "install openjdk-17-jre-headless). What Java said stands above"
        )
        raise MissingDependencyError(msg) from error


@contextmanager
def without_pandas_hint() -> Iterator[None]:
    """Mute what PySpark says of its ways to and from pandas, which leadlift does not take."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        yield


def _address(path: Path) -> str:
    """How Spark calls a local path; unlike in a URI, nothing in it is encoded."""
    return f"file://{path.as_posix()}"


def _running_session() -> SparkSession | None:
    """The session that others have started in this process, in whatever thread."""
    from pyspark.errors import PySparkRuntimeError
    from pyspark.sql import SparkSession

    try:
        return SparkSession.active()
    except PySparkRuntimeError as error:
        if error.getCondition() != "NO_ACTIVE_OR_DEFAULT_SESSION":
            raise
        return None


def _require_classic(session: SparkSession) -> None:
    from pyspark.sql import SparkSession

    if not isinstance(session, SparkSession):
        msg = (
            f"expected a pyspark.sql.SparkSession in the process of its driver, got {type(session)}; Spark "
            f"Connect sees no files of this machine"
        )
        raise ConfigError(msg)


def _session_apart(session: SparkSession) -> SparkSession:
    """A session with the same settings and none of the views, on the same Spark."""
    apart = session.newSession()
    # Those that differ were set while the session ran, so they can be set here too.
    for key, value in session.conf.getAll.items() - apart.conf.getAll.items():
        apart.conf.set(key, value)
    for key, value in _AS_HERE.items():
        apart.conf.set(key, value)
    return apart
