"""A job writes the same leads wherever it writes them; a profile of it is the export of its scored table."""

from datetime import timedelta

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from contracts.store_contract import stored
from leadlift.exceptions import ConfigError
from leadlift.serving.exporting import export
from leadlift.serving.predict import predict
from leadlift.serving.scoring import Queries
from leadlift.terms import AS_OF, LEAD_ID
from scored_tables import NOW

LATER = NOW.replace(year=2030)  # after all that the model has learnt from
NEXT_NIGHT = LATER + timedelta(days=1)


@pytest.fixture(scope="module")
def leads(workspace, bundle, tmp_path_factory):
    """59 new leads, one of them twice, and one more without an id."""
    some = pyarrow.csv.read_csv(workspace.new_leads).slice(0, 59)
    id_place = some.schema.get_field_index(bundle.schema.roles.lead_id)
    nobody = some.slice(1, 1).set_column(id_place, bundle.schema.roles.lead_id, pa.array([""]))
    place = tmp_path_factory.mktemp("leads") / "new.csv"
    pyarrow.csv.write_csv(pa.concat_tables([some, some.slice(0, 1), nobody]), place)
    return place


@pytest.fixture(scope="module")
def nights(bundle, leads, tmp_path_factory):
    """Files of two nights of scoring."""
    folder = tmp_path_factory.mktemp("nights")
    first, second = folder / "first.parquet", folder / "second.parquet"
    predict(bundle, leads, out=first, as_of=LATER)
    predict(bundle, leads, out=second, as_of=NEXT_NIGHT, previous=first)
    return first, second


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_database_holds_what_the_file_holds(bundle, leads, nights, tmp_path, kind):
    address = f"sqlite:///{tmp_path}/crm.db" if kind == "sqlite" else str(tmp_path / "crm.duckdb")
    for as_of in (LATER, NEXT_NIGHT):
        predict(
            bundle,
            leads,
            out=address,
            out_table="scores",
            as_of=as_of,
            previous=None if as_of is LATER else address,
            queries=Queries(previous="scores"),
        )
    rows = stored(address, "scores"), stored(address, "scores_rejected")
    files = pa.concat_tables([pq.read_table(night) for night in nights]).to_pylist()
    has_no_key = [row["status"] in {"missing_id", "duplicate_id"} for row in files]
    expected = [row for row, is_rejected in zip(files, has_no_key, strict=True) if not is_rejected]
    assert rows[0] == sorted(expected, key=lambda row: (row[LEAD_ID], row[AS_OF]))
    assert len(rows[1]) == sum(has_no_key) == 4


def test_a_profile_of_the_job_is_the_export_of_its_table(bundle, leads, nights, tmp_path):
    first, second = nights
    job, exported = tmp_path / "job.csv", tmp_path / "exported.csv"
    done = predict(bundle, leads, out=job, as_of=NEXT_NIGHT, previous=first, profile="salesforce")
    assert (done.rows_in, done.rows_out) == (61, 59)
    export(second, out=exported, profile="salesforce")
    assert job.read_bytes() == exported.read_bytes()


@pytest.mark.parametrize("by", ["stage", "grade"])
def test_where_nothing_changed_nothing_is_told(bundle, leads, nights, tmp_path, by):
    done = predict(
        bundle, leads, out=tmp_path / "job.csv", as_of=NEXT_NIGHT, previous=nights[0], changed_only=by
    )
    assert (done.rows_in, done.rows_out) == (61, 0)


def test_a_table_holds_all_leads_in_full(bundle, leads, tmp_path):
    with pytest.raises(ConfigError, match="profile and changed_only are for files"):
        predict(bundle, leads, out=str(tmp_path / "crm.duckdb"), out_table="s", as_of=LATER, profile="odoo")
