"""A lead that nobody worked has no outcome; those that were worked speak for it, as far as they can."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from leadlift.data.contacts import contacts_from
from leadlift.data.observations import make_observations
from leadlift.exceptions import ConfigError, InputError
from leadlift.lifecycle.worked_leads import keep_worked
from leadlift.serving.stages import EXPLORED, SCORE_DECIDED
from leadlift.terms import Severity

START = datetime(2026, 1, 1, tzinfo=UTC)
HORIZON = 30


def day(number):
    return START + timedelta(days=number)


def observed(created, won=(), **keywords):
    """Leads created on these days; those won are won ten days later, the others lost by neglect."""
    ids = list(created)
    leads = pa.table(
        {
            "lead_id": ids,
            "created_at": [day(number) for number in created.values()],
            "closed_at": [day(number + 10) for number in created.values()],
            "outcome": ["won" if name in won else "lost" for name in ids],
        }
    )
    asked = {"horizon_days": HORIZON, "known_until": day(400)} | keywords
    return make_observations(leads, **asked)


def log(days, probability=None):
    columns = {"lead_id": list(days), "contacted_at": [day(number) for number in days.values()]}
    return contacts_from(
        pa.table(columns if probability is None else columns | {"contact_probability": probability})
    )


def scored(kinds, number=0):
    """Scores of one day: "MQL", "drawn" or "none"."""
    stage = ["MQL" if kind == "MQL" else "none" for kind in kinds.values()]
    return pa.table(
        {
            "lead_id": list(kinds),
            "as_of": pa.array([day(number)] * len(kinds), pa.timestamp("us", tz="UTC")),
            "stage": stage,
            "stage_reason": [EXPLORED if kind == "drawn" else SCORE_DECIDED for kind in kinds.values()],
            "model_stage": stage,
            "contact_probability": [1.0 if kind == "MQL" else 0.05 for kind in kinds.values()],
        }
    )


def codes(worked):
    return {finding.code for finding in worked.findings}


def test_leads_that_were_not_worked_are_left_out_and_counted_not_lost():
    worked = keep_worked(observed({"a": 0, "b": 0, "c": 0}, won="a"), log({"a": 0, "b": 1}, [1.0, 0.05]))
    rows = worked.observations
    assert rows.lead_id.tolist() == ["a", "b"]
    assert rows.contact_weight.tolist() == [1, 20]
    assert rows.weight.tolist() == [1, 1]
    assert rows.index.tolist() == [0, 1]
    assert rows.n_not_worked == 1
    assert codes(worked) == {"LL280"}
    assert worked.findings[0].severity is Severity.INFO


def test_a_contact_after_the_horizon_did_not_work_the_lead_in_time():
    worked = keep_worked(observed({"a": 0, "b": 0}), log({"a": 0, "b": 31}, [1.0, 0.05]))
    assert worked.observations.lead_id.tolist() == ["a"]
    assert "LL285" in codes(worked)


def test_the_scores_say_who_was_chosen_and_how_likely_that_was():
    kinds = {"a": "MQL", "b": "drawn", "c": "none", "d": "none"}
    observations = observed(dict.fromkeys("abcd", 0), won="c")
    worked = keep_worked(observations, log({"a": 1, "b": 1, "c": 1}), scored(kinds))
    assert worked.observations.lead_id.tolist() == ["a", "b"]
    assert worked.observations.contact_weight.tolist() == [1, 20]
    assert codes(worked) == {"LL280", "LL284"}


def test_a_score_that_came_after_the_contact_decided_nothing():
    worked = keep_worked(observed({"a": 0}), log({"a": 1}, [0.5]), scored({"a": "none"}, number=2))
    assert worked.observations.contact_weight.tolist() == [2]


def test_without_any_exploration_the_share_that_nothing_can_be_learnt_of_is_told():
    names = [f"L{i}" for i in range(10)]
    worked = keep_worked(observed(dict.fromkeys(names, 0)), log(dict.fromkeys(names[:4], 0), [1.0] * 4))
    support = next(finding for finding in worked.findings if finding.code == "LL281")
    assert support.severity is Severity.WARNING
    assert "6 of 10 rows (60%)" in support.text
    assert "explore_share" in support.remedy


def test_with_exploration_the_others_are_spoken_for():
    names = [f"L{i}" for i in range(10)]
    chances = [1.0, 1.0, 1.0, 0.05]
    worked = keep_worked(observed(dict.fromkeys(names, 0)), log(dict.fromkeys(names[:4], 0), chances))
    assert "LL281" not in codes(worked)


def test_a_weight_that_is_clipped_is_counted():
    worked = keep_worked(observed({"a": 0, "b": 0}), log({"a": 0, "b": 0}, [1.0, 0.001]))
    clipped = next(finding for finding in worked.findings if finding.code == "LL282")
    assert clipped.count == 1
    assert worked.observations.contact_weight.tolist() == [1, 50]


def test_a_contact_of_unknown_chance_is_taken_as_certain_and_told():
    worked = keep_worked(observed({"a": 0, "b": 0}), log({"a": 0, "b": 0}))
    assert worked.observations.contact_weight.tolist() == [1, 1]
    assert codes(worked) == {"LL283"}


def test_chosen_leads_that_were_passed_over_are_told():
    kinds = dict.fromkeys("abcd", "MQL")
    worked = keep_worked(observed(dict.fromkeys("abcd", 0)), log({"a": 0, "b": 1, "c": 2}), scored(kinds))
    passed_over = next(finding for finding in worked.findings if finding.code == "LL285")
    assert "1 of 4 rows whose lead was chosen (25%)" in passed_over.text


def test_leads_from_before_the_log_are_kept_as_they_are():
    worked = keep_worked(observed({"old": 0, "new": 50, "other": 50}), log({"new": 50}, [0.5]))
    assert worked.observations.lead_id.tolist() == ["old", "new"]
    assert worked.observations.contact_weight.tolist() == [1, 2]
    assert "LL286" in codes(worked)


def test_wins_without_a_contact_are_told():
    worked = keep_worked(observed({"a": 0, "b": 0}, won="b"), log({"a": 0}, [0.05]))
    assert worked.observations.lead_id.tolist() == ["a"]
    assert "LL287" in codes(worked)


def test_without_dates_a_lead_in_the_log_was_worked():
    leads = pa.table({"lead_id": ["a", "b"], "outcome": ["won", "lost"]})
    worked = keep_worked(make_observations(leads), log({"a": 0}, [0.5]))
    assert worked.observations.lead_id.tolist() == ["a"]
    with pytest.raises(ConfigError, match="created_at"):
        keep_worked(make_observations(leads), log({"a": 0}), scored({"a": "MQL"}))


def test_a_log_of_other_leads_is_refused():
    with pytest.raises(InputError, match=r"none of 1 rows .* spelling of the ids"):
        keep_worked(observed({"a": 5}), log({"A-1": 0}))


def test_the_order_of_the_log_and_of_the_scores_does_not_matter():
    kinds = {"a": "MQL", "b": "drawn", "c": "none"}
    observations, days = observed(dict.fromkeys("abc", 0)), {"a": 1, "b": 2}
    one = keep_worked(observations, log(days), scored(kinds))
    backwards = log(dict(reversed(days.items())))
    other = keep_worked(observations, backwards, scored(dict(reversed(kinds.items()))))
    assert one.observations.rows.equals(other.observations.rows)
    assert np.array_equal(one.observations.contact_weight, other.observations.contact_weight)
    assert one.findings == other.findings
