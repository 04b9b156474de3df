"""What the checks find in leads with one thing wrong, and that they are silent where nothing is."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlift.config import FamiliesConfig, LeadliftConfig
from leadlift.data.checks import CHECKS, check_leads, findings_json, findings_table, get_check, input_columns
from leadlift.data.discovery import discover
from leadlift.data.reading import leads_from, read_leads
from leadlift.data.row_checks import _repeats_earlier_row
from leadlift.terms import Family, Kind, Severity

N = 900
FINDINGS_PAGE = Path(__file__).parents[2] / "docs" / "findings.md"
START = datetime(2026, 1, 1, tzinfo=UTC)
TWICE = [f"L{i // 2}" for i in range(N)]


def sound(n: int = N) -> dict[str, list]:
    """Return columns in which nothing is wrong."""
    return {
        "id": [f"L{i}" for i in range(n)],
        "end": ["won" if i % 3 == 0 else "lost" for i in range(n)],
        "created": [START + timedelta(hours=i) for i in range(n)],
        "closed": [START + timedelta(hours=i, days=i % 20 + 1) for i in range(n)],
        "visits": [float(i % 17) for i in range(n)],
        "source": [("ads", "web", "fair")[i % 3] for i in range(n)],
    }


def config_of(**schema) -> LeadliftConfig:
    roles = {"lead_id": "id", "outcome": "end", "won": ["won"], "lost": ["lost"], "open": ["open"]}
    dates = {"created_at": "created", "closed_at": "closed"}
    return LeadliftConfig.model_validate(
        {
            "data": {"leads": "leads.csv"},
            "schema": {**roles, **dates, **schema},
            "cutoff": {"mql": {"policy": "fixed_threshold"}},
        }
    )


def findings_of(columns: dict[str, list], now: datetime | None = None, **schema) -> dict[str, object]:
    """Return the findings by code; each code once in these tests."""
    config = config_of(**schema)
    found = check_leads(leads_from(pa.table(columns), config), config.roles, now=now)
    return {finding.code: finding for finding in found}


def changed(column: str, values: dict[int, object]) -> dict[str, list]:
    columns = sound()
    for row, value in values.items():
        columns[column][row] = value
    return columns


def test_sound_leads_have_no_findings():
    assert findings_of(sound(), now=START + timedelta(days=365), horizon_days=30) == {}


@pytest.mark.parametrize(
    ("code", "severity", "count", "examples", "columns"),
    [
        ("LL101", "warning", 2, ("row 1", "row 8"), changed("id", {0: None, 7: ""})),
        ("LL102", "warning", 1, ("L1",), changed("id", {2: "L1", 5: "L1"})),
        ("LL103", "fatal", 1, ("same",), sound() | {"id": ["same"] * N}),
        ("LL103", "fatal", N // 2, ("L0", "L1", "L10", "L100", "L101"), sound() | {"id": TWICE}),
        ("LL105", "warning", 1, ("L0",), changed("id", {1: "L0"})),
        ("LL110", "info", N, (), sound() | {"magazine": ["No"] * N}),
        ("LL111", "warning", N, (), sound() | {"name": [f"Person {i}" for i in range(N)]}),
        ("LL112", "warning", N, (), sound() | {"fax": [None] * N}),
        ("LL113", "info", N - 20, (), sound() | {"fax": ["yes"] * 10 + ["no"] * 10 + [None] * (N - 20)}),
        ("LL114", "fatal", 2, ("row 4", "row 6"), changed("visits", {3: float("inf"), 5: float("-inf")})),
        ("LL115", "warning", 1, ("L9",), changed("source", {9: "x" * 20_000})),
        ("LL116", "info", 0, (), sound() | {"Geschlecht": ["f", "m"] * (N // 2)}),
        ("LL130", "warning", 1, ("L4",), changed("end", {4: None})),
        ("LL131", "fatal", 0, (), sound() | {"end": ["lost"] * N}),
        ("LL132", "fatal", 39, (), sound() | {"end": ["won"] * 39 + ["lost"] * (N - 39)}),
        ("LL133", "warning", 40, (), sound() | {"end": ["won"] * 40 + ["lost"] * (N - 40)}),
        ("LL133", "warning", 199, (), sound() | {"end": ["lost"] * 199 + ["won"] * (N - 199)}),
        ("LL134", "info", 1, (), changed("end", {4: "open"})),
        ("LL140", "warning", 1, ("L4",), changed("created", {4: None})),
        ("LL142", "warning", 1, ("L6",), changed("closed", {6: START - timedelta(days=9)})),
    ],
)  # fmt: skip
def test_one_thing_wrong_is_found_counted_and_shown(code, severity, count, examples, columns):
    finding = findings_of(columns)[code]
    assert (finding.severity.value, finding.count, finding.examples) == (severity, count, examples)
    assert finding.message
    assert finding.remedy


def test_copied_rows_are_found_without_an_id_and_with_one():
    columns = {name: [*values, *values[:3]] for name, values in sound().items()}
    assert findings_of(columns)["LL104"].examples == ("row 901", "row 902", "row 903")
    del columns["id"]
    assert findings_of(columns, lead_id=None)["LL104"].count == 3


def test_different_leads_with_equal_columns_are_no_copies():
    columns = sound() | {"visits": [1.0] * (N - 1) + [2.0], "source": ["web"] * N}
    assert "LL104" not in findings_of(columns)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([None, 1.0, 2.0])), min_size=1, max_size=30)
)
@settings(max_examples=60)
def test_copied_rows_are_those_that_a_set_has_seen(rows):
    table = pa.table({"x": [row[0] for row in rows], "y": pa.array([row[1] for row in rows], pa.float64())})
    naive = [row in rows[:position] for position, row in enumerate(rows)]
    assert _repeats_earlier_row(table).tolist() == naive


def test_forty_and_two_hundred_of_either_are_enough():
    assert "LL132" not in findings_of(sound() | {"end": ["won"] * 40 + ["lost"] * (N - 40)})
    assert "LL133" not in findings_of(sound() | {"end": ["won"] * 200 + ["lost"] * (N - 200)})


def test_one_class_is_said_once():
    assert not {"LL132", "LL133"} & findings_of(sound() | {"end": ["won"] * N}).keys()


def test_dates_after_now_or_after_the_extract_are_found():
    now = START + timedelta(hours=N - 2, minutes=30)
    found = findings_of(sound() | {"closed": [None] * N}, now=now)
    assert (found["LL141"].count, found["LL141"].examples) == (1, (f"L{N - 1}",))
    assert "LL141" in findings_of(sound(), known_until=now)
    assert "LL141" not in findings_of(sound())


def test_a_moment_without_a_zone_is_taken_as_utc():
    now = START + timedelta(hours=N - 2, minutes=30)
    naive = now.replace(tzinfo=None)
    assert findings_of(sound(), now=naive) == findings_of(sound(), now=now)


def test_the_planned_close_of_an_open_lead_is_no_date_in_the_future():
    columns = sound() | {"end": ["open", *sound()["end"][1:]]}
    columns["closed"][0] = START + timedelta(days=900)
    assert "LL141" not in findings_of(columns, now=START + timedelta(days=365))


def test_won_leads_without_a_date_matter_only_under_a_horizon():
    columns = changed("closed", {0: None, 1: None})
    assert findings_of(columns, horizon_days=30)["LL143"].examples == ("L0",)
    assert "LL143" not in findings_of(columns)


def test_a_declared_column_without_values_is_fatal():
    columns = sound() | {"fax": pa.nulls(N, pa.string())}
    found = findings_of(columns, categorical=["fax"])
    assert found["LL119"].severity is Severity.FATAL
    assert "LL112" not in found


def test_a_file_without_inputs_is_fatal():
    columns = {name: sound()[name] for name in ("id", "end", "created", "closed")}
    assert findings_of(columns)["LL118"].severity is Severity.FATAL


def test_ignored_columns_are_not_looked_at():
    columns = sound() | {"ratio": [float("inf")] * N, "name": [f"Person {i}" for i in range(N)]}
    assert findings_of(columns, ignore=["ratio", "name"]) == {}


def test_a_protected_attribute_is_an_input_only_when_allowed_by_name():
    columns = sound() | {"age": [float(i % 60) for i in range(N)]}
    config, allowed = config_of(), config_of(allow_protected=["age"])
    leads = leads_from(pa.table(columns), config)
    assert [spec.name for spec in input_columns(leads, config.roles)] == ["visits", "source"]
    assert [spec.name for spec in input_columns(leads, allowed.roles)] == ["visits", "source", "age"]
    assert findings_of(columns, allow_protected=["age"])["LL117"].column == "age"


def test_inputs_carry_kind_and_family_and_the_user_has_the_last_word():
    config = config_of()
    leads = leads_from(pa.table(sound()), config)
    visits, source = input_columns(leads, config.roles, FamiliesConfig(intent=("visits",)))
    assert (visits.kind, visits.family) == (Kind.NUMERIC, Family.INTENT)
    assert (source.kind, source.family) == (Kind.CATEGORICAL, Family.SOURCE)
    assert source.description == "column 'source': one of 3 levels, 0% missing"


def test_a_column_declared_categorical_may_have_very_many_levels():
    columns = sound() | {"postcode": [f"0{i}" for i in range(N)]}
    assert "LL111" in findings_of(columns)
    assert "LL111" not in findings_of(columns, categorical=["postcode"])


def test_a_single_value_beside_missing_ones_is_no_constant():
    columns = sound() | {"opted_in": ["yes" if i % 2 else None for i in range(N)]}
    assert "LL110" not in findings_of(columns)


def test_every_column_is_an_input_or_has_a_finding_that_says_why_not():
    columns = sound() | {
        "magazine": ["No"] * N,
        "name": [f"Person {i}" for i in range(N)],
        "fax": [None] * N,
        "sex": ["f", "m"] * (N // 2),
        "seen": [START + timedelta(hours=i) for i in range(N)],
    }
    config = config_of()
    leads = leads_from(pa.table(columns), config)
    inputs = {spec.name for spec in input_columns(leads, config.roles)}
    explained = {finding.column for finding in check_leads(leads, config.roles)}
    assert inputs == {"visits", "source"}
    assert explained == {"magazine", "name", "fax", "sex", "seen"}


def test_the_order_of_rows_changes_no_count():
    columns = changed("id", {0: None, 2: "L1"}) | {"fax": [None] * N}
    order = np.random.default_rng(0).permutation(N)
    shuffled = {name: [values[i] for i in order] for name, values in columns.items()}
    counts = [{code: f.count for code, f in findings_of(each).items()} for each in (columns, shuffled)]
    assert counts[0] == counts[1]


def test_fatal_findings_come_first():
    columns = changed("visits", {3: float("inf")}) | {"magazine": ["No"] * N}
    columns["end"][4] = None
    assert list(findings_of(columns)) == ["LL114", "LL130", "LL110"]


def test_findings_as_table_and_as_json_say_the_same():
    config = config_of()
    leads = leads_from(pa.table(changed("id", {0: None}) | {"Größe": ["L"] * N}), config)
    found = check_leads(leads, config.roles)
    table, records = findings_table(found), json.loads(findings_json(found))
    assert table.to_pylist() == records
    assert [record["code"] for record in records] == ["LL101", "LL110"]
    assert "Größe" in findings_json(found)
    assert findings_table([]).column_names == table.column_names


@pytest.mark.parametrize("code", CHECKS)
def test_every_check_keeps_the_contract(code):
    check = get_check(code)
    assert check.code == code
    assert check.title == check.title.strip() != ""
    assert isinstance(check.severity, Severity)


@pytest.mark.parametrize("code", CHECKS)
def test_every_code_is_in_the_catalogue_with_its_severity(code):
    check = get_check(code)
    assert f"| {code} | {check.severity} | {check.title} |" in FINDINGS_PAGE.read_text(encoding="utf-8")


@pytest.mark.real_data
def test_real_files_as_discovered_have_no_fatal_finding(real_data, tmp_path):
    names = ("xeducation/Leads.csv", "bank_marketing/bank-full.csv", "maven_crm/sales_pipeline.csv")
    for name in names:
        found = discover(real_data / name)
        config = LeadliftConfig(
            data=found.data,
            schema=found.roles,
            cutoff={"mql": {"policy": "fixed_threshold"}},
        )
        severities = {finding.severity for finding in check_leads(read_leads(config), config.roles)}
        assert Severity.FATAL not in severities


@pytest.mark.real_data
def test_the_copied_rows_of_online_shoppers_are_counted(real_data):
    found = discover(real_data / "online_shoppers/online_shoppers_intention.csv")
    config = LeadliftConfig(
        data=found.data, schema=found.roles, cutoff={"mql": {"policy": "fixed_threshold"}}
    )
    counts = {f.code: f.count for f in check_leads(read_leads(config), config.roles)}
    assert counts["LL104"] == 125
