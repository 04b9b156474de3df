"""The loops behind decision-pattern tables, compiled by numba where it is installed.

Each loop has a twin in :mod:`leadlift.learning.pattern_arrays` that gives the same bits by NumPy alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from leadlift.learning import pattern_arrays


@functools.cache
def kernel(loop: Callable) -> Callable:
    """Return one of the loops below compiled, or its twin on NumPy arrays where numba is missing.

    The machine code is kept on disk where possible; the first process on a machine compiles it.
    """
    try:
        return compiled(loop)
    except ImportError:
        return getattr(pattern_arrays, loop.__name__)


def is_compiled() -> bool:
    """Say whether the loops are compiled, and not run on NumPy arrays for want of numba."""
    return kernel(add_tables) is not pattern_arrays.add_tables


def compiled(loop: Callable) -> Callable:
    """Compile a loop, which then leaves other Python threads running."""
    from numba import njit

    try:
        return njit(cache=True, nogil=True)(loop)
    except RuntimeError:  # numba finds no folder it may write to, as in a read-only container
        return njit(nogil=True)(loop)


def fill_tables(forest, axes, conditions, quadrature, entries):
    """Write what each tree says to each of its patterns: its value, and the SHAP value of each axis.

    For each leaf: a bit of `met` for each condition that a pattern meets; what the leaf adds for each set of
    such bits, by the formula of ``pattern_tables``; and then the look-up, pattern by pattern.
    """
    met = np.empty(forest.most_patterns, np.int64)
    added = np.empty((forest.most_conditions, 2**forest.most_conditions))
    for tree in range(forest.axis_start.size - 1):
        first_axis, n_patterns = forest.axis_start[tree], forest.n_patterns[tree]
        n_tables = 1 + forest.axis_start[tree + 1] - first_axis
        tables = entries[forest.entry_start[tree] :][: n_tables * n_patterns].reshape(n_tables, n_patterns)
        tables[:] = 0.0
        for leaf in range(forest.leaf_start[tree], forest.leaf_start[tree + 1]):
            start = forest.condition_start[leaf]
            d = forest.condition_start[leaf + 1] - start
            share = conditions.share[start : start + d]
            met[:n_patterns] = 0
            for k in range(d):
                axis = conditions.axis[start + k]
                stride, n_codes = axes.stride[axis], axes.n_codes[axis]
                for code in range(n_codes):
                    agrees = conditions.low[start + k] <= code <= conditions.high[start + k]
                    if code == axes.n_intervals[axis]:
                        agrees = conditions.missing_agrees[start + k]
                    if agrees:
                        for block in range(code * stride, n_patterns, n_codes * stride):
                            for pattern in range(block, block + stride):
                                met[pattern] += 1 << k
            n_points = (d + 1) // 2
            for bits in range(1 << d):
                added[:d, bits] = 0.0
                for q in range(n_points):
                    t = quadrature.points[n_points, q]
                    product = quadrature.weights[n_points, q] * forest.leaf_value[leaf] * forest.factor[tree]
                    for k in range(d):
                        product *= share[k] * (1 - t) + (bits >> k & 1) * t
                    for k in range(d):
                        known = bits >> k & 1
                        added[k, bits] += product * (known - share[k]) / (share[k] * (1 - t) + known * t)
            for pattern in range(n_patterns):
                if met[pattern] == (1 << d) - 1:
                    tables[0, pattern] = forest.leaf_value[leaf]
            for k in range(d):
                table = tables[1 + conditions.axis[start + k] - first_axis]
                added_k = added[k]
                for pattern in range(n_patterns):
                    table[pattern] += added_k[met[pattern]]


def code_columns(X, columns, zero_threshold, few, out):
    """Write the number of thresholds that each value exceeds, -1 where it is missing."""
    n_cells = columns.below_cell.shape[1] - 1
    for k in range(columns.feature.size):
        feature, zero_is_missing = columns.feature[k], columns.zero_is_missing[k]
        lowest, cells_per_unit = columns.lowest[k], columns.cells_per_unit[k]
        thresholds, below_cell = columns.thresholds[columns.start[k] :], columns.below_cell[k]
        most_in_cell = columns.most_in_cell[k]
        for i in range(X.shape[0]):
            value = X[i, feature]
            position = (value - lowest) * cells_per_unit
            position = position if position > 0.0 else 0.0
            position = position if position < n_cells - 1.0 else n_cells - 1.0
            cell = np.uint32(position)
            code = np.int64(below_cell[cell])
            if most_in_cell <= few:
                first = np.uint32(code)
                for j in range(most_in_cell):
                    code += value > thresholds[first + np.uint32(j)]
            else:
                end = np.int64(below_cell[cell + np.uint32(1)])
                while code < end:
                    middle = (code + end) >> 1
                    if value > thresholds[middle]:
                        code = middle + 1
                    else:
                        end = middle
            missing = np.isnan(value) or (zero_is_missing and abs(value) <= zero_threshold)
            out[k, i] = -1 if missing else code


def add_tables(codes, questions, answers, most_tables, pattern, sums):
    """Add, tree by tree, the entries of each row's pattern in the tree's first tables to the row's sums."""
    n = pattern.size
    nothing = np.uint16(0)
    # Memory is read fastest in one go: each table is copied before rows look up here and there in it.
    near = np.empty(answers.most_patterns)
    for tree in range(questions.axis_start.size - 1):
        pattern[:] = 0
        for axis in range(questions.axis_start[tree], questions.axis_start[tree + 1]):
            column = codes[questions.column[axis]]
            stride = questions.stride[axis]
            for k in range(questions.threshold_start[axis], questions.threshold_start[axis + 1]):
                rank = questions.rank[k]
                for i in range(n):
                    pattern[i] += stride if column[i] > rank else nothing
            missing_step = questions.missing_step[axis]
            if missing_step > 0:
                for i in range(n):
                    pattern[i] += missing_step if column[i] < 0 else nothing
        first, n_patterns = answers.table_start[tree], answers.n_patterns[tree]
        for k in range(min(most_tables, answers.table_start[tree + 1] - first)):
            entry = answers.entry_start[tree] + k * n_patterns
            near[:n_patterns] = answers.entries[entry : entry + n_patterns]
            total = sums[answers.target[first + k]]
            for i in range(n):
                total[i] += near[pattern[i]]


def add_bins(codes, start, tables, fold_tables, total, members, contributions):
    """Add, column by column, the entry of each row's bin; the last bin of a column is that of missing."""
    for k in range(codes.shape[0]):
        missing = start[k + 1] - 1
        for i in range(total.size):
            place = missing if codes[k, i] < 0 else start[k] + codes[k, i]
            contributions[i, k] = tables[place]
            total[i] += tables[place]
            for fold in range(members.shape[1]):
                members[i, fold] += fold_tables[place, fold]
