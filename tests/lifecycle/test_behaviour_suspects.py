"""What leaks beside events: columns that count the whole log, and features built from a suspect column."""

import polars as pl
import pytest

import leadlift as ll
from leadlift.config import read_config
from leadlift.exceptions import InputError
from leadlift.lifecycle.preparing import prepare


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A simulated CRM whose export counts all activities and has a source that sales fills in at the end."""
    folder = tmp_path_factory.mktemp("crm")
    ll.make_leads(1500, seed=8, base_rate=0.25).save(folder)
    events = pl.read_parquet(folder / "events.parquet")
    n_events = events.group_by("lead_id").agg(n_activities=pl.len())
    won_by = pl.when(pl.col("outcome") == "won").then(pl.lit("partner")).otherwise(pl.lit("web"))
    leads = pl.read_csv(folder / "leads.csv", infer_schema=False)
    leads.join(n_events, on="lead_id", how="left").with_columns(final_source=won_by).write_csv(
        folder / "leads.csv"
    )
    found = ll.discover(folder / "leads.csv", events=folder / "events.parquet")
    text = found.to_toml(folder=folder).replace("at_days = [0, 7, 14, 30]", "at_days = [0]")
    later = ["sales_stage", "last_activity", "loss_reason", "loss_note", "deal_amount"]
    config = folder / "leadlift.toml"
    config.write_text(text.replace("ignore = [", f"ignore = [{', '.join(map(repr, later))},"))
    return folder


def test_a_column_that_counts_the_whole_log_stops_training(folder):
    with pytest.raises(InputError, match=r"(?s)LL190 'n_activities' is the number of all events"):
        prepare(read_config(folder / "leadlift.toml"))


def test_left_out_suspects_take_what_was_built_from_them_along(folder):
    problem = prepare(read_config(folder / "leadlift.toml"), leave_out_suspects=True)
    names = {spec.name for spec in problem.specs}
    assert not names & {"n_activities", "final_source", "final_source_lift"}
    assert "source_lift" in names
    assert problem.builder.specs_ == problem.specs
    assert {suspect.column for suspect in problem.left_out} == {"final_source"}
    told = {finding.column: finding for finding in problem.findings if finding.code in {"LL120", "LL190"}}
    assert {name: f.severity.value for name, f in told.items()} == {
        "n_activities": "warning",
        "final_source": "warning",
    }
