"""Few known outcomes: a regularised logistic regression with a prior instead of trees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadlift.learning.binned_logistic import BinnedLogistic
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.splitting import most_folds
from leadlift.learning.target_statistics import NO_STATISTICS
from leadlift.terms import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from leadlift.learning.log_odds import LogOddsClassifier
    from leadlift.learning.splitting import Fold

FEWEST_LEADS = 200
FEWEST_OF_EITHER = 40
"""With fewer leads whose outcome is known, or fewer won or lost ones, trees are not tried: on some sets they
see nothing at all below it, on others they are level or a little better (``docs/learning.md``)."""


class ColdStartLearner(BlendedLearner):
    """A blend in which the logistic regression has all the say, for leads with few known outcomes.

    Each bin's log-odds has a Gaussian prior of mean 0; its width is chosen from a wide range by out-of-fold
    log loss. Numbers are cut at quartiles and rare levels pooled, so that a bin holds some outcomes. Where
    the columns say nothing every lead gets the base rate.

    Parameters
    ----------
    logistic : BinnedLogistic, optional
        None takes one of at most 8 levels, 4 quantiles and strengths from 0.001 to 0.3.
    monotone : dict of int to int, optional
        As for :class:`BlendedLearner`.
    n_folds : int, default=8
    random_state : int, default=0

    Attributes
    ----------
    trees_ : BaggedTrees
        Without members.
    logistic_ : BinnedLogistic
    weight_ : float
        1: the weight of the logistic regression.
    oof_log_odds_ : ndarray of float64, shape (n_rows,)

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 2))
    >>> learner = ColdStartLearner().fit(X, X[:, 0] > 0)
    >>> learner.weight_, learner.trees_.model_texts_
    (1.0, ())
    """

    def __init__(
        self,
        logistic: BinnedLogistic | None = None,
        monotone: dict[int, int] | None = None,
        n_folds: int = 8,
        random_state: int = 0,
    ) -> None:
        super().__init__(None, logistic, monotone, n_folds, random_state)

    def _members(self) -> tuple[BaggedTrees, BinnedLogistic]:
        trees, logistic = super()._members()
        if self.logistic is None:
            logistic.set_params(max_levels=8, n_quantiles=4, strengths=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3))
        return trees, logistic

    def _fit(self, X: NDArray, y: NDArray, weight: NDArray, folds: NDArray[np.int64]) -> None:
        self.trees_, self.logistic_ = self._members()
        for member in (self.trees_, self.logistic_):
            member.n_features_in_, member.classes_ = self.n_features_in_, np.array([0, 1])
        self.trees_.model_texts_, self.trees_.statistics_ = (), NO_STATISTICS
        self.logistic_._fit(X, y, weight, folds)
        self.weight_ = 1.0
        self.oof_log_odds_ = self.logistic_.oof_log_odds_

    def _choose(
        self, X: NDArray, y: NDArray, weight: NDArray, groups: NDArray, forward: Sequence[Fold]
    ) -> None:
        """There is nothing to weigh."""


def is_cold(y: NDArray, groups: NDArray | None = None) -> bool:
    """Say whether fewer than 200 leads with a known outcome, or fewer than 40 won or lost ones, are there.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Labels 0 and 1 of the rows that would be learnt from.
    groups : ndarray of shape (n_rows,), optional
        Lead of each row.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_cold(np.repeat([0, 1], [100, 99])), is_cold(np.repeat([0, 1], [1000, 40]))
    (True, False)
    """
    n_leads = len(y) if groups is None else len(np.unique(groups))
    return n_leads < FEWEST_LEADS or most_folds(y, groups) < FEWEST_OF_EITHER


def cold_start_finding(learner: LogOddsClassifier, y: NDArray) -> tuple[Finding, ...]:
    """Say that there were too few outcomes for trees, where that was so.

    Parameters
    ----------
    learner : LogOddsClassifier
        The fitted learner.
    y : ndarray of shape (n_rows,)
        Labels 0 and 1 of the rows it learnt from.

    Returns
    -------
    tuple of Finding
        LL165, or nothing.
    """
    if not isinstance(learner, ColdStartLearner):
        return ()
    won = int(np.sum(y))
    return (
        Finding(
            code="LL165",
            severity=Severity.WARNING,
            title="cold start",
            message=f"The model learnt from {won:,} won and {len(y) - won:,} other rows; with fewer than "
            f"{FEWEST_LEADS} leads, or {FEWEST_OF_EITHER} of either outcome, it is a regularised logistic "
            "regression without trees.",
            remedy="Train again when more leads have closed; read the intervals beside the figures.",
            count=won,
        ),
    )
