"""What was scored once is exported to any CRM, from a file or a database, all of it or what changed."""

import json
from datetime import timedelta

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from command_line import run_cli, run_ok
from database_job import write
from leadlift.exceptions import ConfigError, InputError, SchemaError
from leadlift.serving.exporting import ExportSummary, export
from leadlift.serving.profiles import get_profile
from leadlift.serving.writing import open_output
from scored_tables import NOW, scored_row, scored_table

YESTERDAY = NOW - timedelta(days=1)
BEFORE = scored_table(
    scored_row("a", 0.4, as_of=YESTERDAY, stage="MQL", grade="B"),
    scored_row("=b", 0.5, as_of=YESTERDAY, stage="MQL", grade="B"),
)
SCORED = scored_table(
    scored_row("a", 0.42, stage="MQL", grade="B", reason_1="5 visits"),
    scored_row("=b", 0.9, stage="SQL", grade="A"),
    scored_row("c", 0.1),
    scored_row("d"),
)


@pytest.fixture(params=["parquet", "csv", "sqlite", "duckdb"])
def nights(request, tmp_path):
    """Two nights of scoring as files or in one table: the scored one, and the arguments that name both."""
    if request.param in {"sqlite", "duckdb"}:
        place = tmp_path / f"crm.{request.param}"
        address = f"sqlite:///{place}" if request.param == "sqlite" else str(place)
        write(address, BEFORE, as_of=YESTERDAY)
        write(address, SCORED)
        query = {"scored_query": "scores"}, {"previous": address, "previous_query": "scores"}
        return address, *query
    for name, table in (("before", BEFORE), ("scored", SCORED)):
        with open_output(tmp_path / f"{name}.{request.param}", table.schema) as append:
            append(table)
    return tmp_path / f"scored.{request.param}", {}, {"previous": tmp_path / f"before.{request.param}"}


def test_every_source_gives_the_rows_that_the_profile_makes(nights, tmp_path):
    scored, query, _ = nights
    done = export(scored, out=tmp_path / "out.parquet", profile="salesforce", **query)
    assert done == ExportSummary(rows_in=4, rows_out=3)
    ids = pq.read_table(tmp_path / "out.parquet").sort_by("Id")
    assert ids.equals(get_profile("salesforce").table(SCORED).sort_by("Id"))


def test_only_changes_are_told_and_trends_are_against_the_night_before(nights, tmp_path):
    scored, query, previous = nights
    done = export(
        scored, out=tmp_path / "out.parquet", profile="dynamics", changed_only="stage", **query, **previous
    )
    assert done == ExportSummary(rows_in=4, rows_out=2)
    rows = pq.read_table(tmp_path / "out.parquet").sort_by("msdyn_entityid").to_pylist()
    told = [(row["msdyn_entityid"], row["msdyn_grade"], row["msdyn_scoretrend"]) for row in rows]
    assert told == [("=b", 0, 0), ("c", 3, 3)]


def test_in_csv_a_text_that_a_spreadsheet_would_run_is_escaped(tmp_path):
    pq.write_table(SCORED, tmp_path / "scored.parquet")
    export(tmp_path / "scored.parquet", out=tmp_path / "out.csv", profile="marketo")
    assert pyarrow.csv.read_csv(tmp_path / "out.csv")["id"].to_pylist() == ["a", "'=b", "c"]


def test_an_empty_scoring_is_an_empty_file_with_its_header(tmp_path):
    pq.write_table(SCORED.slice(0, 0), tmp_path / "scored.parquet")
    done = export(tmp_path / "scored.parquet", out=tmp_path / "out.csv", profile="odoo")
    assert done == ExportSummary(0, 0)
    assert (tmp_path / "out.csv").read_text().startswith('"id","x_leadlift_score"')


def test_the_command_says_how_many_leads_it_wrote(tmp_path):
    pq.write_table(SCORED, tmp_path / "scored.parquet")
    pq.write_table(BEFORE, tmp_path / "before.parquet")
    asked = ("export", tmp_path / "scored.parquet", "--out", tmp_path / "out.csv", "--profile", "hubspot")
    assert run_ok(*asked).out == f"Wrote 3 of 4 scored leads to {tmp_path / 'out.csv'}\n"
    changes = (*asked, "--previous", tmp_path / "before.parquet", "--changed-only", "grade", "--json")
    assert json.loads(run_ok(*changes).out) == {"rows_in": 4, "rows_out": 2, "out": str(tmp_path / "out.csv")}
    refused = run_cli(*asked, "--changed-only", "grade")
    assert (refused.code, refused.out) == (1, "")
    assert "changed_only needs previous" in refused.err


# Bad input


def test_a_scored_table_is_not_replaced_by_its_export(tmp_path):
    pq.write_table(SCORED, tmp_path / "scored.parquet")
    with pytest.raises(InputError, match="would replace a file that is read"):
        export(tmp_path / "scored.parquet", out=tmp_path / "scored.parquet")


def test_a_table_that_was_not_scored_is_refused(tmp_path):
    pq.write_table(SCORED.drop_columns(["score", "status"]), tmp_path / "leads.parquet")
    with pytest.raises(SchemaError, match=r"(?s)2 column\(s\) needed .*'s(core|tatus)'"):
        export(tmp_path / "leads.parquet", out=tmp_path / "out.csv")


@pytest.mark.parametrize("column", ["as_of", "score", "score_0_100"])
def test_values_that_no_scoring_writes_are_refused(tmp_path, column):
    place = SCORED.schema.get_field_index(column)
    pq.write_table(SCORED.set_column(place, column, pa.array(["high"] * 4)), tmp_path / "scored.parquet")
    with pytest.raises(
        SchemaError, match=rf"{column} holds 'high'.*; expected a table that leadlift has scored"
    ):
        export(tmp_path / "scored.parquet", out=tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_a_database_needs_to_be_told_the_table(tmp_path):
    write(str(tmp_path / "crm.duckdb"), SCORED)
    with pytest.raises(ConfigError, match="set scored_query to the name of one"):
        export(str(tmp_path / "crm.duckdb"), out=tmp_path / "out.csv")
