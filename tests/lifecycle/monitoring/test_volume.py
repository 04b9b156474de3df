"""The volume of leads and of MQLs: weeks vary, and only what is beyond that is told."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from leadlift.lifecycle.monitoring.budget import AlarmBudget
from leadlift.lifecycle.monitoring.volume import check_volume
from leadlift.terms import Interval
from watched_leads import WatchedBundle

WEEK = timedelta(days=7)
START = datetime(2026, 1, 5, 2, tzinfo=UTC)
PER_WEEK = Interval(50.0, 42.0, 59.0, 0.95)


def bundle(per_week=PER_WEEK):
    return WatchedBundle((), None, mql_cutoff=SimpleNamespace(per_week=per_week))


def batches(counts, mql_counts=None, *, first_id=0):
    """A batch a week of so many leads, each scored once."""
    mql_counts = [0] * len(counts) if mql_counts is None else mql_counts
    n_rows = sum(counts)
    return pa.table(
        {
            "lead_id": [str(first_id + i) for i in range(n_rows)],
            "as_of": pa.array(
                [START + week * WEEK for week, n in enumerate(counts) for _ in range(n)],
                pa.timestamp("us", tz="UTC"),
            ),
            "score": np.full(n_rows, 0.2),
            "model_stage": [
                "MQL" if i < n_mql else "none"
                for n, n_mql in zip(counts, mql_counts, strict=True)
                for i in range(n)
            ],
        }
    )


def checked(table, n_weeks, mql=PER_WEEK):
    until = START + (n_weeks - 1) * WEEK + timedelta(hours=1)
    result = check_volume(bundle(mql), table, until=until, window_days=7, budget=AlarmBudget())
    return {row["subject"]: row for row in result.rows}, [finding.code for finding in result.findings]


def test_weeks_are_counted_by_eye():
    rows, found = checked(batches([900, 100, 110, 90, 100, 105], [9, 50, 55, 45, 50, 50]), 6)
    assert rows["leads"]["observed"] == 105
    assert rows["leads"]["expected"] == pytest.approx(np.exp(np.log([100.5, 110.5, 90.5, 100.5]).mean()))
    assert rows["MQL"]["observed"] == 50
    assert rows["MQL"]["expected"] == 50
    assert found == []


def test_a_lead_that_is_scored_every_week_counts_in_its_first():
    again = batches([100] * 6)
    later = again.set_column(0, "lead_id", pa.array([str(i % 100) for i in range(600)]))
    new = batches([20] * 6, first_id=1_000)
    rows, _ = checked(pa.concat_tables([again.slice(0, 100), later, new]), 6)
    assert rows["leads"]["observed"] == 20


def test_fewer_than_four_earlier_windows_are_too_early():
    rows, found = checked(batches([100] * 5), 5)
    assert {row["verdict"] for row in rows.values()} == {"too_early"}
    assert found == []


@pytest.mark.parametrize("latest", [0, 300, 2_500])
def test_weeks_that_lose_or_gain_many_leads_are_told(latest):
    counts = [400, *np.random.default_rng(0).poisson(800, 12).tolist(), latest]
    # A week without leads has no row.
    _, found = checked(batches(counts), 14, mql=None)
    assert found == ["LL214"]


def test_more_or_fewer_mqls_than_promised_are_told():
    rng = np.random.default_rng(1)
    for mean, expected in [(50, []), (57, []), (110, ["LL215"]), (20, ["LL215"])]:
        n_mql = rng.poisson(mean, 13).tolist()
        assert checked(batches([1_000] * 13, n_mql), 13)[1] == expected


def test_quarters_of_weeks_that_vary_more_than_poisson_raise_alarms_within_the_budget():
    """Half a year grows week by week; weeks vary by a quarter, as with a negative binomial of size 16."""
    n_alarmed = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        counts = rng.negative_binomial(16, 16 / (16 + 120), 19).tolist()
        table = batches(counts, [n // 2 for n in counts])
        promise = Interval(60.0, 52.0, 68.0, 0.95)
        found = [
            code
            for week in range(7, 20)
            for code in checked(table.slice(0, sum(counts[:week])), week, promise)[1]
        ]
        n_alarmed += bool(found)
    # 4 of 40 or more come with a chance of 0.3 % at the 1.25 % of the budget that volume may spend.
    assert n_alarmed < 4
