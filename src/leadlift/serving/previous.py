"""An earlier scored table: which stage, score and grade a lead had, and since when."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config import DataConfig
from leadlift.data.addresses import source_name
from leadlift.data.dates import parse_dates
from leadlift.data.keyed_tables import quoted_table
from leadlift.data.queries import moment_literal, parse_query
from leadlift.data.sources import DATABASE_READERS, Source, TableSource, open_source, source_kind
from leadlift.data.tables import lead_ids, require_columns
from leadlift.data.values import clean_text, is_text, parse_numbers, plain
from leadlift.exceptions import ConfigError, InputError, SchemaError, shorten
from leadlift.insight.escaping import unescape_formulas
from leadlift.serving.id_hashes import hash_ids
from leadlift.terms import AS_OF, GRADE, LEAD_ID, MODEL_STAGE, MODEL_VERSION, SCORE, STAGE, STAGE_SINCE, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self

    from numpy.typing import NDArray

# The place of a stage is its rank: a higher one includes the lower ones.
RANKED_STAGES = (Stage.NONE.value, Stage.MQL.value, Stage.SQL.value)
RANKED_GRADES = ("A", "B", "C", "D")
# Of leads that the previous scoring does not know.
UNKNOWN = -1
NEVER = np.datetime64("NaT", "us")

_NEEDED = (LEAD_ID, STAGE)
_READ = (LEAD_ID, AS_OF, STAGE, STAGE_SINCE, MODEL_STAGE, SCORE, GRADE)


@dataclass(frozen=True)
class Standing:
    """Where some leads stood at the previous scoring.

    Parameters
    ----------
    rank : ndarray of int8, shape (n_leads,)
        Place of the stage in :data:`RANKED_STAGES`; -1 where the lead was not scored then.
    since : ndarray of datetime64[us], shape (n_leads,)
        When the lead entered that stage, UTC; NaT where it was not scored then.
    score : ndarray of float64, shape (n_leads,)
        Score, in [0, 1]; NaN where unknown.
    grade : ndarray of int8, shape (n_leads,)
        Place of the grade in :data:`RANKED_GRADES`; -1 where unknown.
    model_rank : ndarray of int8, shape (n_leads,)
        The rank that the model and the rules alone gave; another one than `rank` where a person overrode it.
    """

    rank: NDArray[np.int8]
    since: NDArray[np.datetime64]
    score: NDArray[np.float64]
    grade: NDArray[np.int8]
    model_rank: NDArray[np.int8]

    @classmethod
    def unknown(cls, n_leads: int) -> Self:
        """Return that of leads the previous scoring does not know."""
        return cls(
            np.full(n_leads, UNKNOWN, dtype=np.int8),
            np.full(n_leads, NEVER),
            np.full(n_leads, np.nan),
            np.full(n_leads, UNKNOWN, dtype=np.int8),
            np.full(n_leads, UNKNOWN, dtype=np.int8),
        )

    @classmethod
    def concatenated(cls, parts: Sequence[Standing]) -> Self:
        """Return the leads of all parts in their order."""
        return cls(
            np.concatenate([part.rank for part in parts]),
            np.concatenate([part.since for part in parts]),
            np.concatenate([part.score for part in parts]),
            np.concatenate([part.grade for part in parts]),
            np.concatenate([part.model_rank for part in parts]),
        )

    def take(self, places: NDArray[np.intp]) -> Standing:
        """Return the leads at some places."""
        columns = (self.rank, self.since, self.score, self.grade, self.model_rank)
        return Standing(*[column[places] for column in columns])


class PreviousStages:
    """Where leads stood at an earlier scoring, looked up by lead.

    Ids are kept as 64-bit hashes, 27 bytes a lead: among ten million leads the chance that any two different
    ids share one is 3 in a million.

    Parameters
    ----------
    hashes : ndarray of uint64, shape (n,)
        From :func:`leadlift.serving.id_hashes.hash_ids`, each once.
    standing : Standing
        Of the same leads.
    """

    def __init__(self, hashes: NDArray[np.uint64], standing: Standing) -> None:
        order = np.argsort(hashes)
        self._hashes = hashes[order]
        # The last one is that of every lead that is not found.
        self._standing = Standing.concatenated([standing.take(order), Standing.unknown(1)])

    def __len__(self) -> int:
        return len(self._hashes)

    @property
    def has_grades(self) -> bool:
        """Whether any lead's grade is known."""
        return bool((self._standing.grade != UNKNOWN).any())

    def of(self, ids: pa.ChunkedArray) -> Standing:
        """Return where leads stood, in the order of their ids."""
        if not len(self):
            return Standing.unknown(len(ids))
        wanted = hash_ids(ids)
        place = np.searchsorted(self._hashes, wanted)
        found = self._hashes[np.minimum(place, len(self) - 1)] == wanted
        return self._standing.take(np.where(found, place, len(self)))


