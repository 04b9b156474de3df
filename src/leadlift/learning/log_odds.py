"""What every learner has in common: it is a binary classifier that speaks log-odds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from leadlift.exceptions import InputError
from leadlift.learning.fitted.explained import Explained
from leadlift.learning.splitting import grouped_folds, most_folds
from leadlift.learning.threads import one_blas_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from leadlift.learning.fitted.blend import Blend
    from leadlift.learning.fitted.forest import Forest
    from leadlift.learning.fitted.logistic import LogisticTables


def log_loss_each(y: NDArray, log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log loss of each row: ``log(1 + exp(-z))`` of a won lead, ``log(1 + exp(z))`` of another.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Labels 0 and 1.
    log_odds : ndarray of float64, shape (n_rows,)

    Returns
    -------
    ndarray of float64, shape (n_rows,)
    """
    return np.logaddexp(0.0, np.where(y > 0, -log_odds, log_odds))


def binary_target(estimator: BaseEstimator, y: ArrayLike) -> NDArray[np.int8]:
    """Set ``classes_`` and return the label as 0 and 1.

    Raises
    ------
    InputError
        There are not exactly two classes.
    """
    y = np.asarray(y)
    check_classification_targets(y)
    kind = type_of_target(y, input_name="y")
    if kind not in {"binary", "unknown"} and len(np.unique(y)) > 2:
        msg = f"Only binary classification is supported. The type of the target is {kind}."
        raise InputError(msg)
    estimator.classes_, code = np.unique(y, return_inverse=True)
    if len(estimator.classes_) != 2:
        msg = (
            f"the label holds one class only ({estimator.classes_[0]!r}); "
            "won and lost leads are both needed to learn the difference"
        )
        raise InputError(msg)
    return code.astype(np.int8)


class LogOddsClassifier(ClassifierMixin, BaseEstimator):
    """Base of the learners: a binary classifier defined by its log-odds.

    A subclass implements ``_fit(X, y, weight, folds)``, which sets ``oof_log_odds_``, and
    ``_log_odds(X)``. Both get checked float64 matrices in which NaN is missing. One that learns from several
    samples, or whose log-odds can be told apart by column, is a :class:`ShippedClassifier`.
    """

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        forward: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]] = (),
    ) -> LogOddsClassifier:
        """Learn.

        Parameters
        ----------
        X : array of float64, shape (n_rows, n_columns)
            NaN is missing.
        y : array of shape (n_rows,)
            Two classes.
        sample_weight : array of shape (n_rows,), optional
        groups : array of shape (n_rows,), optional
            Lead of each row; the folds hold whole leads.
        forward : sequence of (rows seen, rows held out), optional
            Folds that look forward in time, for learners that decide something by them; others ignore them.

        Returns
        -------
        self

        Raises
        ------
        InputError
            The label does not have exactly two classes.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, order="C", ensure_all_finite="allow-nan")
        target = binary_target(self, y)
        weight = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        n_folds = min(self._n_folds(target), most_folds(target, groups))
        folds = grouped_folds(target, n_folds, groups=groups, random_state=self.random_state)
        with one_blas_thread():
            self._fit(X, target, weight, folds)
            lead = np.arange(len(y)) if groups is None else np.asarray(groups)
            self._choose(X, target, weight, lead, _that_count(forward, target, weight))
        return self

    def _choose(
        self,
        X: NDArray,
        y: NDArray,
        weight: NDArray,
        groups: NDArray,
        forward: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
    ) -> None:
        """Decide what depends on how a model does on later rows; most learners decide nothing."""

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the log-odds of the second class, shape (n_rows,)."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64, order="C", ensure_all_finite="allow-nan")
        return self._log_odds(X)

    def decision_with_members(self, X: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the log-odds, and those that each member of the learner would give alone.

        Parameters
        ----------
        X : array of float64, shape (n_rows, n_columns)

        Returns
        -------
        log_odds : ndarray of float64, shape (n_rows,)
            As :meth:`decision_function` gives them, bit for bit.
        members : ndarray of float64, shape (n_members, n_rows)
            Each member was learnt without one of the folds; no row where the learner has no members.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64, order="C", ensure_all_finite="allow-nan")
        return self._log_odds_with_members(X)

    def _log_odds_with_members(
        self, X: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self._log_odds(X), np.empty((0, len(X)))

    def explain(self, X: ArrayLike) -> Explained:
        """Return the log-odds and the exact contributions they are the sum of, in one pass.

        Contributions are path-dependent SHAP values of trees (Lundberg et al. 2020,
        doi:10.1038/s42256-019-0138-9) and linear SHAP values of logistic regressions.

        Parameters
        ----------
        X : array of float64, shape (n_rows, n_columns)

        Returns
        -------
        Explained
            Its first two fields are those of :meth:`decision_with_members`, bit for bit.

        Raises
        ------
        InputError
            The learner cannot tell its log-odds apart by column.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64, order="C", ensure_all_finite="allow-nan")
        return self._explain(X)

    def _explain(self, X: NDArray[np.float64]) -> Explained:
        return self.fitted.explain(X)

    @property
    def fitted(self) -> Forest | LogisticTables | Blend:
        """What was learnt, without the learning."""
        msg = (
            f"expected a learner whose log-odds can be told apart by column, such as BlendedLearner, got "
            f"{type(self).__name__}; make it a ShippedClassifier, or ask for scores without reasons"
        )
        raise InputError(msg)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return probabilities of both classes, shape (n_rows, 2)."""
        won = expit(self.decision_function(X))
        return np.column_stack([1 - won, won])

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the more likely class of each row."""
        check_is_fitted(self)
        return self.classes_[(self.decision_function(X) > 0).astype(int)]

    def _n_folds(self, y: NDArray) -> int:
        """As many folds as asked for, or as the smaller class can fill."""
        return int(min(self.n_folds, np.bincount(y).min()))

    def __sklearn_tags__(self) -> Any:
        """Say that the classifier is binary and missing values are welcome."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags


class ShippedClassifier(ABC, LogOddsClassifier):
    """Base of the learners whose result is a plain object, which is what scores where nothing is learnt.

    A subclass implements ``_fit(X, y, weight, folds)`` and :attr:`fitted`.
    """

    @property
    @abstractmethod
    def fitted(self) -> Forest | LogisticTables | Blend:
        """What was learnt, without the learning."""

    def _log_odds(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.fitted.log_odds(X)

    def _log_odds_with_members(
        self, X: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.fitted.with_members(X)


def _that_count(
    forward: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]], y: NDArray, weight: NDArray
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Folds without rows of weight 0; those that keep both outcomes on both sides."""
    counted = [(seen[weight[seen] > 0], held[weight[held] > 0]) for seen, held in forward]
    return [fold for fold in counted if all(len(np.unique(y[rows])) == 2 for rows in fold)]
