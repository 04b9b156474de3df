"""A logistic regression on bins: for each column a table of log-odds, which a person can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from leadlift.learning.log_odds import LogOddsClassifier, log_loss_each

if TYPE_CHECKING:
    from numpy.typing import NDArray


class BinnedLogistic(LogOddsClassifier):
    """Logistic regression on bins: for each column a table of log-odds by bin.

    A column with few distinct values has one bin a value, another one deciles; missing is a bin of its own.

    Parameters
    ----------
    max_levels : int, default=32
        Columns with more distinct values are cut at deciles.
    strengths : tuple of float, default=(0.03, 0.3)
        Inverse strengths of the ridge penalty (``C`` of scikit-learn) to choose from by out-of-fold loss.
    n_folds : int, default=8
        Folds of the out-of-fold log-odds.
    random_state : int, default=0

    Attributes
    ----------
    edges_ : list of ndarray of float64
        For each column the ascending edges between bins; a value on an edge belongs to the bin below.
    tables_ : list of ndarray of float64
        For each column the log-odds of each bin, centred to mean 0 over the training rows; the last entry
        is that of missing.
    intercept_ : float
        Mean log-odds of the training rows.
    strength_ : float
        The strength chosen.
    oof_log_odds_ : ndarray of float64, shape (n_rows,)
    """

    def __init__(
        self,
        max_levels: int = 32,
        strengths: tuple[float, ...] = (0.03, 0.3),
        n_folds: int = 8,
        random_state: int = 0,
    ) -> None:
        self.max_levels = max_levels
        self.strengths = strengths
        self.n_folds = n_folds
        self.random_state = random_state

    def _fit(self, X: NDArray, y: NDArray, weight: NDArray, folds: NDArray[np.int64]) -> None:
        self.edges_ = [_bin_edges(column, self.max_levels) for column in X.T]
        bins = _one_hot(self._bins(X), self.edges_)
        held_out = {c: self._held_out(bins, y, weight, folds, c) for c in self.strengths}
        losses = {c: np.average(log_loss_each(y, z), weights=weight) for c, z in held_out.items()}
        self.strength_ = min(losses, key=losses.get)
        self.oof_log_odds_ = held_out[self.strength_]
        self._keep_tables(*_ridge(bins, y, weight, self.strength_), bins, weight)

    def _held_out(
        self, bins: Any, y: NDArray, weight: NDArray, folds: NDArray[np.int64], strength: float
    ) -> NDArray[np.float64]:
        log_odds = np.empty(len(y))
        for fold in range(folds.max() + 1):
            held = folds == fold
            seen = ~held if folds.max() else held
            coefficients, intercept = _ridge(bins[seen], y[seen], weight[seen], strength)
            log_odds[held] = bins[held] @ coefficients + intercept
        return log_odds

    def _keep_tables(self, coefficients: NDArray, intercept: float, bins: Any, weight: NDArray) -> None:
        """Split the coefficients by column and centre each, which moves its mean into the intercept."""
        frequency = np.asarray(bins.T @ weight).ravel() / weight.sum()
        stops = np.cumsum([len(edges) + 2 for edges in self.edges_])
        self.tables_, self.intercept_ = [], intercept
        for part, share in zip(
            np.split(coefficients, stops[:-1]), np.split(frequency, stops[:-1]), strict=True
        ):
            mean = float(part @ share)
            self.tables_.append(part - mean)
            self.intercept_ += mean

    def _bins(self, X: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.column_stack([bin_column(x, edges) for x, edges in zip(X.T, self.edges_, strict=True)])

    def _log_odds(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        total = np.full(len(X), self.intercept_)
        for x, edges, table in zip(X.T, self.edges_, self.tables_, strict=True):
            total += table[bin_column(x, edges)]
        return total


def _ridge(bins: Any, y: NDArray, weight: NDArray, strength: float) -> tuple[NDArray[np.float64], float]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, max_iter=1000)
    model.fit(bins, y, sample_weight=weight)
    return model.coef_[0], float(model.intercept_[0])


def bin_column(x: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the bin of each value; missing is the bin after the last.

    Examples
    --------
    >>> bin_column(np.array([0.0, 1.0, 5.0, np.nan]), np.array([1.0, 3.0])).tolist()
    [0, 0, 2, 3]
    """
    bins = np.searchsorted(edges, x, side="left")
    bins[np.isnan(x)] = len(edges) + 1
    return bins


def _bin_edges(column: NDArray[np.float64], max_levels: int) -> NDArray[np.float64]:
    values = np.unique(column[~np.isnan(column)])
    if len(values) <= max_levels:
        return values[:-1] / 2 + values[1:] / 2
    deciles = np.quantile(column[~np.isnan(column)], np.arange(0.1, 0.95, 0.1), method="lower")
    return np.unique(deciles)


def _one_hot(bins: NDArray[np.int64], edges: list[NDArray[np.float64]]) -> Any:
    from scipy.sparse import csr_array

    starts = np.cumsum([0] + [len(e) + 2 for e in edges])
    n_rows, n_columns = bins.shape
    places = (bins + starts[:-1]).ravel()
    rows = np.arange(0, n_rows * n_columns + 1, n_columns)
    return csr_array((np.ones(len(places)), places, rows), shape=(n_rows, starts[-1]))
