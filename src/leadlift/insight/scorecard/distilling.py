"""A sum of a few binned columns that comes nearest to a model's log-odds.

A student learns best from what its teacher says, not from labels (Hinton, Vinyals, Dean 2015,
arXiv:1503.02531). For a model's probability ``q = expit(z)`` and a sum `f` the log loss that `f` adds on
labels drawn with `q` is ``q (1 - q) (f - z)^2 / 2`` to second order. Least squares with these weights leaves
the order of unlikely leads to chance, with equal weights it spends the points on them; the geometric mean of
both, ``sqrt(q (1 - q))``, lost the least AUC on held-out parts of training rows (``docs/scorecard.md``).

Columns come in one at a time, each the one that takes most of what is left, all refitted together after each:
orthogonal matching pursuit of groups (Lozano, Swirszcz, Abe 2009, Advances in Neural Information Processing
Systems 22).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadlift.insight.scorecard.binning import BinLimits, ColumnBins, learn_bins

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from leadlift.learning.encoding import EncodedColumn

# Weight, in average rows, of the prior that a bin adds nothing.
RIDGE = 1.0
# Of a label, so that no row's weight vanishes.
LEAST_VARIANCE = 1e-12
# A column that takes less of the target's variance is not worth a row on the card.
LEAST_GAIN = 1e-4


@dataclass(frozen=True)
class Term:
    """What one column adds to the sum.

    Parameters
    ----------
    place : int
        Of the column in the matrix.
    bins : ColumnBins
    direction : {-1, 0, 1}
        1 where the values may only rise with the number, -1 where they may only fall.
    row_bins : ndarray of int64, shape (n_rows,)
        Bin of each row.
    values : ndarray of float64, shape (n_bins,)
        Log-odds of each bin, their weighted mean over the rows being 0; 0 where a bin has no rows.
    """

    place: int
    bins: ColumnBins
    direction: int
    row_bins: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Target:
    """What the sum shall come near to.

    Parameters
    ----------
    log_odds : ndarray of float64, shape (n_rows,)
        Of the model, less their weighted mean.
    weight : ndarray of float64, shape (n_rows,)
        What each row counts for, 1 on average.
    """

    log_odds: NDArray[np.float64]
    weight: NDArray[np.float64]


def target_of(log_odds: NDArray[np.float64]) -> Target:
    """Return a model's log-odds as the target of its distillation.

    Parameters
    ----------
    log_odds : ndarray of float64, shape (n_rows,)

    Returns
    -------
    Target
    """
    from scipy.special import expit

    weight = np.sqrt(np.maximum(expit(log_odds) * expit(-log_odds), LEAST_VARIANCE))
    return Target(log_odds - np.average(log_odds, weights=weight), weight / weight.mean())


def distil(
    matrix: NDArray[np.float64],
    columns: Mapping[int, EncodedColumn],
    target: Target,
    *,
    limits: BinLimits,
    max_attributes: int,
    directions: Mapping[int, int],
) -> list[Term]:
    """Choose columns, bin them and fit what each bin adds.

    Parameters
    ----------
    matrix : ndarray of float64, shape (n_rows, n_columns)
        Encoded inputs.
    columns : mapping of int to EncodedColumn
        The columns that may be chosen, by their place in the matrix.
    target : Target
    limits : BinLimits
    max_attributes : int
        Columns to choose at most.
    directions : mapping of int to {-1, 1}
        Of monotone columns.

    Returns
    -------
    list of Term
        In the order in which they were chosen; empty where no column says anything of the target.
    """

    def term(place: int, wanted: NDArray[np.float64]) -> Term:
        x, direction = matrix[:, place], directions.get(place, 0)
        bins = learn_bins(columns[place], x, wanted, target.weight, limits, direction)
        return Term(place, bins, direction, bins.place(x), np.zeros(bins.n_bins))

    candidates = [term(place, target.log_odds) for place in columns]
    chosen = _pursue(candidates, target, max_attributes)
    # Once more, on what the other columns leave to each: cuts of a column alone see its companions' effects.
    left = target.log_odds - total(chosen)
    return fitted([term(one.place, left + one.values[one.row_bins]) for one in chosen], target)


def total(terms: Sequence[Term]) -> NDArray[np.float64] | float:
    """Return the sum of what the terms add to each row, shape (n_rows,)."""
    return sum((term.values[term.row_bins] for term in terms), 0.0)


def _pursue(candidates: list[Term], target: Target, max_attributes: int) -> list[Term]:
    """Take in the column that takes most of what is left, refit all, and again."""
    least = LEAST_GAIN * float(target.weight @ target.log_odds**2)
    waiting, chosen = list(candidates), []
    while waiting and len(chosen) < max_attributes:
        left = target.log_odds - total(chosen)
        gains = [_gain(term, left, target.weight) for term in waiting]
        best = int(np.argmax(gains))
        if gains[best] <= least:
            break
        chosen = fitted([*chosen, waiting.pop(best)], target)
    return chosen


def _gain(term: Term, left: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Weighted squares that the bins alone would take, less what bins of noise would (Schwarz 1978)."""
    n = np.bincount(term.row_bins, weight, minlength=term.bins.n_bins)
    pull = np.bincount(term.row_bins, weight * left, minlength=term.bins.n_bins)
    by_chance = np.count_nonzero(n) * np.log(len(left)) * (weight @ left**2) / len(left)
    return float(np.sum(pull**2 / (n + RIDGE)) - by_chance)


