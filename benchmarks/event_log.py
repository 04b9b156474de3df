"""An event log of any size, seeded, as Parquet files: leads that act for some weeks after their creation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

TYPES = (
    "page_view", "email_open", "email_click", "form_submit", "call", "meeting", "chat", "download",
    "webinar", "pricing_view", "demo_request", "unsubscribe",
)  # fmt: skip
CHANNELS = ("web", "email", "phone", "ad", "event")
ASSETS = tuple(f"asset {i}" for i in range(40))
EVENTS_PER_LEAD = 10
MOMENTS_DAYS = {2: (14.0, 28.0), 16: tuple(np.linspace(14.0, 112.0, 16))}
"""Days after creation at which leads are observed, by their number."""

_FIRST_CREATION_US = 1_704_067_200_000_000  # 2024-01-01
_CREATION_DAYS = 700
_MEAN_DAYS_TO_ACT = 40
_SHARE_WITHOUT_CHANNEL = 0.05
_SHARE_WITHOUT_ASSET = 0.3
_DAY_US = 86_400_000_000
_CHUNK_ROWS = 5_000_000
_MOMENT = pa.timestamp("us", tz="UTC")


def events_file(folder: Path) -> Path:
    return folder / "events.parquet"


def observations_file(folder: Path, n_moments: int) -> Path:
    return folder / f"observations_{n_moments}.parquet"


def write_log(folder: Path, n_events: int, n_moments: tuple[int, ...] = (2,), seed: int = 0) -> None:
    """Write `events_file` and one `observations_file` for each number of moments a lead.

    Events come in no order: every lead's are spread over the whole file, the worst case for a reader.
    """
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    n_leads = n_events // EVENTS_PER_LEAD
    ids = pa.array([f"L{i:07d}" for i in range(n_leads)])
    created_us = _FIRST_CREATION_US + random.integers(0, _CREATION_DAYS * _DAY_US, n_leads)
    for n in n_moments:
        pq.write_table(_observations(ids, created_us, MOMENTS_DAYS[n]), observations_file(folder, n))
    with pq.ParquetWriter(events_file(folder), _events(random, ids, created_us, 1).schema) as writer:
        for first in range(0, n_events, _CHUNK_ROWS):
            writer.write_table(_events(random, ids, created_us, min(_CHUNK_ROWS, n_events - first)))


def _events(random: np.random.Generator, ids: pa.Array, created_us: np.ndarray, n: int) -> pa.Table:
    lead = random.integers(0, len(ids), n)
    after_us = (random.exponential(_MEAN_DAYS_TO_ACT, n) * _DAY_US).astype(np.int64)
    zipf = 1 / np.arange(1, len(TYPES) + 1)
    return pa.table(
        {
            "lead_id": ids.take(pa.array(lead)),
            "occurred_at": pa.array(created_us[lead] + after_us, _MOMENT),
            "event_type": pa.array(TYPES).take(pa.array(random.choice(len(TYPES), n, p=zipf / zipf.sum()))),
            "channel": _some(random, CHANNELS, n, _SHARE_WITHOUT_CHANNEL),
            "asset": _some(random, ASSETS, n, _SHARE_WITHOUT_ASSET),
        }
    )


def _some(random: np.random.Generator, names: tuple[str, ...], n: int, share_null: float) -> pa.Array:
    place = random.integers(0, len(names), n)
    return pa.array(names).take(pa.array(place, mask=random.random(n) < share_null))


def _observations(ids: pa.Array, created_us: np.ndarray, days: tuple[float, ...]) -> pa.Table:
    lead = np.repeat(np.arange(len(ids)), len(days))
    offset_us = (np.tile(days, len(ids)) * _DAY_US).astype(np.int64)
    return pa.table(
        {
            "row": np.arange(len(lead)),
            "lead_id": ids.take(pa.array(lead)),
            "as_of": pa.array(created_us[lead] + offset_us, _MOMENT),
        }
    )
