"""Who became SQL within the horizon, who was SQL already, and who teaches nothing."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs import make_config
from leadlift.data.observations import make_observations
from leadlift.data.reading import leads_from
from leadlift.data.second_label import second_label
from leadlift.exceptions import ImmatureLabelsError, SchemaError

START = datetime(2026, 1, 1, tzinfo=UTC)
DATES = {"created_at": "created", "closed_at": "closed", "qualified_at": "accepted"}
EXTRACT = datetime(2026, 3, 1, tzinfo=UTC)


def day(number):
    return None if number is None else START + timedelta(days=number)


def leads(rows):
    """Leads from (stage, day created, day closed, day accepted)."""
    stage, created, closed, accepted = zip(*rows, strict=True)
    columns = {"created": created, "closed": closed, "accepted": accepted}
    dates = {name: pa.array(map(day, days), pa.timestamp("us", tz="UTC")) for name, days in columns.items()}
    table = pa.table({"id": [f"{i}" for i in range(len(rows))], "stage": list(stage)} | dates)
    return leads_from(table, make_config(lead_id="id", open=("Open",), **DATES))


def labelled(rows, **keywords):
    read = leads(rows)
    observations = make_observations(read, known_until=EXTRACT, **keywords)
    label = second_label(read, observations)
    ids = observations.lead_id.tolist()
    return list(zip(ids, label.became_sql.tolist(), label.teaches.tolist(), strict=True))


ROWS = [
    ("Lost", 0, 20, 5),  # accepted in time
    ("Lost", 0, 20, None),
    ("Won", 0, 9, None),  # won, so accepted
    ("Open", 0, None, 10),  # accepted on the last day
    ("Open", 0, None, 10.01),  # accepted too late
    ("Lost", 0, 20, 0),  # SQL at its creation
    ("Lost", 0, 20, -3),
]


def test_accepted_or_won_within_the_horizon_is_sql_and_who_was_sql_already_teaches_nothing():
    assert labelled(ROWS, horizon_days=10) == [
        ("0", True, True),
        ("1", False, True),
        ("2", True, True),
        ("3", True, True),
        ("4", False, True),
        ("5", False, False),
        ("6", False, False),
    ]


def test_at_later_moments_those_accepted_before_teach_nothing():
    found = labelled(ROWS[:2], horizon_days=10, at_days=[0, 5, 6])
    assert found == [
        ("0", True, True),
        ("0", False, False),
        ("0", False, False),
        ("1", False, True),
        ("1", False, True),
        ("1", False, True),
    ]


def test_without_a_horizon_acceptance_counts_whenever_it_came():
    assert labelled([ROWS[0], ROWS[1], ROWS[2], ROWS[5]]) == [
        ("0", True, True),
        ("1", False, True),
        ("2", True, True),
        ("3", False, False),
    ]


def test_an_acceptance_after_the_extract_is_not_known_yet():
    late = ("Lost", 0, 20, 80)
    assert labelled([ROWS[0], ROWS[1], late])[-1] == ("2", False, True)


DAYS = st.none() | st.integers(-5, 40)


@given(
    st.lists(st.tuples(st.sampled_from(["Won", "Lost"]), st.integers(1, 50), DAYS), min_size=1, max_size=20)
)
def test_every_win_is_an_sql_and_the_label_is_that_of_a_loop(rows):
    # Two leads make sure that there is something to learn.
    rows = [ROWS[0], ROWS[1], *((stage, 0, closed, accepted) for stage, closed, accepted in rows)]
    read = leads(rows)
    observations = make_observations(read, horizon_days=10, known_until=EXTRACT)
    label = second_label(read, observations)
    assert label.became_sql[observations.y > 0].all()
    for (stage, _, closed, accepted), became, teaches in zip(
        rows, label.became_sql, label.teaches, strict=True
    ):
        assert teaches == (accepted is None or accepted > 0)
        in_time = accepted is not None and 0 < accepted <= 10
        assert became == (in_time or (stage == "Won" and closed <= 10))


# Bad input


def test_a_column_by_which_nobody_became_sql_is_refused():
    rows = [("Lost", 0, 20, None), ("Lost", 0, 20, -1)]
    with pytest.raises(ImmatureLabelsError, match=r"of 1 rows of leads that were not SQL yet, 0 became SQL"):
        labelled(rows, horizon_days=10)


def test_the_moment_of_acceptance_needs_that_of_creation():
    with pytest.raises(ValueError, match="qualified_at needs created_at"):
        make_config(qualified_at="accepted")


def test_a_column_has_one_role():
    with pytest.raises(ValueError, match="'closed' stands twice in the roles of"):
        make_config(created_at="created", closed_at="closed", qualified_at="closed")


def test_a_column_that_is_not_there_is_named():
    table = pa.table({"stage": ["Won"], "created": np.array(["2026-01-01"], "datetime64[us]")})
    with pytest.raises(SchemaError, match=r"(?s)\[schema\].*- 'accepted'"):
        leads_from(table, make_config(created_at="created", qualified_at="accepted"))
