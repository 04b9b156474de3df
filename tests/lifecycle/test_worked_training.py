"""Training with a contact log: learnt from worked leads, measured and cut off for all leads."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadlift.config import parse_config
from leadlift.data.datasets import make_leads
from leadlift.learning.cutoff import passes
from leadlift.learning.propensity import hajek_mean
from leadlift.lifecycle import training
from leadlift.lifecycle.backtest import backtest
from leadlift.lifecycle.holdout import hold_back, representative
from leadlift.lifecycle.preparing import prepare
from leadlift.lifecycle.tracking import TrackedRun
from leadlift.lifecycle.training import train
from leadlift.serving.exploring import is_drawn
from leadlift.serving.score_store import open_score_store
from leadlift.serving.scored_columns import decoded, scored_table
from leadlift.serving.stages import EXPLORED, SCORE_DECIDED

SHARE = 0.1
INPUTS = ("industry", "seniority", "contact_me", "visits_before_form", "landing_page", "employees")
TOML = """
[data]
leads = "{leads}.parquet"
{more}
[schema]
lead_id = "lead_id"
outcome = "outcome"
won = ["won"]
lost = ["lost"]
open = ["open"]
created_at = "created_at"
closed_at = "closed_at"
horizon_days = 60
known_until = {known_until}
[model]
folds = 2
[cutoff.mql]
policy = "fixed_threshold"
threshold = 0.2
"""


@pytest.fixture(scope="module")
def crm(tmp_path_factory):
    """A CRM in which an old model chose who was worked; the others were closed as lost by neglect."""
    folder = tmp_path_factory.mktemp("crm")
    simulated = make_leads(14_000, 3, with_events=False, drift=1.0)
    leads = simulated.leads.select(["lead_id", "created_at", "closed_at", "outcome", *INPUTS])
    truth = simulated.true_probability()
    known = leads.select(["seniority", "contact_me", "landing_page"]).to_pandas().assign(truth=truth)
    old_score = known.groupby(list(known.columns[:3]), dropna=False)["truth"].transform("mean").to_numpy()
    above = old_score >= np.quantile(old_score, 0.75)
    above[0] = True  # the log begins with the first lead
    drawn = ~above & is_drawn(leads["lead_id"].combine_chunks(), SHARE)
    worked = above | drawn
    neglected = leads.filter(pa.array(~worked))
    closed = pa.array([at + timedelta(days=20) for at in neglected["created_at"].to_pylist()])
    neglected = neglected.set_column(2, "closed_at", closed.cast(leads.schema.field("closed_at").type))
    neglected = neglected.set_column(3, "outcome", pa.array(["lost"] * len(neglected)))
    pq.write_table(pa.concat_tables([leads.filter(pa.array(worked)), neglected]), folder / "leads.parquet")
    contacts = pa.table(
        {
            "lead_id": leads["lead_id"].filter(pa.array(worked)),
            "contacted_at": leads["created_at"].filter(pa.array(worked)),
            "contact_probability": np.where(above, 1.0, SHARE)[worked],
        }
    )
    pq.write_table(contacts, folder / "contacts.parquet")
    store_scores(folder / "scores", leads, above, drawn)
    pq.write_table(contacts.drop_columns(["contact_probability"]), folder / "bare_contacts.parquet")
    return SimpleNamespace(
        folder=folder, leads=leads, truth=truth, above=above, known_until=simulated.known_until
    )


def store_scores(place, leads, above, drawn):
    """What the old model would have written, all leads scored before the first of them came."""
    stage = np.where(above, "MQL", "none")
    columns = {
        "lead_id": leads["lead_id"],
        "as_of": pa.array([datetime(2023, 12, 31, tzinfo=UTC)] * len(leads), pa.timestamp("us", tz="UTC")),
        "score": np.where(above, 0.4, 0.05),
        "stage": pa.array(stage),
        "model_stage": pa.array(stage),
        "stage_reason": pa.array(np.where(drawn, EXPLORED, SCORE_DECIDED)),
        "contact_probability": np.where(above, 1.0, SHARE),
        "status": pa.array(["scored"] * len(leads)),
        "model_version": pa.array(["v1"] * len(leads)),
    }
    open_score_store(place).add(decoded(scored_table(columns, len(leads))))


def configured(crm, more=""):
    until = crm.known_until.strftime("%Y-%m-%dT%H:%M:%SZ")
    return parse_config(TOML.format(leads="leads", more=more, known_until=until), folder=crm.folder)


LOG = 'contacts = "contacts.parquet"'
LOG_AND_SCORES = 'contacts = "bare_contacts.parquet"\nscores = "scores"'


@pytest.fixture(scope="module")
def trained(crm):
    """The model with the log and the one that takes neglect for loss."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "log_run", lambda **_: TrackedRun("run", 1, "models:/x", "sqlite:///x"))
        yield {
            name: train(configured(crm, more), name=name) for name, more in (("with", LOG), ("without", ""))
        }


