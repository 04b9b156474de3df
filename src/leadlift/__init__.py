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
    "contacts_from": "leadlift.data.contacts",
    "read_contacts": "leadlift.data.contacts",
    "make_observations": "leadlift.data.observations",
    "FeatureBuilder": "leadlift.features.builder",
    "build_features": "leadlift.features.builder",
    "get_engine": "leadlift.engines",
    "make_leads": "leadlift.data.datasets",
    "check_promise": "leadlift.learning.promise_check",
    "explore_cost": "leadlift.learning.cutoff.exploration",
    "inverse_propensity": "leadlift.learning.propensity",
    "hajek_mean": "leadlift.learning.propensity",
    "shift_from_labels": "leadlift.learning.prior_shift",
    "shift_from_scores": "leadlift.learning.prior_shift",
    "RecencyChoice": "leadlift.learning.recency",
    "backtest": "leadlift.lifecycle.backtest",
    "LeakageGate": "leadlift.learning.leakage",
    "prepare": "leadlift.lifecycle.preparing",
    "keep_worked": "leadlift.lifecycle.worked_leads",
    "outcome_weights": "leadlift.lifecycle.contact_decisions",
    "train": "leadlift.lifecycle.training",
    "retrain": "leadlift.lifecycle.retraining.retrain",
    "PromotionContract": "leadlift.lifecycle.retraining.contract",
    "RetrainRule": "leadlift.lifecycle.retraining.rule",
    "reproduce": "leadlift.lifecycle.reproducing",
    "explain": "leadlift.insight.explain",
    "load_texts": "leadlift.insight.texts",
    "explain_leads": "leadlift.serving.explaining",
    "explain_file": "leadlift.serving.explaining",
    "describe": "leadlift.serving.explained_text",
    "write_reasons": "leadlift.serving.explained_text",
    "lift": "leadlift.serving.lifting",
    "PointsScorecard": "leadlift.insight.scorecard.points_scorecard",
    "write_scorecard": "leadlift.insight.scorecard.exports",
    "reason_stability": "leadlift.insight.stability",
    "sub_scores": "leadlift.insight.families",
    "fairness_audit": "leadlift.insight.fairness",
    "proxy_scan": "leadlift.insight.proxies",
    "loss_reasons": "leadlift.insight.voice_of_lost.loss_reasons",
    "loss_reasons_by_period": "leadlift.insight.voice_of_lost.loss_reasons",
    "loss_reasons_by_segment": "leadlift.insight.voice_of_lost.loss_reasons",
    "mask_personal_data": "leadlift.insight.voice_of_lost.masking",
    "distinguishing_terms": "leadlift.insight.voice_of_lost.distinguishing_terms",
    "themes": "leadlift.insight.voice_of_lost.themes",
    "sentiment_by": "leadlift.insight.voice_of_lost.sentiment",
    "SentimentAnalyser": "leadlift.insight.voice_of_lost.sentiment",
    "EnglishSentiment": "leadlift.insight.voice_of_lost.sentiment",
    "segments": "leadlift.insight.segments.rates",
    "conversion_trend": "leadlift.insight.segments.trend",
    "touches_from": "leadlift.insight.segments.touches",
    "attribute_wins": "leadlift.insight.segments.touches",
    "won_traits": "leadlift.insight.segments.traits",
    "IdealCustomerProfile": "leadlift.insight.segments.ideal_customer",
    "GridEdges": "leadlift.insight.segments.grid",
    "grid_edges": "leadlift.insight.segments.grid",
    "grid_cells": "leadlift.insight.segments.grid",
    "fit_engagement_grid": "leadlift.insight.segments.grid",
    "plot_segments": "leadlift.insight.segment_plots",
    "plot_trend": "leadlift.insight.segment_plots",
    "plot_grid": "leadlift.insight.segment_plots",
    "global_drivers": "leadlift.insight.drivers",
    "plot_backtest": "leadlift.insight.backtest_plot",
    "report_html": "leadlift.insight.report.page",
    "write_report": "leadlift.insight.report.page",
    "look_back": "leadlift.lifecycle.looking_back",
    "report_on": "leadlift.lifecycle.reporting",
    "write_model_report": "leadlift.lifecycle.reporting",
    "ModelBundle": "leadlift.serving.bundle",
    "Registry": "leadlift.lifecycle.registry",
    "RegistryState": "leadlift.lifecycle.registry",
    "monitor": "leadlift.lifecycle.monitoring.monitor",
    "monitor_store": "leadlift.lifecycle.monitoring.monitor",
    "MonitorResult": "leadlift.lifecycle.monitoring.monitor",
    "write_monitor_page": "leadlift.insight.report.monitor_page",
    "AlarmBudget": "leadlift.lifecycle.monitoring.budget",
    "count_inputs": "leadlift.lifecycle.monitoring.counted_inputs",
    "read_outcomes": "leadlift.lifecycle.monitoring.outcomes",
    "predict": "leadlift.serving.predict",
    "score_table": "leadlift.serving.predict",
    "open_score_store": "leadlift.serving.score_store",
    "score_history": "leadlift.serving.history",
    "latest_changes": "leadlift.serving.history",
    "crossings": "leadlift.serving.history",
    "score_decay": "leadlift.serving.history",
    "read_overrides": "leadlift.serving.override_table",
    "override_quality": "leadlift.lifecycle.monitoring.override_quality",
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
    "RegistryError": "leadlift.exceptions",
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