NO_PREVIOUS = PreviousStages(np.empty(0, dtype=np.uint64), Standing.unknown(0))


def read_previous(
    previous: object, *, as_of: datetime | None, query: str | None = None, query_key: str = "previous_query"
) -> PreviousStages:
    """Read where leads stood at an earlier scoring.

    Parameters
    ----------
    previous : path, address or table
        A scored table as :func:`leadlift.serving.predict.predict` writes it: ``lead_id``, ``stage``,
        ``stage_since``, ``model_stage``, ``score`` and ``grade``. Where ``stage_since`` is missing, stages
        count from ``as_of``; ``model_stage``, ``score`` and ``grade`` may be missing. Rows without an id or a
        stage were not scored then and are left out.
    as_of : datetime with time zone or None
        Moment of the present scoring.
    query : str, optional
        For a DuckDB file or a database: the name of a table that such jobs write (see
        :func:`leadlift.serving.database_sink.open_database_sink`), of which the latest row of each lead
        before `as_of` counts; or a SELECT, taken as it is.
    query_key : str
        What messages call `query`.

    Returns
    -------
    PreviousStages

    Raises
    ------
    ConfigError
        `as_of` is None, or `query` is missing, superfluous or neither a table nor a SELECT.
    InputError
        The file cannot be read, a lead stands in it twice, or it was scored later than `as_of`.
    SchemaError
        A column is missing, or holds a stage, a grade, a score or a moment that is none.
    """
    if as_of is None:
        msg = "previous needs as_of: how long a lead has had its stage is counted up to it"
        raise ConfigError(msg)
    source = _open(previous, as_of, query, query_key)
    require_columns(_NEEDED, source.columns, source.name)
    parts = [
        (hash_ids(table[LEAD_ID]), _standing(table, as_of, source.name)) for table in _staged_rows(source)
    ]
    hashes = np.concatenate([np.empty(0, np.uint64), *[part for part, _ in parts]])
    _refuse_repeated(source, hashes)
    return PreviousStages(
        hashes, Standing.concatenated([Standing.unknown(0), *[standing for _, standing in parts]])
    )


def _open(previous: object, as_of: datetime, query: str | None, query_key: str) -> Source:
    if not isinstance(previous, str | Path):
        return TableSource(previous, "previous")
    path = str(previous)
    if source_kind(path) in DATABASE_READERS:
        asked = parse_query(query, source_name(path), query_key)
        query = _latest_rows(asked.text, as_of) if asked.is_table else asked.text
    # It was written by leadlift, not as the user's own files are.
    return open_source(path, query, DataConfig(leads=path), query_key=query_key)


def _latest_rows(table: str, as_of: datetime) -> str:
    """The SELECT of each lead's latest row before a moment; of two models that whose version sorts last."""
    columns = ", ".join(_READ)
    return (
        f"SELECT {columns} FROM (SELECT {columns}, ROW_NUMBER() OVER "  # noqa: S608 -- all names are quoted
        f"(PARTITION BY {LEAD_ID} ORDER BY {AS_OF} DESC, {MODEL_VERSION} DESC) AS place "
        f"FROM {quoted_table(table)} WHERE {AS_OF} < {moment_literal(as_of)}) AS ranked WHERE place = 1"
    )


def _staged_rows(source: Source) -> Iterator[pa.Table]:
    """Batches of the leads that had a stage, ids as text."""
    data = DataConfig(leads=source.name)
    names = [name for name in _READ if name in source.columns]
    for batch in source.batches(names):
        table = pa.table(batch)
        ids = lead_ids(unescape_formulas(plain(table[LEAD_ID])), np.arange(1, len(table) + 1), data)
        stages = pc.cast(plain(table[STAGE]), pa.string())
        has_stage = pc.and_(pc.is_valid(ids), pc.not_equal(pc.fill_null(stages, ""), ""))
        columns = {name: table[name] for name in names} | {LEAD_ID: ids, STAGE: stages}
        yield pa.table(columns).filter(has_stage)


def _standing(table: pa.Table, as_of: datetime, name: str) -> Standing:
    since = _since(table, name)
    _refuse_later(table, since, as_of, name)
    stages = _places(table, STAGE, RANKED_STAGES, name)
    model_stages = _places(table, MODEL_STAGE, RANKED_STAGES, name)
    return Standing(
        stages,
        since,
        _scores(table, name),
        _places(table, GRADE, RANKED_GRADES, name),
        np.where(model_stages == UNKNOWN, stages, model_stages),
    )


