"""Against outcomes: alarms where something changed, few where nothing did, and no evidence counted twice."""

from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import expit, logit

from leadlift.exceptions import SchemaError
from leadlift.learning.cutoff import FixedThreshold, RecallGuarantee
from leadlift.lifecycle.monitoring.against_outcomes import ScoredLeads, check_outcomes
from leadlift.lifecycle.monitoring.budget import AlarmBudget
from leadlift.lifecycle.monitoring.scored_leads import read_scored
from leadlift.lifecycle.monitoring.table import monitor_table
from leadlift.lifecycle.monitoring.windows import Windows
from leadlift.terms import Severity
from scored_futures import START, end_of, evidence_of, future, scores, stub_bundle, with_base_rate

N_EVIDENCE = 4000


def checked(bundle, scored, outcomes, until, weights=None, segment_by=(), inputs=None):
    leads = ScoredLeads(read_scored(scored, also=segment_by), Windows(28), weights, inputs)
    return check_outcomes(
        bundle, leads, outcomes, budget=AlarmBudget(), known_until=until, segment_by=segment_by
    )


def rows_of(found, check, **values):
    rows = monitor_table(found.rows).to_pylist()
    return [r for r in rows if r["check"] == check and all(r[k] == v for k, v in values.items())]


def codes(found):
    return {finding.code for finding in found.findings if finding.severity is not Severity.INFO}


def played(seed, n, days=28, ratio=1.0, slope=1.0, base_rate=0.1):
    """A model whose scores are right, and a future in which they are right, or not."""
    rng = np.random.default_rng(seed)
    bundle = stub_bundle(evidence_of(N_EVIDENCE, rng, base_rate))
    score = scores(n, rng, base_rate)
    p = with_base_rate(expit(slope * (logit(score) - logit(base_rate)) + logit(base_rate)), ratio)
    scored, outcomes = future(score, rng.random(n) < p, rng, days)
    return checked(bundle, scored, outcomes, end_of(days))


def test_where_nothing_changes_hardly_a_quarter_has_an_alarm():
    """At most 2.5 % a quarter are spent; 3 alarms of 60 would come by chance once in 200 such tests."""
    assert sum(bool(codes(played([1, seed], 4500, days=84))) for seed in range(60)) <= 3


def test_a_base_rate_half_as_high_again_is_found_within_one_mature_window():
    """With 120 wins expected in a window and scores known from 4,000 leads."""
    found = ["LL230" in codes(played([2, seed], 1200, ratio=1.5)) for seed in range(60)]
    assert np.mean(found) >= 0.95


def test_a_base_rate_fallen_to_two_thirds_is_found_in_a_window_of_220_expected_wins():
    found = ["LL230" in codes(played([3, seed], 2200, ratio=2 / 3)) for seed in range(60)]
    assert np.mean(found) >= 0.95


def test_scores_that_tell_leads_apart_less_than_they_say_are_found():
    found = ["LL231" in codes(played([4, seed], 3000, slope=0.5)) for seed in range(20)]
    assert np.mean(found) >= 0.95


def test_windows_too_small_to_speak_speak_together():
    """A hundred leads in 28 days: ten windows of them show a base rate half as high again."""
    found = played([6, 0], 1000, days=280, ratio=1.8)
    base = rows_of(found, "base_rate")
    assert len(base) == 11
    assert (base[-1]["n"], base[-1]["verdict"]) == (1000, "alarm")


def test_a_million_leads_raise_no_alarm_on_a_difference_that_does_not_matter():
    """Odds wrong by a tenth, and 30,000 leads that say so beyond doubt."""
    assert not codes(played(5, 30_000, ratio=1.08))


@pytest.fixture(scope="module")
def model():
    return stub_bundle(evidence_of(N_EVIDENCE, np.random.default_rng(1)))


@pytest.fixture(scope="module")
def leads():
    rng = np.random.default_rng(7)
    score = scores(6000, rng)
    return future(score, rng.random(6000) < score, rng, 84)


def test_a_promise_kept_broken_and_too_early(model, leads):
    scored, outcomes = leads
    kept = rows_of(checked(model, scored, outcomes, end_of(84)), "promise", is_estimate=False)
    assert [row["verdict"] for row in kept] == ["kept"] * 4
    assert (kept[-1]["window_start"], kept[-1]["window_end"]) == (START, START + timedelta(days=84))
    lost = outcomes.set_column(1, "outcome", pa.array(["lost"] * len(outcomes)))
    broken = checked(model, scored, lost, end_of(84))
    assert {row["verdict"] for row in rows_of(broken, "promise", is_estimate=False)} == {"broken"}
    assert "LL232" in codes(broken)
    few = checked(model, scored.slice(0, 200), outcomes, end_of(84))
    assert rows_of(few, "promise", is_estimate=False)[0]["verdict"] == "too_early"


