"""Every scored row is a test of its score, or has one reason why not; the label is that of training."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlift.data.observations import make_observations
from leadlift.exceptions import InputError, SchemaError
from leadlift.lifecycle.monitoring.matching import matching_findings
from leadlift.lifecycle.monitoring.maturity import ROW_STATES, matured

MOMENT = pa.timestamp("us", tz="UTC")


def day(n):
    return None if n is None else datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n)


def scored(*rows):
    ids, days = zip(*rows, strict=True)
    as_of = pa.array([day(n) for n in days], MOMENT)
    return pa.table({"lead_id": list(ids), "as_of": as_of, "score": [0.2] * len(rows)})


def outcomes(*rows, qualified=None):
    ids, ends, days = zip(*rows, strict=True)
    columns = {"lead_id": list(ids), "outcome": pa.array(ends, pa.string())}
    columns["closed_at"] = pa.array([day(n) for n in days], MOMENT)
    if qualified is not None:
        columns["qualified_at"] = pa.array([day(n) for n in qualified], MOMENT)
    return pa.table(columns)


def states(known):
    return [ROW_STATES[code] for code in known.state]


LEADS = outcomes(
    ("won in time", "won", 10),
    ("won late", "won", 31),
    ("lost", "lost", 5),
    ("open", "open", None),
    ("closed before", "won", 0),
    ("no date", "won", None),
    ("lost, no date", "lost", None),
    ("contradictory", None, None),
)


def test_by_eye_each_row_has_its_state_and_its_label():
    ids = [*LEADS["lead_id"].to_pylist(), "stranger"]
    known = matured(scored(*[(i, 0) for i in ids]), LEADS, 30, day(60))
    expected = ["mature"] * 4 + ["closed_before", "win_without_date", "mature", "no_outcome", "unknown_lead"]
    assert states(known) == expected
    assert known.won.tolist() == [True, False, False, False, False]
    assert sum(known.counts.values()) == len(ids)


def test_a_score_matures_a_horizon_later_to_the_microsecond():
    at = datetime(2026, 1, 31, tzinfo=UTC)
    assert states(matured(scored(("open", 0)), LEADS, 30, at)) == ["mature"]
    assert states(matured(scored(("open", 0)), LEADS, 30, at - timedelta(microseconds=1))) == ["too_early"]


def test_a_fast_win_is_no_test_before_its_horizon_is_over():
    assert states(matured(scored(("won in time", 0)), LEADS, 30, day(20))) == ["too_early"]


def test_what_happened_after_known_until_did_not_happen_yet():
    late = matured(scored(("won in time", 0)), LEADS, None, day(9))
    assert states(late) == ["too_early"]
    assert states(matured(scored(("won in time", 0)), LEADS, None, day(10))) == ["mature"]


def test_without_known_until_the_latest_closing_is_taken():
    known = matured(scored(("open", 0), ("open", 2)), LEADS, 30)
    assert states(known) == ["mature", "too_early"]


def test_without_a_horizon_a_lead_is_mature_when_it_has_closed_and_needs_no_date():
    known = matured(scored(("open", 0), ("no date", 0), ("won late", 0)), LEADS, None, day(40))
    assert states(known) == ["too_early", "mature", "mature"]
    assert known.won.tolist() == [True, True]


def test_time_zones_are_moments():
    berlin = scored(("won in time", 0))
    moved = berlin.set_column(1, "as_of", berlin["as_of"].cast(pa.timestamp("us", tz="Europe/Berlin")))
    known, other = (matured(table, LEADS, 30, day(60)) for table in (berlin, moved))
    assert known.won.tolist() == other.won.tolist() == [True]
    at = datetime(2026, 1, 31, 1, tzinfo=UTC).astimezone()
    assert matured(berlin, LEADS, 30, at).known_until == np.datetime64("2026-01-31T01:00", "us")


def test_a_lead_that_was_sql_already_is_no_test_of_becoming_sql():
    leads = outcomes(
        *[(name, end, when) for name, end, when in (("a", "lost", 9), ("b", "won", 9), ("c", "lost", 9))],
        qualified=[3, None, -1],
    )
    known = matured(scored(("a", 0), ("b", 0), ("c", 0)), leads, 30, day(60))
    assert known.became_sql.tolist() == [True, True, False]
    assert known.was_sql.tolist() == [False, False, True]


def test_rows_of_leads_that_nobody_worked_are_told_apart():
    known = matured(scored(("lost", 0), ("open", 0)), LEADS, 30, day(60), weights=[0.0, 2.0])
    assert states(known) == ["not_worked", "mature"]
    with pytest.raises(InputError, match="2 finite numbers >= 0"):
        matured(scored(("lost", 0), ("open", 0)), LEADS, 30, day(60), weights=[-1.0, 2.0])


def test_a_missing_column_is_named():
    with pytest.raises(SchemaError, match=r"'closed_at' .expected, not found"):
        matured(scored(("a", 0)), LEADS.drop_columns(["closed_at"]), 30, day(60))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["won", "lost", "open"]), st.integers(1, 80), st.integers(0, 60)),
        min_size=1,
        max_size=12,
    )
)
def test_the_label_is_that_of_the_learning_problem(leads):
    """A lead scored at its creation matures when, and as what, it would be learnt from."""
    ids = [f"L{i}" for i in range(len(leads))]
    created = pa.array([day(made) for _, _, made in leads], MOMENT)
    closed = pa.array([None if end == "open" else day(made + n) for end, n, made in leads], MOMENT)
    ends = pa.array([end for end, _, _ in leads])
    table = pa.table({"lead_id": ids, "outcome": ends, "closed_at": closed})
    known = matured(
        pa.table({"lead_id": ids, "as_of": created, "score": [0.1] * len(ids)}), table, 30, day(70)
    )
    mature = {ids[row]: won for row, won in zip(known.rows, known.won.tolist(), strict=True)}
    if not mature:
        return
    learnt = make_observations(
        table.append_column("created_at", created), horizon_days=30, known_until=day(70)
    )
    assert mature == dict(zip(learnt.lead_id.tolist(), (learnt.y > 0).tolist(), strict=True))


def found(scores, leads, horizon_days=30, known_until=None):
    known = matured(scores, leads, horizon_days, known_until)
    horizon = np.timedelta64(horizon_days, "D")
    findings = matching_findings(scores, leads, known, known_until=known_until, horizon=horizon)
    return {finding.code: finding for finding in findings}


def test_unknown_leads_are_counted_and_a_warning_only_where_their_outcome_was_due():
    due = found(scored(("stranger", 0), ("lost", 0)), LEADS, known_until=day(60))["LL220"]
    assert (due.severity, due.count, due.examples) == ("warning", 1, ("stranger",))
    assert "1 of 2 scored rows (50.0%)" in due.message
    new = found(scored(("stranger", 50), ("lost", 0)), LEADS, known_until=day(60))["LL220"]
    assert new.severity == "info"


def test_leads_closed_before_their_score_and_outcomes_of_others_are_told():
    codes = found(
        scored(("closed before", 0), ("contradictory", 0), ("no date", 0)), LEADS, known_until=day(60)
    )
    assert {"LL221", "LL222", "LL223", "LL224"} <= set(codes)
    assert codes["LL221"].count == 5
    assert codes["LL222"].severity == "warning"


def test_outcomes_that_end_before_the_scores_begin_are_told():
    assert "test none" in found(scored(("lost", 90)), LEADS, known_until=day(60))["LL225"].message


def test_an_old_extract_said_to_be_new_is_told():
    many = outcomes(*[(f"L{i}", "lost", i) for i in range(90)], *[(f"M{i}", "open", None) for i in range(30)])
    scores = scored(*[(f"L{i}", 0) for i in range(1, 90)])
    assert "LL226" not in found(scores, many, known_until=day(100))
    assert "up to 30 of 30 open leads" in found(scores, many, known_until=day(120))["LL226"].message
