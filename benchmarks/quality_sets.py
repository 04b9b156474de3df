"""The seven public sets of the quality benchmark and how each is split; everyone gets the same cells.

Columns are taken as the files have them: a code written as an integer stays a number. Identifiers are left
out. No loader looks at the label beyond reading it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from leadlift.data.observations import make_observations
from leadlift.data.public_logs import olist
from leadlift.learning.splitting import slice_in_time

DATA = Path(__file__).parents[2] / "shared" / "data"
TEST_SHARE = 0.3
OLIST_HORIZON_DAYS = 90
X_EDUCATION_IDS = ("Prospect ID", "Lead Number")
# Written by sales after contact, or the state at export.
X_EDUCATION_LATE = (
    "Tags", "Lead Quality", "Lead Profile", "Last Notable Activity", "Asymmetrique Activity Index",
    "Asymmetrique Profile Index", "Asymmetrique Activity Score", "Asymmetrique Profile Score",
)  # fmt: skip


@dataclass(frozen=True)
class LeadSet:
    """One learning problem.

    Parameters
    ----------
    frame : pandas.DataFrame
        Inputs, one row a lead.
    y : ndarray of int64, shape (n_rows,)
        1 where won.
    as_of : ndarray, shape (n_rows,), optional
        Moments (datetime64[us]), or row numbers where the file is in time order; None where time is unknown.
    label_known_at : ndarray, shape (n_rows,), optional
        On the clock of `as_of`.
    """

    frame: pd.DataFrame
    y: np.ndarray
    as_of: np.ndarray | None = None
    label_known_at: np.ndarray | None = None


@dataclass(frozen=True)
class Split:
    """Rows to learn from and rows to be measured on.

    Parameters
    ----------
    kind : str
        ``"random"``, ``"forward"`` or ``"forward, labels early"``.
    seed : int
        Of a random split; 0 for the others.
    train, test : ndarray of int64
        Row numbers.
    """

    kind: str
    seed: int
    train: np.ndarray
    test: np.ndarray


def x_education_strict() -> LeadSet:
    full = x_education_full()
    return LeadSet(full.frame.drop(columns=list(X_EDUCATION_LATE)), full.y)


def x_education_full() -> LeadSet:
    frame = pd.read_csv(DATA / "xeducation" / "Leads.csv", na_values=["Select"])
    y = frame.pop("Converted").to_numpy()
    return LeadSet(frame.drop(columns=list(X_EDUCATION_IDS)), y)


def bank_without_duration() -> LeadSet:
    frame = pd.read_csv(DATA / "bank_marketing" / "bank-additional-full.csv", sep=";")
    y = (frame.pop("y") == "yes").to_numpy().astype(int)
    return LeadSet(frame.drop(columns="duration"), y, as_of=np.arange(len(y)))


def online_shoppers() -> LeadSet:
    frame = pd.read_csv(DATA / "online_shoppers" / "online_shoppers_intention.csv")
    y = frame.pop("Revenue").to_numpy().astype(int)
    return LeadSet(frame, y)


def caravan() -> LeadSet:
    frame = pd.read_csv(DATA / "caravan" / "Caravan.csv")
    y = (frame.pop("Purchase") == "Yes").to_numpy().astype(int)
    return LeadSet(frame, y)


def olist_within_90_days() -> LeadSet:
    log = olist(DATA / "olist_funnel")
    observations = make_observations(
        log.leads, at_days=[0], horizon_days=OLIST_HORIZON_DAYS, known_until=log.known_until
    )
    frame = log.leads.select(["landing_page", "source"]).take(observations.index).to_pandas()
    return LeadSet(frame, observations.y.astype(int), observations.as_of, observations.label_known_at)


def health_insurance() -> LeadSet:
    frame = pd.read_csv(DATA / "health_insurance_lead" / "train_Df64byy.csv")
    y = frame.pop("Response").to_numpy()
    return LeadSet(frame.drop(columns="ID"), y)


SETS: dict[str, Callable[[], LeadSet]] = {
    "X Education strict": x_education_strict,
    "X Education full": x_education_full,
    "bank without duration": bank_without_duration,
    "online shoppers": online_shoppers,
    "caravan": caravan,
    "Olist within 90 days": olist_within_90_days,
    "health insurance": health_insurance,
}


def splits(leads: LeadSet, n_seeds: int) -> Iterator[Split]:
    """Split a set at random, 70/30, once a seed; and where time is known forward in time, 70/30.

    Forward, rows whose label was not yet known when the test set begins are left out (the embargo). Where
    that leaves few wins, as with Olist, the same split is measured without the embargo too: nobody could
    have learnt so on the day, but many published comparisons do.
    """
    rows = np.arange(len(leads.y))
    for seed in range(n_seeds):
        train, test = train_test_split(rows, test_size=TEST_SHARE, random_state=seed)
        yield Split("random", seed, train, test)
    if leads.as_of is None:
        return
    shares = (1 - TEST_SHARE, TEST_SHARE)
    slices = slice_in_time(leads.as_of, shares, label_known_at=leads.label_known_at)
    yield Split("forward", 0, *slices.parts)
    if len(slices.embargoed):
        yield Split("forward, no embargo", 0, *slice_in_time(leads.as_of, shares).parts)


def fingerprint(leads: LeadSet, split: Split) -> str:
    """Hash of every cell, label and row number that a contender may see; 16 hexadecimal digits."""
    digest = hashlib.sha256(leads.frame.to_csv(index=False).encode())
    for part in (leads.y, split.train, split.test):
        digest.update(np.ascontiguousarray(part, dtype=np.int64).tobytes())
    return digest.hexdigest()[:16]
