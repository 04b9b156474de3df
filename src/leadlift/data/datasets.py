"""A simulated CRM whose true conversion probabilities are known, so that promises can be tested.

How leads come about is told in ``docs/simulator.md``. The loaders of public logs
(:mod:`leadlift.data.public_logs`) can be had from here too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.public_logs import PublicLog, bpi2012, olist
from leadlift.data.simulation import (
    changes,
    columns,
    events,
    journeys,
    later_columns,
    population,
    sales_process,
)
from leadlift.data.simulation.levels import as_text
from leadlift.exceptions import ConfigError
from leadlift.terms import LEAD_ID

__all__ = ["PublicLog", "SimulatedLeads", "bpi2012", "make_leads", "olist"]

START = datetime(2024, 1, 1, tzinfo=UTC)
_STREAMS = ("population", "journeys", "sales_process", "profile", "form", "web", "later", "events", "history")


@dataclass(frozen=True)
class SimulatedLeads:
    """Leads, their events, and what only the simulator knows.

    Parameters
    ----------
    leads : pyarrow.Table
        One row a lead, as the CRM shows it at `known_until`; columns in ``docs/simulator.md``.
    events : pyarrow.Table
        `lead_id, occurred_at, event_type, channel, asset`, in no order; no row without events.
    history : pyarrow.Table
        Change log of fields, `lead_id, changed_at, field, value, old_value`, in no order; no row without
        events. See ``docs/simulator.md``.
    hidden : pyarrow.Table
        `lead_id, mode, fit, intent, win_log_odds` in the order of `leads`: what an oracle knows.
    process : SalesProcess
        Hidden rates, moments of contact and end of each lead, also after `known_until`.
    known_until : datetime
        Moment of the extract, UTC.
    horizon_days : float
        A lead converts when won within so many days of the moment of observation.
    """

    leads: pa.Table
    events: pa.Table
    history: pa.Table
    hidden: pa.Table
    process: sales_process.SalesProcess
    known_until: datetime
    horizon_days: float

    def true_probability(self, days_after_creation: float | np.ndarray = 0.0) -> np.ndarray:
        """Return each lead's true probability of being won within the horizon from a moment on.

        It is conditional on all hidden state at that moment: rates, and whether sales has made contact.

        Parameters
        ----------
        days_after_creation : float or ndarray of shape (n_leads,)
            Moment of observation, days >= 0 after the lead's creation.

        Returns
        -------
        ndarray of float64, shape (n_leads,)
            In [0, 1], aligned with `leads`; NaN where the lead has ended by that moment.

        Raises
        ------
        ConfigError
            A moment is negative or no number.

        Examples
        --------
        >>> simulated = make_leads(2_000, seed=1, base_rate=0.2)
        >>> round(float(simulated.true_probability().mean()), 6)
        0.2
        """
        return self.process.true_probability(_checked_days(days_after_creation), self.horizon_days)

    def converts(self, days_after_creation: float | np.ndarray = 0.0) -> np.ndarray:
        """Return which leads are in fact won within the horizon from a moment on, known yet or not.

        Parameters
        ----------
        days_after_creation : float or ndarray of shape (n_leads,)
            Moment of observation, days >= 0 after the lead's creation.

        Returns
        -------
        ndarray of bool, shape (n_leads,)
            False for leads that have ended by that moment.

        Raises
        ------
        ConfigError
            A moment is negative or no number.
        """
        closed_days = self.process.closed_after_seconds / sales_process.SECONDS_PER_DAY
        waited = closed_days - _checked_days(days_after_creation)
        return self.process.won & (waited > 0) & (waited <= self.horizon_days)

    @property
    def truth(self) -> pa.Table:
        """`lead_id` and `true_probability` (float64) at creation, in the order of `leads`."""
        return pa.table({LEAD_ID: self.leads[LEAD_ID], "true_probability": self.true_probability()})

    def split_new(self, days: float) -> tuple[pa.Table, pa.Table]:
        """Split the leads into a history to learn from and new ones to score.

        Parameters
        ----------
        days : float
            Leads created in the last so many days before `known_until` are new.

        Returns
        -------
        history : pyarrow.Table
            The earlier leads, all columns.
        new : pyarrow.Table
            The new leads without `outcome`, `closed_at` and the columns that sales writes later.
        """
        since = pa.scalar(self.known_until - timedelta(days=days), type=columns.TIMESTAMP)
        is_new = pc.greater_equal(self.leads["created_at"], since)
        new = self.leads.filter(is_new)
        return (
            self.leads.filter(pc.invert(is_new)),
            new.drop_columns(["outcome", "closed_at", *later_columns.LATER_COLUMNS]),
        )

    def save(self, folder: str | Path, *, new_days: float = 14.0) -> None:
        """Write the files of a user: leads, new leads, events, the change log, and the truth.

        ``leads.csv``, ``new_leads.csv``, ``events.parquet``, ``history.parquet``, ``truth.parquet``. Events
        and changes are those of all leads.

        Parameters
        ----------
        folder : str or Path
            Made where it does not exist; files of these names in it are replaced.
        new_days : float
            Leads created in the last so many days go into ``new_leads.csv`` only; see :meth:`split_new`.

        Raises
        ------
        OSError
            The folder or a file cannot be written.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        earlier, new = self.split_new(new_days)
        _write_csv(earlier, folder / "leads.csv")
        _write_csv(new, folder / "new_leads.csv")
        _write_parquet(self.events, folder / "events.parquet")
        _write_parquet(self.history, folder / "history.parquet")
        _write_parquet(self.truth, folder / "truth.parquet")


