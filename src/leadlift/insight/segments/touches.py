"""Which touches win: how often touched leads are won, and the wins credited to each touch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from leadlift.data.events import EVENT_TYPE, OCCURRED_AT, Events
from leadlift.data.tables import require_columns, table_from
from leadlift.data.values import plain
from leadlift.exceptions import InputError, shorten
from leadlift.insight.segments.inputs import outcomes
from leadlift.insight.segments.levels import learn_levels
from leadlift.insight.segments.rates import rate_columns, tested_columns
from leadlift.learning.splitting import as_moments
from leadlift.terms import LEAD_ID

TOUCH = "touch"
UNTIL = "until"
WON = "won"
NO_TOUCH = "(no touch)"
MOST_TOUCHES = 50
FIRST_SHARE = LAST_SHARE = 0.4


def touches_from(
    events: Events, by: str = "channel", *, event_types: Sequence[str] | None = None
) -> pa.Table:
    """Take touches from behaviour events.

    Parameters
    ----------
    events : Events
        From :func:`leadlift.data.events.read_events` or :func:`leadlift.data.events.events_from`.
    by : {"channel", "asset", "event_type"}, default="channel"
        What a touch is called by. An asset is a page, an offer, a campaign or an ad.
    event_types : sequence of str, optional
        Only events of these types, such as ``["page_view"]``; all by default.

    Returns
    -------
    pyarrow.Table
        ``lead_id`` (string), ``occurred_at`` (timestamp us UTC), ``touch`` (string): one row an event that
        has a channel, an asset or a type.

    Raises
    ------
    InputError
        `by` is none of these, or the events cannot be read.

    Examples
    --------
    >>> from leadlift.data.events import events_from
    >>> log = {"lead_id": ["A", "A"], "occurred_at": ["2026-03-01", "2026-03-02"]}
    >>> log |= {"event_type": ["visit", "call"], "channel": ["web", None]}
    >>> touches_from(events_from(pa.table(log)))["touch"].to_pylist()
    ['web']
    """
    if by not in ("channel", "asset", EVENT_TYPE):
        msg = f"touches go by 'channel', 'asset' or 'event_type', got {by!r}"
        raise InputError(msg)
    batches = [_touches(batch, by, event_types) for batch in events.batches()]
    schema = pa.schema([events.schema.field(LEAD_ID), events.schema.field(OCCURRED_AT), (TOUCH, pa.string())])
    return pa.Table.from_batches(batches, schema)


def attribute_wins(
    touches: Any,
    leads: Any,
    *,
    confidence: float = 0.95,
    false_discovery_rate: float = 0.05,
    least_leads: int = 30,
    most_touches: int = MOST_TOUCHES,
) -> pa.Table:
    """Credit wins to the touches before them, and count how often touched leads are won.

    Each win is shared out among the touches of its lead before the end: all to the *first*, all to the
    *last*, equally to all (*linear*), or *by position*: 40 % each to the first and the last, 20 % equally to
    those between; two share alike. Wins without a touch are in a row of their own, so every kind of credit
    adds up to the number of wins. Touches of the same moment stand in the order of the rows of the result.

    Credit is bookkeeping, and a higher rate of touched leads an association: who is about to buy looks at
    more pages, and whose case takes longer is touched more often. Neither says what a touch causes.

    Parameters
    ----------
    touches : table
        pyarrow, pandas or polars: ``lead_id`` (string), ``occurred_at`` (date with or without time zone),
        ``touch`` (string). Left out are touches without a name, those of other leads and those at the end
        of a lead or after it.
    leads : table
        ``lead_id`` (string, each once), ``won`` (bool), ``until`` (date): when the lead was won, lost, or
        last seen.
    confidence : float, default=0.95
        Of the exact intervals of the rates.
    false_discovery_rate : float, default=0.05
        Expected share of false ones among the touches said to differ.
    least_leads : int, default=30
        Touches of fewer leads are too few to say anything of.
    most_touches : int, default=50
        Touches with rows of their own: the most frequent; the others are taken together.

    Returns
    -------
    pyarrow.Table
        One row a touch, most frequent first, last the leads without any: ``touch`` (string); ``n_touches``;
        ``n``, leads touched, and ``won`` of them (int64); ``rate``, ``low``, ``high``, ``lift`` against all
        leads, ``share_of_leads``, ``share_of_wins`` (float64); ``too_few`` (bool); ``p_value``, ``q_value``
        (float64) and ``differs`` (bool), against leads not so touched; ``first_touch``, ``last_touch``,
        ``linear``, ``position_based`` (float64, wins).

    Raises
    ------
    InputError
        There is no lead, a lead id is missing or stands twice, an outcome or an end is missing, or moments
        are no dates.
    SchemaError
        A column is not there.

    Examples
    --------
    >>> days = np.array(["2026-03-01", "2026-03-02", "2026-03-09"], dtype="datetime64[us]")
    >>> touches = pa.table({"lead_id": ["A", "A", "A"], "occurred_at": days, "touch": ["ad", "fair", "ad"]})
    >>> leads = pa.table({"lead_id": ["A", "B"], "won": [True, True], "until": days[[2, 2]]})
    >>> attribute_wins(touches, leads).select(["touch", "first_touch", "last_touch"]).to_pydict()
    {'touch': ['ad', 'fair', '(no touch)'], 'first_touch': [1.0, 0.0, 1.0], 'last_touch': [0.0, 1.0, 1.0]}
    """
    ids, won, until = _leads(leads)
    names, touch, lead, moment = _touches_before_the_end(touches, ids, until, most_touches)
    n, n_won = _touched(touch, lead, won, len(names))
    n_leads, n_wins = len(won), int(won.sum())
    rates = rate_columns(n, n_won, n_leads, n_wins, confidence=confidence, least_leads=least_leads)
    rates |= tested_columns(n, n_won, n_leads, n_wins, false_discovery_rate, least_leads)
    n_touches = np.bincount(touch, minlength=len(names))
    counts = {TOUCH: names, "n_touches": n_touches, "n": n, WON: n_won}
    of_won = won[lead]
    credit = _credit(touch[of_won], lead[of_won], moment[of_won], len(names))
    for wins in credit.values():
        wins[-1] = n_won[-1]
    return pa.table(counts | rates | credit).filter(pa.array(n > 0))


def _touches(batch: pa.RecordBatch, by: str, event_types: Sequence[str] | None) -> pa.RecordBatch:
    is_touch = batch[by].is_valid()
    if event_types is not None:
        is_touch = pc.and_(is_touch, pc.is_in(batch[EVENT_TYPE], pa.array(event_types, pa.string())))
    found = batch.select([LEAD_ID, OCCURRED_AT, by]).filter(is_touch)
    return found.rename_columns([LEAD_ID, OCCURRED_AT, TOUCH])


def _leads(leads: Any) -> tuple[pa.ChunkedArray, NDArray[np.bool_], NDArray[np.datetime64]]:
    """Return ids, outcomes and ends, each lead once."""
    table = table_from(leads)
    require_columns((LEAD_ID, WON, UNTIL), table.column_names, "leads")
    ids = _texts(table[LEAD_ID])
    if not len(ids) or ids.null_count:
        msg = f"expected leads that all have a lead_id, got {len(ids):,} leads, {ids.null_count:,} without"
        raise InputError(msg)
    counted = pc.value_counts(ids)
    twice = counted.field("values").filter(pc.greater(counted.field("counts"), 1))
    if len(twice):
        msg = f"expected each lead once, got {len(twice):,} repeated: {shorten(sorted(twice.to_pylist()))}"
        raise InputError(msg)
    until = _dates(table[UNTIL], UNTIL)
    n_endless = int(np.isnat(until).sum())
    if n_endless:
        msg = f"{n_endless:,} leads have no end (until); give open leads the moment of the extract"
        raise InputError(msg)
    return ids, outcomes(table[WON], len(ids)), until


def _touches_before_the_end(
    touches: Any, ids: pa.ChunkedArray, until: NDArray[np.datetime64], most_touches: int
) -> tuple[tuple[str, ...], NDArray[np.int64], NDArray[np.int64], NDArray[np.datetime64]]:
    """Return the names of touches, and the code, lead and moment of each touch before its lead's end."""
    table = table_from(touches)
    require_columns((LEAD_ID, OCCURRED_AT, TOUCH), table.column_names, "touches")
    place = pc.index_in(_texts(table[LEAD_ID]), value_set=ids.combine_chunks())
    lead = place.fill_null(0).to_numpy()
    moment = _dates(table[OCCURRED_AT], OCCURRED_AT)
    names = _texts(table[TOUCH])
    counts = place.is_valid().to_numpy() & names.is_valid().to_numpy() & (moment < until[lead])
    names = names.filter(pa.array(counts))
    levels = learn_levels(TOUCH, names, most_touches)
    return (*levels.names[:-1], NO_TOUCH), levels.codes(names), lead[counts], moment[counts]


