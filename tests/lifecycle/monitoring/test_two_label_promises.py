"""Where sales' acceptance is a label of its own, the MQL promise is about it, and tested on its own leads."""

from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import expit, logit

from leadlift.learning.cutoff import PrecisionGuarantee
from leadlift.lifecycle.monitoring.against_outcomes import ScoredLeads, check_outcomes
from leadlift.lifecycle.monitoring.budget import AlarmBudget
from leadlift.lifecycle.monitoring.scored_leads import read_scored
from leadlift.lifecycle.monitoring.table import monitor_table
from leadlift.lifecycle.monitoring.windows import Windows
from scored_futures import end_of, evidence_of, future, in_us, scores, stub_bundle, utc

N = 4000


@pytest.fixture(scope="module")
def two_labels():
    """A third of the leads becomes SQL, a tenth is won; some were SQL before they were scored."""
    rng = np.random.default_rng(3)
    evidence = evidence_of(4000, rng, 0.3)
    bundle = stub_bundle(evidence, PrecisionGuarantee(0.5), sql_threshold=0.4)
    bundle.became_sql = SimpleNamespace()
    bundle.sql_scorer = bundle.scorer
    score_sql = scores(N, rng, 0.3)
    score = expit(logit(score_sql) - 1.6)
    became_sql = rng.random(N) < score_sql
    won = became_sql & (rng.random(N) < score / score_sql)
    scored, outcomes = future(score, won, rng, 28)
    scored = scored.append_column("score_sql", pa.array(score_sql))
    as_of = scored["as_of"].to_numpy().astype("datetime64[us]")
    was_sql = rng.random(N) < 0.1
    qualified = as_of + np.where(was_sql, in_us(-3), in_us(np.full(N, 0.05)))
    qualified = np.where(was_sql | became_sql, qualified, np.datetime64("NaT", "us"))
    return bundle, scored, outcomes.append_column("qualified_at", utc(qualified)), ~was_sql, became_sql


def rows_of(two_labels, outcomes, until):
    bundle, scored = two_labels[:2]
    found = check_outcomes(
        bundle,
        ScoredLeads(read_scored(scored), Windows(28)),
        outcomes,
        budget=AlarmBudget(),
        known_until=until,
    )
    return found, monitor_table(found.rows).to_pylist()


def test_the_mql_promise_is_counted_among_leads_that_were_not_sql_yet(two_labels):
    bundle, scored, outcomes, is_test, became_sql = two_labels
    found, rows = rows_of(two_labels, outcomes, end_of(28))
    above = scored["score_sql"].to_numpy() >= bundle.mql_cutoff.threshold
    (row,) = [r for r in rows if r["check"] == "promise" and not r["is_estimate"]]
    assert (row["subject"], row["verdict"]) == ("MQL", "kept")
    assert row["n"] == (above & is_test).sum()
    assert row["observed"] == pytest.approx(became_sql[above & is_test].mean())
    assert not found.findings


def test_both_labels_are_calibrated_and_the_sql_line_is_about_the_won(two_labels):
    _, rows = rows_of(two_labels, two_labels[2], end_of(28))
    base = {row["subject"]: row["verdict"] for row in rows if row["check"] == "base_rate"}
    assert base == {"won": "ok", "became_sql": "ok"}
    (line,) = [row for row in rows if row["check"] == "precision"]
    assert (line["subject"], line["verdict"]) == ("SQL", "ok")


def test_a_fall_of_acceptance_breaks_the_mql_promise_though_as_many_are_won(two_labels):
    outcomes = two_labels[2]
    qualified = outcomes["qualified_at"].to_numpy().astype("datetime64[us]")
    is_won = np.array(outcomes["outcome"].to_pylist()) == "won"
    fewer = np.where(is_won | (np.arange(N) % 2 == 0), qualified, np.datetime64("NaT", "us"))
    found, rows = rows_of(two_labels, outcomes.set_column(3, "qualified_at", utc(fewer)), end_of(28))
    verdicts = {row["subject"]: row["verdict"] for row in rows if row["check"] == "base_rate"}
    assert verdicts == {"won": "ok", "became_sql": "alarm"}
    assert {"LL230", "LL232"} <= {finding.code for finding in found.findings}


def test_outcomes_that_do_not_tell_it_leave_the_promise_open_and_say_so(two_labels):
    untold = two_labels[2].drop_columns(["qualified_at"])
    found, rows = rows_of(two_labels, untold, end_of(28))
    assert [r["verdict"] for r in rows if r["check"] == "promise" and not r["is_estimate"]] == ["too_early"]
    assert [finding.code for finding in found.findings] == ["LL228"]


def test_acceptance_after_the_outcomes_were_known_did_not_happen_yet(two_labels):
    early = end_of(28) - timedelta(days=20)
    _, rows = rows_of(two_labels, two_labels[2], early)
    assert {r["verdict"] for r in rows if r["check"] == "base_rate"} == {"too_early"}
