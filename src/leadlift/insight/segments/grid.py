"""The fit x engagement grid: A1 fits best and has done most, D4 neither fits nor has done anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.exceptions import InputError, shorten
from leadlift.insight.segments.inputs import known, outcomes
from leadlift.insight.segments.rates import rate_columns

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

FIT_BANDS = ("A", "B", "C", "D")
ENGAGEMENT_BANDS = ("1", "2", "3", "4")
CELLS = tuple(fit + engagement for fit in FIT_BANDS for engagement in ENGAGEMENT_BANDS)
QUARTERS = (0.25, 0.5, 0.75)

ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "A1": "call now",
        "A2": "call this week",
        "A3": "invite: fits, has done little yet",
        "A4": "nurture: fits, has hardly acted yet",
        "B1": "call now",
        "B2": "call this week",
        "B3": "nurture with offers to act on",
        "B4": "nurture: fits, has hardly acted yet",
        "C1": "ask what they need before a call",
        "C2": "ask what they need before a call",
        "C3": "newsletter only",
        "C4": "leave alone",
        "D1": "acts but does not fit: check before calling",
        "D2": "acts but does not fit: check before calling",
        "D3": "newsletter only",
        "D4": "leave alone",
    }
)
"""What to do with the leads of a cell: a proposal, to be replaced by what the team agrees on."""


@dataclass(frozen=True)
class GridEdges:
    """Where the bands of both sub-scores begin.

    Parameters
    ----------
    fit, engagement : tuple of float, length 3
        Ascending, in the unit of the sub-scores: below the first edge a lead is D or 4, from the last on it
        is A or 1.
    """

    fit: tuple[float, ...]
    engagement: tuple[float, ...]


def grid_edges(fit: ArrayLike, engagement: ArrayLike) -> GridEdges:
    """Learn the edges of the grid on leads: the quartiles of their sub-scores.

    Parameters
    ----------
    fit, engagement : array of float, shape (n_leads,)
        Sub-scores: sums of the contributions of a family.

    Returns
    -------
    GridEdges

    Raises
    ------
    InputError
        There is no lead, or a sub-score is missing.

    Examples
    --------
    >>> grid_edges([1, 2, 3, 4, 5], [0, 0, 0, 0, 8]).fit
    (2.0, 3.0, 4.0)
    """
    fit, engagement = _sub_scores(fit, engagement)
    edges = (tuple(np.quantile(scores, QUARTERS).tolist()) for scores in (fit, engagement))
    return GridEdges(*edges)


def grid_cells(fit: ArrayLike, engagement: ArrayLike, edges: GridEdges) -> NDArray[np.str_]:
    """Return the cell of each lead, ``"A1"`` to ``"D4"``.

    Parameters
    ----------
    fit, engagement : array of float, shape (n_leads,)
    edges : GridEdges

    Returns
    -------
    ndarray of str, shape (n_leads,)

    Raises
    ------
    InputError
        A sub-score is missing, or edges do not ascend.

    Examples
    --------
    >>> grid_cells([9, 0], [0, 9], GridEdges((1, 2, 3), (1, 2, 3))).tolist()
    ['A4', 'D1']
    """
    return np.array(CELLS)[_cell_numbers(*_sub_scores(fit, engagement), edges)]


def fit_engagement_grid(
    fit: ArrayLike,
    engagement: ArrayLike,
    won: ArrayLike,
    *,
    score: ArrayLike | None = None,
    edges: GridEdges | None = None,
    confidence: float = 0.95,
    least_leads: int = 30,
    actions: Mapping[str, str] = ACTIONS,
) -> pa.Table:
    """Count leads and wins in each cell of the grid, with the action for it.

    Parameters
    ----------
    fit, engagement : array of float, shape (n_leads,)
        Sub-scores: sums of the contributions of a family, in one unit for all leads.
    won : array of bool, shape (n_leads,)
        Only leads whose outcome is known.
    score : array of float64, shape (n_leads,), optional
        Published scores.
    edges : GridEdges, optional
        From :func:`grid_edges` on earlier leads; by default the quartiles of these leads.
    confidence : float, default=0.95
        Of the exact intervals of rates.
    least_leads : int, default=30
        Cells of fewer leads are too few to say anything of.
    actions : mapping of str to str
        What to do with the leads of a cell, by cell; :data:`ACTIONS` where a cell is not among them.

    Returns
    -------
    pyarrow.Table
        Sixteen rows, A1 to D4: ``cell``, ``fit``, ``engagement`` (string); ``n``, ``won`` (int64); ``rate``
        with ``low`` and ``high``, ``lift``, ``share_of_leads``, ``share_of_wins`` (float64; null where a cell
        has no lead); ``too_few`` (bool); ``mean_score`` (float64; null without `score`); ``action`` (string).

    Raises
    ------
    InputError
        There is no lead, lengths differ, a sub-score or an outcome is missing, edges do not ascend, or an
        action is for no cell.

    Examples
    --------
    >>> grid = fit_engagement_grid([1, 2, 3, 4], [4, 3, 2, 1], [False, False, True, True])
    >>> grid.filter(pa.array(grid["n"].to_numpy() > 0)).select(["cell", "won", "action"]).to_pylist()[0]
    {'cell': 'A4', 'won': 1, 'action': 'nurture: fits, has hardly acted yet'}
    """
    unknown = sorted(set(actions) - set(CELLS))
    if unknown:
        msg = f"actions are for the cells A1 to D4, got {shorten(unknown)}"
        raise InputError(msg)
    fit, engagement = _sub_scores(fit, engagement)
    won = outcomes(won, len(fit))
    cell = _cell_numbers(fit, engagement, edges or grid_edges(fit, engagement))
    n, n_won = np.bincount(cell, minlength=len(CELLS)), np.bincount(cell[won], minlength=len(CELLS))
    limits = {"confidence": confidence, "least_leads": least_leads}
    rates = rate_columns(n, n_won, len(won), int(won.sum()), **limits)
    names = {"cell": CELLS, "fit": [name[0] for name in CELLS], "engagement": [name[1] for name in CELLS]}
    return pa.table(
        {**names, "n": n, "won": n_won, **rates}
        | {"mean_score": _means(score, cell, n), "action": [(ACTIONS | actions)[name] for name in CELLS]}
    )


def _sub_scores(fit: ArrayLike, engagement: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    fit, engagement = np.asarray(fit, dtype=np.float64), np.asarray(engagement, dtype=np.float64)
    if fit.ndim != 1 or fit.shape != engagement.shape or not len(fit):
        msg = f"expected two sub-scores for each lead, got arrays of shape {fit.shape} and {engagement.shape}"
        raise InputError(msg)
    n_missing = int((~np.isfinite(fit) | ~np.isfinite(engagement)).sum())
    if n_missing:
        msg = f"{n_missing:,} of {len(fit):,} leads have no finite sub-score; leave out what is not scored"
        raise InputError(msg)
    return fit, engagement


def _cell_numbers(
    fit: NDArray[np.float64], engagement: NDArray[np.float64], edges: GridEdges
) -> NDArray[np.int64]:
    return len(ENGAGEMENT_BANDS) * _band(fit, edges.fit) + _band(engagement, edges.engagement)


def _band(scores: NDArray[np.float64], edges: tuple[float, ...]) -> NDArray[np.int64]:
    """Return 0 for the best band to 3 for the worst."""
    if len(edges) != len(QUARTERS) or not (np.diff(edges) >= 0).all():
        msg = f"expected {len(QUARTERS)} edges that ascend, got {edges}"
        raise InputError(msg)
    return len(edges) - np.searchsorted(edges, scores, side="right")


def _means(score: ArrayLike | None, cell: NDArray[np.int64], n: NDArray[np.int64]) -> pa.Array:
    if score is None:
        return pa.nulls(len(n), pa.float64())
    score = np.asarray(score, dtype=np.float64)
    if score.shape != cell.shape:
        msg = f"expected a score for each of {len(cell):,} leads, got an array of shape {score.shape}"
        raise InputError(msg)
    total = np.bincount(cell, weights=score, minlength=len(n))
    return known(total / np.maximum(n, 1), n > 0)
