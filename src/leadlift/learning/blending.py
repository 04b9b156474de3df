"""The default learner: trees and a logistic regression, averaged on the log-odds scale.

Both speak log-odds, so that an average of them is a sum and SHAP contributions of the parts add up to those
of the whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logit

from leadlift.learning.binned_logistic import BinnedLogistic
from leadlift.learning.calibration import SigmoidCalibrator
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.fitted.blend import Blend
from leadlift.learning.log_odds import ShippedClassifier, log_loss_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from leadlift.learning.segment_models import SegmentModel
    from leadlift.learning.splitting import Fold
    from leadlift.learning.target_statistics import TargetStatistics

# Forward in time the members are weighed on the latest blocks, by smaller bags, on no more rows than it
# takes, and not at all where these hold too few of either outcome to say anything.
LATEST_FOLDS = 2
QUICK_FOLDS = 3
ENOUGH_ROWS = 20_000
FEWEST_OF_EITHER = 50
# A finer choice than quarters would be noise.
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)


class BlendedLearner(ShippedClassifier):
    """Bagged trees and a binned logistic regression, averaged on the log-odds scale.

    ``log_odds = (1 - w) * trees + w * logistic`` with `w` in [0, 1] fitted on out-of-fold log-odds; `w` is
    0 unless the gain in log loss exceeds its standard error. Where folds forward in time are given to
    :meth:`fit`, `w` is weighed again on later rows by members learnt from earlier ones, and taken from there
    where that gains more than its standard error.

    Parameters
    ----------
    trees : BaggedTrees, optional
        None takes ``BaggedTrees(random_state=random_state)``.
    logistic : BinnedLogistic, optional
        None takes ``BinnedLogistic()``.
    monotone : dict of int to int, optional
        Of both members, as for :class:`BaggedTrees`; None leaves them as they are.
    n_folds : int, default=8
        Folds of both members.
    random_state : int, default=0

    Attributes
    ----------
    trees_, logistic_ : the fitted members
    weight_ : float
        The weight `w` of the logistic member.
    oof_log_odds_ : ndarray of float64, shape (n_rows,)
    """

    def __init__(
        self,
        trees: BaggedTrees | None = None,
        logistic: BinnedLogistic | None = None,
        monotone: dict[int, int] | None = None,
        n_folds: int = 8,
        random_state: int = 0,
    ) -> None:
        self.trees = trees
        self.logistic = logistic
        self.monotone = monotone
        self.n_folds = n_folds
        self.random_state = random_state

    @property
    def segments(self) -> tuple[SegmentModel, ...]:
        """Models of segments beside the pooled one; a plain blend has none."""
        return ()

    @property
    def statistics(self) -> TargetStatistics:
        """What the trees split beside the columns; nothing where trees have no say."""
        return self.fitted.statistics

    def _n_folds(self, y: NDArray) -> int:
        return self._members()[0].set_params(n_folds=self.n_folds)._n_folds(y)

    def _members(self) -> tuple[BaggedTrees, BinnedLogistic]:
        from sklearn.base import clone

        trees = BaggedTrees(random_state=self.random_state) if self.trees is None else clone(self.trees)
        logistic = BinnedLogistic() if self.logistic is None else clone(self.logistic)
        if self.monotone is not None:
            trees.set_params(monotone=self.monotone)
            logistic.set_params(monotone=self.monotone)
        return trees, logistic

    def _fit(self, X: NDArray, y: NDArray, weight: NDArray, folds: NDArray[np.int64]) -> None:
        self.trees_, self.logistic_ = self._members()
        for member in (self.trees_, self.logistic_):
            member.n_features_in_, member.classes_ = self.n_features_in_, np.array([0, 1])
            member._fit(X, y, weight, folds)
        trees, logistic = self.trees_.oof_log_odds_, self.logistic_.oof_log_odds_
        self.weight_ = _blend_weight(trees, logistic, y, weight)
        self.oof_log_odds_ = (1 - self.weight_) * trees + self.weight_ * logistic

    def _choose(
        self, X: NDArray, y: NDArray, weight: NDArray, groups: NDArray, forward: Sequence[Fold]
    ) -> None:
        """Weigh the members anew on later rows, where these clearly say so."""
        trees, logistic = self.trees_.oof_log_odds_, self.logistic_.oof_log_odds_
        folds = [tuple(thinned(rows) for rows in fold) for fold in forward[-LATEST_FOLDS:]]
        telling = [fold for fold in folds if all(_tells(y[rows]) for rows in fold)]
        blocks = [self._later(X, y, weight, groups, *fold) for fold in telling]
        if blocks:
            self.weight_ = forward_weight(blocks, self.weight_)
            self.oof_log_odds_ = (1 - self.weight_) * trees + self.weight_ * logistic

    def _later(
        self,
        X: NDArray,
        y: NDArray,
        weight: NDArray,
        groups: NDArray,
        seen: NDArray[np.int64],
        held: NDArray[np.int64],
    ) -> Block:
        """Learn quick members from earlier rows and score later ones."""
        trees, logistic = self._members()
        trees.set_params(n_folds=QUICK_FOLDS, max_statistics=0)
        logistic.set_params(strengths=(self.logistic_.strength_,))
        scores = [
            member.fit(X[seen], y[seen], weight[seen], groups=groups[seen]).decision_function(X[held])
            for member in (trees, logistic)
        ]
        lead = np.unique(groups[held], return_inverse=True)[1]
        return Block(y[held], weight[held], lead, *scores)

    @property
    def fitted(self) -> Blend:
        """The blend as it scores."""
        return Blend(self.trees_.fitted, self.logistic_.fitted, self.weight_)


def _blend_weight(trees: NDArray, logistic: NDArray, y: NDArray, weight: NDArray) -> float:
    """Minimise the out-of-fold log loss over the weight; 0 unless the gain exceeds its standard error."""

    def loss(w: float) -> float:
        return float(np.average(log_loss_each(y, (1 - w) * trees + w * logistic), weights=weight))

    best = float(minimize_scalar(loss, bounds=(0.0, 1.0), method="bounded").x)
    gain = log_loss_each(y, trees) - log_loss_each(y, (1 - best) * trees + best * logistic)
    mean = float(np.average(gain, weights=weight))
    n_effective = weight.sum() ** 2 / (weight**2).sum()
    error = float(np.sqrt(np.average((gain - mean) ** 2, weights=weight) / n_effective))
    return best if mean > error else 0.0


class Block(NamedTuple):
    """Rows of a later time, scored by members learnt from earlier rows."""

    y: NDArray
    weight: NDArray[np.float64]
    lead: NDArray[np.int64]
    trees: NDArray[np.float64]
    logistic: NDArray[np.float64]

    def loss(self, w: float) -> NDArray[np.float64]:
        """Weighted log loss of each lead by a blend; its level and slope are the calibrator's task."""
        log_odds = (1 - w) * self.trees + w * self.logistic
        calibrator = SigmoidCalibrator().fit(log_odds, self.y, self.weight)
        each = log_loss_each(self.y, logit(calibrator.transform(log_odds)))
        return np.bincount(self.lead, weights=self.weight * each)


def forward_weight(blocks: Sequence[Block], present: float) -> float:
    """Return the weight of the logistic member that serves later rows best.

    Parameters
    ----------
    blocks : sequence of Block
    present : float
        The weight in use, kept unless another one gains more than its standard error.

    Returns
    -------
    float
        In [0, 1].
    """

    def losses(w: float) -> NDArray[np.float64]:
        return np.concatenate([block.loss(w) for block in blocks])

    best = min(WEIGHTS, key=lambda w: float(losses(w).sum()))
    gain = losses(present) - losses(best)
    return best if gain.sum() > np.sqrt(len(gain)) * gain.std() else present


def thinned(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return at most so many of the rows as a choice between two members needs, evenly spread."""
    return rows[:: -(-len(rows) // ENOUGH_ROWS)]


def _tells(y: NDArray) -> bool:
    won = int(y.sum())
    return min(won, len(y) - won) >= FEWEST_OF_EITHER
