"""A job cut into pieces: batches of leads with what only their order can say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.serving.batch import Piece
from leadlift.serving.id_hashes import IdsSeen, hash_ids
from leadlift.terms import LEAD_ID

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from leadlift.serving.inputs import Inputs

PIECE_ROWS = 32_768
"""Rows scored at once."""


def pieces(
    batches: Iterable[pa.RecordBatch], inputs: Inputs, seen: IdsSeen, *, skip_rows: int = 0
) -> Iterator[Piece]:
    """Yield the pieces of a job in order.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        From :func:`leadlift.data.new_leads.iter_batches`.
    inputs : ColumnsAsTheyStand or BuiltFeatures
    seen : IdsSeen
        Ids of the rows that are skipped; those of the pieces are added.
    skip_rows : int, default=0
        Rows at the start that were scored before: whole batches.

    Yields
    ------
    Piece
    """
    first_row = 1
    for batch in batches:
        if first_row <= skip_rows:
            inputs.skip(batch.num_rows)
        else:
            yield make_piece(pa.table(batch), inputs, seen, first_row)
        first_row += batch.num_rows


def make_piece(leads: pa.Table, inputs: Inputs, seen: IdsSeen, first_row: int = 1) -> Piece:
    """Return the piece of the next leads.

    Parameters
    ----------
    leads : pyarrow.Table
        Of :func:`leadlift.data.new_leads.prepare_batch`.
    inputs : ColumnsAsTheyStand or BuiltFeatures
    seen : IdsSeen
        Of the leads before; these are added.
    first_row : int
        Number of the first row in the job, from 1.
    """
    return Piece(leads, inputs.of(leads), note_ids(leads[LEAD_ID], seen), first_row)


def note_ids(ids: pa.ChunkedArray, seen: IdsSeen) -> NDArray[np.bool_]:
    """Note ids as seen, and say which stood before; missing ones repeat nothing.

    Parameters
    ----------
    ids : pyarrow.ChunkedArray of string
    seen : IdsSeen

    Returns
    -------
    ndarray of bool, shape (n_ids,)
    """
    if not ids.null_count:
        return seen.repeated(hash_ids(ids))
    is_known = pc.is_valid(ids).to_numpy()
    repeated = np.zeros(len(ids), dtype=bool)
    repeated[is_known] = seen.repeated(hash_ids(ids.drop_null()))
    return repeated