def said(result, crm):
    return result.bundle.scorer.predict_proba(crm.leads.select(result.bundle.schema.feature_names))[:, 1]


def test_with_the_log_scores_are_calibrated_for_all_leads_and_without_they_are_not(trained, crm):
    true, below = crm.truth.mean(), ~crm.above
    weighted, biased = said(trained["with"], crm), said(trained["without"], crm)
    assert weighted.mean() == pytest.approx(true, rel=0.12)
    assert weighted[below].mean() == pytest.approx(crm.truth[below].mean(), rel=0.25)
    assert biased.mean() < 0.8 * true
    assert biased[below].mean() < 0.4 * crm.truth[below].mean()


def test_the_test_set_is_like_all_leads(trained, crm):
    problem = prepare(configured(crm, LOG))
    split = hold_back(problem, test_share=0.2, random_state=0)
    won = problem.y[split.test]
    error = np.sqrt(crm.truth.mean() / len(won))
    assert won.mean() == pytest.approx(crm.truth.mean(), abs=3 * error)
    assert trained["with"].n_test < 0.3 * trained["without"].n_test


def test_the_base_rate_is_that_of_all_leads(trained, crm):
    assert trained["with"].base_rate == pytest.approx(crm.truth.mean(), abs=0.02)


def test_leads_a_week_count_those_that_nobody_worked(trained, crm):
    cutoff = trained["with"].cutoff
    score = said(trained["with"], crm)
    days = (crm.known_until - crm.leads["created_at"][0].as_py()) / timedelta(days=1)
    per_week = passes(score, cutoff.threshold).sum() / (days / 7)
    assert cutoff.per_week.low <= per_week <= cutoff.per_week.high


def test_what_was_left_out_is_told(trained):
    codes = {finding.code for finding in trained["with"].findings}
    assert "LL280" in codes
    assert not codes & {"LL281", "LL282", "LL283", "LL284"}


def test_the_store_of_scores_says_what_the_log_says(crm):
    by_log, by_scores = (prepare(configured(crm, more)).observations for more in (LOG, LOG_AND_SCORES))
    assert by_scores.rows.equals(by_log.rows)
    assert np.array_equal(by_scores.contact_weight, by_log.contact_weight)


def test_the_bundle_says_nothing_of_where_log_and_scores_were(trained):
    assert trained["with"].bundle.schema.data.contacts is None


def test_without_a_log_every_row_stands_for_itself(crm):
    problem = prepare(configured(crm))
    rows = np.arange(len(problem.y))
    assert problem.observations.contact_weight is None
    assert representative(rows, problem, 0) is rows


def test_a_backtest_measures_all_leads(crm):
    from leadlift.learning.candidates import BaggedTrees
    from leadlift.learning.scorer import LeadScorer

    problem = prepare(configured(crm, LOG))
    weight = problem.observations.contact_weight
    result = backtest(
        LeadScorer(learner=BaggedTrees(n_folds=2, max_rounds=30, n_jobs=1)),
        problem.inputs,
        problem.y,
        as_of=problem.as_of,
        label_known_at=problem.label_known_at,
        contact_weight=weight,
        n_blocks=2,
    )
    won, n = (sum(result.blocks[name].to_pylist()) for name in ("n_won", "n"))
    of_all = hajek_mean(problem.y, weight)
    assert won / n == pytest.approx(of_all.estimate, abs=0.03)
    days = (result.blocks["end"][1].as_py() - result.blocks["begin"][0].as_py()) / timedelta(days=1)
    share = result.blocks["n_qualified"][0].as_py() / result.blocks["n"][0].as_py()
    arrivals = len(crm.leads) / 900 * 7
    assert days > 0
    assert result.blocks["per_week"][0].as_py() == pytest.approx(share * arrivals, rel=0.35)
