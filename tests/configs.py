"""Configurations for tests, from keywords."""

from pathlib import Path
from typing import Any

from leadlift.config import DataConfig, LeadliftConfig, LeadSchema, SchemaConfig
from leadlift.terms import FeatureSpec, Kind


def make_config(leads: str | Path = "leads.csv", **keywords: Any) -> LeadliftConfig:
    """A configuration; each keyword goes to the section that knows it. The label is `stage`, Won or Lost."""
    roles = {"outcome": "stage", "won": ("Won",), "lost": ("Lost",)}
    data = {"leads": str(leads)}
    for key, value in keywords.items():
        (data if key in DataConfig.model_fields else roles)[key] = value
    return LeadliftConfig.model_validate(
        {"data": data, "schema": roles, "cutoff": {"mql": {"policy": "fixed_threshold"}}}
    )


def make_schema(config: LeadliftConfig, kinds: dict[str, Kind]) -> LeadSchema:
    """What a bundle would hold for these input columns."""
    return LeadSchema(
        data=config.data,
        roles=SchemaConfig.model_validate(config.roles.model_dump()),
        features=tuple(FeatureSpec(name, kind) for name, kind in kinds.items()),
    )
