"""Output appears whole or not at all."""

import os
import resource
import stat

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from leadlift.exceptions import InputError
from leadlift.serving import writing
from leadlift.serving.writing import open_output

TABLE = pa.table({"lead_id": ["a", "b"], "score": [0.25, None], "n": pa.array([1, 2], pa.int32())})
ENDINGS = pytest.mark.parametrize("ending", ["csv", "parquet"])


def names_in(folder):
    return [path.name for path in folder.iterdir()]


def write(path, table=TABLE, times=1):
    with open_output(path, table.schema) as append:
        for _ in range(times):
            append(table)


@ENDINGS
def test_what_is_written_can_be_read_back(tmp_path, ending):
    path = tmp_path / f"out.{ending}"
    write(path, times=2)
    read = pq.read_table(path) if ending == "parquet" else pyarrow.csv.read_csv(path)
    assert read.to_pydict() == pa.concat_tables([TABLE, TABLE]).to_pydict()
    assert names_in(tmp_path) == [path.name]


@ENDINGS
def test_a_folder_that_is_not_there_is_made(tmp_path, ending):
    write(tmp_path / "a" / "b" / f"out.{ending}")
    assert (tmp_path / "a" / "b" / f"out.{ending}").exists()


@pytest.mark.parametrize("name", ["out.xlsx", "out", "out.csv.gz"])
def test_another_ending_is_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"the output must end in .csv or .parquet"):
        write(tmp_path / name)
    assert names_in(tmp_path) == []


@ENDINGS
def test_nothing_is_seen_until_the_end(tmp_path, ending):
    path = tmp_path / f"out.{ending}"
    with open_output(path, TABLE.schema) as append:
        append(TABLE)
        assert not path.exists()
    assert path.exists()


@ENDINGS
def test_an_error_of_the_one_who_writes_passes_through_and_leaves_the_older_file(tmp_path, ending):
    path = tmp_path / f"out.{ending}"
    path.write_text("older")
    with pytest.raises(KeyError, match="no such lead"), open_output(path, TABLE.schema) as append:
        append({}["no such lead"])
    assert path.read_text() == "older"
    assert names_in(tmp_path) == [path.name]


@ENDINGS
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, ending, monkeypatch):
    path = tmp_path / f"out.{ending}"
    full = tmp_path / f".temporary.{ending}"
    full.symlink_to("/dev/full")
    monkeypatch.setattr(writing, "_temporary", lambda _: full)
    with pytest.raises(InputError, match=r"could not be written and was left as it was: .*[Nn]o space left"):
        write(path, times=1)
    assert names_in(tmp_path) == []


@ENDINGS
def test_a_file_that_outgrows_its_limit_midway_is_told_and_leaves_the_older_one(tmp_path, ending):
    path = tmp_path / f"out.{ending}"
    path.write_text("older")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, hard))
    table = pa.table({"lead_id": [f"{i}" for i in range(3_000)]})
    try:
        with pytest.raises(InputError, match=r"could not be written and was left as it was"):
            write(path, table, times=3)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_text() == "older"
    assert names_in(tmp_path) == [path.name]


@ENDINGS
def test_a_rename_that_fails_leaves_the_older_file(tmp_path, ending, monkeypatch):
    path = tmp_path / f"out.{ending}"
    path.write_text("older")

    def fail(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(InputError, match=r"left as it was: Permission denied"):
        write(path)
    assert path.read_text() == "older"
    assert names_in(tmp_path) == [path.name]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match=r"file/out.csv cannot be written: (Not a directory|File exists)"):
        write(tmp_path / "file" / "out.csv")


def test_a_folder_of_that_name_is_left_alone(tmp_path):
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(
        InputError, match=r"out.csv could not be written and was left as it was: Is a directory"
    ):
        write(tmp_path / "out.csv")
    assert names_in(tmp_path) == ["out.csv"]


def test_the_file_gets_the_permissions_of_a_new_file(tmp_path):
    before = os.umask(0o027)
    try:
        write(tmp_path / "out.csv")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.csv").stat().st_mode) == 0o640


def test_parquet_keeps_cells_as_they_are(tmp_path):
    write(tmp_path / "out.parquet", pa.table({"a": ["=1+1"]}))
    assert pq.read_table(tmp_path / "out.parquet")["a"].to_pylist() == ["=1+1"]
