"""A year of a simulated CRM that turns under a model's feet, and models learnt on a day of it.

The year was written down before any policy was played on it, with only the strength of the turn looked at, on
seeds 100 and 101: a model that nobody retrains ends the year with 85 % of the wins of one fitted anew each
month.

* Two years of 40 leads a day; the first is history, the second is played. 15 % are won within 30 days.
* The odds of winning rise by 1.4 over both years, evenly. From day 60 to day 240 of the played year buyers
  and price shoppers exchange their intent, so that what was learnt of behaviour becomes wrong bit by bit.
* A fifth of the leads is worked: the best 8 of each day.
* A model learns from the leads of the latest 180 days whose 30 days are over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyarrow as pa

from leadlift.data.datasets import make_leads
from leadlift.learning.binned_logistic import BinnedLogistic
from leadlift.learning.calibration import SigmoidCalibrator
from leadlift.learning.cutoff import TopShare
from leadlift.learning.scorer import LeadScorer

LEADS_A_DAY, WORKED_A_DAY = 40, 8
HISTORY_DAYS, PLAYED_DAYS = 365, 365
HORIZON_DAYS = 30
LEARNT_DAYS, HELD_BACK_DAYS = 180, 14
GRADE_SHARES = (0.10, 0.30, 0.60)
BASE_RATE, DRIFT = 0.15, 1.4
TURNS_BETWEEN = (HISTORY_DAYS + 60.0, HISTORY_DAYS + 240.0)
DAY = np.timedelta64(1, "D")
NOT_KNOWN_AT_CREATION = (
    "lead_id", "created_at", "closed_at", "outcome", "gender",
    "sales_stage", "last_activity", "loss_reason", "loss_note", "deal_amount",
)  # fmt: skip


@dataclass(frozen=True)
class Market:
    """Leads in the order of creation, with what became of them.

    Parameters
    ----------
    lead_id : pyarrow.Array of string, length n_leads
    inputs : pyarrow.Table
        What is known at creation.
    start : numpy.datetime64
        When the played year begins.
    created_at : ndarray of datetime64[us], shape (n_leads,)
    day : ndarray of int64, shape (n_leads,)
        Of creation; the played year begins with day 0.
    closed_day : ndarray of float64, shape (n_leads,)
        Of the end, also after the year.
    ends_won : ndarray of bool, shape (n_leads,)
        How the lead ends, whenever that is.
    won : ndarray of bool, shape (n_leads,)
        Won within the horizon.
    true_probability : ndarray of float64, shape (n_leads,)
        Of that.
    """

    lead_id: pa.Array
    inputs: pa.Table
    start: np.datetime64
    created_at: np.ndarray
    day: np.ndarray
    closed_day: np.ndarray
    ends_won: np.ndarray
    won: np.ndarray
    true_probability: np.ndarray

    def moment(self, day: np.ndarray | float) -> np.ndarray:
        """Return days as moments."""
        return self.start + (np.asarray(day) * 86_400e6).astype("timedelta64[us]")

    def created(self, first_day: float, end_day: float) -> np.ndarray:
        """Return the rows of the leads created from a day on and before another."""
        return np.flatnonzero((self.day >= first_day) & (self.day < end_day))

    def mature(self, today: int, *, held_back_days: int = 0) -> np.ndarray:
        """Return the rows of the latest leads whose horizon is over, without the last `held_back_days`."""
        end = today - HORIZON_DAYS - held_back_days
        return self.created(end - LEARNT_DAYS, end)

    def held_back(self, today: int, days: int) -> np.ndarray:
        """Return the rows of the last `days` of leads whose horizon is over."""
        return self.created(today - HORIZON_DAYS - days, today - HORIZON_DAYS)

    def table(self, rows: np.ndarray) -> pa.Table:
        """Return the inputs of some leads with their ids."""
        leads = self.inputs.append_column("lead_id", self.lead_id)
        return leads.take(pa.array(rows))

    def outcomes(self, today: int) -> pa.Table:
        """Return what the CRM knows of the ends of the leads created so far."""
        rows = self.created(-HISTORY_DAYS, today)
        is_closed = self.closed_day[rows] <= today
        ended = np.where(self.ends_won[rows], "won", "lost")
        closed_at = pa.array(self.moment(self.closed_day[rows]), mask=~is_closed)
        return pa.table(
            {
                "lead_id": self.lead_id.take(pa.array(rows)),
                "outcome": np.where(is_closed, ended, "open"),
                "closed_at": closed_at.cast(pa.timestamp("us", tz="UTC")),
            }
        )


def make_market(
    seed: int, *, leads_a_day: int = LEADS_A_DAY, turns_between: tuple[float, float] | None = TURNS_BETWEEN
) -> Market:
    """Draw a history and the year after it."""
    days = HISTORY_DAYS + PLAYED_DAYS
    simulated = make_leads(
        leads_a_day * days, seed, history_days=days, horizon_days=HORIZON_DAYS, base_rate=BASE_RATE,
        drift=DRIFT, turns_between=turns_between, with_events=False,
    )  # fmt: skip
    start = np.datetime64((simulated.known_until - timedelta(days=PLAYED_DAYS)).replace(tzinfo=None), "us")
    created = simulated.leads["created_at"].to_numpy().astype("datetime64[us]")
    created_day = (created - start) / DAY
    return Market(
        lead_id=simulated.leads["lead_id"].combine_chunks(),
        inputs=simulated.leads.drop_columns(list(NOT_KNOWN_AT_CREATION)),
        start=start,
        created_at=created,
        day=np.floor(created_day).astype(np.int64),
        closed_day=created_day + simulated.process.closed_after_seconds / 86_400,
        ends_won=simulated.process.won,
        won=simulated.converts(),
        true_probability=simulated.true_probability(),
    )


@dataclass(frozen=True)
class Model:
    """A fitted scorer, the leads it was made of, and the day on which it was made."""

    scorer: LeadScorer
    rows: np.ndarray
    made_on_day: int

    @property
    def grade_thresholds(self) -> tuple[float, ...]:
        """Smallest scores of grades A, B and C."""
        return tuple(np.quantile(self.scorer.evidence_.score, 1 - np.array(GRADE_SHARES), method="higher"))

    def score(self, market: Market, rows: np.ndarray) -> np.ndarray:
        """Return P(won) of some leads."""
        return self.scorer.predict_proba(market.inputs.take(pa.array(rows)))[:, 1]


def learn(market: Market, rows: np.ndarray, today: int) -> Model:
    """Fit a model on some leads; quick, since a year of daily retraining takes 365 of them."""
    as_of = market.created_at[rows]
    scorer = LeadScorer(
        learner=BinnedLogistic(n_folds=2, strengths=(0.1,)),
        calibrator=SigmoidCalibrator(),
        cutoff=TopShare(WORKED_A_DAY / LEADS_A_DAY),
    ).fit(
        market.inputs.take(pa.array(rows)),
        market.won[rows],
        as_of=as_of,
        label_known_at=as_of + HORIZON_DAYS * DAY,
    )
    return Model(scorer, rows, today)


def best_of_each_day(day: np.ndarray, score: np.ndarray, n_a_day: int = WORKED_A_DAY) -> np.ndarray:
    """Return the places of the `n_a_day` leads of each day with the largest scores."""
    order = np.lexsort((-score, day))
    first_of_day = np.r_[True, day[order][1:] != day[order][:-1]]
    place = np.arange(len(order))
    place_in_day = place - np.maximum.accumulate(np.where(first_of_day, place, 0))
    return order[place_in_day < n_a_day]
