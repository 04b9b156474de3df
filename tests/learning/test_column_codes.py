"""A code is the number of thresholds below a value, whatever the values and thresholds."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from laws import law
from leadlift.learning.column_codes import FEW, MISSING, MOST_THRESHOLDS, ZERO_THRESHOLD, ColumnCodes
from leadlift.learning.pattern_arrays import code_columns as code_columns_by_numpy

numbers = st.floats(allow_nan=False) | st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 1e308, -1e308, 1e-35])
thresholds = st.lists(numbers, max_size=40).map(lambda found: np.unique(np.array(found, dtype=np.float64)))


def counted(x, own):
    """Count by eye."""
    return MISSING if np.isnan(x) else int((own < x).sum())


@law
@given(own=thresholds, values=st.lists(numbers, max_size=20))
@example(own=np.array([-1e308, 1e308]), values=[-np.inf, np.inf, 0.0])
@example(own=np.array([0.0, 5e-324]), values=[0.0, 5e-324, 1.0])
@example(own=np.array([3.0, np.inf]), values=[np.inf, 4.0])
def test_a_code_is_the_number_of_thresholds_below(own, values):
    around = np.nextafter(own, np.inf)
    values = np.concatenate([np.array(values, dtype=np.float64), own, around, [np.nan]])
    X = np.column_stack([np.zeros(len(values)), values])
    codes = ColumnCodes.of([1], [own])
    assert codes.code(X)[0].tolist() == [counted(x, own) for x in values]
    by_numpy = np.empty((1, len(X)), np.int16)
    code_columns_by_numpy(X, codes._thresholds, ZERO_THRESHOLD, FEW, by_numpy)
    np.testing.assert_array_equal(by_numpy, codes.code(X))


@law
@given(seed=st.integers(0, 1000), spread=st.sampled_from([0.1, 1.0, 8.0]))
def test_thresholds_that_crowd_in_few_cells_are_told_apart(seed, spread):
    rng = np.random.default_rng(seed)
    own = np.unique(np.exp(spread * rng.normal(size=300)))
    x = np.concatenate([np.exp(spread * rng.normal(size=200)), own])
    np.testing.assert_array_equal(ColumnCodes.of([0], [own]).code(x[:, None])[0], np.searchsorted(own, x))


def test_a_column_that_takes_zero_for_missing_stands_beside_one_that_does_not():
    X = np.array([[0.0], [1e-36], [2e-35], [np.nan], [-5.0]])
    own = np.array([-1.0, 0.0])
    codes = ColumnCodes.of([0, 0], [own, own], zero_is_missing=[False, True]).code(X)
    assert codes.tolist() == [[1, 2, 2, -1, 0], [-1, -1, 2, -1, 0]]


def test_columns_without_thresholds_and_matrices_without_rows_have_codes_too():
    codes = ColumnCodes.of([0], [np.empty(0)])
    assert codes.code(np.array([[1.0], [np.nan]])).tolist() == [[0, -1]]
    assert codes.code(np.empty((0, 1))).shape == (1, 0)
    assert ColumnCodes.of([], []).code(np.ones((3, 1))).shape == (0, 3)


def test_more_thresholds_than_two_bytes_number_are_refused():
    own = np.arange(MOST_THRESHOLDS + 1, dtype=np.float64)
    codes = ColumnCodes.of([0], [own[1:]]).code(own[-1:, None] + 1)
    assert codes.tolist() == [[MOST_THRESHOLDS]]
    with pytest.raises(ValueError, match="at most 32767 thresholds a column, but got 32768"):
        ColumnCodes.of([0], [own])
