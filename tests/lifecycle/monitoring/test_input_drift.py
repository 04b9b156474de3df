"""Inputs that did not change raise no alarm, those that did do, and a broken feed is found at once."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
import pytest

from configs import make_config, make_schema
from leadlift.exceptions import InputError
from leadlift.learning.cutoff.evidence import Evidence
from leadlift.lifecycle.monitoring.budget import AlarmBudget
from leadlift.lifecycle.monitoring.counted_inputs import count_inputs
from leadlift.lifecycle.monitoring.drift import check_inputs
from leadlift.lifecycle.monitoring.table import monitor_table
from leadlift.serving.drift import DriftCounts
from leadlift.serving.reference import build_reference
from leadlift.terms import FeatureSpec, Kind, Severity
from watched_leads import WatchedBundle, counted, leads, scores, watched_bundle, with_column

N_COLUMNS = 36
BUDGET = AlarmBudget()
FEED_ROWS = 200
"""From so many rows on a broken feed is found in every column."""


@pytest.fixture(scope="module")
def bundle():
    return watched_bundle(N_COLUMNS)


def checked(bundle, inputs, **values):
    return check_inputs(bundle, counted(bundle, inputs), window_days=7, budget=BUDGET, **values)


def codes(result):
    return {(finding.column, finding.code) for finding in result.findings}


def test_quarters_without_drift_raise_no_alarm(bundle):
    """At 2.5 % a quarter for inputs and the rest without labels, 5 quarters hold 0.125 alarms at most."""
    rng = np.random.default_rng(1)
    alarms = [
        finding
        for week in range(5 * 13)
        for finding in checked(bundle, leads(int(rng.integers(500, 5_000)), N_COLUMNS, 100 + week)).findings
    ]
    assert alarms == []


def test_the_p_values_of_a_batch_together_keep_their_level(bundle):
    """Holm: without drift the least adjusted p-value is below 0.1 in a tenth of batches at most."""
    batches = [checked(bundle, leads(600, N_COLUMNS, 1_000 + seed)) for seed in range(60)]
    least = [min(row["p_value"] for row in batch.rows) for batch in batches]
    # 12 of 60 or more come with a chance of 1.4 % at a true rate of 0.1.
    assert sum(p <= 0.1 for p in least) < 12


def test_shifts_that_matter_are_found_in_a_week_of_500_leads(bundle):
    inputs = leads(500, N_COLUMNS, 2)
    moved = with_column(inputs, "income_0", np.random.default_rng(3).lognormal(10.5, 1, 500))
    assert codes(checked(bundle, moved)) == {("income_0", "LL210")}
    emptied = pc.if_else(np.random.default_rng(4).random(500) < 0.3, None, inputs["source_0"])
    assert codes(checked(bundle, with_column(inputs, "source_0", emptied))) >= {("source_0", "LL211")}
    level = pc.if_else(np.random.default_rng(5).random(500) < 0.2, "podcast", inputs["source_0"])
    assert codes(checked(bundle, with_column(inputs, "source_0", level))) >= {("source_0", "LL212")}


def test_a_shift_that_does_not_matter_is_no_alarm_however_many_leads(bundle):
    inputs = leads(30_000, N_COLUMNS, 6)
    slightly = with_column(inputs, "income_0", np.random.default_rng(7).lognormal(10.1, 1, 30_000))
    result = checked(bundle, slightly)
    (row,) = [r for r in result.rows if (r["check"], r["subject"]) == ("input_drift", "income_0")]
    assert row["p_value"] < 1e-6
    assert row["observed"] < row["limit"]
    assert row["verdict"] == "ok"
    assert result.findings == ()


def broken_feeds(inputs, spec):
    """The column with every fault that a feed may have, and the code of each."""
    column, n_rows = inputs[spec.name], len(inputs)
    yield "LL200", pa.nulls(n_rows, column.type)
    if spec.kind is Kind.CATEGORICAL:
        yield "LL204", pc.binary_join_element_wise(column, "renamed", " ")
    else:
        yield "LL201", pc.multiply(column, 100.0)
        yield "LL201", pc.divide(column, 100.0)
        yield "LL202", pa.array(np.full(n_rows, pc.max(column).as_py()))


def test_every_broken_feed_is_fatal_at_the_first_small_batch_and_touches_no_other_column(bundle):
    for seed, spec in enumerate(bundle.specs[:12]):
        inputs = leads(FEED_ROWS, N_COLUMNS, 50 + seed)
        for code, values in broken_feeds(inputs, spec):
            result = checked(bundle, with_column(inputs, spec.name, values))
            assert codes(result) == {(spec.name, code)}, (spec.name, code)
            assert result.findings[0].severity is Severity.FATAL


def test_the_factor_of_a_changed_unit_is_told(bundle):
    inputs = leads(FEED_ROWS, N_COLUMNS, 1)
    in_cents = with_column(inputs, "income_0", pc.multiply(inputs["income_0"], 100.0))
    assert "about 100 times" in checked(bundle, in_cents).findings[0].message


def test_a_column_that_was_constant_or_empty_at_training_is_no_broken_feed():
    bundle = watched_bundle(6)
    empty = {"n_rows": 100, "missing_share": 1.0, "quantiles": [], "bin_shares": [0.0], "sizes": {}}
    same = {
        "n_rows": 100, "missing_share": 0.0, "quantiles": [3.0] * 11, "bin_shares": [1.0, 0.0],
        "sizes": {"2": 100},
    }  # fmt: skip
    columns = bundle.reference.columns | {"income_0": empty, "clicks_0": same}
    bundle = replace(bundle, reference=replace(bundle.reference, columns=columns))
    inputs = with_column(leads(500, 6, 1), "income_0", pa.nulls(500, pa.float64()))
    assert checked(bundle, with_column(inputs, "clicks_0", np.full(500, 3.0))).findings == ()


def test_the_rows_are_those_of_the_table_of_monitoring(bundle):
    table = monitor_table(checked(bundle, leads(500, N_COLUMNS, 1)).rows)
    assert set(table["check"].to_pylist()) == {"input_drift", "missing", "constant", "unit", "new_levels"}
    assert table.num_rows == 4 * N_COLUMNS
    assert set(table["verdict"].to_pylist()) == {"ok"}


def test_no_lead_gives_no_row(bundle):
    assert checked(bundle, leads(0, N_COLUMNS, 1)).rows == ()


def test_a_reference_that_has_not_counted_sizes_is_silent_about_units_alone(bundle):
    columns = {
        name: {key: value for key, value in profile.items() if key != "sizes"}
        for name, profile in bundle.reference.columns.items()
    }
    old = replace(bundle, reference=replace(bundle.reference, columns=columns))
    inputs = leads(500, N_COLUMNS, 1)
    in_cents = with_column(inputs, "income_0", pc.multiply(inputs["income_0"], 100.0))
    assert codes(checked(old, in_cents)) == {("income_0", "LL210")}
    assert checked(old, inputs).findings == ()


ACTS = tuple(
    FeatureSpec(name, Kind.NUMERIC, group="activity", wording=wording, about=about)
    for name, wording, about in [
        ("n_visit_all", "type.count", ("visit",)),
        ("n_demo_all", "type.count", ("demo",)),
        ("days_since_demo", "type.last", ("demo",)),
    ]
)


def acts(n_rows, seed, age_days, demos_a_day=0.02):
    """Acts of leads of an age: the older, the more."""
    rng = np.random.default_rng(seed)
    n_demo = rng.poisson(demos_a_day * age_days, n_rows).astype(float)
    since = pa.array(rng.exponential(5, n_rows), mask=n_demo == 0)
    return pa.table(
        {"n_visit_all": rng.poisson(0.1 * age_days, n_rows), "n_demo_all": n_demo, "days_since_demo": since}
    )


@pytest.fixture(scope="module")
def behaviour_bundle():
    """A model of behaviour, trained on leads at ages of which half are young."""
    trained = pa.concat_tables([acts(4_000, 0, 5), acts(4_000, 1, 60)])
    score = scores(1_000, 0)
    evidence = Evidence(score, score, score > 0.5)
    reference = build_reference(0.3, evidence, ACTS, trained, np.ones(len(trained), dtype=bool))
    return WatchedBundle(ACTS, reference, builder=object())


def test_leads_of_other_ages_are_no_drift_of_a_model_of_behaviour(behaviour_bundle):
    nightly = [counted(behaviour_bundle, acts(1_000, seed, 60)) for seed in (2, 3, 4)]
    *earlier, latest = nightly
    values = {"window_days": 1, "budget": BUDGET}
    first = check_inputs(behaviour_bundle, latest, **values)
    drift = [row["verdict"] for row in first.rows if row["check"] == "input_drift"]
    assert drift == ["too_early"] * len(ACTS)
    assert first.findings == ()
    assert check_inputs(behaviour_bundle, latest, against="training", **values) == first
    then = check_inputs(behaviour_bundle, latest, earlier=earlier, **values)
    assert {row["verdict"] for row in then.rows} == {"ok"}


def test_an_event_type_that_stopped_is_one_fatal_finding(behaviour_bundle):
    earlier = [counted(behaviour_bundle, acts(1_000, seed, 60)) for seed in (2, 3, 4)]
    stopped = with_column(acts(FEED_ROWS, 5, 60), "n_demo_all", np.zeros(FEED_ROWS))
    stopped = with_column(stopped, "days_since_demo", pa.nulls(FEED_ROWS, pa.float64()))
    latest = counted(behaviour_bundle, stopped)
    result = check_inputs(behaviour_bundle, latest, window_days=1, budget=BUDGET, earlier=earlier)
    (finding,) = result.findings
    assert (finding.code, finding.severity) == ("LL203", Severity.FATAL)
    assert finding.examples == ("days_since_demo", "n_demo_all")
    assert "'demo'" in finding.message


def test_a_rare_event_type_that_stopped_is_found_among_many_other_columns(behaviour_bundle):
    """One lead in sixteen has the type: 200 leads without it come with a chance of 3 in a million."""
    earlier = [counted(behaviour_bundle, acts(1_000, seed, 60, demos_a_day=0.0011)) for seed in (2, 3)]
    stopped = with_column(acts(FEED_ROWS, 5, 60), "n_demo_all", np.zeros(FEED_ROWS))
    latest = counted(behaviour_bundle, stopped)
    result = check_inputs(behaviour_bundle, latest, window_days=7, budget=BUDGET, earlier=earlier)
    assert "LL203" in {finding.code for finding in result.findings}


def test_an_event_type_that_never_came_is_told_at_the_very_first_batch(behaviour_bundle):
    without = with_column(acts(FEED_ROWS, 5, 60), "n_demo_all", np.zeros(FEED_ROWS))
    result = check_inputs(behaviour_bundle, counted(behaviour_bundle, without), window_days=1, budget=BUDGET)
    (finding,) = result.findings
    assert (finding.code, finding.severity, finding.examples) == ("LL216", Severity.WARNING, ("demo",))


def test_drift_since_the_model_went_live_is_found_against_earlier_batches(bundle):
    earlier = [counted(bundle, leads(1_000, N_COLUMNS, seed)) for seed in (2, 3, 4)]
    moved = with_column(
        leads(1_000, N_COLUMNS, 5), "income_0", np.random.default_rng(6).lognormal(10.6, 1, 1_000)
    )
    assert codes(checked(bundle, moved, earlier=earlier, against="earlier")) == {("income_0", "LL210")}


def test_to_compare_with_earlier_batches_takes_some(bundle):
    with pytest.raises(InputError, match="needs earlier batches of this model"):
        checked(bundle, leads(10, N_COLUMNS, 1), earlier=[DriftCounts()], against="earlier")


def test_inputs_are_counted_from_a_file_as_by_the_job(bundle, tmp_path):
    inputs = leads(40_000, 6, 8)
    kinds = {spec.name: spec.kind for spec in bundle.specs[:6]}
    small = SimpleNamespace(
        specs=bundle.specs[:6],
        reference=bundle.reference,
        builder=None,
        schema=make_schema(make_config(), kinds),
    )
    pyarrow.parquet.write_table(inputs, tmp_path / "leads.parquet")
    counts = count_inputs(small, tmp_path / "leads.parquet")
    by_job = counted(small, inputs)
    assert (counts.rows, counts.bins, counts.sketches) == (by_job.rows, by_job.bins, by_job.sketches)


def test_inputs_of_a_model_of_behaviour_cannot_be_counted_from_a_file(behaviour_bundle, tmp_path):
    with pytest.raises(InputError, match="made of events"):
        count_inputs(behaviour_bundle, tmp_path / "leads.parquet")
