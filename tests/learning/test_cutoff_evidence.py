"""Evidence counts leads, and weighted leads as the population they stand for."""

import numpy as np
import pyarrow as pa
import pytest

from leadlift.exceptions import InputError
from leadlift.learning.cutoff import gather_evidence


def gather(score, won, *, groups=None, as_of=None, weight=None, inputs=None, seed=0):
    score = np.asarray(score, dtype=float)
    won = np.asarray(won, dtype=bool)
    weight = None if weight is None else np.asarray(weight, dtype=float)
    return gather_evidence(
        score, score, won, as_of, groups, "given", random_state=seed, weight=weight, inputs=inputs
    )


def test_equal_weights_keep_every_lead():
    evidence = gather([0.1, 0.2, 0.3], [0, 1, 0], weight=[2, 2, 2])
    assert (len(evidence.score), evidence.share_of_arrivals) == (3, 1.0)


def test_a_weight_of_zero_is_no_evidence():
    evidence = gather([0.1, 0.2, 0.3], [0, 1, 0], weight=[1, 0, 1])
    assert evidence.score.tolist() == [0.1, 0.3]
    assert evidence.share_of_arrivals == pytest.approx(2 / 3)


def test_rows_are_kept_in_proportion_to_their_weight():
    n = 40_000
    weight = np.tile([1.0, 0.25, 0.5], n)
    evidence = gather(np.tile([0.1, 0.2, 0.3], n), np.zeros(3 * n), weight=weight)
    kept = np.array([(evidence.score == score).sum() for score in (0.1, 0.2, 0.3)]) / n
    assert np.allclose(kept, [1, 0.25, 0.5], atol=4 * np.sqrt(0.25 / n))


def test_the_order_of_the_rows_and_the_unit_of_the_weights_do_not_matter():
    rng = np.random.default_rng(1)
    score, won = rng.random(300), rng.random(300) < 0.3
    groups, weight = rng.integers(0, 100, 300), rng.integers(1, 5, 300)
    order = rng.permutation(300)
    one = gather(score, won, groups=groups, weight=weight)
    other = gather(score[order], won[order], groups=groups[order], weight=7 * weight[order])
    assert one.score.tolist() == other.score.tolist()
    assert len(one.score) < len(np.unique(groups))


def test_the_row_drawn_of_a_lead_does_not_decide_whether_the_lead_is_kept():
    # Two rows a lead; were both draws made by one stream, the rows kept would not be half of either kind.
    n = 20_000
    score, groups = np.tile([0.1, 0.2], n), np.repeat(np.arange(n), 2)
    evidence = gather(score, np.zeros(2 * n), groups=groups, weight=np.full(2 * n, 1.0))
    first = gather(score, np.zeros(2 * n), groups=groups, weight=np.where(np.arange(2 * n) == 0, 2.0, 1.0))
    assert len(evidence.score) == n
    assert abs((first.score == 0.1).mean() - 0.5) < 4 * np.sqrt(0.25 / len(first.score))


@pytest.mark.parametrize("weight", [[1, -1, 1], [1, np.nan, 1], [1, np.inf, 1], [0, 0, 0]])
def test_impossible_weights_are_refused(weight):
    with pytest.raises(InputError, match="weights of evidence must be finite, >= 0 and not all 0"):
        gather([0.1, 0.2, 0.3], [0, 1, 0], weight=weight)


def test_inputs_follow_their_leads():
    rng = np.random.default_rng(2)
    score = rng.permutation(100) / 100
    table = pa.table({"hundredths": (100 * score).round().astype(int)})
    groups = rng.integers(0, 60, 100)
    evidence = gather(score, score > 0.5, groups=groups, weight=rng.random(100), inputs=table)
    assert evidence.inputs["hundredths"].to_pylist() == (100 * evidence.score).round().astype(int).tolist()
