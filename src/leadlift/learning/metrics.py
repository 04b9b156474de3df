"""How good is a score: ranking, calibration and decision, each figure with its interval.

Everything returns numbers or tables; pictures are drawn from them in ``insight.plots``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from scipy.special import logit
from scipy.stats import norm, rankdata

from leadlift.exceptions import InputError
from leadlift.learning.intervals import clopper_pearson
from leadlift.learning.log_odds import log_loss_each
from leadlift.terms import Interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def auc(y: ArrayLike, score: ArrayLike, confidence: float = 0.95) -> Interval:
    """Return the area under the ROC curve with DeLong's interval.

    Source: DeLong, DeLong, Clarke-Pearson 1988, doi:10.2307/2531595, by mid-ranks as in Sun and Xu 2014,
    doi:10.1109/LSP.2014.2337313.

    Parameters
    ----------
    y : array of shape (n_rows,)
        Labels 0 and 1, both present.
    score : array of shape (n_rows,)
        Larger means more likely won.
    confidence : float, default=0.95

    Returns
    -------
    Interval

    Raises
    ------
    InputError
        Only one class is present.

    Examples
    --------
    >>> auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).estimate
    0.75
    """
    y, score = _two_outcomes(y), np.asarray(score, dtype=np.float64)
    n_won, n_lost = int(y.sum()), int((~y).sum())
    rank = rankdata(score)
    above_lost = (rank[y] - rankdata(score[y])) / n_lost
    below_won = 1 - (rank[~y] - rankdata(score[~y])) / n_won
    estimate = float(above_lost.mean())
    variance = _variance_of_mean(above_lost) + _variance_of_mean(below_won)
    return _clipped(_normal(estimate, variance, confidence))


def log_loss(y: ArrayLike, score: ArrayLike, confidence: float = 0.95) -> Interval:
    """Return the mean log loss of probabilities with its normal interval.

    Parameters
    ----------
    y : array of shape (n_rows,)
        Labels 0 and 1.
    score : array of shape (n_rows,)
        Probabilities in [0, 1]; 0 and 1 are taken as 1e-15 away.
    confidence : float, default=0.95

    Returns
    -------
    Interval
    """
    loss = log_loss_each(np.asarray(y), logit(_inside(score)))
    return _normal(float(loss.mean()), _variance_of_mean(loss), confidence)


def brier(y: ArrayLike, score: ArrayLike, confidence: float = 0.95) -> Interval:
    """Return the mean squared error of probabilities with its normal interval.

    Source: Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.

    Parameters
    ----------
    y : array of shape (n_rows,)
        Labels 0 and 1.
    score : array of shape (n_rows,)
        Probabilities in [0, 1].
    confidence : float, default=0.95

    Returns
    -------
    Interval
    """
    error = (np.asarray(score, dtype=np.float64) - np.asarray(y)) ** 2
    return _normal(float(error.mean()), _variance_of_mean(error), confidence)


def calibration_error(y: ArrayLike, score: ArrayLike, n_bins: int = 15) -> float:
    """Return the debiased root-mean-square calibration error over bins of equal size.

    The plug-in estimate has a positive floor; here each bin's sampling variance is taken off:
    ``sum_b w_b [(mean y - mean p)^2 - mean y (1 - mean y) / (n_b - 1)]``, floored at 0, root taken.
    Source: Kumar, Liang, Ma 2019, arXiv:1909.10155, section 4.

    Parameters
    ----------
    y : array of shape (n_rows,)
    score : array of shape (n_rows,)
        Probabilities.
    n_bins : int, default=15

    Returns
    -------
    float
        On the scale of the probability.
    """
    table = reliability(y, score, n_bins)
    n = table["n"].to_numpy().astype(float)
    observed, predicted = table["observed"].to_numpy(), table["predicted"].to_numpy()
    noise = observed * (1 - observed) / np.maximum(n - 1, 1)
    return float(np.sqrt(max(np.average((observed - predicted) ** 2 - noise, weights=n), 0.0)))


def reliability(y: ArrayLike, score: ArrayLike, n_bins: int = 10) -> pa.Table:
    """Return predicted and observed conversion in bins of equal size.

    Equal scores stay in one bin, so there may be fewer bins than asked for.

    Parameters
    ----------
    y : array of shape (n_rows,)
    score : array of shape (n_rows,)
    n_bins : int, default=10

    Returns
    -------
    pyarrow.Table
        ``predicted``, ``observed``, ``low``, ``high`` (float64; exact 95 % interval of `observed`), ``n``
        (int64), one row a bin, ascending.
    """
    y, score = np.asarray(y) > 0, np.asarray(score, dtype=np.float64)
    edges = np.unique(np.quantile(score, np.linspace(0, 1, n_bins + 1)[1:-1], method="lower"))
    bins = np.searchsorted(edges, score, side="left")
    n = np.bincount(bins)
    filled = np.flatnonzero(n)
    won = np.bincount(bins, weights=y)[filled].astype(int)
    predicted = np.bincount(bins, weights=score)[filled] / n[filled]
    shares = [clopper_pearson(int(k), int(m)) for k, m in zip(won, n[filled], strict=True)]
    return pa.table(
        {
            "predicted": predicted,
            "observed": [share.estimate for share in shares],
            "low": [share.low for share in shares],
            "high": [share.high for share in shares],
            "n": n[filled].astype(np.int64),
        }
    )


def gains(y: ArrayLike, score: ArrayLike, n_points: int = 20) -> pa.Table:
    """Return how many wins the best-scored leads hold.

    Parameters
    ----------
    y : array of shape (n_rows,)
    score : array of shape (n_rows,)
    n_points : int, default=20

    Returns
    -------
    pyarrow.Table
        ``share_of_leads``, ``share_of_wins``, ``precision``, ``lift``, ``threshold`` (float64), from the
        best leads to all of them.

    Raises
    ------
    InputError
        Only one class is present.
    """
    y, score = _two_outcomes(y), np.asarray(score, dtype=np.float64)
    order = np.argsort(-score, kind="stable")
    n = np.unique(np.maximum(1, np.rint(np.linspace(0, 1, n_points + 1)[1:] * len(y)).astype(int)))
    won = _wins_of_the_best(y[order], score[order])[n - 1]
    return pa.table(
        {
            "share_of_leads": n / len(y),
            "share_of_wins": won / y.sum(),
            "precision": won / n,
            "lift": won / n / y.mean(),
            "threshold": score[order][n - 1],
        }
    )


def lift(y: ArrayLike, score: ArrayLike, share: float = 0.1) -> float:
    """Return how much more often the best `share` of the leads is won than the average lead.

    Ties at the edge count in proportion, so the order of the rows does not matter.

    Parameters
    ----------
    y : array of shape (n_rows,)
        Labels 0 and 1, both present.
    score : array of shape (n_rows,)
        Larger means more likely won.
    share : float, default=0.1
        Share of the leads taken, in (0, 1].

    Returns
    -------
    float
        Precision among the best, divided by the base rate.

    Raises
    ------
    InputError
        Only one class is present.

    Examples
    --------
    >>> lift([0, 0, 0, 1], [0.1, 0.2, 0.3, 0.9], share=0.25)
    4.0
    """
    y, score = _two_outcomes(y), np.asarray(score, dtype=np.float64)
    order = np.argsort(-score, kind="stable")
    n = max(1, round(share * len(y)))
    return float(_wins_of_the_best(y[order], score[order])[n - 1] / n / y.mean())


def _wins_of_the_best(y: NDArray[np.bool_], score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Expected wins among the best 1, 2, … leads when leads of equal score are in random order."""
    new = np.r_[True, score[1:] != score[:-1]]
    run = np.cumsum(new) - 1
    mean_in_run = np.bincount(run, weights=y) / np.bincount(run)
    return np.cumsum(mean_in_run[run])


