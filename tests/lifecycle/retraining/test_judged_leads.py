"""Challenger and champion are judged on leads that neither knows, by what both say of them."""

from copy import copy
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest

from leadlift.learning.cutoff import FixedThreshold
from leadlift.lifecycle.holdout import RANDOM
from leadlift.lifecycle.preparing import lead_groups
from leadlift.lifecycle.retraining.evidence import (
    _new_leaks,
    _newly_unfair,
    gather,
    model_scores,
    reason_similarity,
)
from leadlift.lifecycle.retraining.retrain import judge
from leadlift.lifecycle.retraining.window import window_of
from retrained_crm import SUMMER


def test_no_lead_of_the_window_was_known_to_either_model(spring, summer):
    rows = window_of(spring.champion, summer)
    problem = summer.problem
    leads_of = lead_groups(problem.observations)
    learnt = set(leads_of[summer.split.train])
    tested = np.sort(spring.problem.as_of)[-int(0.2 * len(spring.problem.y)) :].min()
    known_in_spring = set(lead_groups(spring.problem.observations)[spring.problem.as_of < tested])
    assert len(rows) > 100
    assert not set(leads_of[rows]) & (learnt | known_in_spring)
    assert problem.as_of[rows].min() >= np.datetime64(spring.champion.provenance["test_from"])


def test_the_champion_scores_the_window_as_it_would_score_new_leads(spring, summer, leads):
    from leadlift.lifecycle.looking_back import problem_of
    from leadlift.serving.predict import score_table

    rows = window_of(spring.champion, summer)[:50]
    ids = summer.problem.observations.lead_id[rows]
    new = leads.filter(pc.is_in(leads["lead_id"], pa.array(ids)))
    scored = {row["lead_id"]: row for row in score_table(spring.champion, new).to_pylist()}
    ours = model_scores(spring.champion, problem_of(spring.config, spring.champion), rows)
    assert [scored[name]["score"] for name in ids] == ours.score.tolist()
    assert [scored[name]["model_stage"] == "MQL" for name in ids] == ours.passed.tolist()
    assert [scored[name]["grade"] for name in ids] == ["ABCD"[grade] for grade in ours.grade]


def test_what_the_contract_asks_is_gathered_from_both_models(spring, summer):
    rows = window_of(spring.champion, summer)
    comparison, facts = gather(spring.champion, summer, rows, spring.config, confidence=0.95)
    assert (comparison.n_leads, comparison.n_won) == (len(rows), summer.problem.y[rows].sum())
    assert facts.newly_unfair is not None
    assert (facts.new_leaks, facts.new_inputs, facts.lost_inputs) == ((), (), ())
    assert facts.reason_similarity > 0.8


def test_the_similarity_of_reasons_is_a_cosine():
    assert reason_similarity({"a": 2.0, "b": 1.0}, {"a": 4.0, "b": 2.0}) == pytest.approx(1)
    assert reason_similarity({"a": 1.0}, {"b": 1.0}) == 0
    assert reason_similarity({}, {}) == 1


def test_leads_that_the_champion_knows_judge_nobody(spring, summer):
    """Had the champion learnt from all leads of summer, none would be left."""
    known = replace(
        spring.champion, provenance=spring.champion.provenance | {"test_from": str(SUMMER.date())}
    )
    judgement = judge(known, summer, spring.config)
    assert judgement.verdict is None
    assert not judgement.holds
    assert [finding.code for finding in judgement.findings] == ["LL250"]
    assert "got 0 won and 0 lost" in judgement.findings[0].message
    # A champion that does not say what it held back: all leads of its training count as known.
    silent = {key: value for key, value in spring.champion.provenance.items() if key != "test_from"}
    fewer = window_of(replace(spring.champion, provenance=silent), summer)
    assert summer.problem.as_of[fewer].min() > np.datetime64(silent["as_of_range"][1])


def test_without_an_order_in_time_nobody_is_judged(spring, summer):
    undated = replace(summer, split=replace(summer.split, kind=RANDOM))
    judgement = judge(spring.champion, undated, spring.config)
    assert [finding.code for finding in judgement.findings] == ["LL250"]


def test_a_column_newly_found_to_leak_is_new_whatever_was_known_of_others(spring, summer):
    def with_findings(bundle, *columns):
        found = [{"code": "LL120", "column": column} for column in columns]
        told = [{"code": "LL134", "column": "outcome"}]
        return replace(bundle, provenance=bundle.provenance | {"findings": found + told})

    champion = with_findings(spring.champion, "deal_amount")
    challenger = with_findings(summer.bundle, "deal_amount", "stage_now")
    assert _new_leaks(champion, challenger) == ("stage_now",)
    assert _new_leaks(challenger, champion) == ()


def test_an_attribute_is_newly_unfair_if_the_challenger_alone_passes_one_group_only(spring, summer):
    rows = window_of(spring.champion, summer)
    index = summer.problem.observations.index[rows]
    group = np.array(summer.problem.leads["gender"].to_pylist())[index]
    won = summer.problem.y[rows] > 0
    fair = model_scores(summer.bundle, summer.problem, rows)
    unfair = replace(fair, passed=group == group[0])
    asked = (won, summer.problem, rows, spring.config)
    assert _newly_unfair(fair, unfair, *asked) == ("gender",)
    assert _newly_unfair(unfair, unfair, *asked) == ()
    silent = spring.config.insight.model_copy(update={"protected": ()})
    assert (
        _newly_unfair(fair, unfair, *asked[:3], spring.config.model_copy(update={"insight": silent})) is None
    )


def test_with_a_second_label_the_line_is_drawn_on_its_scores(spring, summer):
    rows = window_of(spring.champion, summer)
    one = summer.bundle
    line = FixedThreshold(0.05)
    second = copy(one.scorer).choose_cutoff(line)
    two = one.with_scorers(sql_scorer=second)
    found, alone = (model_scores(bundle, summer.problem, rows) for bundle in (two, one))
    assert (found.rank_by == alone.score).all()
    assert (found.passed == (alone.score >= 0.05)).all()
    assert (found.grade == alone.grade).all()


def test_a_challenger_with_settings_of_its_own_says_so(spring, summer):
    config = spring.config.model_copy(update={"model": spring.config.model.model_copy(update={"folds": 3})})
    finding = judge(spring.champion, summer, config).findings[0]
    assert (finding.code, finding.message) == ("LL251", "model.folds: 2 -> 3")
