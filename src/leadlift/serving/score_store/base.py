"""What every store of scored batches does."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.tables import require_columns
from leadlift.exceptions import ConfigError, InputError, shorten
from leadlift.serving.drift import DriftCounts
from leadlift.serving.id_hashes import IdsSeen, hash_ids
from leadlift.serving.scored_columns import CODED_SCHEMA, SCORED_SCHEMA, in_one_piece, scored_table
from leadlift.serving.writing import parquet_writer, told
from leadlift.terms import AS_OF, LEAD_ID, MODEL_VERSION, STATUS, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pyarrow.parquet

# Rows that have no id, or that of an earlier row, are those of no lead.
OF_NO_LEAD = (Status.MISSING_ID.value, Status.DUPLICATE_ID.value)
BATCHES_SCHEMA = pa.schema(
    [
        (AS_OF, pa.timestamp("us", tz="UTC")),
        (MODEL_VERSION, pa.string()),
        ("n_rows", pa.int64()),
    ]
)
NO_STORE = "{}: there is no store of scores; `leadlift predict --store` makes one"
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class ScoreStore(ABC):
    """Scored leads of many batches, a row for each lead, moment of scoring and model version.

    Parameters
    ----------
    name : str
        What messages call it.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def add(self, scored: pa.Table, counts: DriftCounts | None = None, *, source: str = "") -> None:
        """Add scored leads of one batch or of many; a row whose lead, moment and model are there is replaced.

        Each batch is added whole or not at all. Rows without an id, or with that of an earlier row, are left
        out: they are those of no lead.

        Parameters
        ----------
        scored : pyarrow.Table
            With the columns of :data:`leadlift.serving.scored_columns.SCORED_SCHEMA`, texts plain or
            dictionary-encoded.
        counts : DriftCounts, optional
            What the job counted, of one batch.
        source : str, default=""
            What the leads were read from: counts of the same batch and source are replaced, those of
            another source of the batch stay beside them.

        Raises
        ------
        SchemaError
            A column is missing.
        ConfigError
            A row has no moment or no model version, or counts are given for several batches.
        InputError
            A lead stands in a batch twice; the store cannot be written, or another job writes the batch.
        """
        require_columns(SCORED_SCHEMA.names, scored.column_names, "the scored table")
        batches = list(_parted(scored))
        if counts is not None and len(batches) != 1:
            msg = f"counts are those of one batch, but the scored table has {len(batches)}; add one at a time"
            raise ConfigError(msg)
        for as_of, model_version, rows in batches:
            with self.open_batch(as_of, model_version, source=source) as batch:
                batch.write(rows)
                batch.counts = counts

    @contextmanager
    def open_batch(
        self, as_of: datetime | None, model_version: str, *, source: str = ""
    ) -> Iterator[StoredBatch]:
        """Open a batch to be written piece by piece; it is in the store once the block has ended well.

        Parameters
        ----------
        as_of : datetime with time zone
        model_version : str
        source : str, default=""
            As for :meth:`add`.

        Yields
        ------
        StoredBatch

        Raises
        ------
        ConfigError
            There is no moment, or the version is no name of letters, digits, ``.``, ``_`` and ``-``.
        InputError
            As for :meth:`add`.
        """
        _require_key(as_of, model_version)
        with self._workplace(as_of, model_version) as path:
            batch = StoredBatch(path, as_of, model_version)
            with closing(batch):
                yield batch
                self._commit(batch, source)

    @abstractmethod
    def scored(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        model_version: str | None = None,
        *,
        columns: Sequence[str] | None = None,
        lead_id: str | None = None,
    ) -> pa.Table:
        """Return scored leads.

        Parameters
        ----------
        since, until : datetime with time zone, optional
            Moments of scoring from the first on and before the second.
        model_version : str, optional
            Of this model alone.
        columns : sequence of str, optional
            Some of the columns, in their order.
        lead_id : str, optional
            Of this lead alone.

        Returns
        -------
        pyarrow.Table
            Columns of :data:`leadlift.serving.scored_columns.SCORED_SCHEMA`, by moment and model version.

        Raises
        ------
        InputError
            There is no store, or it cannot be read.
        """

    @abstractmethod
    def batches(self) -> pa.Table:
        """Return the batches, by moment and model version.

        Returns
        -------
        pyarrow.Table
            ``as_of`` (timestamp us UTC), ``model_version`` (string) and ``n_rows`` (int64), one row a batch.
        """

    def counts(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        model_version: str | None = None,
    ) -> DriftCounts:
        """Return the sum of what the jobs counted; that of no batch is empty.

        Parameters
        ----------
        since, until, model_version
            As for :meth:`scored`.

        Returns
        -------
        DriftCounts

        Raises
        ------
        ConfigError
            The batches are of several models, whose bins differ.
        """
        found = list(self._counts(since, until, model_version))
        versions = sorted({version for version, _ in found})
        if len(versions) > 1:
            msg = (
                f"counts of {len(versions)} models cannot be added, their bins differ: {shorten(versions)}. "
                f"Give model_version"
            )
            raise ConfigError(msg)
        return sum((counts for _, counts in found), DriftCounts())

    @abstractmethod
    def _workplace(self, as_of: datetime, model_version: str) -> AbstractContextManager[Path]:
        """Yield the path of a file that is nobody else's and is gone at the end."""

    @abstractmethod
    def _commit(self, batch: StoredBatch, source: str) -> None:
        """Put a batch that is complete into its place."""

    @abstractmethod
    def _counts(
        self, since: datetime | None, until: datetime | None, model_version: str | None
    ) -> Iterator[tuple[str, DriftCounts]]:
        """Model version and counts of each job."""