def make_leads(
    n: int = 20_000,
    seed: int = 0,
    *,
    start: datetime = START,
    history_days: float = 900.0,
    horizon_days: float = 60.0,
    base_rate: float = 0.12,
    drift: float = 1.4,
    turns_between: tuple[float, float] | None = None,
    with_events: bool = True,
) -> SimulatedLeads:
    """Simulate a CRM: leads, their behaviour, sales contact, wins and losses, and the true probabilities.

    Parameters
    ----------
    n : int
        Number of leads, >= 1.
    seed : int
        Seed >= 0. The same arguments give the same tables.
    start : datetime
        First moment of the history, with a time zone.
    history_days : float
        Days > 0 over which leads are created; the extract (`known_until`) is taken at their end.
    horizon_days : float
        Days > 0 within which a lead must be won to count as converted.
    base_rate : float
        Mean true probability of converting within the horizon from creation, in (0, 1).
    drift : float
        Factor > 0 by which the odds of winning an equal lead change from the start to the end.
    turns_between : tuple of float, optional
        Days of the history, the first before the last, between which the market turns, evenly: buyers and
        price shoppers exchange their intent, so that what an old model learnt of behaviour becomes wrong.
        None: it never turns.
    with_events : bool
        False leaves the events and the change log out; leads and truth stay the same and come faster.

    Returns
    -------
    SimulatedLeads

    Raises
    ------
    ConfigError
        An argument is out of its range, or the base rate cannot be reached within the horizon.

    Notes
    -----
    Hidden fit and intent drive both what is seen and the rates of winning and losing (competing
    exponential times after an exponential wait for contact), so the truth has a closed form; see
    :func:`leadlift.data.simulation.sales_process.probability_won_within`.

    Examples
    --------
    >>> simulated = make_leads(1_000, seed=7)
    >>> simulated.leads.num_rows, simulated.leads["lead_id"][0].as_py()
    (1000, 'L0000001')
    >>> sorted(set(simulated.leads["outcome"].to_pylist()))
    ['lost', 'open', 'won']
    """
    _check_arguments(n, seed, start, history_days, horizon_days, base_rate, drift)
    _check_turn(turns_between)
    start = start.astimezone(UTC).replace(microsecond=0)
    known_until_second = math.floor(history_days * sales_process.SECONDS_PER_DAY)
    rng = _streams(seed)
    people = population.draw_population(rng["population"], n, history_days, turns_between)
    acts = journeys.draw_journeys(rng["journeys"], people)
    process = sales_process.draw_sales_process(
        rng["sales_process"],
        log_odds=population.win_log_odds(people, drift),
        end_per_day=population.end_per_day(people),
        contact_per_day=population.contact_per_day(people),
        horizon_days=horizon_days,
        base_rate=base_rate,
    )
    known = later_columns.known_outcomes(people, process, known_until_second)
    leads = _lead_table(rng, people, acts, known, start)
    lead_id = _column(leads, LEAD_ID)
    behaviour, history = events.no_events(), changes.no_changes()
    if with_events:
        behaviour = events.draw_events(
            rng["events"], population=people, journeys=acts, known=known, lead_id=lead_id, start=start
        )
        history = changes.draw_changes(
            rng["history"],
            population=people,
            known=known,
            sales_stage=_column(leads, "sales_stage"),
            lead_id=lead_id,
            start=start,
        )
    return SimulatedLeads(
        leads=leads,
        events=behaviour,
        history=history,
        hidden=_hidden_table(lead_id, people, process),
        process=process,
        known_until=start + timedelta(seconds=known_until_second),
        horizon_days=horizon_days,
    )


