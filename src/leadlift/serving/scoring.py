"""A job from its sources to scored shards, in bounded memory."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from leadlift.data.new_leads import iter_batches
from leadlift.data.tables import INVALID
from leadlift.learning.fitted.engines import ROWS_WORTH_TABLES
from leadlift.serving.batch import BatchScorer
from leadlift.serving.drift import DriftWatch
from leadlift.serving.engine_choice import ChosenEngine, choose_engine
from leadlift.serving.inputs import bundle_events, bundle_history, ids_of, open_inputs
from leadlift.serving.journal import Shard
from leadlift.serving.pieces import PIECE_ROWS, pieces
from leadlift.serving.pipeline import in_order
from leadlift.serving.previous import NO_PREVIOUS
from leadlift.serving.scored_columns import in_one_piece
from leadlift.serving.summary import Counts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from leadlift.serving.batch import Piece, ScoredPiece
    from leadlift.serving.bundle import ModelBundle
    from leadlift.serving.id_hashes import IdsSeen
    from leadlift.serving.inputs import Inputs
    from leadlift.serving.overrides import Overrides
    from leadlift.serving.previous import PreviousStages

PIECES_A_SHARD = 4
SHARD_ROWS = PIECES_A_SHARD * PIECE_ROWS
"""Rows of a row group of the output, and of what a rerun need not score again."""
# On which the engine is checked.
ROWS_CHECKED = 1_000


@dataclass(frozen=True)
class Queries:
    """What is read of DuckDB files and databases: names of tables, or a SELECT each.

    Parameters
    ----------
    leads, events, history, previous, overrides : str or None
    """

    leads: str | None = None
    events: str | None = None
    history: str | None = None
    previous: str | None = None
    overrides: str | None = None


@dataclass(frozen=True)
class Sources:
    """What a job reads.

    Parameters
    ----------
    leads : path or address
    events, history, previous : path or address, optional
    queries : Queries, optional
        For DuckDB files and databases.
    """

    leads: str | Path
    events: str | Path | None = None
    history: str | Path | None = None
    previous: str | Path | None = None
    queries: Queries = Queries()

    def all(self) -> tuple[str | Path | None, ...]:
        """Return them all, those that are not given as None."""
        return self.leads, self.events, self.history, self.previous


class Scoring:
    """An opened job; its shards are scored as they are asked for.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        From :func:`leadlift.data.new_leads.iter_batches`, each of `PIECE_ROWS` rows but the last.
    inputs : Inputs
    bundle : ModelBundle
    scorer_of : callable
        Makes the scorer of a bundle.
    engine : {"auto", "fast", "plain"}
    threads : int
        That score, at least 1.

    Attributes
    ----------
    engine : ChosenEngine
        What walks the trees; known once the first shard is scored.
    """

    def __init__(
        self,
        batches: Iterable[pa.RecordBatch],
        inputs: Inputs,
        bundle: ModelBundle,
        scorer_of: Callable[[ModelBundle], BatchScorer],
        *,
        engine: str = "auto",
        threads: int = 1,
    ) -> None:
        self._batches, self._inputs = batches, inputs
        self._scorer_of, self._wanted, self._threads = scorer_of, engine, threads
        self.engine = ChosenEngine(bundle)

    @property
    def events(self) -> dict[str, int]:
        """How many events were read; empty without events."""
        return dict(self._inputs.events)

    def shards(self, seen: IdsSeen, *, skip_rows: int, on_rows: Callable[[int], None]) -> Iterator[Shard]:
        """Yield the scored shards in order, each of `SHARD_ROWS` rows but the last.

        Parameters
        ----------
        seen : IdsSeen
            Ids of the rows that are skipped.
        skip_rows : int
            Rows at the start that need not be scored: whole shards.
        on_rows : callable
            Called with the number of rows done so far.

        Yields
        ------
        Shard
        """
        n_done, waiting = skip_rows, []
        taken = pieces(self._batches, self._inputs, seen, skip_rows=skip_rows)
        with closing(self._scored(taken)) as scored:
            for piece in scored:
                waiting.append(piece)
                n_done += piece.table.num_rows
                on_rows(n_done)
                if len(waiting) == PIECES_A_SHARD:
                    yield _joined(waiting)
                    waiting = []
        if waiting:
            yield _joined(waiting)

    def _scored(self, taken: Iterator[Piece]) -> Iterator[ScoredPiece]:
        """Score pieces, with the engine that does on the first of them."""
        first = next(taken, None)
        if first is None:
            return
        self.engine = self._choose_engine(first)
        scorer = self._scorer_of(self.engine.bundle)
        with closing(in_order(scorer.score, chain([first], taken), self._threads)) as scored:
            yield from scored

    def _choose_engine(self, first: Piece) -> ChosenEngine:
        """A job that ends with its first piece has few rows; only reasons are worth tables then."""
        is_large = first.leads.num_rows >= ROWS_WORTH_TABLES
        with_tables = is_large or self._scorer_of(self.engine.bundle).reasons
        return choose_engine(self.engine.bundle, self._wanted, rows_to_check(first), with_tables=with_tables)


def rows_to_check(first: Piece) -> pa.Table:
    """Return inputs of the first leads of a job, on which its engine is checked; unreadable ones are none."""
    return first.inputs.filter(pc.invert(first.leads[INVALID])).slice(0, ROWS_CHECKED)


def _joined(scored: list[ScoredPiece]) -> Shard:
    counts = Counts()
    for piece in scored:
        counts.add(piece.counts)
    return Shard(in_one_piece([piece.table for piece in scored]), counts)


@contextmanager
def open_scoring(
    bundle: ModelBundle,
    sources: Sources,
    *,
    as_of: datetime | None,
    previous: PreviousStages | None = None,
    overrides: Overrides | None = None,
    engine: str = "auto",
    feature_engine: str = "duckdb",
    reasons: bool = True,
    threads: int = 1,
) -> Iterator[Scoring]:
    """Open the sources of a job and what scores them.

    Parameters
    ----------
    bundle : ModelBundle
    sources : Sources
    as_of : datetime with time zone or None
        Moment of scoring.
    previous : PreviousStages, optional
        Of ``sources.previous``.
    overrides : Overrides, optional
        In force at `as_of`.
    engine : {"auto", "fast", "plain"}, default="auto"
        What walks the trees.
    feature_engine : str, default="duckdb"
        Where features are built.
    reasons : bool, default=True
    threads : int, default=1

    Yields
    ------
    Scoring

    Raises
    ------
    InputError, SchemaError, ConfigError
        As for :func:`leadlift.serving.predict.predict`.
    """
    queries, is_flat = sources.queries, bundle.builder is None
    read = partial(iter_batches, str(sources.leads), query=queries.leads, batch_rows=PIECE_ROWS)
    lead_ids = pa.array([], pa.string())
    if not is_flat:
        lead_ids = ids_of(read(bundle.schema.model_copy(update={"features": ()})))
    opened = open_inputs(
        bundle,
        lead_ids,
        as_of=as_of,
        events=bundle_events(bundle, sources.events, queries.events),
        history=bundle_history(bundle, sources.history, queries.history),
        engine=feature_engine,
    )
    batches = read(bundle.schema, encode_levels=is_flat)
    with opened as inputs:
        watch = watch_of(bundle)
        scorer_of = partial(
            BatchScorer,
            as_of=as_of,
            previous=previous or NO_PREVIOUS,
            overrides=overrides,
            every_lead_is_known=inputs.every_lead_is_known,
            reasons=reasons,
            watch=watch,
        )
        # Its errors come before the first row is read.
        scorer_of(bundle)
        yield Scoring(batches, inputs, bundle, scorer_of, engine=engine, threads=threads)


def watch_of(bundle: ModelBundle) -> DriftWatch:
    """Return what compares new leads with those a bundle was trained on, as far as it describes them."""
    described = [spec for spec in bundle.specs if spec.name in bundle.reference.columns]
    return DriftWatch(bundle.reference, described)
