"""Events of any source become house columns, and every rule that is applied to one is told."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs import make_config
from laws import law
from leadlift.config import DataConfig, EventsConfig
from leadlift.data.behaviour_findings import MAX_LEVELS
from leadlift.data.events import EVENT_COLUMNS, Events, events_from, open_events, read_events
from leadlift.data.reading import leads_from
from leadlift.exceptions import ConfigError, InputError, SchemaError
from leadlift.terms import Severity

FINDINGS_PAGE = Path(__file__).parents[2] / "docs" / "findings.md"
ALL_ROLES = EventsConfig(
    channel="channel",
    asset="asset",
    value="value",
    text="text",
    event_id="event_id",
    recorded_at="recorded_at",
)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def sound(n: int = 3) -> dict[str, list]:
    """Events about which there is nothing to say."""
    return {
        "lead_id": [f"L{i}" for i in range(n)],
        "occurred_at": [f"2026-03-0{1 + i % 9}T10:00:00Z" for i in range(n)],
        "event_type": ["visit"] * n,
    }


def findings(events: Events) -> dict[str, object]:
    """The findings by code; each code once in these tests."""
    found = events.findings()
    assert len({finding.code for finding in found}) == len(found)
    return {finding.code: finding for finding in found}


def findings_of(columns: dict[str, list], roles: EventsConfig | None = None) -> dict[str, object]:
    return findings(events_from(pa.table(columns), roles))


# House columns


def test_every_house_column_is_there_in_its_type_whatever_the_source_has():
    table = events_from(pa.table(sound())).table()
    assert table.schema == EVENT_COLUMNS
    assert table.to_pylist()[0] == {
        "lead_id": "L0",
        "occurred_at": moment("2026-03-01 10:00"),
        "event_type": "visit",
        "channel": None,
        "asset": None,
        "value": None,
        "text": None,
        "event_id": None,
    }
    assert findings_of(sound()) == {}


def test_optional_columns_of_the_house_s_names_are_taken_where_there_are_any():
    columns = sound() | {"channel": ["web", " mail ", "web"], "value": [1, 2, 3], "page": ["a", "b", "c"]}
    events = events_from(pa.table(columns))
    assert (events.roles.channel, events.roles.value, events.roles.asset) == ("channel", "value", None)
    assert events.table()["channel"].to_pylist() == ["web", "mail", "web"]
    assert events.table()["value"].to_pylist() == [1.0, 2.0, 3.0]


def test_only_columns_with_a_role_are_taken_where_roles_are_named():
    columns = {"id": ["A"], "occurred_at": ["2026-01-01Z"], "event_type": ["visit"], "value": ["high"]}
    events = events_from(pa.table(columns), EventsConfig(lead_id="id"))
    assert events.roles.value is None


def test_roles_rename_the_user_s_columns_once():
    roles = EventsConfig(
        lead_id="who", occurred_at="when", event_type="what", asset="page", text="note", event_id="no"
    )
    columns = {
        "what": ["visit "],
        "who": [7],
        "when": ["2026-03-01T10:00Z"],
        "page": [1.0],
        "note": [" hi "],
        "no": [3],
    }
    (row,) = events_from(pa.table(columns), roles).table().to_pylist()
    assert [row[name] for name in ("lead_id", "event_type", "asset", "text", "event_id")] == [
        "7",
        "visit",
        "1",
        "hi",
        "3",
    ]


def test_words_for_not_recorded_are_null_in_every_column():
    data = DataConfig(leads="leads.csv", missing_values=("Select",))
    columns = sound(1) | {"channel": ["Select"], "value": ["Select"], "text": ["Select"]}
    events = events_from(pa.table(columns), data_config=data)
    assert [events.table()[name][0].as_py() for name in ("channel", "value", "text")] == [None] * 3
    assert set(findings(events)) == {"LL172"}


@pytest.mark.parametrize("ids", [[1, 2], [1.0, 2.0], [" a", "b "], ["01", "1.0"]])
def test_ids_are_those_of_the_leads(ids):
    leads = leads_from(pa.table({"id": ids, "stage": ["Won", "Lost"]}), make_config(lead_id="id"))
    events = events_from(pa.table(sound(2) | {"lead_id": ids}))
    assert events.table()["lead_id"].to_pylist() == leads.table["lead_id"].to_pylist()


def test_pandas_polars_arrow_csv_and_parquet_give_the_same(tmp_path):
    columns = sound() | {"channel": ["web", "", "mail"], "value": ["1", "2.5", ""], "asset": ["1", "2", "2"]}
    table = pa.table(columns)
    expected = events_from(table).table()
    typed = table.set_column(4, "value", pa.array([1.0, 2.5, None]))
    typed = typed.set_column(5, "asset", pa.array([1, 2, 2])).set_column(
        1, "occurred_at", expected["occurred_at"]
    )
    typed = typed.set_column(2, "event_type", table["event_type"].dictionary_encode())
    pq.write_table(typed, tmp_path / "events.parquet")
    lines = [",".join(columns), *(",".join(row) for row in zip(*columns.values(), strict=True))]
    (tmp_path / "events.csv").write_text("\n".join(lines) + "\n")
    data = DataConfig(leads="leads.csv")
    for name in ("events.parquet", "events.csv"):
        source = str(tmp_path / name)
        assert open_events(source, roles=EventsConfig(), data=data).table().equals(expected)
    assert events_from(table.to_pandas()).table().equals(expected)
    assert events_from(pl.from_arrow(typed)).table().equals(expected)


def test_a_configuration_names_the_events_and_their_roles(tmp_path):
    (tmp_path / "events.csv").write_text("who,occurred_at,event_type\nA,2026-07-01 10:00,visit\n")
    roles = EventsConfig(lead_id="who", time_zone="Europe/Berlin")
    config = make_config(events=str(tmp_path / "events.csv"))
    config = config.model_copy(update={"roles": config.roles.model_copy(update={"events": roles})})
    assert read_events(config).table()["occurred_at"].to_pylist() == [moment("2026-07-01 08:00")]


def test_batches_are_read_anew_at_each_call_and_findings_are_those_of_a_whole_pass():
    events = events_from(pa.table(sound() | {"event_type": [None, "a", "b"]}))
    first = next(events.batches(batch_rows=1))
    assert first.num_rows == 1
    assert pa.Table.from_batches(events.batches(batch_rows=2)).num_rows == 3
    assert findings(events)["LL172"].count == 1
    assert (events.tally.n_rows, events.tally.n_kept) == (3, 3)


# What is wrong with the configuration or the file


def test_without_a_source_of_events_the_key_is_named():
    with pytest.raises(ConfigError, match=r"set \[data\] events to a file"):
        read_events(make_config())


def test_a_zone_that_does_not_exist_is_named_before_anything_is_read():
    with pytest.raises(ValueError, match="'Europe/Berln' is not known"):
        EventsConfig(time_zone="Europe/Berln")


def test_a_column_that_is_not_there_is_shown_as_a_difference():
    with pytest.raises(SchemaError, match=r"'occurred_at' \(expected, not found"):
        events_from(pa.table({"lead_id": ["A"], "event_type": ["visit"], "Occurred At": ["x"]}))


def test_a_cell_of_more_than_a_megabyte_is_a_damaged_file():
    events = events_from(pa.table(sound() | {"text": ["", "x" * 1_000_001, ""]}))
    with pytest.raises(InputError, match="row 2, column 'text' holds a cell of 1,000,001 bytes"):
        events.table()


def test_a_nested_column_is_refused():
    events = events_from(pa.table(sound() | {"asset": [["a"], ["b"], ["c"]]}))
    with pytest.raises(InputError, match="asset"):
        events.table()


# The rules, by eye


def test_an_event_without_a_lead_is_left_out():
    finding = findings_of(sound(4) | {"lead_id": ["A", "", None, "B"]})["LL170"]
    assert (finding.count, finding.examples, finding.column) == (2, ("row 2", "row 3"), "lead_id")
    assert finding.severity is Severity.WARNING


def test_an_event_without_a_readable_moment_is_left_out():
    columns = sound(30)
    columns["occurred_at"][4:6] = ["", "last week"]
    events = events_from(pa.table(columns))
    assert "L4" not in events.table()["lead_id"].to_pylist()
    finding = findings(events)["LL171"]
    assert (finding.count, finding.examples, finding.severity) == (2, ("L4", "L5"), Severity.WARNING)
    assert "1 have no 'occurred_at', and in 1 'occurred_at' is no moment" in finding.message


@pytest.mark.parametrize(("n_bad", "severity"), [(3, Severity.WARNING), (4, Severity.FATAL)])
def test_more_than_a_tenth_without_a_moment_is_fatal(n_bad, severity):
    columns = sound(30)
    columns["occurred_at"][:n_bad] = ["01/02/2026"] * n_bad
    assert findings_of(columns)["LL171"].severity is severity


def test_an_event_without_a_type_is_kept_as_unknown():
    events = events_from(pa.table(sound() | {"event_type": ["visit", " ", None]}))
    assert events.table()["event_type"].to_pylist() == ["visit", "unknown", "unknown"]
    assert (findings(events)["LL172"].count, findings(events)["LL172"].examples) == (2, ("L1", "L2"))


def test_an_event_without_a_channel_is_kept_in_no_channel():
    columns = sound() | {"channel": ["web", None, ""]}
    finding = findings_of(columns)["LL172"]
    assert (finding.column, finding.count) == ("channel", 2)
    assert events_from(pa.table(columns)).table()["channel"].to_pylist() == ["web", None, None]


def test_more_event_types_than_a_set_can_have_are_no_types():
    n = MAX_LEVELS + 1
    columns = sound(n) | {"event_type": [f"session {i:05}" for i in reversed(range(n))]}
    finding = findings_of(columns)["LL173"]
    assert (finding.column, finding.count, finding.examples) == ("event_type", n, ())
    columns["event_type"][0] = columns["event_type"][1]
    assert "LL173" not in findings_of(columns)


def test_a_value_that_is_no_number_is_null_and_its_event_stays():
    columns = sound(7) | {"value": ["1.5", "many", "inf", "1e9", "-2e9", "", "nan"]}
    events = events_from(pa.table(columns))
    assert events.table()["value"].to_pylist() == [1.5, None, None, None, None, None, None]
    assert (findings(events)["LL174"].count, findings(events)["LL174"].examples) == (
        4,
        ("L1", "L2", "L3", "L4"),
    )


@pytest.mark.parametrize("ids", [[], ["", ""]])
def test_no_event_at_all_is_a_finding(ids):
    n = len(ids)
    columns = {name: pa.array(cells[:n], pa.string()) for name, cells in sound().items()}
    events = events_from(pa.table(columns | {"lead_id": pa.array(ids, pa.string())}))
    assert (events.table().num_rows, events.table().schema) == (0, EVENT_COLUMNS)
    assert "LL175" in findings(events)


def test_a_file_with_a_header_only_gives_no_events(tmp_path):
    (tmp_path / "events.csv").write_text("lead_id,occurred_at,event_type\n")
    events = open_events(
        str(tmp_path / "events.csv"), roles=EventsConfig(), data=DataConfig(leads="leads.csv")
    )
    assert events.table().num_rows == 0
    assert "0 rows" in findings(events)["LL175"].message


def test_moments_without_a_zone_are_utc_and_that_is_said_unless_a_zone_is_named():
    columns = sound() | {"occurred_at": ["2026-03-01 10:00", "2026-03-01", "2026-03-01T10:00Z"]}
    finding = findings_of(columns)["LL176"]
    assert (finding.count, finding.severity) == (2, Severity.INFO)
    assert "LL176" not in findings_of(columns, EventsConfig(time_zone="Asia/Kolkata"))


def test_clock_times_on_a_change_of_clocks_are_counted():
    columns = sound(4) | {
        "occurred_at": ["2026-03-29 02:30", "2026-10-25 02:30", "2026-10-25 02:30Z", "2026-10-25 04:30"]
    }
    events = events_from(pa.table(columns), EventsConfig(time_zone="Europe/Berlin"))
    assert events.table()["occurred_at"].to_pylist() == [
        moment("2026-03-29 01:30"),
        moment("2026-10-25 00:30"),
        moment("2026-10-25 02:30"),
        moment("2026-10-25 03:30"),
    ]
    finding = findings(events)["LL177"]
    assert (finding.count, finding.examples) == (2, ("L0", "L1"))
    assert "1 times of 'occurred_at' exist twice (taken as the earlier) and 1 do not exist" in finding.message


def test_an_event_counts_from_when_it_was_known():
    columns = sound(5) | {
        "occurred_at": ["2026-03-05T10:00Z"] * 5,
        "recorded_at": [
            "2026-03-05T10:00Z",
            "2026-03-06T10:00Z",
            "",
            "2026-03-04T10:00Z",
            "2026-03-04T09:59Z",
        ],
    }
    events = events_from(pa.table(columns))
    known_at = [moment(f"2026-03-0{day} 10:00") for day in (5, 6, 5, 5, 5)]
    assert events.table()["occurred_at"].to_pylist() == known_at
    found = findings(events)
    assert {code: found[code].examples for code in found} == {
        "LL172": ("L2",),
        "LL178": ("L1",),
        "LL179": ("L4",),
    }
    assert (found["LL172"].column, found["LL178"].severity) == ("recorded_at", Severity.INFO)


def test_nobody_guesses_when_an_event_with_an_unreadable_recording_became_known():
    columns = sound(20) | {"recorded_at": ["2026-03-01T10:00Z"] * 19 + ["soon"]}
    finding = findings_of(columns)["LL171"]
    assert finding.examples == ("L19",)
    assert "'occurred_at' or 'recorded_at' is no moment" in finding.message


def test_formats_that_vary_within_iso_8601_are_all_read_and_others_are_counted():
    cells = [
        "2026-03-01T10:00:00Z",
        "2026-03-01 10:00",
        "2026-03-01T12:00:00.000+02:00",
        "2026-03-01 10:00:00 UTC",
        "01.03.2026 10:00",
    ]
    events = events_from(pa.table(sound(5) | {"occurred_at": cells}))
    assert events.table()["occurred_at"].to_pylist() == [moment("2026-03-01 10:00")] * 4
    assert (findings(events)["LL171"].count, findings(events)["LL171"].severity) == (1, Severity.FATAL)


def test_a_ragged_row_that_is_left_out_is_told_with_the_rest(tmp_path):
    (tmp_path / "events.csv").write_text("lead_id,occurred_at,event_type\nA,2026-03-01T10:00Z,visit\nB,x\n")
    data = DataConfig(leads="leads.csv", ragged_rows="skip")
    events = open_events(str(tmp_path / "events.csv"), roles=EventsConfig(), data=data)
    assert set(findings(events)) == {"LL150"}


def test_every_code_is_in_the_catalogue_with_its_severity_and_title():
    page = FINDINGS_PAGE.read_text()
    bad = sound(6) | {"occurred_at": ["", *["2026-03-29 02:30"] * 5], "value": ["x"] * 6}
    bad |= {"event_type": [None] * 6, "recorded_at": ["2026-04-29", "2026-04-29", "2026-01-01", *[None] * 3]}
    berlin = EventsConfig(value="value", recorded_at="recorded_at", time_zone="Europe/Berlin")
    found = [
        *events_from(pa.table(bad), berlin).findings(),
        *events_from(pa.table(sound(1) | {"lead_id": [""]})).findings(),
        *events_from(pa.table(sound(1) | {"occurred_at": ["2026-03-01"]})).findings(),
        *events_from(pa.table(sound(1001) | {"event_type": [str(i) for i in range(1001)]})).findings(),
    ]
    assert {finding.code for finding in found} == {f"LL{code}" for code in range(170, 180)}
    for finding in found:
        (line,) = (line for line in page.splitlines() if line.startswith(f"| {finding.code} |"))
        _, severities, title, _ = line.split(" | ", 3)
        assert finding.severity.value in severities
        assert title == finding.title


# Laws

cells_of = {
    "lead_id": st.sampled_from(["A", "B", "C", "D", "E", "F", "G", "", None]),
    "occurred_at": st.sampled_from(
        ["2026-03-29 02:30", "2026-10-25 02:15:00.000001", "2026-03-01T10:00:00Z", "2026-02-31", "", None]
    ),
    "event_type": st.sampled_from(["visit", "form", "", None]),
    "channel": st.sampled_from(["web", "mail", None]),
    "asset": st.sampled_from(["pricing", None]),
    "value": st.sampled_from(["1", "2.5", "many", "1e12", None]),
    "text": st.sampled_from(["call me", None]),
    "event_id": st.sampled_from(["1", "2", None]),
    "recorded_at": st.sampled_from(["2026-03-29 03:30", "2026-01-01", "2026-12-01T00:00Z", "x", None]),
}
any_rows = st.lists(st.fixed_dictionaries(cells_of), min_size=1, max_size=25)
BERLIN = ALL_ROLES.model_copy(update={"time_zone": "Europe/Berlin"})
RAW_SCHEMA = pa.schema([(name, pa.string()) for name in cells_of])


def events_of(rows: list[dict]) -> Events:
    return events_from(pa.Table.from_pylist(rows, RAW_SCHEMA), BERLIN)


def without_row_numbers(events: Events) -> list:
    return [finding for finding in events.findings() if finding.code != "LL170"]


@law
@given(rows=any_rows)
def test_no_row_is_lost_in_silence(rows):
    events = events_of(rows)
    found = {finding.code: finding.count for finding in events.findings()}
    assert events.table().num_rows + found.get("LL170", 0) + found.get("LL171", 0) == len(rows)
    assert events.tally.n_left_out == len(rows) - events.table().num_rows


@law
@given(rows=any_rows, batch_rows=st.integers(1, 30))
def test_batches_change_neither_rows_nor_findings(rows, batch_rows):
    whole, parts = events_of(rows), events_of(rows)
    table = pa.Table.from_batches(parts.batches(batch_rows), EVENT_COLUMNS)
    assert table.equals(whole.table())
    assert parts.findings() == whole.findings()


@law
@given(rows=any_rows, random=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_neither_what_comes_out_nor_the_findings(rows, random):
    shuffled = random.sample(rows, len(rows))
    before, after = events_of(rows), events_of(shuffled)
    order = [(name, "ascending") for name in EVENT_COLUMNS.names]
    assert before.table().sort_by(order).equals(after.table().sort_by(order))
    assert without_row_numbers(before) == without_row_numbers(after)


def known_at(row: dict) -> datetime | None:
    """The moment from which an event counts, by Python's own clock; None where the row is left out."""
    readable = []
    for cell in (row["occurred_at"], row["recorded_at"]):
        try:
            read = datetime.fromisoformat(cell) if cell else None
        except ValueError:
            return None
        if read is not None and read.tzinfo is None:
            read = read.replace(tzinfo=ZoneInfo("Europe/Berlin"))
        readable.append(read and read.astimezone(UTC))
    occurred, recorded = readable
    return None if occurred is None else max(occurred, recorded or occurred)


@law
@given(rows=any_rows)
def test_rows_are_those_of_a_loop_in_python(rows):
    expected = [
        (row["lead_id"], known_at(row), row["event_type"] or "unknown")
        for row in rows
        if row["lead_id"] and known_at(row) is not None
    ]
    table = events_of(rows).table()
    columns = (table[name].to_pylist() for name in ("lead_id", "occurred_at", "event_type"))
    assert list(zip(*columns, strict=True)) == expected


# Real data


@pytest.mark.real_data
def test_every_event_of_the_loan_log_is_kept(real_data):
    roles = EventsConfig(
        lead_id="case_id", event_type="activity", occurred_at="timestamp", channel="resource"
    )
    source = str(real_data / "bpi2012_loans" / "events.parquet")
    events = open_events(source, roles=roles, data=DataConfig(leads="cases.csv"))
    table = events.table()
    assert table.num_rows == 262_200
    assert len(table["lead_id"].unique()) == 13_087
    assert {finding.code for finding in events.findings()} <= {"LL172"}
