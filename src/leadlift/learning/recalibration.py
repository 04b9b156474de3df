"""New calibration and new evidence from leads scored before their outcome was known.

What the latest labels can bear decides how far the calibration moves. A window with enough leads of either
outcome is cut as :meth:`LeadScorer.fit` cuts its late leads: some calibrate, the others are the evidence. A
smaller one moves all log-odds by one number, and its scores are cross-fitted, so that each lead is judged by
a calibrator that did not see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from scipy.special import logit
from scipy.stats import t
from sklearn.base import clone

from leadlift.learning.calibration import BetaCalibrator, Calibrator, SigmoidCalibrator
from leadlift.learning.cutoff import Evidence, gather_evidence
from leadlift.learning.log_odds import log_loss_each
from leadlift.learning.plan import LATE_PARTS, LEAST_OF_EITHER
from leadlift.learning.shifted_calibration import ShiftedCalibrator
from leadlift.learning.splitting import grouped_folds, most_folds, slice_in_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Blocks of time among which a new calibrator has to prove itself.
N_BLOCKS = 6
# Fewer comparisons give no usable standard error.
FEWEST_COMPARISONS = 3
# One-sided, of the gain over blocks that a calibrator needs to take the place of the one in use.
CONFIDENCE = 0.95
# Folds of a cross-fitted window.
N_FOLDS = 5


@dataclass(frozen=True)
class ScoredWindow:
    """Leads scored by a learner that had not seen them, with the outcome that became known since.

    Parameters
    ----------
    log_odds : ndarray of float64, shape (n_rows,)
        Uncalibrated.
    won : ndarray of bool, shape (n_rows,)
    as_of : ndarray of datetime64 or numbers, shape (n_rows,), or None
        Moment of each row.
    groups : ndarray of shape (n_rows,) or None
        Lead of each row, where leads have several.
    inputs : pyarrow.Table of n_rows or None
        Input columns, for policies that read what a lead is worth.
    """

    log_odds: NDArray[np.float64]
    won: NDArray[np.bool_]
    as_of: NDArray | None = None
    groups: NDArray | None = None
    inputs: pa.Table | None = None

    def take(self, rows: NDArray) -> ScoredWindow:
        """Return some of the rows, by number or by mask."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        columns = (self.log_odds, self.won, self.as_of, self.groups)
        inputs = None if self.inputs is None else self.inputs.take(pa.array(rows))
        return ScoredWindow(*(None if column is None else column[rows] for column in columns), inputs)

    def in_order(self) -> ScoredWindow:
        """Return the rows in an order that does not depend on how they came."""
        moments = np.zeros(len(self.won)) if self.as_of is None else self.as_of
        lead = np.zeros(len(self.won)) if self.groups is None else self.groups
        return self.take(np.lexsort((lead, self.won, self.log_odds, moments)))


def refresh_calibration(
    calibrator: Calibrator, window: ScoredWindow, *, random_state: int = 0
) -> tuple[Calibrator, Evidence]:
    """Calibrate anew on a window of scored leads, and gather evidence for a cut-off.

    Parameters
    ----------
    calibrator : Calibrator
        The fitted one in use, which is kept or shifted unless another one proves better.
    window : ScoredWindow
        The latest leads whose outcome is known; no row was seen by the learner or by `calibrator`.
    random_state : int, default=0
        Seed of the deal of leads.

    Returns
    -------
    calibrator : Calibrator
    evidence : Evidence
        Its `source` is ``"refresh window"``, of which a part calibrated and the other part is the evidence,
        or ``"refresh window, cross-fitted"``.

    Raises
    ------
    InputError
        The window holds one outcome only.
    """
    window = window.in_order()
    n_won = int(window.won.sum())
    if min(n_won, len(window.won) - n_won) < LEAST_OF_EITHER:
        return _cross_fitted(calibrator, window, random_state)
    deal = grouped_folds(window.won, LATE_PARTS, groups=window.groups, random_state=random_state)
    fitted = choose_over_time(calibrator, window.take(deal == 0), random_state=random_state)
    deciding = window.take(deal != 0)
    score = fitted.transform(deciding.log_odds)
    share = len(deciding.won) / len(window.won)
    return fitted, _evidence(deciding, score, "refresh window", random_state, share)


