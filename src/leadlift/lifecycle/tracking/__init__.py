"""Training runs and models in MLflow: what was learnt, from what, and which model is in service.

Everything goes through MLflow's client to a SQLite file under the models folder or to the server that is
named, so nothing global is touched: neither the caller's tracking URI nor an active run. The model is kept as
the bundle's own text and JSON files, never as a pickle; ``_load_pyfunc`` reads them back with their hashes
checked.
"""

from __future__ import annotations

from leadlift.lifecycle.tracking.pyfunc import BundleModel, _load_pyfunc
from leadlift.lifecycle.tracking.registered import RegisteredModel
from leadlift.lifecycle.tracking.runs import TrackedRun, log_run
from leadlift.lifecycle.tracking.store import TrackingStore, mlflow_ui_command, tracking_uri

__all__ = [
    "BundleModel",
    "RegisteredModel",
    "TrackedRun",
    "TrackingStore",
    "_load_pyfunc",
    "log_run",
    "mlflow_ui_command",
    "tracking_uri",
]
