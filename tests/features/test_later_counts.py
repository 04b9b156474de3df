"""A column that counts all events of a lead, also those to come, is found; honest counts are not."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadlift.data.datasets import bpi2012
from leadlift.data.events import events_from
from leadlift.features.event_checks import EventWatch

CREATED = datetime(2026, 3, 1, tzinfo=UTC)
N_LEADS = 60


def watched(columns, days, names=None):
    """Findings about leads 0, 1, 2 ... whose events lie so many days after creation."""
    ids = [str(lead) for lead in range(len(days))]
    leads = pa.table({"lead_id": ids, "created_at": [CREATED] * len(ids), **columns})
    lead = np.repeat(ids, [len(of_lead) for of_lead in days])
    moment = np.datetime64(CREATED.replace(tzinfo=None), "us") + np.concatenate(days).astype("timedelta64[h]")
    events = events_from(
        pa.table({"lead_id": lead, "occurred_at": pa.array(moment), "event_type": ["visit"] * len(lead)})
    )
    watch = EventWatch(leads, None, list(columns) if names is None else names)
    for batch in events.batches(batch_rows=7):
        watch.see(batch)
    return [finding for finding in watch.findings() if finding.code == "LL190"]


@pytest.fixture
def days():
    """Hours after creation of 1 to 9 events a lead, some before it."""
    rng = np.random.default_rng(0)
    return [rng.integers(-100, 400, rng.integers(1, 10)) for _ in range(N_LEADS)]


def totals(days):
    return np.array([float(len(of_lead)) for of_lead in days])


def test_the_number_of_all_events_is_found_with_count_and_examples(days):
    (finding,) = watched({"activities": totals(days)}, days)
    has_later = [str(lead) for lead, of_lead in enumerate(days) if (of_lead >= 0).any()]
    assert (finding.column, finding.count, finding.severity.value) == ("activities", len(has_later), "fatal")
    assert finding.examples == tuple(sorted(has_later)[:5])


def test_the_number_of_events_before_creation_is_an_honest_column(days):
    before = np.array([float((of_lead < 0).sum()) for of_lead in days])
    assert watched({"visits_before": before}, days) == []


def test_a_count_that_is_right_for_most_leads_only_by_chance_is_none(days):
    counts = totals(days)
    counts[::8] += 1
    assert watched({"size": counts}, days) == []


def test_a_column_that_is_no_input_or_is_confirmed_is_not_judged(days):
    assert watched({"activities": totals(days)}, days, names=[]) == []


def test_a_column_of_ones_beside_one_event_each_says_nothing():
    days = [np.array([5]) for _ in range(N_LEADS)]
    assert watched({"one": np.ones(N_LEADS)}, days) == []


@pytest.mark.real_data
def test_the_count_of_events_in_the_export_of_the_loans_is_found(real_data):
    folder = real_data / "bpi2012_loans"
    log = bpi2012(folder)
    raw = pq.read_table(folder / "events.parquet", columns=["case_id", "timestamp", "activity"])
    events = events_from(raw.rename_columns(["lead_id", "occurred_at", "event_type"]))
    counts = raw.group_by("case_id").aggregate([("activity", "count")])
    by_case = dict(zip(counts["case_id"].to_pylist(), counts["activity_count"].to_pylist(), strict=True))
    n_events = pa.array([float(by_case[case]) for case in log.leads["lead_id"].to_pylist()])
    watch = EventWatch(
        log.leads.append_column("n_events", n_events), log.known_until, ["n_events", "amount_req"]
    )
    for batch in events.batches():
        watch.see(batch)
    assert [f.column for f in watch.findings() if f.code == "LL190"] == ["n_events"]