def test_a_promise_is_not_called_kept_on_leads_that_speak_against_it(model):
    """Precision fallen by a third, not yet refuted at the level of the budget."""
    verdicts = []
    for seed in range(30):
        rng = np.random.default_rng([41, seed])
        score = scores(1500, rng)
        scored, outcomes = future(score, rng.random(1500) < with_base_rate(score, 0.6), rng)
        row = rows_of(checked(model, scored, outcomes, end_of(28)), "promise", is_estimate=False)[0]
        verdicts.append(row["verdict"])
        assert row["verdict"] != "kept" or row["high"] >= row["expected"]
    assert verdicts.count("broken") > verdicts.count("kept")


def test_a_window_speaks_only_when_all_of_it_has_matured(model, leads):
    scored, outcomes = leads
    nearly = checked(model, scored, outcomes, end_of(28) - timedelta(microseconds=1))
    assert {row["verdict"] for row in rows_of(nearly, "base_rate")} == {"too_early"}
    assert not rows_of(nearly, "calibration")
    ready = checked(model, scored, outcomes, end_of(28))
    assert [row["verdict"] for row in rows_of(ready, "base_rate")] == ["ok"]


def test_a_later_look_gives_the_same_verdict_of_a_window_that_spoke(model, leads):
    scored, outcomes = leads
    early, late = (
        rows_of(checked(model, scored, outcomes, end_of(days)), "base_rate")[0] for days in (28, 84)
    )
    assert early == late


def test_the_order_of_the_rows_does_not_matter(model, leads):
    scored, outcomes = leads
    order = np.random.default_rng(1).permutation(len(scored))
    one = checked(model, scored, outcomes, end_of(84))
    other = checked(model, scored.take(order), outcomes.take(order[::-1]), end_of(84))
    for a, b in zip(one.rows, other.rows, strict=True):
        for name, value in a.items():
            expected = pytest.approx(b[name], abs=1e-9) if isinstance(value, float) else b[name]
            assert value == expected, name


def test_leads_scored_every_night_are_no_more_evidence_than_leads_scored_once(model, leads):
    """The same scores again one and two days later: windows hold each lead once, and so do all together."""
    scored, outcomes = leads
    scored = scored.filter(pa.array(np.arange(len(scored)) % 2 == 0))
    again = [
        scored.set_column(
            1,
            "as_of",
            pa.array(scored["as_of"].to_numpy() + np.timedelta64(days, "D")).cast(pa.timestamp("us", "UTC")),
        )
        for days in (1, 2)
    ]
    once = checked(model, scored, outcomes, end_of(90))
    nightly = checked(model, pa.concat_tables([scored, *again]), outcomes, end_of(90))
    first, last = rows_of(once, "promise", is_estimate=False), rows_of(nightly, "promise", is_estimate=False)
    assert last[0]["n"] == first[0]["n"]
    assert last[-1]["n"] <= 1.01 * first[-1]["n"]


def test_a_row_that_stands_twice_counts_once(model, leads):
    scored, outcomes = leads
    once = checked(model, scored, outcomes, end_of(84))
    twice = checked(model, pa.concat_tables([scored, scored]), outcomes, end_of(84))
    assert [row["n"] for row in once.rows] == [row["n"] for row in twice.rows]


def test_weights_of_one_change_nothing(model, leads):
    scored, outcomes = leads
    plain = checked(model, scored, outcomes, end_of(84))
    weighted = checked(model, scored, outcomes, end_of(84), weights=np.ones(len(scored)))
    assert plain.rows == weighted.rows


def test_leads_below_the_line_that_nobody_worked_bias_the_base_rate_until_weights_mend_it(model):
    """Nobody works a lead below the line but one in five: the others are lost by neglect."""
    rng = np.random.default_rng(11)
    n = 12_000
    score = scores(n, rng)
    chance = np.where(score >= model.mql_cutoff.threshold, 1.0, 0.2)
    worked = rng.random(n) < chance
    scored, outcomes = future(score, (rng.random(n) < score) & worked, rng, 28)
    naive = checked(model, scored, outcomes, end_of(28))
    mended = checked(model, scored, outcomes, end_of(28), weights=worked / chance)
    assert "LL230" in codes(naive)
    assert not codes(mended)
    row = rows_of(mended, "base_rate")[0]
    assert row["n"] == worked.sum()
    assert row["low"] <= score.mean() <= row["high"]


def test_the_precision_promise_speaks_of_those_above_the_line_alone(model, leads):
    scored, outcomes = leads
    above = sum(score >= model.mql_cutoff.threshold for score in scored["score"].to_pylist())
    assert rows_of(checked(model, scored, outcomes, end_of(84)), "promise")[-1]["n"] <= above
    pooled = rows_of(checked(model, scored, outcomes, end_of(84)), "promise", is_estimate=False)[-1]
    assert pooled["n"] == above


