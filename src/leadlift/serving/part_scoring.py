"""Scoring of parts of a job by processes that share nothing but a broadcast and a folder."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import leadlift
from leadlift.exceptions import ConfigError
from leadlift.serving.batch import BatchScorer, Piece
from leadlift.serving.bundle import MANIFEST, ModelBundle
from leadlift.serving.engine_choice import ChosenEngine, choose_engine
from leadlift.serving.lead_parts import LeadPart, part_pieces
from leadlift.serving.scored_columns import CODED_SCHEMA, in_one_piece
from leadlift.serving.scoring import PIECES_A_SHARD, rows_to_check, watch_of
from leadlift.serving.summary import Counts
from leadlift.serving.writing import open_output
from leadlift.terms import LEAD_ID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from leadlift.serving.overrides import Overrides
    from leadlift.serving.previous import PreviousStages
    from leadlift.serving.repeated_ids import RepeatedIds


@dataclass(frozen=True)
class PartsJob:
    """What a process needs to score any part of a job.

    Parameters
    ----------
    bundle_files : dict of str to bytes
        From :func:`read_bundle_files`.
    parts : tuple of LeadPart
    out : str
        Folder of the scored parts, which all processes see by this path.
    as_of : datetime with time zone
    previous : PreviousStages
    overrides : Overrides or None
    repeated : RepeatedIds
    every_lead_is_known, reasons : bool
        As for :class:`leadlift.serving.batch.BatchScorer`.
    leadlift_version : str
        Of the process that makes the job.
    """

    bundle_files: dict[str, bytes]
    parts: tuple[LeadPart, ...]
    out: str
    as_of: datetime
    previous: PreviousStages
    overrides: Overrides | None
    repeated: RepeatedIds
    every_lead_is_known: bool = False
    reasons: bool = True
    leadlift_version: str = leadlift.__version__


@dataclass(frozen=True)
class ScoredPart:
    """What became of a part.

    Parameters
    ----------
    counts : Counts
    engine : str
        What walked the trees; empty where there was no row.
    engine_note : str
        Why not the fast engine; empty where it was.
    """

    counts: Counts
    engine: str
    engine_note: str


class PartScorer:
    """Scores parts of a job one by one; makes the model once.

    Parameters
    ----------
    job : PartsJob

    Raises
    ------
    ConfigError
        This process has another leadlift than the one that made the job.
    """

    def __init__(self, job: PartsJob) -> None:
        if leadlift.__version__ != job.leadlift_version:
            msg = (
                f"the executors have leadlift {leadlift.__version__}, the driver has "
                f"{job.leadlift_version}; give both the same environment"
            )
            raise ConfigError(msg)
        self._job = job
        self._bundle = _load_bundle(job.bundle_files)
        self._engine = ChosenEngine(self._bundle)
        self._scorer: BatchScorer | None = None

    def score(self, number: int) -> ScoredPart:
        """Score a part into ``part-<number>.parquet``, which appears whole and replaces one of that name.

        Parameters
        ----------
        number : int
            Place of the part among those of the job.

        Returns
        -------
        ScoredPart
        """
        counts = Counts()
        pieces = self._pieces(self._job.parts[number])
        with open_output(Path(self._job.out) / part_name(number), CODED_SCHEMA) as write:
            while some := list(islice(pieces, PIECES_A_SHARD)):
                scorer = self._checked_scorer(some[0])
                scored = [scorer.score(piece) for piece in some]
                write(in_one_piece([piece.table for piece in scored]))
                for piece in scored:
                    counts.add(piece.counts)
        return ScoredPart(counts, self._engine.name, self._engine.note)

    def _checked_scorer(self, piece: Piece) -> BatchScorer:
        """What scores, with the engine that does on the first rows that this process gets."""
        if self._scorer is None:
            self._engine = choose_engine(self._bundle, "auto", rows_to_check(piece))
            self._scorer = BatchScorer(
                self._engine.bundle,
                self._job.as_of,
                previous=self._job.previous,
                overrides=self._job.overrides,
                every_lead_is_known=self._job.every_lead_is_known,
                reasons=self._job.reasons,
                watch=watch_of(self._bundle),
            )
        return self._scorer

    def _pieces(self, part: LeadPart) -> Iterator[Piece]:
        schema = self._bundle.schema
        as_they_stand = self._bundle.builder is None
        for first_row, leads, built in part_pieces(part, schema, encode_levels=as_they_stand):
            inputs = leads.select(list(schema.feature_names)) if built is None else built
            repeated = self._job.repeated.stood_before(leads[LEAD_ID], first_row)
            yield Piece(leads, inputs, repeated, first_row)


def part_name(number: int) -> str:
    """Return the name of the file of a scored part; sorted, the names are in the order of the leads.

    Examples
    --------
    >>> part_name(7)
    'part-000007.parquet'
    """
    return f"part-{number:06d}.parquet"


def read_bundle_files(folder: str | Path) -> dict[str, bytes]:
    """Return the files of a bundle by name, for a process that does not see its folder.

    Parameters
    ----------
    folder : str or Path
        Of a bundle that was loaded before, so that its files are there.

    Returns
    -------
    dict of str to bytes
    """
    manifest = (Path(folder) / MANIFEST).read_bytes()
    names = json.loads(manifest)["sha256"]
    return {MANIFEST: manifest} | {name: (Path(folder) / name).read_bytes() for name in names}


def _load_bundle(files: dict[str, bytes]) -> ModelBundle:
    """Load a bundle from its files, whose hashes are checked."""
    with tempfile.TemporaryDirectory(prefix="leadlift-") as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        return ModelBundle.load(folder)
