"""A logistic regression on bins: for each column a table of log-odds, which a person can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from leadlift.learning.fitted.logistic import LogisticTables, bin_column
from leadlift.learning.log_odds import ShippedClassifier, log_loss_each

if TYPE_CHECKING:
    from numpy.typing import NDArray


# An empty bin has no say in where a monotone table is levelled.
_NO_WEIGHT = 1e-12


class _Line(NamedTuple):
    """A linear function of the one-hot bins."""

    coefficients: NDArray[np.float64]
    intercept: float

    def of(self, bins: Any) -> NDArray[np.float64]:
        """Log-odds of each row."""
        return bins @ self.coefficients + self.intercept


class BinnedLogistic(ShippedClassifier):
    """Logistic regression on bins: for each column a table of log-odds by bin.

    A column with few distinct values has one bin a value, another one quantiles; missing is a bin of its own.
    The ridge penalty is a Gaussian prior of mean 0 on each bin's log-odds; the base rate is not penalised.

    The table of a monotone column is the ridge table levelled by the pool-adjacent-violators algorithm
    (Barlow et al. 1972), bins weighted by their training rows, which leaves its mean as it was. That is the
    nearest monotone table, not the optimum under the constraint.

    Parameters
    ----------
    max_levels : int, default=32
        Columns with more distinct values are cut at quantiles.
    n_quantiles : int, default=10
        Bins of such a column.
    strengths : tuple of float, default=(0.03, 0.3)
        Inverse strengths of the ridge penalty (``C`` of scikit-learn) to choose from by out-of-fold loss.
    monotone : dict of int to int, optional
        By column number, 1 where a larger value never lowers the log-odds, -1 where it never raises them.
        Missing is no value and not bound.
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
    fold_tables_ : list of ndarray of float64, shape (n_bins, n_folds)
        For each column the tables learnt without each fold, not centred; their spread is the uncertainty.
    fold_intercepts_ : ndarray of float64, shape (n_folds,)
    oof_log_odds_ : ndarray of float64, shape (n_rows,)
    """

    def __init__(
        self,
        max_levels: int = 32,
        n_quantiles: int = 10,
        strengths: tuple[float, ...] = (0.03, 0.3),
        monotone: dict[int, int] | None = None,
        n_folds: int = 8,
        random_state: int = 0,
    ) -> None:
        self.max_levels = max_levels
        self.n_quantiles = n_quantiles
        self.strengths = strengths
        self.monotone = monotone
        self.n_folds = n_folds
        self.random_state = random_state

    def _fit(self, X: NDArray, y: NDArray, weight: NDArray, folds: NDArray[np.int64]) -> None:
        self.edges_ = [_bin_edges(column, weight, self.max_levels, self.n_quantiles) for column in X.T]
        bins = _one_hot(self._bins(X), self.edges_)
        lines = {c: self._without_each_fold(bins, y, weight, folds, c) for c in self.strengths}
        held_out = {c: _held_out(bins, folds, lines[c]) for c in self.strengths}
        losses = {c: np.average(log_loss_each(y, z), weights=weight) for c, z in held_out.items()}
        self.strength_ = min(losses, key=losses.get)
        self.oof_log_odds_ = held_out[self.strength_]
        self._keep_folds(lines[self.strength_])
        self._keep_tables(*self._line(bins, y, weight, self.strength_), bins, weight)

    def _without_each_fold(
        self, bins: Any, y: NDArray, weight: NDArray, folds: NDArray[np.int64], strength: float
    ) -> list[_Line]:
        """Learn without each fold; with a single fold from all rows."""
        seen = [folds != fold if folds.max() else folds == fold for fold in range(folds.max() + 1)]
        return [self._line(bins[rows], y[rows], weight[rows], strength) for rows in seen]

    def _line(self, bins: Any, y: NDArray, weight: NDArray, strength: float) -> _Line:
        coefficients, intercept = _ridge(bins, y, weight, strength)
        starts = _starts(self.edges_)
        support = np.maximum(bins.T @ weight, _NO_WEIGHT)
        for column, direction in (self.monotone or {}).items():
            # The last bin is that of missing.
            values = slice(starts[column], starts[column + 1] - 1)
            coefficients[values] = _levelled(coefficients[values], support[values], direction)
        return _Line(coefficients, intercept)

    def _keep_folds(self, lines: list[_Line]) -> None:
        by_fold = np.column_stack([line.coefficients for line in lines])
        self.fold_tables_ = np.split(by_fold, _starts(self.edges_)[1:-1])
        self.fold_intercepts_ = np.array([line.intercept for line in lines])

    def _keep_tables(self, coefficients: NDArray, intercept: float, bins: Any, weight: NDArray) -> None:
        """Split the coefficients by column and centre each, which moves its mean into the intercept."""
        frequency = np.asarray(bins.T @ weight).ravel() / weight.sum()
        inner = _starts(self.edges_)[1:-1]
        self.tables_, self.intercept_ = [], intercept
        for part, share in zip(np.split(coefficients, inner), np.split(frequency, inner), strict=True):
            mean = float(part @ share)
            self.tables_.append(part - mean)
            self.intercept_ += mean

    def _bins(self, X: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.column_stack([bin_column(x, edges) for x, edges in zip(X.T, self.edges_, strict=True)])

    @property
    def fitted(self) -> LogisticTables:
        """The tables as they score."""
        return LogisticTables(
            self.edges_, self.tables_, self.intercept_, self.fold_tables_, self.fold_intercepts_
        )


def _held_out(bins: Any, folds: NDArray[np.int64], lines: list[_Line]) -> NDArray[np.float64]:
    """Log-odds of each row by what was learnt without its fold."""
    log_odds = np.empty(len(folds))
    for fold, line in enumerate(lines):
        log_odds[folds == fold] = line.of(bins[folds == fold])
    return log_odds


def _ridge(bins: Any, y: NDArray, weight: NDArray, strength: float) -> tuple[NDArray[np.float64], float]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, max_iter=1000)
    model.fit(bins, y, sample_weight=weight)
    return model.coef_[0], float(model.intercept_[0])


def _bin_edges(
    column: NDArray[np.float64], weight: NDArray, max_levels: int, n_quantiles: int
) -> NDArray[np.float64]:
    """Midpoints of few distinct values, else weighted quantiles; rows of weight 0 are not there."""
    known = ~np.isnan(column) & (weight > 0)
    values = np.unique(column[known])
    if len(values) <= max_levels:
        return values[:-1] / 2 + values[1:] / 2
    shares = np.arange(1, n_quantiles) / n_quantiles
    return np.unique(np.quantile(column[known], shares, method="inverted_cdf", weights=weight[known]))


def _levelled(table: NDArray, support: NDArray, direction: int) -> NDArray[np.float64]:
    """Return the nearest table that rises (1) or falls (-1), by weighted least squares."""
    from sklearn.isotonic import isotonic_regression

    return isotonic_regression(table, sample_weight=support, increasing=direction > 0)


def _starts(edges: list[NDArray[np.float64]]) -> NDArray[np.int64]:
    """First place of each column's bins among all, and the end; missing is the last bin of a column."""
    return np.cumsum([0] + [len(e) + 2 for e in edges])


def _one_hot(bins: NDArray[np.int64], edges: list[NDArray[np.float64]]) -> Any:
    from scipy.sparse import csr_array

    starts = _starts(edges)
    n_rows, n_columns = bins.shape
    places = (bins + starts[:-1]).ravel()
    rows = np.arange(0, n_rows * n_columns + 1, n_columns)
    return csr_array((np.ones(len(places)), places, rows), shape=(n_rows, starts[-1]))
