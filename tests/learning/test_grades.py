"""Grades promise what is kept in all bands at once, and nothing where there are too few leads."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import fisher_exact

from laws import law
from leadlift.exceptions import ConfigError
from leadlift.learning.cutoff.grades import GRADE_SCHEMA, grade_promises
from leadlift.learning.intervals import clopper_pearson, least_share

THRESHOLDS = {"A": 0.6, "B": 0.4, "C": 0.2}
COUNTS = {"A": (200, 120), "B": (400, 160), "C": (600, 150), "D": (800, 40)}
SHARES = np.cumsum([0.1, 0.2, 0.3, 0.4])


def test_the_promises_are_the_exact_bounds_at_a_quarter_of_the_error():
    a, _, _, d = grade_promises(THRESHOLDS, COUNTS, confidence=0.9).to_pylist()
    assert a["promised"] == np.floor(1000 * least_share(120, 200, 0.975)) / 1000
    assert d["promised"] == np.ceil(1000 * (1 - least_share(760, 800, 0.975))) / 1000
    exact = clopper_pearson(120, 200, 0.975)
    assert (a["rate"], a["rate_low"], a["rate_high"]) == (0.6, exact.low, exact.high)
    assert (a["score_from"], d["score_from"], a["confidence"]) == (0.6, 0.0, 0.9)


def test_the_promise_reads_as_a_sentence():
    said = grade_promises(THRESHOLDS, COUNTS)["promise"].to_pylist()
    assert [text.split(" ")[:2] for text in said] == [["at", "least"]] * 3 + [["at", "most"]]


def test_a_band_with_too_few_leads_says_so():
    table = grade_promises(THRESHOLDS, COUNTS | {"A": (49, 40)})
    assert table.schema == GRADE_SCHEMA
    a = table.to_pylist()[0]
    assert (a["promised"], a["promise"]) == (None, "too few leads to promise anything")
    assert (a["n_leads"], a["n_won"]) == (49, 40)
    assert grade_promises(THRESHOLDS, COUNTS | {"A": (49, 40)}, least_leads=49)["promised"][0].as_py() > 0.5


@pytest.mark.parametrize("nobody", [(0, 0), (60, 0)])
def test_a_band_without_leads_or_wins_promises_nothing(nobody):
    a = grade_promises(THRESHOLDS, COUNTS | {"A": nobody}).to_pylist()[0]
    assert a["promised"] is None
    assert a["rate"] == (0.0 if nobody[0] else None)


@law
@given(n=st.lists(st.integers(0, 2000), min_size=4, max_size=4), seed=st.integers(0, 100))
def test_no_promise_is_better_than_what_was_seen(n, seed):
    rng = np.random.default_rng(seed)
    counts = {grade: (size, int(rng.integers(0, size + 1))) for grade, size in zip("ABCD", n, strict=True)}
    *upper, last = grade_promises(THRESHOLDS, counts).to_pylist()
    assert all(row["promised"] <= row["rate"] for row in upper if row["promised"] is not None)
    assert last["promised"] is None or last["promised"] >= last["rate"]


def test_a_grade_that_beats_the_one_above_it_beyond_chance_is_named():
    counts = COUNTS | {"B": (400, 300)}
    notes = grade_promises(THRESHOLDS, counts)["note"].to_pylist()
    assert notes[0] == notes[2] == notes[3] == ""
    assert notes[1].startswith("more of B are won than of A, beyond chance")


def test_a_grade_that_beats_the_one_above_it_by_chance_is_not():
    notes = grade_promises(THRESHOLDS, COUNTS | {"B": (400, 245)})["note"].to_pylist()
    assert notes == [""] * 4


@pytest.mark.parametrize("won", range(30, 60, 3))
def test_the_order_is_judged_by_fishers_exact_test(won):
    p_value = fisher_exact([[won, 100 - won], [30, 70]], alternative="greater").pvalue
    note = grade_promises(THRESHOLDS, COUNTS | {"A": (100, 30), "B": (100, won)})["note"][1].as_py()
    assert bool(note) == (p_value <= 0.05 / 3)


@pytest.mark.parametrize("counts", [{"A": (1, 1)}, {"A": (1, 1), "D": (1, 0)}, COUNTS | {"E": (1, 0)}])
def test_counts_of_other_grades_are_refused(counts):
    with pytest.raises(ConfigError, match=r"counts need the grades A, B, C and one below them, got A"):
        grade_promises(THRESHOLDS, counts)


def test_the_confidence_must_be_one():
    with pytest.raises(ConfigError, match=r"confidence must lie in \(0.5, 1\), got 1"):
        grade_promises(THRESHOLDS, COUNTS, confidence=1)


def test_all_promises_are_kept_at_once_with_the_stated_confidence():
    """By simulation with known truth: bands are cut at quantiles of 1,500 scores, as training cuts them.

    Three standard errors of 1,000 repeats are 2.8 points at 90 %.
    """
    rng = np.random.default_rng(0)
    population = np.sort(expit(-2 + 1.3 * rng.normal(size=200_000)))[::-1]
    won_above = np.r_[0, np.cumsum(population)]
    n_broken = n_missed = 0
    for _ in range(1000):
        score = np.sort(expit(-2 + 1.3 * rng.normal(size=1500)))[::-1]
        won = rng.random(1500) < score
        ends = np.r_[0, np.rint(SHARES * 1500).astype(int)]
        counts = {
            grade: (int(b - a), int(won[a:b].sum()))
            for grade, a, b in zip("ABCD", ends, ends[1:], strict=False)
        }
        thresholds = {grade: float(score[end - 1]) for grade, end in zip("ABC", ends[1:], strict=False)}
        places = [0, *np.searchsorted(-population, [-t for t in thresholds.values()], "right"), 200_000]
        true = np.diff(won_above[places]) / np.diff(places)
        table = grade_promises(thresholds, counts, confidence=0.9)
        promised = np.nan_to_num(table["promised"].to_numpy(), nan=0.0)
        n_broken += bool((true[:3] < promised[:3]).any() or true[3] > promised[3])
        low, high = table["rate_low"].to_numpy(), table["rate_high"].to_numpy()
        n_missed += bool(((true < low) | (true > high)).any())
    assert n_broken / 1000 <= 0.1 + 0.028
    assert n_missed / 1000 <= 0.1 + 0.028
