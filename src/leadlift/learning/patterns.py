"""Score forests of small numeric trees, and explain every row exactly, by table look-ups.

Each tree is tabulated once over the patterns of answers it can get (``pattern_tables``: formula and
source). A row then costs a few comparisons a tree, which make its pattern number, one look-up for the
score and one for each feature the tree uses. Rows go through in blocks, so that memory beyond the
result is bounded and the data stay in cache; within a row the order of the sums is that of the trees,
so that the size of a block does not change a bit of the result.

A row is read as LightGBM reads it: ``x <= threshold`` goes left; values within 1e-35 of zero are zero;
NaN is missing where the split knows missing values and zero where it does not. Columns are coded once a
block (``column_codes``), so that all trees ask whole numbers of two bytes.

References
----------
Lundberg, S. M., Erion, G., Chen, H. et al. (2020). From local explanations to global understanding with
explainable AI for trees. Nature Machine Intelligence 2, 56-67. doi:10.1038/s42256-019-0138-9
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from leadlift.exceptions import InputError
from leadlift.learning.column_codes import MOST_THRESHOLDS, ZERO_THRESHOLD, ColumnCodes
from leadlift.learning.lightgbm_text import MissingType, TreeModel, UnsupportedForestError, parse_model
from leadlift.learning.pattern_kernels import add_tables, kernel
from leadlift.learning.pattern_tables import Axes, PatternTables, tabulate

__all__ = ["PatternForest", "UnsupportedForestError"]

BLOCK_ROWS = 4096
# The largest number below those that LightGBM takes for zero.
_BELOW_ZERO = float(np.nextafter(-ZERO_THRESHOLD, -np.inf))


class _Questions(NamedTuple):
    """Every tree's axes and thresholds, end to end; ``*_start`` holds one offset more than items.

    A row's pattern is the sum of the strides of the thresholds whose rank its code exceeds, and of the
    missing steps where it is missing.
    """

    axis_start: np.ndarray
    column: np.ndarray
    stride: np.ndarray
    missing_step: np.ndarray
    threshold_start: np.ndarray
    rank: np.ndarray


class _Answers(NamedTuple):
    """Every tree's tables, end to end: table k is added to the sum ``target[k]``, the tree's values first."""

    table_start: np.ndarray
    target: np.ndarray
    n_patterns: np.ndarray
    most_patterns: int
    entry_start: np.ndarray
    entries: np.ndarray


@dataclass(frozen=True, eq=False)
class PatternForest:
    """A weighted sum of boosters, compiled to tables. Made by :meth:`from_model_texts`.

    Parameters
    ----------
    n_features : int
        Columns of the feature matrix.
    weights : ndarray of float64, shape (n_boosters,)
        What the raw score of each booster is multiplied by in the sum.
    base_value : float
        Expected raw score of a training row, by the covers of the leaves; the last column of LightGBM's
        ``pred_contrib``.

    Examples
    --------
    >>> import lightgbm
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 3))
    >>> data = lightgbm.Dataset(X, X[:, 0] + X[:, 1] > 0)
    >>> options = {"objective": "binary", "num_leaves": 5, "verbose": -1}
    >>> booster = lightgbm.train(options, data, num_boost_round=10)
    >>> forest = PatternForest.from_model_texts([booster.model_to_string()], weights=[1.0])
    >>> bool(np.allclose(forest.base_value + forest.contributions(X).sum(axis=1), forest.raw(X)))
    True
    """

    n_features: int
    weights: np.ndarray
    base_value: float
    _columns: ColumnCodes = field(repr=False)
    _questions: _Questions = field(repr=False)
    _answers: _Answers = field(repr=False)

    @classmethod
    def from_model_texts(cls, texts: Sequence[str], weights: Sequence[float]) -> PatternForest:
        """Compile boosters to tables.

        Parameters
        ----------
        texts : sequence of str
            LightGBM model texts (``Booster.model_to_string()``) on the same feature columns.
        weights : sequence of float
            One finite factor a booster: the forest is the sum of factor times raw score.

        Returns
        -------
        PatternForest
            Holds some 40 to 80 kB a tree of 12 leaves; building takes about 0.25 ms of CPU a tree, most of it
            for reading the texts.

        Raises
        ------
        InputError
            A text is not a whole LightGBM model.
        UnsupportedForestError
            Trees with more than 13 leaves, categorical splits or linear leaves; multi-class models and
            random forests; more than 32,767 thresholds on a feature. LightGBM's own ``pred_contrib``
            serves those.
        ValueError
            No texts, weights that do not fit them, or boosters with different numbers of features.
        """
        models = [parse_model(text) for text in texts]
        n_features = _common_n_features(models, weights)
        booster = np.repeat(np.arange(len(models)), [len(model.trees) for model in models])
        factors = np.asarray(weights, dtype=np.float64)[booster]
        tables = tabulate([tree for model in models for tree in model.trees], factors)
        columns, questions = _coded(tables)
        return cls(
            n_features=n_features,
            weights=np.asarray(weights, dtype=np.float64),
            base_value=float(factors @ tables.expected_value),
            _columns=columns,
            _questions=questions,
            _answers=_answers(tables, booster, len(models)),
        )

    @property
    def n_bytes(self) -> int:
        """Memory that the tables take."""
        return self._answers.entries.nbytes

    def raw(self, X: np.ndarray, *, block_rows: int = BLOCK_ROWS) -> np.ndarray:
        """Return the raw score of each row.

        Parameters
        ----------
        X : ndarray of float64, shape (n, n_features)
            Feature matrix, NaN for missing; read fastest when C-contiguous.
        block_rows : int, default 4096
            Rows worked on at a time; bounds memory and does not change the result.

        Returns
        -------
        ndarray of float64, shape (n,)
            What ``Booster.predict(X, raw_score=True)`` gives, weighted and summed over boosters.

        Raises
        ------
        InputError
            `X` is not a float64 matrix of ``n_features`` columns.
        ValueError
            `block_rows` is below 1.
        """
        return self._weighted(self.raw_by_booster(X, block_rows=block_rows))

    def raw_by_booster(self, X: np.ndarray, *, block_rows: int = BLOCK_ROWS) -> np.ndarray:
        """Return the raw score that each booster gives each row.

        Parameters
        ----------
        X, block_rows
            As for :meth:`raw`.

        Returns
        -------
        ndarray of float64, shape (n_boosters, n)
            What ``Booster.predict(X, raw_score=True)`` gives, bit for bit.

        Raises
        ------
        InputError, ValueError
            As for :meth:`raw`.
        """
        self._check(X, block_rows)
        scores = np.empty((self.weights.size, len(X)))
        for rows, sums in self._block_sums(X, self.weights.size, 1, block_rows):
            scores[:, rows] = sums
        return scores

    def contributions(
        self, X: np.ndarray, out: np.ndarray | None = None, *, block_rows: int = BLOCK_ROWS
    ) -> np.ndarray:
        """Return the exact path-dependent SHAP values of each row, on the scale of the raw score.

        Parameters
        ----------
        X : ndarray of float64, shape (n, n_features)
            Feature matrix, NaN for missing; read fastest when C-contiguous.
        out : ndarray of float64, shape (n, n_features), optional
            Where to write the result.
        block_rows : int, default 4096
            Rows worked on at a time; bounds memory and does not change the result.

        Returns
        -------
        ndarray of float64, shape (n, n_features)
            `out`, or a new array. ``base_value`` plus the sum of a row is its raw score (to rounding).
            Equals ``Booster.predict(X, pred_contrib=True)[:, :-1]``, weighted and summed over boosters.

        Raises
        ------
        InputError
            `X` is not a float64 matrix of ``n_features`` columns.
        ValueError
            `out` has another shape or dtype, or `block_rows` is below 1.

        Notes
        -----
        Lundberg et al. (2020), doi:10.1038/s42256-019-0138-9: features that a subset leaves out are
        averaged by the covers of the trees' nodes, not by resampling the data.
        """
        _, contributions = self.explain(X, out, block_rows=block_rows)
        return contributions

    def explain(
        self, X: np.ndarray, out: np.ndarray | None = None, *, block_rows: int = BLOCK_ROWS
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return :meth:`raw_by_booster` and :meth:`contributions` for little more than the latter.

        Parameters
        ----------
        X, out, block_rows
            As for :meth:`contributions`.

        Returns
        -------
        raw_by_booster : ndarray of float64, shape (n_boosters, n)
        contributions : ndarray of float64, shape (n, n_features)

        Raises
        ------
        InputError, ValueError
            As for :meth:`contributions`.
        """
        self._check(X, block_rows)
        shape, n_boosters = (len(X), self.n_features), self.weights.size
        out = np.empty(shape) if out is None else out
        if out.shape != shape or out.dtype != np.float64:
            msg = f"expected out of shape {shape} and dtype float64, but got {out.shape} and {out.dtype}"
            raise ValueError(msg)
        scores = np.empty((n_boosters, len(X)))
        n_targets = n_boosters + self.n_features
        for rows, sums in self._block_sums(X, n_targets, 1 + self.n_features, block_rows):
            scores[:, rows] = sums[:n_boosters]
            out[rows] = sums[n_boosters:].T
        return scores, out

    def _weighted(self, raw_by_booster: np.ndarray) -> np.ndarray:
        """Add up the boosters one by one; NumPy's own sums may add in another order."""
        total = np.zeros(raw_by_booster.shape[1])
        for weight, scores in zip(self.weights, raw_by_booster, strict=True):
            total += weight * scores
        return total

    def _block_sums(
        self, X: np.ndarray, n_targets: int, most_tables: int, block_rows: int
    ) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield, block by block, the rows and the sums (targets, rows) over each tree's first tables."""
        n_coded, most = self._columns.n_coded, min(block_rows, len(X))
        code_space, sum_space = np.empty(n_coded * most, np.int16), np.empty(n_targets * most)
        pattern_space = np.empty(most, np.uint16)
        for start in range(0, len(X), block_rows):
            rows = slice(start, min(start + block_rows, len(X)))
            n = rows.stop - start
            codes = self._columns.code(X[rows], out=code_space[: n_coded * n].reshape(n_coded, n))
            sums = sum_space[: n_targets * n].reshape(n_targets, n)
            sums[:] = 0.0
            kernel(add_tables)(codes, self._questions, self._answers, most_tables, pattern_space[:n], sums)
            yield rows, sums

    def _check(self, X: np.ndarray, block_rows: int) -> None:
        """Refuse what the compiled loops would misread."""
        expected = (2, self.n_features, np.float64)
        if not isinstance(X, np.ndarray) or (X.ndim, X.shape[-1], X.dtype) != expected:
            msg = (
                f"expected a float64 ndarray of {self.n_features} columns, but got {type(X).__name__} of "
                f"shape {np.shape(X)} and dtype {getattr(X, 'dtype', None)}; pass the encoder's matrix"
            )
            raise InputError(msg)
        if block_rows < 1:
            msg = f"expected block_rows of at least 1, but got {block_rows}"
            raise ValueError(msg)


