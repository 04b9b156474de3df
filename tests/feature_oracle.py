"""Features a second time: loops over datetimes, written from what the specs say, to be held against the SQL.

Only what other tests hold to account is shared with the package: which names have which meaning
(:func:`leadlift.data.naming.matching_phrase`) and the hash that orders assets of acts in one microsecond.
"""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise

import pyarrow as pa

from leadlift.data.naming import matching_phrase
from leadlift.data.vocabulary.acts import ACT_PHRASES
from leadlift.features.coding import stable_hashes

MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)
MONTH = 30 * DAY
N_TYPES, N_CHANNELS, N_SEQUENCES = 30, 10, 10


@dataclass(frozen=True)
class Act:
    """An event once, as a lead's history holds it."""

    moment: datetime
    type: str
    channel: str | None
    asset: str | None
    amount: int | None
    words: int | None
    questions: int | None

    @classmethod
    def of(cls, event: dict) -> "Act":
        """From a row in house columns."""
        value, text = event["value"], event["text"]
        return cls(
            event["occurred_at"],
            event["event_type"],
            event["channel"],
            event["asset"],
            None if value is None else round(value * 10_000),
            None if text is None else len(text.split()),
            None if text is None else text.count("?"),
        )

    @property
    def place(self) -> tuple:
        """Where it stands: by time; at one moment by type, channel and the rest, missing ones first."""
        rest = (_first_if_missing(value) for value in (self.amount, self.words, self.questions))
        return (self.moment, self.type, _first_if_missing(self.channel), _hash(self.asset), *rest)

    @property
    def meanings(self) -> set[str]:
        """What its type or its asset is about."""
        return _meanings(self.type) | _meanings(self.asset)


def _first_if_missing(value):
    return (value is not None, value or 0)


@cache
def _hash(asset: str | None) -> int:
    return int(stable_hashes(pa.array([asset], pa.string()))[0])


@cache
def _meanings(name: str | None) -> set[str]:
    return {m for m, phrases in ACT_PHRASES.items() if name is not None and matching_phrase(name, phrases)}


def acts_by_lead(events: list[dict], *, has_event_id: bool) -> dict[str, list[Act]]:
    """The acts of each lead in order; of events with one id the earliest, of equal rows without one any."""
    found = defaultdict(dict)
    for event in events:
        act = Act.of(event)
        identity = event["event_id"] if has_event_id else None
        key = act if identity is None else identity
        kept = found[event["lead_id"]].get(key)
        if kept is None or act.place < kept.place:
            found[event["lead_id"]][key] = act
    return {lead: sorted(acts.values(), key=lambda act: act.place) for lead, acts in found.items()}


def most_common(counts: Counter, n: int) -> list:
    """The keys that occur most, the first in order among equals."""
    return sorted(counts, key=lambda key: (-counts[key], key))[:n]


