"""A store as a folder of Parquet files, one a batch, that any tool can read."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet

from leadlift.exceptions import InputError
from leadlift.serving.drift import DriftCounts
from leadlift.serving.lock import locked
from leadlift.serving.run_folder import run_name
from leadlift.serving.score_store.base import BATCHES_SCHEMA, NO_STORE, ScoreStore, in_range
from leadlift.serving.scored_columns import SCORED_SCHEMA
from leadlift.serving.writing import publish, told
from leadlift.terms import AS_OF, LEAD_ID, MODEL_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from leadlift.serving.score_store.base import StoredBatch

COUNTS = "leadlift.counts"
"""Key of a file's metadata: JSON of the counts by source."""

_PREFIX = "scored-"
_NAME = re.compile(_PREFIX + r"(\d{8}T\d{6})(\.\d{6})?Z-(.+)\.parquet")


@dataclass(frozen=True)
class _File:
    """A batch and where it is."""

    as_of: datetime
    model_version: str
    path: Path

    @classmethod
    def at(cls, path: Path) -> _File | None:
        """The batch of a file by its name; None of any other file."""
        found = _NAME.fullmatch(path.name)
        if found is None:
            return None
        seconds, fraction, version = found.groups(default=".000000")
        moment = datetime.strptime(seconds + fraction, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
        return cls(moment, version, path)


class FolderScoreStore(ScoreStore):
    """A folder with a file ``scored-<moment>-<model version>.parquet`` for each batch.

    Parameters
    ----------
    folder : Path
        Made with the first batch. Files of other names are left alone.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder))
        self._folder = folder

    def scored(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        model_version: str | None = None,
        *,
        columns: Sequence[str] | None = None,
        lead_id: str | None = None,
    ) -> pa.Table:
        """Return scored leads; see :meth:`ScoreStore.scored`."""
        schema = pa.schema([SCORED_SCHEMA.field(name) for name in columns or SCORED_SCHEMA.names])
        filters = None if lead_id is None else [(LEAD_ID, "=", lead_id)]
        with _read_errors(self.name):
            tables = [
                pyarrow.parquet.read_table(file.path, columns=schema.names, filters=filters).cast(schema)
                for file in self._files(since, until, model_version)
            ]
        return pa.concat_tables([schema.empty_table(), *tables])

    def batches(self) -> pa.Table:
        """Return the batches; see :meth:`ScoreStore.batches`."""
        with _read_errors(self.name):
            rows = [
                {
                    AS_OF: file.as_of,
                    MODEL_VERSION: file.model_version,
                    "n_rows": pyarrow.parquet.read_metadata(file.path).num_rows,
                }
                for file in self._files()
            ]
        return pa.Table.from_pylist(rows, BATCHES_SCHEMA)

    def _counts(
        self, since: datetime | None, until: datetime | None, model_version: str | None
    ) -> Iterator[tuple[str, DriftCounts]]:
        for file in self._files(since, until, model_version):
            with _read_errors(self.name):
                by_source = _counts_by_source(file.path)
            for counts in by_source.values():
                yield file.model_version, DriftCounts.from_dict(counts)

    def _files(
        self, since: datetime | None = None, until: datetime | None = None, model_version: str | None = None
    ) -> list[_File]:
        """The batches asked for, by moment and model version."""
        if not self._folder.is_dir():
            raise InputError(NO_STORE.format(self.name))
        found = filter(None, map(_File.at, self._folder.iterdir()))
        wanted = (
            file
            for file in found
            if in_range(file.as_of, since, until) and model_version in {None, file.model_version}
        )
        return sorted(wanted, key=lambda file: (file.as_of, file.model_version))

    @contextmanager
    def _workplace(self, as_of: datetime, model_version: str) -> Iterator[Path]:
        """A hidden folder beside the file, locked; what a job that died left there is written over."""
        path = self._path(as_of, model_version)
        work = path.with_name(f".{path.name}.job")
        with ExitStack() as on_exit:
            with told(path):
                on_exit.enter_context(locked(work / "lock", path))
            on_exit.callback(shutil.rmtree, work, ignore_errors=True)
            yield work / path.name

    def _commit(self, batch: StoredBatch, source: str) -> None:
        """Replace the file, with the leads and the counts of other jobs that stand in it."""
        path, by_source = self._path(batch.as_of, batch.model_version), {}
        if path.exists():
            with _read_errors(self.name):
                by_source = _counts_by_source(path)
                self._keep_others(batch, path)
        by_source.pop(source, None)
        if batch.counts is not None:
            by_source[source] = batch.counts.to_dict()
        batch.complete({COUNTS: json.dumps(dict(sorted(by_source.items())))})
        with told(path):
            publish(batch.path, path)

    def _keep_others(self, batch: StoredBatch, path: Path) -> None:
        with pyarrow.parquet.ParquetFile(path) as file:
            for i in range(file.num_row_groups):
                batch.write_rest_of(file.read_row_group(i))

    def _path(self, as_of: datetime, model_version: str) -> Path:
        return self._folder / f"{_PREFIX}{run_name(as_of, model_version)}.parquet"


def _counts_by_source(path: Path) -> dict[str, dict]:
    metadata = pyarrow.parquet.read_metadata(path).metadata or {}
    return json.loads(metadata.get(COUNTS.encode(), b"{}"))


@contextmanager
def _read_errors(name: str) -> Iterator[None]:
    """Turn what cannot be read into an error of ours."""
    try:
        yield
    except (OSError, pa.ArrowInvalid) as error:
        msg = f"{name}: the store cannot be read: {error}"
        raise InputError(msg) from error
