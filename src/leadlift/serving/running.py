"""What a scoring job does from its beginning to its end, into a file or into a database."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import leadlift
from leadlift.data.addresses import source_name
from leadlift.exceptions import ConfigError
from leadlift.serving.export import Export
from leadlift.serving.fingerprints import fingerprints
from leadlift.serving.id_hashes import IdsSeen
from leadlift.serving.job import open_workplace
from leadlift.serving.override_table import overrides_digest
from leadlift.serving.overrides import overrides_at
from leadlift.serving.pieces import note_ids
from leadlift.serving.previous import PreviousStages, read_previous
from leadlift.serving.scoring import SHARD_ROWS, Scoring, Sources, open_scoring, watch_of
from leadlift.serving.summary import Counts, PredictSummary
from leadlift.terms import LEAD_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from leadlift.serving.bundle import ModelBundle
    from leadlift.serving.journal import Journal, Shard
    from leadlift.serving.overrides import Overrides
    from leadlift.serving.score_store import ScoreStore, StoredBatch

# Of the journal's content; another one starts jobs over.
JOB_FORMAT = 2


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a job is asked to do; see :func:`leadlift.serving.predict.predict`."""

    bundle: ModelBundle
    sources: Sources
    out: str
    as_of: datetime | None
    engine: str
    feature_engine: str
    threads: int
    reasons: bool
    profile: str | None
    changed_only: str | None
    on_rows: Callable[[int], None]
    overrides: pa.Table | None = None
    store: ScoreStore | None = None

    def read_previous(self) -> PreviousStages | None:
        """Read the scoring before; None where none is given."""
        previous = self.sources.previous
        if previous is None:
            return None
        return read_previous(previous, as_of=self.as_of, query=self.sources.queries.previous)

    def overrides_in_force(self) -> Overrides | None:
        """Return the stages that people set; None where none are given."""
        return overrides_at(self.overrides, self.as_of)

    @contextmanager
    def open_stored(self) -> Iterator[StoredBatch | None]:
        """Open the batch in the store, where the scored leads are kept once all is written; None without."""
        if self.store is None:
            yield None
            return
        source = source_name(str(self.sources.leads))
        with self.store.open_batch(self.as_of, self.bundle.version, source=source) as batch:
            yield batch

    @contextmanager
    def open(self, previous: PreviousStages | None) -> Iterator[Scoring]:
        """Open what scores the leads; see :func:`leadlift.serving.scoring.open_scoring`."""
        with open_scoring(
            self.bundle,
            self.sources,
            as_of=self.as_of,
            previous=previous,
            overrides=self.overrides_in_force(),
            engine=self.engine,
            feature_engine=self.feature_engine,
            reasons=self.reasons,
            threads=self.threads,
        ) as scoring:
            yield scoring

    def identity(self) -> dict[str, Any] | None:
        """What the output depends on, in JSON values; None where a rerun may read other rows."""
        files = fingerprints(self.sources.all())
        if files is None or not self.bundle.version:
            return None
        return {
            "format": JOB_FORMAT,
            "leadlift": leadlift.__version__,
            "bundle": self.bundle.version,
            "files": files,
            "feature_engine": self.feature_engine,
            "reasons": self.reasons,
            "overrides": self.overrides_digest,
            "as_of": None if self.as_of is None else self.as_of.isoformat(),
        }

    @property
    def overrides_digest(self) -> str | None:
        """What the overrides say, as a sha256; None where there are none."""
        return None if self.overrides is None else overrides_digest(self.overrides)


def run_into_file(request: Request, *, resume_moment: bool = False) -> PredictSummary:
    """Score into a file, which appears when it is complete; go on with an unfinished job that is the same.

    Parameters
    ----------
    request : Request
    resume_moment : bool, default=False
        Whether an unfinished job that differs in ``as_of`` alone is finished as of its own moment.

    Returns
    -------
    PredictSummary

    Raises
    ------
    InputError, SchemaError, ConfigError
        As for :func:`leadlift.serving.predict.predict`.
    """
    with open_workplace(Path(request.out)) as place:
        if resume_moment:
            request = replace(request, as_of=_moment_to_resume(place.journal, request))
        place.journal.begin(request.identity())
        previous = request.read_previous()
        export = Export(previous, request.profile, request.changed_only)
        with (
            request.open_stored() as stored,
            request.open(previous) as scoring,
            place.open_output(export.schema) as write,
        ):
            run = _Run(export, write, request.on_rows, stored)
            run.resume(place.journal)
            run.score(scoring, place.journal)
        summary = run.summary(request, scoring, previous)
        place.write_manifest(_manifest(request, summary))
    return summary


