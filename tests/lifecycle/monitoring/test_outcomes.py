"""What became of leads is read as training read it: one row a lead, and nothing guessed."""

from types import SimpleNamespace

import pyarrow as pa
import pytest

from leadlift.config import DataConfig, LeadSchema, SchemaConfig
from leadlift.exceptions import ConfigError, InputError, SchemaError
from leadlift.lifecycle.monitoring.outcomes import OUTCOME_SCHEMA, read_outcomes, require_outcomes


def bundle(**roles):
    given = {"lead_id": "id", "outcome": "state", "won": ("Won",), "lost": ("Lost",), "open": ("Open",)}
    given |= {"created_at": "made", "closed_at": "done", "qualified_at": "accepted"} | roles
    return SimpleNamespace(
        schema=LeadSchema(data=DataConfig(leads="leads.csv"), roles=SchemaConfig(**given), features=())
    )


def table(*rows):
    return pa.table(dict(zip(("id", "state", "done"), map(list, zip(*rows, strict=True)), strict=True)))


def outcome_of(read):
    return dict(zip(read["lead_id"].to_pylist(), read["outcome"].to_pylist(), strict=True))


def test_values_and_dates_are_those_of_the_training_data():
    read = read_outcomes(
        table(("b", "Lost", "2026-03-02 01:00"), ("a", "Won", "2026-03-01"), ("c", "Open", "2026-04-01")),
        bundle(time_zone="Europe/Berlin"),
    )
    assert read.schema.equals(OUTCOME_SCHEMA)
    assert read["lead_id"].to_pylist() == ["b", "a", "c"]
    assert read["outcome"].to_pylist() == ["lost", "won", "open"]
    closed = [None if moment is None else moment.isoformat() for moment in read["closed_at"].to_pylist()]
    assert closed == ["2026-03-02T00:00:00+00:00", "2026-02-28T23:00:00+00:00", None]


def test_a_file_reads_as_the_table_does(tmp_path):
    (tmp_path / "leads.csv").write_text("id,state,done,other\na,Won,2026-03-01,9\nb,Open,,\n")
    rows = table(("a", "Won", "2026-03-01"), ("b", "Open", ""))
    assert read_outcomes(tmp_path / "leads.csv", bundle()).equals(read_outcomes(rows, bundle()))


def test_of_several_rows_of_a_lead_the_closed_one_counts_with_its_earliest_closing():
    read = read_outcomes(
        table(
            ("a", "Open", ""),
            ("a", "Won", "2026-03-05"),
            ("a", "Won", "2026-03-01"),
            ("b", "Won", "2026-03-01"),
            ("b", "Lost", "2026-03-02"),
            ("c", "", ""),
        ),
        bundle(),
    )
    assert outcome_of(read) == {"a": "won", "b": None, "c": None}
    assert read["closed_at"][0].as_py().day == 1


def test_the_order_of_the_rows_does_not_matter():
    rows = table(
        ("a", "Open", ""), ("a", "Won", "2026-03-05"), ("b", "Lost", "2026-03-01"), ("a", "Won", "2026-03-01")
    )
    one, other = (read_outcomes(table_, bundle()) for table_ in (rows, rows.take([2, 3, 0, 1])))
    assert one.sort_by("lead_id").equals(other.sort_by("lead_id"))


def test_a_column_of_dates_may_be_absent():
    read = read_outcomes(pa.table({"id": ["a"], "state": ["Won"]}), bundle())
    assert read["closed_at"].to_pylist() == read["qualified_at"].to_pylist() == [None]


def test_an_outcome_that_is_not_declared_is_an_error():
    with pytest.raises(SchemaError, match="declared neither won, lost nor open: 'Gone"):
        read_outcomes(table(("a", "Gone", "")), bundle())


def test_a_date_that_cannot_be_read_is_an_error():
    with pytest.raises(SchemaError, match=r"'done' should hold dates .* 'soon'"):
        read_outcomes(table(("a", "Won", "soon")), bundle())


def test_a_file_without_the_outcome_is_an_error():
    with pytest.raises(SchemaError, match=r"'state' .expected, not found"):
        read_outcomes(pa.table({"id": ["a"]}), bundle())


def test_a_model_without_lead_ids_cannot_be_judged():
    with pytest.raises(ConfigError, match="trained on leads without ids"):
        read_outcomes(table(("a", "Won", "")), bundle(lead_id=None))


def test_what_was_read_is_not_read_again_and_a_lead_stands_in_it_once():
    read = read_outcomes(table(("a", "Won", "2026-03-01")), bundle())
    assert require_outcomes(read, bundle()) is read
    with pytest.raises(InputError, match="a lead twice"):
        require_outcomes(pa.concat_tables([read, read]), bundle())
