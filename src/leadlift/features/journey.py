"""The order of touches: first and last, what follows what, when prices were looked at, how far apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pyarrow as pa

from leadlift.features import FeatureGroup, Settings
from leadlift.features.activity import (
    OTHER,
    UNKNOWN,
    channel_places,
    common_channels,
    common_types,
    days_or_null,
)
from leadlift.features.facts import Facts, Survey, most_common
from leadlift.features.known import DAY_US, KnownActs, numbered
from leadlift.features.meanings import BITS
from leadlift.features.specs import Specs
from leadlift.features.statements import NONE
from leadlift.terms import Family, FeatureSpec, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MAX_SEQUENCES = 10
"""Touch pairs, and touch triples, that have columns of their own."""

NO_ACT = "no act yet"
NO_PRICES = "no prices looked at yet"
NO_TWO_ACTS = "fewer than two acts yet"

_TOUCHES = (
    ("first_touch", "event type of the first act", "first_touch.type"),
    ("last_touch", "event type of the last act", "last_touch.type"),
    ("second_last_touch", "event type of the act before the last", "second_last_touch.type"),
)
_CHANNELS = (
    ("first_channel", "channel of the first act", "first_touch.channel"),
    ("last_channel", "channel of the last act", "last_touch.channel"),
)
_SPECS = Specs("journey", Family.ENGAGEMENT)
_INTENT = Specs("journey", Family.INTENT)

_GAPS = (
    _SPECS.number(
        "mean_gap_days",
        "mean time between an act and the next",
        unit="days",
        missing_means=NO_TWO_ACTS,
        wording="gap.mean",
    ),
    _SPECS.number(
        "shortest_gap_days",
        "shortest time between an act and the next",
        unit="days",
        missing_means=NO_TWO_ACTS,
        wording="gap.shortest",
    ),
    _SPECS.number(
        "longest_gap_days",
        "longest time between an act and the next",
        unit="days",
        missing_means=NO_TWO_ACTS,
        wording="gap.longest",
    ),
    _SPECS.number(
        "last_gap_days",
        "time between the last two acts",
        unit="days",
        missing_means=NO_TWO_ACTS,
        wording="gap.last",
    ),
    _SPECS.number(
        "journey_days",
        "time from the first act to the last",
        unit="days",
        missing_means=NO_ACT,
        wording="journey.length",
    ),
)
_PRICING = (
    _INTENT.number(
        "pricing_position",
        "place of the first view of prices among the acts, 1 = first",
        unit="acts",
        missing_means=NO_PRICES,
        wording="meaning.position",
        about=("pricing",),
    ),
    _INTENT.number(
        "contents_before_pricing",
        "acts about content before the first view of prices",
        unit="acts",
        missing_means=NO_PRICES,
        wording="meaning.contents_before",
        about=("pricing",),
    ),
    _INTENT.number(
        "pricing_first",
        "1 if prices were looked at, and before any act about content, else 0",
        wording="meaning.first",
        about=("pricing",),
    ),
    _INTENT.number(
        "pricing_after_content",
        "1 if prices were looked at, and first after an act about content, else 0",
        wording="meaning.after_content",
        about=("pricing",),
    ),
)


class Journey(FeatureGroup):
    """First, last and second-last touch, touch sequences, the place of the first look at prices, gaps.

    Acts stand in the order of time; acts at the same moment in the order of type, channel and the rest, so
    that the order is total. A sequence is two or three acts side by side, named by their types as
    ``then_visit_form``; the most common ones at fit are counted over all time. Of two sequences that would
    bear one name the more common is counted. Types and channels beyond the most common at fit are the level
    ``other``, acts without a channel the level ``unknown``.

    Attributes
    ----------
    types_, channels_ : tuple of str
        Levels of the touches and of their channels, most common first.
    sequences_ : tuple of tuple of str
        Pairs and triples of event types with columns of their own.
    has_pricing_ : bool
        Whether any act was about prices.
    """

    name: ClassVar[str] = "journey"
    act_columns: ClassVar[tuple[str, ...]] = (
        "type", "channel", "seq", "gap_us", "type_1", "type_2", "meanings", "contents_before",
    )  # fmt: skip

    @classmethod
    def configured(cls, settings: Settings) -> Self:
        """Make the group, which has no settings; see :meth:`FeatureGroup.configured`."""
        del settings
        return cls()

    def fit(self, survey: Survey) -> Self:
        """Learn the common types, channels and sequences; see :meth:`FeatureGroup.fit`."""
        self.types_, self.channels_ = common_types(survey), common_channels(survey)
        self.sequences_ = _named_once(
            [*most_common(survey.pairs, MAX_SEQUENCES), *most_common(survey.triples, MAX_SEQUENCES)],
            {**survey.pairs, **survey.triples},
        )
        self.has_pricing_ = "pricing" in survey.meanings
        return self

    def specs(self) -> tuple[FeatureSpec, ...]:
        """Return what each column means; see :meth:`FeatureGroup.specs`."""
        if not self.types_:
            return ()
        return (
            *[_level(*touch) for touch in _TOUCHES],
            *([_level(*channel) for channel in _CHANNELS] if self.channels_ else ()),
            *_GAPS,
            *[_sequence(types) for types in self.sequences_],
            *(_PRICING if self.has_pricing_ else ()),
        )

    def columns(self, facts: Facts) -> list[pa.Array]:
        """Make the columns; see :meth:`FeatureGroup.columns`."""
        acts = facts.acts
        if not self.types_ or acts is None:
            return []
        return [
            *self._touches(acts),
            *(self._channels(acts) if self.channels_ else ()),
            *_gaps(acts),
            *self._counts_of_sequences(acts),
            *(_pricing_columns(acts) if self.has_pricing_ else ()),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return what was learnt; see :meth:`FeatureGroup.to_dict`."""
        return {
            "types": list(self.types_),
            "channels": list(self.channels_),
            "sequences": [list(types) for types in self.sequences_],
            "has_pricing": self.has_pricing_,
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Make the fitted group anew; see :meth:`FeatureGroup.from_dict`."""
        group = cls()
        group.types_, group.channels_ = tuple(state["types"]), tuple(state["channels"])
        group.sequences_ = tuple(tuple(types) for types in state["sequences"])
        group.has_pricing_ = bool(state["has_pricing"])
        return group

    def _touches(self, acts: KnownActs) -> list[pa.Array]:
        levels = (*self.types_, OTHER)
        code = numbered(acts.type_names, self.types_)
        found = (acts.at_first("type"), acts.at_last("type"), acts.at_last("type", back=1))
        return [_levels(np.append(code, NONE)[types], levels) for types in found]

    def _channels(self, acts: KnownActs) -> list[pa.Array]:
        levels = (*self.channels_, OTHER, UNKNOWN)
        code = channel_places(acts.channel_names, self.channels_)
        has_act = acts.total() > 0
        found = (acts.at_first("channel"), acts.at_last("channel"))
        return [_levels(np.where(has_act, code[channels], NONE), levels) for channels in found]

    def _counts_of_sequences(self, acts: KnownActs) -> list[pa.Array]:
        counts = [_occurrences(acts, self.sequences_, length) for length in (2, 3)]
        return [pa.array(block.astype(np.int32)) for blocks in counts for block in blocks]


def _named_once(
    sequences: list[tuple[str, ...]], counts: Mapping[tuple[str, ...], int]
) -> tuple[tuple[str, ...], ...]:
    """The sequences in their order, of those with one name the most common."""
    by_count = sorted(sequences, key=lambda types: (-counts[types], types))
    chosen: dict[str, tuple[str, ...]] = {}
    for types in by_count:
        chosen.setdefault(_sequence_name(types), types)
    return tuple(types for types in sequences if chosen[_sequence_name(types)] == types)


def _sequence_name(types: tuple[str, ...]) -> str:
    return "_".join(("then", *types)).lower()


def _occurrences(acts: KnownActs, sequences: tuple[tuple[str, ...], ...], length: int) -> NDArray[np.int64]:
    """How often each sequence of a length occurs in each row, shape (n_sequences, n_rows)."""
    wanted = [types for types in sequences if len(types) == length]
    types = sorted({name for sequence in wanted for name in sequence})
    # Types in no sequence, and "no act before", share the number after the last.
    code = np.append(numbered(acts.type_names, types), len(types))
    place = np.full((len(types) + 1,) * length, len(wanted))
    for i, sequence in enumerate(wanted):
        place[tuple(types.index(name) for name in sequence)] = i
    latest = [acts[column] for column in ("type_2", "type_1", "type")[-length:]]
    keys = place[tuple(code[numbers] for numbers in latest)]
    return acts.count(keys, len(wanted) + 1, ())[0, : len(wanted)]


def _gaps(acts: KnownActs) -> list[pa.Array]:
    later = acts.select(acts["seq"] > 1, ["gap_us"])
    n_gaps = later.total()
    journey_us = np.where(acts.total() > 0, acts.greatest(acts.age_us) - acts.least(acts.age_us), NONE)
    mean_days = journey_us / (np.maximum(n_gaps, 1) * DAY_US)
    return [
        pa.array(mean_days, mask=n_gaps == 0),
        days_or_null(later.least(later["gap_us"])),
        days_or_null(later.greatest(later["gap_us"])),
        days_or_null(acts.at_last("gap_us")),
        days_or_null(journey_us),
    ]


def _pricing_columns(acts: KnownActs) -> list[pa.Array]:
    priced = acts.select((acts["meanings"] & BITS["pricing"]) > 0, ["seq", "contents_before"])
    position = priced.least(priced["seq"])
    first = priced.select(priced["seq"] == position[priced.row])
    contents = first.greatest(first["contents_before"])
    return [
        number_or_null(position),
        number_or_null(contents),
        pa.array((contents == 0).astype(np.int32)),
        pa.array((contents > 0).astype(np.int32)),
    ]


def _levels(numbers: NDArray[np.int64], levels: tuple[str, ...]) -> pa.Array:
    """Names of the levels; null where the number is -1."""
    return pa.array(levels, pa.string()).take(pa.array(numbers, mask=numbers == NONE))


def number_or_null(values: NDArray[np.int64]) -> pa.Array:
    """Return whole numbers as float64; null where -1.

    Examples
    --------
    >>> number_or_null(np.array([3, -1])).to_pylist()
    [3.0, None]
    """
    return pa.array(values.astype(np.float64), mask=values == NONE)


def _level(name: str, what: str, wording: str) -> FeatureSpec:
    return FeatureSpec(
        name=name,
        kind=Kind.CATEGORICAL,
        family=Family.ENGAGEMENT,
        group=Journey.name,
        missing_means="no second act yet" if name == "second_last_touch" else NO_ACT,
        description=what,
        wording=wording,
    )


def _sequence(types: tuple[str, ...]) -> FeatureSpec:
    what = f"how often acts of the types {', then '.join(map(repr, types))} came side by side, ever"
    return _SPECS.number(_sequence_name(types), what, unit="times", wording="sequence.count", about=types)
