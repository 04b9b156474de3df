"""Events and observations short enough to be typed in a test, and the features of them."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import settings

from laws import law
from leadlift.data.events import EVENT_COLUMNS, events_from
from leadlift.features.builder import FeatureBuilder

law_of_acts = settings(law, max_examples=8)
"""Each example opens an engine."""

START = datetime(2026, 3, 1, tzinfo=UTC)


def day(days: float) -> datetime:
    return START + timedelta(days=days)


def acts_of(rows):
    """Events from ``(lead, day, type)`` and a dict of further columns at will."""
    columns = {name: [] for name in EVENT_COLUMNS.names}
    for lead, days, event_type, *rest in rows:
        row = {
            "lead_id": lead,
            "occurred_at": day(days),
            "event_type": event_type,
            **(rest[0] if rest else {}),
        }
        for name, values in columns.items():
            values.append(row.get(name))
    return events_from(pa.table(columns, schema=EVENT_COLUMNS))


def observed(*rows) -> pa.Table:
    """Observations from ``(lead, day)``."""
    leads, days = [lead for lead, _ in rows], [day(days).replace(tzinfo=None) for _, days in rows]
    return pa.table({"lead_id": leads, "as_of": pa.array(days, pa.timestamp("us"))})


def features_of(builder: FeatureBuilder, observations, acts, leads=None):
    """The features as fitted, which a builder from JSON makes alike."""
    leads = observations.select(["lead_id"]) if leads is None else leads
    events = None if acts is None else acts_of(acts)
    table = builder.fit_transform(observations, leads=leads, events=events)
    again = FeatureBuilder.from_dict(builder.to_dict())
    assert again.transform(observations, leads=leads, events=events).equals(table)
    return table
