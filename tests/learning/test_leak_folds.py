"""Rows dealt to folds by what they hold."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from leadlift.learning.leak_folds import NOT_DEALT, deal_folds, order_by_content
from leadlift.learning.leak_levels import level_column

LEADS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 12)), min_size=1, max_size=80)


@given(leads=LEADS, seed=st.integers(0, 9))
def test_rows_of_a_group_stay_together_and_all_are_dealt(leads, seed):
    y, groups = (np.array(values) for values in zip(*leads, strict=True))
    folds = deal_folds(y, groups, n_folds=3, max_rows=1_000, seed=seed)
    assert all(len(set(folds[groups == group])) == 1 for group in set(groups))
    assert set(folds) <= {0, 1, 2}


def test_each_fold_gets_its_share_of_both_classes():
    y = np.repeat([0, 1], [700, 50])
    folds = deal_folds(y, np.arange(750), n_folds=5, max_rows=1_000, seed=0)
    assert np.bincount(folds[y == 1]).tolist() == [10] * 5
    assert np.bincount(folds[y == 0]).tolist() == [140] * 5


def test_a_sample_keeps_the_shares_of_the_classes():
    y = np.repeat([0, 1], [9_000, 1_000])
    folds = deal_folds(y, np.arange(10_000), n_folds=4, max_rows=2_000, seed=0)
    assert np.sum(folds != NOT_DEALT) == 2_000
    assert np.sum(y[folds != NOT_DEALT]) == 200


def test_seeds_deal_differently():
    y = np.repeat([0, 1], 50)
    dealt = [deal_folds(y, np.arange(100), n_folds=2, max_rows=100, seed=seed) for seed in (0, 1)]
    assert not np.array_equal(*dealt)


@given(leads=LEADS, seed=st.integers(0, 3), data=st.data())
def test_any_order_of_the_rows_is_put_into_the_same_order(leads, seed, data):
    shuffled = data.draw(st.permutations(leads))
    assert _ordered(leads, seed) == _ordered(shuffled, seed)


def _ordered(leads, seed):
    y, values = (np.array(column) for column in zip(*leads, strict=True))
    columns = [level_column("x", pa.array(values.astype(str)), n_bins=3)]
    order = order_by_content(columns, y, values % 4, seed=seed)
    return [(y[row], values[row]) for row in order]