def quality_table(y: ArrayLike, scores: dict[str, ArrayLike]) -> pa.Table:
    """Compare scores on the same leads.

    Parameters
    ----------
    y : array of shape (n_rows,)
        Labels 0 and 1, both present.
    scores : dict of str to array of shape (n_rows,)
        Probabilities by model.

    Returns
    -------
    pyarrow.Table
        ``model``; ``auc``, ``auc_low``, ``auc_high``, ``log_loss``, ``log_loss_low``, ``log_loss_high``,
        ``brier``, ``calibration_error``, ``lift_10`` (float64).
    """
    rows = [{"model": name, **_figures(y, score)} for name, score in scores.items()]
    return pa.Table.from_pylist(rows)


def _figures(y: ArrayLike, score: ArrayLike) -> dict[str, float]:
    area, loss = auc(y, score), log_loss(y, score)
    return {
        "auc": area.estimate,
        "auc_low": area.low,
        "auc_high": area.high,
        "log_loss": loss.estimate,
        "log_loss_low": loss.low,
        "log_loss_high": loss.high,
        "brier": brier(y, score).estimate,
        "calibration_error": calibration_error(y, score),
        "lift_10": lift(y, score, 0.1),
    }


def _two_outcomes(y: ArrayLike) -> NDArray[np.bool_]:
    won = np.asarray(y) > 0
    if won.all() or not won.any():
        n_won = int(won.sum())
        msg = f"this figure needs won and lost leads, got {n_won} won and {len(won) - n_won} lost"
        raise InputError(msg)
    return won


def _inside(score: ArrayLike) -> NDArray[np.float64]:
    return np.clip(np.asarray(score, dtype=np.float64), 1e-15, 1 - 1e-15)


def _variance_of_mean(values: NDArray[np.float64]) -> float:
    return float(values.var(ddof=1) / len(values)) if len(values) > 1 else float("nan")


def _normal(estimate: float, variance: float, confidence: float) -> Interval:
    half = float(norm.ppf(0.5 + confidence / 2) * np.sqrt(variance))
    return Interval(estimate, estimate - half, estimate + half, confidence)


def _clipped(interval: Interval) -> Interval:
    return Interval(interval.estimate, max(interval.low, 0.0), min(interval.high, 1.0), interval.confidence)
