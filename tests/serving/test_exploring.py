"""The random slice below the lines is the same leads whatever the job, and as large as was asked for."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import binomtest, chi2_contingency

from leadlift.config import StagesConfig
from leadlift.serving.exploring import contact_probability, is_drawn, mark_explored
from leadlift.serving.previous import NEVER, RANKED_STAGES
from leadlift.serving.stages import EXPLORED, HAND_RAISE, STAGE_REASONS, StageDecision

ids = st.lists(st.text(max_size=12), min_size=1, max_size=40)
shares = st.floats(0, 1)


def decision(*stages, reasons=None):
    rank = np.array([RANKED_STAGES.index(stage) for stage in stages], dtype=np.int8)
    code = np.zeros(len(rank), dtype=np.int8) if reasons is None else np.array(reasons)
    return StageDecision(rank, np.full(len(rank), NEVER), code)


@given(ids, shares, st.integers(0, 5), st.randoms())
def test_the_draw_of_a_lead_depends_on_its_id_and_the_seed_alone(names, share, seed, random):
    drawn = dict(zip(names, is_drawn(pa.array(names), share, seed), strict=True))
    shuffled = random.sample(names, len(names))
    parted = pa.chunked_array([shuffled[:3], shuffled[3:]], pa.string())
    assert is_drawn(parted, share, seed).tolist() == [drawn[name] for name in shuffled]


@given(ids, shares, shares)
def test_a_larger_share_holds_the_smaller_one(names, one, other):
    small, large = (is_drawn(pa.array(names), share) for share in sorted((one, other)))
    assert not (small & ~large).any()


def test_no_share_draws_nobody_and_the_whole_draws_all():
    names = pa.array([f"L{i}" for i in range(1000)])
    assert not is_drawn(names, 0.0).any()
    assert is_drawn(names, 1.0).all()


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3])
def test_ids_that_count_up_are_drawn_as_by_chance(share):
    n_drawn = int(is_drawn(pa.array([f"L{i:07d}" for i in range(50_000)]), share).sum())
    assert binomtest(n_drawn, 50_000, share).pvalue > 0.001


def test_draws_of_two_seeds_are_independent():
    names = pa.array([f"L{i:07d}" for i in range(50_000)])
    one, other = is_drawn(names, 0.2, 0), is_drawn(names, 0.2, 1)
    table = [[(one & other).sum(), (one & ~other).sum()], [(~one & other).sum(), (~one & ~other).sum()]]
    assert chi2_contingency(table).pvalue > 0.001


def test_leads_below_the_lines_are_marked_and_no_stage_changes():
    stages = ["none", "MQL", "SQL", "none"] * 250
    before = decision(*stages, reasons=[STAGE_REASONS.index(HAND_RAISE)] * 1000)
    names = pa.array([f"L{i}" for i in range(1000)])
    after = mark_explored(StagesConfig(explore_share=0.3), before, names)
    drawn = is_drawn(names, 0.3) & (before.rank == 0)
    assert (after.reason == EXPLORED).tolist() == drawn.tolist()
    assert set(after.reason[~drawn]) == {HAND_RAISE}
    assert after.rank.tolist() == before.rank.tolist()


def test_the_chance_of_contact_is_one_above_a_line_and_the_share_below():
    rules = StagesConfig(explore_share=0.05)
    assert contact_probability(rules, decision("none", "MQL", "SQL")).tolist() == [0.05, 1, 1]


def test_a_lead_that_a_person_took_out_has_no_chance():
    by_person = decision("none", "MQL", reasons=[len(STAGE_REASONS)] * 2)
    assert contact_probability(StagesConfig(explore_share=0.05), by_person).tolist() == [0, 1]


def test_without_a_share_nothing_is_marked_and_no_chance_is_told():
    before = decision("none", "MQL")
    assert mark_explored(StagesConfig(), before, pa.array(["a", "b"])) is before
    assert contact_probability(StagesConfig(), before) is None


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValidationError, match="explore_share"):
        StagesConfig(explore_share=share)
