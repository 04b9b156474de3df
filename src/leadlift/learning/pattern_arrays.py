"""The loops of :mod:`leadlift.learning.pattern_kernels` on NumPy arrays: the same bits, only slower.

Sums are taken in the order of the loops, element by element, which is what keeps the bits.
"""

from __future__ import annotations

import numpy as np


def code_columns(X, columns, zero_threshold, few, out):
    """Write the number of thresholds that each value exceeds, -1 where it is missing."""
    for k, feature in enumerate(columns.feature):
        value = X[:, feature]
        out[k] = np.searchsorted(columns.thresholds[columns.start[k] : columns.start[k + 1] - few], value)
        missing = np.isnan(value)
        if columns.zero_is_missing[k]:
            missing |= np.abs(value) <= zero_threshold
        out[k][missing] = -1


def add_tables(codes, questions, answers, most_tables, pattern, sums):
    """Add, tree by tree, the entries of each row's pattern in the tree's first tables to the row's sums."""
    for tree in range(questions.axis_start.size - 1):
        pattern[:] = 0
        for axis in range(questions.axis_start[tree], questions.axis_start[tree + 1]):
            column, stride = codes[questions.column[axis]], questions.stride[axis]
            for rank in questions.rank[questions.threshold_start[axis] : questions.threshold_start[axis + 1]]:
                pattern += stride * (column > rank)
            if questions.missing_step[axis]:
                pattern += questions.missing_step[axis] * (column < 0)
        places = pattern.astype(np.intp)
        first, n_patterns = answers.table_start[tree], answers.n_patterns[tree]
        for k in range(min(most_tables, answers.table_start[tree + 1] - first)):
            entry = answers.entry_start[tree] + k * n_patterns
            sums[answers.target[first + k]] += answers.entries[entry : entry + n_patterns][places]


def add_bins(codes, start, tables, fold_tables, total, members, contributions):
    """Add, column by column, the entry of each row's bin; the last bin of a column is that of missing."""
    for k, code in enumerate(codes):
        place = np.where(code < 0, start[k + 1] - 1, start[k] + code)
        contributions[:, k] = tables[place]
        total += contributions[:, k]
        members += fold_tables[place]


def fill_tables(forest, axes, conditions, quadrature, entries):
    """Write what each tree says to each of its patterns: its value, and the SHAP value of each axis."""
    for tree in range(forest.axis_start.size - 1):
        axis_range = range(forest.axis_start[tree], forest.axis_start[tree + 1])
        patterns = np.arange(forest.n_patterns[tree])
        codes = {axis: patterns // axes.stride[axis] % axes.n_codes[axis] for axis in axis_range}
        first, end = forest.entry_start[tree], forest.entry_start[tree + 1]
        tables = entries[first:end].reshape(1 + len(axis_range), patterns.size)
        tables[:] = 0.0
        for leaf in range(forest.leaf_start[tree], forest.leaf_start[tree + 1]):
            places = range(forest.condition_start[leaf], forest.condition_start[leaf + 1])
            met = np.zeros(patterns.size, np.int64)
            for bit, place in enumerate(places):
                met += _agrees(conditions, axes, place)[codes[conditions.axis[place]]].astype(np.int64) << bit
            value = forest.leaf_value[leaf]
            tables[0][met == (1 << len(places)) - 1] = value
            added = _added(conditions.share[list(places)], value, forest.factor[tree], quadrature)
            for bit, place in enumerate(places):
                tables[1 + conditions.axis[place] - axis_range.start] += added[bit][met]


def _agrees(conditions, axes, place):
    """Say of each code of an axis whether it meets a condition."""
    axis = conditions.axis[place]
    code = np.arange(axes.n_codes[axis])
    agrees = (conditions.low[place] <= code) & (code <= conditions.high[place])
    agrees[axes.n_intervals[axis] :] = conditions.missing_agrees[place]
    return agrees


def _added(share, leaf_value, factor, quadrature):
    """Return what a leaf adds to the SHAP values of its path's axes, for each set of conditions met."""
    d = share.size
    n_points = (d + 1) // 2
    known = np.arange(1 << d) >> np.arange(d)[:, None] & 1
    added = np.zeros((d, 1 << d))
    for q in range(n_points):
        t = quadrature.points[n_points, q]
        factors = share[:, None] * (1 - t) + known * t
        product = np.full(1 << d, quadrature.weights[n_points, q] * leaf_value * factor)
        for each in factors:
            product = product * each
        added += product * (known - share[:, None]) / factors
    return added
