"""Who learns from what: folds of whole leads, and slices in the order of time.

A lead's rows never stand on both sides of a split. Where time is known the slices follow one another, and
rows whose label was not yet known when the next slice begins are left out between them (the embargo), as
they would have been on the day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from sklearn.model_selection import BaseCrossValidator

from leadlift.exceptions import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    Fold = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class TimeSlices:
    """Row numbers of consecutive slices in time.

    Parameters
    ----------
    parts : tuple of ndarray of int64
        Row numbers of each slice, earliest first; together with `embargoed` they hold each row once.
    embargoed : ndarray of int64
        Rows left out because their label was not known when the next slice began, or because an earlier
        row of the same lead stands in an earlier slice.
    """

    parts: tuple[NDArray[np.int64], ...]
    embargoed: NDArray[np.int64]


def slice_in_time(
    as_of: ArrayLike,
    shares: tuple[float, ...],
    *,
    label_known_at: ArrayLike | None = None,
    groups: ArrayLike | None = None,
) -> TimeSlices:
    """Cut rows into consecutive slices of time, whole leads, with an embargo.

    Rows of the same moment fall into the same slice. A lead belongs to the slice of its earliest row; its
    rows of later slices are embargoed.

    Parameters
    ----------
    as_of : array of shape (n_rows,)
        Moment of each row: datetime64 or numbers.
    shares : tuple of float
        Share of the rows each slice is to hold, earliest first; they add up to 1.
    label_known_at : array of shape (n_rows,), optional
        When each label was known, on the same clock. Without it there is no embargo in time.
    groups : array of shape (n_rows,), optional
        Lead of each row.

    Returns
    -------
    TimeSlices

    Raises
    ------
    InputError
        A moment is missing, or the shares do not add up to 1.

    Examples
    --------
    >>> slices = slice_in_time([1, 2, 3, 4], (0.5, 0.5), label_known_at=[2, 4, 5, 6])
    >>> [part.tolist() for part in slices.parts], slices.embargoed.tolist()
    ([[0], [2, 3]], [1])
    """
    as_of = as_moments(as_of)
    if abs(sum(shares) - 1) > 1e-9 or min(shares) <= 0:
        msg = f"shares must be positive and add up to 1, got {shares}"
        raise InputError(msg)
    n_missing = int(_missing(as_of).sum())
    if n_missing:
        msg = f"{n_missing} rows have no moment (as_of); each row needs one to be placed in time"
        raise InputError(msg)
    starts = _starts(as_of, shares)
    slice_of = np.searchsorted(starts, as_of, side="right") if len(starts) else np.zeros(len(as_of), int)
    keep = _first_slice_only(slice_of, groups)
    if label_known_at is not None and len(starts):
        keep &= _known_in_time(as_moments(label_known_at), slice_of, starts)
    parts = tuple(np.flatnonzero(keep & (slice_of == i)) for i in range(len(shares)))
    return TimeSlices(parts, np.flatnonzero(~keep))


def as_moments(values: ArrayLike) -> NDArray:
    """Return moments as numpy sees them; those with a time zone in UTC.

    Parameters
    ----------
    values : array or column of shape (n_rows,)
        datetime64 or numbers; or a column of pandas, polars or Arrow, with or without a time zone.

    Returns
    -------
    ndarray of datetime64 or numbers, shape (n_rows,)

    Raises
    ------
    InputError
        They are neither dates nor numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> as_moments(pd.Series(pd.to_datetime(["2026-05-01 02:00+02:00"]))).astype("datetime64[h]")
    array(['2026-05-01T00'], dtype='datetime64[h]')
    """
    moments = values if isinstance(values, np.ndarray) else _column_values(values)
    if moments.dtype.kind not in "Miuf":
        msg = (
            f"moments (as_of) must be dates or numbers, got {moments.dtype}; "
            "parse text with pandas.to_datetime first"
        )
        raise InputError(msg)
    return moments


def _column_values(values: ArrayLike) -> NDArray:
    """Take a column through Arrow, which turns a time zone into UTC."""
    if isinstance(values, pa.Array | pa.ChunkedArray):
        column = pa.chunked_array([values] if isinstance(values, pa.Array) else values.chunks, values.type)
    elif hasattr(values, "__arrow_c_stream__"):
        column = pa.chunked_array(values)
    else:
        return np.asarray(values)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp(column.type.unit))
    return column.to_numpy()


def _missing(as_of: NDArray) -> NDArray[np.bool_]:
    return np.isnat(as_of) if as_of.dtype.kind == "M" else np.isnan(as_of.astype(float))


def _starts(as_of: NDArray, shares: tuple[float, ...]) -> NDArray:
    """First moment of each slice but the first; a moment that fills several slices starts only one."""
    ordered = np.sort(as_of)
    places = np.rint(np.cumsum(shares[:-1]) * len(ordered)).astype(int)
    return ordered[np.minimum(places, len(ordered) - 1)] if len(ordered) else ordered


def _first_slice_only(slice_of: NDArray, groups: ArrayLike | None) -> NDArray[np.bool_]:
    if groups is None:
        return np.ones(len(slice_of), dtype=bool)
    _, code = np.unique(np.asarray(groups), return_inverse=True)
    first = np.full(code.max(initial=-1) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, code, slice_of)
    return slice_of == first[code]


def _known_in_time(label_known_at: NDArray, slice_of: NDArray, starts: NDArray) -> NDArray[np.bool_]:
    """Rows of the last slice, and rows whose label was known when the next slice began."""
    last = slice_of == len(starts)
    next_start = starts[np.minimum(slice_of, len(starts) - 1)]
    return last | (label_known_at <= next_start)


class ForwardFolds(BaseCrossValidator):
    """Folds that only look forward: each is held out from what was known when it began.

    The rows are cut into ``n_splits + 1`` slices of equal size; slice `k` is held out from all slices
    before it.

    Parameters
    ----------
    as_of : array of shape (n_rows,)
        Moment of each row.
    n_splits : int, default=3
    label_known_at : array of shape (n_rows,), optional
        Rows whose label was not known when the held-out slice began do not teach.
    groups : array of shape (n_rows,), optional
        Lead of each row.

    Examples
    --------
    >>> folds = ForwardFolds(as_of=[1, 2, 3, 4], n_splits=1)
    >>> [(seen.tolist(), held.tolist()) for seen, held in folds.split([0, 0, 0, 0])]
    [([0, 1], [2, 3])]
    """

    def __init__(
        self,
        as_of: ArrayLike,
        n_splits: int = 3,
        label_known_at: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> None:
        self.as_of = as_of
        self.n_splits = n_splits
        self.label_known_at = label_known_at
        self.groups = groups

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:
        """Return the number of folds."""
        return self.n_splits

    def split(
        self, X: object, y: object = None, groups: object = None
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yield (training rows, held-out rows), earliest first; the arguments beside `X` are ignored."""
        as_of = as_moments(self.as_of)
        shares = (1 / (self.n_splits + 1),) * (self.n_splits + 1)
        parts = slice_in_time(as_of, shares, groups=self.groups).parts
        for k in range(1, self.n_splits + 1):
            seen, held = np.concatenate(parts[:k]), parts[k]
            if self.label_known_at is not None and len(held):
                seen = seen[as_moments(self.label_known_at)[seen] <= as_of[held].min()]
            yield np.sort(seen), held


