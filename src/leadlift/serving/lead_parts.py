"""New leads in parts that many processes read: row groups of Parquet files that all of them see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from leadlift.data.file_sources import find_files
from leadlift.data.files import is_parquet, require_file
from leadlift.data.new_leads import prepare_batch
from leadlift.data.parquet_files import parquet_batches, parquet_schema
from leadlift.data.sources import source_kind
from leadlift.data.tables import lead_ids
from leadlift.serving.pieces import PIECE_ROWS
from leadlift.terms import LEAD_ID, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leadlift.config import LeadSchema

PART_ROWS = 262_144
"""Rows of a part, at least, but for the last one of a file; a row group is never split."""

# Before the columns of a staged file: what was read of the leads, and what the model gets.
_LEAD, _INPUT = "lead ", "input "


@dataclass(frozen=True)
class LeadPart:
    """Some leads that stand side by side.

    Parameters
    ----------
    path : str
        A Parquet file.
    row_groups : tuple of int
        Where in the file the leads are.
    first_row : int
        Number of the first of them among all leads, from 1.
    n_rows : int
    is_staged : bool
        Whether :func:`stage` wrote the file.
    """

    path: str
    row_groups: tuple[int, ...]
    first_row: int
    n_rows: int
    is_staged: bool = False


def parquet_parts(leads: str | Path, schema: LeadSchema) -> tuple[LeadPart, ...] | None:
    """Return the parts of leads that any process can read by itself.

    Parameters
    ----------
    leads : path or address
        Checked already; see :func:`leadlift.data.new_leads.iter_batches`.
    schema : LeadSchema

    Returns
    -------
    tuple of LeadPart or None
        In the order of the leads. None where they are no Parquet files, or where a column has another type in
        one file than in another.

    Raises
    ------
    InputError
        A file is damaged.
    """
    kind = source_kind(str(leads))
    if kind not in {"file", "files"}:
        return None
    paths = [require_file(leads)] if kind == "file" else find_files(str(leads))
    if not all(map(is_parquet, paths)):
        return None
    types = [_types(path, schema) for path in paths]
    return parts_of(paths) if all(found.equals(types[0]) for found in types) else None


def parts_of(paths: Sequence[Path], *, is_staged: bool = False) -> tuple[LeadPart, ...]:
    """Cut Parquet files into parts of whole row groups, in order.

    Parameters
    ----------
    paths : sequence of Path
    is_staged : bool, default=False

    Returns
    -------
    tuple of LeadPart
        Of at least :data:`PART_ROWS` rows each, but for the last one of a file.
    """
    parts, first_row = [], 1
    for path in paths:
        pending: list[int] = []
        n_rows = 0
        metadata = pq.read_metadata(path)
        for group in range(metadata.num_row_groups):
            pending.append(group)
            n_rows += metadata.row_group(group).num_rows
            if n_rows >= PART_ROWS or group == metadata.num_row_groups - 1:
                parts.append(LeadPart(str(path), tuple(pending), first_row, n_rows, is_staged))
                first_row += n_rows
                pending, n_rows = [], 0
    return tuple(parts)


def stage(pieces: Iterable[tuple[pa.Table, pa.Table | None]], path: Path) -> tuple[LeadPart, ...]:
    """Write leads, and inputs of the model where they were built, to a file of parts.

    Parameters
    ----------
    pieces : iterable of (pyarrow.Table, pyarrow.Table or None)
        Leads as from :func:`leadlift.data.new_leads.prepare_batch`, in order, and their inputs.
    path : Path
        Of a new Parquet file.

    Returns
    -------
    tuple of LeadPart
    """
    with ExitStack() as opened:
        writer = None
        for leads, inputs in pieces:
            table = _side_by_side(leads, inputs)
            writer = writer or opened.enter_context(pq.ParquetWriter(path, table.schema))
            writer.write_table(table)
    return parts_of([path], is_staged=True) if writer else ()


def part_ids(part: LeadPart, schema: LeadSchema) -> Iterator[tuple[pa.Array, NDArray[np.int64]]]:
    """Yield the ids of the leads of a part and their row numbers, batch by batch.

    Parameters
    ----------
    part : LeadPart
    schema : LeadSchema
        Names the column of the ids.

    Yields
    ------
    ids : pyarrow.Array of string
        Null where missing.
    rows : ndarray of int64
    """
    column = _LEAD + LEAD_ID if part.is_staged else schema.roles.lead_id
    for first_row, batch in _numbered(part, [column]):
        rows = np.arange(first_row, first_row + batch.num_rows)
        yield batch[0] if part.is_staged else lead_ids(batch[0], rows, schema.data), rows


def part_pieces(
    part: LeadPart, schema: LeadSchema, *, encode_levels: bool = False
) -> Iterator[tuple[int, pa.Table, pa.Table | None]]:
    """Yield the leads of a part, batch by batch.

    Parameters
    ----------
    part : LeadPart
    schema : LeadSchema
    encode_levels : bool, default=False
        As for :func:`leadlift.data.new_leads.prepare_batch`; of leads that are not staged.

    Yields
    ------
    first_row : int
        Number of the first row of the batch among all leads, from 1.
    leads : pyarrow.Table
        As from :func:`leadlift.data.new_leads.prepare_batch`.
    inputs : pyarrow.Table or None
        Inputs of the model; None where they are columns of the leads as they stand.
    """
    if part.is_staged:
        for first_row, batch in _numbered(part, pq.read_schema(part.path).names):
            yield first_row, *_parted(pa.table(batch))
        return
    names = _types(Path(part.path), schema).names
    levels = [spec.name for spec in schema.features if spec.kind is Kind.CATEGORICAL and spec.name in names]
    for first_row, batch in _numbered(part, names, levels):
        leads = prepare_batch(
            batch, schema, first_row=first_row, source=part.path, encode_levels=encode_levels
        )
        yield first_row, pa.table(leads), None


def _numbered(
    part: LeadPart, names: Sequence[str], levels: Sequence[str] = ()
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Batches with the number of their first row."""
    first_row, path = part.first_row, Path(part.path)
    for batch in parquet_batches(path, names, PIECE_ROWS, encoded=levels, row_groups=part.row_groups):
        yield first_row, batch
        first_row += batch.num_rows


def _types(path: Path, schema: LeadSchema) -> pa.Schema:
    """Names and types of the columns that are needed of a file of leads."""
    needed = {schema.roles.lead_id, schema.roles.created_at, *schema.feature_names}
    return pa.schema([field for field in parquet_schema(path, rows_required=False) if field.name in needed])


def _side_by_side(leads: pa.Table, inputs: pa.Table | None) -> pa.Table:
    columns = {_LEAD + name: leads[name] for name in leads.column_names}
    if inputs is not None:
        columns |= {_INPUT + name: inputs[name] for name in inputs.column_names}
    return pa.table(columns)


def _parted(table: pa.Table) -> tuple[pa.Table, pa.Table | None]:
    """The inverse of `_side_by_side`."""
    names = table.column_names
    n_leads = sum(name.startswith(_LEAD) for name in names)
    leads = table.select(names[:n_leads]).rename_columns([name[len(_LEAD) :] for name in names[:n_leads]])
    if n_leads == len(names):
        return leads, None
    return leads, table.select(names[n_leads:]).rename_columns(
        [name[len(_INPUT) :] for name in names[n_leads:]]
    )
