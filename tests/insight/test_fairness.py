"""The fairness audit: every rate by counting, verdicts by simulation, small groups left alone."""

import numpy as np
import pyarrow as pa
import pytest

import leadlift as ll
from leadlift.learning.intervals import clopper_pearson


def leads(seed, n=600):
    """Scores, decisions, outcomes and a group of three levels, of which the first is selected more."""
    rng = np.random.default_rng(seed)
    group = rng.choice(["a", "b", "c"], n)
    score = np.clip(rng.beta(2, 4, n) + np.where(group == "a", 0.15, 0.0), 0, 1)
    return score, score > 0.45, rng.random(n) < score, group


def row_of(table, **where):
    return next(row for row in table.to_pylist() if all(row[name] == value for name, value in where.items()))


def test_every_rate_is_the_one_counted():
    score, passed, won, group = leads(0)
    audit = ll.fairness_audit(score, passed, won, pa.table({"group": group}))
    for name in "abc":
        of, row = group == name, row_of(audit.by_group, group=name)
        expected = {
            "selection_rate": (passed & of, of),
            "precision": (won & passed & of, passed & of),
            "recall": (won & passed & of, won & of),
            "false_positive_rate": (passed & ~won & of, ~won & of),
        }
        for rate, (cases, whole) in expected.items():
            interval = clopper_pearson(int(cases.sum()), int(whole.sum()))
            found = (row[rate], row[f"{rate}_low"], row[f"{rate}_high"])
            assert found == pytest.approx((interval.estimate, interval.low, interval.high))
        assert (row["n"], row["won"], row["selected"]) == (of.sum(), (won & of).sum(), (passed & of).sum())
        assert row["mean_score"] == pytest.approx(score[of].mean())
        assert row["calibration_gap"] == pytest.approx(score[of].mean() - won[of].mean())
        assert row["calibration_gap_low"] < row["calibration_gap"] < row["calibration_gap_high"]


def test_ratio_and_difference_are_those_of_the_extremes():
    score, passed, won, group = leads(1)
    audit = ll.fairness_audit(score, passed, won, pa.table({"group": group}))
    rate = {name: passed[group == name].mean() for name in "abc"}
    row = audit.by_attribute.to_pylist()[0]
    assert row["most_selected"] == max(rate, key=rate.get)
    assert row["least_selected"] == min(rate, key=rate.get)
    assert row["selection_ratio"] == pytest.approx(min(rate.values()) / max(rate.values()))
    gaps = [
        np.ptp([passed[(group == name) & (won == outcome)].mean() for name in "abc"])
        for outcome in (True, False)
    ]
    assert row["equalized_odds_difference"] == pytest.approx(max(gaps))
    assert row["equalized_odds_difference_low"] <= max(gaps) <= row["equalized_odds_difference_high"]


def test_a_group_selected_a_third_as_often_is_below_four_fifths_and_equal_ones_are_not():
    passed = np.r_[np.arange(300) < 60, np.arange(300) < 180]
    groups = pa.table({"unequal": ["f"] * 300 + ["m"] * 300, "equal": ["x", "y"] * 300})
    audit = ll.fairness_audit(np.full(600, 0.4), passed, np.arange(600) % 3 == 0, groups)
    assert audit.by_attribute["verdict"].to_pylist() == ["below four fifths", "at least four fifths"]
    assert row_of(audit.by_group, group="f")["selection_ratio"] == pytest.approx(1 / 3)


def test_the_interval_of_the_ratio_covers_the_truth_though_the_extremes_were_picked():
    covered = wrong = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        group = np.repeat(np.arange(4), rng.integers(60, 300, 4))
        passed = rng.random(len(group)) < 0.3
        won = np.zeros(len(group), dtype=bool)
        audit = ll.fairness_audit(np.full(len(group), 0.3), passed, won, pa.table({"g": group.astype(str)}))
        row = audit.by_attribute.to_pylist()[0]
        covered += row["selection_ratio_low"] <= 1.0 <= row["selection_ratio_high"]
        wrong += row["verdict"] == "below four fifths"
    # At 95 %, 16 or fewer of 20 have a probability below 0.003.
    assert covered >= 17
    assert wrong == 0


