"""Drift: how far new leads and their scores are from those of training, counted while leads are scored."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from leadlift.serving.drift_bins import BinShares, ColumnBins, as_numbers, column_bins
from leadlift.serving.number_sketch import NumberSketch
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
    sketches : dict of str to dict
        By numeric input column, the :class:`NumberSketch` of its counted rows as a dict.
    """

    rows: list[int] = field(default_factory=lambda: [0, 0])
    counted: list[int] = field(default_factory=lambda: [0, 0])
    bins: dict[str, list[list[int]]] = field(default_factory=dict)
    score: list[list[int]] = field(default_factory=list)
    sketches: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __add__(self, other: DriftCounts) -> DriftCounts:
        """Return the counts of all leads of both."""
        names = {**self.bins, **other.bins}
        sketched = {**self.sketches, **other.sketches}
        return DriftCounts(
            _sums(self.rows, other.rows),
            _sums(self.counted, other.counted),
            {name: _added(self.bins.get(name, []), other.bins.get(name, [])) for name in names},
            _added(self.score, other.score),
            {name: (self.sketch(name) + other.sketch(name)).to_dict() for name in sketched},
        )

    def sketch(self, name: str) -> NumberSketch:
        """Return the sketch of a numeric column; of another, that of no numbers."""
        return NumberSketch.from_dict(self.sketches.get(name, {}))

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

    Attributes
    ----------
    expected_sketches : dict of str to NumberSketch
        By numeric column, its numbers at training; without sizes where the reference has not counted them.

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
        # Tenths, as usual; the reference holds twentieths.
        deciles = {"quantiles": reference.score_quantiles[::2], "missing_share": 0.0}
        numbers = [spec.name for spec in specs if spec.kind is not Kind.CATEGORICAL]
        self.expected_sketches = {name: _expected_sketch(reference.columns[name]) for name in numbers}
        self._score_bins = column_bins(Kind.NUMERIC, deciles, n_evidence)
        self._bins: dict[str, ColumnBins] = {
            spec.name: column_bins(spec.kind, reference.columns[spec.name], n_evidence) for spec in specs
        }

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
            {name: _sketch(tables, name).to_dict() for name in self.expected_sketches},
        )

    @property
    def expected(self) -> dict[str, BinShares]:
        """How rows were spread at training, by column of inputs."""
        return {name: bins.expected for name, bins in self._bins.items()}

    @property
    def expected_score(self) -> BinShares:
        """How the scores of the evidence were spread."""
        return self._score_bins.expected

    def observed(self, counts: DriftCounts) -> dict[str, BinShares]:
        """Return how the rows that were counted are spread, by column of inputs.

        Parameters
        ----------
        counts : DriftCounts
            Of some leads.

        Returns
        -------
        dict of str to BinShares
            Columns that were counted; empty where no lead was.
        """
        sample = _Sample.of(counts)
        counted = [(name, bins) for name, bins in self._bins.items() if name in counts.bins]
        return {name: sample.spread(bins, counts.bins[name]) for name, bins in counted}

    def observed_score(self, score: NDArray[np.float64]) -> BinShares:
        """Return how scores are spread.

        Parameters
        ----------
        score : ndarray of float64, shape (n_rows,)
            At least one.
        """
        n_rows = np.array(self._score_bins.count(pa.chunked_array([score])))
        return replace(self._score_bins.expected, share=n_rows / n_rows.sum(), n_rows=float(n_rows.sum()))

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
        score = _Sample.of(counts).spread(self._score_bins, counts.score)
        observed = [*self.observed(counts).items(), (SCORE, score)]
        expected = self.expected | {SCORE: self.expected_score}
        flags = [_flag(name, now, expected[name]) for name, now in observed]
        return [flag for flag in flags if flag is not None]


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

    def spread(self, bins: ColumnBins, counted: list[list[int]]) -> BinShares:
        rows = np.dot(self.weights, counted)
        return replace(bins.expected, share=rows / rows.sum(), n_rows=self.n_rows)


def _flag(name: str, now: BinShares, then: BinShares) -> DriftFlag | None:
    """The flag of a column that drifted; None where it did not, or chance may be the cause."""
    psi = now.psi_from(then)
    n_used = int(((now.share > 0) | (then.share > 0)).sum())
    if psi < max(MODERATE_PSI, _psi_by_chance(n_used, now.n_rows, then.n_rows)):
        return None
    level = "major" if psi >= MAJOR_PSI else "moderate"
    return DriftFlag(name, level, psi, now.missing, then.missing, now.uncommon, then.uncommon)


def _counts(bins: ColumnBins, table: pa.Table | None, name: str) -> list[int]:
    """Rows of a table by bin of a column; of no table, none."""
    return [0] * len(bins.expected.share) if table is None else bins.count(table[name])


def _expected_sketch(profile: Mapping[str, Any]) -> NumberSketch:
    ends = (profile["quantiles"][0], profile["quantiles"][-1]) if profile["quantiles"] else (None, None)
    return NumberSketch(*ends, profile.get("sizes", {}))


def _sketch(tables: Sequence[pa.Table | None], name: str) -> NumberSketch:
    columns = [as_numbers(table[name]) for table in tables if table is not None]
    return NumberSketch.of(np.concatenate(columns)) if columns else NumberSketch()


def _stays(row_numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows are counted where one in `THINNED_BY` is; no period of a file's rows meets the choice."""
    return row_numbers.astype(np.uint64) * _GOLDEN < np.uint64(2**64 // THINNED_BY)


def _psi_by_chance(n_bins: int, n_rows: float, n_reference: float) -> float:
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
