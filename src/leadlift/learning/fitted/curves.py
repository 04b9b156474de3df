"""From log-odds to probabilities: the maps that calibrators learn, without the learning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from leadlift.exceptions import ConfigError
from leadlift.learning.fitted.odds import expit, log_expit, logit

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray


class Curve(Protocol):
    """A non-decreasing map from log-odds to probabilities."""

    def transform(self, log_odds: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of each log-odds, in [0, 1], of the same shape."""


@dataclass(frozen=True)
class LogisticCurve:
    """``p = 1 / (1 + exp(-(slope z + intercept)))``; by default the log-odds are taken as they are.

    Parameters
    ----------
    slope : float
        >= 0.
    intercept : float

    Examples
    --------
    >>> LogisticCurve(slope=2.0, intercept=-1.0).transform([0.5]).tolist()
    [0.5]
    """

    slope: float = 1.0
    intercept: float = 0.0

    def transform(self, log_odds: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of each log-odds, in [0, 1], of the same shape."""
        return expit(self.slope * np.asarray(log_odds, dtype=np.float64) + self.intercept)


@dataclass(frozen=True)
class BetaCurve:
    """``logit p' = a ln p - b ln(1 - p) + c`` with ``p = 1 / (1 + exp(-z))``.

    Source: Kull, Silva Filho, Flach 2017, AISTATS (PMLR 54:623-631).

    Parameters
    ----------
    a, b : float
        >= 0.
    c : float

    Examples
    --------
    >>> BetaCurve(a=1.0, b=1.0, c=0.0).transform([0.0]).tolist()
    [0.5]
    """

    a: float
    b: float
    c: float

    def transform(self, log_odds: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of each log-odds, in [0, 1], of the same shape."""
        z = np.asarray(log_odds, dtype=np.float64)
        return expit(self.a * log_expit(z) - self.b * log_expit(-z) + self.c)


@dataclass(frozen=True, eq=False)
class IsotonicCurve:
    """Linear between its corners, constant outside.

    Parameters
    ----------
    log_odds, probabilities : ndarray of float64, shape (n_corners,)
        Ascending.

    Examples
    --------
    >>> IsotonicCurve(np.array([-1.0, 1.0]), np.array([0.2, 0.4])).transform([-5.0, 0.0]).round(3).tolist()
    [0.2, 0.3]
    """

    log_odds: NDArray[np.float64] = field(repr=False)
    probabilities: NDArray[np.float64] = field(repr=False)

    def transform(self, log_odds: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of each log-odds, in [0, 1], of the same shape."""
        return np.interp(np.asarray(log_odds, dtype=np.float64), self.log_odds, self.probabilities)


@dataclass(frozen=True)
class ShiftedCurve:
    """A curve whose log-odds are all moved by the same amount: ``logit p' = logit inner(z) + shift``.

    Parameters
    ----------
    inner : Curve
    shift : float

    Examples
    --------
    >>> ShiftedCurve(LogisticCurve(), shift=1.0).transform([-1.0]).round(3).tolist()
    [0.5]
    """

    inner: Curve
    shift: float

    def transform(self, log_odds: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of each log-odds, in [0, 1], of the same shape; 0 and 1 stay."""
        return shifted(self.inner.transform(log_odds), self.shift)


def shifted(score: ArrayLike, shift: float) -> NDArray[np.float64]:
    """Return probabilities whose log-odds are moved by `shift`.

    ``expit(logit(p) + logit(new base rate) - logit(old base rate))`` is the posterior under the new base rate
    where the old one was calibrated (Saerens, Latinne, Decaestecker 2002, equation 2.4).

    Parameters
    ----------
    score : array of float64, shape (n_rows,)
        Probabilities; 0 and 1 stay.
    shift : float

    Returns
    -------
    ndarray of float64, shape (n_rows,)

    Examples
    --------
    >>> shifted([0.5, 0.2], np.log(4)).round(3).tolist()
    [0.8, 0.5]
    """
    with np.errstate(divide="ignore"):
        return expit(logit(np.asarray(score, dtype=np.float64)) + shift)


def read_curve(told: dict[str, Any]) -> Curve:
    """Make a curve of what :meth:`leadlift.learning.calibration.Calibrator.to_dict` wrote.

    Parameters
    ----------
    told : dict of str to JSON values
        The calibrator's name and its learnt numbers.

    Returns
    -------
    Curve

    Raises
    ------
    ConfigError
        No calibrator has that name.
    KeyError, TypeError, ValueError
        A number is absent or is none.

    Examples
    --------
    >>> read_curve({"name": "sigmoid", "slope_": 2, "intercept_": 0})
    LogisticCurve(slope=2.0, intercept=0.0)
    """
    if told["name"] not in CURVES:
        msg = f"no calibrator is called {told['name']!r}; there are {', '.join(CURVES)}"
        raise ConfigError(msg)
    return CURVES[told["name"]](told)


def _isotonic(told: dict[str, Any]) -> IsotonicCurve:
    corners = (np.array(told[name], dtype=np.float64) for name in ("log_odds_", "probabilities_"))
    return IsotonicCurve(*corners)


# Name of a calibrator -> what makes its curve of its numbers; a new one is one line here.
CURVES: dict[str, Callable[[dict[str, Any]], Curve]] = {
    "none": lambda _: LogisticCurve(),
    "sigmoid": lambda told: LogisticCurve(float(told["slope_"]), float(told["intercept_"])),
    "beta": lambda told: BetaCurve(float(told["a_"]), float(told["b_"]), float(told["c_"])),
    "isotonic": _isotonic,
    "shifted": lambda told: ShiftedCurve(read_curve(told["inner"]), float(told["shift_"])),
}