def forward_folds(
    y: NDArray,
    as_of: ArrayLike,
    label_known_at: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    n_splits: int = 3,
) -> list[Fold]:
    """Return those of :class:`ForwardFolds` with won and lost rows on both sides, earliest first.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Labels 0 and 1.
    as_of, label_known_at, groups, n_splits
        As for :class:`ForwardFolds`.

    Returns
    -------
    list of (ndarray of int64, ndarray of int64)
        Training rows and held-out rows.

    Examples
    --------
    >>> forward_folds(np.array([0, 1, 0, 1]), as_of=[1, 2, 3, 4], n_splits=1)
    [(array([0, 1]), array([2, 3]))]
    """
    folds = ForwardFolds(as_of, n_splits, label_known_at, groups).split(y)
    return [fold for fold in folds if all(len(np.unique(y[rows])) == 2 for rows in fold)]


def grouped_folds(
    y: ArrayLike, n_folds: int, *, groups: ArrayLike | None = None, random_state: int = 0
) -> NDArray[np.int64]:
    """Give every row a fold, whole leads, each fold with its share of the won.

    Leads are shuffled within those that were ever won and those that never were, and dealt out in turn.

    Parameters
    ----------
    y : array of shape (n_rows,)
        Labels 0 and 1.
    n_folds : int
        Number of folds, at least 2.
    groups : array of shape (n_rows,), optional
        Lead of each row; without it each row is its own.
    random_state : int
        Seed of the shuffle.

    Returns
    -------
    ndarray of int64, shape (n_rows,)
        Fold of each row, 0 to ``n_folds - 1``.

    Examples
    --------
    >>> grouped_folds([1, 1, 0, 0], 2, groups=["a", "a", "b", "c"]).tolist()
    [0, 0, 0, 1]
    """
    code, ever_won = _leads(np.asarray(y), groups)
    rng = np.random.default_rng(random_state)
    fold_of_lead = np.empty(len(ever_won), dtype=np.int64)
    for won in (True, False):
        leads = rng.permutation(np.flatnonzero(ever_won == won))
        fold_of_lead[leads] = np.arange(len(leads)) % n_folds
    return fold_of_lead[code]


