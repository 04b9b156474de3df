"""Two public logs of real leads as house tables: loan applications of a bank, sellers won by a marketplace.

The files are read from a folder of the user's; none comes with the package, and nothing is downloaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config import DataConfig
from leadlift.data.dates import parse_dates
from leadlift.data.events import EVENT_COLUMNS
from leadlift.data.sources import open_source
from leadlift.data.values import is_text
from leadlift.exceptions import SchemaError, shorten
from leadlift.terms import LEAD_ID, Outcome

BPI2012_OUTCOME_EVENTS = (
    "A_APPROVED",
    "A_REGISTERED",
    "A_ACTIVATED",
    "A_DECLINED",
    "A_CANCELLED",
    "O_ACCEPTED",
    "O_DECLINED",
)
"""Events that are the end of an application, or come with it."""

_BPI2012_OUTCOMES = {
    "approved": Outcome.WON,
    "declined": Outcome.LOST,
    "cancelled": Outcome.LOST,
    "open": Outcome.OPEN,
}


@dataclass(frozen=True)
class PublicLog:
    """A public set of leads in house columns.

    Parameters
    ----------
    leads : pyarrow.Table
        One row a lead: `lead_id` (string), `created_at` and `closed_at` (timestamp us UTC; the latter null
        where nothing is known to have ended), `outcome` ("won", "lost" or "open"), and what was known at
        creation.
    events : pyarrow.Table
        Columns :data:`leadlift.data.events.EVENT_COLUMNS`; no row where the set has no events.
    known_until : datetime
        Outcomes are known up to this moment, UTC.
    notes : tuple of str
        What was decided or left out on the way, with counts.
    """

    leads: pa.Table
    events: pa.Table
    known_until: datetime
    notes: tuple[str, ...]


def bpi2012(folder: str | Path) -> PublicLog:
    """Load the loan applications of the BPI Challenge 2012 and the events of their handling.

    An application is won when the bank approves it, and lost when the bank declines or the customer cancels
    it. Many are declined within minutes by a rule, so observe them later in life (``at_days=[1]``).

    Parameters
    ----------
    folder : str or Path
        With ``cases.csv`` (`case_id`, `reg_date`, `amount_req`, `outcome`, `outcome_at`) and
        ``events.parquet`` (`case_id`, `activity`, `lifecycle`, `resource`, `timestamp`).

    Returns
    -------
    PublicLog
        Leads with `amount_req` (float64, euro). `event_type` of a step of the application (``A_``) or the
        offer (``O_``) is its activity; that of work on it (``W_``) has the step of the work item's life
        behind a slash, as in ``W_Nabellen offertes/START``. `asset` is the number of the employee, or of the
        machine, that did it. `known_until` is the moment of the last event.

    Raises
    ------
    InputError
        A file is missing or damaged.
    SchemaError
        A column is missing, a date cannot be read, or an outcome is none of the set's four words.

    Notes
    -----
    Source: van Dongen (2012), BPI Challenge 2012, Eindhoven University of Technology,
    doi:10.4121/uuid:3926db30-f712-4394-aebc-75976070e91f. An application ends with `A_APPROVED`,
    `A_DECLINED` or `A_CANCELLED`, which each has at most once. Left out are all events of
    :data:`BPI2012_OUTCOME_EVENTS`: those three, and what is logged within a second of them.
    """
    cases = _read(folder, "cases.csv", ("case_id", "reg_date", "amount_req", "outcome", "outcome_at"))
    log = _read(folder, "events.parquet", ("case_id", "activity", "lifecycle", "resource", "timestamp"))
    leads = pa.table(
        {
            LEAD_ID: cases["case_id"].cast(pa.string()),
            "created_at": _moments(cases, "reg_date"),
            "closed_at": _moments(cases, "outcome_at"),
            "outcome": _bpi2012_outcomes(cases["outcome"]),
            "amount_req": cases["amount_req"].cast(pa.float64()),
        }
    )
    is_outcome = pc.is_in(log["activity"], pa.array(BPI2012_OUTCOME_EVENTS))
    n_outcome = pc.sum(is_outcome).as_py() or 0
    kinds = ", ".join(BPI2012_OUTCOME_EVENTS)
    return PublicLog(
        leads=leads,
        events=_bpi2012_events(log.filter(pc.invert(is_outcome))),
        known_until=pc.max(log["timestamp"]).as_py().astimezone(UTC),
        notes=(f"{n_outcome:,} events that are or go with the outcome are left out: {kinds}.",),
    )


def olist(folder: str | Path) -> PublicLog:
    """Load the marketing-qualified leads of Olist and which of them became sellers.

    Parameters
    ----------
    folder : str or Path
        With ``olist_marketing_qualified_leads_dataset.csv`` (`mql_id`, `first_contact_date`,
        `landing_page_id`, `origin`) and ``olist_closed_deals_dataset.csv`` (`mql_id`, `won_date`).

    Returns
    -------
    PublicLog
        Leads with `landing_page` and `source` (strings; `source` null or ``unknown`` as in the file), and
        without events. No other column of the deals is taken: all of them exist for winners only.

    Raises
    ------
    InputError
        A file is missing or damaged.
    SchemaError
        A column is missing, a date cannot be read, or a deal's lead stands twice.

    Notes
    -----
    Source: Olist (2018), "Marketing Funnel by Olist". Decisions:

    - Losses are not recorded, so all that are not won stay open, and `closed_at` is that of wins only.
    - Outcomes are known until the last deal, 2018-11-14: the deals go on for months after the last lead came
      (2018-05-31), so every lead is mature for horizons up to 160 days.
    - Deals begin on 2017-12-05, leads in June 2017. Whether none was won before or none recorded, nobody
      says; the leads of 2017 hardly ever convert within 90 days, so a model of them learns little.
    - The first contact is a day, taken as its midnight in UTC; the moment of a deal, in local time without a
      zone, is taken as UTC too. A deal dated before its lead's contact counts as closed at creation.
    """
    contacts = _read(
        folder,
        "olist_marketing_qualified_leads_dataset.csv",
        ("mql_id", "first_contact_date", "landing_page_id", "origin"),
    )
    deals = _read(folder, "olist_closed_deals_dataset.csv", ("mql_id", "won_date"))
    won_at, lead_id = _moments(deals, "won_date"), contacts["mql_id"]
    deal = pc.index_in(lead_id, _unique(deals, "mql_id"))
    created_at, closed_at = _moments(contacts, "first_contact_date"), won_at.take(deal)
    is_won = pc.is_valid(deal)
    leads = pa.table(
        {
            LEAD_ID: lead_id,
            "created_at": created_at,
            "closed_at": closed_at,
            "outcome": pc.if_else(is_won, Outcome.WON.value, Outcome.OPEN.value),
            "landing_page": contacts["landing_page_id"],
            "source": pc.if_else(pc.equal(contacts["origin"], ""), None, contacts["origin"]),
        }
    )
    return PublicLog(
        leads=leads,
        events=EVENT_COLUMNS.empty_table(),
        known_until=pc.max(won_at).as_py().astimezone(UTC),
        notes=_olist_notes(leads, won_at),
    )


def _bpi2012_outcomes(words: pa.ChunkedArray) -> pa.ChunkedArray:
    """The set's words for the end in the house's."""
    known = pa.array(list(_BPI2012_OUTCOMES))
    unknown = pc.unique(words.filter(pc.invert(pc.is_in(words, known)))).to_pylist()
    if unknown:
        msg = (
            f"outcome must be one of {', '.join(_BPI2012_OUTCOMES)}; got {shorten(sorted(map(str, unknown)))}"
        )
        raise SchemaError(msg)
    return pa.array([outcome.value for outcome in _BPI2012_OUTCOMES.values()]).take(pc.index_in(words, known))


def _bpi2012_events(log: pa.Table) -> pa.Table:
    """The log in house columns."""
    activity = log["activity"]
    of_work_item = pc.binary_join_element_wise(activity, log["lifecycle"], "/")
    found = {
        LEAD_ID: log["case_id"].cast(pa.string()),
        "occurred_at": _moments(log, "timestamp"),
        "event_type": pc.if_else(pc.starts_with(activity, "W_"), of_work_item, activity),
        "asset": log["resource"],
    }
    nothing = {
        field.name: pa.nulls(log.num_rows, field.type) for field in EVENT_COLUMNS if field.name not in found
    }
    return pa.table({**found, **nothing}).select(EVENT_COLUMNS.names).cast(EVENT_COLUMNS)


def _olist_notes(leads: pa.Table, won_at: pa.ChunkedArray) -> tuple[str, ...]:
    first_deal = pc.min(won_at)
    before = pc.sum(pc.less(leads["created_at"], first_deal)).as_py()
    not_after = pc.sum(pc.less_equal(leads["closed_at"], leads["created_at"])).as_py() or 0
    return (
        "Losses are not recorded: all that are not won are open.",
        f"Leads that came before the first recorded deal of {first_deal.as_py():%Y-%m-%d}: {before:,}.",
        f"Deals dated at or before their lead's first contact: {not_after:,}.",
    )


def _read(folder: str | Path, name: str, columns: tuple[str, ...]) -> pa.Table:
    """Some columns of a file, whole."""
    path = str(Path(folder) / name)
    source = open_source(path, None, DataConfig(leads=path))
    table = pa.Table.from_batches(source.batches(columns), source.selected_schema(columns))
    plain = [
        pa.field(field.name, pa.string() if is_text(field.type) else field.type) for field in table.schema
    ]
    return table.cast(pa.schema(plain))


def _moments(table: pa.Table, name: str) -> pa.ChunkedArray:
    """A column as moments in UTC; empty cells are null."""
    moments, is_bad = parse_dates(table[name])
    if pc.any(is_bad).as_py():
        bad = table[name].filter(is_bad).to_pylist()
        msg = f"{name} must hold ISO 8601 moments; got {shorten(bad)}"
        raise SchemaError(msg)
    return moments


def _unique(table: pa.Table, name: str) -> pa.ChunkedArray:
    """A column without repeated values."""
    counts = pc.value_counts(table[name])
    repeated = counts.field("values").filter(pc.greater(counts.field("counts"), 1)).to_pylist()
    if repeated:
        msg = f"{name} must stand once in the deals; {len(repeated)} stand more often: {shorten(repeated)}"
        raise SchemaError(msg)
    return table[name]
