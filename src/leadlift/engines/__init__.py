"""Where table work runs: one small interface, one template of SQL, several engines.

An engine keeps tables for the length of a session, runs the SELECT statements of
:mod:`leadlift.features.statements` on them and speaks Arrow at both ends. What the statements say does not
depend on the engine: they hold integers, comparisons and total orders, and no floating-point sums.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, Self

from leadlift.exceptions import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from leadlift.engines.dialect import Dialect

ENGINES = {
    "duckdb": "leadlift.engines.duckdb:DuckDBEngine",
    "spark": "leadlift.engines.spark:SparkEngine",
}
"""Engines by name, as ``module:class``; resolved when asked for."""


class Engine(ABC):
    """A session of table work; use it in a ``with`` block, after which its tables are gone."""

    name: ClassVar[str]
    dialect: ClassVar[Dialect]

    @abstractmethod
    def __enter__(self) -> Self:
        """Begin the session."""

    @abstractmethod
    def __exit__(self, *error: object) -> None:
        """Drop everything the session has kept."""

    def __sklearn_clone__(self) -> Self:
        """Return the engine itself for a clone of what uses it: a running Spark cannot be copied."""
        return self

    @abstractmethod
    def load(self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """Keep the rows of some batches as a table.

        Parameters
        ----------
        name : str
            Of a new table.
        schema : pyarrow.Schema
            Of the batches: integers, booleans and strings.
        batches : iterable of pyarrow.RecordBatch
            Read once, as they come; they need not fit in memory together.
        """

    @abstractmethod
    def keep(self, name: str, select: str) -> None:
        """Keep the rows of a SELECT, in a new table or behind those that the table has already.

        Parameters
        ----------
        name : str
        select : str
            With the columns of the table, in their order, names and types, where there is one.
        """

    @abstractmethod
    def query(self, select: str) -> pa.Table:
        """Return the rows of a SELECT, in no particular order.

        Parameters
        ----------
        select : str
            Sums and row numbers in it are cast, since engines give them different types.

        Returns
        -------
        pyarrow.Table
        """

    @abstractmethod
    def drop(self, name: str) -> None:
        """Forget a table.

        Parameters
        ----------
        name : str
        """


def get_engine(engine: str | Engine) -> Engine:
    """Return an engine by its name; an engine is returned as it is.

    Parameters
    ----------
    engine : str or Engine
        ``"duckdb"``, ``"spark"``, or an engine made by hand, for instance ``SparkEngine(session)``.

    Returns
    -------
    Engine

    Raises
    ------
    ConfigError
        There is no engine of that name.
    MissingDependencyError
        What the engine runs on is not installed.

    Examples
    --------
    >>> get_engine("duckdb").name
    'duckdb'
    """
    if isinstance(engine, Engine):
        return engine
    if engine not in ENGINES:
        msg = f"there is no engine {engine!r}; expected one of {', '.join(sorted(ENGINES))}"
        raise ConfigError(msg)
    module, _, name = ENGINES[engine].partition(":")
    return getattr(import_module(module), name)()
