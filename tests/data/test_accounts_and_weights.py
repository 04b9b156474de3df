"""Account and weight are roles: read with the leads, carried to the rows, and no inputs."""

import numpy as np
import pyarrow as pa
import pytest

from configs import make_config
from leadlift.config import SchemaConfig
from leadlift.data.inputs import input_columns
from leadlift.data.observations import make_observations
from leadlift.data.reading import leads_from
from leadlift.exceptions import SchemaError

LEADS = {
    "id": [7, 8, 9],
    "stage": ["Won", "Lost", "Lost"],
    "company": ["Acme", None, "Acme"],
    "counts_for": [1.0, 2.5, 0.5],
    "visits": [3, 1, 2],
}


def read(table=LEADS, **roles):
    roles = {"lead_id": "id", "account": "company", "weight": "counts_for"} | roles
    config = make_config(**roles)
    return leads_from(pa.table(table), config), config.roles


def test_they_are_read_and_are_no_inputs():
    leads, roles = read()
    assert leads.account.to_pylist() == ["Acme", None, "Acme"]
    assert leads.weight.tolist() == [1.0, 2.5, 0.5]
    assert [spec.name for spec in input_columns(leads, roles)] == ["visits"]


def test_they_stand_beside_the_rows_of_the_learning_problem():
    observations = make_observations(read()[0])
    assert observations.account.tolist() == ["Acme", None, "Acme"]
    assert observations.weight.tolist() == [1.0, 2.5, 0.5]


def test_without_the_roles_every_lead_counts_for_one_and_has_no_account():
    observations = make_observations(read(account=None, weight=None)[0])
    assert observations.account is None
    assert observations.weight.tolist() == [1, 1, 1]
    assert "account" not in observations.rows.column_names


def test_the_weight_of_a_lead_holds_at_every_moment_of_its_life():
    dated = LEADS | {"made": ["2026-01-01"] * 3, "closed": ["2026-03-01"] * 3}
    leads, _ = read(dated, created_at="made", closed_at="closed")
    observations = make_observations(leads, at_days=(0, 10))
    assert observations.weight.tolist() == [1, 1, 2.5, 2.5, 0.5, 0.5]
    assert observations.account.tolist() == ["Acme", "Acme", None, None, "Acme", "Acme"]


def test_numbers_of_accounts_are_read_as_they_are_written():
    leads, _ = read(LEADS | {"company": [12, None, 12]})
    assert leads.account.to_pylist() == ["12", None, "12"]


@pytest.mark.parametrize("bad", [0.0, -1.0, np.inf, None])
def test_a_weight_that_is_no_number_above_zero_is_refused_with_its_row(bad):
    with pytest.raises(
        SchemaError, match=r"'counts_for' is the weight and should hold numbers above 0; 1 cell.*'2'"
    ):
        read(LEADS | {"counts_for": [1.0, bad, 1.0]})


def test_a_column_that_is_not_there_is_refused():
    with pytest.raises(SchemaError, match="firm"):
        read(account="firm")


def test_one_column_has_one_role():
    with pytest.raises(ValueError, match="id"):
        SchemaConfig(lead_id="id", account="id", outcome="stage", won=("Won",))
