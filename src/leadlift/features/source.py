"""Source: how much more often leads of the same channel, campaign or page were won, as far as was known then.

The share won of a level rises and falls with that of all leads, so by itself it mostly tells the date, and
trees learn the seasons of the past from it; its lift over the share of all leads tells sources apart only.

The moments of one lead are not independent, so only the first fitted observation of each lead counts. It
counts from the midnight (UTC) after its label was known: so a table of levels and days holds all there is to
know, and training and scoring read the same table. At later moments of a lead its own label may be known and
is in the table too; it tells nothing, since every lead that is still open at as_of was not won before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.features import FeatureGroup, Settings
from leadlift.features.facts import Facts, Survey, most_common
from leadlift.features.known import DAY_US, numbered
from leadlift.features.lead_columns import as_feature
from leadlift.features.specs import Specs
from leadlift.terms import Family, FeatureSpec, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

PRIOR_LEADS = 20
"""So many leads won at the overall share are added to those of each level."""

MIN_LEADS = 5
"""Levels of fewer fitted leads share one history."""

MAX_LEVELS = 200
"""So do all but so many of the most common levels."""


class Source(FeatureGroup):
    """Lift of the share won of the same source over that of all leads, as known at as_of, smoothed.

    For each categorical column of family source with at least two levels of :data:`MIN_LEADS` leads,
    ``<column>_lift`` is ((w + k W / N) / (n + k)) / (W / N) = (w N + k W) / ((n + k) W): n leads of the
    level and w wins among them, N leads of all levels and W wins, of which the label was known before the day
    (UTC) of as_of, and k = :data:`PRIOR_LEADS`. The share of the level is the posterior mean under a beta
    prior of weight k (Micci-Barreca 2001, doi:10.1145/507533.507538). Missing values are a level of their
    own; rare and unseen ones share another.

    How many leads the lift rests on is no column: it grows with time, so it would tell the date.

    Parameters
    ----------
    source_columns : sequence of str
        Names of the columns.

    Attributes
    ----------
    histories_ : dict of str to WonHistory
        By column.
    """

    name: ClassVar[str] = "source"

    def __init__(self, source_columns: Sequence[str] = ()) -> None:
        self.source_columns = tuple(source_columns)

    @classmethod
    def configured(cls, settings: Settings) -> Self:
        """Make the group; see :meth:`FeatureGroup.configured`."""
        return cls(
            [
                spec.name
                for spec in settings.columns
                if spec.family is Family.SOURCE
                and spec.kind is Kind.CATEGORICAL
                and spec.name not in settings.text
            ]
        )

    def fit(self, survey: Survey) -> Self:
        """Learn when how many leads of each level were won; see :meth:`FeatureGroup.fit`.

        Without labels, or without the moments at which they were known, there is nothing to learn.
        """
        self.histories_ = {}
        if survey.converted is None or not _is_dated(survey).any():
            return self
        for name in self.source_columns:
            history = _history(survey, as_feature(survey.leads[name], Kind.CATEGORICAL))
            if len(history.levels) > 1 and len(history.n):
                self.histories_[name] = history
        return self

    def specs(self) -> tuple[FeatureSpec, ...]:
        """Return what each column means; see :meth:`FeatureGroup.specs`."""
        specs = Specs(self.name, Family.SOURCE)
        return tuple(
            specs.number(
                f"{name}_lift",
                f"share won among leads with the same {name!r}, smoothed, over that of all leads, both as "
                f"known at as_of",
                unit="times the overall share",
                missing_means="no win of any lead was known yet",
                wording="field.lift",
                about=(name,),
            )
            for name in self.histories_
        )

    def columns(self, facts: Facts) -> list[pa.Array]:
        """Make the columns; see :meth:`FeatureGroup.columns`."""
        day = _day(facts.as_of)
        return [
            history.lifts(as_feature(facts.leads[name], Kind.CATEGORICAL), day)
            for name, history in self.histories_.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return what was learnt; see :meth:`FeatureGroup.to_dict`."""
        return {name: history.to_dict() for name, history in self.histories_.items()}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Make the fitted group anew; see :meth:`FeatureGroup.from_dict`."""
        group = cls(state)
        group.histories_ = {name: WonHistory.from_dict(history) for name, history in state.items()}
        return group


@dataclass(frozen=True)
class WonHistory:
    """Leads and wins of each level whose labels were known by the end of each day.

    Rows are sorted by place, then by day; there is one where a label became known.

    Parameters
    ----------
    levels : tuple of str
        Their number is the place of a level; the one after the last is that of all other levels, then come
        missing values, then all leads.
    place, day, n, n_won : ndarray of int64, shape (n_known,)
        Day since 1970 (UTC), and leads and wins up to its end.
    """

    levels: tuple[str, ...]
    place: NDArray[np.int64]
    day: NDArray[np.int64]
    n: NDArray[np.int64]
    n_won: NDArray[np.int64]

    @classmethod
    def of(
        cls, levels: tuple[str, ...], level: pa.Array, day: NDArray[np.int64], is_won: NDArray[np.int8]
    ) -> Self:
        """Add up leads by level and day.

        Parameters
        ----------
        levels : tuple of str
            With a history of their own.
        level : pyarrow.Array of string, length n_leads
        day : ndarray of int64, shape (n_leads,)
            Day (UTC) on which the label was known.
        is_won : ndarray of int8, shape (n_leads,)

        Returns
        -------
        WonHistory
        """
        everyone = np.full(len(level), len(levels) + 2)
        rows = np.stack(
            [np.append(_places(level, levels), everyone), np.append(day, day), np.append(is_won, is_won)]
        ).astype(np.int64)
        (place, days), inverse = np.unique(rows[:2], axis=1, return_inverse=True)
        n = np.bincount(inverse, minlength=len(place))
        # bincount adds in float64, which is exact for integers below 2**53.
        n_won = np.bincount(inverse, rows[2], minlength=len(place)).astype(np.int64)
        return cls(levels, place, days, _added_up(n, place), _added_up(n_won, place))

    def lifts(self, level: pa.Array, day: NDArray[np.int64]) -> pa.Array:
        """Return the smoothed share won of each level over that of all leads, as known before a day.

        Parameters
        ----------
        level : pyarrow.Array of string, length n_rows
        day : ndarray of int64, shape (n_rows,)
            Day (UTC) of as_of.

        Returns
        -------
        pyarrow.Array of float64, length n_rows
            1 is the share of all leads; null where no win was known yet.
        """
        n, n_won = self._before(_places(level, self.levels), day)
        n_all, n_all_won = self._before(np.full(len(level), len(self.levels) + 2), day)
        is_unknown = n_all_won == 0
        # In whole numbers up to one division, so that it is rounded once.
        divisor = np.where(is_unknown, 1, (n + PRIOR_LEADS) * n_all_won)
        return pa.array((n_won * n_all + PRIOR_LEADS * n_all_won) / divisor, mask=is_unknown)

    def to_dict(self) -> dict[str, Any]:
        """Return all as JSON values."""
        columns = {name: getattr(self, name).tolist() for name in ("place", "day", "n", "n_won")}
        return {"levels": list(self.levels), **columns}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Make it anew from :meth:`to_dict`."""
        columns = [np.array(state[name], dtype=np.int64) for name in ("place", "day", "n", "n_won")]
        return cls(tuple(state["levels"]), *columns)

    def _before(
        self, place: NDArray[np.int64], day: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Leads and wins at places known on earlier days."""
        first, span = self.day.min(), np.ptp(self.day) + 2
        key = self.place * span + (self.day - first)
        wanted = place * span + (np.clip(day, first, first + span - 1) - first)
        row = np.searchsorted(key, wanted) - 1
        is_there = (row >= 0) & (self.place[row] == place)
        return np.where(is_there, self.n[row], 0), np.where(is_there, self.n_won[row], 0)


def _history(survey: Survey, level: pa.Array) -> WonHistory:
    rows = _first_rows(survey, level)
    counts = {item["values"]: item["counts"] for item in level.take(rows).value_counts().to_pylist()}
    common = {name: n for name, n in counts.items() if name is not None and n >= MIN_LEADS}
    dated = rows[_is_dated(survey)[rows]]
    known_on = _day(survey.label_known_at[dated])
    levels = most_common(common, MAX_LEVELS)
    return WonHistory.of(levels, level.take(dated), known_on, survey.converted[dated])


def _first_rows(survey: Survey, level: pa.Array) -> NDArray[np.int64]:
    """The first observation of each lead; where several tie, the same one whatever their order."""
    lead = np.arange(len(level)) if survey.lead is None else survey.lead
    tied = pc.rank(level, sort_keys="ascending", tiebreaker="dense").to_numpy()
    known_at = survey.label_known_at.astype(np.int64)
    order = np.lexsort((tied, survey.converted, known_at, survey.as_of.astype(np.int64), lead))
    return order[np.diff(lead[order], prepend=-1) != 0]


def _is_dated(survey: Survey) -> NDArray[np.bool_]:
    """Rows of which it is recorded when their label was known; that was never before as_of."""
    return survey.label_known_at > survey.as_of


def _places(level: pa.Array, levels: tuple[str, ...]) -> NDArray[np.int64]:
    """Place of each level, of others one past the last, of missing values two past it."""
    encoded = level.dictionary_encode()
    places = np.append(numbered(encoded.dictionary.to_pylist(), levels), len(levels) + 1)
    return places[encoded.indices.fill_null(len(places) - 1).to_numpy(zero_copy_only=False)]


def _day(moments: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Days since 1970 in UTC, rounded down."""
    return moments.astype("datetime64[us]").astype(np.int64) // DAY_US


def _added_up(counts: NDArray[np.int64], place: NDArray[np.int64]) -> NDArray[np.int64]:
    """Running totals within each place; places stand side by side."""
    total = np.cumsum(counts)
    first = np.flatnonzero(np.diff(place, prepend=-1))
    before = np.repeat((total - counts)[first], np.diff(np.append(first, len(place))))
    return total - before
