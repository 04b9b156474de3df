"""Loss reasons: counted by eye, compared over time and by segment, with known truth in simulations."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binomtest, fisher_exact

import leadlift as ll

DAY = datetime(2024, 6, 30, tzinfo=UTC)


def rows_by(table, name):
    return {row[name]: row for row in table.to_pylist()}


def dates(days_before):
    return pa.array([DAY - timedelta(days=float(days)) for days in days_before], pa.timestamp("us", "UTC"))


def test_reasons_of_lost_leads_are_counted_and_missing_ones_are_not_recorded():
    reason = ["price"] * 6 + ["no budget"] * 5 + [None, " ", "rare"] + ["price"] * 4
    table = ll.loss_reasons(reason, [True] * 14 + [False] * 4)
    assert dict(zip(table["reason"].to_pylist(), table["n"].to_pylist(), strict=True)) == {
        "price": 6,
        "no budget": 5,
        "all others (1 level)": 1,
        "not recorded": 2,
    }
    assert table["share"].to_pylist() == pytest.approx([6 / 14, 5 / 14, 1 / 14, 2 / 14])
    assert table["too_few"].to_pylist() == [True] * 4


def test_shares_have_exact_intervals():
    table = ll.loss_reasons(["price"] * 30 + ["no fit"] * 70, [True] * 100, confidence=0.9)
    expected = binomtest(70, 100).proportion_ci(0.9, method="exact")
    first = table.to_pylist()[0]
    assert (first["low"], first["high"]) == pytest.approx((expected.low, expected.high))


def test_a_reason_noted_once_is_not_shown_for_it_may_speak_of_a_person():
    reason = ["Ann Lee of Example Ltd is on leave"] + ["price"] * 50
    shown = ll.loss_reasons(reason, [True] * 51)["reason"].to_pylist()
    assert shown == ["price", "all others (1 level)"]


def test_personal_data_in_reasons_are_masked_before_they_are_counted():
    reason = [f"left, ask lead{i}@example.com" for i in range(6)]
    assert ll.loss_reasons(reason, [True] * 6)["reason"].to_pylist() == ["left, ask [e-mail]"]


def test_the_latest_period_is_compared_with_the_one_before_by_eye():
    reason = ["price"] * 60 + ["no fit"] * 40 + ["price"] * 20 + ["no fit"] * 80
    moments = dates([5.0] * 99 + [0.0] + [35.0] * 99 + [30.0])
    row = rows_by(ll.loss_reasons(reason, [True] * 200, closed_at=moments, period_days=30), "reason")["price"]
    assert (row["latest_n"], row["previous_n"]) == (60, 20)
    assert row["change"] == pytest.approx(0.4)
    assert row["change_low"] < 0.4 < row["change_high"]
    assert row["q_value"] == pytest.approx(fisher_exact([[60, 40], [20, 80]])[1], rel=0.2)
    assert row["changed"]


def test_periods_are_counted_back_from_the_last_lost_lead():
    moments = dates([0.0] * 5 + [31.0] * 6 + [100.0] * 7)
    table = ll.loss_reasons_by_period(["price"] * 18, [True] * 18, moments, period_days=30)
    assert table["n"].to_pylist() == [7, 6, 5]
    assert table["begin"].to_pylist() == [DAY - timedelta(days=days) for days in (120, 60, 30)]


def test_a_reason_that_never_changed_is_rarely_said_to_have():
    claims = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        reason = rng.choice(["price", "no fit", "budget", "rival"], 400)
        table = ll.loss_reasons(reason, [True] * 400, closed_at=dates(rng.uniform(0, 180, 400)))
        claims += any(table["changed"].to_pylist())
    # At most 5 % of the runs; 7 or more of 60 has a probability below 0.03 at that rate.
    assert claims <= 6


def test_a_segment_lost_for_another_reason_is_found_and_one_with_three_leads_is_too_few():
    region = ["north"] * 100 + ["south"] * 100 + ["moon"] * 3
    reason = ["price"] * 70 + ["no fit"] * 30 + ["price"] * 30 + ["no fit"] * 70 + ["no fit"] * 3
    table = ll.loss_reasons_by_segment(reason, [True] * 203, pa.table({"region": region}))
    first = table.to_pylist()[0]
    assert (first["segment"], first["differs"], first["too_few"]) == ("north", True, False)
    moon = [row for row in table.to_pylist() if row["segment"] == "moon"]
    assert [row["too_few"] for row in moon] == [True, True]
    assert [row["differs"] for row in moon] == [False, False]
    north = {row["reason"]: row for row in table.to_pylist() if row["segment"] == "north"}["price"]
    assert (north["share"], north["share_elsewhere"]) == (0.7, pytest.approx(30 / 103))
    assert north["ratio"] == pytest.approx(0.7 / (30 / 103))
    assert north["ratio_low"] < north["ratio"] < north["ratio_high"]


def test_segments_alike_are_rarely_told_apart():
    claims = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        segments = pa.table({"region": rng.choice(list("abcde"), 400), "size": rng.normal(size=400)})
        reason = rng.choice(["price", "no fit", "budget"], 400)
        claims += any(ll.loss_reasons_by_segment(reason, [True] * 400, segments)["differs"].to_pylist())
    # At most 5 % of the runs; 6 or more of 40 has a probability below 0.02 at that rate.
    assert claims <= 5


def test_the_order_of_the_rows_does_not_matter():
    rng = np.random.default_rng(3)
    reason, lost = rng.choice(["price", "no fit", "a", "b"], 300), rng.random(300) < 0.8
    moments, region = dates(rng.uniform(0, 200, 300)), rng.choice(list("abc"), 300)
    order = rng.permutation(300)
    shuffled = moments.take(pa.array(order))
    assert ll.loss_reasons(reason, lost, closed_at=moments) == ll.loss_reasons(
        reason[order], lost[order], closed_at=shuffled
    )
    assert ll.loss_reasons_by_segment(reason, lost, pa.table({"r": region})) == ll.loss_reasons_by_segment(
        reason[order], lost[order], pa.table({"r": region[order]})
    )


def test_no_lost_lead_makes_empty_tables():
    moments = dates([1.0] * 3)
    assert ll.loss_reasons(["price"] * 3, [False] * 3, closed_at=moments).num_rows == 0
    assert ll.loss_reasons_by_period(["price"] * 3, [False] * 3, moments).num_rows == 0
    assert ll.loss_reasons_by_segment(["price"] * 3, [False] * 3, pa.table({"r": ["a"] * 3})).num_rows == 0


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ll.InputError, match="one outcome for each of 2 leads"):
        ll.loss_reasons(["price", "no fit"], [True])
    with pytest.raises(ll.InputError, match="period_days must be above 0, got 0"):
        ll.loss_reasons(["price"], [True], closed_at=dates([0.0]), period_days=0)
    with pytest.raises(ll.InputError, match="a row for each of the 2 leads, got 1"):
        ll.loss_reasons_by_segment(["price"] * 2, [True] * 2, pa.table({"r": ["a"]}))
    with pytest.raises(ll.SchemaError, match="timestamp"):
        ll.loss_reasons_by_segment(["price"], [True], pa.table({"r": dates([0.0])}))


def test_reasons_of_a_simulated_crm_are_those_it_was_made_with():
    leads = ll.make_leads(2000, seed=4).leads
    lost = np.array(leads["outcome"].to_pylist()) == "lost"
    table = ll.loss_reasons(leads["loss_reason"], lost, closed_at=leads["closed_at"])
    assert sum(table["n"].to_pylist()) == lost.sum()
    missing = rows_by(table, "reason")["not recorded"]
    assert missing["low"] < 0.15 < missing["high"]
