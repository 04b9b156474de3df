"""Nobody learns from a label that was not known when the block began."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws import law
from leadlift.exceptions import InputError
from leadlift.learning.rolling_origin import RollingOrigin


@st.composite
def histories(draw):
    """Moments with ties, labels known up to five moments later, leads with several rows."""
    n = draw(st.integers(20, 60))

    def numbers(high):
        return np.array(draw(st.lists(st.integers(0, high), min_size=n, max_size=n)))

    as_of = np.sort(numbers(30))
    return as_of, as_of + numbers(5), numbers(n)


def blocks_of(as_of, known=None, lead=None, n_blocks=3, first_share=0.3):
    try:
        return list(RollingOrigin(as_of, n_blocks, first_share, known, lead).split())
    except InputError:
        return []


@law
@given(histories())
def test_what_teaches_was_known_when_the_block_began(history):
    as_of, known, lead = history
    for seen, held in blocks_of(as_of, known, lead):
        assert known[seen].max(initial=-1) <= as_of[held].min()
        assert as_of[seen].max(initial=-1) <= as_of[held].min()


@law
@given(histories())
def test_no_lead_teaches_for_its_own_block_and_no_row_stands_in_two_blocks(history):
    as_of, known, lead = history
    blocks = blocks_of(as_of, known, lead)
    held = np.concatenate([held for _, held in blocks]) if blocks else np.empty(0)
    assert len(np.unique(held)) == len(held)
    for seen, rows in blocks:
        assert not set(lead[seen]) & set(lead[rows])


@law
@given(histories(), st.integers(0, 10_000))
def test_the_order_of_the_rows_changes_nothing(history, seed):
    as_of, known, lead = history
    order = np.random.default_rng(seed).permutation(len(as_of))
    plain = blocks_of(as_of, known, lead)
    mixed = blocks_of(as_of[order], known[order], lead[order])
    assert [(set(seen), set(held)) for seen, held in plain] == [
        (set(order[seen]), set(order[held])) for seen, held in mixed
    ]


def test_a_long_horizon_moves_the_first_block_until_enough_labels_are_known():
    as_of = np.arange(100)
    first_seen, first_held = blocks_of(as_of, as_of + 50, first_share=0.4)[0]
    assert as_of[first_held].min() == 89
    assert len(first_seen) == 40


def test_without_an_embargo_the_blocks_follow_the_first_share_and_have_one_size():
    blocks = blocks_of(np.arange(100), n_blocks=3, first_share=0.4)
    assert [len(held) for _, held in blocks] == [20, 21, 20]
    assert [len(seen) for seen, _ in blocks] == [39, 59, 80]


def test_a_history_shorter_than_the_horizon_is_refused_with_what_to_do():
    as_of = np.arange(100)
    with pytest.raises(InputError, match=r"too short for 3 blocks: when 40% .* shorter horizon_days"):
        list(RollingOrigin(as_of, 3, 0.4, as_of + 200).split())
