"""Stages are decided by the cut-offs and by documented rules beside them, each lead apart from the others."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlift.config import StagesConfig
from leadlift.exceptions import ConfigError
from leadlift.serving.previous import NEVER, RANKED_STAGES, UNKNOWN, Standing
from leadlift.serving.stages import (
    ABOVE_LOWER_EDGE,
    BOTH_TOO_LOW,
    ENGAGEMENT_TOO_LOW,
    FIT_TOO_LOW,
    HAND_RAISE,
    MINIMUM_STAY,
    SCORE_DECIDED,
    LeadFacts,
    Line,
    check_rules,
    decide_stages,
    raises_hand,
)
from leadlift.terms import Family, FeatureSpec, Kind, Stage

TODAY = np.datetime64("2026-11-22T06:00", "us")
DAY = np.timedelta64(1, "D")
MQL, SQL = 0.3, 0.6


def lines(score, mql=MQL, sql=SQL):
    score = np.asarray(score, dtype=float)
    return [Line(Stage.MQL, score, score, mql), Line(Stage.SQL, score, score, sql)]


def before(*standings):
    """Where leads stood: ("MQL", days ago), or None for a lead that was not scored."""
    rank = [UNKNOWN if s is None else RANKED_STAGES.index(s[0]) for s in standings]
    since = [NEVER if s is None else TODAY - np.timedelta64(int(s[1] * 86_400), "s") for s in standings]
    return standing_of(np.array(rank, dtype=np.int8), np.array(since, dtype="datetime64[us]"))


def standing_of(rank, since):
    """Stages without the scores and grades, which no rule looks at."""
    return replace(Standing.unknown(len(rank)), rank=rank, since=since, model_rank=rank)


def decide(score, standing=None, *, fit=0.0, engagement=0.0, raised=False, as_of=TODAY, **rules):
    n = len(score)
    facts = LeadFacts(
        np.broadcast_to(fit, n),
        np.broadcast_to(engagement, n),
        np.broadcast_to(raised, n),
        standing or before(*[None] * n),
    )
    return decide_stages(StagesConfig(**rules), lines(score), facts, as_of)


def told(decision):
    return list(zip(decision.stage.tolist(), decision.reason.tolist(), strict=True))


# By eye


def test_without_rules_the_cutoffs_decide():
    found = decide([0.1, 0.3, 0.6], before(("SQL", 1), ("SQL", 1), None))
    assert told(found) == [("none", SCORE_DECIDED), ("MQL", SCORE_DECIDED), ("SQL", SCORE_DECIDED)]


def test_a_lead_falls_back_only_below_the_lower_edge():
    standing = before(("MQL", 9), ("MQL", 9), ("SQL", 9), ("SQL", 9), ("none", 9), None)
    found = decide([0.27, 0.26, 0.54, 0.53, 0.29, 0.29], standing, fall_back_share=0.9)
    kept = ABOVE_LOWER_EDGE
    assert told(found) == [
        ("MQL", kept),
        ("none", SCORE_DECIDED),
        ("SQL", kept),
        ("MQL", SCORE_DECIDED),
        ("none", SCORE_DECIDED),
        ("none", SCORE_DECIDED),
    ]


def test_an_sql_between_the_edges_falls_back_to_mql():
    assert told(decide([0.28], before(("SQL", 9)), fall_back_share=0.9)) == [("MQL", ABOVE_LOWER_EDGE)]


def test_a_lead_stays_for_the_minimum_stay_and_no_longer():
    standing = before(("SQL", 2.9), ("SQL", 3), ("MQL", 1), ("none", 1))
    found = decide([0.0, 0.0, 0.0, 0.0], standing, min_stay_days=3)
    assert told(found) == [
        ("SQL", MINIMUM_STAY),
        ("none", SCORE_DECIDED),
        ("MQL", MINIMUM_STAY),
        ("none", SCORE_DECIDED),
    ]


def test_a_stage_that_a_person_set_keeps_nobody_once_it_has_ended():
    ranks = [RANKED_STAGES.index(name) for name in ("SQL", "SQL", "none")]
    standing = replace(before(*[("SQL", 1)] * 2, ("none", 1)), rank=np.array(ranks, np.int8))
    standing = replace(standing, model_rank=np.array([0, 1, 1], np.int8))
    # Not by the minimum stay, and by the lower edge only as far as the model had raised it.
    assert told(decide([0.28] * 3, standing, min_stay_days=3)) == [("none", SCORE_DECIDED)] * 3
    assert told(decide([0.58] * 3, standing, fall_back_share=0.9)) == [("MQL", SCORE_DECIDED)] * 3
    assert told(decide([0.28] * 3, standing, fall_back_share=0.9)) == [
        ("none", SCORE_DECIDED),
        ("MQL", ABOVE_LOWER_EDGE),
        ("MQL", ABOVE_LOWER_EDGE),
    ]


def test_the_minimum_stay_keeps_nobody_from_rising():
    assert told(decide([0.7], before(("MQL", 1)), min_stay_days=3)) == [("SQL", SCORE_DECIDED)]


def test_a_lead_that_acts_but_does_not_fit_is_not_qualified():
    found = decide(
        [0.7, 0.7, 0.7, 0.7, 0.1],
        fit=np.array([-0.2, 0.1, -0.2, 0.0, -0.2]),
        engagement=np.array([0.1, -0.2, -0.2, 0.0, -0.2]),
        min_fit=0.0,
        min_engagement=0.0,
    )
    assert told(found) == [
        ("none", FIT_TOO_LOW),
        ("none", ENGAGEMENT_TOO_LOW),
        ("none", BOTH_TOO_LOW),
        ("SQL", SCORE_DECIDED),
        ("none", SCORE_DECIDED),
    ]


def test_a_hand_raiser_is_routed_by_rule_whatever_fit_and_score():
    found = decide([0.1, 0.7, 0.7], fit=np.array([-0.5, 0.2, -0.5]), raised=True, min_fit=0.0)
    assert told(found) == [("SQL", HAND_RAISE), ("SQL", SCORE_DECIDED), ("SQL", HAND_RAISE)]


def test_a_hand_raiser_can_be_routed_to_mql():
    found = decide([0.1, 0.7], raised=True, hand_raise_stage="MQL")
    assert told(found) == [("MQL", HAND_RAISE), ("SQL", SCORE_DECIDED)]


def test_since_is_when_the_lead_entered_the_stage_it_is_in():
    standing = before(("MQL", 5), ("none", 5), ("SQL", 5), None)
    found = decide([0.4, 0.4, 0.4, 0.1], standing)
    assert found.since.tolist() == [
        (TODAY - 5 * DAY).item(),
        TODAY.item(),
        TODAY.item(),
        TODAY.item(),
    ]


def test_without_a_moment_of_scoring_nothing_is_said_of_since():
    assert np.isnat(decide([0.4], as_of=NEVER).since).all()


def test_ties_at_the_cutoff_are_broken_and_the_lower_edge_has_none():
    score, log_odds = np.full(2, MQL), np.array([1.0, -1.0])
    line = Line(Stage.MQL, score, log_odds, MQL, tie_break=0.0)
    facts = LeadFacts(score, score, np.zeros(2, bool), before(("MQL", 9), ("MQL", 9)))
    assert decide_stages(StagesConfig(), [line], facts, TODAY).stage.tolist() == ["MQL", "none"]
    kept = decide_stages(StagesConfig(fall_back_share=0.9), [line], facts, TODAY)
    assert told(kept) == [("MQL", SCORE_DECIDED), ("MQL", ABOVE_LOWER_EDGE)]


@pytest.mark.parametrize(
    ("column", "raised"),
    [
        (pa.chunked_array([["true", " YES", "1", "no", "", "0", None, "maybe"]]), [1, 1, 1, 0, 0, 0, 0, 0]),
        (pa.chunked_array([[1.0, 0.0, 2.5, None, -1.0]]), [1, 0, 1, 0, 0]),
    ],
)
def test_what_raises_a_hand(column, raised):
    assert raises_hand(column).tolist() == [bool(value) for value in raised]


# Laws

RULES = st.fixed_dictionaries(
    {
        "fall_back_share": st.floats(0.05, 1),
        "min_stay_days": st.sampled_from([0, 1, 7]),
        "hand_raise_stage": st.sampled_from(["MQL", "SQL"]),
        "min_fit": st.none() | st.floats(-1, 1),
        "min_engagement": st.none() | st.floats(-1, 1),
    }
)
LEADS = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.floats(-1, 1),
        st.floats(-1, 1),
        st.booleans(),
        st.none() | st.tuples(st.sampled_from(RANKED_STAGES), st.integers(0, 30)),
    ),
    min_size=1,
    max_size=12,
)


def decide_all(leads, rules):
    score, fit, engagement, raised, standing = zip(*leads, strict=True)
    return decide(
        list(score),
        before(*standing),
        fit=np.array(fit),
        engagement=np.array(engagement),
        raised=np.array(raised),
        **rules,
    )


@given(LEADS, RULES)
def test_each_lead_is_decided_apart_from_the_others(leads, rules):
    apart = [told(decide_all([lead], rules))[0] for lead in leads]
    assert told(decide_all(leads, rules)) == apart


@given(LEADS, RULES)
def test_a_stage_above_what_score_and_hand_say_has_its_reason(leads, rules):
    found = decide_all(leads, rules)
    for lead, stage, reason in zip(leads, found.stage, found.reason, strict=True):
        score, _, _, raised, standing = lead
        rank = RANKED_STAGES.index(stage)
        by_score = (score >= MQL) + (score >= SQL)
        if reason == SCORE_DECIDED:
            assert rank == by_score
        elif reason == ABOVE_LOWER_EDGE:
            edge = rules["fall_back_share"] * (MQL, SQL)[rank - 1]
            assert score >= edge
            assert by_score < rank <= RANKED_STAGES.index(standing[0])
        elif reason == HAND_RAISE:
            assert raised
            assert stage == rules["hand_raise_stage"]
        elif reason == MINIMUM_STAY:
            assert standing[0] == stage
            assert standing[1] < rules["min_stay_days"]
        else:
            assert rank == 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10), st.floats(0.05, 1))
def test_keeping_leads_takes_no_stage_away(scores, share):
    standing = before(*[("SQL", 9)] * len(scores))
    rank = RANKED_STAGES.index
    plain, kept = decide(scores, standing), decide(scores, standing, fall_back_share=share)
    assert all(rank(b) >= rank(a) for a, b in zip(plain.stage, kept.stage, strict=True))


# Simulation


def play(noisy, **rules):
    """Score the same leads night after night; stages, scores' ranks and days in the stage, by night."""
    standing, nights = before(*[None] * noisy.shape[1]), []
    for night, score in enumerate(noisy):
        as_of = TODAY + night * DAY
        found = decide(score, standing, as_of=as_of, **rules)
        rank = np.array([RANKED_STAGES.index(stage) for stage in found.stage], dtype=np.int8)
        nights.append((rank, found.reason, (as_of - found.since) / DAY))
        standing = standing_of(rank, found.since)
    return [np.array(part) for part in zip(*nights, strict=True)]


