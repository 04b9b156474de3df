"""The learners: bagged LightGBM, a binned logistic regression, and their blend on the log-odds scale.

All speak log-odds, so that an average of them is a sum and SHAP contributions of the parts add up to those
of the whole. Trees stay small and numeric, which is what makes exact SHAP cheap
(:mod:`leadlift.learning.patterns`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize_scalar

from leadlift.learning.binned_logistic import BinnedLogistic
from leadlift.learning.log_odds import LogOddsClassifier, log_loss_each
from leadlift.learning.patterns import PatternForest, UnsupportedForestError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Tables cost about 2 ms a tree to make and save about 80 ns a tree and row.
ROWS_WORTH_TABLES = 20_000
# Tables of the members used last; they follow from the text alone, so that nobody sees the difference.
MEMBERS_KEPT = 64
_TABLES: dict[str, PatternForest | None] = {}
# Above this many rows an early-stopped bag gains nothing measurable from more folds or smaller steps.
LARGE = 150_000


class BaggedTrees(LogOddsClassifier):
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
        self.max_rounds = max_rounds
        self.patience_rounds = patience_rounds
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _n_folds(self, y: NDArray) -> int:
        return min(super()._n_folds(y), 4 if len(y) > LARGE else self.n_folds)

    def held_out_loss(
        self, X: NDArray, y: NDArray, seen: NDArray[np.int64], held: NDArray[np.int64]
    ) -> float:
        """Return the log loss on rows `held` of one member learnt on rows `seen`, stopped early on `held`.

        Parameters
        ----------
        X : ndarray of float64, shape (n_rows, n_columns)
        y : ndarray of shape (n_rows,)
            Labels 0 and 1.
        seen, held : ndarray of int64
            Row numbers.

        Returns
        -------
        float
        """
        rows = np.r_[held, seen]
        folds = (np.arange(len(rows)) >= len(held)).astype(np.int64)
        _, log_odds = self._learn_member(X[rows], y[rows], np.ones(len(rows)), folds, fold=0)
        return float(log_loss_each(y[held], log_odds).mean())

    def _fit(self, X: NDArray, y: NDArray, weight: NDArray, folds: NDArray[np.int64]) -> None:
        from joblib import Parallel, delayed

        members = Parallel(n_jobs=self.n_jobs, prefer="threads")(
            delayed(self._learn_member)(X, y, weight, folds, fold) for fold in range(folds.max() + 1)
        )
        self.model_texts_ = tuple(text for text, _ in members)
        self.oof_log_odds_ = np.empty(len(y))
        for fold, (_, log_odds) in enumerate(members):
            self.oof_log_odds_[folds == fold] = log_odds

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
        booster = lgb.train(self._parameters(len(y), fold), train, rounds, valid_sets=watched, callbacks=stop)
        text = booster.model_to_string(num_iteration=booster.best_iteration or None)
        log_odds = booster.predict(X[held], raw_score=True, num_iteration=booster.best_iteration or None)
        return text, log_odds

    def _parameters(self, n_rows: int, fold: int) -> dict[str, Any]:
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
            "seed": self.random_state + 1000 * fold,
            "deterministic": True,
            "force_col_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        }

    def _log_odds(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return tree_log_odds(self.model_texts_, X)


def tree_log_odds(model_texts: tuple[str, ...], X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average the members' log-odds.

    Many rows go through decision-pattern tables, few through LightGBM; both give the same bits.

    Parameters
    ----------
    model_texts : tuple of str
        Members in LightGBM's text format.
    X : ndarray of float64, shape (n_rows, n_columns)

    Returns
    -------
    ndarray of float64, shape (n_rows,)
    """
    worth_it = len(X) >= ROWS_WORTH_TABLES or all(text in _TABLES for text in model_texts)
    members = [compiled_member(text) for text in model_texts] if worth_it else [None]
    total = np.zeros(len(X))
    if None in members:
        for booster in load_boosters(model_texts):
            total += booster.predict(X, raw_score=True, num_threads=1)
    else:
        for member in members:
            total += member.raw(X)
    return total / len(model_texts)


def compiled_member(model_text: str) -> PatternForest | None:
    """Return a member as decision-pattern tables, made once; None where its trees are too large for them."""
    if model_text not in _TABLES:
        while len(_TABLES) >= MEMBERS_KEPT:
            _TABLES.pop(next(iter(_TABLES)))
        try:
            _TABLES[model_text] = PatternForest.from_model_texts([model_text], [1.0])
        except UnsupportedForestError:
            _TABLES[model_text] = None
    return _TABLES[model_text]


def load_boosters(model_texts: tuple[str, ...]) -> list[Any]:
    """Parse members from LightGBM's text format; no code in it is executed."""
    import lightgbm as lgb

    return [lgb.Booster(model_str=text) for text in model_texts]


class BlendedLearner(LogOddsClassifier):
    """Bagged trees and a binned logistic regression, averaged on the log-odds scale.

    ``log_odds = (1 - w) * trees + w * logistic`` with `w` in [0, 1] fitted on out-of-fold log-odds; `w` is
    0 unless the gain in log loss exceeds its standard error.

    Parameters
    ----------
    trees : BaggedTrees, optional
        None takes ``BaggedTrees(random_state=random_state)``.
    logistic : BinnedLogistic, optional
        None takes ``BinnedLogistic()``.
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
        n_folds: int = 8,
        random_state: int = 0,
    ) -> None:
        self.trees = trees
        self.logistic = logistic
        self.n_folds = n_folds
        self.random_state = random_state

    def _n_folds(self, y: NDArray) -> int:
        return self._members()[0].set_params(n_folds=self.n_folds)._n_folds(y)

    def _members(self) -> tuple[BaggedTrees, BinnedLogistic]:
        from sklearn.base import clone

        trees = BaggedTrees(random_state=self.random_state) if self.trees is None else clone(self.trees)
        return trees, BinnedLogistic() if self.logistic is None else clone(self.logistic)

    def _fit(self, X: NDArray, y: NDArray, weight: NDArray, folds: NDArray[np.int64]) -> None:
        self.trees_, self.logistic_ = self._members()
        for member in (self.trees_, self.logistic_):
            member.n_features_in_, member.classes_ = self.n_features_in_, np.array([0, 1])
            member._fit(X, y, weight, folds)
        trees, logistic = self.trees_.oof_log_odds_, self.logistic_.oof_log_odds_
        self.weight_ = _blend_weight(trees, logistic, y, weight)
        self.oof_log_odds_ = (1 - self.weight_) * trees + self.weight_ * logistic

    def _log_odds(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        trees = self.trees_._log_odds(X)
        if self.weight_ == 0:
            return trees
        return (1 - self.weight_) * trees + self.weight_ * self.logistic_._log_odds(X)


def _blend_weight(trees: NDArray, logistic: NDArray, y: NDArray, weight: NDArray) -> float:
    """Minimise the out-of-fold log loss over the weight; 0 unless the gain exceeds its standard error."""

    def loss(w: float) -> float:
        return float(np.average(log_loss_each(y, (1 - w) * trees + w * logistic), weights=weight))

    best = float(minimize_scalar(loss, bounds=(0.0, 1.0), method="bounded").x)
    gain = log_loss_each(y, trees) - log_loss_each(y, (1 - best) * trees + best * logistic)
    mean = float(np.average(gain, weights=weight))
    error = float(np.sqrt(np.average((gain - mean) ** 2, weights=weight) / len(y)))
    return best if mean > error else 0.0


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
    return lgb.train(parameters, data, num_boost_round=100).predict
