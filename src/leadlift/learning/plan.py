"""Which leads fit the learner, which calibrate it, and which decide the cut-off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadlift.learning.propensity import effective_size
from leadlift.learning.splitting import (
    as_moments,
    content_order,
    forward_folds,
    grouped_folds,
    slice_in_time,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from leadlift.learning.splitting import Fold

# Below so many leads of either outcome the late leads say too little, and out-of-fold scores of all leads are
# the better evidence.
LEAST_OF_EITHER = 150
# As small a share as holds enough for a sharp cut-off: what is late does not teach the learner.
LATE_SHARES = (0.10, 0.15, 0.20, 0.25)
ENOUGH_OF_EITHER = 600
# They and the embargo before them must not take most of the rows from the learner: with a long horizon and a
# short history the embargo alone does, and what is learnt from fewer rows is worth less than late evidence.
LEAST_FITTED_SHARE = 0.5
# Of the late leads one third calibrates and two thirds decide.
LATE_PARTS = 3


@dataclass(frozen=True)
class TrainingPlan:
    """Which rows did what in :meth:`LeadScorer.fit`.

    Parameters
    ----------
    fit, calibrate, decide : ndarray of int64
        Row numbers. Where scores are out-of-fold, all three are the same rows.
    embargoed : ndarray of int64
        Rows left out between the slices.
    evidence : str
        ``"decide slice"`` or ``"out-of-fold"``.
    """

    fit: NDArray[np.int64]
    calibrate: NDArray[np.int64]
    decide: NDArray[np.int64]
    embargoed: NDArray[np.int64]
    evidence: str

    @property
    def is_out_of_fold(self) -> bool:
        """Whether calibrator and cut-off were learnt on out-of-fold scores of the fitted rows."""
        return self.evidence == "out-of-fold"

    @property
    def share_deciding(self) -> float:
        """Share of the late rows that decide the cut-off."""
        n_late = len(self.decide) if self.is_out_of_fold else len(self.calibrate) + len(self.decide)
        return len(self.decide) / n_late

    def among(self, kept: NDArray[np.bool_]) -> TrainingPlan:
        """Return the same plan for some of the rows, numbered among themselves.

        Parameters
        ----------
        kept : ndarray of bool, shape (n_rows,)

        Returns
        -------
        TrainingPlan
        """
        number = np.cumsum(kept) - 1
        parts = (self.fit, self.calibrate, self.decide, self.embargoed)
        return TrainingPlan(*(number[rows[kept[rows]]] for rows in parts), self.evidence)

    def forward(
        self,
        y: NDArray,
        as_of: ArrayLike | None,
        label_known_at: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> list[Fold]:
        """Return folds forward in time of the rows that fit the learner, for what it decides about itself.

        Parameters
        ----------
        y, as_of, label_known_at, groups
            Of all rows, as for :meth:`LeadScorer.fit`.

        Returns
        -------
        list of (ndarray of int64, ndarray of int64)
            Row numbers seen and held out, earliest first; empty where there is no time.
        """
        if as_of is None:
            return []
        moments = [None if v is None else as_moments(v)[self.fit] for v in (as_of, label_known_at)]
        lead = None if groups is None else np.asarray(groups)[self.fit]
        folds = forward_folds(y[self.fit], *moments, lead)
        return [(self.fit[seen], self.fit[held]) for seen, held in folds]


def early_and_late(
    y: NDArray,
    as_of: ArrayLike | None = None,
    label_known_at: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    weight: NDArray | None = None,
    contact_weight: NDArray | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """Return the rows that fit the learner and the late rows that calibrate it and decide the cut-off.

    Whatever chooses or tunes the learner may look at the early rows only.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Labels 0 and 1.
    as_of, label_known_at, groups : arrays of shape (n_rows,), optional
        As for :meth:`LeadScorer.fit`.
    weight : ndarray of shape (n_rows,), optional
        Rows of weight 0 are neither early nor late.
    contact_weight : ndarray of shape (n_rows,), optional
        As for :meth:`LeadScorer.fit`; rows are then counted by their effective number, since a few heavy ones
        say little.

    Returns
    -------
    early : ndarray of int64
        Row numbers.
    late : ndarray of int64 or None
        Row numbers; None, with all rows early, where there is no time, where late rows would say too little,
        or where they and the embargo before them would take more than half of the rows from the learner.
    """
    if weight is not None and not weight.all():
        return _of_counted(np.flatnonzero(weight), y, as_of, label_known_at, groups, contact_weight)
    everything = np.arange(len(y))
    if as_of is None:
        return everything, None
    early, late = everything, everything[:0]
    for share in LATE_SHARES:
        parts = slice_in_time(as_of, (1 - share, share), label_known_at=label_known_at, groups=groups).parts
        if len(parts[0]) < LEAST_FITTED_SHARE * len(y):
            break
        early, late = parts
        if _n_of_either(y, contact_weight, late) >= ENOUGH_OF_EITHER:
            break
    if all(_n_of_either(y, contact_weight, part) >= LEAST_OF_EITHER for part in (early, late)):
        return early, late
    return everything, None


def _of_counted(
    rows: NDArray[np.int64],
    y: NDArray,
    as_of: ArrayLike | None,
    label_known_at: ArrayLike | None,
    groups: ArrayLike | None,
    contact_weight: NDArray | None,
) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """Cut some rows as if there were no others; the numbers are those of all rows."""
    moments = [None if values is None else as_moments(values)[rows] for values in (as_of, label_known_at)]
    lead, stands_for = (None if v is None else np.asarray(v)[rows] for v in (groups, contact_weight))
    early, late = early_and_late(y[rows], *moments, lead, contact_weight=stands_for)
    return rows[early], None if late is None else rows[late]


def deal_out(
    early: NDArray[np.int64],
    late: NDArray[np.int64] | None,
    matrix: NDArray[np.float64],
    y: NDArray,
    weight: NDArray,
    groups: NDArray | None,
    *,
    random_state: int,
) -> TrainingPlan:
    """Deal the late leads out to calibrator and cut-off; without late leads all rows do everything.

    Parameters
    ----------
    early, late : ndarray of int64, or None
        From :func:`early_and_late`.
    matrix : ndarray of float64, shape (n_rows, n_columns)
    y, weight : ndarray of shape (n_rows,)
        With `matrix`, what makes the deal independent of the order of the rows.
    groups : ndarray of shape (n_rows,) or None
        Rows of a group go together.
    random_state : int

    Returns
    -------
    TrainingPlan
    """
    if late is None:
        return TrainingPlan(early, early, early, early[:0], "out-of-fold")
    late = late[content_order(matrix[late], y[late], weight[late])]
    together = None if groups is None else groups[late]
    folds = grouped_folds(y[late], LATE_PARTS, groups=together, random_state=random_state)
    embargoed = np.setdiff1d(np.arange(len(y)), np.r_[early, late])
    return TrainingPlan(
        early, np.sort(late[folds == 0]), np.sort(late[folds != 0]), embargoed, "decide slice"
    )


def _n_of_either(y: NDArray, contact_weight: NDArray | None, rows: NDArray[np.int64]) -> float:
    """How many of the rarer outcome there are, or how many of equal weight say as much."""
    outcomes = [rows[y[rows] > 0], rows[y[rows] <= 0]]
    if contact_weight is None:
        return min(map(len, outcomes))
    return min(effective_size(contact_weight[of_one]) for of_one in outcomes)
