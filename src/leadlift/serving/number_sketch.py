"""The range and the orders of magnitude of a number, counted in little room, so that a changed unit shows."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

BUCKETS_PER_DECADE = 5
"""Neighbouring buckets differ by a factor of 10**(1/5), 1.6."""

# The least float64 above 0 is 5e-324.
_FIRST_PLACE = 324 * BUCKETS_PER_DECADE


@dataclass(frozen=True)
class NumberSketch:
    """Smallest and largest of some numbers, and how many of the others than 0 are of which size.

    The sum of two is that of all their numbers, in any order. Numbers are put in geometric buckets, so that a
    quantile of their sizes is off by at most half a bucket (Masson, C., Rim, J. E., Lee, H. K. (2019),
    DDSketch, doi:10.14778/3352063.3352135).

    Parameters
    ----------
    low, high : float or None
        None where there are no numbers.
    sizes : dict of str to int
        Numbers other than 0 by ``floor(5 log10 |x|)``, written as text.

    Examples
    --------
    >>> sketch = NumberSketch.of(np.array([0.0, 100.0, 150.0, np.nan, -2_000.0]))
    >>> sketch.low, sketch.high, sketch.sizes
    (-2000.0, 150.0, {'10': 2, '16': 1})
    """

    low: float | None = None
    high: float | None = None
    sizes: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, numbers: NDArray[np.float64]) -> NumberSketch:
        """Sketch numbers; NaN and infinity are none.

        Parameters
        ----------
        numbers : ndarray of float64, shape (n_rows,)
        """
        known = numbers[np.isfinite(numbers)]
        if not len(known):
            return cls()
        buckets = np.floor(BUCKETS_PER_DECADE * np.log10(np.abs(known[known != 0]))).astype(np.int64)
        counts = np.bincount(buckets + _FIRST_PLACE)
        places = np.flatnonzero(counts)
        by_bucket = {str(place - _FIRST_PLACE): int(counts[place]) for place in places}
        return cls(float(known.min()), float(known.max()), by_bucket)

    def __add__(self, other: NumberSketch) -> NumberSketch:
        """Return the sketch of the numbers of both."""
        buckets = sorted({*self.sizes, *other.sizes}, key=int)
        return NumberSketch(
            _of_known(min, self.low, other.low),
            _of_known(max, self.high, other.high),
            {bucket: self.sizes.get(bucket, 0) + other.sizes.get(bucket, 0) for bucket in buckets},
        )

    @property
    def is_constant(self) -> bool:
        """Whether there are numbers, and all are the same."""
        return self.low is not None and self.low == self.high

    @property
    def n_sizes(self) -> int:
        """Numbers other than 0."""
        return sum(self.sizes.values())

    def log10_quantiles(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return quantiles of the decimal logarithm of the sizes, each the middle of its bucket.

        Parameters
        ----------
        at : ndarray of float64, shape (n_quantiles,)
            In [0, 1].

        Returns
        -------
        ndarray of float64, shape (n_quantiles,)
            NaN where all numbers are 0.
        """
        if not self.sizes:
            return np.full(len(at), np.nan)
        buckets, counts = self._ascending()
        places = np.searchsorted(np.cumsum(counts) / counts.sum(), at)
        return (buckets[np.minimum(places, len(buckets) - 1)] + 0.5) / BUCKETS_PER_DECADE

    def n_beyond(self, log10_size: float) -> tuple[int, int]:
        """Return how many sizes are of smaller and of larger buckets than that of a size.

        Parameters
        ----------
        log10_size : float
        """
        if not self.sizes:
            return 0, 0
        buckets, counts = self._ascending()
        bucket = np.floor(BUCKETS_PER_DECADE * log10_size)
        return int(counts[buckets < bucket].sum()), int(counts[buckets > bucket].sum())

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> NumberSketch:
        """Make the sketch anew."""
        return cls(**state)

    def _ascending(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        buckets = np.array([int(bucket) for bucket in self.sizes])
        order = np.argsort(buckets)
        return buckets[order], np.array(list(self.sizes.values()))[order]


def _of_known(choose: Any, one: float | None, other: float | None) -> float | None:
    known = [value for value in (one, other) if value is not None]
    return choose(known) if known else None
