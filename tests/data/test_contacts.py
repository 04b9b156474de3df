"""A contact log is read strictly: whose contact, when first, and how likely it had been."""

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from configs import make_config
from leadlift.config import parse_config
from leadlift.data.contacts import CONTACT_COLUMNS, contacts_from, read_contacts
from leadlift.exceptions import ConfigError, InputError, SchemaError


def log(**columns):
    return contacts_from(
        pa.table({"lead_id": ["b", "a"], "contacted_at": ["2026-03-02", "2026-03-01"]} | columns)
    )


def test_the_first_contact_of_each_lead_counts_with_its_own_chance():
    found = contacts_from(
        pa.table(
            {
                "lead_id": ["a", "b", "a"],
                "contacted_at": ["2026-03-09", "2026-03-05", "2026-03-01"],
                "contact_probability": [1.0, 0.05, 0.5],
            }
        )
    )
    assert found.schema == CONTACT_COLUMNS
    assert found["lead_id"].to_pylist() == ["a", "b"]
    assert found["contacted_at"][0].as_py() == datetime(2026, 3, 1, tzinfo=UTC)
    assert found["contact_probability"].to_pylist() == [0.5, 0.05]


def test_a_lead_without_a_moment_was_not_contacted():
    assert log(contacted_at=["2026-03-02", ""])["lead_id"].to_pylist() == ["b"]


def test_without_the_column_the_chance_is_unknown():
    assert log()["contact_probability"].to_pylist() == [None, None]


@pytest.mark.parametrize("bad", ["0", "-0.1", "1.01", "often"])
def test_what_is_no_chance_is_refused(bad):
    with pytest.raises(SchemaError, match=r"contact_probability holds .*above 0, up to 1"):
        log(contact_probability=["0.5", bad])


def test_what_is_no_moment_is_refused():
    with pytest.raises(SchemaError, match="contacted_at holds 'soon'"):
        log(contacted_at=["soon", "2026-03-01"])


def test_a_missing_column_is_refused_with_a_diff():
    with pytest.raises(SchemaError, match="contacted_at"):
        contacts_from(pa.table({"lead_id": ["a"], "contacted": ["2026-03-01"]}))


def test_a_contact_of_nobody_is_refused():
    with pytest.raises(InputError, match="1 contact"):
        log(lead_id=["b", None])


def test_a_log_without_contacts_is_refused():
    with pytest.raises(InputError, match="holds no contact"):
        log(contacted_at=["", ""])


def test_a_file_is_read_as_the_leads_are_written(tmp_path):
    path = tmp_path / "contacts.csv"
    path.write_text("lead_id,contacted_at\n7,31.12.2025 23:30\n")
    config = make_config(
        lead_id="id", date_format="%d.%m.%Y %H:%M", time_zone="Europe/Berlin", contacts=str(path)
    )
    found = read_contacts(config)
    assert found["lead_id"].to_pylist() == ["7"]
    assert found["contacted_at"][0].as_py() == datetime(2025, 12, 31, 22, 30, tzinfo=UTC)


def test_numbers_of_leads_are_found_however_they_are_written(tmp_path):
    path = tmp_path / "contacts.parquet"
    pq.write_table(pa.table({"lead_id": [7], "contacted_at": [datetime(2026, 1, 1, tzinfo=UTC)]}), path)
    assert read_contacts(make_config(lead_id="id", contacts=str(path)))["lead_id"].to_pylist() == ["7"]


def test_a_log_needs_ids_of_leads():
    with pytest.raises(ConfigError, match="lead_id"):
        read_contacts(make_config(contacts="contacts.csv"))


def test_no_log_is_no_log():
    with pytest.raises(ConfigError, match="no contact log is named"):
        read_contacts(make_config())


def test_scores_without_a_log_say_nothing():
    with pytest.raises(ValidationError, match="needs contacts"):
        make_config(scores="scores")


def test_log_and_scores_stand_beside_the_configuration(tmp_path):
    text = """
    [data]
    leads = "leads.csv"
    contacts = "contacts.parquet"
    scores = "postgresql://crm/scores"
    [schema]
    outcome = "won"
    won = ["yes"]
    [cutoff.mql]
    policy = "fixed_threshold"
    """
    data = parse_config(text, folder=tmp_path).data
    assert data.contacts == str(tmp_path / "contacts.parquet")
    assert data.scores == "postgresql://crm/scores"