class StoredBatch:
    """A batch on its way into a store, spooled to a Parquet file.

    Parameters
    ----------
    path : Path
        The file.
    as_of : datetime with time zone
    model_version : str

    Attributes
    ----------
    counts : DriftCounts or None
        What the job counted, told before the batch ends.
    """

    def __init__(self, path: Path, as_of: datetime, model_version: str) -> None:
        self.path, self.as_of, self.model_version = path, as_of, model_version
        self.counts: DriftCounts | None = None
        self._seen = IdsSeen()
        self._writer = None

    def write(self, scored: pa.Table) -> None:
        """Append rows.

        Parameters
        ----------
        scored : pyarrow.Table
            As for :meth:`ScoreStore.add`, all of this batch.

        Raises
        ------
        InputError
            A lead stands in the batch twice, or a row is of another batch.
        """
        rows = _of_leads(scored)
        self._refuse_other_batches(rows)
        repeated = self._seen.repeated(hash_ids(rows[LEAD_ID]))
        if repeated.any():
            ids = rows[LEAD_ID].filter(pa.array(repeated)).to_pylist()
            msg = (
                f"{len(ids)} lead(s) stand twice in the batch of {self.as_of.isoformat()}: {shorten(ids)}. "
                f"Expected a row for each lead"
            )
            raise InputError(msg)
        self._append(rows)

    def write_rest_of(self, scored: pa.Table) -> None:
        """Append the rows of leads that were not written."""
        rows = _of_leads(scored)
        self._append(rows.filter(pa.array(~self._seen.repeated(hash_ids(rows[LEAD_ID])))))

    def complete(self, metadata: dict[str, str]) -> None:
        """Write the end of the file, with texts by name in its metadata."""
        with told(self.path):
            self._open_writer().add_key_value_metadata(metadata)
            self.close()

    def close(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()

    def _append(self, rows: pa.Table) -> None:
        if len(rows):
            with told(self.path):
                self._open_writer().write_table(rows, row_group_size=len(rows))

    def _open_writer(self) -> pyarrow.parquet.ParquetWriter:
        if self._writer is None:
            self._writer = parquet_writer(self.path, CODED_SCHEMA)
        return self._writer

    def _refuse_other_batches(self, rows: pa.Table) -> None:
        versions = pc.unique(pc.cast(rows[MODEL_VERSION], pa.string())).to_pylist()
        moments = pc.unique(rows[AS_OF]).to_pylist()
        if len(rows) and (versions, moments) != ([self.model_version], [self.as_of.astimezone(UTC)]):
            msg = (
                f"expected rows of {self.as_of.isoformat()} and model {self.model_version!r}, got rows of "
                f"{shorten(moments)} and {shorten(versions)}; open a batch for each"
            )
            raise InputError(msg)


def _of_leads(scored: pa.Table) -> pa.Table:
    """Rows that are those of a lead, texts as codes."""
    columns = {name: scored[name] for name in SCORED_SCHEMA.names}
    table = in_one_piece([scored_table(columns, len(scored))])
    is_of_none = pc.is_in(pc.cast(table[STATUS], pa.string()), value_set=pa.array(OF_NO_LEAD))
    return table.filter(pc.and_not(pc.is_valid(table[LEAD_ID]), is_of_none))


def _parted(scored: pa.Table) -> Iterator[tuple[datetime | None, str, pa.Table]]:
    """Moment, model version and rows of each batch, in order."""
    keys = scored.select([AS_OF, MODEL_VERSION])
    keys = keys.set_column(1, MODEL_VERSION, pc.cast(keys[MODEL_VERSION], pa.string()))
    batches = keys.group_by([AS_OF, MODEL_VERSION]).aggregate([])
    for batch in batches.sort_by([(AS_OF, "ascending"), (MODEL_VERSION, "ascending")]).to_pylist():
        is_of = [pc.equal(keys[name], pa.scalar(batch[name], keys[name].type)) for name in keys.column_names]
        yield batch[AS_OF], batch[MODEL_VERSION], scored.filter(pc.and_(*is_of))


def _require_key(as_of: datetime | None, model_version: str | None) -> None:
    if as_of is None or as_of.tzinfo is None:
        msg = f"a store needs as_of, a moment with a time zone, got {as_of}; score with as_of"
        raise ConfigError(msg)
    if not _VERSION.fullmatch(model_version or ""):
        msg = (
            f"a store needs the version of the model, of letters, digits, '.', '_' and '-', got "
            f"{model_version!r}; score with a saved bundle"
        )
        raise ConfigError(msg)


def in_range(moment: datetime, since: datetime | None, until: datetime | None) -> bool:
    """Say whether a moment is from the first on and before the second.

    Examples
    --------
    >>> day = datetime(2026, 11, 22, tzinfo=UTC)
    >>> in_range(day, day, None), in_range(day, None, day)
    (True, False)
    """
    return (since is None or moment >= since) and (until is None or moment < until)