def test_hysteresis_reduces_the_flips_of_noisy_scores_and_keeps_nobody_below_the_edge_beyond_the_stay():
    rng = np.random.default_rng(0)
    noisy = np.clip(rng.uniform(0.1, 0.9, 500) + rng.normal(0, 0.03, (60, 500)), 0, 1)
    rules = {"fall_back_share": 0.8, "min_stay_days": 5}
    plain_rank, _, _ = play(noisy)
    rank, _, days = play(noisy, **rules)
    flips, plain_flips = (int((np.diff(r, axis=0) != 0).sum()) for r in (rank, plain_rank))
    assert flips < 0.2 * plain_flips
    lower_edge = rules["fall_back_share"] * np.array([0, MQL, SQL])[rank]
    is_below = noisy < lower_edge
    assert (days[is_below] < rules["min_stay_days"]).all()


def test_a_lead_whose_score_collapsed_is_gone_when_its_stay_is_over():
    score = np.r_[np.full(3, 0.7), np.full(9, 0.0)][:, None]
    rank, reason, _ = play(score, fall_back_share=0.8, min_stay_days=6)
    assert rank[:, 0].tolist() == [2] * 6 + [0] * 6
    assert reason[2:7, 0].tolist() == [SCORE_DECIDED, *[MINIMUM_STAY] * 3, SCORE_DECIDED]


