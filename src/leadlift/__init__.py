"""Learn from won and lost leads how likely a new lead is to convert.

The public names below are resolved when they are first asked for, so importing leadlift costs nothing and
has no effect.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "LeadScorer": "leadlift.learning.scorer",
    "FixedThreshold": "leadlift.learning.cutoff",
    "PrecisionGuarantee": "leadlift.learning.cutoff",
    "RecallGuarantee": "leadlift.learning.cutoff",
    "Capacity": "leadlift.learning.cutoff",
    "TopShare": "leadlift.learning.cutoff",
    "Value": "leadlift.learning.cutoff",
    "AllOf": "leadlift.learning.cutoff",
    "value_frontier": "leadlift.learning.cutoff.frontier",
    "agreement_sheet": "leadlift.learning.cutoff.agreement",
    "write_agreement": "leadlift.insight.agreement_text",
    "plot_agreement": "leadlift.insight.agreement_plot",
    "grade_promises": "leadlift.learning.cutoff.grades",
    "change_cutoff": "leadlift.lifecycle.cutoff_change",
    "Cutoff": "leadlift.terms",
    "Interval": "leadlift.terms",
    "Finding": "leadlift.terms",
    "FeatureSpec": "leadlift.terms",
    "read_config": "leadlift.config",
    "discover": "leadlift.data.discovery",
    "read_leads": "leadlift.data.reading",
    "check_leads": "leadlift.data.checks",
    "read_tables": "leadlift.data.loading",
    "events_from": "leadlift.data.events",
    "history_from": "leadlift.data.history",
    "make_observations": "leadlift.data.observations",
    "FeatureBuilder": "leadlift.features.builder",
    "build_features": "leadlift.features.builder",
    "get_engine": "leadlift.engines",
    "make_leads": "leadlift.data.datasets",
    "check_promise": "leadlift.learning.promise_check",
    "shift_from_labels": "leadlift.learning.prior_shift",
    "shift_from_scores": "leadlift.learning.prior_shift",
    "RecencyChoice": "leadlift.learning.recency",
    "backtest": "leadlift.lifecycle.backtest",
    "LeakageGate": "leadlift.learning.leakage",
    "prepare": "leadlift.lifecycle.preparing",
    "train": "leadlift.lifecycle.training",
    "explain": "leadlift.insight.explain",
    "ModelBundle": "leadlift.serving.bundle",
    "predict": "leadlift.serving.predict",
    "score_table": "leadlift.serving.predict",
    "metrics": "leadlift.learning",
    "plots": "leadlift.insight",
    "datasets": "leadlift.data",
    "LeadliftError": "leadlift.exceptions",
    "InputError": "leadlift.exceptions",
    "SchemaError": "leadlift.exceptions",
    "ConfigError": "leadlift.exceptions",
    "LeakageError": "leadlift.exceptions",
    "ImmatureLabelsError": "leadlift.exceptions",
    "NoCutoffError": "leadlift.exceptions",
    "BundleError": "leadlift.exceptions",
    "MissingDependencyError": "leadlift.exceptions",
}
_MODULES = ("metrics", "plots", "datasets")

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    """Import the home of a public name and return it."""
    if name not in _HOMES:
        msg = f"module 'leadlift' has no attribute {name!r}"
        raise AttributeError(msg)
    home = _HOMES[name]
    if name in _MODULES:
        return import_module(f"{home}.{name}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
