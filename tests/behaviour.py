"""Leads with behaviour as awkward as it comes, from a seed: for oracles, laws and the parity of engines."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from leadlift.data.events import EVENT_COLUMNS, Events, events_from
from leadlift.data.history import HISTORY_COLUMNS, History, history_from
from leadlift.data.observations import Observations, make_observations
from leadlift.terms import Family, FeatureSpec, Kind

MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)
AT_DAYS = (0.0, 7.0, 30.0)
# Labels of some leads become known on the days on which others are observed.
HORIZON_DAYS = 28.0
KNOWN_UNTIL = datetime(2027, 1, 1, tzinfo=UTC)
WINDOWS_DAYS = (1.0, 7.0, 30.0, 90.0)

# Both changes of the clocks in Europe, the beginning of Unix time, and an ordinary midnight.
EPOCHS = [
    datetime(2026, 3, 28, 23, 30, tzinfo=UTC),
    datetime(2026, 10, 24, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1969, 12, 28, 11, 0, 0, 7, tzinfo=UTC),
    datetime(2026, 5, 1, tzinfo=UTC),
]
TYPES = [
    "visit", "other", "form", "email open", "download", "pricing page", "case study", "demo request", "call",
    "call back", "quote", "Größe", "fax", "webinar", "メール", "unsubscribe", "login", None,
]  # fmt: skip
CHANNELS = ["web", "other", "email", "unknown", "phone", "fair", "社群", "letter", "chat", None]
ASSETS = ["/pricing", "white paper 3", "home", "Über uns", "case study: Łódź", "/contact-us", None, None]
VALUES = [None, None, None, 0.0, 1.0, -3.75, 19.99, 0.1, 123_456.78905, -0.00005, 99_999_999.5]
TEXTS = [None, None, None, "What does it cost? When?", "thanks", "  call me ? ", "ça va\nbien?", "¿Qué tal?"]
NOTES = [
    None, "   ", "needs a price for ten seats", "price list please", "asked for a price list and a demo",
    "wants a demo next week", "no budget before autumn", "demo, then a price list", "call bob@example.com",
]  # fmt: skip

COLUMNS = (
    FeatureSpec("lead_source", Kind.CATEGORICAL, Family.SOURCE),
    FeatureSpec("campaign", Kind.CATEGORICAL, Family.SOURCE),
    FeatureSpec("company_size", Kind.NUMERIC, Family.FIT),
    FeatureSpec("job_title", Kind.CATEGORICAL, Family.FIT),
    FeatureSpec("budget", Kind.CATEGORICAL, Family.INTENT),
    FeatureSpec("timeline", Kind.CATEGORICAL, Family.INTENT),
    FeatureSpec("note", Kind.CATEGORICAL, Family.OTHER),
)
"""Columns of the leads that are inputs; `note` is free text."""

LOGGED = {
    "job_title": ["clerk", "manager", "CEO", "chef d'équipe", None],
    "company_size": ["1", "20", "350", "4000.5", None],
    "budget": ["none", "some", "unknown", "plenty", None],
    "stage": ["new", "contacted", "nurture", None],
    "heat": ["1", "2.5", "-3", None],
    "decision_maker": ["yes", "no", "Unknown", None],
}
"""Fields of the change log with their values; the first three are columns of the leads too."""

_LEADS_SCHEMA = pa.schema(
    [
        ("lead_id", pa.string()),
        ("created_at", pa.timestamp("us", "UTC")),
        ("closed_at", pa.timestamp("us", "UTC")),
        ("outcome", pa.string()),
        ("lead_source", pa.string()),
        ("campaign", pa.string()),
        ("company_size", pa.float64()),
        ("job_title", pa.string()),
        ("budget", pa.string()),
        ("timeline", pa.string()),
        ("note", pa.string()),
    ]
)


@dataclass(frozen=True)
class Behaviour:
    """Observations, leads, events and change log that belong together; iterates as the four."""

    observations: Observations
    leads: pa.Table
    events: pa.Table
    history: pa.Table

    def __iter__(self):
        return iter((self.observations, self.leads, self.events, self.history))

    def sources(self) -> dict[str, Events | History]:
        """Events and change log as keywords of :class:`FeatureBuilder`'s methods."""
        return {"events": events_from(self.events), "history": history_from(self.history)}


def make_behaviour(n_leads: int = 3_000, seed: int = 0, at_days=AT_DAYS) -> Behaviour:
    """Observations, leads, events and change log, rows in no order, in house columns."""
    rng = random.Random(seed)  # noqa: S311
    leads = [_make_lead(rng, number) for number in range(n_leads)]
    events = [event for lead in leads for event in _make_events(rng, lead)]
    events += [event | {"lead_id": "nobody"} for event in events[:20]]
    history = [change for lead in leads for change in _make_changes(rng, lead)]
    history += [change | {"lead_id": "nobody"} for change in history[:20]]
    for rows in (leads, events, history):
        rng.shuffle(rows)
    table = pa.Table.from_pylist(leads, _LEADS_SCHEMA)
    return Behaviour(
        make_observations(table, horizon_days=HORIZON_DAYS, at_days=at_days, known_until=KNOWN_UNTIL),
        table,
        pa.Table.from_pylist(events, EVENT_COLUMNS),
        pa.Table.from_pylist(history, HISTORY_COLUMNS),
    )


