"""The model as MLflow calls it: the bundle's own text and JSON files, never a pickle."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

import leadlift
from leadlift.exceptions import ConfigError
from leadlift.serving.bundle import ModelBundle
from leadlift.serving.inputs import bundle_events, bundle_history
from leadlift.serving.predict import score_table
from leadlift.terms import AS_OF

if TYPE_CHECKING:
    import pandas as pd

# What scoring needs; MLflow installs it where it serves the model in an environment of its own.
SCORING_PACKAGES = (
    "duckdb",
    "lightgbm",
    "mlflow",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "scikit-learn",
    "scipy",
)
# Parameters of a prediction, beside as_of.
EVENTS, HISTORY, PREVIOUS = "events", "history", "previous"


class BundleModel:
    """A bundle with the ``predict`` that MLflow calls.

    Parameters
    ----------
    bundle : ModelBundle
    """

    def __init__(self, bundle: ModelBundle) -> None:
        self._bundle = bundle

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, str] | None = None) -> pd.DataFrame:
        """Score new leads, as ``leadlift predict`` does.

        Parameters
        ----------
        model_input : pandas.DataFrame
            The user's own columns, in any order, extra ones ignored.
        params : mapping of str to str, optional
            ``as_of``: moment of scoring in ISO 8601 with time zone; ``events``, ``history``: files, folders
            or addresses of what happened, for a model trained with them; ``previous``: scored table of the
            scoring before. Empty for none.

        Returns
        -------
        pandas.DataFrame
            Columns ``terms.SCORED_COLUMNS``, a row for each row of `model_input`.

        Raises
        ------
        SchemaError
            An input column is missing.
        ConfigError
            ``as_of`` is no moment with a time zone.
        """
        given = params or {}
        return score_table(
            self._bundle,
            model_input,
            as_of=_moment(given.get(AS_OF, "")),
            events=bundle_events(self._bundle, given.get(EVENTS) or None),
            history=bundle_history(self._bundle, given.get(HISTORY) or None),
            previous=given.get(PREVIOUS) or None,
        ).to_pandas()


def _load_pyfunc(path: str) -> BundleModel:
    """Load the model for ``mlflow.pyfunc.load_model``; a bundle whose hashes do not match is refused."""
    return BundleModel(ModelBundle.load(path))


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        msg = f"as_of is a moment such as 2026-05-01T00:00:00+00:00, got {text!r}"
        raise ConfigError(msg) from error


def signature() -> object:
    """Return a signature of the parameters only.

    Inputs are left to leadlift's own checks: MLflow would refuse a whole table for one category column or
    one unreadable cell, where ``predict`` gives the row a status.
    """
    from mlflow.models import ModelSignature
    from mlflow.types.schema import ParamSchema, ParamSpec

    names = (AS_OF, EVENTS, HISTORY, PREVIOUS)
    return ModelSignature(params=ParamSchema([ParamSpec(name, "string", "") for name in names]))


def requirements() -> list[str]:
    """Return the packages with the versions the model was made with; inferring them takes minutes."""
    return [
        f"leadlift=={leadlift.__version__}",
        *[f"{package}=={version(package)}" for package in SCORING_PACKAGES],
    ]
