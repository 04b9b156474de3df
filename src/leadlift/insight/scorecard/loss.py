"""What a card loses against its scorer, on leads that neither has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from scipy.special import logit
from scipy.stats import norm, rankdata

from leadlift.learning.intervals import clopper_pearson
from leadlift.learning.log_odds import log_loss_each
from leadlift.learning.metrics import auc, log_loss
from leadlift.terms import Interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

AUC = "AUC"
LOG_LOSS = "log loss"
SAME_DECISION = "same decision"

# From this loss of AUC on, certain to the interval's confidence, a card is no stand-in for its model.
MUCH_AUC_LOST = 0.02

LOSS_SCHEMA = pa.schema(
    [
        ("measure", pa.string()),
        *[
            (f"{name}{end}", pa.float64())
            for name in ("model", "scorecard", "lost")
            for end in ("", "_low", "_high")
        ],
        ("n", pa.int64()),
        ("n_won", pa.int64()),
        ("confidence", pa.float64()),
    ]
)


def measured_loss(
    won: NDArray[np.bool_],
    score: NDArray[np.float64],
    points: NDArray[np.int64],
    probability: NDArray[np.float64],
    decisions: Mapping[str, NDArray[np.bool_]],
    cutoffs: Mapping[str, int],
    *,
    confidence: float = 0.95,
) -> pa.Table:
    """Compare a card with its scorer on the same leads.

    Parameters
    ----------
    won : ndarray of bool, shape (n_rows,)
        Both outcomes present.
    score : ndarray of float64, shape (n_rows,)
        Of the scorer.
    points : ndarray of int64, shape (n_rows,)
    probability : ndarray of float64, shape (n_rows,)
        Of the card.
    decisions : mapping of str to ndarray of bool, shape (n_rows,)
        Which leads the scorer qualifies, by stage.
    cutoffs : mapping of str to int
        Points from which the card qualifies them.
    confidence : float, default=0.95

    Returns
    -------
    pyarrow.Table
        Columns :data:`LOSS_SCHEMA`, a row each for ``"AUC"``, ``"log loss"`` and, by stage,
        ``"same decision, MQL"``: the scorer's figure (null for decisions), the card's, and what is `lost`
        (positive is worse), each with its interval; AUC by DeLong et al. 1988 (doi:10.2307/2531595), paired
        for the difference, log loss by the normal interval of the mean, decisions by Clopper and Pearson 1934
        (doi:10.1093/biomet/26.4.404).

    Raises
    ------
    InputError
        Only one outcome is present.
    """
    n, n_won = len(won), int(won.sum())
    told = {"n": n, "n_won": n_won, "confidence": confidence}
    model, card = auc(won, score, confidence), auc(won, points, confidence)
    rows = [_row(AUC, model, card, auc_lost(won, score, points, confidence=confidence))]
    model, card = log_loss(won, score, confidence), log_loss(won, probability, confidence)
    added = _losses(won, probability) - _losses(won, score)
    rows.append(_row(LOG_LOSS, model, card, _mean(added, confidence)))
    for stage, qualified in decisions.items():
        same = clopper_pearson(int(((points >= cutoffs[stage]) == qualified).sum()), n, confidence)
        other = Interval(1 - same.estimate, 1 - same.high, 1 - same.low, confidence)
        rows.append(_row(f"{SAME_DECISION}, {stage}", None, same, other))
    return pa.Table.from_pylist([row | told for row in rows], schema=LOSS_SCHEMA)


def loss_warning(loss: pa.Table) -> str:
    """Say that a card is no stand-in for its model, where that is so.

    Parameters
    ----------
    loss : pyarrow.Table
        From :func:`measured_loss`.

    Returns
    -------
    str
        Empty where the lower end of the AUC lost is at most :data:`MUCH_AUC_LOST`.
    """
    low = loss["lost_low"][0].as_py()
    if low is None or low <= MUCH_AUC_LOST:
        return ""
    return "The model knows much that no sum of points can hold: score with the model, not with this card."


def auc_lost(
    won: NDArray[np.bool_],
    score: NDArray[np.float64],
    other: NDArray[np.float64],
    *,
    confidence: float = 0.95,
) -> Interval:
    """Return the AUC of one score less that of another on the same leads, with DeLong's paired interval.

    Source: DeLong, DeLong, Clarke-Pearson 1988, doi:10.2307/2531595: the variance is that of the
    differences of the leads' placements among those of the other outcome.

    Parameters
    ----------
    won : ndarray of bool, shape (n_rows,)
        Both outcomes present.
    score, other : ndarray of float64, shape (n_rows,)
    confidence : float, default=0.95

    Returns
    -------
    Interval

    Examples
    --------
    >>> won = np.array([False, False, True, True])
    >>> auc_lost(won, np.array([0.1, 0.2, 0.8, 0.9]), np.array([1, 2, 1, 3])).estimate
    0.375
    """
    of_won, of_lost = (a - b for a, b in zip(_placements(won, score), _placements(won, other), strict=True))
    variance = sum(part.var(ddof=1) / len(part) if len(part) > 1 else np.nan for part in (of_won, of_lost))
    half = float(norm.ppf(0.5 + confidence / 2) * np.sqrt(variance))
    lost = float(of_won.mean())
    return Interval(lost, lost - half, lost + half, confidence)


def _placements(
    won: NDArray[np.bool_], score: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of lost leads below each won one, and of won leads above each lost one; ties count half."""
    rank = rankdata(score)
    below = (rank[won] - rankdata(score[won])) / (~won).sum()
    above = 1 - (rank[~won] - rankdata(score[~won])) / won.sum()
    return below, above


def _losses(won: NDArray[np.bool_], probability: NDArray[np.float64]) -> NDArray[np.float64]:
    return log_loss_each(won, logit(np.clip(probability, 1e-15, 1 - 1e-15)))


def _mean(values: NDArray[np.float64], confidence: float) -> Interval:
    mean, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
    half = float(norm.ppf(0.5 + confidence / 2)) * error
    return Interval(mean, mean - half, mean + half, confidence)


def _row(
    measure: str, model: Interval | None, card: Interval, lost: Interval
) -> dict[str, str | float | None]:
    row: dict[str, float] = {}
    for name, found in (("model", model), ("scorecard", card), ("lost", lost)):
        if found is not None:
            row |= {name: found.estimate, f"{name}_low": found.low, f"{name}_high": found.high}
    # The spread of a single lead is not known.
    return {"measure": measure} | {name: None if np.isnan(value) else value for name, value in row.items()}
