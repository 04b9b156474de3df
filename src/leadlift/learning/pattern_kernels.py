"""The loops behind decision-pattern tables, compiled by numba on first use."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np


@functools.cache
def compiled(kernel: Callable) -> Callable:
    """Compile one of the loops below; the machine code is kept on disk where possible."""
    from numba import njit

    try:
        return njit(cache=True, nogil=True)(kernel)
    except RuntimeError:  # numba finds no folder it may write to, as in a read-only container
        return njit(nogil=True)(kernel)


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


def read_columns(X, columns, zero_threshold, out):
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


def add_tables(columns, questions, answers, most_tables, pattern, sums):
    """Add, tree by tree, the entries of each row's pattern in the tree's first tables to the row's sums."""
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
        first, n_patterns = answers.table_start[tree], answers.n_patterns[tree]
        for k in range(min(most_tables, answers.table_start[tree + 1] - first)):
            entry = answers.entry_start[tree] + k * n_patterns
            table = answers.entries[entry : entry + n_patterns]
            total = sums[answers.target[first + k]]
            for i in range(n):
                total[i] += table[pattern[i]]