# Bad input


@pytest.mark.parametrize("share", [0, -0.1, 1.01, float("nan")])
def test_a_share_outside_its_range_is_refused(share):
    with pytest.raises(ValueError, match="fall_back_share"):
        StagesConfig(fall_back_share=share)


@pytest.mark.parametrize(
    "rules", [{"min_stay_days": -1}, {"hand_raise_stage": "lead"}, {"min_fit": 12}, {"min_age": 1}]
)
def test_impossible_rules_are_refused_by_name(rules):
    with pytest.raises(ValueError, match=next(iter(rules))):
        StagesConfig(**rules)


SPECS = (FeatureSpec("contact_me", Kind.CATEGORICAL, Family.INTENT),)
INPUTS = pa.table({"contact_me": ["no", "call me", None]})


def test_a_column_of_hand_raisers_must_be_an_input():
    with pytest.raises(ConfigError, match=r"(?s)'contact_Me', which is no input.*did you mean 'contact_me'"):
        check_rules(StagesConfig(hand_raise="contact_Me"), SPECS, INPUTS)


def test_a_column_by_which_nobody_ever_raised_a_hand_is_refused():
    with pytest.raises(
        ConfigError, match=r"no lead ever raised its hand: it holds 'no', 'call me'. Expected"
    ):
        check_rules(StagesConfig(hand_raise="contact_me"), SPECS, INPUTS)


def test_a_minimum_of_a_family_without_inputs_is_refused():
    with pytest.raises(ConfigError, match=r"min_fit is 0, but no input belongs to the family 'fit'"):
        check_rules(StagesConfig(min_fit=0.0), SPECS, INPUTS)
