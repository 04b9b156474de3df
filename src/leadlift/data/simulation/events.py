"""The table of behaviour events: acts before the form, the form, acts after it, sales calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa

from leadlift.data.simulation.columns import TIMESTAMP, timestamps
from leadlift.data.simulation.journeys import LANDING_PAGES, PAGES, PLACE_EXPONENTS, Journeys
from leadlift.data.simulation.later_columns import KnownOutcomes
from leadlift.data.simulation.levels import as_text
from leadlift.data.simulation.population import Population
from leadlift.data.simulation.sales_process import SECONDS_PER_DAY
from leadlift.terms import LEAD_ID

EVENT_SCHEMA = pa.schema(
    [
        (LEAD_ID, pa.string()),
        ("occurred_at", TIMESTAMP),
        ("event_type", pa.string()),
        ("channel", pa.string()),
        ("asset", pa.string()),
    ]
)
_INTEREST_DAYS = 25.0
_FOLLOW_UP_CALLS_PER_DAY = 0.08

Act = tuple[str, str | None, str | None]
_VISIT: Act = ("visit", "web", None)
_DOWNLOAD: Act = ("download", "web", "e-book")
_SALES_CALL: Act = ("sales_call", "phone", None)


@dataclass(frozen=True)
class _Habit:
    """An act after the form: its rate fades with time and depends on what nobody sees."""

    act: Act
    per_day: float
    by_intent: float
    by_mode: tuple[float, float, float] = (1.0, 1.0, 1.0)
    needs_opt_in: bool = False


# Rates per day on the day of the form; factors for buyer, reader, price shopper.
_HABITS = (
    _Habit(_VISIT, 0.060, 0.25, (1.0, 1.0, 0.6)),
    _Habit(("visit", None, None), 0.015, 0.25, (1.0, 1.0, 0.6)),
    _Habit(("page_view", "web", "product"), 0.035, 0.25),
    _Habit(("page_view", "web", "blog"), 0.045, 0.0, (0.7, 2.0, 0.3)),
    _Habit(("page_view", "web", "case_study"), 0.020, 0.40, (2.0, 0.7, 0.2)),
    _Habit(("page_view", "web", "pricing"), 0.020, 0.40, (1.2, 0.4, 1.2)),
    _Habit(_DOWNLOAD, 0.010, 0.0, (1.0, 2.0, 0.3)),
    _Habit(("download", "web", "price list"), 0.006, 0.40, (1.2, 0.3, 1.5)),
    _Habit(("email_open", "email", "newsletter"), 0.060, 0.15, (1.0, 1.2, 0.6), needs_opt_in=True),
    _Habit(("email_click", "email", "newsletter"), 0.015, 0.35, (1.2, 1.2, 0.5), needs_opt_in=True),
    _Habit(("email_reply", "email", "sales mail"), 0.005, 0.80),
    _Habit(("webinar", "event", "product tour"), 0.005, 0.30, (1.3, 1.4, 0.2)),
    _Habit(("demo", "web", "self-guided"), 0.006, 0.80, (1.5, 0.4, 0.6)),
    _Habit(("quote_request", "web", "quote form"), 0.004, 0.90, (1.4, 0.2, 1.2)),
)


@dataclass
class _Diary:
    """Batches of acts, written down lead by lead and joined at the end."""

    acts: list[Act] = field(default_factory=list)
    leads: list[np.ndarray] = field(default_factory=list)
    seconds: list[np.ndarray] = field(default_factory=list)

    def write(self, act: Act, leads: np.ndarray, seconds: np.ndarray) -> None:
        self.acts.append(act)
        self.leads.append(leads.astype(np.int32))
        self.seconds.append(seconds)

    def table(self, rng: np.random.Generator, lead_id: pa.Array, start: datetime) -> pa.Table:
        order = rng.permutation(sum(map(len, self.leads)))
        batch = np.repeat(np.arange(len(self.acts)), [len(leads) for leads in self.leads])[order]
        columns = [
            lead_id.take(pa.array(np.concatenate(self.leads)[order])),
            timestamps(start, np.concatenate(self.seconds)[order]),
            *(as_text(texts, batch) for texts in zip(*self.acts, strict=True)),
        ]
        return pa.table(columns, schema=EVENT_SCHEMA)


def draw_events(
    rng: np.random.Generator,
    *,
    population: Population,
    journeys: Journeys,
    known: KnownOutcomes,
    lead_id: pa.Array,
    start: datetime,
) -> pa.Table:
    """Draw the behaviour events of all leads up to their end or the extract, in no order.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all draws.
    population, journeys, known : Population, Journeys, KnownOutcomes
        The leads, what they did before the form, how they stand at the extract.
    lead_id : pyarrow.StringArray of length n
        Their ids.
    start : datetime
        Start of the history.

    Returns
    -------
    pyarrow.Table
        `lead_id`, `occurred_at` (timestamp[us, UTC]), `event_type`, `channel` (null where unknown),
        `asset` (null where there is none). Before the form the counts are those of the columns of
        the leads; the form stands exactly at `created_at`; nothing stands at or after `closed_at`
        or the extract.
    """
    diary = _Diary()
    _write_acts_before_form(diary, rng, population, journeys)
    _write_forms(diary, population, journeys)
    _write_acts_after_form(diary, rng, population, known)
    _write_sales_calls(diary, rng, known)
    return diary.table(rng, lead_id, start)


def no_events() -> pa.Table:
    """Return an event table with the right columns and no row."""
    return EVENT_SCHEMA.empty_table()


def _write_acts_before_form(
    diary: _Diary, rng: np.random.Generator, population: Population, journeys: Journeys
) -> None:
    """Put a time to each counted act; the first visit opens the journey, the first page follows it."""
    first = np.flatnonzero(population.has_web_history)
    opened = population.created_second - journeys.seconds_to_form
    diary.write(_VISIT, first, opened[first])
    even = np.ones(len(opened))

    def write(act: Act, counts: np.ndarray, exponents: np.ndarray) -> None:
        lead = np.repeat(np.arange(len(counts)), counts)
        place = rng.random(len(lead)) ** exponents[lead]
        # From the third second of the journey to the last before the form.
        seconds = opened[lead] + 2 + np.floor(place * (journeys.seconds_to_form[lead] - 2)).astype(np.int64)
        diary.write(act, lead, seconds)

    write(_VISIT, (journeys.visits - 1).clip(min=0), even)
    write(_DOWNLOAD, journeys.downloads, even)
    for page, name in enumerate(PAGES):
        act = ("page_view", "web", name)
        is_first = first[journeys.first_page[first] == page]
        diary.write(act, is_first, opened[is_first] + 1)
        later = journeys.views[:, page].copy()
        later[is_first] -= 1
        write(act, later, PLACE_EXPONENTS[population.mode, page])


def _write_forms(diary: _Diary, population: Population, journeys: Journeys) -> None:
    """The form, sent at the moment of creation."""
    for page, name in enumerate(LANDING_PAGES):
        leads = np.flatnonzero(population.has_web_history & (journeys.landing_page == page))
        diary.write(("form", "web", name), leads, population.created_second[leads])


def _write_acts_after_form(
    diary: _Diary, rng: np.random.Generator, population: Population, known: KnownOutcomes
) -> None:
    """Poisson processes with rate per_day * exp(by_intent * intent) * by_mode * busy * exp(-t / 25 days)."""
    end = np.minimum(known.closed_second, known.known_until_second)
    days_alive = (end - population.created_second) / SECONDS_PER_DAY
    seen_share = -np.expm1(-days_alive / _INTEREST_DAYS)
    busy = np.exp(rng.normal(0.0, 0.5, len(end)))
    for habit in _HABITS:
        rate = habit.per_day * np.array(habit.by_mode)[population.mode]
        mean = rate * np.exp(habit.by_intent * population.intent) * busy * _INTEREST_DAYS * seen_share
        if habit.needs_opt_in:
            mean = mean * population.email_opt_in
        lead = np.repeat(np.arange(len(end)), rng.poisson(mean))
        days = -_INTEREST_DAYS * np.log1p(-rng.random(len(lead)) * seen_share[lead])
        _write_between(diary, habit.act, lead, population.created_second[lead], days, end)


def _write_sales_calls(diary: _Diary, rng: np.random.Generator, known: KnownOutcomes) -> None:
    """The first contact, and calls at an even rate from then on."""
    end = np.minimum(known.closed_second, known.known_until_second)
    contacted = np.flatnonzero(known.contacted_second < end)
    diary.write(_SALES_CALL, contacted, known.contacted_second[contacted])
    days_worked = (end - known.contacted_second)[contacted] / SECONDS_PER_DAY
    calls = rng.poisson(_FOLLOW_UP_CALLS_PER_DAY * days_worked)
    days = rng.random(calls.sum()) * np.repeat(days_worked, calls)
    lead = np.repeat(contacted, calls)
    _write_between(diary, _SALES_CALL, lead, known.contacted_second[lead], days, end)


def _write_between(
    diary: _Diary, act: Act, lead: np.ndarray, from_second: np.ndarray, days: np.ndarray, end: np.ndarray
) -> None:
    """Write acts so many days after a moment, less those that rounding to seconds puts at the end."""
    seconds = from_second + np.ceil(days * SECONDS_PER_DAY).astype(np.int64)
    before_end = seconds < end[lead]
    diary.write(act, lead[before_end], seconds[before_end])
