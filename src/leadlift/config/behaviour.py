"""The sections about behaviour: events, the change log of fields, moments of observation, features."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from leadlift.config.base import Name, Section, ZoneName, no_overlap

Days = Annotated[float, Field(ge=0, lt=36500)]


class EventsConfig(Section):
    """Which column of the events plays which role. Column names are those of the user's file.

    Parameters
    ----------
    lead_id, occurred_at, event_type : str
        Whose act it was, when, and of what type.
    channel : str or None
        By which channel: web, email, phone.
    asset : str or None
        What the act was about: a page, a document, a campaign.
    value : str or None
        A number to be summed: minutes, an amount.
    text : str or None
        Free text that came with the act; only counted, never stored.
    event_id : str or None
        One id an event; events of the same id are one event.
    recorded_at : str or None
        When the event became known; a late one counts from then on.
    time_zone : str
        Zone of moments that are written without one, an IANA name.
    date_format : str or None
        ``strptime`` format of moments in text; None reads ISO 8601.
    """

    lead_id: Name = "lead_id"
    occurred_at: Name = "occurred_at"
    event_type: Name = "event_type"
    channel: Name | None = None
    asset: Name | None = None
    value: Name | None = None
    text: Name | None = None
    event_id: Name | None = None
    recorded_at: Name | None = None
    time_zone: ZoneName = "UTC"
    date_format: str | None = None

    @model_validator(mode="after")
    def _one_role_a_column(self) -> EventsConfig:
        no_overlap("the roles of [schema.events]", self.role_columns)
        return self

    @property
    def role_columns(self) -> tuple[str, ...]:
        """Columns with a role, in the order of the roles."""
        optional = (self.channel, self.asset, self.value, self.text, self.event_id, self.recorded_at)
        return (
            self.lead_id,
            self.occurred_at,
            self.event_type,
            *(column for column in optional if column is not None),
        )


class HistoryConfig(Section):
    """Which column of the change log of fields plays which role.

    One row a change: the value of `field` of a lead became `value` at `changed_at`.

    Parameters
    ----------
    lead_id, changed_at, field, value : str
        Whose field changed, when, which, and to what.
    old_value : str or None
        What it was before.
    fields : tuple of str or None
        Fields that are replayed; None takes all but the outcome, ignored columns and protected attributes.
    time_zone : str
        Zone of moments that are written without one, an IANA name.
    date_format : str or None
        ``strptime`` format of moments in text; None reads ISO 8601.
    """

    lead_id: Name = "lead_id"
    changed_at: Name = "changed_at"
    field: Name = "field"
    value: Name = "value"
    old_value: Name | None = None
    fields: tuple[Name, ...] | None = None
    time_zone: ZoneName = "UTC"
    date_format: str | None = None

    @model_validator(mode="after")
    def _one_role_a_column(self) -> HistoryConfig:
        no_overlap("the roles of [schema.history]", self.role_columns)
        return self

    @property
    def role_columns(self) -> tuple[str, ...]:
        """Columns with a role, in the order of the roles."""
        old = () if self.old_value is None else (self.old_value,)
        return (self.lead_id, self.changed_at, self.field, self.value, *old)


class ObservationsConfig(Section):
    """At which moments of its life a lead is observed to learn from it.

    Parameters
    ----------
    at_days : tuple of float
        Days after creation.
    every_days : float or None
        And then again every so many days, up to `until_days`.
    until_days : float
        Last day after creation of the moments that `every_days` makes.
    """

    at_days: tuple[Days, ...] = Field(default=(0.0,), min_length=1)
    every_days: Annotated[float, Field(gt=0, lt=36500)] | None = None
    until_days: Days = 90.0


class FeaturesConfig(Section):
    """Which features are made of what a lead was and did.

    Parameters
    ----------
    groups : tuple of str or None
        Names of feature groups; None takes all for which there are data.
    windows_days : tuple of float
        Look-back windows of counts.
    engine : str
        Where the table work runs: ``"duckdb"`` or ``"spark"``.
    text : tuple of str
        Columns of the leads with free text known at creation.
    content, pricing, demo, quote, hand_raise : tuple of str or None
        Event types or assets with that meaning; None guesses from their names.
    """

    groups: tuple[Name, ...] | None = None
    windows_days: tuple[Annotated[float, Field(gt=0, lt=36500)], ...] = (1.0, 7.0, 30.0, 90.0)
    engine: Name = "duckdb"
    text: tuple[Name, ...] = ()
    content: tuple[Name, ...] | None = None
    pricing: tuple[Name, ...] | None = None
    demo: tuple[Name, ...] | None = None
    quote: tuple[Name, ...] | None = None
    hand_raise: tuple[Name, ...] | None = None

    @property
    def meanings(self) -> dict[str, tuple[str, ...]]:
        """Event types and assets by the meaning that the user gives them."""
        named = {
            "content": self.content,
            "pricing": self.pricing,
            "demo": self.demo,
            "quote": self.quote,
            "hand_raise": self.hand_raise,
        }
        return {meaning: names for meaning, names in named.items() if names is not None}