def _touched(
    touch: NDArray[np.int64], lead: NDArray[np.int64], won: NDArray[np.bool_], n_names: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count leads and won leads by touch, each lead once; the last name is no touch at all."""
    is_touched = np.zeros((len(won), n_names), dtype=bool)
    is_touched[lead, touch] = True
    is_touched[:, -1] = ~is_touched.any(axis=1)
    return is_touched.sum(axis=0), is_touched[won].sum(axis=0)


def _credit(
    touch: NDArray[np.int64], lead: NDArray[np.int64], moment: NDArray[np.datetime64], n_names: int
) -> dict[str, NDArray[np.float64]]:
    """Share out one win a lead among its touches, in four ways."""
    order = np.lexsort((touch, moment, lead))
    touch, lead = touch[order], lead[order]
    starts = np.flatnonzero(np.r_[True, lead[1:] != lead[:-1]][: len(lead)])
    sizes = np.diff(np.r_[starts, len(lead)])
    size = np.repeat(sizes, sizes)
    place = np.arange(len(lead)) - np.repeat(starts, sizes)
    is_first, is_last = place == 0, place == size - 1
    between = (1 - FIRST_SHARE - LAST_SHARE) / np.maximum(size - 2, 1)
    by_position = np.select(
        [size == 1, size == 2, is_first, is_last], [1.0, 0.5, FIRST_SHARE, LAST_SHARE], between
    )
    ways = {"first_touch": is_first, "last_touch": is_last, "linear": 1 / size, "position_based": by_position}
    return {way: np.bincount(touch, weights=share, minlength=n_names) for way, share in ways.items()}


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.cast(plain(column), pa.string())


def _dates(column: pa.ChunkedArray, name: str) -> NDArray[np.datetime64]:
    if not pa.types.is_temporal(column.type):
        msg = f"{name} must hold dates, got {column.type}"
        raise InputError(msg)
    return as_moments(column).astype("datetime64[us]")
