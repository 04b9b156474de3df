"""What a set of columns is worth to a quick learner: the price of leaving a suspect out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadlift.learning.leak_folds import NOT_DEALT, deal_folds
from leadlift.learning.leak_levels import LevelColumn
from leadlift.learning.metrics import lift

TOP_SHARE = 0.10


@dataclass(frozen=True)
class Worth:
    """How well a set of columns ranks leads, out of fold.

    Parameters
    ----------
    auc : float
        Area under the ROC curve, mean of the folds; 0.5 without any column.
    lift : float
        Share of won leads in the best-ranked tenth over the share in all, mean of the folds.
    """

    auc: float
    lift: float


class QuickLearner:
    """Rank leads by a small boosted forest over level columns, out of fold.

    The forest is scikit-learn's histogram gradient boosting (the algorithm of Ke et al. 2017, LightGBM)
    with few, small trees; it is no model to be used, only a yardstick. Sets already asked for are
    remembered.

    Parameters
    ----------
    columns : sequence of LevelColumn
        All columns that may be asked about, rows ordered by :func:`~.leak_folds.order_by_content`.
    y : ndarray of shape (n_rows,), int64
        Label, 0 or 1.
    groups : ndarray of shape (n_rows,), int64
        Rows of one group stay in one fold.
    max_rows : int
        Rows beyond are left out.
    seed : int
        Deals the folds.
    n_folds : int
        Folds, at least 2.
    """

    def __init__(
        self,
        columns: Sequence[LevelColumn],
        y: NDArray[np.int64],
        groups: NDArray[np.int64],
        *,
        max_rows: int,
        seed: int,
        n_folds: int = 3,
    ) -> None:
        folds = deal_folds(y, groups, n_folds=n_folds, max_rows=max_rows, seed=seed)
        dealt = folds != NOT_DEALT
        self._place = {column.name: place for place, column in enumerate(columns)}
        self._X = np.column_stack([column.codes[dealt] for column in columns]).astype(np.float64)
        self._y, self._folds, self._n_folds = y[dealt], folds[dealt], n_folds
        self._known: dict[frozenset[str], Worth] = {frozenset(): Worth(auc=0.5, lift=1.0)}

    def worth(self, names: Iterable[str]) -> Worth:
        """Return what the named columns are worth together.

        Parameters
        ----------
        names : iterable of str
            Column names; none is worth an AUC of 0.5 and a lift of 1.

        Returns
        -------
        Worth
        """
        chosen = frozenset(names)
        if chosen not in self._known:
            places = sorted(self._place[name] for name in chosen)
            self._known[chosen] = self._learn(self._X[:, places])
        return self._known[chosen]

    def _learn(self, X: NDArray[np.float64]) -> Worth:
        from sklearn.metrics import roc_auc_score

        aucs, lifts = [], []
        for fold in range(self._n_folds):
            held_out = self._folds == fold
            score = _fit_and_rank(X[~held_out], self._y[~held_out], X[held_out])
            aucs.append(roc_auc_score(self._y[held_out], score))
            lifts.append(lift(self._y[held_out], score, TOP_SHARE))
        return Worth(auc=float(np.mean(aucs)), lift=float(np.mean(lifts)))


def separation(auc: float) -> float:
    """Return the squared distance of two normal classes that an AUC stands for.

    d^2 = 2 * Phi^-1(AUC)^2 (Green and Swets 1966, "Signal Detection Theory and Psychophysics"). It adds up
    over independent columns, which AUC does not; 0 for an AUC of 0.5 or less.

    Parameters
    ----------
    auc : float
        In [0, 1]; taken as at most 0.9999.

    Returns
    -------
    float

    Examples
    --------
    >>> round(separation(0.84), 1), separation(0.4)
    (2.0, 0.0)
    """
    from scipy.special import ndtri

    return float(2 * ndtri(min(max(auc, 0.5), 0.9999)) ** 2)


def _fit_and_rank(
    X: NDArray[np.float64], y: NDArray[np.int64], X_new: NDArray[np.float64]
) -> NDArray[np.float64]:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    forest = HistGradientBoostingClassifier(
        max_iter=40,
        learning_rate=0.15,
        max_leaf_nodes=12,
        l2_regularization=5.0,
        early_stopping=False,
        random_state=0,
    )
    # On so few rows OpenMP's threads cost more waiting for each other than they save.
    with threadpool_limits(limits=1):
        return forest.fit(X, y).decision_function(X_new)
