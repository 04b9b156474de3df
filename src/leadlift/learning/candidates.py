"""Bagged LightGBM: small, numeric trees, each member stopped early on the fold it did not see.

Trees stay small and numeric, which is what makes exact SHAP cheap
(:mod:`leadlift.learning.patterns`).
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from leadlift.learning.category_pairs import is_clear_gain, screen_statistics
from leadlift.learning.fitted.forest import Forest
from leadlift.learning.log_odds import ShippedClassifier, log_loss_each
from leadlift.learning.target_statistics import NO_STATISTICS, FoldedStatistics, can_leave_two_out

if TYPE_CHECKING:
    from numpy.typing import NDArray


# Above this many rows an early-stopped bag gains nothing measurable from more folds or smaller steps.
LARGE = 150_000


class BaggedTrees(ShippedClassifier):
    """LightGBM on each fold's complement, stopped early on the fold, averaged on the log-odds scale.

    Parameters
    ----------
    n_folds : int, default=8
        Members of the bag; 4 above 150,000 rows, where more bring nothing.
    learning_rate : float, default=0.05
        Doubled above 150,000 rows.
    num_leaves : int, default=12
        At most 12 keeps the exact decision-pattern tables small.
    max_depth : int, default=6
    min_child_samples : int, default=20
    subsample : float, default=0.8
        Share of the rows each tree sees.
    feature_fraction : float, default=0.5
        Share of the columns each tree sees.
    lambda_l2 : float, default=5.0
    monotone : dict of int to int, optional
        By column number, 1 where a larger value never lowers the log-odds, -1 where it never raises them.
        Missing is no value and not bound.
    max_statistics : int, default=5
        Most target statistics of columns and pairs of columns that are added where they clearly gain out of
        fold (:mod:`leadlift.learning.category_pairs`); 0 adds none. Monotone columns take no part.
    max_rounds : int, default=2000
    patience_rounds : int, default=50
        Rounds without gain in the fold's log loss after which a member stops.
    n_jobs : int, default=-1
        Members learnt at a time; -1 takes all cores. The result does not depend on it.
    random_state : int, default=0

    Attributes
    ----------
    model_texts_ : tuple of str
        LightGBM's text format of each member.
    statistics_ : TargetStatistics
        Columns added after those of the input; empty where they do not clearly gain.
    oof_log_odds_ : ndarray of float64, shape (n_rows,)
        For each training row, the log-odds of the member that did not see its fold.
    """

    def __init__(
        self,
        n_folds: int = 8,
        learning_rate: float = 0.05,
        num_leaves: int = 12,
        max_depth: int = 6,
        min_child_samples: int = 20,
        subsample: float = 0.8,
        feature_fraction: float = 0.5,
        lambda_l2: float = 5.0,
        monotone: dict[int, int] | None = None,
        max_statistics: int = 5,
        max_rounds: int = 2000,
        patience_rounds: int = 50,
        n_jobs: int = -1,
        random_state: int = 0,
    ) -> None:
        self.n_folds = n_folds
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.max_depth = max_depth
        self.min_child_samples = min_child_samples
        self.subsample = subsample
        self.feature_fraction = feature_fraction
        self.lambda_l2 = lambda_l2
        self.monotone = monotone
        self.max_statistics = max_statistics
        self.max_rounds = max_rounds
        self.patience_rounds = patience_rounds
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _n_folds(self, y: NDArray) -> int:
        return min(super()._n_folds(y), 4 if len(y) > LARGE else self.n_folds)

    def held_out_loss(
        self,
        X: NDArray,
        y: NDArray,
        seen: NDArray[np.int64],
        held: NDArray[np.int64],
        weight: NDArray | None = None,
    ) -> float:
        """Return the log loss on rows `held` of one member learnt on rows `seen`, stopped early on `held`.

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_columns)
        y : ndarray of shape (n_rows,)
            Labels 0 and 1.
        seen, held : ndarray of int64
            Row numbers.
        weight : ndarray of shape (n_rows,), optional
            What each row counts for; None takes 1.

        Returns
        -------
        float
        """
        weight = np.ones(len(y)) if weight is None else weight
        rows = np.r_[held, seen]
        folds = (np.arange(len(rows)) >= len(held)).astype(np.int64)
        _, log_odds = self._learn_member(X[rows], y[rows], weight[rows], folds, fold=0)
        return float(np.average(log_loss_each(y[held], log_odds), weights=weight[held]))

    def _fit(self, X: NDArray, y: NDArray, weight: NDArray, folds: NDArray[np.int64]) -> None:
        self.model_texts_, self.oof_log_odds_ = self._learn_bag(X, y, weight, folds)
        self.statistics_ = NO_STATISTICS
        if self.max_statistics and can_leave_two_out(y, weight, folds):
            self._add_statistics(X, y, weight, folds)

    def _add_statistics(self, X: NDArray, y: NDArray, weight: NDArray, folds: NDArray[np.int64]) -> None:
        """Learn again with target statistics where something was missed; keep them on a clear gain."""
        columns = screen_statistics(
            X, y, weight, folds, self.oof_log_odds_, excluded=self.monotone or (), most=self.max_statistics
        )
        if not columns:
            return
        statistics = FoldedStatistics(X, y, weight, folds, columns)
        texts, log_odds = self._learn_bag(X, y, weight, folds, statistics)
        if is_clear_gain(y, weight, folds, self.oof_log_odds_, log_odds):
            self.model_texts_, self.oof_log_odds_ = texts, log_odds
            self.statistics_ = statistics.learnt

    def _learn_bag(
        self,
        X: NDArray,
        y: NDArray,
        weight: NDArray,
        folds: NDArray[np.int64],
        statistics: FoldedStatistics | None = None,
    ) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        """Return the members and the out-of-fold log-odds."""
        from joblib import Parallel, delayed

        def learn(fold: int) -> tuple[str, NDArray[np.float64]]:
            matrix = X if statistics is None else np.column_stack([X, statistics.member_columns(fold)])
            return self._learn_member(matrix, y, weight, folds, fold)

        members = Parallel(n_jobs=self.n_jobs, prefer="threads")(
            delayed(learn)(fold) for fold in range(folds.max() + 1)
        )
        log_odds = np.empty(len(y))
        for fold, (_, of_held) in enumerate(members):
            log_odds[folds == fold] = of_held
        return tuple(text for text, _ in members), log_odds

    def _learn_member(
        self, X: NDArray, y: NDArray, weight: NDArray, folds: NDArray[np.int64], fold: int
    ) -> tuple[str, NDArray[np.float64]]:
        """Learn one member; with a single fold it learns from all rows for a fixed number of rounds."""
        import lightgbm as lgb

        held = folds == fold
        seen = ~held if folds.max() else held
        train = lgb.Dataset(X[seen], y[seen], weight=weight[seen], free_raw_data=True)
        stop: list[Any] = []
        watched: list[lgb.Dataset] = []
        if folds.max():
            watched = [lgb.Dataset(X[held], y[held], weight=weight[held], reference=train)]
            stop = [lgb.early_stopping(self.patience_rounds, verbose=False)]
        rounds = self.max_rounds if watched else min(self.max_rounds, 100)
        booster = lgb.train(
            self._parameters(X.shape, fold), train, rounds, valid_sets=watched, callbacks=stop
        )
        best = booster.best_iteration or None
        # A call that names no number of threads sets one for the whole process, under a member that is being
        # learnt beside this one, and LightGBM writes beyond its buffers.
        log_odds = booster.predict(X[held], raw_score=True, num_iteration=best, num_threads=1)
        return booster.model_to_string(num_iteration=best), log_odds

    def _parameters(self, shape: tuple[int, int], fold: int) -> dict[str, Any]:
        n_rows, n_columns = shape
        return {
            "objective": "binary",
            "metric": "binary_logloss",
            "learning_rate": self.learning_rate * (2 if n_rows > LARGE else 1),
            "num_leaves": self.num_leaves,
            "max_depth": self.max_depth,
            "min_child_samples": self.min_child_samples,
            "bagging_fraction": self.subsample,
            "bagging_freq": 1,
            "feature_fraction": self.feature_fraction,
            "lambda_l2": self.lambda_l2,
            "monotone_constraints": _by_column(self.monotone, n_columns),
            "seed": self.random_state + 1000 * fold,
            "deterministic": True,
            "force_col_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        }

    @property
    def fitted(self) -> Forest:
        """The bag as it scores."""
        return Forest(self.model_texts_, self.statistics_)

    def matrix(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the trees split: the columns of `X` and, after them, the target statistics."""
        return self.fitted.matrix(X)


def _by_column(monotone: dict[int, int] | None, n_columns: int) -> list[int] | None:
    """Write the directions as LightGBM wants them, 0 for a free column; None where all are free."""
    return [monotone.get(column, 0) for column in range(n_columns)] if monotone else None


def default_lightgbm(matrix: NDArray[np.float64], y: NDArray, categorical: list[int]) -> Any:
    """Fit LightGBM as it comes, with native categories; a baseline.

    Parameters
    ----------
    matrix : ndarray of float64, shape (n_rows, n_columns)
    y : ndarray of shape (n_rows,)
        Labels 0 and 1.
    categorical : list of int
        Columns that hold codes of levels.

    Returns
    -------
    callable
        From a matrix to probabilities, shape (n_rows,).
    """
    import lightgbm as lgb

    parameters = {"objective": "binary", "verbosity": -1, "deterministic": True, "force_col_wise": True}
    # OpenMP's threads wait for each other on a busy machine, which took ten times the time of one thread.
    parameters["num_threads"] = 1
    data = lgb.Dataset(matrix, y, categorical_feature=categorical or "auto")
    return functools.partial(lgb.train(parameters, data, num_boost_round=100).predict, num_threads=1)