def _places(table: pa.Table, column: str, values: tuple[str, ...], name: str) -> NDArray[np.int8]:
    """Place of each value among those there are; -1 where it is missing."""
    if column not in table.column_names:
        return np.full(len(table), UNKNOWN, dtype=np.int8)
    texts = pc.cast(plain(table[column]), pa.string())
    is_missing = pc.equal(pc.fill_null(texts, ""), "")
    place = pc.index_in(texts, value_set=pa.array(values))
    odd = pc.unique(texts.filter(pc.and_not(pc.is_null(place), is_missing))).to_pylist()
    if odd:
        msg = f"{name}: {column} holds {shorten(odd)}; expected {', '.join(values)}"
        raise SchemaError(msg)
    return pc.fill_null(place, UNKNOWN).to_numpy().astype(np.int8)


def _scores(table: pa.Table, name: str) -> NDArray[np.float64]:
    if SCORE not in table.column_names:
        return np.full(len(table), np.nan)
    column = plain(table[SCORE])
    if not is_text(column.type):
        return pc.fill_null(pc.cast(column, pa.float64()), np.nan).to_numpy()
    scores, is_bad = parse_numbers(clean_text(column))
    bad = column.filter(is_bad)
    if len(bad):
        msg = f"{name}: {SCORE} holds {shorten(bad.to_pylist())}; expected numbers from 0 to 1"
        raise SchemaError(msg)
    return pc.fill_null(scores, np.nan).to_numpy()


def _refuse_repeated(source: Source, hashes: NDArray[np.uint64]) -> None:
    in_order = np.sort(hashes)
    repeated = np.unique(in_order[1:][in_order[1:] == in_order[:-1]])
    if len(repeated):
        ids = itertools.chain.from_iterable(_ids_of(table, repeated) for table in _staged_rows(source))
        msg = (
            f"{source.name}: {len(repeated)} lead(s) stand in it twice with a stage: "
            f"{shorten(dict.fromkeys(ids))}. Give the table of one scoring"
        )
        raise InputError(msg)


def _ids_of(table: pa.Table, hashes: NDArray[np.uint64]) -> list[str]:
    """Ids of the leads that have one of some hashes."""
    ids = table[LEAD_ID]
    return ids.filter(pa.array(np.isin(hash_ids(ids), hashes))).to_pylist()


def _since(table: pa.Table, name: str) -> NDArray[np.datetime64]:
    """When each lead entered its stage; where that is not said, when it was scored."""
    columns = [column for column in (STAGE_SINCE, AS_OF) if column in table.column_names]
    moments = [_moments(table[column], column, name) for column in columns]
    since = moments[0] if moments else np.full(len(table), NEVER)
    for other in moments[1:]:
        since = np.where(np.isnat(since), other, since)
    unknown = np.isnat(since)
    if unknown.any():
        ids = table[LEAD_ID].filter(pa.array(unknown)).to_pylist()
        msg = (
            f"{name}: {len(ids)} lead(s) have a stage but no moment of it: {shorten(ids)}. Expected "
            f"{STAGE_SINCE} or {AS_OF}, as in a table that was scored with as_of"
        )
        raise SchemaError(msg)
    return since


def _moments(column: pa.ChunkedArray, column_name: str, name: str) -> NDArray[np.datetime64]:
    moments, is_bad = parse_dates(plain(column))
    bad = column.filter(is_bad)
    if len(bad):
        msg = f"{name}: {column_name} holds {shorten(bad.to_pylist())}; expected moments in ISO 8601"
        raise SchemaError(msg)
    return pc.cast(moments, pa.timestamp("us")).to_numpy().astype("datetime64[us]")


def _refuse_later(table: pa.Table, since: NDArray[np.datetime64], as_of: datetime, name: str) -> None:
    scored = _moments(table[AS_OF], AS_OF, name) if AS_OF in table.column_names else since[:0]
    moments = np.concatenate([since, scored])
    later = moments[moments > moment_of(as_of)]
    if len(later):
        msg = (
            f"{name}: it is of {later.max().item():%Y-%m-%d %H:%M} UTC, later than the moment of scoring, "
            f"{as_of.isoformat()}; give the table of an earlier scoring"
        )
        raise InputError(msg)


def moment_of(as_of: datetime) -> np.datetime64:
    """Return a moment as datetime64[us] in UTC.

    Examples
    --------
    >>> from datetime import UTC
    >>> moment_of(datetime(2026, 11, 22, 6, tzinfo=UTC))
    np.datetime64('2026-11-22T06:00:00.000000')
    """
    return np.datetime64(round(as_of.timestamp() * 1_000_000), "us")
