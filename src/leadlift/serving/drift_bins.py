"""The bins in which rows of a column are counted, and how they were spread over them at training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.terms import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class BinShares:
    """How the rows of a column are spread over its bins.

    Parameters
    ----------
    share : ndarray of float64, shape (n_bins,)
        Of all rows; they add up to 1, or are all 0 where there are no rows. The last bin is that of missing
        values; the one before, where `has_levels`, that of levels that were uncommon at training.
    n_rows : float
        Rows drawn evenly that would say as much.
    has_levels : bool
        Whether the column is categorical.
    """

    share: NDArray[np.float64]
    n_rows: float
    has_levels: bool = False

    @property
    def missing(self) -> float:
        """Share of the rows without a value."""
        return float(self.share[-1])

    @property
    def uncommon(self) -> float:
        """Share of the rows with a level that is none of the common ones of training; 0 of numbers."""
        return float(self.share[-2]) if self.has_levels else 0.0

    @property
    def counts(self) -> NDArray[np.float64]:
        """Rows by bin, of so many as drawn evenly would say as much."""
        return self.share * self.n_rows

    def psi_from(self, expected: BinShares) -> float:
        """Return the population stability index, each bin with half a row more on both sides.

        Parameters
        ----------
        expected : BinShares
            Over the same bins.
        """
        return population_stability_index(_smoothed(self), _smoothed(expected))


def population_stability_index(actual: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Return the sum over bins of (a - e) ln(a / e).

    Parameters
    ----------
    actual, expected : ndarray of float64, shape (n_bins,)
        Shares of rows, above 0; each adds up to 1.

    Returns
    -------
    float
        At least 0, which it is where the shares are the same.

    Examples
    --------
    >>> round(population_stability_index(np.array([0.5, 0.5]), np.array([0.6, 0.4])), 4)
    0.0405
    """
    return float(((actual - expected) * np.log(actual / expected)).sum())


def number_edges(quantiles: Sequence[float]) -> NDArray[np.float64]:
    """Return the upper edges of all bins of a number but the last: its inner quantiles, each once.

    Parameters
    ----------
    quantiles : sequence of float
        From the smallest number to the largest; empty where no number is known.

    Returns
    -------
    ndarray of float64
        Ascending; a bin includes its upper edge.
    """
    return np.unique(np.asarray(quantiles[1:-1], dtype=np.float64))


@dataclass(frozen=True)
class NumberBins:
    """Bins of a number: between edges, and missing."""

    edges: NDArray[np.float64]
    expected: BinShares

    def count(self, values: pa.ChunkedArray) -> list[int]:
        """Return the rows by bin."""
        numbers = as_numbers(values)
        bins = np.searchsorted(self.edges, numbers)
        bins[np.isnan(numbers)] = len(self.edges) + 1
        return np.bincount(bins, minlength=len(self.expected.share)).tolist()


@dataclass(frozen=True)
class LevelBins:
    """Bins of a categorical column: its common levels, all others, and missing."""

    levels: pa.Array
    expected: BinShares

    def count(self, values: pa.ChunkedArray) -> list[int]:
        """Return the rows by bin."""
        n_levels = len(self.levels)
        encoded = values.combine_chunks()
        if not pa.types.is_dictionary(encoded.type):
            encoded = encoded.dictionary_encode()
        # The last place is that of the null index.
        common = _filled(pc.index_in(encoded.dictionary, self.levels), n_levels)
        bins = np.append(common, n_levels + 1)[_filled(encoded.indices, len(encoded.dictionary))]
        return np.bincount(bins, minlength=len(self.expected.share)).tolist()


ColumnBins = NumberBins | LevelBins


def column_bins(kind: Kind, profile: Mapping[str, Any], n_evidence: int) -> ColumnBins:
    """Return the bins of a column, with the shares that its rows had at training.

    Parameters
    ----------
    kind : Kind
    profile : mapping
        Of the column in the reference of a bundle.
    n_evidence : int
        Rows of a reference that has not counted its own.
    """
    missing, n_rows = profile["missing_share"], profile.get("n_rows", n_evidence)
    if kind is Kind.CATEGORICAL:
        levels, shares = list(profile["levels"]), list(profile["levels"].values())
        other = max(1 - missing - sum(shares), 0.0)
        spread = BinShares(np.array([*shares, other, missing]), n_rows, has_levels=True)
        return LevelBins(pa.array(levels, pa.string()), spread)
    shares = profile.get("bin_shares") or _nominal_shares(profile["quantiles"], 1 - missing)
    return NumberBins(number_edges(profile["quantiles"]), BinShares(np.array([*shares, missing]), n_rows))


def as_numbers(values: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return a column of numbers; NaN where missing."""
    return pc.cast(values, pa.float64()).to_numpy()


def _smoothed(spread: BinShares) -> NDArray[np.float64]:
    """Shares with half a row more in each bin, since the logarithm of nothing is infinite.

    Krichevsky, R. E., Trofimov, V. K. (1981), doi:10.1109/TIT.1981.1056331.
    """
    return (spread.counts + 0.5) / (spread.n_rows + 0.5 * len(spread.share))


def _filled(places: pa.Array, missing: int) -> NDArray[np.int32]:
    return (places.fill_null(missing) if places.null_count else places).to_numpy()


def _nominal_shares(quantiles: Sequence[float], known_share: float) -> NDArray[np.float64]:
    """Shares as the quantiles say them, where the reference has not counted: wrong where many rows tie."""
    edges = number_edges(quantiles)
    at_most = np.searchsorted(quantiles[1:-1], edges, side="right") / max(len(quantiles) - 1, 1)
    return known_share * np.diff([0.0, *at_most, 1.0])
