"""The change log of fields becomes house columns, by the same rules as events."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs import make_config
from laws import law
from leadlift.config import DataConfig, HistoryConfig
from leadlift.data.history import HISTORY_COLUMNS, History, history_from, open_history, read_history
from leadlift.data.reading import leads_from
from leadlift.exceptions import ConfigError, SchemaError
from leadlift.terms import Severity


def sound(n: int = 2) -> dict[str, list]:
    """Changes about which there is nothing to say."""
    return {
        "lead_id": [f"L{i}" for i in range(n)],
        "changed_at": ["2026-03-01T10:00:00Z"] * n,
        "field": ["stage"] * n,
        "value": ["demo"] * n,
    }


def findings_of(columns: dict[str, list], roles: HistoryConfig | None = None) -> dict[str, object]:
    found = history_from(pa.table(columns), roles).findings()
    return {finding.code: finding for finding in found}


def test_every_house_column_is_there_in_its_type():
    table = history_from(pa.table(sound(1))).table()
    assert table.schema == HISTORY_COLUMNS
    assert table.to_pylist() == [
        {
            "lead_id": "L0",
            "changed_at": datetime(2026, 3, 1, 10, tzinfo=UTC),
            "field": "stage",
            "value": "demo",
            "old_value": None,
        }
    ]
    assert findings_of(sound()) == {}


def test_the_old_value_is_taken_where_there_is_one():
    columns = sound(2) | {"old_value": ["new", ""]}
    assert history_from(pa.table(columns)).table()["old_value"].to_pylist() == ["new", None]


@pytest.mark.parametrize("values", [["1.0", "True", " fair ", ""], ["1", "TRUE", "fair", None]])
def test_values_are_spelled_as_the_levels_of_the_leads_are(values):
    leads = leads_from(
        pa.table({"code": values, "stage": ["Won", "Lost"] * 2}), make_config(categorical=["code"])
    )
    history = history_from(pa.table(sound(4) | {"value": values}))
    assert (
        history.table()["value"].to_pylist() == leads.table["code"].to_pylist() == ["1", "true", "fair", None]
    )


def test_a_change_of_no_field_is_left_out_and_counted():
    columns = sound(3) | {"field": ["stage", "", None]}
    assert history_from(pa.table(columns)).table()["lead_id"].to_pylist() == ["L0"]
    finding = findings_of(columns)["LL172"]
    assert (finding.column, finding.count, finding.examples) == ("field", 2, ("L1", "L2"))


def test_changes_without_lead_or_moment_are_left_out_and_counted():
    columns = sound(4) | {
        "lead_id": ["A", "", "B", "C"],
        "changed_at": ["2026-03-01Z", "2026-03-01", "x", ""],
    }
    found = findings_of(columns)
    assert (found["LL170"].examples, found["LL171"].examples) == (("row 2",), ("A", "B", "C"))
    assert found["LL171"].severity is Severity.FATAL
    assert "none of 4 rows can be used" in found["LL175"].message


def test_a_clock_time_is_that_of_the_zone():
    history = history_from(
        pa.table(sound(1) | {"changed_at": ["2026-03-29 02:30"]}), HistoryConfig(time_zone="Europe/Berlin")
    )
    assert history.table()["changed_at"].to_pylist() == [datetime(2026, 3, 29, 1, 30, tzinfo=UTC)]
    assert [finding.code for finding in history.findings()] == ["LL177"]


def test_more_fields_than_a_table_can_have_are_no_fields():
    assert "LL173" in findings_of(sound(1001) | {"field": [f"note {i}" for i in range(1001)]})


def test_a_configuration_names_the_change_log(tmp_path):
    (tmp_path / "log.csv").write_text("lead_id,changed_at,field,value\nA,2026-03-01,stage,demo\n")
    config = make_config(history=str(tmp_path / "log.csv"))
    assert read_history(config).table()["value"].to_pylist() == ["demo"]
    roles = HistoryConfig(value="new_value")
    with pytest.raises(SchemaError, match=r"'new_value' \(expected, not found"):
        open_history(str(tmp_path / "log.csv"), roles=roles, data=DataConfig(leads="leads.csv"))
    with pytest.raises(ConfigError, match=r"set \[data\] history"):
        read_history(make_config())


cells_of = {
    "lead_id": st.sampled_from(["A", "B", "", None]),
    "changed_at": st.sampled_from(["2026-03-29 02:30", "2026-03-01Z", "2026-03-01T10:00Z", "", None]),
    "field": st.sampled_from(["stage", "title", "", None]),
    "value": st.sampled_from(["demo", "1", None]),
}
any_rows = st.lists(st.fixed_dictionaries(cells_of), min_size=1, max_size=25)


def history_of(rows: list[dict]) -> History:
    schema = pa.schema([(name, pa.string()) for name in cells_of])
    return history_from(pa.Table.from_pylist(rows, schema), HistoryConfig(time_zone="Europe/Berlin"))


@law
@given(rows=any_rows, batch_rows=st.integers(1, 30))
def test_no_change_is_lost_in_silence_whatever_the_batches(rows, batch_rows):
    history = history_of(rows)
    table = pa.Table.from_batches(history.batches(batch_rows), HISTORY_COLUMNS)
    left_out = {"LL170", "LL171", "LL172"}
    counts = [finding.count for finding in history.findings() if finding.code in left_out]
    assert table.num_rows + sum(counts) == len(rows)
    assert table.equals(history_of(rows).table())
    assert history.findings() == history_of(rows).findings()