def choose_over_time(calibrator: Calibrator, window: ScoredWindow, *, random_state: int = 0) -> Calibrator:
    """Keep a calibrator, shift it, or fit another kind, as did best on later leads.

    Each block of time is scored by candidates fitted on the blocks before it: the calibrator in use shifted,
    sigmoid, beta. The one in use keeps its place unless another's gain in log loss is clear over the *blocks*
    (paired t-test, one-sided, 95 %): what moves from block to block is mostly time, of which the number of
    leads says nothing. Without moments, random folds of whole leads take the place of blocks.

    Parameters
    ----------
    calibrator : Calibrator
        The fitted one in use.
    window : ScoredWindow
    random_state : int, default=0
        Seed of the folds.

    Returns
    -------
    Calibrator
        The one in use, or the best candidate fitted on the whole window.

    Raises
    ------
    InputError
        The window holds one outcome only.
    """
    z, won = window.log_odds, window.won
    candidates = (ShiftedCalibrator(calibrator), SigmoidCalibrator(), BetaCalibrator())
    pairs = [pair for pair in _pairs(window, random_state) if 0 < won[pair[0]].sum() < len(pair[0])]
    if len(pairs) < FEWEST_COMPARISONS:
        return calibrator
    losses = np.array([_losses(candidate, z, won, pairs) for candidate in candidates])
    gain = np.array([_mean_loss(calibrator, z[held], won[held]) for _, held in pairs]) - losses
    error = gain.std(axis=1, ddof=1) / np.sqrt(len(pairs))
    enough = t.ppf(CONFIDENCE, len(pairs) - 1) * error
    clear = np.where(gain.mean(axis=1) > enough, gain.mean(axis=1), 0.0)
    if not clear.any():
        return calibrator
    return _flat(clone(candidates[int(np.argmax(clear))]).fit(z, won))


def _pairs(window: ScoredWindow, random_state: int) -> list[tuple[NDArray, NDArray]]:
    """Row numbers that fit and that judge, block by block."""
    if window.as_of is None:
        n_folds = min(N_BLOCKS, most_folds(window.won, window.groups))
        folds = grouped_folds(window.won, n_folds, groups=window.groups, random_state=random_state)
        return [(np.flatnonzero(folds != k), np.flatnonzero(folds == k)) for k in range(n_folds)]
    shares = (1 / N_BLOCKS,) * N_BLOCKS
    parts = slice_in_time(window.as_of, shares, groups=window.groups).parts
    return [(np.concatenate(parts[:k]), parts[k]) for k in range(1, N_BLOCKS) if len(parts[k])]


def _losses(
    candidate: Calibrator, z: NDArray[np.float64], won: NDArray, pairs: Sequence[tuple[NDArray, NDArray]]
) -> list[float]:
    return [_mean_loss(clone(candidate).fit(z[a], won[a]), z[b], won[b]) for a, b in pairs]


def _mean_loss(calibrator: Calibrator, z: NDArray[np.float64], won: NDArray) -> float:
    return float(log_loss_each(won, logit(calibrator.transform(z))).mean())


def _cross_fitted(
    calibrator: Calibrator, window: ScoredWindow, random_state: int
) -> tuple[Calibrator, Evidence]:
    """Shift the calibrator; the evidence is scored by shifts that did not see its leads."""
    z, won = window.log_odds, window.won
    shift = ShiftedCalibrator(calibrator)
    fitted = clone(shift).fit(z, won)
    n_folds = min(N_FOLDS, most_folds(won, window.groups))
    folds = grouped_folds(won, n_folds, groups=window.groups, random_state=random_state)
    score = fitted.transform(z)
    for fold in range(n_folds):
        held = folds == fold
        if 0 < won[~held].sum() < (~held).sum():
            score[held] = clone(shift).fit(z[~held], won[~held]).transform(z[held])
    return _flat(fitted), _evidence(window, score, "refresh window, cross-fitted", random_state, 1.0)


def _flat(calibrator: Calibrator) -> Calibrator:
    return calibrator.flattened() if isinstance(calibrator, ShiftedCalibrator) else calibrator


def _evidence(
    window: ScoredWindow, score: NDArray[np.float64], source: str, random_state: int, share: float
) -> Evidence:
    return gather_evidence(
        score,
        window.log_odds,
        window.won,
        window.as_of,
        window.groups,
        source,
        random_state=random_state,
        share_of_arrivals=share,
        inputs=window.inputs,
    )
