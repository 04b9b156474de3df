"""Rows of a table dealt to folds by what they hold, never by where they stand.

Rows are first put into an order that depends on their content, label, group and the seed alone; whatever is
computed after that is the same for every order in which the rows came.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leadlift.learning.leak_levels import LevelColumn

# Constants of splitmix64 (Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195).
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)

NOT_DEALT = -1


def scramble(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return each number scrambled by the step and finaliser of splitmix64.

    Parameters
    ----------
    numbers : ndarray of uint64

    Returns
    -------
    ndarray of uint64
        A one-to-one image of the input that looks random.
    """
    mixed = numbers + _STEP
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
    return mixed ^ (mixed >> np.uint64(31))


def order_by_content(
    columns: Sequence[LevelColumn], y: NDArray[np.int64], groups: NDArray[np.int64] | None, *, seed: int
) -> NDArray[np.int64]:
    """Return the order of rows that depends on their content and the seed alone.

    Parameters
    ----------
    columns : sequence of LevelColumn
        At least one.
    y : ndarray of shape (n_rows,), int64
        Label, 0 or 1.
    groups : ndarray of shape (n_rows,), int64, or None
        Number of each row's group, itself independent of the order of rows.
    seed : int
        At least 0.

    Returns
    -------
    ndarray of shape (n_rows,), int64
        Row numbers: losers first, shuffled within each class. Rows that share a place are equal.
    """
    total = np.zeros(len(y), dtype=np.uint64)
    for column in columns:
        salt = np.uint64(zlib.crc32(column.name.encode())) << np.uint64(32)
        total += scramble(column.codes.astype(np.uint64) ^ salt)
    if groups is not None:
        total += scramble(groups.astype(np.uint64))
    return np.lexsort((scramble(total ^ np.uint64(seed)), y))


def deal_folds(
    y: NDArray[np.int64], groups: NDArray[np.int64], *, n_folds: int, max_rows: int, seed: int
) -> NDArray[np.int64]:
    """Deal whole groups to folds, those with a win and those without one in turn.

    Parameters
    ----------
    y : ndarray of shape (n_rows,), int64
        Label, 0 or 1.
    groups : ndarray of shape (n_rows,), int64
        Group of each row, from 0 upwards.
    n_folds : int
        Number of folds, at least 2.
    max_rows : int
        About how many rows are dealt where there are more; shares of the classes stay.
    seed : int
        Another seed deals otherwise.

    Returns
    -------
    ndarray of shape (n_rows,), int64
        Fold of each row; ``NOT_DEALT`` for rows beyond `max_rows`.

    Examples
    --------
    >>> y = np.array([0, 0, 1, 1])
    >>> folds = deal_folds(y, np.arange(4), n_folds=2, max_rows=100, seed=0)
    >>> sorted(folds[y == 1].tolist()), sorted(folds[y == 0].tolist())
    ([0, 1], [0, 1])
    """
    has_win = np.bincount(groups, y) > 0
    salt = scramble(np.full(1, seed, dtype=np.uint64))
    shuffled = scramble(np.arange(len(has_win), dtype=np.uint64) ^ salt)
    fold_of_group = np.full(len(has_win), NOT_DEALT)
    kept_share = min(1.0, max_rows / len(y))
    for of_class in (has_win, ~has_win):
        members = np.flatnonzero(of_class)
        members = members[np.argsort(shuffled[members])]
        kept = members[: round(kept_share * len(members))]
        fold_of_group[kept] = np.arange(len(kept)) % n_folds
    return fold_of_group[groups]