def _make_lead(rng: random.Random, number: int) -> dict:
    created = rng.choice(EPOCHS) + timedelta(hours=rng.randrange(96))
    created += timedelta(microseconds=rng.choice([0, 0, rng.randrange(10**9)]))
    outcome = rng.choices(["won", "lost", "open"], [2, 3, 5])[0]
    closed = None if outcome == "open" else created + timedelta(days=rng.uniform(5, 120))
    return {
        "lead_id": rng.choice(["L{}", "Łódź {}", "客户{}", "O'Neil-{}"]).format(number),
        "created_at": created,
        "closed_at": closed,
        "outcome": outcome,
        "lead_source": rng.choices(["ads", "fair", "Empfehlung", "web", None], [4, 3, 2, 9, 1])[0],
        "campaign": rng.choice([None, "spring", "autumn", f"single {number}"]),
        "company_size": rng.choice([None, 1.0, 20.0, 350.0, 0.1]),
        "job_title": rng.choice(LOGGED["job_title"]),
        "budget": rng.choice(LOGGED["budget"]),
        "timeline": rng.choice([None, "now", "2 months", "UNKNOWN"]),
        "note": rng.choice(NOTES),
    }


def _make_moment(rng: random.Random, created: datetime) -> datetime:
    """Anywhere near the lead's life, or where comparisons break: at a moment of observation and at the edge
    of a window, a microsecond before and after."""
    if rng.random() < 0.5:
        return created + timedelta(microseconds=rng.randrange(-20 * 86_400 * 10**6, 45 * 86_400 * 10**6))
    as_of = created + rng.choice(AT_DAYS) * DAY
    back = rng.choice([timedelta(0), timedelta(0), *[days * DAY for days in WINDOWS_DAYS]])
    return as_of - back + rng.choice([-1, 0, 0, 1]) * MICROSECOND


def _make_events(rng: random.Random, lead: dict) -> list[dict]:
    number = int("".join(filter(str.isdigit, lead["lead_id"])))
    n = 500 if number == 1 else rng.choice([0, 1, 2, 3, 5, 8, 13])
    events = [_make_event(rng, lead, i) for i in range(n)]
    for event in rng.sample(events, n // 3):
        events.append(rng.choice(_VARIANTS)(rng, event))
    return events


def _make_event(rng: random.Random, lead: dict, number: int) -> dict:
    identity = f"{lead['lead_id']}/{number}"
    return {
        "lead_id": lead["lead_id"],
        "occurred_at": _make_moment(rng, lead["created_at"]),
        "event_type": rng.choices(TYPES, range(len(TYPES) + 3, 3, -1))[0],
        "channel": rng.choices(CHANNELS, range(len(CHANNELS), 0, -1))[0],
        "asset": rng.choice(ASSETS),
        "value": rng.choice(VALUES),
        "text": rng.choice(TEXTS),
        "event_id": rng.choice([identity, identity, None]),
    }


_VARIANTS = [
    # An exact copy, and one that was delivered later.
    lambda rng, event: dict(event),
    lambda rng, event: event | {"occurred_at": event["occurred_at"] + rng.choice([MICROSECOND, 3 * DAY])},
    # Another act in the same microsecond, of another type, or of the same type with another asset and text.
    lambda rng, event: event | {"event_type": rng.choice(TYPES), "event_id": None},
    lambda rng, event: event | {"asset": rng.choice(ASSETS), "text": rng.choice(TEXTS), "event_id": None},
    # The next act of a session, and the first of the next one.
    lambda rng, event: event | {"occurred_at": event["occurred_at"] + 30 * 60 * DAY / 86_400},
    lambda rng, event: event | {
        "occurred_at": event["occurred_at"] + 30 * 60 * DAY / 86_400 + MICROSECOND, "event_id": None
    },
]  # fmt: skip


def _make_changes(rng: random.Random, lead: dict) -> list[dict]:
    """A log of changes, told back from the value in the table, so that both agree."""
    changes = []
    for name, values in LOGGED.items():
        after = lead.get(name, rng.choice(values))
        after = None if after is None else f"{after:g}" if isinstance(after, float) else after
        moments = sorted({_make_moment(rng, lead["created_at"]) for _ in range(rng.choice([0, 0, 1, 2]))})
        for moment in reversed(moments):
            before = rng.choice([value for value in values if value != after])
            changes.append(
                {
                    "lead_id": lead["lead_id"],
                    "changed_at": moment,
                    "field": name,
                    "value": after,
                    "old_value": before,
                }
            )
            after = before
    return changes + rng.sample(changes, len(changes) // 5)
