"""From log-odds to probabilities that mean what they say.

A calibrator is a monotone map of one variable, learnt on rows the learner has not seen. Each kind is a
small class; :class:`CalibratorChoice` picks among them by held-out log loss, "none" included, because a
model trained on log loss is often best left alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from leadlift.exceptions import ConfigError, InputError
from leadlift.learning.fitted.curves import BetaCurve, IsotonicCurve, LogisticCurve
from leadlift.learning.log_odds import log_loss_each
from leadlift.learning.splitting import grouped_folds
from leadlift.learning.threads import one_blas_thread

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from leadlift.learning.fitted.curves import Curve

# Name -> "module:Class"; a new calibrator is one line here and one class anywhere.
CALIBRATORS = {
    "none": "leadlift.learning.calibration:NoCalibrator",
    "sigmoid": "leadlift.learning.calibration:SigmoidCalibrator",
    "beta": "leadlift.learning.calibration:BetaCalibrator",
    "isotonic": "leadlift.learning.calibration:IsotonicCalibrator",
    "shifted": "leadlift.learning.shifted_calibration:ShiftedCalibrator",
}
# What a choice tries where nothing else is asked for.
CHOICES = ("none", "sigmoid", "beta", "isotonic")


def get_calibrator(name: str) -> Calibrator:
    """Return a new, unfitted calibrator by its registered name.

    Raises
    ------
    ConfigError
        No calibrator has that name.
    """
    if name not in CALIBRATORS:
        msg = f"no calibrator is called {name!r}; there are {', '.join(CALIBRATORS)}"
        raise ConfigError(msg)
    module, attribute = CALIBRATORS[name].split(":")
    return getattr(import_module(module), attribute)()


class Calibrator(ABC, BaseEstimator):
    """Base of the calibrators: a non-decreasing map from log-odds to probability.

    A subclass sets ``name``, learns in ``_fit(log_odds, y, weight)``, gives the map as ``curve`` and names
    its learnt numbers in ``learnt`` so that they can be written as JSON;
    :data:`leadlift.learning.fitted.curves.CURVES` says how they are read back for scoring alone.
    """

    name: ClassVar[str]
    learnt: ClassVar[tuple[str, ...]] = ()

    def fit(self, log_odds: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Calibrator:
        """Learn the map.

        Parameters
        ----------
        log_odds : array of float64, shape (n_rows,)
            From rows the learner was not fitted on.
        y : array of shape (n_rows,)
            Labels 0 and 1, both present.
        sample_weight : array of shape (n_rows,), optional

        Returns
        -------
        self

        Raises
        ------
        InputError
            Only one class is present, or a log-odds is not finite.
        """
        z, y = np.asarray(log_odds, dtype=np.float64), np.asarray(y)
        if len(np.unique(y)) != 2:
            msg = f"calibration needs won and lost leads, got one class only in {len(y)} rows"
            raise InputError(msg)
        if not np.isfinite(z).all():
            msg = f"{int((~np.isfinite(z)).sum())} log-odds are not finite; a calibrator cannot be fitted"
            raise InputError(msg)
        weight = np.ones(len(z)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        with one_blas_thread():
            self._fit(z, y, weight)
        self.is_fitted_ = True
        return self

    @abstractmethod
    def _fit(self, z: NDArray[np.float64], y: NDArray, weight: NDArray[np.float64]) -> None: ...

    @property
    @abstractmethod
    def curve(self) -> Curve:
        """What was learnt, without the learning."""

    def transform(self, log_odds: ArrayLike) -> NDArray[np.float64]:
        """Return the calibrated probability of each log-odds, shape (n_rows,), in [0, 1]."""
        return self.curve.transform(log_odds)

    def to_dict(self) -> dict[str, Any]:
        """Return name and learnt numbers as JSON-ready values."""
        check_is_fitted(self)
        return {"name": self.name} | {key: _plain(getattr(self, key)) for key in self.learnt}

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Calibrator:
        """Rebuild a fitted calibrator from :meth:`to_dict`."""
        calibrator = get_calibrator(data["name"])
        calibrator._restore(data)
        calibrator.is_fitted_ = True
        return calibrator

    def _restore(self, data: dict[str, Any]) -> None:
        for key in self.learnt:
            value = data[key]
            setattr(self, key, np.array(value, dtype=np.float64) if isinstance(value, list) else value)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else float(value)


class NoCalibrator(Calibrator):
    """Leave the probability as it is: ``p = 1 / (1 + exp(-z))``.

    Examples
    --------
    >>> NoCalibrator().fit([-1, 1], [0, 1]).transform([0.0])
    array([0.5])
    """

    name = "none"

    def _fit(self, z: NDArray[np.float64], y: NDArray, weight: NDArray[np.float64]) -> None:
        """Nothing to learn."""

    @property
    def curve(self) -> LogisticCurve:
        """The logistic function of the log-odds."""
        return LogisticCurve()


class SigmoidCalibrator(Calibrator):
    """Logistic regression on the log-odds: ``p = 1 / (1 + exp(-(a z + c)))`` with ``a >= 0``.

    Source: Platt 1999, on log-odds instead of margins and without his smoothed targets, so that ``a = 1,
    c = 0`` is the identity. A change of the base rate alone moves `c` only.

    Attributes
    ----------
    slope_, intercept_ : float
    """

    name = "sigmoid"
    learnt = ("slope_", "intercept_")

    def _fit(self, z: NDArray[np.float64], y: NDArray, weight: NDArray[np.float64]) -> None:
        features = np.column_stack([z, np.ones(len(z))])
        self.slope_, self.intercept_ = _logistic(features, y, weight, start=(1.0, 0.0), n_positive=1)

    @property
    def curve(self) -> LogisticCurve:
        """``1 / (1 + exp(-(slope z + intercept)))``."""
        return LogisticCurve(self.slope_, self.intercept_)


class BetaCalibrator(Calibrator):
    """Beta calibration: ``logit p' = a ln p - b ln(1 - p) + c`` with ``a, b >= 0``.

    Source: Kull, Silva Filho, Flach 2017, AISTATS (PMLR 54:623-631). ``a = b = 1, c = 0`` is the identity.

    Attributes
    ----------
    a_, b_, c_ : float
    """

    name = "beta"
    learnt = ("a_", "b_", "c_")

    def _fit(self, z: NDArray[np.float64], y: NDArray, weight: NDArray[np.float64]) -> None:
        features = np.column_stack([log_expit(z), -log_expit(-z), np.ones(len(z))])
        self.a_, self.b_, self.c_ = _logistic(features, y, weight, start=(1.0, 1.0, 0.0), n_positive=2)

    @property
    def curve(self) -> BetaCurve:
        """The beta-calibrated probability."""
        return BetaCurve(self.a_, self.b_, self.c_)


class IsotonicCalibrator(Calibrator):
    """Isotonic regression of the label on the log-odds, linear between its corners.

    Probabilities stay half a lead away from 0 and 1 (``0.5 / n`` and ``1 - 0.5 / n``, where `n` is the sum
    of the weights), since no sample shows that something never happens. Its plateaus make ties.

    Attributes
    ----------
    log_odds_, probabilities_ : ndarray of float64
        Corners of the map, ascending.
    """

    name = "isotonic"
    learnt = ("log_odds_", "probabilities_")

    def _fit(self, z: NDArray[np.float64], y: NDArray, weight: NDArray[np.float64]) -> None:
        from sklearn.isotonic import IsotonicRegression

        margin = 0.5 / max(weight.sum(), 1.0)
        model = IsotonicRegression(y_min=margin, y_max=1 - margin, out_of_bounds="clip")
        model.fit(z, y, sample_weight=weight)
        self.log_odds_ = model.X_thresholds_.astype(np.float64)
        self.probabilities_ = model.y_thresholds_.astype(np.float64)

    @property
    def curve(self) -> IsotonicCurve:
        """Linear between the corners, constant outside."""
        return IsotonicCurve(self.log_odds_, self.probabilities_)


def _logistic(
    features: NDArray[np.float64],
    y: NDArray,
    weight: NDArray[np.float64],
    *,
    start: tuple[float, ...],
    n_positive: int,
) -> tuple[float, ...]:
    """Fit a logistic regression whose first `n_positive` coefficients are >= 0.

    A tiny ridge towards `start` (the identity) keeps separable samples finite.
    """
    anchor = np.array(start)
    total = weight.sum()

    def loss(beta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = features @ beta
        gradient = features.T @ (weight * (expit(z) - (y > 0))) / total + 2e-4 * (beta - anchor)
        value = weight @ log_loss_each(y, z) / total + 1e-4 * ((beta - anchor) ** 2).sum()
        return value, gradient

    bounds = [(0.0, None)] * n_positive + [(None, None)] * (len(start) - n_positive)
    # A slope of exactly 0 would tie all leads; the bound keeps the order of the scores.
    bounds[0] = (1e-3, None)
    result = minimize(loss, anchor, jac=True, bounds=bounds, method="L-BFGS-B")
    return tuple(float(value) for value in result.x)


class CalibratorChoice(Calibrator):
    """Choose a calibrator by held-out log loss over folds, then fit it on all rows.

    The first candidate keeps its place unless another one is better by more than one standard error of
    the paired difference: a more flexible map has to earn its place.

    Parameters
    ----------
    candidates : tuple of Calibrator, optional
        None takes none, sigmoid, beta and isotonic.
    n_folds : int, default=5
    random_state : int, default=0

    Attributes
    ----------
    chosen_ : Calibrator
        The fitted winner.
    log_loss_ : dict of str to float
        Held-out log loss of each candidate.
    """

    name = "choice"

    def __init__(
        self, candidates: tuple[Calibrator, ...] | None = None, n_folds: int = 5, random_state: int = 0
    ) -> None:
        self.candidates = candidates
        self.n_folds = n_folds
        self.random_state = random_state

    def _fit(self, z: NDArray[np.float64], y: NDArray, weight: NDArray[np.float64]) -> None:
        candidates = self.candidates or tuple(get_calibrator(name) for name in CHOICES)
        n_folds = min(self.n_folds, int(np.bincount((y > 0).astype(int)).min()))
        folds = grouped_folds(y, max(n_folds, 1), random_state=self.random_state)
        losses = {c.name: _held_out_loss(c, z, y, weight, folds) for c in candidates}
        self.log_loss_ = {name: float(np.average(loss, weights=weight)) for name, loss in losses.items()}
        winner = _choose(losses, weight)
        self.chosen_ = next(clone(c) for c in candidates if c.name == winner).fit(z, y, weight)

    @property
    def curve(self) -> Curve:
        """That of the chosen calibrator."""
        check_is_fitted(self, "chosen_")
        return self.chosen_.curve

    def to_dict(self) -> dict[str, Any]:
        """Return the chosen calibrator as JSON-ready values."""
        check_is_fitted(self, "chosen_")
        return self.chosen_.to_dict()


def _held_out_loss(
    calibrator: Calibrator, z: NDArray, y: NDArray, weight: NDArray, folds: NDArray[np.int64]
) -> NDArray[np.float64]:
    if folds.max(initial=0) == 0:
        return log_loss_each(y, z)
    loss = np.empty(len(y))
    for fold in range(folds.max() + 1):
        held = folds == fold
        fitted = clone(calibrator)
        fitted._fit(z[~held], y[~held], weight[~held])
        loss[held] = log_loss_each(y[held], logit(fitted.transform(z[held])))
    return loss


def _choose(losses: dict[str, NDArray[np.float64]], weight: NDArray) -> str:
    """Name the candidate with the least loss among those that beat the first one beyond its error."""
    first, *others = losses
    best, best_gain = first, 0.0
    for name in others:
        gain = losses[first] - losses[name]
        mean = float(np.average(gain, weights=weight))
        error = float(np.sqrt(((weight * (gain - mean)) ** 2).sum()) / weight.sum())
        if mean > error and mean > best_gain:
            best, best_gain = name, mean
    return best