def _common_n_features(models: Sequence[TreeModel], weights: Sequence[float]) -> int:
    """Return the number of features the boosters share."""
    if not models or len(models) != len(weights) or not np.isfinite(weights).all():
        msg = f"expected one finite weight for each of one or more texts, got {len(models)} texts, {weights}"
        raise ValueError(msg)
    n_features = {model.n_features for model in models}
    if len(n_features) > 1:
        msg = f"expected boosters trained on the same columns, but they have {sorted(n_features)} columns"
        raise ValueError(msg)
    return n_features.pop()


def _coded(tables: PatternTables) -> tuple[ColumnCodes, _Questions]:
    """Return how to code the columns the trees use, and what is asked of the codes."""
    axes = tables.axes
    thresholds, axis = _as_read(axes), np.repeat(np.arange(axes.tree.size), np.diff(axes.threshold_start))
    zero_is_missing = axes.missing_type == MissingType.ZERO
    keys, column = np.unique(2 * axes.feature + zero_is_missing, return_inverse=True)
    rank, of_column = np.empty(axis.size, np.int16), []
    for k in range(keys.size):
        mine = column[axis] == k
        own, ranks = np.unique(thresholds[mine], return_inverse=True)
        _refuse_many(own.size, int(keys[k]) // 2)
        of_column.append(own)
        rank[mine] = ranks
    questions = _Questions(
        axis_start=tables.axis_start,
        column=column,
        stride=axes.stride.astype(np.uint16),
        missing_step=(axes.stride * _missing_codes(axes, axis)).astype(np.uint16),
        threshold_start=axes.threshold_start,
        rank=rank,
    )
    return ColumnCodes.of(keys // 2, of_column, keys % 2 == 1), questions


def _as_read(axes: Axes) -> np.ndarray:
    """Return the thresholds that ask of raw values what LightGBM asks after setting tiny ones to zero."""
    thresholds = axes.thresholds.copy()
    tiny = np.abs(thresholds) <= ZERO_THRESHOLD
    thresholds[tiny & (thresholds < 0)] = _BELOW_ZERO
    thresholds[tiny & (thresholds >= 0)] = ZERO_THRESHOLD
    return thresholds


def _missing_codes(axes: Axes, axis: np.ndarray) -> np.ndarray:
    """Return the code of a missing value on each axis: that of zero where the splits know no missing ones."""
    of_zero = np.bincount(axis[axes.thresholds < 0], minlength=axes.tree.size)
    return np.where(axes.missing_type == MissingType.NONE, of_zero, axes.missing_code)


def _refuse_many(n_thresholds: int, feature: int) -> None:
    if n_thresholds > MOST_THRESHOLDS:
        msg = (
            f"expected at most {MOST_THRESHOLDS:,} thresholds on a feature, but feature {feature} has "
            f"{n_thresholds:,}; train with a lower max_bin, or use Booster.predict"
        )
        raise UnsupportedForestError(msg)


def _answers(tables: PatternTables, booster: np.ndarray, n_boosters: int) -> _Answers:
    """Say where tables go: a tree's values to its booster's sum, its axes to the sums of their features."""
    values_before = tables.axis_start[:-1]
    target = np.insert(n_boosters + tables.axes.feature, values_before, booster)
    return _Answers(
        table_start=tables.axis_start + np.arange(tables.axis_start.size),
        target=target,
        n_patterns=tables.n_patterns,
        most_patterns=int(tables.n_patterns.max(initial=1)),
        entry_start=tables.entry_start,
        entries=tables.entries,
    )
