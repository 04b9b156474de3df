"""What won leads have in common is told by their shares, and only where chance cannot explain it."""

import numpy as np
import pyarrow as pa
import pytest

import leadlift as ll
from leadlift.exceptions import InputError


def leads(n_won=100, n_lost=300):
    """62 of 100 won and 93 of 300 lost leads are in software; size says nothing."""
    industry = ["software"] * 62 + ["retail"] * 38 + ["software"] * 93 + ["retail"] * 207
    return pa.table({"industry": industry, "size": ["s", "l"] * 200}), np.arange(400) < n_won


def test_a_trait_reads_as_a_sentence():
    trait = ll.won_traits(*leads()).to_pylist()[0]
    assert trait["text"] == "industry is software for 62% of the won leads and 31% of the lost ones"
    assert (trait["share_of_won"], trait["share_of_lost"], trait["ratio"]) == pytest.approx((0.62, 0.31, 2.0))
    assert 1 < trait["low"] < 2 < trait["high"]
    assert trait["typical"]


def test_what_is_as_common_among_the_lost_or_more_so_is_not_typical():
    found = {row["segment"]: row["typical"] for row in ll.won_traits(*leads()).to_pylist()}
    assert found == {"software": True, "s": False, "l": False, "retail": False}


def test_a_trait_no_lost_lead_has_is_counted_without_a_ratio():
    table = pa.table({"industry": ["mining"] * 40 + ["retail"] * 60})
    mining = ll.won_traits(table, np.arange(100) < 50).to_pylist()[0]
    assert (mining["lost"], mining["ratio"], mining["low"], mining["typical"]) == (0, None, None, True)


def test_a_trait_of_three_leads_is_too_few_to_be_typical():
    table = pa.table({"industry": ["mining"] * 3 + ["retail"] * 397})
    mining = {row["segment"]: row for row in ll.won_traits(table, leads()[1]).to_pylist()}["mining"]
    assert (mining["too_few"], mining["typical"], mining["q_value"]) == (True, False, None)


def test_a_trait_differs_where_its_segment_does():
    table, won = leads()
    traits = {
        (row["column"], row["segment"]): row["q_value"] for row in ll.won_traits(table, won).to_pylist()
    }
    for row in ll.segments(table, won).to_pylist():
        assert traits[row["column"], row["segment"]] == row["q_value"]


@pytest.mark.parametrize("n_won", [0, 400])
def test_traits_need_won_and_lost_leads(n_won):
    with pytest.raises(InputError, match="comparing them with lost ones"):
        ll.won_traits(*leads(n_won))