def run_into_database(request: Request, table: str | None) -> PredictSummary:
    """Score into a table of a database; the same job, run again, ends with the same rows.

    Parameters
    ----------
    request : Request
    table : str or None
        Name of the table.

    Returns
    -------
    PredictSummary

    Raises
    ------
    InputError, SchemaError, ConfigError
        As for :func:`leadlift.serving.predict.predict`; or what is asked for is made for files.
    """
    from leadlift.serving.database_sink import open_database_sink

    if request.profile is not None or request.changed_only is not None:
        msg = "profile and changed_only are for files; a table of a database holds all leads in full"
        raise ConfigError(msg)
    previous = request.read_previous()
    sink = open_database_sink(
        request.out,
        table,
        as_of=request.as_of,
        model_version=request.bundle.version,
        source=source_name(str(request.sources.leads)),
    )
    with request.open_stored() as stored, request.open(previous) as scoring, sink as write:
        run = _Run(Export(previous), write, request.on_rows, stored)
        run.score(scoring)
    return run.summary(request, scoring, previous)


def _moment_to_resume(journal: Journal, request: Request) -> datetime | None:
    """The moment of an unfinished job that is the same otherwise, else that asked for."""
    unfinished, wanted = journal.job(), request.identity()
    if not unfinished or not wanted or not unfinished.get("as_of"):
        return request.as_of
    is_same = unfinished | {"as_of": None} == wanted | {"as_of": None}
    return datetime.fromisoformat(unfinished["as_of"]) if is_same else request.as_of


class _Run:
    """Writes shards as they come, keeps them in a store, and adds up what they count."""

    def __init__(
        self,
        export: Export,
        write: Callable[[pa.Table], None],
        on_rows: Callable[[int], None],
        stored: StoredBatch | None,
    ) -> None:
        self._export, self._write, self._on_rows = export, write, on_rows
        self._stored = stored
        self._seen = IdsSeen()
        self._counts = Counts()
        self._n_resumed = self._n_out = 0

    def resume(self, journal: Journal) -> None:
        """Take the shards that an earlier run of the job finished."""
        for shard in journal.finished():
            note_ids(shard.table[LEAD_ID], self._seen)
            self._take(shard)
        self._n_resumed = self._counts.rows_in
        self._on_rows(self._n_resumed)

    def score(self, scoring: Scoring, journal: Journal | None = None) -> None:
        """Score the other shards; whole ones are kept, so that small jobs pay nothing for it."""
        shards = scoring.shards(self._seen, skip_rows=self._n_resumed, on_rows=self._on_rows)
        with closing(shards):
            for shard in shards:
                if journal is not None and shard.table.num_rows == SHARD_ROWS:
                    journal.keep(shard)
                self._take(shard)
        if self._stored is not None:
            self._stored.counts = self._counts.drift

    def _take(self, shard: Shard) -> None:
        rows = self._export.rows(shard.table)
        self._write(rows)
        self._n_out += rows.num_rows
        self._counts.add(shard.counts)
        if self._stored is not None:
            self._stored.write(shard.table)

    def summary(self, request: Request, scoring: Scoring, previous: PreviousStages | None) -> PredictSummary:
        """What was done."""
        flags = watch_of(request.bundle).flags(self._counts.drift)
        return PredictSummary.of(
            self._counts,
            n_previous=0 if previous is None else len(previous),
            overrides=request.overrides_in_force(),
            model_version=request.bundle.version,
            as_of=None if request.as_of is None else request.as_of.isoformat(),
            events=scoring.events,
            drift=tuple(flag.to_dict() for flag in flags),
            engine=scoring.engine.name,
            engine_note=scoring.engine.note,
            resumed_rows=self._n_resumed,
            rows_out=self._n_out,
        )


def _manifest(request: Request, summary: PredictSummary) -> dict[str, Any]:
    """What was done, of what: names and numbers, no leads."""
    sources = [None if source is None else source_name(str(source)) for source in request.sources.all()]
    named = dict(zip(("leads", "events", "history", "previous"), sources, strict=True))
    settings = {
        name: getattr(request, name) for name in ("reasons", "profile", "changed_only", "feature_engine")
    }
    return {
        "format": JOB_FORMAT,
        "leadlift": leadlift.__version__,
        "sources": named,
        "files": fingerprints(request.sources.all()),
        "overrides": request.overrides_digest,
        "settings": settings,
        "summary": summary.to_dict(),
    }
