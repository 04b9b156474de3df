"""Log-odds by bin to whole points that span 0 to the highest total."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadlift.insight.scorecard.distilling import normal_equations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from leadlift.insight.scorecard.distilling import Target, Term

# Each step lowers the squared error; this many are more than any card has taken.
MOST_STEPS = 1000
# Of the largest error a point can make: less is rounding of floats.
LEAST_GAIN = 1e-12


def whole_points(terms: Sequence[Term], target: Target, points: int) -> list[NDArray[np.int64]]:
    """Round what each bin adds to whole points.

    The lowest bin of each column has 0 points. The highest ones share the total by largest remainders
    (Hamilton's rule), so that the best lead there can be has exactly `points`. The bins between are moved by
    single points as long as that brings the total nearer to the model, by weighted least squares.

    Parameters
    ----------
    terms : sequence of Term
    target : Target
    points : int
        Highest total.

    Returns
    -------
    list of ndarray of int64
        Points of the bins of each term, all 0 where no term tells leads apart.
    """
    spans = np.array([np.ptp(term.values) for term in terms])
    if not spans.sum() > 0:
        return [np.zeros(term.bins.n_bins, dtype=np.int64) for term in terms]
    highest = apportion(spans, points)
    rounded = [_scaled(term.values, top) for term, top in zip(terms, highest, strict=True)]
    movable = [
        (part > 0) & (part < top) & (term.direction == 0)
        for term, part, top in zip(terms, rounded, highest, strict=True)
    ]
    tops = np.repeat(highest, [len(part) for part in rounded])
    start = np.concatenate(rounded)
    moved = _descend(start, np.concatenate(movable), tops, terms, target, spans.sum() / points)
    return np.split(moved, np.cumsum([len(part) for part in rounded])[:-1])


def apportion(sizes: NDArray[np.float64], seats: int) -> NDArray[np.int64]:
    """Share a whole number out in proportion, by largest remainders; the first of equals goes first.

    Parameters
    ----------
    sizes : ndarray of float64, shape (n,)
        Not negative, not all 0.
    seats : int

    Returns
    -------
    ndarray of int64, shape (n,)
        Adds up to `seats`.

    Examples
    --------
    >>> apportion(np.array([1.0, 1.0, 2.0]), 10)
    array([3, 2, 5])
    """
    exact = seats * sizes / sizes.sum()
    shares = np.floor(exact).astype(np.int64)
    first = np.argsort(shares - exact, kind="stable")[: seats - int(shares.sum())]
    shares[first] += 1
    return shares


def _scaled(values: NDArray[np.float64], highest: int) -> NDArray[np.int64]:
    span = np.ptp(values)
    share = (values - values.min()) / span if span > 0 else np.zeros(len(values))
    return np.rint(share * highest).astype(np.int64)


def _descend(
    points: NDArray[np.int64],
    movable: NDArray[np.bool_],
    highest: NDArray[np.int64],
    terms: Sequence[Term],
    target: Target,
    log_odds_per_point: float,
) -> NDArray[np.int64]:
    """Move one bin by one point where that lowers the squared error most, until no move does.

    The error of points `p` is ``s^2 p'Cp - 2 s c'p`` with `C` and `c` the weighted covariances of the bins
    with each other and with the target, `s` the log-odds of a point.
    """
    gram, pull, _ = normal_equations(terms, target)
    n = np.diag(gram)
    covariance = log_odds_per_point**2 * (gram - np.outer(n, n) / target.weight.sum())
    curvature = np.diag(covariance)
    for _ in range(MOST_STEPS):
        slope = 2 * (covariance @ points - log_odds_per_point * pull)
        ups = np.where(movable & (points < highest), curvature + slope, np.inf)
        downs = np.where(movable & (points > 0), curvature - slope, np.inf)
        best = int(np.argmin(np.minimum(ups, downs)))
        up = ups[best] <= downs[best]
        if not min(ups[best], downs[best]) < -LEAST_GAIN * curvature.max():
            break
        points[best] += 1 if up else -1
    return points
