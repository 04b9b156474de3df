"""Exports are what the CRMs document: names of columns, codes, moments, lengths."""

import pytest

from contracts.profile_contract import LONG, ROWS, ProfileContract
from leadlift.exceptions import ConfigError
from leadlift.serving.profiles import PROFILES, get_profile
from leadlift.serving.profiles.base import Text
from scored_tables import scored_row, scored_table


class TestGeneric(ProfileContract):
    name, moment = "generic", "2026-11-22T06:00:00Z"

    def test_every_row_is_there_with_its_status(self, written):
        statuses = ["scored", "missing_required", "scored", "missing_id", "scored"]
        assert written["status"].to_pylist() == statuses
        assert written["trend"].to_pylist() == ["up", None, "steady", None, "new"]


class TestHubSpot(ProfileContract):
    name, moment = "hubspot", "1795327200000"
    max_text_length = 65_536


class TestSalesforce(ProfileContract):
    name, moment = "salesforce", "2026-11-22T06:00:00.000Z"
    max_text_length = 255

    def test_headers_are_names_of_the_api(self, written):
        assert written.column_names[0] == "Id"
        assert all(name.endswith("__c") for name in written.column_names[1:])


class TestDynamics(ProfileContract):
    name, moment = "dynamics", "2026-11-22T06:00:00Z"
    max_text_length = 255

    def test_grades_and_trends_are_the_codes_of_the_score_table(self, written):
        assert set(written["msdyn_entitytype"].to_pylist()) == {"lead"}
        assert written["msdyn_grade"].to_pylist() == [1, 3, 0]
        assert written["msdyn_scoretrend"].to_pylist() == [0, 1, 3]


class TestMarketo(ProfileContract):
    name, moment = "marketo", "2026-11-22T06:00:00+00:00"
    max_text_length = 255

    def test_the_score_of_scoring_campaigns_is_left_alone(self, written):
        assert "leadScore" not in written.column_names


class TestOdoo(ProfileContract):
    name, moment = "odoo", "2026-11-22 06:00:00"


def test_every_profile_has_a_test_class():
    tested = {each.name for each in ProfileContract.__subclasses__()}
    assert tested == set(PROFILES)


def test_an_unknown_profile_is_refused():
    with pytest.raises(ConfigError, match=r"expected one of dynamics, generic, .*, got 'zoho'"):
        get_profile("zoho")


@pytest.mark.parametrize("length", [1, 10, len(LONG) - 1, len(LONG), len(LONG) + 1])
def test_a_text_is_cut_at_its_limit_and_not_before(length):
    text = Text("reason_2", length).of(ROWS)[0].as_py()
    assert len(text) == min(length, len(LONG))
    assert text == LONG or text == LONG[: length - 1] + "…"


def test_ids_are_never_cut():
    lead = "x" * 70_000
    for name in PROFILES:
        assert get_profile(name).table(scored_table(scored_row(lead, 0.5))).column(0)[0].as_py() == lead
