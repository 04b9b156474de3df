"""An earlier scored table: which stage a lead had, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadlift.config import DataConfig
from leadlift.data.dates import parse_dates
from leadlift.data.sources import Source, TableSource, open_source
from leadlift.data.tables import lead_ids, require_columns
from leadlift.data.values import plain
from leadlift.exceptions import ConfigError, InputError, SchemaError, shorten
from leadlift.insight.escaping import unescape_formulas
from leadlift.terms import AS_OF, LEAD_ID, STAGE, STAGE_SINCE, Stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The place of a stage is its rank: a higher one includes the lower ones.
RANKED_STAGES = (Stage.NONE.value, Stage.MQL.value, Stage.SQL.value)
# Of leads that the previous scoring does not know.
UNKNOWN = -1
NEVER = np.datetime64("NaT", "us")


@dataclass(frozen=True)
class Standing:
    """Where some leads stood at the previous scoring.

    Parameters
    ----------
    rank : ndarray of int8, shape (n_leads,)
        Place of the stage in :data:`RANKED_STAGES`; -1 where the lead was not scored then.
    since : ndarray of datetime64[us], shape (n_leads,)
        When the lead entered that stage, UTC; NaT where it was not scored then.
    """

    rank: NDArray[np.int8]
    since: NDArray[np.datetime64]


class PreviousStages:
    """Stages of an earlier scoring, looked up by lead.

    Ids are kept as 64-bit hashes, 17 bytes a lead: among ten million leads the chance that any two different
    ids share one is 3 in a million.

    Parameters
    ----------
    hashes : ndarray of uint64, shape (n,)
        From :func:`hash_ids`, each once.
    standing : Standing
        Of the same leads.
    """

    def __init__(self, hashes: NDArray[np.uint64], standing: Standing) -> None:
        order = np.argsort(hashes)
        self._hashes = hashes[order]
        self._standing = Standing(standing.rank[order], standing.since[order])

    def __len__(self) -> int:
        return len(self._hashes)

    def of(self, ids: pa.ChunkedArray) -> Standing:
        """Return where leads stood, in the order of their ids."""
        rank, since = np.full(len(ids), UNKNOWN, dtype=np.int8), np.full(len(ids), NEVER)
        if not len(self):
            return Standing(rank, since)
        wanted = hash_ids(ids)
        place = np.searchsorted(self._hashes, wanted)
        found = np.flatnonzero(place < len(self))
        found = found[self._hashes[place[found]] == wanted[found]]
        rank[found] = self._standing.rank[place[found]]
        since[found] = self._standing.since[place[found]]
        return Standing(rank, since)


NO_PREVIOUS = PreviousStages(
    np.empty(0, dtype=np.uint64), Standing(np.empty(0, dtype=np.int8), np.empty(0, dtype="datetime64[us]"))
)


def hash_ids(ids: pa.ChunkedArray) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each id; missing ones hash as the empty text."""
    from pandas.util import hash_array

    return hash_array(ids.fill_null("").to_numpy().astype(object), categorize=False)


def read_previous(previous: object, *, as_of: datetime | None) -> PreviousStages:
    """Read the stages of an earlier scoring.

    Parameters
    ----------
    previous : path, address or table
        A scored table as :func:`leadlift.serving.predict.predict` writes it: ``lead_id``, ``stage`` and
        ``stage_since``. Where ``stage_since`` is missing, stages count from ``as_of``. Rows without an id or
        a stage were not scored then and are left out.
    as_of : datetime with time zone or None
        Moment of the present scoring.

    Returns
    -------
    PreviousStages

    Raises
    ------
    ConfigError
        `as_of` is None.
    InputError
        The file cannot be read, a lead stands in it twice, or it was scored later than `as_of`.
    SchemaError
        A column is missing, or holds a stage or a moment that is none.
    """
    if as_of is None:
        msg = "previous needs as_of: how long a lead has had its stage is counted up to it"
        raise ConfigError(msg)
    source = _open(previous)
    table = _staged_rows(source)
    ids, rank = table[LEAD_ID], _ranks(table[STAGE], source.name)
    hashes = hash_ids(ids)
    _refuse_repeated(ids, hashes, source.name)
    since = _since(table, source.name)
    _refuse_later(table, since, as_of, source.name)
    return PreviousStages(hashes, Standing(rank, since))


def _open(previous: object) -> Source:
    if isinstance(previous, str | Path):
        # It was written by leadlift, not as the user's own files are.
        return open_source(str(previous), None, DataConfig(leads=str(previous)))
    return TableSource(previous, "previous")


def _staged_rows(source: Source) -> pa.Table:
    """Ids, stages and moments of the leads that had a stage."""
    require_columns([LEAD_ID, STAGE], source.columns, source.name)
    names = [name for name in (LEAD_ID, STAGE, STAGE_SINCE, AS_OF) if name in source.columns]
    table = pa.Table.from_batches(source.batches(names), source.selected_schema(names))
    data = DataConfig(leads=source.name)
    ids = lead_ids(unescape_formulas(plain(table[LEAD_ID])), np.arange(1, len(table) + 1), data)
    stages = pc.cast(plain(table[STAGE]), pa.string())
    has_stage = pc.and_(pc.is_valid(ids), pc.not_equal(pc.fill_null(stages, ""), ""))
    table = table.set_column(0, LEAD_ID, ids).set_column(1, STAGE, stages)
    return table.filter(has_stage)


def _ranks(stages: pa.ChunkedArray, name: str) -> NDArray[np.int8]:
    rank = pc.index_in(stages, value_set=pa.array(RANKED_STAGES))
    if rank.null_count:
        odd = pc.unique(stages.filter(pc.is_null(rank))).to_pylist()
        msg = f"{name}: stage holds {shorten(odd)}; expected {', '.join(RANKED_STAGES)}"
        raise SchemaError(msg)
    return rank.to_numpy().astype(np.int8)


def _refuse_repeated(ids: pa.ChunkedArray, hashes: NDArray[np.uint64], name: str) -> None:
    values, counts = np.unique(hashes, return_counts=True)
    repeated = values[counts > 1]
    if len(repeated):
        rows = np.flatnonzero(np.isin(hashes, repeated))
        msg = (
            f"{name}: {len(repeated)} lead(s) stand in it twice with a stage: "
            f"{shorten(pc.unique(ids.take(pa.array(rows))).to_pylist())}. Give the table of one scoring"
        )
        raise InputError(msg)


def _since(table: pa.Table, name: str) -> NDArray[np.datetime64]:
    """When each lead entered its stage; where that is not said, when it was scored."""
    moments = [_moments(table[column], column, name) for column in table.column_names[2:]]
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