def test_a_promise_of_recall_is_counted_among_the_won(leads):
    scored, outcomes = leads
    model = stub_bundle(evidence_of(N_EVIDENCE, np.random.default_rng(0)), RecallGuarantee(0.6))
    found = checked(model, scored, outcomes, end_of(84))
    n_won = outcomes["outcome"].to_pylist().count("won")
    pooled = rows_of(found, "recall_promise")[-1]
    assert (pooled["n"], pooled["verdict"]) == (n_won, "kept")
    reached = outcomes.set_column(
        1, "outcome", pa.array(np.where(np.array(scored["score"]) < 0.1, "won", "lost"))
    )
    assert {
        row["verdict"] for row in rows_of(checked(model, scored, reached, end_of(84)), "recall_promise")
    } == {"broken"}


def test_a_cut_off_that_promises_nothing_is_held_to_its_scores(leads):
    scored, outcomes = leads
    model = stub_bundle(evidence_of(N_EVIDENCE, np.random.default_rng(0)), FixedThreshold(0.2))
    assert rows_of(checked(model, scored, outcomes, end_of(84)), "precision")[-1]["verdict"] == "ok"
    lost = outcomes.set_column(1, "outcome", pa.array(["lost"] * len(outcomes)))
    assert "LL233" in codes(checked(model, scored, lost, end_of(84)))


def test_without_outcomes_a_promise_is_an_estimate_and_void_where_the_scores_say_so(model, leads):
    scored, _ = leads
    calm = rows_of(checked(model, scored, None, None), "promise")
    assert {(row["verdict"], row["is_estimate"]) for row in calm} == {("too_early", True)}
    assert calm[0]["observed"] == pytest.approx(0.27, abs=0.04)
    low = expit(logit(scored["score"].to_numpy()) * 0.3 - 1.6)
    void = checked(model, scored.set_column(2, "score", pa.array(low)), None, None)
    assert "void" in {row["verdict"] for row in rows_of(void, "promise")}
    assert "LL163" in codes(void)


def test_a_model_of_behaviour_is_compared_with_its_own_latest_leads(leads):
    """Its evidence holds leads at other ages; here the scores of all batches are lower than there."""
    rng = np.random.default_rng(5)
    model = stub_bundle(evidence_of(N_EVIDENCE, rng))
    score = scores(6000, rng, base_rate=0.04)
    scored, outcomes = future(score, rng.random(6000) < score, rng, 84)
    until = end_of(28)
    assert "LL163" in codes(checked(model, scored, outcomes, until))
    model.builder = SimpleNamespace()
    found = checked(model, scored, outcomes, until)
    assert "LL163" not in codes(found)
    assert len(rows_of(found, "promise", is_estimate=True)) == 2
    assert not checked(model, scored, None, None).rows


def test_a_segment_whose_scores_are_wrong_is_found_among_those_that_are_right(model):
    rng = np.random.default_rng(21)
    score = scores(9000, rng)
    region = rng.choice(["north", "south", "east", "west", "tiny"], 9000, p=[0.3, 0.3, 0.2, 0.199, 0.001])
    p = np.where(region == "south", with_base_rate(score, 0.45), score)
    scored, outcomes = future(score, rng.random(9000) < p, rng, 84)
    inputs = pa.table({"lead_id": scored["lead_id"], "region": region})
    found = checked(model, scored, outcomes, end_of(84), segment_by=["region"], inputs=inputs)
    rows = {row["segment"]: row for row in rows_of(found, "base_rate") if row["segment"]}
    verdicts = {segment: row["verdict"] for segment, row in rows.items()}
    assert verdicts == {
        "region=north": "ok",
        "region=south": "alarm",
        "region=east": "ok",
        "region=west": "ok",
        "region=tiny": "too_early",
    }
    assert sum(row["n"] for row in rows.values()) == 9000
    (finding,) = [f for f in found.findings if f.code == "LL234"]
    assert finding.examples == ("region=south",)


def test_many_segments_raise_no_more_false_alarms_than_one(model):
    n_alarms = 0
    for seed in range(25):
        rng = np.random.default_rng([31, seed])
        score = scores(4000, rng)
        scored, outcomes = future(score, rng.random(4000) < score, rng, 28)
        scored = scored.append_column("grade", pa.array(rng.choice(list("ABCDEFGHIJ"), 4000)))
        found = checked(model, scored, outcomes, end_of(28), segment_by=["grade"])
        n_alarms += any(row["verdict"] in {"alarm", "broken"} for row in found.rows if row["segment"])
    assert n_alarms <= 2


def test_a_column_to_part_by_that_is_nowhere_is_named(model, leads):
    with pytest.raises(SchemaError, match="no column 'region' to part leads by"):
        checked(model, *leads, end_of(84), segment_by=["region"])


def test_without_a_horizon_a_window_waits_until_nearly_all_have_closed(leads):
    scored, outcomes = leads
    model = stub_bundle(evidence_of(N_EVIDENCE, np.random.default_rng(0)), horizon_days=None)
    until = START + timedelta(days=84)
    rows = rows_of(checked(model, scored, outcomes, until), "base_rate")
    assert [row["verdict"] for row in rows] == ["ok", "ok", "too_early", "ok"]
