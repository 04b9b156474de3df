"""What sales writes after the first contact: traps for a model, because they tell how the lead ended.

For a lead still open at the extract every one of them is null or says only that work goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from leadlift.data.simulation.columns import timestamps
from leadlift.data.simulation.levels import as_text, draw_from, draw_levels
from leadlift.data.simulation.population import Population
from leadlift.data.simulation.sales_process import SalesProcess
from leadlift.terms import Outcome

LATER_COLUMNS = ("sales_stage", "loss_reason", "loss_note", "deal_amount", "last_activity")

_OUTCOMES = (Outcome.OPEN.value, Outcome.LOST.value, Outcome.WON.value)
_OPEN, _LOST, _WON = range(3)

STAGES = ("new", "contacted", "disqualified", "recycled", "customer")
_NEW, _CONTACTED, _DISQUALIFIED, _RECYCLED, _CUSTOMER = range(5)

_ACTIVITIES = (
    "e-mail opened",
    "page visited",
    "phone call",
    "e-mail bounced",
    "unsubscribed",
    "contract sent",
    "onboarding call",
)
# One row an outcome: open, lost, won.
_ACTIVITY_SHARES = np.array(
    [
        [0.45, 0.30, 0.25, 0.00, 0.00, 0.00, 0.00],
        [0.35, 0.20, 0.20, 0.10, 0.13, 0.02, 0.00],
        [0.10, 0.07, 0.18, 0.00, 0.00, 0.40, 0.25],
    ]
)

LOSS_NOTES: dict[str, tuple[str, ...]] = {
    "price too high": (
        "Liked the product, but the price is far beyond what they planned.",
        "Compared three offers, we were the most expensive.",
    ),
    "no budget": (
        "No budget this year, may come back next spring.",
        "Budget was frozen by head office.",
    ),
    "chose a competitor": (
        "Went with a competitor after the trial, happy with their support.",
        "Competitor was faster to answer; disappointed by our late call.",
    ),
    "no fit": (
        "Too small for what we offer, friendly call though.",
        "Needs an integration that we do not have.",
    ),
    "unreachable": (
        "Called five times, nobody answers.",
        "Phone number wrong, e-mails bounce.",
    ),
    "just informing": (
        "Only wanted the e-book, thankful but no project.",
        "Student thesis, great interest, no purchase.",
    ),
}
# One row a mode: buyer, reader, price shopper.
_REASON_SHARES = np.array(
    [
        [0.15, 0.15, 0.32, 0.16, 0.17, 0.05],
        [0.08, 0.12, 0.08, 0.17, 0.25, 0.30],
        [0.45, 0.15, 0.17, 0.06, 0.12, 0.05],
    ]
)


@dataclass(frozen=True)
class KnownOutcomes:
    """How the leads stand at the moment of the extract.

    Parameters
    ----------
    code : ndarray of int8, shape (n,)
        0 open, 1 lost, 2 won.
    closed_second, contacted_second : ndarray of int64, shape (n,)
        Whole seconds from the start of the history, also where they lie after the extract.
    known_until_second : int
        The extract, in the same seconds.
    """

    code: np.ndarray
    closed_second: np.ndarray
    contacted_second: np.ndarray
    known_until_second: int


def known_outcomes(population: Population, process: SalesProcess, known_until_second: int) -> KnownOutcomes:
    """Return what of the sales process has come to pass by the extract.

    Parameters
    ----------
    population : Population
        The leads.
    process : SalesProcess
        Their contact and end.
    known_until_second : int
        Whole seconds from the start of the history to the extract.

    Returns
    -------
    KnownOutcomes
    """
    closed_second = population.created_second + process.closed_after_seconds
    ended = np.where(process.won, _WON, _LOST)
    return KnownOutcomes(
        code=np.where(closed_second <= known_until_second, ended, _OPEN).astype(np.int8),
        closed_second=closed_second,
        contacted_second=population.created_second + process.contacted_after_seconds,
        known_until_second=known_until_second,
    )


def outcome_columns(known: KnownOutcomes, start: datetime) -> dict[str, pa.Array]:
    """Return `outcome` (won, lost or open) and `closed_at` (null while open)."""
    return {
        "outcome": as_text(_OUTCOMES, known.code),
        "closed_at": timestamps(start, known.closed_second, known.code == _OPEN),
    }


def later_columns(
    rng: np.random.Generator, population: Population, known: KnownOutcomes
) -> dict[str, pa.Array]:
    """Return the columns that sales fills in after contact.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all draws.
    population : Population
        The leads.
    known : KnownOutcomes
        How they stand at the extract.

    Returns
    -------
    dict of str to pyarrow.Array of length n
        In the order of `LATER_COLUMNS`. `sales_stage` and `last_activity` are strings, neutral while
        open; `loss_reason` and `loss_note` are strings, null unless lost; `deal_amount` is float64,
        null unless won.
    """
    n = len(known.code)
    not_lost = known.code != _LOST
    reason = draw_levels(rng, _REASON_SHARES, population.mode)
    reason_missing = not_lost | (rng.random(n) < 0.15)
    note_missing = reason_missing | (rng.random(n) < 0.50)
    return {
        "sales_stage": as_text(STAGES, _draw_stage(rng, known)),
        "loss_reason": as_text(tuple(LOSS_NOTES), reason, reason_missing),
        "loss_note": _loss_notes(rng, reason, note_missing),
        "deal_amount": pa.array(_draw_deal_amounts(rng, population), mask=known.code != _WON),
        "last_activity": as_text(_ACTIVITIES, draw_levels(rng, _ACTIVITY_SHARES, known.code)),
    }


def _draw_stage(rng: np.random.Generator, known: KnownOutcomes) -> np.ndarray:
    """Stage in the pipeline; of the lost leads some are parked and some never updated."""
    lost = np.array([_DISQUALIFIED, _RECYCLED, _CONTACTED])[
        draw_from(rng, (0.70, 0.25, 0.05), len(known.code))
    ]
    open_ = np.where(known.contacted_second <= known.known_until_second, _CONTACTED, _NEW)
    return np.choose(known.code, [open_, lost, np.full_like(lost, _CUSTOMER)])


def _loss_notes(rng: np.random.Generator, reason: np.ndarray, missing: np.ndarray) -> pa.Array:
    """One of the notes that go with the reason."""
    notes = [note for notes in LOSS_NOTES.values() for note in notes]
    a_reason = len(notes) // len(LOSS_NOTES)
    code = reason.astype(np.int64) * a_reason + rng.integers(0, a_reason, len(reason))
    return as_text(notes, code, missing)


def _draw_deal_amounts(rng: np.random.Generator, population: Population) -> np.ndarray:
    """Worth of the deal, log-normal, growing with the size of the firm; rounded to tens."""
    log10_amount = 3.2 + 0.4 * population.log10_employees + rng.normal(0.0, 0.25, len(population.fit))
    return np.round(10.0**log10_amount, -1)
