"""Play a lead set forward in blocks of time: what each way of working knew, said and promised on the day.

At the beginning of a block only labels known by then exist. Three ways of working are played at once, on the
same blocks:

* ``static``: one scorer, fitted when the first block begins, stays as it is;
* ``refresh``: the same scorer, calibration and cut-off refreshed on the latest known leads before each block;
* ``refit``: the learner is refitted on all that is known before each block; calibration and cut-off come from
  the scores that its predecessors gave to the latest known leads on their day.

The learner of ``refit`` weighs rows by age where forward validation on the rows before the first block finds
that it helps (`leadlift.learning.recency`).
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sklearn.base import clone

from leadlift.learning.cutoff import Evidence, FixedThreshold, gather_evidence
from leadlift.learning.encoding import TableEncoder
from leadlift.learning.recency import RecencyChoice
from leadlift.learning.scorer import LeadScorer
from quality_sets import LeadSet

# A learner needs as many won leads before anything is expected of it.
LEAST_WON = 30
# Blocks whose leads calibrate and decide, the latest known ones.
WINDOW_BLOCKS = 6


@dataclass(frozen=True)
class Said:
    """What one way of working said of a block before its labels were known.

    Parameters
    ----------
    rows : ndarray of int64
        Rows of the block.
    score, log_odds : ndarray of float64
        Calibrated probabilities and uncalibrated log-odds of the block.
    scorer : LeadScorer
        As it was when the block began, without a cut-off of its own.
    evidence : Evidence
        On which it may decide a cut-off.
    recent : Evidence or None
        Leads of the latest block whose labels were known, scored by this scorer or its predecessor.
    """

    rows: np.ndarray
    score: np.ndarray
    log_odds: np.ndarray
    evidence: Evidence
    recent: Evidence | None


class Playback:
    """A lead set in the order of time, cut into blocks of which the later ones are told.

    Parameters
    ----------
    leads : LeadSet
        With `as_of`.
    first_share : float
        Share of the rows that lies before the first block that is told.
    n_blocks : int
        Blocks of the rest.
    scorer : LeadScorer
        Unfitted; every scorer is a clone of it.
    """

    def __init__(self, leads: LeadSet, first_share: float, n_blocks: int, scorer: LeadScorer) -> None:
        order = np.argsort(leads.as_of, kind="stable")
        self.frame, self.y = leads.frame.iloc[order].reset_index(drop=True), leads.y[order]
        self.as_of = leads.as_of[order]
        self.known_at = self.as_of if leads.label_known_at is None else leads.label_known_at[order]
        self.scorer = clone(scorer).set_params(cutoff=None, sql_cutoff=None)
        n = len(self.y)
        self.first = int(first_share * n)
        self.size = int(np.ceil((n - self.first) / n_blocks))
        self.told = [np.arange(b, min(b + self.size, n)) for b in range(self.first, n, self.size)]

    def known(self, block: np.ndarray) -> np.ndarray:
        """Rows whose label was known when a block began."""
        before = np.arange(block[0])
        return before[self.known_at[before] <= self.as_of[block[0]]]

    def evidence(self, scorer: LeadScorer, rows: np.ndarray, log_odds: np.ndarray) -> Evidence:
        """Known leads as a scorer's calibrator sees the log-odds they had."""
        score = scorer.calibrator_.transform(log_odds)
        won = self.y[rows] > 0
        return gather_evidence(score, log_odds, won, self.as_of[rows], None, "given", random_state=0)

    def log_odds(self, scorer: LeadScorer, rows: np.ndarray) -> np.ndarray:
        return scorer.learner_.decision_function(scorer.encoder_.transform(self.frame.iloc[rows]))

    @cached_property
    def first_scorer(self) -> LeadScorer:
        """Fitted on what was known when the first block that is told began."""
        seen = self.known(self.told[0])
        known_at = self.known_at[seen]
        return clone(self.scorer).fit(
            self.frame.iloc[seen], self.y[seen], as_of=self.as_of[seen], label_known_at=known_at
        )


def play_static(play: Playback, *, refresh: bool) -> Iterator[Said]:
    """One learner; with `refresh`, calibration and evidence anew before each block."""
    first = play.first_scorer
    seen = play.known(play.told[0])
    for block in play.told:
        scorer = copy(first)
        later = np.setdiff1d(play.known(block), seen)
        window = later[-WINDOW_BLOCKS * play.size :]
        log_odds = play.log_odds(scorer, window) if len(window) else np.empty(0)
        if refresh and both_outcomes(play.y[window]):
            scorer.refresh_scored(log_odds, play.y[window], as_of=play.as_of[window], policy=FixedThreshold())
        yield said(play, scorer, block, window, log_odds)


def play_refit(play: Playback) -> Iterator[Said]:
    """A learner for each block; evidence from what its predecessors said."""
    weigh = recency(play)
    n_rows = len(play.y)
    on_the_day = np.full(n_rows, np.nan)
    warm_up = play.known(play.told[0])[-WINDOW_BLOCKS * play.size :]
    for block in [*np.array_split(warm_up, WINDOW_BLOCKS), *play.told]:
        seen = play.known(block)
        if play.y[seen].sum() < LEAST_WON:
            continue
        weight = weigh.weights(play.as_of[seen])
        scorer = clone(play.scorer).fit(play.frame.iloc[seen], play.y[seen], weight)
        on_the_day[block] = play.log_odds(scorer, block)
        if block[0] < play.first:
            continue
        window = seen[np.isfinite(on_the_day[seen])][-WINDOW_BLOCKS * play.size :]
        if both_outcomes(play.y[window]):
            scorer.refresh_scored(
                on_the_day[window], play.y[window], as_of=play.as_of[window], policy=FixedThreshold()
            )
        yield said(play, scorer, block, window, on_the_day[window])


def both_outcomes(y: np.ndarray) -> bool:
    return 0 < y.sum() < len(y)


def recency(play: Playback) -> RecencyChoice:
    """Choose how much the past counts on the rows known before the first block."""
    seen = play.known(play.told[0])
    matrix = TableEncoder().fit_transform(play.frame.iloc[seen])
    return RecencyChoice().fit(
        matrix, play.y[seen], as_of=play.as_of[seen], label_known_at=play.known_at[seen]
    )


def said(
    play: Playback, scorer: LeadScorer, block: np.ndarray, window: np.ndarray, log_odds: np.ndarray
) -> Said:
    latest, of_latest = window[-play.size :], log_odds[-play.size :]
    recent = play.evidence(scorer, latest, of_latest) if len(latest) else None
    new = play.log_odds(scorer, block)
    return Said(block, scorer.calibrator_.transform(new), new, scorer.evidence_, recent)