def test_a_group_of_three_and_the_missing_are_shown_and_not_judged():
    group = ["f"] * 100 + ["m"] * 100 + ["x"] * 3 + [None] * 50
    passed = np.r_[np.arange(200) % 2 == 0, [True] * 3, [False] * 50]
    audit = ll.fairness_audit([0.5] * 253, passed, [True, False] * 126 + [True], pa.table({"gender": group}))
    small, missing = row_of(audit.by_group, group="x"), row_of(audit.by_group, group="not recorded")
    assert (small["too_few"], small["selection_ratio"]) == (True, None)
    assert (missing["too_few"], missing["selection_ratio"]) == (False, None)
    row = audit.by_attribute.to_pylist()[0]
    assert (row["n_groups"], row["n"], row["selection_ratio"]) == (2, 200, 1.0)


def test_numbers_are_cut_into_bands():
    age = np.tile(np.arange(20, 70), 8)
    audit = ll.fairness_audit([0.5] * 400, age < 30, [True, False] * 200, pa.table({"age": age}))
    assert audit.by_group["group"].to_pylist()[0] == "up to 32"
    assert audit.by_attribute["verdict"].to_pylist() == ["below four fifths"]


def test_too_few_groups_and_nobody_selected_have_no_ratio():
    groups = pa.table({"one": ["f"] * 90, "two": ["f", "m"] * 45})
    audit = ll.fairness_audit([0.5] * 90, [False] * 90, [True, False] * 45, groups)
    one, two = audit.by_attribute.to_pylist()
    assert (one["verdict"], one["selection_ratio"]) == ("too few", None)
    assert (two["verdict"], two["selection_ratio"]) == ("not shown", None)
    assert row_of(audit.by_group, attribute="one")["precision"] is None


@pytest.mark.parametrize("won", [[True] * 80, [False] * 80])
def test_one_outcome_only_leaves_out_what_it_cannot_say(won):
    audit = ll.fairness_audit([0.5] * 80, [True, False] * 40, won, pa.table({"g": ["a"] * 40 + ["b"] * 40}))
    row = audit.by_group.to_pylist()[0]
    assert (row["recall"] is None) is (not won[0])
    assert (row["false_positive_rate"] is None) is won[0]


def test_the_order_of_the_rows_does_not_matter():
    score, passed, won, group = leads(2)
    order = np.random.default_rng(0).permutation(len(score))
    one = ll.fairness_audit(score, passed, won, pa.table({"g": group}))
    other = ll.fairness_audit(score[order], passed[order], won[order], pa.table({"g": group[order]}))
    assert one.by_attribute == other.by_attribute
    for name in ("n", "selection_rate", "recall_low", "too_few"):
        assert one.by_group[name] == other.by_group[name]


@pytest.mark.parametrize(
    ("score", "message"),
    [([0.5], r"for each of 2 leads, got an array of shape \(1,\)"), ([0.5, 1.5], r"from 0\.5 to 1\.5")],
)
def test_scores_that_are_no_probabilities_are_refused(score, message):
    with pytest.raises(ll.InputError, match=message):
        ll.fairness_audit(score, [True, False], [True, False], pa.table({"g": ["a", "b"]}))


def test_no_lead_is_refused():
    with pytest.raises(ll.InputError, match="at least one protected attribute, got 0 rows"):
        ll.fairness_audit([], [], [], pa.table({"g": pa.array([], pa.string())}))


@pytest.mark.real_data
def test_bank_clients_are_audited_by_age_and_marital_status(real_data):
    import pandas as pd

    bank = pd.read_csv(real_data / "bank_marketing" / "bank-additional-full.csv", sep=";")
    won = (bank["y"] == "yes").to_numpy()
    # A cut-off that prefers the old and the young, as the share won does.
    passed = ((bank["age"] < 28) | (bank["age"] > 60)).to_numpy()
    audit = ll.fairness_audit(np.full(len(bank), won.mean()), passed, won, bank[["age", "marital"]])
    assert audit.by_attribute["verdict"].to_pylist() == ["below four fifths"] * 2
    single = row_of(audit.by_group, attribute="marital", group="single")
    counted = bank[bank["marital"] == "single"]
    assert single["selection_rate"] == pytest.approx(((counted["age"] < 28) | (counted["age"] > 60)).mean())
