"""The change log of the CRM: whose stage, owner and rating became what, and when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa

from leadlift.data.history import HISTORY_COLUMNS
from leadlift.data.simulation.columns import timestamps
from leadlift.data.simulation.later_columns import STAGES, KnownOutcomes
from leadlift.data.simulation.levels import as_text
from leadlift.data.simulation.population import Population
from leadlift.data.simulation.sales_process import SECONDS_PER_DAY

FIELDS = ("sales_stage", "lead_owner", "rating")
_STAGE, _OWNER, _RATING = range(len(FIELDS))

_OWNERS = ("queue", "sales development", "account executive")
_RATINGS = ("unrated", "cold", "warm", "hot")
_VALUES = (*STAGES, *_OWNERS, *_RATINGS)
_NEW, _CONTACTED = _VALUES.index("new"), _VALUES.index("contacted")
_QUEUE, _DEVELOPMENT, _EXECUTIVE = map(_VALUES.index, _OWNERS)
_UNRATED, _COLD, _, _ = map(_VALUES.index, _RATINGS)

_DAYS_TO_HAND_OVER = 20.0
_HOURS_TO_FIRST_RATING = 1.0
_DAYS_TO_SECOND_RATING = 14.0
# What sales takes for intent is intent with an error, which is smaller the second time.
_FIRST_ERROR, _SECOND_ERROR = 1.5, 0.8
_WARM_FROM, _HOT_FROM = -0.5, 1.0


@dataclass
class _Log:
    """Batches of changes, written down field by field and joined at the end."""

    fields: list[np.ndarray] = field(default_factory=list)
    leads: list[np.ndarray] = field(default_factory=list)
    seconds: list[np.ndarray] = field(default_factory=list)
    values: list[np.ndarray] = field(default_factory=list)

    def write(
        self, field_code: int, leads: np.ndarray, seconds: np.ndarray, values: np.ndarray | int
    ) -> None:
        """Write what became of a field of some leads; `seconds` and array `values` are by lead."""
        self.fields.append(np.full(len(leads), field_code))
        self.leads.append(leads)
        self.seconds.append(seconds[leads])
        self.values.append(np.broadcast_to(values, len(seconds))[leads])

    def table(self, rng: np.random.Generator, lead_id: pa.Array, start: datetime) -> pa.Table:
        parts = (self.fields, self.leads, self.seconds, self.values)
        fields, leads, seconds, values = (np.concatenate(part) for part in parts)
        order = np.lexsort((seconds, fields, leads))
        fields, leads, seconds, values = fields[order], leads[order], seconds[order], values[order]
        is_first = np.ones(len(leads), dtype=bool)
        is_first[1:] = (leads[1:] != leads[:-1]) | (fields[1:] != fields[:-1])
        columns = [
            lead_id.take(pa.array(leads)),
            timestamps(start, seconds),
            as_text(FIELDS, fields),
            as_text(_VALUES, values),
            as_text(_VALUES, np.roll(values, 1), is_first),
        ]
        changed = is_first | (values != np.roll(values, 1))
        rows = rng.permutation(np.flatnonzero(changed))
        return pa.table(columns, schema=HISTORY_COLUMNS).take(pa.array(rows))


def draw_changes(
    rng: np.random.Generator,
    *,
    population: Population,
    known: KnownOutcomes,
    sales_stage: pa.Array,
    lead_id: pa.Array,
    start: datetime,
) -> pa.Table:
    """Draw the change log of three fields up to each lead's end or the extract, in no order.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all draws.
    population, known : Population, KnownOutcomes
        The leads, and how they stand at the extract.
    sales_stage : pyarrow.StringArray of length n
        Stage at the extract, as the table of leads shows it.
    lead_id : pyarrow.StringArray of length n
        Their ids.
    start : datetime
        Start of the history.

    Returns
    -------
    pyarrow.Table
        Columns :data:`leadlift.data.history.HISTORY_COLUMNS`. Each field of each lead begins with a row at
        `created_at`, whose `old_value` is null. ``sales_stage`` ends as in the table of leads;
        ``lead_owner`` and ``rating`` stand in the log only. Nothing stands after the extract, and at the
        close only the stage's last change.
    """
    log = _Log()
    everyone = np.arange(len(known.code))
    for field_code, value in ((_STAGE, _NEW), (_OWNER, _QUEUE), (_RATING, _UNRATED)):
        log.write(field_code, everyone, population.created_second, value)
    _write_stages(log, known, sales_stage)
    _write_owners(log, rng, population, known)
    _write_ratings(log, rng, population, known)
    return log.table(rng, lead_id, start)


def no_changes() -> pa.Table:
    """Return a change log with the right columns and no row."""
    return HISTORY_COLUMNS.empty_table()


def _write_stages(log: _Log, known: KnownOutcomes, sales_stage: pa.Array) -> None:
    """Contact, and for closed leads whose stage somebody updated, what the table says."""
    contacted = np.flatnonzero(known.contacted_second <= known.known_until_second)
    log.write(_STAGE, contacted, known.contacted_second, _CONTACTED)
    stage = _codes(sales_stage)
    closed = np.flatnonzero((stage != _NEW) & (stage != _CONTACTED))
    log.write(_STAGE, closed, known.closed_second, stage)


def _write_owners(log: _Log, rng: np.random.Generator, population: Population, known: KnownOutcomes) -> None:
    """Sales development calls first and hands over after an exponential time, sooner with intent."""
    days = rng.standard_exponential(len(known.code)) * _DAYS_TO_HAND_OVER * np.exp(-0.5 * population.intent)
    handed_over = known.contacted_second + _whole_seconds(days)
    log.write(_OWNER, _alive_at(known, known.contacted_second), known.contacted_second, _DEVELOPMENT)
    log.write(_OWNER, _alive_at(known, handed_over), handed_over, _EXECUTIVE)


def _write_ratings(log: _Log, rng: np.random.Generator, population: Population, known: KnownOutcomes) -> None:
    """What sales thinks of the intent after the first call and again later."""
    n = len(known.code)
    first = known.contacted_second + _whole_seconds(rng.standard_exponential(n) * _HOURS_TO_FIRST_RATING / 24)
    second = first + _whole_seconds(rng.standard_exponential(n) * _DAYS_TO_SECOND_RATING)
    for seconds, error in ((first, _FIRST_ERROR), (second, _SECOND_ERROR)):
        impression = population.intent + error * rng.standard_normal(n)
        rating = _COLD + (impression > _WARM_FROM).astype(np.int64) + (impression > _HOT_FROM)
        log.write(_RATING, _alive_at(known, seconds), seconds, rating)


def _alive_at(known: KnownOutcomes, seconds: np.ndarray) -> np.ndarray:
    """Leads for which the moment lies before their end and the extract."""
    return np.flatnonzero(seconds < np.minimum(known.closed_second, known.known_until_second))


def _whole_seconds(days: np.ndarray) -> np.ndarray:
    return np.ceil(days * SECONDS_PER_DAY).astype(np.int64).clip(min=1)


def _codes(texts: pa.Array) -> np.ndarray:
    """The place of each text among the values."""
    encoded = texts.dictionary_encode()
    places = np.array([_VALUES.index(text) for text in encoded.dictionary.to_pylist()])
    return places[encoded.indices.to_numpy()]