def fitted(terms: Sequence[Term], target: Target) -> list[Term]:
    """Fit the values of all bins together, by ridge least squares under the declared directions.

    Parameters
    ----------
    terms : sequence of Term
    target : Target

    Returns
    -------
    list of Term
        The same with new values.
    """
    if not terms:
        return []
    gram, pull, starts = normal_equations(terms, target)
    values = _solve(gram + RIDGE * np.eye(len(gram)), pull, terms, starts)
    parts = np.split(values, starts[1:-1])
    return [_centred(term, part, target.weight) for term, part in zip(terms, parts, strict=True)]


def normal_equations(
    terms: Sequence[Term], target: Target
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return ``H'WH``, ``H'Wz`` for the one-hot bins `H` of all terms, and where each term's bins start.

    Parameters
    ----------
    terms : sequence of Term
    target : Target

    Returns
    -------
    gram : ndarray of float64, shape (n_bins, n_bins)
    pull : ndarray of float64, shape (n_bins,)
    starts : ndarray of int64, shape (n_terms + 1,)
    """
    from scipy.sparse import csr_array

    starts = np.cumsum([0] + [term.bins.n_bins for term in terms])
    places = np.column_stack([term.row_bins for term in terms]) + starts[:-1]
    n_rows, n_terms = places.shape
    ends = np.arange(0, n_rows * n_terms + 1, n_terms)
    hot = csr_array((np.ones(places.size), places.ravel(), ends), shape=(n_rows, starts[-1]))
    weighted = csr_array((np.repeat(target.weight, n_terms), places.ravel(), ends), shape=hot.shape)
    return (hot.T @ weighted).toarray(), weighted.T @ target.log_odds, starts


def _solve(
    gram: NDArray[np.float64], pull: NDArray[np.float64], terms: Sequence[Term], starts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Minimise ``b'Gb - 2 h'b``; from bin to bin a monotone number goes the way of its direction."""
    if not any(term.direction for term in terms):
        return np.linalg.solve(gram, pull)
    from scipy.optimize import lsq_linear

    steps = np.eye(len(pull))
    lowest, highest = np.full(len(pull), -np.inf), np.full(len(pull), np.inf)
    for term, start in zip(terms, starts, strict=False):
        if term.direction:
            values = slice(start, start + term.bins.n_values)
            steps[values, values] = np.tril(np.ones((term.bins.n_values,) * 2))
            bound = lowest if term.direction > 0 else highest
            bound[start + 1 : values.stop] = 0.0
    root = np.linalg.cholesky(gram)
    found = lsq_linear(root.T @ steps, np.linalg.solve(root, pull), (lowest, highest), method="bvls").x
    return steps @ found


def _centred(term: Term, values: NDArray[np.float64], weight: NDArray[np.float64]) -> Term:
    n = np.bincount(term.row_bins, weight, minlength=term.bins.n_bins)
    values = np.where(n > 0, values - np.average(values, weights=n), 0.0)
    return Term(term.place, term.bins, term.direction, term.row_bins, values)
