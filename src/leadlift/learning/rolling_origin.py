"""Blocks of time, each held out from what was known on the day it began."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.model_selection import BaseCrossValidator

from leadlift.exceptions import InputError
from leadlift.learning.splitting import as_moments, slice_in_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray


class RollingOrigin(BaseCrossValidator):
    """Consecutive blocks of time; all that was known when a block began teaches for it.

    The first block begins at the moment when `first_share` of the labels were known; from there on the rows
    are cut into blocks of equal size. Rows whose label was not known when a block began do not teach for it
    (the embargo), and a lead belongs to the block of its earliest row. :class:`ForwardFolds` cuts the whole
    history evenly instead, which under a long horizon leaves its first folds next to nothing to learn from.

    Source: rolling-origin evaluation, Tashman 2000, doi:10.1016/S0169-2070(00)00065-0.

    Parameters
    ----------
    as_of : array of shape (n_rows,)
        Moment of each row: datetime64 or numbers.
    n_blocks : int, default=5
        At least 1.
    first_share : float, default=0.4
        Share of the labels known when the first block begins, in (0, 1).
    label_known_at : array of shape (n_rows,), optional
        When each label was known, on the clock of `as_of`. Without it a label is known at once.
    groups : array of shape (n_rows,), optional
        Lead of each row.

    Examples
    --------
    >>> blocks = RollingOrigin([1, 2, 3, 4, 5], n_blocks=2, label_known_at=[2, 4, 5, 6, 7])
    >>> [(seen.tolist(), held.tolist()) for seen, held in blocks.split()]
    [([0, 1], [3]), ([0, 1, 2], [4])]
    """

    def __init__(
        self,
        as_of: ArrayLike,
        n_blocks: int = 5,
        first_share: float = 0.4,
        label_known_at: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> None:
        self.as_of = as_of
        self.n_blocks = n_blocks
        self.first_share = first_share
        self.label_known_at = label_known_at
        self.groups = groups

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:
        """Return the number of blocks."""
        return self.n_blocks

    def split(
        self, X: object = None, y: object = None, groups: object = None
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yield (rows that teach, rows of the block), earliest first; the arguments are ignored.

        Raises
        ------
        InputError
            A moment is missing, or too few rows are later than the first labels.
        """
        as_of = as_moments(self.as_of)
        known = as_of if self.label_known_at is None else as_moments(self.label_known_at)
        first = float(np.mean(as_of < self._first_start(known)))
        n_later = round((1 - first) * len(as_of))
        if first == 0 or n_later < self.n_blocks:
            raise InputError(self._too_short(n_later))
        shares = (first, *[(1 - first) / self.n_blocks] * self.n_blocks)
        parts = slice_in_time(as_of, shares, groups=self.groups).parts
        for k in range(1, len(parts)):
            seen, held = np.concatenate(parts[:k]), parts[k]
            if len(held):
                seen = seen[known[seen] <= as_of[held].min()]
                yield np.sort(seen), held

    def _first_start(self, known: NDArray) -> object:
        """Return the moment when `first_share` of the labels were known."""
        place = int(np.ceil(self.first_share * len(known))) - 1
        return np.sort(known)[max(place, 0)]

    def _too_short(self, n_later: int) -> str:
        return (
            f"the history is too short for {self.n_blocks} blocks: when {self.first_share:.0%} of the labels "
            f"were known, {n_later} rows were still to come; take fewer blocks, a shorter horizon_days, or "
            "bring older leads"
        )
