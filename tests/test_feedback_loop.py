"""A model that learns from the leads it sent to sales: what goes wrong, and what mends it."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.propensity import hajek_mean

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
LEARNER = BaggedTrees(n_folds=2, max_rounds=60, n_jobs=1)


@pytest.fixture(scope="module")
def loop():
    """One world with a segment that turns good, worked in three ways."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import feedback

        plan = feedback.Plan(n_rounds=8, round_leads=5000)
        world = feedback.simulate(plan, 0)
        ways = (feedback.AS_LOST, feedback.LEFT_OUT, feedback.WEIGHTED)
        played = {way: feedback.play(plan, world, way, LEARNER) for way in ways}
        judged = {way: feedback.judge(plan, world, *played[way]) for way in ways}
        yield SimpleNamespace(bench=feedback, plan=plan, world=world, played=played, judged=judged)


def taught(loop):
    """Whether a lead is of the rounds that the last model learnt from."""
    last = loop.plan.n_rounds - 1
    number = loop.world.round_number
    return (number < last) & (number >= last - loop.plan.memory_rounds)


def by_level(loop):
    """Which leads are of each level of seniority."""
    seniority = np.array(loop.world.inputs["seniority"].to_pylist(), dtype=object)
    return {level: seniority == level for level in sorted(set(seniority) - {None})}


def test_taking_leads_that_were_not_worked_for_lost_makes_scores_far_too_low(loop):
    found = loop.judged[loop.bench.AS_LOST]
    assert found["said below the line"] < 0.25 * found["true below the line"]
    assert found["said of all"] < 0.7 * found["true"]


def test_leaving_them_out_makes_scores_far_too_high(loop):
    found = loop.judged[loop.bench.LEFT_OUT]
    assert found["said below the line"] > 1.5 * found["true below the line"]
    assert found["said of all"] > 1.3 * found["true"]


def test_exploring_and_weights_give_the_base_rate(loop):
    known, score = loop.played[loop.bench.WEIGHTED]
    rows = taught(loop)
    weight = (known.is_worked / known.probability)[rows]
    seen = hajek_mean(loop.world.won[rows], weight)
    said = score[loop.world.round_number == loop.plan.n_rounds - 1].mean()
    assert seen.low <= loop.world.truth[rows].mean() <= seen.high
    assert seen.low <= said <= seen.high


def test_exploring_and_weights_calibrate_every_segment(loop):
    known, score = loop.played[loop.bench.WEIGHTED]
    rows, last = taught(loop), loop.world.round_number == loop.plan.n_rounds - 1
    levels = by_level(loop)
    confidence = 1 - 0.05 / len(levels)
    for level, of_level in levels.items():
        mine = rows & of_level
        weight = (known.is_worked / known.probability)[mine]
        seen = hajek_mean(loop.world.won[mine], weight, confidence)
        assert seen.low <= loop.world.truth[mine].mean() <= seen.high, level
        assert seen.low <= score[last & of_level].mean() <= seen.high, level


def test_a_segment_that_turns_good_below_the_line_is_found_by_exploring_alone(loop):
    worked = {way: found["segment worked"] for way, found in loop.judged.items()}
    said = {way: found["said of the segment"] for way, found in loop.judged.items()}
    assert worked[loop.bench.WEIGHTED] > 1.3 * worked[loop.bench.AS_LOST]
    assert said[loop.bench.WEIGHTED] > 1.7 * said[loop.bench.AS_LOST]


def test_the_price_is_some_contacts_that_win_less(loop):
    found = loop.judged[loop.bench.WEIGHTED]
    share = found["contacts explored"] / found["contacts"]
    assert 0.1 < share < 0.2
    assert found["wins explored"] / found["contacts explored"] < 0.5 * found["wins"] / found["contacts"]
    assert found["contacts"] == loop.judged[loop.bench.AS_LOST]["contacts"]
