"""One model a segment where it beats the pooled one, shrunk to it by what the evidence bears."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit
from sklearn.base import clone

from leadlift.learning.blending import BlendedLearner
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.fitted.blend import Blend, Segment
from leadlift.learning.log_odds import log_loss_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from leadlift.learning.binned_logistic import BinnedLogistic

    Fold = tuple[NDArray[np.int64], NDArray[np.int64]]

# A segment with fewer won or lost rows cannot teach a model of its own.
FEWEST_OF_EITHER = 100
# Weights of less than so many standard errors are noise; one segment in forty would pass by chance.
LEAST_STANDARD_ERRORS = 2.0
# Each costs as many trees as the pooled model, which all wait in memory as tables.
MOST_SEGMENTS = 10


@dataclass(frozen=True)
class SegmentModel:
    """The model of one segment and how far it is believed.

    Parameters
    ----------
    code : float
        Value of the segment's column.
    weight : float
        In (0, 1]; the pooled model has the rest.
    learner : BlendedLearner
        Learnt from the rows of the segment alone.
    """

    code: float
    weight: float
    learner: BlendedLearner


class SegmentedLearner(BlendedLearner):
    """A pooled blend, and a blend of its own for each segment in which that does better.

    On the rows of segment s::

        log_odds = (1 - w_s) * pooled + w_s * of the segment

    `w_s` minimises the log loss of rows that neither model has seen: later ones where folds that look forward
    in time are given to :meth:`fit` (each pair of models is then learnt anew from what came before), else
    out-of-fold ones. It is kept where it exceeds two standard errors e, and shrunk to ``w_s - e^2 / w_s``
    (the positive-part estimator of James and Stein 1961); elsewhere it is 0 and the pooled model serves, as
    it does for segments with fewer than 100 won or lost rows, and for rows without a segment. At most ten
    segments are tried, those of the lowest codes, which :class:`TableEncoder` gives to the most common
    levels; rare and new levels share a code and are one segment.

    Parameters
    ----------
    trees, logistic, monotone, n_folds, random_state
        As for :class:`BlendedLearner`, for the pooled model and those of segments. The latter add no target
        statistics.
    segment : int, default=0
        Column whose values are the segments.

    Attributes
    ----------
    trees_, logistic_, weight_
        Of the pooled model.
    segments_ : tuple of SegmentModel
        Those with a weight above 0, by code.
    oof_log_odds_ : ndarray of float64, shape (n_rows,)

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.column_stack([rng.integers(0, 2, 2000), rng.normal(size=2000)])
    >>> y = rng.random(2000) < expit(np.where(X[:, 0] > 0, 2, -2) * X[:, 1])
    >>> SegmentedLearner(n_folds=3).fit(X, y).segments_ != ()
    True
    """

    def __init__(
        self,
        trees: BaggedTrees | None = None,
        logistic: BinnedLogistic | None = None,
        monotone: dict[int, int] | None = None,
        segment: int = 0,
        n_folds: int = 8,
        random_state: int = 0,
    ) -> None:
        super().__init__(trees, logistic, monotone, n_folds, random_state)
        self.segment = segment

    @property
    def segments(self) -> tuple[SegmentModel, ...]:
        """The models of segments."""
        return self.segments_

    def _fit(self, X: NDArray, y: NDArray, weight: NDArray, folds: NDArray[np.int64]) -> None:
        super()._fit(X, y, weight, folds)
        models = []
        for code in _codes(X[:, self.segment])[:MOST_SEGMENTS]:
            rows = X[:, self.segment] == code
            if _can_learn(y[rows], folds[rows], n_folds=folds.max() + 1):
                learner = self._blend(max_statistics=0)
                learner.n_features_in_, learner.classes_ = self.n_features_in_, self.classes_
                learner._fit(X[rows], y[rows], weight[rows], folds[rows])
                models.append(SegmentModel(float(code), 1.0, learner))
        self.segments_ = tuple(models)

    def _blend(self, **of_trees: int) -> BlendedLearner:
        """Return an unfitted blend with the parameters of the pooled one, some of the trees' changed."""
        trees = BaggedTrees(random_state=self.random_state) if self.trees is None else clone(self.trees)
        trees.set_params(**of_trees)
        return BlendedLearner(trees, self.logistic, self.monotone, self.n_folds, self.random_state)

    def _choose(
        self, X: NDArray, y: NDArray, weight: NDArray, groups: NDArray, forward: Sequence[Fold]
    ) -> None:
        """Weigh the segments' models out of fold; those that seem to gain, anew forward in time."""
        super()._choose(X, y, weight, groups, forward)
        pooled, own = self.oof_log_odds_, np.full(len(X), np.nan)
        for model in self.segments_:
            own[X[:, self.segment] == model.code] = model.learner.oof_log_odds_
        self._weigh(X, pooled, own, y, weight, groups)
        if forward and self.segments_:
            self._weigh(X, *self._forward(X, y, weight, groups, forward), y, weight, groups)
        share = self._shares(X)
        self.oof_log_odds_ = np.where(share > 0, (1 - share) * pooled + share * own, pooled)

    def _weigh(
        self,
        X: NDArray,
        pooled: NDArray[np.float64],
        own: NDArray[np.float64],
        y: NDArray,
        weight: NDArray,
        groups: NDArray,
    ) -> None:
        """Keep the segments whose own log-odds clearly improve on the pooled ones."""
        kept = []
        for model in self.segments_:
            rows = (X[:, self.segment] == model.code) & ~np.isnan(own)
            w = shrunk_weight(pooled[rows], own[rows], y[rows], weight[rows], groups[rows])
            kept += [replace(model, weight=w)] if w > 0 else []
        self.segments_ = tuple(kept)

    def _forward(
        self, X: NDArray, y: NDArray, weight: NDArray, groups: NDArray, forward: Sequence[Fold]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Log-odds of later rows by a pooled model and models of segments learnt from earlier ones."""
        pooled, own = np.full(len(X), np.nan), np.full(len(X), np.nan)
        for seen, held in forward:
            fitted = self._blend().fit(X[seen], y[seen], weight[seen], groups=groups[seen])
            pooled[held] = fitted.decision_function(X[held])
            for model in self.segments_:
                known, new = (rows[X[rows, self.segment] == model.code] for rows in (seen, held))
                if len(new) and _holds(y[known]):
                    learner = self._blend(max_statistics=0)
                    learner.fit(X[known], y[known], weight[known], groups=groups[known])
                    own[new] = learner.decision_function(X[new])
        return pooled, own

    def _shares(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weight of the segment's own model in each row."""
        share = np.zeros(len(X))
        for model in self.segments_:
            share[X[:, self.segment] == model.code] = model.weight
        return share

    @property
    def fitted(self) -> Blend:
        """The pooled blend and those of segments as they score."""
        segments = tuple(Segment(m.code, m.weight, m.learner.fitted) for m in self.segments_)
        return replace(super().fitted, segment_column=self.segment, segments=segments)


def shrunk_weight(
    pooled: NDArray[np.float64],
    own: NDArray[np.float64],
    y: NDArray,
    weight: NDArray,
    groups: NDArray,
) -> float:
    """Return the weight of a segment's own model, 0 unless it is clear of noise.

    Parameters
    ----------
    pooled, own : ndarray of float64, shape (n_rows,)
        Log-odds of both models, which have not seen the rows.
    y : ndarray of shape (n_rows,)
        Labels 0 and 1.
    weight : ndarray of shape (n_rows,)
    groups : ndarray of shape (n_rows,)
        Lead of each row; the standard error is that of whole leads (Liang and Zeger 1986).

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> y = np.arange(400) % 4 == 0
    >>> right, wrong = np.where(y, 1.0, -2.0), np.zeros(400)
    >>> shrunk_weight(wrong, right, y, np.ones(400), np.arange(400)) > 0.9
    True
    >>> shrunk_weight(right, wrong, y, np.ones(400), np.arange(400))
    0.0
    """
    gap = own - pooled
    if not np.any(gap):
        return 0.0

    def loss(w: float) -> float:
        return float(weight @ log_loss_each(y, pooled + w * gap))

    best = float(minimize_scalar(loss, bounds=(0.0, 1.0), method="bounded").x)
    p = expit(pooled + best * gap)
    lead = np.unique(groups, return_inverse=True)[1]
    score = np.bincount(lead, weights=weight * ((y > 0) - p) * gap)
    error = np.sqrt(score @ score) / (weight @ (p * (1 - p) * gap**2))
    return float(best - error**2 / best) if best > LEAST_STANDARD_ERRORS * error else 0.0


def _codes(column: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.unique(column[~np.isnan(column)])


def _holds(y: NDArray) -> bool:
    won = int(y.sum())
    return min(won, len(y) - won) >= FEWEST_OF_EITHER


def _can_learn(y: NDArray, folds: NDArray[np.int64], n_folds: int) -> bool:
    """Enough of either outcome, some of it in each fold."""
    won = np.bincount(folds[y > 0], minlength=n_folds)
    lost = np.bincount(folds[y == 0], minlength=n_folds)
    return _holds(y) and n_folds > 1 and won.all() and lost.all()
