"""What walks the trees of a job, chosen and checked on its first rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadlift.exceptions import BundleError, ConfigError, shorten
from leadlift.learning.fitted.engines import AUTO, FAST, LIGHTGBM, PLAIN
from leadlift.learning.pattern_kernels import is_compiled
from leadlift.serving.probe import check_probe

if TYPE_CHECKING:
    import pyarrow as pa

    from leadlift.serving.bundle import ModelBundle

ENGINES = (AUTO, FAST, PLAIN)
WITHOUT_COMPILER = "numba is missing: tables are looked up by NumPy, at several times the cost"


@dataclass(frozen=True)
class ChosenEngine:
    """A bundle that scores with one engine.

    Parameters
    ----------
    bundle : ModelBundle
    name : str
        ``"fast"`` or ``"plain"``; empty where no row was scored.
    note : str
        Why not the engine asked for; empty where it was.
    """

    bundle: ModelBundle
    name: str = ""
    note: str = ""


def require_engine(engine: str) -> None:
    """Raise ConfigError where there is no such engine."""
    if engine not in ENGINES:
        msg = f"engine: expected one of {', '.join(ENGINES)}, got {shorten([engine])}"
        raise ConfigError(msg)


def choose_engine(
    bundle: ModelBundle, engine: str, first: pa.Table, *, with_tables: bool = True
) -> ChosenEngine:
    """Choose what walks the trees, check it, and prepare it, so that threads find it ready.

    Tables are compared with LightGBM on the first leads, and the scores of the bundle's probe rows with those
    stored. What is found wrong is not used: LightGBM takes over, or it is an error.

    Parameters
    ----------
    bundle : ModelBundle
    engine : {"auto", "fast", "plain"}
    first : pyarrow.Table
        Inputs of the first leads of the job.
    with_tables : bool, default=True
        Whether the job is worth decision-pattern tables.

    Returns
    -------
    ChosenEngine

    Raises
    ------
    ConfigError
        The tables asked for do not fit the model, or are wrong.
    BundleError
        Scores differ from those of the bundle's probe whatever walks the trees.
    """
    if engine != FAST and not with_tables:
        return _probed(bundle, PLAIN, note="")
    fault = _table_fault(bundle, first)
    if not fault and engine != PLAIN:
        fault = _probe_fault(bundle.using(FAST))
    if not fault:
        note = "" if engine == PLAIN or is_compiled() else WITHOUT_COMPILER
        return _probed(bundle, PLAIN if engine == PLAIN else FAST, note)
    without_tables = _probed(bundle, LIGHTGBM, note=f"LightGBM scores, not tables: {fault}")
    if engine == FAST:
        msg = f"engine 'fast' cannot score this model: {fault}; leave the choice to 'auto'"
        raise ConfigError(msg)
    return without_tables


def _probed(bundle: ModelBundle, engine: str, note: str) -> ChosenEngine:
    """The bundle with an engine that gives the scores of its probe."""
    chosen = bundle.using(engine)
    if fault := _probe_fault(chosen):
        msg = f"the model does not score as when it was saved: {fault}. Train it again on this machine"
        raise BundleError(msg)
    return ChosenEngine(chosen, FAST if engine == FAST else PLAIN, note)


def _table_fault(bundle: ModelBundle, first: pa.Table) -> str:
    models = [model for model in (bundle.model, bundle.sql_model) if model is not None]
    faults = (model.blend.table_fault(model.encode(first)) for model in models)
    return next(filter(None, faults), "")


def _probe_fault(bundle: ModelBundle) -> str:
    labels = [label for label in (bundle.won, bundle.became_sql) if label is not None and label.probe]
    return next(filter(None, (check_probe(label.fitted, label.probe) for label in labels)), "")
