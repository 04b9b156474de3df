"""What an executor of Spark does: the numbers of parts in, what was found of them out."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.exceptions import LeadliftError
from leadlift.serving.part_scoring import PartScorer
from leadlift.serving.repeated_ids import RepeatedIds, bucketed_ids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark import Broadcast

    from leadlift.config import LeadSchema
    from leadlift.serving.lead_parts import LeadPart
    from leadlift.serving.part_scoring import PartsJob

_TOLD = [(name, pa.string()) for name in ("counts", "engine", "engine_note", "error")]


def bucket_parts(
    known: Broadcast[tuple[tuple[LeadPart, ...], LeadSchema, int]], numbers: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Yield the ids of parts in buckets; what cannot be read is told of when it is scored.

    Parameters
    ----------
    known : Broadcast
        The parts of a job, the schema of its leads and the number of buckets.
    numbers : iterator of pyarrow.RecordBatch
        Places among the parts, in the first column.

    Yields
    ------
    pyarrow.RecordBatch
        As from :func:`leadlift.serving.repeated_ids.bucketed_ids`.
    """
    parts, schema, n_buckets = known.value
    for number in _each(numbers):
        with suppress(LeadliftError):
            yield bucketed_ids(parts[number], schema, n_buckets)


def find_repeated(buckets: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the ids that stand in several rows, of all parts of some buckets.

    Parameters
    ----------
    buckets : iterator of pyarrow.RecordBatch
        As from :func:`bucket_parts`.

    Yields
    ------
    pyarrow.RecordBatch
        ``hash`` (int64, the bits of the hash) and ``row`` (int64), the first row of the id.
    """
    cells = (cell for batch in buckets for cell in batch["pairs"].to_pylist())
    found = RepeatedIds.among(cells)
    yield pa.record_batch({"hash": found.hashes.view(np.int64), "row": found.first_row})


def score_parts(sent: Broadcast[PartsJob], numbers: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Score parts; an error of ours is told instead of raised, or Spark would try the same again.

    Parameters
    ----------
    sent : Broadcast
        The job.
    numbers : iterator of pyarrow.RecordBatch
        Places among its parts, in the first column.

    Yields
    ------
    pyarrow.RecordBatch
        One row a part: ``counts`` (JSON), ``engine`` and ``engine_note``, or ``error``; the others null.
    """
    for number in _each(numbers):
        try:
            part = _part_scorer(sent).score(number)
            counts = json.dumps(part.counts.to_dict())
            told = {"counts": counts, "engine": part.engine, "engine_note": part.engine_note}
        except LeadliftError as error:
            told = {"error": str(error)}
        yield pa.RecordBatch.from_pylist([told], pa.schema(_TOLD))


def _each(numbers: Iterator[pa.RecordBatch]) -> Iterator[int]:
    for batch in numbers:
        yield from batch[0].to_pylist()


@lru_cache(maxsize=1)
def _part_scorer(sent: Broadcast[PartsJob]) -> PartScorer:
    """Made once a process: workers go from task to task, and a broadcast is one object in each."""
    return PartScorer(sent.value)
