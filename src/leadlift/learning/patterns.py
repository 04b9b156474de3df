"""Score a forest of small numeric trees, and explain every row exactly, by table look-ups.

Each tree is tabulated once over the patterns of answers it can get (``pattern_tables``: formula and
source). A row then costs a few comparisons a tree, which make its pattern number, and one look-up for
the score or one for each feature the tree uses. Rows go through in blocks, so that memory beyond the
result is bounded and the data stay in cache; within a row the order of the sums is that of the trees,
so that the size of a block does not change a bit of the result.

A row is read as LightGBM reads it: ``x <= threshold`` goes left; values within 1e-35 of zero are zero;
NaN is missing where the split knows missing values and zero where it does not.

References
----------
Lundberg, S. M., Erion, G., Chen, H. et al. (2020). From local explanations to global understanding with
explainable AI for trees. Nature Machine Intelligence 2, 56-67. doi:10.1038/s42256-019-0138-9
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from leadlift.exceptions import InputError
from leadlift.learning.lightgbm_text import MissingType, TreeModel, UnsupportedForestError, parse_model
from leadlift.learning.pattern_tables import TreeTables, tabulate

__all__ = ["PatternForest", "UnsupportedForestError"]

BLOCK_ROWS = 4096
_ZERO_THRESHOLD = float(np.float32(1e-35))  # LightGBM's kZeroThreshold is a float32


class _Columns(NamedTuple):
    """The feature columns as the splits read them: missing is NaN, everything else a number.

    Splits that take different values for missing read the same feature as different columns.
    """

    feature: np.ndarray
    missing_becomes: np.ndarray
    zero_becomes: np.ndarray


class _Questions(NamedTuple):
    """Every tree's axes and thresholds, end to end; ``*_start`` holds one offset more than items."""

    axis_start: np.ndarray
    column: np.ndarray
    stride: np.ndarray
    missing_step: np.ndarray
    threshold_start: np.ndarray
    thresholds: np.ndarray


class _Answers(NamedTuple):
    """Every tree's tables, end to end: table k of a tree is added to the sum ``target[k]``."""

    table_start: np.ndarray
    target: np.ndarray
    entry_start: np.ndarray
    entries: np.ndarray


