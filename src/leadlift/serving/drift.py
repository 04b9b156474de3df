"""Drift: how far new leads and their scores are from those of training, counted while leads are scored."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.terms import SCORE, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from leadlift.serving.bundle import Reference
    from leadlift.terms import FeatureSpec

MODERATE_PSI, MAJOR_PSI = 0.10, 0.25
"""Siddiqi, N. (2006), Credit Risk Scorecards, Wiley: below the first no change, above the second a shift."""

COUNTED_ROWS = 32_768
"""So many rows of a job are all counted; of the rows that follow, one in `THINNED_BY`."""

THINNED_BY = 32

# Quantile of the standard normal that chance exceeds once in ten thousand.
_Z_BY_CHANCE = 3.72
# 2**64 over the golden ratio: its multiples by successive numbers are spread evenly (Knuth, TAOCP 3, 6.4).
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class DriftFlag:
    """A column whose values, or the score, are not distributed as they were at training.

    Parameters
    ----------
    column : str
        An input column, or ``"score"``.
    level : {"moderate", "major"}
        Whether `psi` reaches `MODERATE_PSI` or `MAJOR_PSI`.
    psi : float
        Population stability index: sum over bins of (a - e) ln(a / e), with the shares of rows a now and e at
        training, each bin with half a row more; what is missing is a bin.
    missing_share, missing_share_at_training : float
        Shares of the rows, 0 to 1.
    uncommon_share, uncommon_share_at_training : float
        Rows whose level is none of the common ones of training, 0 to 1; of a column with few levels, those
        are the levels that the model has never seen. 0 for numbers.
    """

    column: str
    level: str
    psi: float
    missing_share: float
    missing_share_at_training: float
    uncommon_share: float
    uncommon_share_at_training: float

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values, shares and index to four decimals."""
        return {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


@dataclass
class DriftCounts:
    """Rows by bin, of some leads; the sum of two is that of all their leads.

    Parameters
    ----------
    rows : list of int
        Rows below and from `COUNTED_ROWS` on.
    counted : list of int
        How many of them are counted.
    bins : dict of str to list of list of int
        By input column: counted rows by bin, below and from `COUNTED_ROWS` on.
    score : list of list of int
        The same of the score.
    """

    rows: list[int] = field(default_factory=lambda: [0, 0])
    counted: list[int] = field(default_factory=lambda: [0, 0])
    bins: dict[str, list[list[int]]] = field(default_factory=dict)
    score: list[list[int]] = field(default_factory=list)

    def __add__(self, other: DriftCounts) -> DriftCounts:
        """Return the counts of all leads of both."""
        names = {**self.bins, **other.bins}
        return DriftCounts(
            _sums(self.rows, other.rows),
            _sums(self.counted, other.counted),
            {name: _added(self.bins.get(name, []), other.bins.get(name, [])) for name in names},
            _added(self.score, other.score),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values; the inverse of :meth:`from_dict`."""
        return dict(vars(self))

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> DriftCounts:
        """Make the counts anew."""
        return cls(**state)


class DriftWatch:
    """Counts new leads by bin and compares the counts with a bundle's reference.

    Rows are chosen by their numbers alone, so that the counts do not depend on how the rows came in batches;
    each row counted later stands for those passed over, so that the first rows of a job weigh no more than
    the last.

    Parameters
    ----------
    reference : Reference
    specs : sequence of FeatureSpec
        The columns that the reference describes.

    Examples
    --------
    >>> from leadlift.serving.bundle import Reference
    >>> from leadlift.terms import FeatureSpec
    >>> profile = {"missing_share": 0.0, "levels": {"web": 0.7, "fair": 0.3}}
    >>> reference = Reference(0.3, {}, {"D": (900, 300)}, tuple(np.linspace(0, 1, 21)), {"source": profile})
    >>> watch = DriftWatch(reference, [FeatureSpec("source", Kind.CATEGORICAL)])
    >>> new = pa.table({"source": ["web", "fair", "radio", "radio"] * 200})
    >>> counts = watch.count(new, np.linspace(0, 1, 800), np.arange(1, 801))
    >>> [(flag.column, flag.level, flag.uncommon_share) for flag in watch.flags(counts)]
    [('source', 'major', 0.5)]
    """

    def __init__(self, reference: Reference, specs: Sequence[FeatureSpec]) -> None:
        n_evidence = sum(n_leads for n_leads, _ in reference.grade_rates.values())
        self._bins: dict[str, _Bins] = {
            spec.name: _bins(spec.kind, reference.columns[spec.name], n_evidence) for spec in specs
        }
        # Tenths, as usual; the reference holds twentieths.
        deciles = {"quantiles": reference.score_quantiles[::2], "missing_share": 0.0}
        self._score_bins = _bins(Kind.NUMERIC, deciles, n_evidence)

    def count(
        self, inputs: pa.Table, score: NDArray[np.float64], row_numbers: NDArray[np.int64]
    ) -> DriftCounts:
        """Count leads that were scored.

        Parameters
        ----------
        inputs : pyarrow.Table
            The input columns: numbers, strings or dictionaries of strings; missing is null.
        score : ndarray of float64, shape (n_rows,)
        row_numbers : ndarray of int64, shape (n_rows,)
            Of the rows in the job, from 1.

        Returns
        -------
        DriftCounts
        """
        is_late = row_numbers > COUNTED_ROWS
        halves = [np.flatnonzero(~is_late), np.flatnonzero(is_late)]
        chosen = [halves[0], halves[1][_stays(row_numbers[halves[1]])]]
        tables = [inputs.take(pa.array(rows)) if len(rows) else None for rows in chosen]
        return DriftCounts(
            [len(half) for half in halves],
            [len(rows) for rows in chosen],
            {name: [_counts(bins, table, name) for table in tables] for name, bins in self._bins.items()},
            [self._score_bins.count(pa.chunked_array([score[rows]])) for rows in chosen],
        )

    def flags(self, counts: DriftCounts) -> list[DriftFlag]:
        """Return the columns that drifted, in the order of the columns, the score last.

        A column is flagged where its index reaches `MODERATE_PSI` and is larger than chance makes it once in
        ten thousand samples of this size: without drift, the index times ``n m / (n + m)``, with n rows now
        and m at training, is about a chi-square with one degree of freedom less than there are bins.
        (Yurdakul, B. (2018), Statistical Properties of Population Stability Index, Western Michigan
        University.) With few rows a bin that is rough: in simulations of 30 to 300 rows, at most 2 columns of
        1,000 are flagged.

        Parameters
        ----------
        counts : DriftCounts
            Of all leads of a job.

        Returns
        -------
        list of DriftFlag
            Empty where no lead was counted.
        """
        if not sum(counts.counted):
            return []
        sample = _Sample.of(counts)
        columns = [(name, bins, counts.bins[name]) for name, bins in self._bins.items()]
        columns.append((SCORE, self._score_bins, counts.score))
        flags = [_flag(name, bins, sample.shares(counted), sample.n_rows) for name, bins, counted in columns]
        return [flag for flag in flags if flag is not None]


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
class _NumberBins:
    """Bins of a number: between edges, and missing."""

    edges: NDArray[np.float64]
    shares: NDArray[np.float64]
    n_rows: int

    def count(self, values: pa.ChunkedArray) -> list[int]:
        numbers = pc.cast(values, pa.float64()).to_numpy()
        bins = np.searchsorted(self.edges, numbers)
        bins[np.isnan(numbers)] = len(self.edges) + 1
        return np.bincount(bins, minlength=len(self.shares)).tolist()


@dataclass(frozen=True)
class _LevelBins:
    """Bins of a categorical column: its common levels, all others, and missing."""

    levels: pa.Array
    shares: NDArray[np.float64]
    n_rows: int

    def count(self, values: pa.ChunkedArray) -> list[int]:
        n_levels = len(self.levels)
        encoded = values.combine_chunks()
        if not pa.types.is_dictionary(encoded.type):
            encoded = encoded.dictionary_encode()
        # The last place is that of the null index.
        common = _filled(pc.index_in(encoded.dictionary, self.levels), n_levels)
        bins = np.append(common, n_levels + 1)[_filled(encoded.indices, len(encoded.dictionary))]
        return np.bincount(bins, minlength=len(self.shares)).tolist()


_Bins = _NumberBins | _LevelBins


def _bins(kind: Kind, profile: Mapping[str, Any], n_evidence: int) -> _Bins:
    """The bins of a column, with the shares that its rows had at training."""
    missing, n_rows = profile["missing_share"], profile.get("n_rows", n_evidence)
    if kind is Kind.CATEGORICAL:
        levels, shares = list(profile["levels"]), list(profile["levels"].values())
        other = max(1 - missing - sum(shares), 0.0)
        return _LevelBins(pa.array(levels, pa.string()), np.array([*shares, other, missing]), n_rows)
    shares = profile.get("bin_shares") or _nominal_shares(profile["quantiles"], 1 - missing)
    return _NumberBins(number_edges(profile["quantiles"]), np.array([*shares, missing]), n_rows)


def _filled(places: pa.Array, missing: int) -> NDArray[np.int32]:
    return (places.fill_null(missing) if places.null_count else places).to_numpy()


def _counts(bins: _Bins, table: pa.Table | None, name: str) -> list[int]:
    """Rows of a table by bin of a column; of no table, none."""
    return [0] * len(bins.shares) if table is None else bins.count(table[name])


def _nominal_shares(quantiles: Sequence[float], known_share: float) -> NDArray[np.float64]:
    """Shares as the quantiles say them, where the reference has not counted: wrong where many rows tie."""
    edges = number_edges(quantiles)
    at_most = np.searchsorted(quantiles[1:-1], edges, side="right") / max(len(quantiles) - 1, 1)
    return known_share * np.diff([0.0, *at_most, 1.0])


@dataclass(frozen=True)
class _Sample:
    """What a counted row stands for, and how many rows drawn evenly would say as much as all of them."""

    weights: tuple[float, ...]
    n_rows: float

    @classmethod
    def of(cls, counts: DriftCounts) -> _Sample:
        weights = tuple(rows / max(n, 1) for rows, n in zip(counts.rows, counts.counted, strict=True))
        squares = sum(weight**2 * n for weight, n in zip(weights, counts.counted, strict=True))
        # Kish, L. (1965), Survey Sampling, Wiley: the effective size of a weighted sample.
        return cls(weights, sum(counts.rows) ** 2 / squares)

    def shares(self, counted: list[list[int]]) -> NDArray[np.float64]:
        rows = np.dot(self.weights, counted)
        return rows / rows.sum()


def _flag(name: str, bins: _Bins, share: NDArray[np.float64], n_rows: float) -> DriftFlag | None:
    """The flag of a column that drifted; None where it did not, or chance may be the cause."""
    psi = population_stability_index(_smoothed(share, n_rows), _smoothed(bins.shares, bins.n_rows))
    n_used = int(((share > 0) | (bins.shares > 0)).sum())
    if psi < max(MODERATE_PSI, _psi_by_chance(n_used, n_rows, bins.n_rows)):
        return None
    level = "major" if psi >= MAJOR_PSI else "moderate"
    uncommon = (share[-2], bins.shares[-2]) if isinstance(bins, _LevelBins) else (0.0, 0.0)
    return DriftFlag(name, level, psi, float(share[-1]), float(bins.shares[-1]), *map(float, uncommon))


def _smoothed(share: NDArray[np.float64], n_rows: float) -> NDArray[np.float64]:
    """Shares with half a row more in each bin, since the logarithm of nothing is infinite.

    Krichevsky, R. E., Trofimov, V. K. (1981), doi:10.1109/TIT.1981.1056331.
    """
    return (share * n_rows + 0.5) / (n_rows + 0.5 * len(share))


def _stays(row_numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows are counted where one in `THINNED_BY` is; no period of a file's rows meets the choice."""
    return row_numbers.astype(np.uint64) * _GOLDEN < np.uint64(2**64 // THINNED_BY)


def _psi_by_chance(n_bins: int, n_rows: float, n_reference: int) -> float:
    """The index that chance alone exceeds once in ten thousand, by Wilson and Hilferty's quantile.

    Wilson, E. B., Hilferty, M. M. (1931), doi:10.1073/pnas.17.12.684.
    """
    k = max(n_bins - 1, 1)
    chi_square = k * (1 - 2 / (9 * k) + _Z_BY_CHANCE * sqrt(2 / (9 * k))) ** 3
    return chi_square * (1 / n_rows + 1 / max(n_reference, 1))


def _added(one: list[list[int]], other: list[list[int]]) -> list[list[int]]:
    return [_sums(*halves) for halves in zip(one, other, strict=True)] if one and other else one or other


def _sums(one: list[int], other: list[int]) -> list[int]:
    return [a + b for a, b in zip(one, other, strict=True)]
