"""The inputs of leads that were scored, counted from where they lie, in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.data.new_leads import iter_batches
from leadlift.exceptions import InputError
from leadlift.serving.drift import DriftCounts
from leadlift.serving.scoring import watch_of

if TYPE_CHECKING:
    from pathlib import Path

    from leadlift.serving.bundle import ModelBundle


def count_inputs(bundle: ModelBundle, place: str | Path, *, query: str | None = None) -> DriftCounts:
    """Count the leads of one batch by the bins of a bundle's reference, as its scoring job does.

    Parameters
    ----------
    bundle : ModelBundle
        Of a model whose inputs are the leads' own columns.
    place : path or address
        The leads that were scored, as for :func:`leadlift.data.sources.open_source`.
    query : str, optional
        For a DuckDB file or a database: the name of a table, or a SELECT.

    Returns
    -------
    DriftCounts
        Of inputs alone; scores are missing.

    Raises
    ------
    InputError
        The model's inputs are made of events, so that only its jobs can count them; or the source cannot be
        read.
    SchemaError
        An input column is not there.
    """
    if bundle.builder is not None:
        msg = (
            f"the inputs of this model are made of events as of the moment of scoring, {place} does not hold "
            "them; score with `leadlift predict --store` and monitor the store"
        )
        raise InputError(msg)
    watch, counts, n_rows = watch_of(bundle), DriftCounts(), 0
    for batch in iter_batches(place, bundle.schema, query=query, encode_levels=True):
        row_numbers = np.arange(n_rows + 1, n_rows + len(batch) + 1)
        counts += watch.count(pa.table(batch), np.full(len(batch), np.nan), row_numbers)
        n_rows += len(batch)
    return counts
