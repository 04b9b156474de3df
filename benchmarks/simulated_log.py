"""A simulated CRM with events, texts and a change log as Parquet files: what all groups of features read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from leadlift.config import DataConfig, EventsConfig, HistoryConfig
from leadlift.data.datasets import make_leads
from leadlift.data.events import Events, open_events
from leadlift.data.history import History, open_history
from leadlift.data.observations import Observations, make_observations

EVENTS_PER_LEAD = 16
AT_DAYS = (7.0, 21.0)
LATER_COLUMNS = ("sales_stage", "last_activity", "loss_reason", "loss_note", "deal_amount")

_SENTENCES = (
    "Thanks, we will look at it next week.",
    "What does it cost for forty seats?",
    "Please send the contract to our legal team. Is the price still valid?",
    "No budget this year.",
    "Could you show the integration to my colleagues?",
)
_SHARE_WITH_TEXT = 0.1
_KNOWN_UNTIL, _HORIZON_DAYS = b"known_until", b"horizon_days"


@dataclass(frozen=True)
class SimulatedLog:
    observations: Observations
    leads: pa.Table
    events: Events
    history: History


def write_simulated(folder: Path, n_events: int, seed: int = 0) -> None:
    """Write leads, events and changes of about so many events."""
    folder.mkdir(parents=True, exist_ok=True)
    simulated = make_leads(max(n_events // EVENTS_PER_LEAD, 100), seed)
    facts = {
        _KNOWN_UNTIL: simulated.known_until.isoformat(),
        _HORIZON_DAYS: str(simulated.horizon_days),
    }
    pq.write_table(simulated.leads.replace_schema_metadata(facts), folder / "leads.parquet")
    pq.write_table(_with_texts(simulated.events, seed), folder / "events.parquet")
    pq.write_table(simulated.history, folder / "history.parquet")


def read_simulated(folder: Path) -> SimulatedLog:
    """Read the leads and make their observations; events and changes are read when asked for."""
    leads = pq.read_table(folder / "leads.parquet")
    facts = leads.schema.metadata
    observations = make_observations(
        leads,
        horizon_days=float(facts[_HORIZON_DAYS]),
        at_days=AT_DAYS,
        known_until=datetime.fromisoformat(facts[_KNOWN_UNTIL].decode()),
    )
    roles = EventsConfig(channel="channel", asset="asset", text="text")
    data = DataConfig(leads="not read")
    return SimulatedLog(
        observations,
        leads.drop_columns(list(LATER_COLUMNS)),
        open_events(str(folder / "events.parquet"), roles=roles, data=data),
        open_history(str(folder / "history.parquet"), roles=HistoryConfig(old_value="old_value"), data=data),
    )


def _with_texts(events: pa.Table, seed: int) -> pa.Table:
    random = np.random.default_rng(seed)
    place = random.integers(0, len(_SENTENCES), len(events))
    is_missing = random.random(len(events)) >= _SHARE_WITH_TEXT
    texts = pa.array(_SENTENCES).take(pa.array(place, mask=is_missing))
    return events.append_column("text", texts)