class ActOracle:
    """Activity, journey, intent and texts of acts.

    `observations` are ``(lead_id, as_of)`` and `fitted` says which of them may be learnt from: the acts known
    at the last fitted observation of each lead count once.
    """

    def __init__(self, acts, observations, fitted, windows_days):
        self.acts = acts
        self.windows = {f"{days:g}d": days * DAY for days in windows_days}
        self._learn(self._learnable(observations, fitted))

    def _learnable(self, observations, fitted):
        last = {}
        for (lead, as_of), is_fitted in zip(observations, fitted, strict=True):
            if is_fitted:
                last[lead] = max(as_of, last.get(lead, as_of))
        return [self.known(lead, as_of) for lead, as_of in last.items()]

    def _learn(self, histories):
        every = [act for acts in histories for act in acts]
        channels = Counter(act.channel for act in every if act.channel not in {None, "other", "unknown"})
        self.all_types = most_common(Counter(act.type for act in every if act.type != "other"), N_TYPES)
        self.all_channels = most_common(channels, N_CHANNELS)
        self.has_amounts = any(act.amount is not None for act in every)
        self.has_texts = any(act.words is not None for act in every)
        self.meanings = {meaning for act in every for meaning in act.meanings}
        runs = [Counter(run for acts in histories for run in _runs(acts, length)) for length in (2, 3)]
        self.sequences = {}
        for run in [run for counts in runs for run in most_common(counts, N_SEQUENCES)]:
            name = "_".join(("then", *run)).lower()
            rival = self.sequences.get(name, run)
            self.sequences[name] = min(run, rival, key=lambda r: (-runs[len(r) - 2][r], r))

    def known(self, lead, as_of):
        """The acts of a lead before a moment."""
        return [act for act in self.acts.get(lead, []) if act.moment < as_of]

    def features(self, lead, as_of):
        """All features of acts by name."""
        acts = [(act, as_of - act.moment) for act in self.known(lead, as_of)]
        return {
            **self._counts(acts),
            **self._recency(acts),
            **_breadth(acts),
            **self._touches(acts),
            **_gaps(acts),
            **self._sequence_counts(acts),
            **(_pricing(acts) if "pricing" in self.meanings else {}),
            **self._intent(acts),
            **(_texts(acts) if self.has_texts else {}),
        }

    def _type(self, act):
        return act.type if act.type in self.all_types else "other"

    def _channel(self, act):
        if act.channel in {None, "unknown"}:
            return "unknown"
        return act.channel if act.channel in self.all_channels else "other"

    def _counts(self, acts):
        types, channels = (*self.all_types, "other"), (*self.all_channels, "other", "unknown")
        stems = ["n", *[f"n_{t}" for t in types], *[f"n_by_{c}" for c in channels]]
        sums = ["sum", *[f"sum_{t}" for t in types], *[f"sum_by_{c}" for c in channels]]
        sums = sums if self.has_amounts else []
        windows = {**self.windows, "all": timedelta.max}
        cells = {f"{stem}_{label}": 0 for stem in (*stems, *sums) for label in windows}
        for act, age in acts:
            for label in (label for label, width in windows.items() if age <= width):
                for stem in ("n", f"n_{self._type(act)}", f"n_by_{self._channel(act)}"):
                    cells[f"{stem}_{label}"] += 1
                if act.amount is not None:
                    for stem in ("sum", f"sum_{self._type(act)}", f"sum_by_{self._channel(act)}"):
                        cells[f"{stem}_{label}"] += act.amount
        return {name: cell / 10_000 if name.startswith("sum") else cell for name, cell in cells.items()}

    def _recency(self, acts):
        ages = [age for _, age in acts]
        by_type = {act.type: age for act, age in acts}
        return {
            "days_since_first": _days(ages[0]) if ages else None,
            "days_since_last": _days(ages[-1]) if ages else None,
            **{f"days_since_{t}": _days(by_type[t]) if t in by_type else None for t in self.all_types},
        }

    def _touches(self, acts):
        types = [self._type(act) for act, _ in acts]
        cells = {
            "first_touch": types[0] if types else None,
            "last_touch": types[-1] if types else None,
            "second_last_touch": types[-2] if len(types) > 1 else None,
        }
        if self.all_channels:
            channels = [self._channel(act) for act, _ in acts]
            cells["first_channel"] = channels[0] if channels else None
            cells["last_channel"] = channels[-1] if channels else None
        return cells

    def _sequence_counts(self, acts):
        counts = Counter(run for length in (2, 3) for run in _runs([act for act, _ in acts], length))
        return {name: counts[run] for name, run in self.sequences.items()}

    def _intent(self, acts):
        cells, wanted = {}, [m for m in ("demo", "quote", "hand_raise", "pricing") if m in self.meanings]
        for meaning in wanted:
            ages = [age for act, age in acts if meaning in act.meanings]
            cells[f"intent_{meaning}_30d"] = sum(age <= MONTH for age in ages)
            cells[f"intent_{meaning}_all"] = len(ages)
            cells[f"intent_{meaning}_days_since"] = _days(min(ages)) if ages else None
        if wanted:
            ages = [age for act, age in acts if act.meanings.intersection(wanted)]
            cells["intent_any_7d"] = sum(age <= 7 * DAY for age in ages)
            cells["intent_any_30d"] = sum(age <= MONTH for age in ages)
            cells["intent_any_all"] = len(ages)
        return cells


def _days(age: timedelta) -> float:
    return (age // MICROSECOND) / (DAY // MICROSECOND)


def _runs(acts, length):
    types = [act.type for act in acts]
    return [tuple(types[i : i + length]) for i in range(len(types) - length + 1)]


def _breadth(acts):
    starts = [
        age
        for i, (act, age) in enumerate(acts)
        if i == 0 or act.moment - acts[i - 1][0].moment > timedelta(minutes=30)
    ]
    met = {}
    for act, age in acts:
        if act.asset is not None:
            met.setdefault(act.asset, age)
    recent = sum(age <= 7 * DAY for _, age in acts)
    before = sum(7 * DAY < age <= 37 * DAY for _, age in acts)
    return {
        "n_sessions_all": len(starts),
        "n_sessions_30d": sum(age <= MONTH for age in starts),
        "n_active_days_all": len({act.moment.date() for act, _ in acts}),
        "n_active_days_30d": len({(age - MICROSECOND) // DAY for _, age in acts if age <= MONTH}),
        "n_assets_all": len(met),
        "n_new_assets_30d": sum(age <= MONTH for age in met.values()),
        "velocity": (recent / 7) / ((before + 1) / 30),
        "decayed_acts": sum(math.exp(-age / (14 * DAY)) for _, age in acts),
    }


def _gaps(acts):
    moments = [act.moment for act, _ in acts]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    return {
        "mean_gap_days": _days(moments[-1] - moments[0]) / len(gaps) if gaps else None,
        "shortest_gap_days": _days(min(gaps)) if gaps else None,
        "longest_gap_days": _days(max(gaps)) if gaps else None,
        "last_gap_days": _days(gaps[-1]) if gaps else None,
        "journey_days": _days(moments[-1] - moments[0]) if moments else None,
    }


def _pricing(acts):
    for i, (act, _) in enumerate(acts):
        if "pricing" in act.meanings:
            contents = sum("content" in earlier.meanings for earlier, _ in acts[:i])
            return {
                "pricing_position": i + 1,
                "contents_before_pricing": contents,
                "pricing_first": int(contents == 0),
                "pricing_after_content": int(contents > 0),
            }
    return {
        "pricing_position": None,
        "contents_before_pricing": None,
        "pricing_first": 0,
        "pricing_after_content": 0,
    }


def _texts(acts):
    some = [(act, age) for act, age in acts if act.words is not None]
    return {
        "text_acts_30d": sum(age <= MONTH for _, age in some),
        "text_acts_all": len(some),
        "text_words_all": sum(act.words for act, _ in some),
        "text_questions_all": sum(act.questions for act, _ in some),
        "text_words_last": some[-1][0].words if some else None,
        "text_days_since": _days(some[-1][1]) if some else None,
    }
