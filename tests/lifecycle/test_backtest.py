"""A backtest knows on each day only what was known, and its figures are those of leads that came later."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import expit

from leadlift.exceptions import ConfigError, InputError
from leadlift.learning import metrics
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.cutoff import FixedThreshold, PrecisionGuarantee
from leadlift.learning.scorer import LeadScorer
from leadlift.lifecycle.backtest import backtest, rolling_blocks
from leadlift.lifecycle.model_updates import (
    KnownLeads,
    NoUpdate,
    Recalibrate,
    Refit,
    RefitOnAll,
    get_model_update,
)
from leadlift.terms import Severity

QUICK = BaggedTrees(
    n_folds=2, learning_rate=0.2, max_rounds=25, patience_rounds=10, max_statistics=0, n_jobs=1
)
N_ROWS = 3000
START = np.datetime64("2026-01-01T00:00:00")


def market(turn=0.0, seed=0, n=N_ROWS, rise=0.0):
    """Two traits whose meaning turns by an angle over the history; `rise` moves the log-odds of all."""
    rng = np.random.default_rng(seed)
    X, t = rng.normal(size=(n, 3)), np.arange(n) / n
    log_odds = -1.2 + rise * t + 1.3 * (np.cos(turn * t) * X[:, 0] + np.sin(turn * t) * X[:, 1])
    return X, (rng.random(n) < expit(log_odds)).astype(int), START + np.arange(n) * np.timedelta64(1, "h")


def play(X, y, as_of, **keywords):
    return backtest(LeadScorer(learner=QUICK), X, y, **{"as_of": as_of, "n_blocks": 3} | keywords)


@pytest.fixture(scope="module")
def steady():
    return play(*market(), policy=PrecisionGuarantee(0.35))


class Spy(Refit):
    """Writes down what it was told."""

    def __init__(self):
        self.told = []

    def update(self, unfitted, present, known):
        self.told.append(known)
        return super().update(unfitted, present, known)


def test_a_model_is_told_only_labels_known_when_its_block_began():
    X, y, as_of = market()
    known_at = as_of + np.timedelta64(10, "D")
    spy = Spy()
    result = play(X, y, as_of, label_known_at=known_at, update=spy)
    for known, begin in zip(spy.told, result.blocks["begin"].to_numpy(), strict=True):
        assert known.label_known_at.max() <= begin
    assert [len(known.y) for known in spy.told] == result.blocks["n_known"].to_pylist()
    scored = [int((~np.isnan(known.scored_before)).sum()) for known in spy.told]
    assert scored[0] == 0
    assert scored[-1] > 0


def test_labels_of_a_block_do_not_change_what_was_said_of_it():
    X, y, as_of = market()
    first, *_, last = (held for _, held in rolling_blocks(y, as_of, None, None, 3))
    other = y.copy()
    other[last] = 1 - other[last]
    plain, changed = (play(X, labels, as_of).blocks.to_pylist() for labels in (y, other))
    assert plain[0] == changed[0]
    assert plain[-1]["mean_score"] == changed[-1]["mean_score"]
    assert plain[-1]["auc"] == pytest.approx(1 - changed[-1]["auc"])
    assert len(first) == plain[0]["n"]


def test_the_figures_of_a_block_by_a_second_way():
    X, y, as_of = market()
    result = play(X, y, as_of, policy=FixedThreshold(0.4))
    seen, held = rolling_blocks(y, as_of, None, None, 3)[1]
    score = LeadScorer(learner=QUICK).fit(X[seen], y[seen], as_of=as_of[seen]).predict_proba(X[held])[:, 1]
    row = result.blocks.to_pylist()[1]
    assert row["auc"] == pytest.approx(metrics.auc(y[held], score).estimate, abs=1e-12)
    assert row["log_loss"] == pytest.approx(metrics.log_loss(y[held], score).estimate, abs=1e-12)
    passed = score >= 0.4
    assert row["n_qualified"] == passed.sum()
    assert row["precision"] == pytest.approx(y[held][passed].mean())
    assert row["recall"] == pytest.approx((passed & (y[held] == 1)).sum() / y[held].sum())
    hours = (as_of[held].max() - as_of[held].min()) / np.timedelta64(1, "h")
    assert row["per_week"] == pytest.approx(passed.sum() / ((hours + 24) / 168))
    assert (row["promised_precision"], row["is_kept"], row["is_void"]) == (None, None, None)


def test_pooled_figures_are_those_of_all_leads_of_the_blocks(steady):
    pooled = steady.pooled.to_pylist()[0]
    blocks = steady.blocks.to_pylist()
    assert pooled["n"] == sum(block["n"] for block in blocks)
    weighted = np.average([b["log_loss"] for b in blocks], weights=[b["n"] for b in blocks])
    assert pooled["log_loss"] == pytest.approx(weighted)
    assert pooled["n_kept"] == sum(bool(block["is_kept"]) for block in blocks)


def test_without_drift_the_past_hardly_flatters_and_no_warning_comes(steady):
    (finding,) = steady.findings
    assert (finding.code, finding.severity) == ("LL161", Severity.INFO)
    assert "the ones to expect" in finding.text
    assert steady.gap.n_random == steady.gap.n_forward == steady.pooled["n"][0].as_py()


def test_under_drift_the_past_flatters_and_that_is_a_warning_with_numbers():
    result = play(*market(turn=np.pi), update=NoUpdate())
    (finding,) = result.findings
    assert finding.severity is Severity.WARNING
    assert result.gap.skill_lost > 0.1
    assert f"{result.gap.random_skill:.1%}" in finding.message
    assert "forward figures only" in finding.text


def test_refitting_follows_a_market_that_turns_and_a_model_left_alone_does_not():
    X, y, as_of = market(turn=np.pi)
    losses = {
        update.name: play(X, y, as_of, update=update).pooled["log_loss"][0].as_py()
        for update in (Refit(), RefitOnAll(), NoUpdate())
    }
    assert max(losses["refit"], losses["refit_on_all"]) < losses["none"] - 0.03


def test_recalibration_follows_a_base_rate_that_rises():
    X, y, as_of = market(rise=3.0)
    left, followed = (
        play(X, y, as_of, n_blocks=6, update=update).blocks.to_pylist()[-1]
        for update in (NoUpdate(), Recalibrate())
    )
    assert (
        abs(followed["mean_score"] - followed["base_rate"]) < abs(left["mean_score"] - left["base_rate"]) / 2
    )
    assert followed["auc"] == pytest.approx(left["auc"], abs=0.01)


def test_a_promise_of_a_model_left_alone_is_called_void_before_its_labels_are_known():
    """The base rate falls: promises break, and the alarm comes with the first labels that are known."""
    X, y, as_of = market(rise=-4.0, n=5000)
    result = play(X, y, as_of, n_blocks=5, update=NoUpdate(), policy=PrecisionGuarantee(0.4))
    broken = [b for b in result.blocks.to_pylist()[1:] if b["is_kept"] is False]
    assert broken
    assert all(block["is_void"] for block in broken)
    pooled = result.pooled.to_pylist()[0]
    assert pooled["n_kept_or_void"] >= pooled["n_promises"] - 1


def test_where_no_cut_off_is_honest_the_block_says_so_and_the_rest_is_measured():
    result = play(*market(n=1200), policy=PrecisionGuarantee(0.98))
    for block in result.blocks.to_pylist():
        assert (block["threshold"], block["is_kept"], block["n_qualified"]) == (None, None, None)
        assert 0.5 < block["auc"] < 1
    assert result.pooled["n_promises"][0].as_py() == 0


def test_the_order_of_the_rows_changes_no_figure():
    X, y, as_of = market(n=1200)
    lead = np.arange(1200) // 2
    order = np.random.default_rng(1).permutation(1200)
    plain = play(X, y, as_of, groups=lead)
    mixed = play(X[order], y[order], as_of[order], groups=lead[order])
    assert plain.blocks.equals(mixed.blocks)
    assert plain.gap.forward_log_loss == pytest.approx(mixed.gap.forward_log_loss, abs=1e-12)


def test_a_lead_is_measured_once_in_a_block():
    X, y, as_of = market(n=1000)
    lead = np.repeat(np.arange(1000), 2)
    twice = play(X[lead], y[lead], as_of[lead], groups=lead)
    assert twice.pooled["n"].to_pylist() == [
        len(np.concatenate([h for _, h in rolling_blocks(y, as_of, None, None, 3)]))
    ]


def test_rows_in_order_have_row_numbers_and_no_weeks():
    X, y, _ = market(n=1000)
    blocks = play(X, y, np.arange(1000)).blocks
    assert blocks.schema.field("begin").type == pa.int64()
    assert blocks["per_week"].null_count == 3


def test_the_result_is_json(steady):
    printed = json.loads(json.dumps(steady.to_dict(), allow_nan=False))
    assert printed["blocks"][0]["begin"].startswith("2026-02-19")
    assert printed["update"] == "refit"
    assert printed["gap"]["is_paired"]


def test_a_history_without_wins_before_the_first_block_is_refused():
    X, y, as_of = market(n=600)
    y[:400] = 0
    with pytest.raises(InputError, match="the leads known before the first block hold 0 won"):
        play(X, y, as_of)


def test_ways_of_updating_by_name():
    for way in (Refit, RefitOnAll, Recalibrate, NoUpdate):
        assert type(get_model_update(way.name)) is way
    with pytest.raises(ConfigError, match="no way of updating a model is called 'pray'; there are refit"):
        get_model_update("pray")


def test_the_latest_scored_leads_by_eye():
    n = 6
    leads = KnownLeads(
        np.zeros((n, 1)),
        np.array([0, 1, 0, 1, 0, 1]),
        np.arange(n),
        None,
        None,
        None,
        np.ones(n),
        np.zeros(n),
    )
    unscored = replace(leads, scored_before=np.array([np.nan, np.nan, 0, 0, 0, 0.0]))
    assert unscored.latest_scored().as_of.tolist() == [2, 3, 4, 5]
