"""Engagement: how much, how lately, how broadly and how fast a lead acted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pyarrow as pa

from leadlift.features import FeatureGroup, Settings
from leadlift.features.coding import AMOUNT_UNITS, NO_AMOUNT
from leadlift.features.facts import Facts, Survey, most_common
from leadlift.features.known import DAY_US, KnownActs, numbered
from leadlift.features.specs import Specs
from leadlift.features.statements import NONE
from leadlift.terms import Family, FeatureSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_TYPES = 30
MAX_CHANNELS = 10
OTHER = "other"
UNKNOWN = "unknown"

SESSION_GAP_US = 30 * 60 * 1_000_000
"""Acts further apart than 30 minutes belong to different sessions, as web analytics counts them."""

DECAY_DAYS = 14.0
"""An act counts for 1/e after so many days."""

_DECAY_UNITS = 1_000_000
_RECENT_DAYS = 7.0
_BEFORE_DAYS = 30.0
_BREADTH_DAYS = 30.0


_SPECS = Specs("activity", Family.ENGAGEMENT)

_BREADTH = (
    _SPECS.number(
        "n_sessions_all",
        "sessions, parted by 30 minutes without an act",
        unit="sessions",
        wording="sessions.count",
    ),
    _SPECS.number(
        "n_sessions_30d",
        "sessions begun in the last 30 days",
        unit="sessions",
        window_days=_BREADTH_DAYS,
        wording="sessions.count",
    ),
    _SPECS.number("n_active_days_all", "days (UTC) with an act", unit="days", wording="active_days.count"),
    _SPECS.number(
        "n_active_days_30d",
        "days, counted back from as_of, with an act",
        unit="days",
        window_days=_BREADTH_DAYS,
        wording="active_days.count",
    ),
    _SPECS.number("n_assets_all", "different assets", unit="assets", wording="assets.count"),
    _SPECS.number(
        "n_new_assets_30d",
        "assets met for the first time in the last 30 days",
        unit="assets",
        window_days=_BREADTH_DAYS,
        wording="assets.new",
    ),
    _SPECS.number(
        "velocity",
        "acts a day in the last 7 days by those in the 30 days before, 1 added",
        unit="ratio",
        window_days=_RECENT_DAYS + _BEFORE_DAYS,
        dtype="float64",
        wording="velocity.ratio",
    ),
    _SPECS.number(
        "decayed_acts",
        "acts, each weighted exp(-age / 14 days)",
        unit="acts",
        dtype="float64",
        wording="acts.decayed",
    ),
)


class Activity(FeatureGroup):
    """Counts and sums by type and channel in look-back windows, recency, breadth, sessions, velocity, decay.

    The most common event types and channels at fit have columns of their own; the rest share ``other``, and
    acts without a channel count as channel ``unknown``. So do types and channels of these very names.
    A window of w days holds acts with 0 < as_of - occurred_at <= w days.

    Parameters
    ----------
    windows_days : sequence of float
        Look-back windows; all time is always added.

    Attributes
    ----------
    types_, channels_ : tuple of str
        Names with columns of their own, most common first.
    has_amounts_ : bool
        Whether acts came with values to sum.
    """

    name: ClassVar[str] = "activity"
    act_columns: ClassVar[tuple[str, ...]] = (
        "type", "channel", "amount", "gap_us", "is_new_day", "is_new_asset", "seq",
    )  # fmt: skip

    def __init__(self, windows_days: Sequence[float] = (1.0, 7.0, 30.0, 90.0)) -> None:
        self.windows_days = tuple(sorted(windows_days))

    @classmethod
    def configured(cls, settings: Settings) -> Self:
        """Make the group; see :meth:`FeatureGroup.configured`."""
        return cls(windows_days=settings.windows_days)

    def fit(self, survey: Survey) -> Self:
        """Learn which event types and channels are common; see :meth:`FeatureGroup.fit`."""
        self.types_ = common_types(survey)
        self.channels_ = common_channels(survey)
        self.has_amounts_ = survey.has_amounts
        return self

    def specs(self) -> tuple[FeatureSpec, ...]:
        """Return what each column means; see :meth:`FeatureGroup.specs`."""
        if not self.types_:
            return ()
        return (
            *self._windowed("n", "acts", "acts.count"),
            *[
                s
                for name in self._type_keys
                for s in self._windowed(f"n_{name}", f"acts of type {name!r}", "type.count", name)
            ],
            *[
                s
                for name in self._channel_keys
                for s in self._windowed(f"n_by_{name}", f"acts by channel {name!r}", "channel.count", name)
            ],
            *(self._sums() if self.has_amounts_ else ()),
            _SPECS.days_since("days_since_last", "last act", "acts.last"),
            _SPECS.days_since("days_since_first", "first act", "first_act.days"),
            *[
                _SPECS.days_since(f"days_since_{name}", f"last act of type {name!r}", "type.last", (name,))
                for name in self.types_
            ],
            *_BREADTH,
        )

    def columns(self, facts: Facts) -> list[pa.Array]:
        """Make the columns; see :meth:`FeatureGroup.columns`."""
        acts = facts.acts
        if not self.types_ or acts is None:
            return []
        types = numbered(acts.type_names, self.types_)[acts["type"]]
        channels = channel_places(acts.channel_names, self.channels_)[acts["channel"]]
        every = np.zeros(len(types), dtype=np.int64)
        return [
            *self._spread(acts, every, 1),
            *self._spread(acts, types, len(self._type_keys)),
            *self._spread(acts, channels, len(self._channel_keys)),
            *(self._spread_sums(acts, types, channels) if self.has_amounts_ else ()),
            *self._recency(acts, types),
            *_breadth_columns(acts),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return settings and vocabulary; see :meth:`FeatureGroup.to_dict`."""
        return {
            "windows_days": list(self.windows_days),
            "types": list(self.types_),
            "channels": list(self.channels_),
            "has_amounts": self.has_amounts_,
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Make the fitted group anew; see :meth:`FeatureGroup.from_dict`."""
        group = cls(windows_days=state["windows_days"])
        group.types_, group.channels_ = tuple(state["types"]), tuple(state["channels"])
        group.has_amounts_ = bool(state["has_amounts"])
        return group

    @property
    def _type_keys(self) -> tuple[str, ...]:
        return (*self.types_, OTHER)

    @property
    def _channel_keys(self) -> tuple[str, ...]:
        return (*self.channels_, OTHER, UNKNOWN)

    def _windowed(self, stem: str, what: str, wording: str, *about: str) -> list[FeatureSpec]:
        return _SPECS.windows(stem, what, self.windows_days, unit="acts", wording=wording, about=about)

    def _sums(self) -> list[FeatureSpec]:
        keys = [
            ("sum", "values of all acts", "acts.value", ()),
            *[(f"sum_{n}", f"values of type {n!r}", "type.value", (n,)) for n in self._type_keys],
            *[(f"sum_by_{n}", f"values by channel {n!r}", "channel.value", (n,)) for n in self._channel_keys],
        ]
        return [
            spec
            for stem, what, wording, about in keys
            for spec in _SPECS.windows(
                stem, what, self.windows_days, unit="value", dtype="float64", wording=wording, about=about
            )
        ]

    def _spread(self, acts: KnownActs, keys: NDArray[np.int64], n_keys: int) -> list[pa.Array]:
        """Counts, key by key and within a key window by window, as the specs stand."""
        counts = acts.count(keys, n_keys, self.windows_days).astype(np.int32)
        return [pa.array(block) for key in range(n_keys) for block in counts[:, key]]

    def _spread_sums(
        self, acts: KnownActs, types: NDArray[np.int64], channels: NDArray[np.int64]
    ) -> list[pa.Array]:
        valued = acts["amount"] != NO_AMOUNT
        some = acts.select(valued, ["amount"])
        keys = (
            (np.zeros(len(some.row), dtype=np.int64), 1),
            (types[valued], len(self._type_keys)),
            (channels[valued], len(self._channel_keys)),
        )
        blocks = [some.count(key, n_keys, self.windows_days, some["amount"]) for key, n_keys in keys]
        return [
            pa.array(sums / AMOUNT_UNITS) for block in blocks for key in block.swapaxes(0, 1) for sums in key
        ]

    def _recency(self, acts: KnownActs, types: NDArray[np.int64]) -> list[pa.Array]:
        by_type = acts.youngest_us(types, len(self._type_keys))
        ages = [acts.least(acts.age_us), acts.greatest(acts.age_us), *by_type[: len(self.types_)]]
        return [days_or_null(age) for age in ages]


def common_types(survey: Survey) -> tuple[str, ...]:
    """Return the event types that have columns of their own, most common first."""
    return most_common({name: n for name, n in survey.types.items() if name != OTHER}, MAX_TYPES)


def common_channels(survey: Survey) -> tuple[str, ...]:
    """Return the channels that have columns of their own, most common first."""
    named = {name: n for name, n in survey.channels.items() if name not in {OTHER, UNKNOWN}}
    return most_common(named, MAX_CHANNELS)


def channel_places(names: Sequence[str], channels: Sequence[str]) -> NDArray[np.int64]:
    """Return the place of each channel among `channels`, ``other`` and ``unknown``.

    One more entry, the last, stands for acts without a channel, which bear the number -1.

    Examples
    --------
    >>> channel_places(["fax", "unknown", "web"], ["web"]).tolist()
    [1, 2, 0, 2]
    """
    other, unknown = len(channels), len(channels) + 1
    places = numbered(names, (*channels, OTHER, UNKNOWN))
    return np.append(np.where(places > unknown, other, places), unknown)


def days_or_null(age_us: NDArray[np.int64]) -> pa.Array:
    """Return microseconds as days, float64; null where -1.

    Examples
    --------
    >>> days_or_null(np.array([43_200_000_000, -1])).to_pylist()
    [0.5, None]
    """
    return pa.array(age_us / DAY_US, mask=age_us == NONE)


def _breadth_columns(acts: KnownActs) -> list[pa.Array]:
    lately = acts.age_us <= _BREADTH_DAYS * DAY_US
    is_session_start = (acts["seq"] == 1) | (acts["gap_us"] > SESSION_GAP_US)
    counts = [
        acts.total(is_session_start),
        acts.total(is_session_start & lately),
        acts.total(acts["is_new_day"]),
        _active_days(acts.select(lately)),
        acts.total(acts["is_new_asset"]),
        acts.total(acts["is_new_asset"] * lately),
    ]
    return [
        *[pa.array(count.astype(np.int32)) for count in counts],
        pa.array(_velocity(acts)),
        pa.array(
            acts.total(np.rint(np.exp(acts.age_us / (-DECAY_DAYS * DAY_US)) * _DECAY_UNITS)) / _DECAY_UNITS
        ),
    ]


def _active_days(acts: KnownActs) -> NDArray[np.int64]:
    """Different days of age with an act; a day of age is 24 hours counted back from as_of."""
    n_days = int(_BREADTH_DAYS)
    day = (acts.age_us - 1) // DAY_US
    seen = np.zeros(acts.n_rows * n_days, dtype=bool)
    seen[acts.row * n_days + day] = True
    return seen.reshape(acts.n_rows, n_days).sum(axis=1)


def _velocity(acts: KnownActs) -> NDArray[np.float64]:
    every = np.zeros(len(acts.row), dtype=np.int64)
    recent, longer, _ = acts.count(every, 1, (_RECENT_DAYS, _RECENT_DAYS + _BEFORE_DAYS))[:, 0]
    return (recent / _RECENT_DAYS) / ((longer - recent + 1) / _BEFORE_DAYS)
