"""Scores that moved are told, and so are leads that could not be scored."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from leadlift.lifecycle.monitoring.budget import AlarmBudget
from leadlift.lifecycle.monitoring.scores import check_scores
from leadlift.serving.batch import grades
from leadlift.terms import Severity
from watched_leads import scores, watched_bundle

BUDGET = AlarmBudget()
AT = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def bundle():
    return watched_bundle(6)


def scored(bundle, score, n_faulty=0, at=AT):
    """A scored table: `n_faulty` rows without a score first."""
    status = ["invalid_value"] * n_faulty + ["scored"] * len(score)
    grade = [None] * n_faulty + grades(score, bundle.reference.grade_thresholds).tolist()
    return pa.table(
        {
            "score": pa.array([None] * n_faulty + score.tolist(), pa.float64()),
            "grade": pa.array(grade, pa.string()),
            "status": status,
            "as_of": pa.array([at] * len(status), pa.timestamp("us", tz="UTC")),
        }
    )


def checked(bundle, table, **values):
    return check_scores(bundle, table, window_days=7, budget=BUDGET, **values)


def codes(result):
    return [(finding.code, finding.column) for finding in result.findings]


def test_ten_quarters_of_scores_without_drift_raise_no_alarm(bundle):
    rng = np.random.default_rng(0)
    for week in range(130):
        score = scores(int(rng.integers(200, 3_000)), 100 + week)
        assert checked(bundle, scored(bundle, score)).findings == ()


def test_scores_that_moved_are_told_by_score_and_grade(bundle):
    result = checked(bundle, scored(bundle, scores(500, 1) ** 1.4))
    assert codes(result) == [("LL213", "score"), ("LL213", "grade")]
    assert {f.severity for f in result.findings} == {Severity.WARNING}


def test_faulty_rows_are_a_warning_from_a_twentieth_and_fatal_from_a_half(bundle):
    assert checked(bundle, scored(bundle, scores(970, 1), 30)).findings == ()
    assert codes(checked(bundle, scored(bundle, scores(880, 1), 120))) == [("LL206", None)]
    assert codes(checked(bundle, scored(bundle, scores(450, 1), 550))) == [("LL205", None)]


def test_a_batch_of_which_no_lead_could_be_scored_is_fatal(bundle):
    result = checked(bundle, scored(bundle, np.empty(0), 200))
    (finding,) = result.findings
    assert (finding.code, finding.severity) == ("LL205", Severity.FATAL)


def test_a_model_of_behaviour_is_compared_with_its_earlier_batches(bundle):
    of_behaviour = watched_bundle(6, builder=object())
    moved = scored(bundle, scores(1_000, 1) ** 1.4)
    first = checked(of_behaviour, moved)
    assert [row["verdict"] for row in first.rows] == ["ok", "too_early", "too_early"]
    earlier = [scored(bundle, scores(1_000, seed) ** 1.4, at=AT.replace(day=seed)) for seed in (2, 3)]
    assert checked(of_behaviour, moved, earlier=pa.concat_tables(earlier)).findings == ()
    back = checked(of_behaviour, scored(bundle, scores(1_000, 4)), earlier=pa.concat_tables(earlier))
    assert codes(back) == [("LL213", "score"), ("LL213", "grade")]


def test_no_row_is_no_check(bundle):
    assert checked(bundle, scored(bundle, np.empty(0))).rows == ()
