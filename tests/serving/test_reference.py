"""The reference profile: grades are shares of the evidence, and typical is the won leads' middle."""

import numpy as np
import pyarrow as pa
import pytest

from leadlift.learning.cutoff.evidence import Evidence
from leadlift.serving.reference import build_reference
from leadlift.terms import FeatureSpec, Kind

SPECS = (
    FeatureSpec("visits", Kind.NUMERIC),
    FeatureSpec("source", Kind.CATEGORICAL),
    FeatureSpec("empty", Kind.NUMERIC),
)
INPUTS = pa.table(
    {
        "visits": [1.0, 3.0, 5.0, None, 9.0],
        "source": ["web", "fair", "web", None, "fair"],
        "empty": pa.array([None] * 5, pa.float64()),
    }
)
WON = np.array([True, True, True, True, False])


def evidence(n=1000):
    score = np.random.default_rng(0).permutation(n) / n
    return Evidence(score, score, score >= 0.5)


@pytest.fixture(scope="module")
def reference():
    return build_reference(0.2, evidence(), SPECS, INPUTS, WON)


def test_grades_take_a_tenth_then_two_then_three_of_the_evidence(reference):
    assert reference.grade_rates == {"A": (100, 100), "B": (200, 200), "C": (300, 200), "D": (400, 0)}


def test_a_grades_threshold_is_a_score_of_the_evidence(reference):
    assert reference.grade_thresholds == {"A": 0.9, "B": 0.7, "C": 0.4}


def test_typical_is_the_won_leads_median_or_most_common_level(reference):
    assert reference.typical_won == {"visits": "3", "source": "web"}


def test_profiles_count_missing_cells_and_levels(reference):
    assert reference.columns["visits"] == {
        "n_rows": 5,
        "missing_share": 0.2,
        "quantiles": pytest.approx(np.quantile([1, 3, 5, 9], np.linspace(0, 1, 11)).tolist()),
        # 1 is the smallest, 3 lies between the deciles 2.8 and 3.4, 5 between 4.6 and 5.4, 9 is the largest.
        "bin_shares": [0.2, 0, 0, 0.2, 0, 0, 0.2, 0, 0, 0.2],
        # Between powers of 10**(1/5): 1, 2.51 to 3.98, 3.98 to 6.31, 6.31 to 10.
        "sizes": {"0": 1, "2": 1, "3": 1, "4": 1},
    }
    assert reference.columns["source"] == {
        "n_rows": 5,
        "missing_share": 0.2,
        "levels": {"fair": 0.4, "web": 0.4},
    }
    assert reference.columns["empty"] == {
        "n_rows": 5,
        "missing_share": 1.0,
        "quantiles": [],
        "bin_shares": [0.0],
        "sizes": {},
    }


def test_score_quantiles_stand_at_every_twentieth(reference):
    assert len(reference.score_quantiles) == 21
    assert reference.score_quantiles[0] == 0.0
    assert reference.score_quantiles[-1] == 0.999


def test_scores_that_are_all_equal_are_all_of_the_best_grade():
    same = np.full(50, 0.3)
    reference = build_reference(0.2, Evidence(same, same, same > 0), SPECS, INPUTS, WON)
    assert reference.grade_rates == {"A": (50, 50), "B": (0, 0), "C": (0, 0), "D": (0, 0)}
