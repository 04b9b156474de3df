"""Exploring end to end: the price on the command line, and the same leads marked however a job is run."""

import json
from dataclasses import replace
from datetime import UTC, timedelta

import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from command_line import run_ok
from leadlift.serving.exploring import is_drawn
from leadlift.serving.predict import predict
from leadlift.serving.stages import EXPLORED
from leadlift.terms import SCORED_COLUMNS

SHARE = 0.2


@pytest.fixture(scope="module")
def exploring(bundle):
    return replace(bundle, stages=bundle.stages.model_copy(update={"explore_share": SHARE}))


@pytest.fixture(scope="module")
def as_of(workspace):
    created = pyarrow.csv.read_csv(workspace.new_leads)["created_at"]
    return pc.max(created).as_py().replace(tzinfo=UTC) + timedelta(days=1)


@pytest.fixture(scope="module")
def scored(exploring, workspace, as_of, tmp_path_factory):
    out = tmp_path_factory.mktemp("scored") / "scored.parquet"
    summary = predict(exploring, workspace.new_leads, out=out, as_of=as_of)
    return summary, pq.read_table(out)


def test_leads_below_the_lines_are_marked_by_their_ids_alone(scored):
    summary, table = scored
    below = pc.equal(table["stage"], "none").to_numpy()
    marked = pc.equal(table["stage_reason"], EXPLORED).to_numpy()
    assert (marked == (below & is_drawn(table["lead_id"], SHARE))).all()
    assert summary.by_stage_reason[EXPLORED] == marked.sum() > 0
    assert table["contact_probability"].to_pylist() == [SHARE if b else 1.0 for b in below]


def test_no_stage_and_no_score_changes(bundle, scored, workspace, as_of, tmp_path):
    out = tmp_path / "plain.parquet"
    predict(bundle, workspace.new_leads, out=out, as_of=as_of)
    same = [n for n in SCORED_COLUMNS if n not in ("stage_reason", "contact_probability", "model_version")]
    assert pq.read_table(out).select(same).equals(scored[1].select(same))
    assert pq.read_table(out)["contact_probability"].null_count == scored[1].num_rows


def test_a_lead_is_marked_on_its_own_and_on_another_day_as_it_is_among_others(
    exploring, scored, workspace, as_of, tmp_path
):
    leads = pyarrow.csv.read_csv(workspace.new_leads)
    some = leads.take(list(range(leads.num_rows - 1, 0, -7)))
    pq.write_table(some, tmp_path / "some.parquet")
    out = tmp_path / "some_scored.parquet"
    predict(exploring, tmp_path / "some.parquet", out=out, as_of=as_of + timedelta(days=30))
    before = dict(zip(*(scored[1][name].to_pylist() for name in ("lead_id", "stage_reason")), strict=True))
    for row in pq.read_table(out).to_pylist():
        if row["stage"] == "none":
            assert row["stage_reason"] == before[row["lead_id"]]


def test_the_command_line_says_what_exploring_costs(workspace):
    out = run_ok("cutoff", workspace.champion, "--explore-share", 0.05).out
    assert "Exploring 5.0% below the line:" in out
    printed = json.loads(run_ok("cutoff", workspace.champion, "--explore-share", 0.05, "--json").out)
    cost = printed["explore"]
    assert (cost["share"], cost["per"]) == (0.05, "a week")
    assert 0 < cost["wins"] < cost["wins_of_next_best"] < cost["contacts"]


def test_without_being_asked_it_says_nothing(workspace):
    assert "explore" not in json.loads(run_ok("cutoff", workspace.champion, "--json").out)