def _lead_table(
    rng: dict[str, np.random.Generator],
    people: population.Population,
    acts: journeys.Journeys,
    known: later_columns.KnownOutcomes,
    start: datetime,
) -> pa.Table:
    """All columns of the CRM, what sales writes later at the end."""
    return pa.table(
        {
            **columns.identity_columns(people, start),
            **later_columns.outcome_columns(known, start),
            **columns.profile_columns(rng["profile"], people),
            **columns.form_columns(rng["form"], people),
            **columns.journey_columns(rng["web"], people, acts),
            **later_columns.later_columns(rng["later"], people, known),
        }
    )


def _check_arguments(
    n: int,
    seed: int,
    start: datetime,
    history_days: float,
    horizon_days: float,
    base_rate: float,
    drift: float,
) -> None:
    """Raise ConfigError for the first argument out of its range."""
    rules = [
        ("n", n, "an integer >= 1", isinstance(n, int | np.integer) and n >= 1),
        ("seed", seed, "an integer >= 0", isinstance(seed, int | np.integer) and seed >= 0),
        ("start", start, "a datetime with a time zone", start.tzinfo is not None),
        ("history_days", history_days, "a number > 0", 0 < history_days < math.inf),
        ("horizon_days", horizon_days, "a number > 0", 0 < horizon_days < math.inf),
        ("base_rate", base_rate, "a number between 0 and 1, ends excluded", 0 < base_rate < 1),
        ("drift", drift, "a factor > 0", 0 < drift < math.inf),
    ]
    for name, value, expected, holds in rules:
        if not holds:
            msg = f"make_leads: {name} must be {expected}; got {value!r}"
            raise ConfigError(msg)


def _check_turn(turns_between: tuple[float, float] | None) -> None:
    if turns_between is not None and not -math.inf < turns_between[0] < turns_between[1] < math.inf:
        msg = f"make_leads: turns_between must be two days, the first before the last; got {turns_between!r}"
        raise ConfigError(msg)


def _checked_days(days_after_creation: float | np.ndarray) -> np.ndarray:
    """Return the moments as float64, refusing those before creation."""
    days = np.asarray(days_after_creation, dtype=np.float64)
    wrong = ~(days >= 0)
    if wrong.any():
        msg = f"days_after_creation must be numbers >= 0; got {wrong.sum()} others, such as {days[wrong][0]}"
        raise ConfigError(msg)
    return days


def _streams(seed: int) -> dict[str, np.random.Generator]:
    """One generator a part, so that leaving a part out does not change the others."""
    children = np.random.SeedSequence(seed).spawn(len(_STREAMS))
    return {name: np.random.default_rng(child) for name, child in zip(_STREAMS, children, strict=True)}


def _hidden_table(
    lead_id: pa.Array, people: population.Population, process: sales_process.SalesProcess
) -> pa.Table:
    """What an oracle knows of each lead."""
    return pa.table(
        {
            LEAD_ID: lead_id,
            "mode": as_text(population.MODES, people.mode),
            "fit": people.fit,
            "intent": people.intent,
            "win_log_odds": np.log(process.win_per_day / process.loss_per_day),
        }
    )


def _column(table: pa.Table, name: str) -> pa.Array:
    """A column as one array."""
    return table[name].combine_chunks()


def _write_csv(table: pa.Table, path: Path) -> None:
    """Write a CSV with ISO 8601 moments in UTC and empty cells for nulls."""
    from pyarrow import csv

    for index, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            table = table.set_column(index, field.name, _iso_text(table[field.name]))
    csv.write_csv(table, path)


def _iso_text(moments: pa.ChunkedArray) -> pa.ChunkedArray:
    """Moments of whole seconds as ``2024-01-31T09:30:00Z``."""
    text = moments.cast(pa.timestamp("s", tz="UTC")).cast(pa.string())
    return pc.replace_substring(text, " ", "T")


def _write_parquet(table: pa.Table, path: Path) -> None:
    """Write a Parquet file."""
    from pyarrow import parquet

    parquet.write_table(table, path)