def most_folds(y: ArrayLike, groups: ArrayLike | None = None) -> int:
    """Return into how many folds the leads can be dealt so that each holds won and lost leads.

    Parameters
    ----------
    y : array of shape (n_rows,)
        Labels 0 and 1.
    groups : array of shape (n_rows,), optional
        Lead of each row; without it each row is its own.

    Returns
    -------
    int
        The number of leads of the rarer outcome, at least 1.

    Examples
    --------
    >>> most_folds([1, 1, 1, 0, 0], groups=["a", "a", "b", "c", "d"])
    2
    """
    _, ever_won = _leads(np.asarray(y), groups)
    n_won = int(ever_won.sum())
    counts = [count for count in (n_won, len(ever_won) - n_won) if count]
    return min(counts, default=1)


def _leads(y: NDArray, groups: ArrayLike | None) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the lead of each row as a number, and for each lead whether it was ever won."""
    code = np.arange(len(y)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    ever_won = np.zeros(code.max(initial=-1) + 1, dtype=bool)
    np.logical_or.at(ever_won, code, y > 0)
    return code, ever_won


def content_order(matrix: NDArray[np.float64], *more: NDArray) -> NDArray[np.int64]:
    """Order rows by what they contain, so that nothing learnt depends on the order they came in.

    Rows are hashed column by column (splitmix64 finaliser, Steele et al. 2014,
    doi:10.1145/2660193.2660195) and sorted by the hash; rows of equal content are interchangeable.

    Parameters
    ----------
    matrix : ndarray of float64, shape (n_rows, n_columns)
    *more : ndarray of shape (n_rows,)
        Further numeric columns, such as the label and the weight.

    Returns
    -------
    ndarray of int64, shape (n_rows,)
        The permutation that sorts the rows.
    """
    digest = np.zeros(len(matrix), dtype=np.uint64)
    for column in [*matrix.T, *more]:
        values = np.asarray(column, dtype=np.float64)
        # One zero and one NaN, as they are for the learner: their sign and payload are no content.
        bits = np.where(np.isnan(values), np.nan, values + 0.0).view(np.uint64)
        digest = _mix(digest + np.uint64(0x9E3779B97F4A7C15) + bits)
    return np.argsort(digest, kind="stable")


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def one_row_a_lead(rows: NDArray[np.int64], lead: NDArray, *, random_state: int) -> NDArray[np.int64]:
    """Draw one row of each lead at random, since several moments of one lead are not independent.

    Parameters
    ----------
    rows : ndarray of int64, shape (n,)
        Row numbers, in an order that does not depend on the file, such as that of :func:`content_order`.
    lead : ndarray of shape (n_rows,)
        Lead of each row.
    random_state : int
        Seed of the draw.

    Returns
    -------
    ndarray of int64
        Some of `rows`, in their order.

    Examples
    --------
    >>> rows = one_row_a_lead(np.arange(6), np.array(["a", "a", "a", "b", "b", "c"]), random_state=0)
    >>> len(rows), rows[-1].item()
    (3, 5)
    """
    _, code = np.unique(lead[rows], return_inverse=True)
    by_lead = np.argsort(code, kind="stable")
    chance = np.empty(len(rows))
    chance[by_lead] = np.random.default_rng(random_state).random(len(rows))
    by_chance = np.lexsort((chance, code))
    is_first = np.diff(code[by_chance], prepend=-1) != 0
    return rows[np.sort(by_chance[is_first])]
