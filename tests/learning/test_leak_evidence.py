"""Evidence against one column."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from leadlift.learning.leak_evidence import (
    auc_standard_error,
    column_facts,
    dominance,
    gather,
    single_auc,
    total_points,
)
from leadlift.learning.leak_levels import level_column


def facts_of(name, values, y, **more):
    column = level_column(name, pa.array(values), n_bins=20)
    n_won = int(np.sum(y))
    return column_facts(column, y, np.arange(len(y)) % 5, n_independent=(n_won, len(y) - n_won), **more)


def naive_single_auc(codes, y, folds):
    """Row by row: rate of the level among the other folds, ten rows of the mean added."""
    aucs = []
    for fold in np.unique(folds):
        train, test = folds != fold, np.flatnonzero(folds == fold)
        mean = y[train].mean()
        scores = []
        for row in test:
            alike = y[train & (codes == codes[row])]
            scores.append((alike.sum() + 10 * mean) / (len(alike) + 10))
        # Rounding makes ties of rates that differ in the last bit only.
        aucs.append(roc_auc_score(y[test], np.round(scores, 12)))
    return np.mean(aucs)


@given(seed=st.integers(0, 50))
def test_the_auc_of_a_column_alone_equals_a_count_row_by_row(seed):
    rng = np.random.default_rng(seed)
    y, folds = np.tile([0, 0, 0, 1], 30), np.repeat([0, 1, 2], 40)
    codes = rng.integers(0, 6, 120) + 3 * y * rng.integers(0, 2, 120)
    cell = [
        [np.sum((folds == f) & (codes == c) & (y == k)) for c in range(9)] for k in (1, 0) for f in range(3)
    ]
    won, lost = np.array(cell, dtype=float).reshape(2, 3, 9)
    assert single_auc(won, lost) == pytest.approx(naive_single_auc(codes, y, folds), abs=1e-3)


def test_an_id_alone_is_worth_nothing():
    y = np.tile([0, 0, 0, 1, 0, 1, 0], 60)
    assert facts_of("code", [f"c{i}" for i in range(420)], y).auc == 0.5


@pytest.mark.parametrize("distance", [0.0, 1.0, 2.0])
def test_the_standard_error_of_an_auc_is_at_least_that_of_a_simulation(distance):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [200, 40])
    aucs = [roc_auc_score(y, rng.normal(distance * y)) for _ in range(400)]
    # Hanley and McNeil assume exponential scores, which is cautious for normal ones; 400 draws know
    # a standard deviation to 4 %.
    assert 0.9 < auc_standard_error(np.mean(aucs), 40, 200) / np.std(aucs) < 1.4


def test_each_piece_of_evidence_has_its_sentence():
    y = np.repeat([0, 1], [800, 200])
    verdict = np.where(y == 1, "yes", None).tolist()
    sentences = " | ".join(piece.sentence for piece in gather(facts_of("verdict", verdict, y)))
    assert "the name ('verdict')" in sentences
    assert "with an AUC of 1.000" in sentences
    assert "for won leads only: 100.0% of the won and 0.0% of the lost leads" in sentences
    assert "hold 100% of the won leads; of the 200 with 'yes', 100.0% are won" in sentences


def test_presence_that_follows_the_outcome_is_evidence_but_not_enough():
    y = np.repeat([0, 1], [800, 200])
    written = np.random.default_rng(0).random(1_000) < 0.2 + 0.6 * y
    found = gather(facts_of("f1", np.where(written, "x", None).tolist(), y))
    assert any(piece.sentence.startswith("it is written for 8") for piece in found)
    assert total_points(found) < 1


def test_a_pure_level_of_few_leads_is_no_evidence():
    y = np.repeat([0, 1], [800, 200])
    source = np.where(np.arange(1_000) >= 985, "fair", "web")
    assert gather(facts_of("f1", source.tolist(), y)) == []


def test_a_date_later_than_creation_counts_more_where_most_are_later():
    y = np.tile([0, 0, 0, 1], 100)
    days = np.zeros(400)
    points = [
        total_points(gather(facts_of("f1", days, y, is_date=True, later_share=share)))
        for share in (0.04, 0.3, 0.9)
    ]
    assert points == [0, 0.5, 0.7]


@given(auc=st.floats(0.5, 0.999), more=st.floats(0, 0.4))
def test_dominance_never_falls_when_the_table_is_worth_more_with_the_column(auc, more):
    def points(auc_with):
        found = dominance(auc_with, auc)
        return found.points if found else 0.0

    better = min(auc + more, 0.9999)
    assert points(better) >= points((auc + better) / 2)


def test_a_column_that_a_good_table_can_do_without_is_not_dominant():
    assert dominance(0.95, 0.93) is None
    assert dominance(0.70, 0.55) is None
