"""What `leadlift init` finds out about events and change logs, and that it can be read back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadlift.config import EventsConfig, HistoryConfig, ObservationsConfig, parse_config, read_config
from leadlift.data.behaviour_sample import SAMPLE_ROWS, name_rank
from leadlift.data.datasets import make_leads
from leadlift.data.discovery import discover
from leadlift.data.events import read_events
from leadlift.data.history import read_history
from leadlift.exceptions import ConfigError, InputError, SchemaError

N_LEADS = 30
START = datetime(2026, 1, 5, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def crm(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("crm")
    make_leads(600, seed=3).save(folder)
    return folder


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def csv(path: Path, rows: list[dict[str, object]], delimiter: str = ",", encoding: str = "utf-8") -> Path:
    lines = [delimiter.join(rows[0]), *(delimiter.join(map(str, row.values())) for row in rows)]
    return write(path, "\n".join(lines) + "\n", encoding)


def parquet(path: Path, rows: list[dict[str, object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def lead_rows(**more: str) -> list[dict[str, object]]:
    """Thirty leads K1 to K30, every third won."""
    return [
        {
            "Lead ID": f"K{i}",
            "Created": (START + timedelta(days=i)).date(),
            "Closed": (START + timedelta(days=i + 20)).date(),
            "Stage": "Won" if i % 3 == 0 else "Lost",
            "Source": "Ads" if i % 2 else "Web",
        }
        | more
        for i in range(1, N_LEADS + 1)
    ]


def event_rows(n: int = 90) -> list[dict[str, object]]:
    """Three events a lead, with every role, in names of the house."""
    return [
        {
            "lead_id": f"K{i % N_LEADS + 1}",
            "occurred_at": START + timedelta(hours=7 * i),
            "event_type": ("visit", "download", "webinar")[i % 3],
            "channel": ("web", "email")[i % 2],
            "asset": f"/page/{i % 7}",
            "value": i / 4,
            "text": f"please call me back about {i}",
            "event_id": f"E{i}",
            "recorded_at": START + timedelta(hours=7 * i + i % 5),
        }
        for i in range(n)
    ]


def renamed(rows: list[dict[str, object]], **names: str) -> list[dict[str, object]]:
    return [{names.get(key, key): value for key, value in row.items()} for row in rows]


def only(rows: list[dict[str, object]], *names: str) -> list[dict[str, object]]:
    return [{name: row[name] for name in names} for row in rows]


def text_moments(rows: list[dict[str, object]], form: str, *names: str) -> list[dict[str, object]]:
    return [row | {name: row[name].strftime(form) for name in names} for row in rows]


@pytest.fixture
def leads(tmp_path) -> Path:
    return csv(tmp_path / "leads.csv", lead_rows())


def roles_of(leads: Path, events: object) -> EventsConfig:
    """The roles of the events as they come back from the file that is written."""
    found = discover(leads, events=events)
    config = parse_config(found.to_toml(folder=leads.parent), folder=leads.parent)
    assert config.roles.events == found.roles.events
    return config.roles.events


EVERY_ROLE = EventsConfig(
    channel="channel",
    asset="asset",
    value="value",
    text="text",
    event_id="event_id",
    recorded_at="recorded_at",
)


# Round trips


def test_the_simulated_crm_is_found_and_read_back(crm):
    found = discover(crm / "leads.csv", events=crm / "events.parquet", history=crm / "history.parquet")
    (crm / "leadlift.toml").write_text(found.to_toml(folder=crm), encoding="utf-8")
    config = read_config(crm / "leadlift.toml")
    assert config.roles.events == EventsConfig(channel="channel", asset="asset")
    assert config.roles.history == HistoryConfig(old_value="old_value")
    assert config.observations == ObservationsConfig(at_days=(0, 7, 14, 30))
    assert config.features.engine == "duckdb"
    assert read_events(config).table().num_rows == pq.read_metadata(crm / "events.parquet").num_rows
    assert read_history(config).table().num_rows == pq.read_metadata(crm / "history.parquet").num_rows


def test_paths_are_written_relative_to_the_configuration(crm):
    text = discover(crm / "leads.csv", events=crm / "events.parquet").to_toml(folder=crm / "settings")
    assert 'events = "../events.parquet"  # what leads did, and when' in text.splitlines()
    assert str(crm) not in text


def test_without_events_and_change_log_nothing_is_said_of_behaviour(crm):
    found = discover(crm / "leads.csv")
    text = found.to_toml(folder=crm)
    assert (found.events, found.history, found.roles.events) == (None, None, None)
    for word in ("events", "history", "[observations]", "[features]"):
        assert word not in text


def test_a_change_log_alone_is_enough_for_observations_and_features(crm):
    text = discover(crm / "leads.csv", history=crm / "history.parquet").to_toml(folder=crm)
    assert "[schema.events]" not in text
    assert {"[schema.history]", "[observations]", "[features]"} <= {
        line.split("  #")[0] for line in text.splitlines()
    }


def test_every_role_is_found_by_the_names_of_the_house(leads, tmp_path):
    assert roles_of(leads, parquet(tmp_path / "events.parquet", event_rows())) == EVERY_ROLE


def test_what_was_found_is_said_on_each_line(leads, tmp_path):
    rows = only(event_rows(), "lead_id", "occurred_at", "event_type", "channel")
    found = discover(leads, events=parquet(tmp_path / "events.parquet", rows))
    for line in (
        'lead_id = "lead_id"  # 100% of the rows bear the id of a lead',
        'occurred_at = "occurred_at"  # 90 of 90 rows hold a date',
        'event_type = "event_type"  # 3 values in 90 of 90 rows',
        '# asset = ""  # no such column found',
        '# recorded_at = ""  # no second date found; events count from when they occurred',
        'time_zone = "UTC"  # every moment bears its own zone',
        "at_days = [0, 7, 14, 30]  # days after creation",
        "# every_days = 7  # and again every so many days",
        'engine = "duckdb"  # where the table work runs; or "spark"',
    ):
        assert line in found.to_toml(folder=tmp_path).splitlines()


# Other names, other languages, other files


def test_columns_named_otherwise_are_found(leads, tmp_path):
    rows = renamed(
        event_rows(),
        lead_id="contactId",
        occurred_at="event_timestamp",
        event_type="activityType",
        channel="utm_medium",
        asset="Page URL",
        value="duration_seconds",
        text="message_body",
        event_id="uuid",
        recorded_at="ingestedAt",
    )
    roles = roles_of(leads, parquet(tmp_path / "events.parquet", rows))
    assert roles.role_columns == tuple(rows[0])


def test_a_german_export_with_semicolons_is_found_and_read(tmp_path):
    leads = csv(tmp_path / "leads.csv", lead_rows(Ort="Köln"), ";", "cp1252")
    rows = text_moments(event_rows(), "%d.%m.%Y %H:%M", "occurred_at", "recorded_at")
    rows = [row | {"value": str(row["value"]).replace(".", ",")} for row in rows]
    german = {
        "lead_id": "Kunden-Nr",
        "occurred_at": "Zeitpunkt",
        "event_type": "Ereignistyp",
        "channel": "Kanal",
        "asset": "Seite",
        "value": "Dauer",
        "text": "Nachricht",
        "event_id": "Ereignis-ID",
        "recorded_at": "Erfasst am",
    }
    events = csv(tmp_path / "ereignisse.csv", renamed(rows, **german), ";", "cp1252")
    found = discover(leads, events=events)
    config = parse_config(found.to_toml(folder=tmp_path), folder=tmp_path)
    assert config.roles.events.role_columns == tuple(german.values())
    assert config.roles.events.date_format == "%d.%m.%Y %H:%M"
    assert (config.data.delimiter, config.data.decimal) == (";", ",")
    assert found.events.notes["time_zone"].endswith("; check this")
    table = read_events(config).table()
    assert table["value"].to_pylist() == [i / 4 for i in range(90)]
    assert table["occurred_at"][1].as_py() == START + timedelta(hours=8)


@pytest.mark.parametrize(
    "names",
    [
        ("prospect_id", "horodatage", "type_evenement", "canal"),
        ("id_contacto", "fecha_hora", "tipo_de_evento", "canal"),
        ("id contatto", "Data ora", "Tipo evento", "Canale"),
        ("case_id", "timestamp", "activity", "medium"),
        ("klant_id", "tijdstip", "gebeurtenis", "kanaal"),
    ],
)
def test_names_of_other_languages_are_known(leads, tmp_path, names):
    house = ("lead_id", "occurred_at", "event_type", "channel")
    rows = renamed(only(event_rows(), *house), **dict(zip(house, names, strict=True)))
    roles = roles_of(leads, parquet(tmp_path / "events.parquet", rows))
    assert roles.role_columns == names


@pytest.mark.parametrize("pattern", ["events", "events/*.parquet", "events/**/*.parquet"])
def test_folders_and_globs_are_sources_too(leads, tmp_path, pattern):
    for day in range(3):
        parquet(tmp_path / "events" / f"{day}.parquet", event_rows()[day::3])
    found = discover(leads, events=tmp_path / pattern)
    config = parse_config(found.to_toml(folder=tmp_path), folder=tmp_path)
    assert config.roles.events == EVERY_ROLE
    assert f'events = "{pattern}"' in found.to_toml(folder=tmp_path)
    assert read_events(config).table().num_rows == 90


def test_a_query_is_written_beside_its_database(leads, tmp_path):
    path = tmp_path / "crm.duckdb"
    with duckdb.connect(str(path)) as connection:
        rows = pa.Table.from_pylist(event_rows())  # noqa: F841 -- DuckDB finds it by its name
        connection.sql("CREATE TABLE acts AS SELECT * FROM rows")
    found = discover(leads, events=path, events_query="acts")
    text = found.to_toml(folder=tmp_path)
    assert 'events_query = "acts"  # a table, or a SELECT' in text.splitlines()
    config = parse_config(text, folder=tmp_path)
    assert config.roles.events == EVERY_ROLE
    assert read_events(config).table().num_rows == 90
    with pytest.raises(ConfigError, match="set events_query to the name of one"):
        discover(leads, events=path)


def test_leads_of_parquet_leave_the_marks_of_csv_to_the_events(tmp_path):
    leads = parquet(tmp_path / "leads.parquet", lead_rows())
    rows = text_moments(event_rows(), "%Y-%m-%d %H:%M", "occurred_at", "recorded_at")
    found = discover(leads, events=csv(tmp_path / "events.csv", rows, ";"))
    config = parse_config(found.to_toml(folder=tmp_path), folder=tmp_path)
    assert config.data.delimiter == ";"
    assert read_events(config).table().num_rows == 90


def test_a_file_of_ascii_takes_the_encoding_of_the_other(leads, tmp_path):
    rows = [
        row | {"channel": "süd"}
        for row in text_moments(event_rows(), "%Y-%m-%d", "occurred_at", "recorded_at")
    ]
    found = discover(leads, events=csv(tmp_path / "events.csv", rows, encoding="cp1252"))
    assert found.data.encoding == "cp1252"
    assert found.notes["encoding"] == "events.csv: no valid UTF-8; check letters with accents"


def test_a_word_that_means_not_recorded_is_found_in_the_events_too(leads, tmp_path):
    rows = [row | {"channel": "n/a" if i % 3 else "web"} for i, row in enumerate(event_rows())]
    found = discover(leads, events=parquet(tmp_path / "events.parquet", rows))
    assert found.data.missing_values == ("n/a",)
    assert found.notes["word:n/a"] == "in channel of the events (60)"


# Evidence of the values


def test_ids_of_leads_are_known_by_their_values_whatever_the_name(leads, tmp_path):
    rows = renamed(only(event_rows(), "lead_id", "occurred_at", "event_type"), lead_id="who")
    found = discover(leads, events=parquet(tmp_path / "events.parquet", rows))
    assert found.roles.events.lead_id == "who"
    assert found.events.notes["lead_id"] == "100% of the rows bear the id of a lead; check this"


def test_numbers_that_meet_ids_by_chance_are_not_taken_for_them(tmp_path):
    leads = csv(tmp_path / "leads.csv", [row | {"Lead ID": i} for i, row in enumerate(lead_rows())])
    rows = [
        {
            "id": i,
            "minutes": i % 7,
            "lead_id": i % 40,
            "event_type": "visit",
            "at": START + timedelta(hours=i),
        }
        for i in range(90)
    ]
    roles = roles_of(leads, parquet(tmp_path / "events.parquet", rows))
    assert (roles.lead_id, roles.event_id, roles.value) == ("lead_id", "id", "minutes")


def test_what_is_the_same_in_all_rows_of_a_lead_is_no_fact_of_the_event(leads, tmp_path):
    joined = [
        row | {"created_at": START, "amount": 7.5} for row in only(event_rows(), "lead_id", "event_type")
    ]
    rows = [row | {"happened": START + timedelta(hours=i)} for i, row in enumerate(joined)]
    roles = roles_of(leads, parquet(tmp_path / "events.parquet", rows))
    assert (roles.occurred_at, roles.value, roles.recorded_at) == ("happened", None, None)


def test_a_second_date_without_a_known_name_is_only_pointed_out(leads, tmp_path):
    rows = renamed(event_rows(), recorded_at="finished")
    found = discover(leads, events=parquet(tmp_path / "events.parquet", rows))
    assert found.roles.events.recorded_at is None
    assert found.events.notes["recorded_at"].startswith(
        "'finished' is never before 'occurred_at'; name it here"
    )


def test_a_recording_before_the_event_is_to_be_checked(leads, tmp_path):
    rows = event_rows()
    rows[4]["recorded_at"] = START - timedelta(days=9)
    found = discover(leads, events=parquet(tmp_path / "events.parquet", rows))
    assert found.roles.events.recorded_at == "recorded_at"
    assert found.events.notes["recorded_at"] == (
        "before 'occurred_at' in 1.1% of the rows; an event counts from the later of both; check this"
    )


def test_a_column_that_is_no_id_of_events_is_not_taken_for_one(leads, tmp_path):
    rows = [row | {"event_id": f"E{i % 9}"} for i, row in enumerate(event_rows())]
    assert roles_of(leads, parquet(tmp_path / "events.parquet", rows)).event_id is None


def test_a_type_without_a_known_name_is_to_be_checked(leads, tmp_path):
    rows = renamed(only(event_rows(), "lead_id", "occurred_at", "event_type"), event_type="what")
    found = discover(leads, events=parquet(tmp_path / "events.parquet", rows))
    assert found.roles.events.event_type == "what"
    assert found.events.notes["event_type"] == "3 values in 90 of 90 rows; check this"


def test_dates_of_several_forms_are_found_by_name_and_to_be_checked(leads, tmp_path):
    rows = text_moments(only(event_rows(), "lead_id", "occurred_at", "event_type"), "%d.%m.%Y", "occurred_at")
    rows[0]["occurred_at"] = "yesterday"
    rows[1]["occurred_at"] = "2026-01-05"
    found = discover(leads, events=csv(tmp_path / "events.csv", rows))
    assert (found.roles.events.occurred_at, found.roles.events.date_format) == ("occurred_at", "%d.%m.%Y")
    assert found.events.notes["occurred_at"].endswith("the others are not; check this")


def test_types_that_repeat_the_outcome_are_pointed_out(leads, tmp_path):
    types = ("visit", "deal_won", "closed", "email_reply", "converted")
    rows = [row | {"event_type": types[i % 5]} for i, row in enumerate(event_rows())]
    found = discover(leads, events=parquet(tmp_path / "events.parquet", rows))
    assert set(found.events.suspects) == {"deal_won", "closed", "converted"}
    text = found.to_toml(folder=tmp_path)
    assert "#   \"deal_won\": the name ('won') names the outcome" in text.splitlines()
    assert "no\n# observation knows it if its clock is right" in text


def test_ids_that_come_late_in_the_file_are_found(leads, tmp_path):
    strangers = pa.table(
        {"lead_id": ["X"] * SAMPLE_ROWS, "at": [START] * SAMPLE_ROWS, "event": ["visit"] * SAMPLE_ROWS}
    )
    rows = renamed(
        only(event_rows(), "lead_id", "occurred_at", "event_type"), occurred_at="at", event_type="event"
    )
    pq.write_table(
        pa.concat_tables([strangers, pa.Table.from_pylist(rows, strangers.schema)]), tmp_path / "e.parquet"
    )
    assert roles_of(leads, tmp_path / "e.parquet").event_type == "event"


def test_free_text_of_the_leads_is_suggested_and_switched_off(tmp_path):
    rows = [
        row
        | {"Question": f"can it do {i} things", "Loss note": f"they went to number {i}", "Name": f"Ann {i}"}
        for i, row in enumerate(lead_rows() * 3)
    ]
    rows = [row | {"Lead ID": f"K{i}"} for i, row in enumerate(rows)]
    leads = csv(tmp_path / "leads.csv", rows)
    found = discover(leads, events=parquet(tmp_path / "events.parquet", event_rows()))
    assert found.texts == ("Question",)
    assert '# text = ["Question"]  # free text known at creation' in found.to_toml(folder=tmp_path)


# Change logs


def change_rows() -> list[dict[str, object]]:
    return [
        {
            "lead_id": f"K{i % N_LEADS + 1}",
            "changed_at": START + timedelta(hours=5 * i),
            "field": ("Source", "owner")[i % 2],
            "value": ("Ads", "Ann", "Web", "Bob")[i % 4],
            "old_value": (None, "Bob", "Ads", None)[i % 4],
        }
        for i in range(60)
    ]


@pytest.mark.parametrize(
    "names",
    [
        ("lead_id", "changed_at", "field", "value", "old_value"),
        ("ContactId", "Modified Date", "PropertyName", "NewValue", "OldValue"),
        ("Interessenten ID", "Geändert am", "Feld", "Neuer Wert", "Alter Wert"),
        ("prospect id", "date de modification", "champ", "nouvelle valeur", "ancienne valeur"),
        ("whose", "when", "what", "to", "from"),
    ],
)
def test_the_roles_of_a_change_log_are_found(leads, tmp_path, names):
    house = ("lead_id", "changed_at", "field", "value", "old_value")
    rows = renamed(change_rows(), **dict(zip(house, names, strict=True)))
    found = discover(leads, history=parquet(tmp_path / "log.parquet", rows))
    config = parse_config(found.to_toml(folder=tmp_path), folder=tmp_path)
    assert config.roles.history.role_columns == names
    assert found.events is None
    assert found.history.notes["field"].startswith("2 fields, of which the leads have 1")
    assert read_history(config).table().num_rows == 60


def test_the_fields_of_a_change_log_are_listed_switched_off(leads, tmp_path):
    text = discover(leads, history=parquet(tmp_path / "log.parquet", change_rows())).to_toml(folder=tmp_path)
    assert '# fields = ["Source", "owner"]  # fields that are replayed' in text


def test_a_change_log_without_the_new_value_is_an_error(leads, tmp_path):
    rows = [
        row | {"by": "Ann", "via": "web"} for row in only(change_rows(), "lead_id", "changed_at", "field")
    ]
    with pytest.raises(InputError, match=r"no column says what the field became.*'by', 'via'"):
        discover(leads, history=parquet(tmp_path / "log.parquet", rows))


def test_a_change_log_without_fields_is_an_error(leads, tmp_path):
    rows = [row | {"old": 1, "new": 2} for row in only(change_rows(), "lead_id", "changed_at")]
    with pytest.raises(InputError, match="no column says which field changed"):
        discover(leads, history=parquet(tmp_path / "log.parquet", rows))


# What cannot be used


def test_events_without_a_date_are_an_error_that_says_what_was_looked_for(leads, tmp_path):
    rows = only(event_rows(), "lead_id", "event_type", "channel")
    with pytest.raises(
        InputError, match=r"no column says when an event occurred.*dates in one form.*'channel'"
    ):
        discover(leads, events=parquet(tmp_path / "events.parquet", rows))


def test_events_without_a_type_are_an_error_that_says_what_was_looked_for(leads, tmp_path):
    rows = only(event_rows(), "lead_id", "occurred_at", "value")
    with pytest.raises(InputError, match=r"no column says of what type an event is.*'event type'"):
        discover(leads, events=parquet(tmp_path / "events.parquet", rows))


def test_events_of_strangers_are_an_error_with_five_ids_of_each(leads, tmp_path):
    rows = [row | {"lead_id": f"X{i}"} for i, row in enumerate(event_rows())]
    with pytest.raises(
        InputError,
        match=r"no row bears the id of a lead in .*'K1', 'K2', 'K3', 'K4', 'K5'; 'lead_id' here holds "
        r"'X0', 'X1', 'X2', 'X3', 'X4'\. ",
    ):
        discover(leads, events=parquet(tmp_path / "events.parquet", rows))


def test_another_column_of_the_leads_that_holds_the_ids_is_proposed(tmp_path):
    leads = csv(tmp_path / "leads.csv", [row | {"account": f"A{i}"} for i, row in enumerate(lead_rows())])
    rows = [row | {"lead_id": f"A{i % N_LEADS}"} for i, row in enumerate(event_rows())]
    events = parquet(tmp_path / "events.parquet", rows)
    with pytest.raises(InputError, match="'account' of the leads holds these: --lead-id account"):
        discover(leads, events=events)
    assert discover(leads, lead_id="account", events=events).roles.events.lead_id == "lead_id"


def test_leads_without_an_id_cannot_have_events(tmp_path):
    leads = csv(tmp_path / "leads.csv", only(lead_rows(), "Stage", "Source"))
    with pytest.raises(InputError, match=r"nobody can tell whose the events are; name it: --lead-id COLUMN"):
        discover(leads, events=parquet(tmp_path / "events.parquet", event_rows()))


def test_leads_without_dates_get_no_observations_and_are_told_why(tmp_path):
    leads = csv(tmp_path / "leads.csv", only(lead_rows(), "Lead ID", "Stage", "Source"))
    text = discover(leads, events=parquet(tmp_path / "events.parquet", event_rows())).to_toml(folder=tmp_path)
    assert "[observations]" not in text
    assert "# Behaviour needs created_at in [schema]" in text
    assert parse_config(text, folder=tmp_path).roles.events == EVERY_ROLE


def test_sources_that_cannot_be_read_are_said_to_be(leads, tmp_path):
    with pytest.raises(InputError, match=r"nothing\.parquet: no such file"):
        discover(leads, events=tmp_path / "nothing.parquet")
    empty = write(tmp_path / "empty.csv", "lead_id,occurred_at,event_type\n")
    with pytest.raises(InputError, match="there are no rows"):
        discover(leads, events=empty)
    (tmp_path / "bare").mkdir()
    with pytest.raises(InputError, match="is a folder without a CSV or Parquet file"):
        discover(leads, events=tmp_path / "bare")
    damaged = write(tmp_path / "damaged.parquet", "PAR1 and no more")
    with pytest.raises(InputError, match=r"damaged\.parquet"):
        discover(leads, history=damaged)


def test_csv_files_that_are_parted_otherwise_than_the_leads_are_an_error(leads, tmp_path):
    rows = text_moments(event_rows(), "%Y-%m-%d", "occurred_at", "recorded_at")
    with pytest.raises(InputError, match=r"parts cells by ',', .*events\.csv by ';'.*or as Parquet"):
        discover(leads, events=csv(tmp_path / "events.csv", rows, ";"))


def test_csv_files_in_two_encodings_are_an_error(tmp_path):
    leads = csv(tmp_path / "leads.csv", lead_rows(Ort="Köln"))
    rows = [
        row | {"channel": "süd"}
        for row in text_moments(event_rows(), "%Y-%m-%d", "occurred_at", "recorded_at")
    ]
    with pytest.raises(InputError, match=r"is utf-8 text, .*events\.csv is cp1252; .*Save them as UTF-8"):
        discover(leads, events=csv(tmp_path / "events.csv", rows, encoding="cp1252"))


def test_files_of_a_folder_must_agree(leads, tmp_path):
    parquet(tmp_path / "events" / "a.parquet", event_rows())
    parquet(tmp_path / "events" / "b.parquet", only(event_rows(), "lead_id"))
    with pytest.raises(SchemaError, match=r"b\.parquet: the columns are not those of"):
        discover(leads, events=tmp_path / "events")


def test_a_password_in_an_address_is_advised_against(crm):
    found = discover(crm / "leads.csv", events=crm / "events.parquet")
    address = "postgresql://ann:secret@crm.example/sales"
    data = found.data.model_copy(update={"events": address, "events_query": "acts"})
    text = type(found)(**{**vars(found), "data": data}).to_toml(folder=crm)
    assert f'events = "{address}"  # what leads did, and when; a password is better taken' in text


# Names and zones


@pytest.mark.parametrize(
    ("name", "rank"),
    [("event type", 0), ("Type", 1), ("the_event_type_2", 2), ("subtype", None), ("types", None)],
)
def test_whole_names_go_before_names_that_hold_a_phrase(name, rank):
    assert name_rank(name, ("event type", "type")) == rank


@pytest.mark.parametrize("section", ["schema", "schema.events", "schema.history"])
@pytest.mark.parametrize("zone", ["Europe/Berln", "../etc/passwd", "Europe"])
def test_a_zone_that_does_not_exist_is_refused_with_the_configuration(section, zone):
    text = '[data]\nleads = "leads.csv"\n[schema]\noutcome = "won"\nwon = ["yes"]\n'
    head = "" if section == "schema" else f"[{section}]\n"
    rest = '\n[cutoff.mql]\npolicy = "fixed_threshold"\nthreshold = 0.5\n'
    message = rf"\[{section}\.time_zone\].*{zone}.*is not known here; expected an IANA name"
    with pytest.raises(ConfigError, match=message):
        parse_config(f'{text}{head}time_zone = "{zone}"{rest}', folder=Path())
    assert parse_config(f'{text}{head}time_zone = "Europe/Berlin"{rest}', folder=Path())


# Real data


@pytest.mark.real_data
def test_the_roles_of_a_real_event_log_are_found(real_data):
    folder = real_data / "bpi2012_loans"
    found = discover(folder / "cases.csv", events=folder / "events.parquet")
    config = parse_config(found.to_toml(folder=folder), folder=folder)
    roles = config.roles.events
    assert (roles.lead_id, roles.occurred_at, roles.event_type) == ("case_id", "timestamp", "activity")
    assert (roles.value, roles.recorded_at, roles.event_id) == (None, None, None)
    assert {"A_APPROVED", "A_DECLINED", "O_ACCEPTED"} <= set(found.events.suspects)