@dataclass(frozen=True, eq=False)
class PatternForest:
    """A weighted sum of boosters, compiled to tables. Made by :meth:`from_model_texts`.

    Parameters
    ----------
    n_features : int
        Columns of the feature matrix.
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
    base_value: float
    _columns: _Columns = field(repr=False)
    _questions: _Questions = field(repr=False)
    _values: _Answers = field(repr=False)
    _contributions: _Answers = field(repr=False)

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
            Holds some 30 kB a tree of 12 leaves; building takes about 2 ms of CPU a tree.

        Raises
        ------
        InputError
            A text is not a whole LightGBM model.
        UnsupportedForestError
            Trees with more than 13 leaves, categorical splits or linear leaves; multi-class models and
            random forests. LightGBM's own ``pred_contrib`` serves those.
        ValueError
            No texts, weights that do not fit them, or boosters with different numbers of features.
        """
        models = [parse_model(text) for text in texts]
        n_features = _common_n_features(models, weights)
        trees = [
            (tabulate(tree), float(weight))
            for model, weight in zip(models, weights, strict=True)
            for tree in model.trees
        ]
        columns, column_of = _columns([tables for tables, _ in trees])
        return cls(
            n_features=n_features,
            base_value=sum((weight * tables.expected_value for tables, weight in trees), 0.0),
            _columns=columns,
            _questions=_questions([tables for tables, _ in trees], column_of),
            _values=_answers([([0], weight * tables.values[None, :]) for tables, weight in trees]),
            _contributions=_answers(
                [
                    ([axis.feature for axis in tables.axes], weight * tables.contributions)
                    for tables, weight in trees
                ]
            ),
        )

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
        self._check(X, block_rows)
        scores = np.empty(len(X))
        for rows, sums in self._block_sums(X, self._values, 1, block_rows):
            scores[rows] = sums[0]
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
        self._check(X, block_rows)
        shape = (len(X), self.n_features)
        out = np.empty(shape) if out is None else out
        if out.shape != shape or out.dtype != np.float64:
            msg = f"expected out of shape {shape} and dtype float64, but got {out.shape} and {out.dtype}"
            raise ValueError(msg)
        for rows, sums in self._block_sums(X, self._contributions, self.n_features, block_rows):
            out[rows] = sums.T
        return out

    def _block_sums(
        self, X: np.ndarray, answers: _Answers, n_targets: int, block_rows: int
    ) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield, block by block, the rows and the sums of their table entries (targets, rows)."""
        read_columns, add_tables = _compiled(_read_columns), _compiled(_add_tables)
        n_columns, most = self._columns.feature.size, min(block_rows, len(X))
        column_space, sum_space = np.empty(n_columns * most), np.empty(n_targets * most)
        pattern_space = np.empty(most, np.int64)
        for start in range(0, len(X), block_rows):
            rows = slice(start, min(start + block_rows, len(X)))
            n = rows.stop - start
            columns = column_space[: n_columns * n].reshape(n_columns, n)
            sums = sum_space[: n_targets * n].reshape(n_targets, n)
            sums[:] = 0.0
            read_columns(X[rows], self._columns, _ZERO_THRESHOLD, columns)
            add_tables(columns, self._questions, answers, pattern_space[:n], sums)
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


def _columns(trees: list[TreeTables]) -> tuple[_Columns, dict[tuple[int, int], int]]:
    """Return how to read each column the trees use, and its number by (feature, missing type)."""
    keys = sorted({(axis.feature, axis.missing_type) for tables in trees for axis in tables.axes})
    missing_type = np.array([kind for _, kind in keys], dtype=np.int64)
    columns = _Columns(
        feature=np.array([feature for feature, _ in keys], dtype=np.int64),
        missing_becomes=np.where(missing_type == MissingType.NONE, 0.0, np.nan),
        zero_becomes=np.where(missing_type == MissingType.ZERO, np.nan, 0.0),
    )
    return columns, {key: number for number, key in enumerate(keys)}


def _questions(trees: list[TreeTables], column_of: dict[tuple[int, int], int]) -> _Questions:
    """Lay the axes of all trees end to end."""
    axes = [axis for tables in trees for axis in tables.axes]
    stride = _joined([tables.strides for tables in trees], np.int64)
    missing_code = np.array([axis.missing_code for axis in axes], dtype=np.int64)
    return _Questions(
        axis_start=_starts([len(tables.axes) for tables in trees]),
        column=np.array([column_of[axis.feature, axis.missing_type] for axis in axes], dtype=np.int64),
        stride=stride,
        missing_step=stride * missing_code,
        threshold_start=_starts([axis.thresholds.size for axis in axes]),
        thresholds=_joined([axis.thresholds for axis in axes], np.float64),
    )


def _answers(tables_by_tree: list[tuple[list[int], np.ndarray]]) -> _Answers:
    """Lay tables end to end, given the targets and the tables (targets, patterns) of each tree."""
    return _Answers(
        table_start=_starts([len(targets) for targets, _ in tables_by_tree]),
        target=_joined([np.array(targets) for targets, _ in tables_by_tree], np.int64),
        entry_start=_starts([table.size for _, tables in tables_by_tree for table in tables]),
        entries=_joined([tables.ravel() for _, tables in tables_by_tree], np.float64),
    )


def _starts(sizes: list[int]) -> np.ndarray:
    """Return the offset of each item laid end to end, and the end of the last."""
    return np.cumsum([0, *sizes], dtype=np.int64)


def _joined(arrays: list[np.ndarray], dtype: type) -> np.ndarray:
    """Concatenate arrays, of which there may be none."""
    return np.concatenate([np.empty(0), *arrays]).astype(dtype)


@functools.cache
def _compiled(function: Callable) -> Callable:
    """Compile one of the loops below on first use; the machine code is kept on disk where possible."""
    from numba import njit

    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # numba finds no folder it may write to, as in a read-only container
        return njit(nogil=True)(function)


def _read_columns(X, columns, zero_threshold, out):
    """Copy the columns (columns, rows) out of the rows of `X`, with LightGBM's reading of 0 and NaN."""
    for k in range(columns.feature.size):
        feature = columns.feature[k]
        for i in range(X.shape[0]):
            value = X[i, feature]
            if np.isnan(value):
                value = columns.missing_becomes[k]
            if abs(value) <= zero_threshold:
                value = columns.zero_becomes[k]
            out[k, i] = value


def _add_tables(columns, questions, answers, pattern, sums):
    """Add, tree by tree, the table entries of each row's pattern to the row's sums."""
    n = pattern.size
    for tree in range(questions.axis_start.size - 1):
        pattern[:] = 0
        for axis in range(questions.axis_start[tree], questions.axis_start[tree + 1]):
            column = columns[questions.column[axis]]
            stride = questions.stride[axis]
            for k in range(questions.threshold_start[axis], questions.threshold_start[axis + 1]):
                threshold = questions.thresholds[k]
                for i in range(n):
                    pattern[i] += stride if column[i] > threshold else 0
            missing_step = questions.missing_step[axis]
            if missing_step > 0:
                for i in range(n):
                    pattern[i] += missing_step if np.isnan(column[i]) else 0
        for k in range(answers.table_start[tree], answers.table_start[tree + 1]):
            table = answers.entries[answers.entry_start[k] : answers.entry_start[k + 1]]
            total = sums[answers.target[k]]
            for i in range(n):
                total[i] += table[pattern[i]]
